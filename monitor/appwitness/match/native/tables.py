"""Many short texts, and words, in tables that grow in place: what is added is found at once, without a build that
would block other threads, and more texts hardly make a search slower."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence

from appwitness.match.native.library import FoundSlot, library, owned, rows

LONG, MIDDLE = 12, 8
"""Sizes of a text's window, the bytes by which the text is looked up: the larger size that fits; a text that is
shorter than both is looked up whole."""
SLOT_BITS = 24
"""Bits kept of a slot."""
MOST_SLOTS = (1 << SLOT_BITS) - 2


class WordTable:
    """Words of eight bytes, and the slots that they were entered for; 12 bytes an entry. Two words are confused in
    about one of 2**40 pairs, so what is found must be compared. Not thread-safe."""

    def __init__(self) -> None:
        self.handle = owned(self, library.table_new(), library.table_free)
        self._used = False

    def __bool__(self) -> bool:
        return self._used

    def put(self, words: bytes, slot: int) -> None:
        """Enter words, one after the other, for a slot."""
        _see_that_it_fits(slot)
        self._used = self._used or bool(words)
        if not library.table_put_words(self.handle, words, len(words) // 8, slot):
            raise MemoryError

    def find(self, words: bytes) -> Iterator[FoundSlot]:
        """Every slot of every word; `start` is the index of the word."""
        number = len(words) // 8
        return rows(lambda out, most: library.table_find_words(self.handle, words, number, out, most))

    def find_anywhere(self, data: bytes) -> Iterator[FoundSlot]:
        """Every slot of the word at every position; `start` is the position."""
        return rows(lambda out, most: library.table_find_anywhere(self.handle, data, len(data), out, most))

    def put_texts(self, texts: Collection[bytes], slot: int) -> None:
        """Enter texts of any size for a slot."""
        _see_that_it_fits(slot)
        sizes = array("i", map(len, texts))
        if not library.table_put_texts(self.handle, b"".join(texts), sizes.buffer_info()[0], len(texts), slot):
            raise MemoryError

    def find_texts(self, texts: Sequence[bytes]) -> Iterator[FoundSlot]:
        """Every slot of every text; `start` is the index of the text."""
        joined, sizes = b"".join(texts), array("i", map(len, texts))
        of = (self.handle, joined, sizes.buffer_info()[0], len(texts))
        return rows(lambda out, most: library.table_find_texts(*of, out, most))


def _see_that_it_fits(slot: int) -> None:
    if slot > MOST_SLOTS:
        raise ValueError("too many slots")


def hashes_of(parts: Iterable[Hashable]) -> bytes:
    """A word for each part, by which a table knows the part as long as this process lives."""
    return array("q", map(hash, parts)).tobytes()


class Grams:
    """Texts of two bytes or more, each entered for a slot by one window of its bytes. Not thread-safe."""

    def __init__(self, wider: Grams | None = None) -> None:
        """`wider`: texts that are only looked for where these are looked for too; both share one first look."""
        self._wider = wider
        self.handle: int = owned(self, library.grams_new(wider.handle if wider else None), library.grams_free)

    def add(self, text: bytes, slot: int, *, numbers: bool = False) -> int:
        """Look for a text from now on; returns the offset of its window.

        `numbers`: the caller rejects a match if a further digit precedes a digit with which the text begins, or more
        than three follow a digit with which it ends. Such texts cost less to look for.
        """
        if slot > MOST_SLOTS or len(text) < 2:
            raise ValueError("too many slots, or a text of fewer than two bytes")
        start: int = library.grams_add(self.handle, text, len(text), slot, numbers)
        if start < 0:
            raise MemoryError
        return start

    def add_all(self, texts: Iterable[tuple[bytes, bool]], slot: int) -> None:
        """The same for several texts, each with its `numbers`, in one call."""
        given = list(texts)
        sizes = array("i", [2 * len(text) + numbers for text, numbers in given])
        joined = b"".join([text for text, _ in given])
        if slot > MOST_SLOTS or min(sizes, default=4) < 4:
            raise ValueError("too many slots, or a text of fewer than two bytes")
        if not library.grams_add_all(self.handle, joined, sizes.buffer_info()[0], len(given), slot):
            raise MemoryError

    def find(self, data: bytes) -> Iterator[FoundSlot]:
        """Every window that stands in the data; the text around it must still be compared."""
        return rows(lambda out, most: library.grams_find(self.handle, data, len(data), out, most))


def windows_of(text: bytes) -> Iterable[tuple[int, bytes]]:
    """(offset, window) of each window by which a text may be entered."""
    size = window_of(len(text))
    return {(start, text[start : start + size]) for n in range(3) for start in ((len(text) - size) * n // 2,)}


def window_of(size: int) -> int:
    """The size of the window of a text of this many bytes."""
    return LONG if size >= LONG else MIDDLE if size >= MIDDLE else size
