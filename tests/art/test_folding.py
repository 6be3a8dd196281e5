"""On ART, calls that repeat are counted in native code, exactly; nothing that an app does with its stack ends it."""

from __future__ import annotations

import re
from collections import Counter

import frida
import pytest

from appwitness.events import Gap
from tests.art.conftest import Played, Run
from tests.art.rig.vm import SLOWNESS, Held, ended
from tests.lab.folding import MANY, SOURCES, THREADS, api, by_threads, counts, of_kinds, of_threads, of_values

pytestmark = pytest.mark.timeout(180)

MOST_FRAMES = 128


def gaps(played: Played) -> list[Gap]:
    """Those of the program's own sources."""
    return [gap for gap in played.gaps if gap.subject.startswith(("folding.", "agent"))]


def without_stack(played: Played) -> int:
    """How many calls gaps say are recorded without their stack: none, but where the processor is emulated, and a thread
    has used up what it may spend on stacks. No other gap may be there."""
    told = [re.match(r"(\d+) calls are recorded without the stack", gap.detail or "") for gap in gaps(played)]
    assert all(told), gaps(played)
    assert SLOWNESS > 1 or not told, gaps(played)
    found = sum(int(each[1]) for each in told if each)
    assert found == sum(access.count for access in played.accesses if access.stack_cut == "thinned")
    return found


@pytest.mark.parametrize("stack", [True, False], ids=["stack", "no stack"])
def test_every_kind_of_repeat_is_counted_exactly(play: Run, stack: bool) -> None:
    played = play("folding", SOURCES, "kinds", stack=stack)
    assert (played.printed, played.code) == ("done\n", 0)
    assert without_stack(played) == 0 or stack
    assert counts(played.accesses) == of_kinds()


def test_values_that_are_all_new_are_recorded_as_they_were_read_and_by_whom(play: Run) -> None:
    played = play("folding", [api("said")], "values")
    assert (played.printed, played.code) == ("done\n", 0)
    without_stack(played)
    assert by_threads(played.accesses) == of_values()


def test_the_same_call_from_another_place_is_another_access(play: Run) -> None:
    received = api("received", values=[{"from": 0}], callback=True)
    played = play("folding", [api("number"), received], "places", "received")
    assert (played.printed, played.code) == ("done\n", 0)
    callers = Counter[str]()
    for access in played.accesses:
        if access.stack_cut != "thinned":
            callers[access.stack[0].split("(")[0]] += access.count
            assert access.stack_cut == ("long" if len(access.stack) == MOST_FRAMES - 1 else None)
    expected = Counter(
        {
            "folding.Main.places": 2 * MANY,  # two on one line
            "folding.Main.one": MANY,
            "folding.Main.deep": MANY,
            "folding.Main$Api.received": 1,
            "folding.Main.main": 1,
        }
    )
    assert callers <= expected
    assert (expected - callers).total() == without_stack(played)
    # A method of the app's that is hooked itself stands once on the stack.
    for inner in played.accesses:
        if inner.stack and inner.stack[0].startswith("folding.Main$Api.received"):
            assert [frame.split("(")[0] for frame in inner.stack[:2]] == [
                "folding.Main$Api.received",
                "folding.Main.main",
            ]
            assert re.fullmatch(r".*\(Main\.java:\d+\)", inner.stack[0])


@pytest.mark.parametrize(("step", "threads"), [("threads", 32), ("storm", 8)])
def test_many_threads_at_once(play: Run, step: str, threads: int) -> None:
    played = play("folding", THREADS, step, fold_ms=20)
    assert (played.printed, played.code) == ("done\n", 0), ended(played.log)
    without_stack(played)
    assert counts(played.accesses) == of_threads(threads)


LATE = """
    const pause = new CModule(`
      #include <gum/guminterceptor.h>
      extern int usleep (unsigned int microseconds);
      void on_leave (GumInvocationContext *ic) { usleep (20000); }
    `, {usleep: Module.getGlobalExportByName("usleep")});
    const moved = "_ZN3art2gc9collector17ConcurrentCopying29IssueDisableMarkingCheckpointEv";
    Interceptor.attach(Process.getModuleByName("libart.so").getExportByName(moved), {onLeave: pause.on_leave});
"""
"""Has the collector pause between letting threads go on and its next step."""


def test_traces_that_are_made_as_a_collection_ends_name_classes_that_are_there(play: Run) -> None:
    scripts = []

    def slow(held: Held) -> None:
        scripts.append(frida.attach(held.pid).create_script(LATE))
        scripts[0].load()

    played = play("folding", [api("refused")], "traces", fold_ms=20, before=slow)
    assert (played.printed, played.code) == ("done\n", 0), ended(played.log)


@pytest.mark.parametrize("stack", [True, False], ids=["stack", "no stack"])
def test_the_end_of_the_stack_is_the_apps_own_affair(play: Run, stack: bool) -> None:
    played = play("folding", [api("deeper")], "overflow", stack=stack)
    printed = played.printed.splitlines()
    assert (printed[:2], printed[3:], played.code) == (["caught", "caught"], ["done"], 0)
    lost = Counter[str]()
    for gap in gaps(played):
        assert (gap.subject, gap.why) == ("folding.deeper", "thinned")
        assert gap.until is not None
        assert gap.at <= gap.until
        found = re.match(r"(\d+) calls (are recorded without the stack|near the end of a stack)", gap.detail or "")
        assert found, gap.detail
        lost[found[2].split()[0]] += int(found[1])
    returned = [access for access in played.accesses if access.outcome == "returned"]
    # A call may be seen and the stack end as it is handed back to the recursion.
    assert sum(access.count for access in returned) + lost["near"] - int(printed[2].split()[1]) in range(3)
    assert lost["near"] > 0
    assert lost["are"] == sum(access.count for access in returned if access.stack_cut == "thinned")
    assert not stack or lost["are"] > 0


def test_more_objects_than_art_lets_a_process_refer_to(play: Run) -> None:
    heard = {"heard": {"values": [{"from": 0}]}}
    follow = [{"object": "argument", "type": "folding.Main$Listener", "methods": heard}]
    played = play("folding", [api("listen", values=[], quiet=True, follow=follow)], "listeners", stack=False)
    assert (played.printed, played.code) == ("done\n", 0)
    assert [access.values[0].text for access in played.accesses] == ["first", "later"]
    assert [(gap.subject, gap.why) for gap in gaps(played)] == [("agent", "overflow")]
