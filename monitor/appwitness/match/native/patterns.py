"""Searches many patterns in one pass; patterns can be added at any time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appwitness.match.native.tables import Grams


class Patterns:
    """Patterns of bytes, each found from the moment it is added."""

    def __init__(self) -> None:
        self._patterns: list[tuple[bytes, int]] = []
        self.grams = Grams()
        """The same patterns in lower case, for the sieve."""

    def add(self, pattern: bytes) -> None:
        """Search for a pattern from now on; it must be new, and have at least two bytes."""
        self.add_all([pattern])

    def add_all(self, patterns: Iterable[bytes]) -> None:
        """The same for several."""
        for pattern in patterns:
            self._patterns.append((pattern, self.grams.add(pattern.lower(), len(self._patterns))))

    def find(self, data: bytes) -> Iterator[tuple[bytes, int, int]]:
        """(pattern, start, end) of everything found, including overlapping matches."""
        if not self._patterns:
            return
        for row in self.grams.find(data.lower()):
            pattern, offset = self._patterns[row.slot]
            start = row.start - offset
            if start >= 0 and data.startswith(pattern, start):
                yield pattern, start, start + len(pattern)
