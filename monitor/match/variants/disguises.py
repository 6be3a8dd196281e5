"""Texts in which only a machine reads a value: turned round, in ROT13 or ROT47, other letters or digits for each."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator

FIRST, LETTERS = 33, 94
"""The first of the letters of ASCII that are seen, and how many there are."""
LAST = "\uffff"
"""Letters up to here have a neighbour that is a letter, too."""
_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ROT13 = str.maketrans(_LOWER + _UPPER, _LOWER[13:] + _LOWER[:13] + _UPPER[13:] + _UPPER[:13])
ROT47 = {FIRST + at: FIRST + (at + LETTERS // 2) % LETTERS for at in range(LETTERS)}
ATBASH = str.maketrans(_LOWER + _UPPER, _LOWER[::-1] + _UPPER[::-1])
NEXT_LETTERS = {letter: letter + 1 for letter in range(128)}
NEXT, FIVE_ON = (str.maketrans(_DIGITS, _DIGITS[by:] + _DIGITS[:by]) for by in (1, 5))
NO_LETTERS, NO_DIGITS = (str.maketrans("", "", some) for some in (_LOWER + _UPPER, _DIGITS))


def _next_letters(text: str) -> str:
    return "".join([chr(ord(char) + 1) if char < LAST else char for char in text])


DISGUISES: dict[str, Callable[[str], str]] = {
    "reversed": lambda text: text[::-1],
    "rot13": lambda text: text.translate(ROT13),
    "rot47": lambda text: text.translate(ROT47),
    "rot5": lambda text: text.translate(FIVE_ON),
    "atbash": lambda text: text.translate(ATBASH),
    "next_letters": lambda text: text.translate(NEXT_LETTERS) if text.isascii() else _next_letters(text),
    "next_digits": lambda text: text.translate(NEXT),
    "evens_and_odds": lambda text: text[::2] + text[1::2],
    "halves_exchanged": lambda text: text[len(text) // 2 :] + text[: len(text) // 2],
}
"""Name of the variant -> what makes the text."""


OF_LETTERS = frozenset(("rot13", "atbash"))
OF_DIGITS = frozenset(("rot5", "next_digits"))
"""These leave a plus before a number as it is, which may be taken off as well."""
CHANGED = 0.6
"""Share of the letters that must be others: of an address with one digit, that digit's neighbour makes another one."""


def disguised(text: str) -> Iterator[tuple[str, str]]:
    """(name, text) of all in which most letters are others than in the text itself."""
    least = CHANGED * len(text)
    by_letters = len(text) - len(text.translate(NO_LETTERS)) >= least
    by_digits = len(text) - len(text.translate(NO_DIGITS)) >= least
    for name, turn in DISGUISES.items():
        if (name not in OF_LETTERS or by_letters) and (name not in OF_DIGITS or by_digits):
            made = turn(text)
            if made != text:
                yield name, made.removeprefix("+") if name in OF_DIGITS else made
