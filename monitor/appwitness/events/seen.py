"""A line of a recording with its number and its time on the host's clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeGuard

from appwitness.events import Event, Ref


class Seen[E: Event](NamedTuple):
    """A line, and when it was on the host's clock: `event.at` is on the clock of whoever wrote it."""

    ref: Ref
    number: int
    """Number of the line in its file, from 1: lines of one moment are in this order."""
    at: datetime
    event: E

    def on_host(self, at: datetime) -> datetime:
        """Another time that the line names, on the host's clock."""
        return self.at + (at - self.event.at)


def see[E: Event](ref: Ref, event: E, offset_ms: float | None) -> Seen[E]:
    """A line as it was seen; `offset_ms` is the device's clock minus the host's (`Run.clock_offset_ms`).

    None, where nobody compared the clocks: the time stays as it was written, and is in no order with the host's.
    """
    return Seen(ref, number_of(ref), host_time(event, offset_ms), event)


def host_time(event: Event, offset_ms: float | None) -> datetime:
    """When a line was written, on the host's clock; as it was written where `offset_ms` is not known."""
    return event.at if event.on_host_clock or not offset_ms else event.at - timedelta(milliseconds=offset_ms)


def shifted(at: datetime, by_ms: float) -> datetime:
    """A time moved by so many milliseconds; without bound, or past the calendar's ends: its first or last moment."""
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
    """The time that is so many microseconds after 1970."""
    return _EPOCH + at * _MICROSECOND


def number_of(ref: Ref) -> int:
    """The number of a line in its file; 0 when the name has none."""
    number = ref.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def holds[E: Event](seen: Seen[Event], kind: type[E]) -> TypeGuard[Seen[E]]:
    """Whether it is a line of that kind."""
    return isinstance(seen.event, kind)
