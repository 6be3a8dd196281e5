"""Simple disguises of a text: reversed, ROT13, ROT47, each letter replaced by the next."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator

FIRST, LETTERS = 33, 94
"""The first visible ASCII character, and how many there are."""
LAST = "\uffff"
"""Characters below this one have a successor that is also a character."""
_LOWER, _UPPER = string.ascii_lowercase, string.ascii_uppercase
ROT13 = str.maketrans(_LOWER + _UPPER, _LOWER[13:] + _LOWER[:13] + _UPPER[13:] + _UPPER[:13])
ROT47 = {FIRST + at: FIRST + (at + LETTERS // 2) % LETTERS for at in range(LETTERS)}

DISGUISES: dict[str, Callable[[str], str]] = {
    "reversed": lambda text: text[::-1],
    "rot13": lambda text: text.translate(ROT13),
    "rot47": lambda text: text.translate(ROT47),
    "next_letters": lambda text: "".join([chr(ord(char) + 1) if char < LAST else char for char in text]),
}
"""Name of the variant -> function that makes the text."""
CHANGED = 0.6
"""Minimum share of letters that ROT13 must change: an address with few letters may turn into another address."""


def disguised(text: str) -> Iterator[tuple[str, str]]:
    """(name, text) of each disguise that differs enough from the text."""
    for name, turn in DISGUISES.items():
        made = turn(text)
        if made != text and (name != "rot13" or sum(map(str.__ne__, text, made)) >= CHANGED * len(text)):
            yield name, made
