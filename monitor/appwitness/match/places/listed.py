"""Lists of small numbers by key, in objects that the collector of garbage passes over: it would look at each of a
million lists again and again, and every thread would wait."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Hashable, Sequence


class Numbers[Key: Hashable]:
    """Numbers of less than 2**32, in the order in which they were added, by key."""

    def __init__(self) -> None:
        self._listed: dict[Key, bytearray] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._listed

    def add(self, key: Key, number: int) -> bool:
        """Put a number behind those of a key; whether it is the first of them."""
        coded = number.to_bytes(4, sys.byteorder)
        listed = self._listed.get(key)
        if listed is None:
            self._listed[key] = bytearray(coded)
            return True
        listed += coded
        return False

    def get(self, key: Key) -> Sequence[int]:
        """The numbers of a key; none where there are none."""
        return array("I", self._listed.get(key, b""))
