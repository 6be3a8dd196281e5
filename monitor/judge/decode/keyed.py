"""Decoder of texts under a mask of several bytes that repeat (XOR with a key): a guess, by how often letters stand
where the key comes round again, so only what then reads as a document or a form counts."""

from __future__ import annotations

import re

from monitor.judge.decode.masks import TABLES
from monitor.judge.decode.pieces import Found, Piece, Room, as_text, decoder

LEAST = 48
SAMPLE = 4096
"""Bytes by which the key is found."""
KEYS = range(2, 65)
"""Bytes of a key."""
EACH = 8
"""Bytes under each byte of the key, at least."""
FEWEST, SAME, TIMES = 5, 0.025, 3.0
"""Bytes that are the same again where the key comes round: how many, their share, and how many times as many as at
other distances. In texts it is a twentieth of them, of what is nowhere alike one of 256."""
TRIES = 3
USUAL = (
    (9, b'"e'),
    (8, b"atoinsrd,:0123456789"),
    (7, b" lcumphgb_&=.-"),
    (6, b"fvwykxjqz/{}[]"),
    (5, bytes(range(ord("A"), ord("Z") + 1))),
    (4, b"%+@\n#'()*!?;<>|~^$\\\t"),
    (3, bytes(range(0x80, 0xF5))),
)
WEIGHTS = {byte: weight for weight, letters in USUAL for byte in letters}
SCORED = [bytes(WEIGHTS.get(byte ^ key, 0) for byte in range(256)) for key in range(256)]
"""By the byte of a key, how usual is in a text what is under it."""
SORTS = (
    b"abcdefghijklmnopqrstuvwxyz_",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    b"0123456789",
    b'"',
    b" ",
    b":",
    b",",
    b"{[",
    b"}]",
    b".-/=&%",
)
SORT_OF = bytes(
    next((at for at, of in enumerate(SORTS) if byte in of), 10 if byte < 0x80 else 11) for byte in range(256)
)
BESIDE = {
    sort: {other: weight for weight, others in ((6, often), (3, some)) for other in others}
    for sort, often, some in (
        (0, (0, 3), (1, 4, 9, 2)),
        (1, (0, 1), (2, 3, 4, 9)),
        (2, (2,), (6, 8, 3, 9)),
        (3, (5, 0, 6, 8), (1, 2, 3, 9, 11)),
        (4, (3, 2, 0), (1, 7)),
        (5, (4, 3, 2), (7, 0)),
        (6, (3, 4), (2, 7, 0)),
        (7, (3, 7), (2, 8)),
        (8, (6, 8), (4,)),
        (9, (2, 0), (1, 9)),
        (11, (11,), (3, 4)),
    )
}
"""Sort of a letter -> sorts that stand behind it in documents, and how often."""
CHOICES, PASSES = 8, 3
"""Bytes of a key that are looked at beside their neighbours, and how many times."""
READ = re.compile(
    r"\s*(?:[{\[]\s*[\"{\[\d].*[}\]]|<[?!A-Za-z].*>|[A-Za-z_][\w.\[\]-]*=[^=&]*(?:&[\w.\[\]-]+=[^=&]*)*)\s*", re.DOTALL
)
FROM = frozenset(("", "base64", "hex", "gzip", "deflate", "multipart", "part", "base32", "percent"))
"""Steps after which all of the bytes may be under a key: fields of a message are not."""


@decoder("xor", "binary", rb".{48}", alone=False)
def repeated(piece: Piece, room: Room) -> Found:
    """A document or a form under a key of two bytes or more."""
    data = piece.data
    if (piece.decoding or ("",))[-1] not in FROM or "xor" in piece.decoding:
        return None
    for size in _rounds(data[:SAMPLE])[:TRIES]:
        key = _key(data[:SAMPLE], size)
        plain = _under(data, key)
        text = as_text(plain)
        if text is not None and READ.fullmatch(text) and room.take(len(plain), piece, "xor"):
            return [piece.whole("xor", plain)]
    return None


def _rounds(data: bytes) -> list[int]:
    """After how many bytes the key may come round again."""
    number, sizes = int.from_bytes(data), KEYS[: max(0, len(data) // EACH - KEYS.start + 1)]
    same = []
    for size in sizes:
        here = (number ^ number >> 8 * size) & (1 << 8 * (len(data) - size)) - 1
        same.append(here.to_bytes(len(data) - size).count(0))
    if not same:
        return []
    often = max(FEWEST, SAME * len(data), TIMES * sorted(same)[len(same) // 4])
    return [size for size, times in zip(sizes, same, strict=True) if times >= often]


def _key(data: bytes, size: int) -> bytes:
    """The likeliest key: by the letters that come out, then by what stands beside what."""
    choices = [_choices(data[at::size]) for at in range(size)]
    key = bytearray(best for best, *_ in choices)
    for _ in range(PASSES):
        before = bytes(key)
        for at, few in enumerate(choices):
            plain = _under(data, key)
            key[at] = max(few, key=lambda one: _fits(data, plain, at, size, one))
        if key == before:
            break
    return bytes(key)


def _choices(column: bytes) -> list[int]:
    """The bytes of a key that all of these may be under, the likeliest first."""
    return sorted(range(256), key=lambda key: -sum(column.translate(SCORED[key])))[:CHOICES]


def _under(data: bytes, key: bytes | bytearray) -> bytes:
    mask = int.from_bytes((key * (len(data) // len(key) + 1))[: len(data)])
    return (int.from_bytes(data) ^ mask).to_bytes(len(data))


def _fits(data: bytes, plain: bytes, first: int, size: int, key: int) -> int:
    """How usual is what is under this byte of the key, and beside its neighbours."""
    column = data[first::size].translate(TABLES[key])
    usual = sum(column.translate(SCORED[0]))
    here, last = column.translate(SORT_OF), len(plain) - 1
    for number, sort in enumerate(here):
        at = first + number * size
        if at:
            usual += BESIDE.get(SORT_OF[plain[at - 1]], {}).get(sort, 0)
        if at < last:
            usual += BESIDE.get(sort, {}).get(SORT_OF[plain[at + 1]], 0)
    return usual
