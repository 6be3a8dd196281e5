"""Lines of one kind stored as columns: a long run has a million lines, and most of their content repeats."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, override

import msgspec

from appwitness.events import FILES, Event, Ref, Upload, kind_of
from appwitness.events.columns import NEVER, Column
from appwitness.events.made_lines import MadeLines
from appwitness.events.refs import LARGEST, Key, key_of
from appwitness.events.seen import Seen, microseconds, moment, number_of
from appwitness.events.shared_parts import SharedParts

VARYING = ("at", "arrived", "until", "boot_ms")
"""Fields with times: otherwise equal lines differ in them."""
OWN: dict[type, tuple[str, ...]] = {Upload: ("url", "headers", "body", "size", "client")}
"""Kind of line -> further fields in which otherwise equal lines often differ."""


class PackedLines[E: Event](MadeLines[E]):
    """Lines of one kind in the order of their file; reading one constructs an equal line."""

    def __init__(self, kind: type[E], lines: Iterable[Seen[E]] = ()) -> None:
        self._file = FILES[kind_of(kind)]
        self._key = int(key_of(f"{self._file}:1")) - 1
        fields = kind.__struct_fields__
        own = OWN.get(kind, ())
        self._own: list[tuple[str, list[Any]]] = [(name, []) for name in own]
        self._alike_in = attrgetter(*(name for name in fields if name not in VARYING and name not in own))
        self._firsts: list[E] = []
        """The first of each group of lines that differ only in VARYING and OWN."""
        self._known: dict[Any, int] = {}
        """The fields that the lines of a group share -> the index of its first line in `_firsts`."""
        self._first_of = array("I")
        """For each line, the index of the first line of its group."""
        self._times = {name: Column() for name in VARYING[:3] if name in fields}
        """For each line, its times after `at`, in microseconds."""
        self._boot_ms = Column()
        self._numbers = Column()
        """For each line, its number in the file minus its index."""
        self.at = array("q")
        """For each line, its time on the host's clock, in microseconds since 1970."""
        self._sharing = SharedParts()
        for seen in lines:
            self.append(seen)

    def append(self, seen: Seen[E]) -> None:
        """Append a line."""
        event = seen.event
        if self._own:
            self._sharing.of(event)
        try:
            first = self._known.get(self._alike_in(event))
        except TypeError:  # not hashable: its arguments are a dictionary
            first = None
        self._first_of.append(self._put(event) if first is None else first)
        self._numbers.append(seen.number - len(self.at))
        self.at.append(seen_at := microseconds(seen.at))
        for name, column in self._times.items():
            at = getattr(event, name)
            column.append(NEVER if at is None else microseconds(at) - seen_at)
        self._boot_ms.append(NEVER if event.boot_ms is None else event.boot_ms)
        for name, others in self._own:
            others.append(getattr(event, name))

    def _put(self, event: E) -> int:
        """Add the first line of a new group; returns its index."""
        place = len(self._firsts)
        self._firsts.append(self._sharing.of(event))
        with suppress(TypeError):
            self._known[self._alike_in(event)] = place
        return place

    @override
    def __len__(self) -> int:
        return len(self.at)

    @override
    def made(self, place: int) -> Seen[E]:
        first = self._firsts[self._first_of[place]]
        varying: dict[str, Any] = {
            name: None if column[place] == NEVER else moment(self.at[place] + column[place])
            for name, column in self._times.items()
        }
        boot_ms = self._boot_ms[place]
        varying["boot_ms"] = None if boot_ms == NEVER else boot_ms
        for name, others in self._own:
            varying[name] = others[place]
        event: E = msgspec.structs.replace(first, **varying)
        return Seen(self.ref_at(place), self.number_at(place), moment(self.at[place]), event)

    @property
    def groups(self) -> Sequence[E]:
        """The first line of each group of lines that differ only in VARYING and OWN."""
        return self._firsts

    def group_of(self, place: int) -> int:
        """The index in `groups` of the group of the line at an index."""
        return self._first_of[place]

    def has_until(self, place: int) -> bool:
        """Whether the line at an index has the time of the last of its calls."""
        return "until" in self._times and self._times["until"][place] != NEVER

    def ref_at(self, place: int) -> Ref:
        """The ref of the line at an index."""
        return f"{self._file}:{self.number_at(place)}"

    def key_at(self, place: int) -> Key:
        """The key (`key_of`) of the ref of the line at an index."""
        number = self.number_at(place)
        return self._key + number if 0 < number <= LARGEST else self.ref_at(place)

    def number_at(self, place: int) -> int:
        """The number in its file of the line at an index."""
        return self._numbers[place] + place

    def place_of(self, ref: Ref) -> int | None:
        """The index of the line with this ref, if the lines are in order of their numbers; None: it is not here."""
        number = number_of(ref)
        place = number - self._numbers[0] if self._numbers else 0  # unless lines are missing
        if not 0 <= place < len(self) or self.number_at(place) != number:
            place = bisect_left(range(len(self)), number, key=self.number_at)
        return place if place < len(self) and self.ref_at(place) == ref else None

    def counts(self, name: str) -> Counter[Any]:
        """Number of lines for each value of a field that is neither in VARYING nor in OWN; the value of the first line
        comes first."""
        counts = Counter[Any]()
        for place, count in sorted(Counter(self._first_of).items()):
            counts[getattr(self._firsts[place], name)] += count
        return counts

    def values(self, name: str) -> Iterable[Any]:
        """The distinct values of a field that is neither in VARYING nor in OWN, in order of appearance."""
        return dict.fromkeys(getattr(first, name) for first in self._firsts)

    def alike(self, names: Sequence[str]) -> list[tuple[Seen[E], Sequence[int]]]:
        """Groups of lines with equal values in these fields (neither in VARYING nor in OWN): the first line of each,
        and the indexes of all."""
        groups: dict[Any, array[int]] = {}
        of = [groups.setdefault(tuple(getattr(first, name) for name in names), array("I")) for first in self._firsts]
        for place, first in enumerate(self._first_of):
            of[first].append(place)
        return [(self.made(places[0]), places) for places in groups.values()]


class ByRef[E: Event](Mapping[Ref, Seen[E]]):
    """Lines by their refs."""

    def __init__(self, lines: PackedLines[E]) -> None:
        self._lines = lines

    @override
    def __len__(self) -> int:
        return len(self._lines)

    @override
    def __iter__(self) -> Iterator[Ref]:
        return map(self._lines.ref_at, range(len(self._lines)))

    @override
    def __getitem__(self, ref: Ref) -> Seen[E]:
        place = self._lines.place_of(ref)
        if place is None:
            raise KeyError(ref)
        return self._lines[place]
