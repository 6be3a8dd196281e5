"""Decoder of texts under a mask of several bytes that repeat (XOR with a key): a guess, by how often letters stand
where the key comes round again, so only what then reads as a document or a form counts."""

from __future__ import annotations

import re

from monitor.match.decode.guesses.masks import TABLES
from monitor.match.decode.walk.pieces import Found, Piece, Room, as_text, begins, decoder

LEAST = 48
SAMPLE, FEW = 2048, 1024
"""Bytes by which the key is found, and of them those whose neighbours are looked at."""
PLAIN = re.compile(rb"[ -~]{40}")
FREQUENT, LIKELY = 3, b'"eaotnirsdl,: 0123456789{}='
"""The most frequent bytes of a column, and what they may be."""
KEYS = range(2, 65)
"""Bytes of a key."""
EACH = 8
"""Bytes under each byte of the key, at least."""
FEWEST, SAME, TIMES = 5, 0.025, 3.0
"""Bytes that are the same again where the key comes round: how many, their share, and how many times as many as at
other distances. In texts it is a twentieth of them, of what is nowhere alike one of 256."""
MOST = 0.9
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
UNSEEN = [bytes((byte ^ key) not in WEIGHTS for byte in range(256)) for key in range(256)]
"""By the byte of a key, 1 for what no text has under it."""
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
KINDS = len(SORTS) + 2
PAIRS = {(one, other): BESIDE.get(one, {}).get(other, 0) for one in range(KINDS) for other in range(KINDS)}
TEXT = 7.0
"""How usual letters of a text are, on average, under the likeliest key of all; what is none has less than 6.3."""
CHOICES, PASSES = 8, 3
"""Bytes of a key that are looked at beside their neighbours, and how many times."""
READ = re.compile(
    r"\s*(?:[{\[]\s*[\"{\[\d].*[}\]]|<[?!A-Za-z].*>|[A-Za-z_][\w.\[\]-]*=[^=&]*(?:&[\w.\[\]-]+=[^=&]*)*)\s*", re.DOTALL
)
FROM = frozenset(("", "base64", "hex", "gzip", "deflate", "multipart", "part", "base32", "percent"))
"""Steps after which all of the bytes may be under a key: fields of a message are not."""


@decoder("xor", "binary", order=1240, guess=True, sieve="guess", seen_in="UC Browser")
@begins(rb".{48}")
def repeated(piece: Piece, room: Room) -> Found:
    """A document or a form under a key of two bytes or more."""
    data = piece.data
    if (piece.decoding or ("",))[-1] not in FROM or "xor" in piece.decoding:
        return None
    if PLAIN.search(data, 0, SAMPLE) or data.count(0, 0, SAMPLE) > min(len(data), SAMPLE) // 8:  # nothing hides it
        return None
    for size in _rounds(data[:SAMPLE])[:TRIES]:
        key = _key(data[:SAMPLE], size)
        if not key:
            continue
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
    if max(same) > MOST * len(data):  # it repeats itself
        return []
    return [size for size, times in zip(sizes, same, strict=True) if times >= often]


def _key(data: bytes, size: int) -> bytes:
    """The likeliest key: by the letters that come out, then by what stands beside what; nothing when no text does."""
    choices: list[list[int]] = []
    for at in range(size):
        column = data[at::size]
        choices.append(_choices(column))
        if column.translate(UNSEEN[choices[-1][0]]).count(1) > len(column) // 8:
            return b""
    key = bytearray(best for best, *_ in choices)
    if sum(_under(data, key).translate(SCORED[0])) < TEXT * len(data):
        return b""
    data = data[:FEW]
    for _ in range(PASSES):
        before = bytes(key)
        for at, few in enumerate(choices):
            plain = _under(data, key)
            key[at] = max(few, key=lambda one: _fits(data, plain, at, size, one))
        if key == before:
            break
    return bytes(key)


def _choices(column: bytes) -> list[int]:
    """The bytes of a key that all of these may be under, the likeliest first: under it, the most frequent ones are
    letters that are frequent."""
    often = sorted(set(column), key=lambda byte: (-column.count(byte), byte))[:FREQUENT]
    keys = {byte ^ letter for byte in often for letter in LIKELY}
    return sorted(keys, key=lambda key: (-sum(column.translate(SCORED[key])), key))[:CHOICES]


def _under(data: bytes, key: bytes | bytearray) -> bytes:
    mask = int.from_bytes((key * (len(data) // len(key) + 1))[: len(data)])
    return (int.from_bytes(data) ^ mask).to_bytes(len(data))


def _fits(data: bytes, plain: bytes, first: int, size: int, key: int) -> int:
    """How usual is what is under this byte of the key, and beside its neighbours."""
    column = data[first::size].translate(TABLES[key])
    here = column.translate(SORT_OF)
    before = plain[first - 1 :: size] if first else b"\0" + plain[size - 1 :: size]
    behind = plain[first + 1 :: size]
    usual = sum(column.translate(SCORED[0]))
    usual += sum(map(PAIRS.__getitem__, zip(before.translate(SORT_OF), here, strict=False)))
    return usual + sum(map(PAIRS.__getitem__, zip(here, behind.translate(SORT_OF), strict=False)))
