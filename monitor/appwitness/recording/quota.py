"""Limits the disk space of a run: otherwise the app under test would decide how much is written."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from appwitness.events import FILES, Event, Gap
from appwitness.recording.files import FREE_BYTES, has_room
from appwitness.recording.folder import Recording
from appwitness.recording.seal import BODIES

MAX_BYTES = 4 << 30
LINES_MORE = 4
"""Lines may exceed the limit by a quarter (1/4): they say what was not stored."""
LOOK_S = 10.0
"""Interval, in seconds, at which all bodies are measured, including those of other processes; longer where that is
slow."""


class Quota:
    """The quota of the recording in a folder: at most `max_bytes`, and nothing while less than `free_bytes` are free
    on its disk."""

    def __init__(
        self,
        folder: Path,
        max_bytes: int = MAX_BYTES,
        free_bytes: int = FREE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._max = max_bytes
        self._free = free_bytes
        self._clock = clock
        self._bodies = 0
        self._look_at = 0.0

    def body(self, size: int) -> str | None:
        """Why a body of this size cannot be stored; None when it can, and then its size is counted."""
        if self._used() + size > self._max:
            return f"the recording has reached its limit of {self._max} bytes (--max-size)"
        why = self._scarce(size)
        if why is None:
            self._bodies += size
        return why

    def line(self) -> str | None:
        """Why no line can be appended; None when one can."""
        if self._used() > self._max + self._max // LINES_MORE:
            return f"the recording has gone over its limit of {self._max} bytes (--max-size) with lines alone"
        return self._scarce(0)

    def _scarce(self, size: int) -> str | None:
        with suppress(OSError):
            if not has_room(self._folder, size, self._free):
                return f"less than {self._free} bytes are free on the disk"
        return None

    def _used(self) -> int:
        now = self._clock()
        if now >= self._look_at:
            self._bodies = _size_of(self._folder / BODIES)
            self._look_at = self._clock() + max(LOOK_S, 20 * (self._clock() - now))
        lines = 0
        for name in FILES.values():
            with suppress(OSError):
                lines += (self._folder / name).stat().st_size
        return self._bodies + lines


def _size_of(folder: Path) -> int:
    size = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # replaced meanwhile
                size += entry.stat(follow_symlinks=False).st_size
    return size


class Limited:
    """Wraps a recording for data that the app controls: what exceeds the quota is counted and reported in gaps."""

    def __init__(self, recording: Recording, quota: Quota) -> None:
        self._recording = recording
        self._quota = quota
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str], tuple[int, datetime]] = {}
        """What was left out, and why: its count, and the time of the first."""

    def append_all(self, events: Sequence[Event], /) -> object:
        """Append events, or none of them when the quota is used up."""
        why = self._quota.line()
        if why is None:
            return self._recording.append_all(events)
        self._leave_out("lines", why, len(events))
        return None

    def put_body(self, data: bytes, /) -> str | None:
        """Store bytes; their sha256, or None when the quota is used up."""
        why = self._quota.body(len(data))
        if why is None:
            return self._recording.put_body(data)
        self._leave_out("bodies", why, 1)
        return None

    def close(self) -> None:
        """Record the total of what was left out."""
        now = datetime.now(UTC)
        for (what, why), (count, since) in self._left.items():
            self._gap(what, f"{why}: {count} {what} of the app's own process are not recorded", since, now)
        self._left.clear()

    def _leave_out(self, what: str, why: str, count: int) -> None:
        now = datetime.now(UTC)
        with self._lock:
            before, since = self._left.get((what, why), (0, now))
            self._left[what, why] = before + count, since
        if not before:
            self._gap(what, f"{why}: {what} of the app's own process are not recorded from here on", now, None)

    def _gap(self, subject: str, detail: str, at: datetime, until: datetime | None) -> None:
        """Record a gap, with times on the host's clock, as in all device lines that the host writes."""
        self._recording.append(Gap(at=at, where="device", subject=subject, why="quota", detail=detail, until=until))
