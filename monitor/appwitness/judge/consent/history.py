"""The history of one scope's status, line by line: for one data type, or in general."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from appwitness.events import DataType, Ref
from appwitness.findings import ConsentName, ConsentStatus
from appwitness.judge.consent.corrections import LineCorrections
from appwitness.judge.consent.machine import ConsentReading, Says, following

NOT_SHOWN = ConsentStatus()


class HistoryLine(NamedTuple):
    """A line and its corrections."""

    reading: ConsentReading
    """What the line says as written, before any correction."""
    says: Says | None
    """What it says now; None if it has been replaced or retracted."""
    words: LineCorrections
    """The corrections that involve it."""


class _Track:
    """The status for one data type, or for what was said about all types. The state that follows from the lines as
    written is also kept, to tell whether corrections affect the status."""

    def __init__(self, data: DataType | None) -> None:
        self._data = data
        self.now = NOT_SHOWN
        self.as_written: ConsentName = "not_shown"

    def take(self, step: HistoryLine) -> bool:
        """Update by a line; returns whether the line covers this data type."""
        reading = step.reading
        if not reading.covers(self._data):
            return False
        self.as_written = following(self.as_written, reading.says)
        state = following(self.now.state, step.says) if step.says else self.now.state
        if state != self.now.state:
            self.now = _status(state, step)
        return True


class History:
    """The status at every moment of a run."""

    def __init__(self, steps: Iterable[HistoryLine], data: DataType | None, kinds: Sequence[DataType] = ()) -> None:
        """The general status combines the `kinds` that some line names with what was said about all types."""
        self._times: list[datetime] = []
        self._states: list[ConsentStatus] = [NOT_SHOWN]
        every, parts = _Track(data), [_Track(kind) for kind in kinds]
        corrections: dict[Ref, None] = {}
        for step in steps:
            spoken = [track.take(step) for track in (every, *parts)]
            if any(spoken):
                corrections |= dict.fromkeys(step.words.all)
            now = every.now
            if _whole(now.state, [part.now.state for part in parts]) == "partial":
                last = self._states[-1]
                now = last if last.state == "partial" else _status("partial", step)
            as_written = _whole(every.as_written, [part.as_written for part in parts])
            if as_written != now.state:
                others = dict.fromkeys((*now.corrected, *corrections))
                now = now.model_copy(update={"corrected": tuple(ref for ref in others if ref != now.ref)})
            if now != self._states[-1]:
                self._times.append(step.reading.at)
                self._states.append(now)

    def at(self, time: datetime) -> ConsentStatus:
        """The status at a time, inclusive."""
        return self._states[bisect_right(self._times, time)]

    def between(self, start: datetime, end: datetime) -> list[ConsentStatus]:
        """The statuses that began after `start` and up to `end`, inclusive."""
        return self._states[bisect_right(self._times, start) + 1 : bisect_right(self._times, end) + 1]

    @cached_property
    def changes(self) -> tuple[ConsentStatus, ...]:
        """Each state once, with all the corrections that affect it."""
        found: list[ConsentStatus] = []
        for status in self._states[1:]:
            if found and (found[-1].state, found[-1].ref) == (status.state, status.ref):
                found[-1] = status
            elif status.state != "not_shown":
                found.append(status)
        return tuple(found)

    def given_after(self, time: datetime) -> ConsentStatus | None:
        """The first consent given later than a time."""
        after = bisect_right(self._given, bisect_right(self._times, time))
        return self._states[self._given[after]] if after < len(self._given) else None

    @cached_property
    def _given(self) -> list[int]:
        """The indices of the states with which a consent begins."""
        states = [status.state for status in self._states]
        return [number for number in range(1, len(states)) if states[number] == "given" != states[number - 1]]


def _status(state: ConsentName, step: HistoryLine) -> ConsentStatus:
    reading = step.reading
    return ConsentStatus(
        state=state, by=reading.consent.by, ref=reading.ref, at=reading.at, corrected=step.words.replaced
    )


def _whole(every: ConsentName, parts: Sequence[ConsentName]) -> ConsentName:
    """What was said about all types, but `partial` if some types have consent and others do not."""
    given = [part == "given" for part in parts]
    return "partial" if (not all(given) if every == "given" else any(given)) else every
