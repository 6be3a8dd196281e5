"""Many patterns in one pass, to which more may be added at any time."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.judge.search.grams import Grams


class Levels:
    """Patterns of bytes, each found from the moment it is added."""

    def __init__(self) -> None:
        self._patterns: list[tuple[bytes, int]] = []
        self._grams = Grams()

    def add(self, pattern: bytes) -> None:
        """Find a pattern from now on; it must not have been added before, and have two bytes at least."""
        self._patterns.append((pattern, self._grams.add(pattern, len(self._patterns))))

    def find(self, data: bytes) -> Iterator[tuple[bytes, int, int]]:
        """(pattern, start, end) of everything found, overlapping ones too."""
        if not self._patterns:
            return
        for row in self._grams.find(data):
            pattern, offset = self._patterns[row.slot]
            start = row.start - offset
            if start >= 0 and data.startswith(pattern, start):
                yield pattern, start, start + len(pattern)
