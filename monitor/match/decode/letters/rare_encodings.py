"""Decoders of rarer ways to write bytes: base45, uuencode, dumps, digests as numbers of any base, numbers as bytes."""

from __future__ import annotations

import binascii
import re
import struct

from monitor.match.decode.walk.pieces import Found, Piece, Room, as_text, begins, decoder, holds
from monitor.match.decode.walk.reader import format_real

BASE45 = {letter: value for value, letter in enumerate(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}
BASE91 = {
    letter: place
    for place, letter in enumerate(
        b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,./:;<=>?@[]^_`{|}~"'
    )
}
UU_LINE = re.compile(rb"([!-`])([ -`]{1,84})\r?\n?")
DUMPED = re.compile(
    rb"(?m)^[ ]*(?:0x)?[0-9a-fA-F]{4,8}[: ] {0,2}((?:[0-9a-fA-F]{2,4}(?: {1,2}|$)){1,16})(?: *[ |].{0,20})?\r?$"
)
_DIGITS, _LOWER, _UPPER = b"0123456789", b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = (
    ("base58", b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
    ("base62", _DIGITS + _UPPER + _LOWER),
    ("base62", _DIGITS + _LOWER + _UPPER),
    ("base36", _DIGITS + _LOWER),
    ("base58", b"123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"),  # Flickr's
    ("base57", b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),  # of shortuuid
    ("base32", b"0123456789abcdefghjkmnpqrstvwxyz"),  # Crockford's
    ("decimal", _DIGITS),
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
"""Letters of such a number, with a lost zero at its beginning or not."""
NUMBER = re.compile(rb"-?[1-9][0-9]{15,159}")
NUMBERS = re.compile(rb"%b(?:([,;| ]|, )%b)(?:\1%b)*" % (3 * (NUMBER.pattern,)))
OCTETS = frozenset((6, 8, 16, 20, 32))


@decoder("base45", "text", order=840, guess=False, sieve="guess", seen_in="CovPass")
@begins(rb"(?=[0-9]*[^0-9])[0-9A-Z $%*+\-./:]{9,8192}\Z")
def base45(piece: Piece, room: Room) -> Found:
    """RFC 9285, which codes for cameras hold, where it is all of a text and comes out as text."""
    data, out = piece.data, bytearray()
    if len(data) % 3 == 1:
        return None
    for at in range(0, len(data), 3):
        places = [BASE45[letter] for letter in data[at : at + 3]]
        number = sum(place * 45**power for power, place in enumerate(places))
        if number >> (16 if len(places) == 3 else 8):
            return None
        out += number.to_bytes(len(places) - 1)
    if as_text(bytes(out)) is None or not room.take(len(out), piece, "base45"):
        return None
    return [piece.whole("base45", bytes(out))]


@decoder("base91", "text", order=850, guess=False, sieve="guess", seen_in="none known")
@begins(rb"(?=[A-Za-z0-9]*[^A-Za-z0-9\\'-])[!-~]{9,4096}\Z")
def base91(piece: Piece, room: Room) -> Found:
    """basE91, where it is all of a text and comes out as text."""
    out, bits, held, first = bytearray(), 0, 0, -1
    for letter in piece.data:
        place = BASE91.get(letter)
        if place is None:
            return None
        if first < 0:
            first = place
            continue
        pair = first + 91 * place
        bits |= pair << held
        held += 13 if pair & 8191 > 88 else 14
        first = -1
        while held > 7:
            out.append(bits & 255)
            bits, held = bits >> 8, held - 8
        if len(out) < FEWEST <= len(out) + 2 and as_text(bytes(out)) is None:  # as nearly all that is something else
            return None
    if first >= 0:
        out.append((bits | first << held) & 255)
    if len(out) < FEWEST or as_text(bytes(out)) is None or not room.take(len(out), piece, "base91"):
        return None
    return [piece.whole("base91", bytes(out))]


@decoder("uuencode", "text", order=860, guess=False, sieve="guess", seen_in="none known")
@holds(rb"begin [0-7]{3,4} [^\r\n]{1,100}\r?\n")
def uuencode(piece: Piece, room: Room) -> Found:
    """What mail used before base64."""
    found = []
    for head in re.finditer(rb"begin [0-7]{3,4} [^\r\n]{1,100}\r?\n", piece.data):
        out, at = b"", head.end()
        while (line := UU_LINE.match(piece.data, at)) and line[1] != b"`":
            try:
                out += binascii.a2b_uu(line[0].rstrip(b"\r\n"))
            except binascii.Error:
                break
            at = line.end()
        if out and room.take(len(out), piece, "uuencode"):
            found.append(piece.turned("uuencode", out, head.start(), at))
    return found or None


@decoder("hex dump", "text", order=870, guess=False, sieve="guess", seen_in="OkHttp's ByteString; hexdump")
@begins(rb"\s*(?:0x)?[0-9a-fA-F]{4,8}[: ] {0,2}[0-9a-fA-F]{2,4} ")
def hex_dump(piece: Piece, room: Room) -> Found:
    """Bytes as programs list them: a position, pairs of digits, the letters."""
    out = b""
    for row in DUMPED.finditer(piece.data):
        digits = b"".join(row[1].split())[:32]  # what follows the sixteenth byte are letters that look like digits
        out += bytes.fromhex(digits[: len(digits) & ~1].decode())
    return [piece.whole("hex dump", out)] if len(out) > 5 and room.take(len(out), piece, "hex dump") else None


@decoder("long number", "text", order=880, guess=False, sieve="guess", seen_in="short-uuid; ULID")
@begins(rb"[0-9A-Za-z]{10,256}\Z")
def long_number(piece: Piece, room: Room) -> Found:
    """An id, a digest or a text as one number in 10, 32, 36, 57, 58 or 62 digits that is all of a text."""
    text = piece.data
    found = []
    if not text.strip(b"0123456789abcdefABCDEF") and not text.isdigit():
        return None
    for name, letters in LETTERS:
        given = text.lower() if name in EITHER_CASE and not (text.upper() != text and text.lower() != text) else text
        sizes = [size for size in SIZES if len(text) in OF_SIZE[size].get(name, ())]
        if given.strip(letters) or (text.isdigit() and name != "decimal") or (name == "base58" and not sizes):
            continue
        number = 0
        for letter in given:
            number = number * len(letters) + letters.index(letter)
        plain = number.to_bytes(-(-number.bit_length() // 8))
        is_text = as_text(plain) is not None
        if is_text and len(plain) >= FEWEST and name != "base58" and room.take(len(plain), piece, name):
            found.append(piece.whole(name, plain))
        for size in sizes if len(plain) in SIZES or not is_text else ():
            if 8 * size - 16 <= number.bit_length() <= 8 * size and room.take(size, piece, name):
                found.append(piece.whole(name, number.to_bytes(size))._replace(done=True))
    return found or None


FEWEST = 6
"""Bytes of a text that is written as one number."""


@decoder("long number", "text", order=890, guess=False, sieve="guess", seen_in="Guava's HashCode.asLong")
@begins(rb"-?[1-9][0-9]{16,19}\Z")
def long(piece: Piece, room: Room) -> Found:
    """The first eight bytes of a digest as a whole number, as Java reads them, or Guava."""
    number = int(piece.data)
    if not -(1 << 63) <= number < 1 << 64 or not room.take(32, piece, "long number"):
        return None
    numbers = [number, -number] if 0 < number < 1 << 63 else [number]  # the sign is often taken off
    return [
        piece.whole("long number", (one % (1 << 64)).to_bytes(8, order))._replace(done=True)
        for one in numbers
        for order in ("big", "little")
    ]


@decoder("long number", "text", order=900, guess=False, sieve="guess", seen_in="java.util.UUID as two longs")
@begins(rb"-?[1-9][0-9]{15,159}(?:[,;| ]|, )-?[1-9][0-9]{15}")
def longs(piece: Piece, room: Room) -> Found:
    """The same several times, one behind the other, or whole digests as numbers."""
    if not NUMBERS.fullmatch(piece.data):
        return None
    return [piece.part("", *number.span()) for number in NUMBER.finditer(piece.data)]


@decoder("octets", "text", order=910, guess=False, sieve="guess", seen_in="none known")
@begins(rb"[0-9]{1,3}([.:-])[0-9]{1,3}(?:\1[0-9]{1,3}){4,1000}\Z")
def octets(piece: Piece, room: Room) -> Found:
    """The bytes of an id or a text in decimal, with one mark between any two."""
    numbers = [int(number) for number in re.split(rb"[.:-]", piece.data)]
    if max(numbers) > 255 or not room.take(len(numbers), piece, "octets"):
        return None
    out = bytes(numbers)
    if len(out) not in OCTETS and as_text(out) is None:
        return None
    return [piece.whole("octets", out)._replace(done=True)]


@decoder("noughts", "text", order=920, guess=False, sieve="guess", seen_in="String.format of %016x")
@begins(rb"0{3,}[1-9][0-9]{6,16}\Z|0{4}[0-9a-fA-F]{12}\Z|0{16}[0-9a-fA-F]{16}\Z")
def noughts(piece: Piece, room: Room) -> Found:
    """A number that was filled up with zeros; an id in hex, to eight bytes or sixteen."""
    data = piece.data
    start = len(data) - len(data.lstrip(b"0"))
    begins = {start} if data[start:].isdigit() else set()
    begins |= {len(data) // 2 if len(data) == 32 else 4} if len(data) in (16, 32) else set()
    return [piece.part("", begin, len(data))._replace(done=True) for begin in sorted(begins)]


@decoder("bytes of a number", "binary", order=930, guess=False, sieve="guess", seen_in="Double.doubleToLongBits")
@begins(rb"(?:.{4}|.{8})\Z")
def number_of_bytes(piece: Piece, room: Room) -> Found:
    """A real number that was written as its bytes, in hex or base64, where it may be degrees; a whole one of four."""
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
    return [
        piece.whole(step, text.encode())._replace(done=True) for text in texts if room.take(20, piece, step)
    ] or None
