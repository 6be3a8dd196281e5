"""What a hooked call costs in ART, against the same call without hooks in the same run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appwitness.agent.sources import Source
from tests.art import programs
from tests.art.conftest import Run
from tests.art.rig.vm import CODE, Held, Runtime

CALLS, DEPTH = 2_000, 4
WARM = 1_000
"""Calls of the program before those that it measures."""
MOST = 500
"""Times that a call without hooks may go into a hooked one: an app that asks again and again is not held up by more."""
SAME = Source(
    name="same", cls="beside.Main$Api", method="same", data="phone_number", values=[{"from": "return"}]
)  # fmt: skip


def nanoseconds(printed: str) -> int:
    (told,) = re.findall(r"^ns (\d+)", printed, re.MULTILINE)
    return int(told)


@pytest.mark.slow
@pytest.mark.parametrize("stack", [False, True])
def test_a_hooked_call_against_one_without_hooks(play: Run, runtime: Runtime, tmp_path: Path, stack: bool) -> None:
    arguments = ("calls", "same", str(CALLS), str(DEPTH))
    with Held(runtime, programs.dexed(runtime, "beside"), "beside.Main", tmp_path, arguments) as plain:
        plain.release()
        assert plain.wait() == 0
    without = nanoseconds(plain.printed)
    played = play("beside", [SAME], *arguments, stack=stack)
    ratio = nanoseconds(played.printed) / without
    print(f"{CODE}, {'stack' if stack else 'no stack'}: {ratio:.0f} times a call without hooks of {without} ns")
    assert sum(access.count for access in played.accesses) == WARM + CALLS
    assert ratio < MOST
