"""A set of a million texts in few bytes, which can only be asked whether it contains a text."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterable
from typing import override

MASK = (1 << 64) - 1
PART = 56
"""Number of low bits of a hash; the bits above them are the number of its part."""


class HashedTexts(Container[str]):
    """Keeps 8 bytes for each text: its hash, which differs from one process to the next. With a million texts in the
    set, a text that is not in it is mistaken for one of them once in 10^13 lookups."""

    def __init__(self) -> None:
        self._parts: dict[int, array[int]] = defaultdict(lambda: array("Q"))
        """The hashes in 256 parts, so that only a part has to be sorted at a time."""
        self._unsorted: set[int] = set()
        """The parts that have grown since they were last sorted."""

    def update(self, texts: Iterable[str]) -> None:
        """Add texts."""
        for text in texts:
            hashed = hash(text) & MASK
            self._parts[hashed >> PART].append(hashed)
            self._unsorted.add(hashed >> PART)

    @override
    def __contains__(self, text: object) -> bool:
        hashed = hash(text) & MASK
        part = hashed >> PART
        hashes = self._parts.get(part, ())
        if part in self._unsorted:
            hashes = self._parts[part] = array("Q", sorted(set(hashes)))
            self._unsorted.discard(part)
        place = bisect_left(hashes, hashed)
        return place < len(hashes) and hashes[place] == hashed
