"""Decoders of ids, digests and numbers as one number of any base, padded with zeros, or as bytes."""

from __future__ import annotations

import struct

from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, as_text, begins, decoder
from appwitness.match.decode.walk.reader import format_real

_DIGITS, _LOWER, _UPPER = b"0123456789", b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = (
    ("base58", b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
    ("base62", _DIGITS + _UPPER + _LOWER),
    ("base62", _DIGITS + _LOWER + _UPPER),
    ("base36", _DIGITS + _LOWER),
    ("base58", b"123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"),  # Flickr's
    ("base57", b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),  # of shortuuid
    ("base32", b"0123456789abcdefghjkmnpqrstvwxyz"),  # Crockford's
)
EITHER_CASE = frozenset(("base36", "base32"))
SIZES = (16, 20, 32)
"""Bytes of an id or a digest that may be written as one number."""
OF_SIZE = {
    size: {
        name: range(int(8 * size / bits - 0.7), int(8 * size / bits) + 2)
        for name, bits in {"base58": 5.858, "base62": 5.954, "base36": 5.170, "base57": 5.833, "base32": 5.0}.items()
    }
    for size in SIZES
}
"""Letters of such a number, with or without a leading zero."""


@decoder("long number", "text", order=880, guess=False, sieve="guess", seen_in="short-uuid; ULID")
@begins(rb"[0-9A-Za-z]{10,256}\Z")
def long_number(piece: UploadPiece, room: Room) -> Found:
    """An id or a digest that is all of a text, as one number in base 32, 36, 57, 58 or 62."""
    text = piece.data
    found = []
    if text.isdigit() or not text.strip(b"0123456789abcdefABCDEF"):
        return None
    for name, letters in LETTERS:
        given = text.lower() if name in EITHER_CASE and not (text.upper() != text and text.lower() != text) else text
        sizes = [size for size in SIZES if len(text) in OF_SIZE[size][name]]
        if not sizes or given.strip(letters):
            continue
        number = 0
        for letter in given:
            number = number * len(letters) + letters.index(letter)
        plain = number.to_bytes(-(-number.bit_length() // 8))
        for size in sizes if len(plain) in SIZES or as_text(plain) is None else ():
            if 8 * size - 16 <= number.bit_length() <= 8 * size and room.take(size, piece, name):
                found.append(piece.whole(name, number.to_bytes(size))._replace(done=True))
    return found or None


@decoder("long number", "text", order=890, guess=False, sieve="guess", seen_in="Guava's HashCode.asLong")
@begins(rb"-?[1-9][0-9]{16,19}\Z")
def long(piece: UploadPiece, room: Room) -> Found:
    """The first eight bytes of a digest as an integer, read as in Java or as in Guava."""
    number = int(piece.data)
    if not -(1 << 63) <= number < 1 << 64 or not room.take(32, piece, "long number"):
        return None
    numbers = [number, -number] if 0 < number < 1 << 63 else [number]  # the sign is often taken off
    return [
        piece.whole("long number", (one % (1 << 64)).to_bytes(8, order))._replace(done=True)
        for one in numbers
        for order in ("big", "little")
    ]


@decoder("zero padding", "text", order=920, guess=False, sieve="guess", seen_in="java.util.Formatter (%016x)")
@begins(rb"0{3,}[1-9][0-9]{6,16}\Z|0{4}[0-9a-fA-F]{12}\Z|0{16}[0-9a-fA-F]{16}\Z")
def zero_padding(piece: UploadPiece, room: Room) -> Found:
    """A number padded with zeros; an id in hex, padded to eight bytes or sixteen."""
    data = piece.data
    start = len(data) - len(data.lstrip(b"0"))
    starts = {start} if data[start:].isdigit() else set()
    starts |= {len(data) // 2 if len(data) == 32 else 4} if len(data) in (16, 32) else set()
    return [piece.part("", first, len(data))._replace(done=True) for first in sorted(starts)]


@decoder(
    "bytes of a number",
    "binary",
    order=930,
    guess=False,
    sieve="guess",
    seen_in="Java: Double.doubleToLongBits",
    no_salt=True,
)
@begins(rb"(?:.{4}|.{8})\Z")
def number_of_bytes(piece: UploadPiece, room: Room) -> Found:
    """A floating-point number written as its bytes, in hex or base64, if it may be degrees; an integer of four
    bytes."""
    data = piece.data
    if piece.decoding[-1:] not in (("hex",), ("base64",)):
        return None
    wide = len(data) == 8
    texts = []
    for order in "><":
        real = struct.unpack(order + ("d" if wide else "f"), data)[0]
        if 0.01 < abs(real) <= 180:
            texts.append(format_real(real, wide=wide))
        if not wide and abs(whole := struct.unpack(order + "i", data)[0]) > 10_000:
            texts.append(str(whole))
    step = "bytes of a number"
    found = [piece.whole(step, text.encode())._replace(done=True) for text in texts if room.take(20, piece, step)]
    return found or None
