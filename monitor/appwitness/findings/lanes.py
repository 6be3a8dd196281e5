"""Lines of one kind in the order of their file, a million in a long run: few of them are looked at one by one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import overload, override

from appwitness.events import Event, Ref
from appwitness.events.seen import Seen, number_of


class ShownLines(Sequence[Seen[Event]]):
    """Lines, each made ready to be shown when it is asked for: masked, of a report whose values are hidden."""

    def __init__(self, lines: Sequence[Seen[Event]], show: Callable[[Event], Event]) -> None:
        self._lines = lines
        self._show = show

    def _shown(self, seen: Seen[Event]) -> Seen[Event]:
        return seen._replace(event=self._show(seen.event))

    @overload
    def __getitem__(self, place: int) -> Seen[Event]: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Seen[Event], ...]: ...
    @override
    def __getitem__(self, place: int | slice) -> Seen[Event] | tuple[Seen[Event], ...]:
        if isinstance(place, slice):
            return tuple(map(self._shown, self._lines[place]))
        return self._shown(self._lines[place])

    @override
    def __iter__(self) -> Iterator[Seen[Event]]:
        return map(self._shown, self._lines)

    @override
    def __len__(self) -> int:
        return len(self._lines)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    @override
    def __hash__(self) -> int:
        return hash(tuple(self))

    def chosen(self, choose: Callable[[Sequence[Seen[Event]]], Sequence[Seen[Event]]]) -> ShownLines:
        """Some of them, chosen by their names and times alone."""
        return ShownLines(choose(self._lines), self._show)


def named(lane: Sequence[Seen[Event]], refs: Collection[Ref]) -> Sequence[Seen[Event]]:
    """The lines of a lane that have one of these names, in its order; what that costs grows with the names."""

    def choose(lines: Sequence[Seen[Event]]) -> Sequence[Seen[Event]]:
        found = []
        for number in sorted({number_of(ref) for ref in refs}):
            at = bisect_left(lines, number, key=lambda seen: seen.number)
            if at < len(lines) and lines[at].ref in refs:
                found.append(lines[at])
        return tuple(found)

    return _chosen(lane, choose)


def during(lane: Sequence[Seen[Event]], holds: Callable[[datetime], bool]) -> Sequence[Seen[Event]]:
    """The lines of a lane whose time something holds for."""
    return _chosen(lane, lambda lines: tuple(seen for seen in lines if holds(seen.at)))


def _chosen(
    lane: Sequence[Seen[Event]], choose: Callable[[Sequence[Seen[Event]]], Sequence[Seen[Event]]]
) -> Sequence[Seen[Event]]:
    return lane.chosen(choose) if isinstance(lane, ShownLines) else choose(lane)
