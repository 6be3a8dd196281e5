"""Groups calls with the same input and output: a payload that is sent repeatedly is followed as its last call."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime
from typing import NamedTuple

from appwitness.events.seen import number_of
from appwitness.match.transforms.outputs import Stream, TransformCall

SEARCHED_CALLS = 64
"""Maximum number of calls of other streams that are skipped in search of a call of one stream."""


class What(NamedTuple):
    """What all calls of a group have in common."""

    name: str
    source: bytes
    outcome: bytes
    key: bytes
    cut: bool
    opaque: bool


def what_of(step: TransformCall) -> What:
    """What another call must share with this one to be in its group."""
    return What(step.name, step.source, step.outcome, step.key, step.cut, step.opaque)


class Alike:
    """Calls of one algorithm with one input and one output, in order of time; they may be added in any order."""

    def __init__(self, what: What) -> None:
        self.what = what
        self._calls: list[tuple[datetime, int, TransformCall]] = []

    def add(self, step: TransformCall) -> None:
        """Add a call."""
        self._calls.insert(bisect_right(self._calls, order(step), key=_place), (*order(step), step))

    def remove(self, step: TransformCall) -> None:
        """Remove a call that is now in another group, because more is known of its input."""
        at = bisect_left(self._calls, order(step), key=_place)
        while self._calls[at][2].ref != step.ref:
            at += 1
        del self._calls[at]

    def last(self, before: datetime) -> TransformCall | None:
        """The last call up to a moment: an output sent then is from that one, if from any of them."""
        number = bisect_right(self._calls, before, key=lambda call: call[0])
        return self._calls[number - 1][2] if number else None

    def last_of(self, stream: Stream, behind: TransformCall) -> TransformCall | None:
        """The last call of a stream before another call; None if it is not among the last few."""
        number = bisect_left(self._calls, order(behind), key=_place)
        calls = (call[2] for call in reversed(self._calls[max(0, number - SEARCHED_CALLS) : number]))
        return next((call for call in calls if call.stream == stream), None)

    def is_repeated(self, before: datetime) -> bool:
        """Whether there were several calls up to a moment."""
        return len(self._calls) > 1 and self._calls[1][0] <= before


def order(step: TransformCall) -> tuple[datetime, int]:
    """A sort key: time, then line."""
    return step.at, number_of(step.ref)


def _place(call: tuple[datetime, int, TransformCall]) -> tuple[datetime, int]:
    return call[:2]
