"""Calls from code that ART has compiled are seen, whatever its compilers made of them, before the hooks or after."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from appwitness.agent import agent
from appwitness.agent.agent import Agent
from appwitness.agent.sources import Source
from tests.art.compiled import compiler
from tests.art.conftest import Played, Run
from tests.art.rig.device import zygote
from tests.art.rig.vm import CODES, SLOWNESS, START_S, Held
from tests.art.test_hooks_kept import test_the_first_use_of_a_class_by_many_threads_loses_no_hook as storm
from tests.art.test_table import test_each_way_of_calling as table

pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]
TIMES = 20_000
PAUSE_MS = int(700 * SLOWNESS)
"""Four of them come before the hooks: what is hot is compiled meanwhile."""
API = {
    "small": "inlined", "constant": "inlined, and nothing of it is left", "getter": "inlined", "sealed": "inlined",
    "single": "inlined: the only one of its name", "through": "inlined: the only class that a call ever met",
    "locked": "called", "wide": "inlined, with values of 64 bits", "down": "inlined into itself", "thrower": "called",
    "big": "called: too long", "hidden": "inlined into a method that is inlined",
}  # fmt: skip
"""Method of Main.Api -> what a compiler makes of its calls."""
KNOWN_TO_ART = {
    "intrinsic": Source(
        name="intrinsic", cls="java.lang.Math", method="max", overloads=[["int", "int"]], data="phone_number", values=[]
    ),
    "critical": Source(name="critical", cls="java.lang.Math", method="IEEEremainder", data="phone_number", values=[]),
    "fast": Source(
        name="fast", cls="java.lang.Thread", method="isInterrupted", overloads=[[]], data="phone_number", values=[]
    ),
}
"""Code without a call; natives called without a change of the thread's state (@CriticalNative, @FastNative)."""


def sources() -> list[Source]:
    values = [{"from": "return"}]
    own = [
        Source(name=name, cls="compiled.Main$Api", method=name, data="phone_number", values=values, overloads=None)
        for name in API
    ]
    return [*own, *KNOWN_TO_ART.values()]


COMPILED = [
    pytest.param(code, marks=pytest.mark.skipif(compiler.lacking() is not None, reason=f"{compiler.lacking()}"))
    for code in CODES[1:]
]
KINDS = [CODES[0], *COMPILED]


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("stack", [False, True])
def test_calls_are_seen_that_were_hot_before_the_hooks(play: Run, tmp_path: Path, code: str, stack: bool) -> None:
    go = tmp_path / "go"

    played = play(
        "compiled", sources(), str(TIMES), str(go), str(PAUSE_MS), code=code, stack=stack,
        before=until_hot, during=lambda agent, held: go.touch(),
    )  # fmt: skip
    check(played, TIMES)


def until_hot(held: Held) -> None:
    held.release()
    end = time.monotonic() + START_S
    while "hot" not in held.printed:
        assert time.monotonic() < end, held.log
        time.sleep(0.1)


@pytest.mark.parametrize("code", KINDS)
def test_a_method_that_stays_in_compiled_code_is_named(play: Run, tmp_path: Path, code: str) -> None:
    """What was inlined into a loop that is running when the hooks come is not seen; what is called after it is."""
    played = play(
        "compiled", [source for source in sources() if source.name == "small"], str(tmp_path / "end"), str(TIMES),
        str(4 * PAUSE_MS), main="compiled.Running", code=code, stack=False, before=until_hot,
        during=lambda agent, held: (tmp_path / "end").touch(),
    )  # fmt: skip
    assert (played.printed, played.code) == ("hot\nwrong: 0\n", 0)
    details = [gap.detail or "" for gap in played.gaps if gap.why == "not_observed"]
    assert sum(access.count for access in played.accesses) >= TIMES
    if code == CODES[0]:
        assert details == []
    else:
        (detail,) = details
        assert "until they return: " in detail
        assert "compiled.Running.loop" in detail


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("started", [False, True])
def test_calls_are_seen_that_become_hot_with_the_hooks(
    play: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, started: bool
) -> None:
    """The app's classes come after the hooks, with the code that was compiled ahead. `started`: the process is held
    until then, as a new one of a phone is."""
    held: list[Held] = []
    if started:
        monkeypatch.setattr(agent, "FridaDevice", zygote(lambda: held[0]))

    def go(agent: Agent, held: Held) -> None:
        (tmp_path / "go").touch()

    played = play(
        "compiled", sources(), str(TIMES), str(tmp_path / "go"), "100", code=code, stack=False, before=held.append,
        during=go,
    )  # fmt: skip
    check(played, 2 * TIMES)


def check(played: Played, times: int) -> None:
    assert (played.printed, played.code) == ("hot\nwrong: 0\n", 0)
    counted: Counter[str] = Counter()
    for access in played.accesses:
        counted[access.source] += access.count
    assert counted == dict.fromkeys([*API, *KNOWN_TO_ART], times)
    # Where the processor is emulated, stacks take so much of a thread's time that some are left out, and a gap says so.
    gaps = [(gap.subject, gap.why, gap.detail or "") for gap in played.gaps if gap.why != "thinned" or SLOWNESS == 1]
    unexpected = [gap for gap in gaps if gap[:2] != ("agent", "install_failed")]
    assert [gap for gap in unexpected if not gap[2].endswith("until they return: compiled.Main.main")] == []
    probe = played.agent.probe
    assert probe is not None
    assert probe.problem is None


@pytest.mark.parametrize("code", COMPILED)
def test_first_uses_and_each_way_of_calling(play: Run, code: str) -> None:
    """As in the interpreter: 12,000 calls of 12,000."""

    def compiled(*arguments: Any, **options: Any) -> Played:
        return play(*arguments, code=code, **options)

    storm(compiled)
    table(compiled, (), ())
