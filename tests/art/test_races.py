"""Threads that meet where they hardly ever would: each call is counted, or a gap says that it is not.

In the agent of tests/lab/races a thread waits at named points, as follows from a seed.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from appwitness.agent import agent
from appwitness.agent.sources import Source
from tests.art import programs
from tests.art.conftest import Played, Run
from tests.art.rig.vm import SLOWNESS, Held, Runtime

pytestmark = pytest.mark.timeout(180)

THREADS, TIMES = 32, 100
FOLD_MS = 10
"""So short that lines of what was counted are made all the time."""
QUICK = 6
SEEDS = [pytest.param(seed, marks=() if seed < QUICK else (pytest.mark.slow,)) for seed in range(200)]
NOT_RECORDED = re.compile(r"^(\d+) calls .*are not recorded")


@pytest.fixture(autouse=True)
def _slowed(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    text = programs.slowed_agent(runtime)
    monkeypatch.setattr(agent, "agent_js", lambda: text)


def source(method: str) -> Source:
    values = [{"from": "return"}]
    return Source(name=method, cls="busy.Main$Api", method=method, data="phone_number", values=values)


def counted(played: Played) -> Counter[str]:
    """Calls of each method, those included that a gap says are not recorded."""
    found: Counter[str] = Counter()
    for access in played.accesses:
        found[access.source] += access.count
    for gap in played.gaps:
        told = NOT_RECORDED.match(gap.detail or "")
        found[gap.subject] += int(told[1]) if told else 0
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_every_call_is_counted_or_in_a_gap(play: Run, seed: int) -> None:
    seeded = {"APPWITNESS_SEED": str(seed)}
    played = play(
        "busy",
        [source("read"), source("changing")],
        "many",
        str(TIMES),
        env=seeded,
        stack=seed % 2 == 0,
        fold_ms=FOLD_MS,
    )
    assert (played.printed, played.code) == ("wrong: 0\n", 0), played.log[-2000:]
    assert counted(played) == {"read": THREADS * TIMES, "changing": THREADS * TIMES}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_counted_is_told_when_the_process_ends_meanwhile(play: Run, seed: int) -> None:
    seeded = {"APPWITNESS_SEED": str(seed)}
    after_ms = str(int(1000 * SLOWNESS) + 7 * seed)
    options: dict[str, Any] = {"env": seeded, "stack": seed % 2 == 0, "fold_ms": FOLD_MS}
    played = play("busy", [source("read"), source("changing")], "ended", after_ms, **options)
    assert played.code == 0, played.log[-2000:]
    read, changing = map(int, played.printed.split())
    found = counted(played)
    assert found["read"] >= read
    assert found["changing"] >= changing


@pytest.mark.parametrize("seed", SEEDS)
def test_the_app_goes_on_when_the_agent_comes_and_goes_under_its_threads(play: Run, tmp_path: Path, seed: int) -> None:
    end = tmp_path / "end"

    def leave(entered: agent.Agent, _: Held) -> None:
        entered.watch(False)
        entered.watch(True)
        entered.stop()
        end.touch()

    played = play(
        "busy", [source("read"), source("changing")], "switched", "10", str(end), during=leave,
        env={"APPWITNESS_SEED": str(seed)}, stack=seed % 2 == 0, fold_ms=FOLD_MS,
    )  # fmt: skip
    assert (played.printed, played.code) == ("wrong: 0\n", 0), played.log[-2000:]


def test_no_thread_runs_half_of_a_change_of_code(play: Run) -> None:
    """Its main thread asks ART for a file again and again while ART's own code is patched, slowly."""
    played = play("busy", [source("read")], "many", "10", env={"APPWITNESS_SEED": "0"})
    assert played.code == 0, played.log
    assert counted(played)["read"] > 0
