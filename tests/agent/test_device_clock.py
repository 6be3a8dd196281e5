"""The device's clock against the host's: never further off than the measurement says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.agent.device_clock import ROUNDS, DeviceClock, summary
from appwitness.events import ClockReading

START = 1_773_478_800.0


class Device:
    """A device with a clock of its own, as far away as the test says."""

    def __init__(self, offset_s: float, ways: list[tuple[float, float]]):
        self.now = 0.0
        self.offset_s = offset_s
        self.ways = iter(ways)
        self.silent = False
        self.numbers: list[int] = []
        self.clock = DeviceClock(self.asked, lambda: START + self.now, lambda: self.now)

    def asked(self, number: int) -> None:
        self.numbers.append(number)
        if self.silent:
            return
        there, back = next(self.ways)
        self.now += there
        micros = round((START + self.now + self.offset_s) * 1_000_000)
        self.now += back
        self.clock.told(number, micros)


WAY = st.floats(0, 0.5, allow_nan=False)


@given(st.floats(-1e6, 1e6, allow_nan=False), st.lists(st.tuples(WAY, WAY), min_size=ROUNDS, max_size=ROUNDS))
def test_the_truth_lies_within_what_it_says(offset_s, ways):
    device = Device(offset_s, ways)
    device.clock.measure()
    assert device.clock.wait(0)
    (reading,) = device.clock.readings
    assert abs(reading.offset_ms - offset_s * 1000) <= reading.uncertainty_ms + 0.002
    assert reading.uncertainty_ms == pytest.approx(min(sum(way) for way in ways) * 500, abs=0.003)


def test_a_device_that_does_not_answer_gives_no_reading_and_one_that_answers_late_is_not_believed():
    device = Device(1, [(0.001, 0.001)] * ROUNDS)
    device.silent = True
    device.clock.measure()
    assert not device.clock.wait(0)
    late = device.numbers[-1]
    device.silent = False
    device.now += 60
    device.clock.measure()
    device.clock.told(late, 0)
    (reading,) = device.clock.readings
    assert reading.offset_ms == pytest.approx(1000, abs=0.01)
    assert summary([]) == {}


def reading(offset_ms, uncertainty_ms):
    return ClockReading(at="2026-03-14T09:00:00Z", offset_ms=offset_ms, uncertainty_ms=uncertainty_ms)


def test_the_offset_is_that_of_the_middle_and_the_drift_widens_what_is_not_known():
    first, last = reading(1000, 0.5), reading(1010, 2)
    told = summary([first, reading(5000, 0.1), last])
    assert told == {
        "clock": [first, last],
        "clock_offset_ms": 1005,
        "clock_drift_ms": 10,
        "clock_uncertainty_ms": 7,
    }
    assert summary([first])["clock_uncertainty_ms"] == 0.5
