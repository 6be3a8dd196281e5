"""Finds a value in the input of a digest by removing the salt directly beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator


def beside_salt(data: bytes) -> Iterator[bytes]:
    """Possible numbers in the input of a digest, without the digits at the end of a salt before them or at the start of
    one after them. Digits count as part of a salt if it continues with letters. Only numbers of nine digits or more are
    returned, which carry enough bits."""
    for run in SALTED.finditer(data):
        for digits in DIGITS.finditer(run[0]):
            before, after = run[0][: digits.start()], run[0][digits.end() :]
            fronts = SALT_DIGITS if _is_salt(before) else 3 if before.lower() in VERSION else 1
            if fronts == 1 and digits[0][0] not in COUNTRY_OF_ONE_DIGIT:
                fronts += before.lower() in SALT_WORDS or MIXED_BEFORE.search(before) is not None
            backs = SALT_DIGITS if _is_salt(after) else 3 if MIXED_BEHIND.match(after) else 1
            for front in range(fronts):
                for back in range(backs):
                    number = digits[0][front : len(digits[0]) - back]
                    if (front or back) and len(number) >= FEWEST_DIGITS:
                        yield number


def cells_beside_salt(data: bytes) -> Iterator[bytes]:
    """Possible names of cells in the input of a digest, directly after a salt or before it."""
    if CELL_AND_SALT.fullmatch(data):
        for size in CELL:
            if size < len(data) <= size + MOST_SALT:
                yield from (
                    part
                    for part, cut in ((data[-size:], len(data) - size), (data[:size], size))
                    if NO_HEX.search(part)
                    and not data[cut - 1 : cut + 1].isdigit()  # else it is part of something else
                )


CELL_AND_SALT = re.compile(rb"[0-9a-z]{8,20}")
NO_HEX = re.compile(rb"[g-z]")
CELL = range(7, 13)
"""Letters of a geohash whose cell is a few hundred metres or less."""
MOST_SALT = 8
VERSION = frozenset((b"v", b"ver", b"version"))
"""Words before a digit or two that are a version and no part of the number."""

SALT_WORDS = frozenset((b"salt", b"pepper", b"secret", b"seed", b"key"))
"""Words that mark a salt, which may end in a digit; a second digit may be the end of a country code."""
COUNTRY_OF_ONE_DIGIT = b"17"
MIXED_BEFORE = re.compile(rb"[A-Za-z][0-9]+[A-Za-z]{1,3}$")
MIXED_BEHIND = re.compile(rb"[A-Za-z]{1,3}[0-9]+[A-Za-z]")
"""Letters and digits in turn: they are not a word, such as the label or the unit of a number."""


def _is_salt(letters: bytes) -> bool:
    """Whether letters and digits are hex or mixed, and thus no word that may stand before a country code."""
    if len(letters) >= 5 and not letters.strip(b"0123456789abcdefABCDEF"):
        return True
    return len(letters) >= 6 and sum(letter in b"0123456789" for letter in letters) >= 2


SALTED = re.compile(rb"[0-9A-Za-z]{11,200}")
DIGITS = re.compile(rb"[0-9]{10,40}")
FEWEST_DIGITS = 9
SALT_DIGITS = 6
"""One more than the digits of a salt that are cut off."""
