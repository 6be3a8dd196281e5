"""What accesses returned, and when: the last read of each value, and what was read with it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Container, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple, override

from appwitness.events import DataType, Ref

Key = tuple[str, str]
"""A value by type and text: what the same value is."""


class UploadTime(NamedTuple):
    """When an upload was, and how early and late that may have been on the clock of the accesses."""

    earliest: datetime
    at: datetime
    latest: datetime


class ValueRead(NamedTuple):
    """One access that returned a value; orders by time, then by line."""

    at: datetime
    line: int
    ref: Ref
    row: int
    """-1: of none."""


class ReadAccess(NamedTuple):
    """One access as far as linking needs it."""

    ref: Ref
    at: datetime
    until: datetime | None
    calls: int
    data: DataType
    keys: frozenset[Key]
    rows: dict[int, frozenset[Key]]


class UnreadValues(Container[Key]):
    """The values that were first read after a moment; to be asked until more is learned.

    Two are equal only if they hold the same values, which is told without looking at these.
    """

    def __init__(self, firsts: Mapping[Key, datetime], at: datetime, state: tuple[int, int]) -> None:
        """`state`: how often a first read has changed by now, and how many of them are not after the moment."""
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
        self.by_value: dict[Key, list[ValueRead]] = defaultdict(list)
        self.persona: set[Key] = set()
        self.apps: set[str] = set()
        """The apps that read: whatever they send may name them."""
        self.names: set[Key] = set()
        """Names of people among the values."""
        self._firsts: dict[Key, datetime] = {}
        """When each value was read first, but for those of the persona."""
        self._moments: list[datetime] = []
        """The same moments in order."""
        self._changes = 0
        """How often one of them changed."""

    def plant(self, key: Key) -> None:
        """Know a value of the persona."""
        self.persona.add(key)
        self._note_name(key)
        if (first := self._firsts.pop(key, None)) is not None:
            self._drop_moment(first)

    def _note_name(self, key: Key) -> None:
        if key[0] == "name":
            self.names.add(key)

    def add(self, access: ReadAccess, line: int, values: Mapping[Key, int | None]) -> None:
        """Learn what an access returned: its values, each with the first row that it stands in."""
        for key, row in values.items():
            self._note_name(key)
            insort(self.by_value[key], ValueRead(access.at, line, access.ref, row if row is not None else -1))
            if key not in self.persona:
                self._note_first(key, access.at)
        self.accesses[access.ref] = access

    def _note_first(self, key: Key, at: datetime) -> None:
        """A value was read; lines come in any order, so an earlier read may become known later."""
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
        """Values that no access returned up to a moment and that are not the persona's.

        Uploads are many and so are values: what this costs does not grow with how many values are known.
        """
        number = bisect_right(self._moments, at)
        if number == len(self._moments):
            return frozenset[Key]()
        return UnreadValues(self._firsts, at, (self._changes, number))

    def last(self, key: Key, when: UploadTime) -> ValueRead | None:
        """The last that was surely before; where there is none, the first that may have been."""
        reads = self.by_value.get(key)
        if not reads:
            return None
        number = bisect_right(reads, when.earliest, key=lambda read: read.at)
        if number:
            return reads[number - 1]
        return reads[0] if reads[0].at <= when.latest else None

    def has_row(self, read: ValueRead) -> bool:
        """Whether a value was read in a row with others."""
        return len(self.accesses[read.ref].rows.get(read.row, ())) > 1

    def borne_with(self, name: Key, at: datetime) -> frozenset[Key]:
        """All but names that was read before the upload in a row with a name, or planted with it."""
        found: set[Key] = set(self.persona) if name in self.persona else set()
        for read in self.by_value.get(name, ()):
            if read.at <= at:
                known = self.accesses[read.ref]
                found |= known.rows.get(read.row, frozenset()) if read.row >= 0 else known.keys
        return frozenset(key for key in found if key[0] != "name")

    def partners(self, key: Key, certain: AbstractSet[Key], at: datetime) -> list[tuple[Key, bool]]:
        """Other values that some access before the upload returned together with one, and that are surely there; and
        whether they are of the same row, or the access has none."""
        found: dict[Key, bool] = {}
        for read in reversed(self.by_value.get(key, ())):
            if read.at > at:
                continue
            known = self.accesses[read.ref]
            in_row = read.row >= 0 and key[0] != "installed_apps"  # which has a row of its own
            row = known.rows.get(read.row, frozenset()) if in_row else known.keys
            for partner in sorted((row & certain) - {key}):
                found[partner] = found.get(partner, False) or in_row or key[0] == "installed_apps"
        return list(found.items())
