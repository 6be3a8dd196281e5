"""Threads, garbage and ends in ART: nothing is lost, nothing is wrong, and the last line before the end is there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from appwitness.agent.agent import Agent
from appwitness.agent.sources import Source
from appwitness.events import Phase
from tests.art.conftest import Played, Run
from tests.art.rig.vm import Held

pytestmark = pytest.mark.timeout(180)
PAUSES = 30


def source(method: str) -> Source:
    values = [{"from": "return"}]
    return Source(name=method, cls="busy.Main$Api", method=method, data="phone_number", values=values)


SOURCES = (source("read"), source("changing"))


def counts(played: Played) -> Counter[tuple[str, str]]:
    found = Counter[tuple[str, str]]()
    for access in played.accesses:
        found[access.source, access.values[0].text] += access.count
    return found


def ours(played: Played) -> list[str]:
    return [gap.why for gap in played.gaps if gap.subject in ("read", "changing", "agent")]


def test_32_threads_while_hooks_are_switched_off_and_on(play: Run, tmp_path: Path) -> None:
    def switch(agent: Agent, held: Held) -> None:
        for _ in range(PAUSES):
            agent.watch(False)
            agent.watch(True)
        (tmp_path / "end").touch()

    played = play("busy", SOURCES, "switched", "10", str(tmp_path / "end"), during=switch)
    assert played.printed == "wrong: 0\n"
    assert played.code == 0
    assert {source for source, _ in counts(played)} == {"read", "changing"}


@pytest.mark.parametrize("stack", [True, False])
def test_each_call_is_counted_while_garbage_is_collected(play: Run, stack: bool) -> None:
    times = 200
    played = play("busy", SOURCES, "collected", str(times), stack=stack)
    assert played.printed == "wrong: 0\n"
    assert ours(played) == []
    expected: dict[tuple[str, str], int] = {("read", f"value of {slot}"): 2 * times for slot in range(4)}
    assert counts(played) == expected | {("changing", f"number {n}"): 8 * times // 2 for n in range(2)}


@pytest.mark.parametrize(("way", "code"), [("exit", 3), ("halt", 4), ("uncaught", 1)])
def test_what_was_read_just_before_the_end_is_recorded(play: Run, way: str, code: int) -> None:
    played = play("busy", SOURCES, way, str(code))
    assert played.printed == "ending\n"
    assert played.code == code
    assert counts(played) == {("read", "value of 0"): 1, ("changing", "number 0"): 1}
    assert [phase.state for phase in played.recording.events(Phase)][-1] == "exited"
