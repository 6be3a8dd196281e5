"""Calls that repeat are counted in native code, exactly, and the app gets its own answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from appwitness.agent.sources import Source
from appwitness.events import Access
from tests.lab.folding import MANY, SOURCES, THREADS, Call, api, by_threads, counts, of_kinds, of_threads, of_values
from tests.lab.program import Play, Played

PROGRAM = Path(__file__).parents[1] / "art/java/folding"
pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def run(play: Play, step: str, sources: Sequence[Source], **options: Any) -> Played:
    played: Played = play("folding.Main", sources, step, files=[PROGRAM], **options)
    return played


def seen(play: Play, step: str, sources: Sequence[Source], **options: Any) -> list[Access]:
    """The accesses of a step of which nothing is to be missed."""
    played = run(play, step, sources, **options)
    assert (played.printed, played.gaps) == ("done\n", [])
    return played.accesses


@pytest.mark.parametrize("stack", [True, False], ids=["stack", "no stack"])
def test_every_kind_of_repeat_is_counted_exactly(play: Play, stack: bool) -> None:
    accesses = seen(play, "kinds", SOURCES, stack=stack)
    assert counts(accesses) == of_kinds()
    # Else the test would be of calls that were told of one by one.
    assert len(accesses) < sum(of_kinds().values()) / 10


def test_the_same_call_from_another_place_is_another_access_and_each_source_of_a_method_is_told(play: Play) -> None:
    again = Source(
        name="folding.again", cls="folding.Main$Api", method="number", data="imei", values=[{"from": "return"}]
    )
    callers = Counter[tuple[str, str]]()
    for access in seen(play, "places", [api("number"), again]):
        callers[access.source, access.stack[0].split("(")[0].removeprefix("folding.Main.")] += access.count
    each = {"places": 2 * MANY, "one": MANY, "deep": MANY}  # two on one line
    assert callers == {(f"folding.{name}", caller): n for name in ("number", "again") for caller, n in each.items()}


def test_calls_that_concern_nobody_hide_nothing_that_they_call(play: Play) -> None:
    when = {"argument": 0, "matches": ["^ours$", "^x+$"]}
    found = counts(seen(play, "hints", [api("hint", when=when, target=0), api("inner", target=0)]))
    long = "x" * 600
    expected: dict[Call, int] = {
        ("hint", "ours", "returned", "deep ours"): MANY,
        ("hint", long, "returned", f"deep {long}"): MANY,
        ("inner", "theirs", "returned", "deep theirs"): MANY,
        ("inner", None, "returned", "deep null"): 1,
    }
    assert found == expected | {("inner", f"a{n}", "returned", f"deep a{n}"): 1 for n in range(MANY)}


def test_32_threads_at_once(play: Play) -> None:
    assert counts(seen(play, "threads", THREADS, fold_ms=20)) == of_threads(32)


@pytest.mark.parametrize("stack", [True, False], ids=["stack", "no stack"])
def test_values_that_are_all_new_are_recorded_as_they_were_read_and_by_whom(play: Play, stack: bool) -> None:
    accesses = seen(play, "values", [api("said")], stack=stack)
    assert by_threads(accesses) == of_values()
    callers = [[frame.split("(")[0] for frame in access.stack[:1]] for access in accesses]
    assert callers == [["folding.Main.say"] * stack] * len(accesses)


def test_the_end_of_the_stack_is_the_apps_own_affair(play: Play) -> None:
    played = run(play, "overflow", [api("deeper")])
    *caught, made, done = played.printed.splitlines()
    assert (caught, done) == (["caught", "caught"], "done")
    lost = [gap for gap in played.gaps if "near the end of a stack" in (gap.detail or "")]
    assert {(gap.subject, gap.why) for gap in lost} == {("folding.deeper", "thinned")}
    near = sum(int(re.findall(r"\d+", gap.detail or "")[0]) for gap in lost)
    returned = sum(access.count for access in played.accesses if access.outcome == "returned")
    # A call may be seen and the stack end as it is handed back to the recursion.
    assert returned + near - int(made.split()[1]) in range(3)
