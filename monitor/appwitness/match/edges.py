"""Checks that a found text stands alone: no further digit beside a number, no further letter beside a word."""

from __future__ import annotations

import re
from typing import Literal

from appwitness.match.decode.walk.pieces import Leaf
from appwitness.match.variants import HAN, Variant

ADDRESS = "(?:尊敬的|亲爱的|您好|你好|联系人|收件人|收货人)"
TITLE = "(?:先生|女士|小姐|太太|老师|同学|经理|医生|师傅|您好|你好)"
"""What stands directly before and after a Chinese name without being part of it."""
WORD = re.compile(rb"[\w]|[\x80-\xff]")
WITH_COUNTRY = ("international", "digits", "e164", "international_elsewhere")
"""Normal forms of a telephone number to which a leading plus makes no difference."""
LONGER = re.compile(rb"[:-][0-9a-fA-F]{2}(?![0-9a-zA-Z])")
"""Another byte of a hex id written with separators; matches backwards too."""
VERSION = re.compile(rb"[ -]?([0-9])[0-9](?![0-9])")
"""What follows the first 14 digits of an IMEI in an IMEISV."""
OF_VERSION = re.compile(r"(?i)imei_?sv|software_?version|(?:^|[._\[\"-])(?:svn?|imei)[\]\"]*$")
"""Paths that indicate an IMEI, or the software version that is part of an IMEISV."""
HEX = b"0123456789abcdefABCDEF"
DIGIT = b"0123456789"


def stands_alone(leaf: Leaf, start: int, end: int, variant: Variant, charset: str) -> bool:
    """Whether the text is not part of a longer one: no digit beside digits, no letter beside a word."""
    edge = variant.edge
    data = leaf.data
    if (
        edge == "none"
        or (edge == "word" and variant.bits >= UNLIKELY_BITS and NATURAL.search(variant.pattern))
        or (leaf.glued and _beside_salt(data, start, end, variant))
    ):
        return True
    if leaf.glued and edge in ("digit", "hex") and variant.bits >= SALTED_BITS:
        return False
    if leaf.decoding[-1:] == ("digests",):  # cut where a digest may begin or end, whatever is beside it
        return False
    if charset.startswith("utf-16"):
        return _alone_in_utf_16(leaf, start, end, variant, charset)
    if leaf.text is None:
        if b"@" in variant.pattern and _goes_on(data, end):
            return False
        if edge != "version":
            return _alone_in_binary(data, start, end, variant, data[end : end + 1])
    if edge == "version":
        return leaf.decoding[-1:] not in (("separators",), ("real",)) and _is_with_version(leaf, start, end)
    if edge == "digit":
        return _is_whole_number(data, start, end, variant)
    return _is_whole_hex(data, start, end) if edge == "hex" else _is_whole_word(data, start, end, variant)


def _is_with_version(leaf: Leaf, start: int, end: int) -> bool:
    """Whether the 14 digits of an IMEI are followed by the two of a software version. If the first of these is the
    check digit, the text is an IMEI and one more digit, unless the path says what stands there."""
    follows = VERSION.match(leaf.data, end)
    if (start and leaf.data[start - 1] in DIGIT) or follows is None:
        return False
    return bool(OF_VERSION.search(leaf.path)) or int(follows[1]) != _check_digit(leaf.data[start:end])


def _is_whole_number(data: bytes, start: int, end: int, variant: Variant) -> bool:
    left, right = data[max(0, start - 2) : start], data[end : end + 2]
    if variant.of == "hex_number" and left.lower() == b"0x":
        left = b""
    if left[-1:] == b"+" and variant.of not in WITH_COUNTRY:
        return False
    return not (BEFORE_NUMBER.search(left) or BEHIND_NUMBER.match(right))


BEFORE_NUMBER, BEHIND_NUMBER = re.compile(rb"(?:[0-9]|[0-9]\.)\Z"), re.compile(rb"[0-9]|\.[0-9]")
"""A further digit beside a number, or the other part of a decimal number."""


def _is_whole_hex(data: bytes, start: int, end: int) -> bool:
    if (start and data[start - 1] in HEX) or (end < len(data) and data[end] in HEX):
        return False
    if data[:start] == b"%d:" % (end - start):  # its length, in a netstring
        return not LONGER.match(data, end)
    return not (LONGER.match(data, end) or LONGER.match(data[max(0, start - 4) : start][::-1]))


def _is_whole_word(data: bytes, start: int, end: int, variant: Variant) -> bool:
    before = data[max(0, start - 2) : start]
    if variant.of == "hex_number" and before.lower() == b"0x":
        before = b""
    left, beyond = before[-1:], before[:-1]
    mail = b"@" in variant.pattern or variant.of == "in_words"
    if mail and ((left and left in b".+-%" and beyond.isalnum()) or _goes_on(data, end)):
        return False
    if b" " in variant.pattern and ((left == b"-" and beyond.isalpha()) or SECOND_SURNAME.match(data, end)):
        return False
    first, last, right = data[start : start + 1], data[end - 1 : end], data[end : end + 1]
    if left and WORD.match(left) and WORD.match(first) and left != b"_" and _joined(data, start):
        return False
    return not (right and WORD.match(right) and WORD.match(last) and right != b"_" and _joined(data, end))


SECOND_SURNAME = re.compile(rb"-[A-Z\xc3]")
"""What, after a name, makes it another person's: Hans Müller-Huber is not Hans Müller."""
GOES_ON = re.compile(rb"[.-][0-9a-zA-Z]|\s?[\[({<]\s?dot\s?[\])}>]|\sdot\s")
NAME_OF_FILE = re.compile(rb"\.(?:txt|vcf|json|csv|xml|log|zip|gz|db|dat|bin|jpe?g|png|html?|pdf|eml)(?![0-9a-zA-Z])")


def _goes_on(data: bytes, end: int) -> bool:
    """Whether the domain of an address goes on; the extension of a file that is named after the address does not
    count."""
    return GOES_ON.match(data, end) is not None and not NAME_OF_FILE.match(data, end)


UNLIKELY_BITS = 90.0
"""Minimum bits for a text of words to be believed inside any other text."""
NATURAL = re.compile(rb"[ \x80-\xff]")
SALTED_BITS = 24.0
"""Minimum bits for a value to be believed directly beside a salt."""
CERTAIN_BITS = 43.0
"""Minimum bits of a value longer than any telephone number: a digit beside it can only be a salt."""
LONGER_BY = 3
"""No form of a number is this many digits longer than another: so many more digits can only be a salt."""

MIXED = re.compile(rb"[0-9]+[A-Za-z]{1,3}[0-9]+[A-Za-z]")
"""Letters and digits in turn, as in a salt directly after a serial number; a package name may be one of a series."""


def _beside_salt(data: bytes, start: int, end: int, variant: Variant) -> bool:
    """Whether what stands beside a value in the input of a digest is not part of it: letters beside digits, or more
    digits than any form of the number has."""
    edge = variant.edge
    if variant.bits < SALTED_BITS or edge == "version":
        return False
    letters = HEX if edge == "hex" else DIGIT
    before, after = data[:start], data[end:]
    if edge == "word":
        more = len(after) - len(after.lstrip(letters)) if data[end - 1] in letters else 0
        mixed = b"." not in variant.pattern and MIXED.match(after) is not None
        return mixed or not 0 < more < LONGER_BY
    more = len(before) - len(before.rstrip(letters)) + len(after) - len(after.lstrip(letters))
    longer = more >= LONGER_BY or variant.bits >= CERTAIN_BITS
    return not more or (longer and not variant.unchecked)


def _check_digit(digits: bytes) -> int:
    """The Luhn check digit of the 14 digits of an IMEI."""
    doubled = [2 * digit for digit in digits[1::2].translate(bytes.maketrans(DIGIT, bytes(range(10))))]
    total = sum(digit - 48 for digit in digits[::2]) + sum(digit // 10 + digit % 10 for digit in doubled)
    return -total % 10


ADDRESSED = re.compile(f"{ADDRESS}$")
TITLED = re.compile(TITLE)


def _joined(data: bytes, at: int) -> bool:
    """Whether the characters on both sides of `at` belong to one word."""
    left = data[max(0, at - 4) : at].decode("utf-8", "ignore")[-1:]
    right = data[at : at + 4].decode("utf-8", "ignore")[:1]
    if not left or not right:
        return False
    if bool(HAN.match(left)) != bool(HAN.match(right)):
        return False
    if HAN.match(left) and (
        ADDRESSED.search(data[max(0, at - 12) : at].decode("utf-8", "ignore"))
        or TITLED.match(data[at : at + 9].decode("utf-8", "ignore"))
    ):
        return False
    return left.isalnum() and right.isalnum()


def _alone_in_utf_16(leaf: Leaf, start: int, end: int, variant: Variant, charset: str) -> bool:
    """`stands_alone` for a text in UTF-16: compares it with the ASCII letters around it, at any alignment."""
    if charset == "utf-16le" and leaf.data[start - 1 : start] == b"\0" and start > 1:  # the same text, one byte earlier
        charset, start, end = "utf-16be", start - 1, end - 1
    before = leaf.data[max(0, start - 2 * AROUND) : start]
    before, after = before[len(before) % 2 :], leaf.data[end : end + 2 * AROUND]
    plain = [
        "".join(char if char.isascii() else "\n" for char in part.decode(charset, "replace")).encode()
        for part in (before, after + b"\0" * (len(after) % 2))
    ]
    word = variant.pattern
    around = leaf._replace(data=plain[0] + word + plain[1], text="", glued=False)
    return stands_alone(around, len(plain[0]), len(plain[0]) + len(word), variant, "utf-8")


def in_other_half(data: bytes, start: int, end: int, charset: str) -> bool:
    """Whether an ASCII text that was found in UTF-16 in one byte order is really in the other, one byte off: both
    read alike if a zero stands before its first letter and another after its last. A length before the text, or two
    zeros after it, decide; otherwise it is in Android's byte order."""
    little = start + 1 if charset == "utf-16be" else start
    size = end - start
    if little < 1 or data[little - 1] or little + size > len(data):
        return False
    letters = data[little : little + size]
    if any(letters[1::2]) or not all(letters[::2]):
        return False
    is_little = _is_told(data, little, size, "little") >= _is_told(data, little - 1, size, "big")
    return charset == ("utf-16be" if is_little else "utf-16le")


def _is_told(data: bytes, start: int, size: int, order: Literal["little", "big"]) -> int:
    """How much beside a UTF-16 text confirms that it begins here and ends there: a length before it, zeros after it."""
    said = [int.from_bytes(data[start - width : start], order) if start >= width else 0 for width in (2, 4)]
    counted = max((number for number, of in ((2, said[0]), (4, said[1])) if of in (size, size // 2)), default=0)
    return counted + (data[start + size :][:2] in (b"\0\0", b""))


AROUND = 8
"""Characters examined before and after a text."""


def _alone_in_binary(data: bytes, start: int, end: int, variant: Variant, right: bytes) -> bool:
    """Whether a text stands alone in binary data. A byte or two beside it may look like digits or letters by chance,
    but not if the whole run stands between control characters or right after its own length."""
    wanted, many = (bytes.isdigit, 3) if variant.edge == "digit" else (bytes.isalnum, 4)
    if variant.unchecked and wanted(right):
        return False
    if variant.of == "zeros_dropped" and (wanted(right) or wanted(data[start - 1 : start] if start else b"")):
        return False  # with that digit it is another number, one without a dropped zero
    size = end - start
    said = data[start - 1] if start else 0
    if said in (size, 2 * size) or (said == size + 1 and not wanted(right)):  # a length prefix, as formats have it
        return True
    first, last = start, end
    while first > max(0, start - many) and wanted(data[first - 1 : first]):
        first -= 1
    while last < min(len(data), end + many) and wanted(data[last : last + 1]):
        last += 1
    if start - first == many or last - end == many:
        return False
    if (first, last) == (start, end):
        return True
    left = data[first - 1 : first] if first else b""
    return left != bytes((last - first,)) and not (_ends_there(left) and _ends_there(data[last : last + 1]))


def _ends_there(byte: bytes) -> bool:
    """Whether a text ends at this byte: a control character, or the end of the data."""
    return not byte or byte < b" "
