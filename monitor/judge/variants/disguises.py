"""Texts in which only a machine reads a value: turned round, in ROT13 or ROT47, other letters or digits for each."""

from __future__ import annotations

import codecs
import string
from collections.abc import Callable, Iterator
from operator import ne

FIRST, LETTERS = 33, 94
"""The first of the letters of ASCII that are seen, and how many there are."""
LAST = 0xFFFF
"""Letters up to here have a neighbour that is a letter, too."""
_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ROT47 = {FIRST + at: FIRST + (at + LETTERS // 2) % LETTERS for at in range(LETTERS)}
ATBASH = str.maketrans(_LOWER + _UPPER, _LOWER[::-1] + _UPPER[::-1])
NEXT, BEFORE, FIVE_ON = (str.maketrans(_DIGITS, _DIGITS[by:] + _DIGITS[:by]) for by in (1, -1, 5))


def _shifted(text: str, by: int) -> str:
    return "".join([chr(ord(char) + by) if 0 < ord(char) < LAST else char for char in text])


DISGUISES: dict[str, Callable[[str], str]] = {
    "reversed": lambda text: text[::-1],
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "rot47": lambda text: text.translate(ROT47),
    "rot5": lambda text: text.translate(FIVE_ON),
    "atbash": lambda text: text.translate(ATBASH),
    "next_letters": lambda text: _shifted(text, 1),
    "letters_before": lambda text: _shifted(text, -1),
    "next_digits": lambda text: text.translate(NEXT),
    "digits_before": lambda text: text.translate(BEFORE),
    "evens_and_odds": lambda text: text[::2] + text[1::2],
    "halves_exchanged": lambda text: text[len(text) // 2 :] + text[: len(text) // 2],
}
"""Name of the variant -> what makes the text."""


CHANGED = 0.6
"""Share of the letters that must be others: of an address with one digit, that digit's neighbour makes another one."""


def disguised(text: str) -> Iterator[tuple[str, str]]:
    """(name, text) of all in which most letters are others than in the text itself."""
    for name, turn in DISGUISES.items():
        made = turn(text)
        if sum(map(ne, made, text)) >= CHANGED * len(text):
            yield name, made
