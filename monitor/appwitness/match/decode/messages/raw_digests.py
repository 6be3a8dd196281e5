"""Decoder of raw digests in a row, or among a few other bytes."""

from __future__ import annotations

from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder

DIGEST_SIZES = (32, 20, 16)
WHOLE_DIGESTS = frozenset((16, 20, 24, 28, 32, 48, 64))
"""Sizes of a single digest; three or four MD5 together have some of them as well."""
LONGEST_ROW = 1024
HEADS = 8
"""Maximum bytes before or after a digest: a version, a length, a flag."""


@decoder("digests", "binary", order=1050, guess=False, sieve="covered", seen_in="IPFS, in multihash")
@begins(rb".{17,1024}\Z")
def row(piece: UploadPiece, room: Room) -> Found:
    """Bytes that may be digests in a row, or one digest with a few bytes before or after it."""
    size = len(piece.data)
    if size > LONGEST_ROW:
        return None
    spans: list[tuple[int, int]] = []
    for one in DIGEST_SIZES if size not in WHOLE_DIGESTS else (16,) if size in (48, 64) else ():
        if size % one == 0:
            spans += [(at, at + one) for at in range(0, size, one)]
        elif one < size <= one + HEADS:
            spans += [(0, one), (size - one, size)]
        spans += [(0, one), (one, size)] if size - one in DIGEST_SIZES else []
    return [piece.part("digests", *span)._replace(done=True) for span in dict.fromkeys(spans)] or None
