"""Lines of one kind in the order of their file: a long run has a million, and few of them are looked at one by one."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, override

from appwitness.events import Access, Event, Line, Ref, Value
from appwitness.events.made_lines import MadeLines
from appwitness.events.packed_lines import PackedLines
from appwitness.events.seen import Seen, microseconds, number_of


class ShownLines(MadeLines[Event]):
    """Lines, each prepared for display on access: masked if the report hides values."""

    def __init__(self, lines: Sequence[Seen[Event]], show: Callable[[Event], Event]) -> None:
        self.lines = lines
        self.show = show

    def shown(self, seen: Seen[Event]) -> Seen[Event]:
        """One of them, prepared for display."""
        return seen._replace(event=self.show(seen.event))

    @override
    def made(self, place: int) -> Seen[Event]:
        return self.shown(self.lines[place])

    @override
    def __len__(self) -> int:
        return len(self.lines)


class ShownEvidence(Mapping[Ref, Event]):
    """The lines that findings and flows name, each prepared for display on first access."""

    def __init__(self, lines: Mapping[Ref, Event], show: Callable[[Event], Event]) -> None:
        self.lines = lines
        self._show = show
        self._shown: dict[Ref, Event] = {}

    @override
    def __getitem__(self, ref: Ref) -> Event:
        if ref not in self._shown:
            self._shown[ref] = self._show(self.lines[ref])
        return self._shown[ref]

    @override
    def __iter__(self) -> Iterator[Ref]:
        return iter(self.lines)

    @override
    def __len__(self) -> int:
        return len(self.lines)


def named(lane: Sequence[Seen[Event]], refs: Collection[Ref]) -> Sequence[Seen[Event]]:
    """The lines of a lane with one of these names, in the lane's order; the cost grows with the number of names."""
    lines = _lines_of(lane)
    places = sorted({place for ref in refs if (place := place_of(lines, ref)) is not None})
    some = tuple(lines[place] for place in places)
    return ShownLines(some, lane.show) if isinstance(lane, ShownLines) else some


class AlikeLines(NamedTuple):
    """Lines of a lane that have the same values in some fields."""

    first: Seen[Event]
    places: Sequence[int]
    """Their positions in the lane, in order."""


def alike(lane: Sequence[Seen[Event]], kind: type[Line], names: Sequence[str]) -> list[AlikeLines]:
    """The lines of a kind, grouped by the values of these fields, the group of the first line first; only the first
    line of each group is built."""
    lines = _lines_of(lane)
    groups: Iterable[tuple[Seen[Event], Sequence[int]]]
    if isinstance(lines, PackedLines):
        groups = lines.alike(names)
    else:
        found: dict[tuple[object, ...], list[int]] = {}
        for place, seen in enumerate(lines):
            if isinstance(seen.event, kind):
                found.setdefault(tuple(getattr(seen.event, name) for name in names), []).append(place)
        groups = [(lines[places[0]], places) for places in found.values()]
    return [AlikeLines(lane.shown(first) if isinstance(lane, ShownLines) else first, of) for first, of in groups]


def name_at(lane: Sequence[Seen[Event]], place: int) -> Ref:
    """The name of the line at a position."""
    lines = _lines_of(lane)
    return lines.ref_at(place) if isinstance(lines, PackedLines) else lines[place].ref


def times_of(lane: Sequence[Seen[Event]]) -> Sequence[int]:
    """The times of a lane's lines on the host's clock, in microseconds since 1970."""
    lines = _lines_of(lane)
    return lines.at if isinstance(lines, PackedLines) else [microseconds(seen.at) for seen in lines]


def counts_of(lane: Sequence[Seen[Event]], name: str) -> Mapping[Any, int]:
    """How many lines of a lane have each value of a field."""
    lines = _lines_of(lane)
    if isinstance(lines, PackedLines):
        return lines.counts(name)
    return Counter(getattr(seen.event, name) for seen in lines)


def values_of(lane: Sequence[Seen[Event]]) -> Iterator[Value]:
    """Every value that the reads of a lane returned; values that many reads share come once."""
    if isinstance(lane, PackedLines):
        for values in lane.values("values"):
            yield from values
        return
    for seen in lane:
        if isinstance(seen.event, Access):
            yield from seen.event.values


def _lines_of(lane: Sequence[Seen[Event]]) -> Sequence[Seen[Event]]:
    return lane.lines if isinstance(lane, ShownLines) else lane


def place_of(lane: Sequence[Seen[Event]], ref: Ref) -> int | None:
    """The position of the line with this name in a lane; None: it is not in it."""
    lines = _lines_of(lane)
    if isinstance(lines, PackedLines):
        return lines.place_of(ref)
    place = bisect_left(lines, number_of(ref), key=lambda seen: seen.number)
    return place if place < len(lines) and lines[place].ref == ref else None
