"""An app rests when its threads neither run nor use the processor; a question is answered only then."""

from __future__ import annotations

import pytest

from appwitness.devices.android.adb import CommandOutput
from appwitness.devices.android.idle import Rest


class Shell:
    """Says of one thread what the test wants: its state, and its ticks so far."""

    def __init__(self, samples: list[tuple[str, int]]) -> None:
        self.samples = samples

    def user(self, script: str) -> CommandOutput:
        state, ticks = self.samples.pop(0) if len(self.samples) > 1 else self.samples[0]
        return CommandOutput(0, f"7 (a) b) {state} 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0")


@pytest.mark.parametrize(
    ("samples", "last_recorded_s", "rests_at_s"),
    [
        ([("S", 9)], 0, 5),
        ([("S", 0), ("S", 50), ("S", 100), ("S", 150), ("S", 200), ("S", 202), ("S", 204)], 0, 6),
        ([("S", 9), ("S", 9), ("S", 9), ("S", 9), ("R", 9), ("S", 9)], 0, 6),
        ([("R", 9)], 0, 30),
        ([("S", 9)], 9, 13),
        ([("S", 9)], 99, 30),
    ],
)
def test_rest(samples: list[tuple[str, int]], last_recorded_s: int, rests_at_s: int) -> None:
    now = 100.0
    shell = Shell(list(samples))
    rest = Rest(shell, lambda: [7], lambda: now - 100 - last_recorded_s, lambda: now)  # type: ignore[arg-type]
    for waited in range(40):
        now = 100.0 + waited
        if rest():
            break
    assert waited == rests_at_s
