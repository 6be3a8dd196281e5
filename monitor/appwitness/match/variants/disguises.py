"""Simple disguises of a text: reversed, ROT13, ROT47, each letter replaced by the next."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator

FIRST, LETTERS = 33, 94
"""The first of the letters of ASCII that are seen, and how many there are."""
LAST = "\uffff"
"""Letters up to here have a neighbour that is a letter, too."""
_LOWER, _UPPER = string.ascii_lowercase, string.ascii_uppercase
ROT13 = str.maketrans(_LOWER + _UPPER, _LOWER[13:] + _LOWER[:13] + _UPPER[13:] + _UPPER[:13])
ROT47 = {FIRST + at: FIRST + (at + LETTERS // 2) % LETTERS for at in range(LETTERS)}

DISGUISES: dict[str, Callable[[str], str]] = {
    "reversed": lambda text: text[::-1],
    "rot13": lambda text: text.translate(ROT13),
    "rot47": lambda text: text.translate(ROT47),
    "next_letters": lambda text: "".join([chr(ord(char) + 1) if char < LAST else char for char in text]),
}
"""Name of the variant -> what makes the text."""
CHANGED = 0.6
"""Share of the letters that ROT13 must change: of an address with few, another one may be made."""


def disguised(text: str) -> Iterator[tuple[str, str]]:
    """(name, text) of all in which most letters are others than in the text itself."""
    for name, turn in DISGUISES.items():
        made = turn(text)
        if made != text and (name != "rot13" or sum(map(str.__ne__, text, made)) >= CHANGED * len(text)):
            yield name, made
