"""Decoders of text and bytes that are written as numbers or in letters of mail and host names."""

from __future__ import annotations

import binascii
import re
import sys
import unicodedata
from itertools import combinations

from monitor.judge.decode import escapes
from monitor.judge.decode.charsets import OTHER, PACKED
from monitor.judge.decode.documents import unescape
from monitor.judge.decode.pieces import Found, Piece, Room, as_text, decoder

GROUPS = re.compile(rb"[+(]?[0-9]+(?:[ ().,_/:|-]{1,3}[0-9]+)+X?")
NO_DIGIT = re.compile(rb"[^0-9X]")
MAIL = re.compile(rb"[\w+,-]{1,64}@[\w-]+(?:,[\w-]+)+")
REAL = re.compile(rb"([0-9]+)\.0+|([0-9](?:\.[0-9]+)?)[eE]\+?([0-9]{1,2})")
CELL = re.compile(rb"(?<![^\s,;|\"'])([0-9]{7,20})\.0+(?![^\s,;|\"'])")
BYTES = re.compile(rb"-?[0-9]{1,5}(?:([ ,;|]|, )-?[0-9]{1,5}(?:\1-?[0-9]{1,5})+)")
_ONE = rb'"(?:[^"\\\x80-\xff]|[\xc2-\xf4][\x80-\xbf]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))"'
FEWEST = 8
"""Bytes in a list that are worth reading although they are no text."""
ID_BYTES = frozenset((8, 16, 20, 28, 32, 48, 64))
"""Bytes of an id or a digest; what a cipher gives is often a multiple of 16."""
OCTAL = re.compile(rb"[0-3][0-7]{2}(?:([ ,])[0-3][0-7]{2}(?:\1[0-3][0-7]{2}){5,}|(?:[0-3][0-7]{2}){6,})")
HZ = re.compile(rb"~\{(?:[!-}][!-~])+~\}")
CHARACTERS = re.compile(rb"\[\s*" + _ONE + rb"(?:\s*,\s*" + _ONE + rb"){2,}\s*\]")
CHARACTER = re.compile(rb'"((?:\\.|[^"\\])[^"]*)"')
_UPPER, _LOWER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz"
BASE62 = tuple(
    {letter: place for place, letter in enumerate(b"0123456789" + first + second)}
    for first, second in ((_UPPER, _LOWER), (_LOWER, _UPPER))
)
ENCODED_WORD = re.compile(rb"=\?([\w.:-]+)\?([bBqQ])\?([^?\s]*)\?=")
LABEL = re.compile(rb"(?i)xn--([a-z0-9-]{2,60})")
LINE_KEY = re.compile(r"(?i)line|shape|route|geometry|track|points|path|loc|geo|gps|pos|coord|(?:^|[._-])ll$")
LONGEST_NUMBER = 20
"""Digits of the longest number that says who or what somebody is: an ICCID."""


@decoder("separators", "text", rb"[+(]?[0-9]+[ ().,_/:|-]{1,3}[0-9]", alone=False)
def separators(piece: Piece, room: Room) -> Found:
    """The digits of a number that something stands between, where the number is all of the text."""
    data = piece.data.strip()
    if len(data) > 2 * LONGEST_NUMBER or not GROUPS.fullmatch(data):
        return None
    digits = NO_DIGIT.sub(b"", data)
    if not 9 <= len(digits) <= LONGEST_NUMBER or not room.take(len(digits), piece, "separators"):
        return None
    return [piece.whole("separators", (b"+" if data[:1] == b"+" else b"") + digits)._replace(done=True)]


@decoder("separators", "text", rb"@[\w-]+,", anywhere=True, alone=False)
def address(piece: Piece, room: Room) -> Found:
    """An e-mail address with a comma for each stop, as Firebase needs it, where it is all of the text."""
    if not MAIL.fullmatch(piece.data) or not room.take(len(piece.data), piece, "separators"):
        return None
    return [piece.whole("separators", piece.data.replace(b",", b"."))._replace(done=True)]


@decoder("real", "text", rb"[0-9]+\.0+\Z|[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}\Z", alone=False)
def real(piece: Piece, room: Room) -> Found:
    """A whole number that was written as a real one: `13800138000.0`, `1.3800138E10`."""
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


@decoder("real", "text", rb"[0-9]{7}\.0", anywhere=True, alone=False)
def reals(piece: Piece, room: Room) -> Found:
    """The same in a table, whose columns of numbers are often written as real ones: `1,13800138000.0,x`."""
    if REAL.fullmatch(piece.data) or len(piece.data) > 1 << 20:
        return None
    out = CELL.sub(rb"\1", piece.data)
    return [piece.whole("real", out)] if out != piece.data and room.take(len(out), piece, "real") else None


@decoder("decimal", "text", rb"-?[1-9][0-9]{24,160}\Z|-[0-9a-f]{30,128}\Z", alone=False)
def decimal(piece: Piece, room: Room) -> Found:
    """A digest or an id as one long number; below nought where its first bit was taken for a sign, in hex then too."""
    text = piece.data
    number = int(text) if text.lstrip(b"-").isdigit() and len(text) != 32 else int(text, 16)
    size = -(-number.bit_length() // 8)
    size = next((whole for whole in (16, 20, 28, 32, 48, 64) if whole - 2 <= size <= whole), 0)
    if not size or not room.take(size, piece, "decimal"):
        return None
    return [piece.whole("decimal", (number % (1 << 8 * size)).to_bytes(size))]


@decoder("character codes", "text", rb"-?[0-9]{1,5}(?:[ ,;|]|, )-?[0-9]{1,5}(?:[ ,;|]|, )-?[0-9]", alone=False)
def character_codes(piece: Piece, room: Room) -> Found:
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


@decoder("character codes", "text", rb"\[\s*[0-9]{2,6}(?:\s*,\s*[0-9]{2,6}){3}", anywhere=True, alone=False, first=True)
def listed_codes(piece: Piece, room: Room) -> Found:
    """The same as a list, of which some is more than a byte."""
    found = []
    for codes in CODES.finditer(piece.data):
        numbers = [int(number) for number in codes[1].split(b",")]
        if min(numbers) < ord(" ") or not 0xFF < max(numbers) < sys.maxunicode:
            continue
        text = "".join(map(chr, numbers))
        if text.isprintable() and room.take(4 * len(text), piece, "character codes"):
            found.append(piece.turned("character codes", text.encode(), *codes.span())._replace(done=True))
    return found or None


CODES = re.compile(rb"\[\s*([0-9]{2,6}(?:\s*,\s*[0-9]{2,6})+)\s*\]")


@decoder("character codes", "text", rb"[0-3][0-7]{2}[ ,]?(?:[0-3][0-7]{2}[ ,]?){6}", alone=False)
def octal(piece: Piece, room: Room) -> Found:
    """Text as its bytes in three octal digits each: `061 063 070`."""
    if not OCTAL.fullmatch(piece.data):
        return None
    data = bytes(int(number, 8) for number in re.findall(rb"[0-7]{3}", piece.data))
    if as_text(data) is None or not room.take(len(data), piece, "character codes"):
        return None
    return [piece.whole("character codes", data)]


@decoder("escapes", "text", rb"\\[0-3][0-7]{2}\\[0-3][0-7]{2} ", anywhere=True, alone=False)
def octal_escapes(piece: Piece, room: Room) -> Found:
    """Octal escapes before a blank, which style sheets have behind theirs: `Jos\\303\\251 Silva`."""
    data = escapes.OCTAL.sub(escapes.octal_bytes, piece.data)
    if data == piece.data or as_text(data) is None or not room.take(len(data), piece, "escapes"):
        return None
    return [piece.whole("escapes", data)]


@decoder("bits", "text", rb"(?:[01]{8}[ ,]?){5,}\Z", alone=False)
def bits(piece: Piece, room: Room) -> Found:
    """Bytes as noughts and ones."""
    digits = re.sub(rb"[ ,]", b"", piece.data)
    if not room.take(len(digits) // 8, piece, "bits"):
        return None
    return [piece.whole("bits", bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits), 8)))]


@decoder("characters", "text", rb'"\s*,\s*"[^"]{1,4}"{1,2}\s*,\s*"', anywhere=True, alone=False, first=True)
def characters(piece: Piece, room: Room) -> Found:
    """Text as a list of its letters."""
    found = []
    for run in CHARACTERS.finditer(piece.data):
        text = unescape(b"".join(CHARACTER.findall(run[0])))
        if room.take(len(text), piece, "characters"):
            found.append(piece.turned("characters", text, *run.span()))
    return found or None


@decoder("width", "text", rb"\+?(?:[\xe3-\xe9][\x80-\xbf]{2}){7,30}\Z", alone=False)
def numerals(piece: Piece, room: Room) -> Found:
    """A number in Chinese numerals, one for each digit."""
    text = piece.data.decode("utf-8").translate(NUMERALS)
    if not text.lstrip("+").isascii() or not room.take(len(text), piece, "width"):
        return None
    return [piece.whole("width", text.encode())._replace(done=True)]


NUMERALS = str.maketrans("零一二三四五六七八九〇壹贰叁肆伍陆柒捌玖", "01234567890123456789")


@decoder("spaced letters", "text", rb"[^\s\x80-\xff]([ ._-])|[\xc2-\xf4][\x80-\xbf]{1,3}([ ._-])", alone=False)
def spaced_letters(piece: Piece, room: Room) -> Found:
    """Text with a blank or a stroke between any two letters."""
    if len(piece.data) > 512:
        return None
    text = piece.data.decode("utf-8")
    letters = text[::2]
    if len(text) < 9 or len(set(text[1::2])) != 1 or not letters.isprintable():
        return None
    return [piece.whole("spaced letters", letters.encode())] if room.take(len(text), piece, "spaced letters") else None


@decoder("base36", "text", rb"(?=[0-9]*[A-Za-z])(?:[0-9a-z]{7,13}|[0-9A-Z]{7,13})\Z", alone=False)
def base36(piece: Piece, room: Room) -> Found:
    """A number in 36 digits, as Long.toString(n, 36) writes it, or in 32, that is all of the text."""
    if not re.search(rb"[0-9]", piece.data):
        return None
    numbers = [int(piece.data, 36)]
    if not re.search(rb"[w-zW-Z]", piece.data):
        numbers.append(int(piece.data, 32))
    return _numbers(piece, "base36", numbers, room)


@decoder("base62", "text", rb"[0-9A-Za-z]{6,11}\Z", alone=False)
def base62(piece: Piece, room: Room) -> Found:
    """A number in 62 digits that is all of the text, whichever letters come first."""
    if not (re.search(rb"[A-Z]", piece.data) and re.search(rb"[a-z]", piece.data) and re.search(rb"[0-9]", piece.data)):
        return None
    numbers = []
    for places in BASE62:
        number = 0
        for letter in piece.data:
            number = number * 62 + places[letter]
        numbers.append(number)
    return _numbers(piece, "base62", numbers, room)


def _numbers(piece: Piece, step: str, numbers: list[int], room: Room) -> Found:
    return [
        piece.whole(step, str(number).encode())._replace(done=True)
        for number in numbers
        if 10**9 <= number < 10**LONGEST_NUMBER and room.take(LONGEST_NUMBER, piece, step)
    ] or None


@decoder("encoded word", "text", rb"=\?[\w.:-]+\?[bBqQ]\?", anywhere=True, alone=False)
def encoded_words(piece: Piece, room: Room) -> Found:
    """RFC 2047, as in the headers of mail: `=?utf-8?B?5p2O?=`."""
    out, last = [], 0
    words: list[tuple[bytes, int, int]] = []
    for word in ENCODED_WORD.finditer(piece.data):
        between = piece.data[last : word.start()]
        out.append(between if between.strip() or not last else b"")
        last = word.end()
        try:
            raw = binascii.a2b_base64(word[3]) if word[2] in b"bB" else binascii.a2b_qp(word[3], header=True)
            out.append(raw.decode(word[1].decode()).encode("utf-8", "replace"))
            words.append((out[-1], *word.span()))
        except (binascii.Error, LookupError, UnicodeDecodeError):
            out.append(word[0])
    text = b"".join(out) + piece.data[last:]
    if not last or not room.take(len(text), piece, "encoded word"):
        return None
    found = [piece.whole("encoded word", text)]
    if 1 < len(words) <= WORDS:  # those that stand for one text each are written like those that one was cut into
        for first, last_one in combinations(range(len(words) + 1), 2):
            part = b"".join(one for one, _, _ in words[first:last_one])
            spot = (words[first][1], words[last_one - 1][2])
            found.append(piece.turned("encoded word", part, *spot)._replace(done=True))
    return found


WORDS = 12
"""Words of which any that follow each other are read as one text, too."""


@decoder("punycode", "text", LABEL.pattern, anywhere=True, alone=False)
def punycode(piece: Piece, room: Room) -> Found:
    """Host names in other scripts: `xn--`."""
    found = []
    for label in LABEL.finditer(piece.data):
        try:
            text = label[1].decode().encode().decode("punycode").encode("utf-8", "replace")
        except (UnicodeError, ValueError, OverflowError):
            continue
        if text and room.take(len(text), piece, "punycode"):
            found.append(piece.turned("punycode", text, *label.span()))
    return found or None


@decoder("punycode", "text", rb"[ -~]{0,64}-[a-z0-9]{2,64}\Z", alone=False)
def bare_punycode(piece: Piece, room: Room) -> Found:
    """The same without that mark, as a whole: `Jos Silva-ksb`."""
    return _of_punycode(piece, room, FOREIGN)


@decoder("punycode", "text", rb"(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{6,24}\Z", alone=False)
def chinese_punycode(piece: Piece, room: Room) -> Found:
    """The same of Chinese letters only, before which nothing stands."""
    return _of_punycode(piece, room, CHINESE)


def _of_punycode(piece: Piece, room: Room, wanted: re.Pattern[str]) -> Found:
    try:
        text = piece.data.decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return None
    if not wanted.fullmatch(text) or not text.isprintable() or not room.take(4 * len(text), piece, "punycode"):
        return None
    return [piece.whole("punycode", text.encode())._replace(done=True)]


FOREIGN = re.compile(r"(?=.*[^\x00-\x7f]).*", re.DOTALL)
CHINESE = re.compile("[\u4e00-\u9fff]{2,8}")


@decoder("blanks", "text", rb"[^{\[<].*?\s\s", alone=False)
def blanks(piece: Piece, room: Room) -> Found:
    """Words with more than one blank between them."""
    if len(piece.data) > 4096 or not room.take(len(piece.data), piece, "blanks"):
        return None
    return [piece.whole("blanks", BLANKS.sub(b" ", piece.data))._replace(done=True)]


BLANKS = re.compile(rb"\s+")


@decoder("utf-7", "text", rb"\+[A-Za-z0-9+/]{3,}|&[A-Za-z0-9+,]{3,}-", anywhere=True, alone=False)
def utf_7(piece: Piece, room: Room) -> Found:
    """RFC 2152, and as folders of mail are named (RFC 3501), where it gives letters that are none of ASCII: all else is
    written in it as it is."""
    if len(piece.data) > 4096 or not piece.data.isascii():
        return None
    folder = FOLDER.search(piece.data) is not None
    pattern, sign = (FOLDER, b"&") if folder else (UTF_7, b"+")
    data = pattern.sub(lambda run: _wide_letters(run, folder=folder), piece.data)
    if data == piece.data or not room.take(len(data), piece, "utf-7"):
        return None
    return [piece.whole("utf-7", data.replace(sign + b"-", sign))]


UTF_7 = re.compile(rb"\+([A-Za-z0-9+/]{3,})(?:-|(?=[\s\x21-\x2a\x2c.:;<>?@\[\]^_`{|}~]))")
"""What follows letters that are none of ASCII: a hyphen, which is left off before what is no base64; but never at the
end of a text, nor before what fills up base64."""
FOLDER = re.compile(rb"&([A-Za-z0-9+,]{3,})-")
BEFORE_RUN = re.compile(rb"[A-Za-z0-9+/=]*\Z")
WORD_BEFORE, FEW_OPEN = 12, 16
"""Letters before a run that may be base64 where they are no word and no number; letters of a run behind a word and
without the hyphen."""


def _wide_letters(run: re.Match[bytes], *, folder: bool) -> bytes:
    """Letters in UTF-8 that stand in base64 between the words of a text; left as they are where they look like part of
    a longer base64 text, which has pluses too."""
    before = BEFORE_RUN.search(run.string[max(0, run.start() - 2 * WORD_BEFORE) : run.start()])
    letters = before[0] if before and not folder else b""
    plain = letters.isalpha() or letters.isdigit() or not letters
    if not plain and (len(letters) >= WORD_BEFORE or not run[0].endswith(b"-")):
        return run[0]
    if letters and len(run[1]) > FEW_OPEN and not run[0].endswith(b"-"):
        return run[0]
    try:
        text = (b"+" + (run[1].replace(b",", b"/") if folder else run[1]) + b"-").decode("utf-7")
    except UnicodeDecodeError:
        return run[0]
    wide = [char for char in text if char >= "\x80"]
    if not wide or any(unicodedata.category(char) not in ("Lo", "Lu", "Ll", "Po", "Nd") for char in wide):
        return run[0]
    return text.encode("utf-8", "replace")


@decoder("hz", "text", rb"~\{", anywhere=True, alone=False)
def hz(piece: Piece, room: Room) -> Found:
    """RFC 1843: GB 2312 in seven bits, between `~{` and `~}`."""
    found = []
    for run in HZ.finditer(piece.data):
        try:
            text = run[0].decode("hz").encode()
        except UnicodeDecodeError:
            continue
        if room.take(len(text), piece, "hz"):
            found.append(piece.turned("hz", text, *run.span()))
    return found or None


@decoder("latin-1", "text", rb"(?:[\xc2\xc3][\x80-\xbf]){4}", anywhere=True, alone=False)
def chinese_in_latin(piece: Piece, room: Room) -> Found:
    """Chinese text in GBK that was taken for latin-1, two letters for each of its own."""
    if len(piece.data) > 4096:
        return None
    try:
        data = piece.data.decode().encode("latin-1")
        text = data.decode("gbk")
    except UnicodeError:
        return None
    if OTHER.search(text) or as_text(data) is not None or not room.take(len(data), piece, "latin-1"):
        return None
    return [piece.whole("latin-1", data)]


@decoder("polyline", "text", rb"[?-~]{6,4096}\Z", alone=False)
def polyline(piece: Piece, room: Room) -> Found:
    """A track as map services write it, where a key says that it is one: five letters and more for each point."""
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
