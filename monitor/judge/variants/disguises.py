"""Texts in which only a machine reads a value: turned round, in ROT13 or ROT47, the next letter for each."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator

FIRST, LETTERS = 33, 94
"""The first of the letters of ASCII that are seen, and how many there are."""
ROT47 = {FIRST + at: FIRST + (at + LETTERS // 2) % LETTERS for at in range(LETTERS)}
LAST = 0xFFFF
"""Letters up to here have a neighbour that is a letter, too."""


def _shifted(text: str, by: int) -> str:
    return "".join([chr(ord(char) + by) if 0 < ord(char) < LAST else char for char in text])


DISGUISES: dict[str, Callable[[str], str]] = {
    "reversed": lambda text: text[::-1],
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "rot47": lambda text: text.translate(ROT47),
    "next_letters": lambda text: _shifted(text, 1),
    "letters_before": lambda text: _shifted(text, -1),
}
"""Name of the variant -> what makes the text."""


def disguised(text: str) -> Iterator[tuple[str, str]]:
    """(name, text) of all that differ from the text itself in more than case."""
    plain = text.casefold()
    return ((name, made) for name, turn in DISGUISES.items() if (made := turn(text)).casefold() != plain)
