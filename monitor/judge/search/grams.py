"""Many short texts in one pass over bytes, in tables that grow in place: what is added is found at once, without a
build that would stall anybody, and the time to search hardly depends on how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.judge.search.compiled import compiled

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]

LONG, MIDDLE, SHORT = 12, 8, 7
"""Bytes of a text that are looked up, its window: so many of a text that has them, all of a shorter one."""
SHORTEST = 2
SLOT_BITS = 24
MOST_SLOTS = (1 << SLOT_BITS) - 2
SIEVE_BITS = 24
CROWDED = 8


class Sieves(NamedTuple):
    """One bit for each thing that some window may begin with; where none is set, nothing is looked up."""

    eights: Words
    """Eight bytes at a multiple of four inside a window of LONG bytes, wherever the window stands."""
    fours: Words
    """Four bytes at a multiple of four inside a window of MIDDLE or SHORT bytes."""
    sevens: Words
    """The first seven bytes of such a window."""
    endings: Words
    """The last seven digits of a window of digits only, which is looked up where a number ends: the number itself."""
    twos: Words
    """The first two bytes of a window of two or three bytes."""
    firsts: Words
    """The first four bytes of a window of four to six bytes."""


def _sieves() -> Sieves:
    large, digits = 1 << SIEVE_BITS - 6, 10_000_000 // 64
    return Sieves(*(np.zeros(size, np.uint64) for size in (large, large, large, digits, 1 << 10, large)))


@compiled
def _hash(data: Bytes, start: int, size: int) -> np.uint64:
    """64 mixed bits of a run of bytes, of which the upper 40 are used."""
    h = np.uint64(size) * np.uint64(0x9E3779B97F4A7C15)
    for i in range(start, start + size):
        h = (h ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
        h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0x94D049BB133111EB)
    return h


@compiled
def _load(data: Bytes, at: int) -> np.uint32:
    """The four bytes at a position, the first the lowest."""
    return (
        np.uint32(data[at])
        | np.uint32(data[at + 1]) << np.uint32(8)
        | np.uint32(data[at + 2]) << np.uint32(16)
        | np.uint32(data[at + 3]) << np.uint32(24)
    )


@compiled
def _bit(low: np.uint32, high: np.uint32) -> np.uint32:
    """Which bit of a sieve stands for eight bytes; for four, the others are nought."""
    return np.uint32(low * np.uint32(0x9E3779B1) ^ high * np.uint32(0x85EBCA77)) >> np.uint32(32 - SIEVE_BITS)


@compiled
def _set(sieve: Words, bit: np.uint32) -> None:
    sieve[bit >> np.uint32(6)] |= np.uint64(1) << np.uint64(bit & np.uint32(63))


@compiled
def _in(sieve: Words, bit: np.uint32) -> bool:
    return bool((sieve[bit >> np.uint32(6)] >> np.uint64(bit & np.uint32(63))) & np.uint64(1))


@compiled
def _is_digits(data: Bytes, start: int, end: int) -> bool:
    for at in range(start, end):  # noqa: SIM110  (compiled, a loop is)
        if not 48 <= data[at] <= 57:
            return False
    return True


@compiled
def _seven_digits(data: Bytes, end: int) -> np.uint32:
    """The number that the seven digits before a position are."""
    number = np.uint32(0)
    for at in range(end - 7, end):
        number = number * np.uint32(10) + np.uint32(data[at] - 48)
    return number


@compiled
def _place(entry: np.uint64, mask: int) -> int:
    """Where in a table of mask + 1 places the search for an entry begins."""
    mixed = (entry >> np.uint64(SLOT_BITS)) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed >> np.uint64(24)) & np.int64(mask)  # type: ignore[return-value]


@compiled
def _count(table: Words, h: np.uint64, most: int) -> int:
    """How many entries a hash has, at most so many."""
    mask = table.size - 1
    wanted = h >> np.uint64(SLOT_BITS)
    at = _place(h, mask)
    found = 0
    while table[at] != 0 and found < most:
        if table[at] >> np.uint64(SLOT_BITS) == wanted:
            found += 1
        at = (at + 1) & mask
    return found


@compiled
def _put(table: Words, h: np.uint64, slot: int) -> int:
    """Enter a slot under a hash; 1 when it was not there yet."""
    mask = table.size - 1
    entry = (h >> np.uint64(SLOT_BITS) << np.uint64(SLOT_BITS)) | np.uint64(slot + 1)
    at = _place(entry, mask)
    while table[at] != 0:
        if table[at] == entry:
            return 0
        at = (at + 1) & mask
    table[at] = entry
    return 1


@compiled
def _regrow(old: Words, new: Words) -> None:
    mask = new.size - 1
    for entry in old:
        if entry != 0:
            at = _place(entry, mask)
            while new[at] != 0:
                at = (at + 1) & mask
            new[at] = entry


@compiled
def _collect(table: Words, h: np.uint64, out: Numbers, found: int, start: int, size: int) -> int:
    """Append (slot, start, size) of every entry of a hash to `out` from row `found`; the new number of rows, which may
    be more than `out` holds."""
    mask = table.size - 1
    wanted = h >> np.uint64(SLOT_BITS)
    at = _place(h, mask)
    while table[at] != 0:
        if table[at] >> np.uint64(SLOT_BITS) == wanted:
            if found < len(out):
                out[found, 0] = np.int64(table[at] & np.uint64((1 << SLOT_BITS) - 1)) - 1
                out[found, 1] = start
                out[found, 2] = size
            found += 1
        at = (at + 1) & mask
    return found


@compiled
def _scan(lower: Bytes, words: NDArray[np.uint32], table: Words, sieves: Sieves, sizes: int, out: Numbers) -> int:
    """Rows (slot, start, size) of every window in `lower` that was entered; more than `out` holds are only counted.

    `words` are the same bytes, four in each. Bits of `sizes` are the sizes of windows that there are.
    """
    found = 0
    end = lower.size
    some_long, some_middle = sizes >> LONG & 1, sizes >> SHORT & 3
    run_end = 0
    for number in range(words.size):
        word = words[number]
        at = number * 4
        if (
            at >= run_end
            and word & np.uint32(0xF0F0F0F0) == np.uint32(0x30303030)
            and (word + np.uint32(0x06060606)) & np.uint32(0xF0F0F0F0) == np.uint32(0x30303030)
        ):
            start = at
            while start > 0 and 48 <= lower[start - 1] <= 57:
                start -= 1
            run_end = at + 4
            while run_end < end and 48 <= lower[run_end] <= 57:
                run_end += 1
            for stop in range(max(start + 7, run_end - 3), run_end + 1):
                if not _in(sieves.endings, _seven_digits(lower, stop)):
                    continue
                for size in (LONG, MIDDLE, SHORT):
                    if stop - size >= start:
                        found = _collect(table, _hash(lower, stop - size, size), out, found, stop - size, size)
        if number + 1 < words.size and some_long and _in(sieves.eights, _bit(word, words[number + 1])):
            for start in range(max(0, at - 3), at + 1):
                if start + LONG <= end:
                    found = _collect(table, _hash(lower, start, LONG), out, found, start, LONG)
        if some_middle and _in(sieves.fours, _bit(word, np.uint32(0))):
            for start in range(max(0, at - 3), min(at, end - SHORT) + 1):
                if not _in(sieves.sevens, _bit(_load(lower, start), _load(lower, start + 3))):
                    continue
                found = _collect(table, _hash(lower, start, SHORT), out, found, start, SHORT)
                if start + MIDDLE <= end:
                    found = _collect(table, _hash(lower, start, MIDDLE), out, found, start, MIDDLE)
    if not sizes & 0x7F:
        return found
    for start in range(end - 1):
        found = _short(lower, start, end, table, sieves, sizes, out, found)
    return found


@compiled
def _short(
    lower: Bytes, start: int, end: int, table: Words, sieves: Sieves, sizes: int, out: Numbers, found: int
) -> int:
    """The windows of less than SHORT bytes that begin at one position."""
    if sizes & 0x0C and _in(sieves.twos, np.uint32(lower[start]) | np.uint32(lower[start + 1]) << np.uint32(8)):
        for size in range(2, 4):
            if sizes >> size & 1 and start + size <= end:
                found = _collect(table, _hash(lower, start, size), out, found, start, size)
    if sizes & 0x70 and start + 4 <= end and _in(sieves.firsts, _bit(_load(lower, start), np.uint32(0))):
        for size in range(4, 7):
            if sizes >> size & 1 and start + size <= end:
                found = _collect(table, _hash(lower, start, size), out, found, start, size)
    return found


@compiled
def _enter(table: Words, sieves: Sieves, text: Bytes, slot: int, numbers: int) -> tuple[int, int, int]:
    """Enter one text. Where its window begins, how long it is, whether the entry is new.

    `numbers`: digits in it stand in no longer number, but for three digits behind it.
    """
    size = text.size
    window = LONG if size >= LONG else MIDDLE if size >= MIDDLE else size
    best, fewest = 0, CROWDED + 2
    for number in range(3):  # the end, the middle, the beginning: whichever fewest other texts share
        start = (size - window) * (2 - number) // 2
        others = _count(table, _hash(text, start, window), CROWDED)
        if _is_digits(text, start, start + window) and not _ends_number(text, start + window):
            others = CROWDED + 1
        if others < fewest:
            best, fewest = start, others
    new = _put(table, _hash(text, best, window), slot)
    end = best + window
    if window < 4:
        _set(sieves.twos, np.uint32(text[0]) | np.uint32(text[1]) << np.uint32(8))
    elif window < SHORT:
        _set(sieves.firsts, _bit(_load(text, 0), np.uint32(0)))
    elif numbers and _is_digits(text, best, end) and _ends_number(text, end):
        _set(sieves.endings, _seven_digits(text, end))
    elif window == LONG:
        for at in range(best, best + 4):
            _set(sieves.eights, _bit(_load(text, at), _load(text, at + 4)))
    else:
        for at in range(best, best + 4):
            _set(sieves.fours, _bit(_load(text, at), np.uint32(0)))
        _set(sieves.sevens, _bit(_load(text, best), _load(text, best + 3)))
    return best, window, new


@compiled
def _ends_number(text: Bytes, at: int) -> bool:
    return at == text.size or not 48 <= text[at] <= 57


@compiled
def _mixed(word: np.uint64) -> np.uint64:
    h = word * np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(29)
    return h


@compiled
def _put_words(table: Words, words: Words, slot: int) -> int:
    new = 0
    for word in words:
        new += _put(table, _mixed(word), slot)
    return new


@compiled
def _find_words(table: Words, words: Words, out: Numbers) -> int:
    found = 0
    for number in range(words.size):
        found = _collect(table, _mixed(words[number]), out, found, number, 0)
    return found


class Row(NamedTuple):
    """Something that was looked up and found."""

    slot: int
    start: int
    """Where in the bytes, or which of the words."""
    size: int


class Table:
    """Words of 64 bits, or short runs of bytes, and the slots that they were entered for.

    16 bytes an entry; two of different words are taken for one in about one of 2**40 pairs, so what is found must be
    compared. Not for several threads at once.
    """

    def __init__(self) -> None:
        self.places: Words = np.zeros(1 << 8, np.uint64)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def room(self, more: int) -> None:
        """Have at most half of the places used with so many more entries."""
        size = len(self.places)
        while (self._used + more) * 2 > size:
            size *= 2
        if size > len(self.places):
            grown = np.zeros(size, np.uint64)
            _regrow(self.places, grown)
            self.places = grown

    def count(self, new: int) -> None:
        """Note that a compiled function entered so many."""
        self._used += new

    def put(self, words: Words, slot: int) -> None:
        """Enter words for a slot."""
        self.room(len(words))
        self._used += _put_words(self.places, words, slot)

    def find(self, words: Words) -> Iterator[Row]:
        """Every slot of every word; `start` is the number of the word."""
        return rows(lambda out: _find_words(self.places, words, out))


def rows(fill: Any) -> Iterator[Row]:
    """What a compiled function writes into an array, which is made larger when it does not hold all."""
    out = np.empty((1024, 3), np.int64)
    found = fill(out)
    if found > len(out):
        out = np.empty((found, 3), np.int64)
        found = fill(out)
    return (Row(*row) for row in out[:found].tolist())


class Grams:
    """Texts of at least SHORTEST bytes, each entered for a slot by one window of its bytes."""

    def __init__(self) -> None:
        self.table = Table()
        self.sieves = _sieves()
        self.sizes = 0
        """Bit n: some window has n bytes."""

    def add(self, text: bytes, slot: int, *, numbers: bool = False) -> int:
        """Find a text from now on. Where its window begins.

        `numbers`: what is found does not count anyway when a further digit stands before a digit that it begins with,
        or more than three behind one that it ends with. Such texts cost less to look for.
        """
        self.table.room(1)
        data = np.frombuffer(text, np.uint8)
        start, size, new = _enter(self.table.places, self.sieves, data, slot, int(numbers))
        self.sizes |= 1 << size
        self.table.count(new)
        return start

    def find(self, data: bytes) -> Iterator[Row]:
        """Every window that was entered; what it is a part of must be compared."""
        array = np.frombuffer(data, np.uint8)
        words = np.frombuffer(data, np.uint32, len(data) // 4)
        return rows(lambda out: _scan(array, words, self.table.places, self.sieves, self.sizes, out))


def window_of(size: int) -> int:
    """Bytes of the window of a text of so many bytes."""
    return LONG if size >= LONG else MIDDLE if size >= MIDDLE else size


def windows_of(text: bytes) -> Iterable[tuple[int, bytes]]:
    """(first byte, window) of the windows by which a text may be entered."""
    size = window_of(len(text))
    return {(start, text[start : start + size]) for n in range(3) for start in ((len(text) - size) * n // 2,)}
