"""Lists of small numbers by key, in objects that the garbage collector skips: it would scan each of a million lists
again and again while every thread waits."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Hashable, Sequence


class Numbers[Key: Hashable]:
    """Numbers below 2**32 by key, in the order in which they were added."""

    def __init__(self) -> None:
        self._listed: dict[Key, bytearray] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._listed

    def add(self, key: Key, number: int) -> bool:
        """Append a number to those of a key; returns whether it is the first."""
        coded = number.to_bytes(4, sys.byteorder)
        listed = self._listed.get(key)
        if listed is None:
            self._listed[key] = bytearray(coded)
            return True
        listed += coded
        return False

    def get(self, key: Key) -> Sequence[int]:
        """The numbers of a key; empty if there are none."""
        return array("I", self._listed.get(key, b""))
