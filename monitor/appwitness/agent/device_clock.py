"""Measures the offset between the device's clock and the host's by repeated time queries, as NTP does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from appwitness.events import ClockReading

ROUNDS = 8
"""Requests in a row; the fastest answer is the most precise."""


class DeviceClock:
    """Requests the time with `ask(number)`; the receiver of the answer calls `told(number, micros)`, on any thread. The
    device reads its clock at some moment between request and answer, so half the round-trip time bounds the error of
    the offset, however unevenly the two directions share it."""

    def __init__(
        self,
        ask: Callable[[int], object],
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.perf_counter,
        *,
        readings: Sequence[ClockReading] = (),
    ) -> None:
        """`wall` returns seconds since 1970 on the host, `steady` monotonic seconds; `readings`: earlier ones."""
        self._ask = ask
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._number = 0
        self._rounds = 0
        self._asked = 0.0
        self._asked_at = 0.0
        self._best: ClockReading | None = None
        self._measured = threading.Event()
        self.readings = list(readings)
        """One for each completed measurement, in order of time."""

    def measure(self) -> None:
        """Begin a measurement; its result is added to `readings`. An earlier one without an answer is abandoned."""
        with self._lock:
            self._rounds, self._best = ROUNDS, None
            self._measured.clear()
        self._next()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the measurement; returns whether it completed in time."""
        return self._measured.wait(timeout_s)

    def told(self, number: int, micros: int) -> None:
        """Take an answer of the device: microseconds since 1970 on its clock."""
        back = self._steady()
        with self._lock:
            if number != self._number:
                return
            half = (back - self._asked) / 2
            offset = micros / 1_000_000 - (self._asked_at + half)
            reading = ClockReading(
                at=datetime.fromtimestamp(self._asked_at + half, UTC),
                offset_ms=round(offset * 1000, 3),
                uncertainty_ms=round(half * 1000 + 0.001, 3),
            )
            if self._best is None or reading.uncertainty_ms < self._best.uncertainty_ms:
                self._best = reading
            self._rounds -= 1
            if self._rounds == 0:
                self.readings.append(self._best)
                self._measured.set()
                return
        self._next()

    def _next(self) -> None:
        with self._lock:
            self._number += 1
            number = self._number
            self._asked_at, self._asked = self._wall(), self._steady()
        self._ask(number)


def summary(readings: list[ClockReading]) -> dict[str, object]:
    """The summary for run.json: the first and the last reading, the offset midway between them, and the largest
    error at any moment of the run. Empty without readings."""
    if not readings:
        return {}
    first, last = readings[0], readings[-1]
    drift = last.offset_ms - first.offset_ms
    return {
        "clock": [first, last] if last is not first else [first],
        "clock_offset_ms": round((first.offset_ms + last.offset_ms) / 2, 3),
        "clock_drift_ms": round(drift, 3),
        "clock_uncertainty_ms": round(max(first.uncertainty_ms, last.uncertainty_ms) + abs(drift) / 2, 3),
    }
