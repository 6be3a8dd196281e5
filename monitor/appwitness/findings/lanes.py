"""Lines of one kind in the order of their file, a million in a long run: few of them are looked at one by one."""

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
    """Lines, each made ready to be shown when it is asked for: masked, of a report whose values are hidden."""

    def __init__(self, lines: Sequence[Seen[Event]], show: Callable[[Event], Event]) -> None:
        self.lines = lines
        self.show = show

    def shown(self, seen: Seen[Event]) -> Seen[Event]:
        """One of them, ready to be shown."""
        return seen._replace(event=self.show(seen.event))

    @override
    def made(self, place: int) -> Seen[Event]:
        return self.shown(self.lines[place])

    @override
    def __len__(self) -> int:
        return len(self.lines)


def named(lane: Sequence[Seen[Event]], refs: Collection[Ref]) -> Sequence[Seen[Event]]:
    """The lines of a lane that have one of these names, in its order; what that costs grows with the names."""
    lines = _lines_of(lane)
    places = sorted({place for ref in refs if (place := place_of(lines, ref)) is not None})
    some = tuple(lines[place] for place in places)
    return ShownLines(some, lane.show) if isinstance(lane, ShownLines) else some


class AlikeLines(NamedTuple):
    """Lines of a lane that have some fields alike."""

    first: Seen[Event]
    places: Sequence[int]
    """Their places in the lane, in order."""


def alike(lane: Sequence[Seen[Event]], kind: type[Line], names: Sequence[str]) -> list[AlikeLines]:
    """The lines of a kind by the values of these fields, those of the first line first; only that one is made."""
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
    """The name of the line at a place."""
    lines = _lines_of(lane)
    return lines.ref_at(place) if isinstance(lines, PackedLines) else lines[place].ref


def times_of(lane: Sequence[Seen[Event]]) -> Sequence[int]:
    """When each line of a lane was on the host's clock, in microseconds since 1970."""
    lines = _lines_of(lane)
    return lines.at if isinstance(lines, PackedLines) else [microseconds(seen.at) for seen in lines]


def counts_of(lane: Sequence[Seen[Event]], name: str) -> Mapping[Any, int]:
    """How many lines of a lane have each value of a field."""
    lines = _lines_of(lane)
    if isinstance(lines, PackedLines):
        return lines.counts(name)
    return Counter(getattr(seen.event, name) for seen in lines)


def values_of(lane: Sequence[Seen[Event]]) -> Iterator[Value]:
    """Every value that reads of a lane gave, those that all of many reads gave once."""
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
    """Where the line of a name stands in a lane; None: it is not there."""
    lines, number = _lines_of(lane), number_of(ref)
    if isinstance(lines, PackedLines):
        place = bisect_left(lines.numbers, number)
        return place if place < len(lines) and lines.ref_at(place) == ref else None
    place = bisect_left(lines, number, key=lambda seen: seen.number)
    return place if place < len(lines) and lines[place].ref == ref else None
