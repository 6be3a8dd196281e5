"""What accesses returned, and when: which read of a value came last, and what else was read beside it."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from monitor.events import DataType, Ref

Key = tuple[str, str]
"""A value by type and text: what the same value is."""


class When(NamedTuple):
    """When an upload was, and how early and late that may have been on the clock of the accesses."""

    earliest: datetime
    at: datetime
    latest: datetime


class Read(NamedTuple):
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


class Reads:
    """The accesses of one recording, on the host's clock, and the values planted for the run."""

    def __init__(self) -> None:
        self.accesses: dict[Ref, ReadAccess] = {}
        self.by_value: dict[Key, list[Read]] = defaultdict(list)
        self.persona: set[Key] = set()
        self.apps: set[str] = set()
        """The apps that read: whatever they send may name them."""
        self.names: set[Key] = set()
        """Names of people among the values."""
        self._times: list[datetime] = []
        self._unread: tuple[int, frozenset[Key]] | None = None
        """After how many of the times, and what; None: there are new accesses."""

    def plant(self, key: Key) -> None:
        """Know a value of the persona."""
        self.persona.add(key)
        self._note_name(key)

    def _note_name(self, key: Key) -> None:
        if key[0] == "name":
            self.names.add(key)

    def add(self, access: ReadAccess, line: int, values: Mapping[Key, int | None]) -> None:
        """Learn what an access returned: its values, each with the first row that it stands in."""
        for key, row in values.items():
            self._note_name(key)
            insort(self.by_value[key], Read(access.at, line, access.ref, row if row is not None else -1))
        self.accesses[access.ref] = access
        insort(self._times, access.at)
        self._unread = None

    def unread(self, at: datetime) -> frozenset[Key]:
        """Values that no access returned up to a moment and that are not the persona's."""
        number = bisect_right(self._times, at)
        if number == len(self._times):
            return frozenset()
        if self._unread is None or self._unread[0] != number:
            later = (key for key, reads in self.by_value.items() if reads[0].at > at)
            self._unread = number, frozenset(later) - self.persona
        return self._unread[1]

    def last(self, key: Key, when: When) -> Read | None:
        """The last that was surely before; where there is none, the first that may have been."""
        reads = self.by_value.get(key)
        if not reads:
            return None
        number = bisect_right(reads, when.earliest, key=lambda read: read.at)
        if number:
            return reads[number - 1]
        return reads[0] if reads[0].at <= when.latest else None

    def has_row(self, read: Read) -> bool:
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
