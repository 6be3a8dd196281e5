"""A line of a recording with its number and its time on the host's clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeGuard

from appwitness.events import Event, Ref


class Seen[E: Event](NamedTuple):
    """A line, with its time on the host's clock; `event.at` is on the clock of its producer."""

    ref: Ref
    number: int
    """Number of the line in its file, from 1; it orders lines with the same time."""
    at: datetime
    event: E

    def on_host(self, at: datetime) -> datetime:
        """Convert another time of the line to the host's clock."""
        return self.at + (at - self.event.at)


def see[E: Event](ref: Ref, event: E, offset_ms: float | None) -> Seen[E]:
    """A line with its time on the host's clock; `offset_ms` is the device's clock minus the host's
    (`Run.clock_offset_ms`).

    With None, when the clocks were never compared, a device time stays as it was written, and cannot be ordered
    relative to the host's.
    """
    return Seen(ref, number_of(ref), host_time(event, offset_ms), event)


def host_time(event: Event, offset_ms: float | None) -> datetime:
    """When a line was written, on the host's clock; unchanged when `offset_ms` is unknown."""
    return event.at if event.on_host_clock or not offset_ms else event.at - timedelta(milliseconds=offset_ms)


def shifted(at: datetime, by_ms: float) -> datetime:
    """A time moved by `by_ms` milliseconds; beyond the calendar, or for an infinite `by_ms`, its first or last
    moment."""
    end = datetime.max if by_ms > 0 else datetime.min
    if math.isinf(by_ms):
        return end.replace(tzinfo=UTC)
    try:
        return at + timedelta(milliseconds=by_ms)
    except OverflowError:
        return end.replace(tzinfo=UTC)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """A time as microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The time `at` microseconds after 1970."""
    return _EPOCH + at * _MICROSECOND


def number_of(ref: Ref) -> int:
    """The number of a line in its file, from its ref; 0 when the ref has none."""
    number = ref.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def holds[E: Event](seen: Seen[Event], kind: type[E]) -> TypeGuard[Seen[E]]:
    """Whether the line is of that kind."""
    return isinstance(seen.event, kind)
