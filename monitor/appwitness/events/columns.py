"""A column of whole numbers that takes no memory while all of them are the same."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import overload, override

NEVER = -(1 << 63)
"""Stands for null in a column."""


class Column(Sequence[int]):
    """Numbers of 64 bits with a sign, appended one by one."""

    def __init__(self) -> None:
        self._length = 0
        self._same = 0
        """What all of them are as long as `_each` is None."""
        self._each: array[int] | None = None

    def append(self, number: int) -> None:
        """Append a number. Raises OverflowError if it does not fit."""
        if self._each is None:
            if number == self._same or not self._length:
                self._same = array("q", (number,))[0]
                self._length += 1
                return
            self._each = array("q", (self._same,)) * self._length
        self._each.append(number)
        self._length += 1

    @override
    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    @override
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if self._each is not None:
            return self._each[place]
        places = range(self._length)[place]
        return self._same if isinstance(places, int) else (self._same,) * len(places)
