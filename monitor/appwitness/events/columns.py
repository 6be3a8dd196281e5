"""A column of whole numbers that takes no memory while all of them are the same."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import overload, override

NEVER = -(1 << 63)
"""Stands for null in a column."""


class Column(Sequence[int]):
    """Numbers of any size, appended one by one; they take 8 bytes each if all fit into signed 64-bit integers."""

    def __init__(self) -> None:
        self._length = 0
        self._same = 0
        """The value of every number, as long as `_each` is None."""
        self._each: array[int] | list[int] | None = None

    def append(self, number: int) -> None:
        """Append a number."""
        self._length += 1
        if self._each is None:
            if number == self._same or self._length == 1:
                self._same = number
                return
            fits = NEVER <= self._same < -NEVER
            self._each = (array("q", (self._same,)) if fits else [self._same]) * (self._length - 1)
        try:
            self._each.append(number)
        except OverflowError:  # in a stranger's recording
            self._each = [*self._each, number]

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
