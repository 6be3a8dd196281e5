"""Decoders of text and bytes written as numbers, or with separators between the letters."""

from __future__ import annotations

import re

from appwitness.match.decode.letters import escapes
from appwitness.match.decode.letters.backslashes import unescape
from appwitness.match.decode.letters.charsets import PACKED
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, as_text, begins, decoder, holds

GROUPS = re.compile(rb"[+(]?[0-9]+(?:[ ().,_/:|-]{1,3}[0-9]+)+X?")
NO_DIGIT = re.compile(rb"[^0-9X]")
MAIL = re.compile(rb"[\w+,-]{1,64}@[\w-]+(?:,[\w-]+)+")
REAL = re.compile(rb"([0-9]+)\.0+|([0-9](?:\.[0-9]+)?)[eE]\+?([0-9]{1,2})")
CELL = re.compile(rb"(?<![^\s,;|\"'])([0-9]{7,20})\.0+(?![^\s,;|\"'])")
BYTES = re.compile(rb"-?[0-9]{1,5}(?:([ ,;|]|, )-?[0-9]{1,5}(?:\1-?[0-9]{1,5})+)")
_ONE = rb'"(?:[^"\\\x80-\xff]|[\xc2-\xf4][\x80-\xbf]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))"'
FEWEST = 8
"""Minimum bytes of a list that are worth reading although they are not text."""
ID_BYTES = frozenset((8, 16, 20, 28, 32, 48, 64))
"""Bytes of an id or a digest; a cipher's output is often a multiple of 16."""
CHARACTERS = re.compile(rb"\[\s*" + _ONE + rb"(?:\s*,\s*" + _ONE + rb"){2,}\s*\]")
CHARACTER = re.compile(rb'"((?:\\.|[^"\\])[^"]*)"')
_UPPER, _LOWER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz"
LINE_KEY = re.compile(r"(?i)line|shape|route|geometry|track|points|path|loc|geo|gps|pos|coord|(?:^|[._-])ll$")
LONGEST_NUMBER = 20
"""Digits of the longest number that identifies somebody or something: an ICCID."""


@decoder(
    "separators",
    "text",
    order=600,
    guess=False,
    sieve="covered",
    seen_in="android.telephony.PhoneNumberUtils",
    another_reading=True,
    no_salt=True,
)
@begins(rb"[+(]?[0-9]+[ ().,_/:|-]{1,3}[0-9]")
def separators(piece: UploadPiece, room: Room) -> Found:
    """The digits of a number with separators, if the number is all of the text."""
    data = piece.data.strip()
    if len(data) > 2 * LONGEST_NUMBER or not GROUPS.fullmatch(data):
        return None
    digits = NO_DIGIT.sub(b"", data)
    if not 9 <= len(digits) <= LONGEST_NUMBER or not room.take(len(digits), piece, "separators"):
        return None
    return [piece.whole("separators", (b"+" if data[:1] == b"+" else b"") + digits)._replace(done=True)]


@decoder(
    "separators",
    "text",
    order=610,
    guess=False,
    sieve="covered",
    seen_in="Firebase's Realtime Database, in keys",
    another_reading=True,
    no_salt=True,
)
@holds(rb"@[\w-]+,")
def address(piece: UploadPiece, room: Room) -> Found:
    """An e-mail address with a comma for each dot, as Firebase requires, if it is all of the text."""
    if not MAIL.fullmatch(piece.data) or not room.take(len(piece.data), piece, "separators"):
        return None
    return [piece.whole("separators", piece.data.replace(b",", b"."))._replace(done=True)]


@decoder(
    "real", "text", order=620, guess=False, sieve="covered", seen_in="Gson, of a number in a Map", another_reading=True
)
@begins(rb"[0-9]+\.0+\Z|[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}\Z")
def real(piece: UploadPiece, room: Room) -> Found:
    """An integer that was written as a floating-point number: `13800138000.0`, `1.3800138E10`."""
    found = REAL.fullmatch(piece.data)
    if found is None:
        return None
    if found[1]:
        digits = found[1]
    else:
        whole, _, fraction = found[2].partition(b".")
        places = int(found[3])
        if len(fraction.rstrip(b"0")) > places:
            return None
        digits = whole + fraction[:places].ljust(places, b"0")
    if not 7 <= len(digits) <= LONGEST_NUMBER or not room.take(len(digits), piece, "real"):
        return None
    return [piece.whole("real", digits)._replace(done=True)]


@decoder(
    "real", "text", order=630, guess=False, sieve="covered", seen_in="pandas and Excel, in CSV", another_reading=True
)
@holds(rb"[0-9]{7}\.0")
def reals(piece: UploadPiece, room: Room) -> Found:
    """The same in a table, whose number columns are often written as floating-point: `1,13800138000.0,x`."""
    if REAL.fullmatch(piece.data) or len(piece.data) > 1 << 20:
        return None
    out = CELL.sub(rb"\1", piece.data)
    return [piece.whole("real", out)] if out != piece.data and room.take(len(out), piece, "real") else None


@decoder(
    "decimal",
    "text",
    order=640,
    guess=False,
    sieve="covered",
    seen_in="java.math.BigInteger of a digest",
    another_reading=True,
)
@begins(rb"-?[1-9][0-9]{24,160}\Z|-[0-9a-f]{30,128}\Z")
def decimal(piece: UploadPiece, room: Room) -> Found:
    """A digest or an id as one long number; negative, also in hex, if its first bit was taken for a sign."""
    text = piece.data
    number = int(text) if text.lstrip(b"-").isdigit() and len(text) != 32 else int(text, 16)
    size = -(-number.bit_length() // 8)
    size = next((whole for whole in (16, 20, 28, 32, 48, 64) if whole - 2 <= size <= whole), 0)
    if not size or not room.take(size, piece, "decimal"):
        return None
    return [piece.whole("decimal", (number % (1 << 8 * size)).to_bytes(size))]


@decoder("character codes", "text", order=650, guess=False, sieve="guess", seen_in="JavaScript's Uint8Array.toString")
@begins(rb"-?[0-9]{1,5}(?:[ ,;|]|, )-?[0-9]{1,5}(?:[ ,;|]|, )-?[0-9]")
def character_codes(piece: UploadPiece, room: Room) -> Found:
    """Text as the numbers of its characters or bytes: `49,51,56`, `26446 21326 38686`."""
    if not BYTES.fullmatch(piece.data):
        return None
    numbers = [int(number) for number in re.split(rb"[ ,;|]+", piece.data)]
    if len(numbers) < 4 or not room.take(len(numbers), piece, "character codes"):
        return None
    if min(numbers) >= -128 and max(numbers) <= 255:
        data = bytes(number & 255 for number in numbers)
    elif min(numbers) >= 32:
        data = "".join(map(chr, numbers)).encode("utf-8", "replace")
    else:
        return None
    if as_text(data) is not None or (len(data) >= FEWEST and PACKED.match(data)):
        return [piece.whole("character codes", data)]
    if (len(data) not in ID_BYTES and (len(data) % 16 or len(data) < 16)) or max(numbers) > 255 or min(numbers) < -128:
        return None
    return [piece.whole("character codes", data)._replace(done=True)]


@decoder("escapes", "text", order=670, guess=False, sieve="covered", seen_in="protobuf's TextFormat")
@holds(rb"\\[0-3][0-7]{2}\\[0-3][0-7]{2} ")
def octal_escapes(piece: UploadPiece, room: Room) -> Found:
    """Octal escapes before a blank, which also ends escapes in style sheets: `Jos\\303\\251 Silva`."""
    data = escapes.OCTAL.sub(escapes.octal_bytes, piece.data)
    if data == piece.data or as_text(data) is None or not room.take(len(data), piece, "escapes"):
        return None
    return [piece.whole("escapes", data)]


@decoder("characters", "text", order=20, guess=False, sieve="covered", seen_in="Gson, of a char[]")
@holds(rb'"\s*,\s*"[^"]{1,4}"{1,2}\s*,\s*"')
def characters(piece: UploadPiece, room: Room) -> Found:
    """Text as a list of its letters."""
    found = []
    for run in CHARACTERS.finditer(piece.data):
        text = unescape(b"".join(CHARACTER.findall(run[0])))
        if room.take(len(text), piece, "characters"):
            found.append(piece.turned("characters", text, *run.span()))
    return found or None


@decoder("base36", "text", order=710, guess=True, sieve="covered", seen_in="java.lang.Long.toString(n, 36)")
@begins(rb"(?=[0-9]*[A-Za-z])(?:[0-9a-z]{7,13}|[0-9A-Z]{7,13})\Z")
def base36(piece: UploadPiece, room: Room) -> Found:
    """A number that is all of the text, in base 36, as Long.toString(n, 36) writes it, or in base 32."""
    if not re.search(rb"[0-9]", piece.data):
        return None
    numbers = [int(piece.data, 36)]
    if not re.search(rb"[w-zW-Z]", piece.data):
        numbers.append(int(piece.data, 32))
    return _numbers(piece, "base36", numbers, room)


def _numbers(piece: UploadPiece, step: str, numbers: list[int], room: Room) -> Found:
    return [
        piece.whole(step, str(number).encode())._replace(done=True)
        for number in numbers
        if 10**9 <= number < 10**LONGEST_NUMBER and room.take(LONGEST_NUMBER, piece, step)
    ] or None


@decoder("blanks", "text", order=740, guess=False, sieve="guess", seen_in="forms in which people typed")
@begins(rb"[^{\[<].*?\s\s")
def blanks(piece: UploadPiece, room: Room) -> Found:
    """Words with more than one blank between them."""
    if len(piece.data) > 4096 or not room.take(len(piece.data), piece, "blanks"):
        return None
    return [piece.whole("blanks", BLANKS.sub(b" ", piece.data))._replace(done=True)]


BLANKS = re.compile(rb"\s+")


@decoder("polyline", "text", order=760, guess=False, sieve="guess", seen_in="Google Maps; Strava")
@begins(rb"[?-~]{6,4096}\Z")
def polyline(piece: UploadPiece, room: Room) -> Found:
    """A track in the encoding of map services, if a key says that it is one: five letters or more for each point."""
    if not LINE_KEY.search(piece.path[-32:]):
        return None
    numbers, value, shift = [], 0, 0
    for letter in piece.data:
        value |= (letter - 63 & 31) << shift
        shift += 5
        if letter < 95:
            numbers.append(value >> 1 ^ -(value & 1))
            value = shift = 0
    if shift or len(numbers) % 2:
        return None
    texts = []
    for decimals in (5, 6):
        lat = lon = 0
        points = []
        for north, east in zip(numbers[::2], numbers[1::2], strict=True):
            lat, lon = lat + north, lon + east
            points.append(f"{lat / 10**decimals:.{decimals}f},{lon / 10**decimals:.{decimals}f}")
        texts.append(" ".join(points).encode())
    size = len(texts[0]) + len(texts[1])
    if not room.take(size, piece, "polyline"):
        return None
    return [piece.whole("polyline", text)._replace(done=True) for text in texts]
