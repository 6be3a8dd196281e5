"""Whether a found text stands alone: no further digit beside a number, no further letter beside a word."""

from __future__ import annotations

import re

from monitor.judge.decode.pieces import Leaf
from monitor.judge.variants import HAN, Variant

WORD = re.compile(rb"[\w]|[\x80-\xff]")
WITH_COUNTRY = ("international", "digits", "e164")
"""Normal forms of a telephone number before which a plus changes nothing."""
LONGER = re.compile(rb"[:-][0-9a-fA-F]{2}(?![0-9a-zA-Z])")
"""A further byte of a hex id that is written with separators; backwards too."""
VERSION = re.compile(rb"[ -]?([0-9])[0-9](?![0-9])")
"""What stands behind the first 14 digits of an IMEI in an IMEISV."""
HEX = b"0123456789abcdefABCDEF"
DIGIT = b"0123456789"


def stands_alone(leaf: Leaf, start: int, end: int, variant: Variant, charset: str) -> bool:
    """Whether the text is not part of a longer one: no digit beside digits, no letter beside a word."""
    edge = variant.edge
    data = leaf.data
    if edge == "none" or (leaf.glued and _beside_salt(data, start, end, edge, variant.bits)):
        return True
    if leaf.decoding[-1:] == ("digests",):  # cut where a digest may begin or end, whatever stands beside it
        return False
    step = 2 if charset.startswith("utf-16") else 1
    if step == 2:
        low = 0 if charset == "utf-16le" else 1
        before, after = data[start - 2 : start], data[end : end + 2]
        left = before[low : low + 1] if len(before) == 2 and before[1 - low] == 0 else b""
        right = after[low : low + 1] if len(after) == 2 and after[1 - low] == 0 else b""
        beyond = b""
        further = b""
    else:
        left, right = data[start - 1 : start] if start else b"", data[end : end + 1]
        beyond, further = data[start - 2 : start - 1] if start > 1 else b"", data[end + 1 : end + 2]
    if leaf.text is None:
        if b"@" in variant.pattern and _goes_on(data, end):
            return False
        return _alone_in_binary(data, start, end, step, edge)
    if edge == "version":
        # with its check digit behind it, it is an IMEI with one more digit
        follows = VERSION.match(data, end)
        return not (left and left in DIGIT) and follows is not None and int(follows[1]) != _check_digit(data[start:end])
    if edge == "digit":
        if left == b"+" and variant.of not in WITH_COUNTRY:
            return False
        if (left and left in DIGIT) or (right and right in DIGIT):
            return False
        decimal = (left == b"." and beyond and beyond in DIGIT) or (right == b"." and further and further in DIGIT)
        return not decimal
    if edge == "hex":
        if (left and left in HEX) or (right and right in HEX):
            return False
        return not (LONGER.match(data, end) or LONGER.match(data[max(0, start - 4) : start][::-1]))
    if b"@" in variant.pattern and ((left and left in b".+-%" and beyond.isalnum()) or _goes_on(data, end)):
        return False
    if b" " in variant.pattern and ((left == b"-" and beyond.isalpha()) or FURTHER_NAME.match(data, end)):
        return False
    first, last = data[start : start + 1], data[end - 1 : end]
    if left and WORD.match(left) and WORD.match(first) and left != b"_" and _joined(data, start):
        return False
    return not (right and WORD.match(right) and WORD.match(last) and right != b"_" and _joined(data, end))


FURTHER_NAME = re.compile(rb"-[A-Z\xc3]")
"""What makes another person of somebody: Hans Müller-Huber is not Hans Müller."""
GOES_ON = re.compile(rb"[.-][0-9a-zA-Z]")
NAME_OF_FILE = re.compile(rb"\.(?:txt|vcf|json|csv|xml|log|zip|gz|db|dat|bin|jpe?g|png|html?|pdf|eml)(?![0-9a-zA-Z])")


def _goes_on(data: bytes, end: int) -> bool:
    """Whether the domain of an address has a further part; the ending of a file that is named after it is none."""
    return GOES_ON.match(data, end) is not None and not NAME_OF_FILE.match(data, end)


SALTED_BITS = 24.0
"""What a value must say to be believed directly beside a salt."""
CERTAIN_BITS = 43.0
"""What a value must say that is longer than all telephone numbers: a digit beside it is nothing but a salt."""
LONGER_BY = 3
"""Digits by which no number is longer than another form of itself: so many more are a salt."""


def _beside_salt(data: bytes, start: int, end: int, edge: str, bits: float) -> bool:
    """In the input of a digest, whether what stands beside a value is something else: letters beside digits, or more
    digits than any form of the number has."""
    if bits < SALTED_BITS or edge == "version":
        return False
    if edge == "word":
        return True
    letters = HEX if edge == "hex" else DIGIT
    before, after = data[:start], data[end:]
    more = len(before) - len(before.rstrip(letters)) + len(after) - len(after.lstrip(letters))
    return not more or more >= LONGER_BY or bits >= CERTAIN_BITS


def _check_digit(digits: bytes) -> int:
    """Luhn's, of the 14 digits of an IMEI."""
    doubled = [2 * digit for digit in digits[1::2].translate(bytes.maketrans(DIGIT, bytes(range(10))))]
    total = sum(digit - 48 for digit in digits[::2]) + sum(digit // 10 + digit % 10 for digit in doubled)
    return -total % 10


def _joined(data: bytes, at: int) -> bool:
    """Whether the characters on both sides of `at` belong to one word."""
    left = data[max(0, at - 4) : at].decode("utf-8", "ignore")[-1:]
    right = data[at : at + 4].decode("utf-8", "ignore")[:1]
    if not left or not right:
        return False
    if bool(HAN.match(left)) != bool(HAN.match(right)):
        return False
    return left.isalnum() and right.isalnum()


def _alone_in_binary(data: bytes, start: int, end: int, step: int, edge: str) -> bool:
    """In data that is no text, a byte or two beside the found text may look like digits or letters by chance."""
    wanted, many = (bytes.isdigit, 3) if edge == "digit" else (bytes.isalnum, 4)
    left = data[max(0, start - many * step) : start]
    right = data[end : end + many * step]
    if step == 2:
        left, right = left.replace(b"\0", b""), right.replace(b"\0", b"")
    return not (len(left) == many and wanted(left)) and not (len(right) == many and wanted(right))
