"""Many short texts, and words, in tables that grow in place: what is added is found at once, without a build that would
stall anybody, and the time to search hardly depends on how many there are."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import Any

import ahocorasick_rs

from monitor.match.native.library import Row, library, rows

LONG, MIDDLE = 12, 8
"""Bytes of a text that are looked up, its window: so many of a text that has them, all of a shorter one."""
MOST_SLOTS = (1 << 24) - 2
"""Of a slot, 24 bits are kept."""


class Table:
    """Words of eight bytes, and the slots that they were entered for. 12 bytes an entry; two words are taken for one
    in about one of 2**40 pairs, so what is found must be compared. Not for several threads at once."""

    def __init__(self) -> None:
        self.handle = library.table_new() if library else None
        self._slow: dict[bytes, list[int]] = defaultdict(list)
        self._used = False

    def __bool__(self) -> bool:
        return self._used

    def put(self, words: bytes, slot: int) -> None:
        """Enter words, one after the other, for a slot."""
        if slot > MOST_SLOTS:
            raise ValueError("too many slots")
        self._used = self._used or bool(words)
        if not library:
            for at in range(0, len(words), 8):
                self._slow[words[at : at + 8]].append(slot)
        elif not library.table_put_words(self.handle, words, len(words) // 8, slot):
            raise MemoryError

    def find(self, words: bytes) -> Iterator[Row]:
        """Every slot of every word; `start` is the number of the word."""
        number = len(words) // 8
        if library:
            return rows(lambda out, most: library.table_find_words(self.handle, words, number, out, most))
        return (Row(slot, at, 0) for at in range(number) for slot in self._slow.get(words[8 * at : 8 * at + 8], ()))

    def find_anywhere(self, data: bytes) -> Iterator[Row]:
        """Every slot of the word at every place; `start` is the place."""
        if library:
            return rows(lambda out, most: library.table_find_anywhere(self.handle, data, len(data), out, most))
        starts = range(len(data) - 7)
        return (Row(slot, at, 0) for at in starts for slot in self._slow.get(data[at : at + 8], ()))

    def put_texts(self, texts: Collection[bytes], slot: int) -> None:
        """Enter texts of any size for a slot."""
        if slot > MOST_SLOTS:
            raise ValueError("too many slots")
        if not library:
            for text in texts:
                self._slow[text].append(slot)
            return
        sizes = array("i", map(len, texts))
        if not library.table_put_texts(self.handle, b"".join(texts), sizes.buffer_info()[0], len(texts), slot):
            raise MemoryError

    def find_texts(self, texts: Sequence[bytes]) -> Iterator[Row]:
        """Every slot of every text; `start` is the number of the text."""
        if library:
            joined, sizes = b"".join(texts), array("i", map(len, texts))
            of = (self.handle, joined, sizes.buffer_info()[0], len(texts))
            return rows(lambda out, most: library.table_find_texts(*of, out, most))
        return (Row(slot, at, 0) for at, text in enumerate(texts) for slot in self._slow.get(text, ()))

    def __del__(self) -> None:
        if library and self.handle:
            library.table_free(self.handle)


def hashes_of(parts: Iterable[Hashable]) -> bytes:
    """A word for each, by which a table knows it while this process lives."""
    return array("q", map(hash, parts)).tobytes()


class Grams:
    """Texts of two bytes or more, each entered for a slot by one window of its bytes; not for several threads at
    once."""

    def __init__(self, wider: Grams | None = None) -> None:
        """`wider`: texts that are looked for where these are looked for as well; one first look does for both."""
        self._wider = wider
        self.handle: Any = library.grams_new(wider.handle if wider else None) if library else None
        self._slow = _Levels()

    def add(self, text: bytes, slot: int, *, numbers: bool = False) -> int:
        """Find a text from now on. Where its window begins.

        `numbers`: what is found does not count anyway when a further digit stands before a digit that it begins with,
        or more than three behind one that it ends with. Such texts cost less to look for.
        """
        if slot > MOST_SLOTS or len(text) < 2:
            raise ValueError("too many slots, or a text of less than two bytes")
        if not library:
            self._slow.add(text[: window_of(len(text))], slot)
            return 0
        start: int = library.grams_add(self.handle, text, len(text), slot, numbers)
        if start < 0:
            raise MemoryError
        return start

    def add_all(self, texts: Iterable[tuple[bytes, bool]], slot: int) -> None:
        """The same for several texts, each with its `numbers`, in one call."""
        if not library:
            for text, numbers in texts:
                self.add(text, slot, numbers=numbers)
            return
        given = list(texts)
        sizes = array("i", [2 * len(text) + numbers for text, numbers in given])
        joined = b"".join([text for text, _ in given])
        if slot > MOST_SLOTS or min(sizes, default=4) < 4:
            raise ValueError("too many slots, or a text of less than two bytes")
        if not library.grams_add_all(self.handle, joined, sizes.buffer_info()[0], len(given), slot):
            raise MemoryError

    def find(self, data: bytes) -> Iterator[Row]:
        """Every window that stands in the data; what it is a part of must be compared."""
        if library:
            return rows(lambda out, most: library.grams_find(self.handle, data, len(data), out, most))
        return self._slow.find(data)

    def __del__(self) -> None:
        if library and self.handle:
            library.grams_free(self.handle)


class _Levels:
    """The same without the compiled part: automata of growing size, for none can take a further pattern. New ones come
    into a small one, and neighbours of like size are merged."""

    def __init__(self) -> None:
        self._slots: dict[bytes, list[int]] = {}
        self._fresh: list[bytes] = []
        self._levels: list[tuple[list[bytes], ahocorasick_rs.BytesAhoCorasick]] = []

    def add(self, pattern: bytes, slot: int) -> None:
        slots = self._slots.setdefault(pattern, [])
        if not slots:
            self._fresh.append(pattern)
        if slot not in slots[-1:]:
            slots.append(slot)

    def find(self, data: bytes) -> Iterator[Row]:
        if self._fresh:
            patterns, self._fresh = self._fresh, []
            while self._levels and len(self._levels[-1][0]) <= 2 * len(patterns):
                patterns = self._levels.pop()[0] + patterns
            self._levels.append((patterns, ahocorasick_rs.BytesAhoCorasick(patterns)))
        for patterns, automaton in self._levels:
            for index, start, end in automaton.find_matches_as_indexes(data, overlapping=True):
                for slot in self._slots[patterns[index]]:
                    yield Row(slot, start, end - start)


def window_of(size: int) -> int:
    """Bytes of the window of a text of so many bytes."""
    return LONG if size >= LONG else MIDDLE if size >= MIDDLE else size


def windows_of(text: bytes) -> Iterable[tuple[int, bytes]]:
    """(first byte, window) of the windows by which a text may be entered."""
    size = window_of(len(text))
    return {(start, text[start : start + size]) for n in range(3) for start in ((len(text) - size) * n // 2,)}
