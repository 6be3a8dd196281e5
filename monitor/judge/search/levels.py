"""Many patterns in one pass, to which more may be added at any time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import ahocorasick_rs


class _Level(NamedTuple):
    """Some patterns and the automaton that finds them."""

    patterns: list[bytes]
    automaton: ahocorasick_rs.BytesAhoCorasick


class Levels:
    """Patterns in automata of growing size: no automaton can take a further pattern, so new ones come into a small one,
    and neighbours of like size are merged. Each pattern is built about log2(all / new) times."""

    def __init__(self) -> None:
        self._fresh: list[bytes] = []
        self._levels: list[_Level] = []

    def add(self, pattern: bytes) -> None:
        """Find a pattern from now on; it must not have been added before, and not be empty."""
        self._fresh.append(pattern)

    def find(self, data: bytes) -> Iterator[tuple[bytes, int, int]]:
        """(pattern, start, end) of everything found, overlapping ones too."""
        if self._fresh:
            patterns, self._fresh = self._fresh, []
            while self._levels and len(self._levels[-1].patterns) <= 2 * len(patterns):
                patterns = self._levels.pop().patterns + patterns
            self._levels.append(_Level(patterns, ahocorasick_rs.BytesAhoCorasick(patterns)))
        for patterns, automaton in self._levels:
            for index, start, end in automaton.find_matches_as_indexes(data, overlapping=True):
                yield patterns[index], start, end
