"""What accesses returned, and when: the last read of each value, and what was read with it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple, override

from appwitness.events import DataType, Ref
from appwitness.events.seen import number_of

Key = tuple[str, str]
"""The identity of a value: its type and text."""


class UploadTime(NamedTuple):
    """The time of an upload, and the earliest and latest that it may be on the clock of the accesses."""

    earliest: datetime
    at: datetime
    latest: datetime


class ReadAccess(NamedTuple):
    """One access that returned values, reduced to what linking needs."""

    ref: Ref
    at: datetime
    until: datetime | None
    calls: int
    data: DataType
    keys: frozenset[Key]
    rows: dict[int, frozenset[Key]]

    @property
    def line(self) -> int:
        """Its line number, which orders reads of the same moment."""
        return number_of(self.ref)


class AlikeReads:
    """Accesses that returned the same values in the same rows: an app reads the same data again and again, so one
    query covers all of them."""

    __slots__ = ("_ends", "_folded", "_reads", "keys", "row_of", "rows")

    def __init__(
        self, keys: frozenset[Key], row_of: Mapping[Key, int | None], rows: Mapping[int, frozenset[Key]]
    ) -> None:
        self.keys = keys
        self.row_of = row_of
        """Each value with the first row that contains it."""
        self.rows = rows
        self._reads: list[ReadAccess] = []
        """Ordered by time, then by line."""
        self._ends: list[tuple[datetime, int]] = []
        """For lines that stand for several calls, in order: the time of the last call, and the number of calls less
        one."""
        self._folded: list[int] | None = None
        """Running totals of these numbers; None when they must be counted again."""

    def add(self, access: ReadAccess) -> None:
        """Add one more of these accesses."""
        _put(self._reads, access)
        if access.calls > 1:
            insort(self._ends, (max(access.at, access.until or access.at), access.calls - 1))
            self._folded = None

    def last(self, at: datetime) -> ReadAccess | None:
        """The last read up to a moment; None if all were later."""
        number = bisect_right(self._reads, at, key=_moment)
        return self._reads[number - 1] if number else None

    def calls(self, before: datetime) -> int:
        """How many calls were surely made up to a moment. A line for several calls, the last of them later, counts
        as one."""
        if self._folded is None:
            self._folded = [0, *accumulate(extra for _, extra in self._ends)]
        number = bisect_right(self._ends, before, key=lambda end: end[0])
        return bisect_right(self._reads, before, key=_moment) + self._folded[number]

    def has_row(self, key: Key) -> bool:
        """Whether they returned the value in a row with others."""
        row = self.row_of[key]
        return row is not None and len(self.rows.get(row, ())) > 1

    def beside(self, key: Key) -> frozenset[Key]:
        """What they returned in the row of a value, itself included; everything if the value has no row."""
        row = self.row_of[key]
        return self.keys if row is None else self.rows.get(row, frozenset())


def _moment(read: ReadAccess) -> datetime:
    return read.at


def _order(read: ReadAccess) -> tuple[datetime, int]:
    return read.at, read.line


def _put(reads: list[ReadAccess], read: ReadAccess) -> None:
    """Insert a read in order, most often at the end."""
    if not reads or reads[-1].at < read.at:
        reads.append(read)
    else:
        insort(reads, read, key=_order)


class UnreadValues(Container[Key]):
    """The values that were first read after a moment; valid until more is learned.

    Two are equal only if they hold the same values, which is decided without comparing these.
    """

    def __init__(self, firsts: Mapping[Key, datetime], at: datetime, state: tuple[int, int]) -> None:
        """`state`: how often a first read has changed so far, and how many first reads are not after the moment."""
        self._firsts = firsts
        self._at = at
        self._state = state

    @override
    def __contains__(self, key: object) -> bool:
        first = self._firsts.get(key)  # type: ignore[call-overload]  # any key may be asked for
        return first is not None and first > self._at

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnreadValues):
            return NotImplemented
        return self._firsts is other._firsts and self._state == other._state

    @override
    def __hash__(self) -> int:
        return hash(self._state)


class Reads:
    """The accesses of one recording, on the host's clock, and the values planted for the run."""

    def __init__(self) -> None:
        self.accesses: dict[Ref, ReadAccess] = {}
        self._by_value: dict[Key, list[ReadAccess]] = defaultdict(list)
        self._alike: dict[object, AlikeReads] = {}
        self._alike_of: dict[Key, list[AlikeReads]] = defaultdict(list)
        self.persona: set[Key] = set()
        self.apps: set[str] = set()
        """The apps that made the accesses; anything they send may contain their own names."""
        self.names: set[Key] = set()
        """The values that are names of people."""
        self._firsts: dict[Key, datetime] = {}
        """When each value was first read; without those of the persona."""
        self._moments: list[datetime] = []
        """The same times, sorted."""
        self._changes = 0
        """How often one of them has changed."""

    def plant(self, key: Key) -> None:
        """Register a value of the persona."""
        self.persona.add(key)
        self._note_name(key)
        if (first := self._firsts.pop(key, None)) is not None:
            self._drop_moment(first)

    def _note_name(self, key: Key) -> None:
        if key[0] == "name":
            self.names.add(key)

    def add(self, access: ReadAccess, values: Mapping[Key, int | None]) -> None:
        """Record what an access returned: its values, each with the first row that contains it."""
        self.accesses[access.ref] = access
        for key in values:
            _put(self._by_value[key], access)
            if key not in self.persona:
                self._note_first(key, access.at)
        what = (tuple(values.items()), frozenset(access.rows.items()))
        alike = self._alike.get(what)
        if alike is None:
            alike = self._alike[what] = AlikeReads(access.keys, values, access.rows)
            for key in values:
                self._note_name(key)
                self._alike_of[key].append(alike)
        alike.add(access)

    def _note_first(self, key: Key, at: datetime) -> None:
        """Note a read of a value. Lines come in any order, so an earlier read may become known later."""
        first = self._firsts.get(key)
        if first is not None:
            if first <= at:
                return
            self._drop_moment(first)
        self._firsts[key] = at
        insort(self._moments, at)
        self._changes += 1

    def _drop_moment(self, at: datetime) -> None:
        del self._moments[bisect_left(self._moments, at)]
        self._changes += 1

    def unread(self, at: datetime) -> Container[Key]:
        """Values that no access had returned up to a moment and that are not the persona's.

        Uploads are many and so are values: the cost of this does not grow with the number of known values.
        """
        number = bisect_right(self._moments, at)
        if number == len(self._moments):
            return frozenset[Key]()
        return UnreadValues(self._firsts, at, (self._changes, number))

    def last(self, key: Key, when: UploadTime) -> ReadAccess | None:
        """The last read that was surely before the upload; failing that, the first that may have been; else None."""
        reads = self._by_value.get(key)
        if not reads:
            return None
        number = bisect_right(reads, when.earliest, key=_moment)
        if number:
            return reads[number - 1]
        return reads[0] if reads[0].at <= when.latest else None

    def earlier(self, keys: Iterable[Key], known: ReadAccess, before: datetime) -> int:
        """How many calls, surely made up to a moment and not counting one of `known`, returned one of the values."""
        alike = {id(each): each for key in keys for each in self._alike_of[key]}
        calls = sum(each.calls(before) for each in alike.values())
        if known.at > before:  # it may have been later, and is not counted yet
            calls += known.calls if known.until is None or known.until <= before else 1
        return calls - 1

    def in_rows(self, key: Key) -> bool:
        """Whether each access that returned the value returned it in a row with others."""
        return all(alike.has_row(key) for alike in self._alike_of.get(key, ()))

    def borne_with(self, name: Key, at: datetime) -> frozenset[Key]:
        """All values but names that were read before the upload in a row with a name, or planted with it."""
        found: set[Key] = set(self.persona) if name in self.persona else set()
        for alike in self._alike_of.get(name, ()):
            if alike.last(at):
                found |= alike.beside(name)
        return frozenset(key for key in found if key[0] != "name")

    def partners(self, key: Key, certain: AbstractSet[Key], at: datetime) -> list[tuple[Key, bool]]:
        """The `certain` values that some access before the upload returned together with a value, each with whether
        both are in one row (always true for installed apps). Those of the latest access come first."""
        found: dict[Key, bool] = {}
        apps = key[0] == "installed_apps"  # each has a row of its own
        before = [(last, alike) for alike in self._alike_of.get(key, ()) if (last := alike.last(at))]
        for _, alike in sorted(before, key=lambda each: _order(each[0]), reverse=True):
            in_row = alike.row_of[key] is not None and not apps
            row = alike.beside(key) if in_row else alike.keys
            for partner in sorted((row & certain) - {key}):
                found[partner] = found.get(partner, False) or in_row or apps
        return list(found.items())
