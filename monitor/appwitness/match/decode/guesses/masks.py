"""Decoders of documents under a single-byte XOR key: guesses, accepted only if the result parses as a document."""

from __future__ import annotations

import re
import zlib

from appwitness.match.decode.documents.json_documents import is_document
from appwitness.match.decode.packed.blocks import snappy_block
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder

TABLES = [bytes(byte ^ key for byte in range(256)) for key in range(256)]
ZLIB, ZLIB_LEVELS = 0x78, b"\x01\x5e\x9c\xda"
SAMPLE = 64
OPENING = re.compile(rb"\s*(?:[{\[]\s*[\"{\[]|<[?!a-zA-Z])")
"""How the unpacked text of such a stream must begin."""
GZIP = b"\x1f\x8b\x08"


@decoder("xor", "any", order=10, guess=True, sieve="guess", seen_in="GrowingIO")
@begins(rb".{8}")
def document(piece: UploadPiece, room: Room) -> Found:
    """JSON or gzip under any key."""
    data = piece.data
    key = data[0] ^ GZIP[0]
    if key and data[:3].translate(TABLES[key]) == GZIP and room.take(len(data), piece, "xor"):
        return [piece.whole("xor", data.translate(TABLES[key]))]
    # both pairs of brackets differ in the same two bits, whatever the key
    if data[0] ^ data[-1] != 6:
        return None
    for opening, following in ((b"{", b'"} \n'), (b"[", b'{["] \n-0123456789')):
        key = data[0] ^ opening[0]
        if key and data[1] ^ key in following and room.take(len(data), piece, "xor"):
            plain = data.translate(TABLES[key])
            if is_document(plain):
                return [piece.whole("xor", plain)]
    return None


@decoder("xor", "binary", order=1150, guess=True, sieve="guess", seen_in="GrowingIO, under Snappy")
@begins(rb".{8}")
def packed(piece: UploadPiece, room: Room) -> Found:
    """zlib under any key, or a bare Snappy block, which begins with its length and the first characters of a
    document."""
    data = piece.data
    keys = [data[0] ^ ZLIB] if data[1] ^ data[0] ^ ZLIB in ZLIB_LEVELS else []
    for at in range(2, 5):
        keys += [data[at] ^ opening for opening in b"{[" if data[at + 1] ^ data[at] ^ opening in b'"{[']
    for key in keys:
        plain = data.translate(TABLES[key]) if key else b""
        if plain and _unpacks(plain, room) and room.take(len(plain), piece, "xor"):
            return [piece.whole("xor", plain)]
    return None


def _unpacks(plain: bytes, room: Room) -> bool:
    try:
        if plain[0] == ZLIB and plain[1] in ZLIB_LEVELS:
            return bool(OPENING.match(zlib.decompressobj().decompress(plain, SAMPLE)))
        return is_document(snappy_block(plain, room.bytes_left))
    except (zlib.error, ValueError):
        return False
