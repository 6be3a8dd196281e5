"""What accesses returned, and when: the last read of each value, and what was read with it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple, override

from appwitness.events import FILES, DataType, Ref
from appwitness.events.columns import NEVER, Column
from appwitness.events.seen import microseconds, moment, number_of

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


class ReadTable:
    """The accesses, as columns: a long run has a million. Each is known by its index, in the order they were added."""

    def __init__(self) -> None:
        self._at = array("q")
        """Microseconds since 1970."""
        self._until = Column()
        """Microseconds after `at`, or NEVER."""
        self._calls = Column()
        self._numbers = array("q")
        """Numbers of the lines."""
        self._data = array("I")
        """Indexes in `_types`."""
        self._types: list[DataType] = []
        self._type_of: dict[DataType, int] = {}
        """Type -> its index in `_types`."""
        self._alike = array("I")
        """Indexes in `_groups`."""
        self._groups: list[AlikeReads] = []
        self._by_number = array("I")
        """Indexes of the accesses, in order of their lines."""

    def add(self, access: ReadAccess, group: AlikeReads) -> int:
        """Add an access that returned what its group did; returns its index."""
        index = len(self._at)
        at = microseconds(access.at)
        self._at.append(at)
        self._until.append(NEVER if access.until is None else microseconds(access.until) - at)
        self._calls.append(access.calls)
        self._numbers.append(access.line)
        if access.data not in self._type_of:
            self._type_of[access.data] = len(self._types)
            self._types.append(access.data)
        self._data.append(self._type_of[access.data])
        if group.index is None:
            group.index = len(self._groups)
            self._groups.append(group)
        self._alike.append(group.index)
        if index and self._numbers[self._by_number[-1]] > access.line:
            insort(self._by_number, index, key=self._numbers.__getitem__)
        else:
            self._by_number.append(index)
        return index

    def __getitem__(self, index: int) -> ReadAccess:
        at, after, group = self._at[index], self._until[index], self._groups[self._alike[index]]
        return ReadAccess(
            ref=f"{FILES['access']}:{self._numbers[index]}",
            at=moment(at),
            until=None if after == NEVER else moment(at + after),
            calls=self._calls[index],
            data=self._types[self._data[index]],
            keys=group.keys,
            rows=group.rows,
        )

    def find(self, ref: Ref) -> int | None:
        """The index of the access with this ref; None if there is none."""
        number = number_of(ref)
        place = bisect_left(self._by_number, number, key=self._numbers.__getitem__)
        if place < len(self._by_number) and self._numbers[self._by_number[place]] == number:
            return self._by_number[place]
        return None

    def put(self, into: array[int], index: int) -> None:
        """Insert an access into others in order of time, then of lines; most often it is the last."""
        if not into or self._at[into[-1]] < self._at[index]:
            into.append(index)
        else:
            insort(into, index, key=lambda each: (self._at[each], self._numbers[each]))

    def until(self, among: array[int], at: datetime) -> int:
        """How many of these, which are in order of time, were made up to a moment."""
        return bisect_right(among, microseconds(at), key=self._at.__getitem__)


class AlikeReads:
    """Accesses that returned the same values in the same rows: an app reads the same data again and again, so one
    query covers all of them."""

    __slots__ = ("_ends", "_folded", "_reads", "_table", "index", "keys", "row_of", "rows")

    def __init__(
        self,
        table: ReadTable,
        keys: frozenset[Key],
        row_of: Mapping[Key, int | None],
        rows: dict[int, frozenset[Key]],
    ) -> None:
        self.keys = keys
        self.row_of = row_of
        """Each value with the first row that contains it."""
        self.rows = rows
        self.index: int | None = None
        """Its index in the table; None until it has an access."""
        self._table = table
        self._reads = array("I")
        """Indexes of the accesses, ordered by time, then by line."""
        self._ends: list[tuple[datetime, int]] = []
        """For lines that stand for several calls, in order: the time of the last call, and the number of calls
        minus one."""
        self._folded: list[int] | None = None
        """Running totals of these numbers; None when they must be counted again."""

    def add(self, access: ReadAccess) -> int:
        """Add one more of these accesses to the table; returns its index."""
        index = self._table.add(access, self)
        self._table.put(self._reads, index)
        if access.calls > 1:
            insort(self._ends, (max(access.at, access.until or access.at), access.calls - 1))
            self._folded = None
        return index

    def last(self, at: datetime) -> ReadAccess | None:
        """The last read up to a moment; None if all were later."""
        number = self._table.until(self._reads, at)
        return self._table[self._reads[number - 1]] if number else None

    def calls(self, before: datetime) -> int:
        """How many calls were surely made up to a moment. A line for several calls, the last of them later, counts
        as one."""
        if self._folded is None:
            self._folded = [0, *accumulate(extra for _, extra in self._ends)]
        number = bisect_right(self._ends, before, key=lambda end: end[0])
        return self._table.until(self._reads, before) + self._folded[number]

    def has_row(self, key: Key) -> bool:
        """Whether they returned the value in a row with others."""
        row = self.row_of[key]
        return row is not None and len(self.rows.get(row, ())) > 1

    def beside(self, key: Key) -> frozenset[Key]:
        """What they returned in the row of a value, itself included; everything if the value has no row."""
        row = self.row_of[key]
        return self.keys if row is None else self.rows.get(row, frozenset())


def _order(read: ReadAccess) -> tuple[datetime, int]:
    return read.at, read.line


class UnreadValues(Container[Key]):
    """The values that were first read after a moment; valid until more is learned.

    Two are equal only if they hold the same values, which is decided without comparing the values.
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
        self._table = ReadTable()
        self._by_value: dict[Key, array[int]] = defaultdict(lambda: array("I"))
        """The accesses that returned each value, as indexes in the table, ordered by time, then by line."""
        self._alike: dict[object, AlikeReads] = {}
        self.alike_of: dict[Key, list[AlikeReads]] = defaultdict(list)
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
        what = (tuple(values.items()), frozenset(access.rows.items()))
        alike = self._alike.get(what)
        if alike is None:
            alike = self._alike[what] = AlikeReads(self._table, access.keys, values, access.rows)
            for key in values:
                self._note_name(key)
                self.alike_of[key].append(alike)
        index = alike.add(access)
        for key in values:
            self._table.put(self._by_value[key], index)
            if key not in self.persona:
                self._note_first(key, access.at)

    def of(self, ref: Ref) -> ReadAccess | None:
        """The access with this ref; None if it is not known."""
        index = self._table.find(ref)
        return None if index is None else self._table[index]

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
        number = self._table.until(reads, when.earliest)
        if number:
            return self._table[reads[number - 1]]
        first = self._table[reads[0]]
        return first if first.at <= when.latest else None

    def earlier(self, keys: Iterable[Key], known: ReadAccess, before: datetime) -> int:
        """How many calls, surely made up to a moment and not counting one of `known`, returned one of the values."""
        alike = {id(each): each for key in keys for each in self.alike_of[key]}
        calls = sum(each.calls(before) for each in alike.values())
        if known.at > before:  # it may have been later, and is not counted yet
            calls += known.calls if known.until is None or known.until <= before else 1
        return calls - 1

    def in_rows(self, key: Key) -> bool:
        """Whether each access that returned the value returned it in a row with others."""
        return all(alike.has_row(key) for alike in self.alike_of.get(key, ()))

    def borne_with(self, name: Key, at: datetime) -> frozenset[Key]:
        """All values but names that were read before the upload in a row with a name, or planted with it."""
        found: set[Key] = set(self.persona) if name in self.persona else set()
        for alike in self.alike_of.get(name, ()):
            if alike.last(at):
                found |= alike.beside(name)
        return frozenset(key for key in found if key[0] != "name")

    def partners(self, key: Key, certain: AbstractSet[Key], at: datetime) -> list[tuple[Key, bool]]:
        """The `certain` values that some access before the upload returned together with a value, each with whether
        both are in one row (always true for installed apps). Those of the latest access come first."""
        found: dict[Key, bool] = {}
        apps = key[0] == "installed_apps"  # each has a row of its own
        before = [(last, alike) for alike in self.alike_of.get(key, ()) if (last := alike.last(at))]
        for _, alike in sorted(before, key=lambda each: _order(each[0]), reverse=True):
            in_row = alike.row_of[key] is not None and not apps
            row = alike.beside(key) if in_row else alike.keys
            for partner in sorted((row & certain) - {key}):
                found[partner] = found.get(partner, False) or in_row or apps
        return list(found.items())
