"""Classes of which a part is absent, and class loaders as plug-ins and packers use them."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import Source
from appwitness.events import Access
from tests.art.conftest import WAIT_S, Run
from tests.art.rig.vm import Held, Runtime
from tests.lab.program import Program, blank

pytestmark = pytest.mark.timeout(180)

PROGRAM = "classes"
PLUGGED_IN = 3 * 3
"""Loaders, and calls of the class of each."""
BURST = 8 * 4 * 3
"""Threads, loaders of each, and calls of the class of each."""


def source(cls: str, method: str = "read") -> Source:
    values = [] if method == "$init" else [{"from": "return"}]
    return Source(name=f"{cls}.{method}", cls=f"{PROGRAM}.{cls}", method=method, data="phone_number", values=values)


ABSENT = "absent.Gone"
HOSTILE = [
    # source, what the app prints of it, how often it is seen, and what the gap that tells of it says
    (source("Hostile$Field"), "field", 1, None),
    (source("Hostile$Constructor"), "text", 1, None),
    (source("Hostile$Constructor", "$init"), "text", 1, ABSENT),
    (source("Hostile$Signature"), "number 7", 1, ABSENT),
    (source("Hostile$Signature", "alone"), "alone", 0, ABSENT),
    (source("Hostile$Signature", "made"), "null", 0, ABSENT),
    (source("Hostile$Throws"), "throws", 1, None),
    (source("Hostile$Mentions"), "mentions null", 1, None),
    (source("Hostile$Below"), "java.lang.NoClassDefFoundError", 0, "never came"),
    (source("Hostile$Implements"), "java.lang.NoClassDefFoundError", 0, "never came"),
    (source("Hostile$Initialiser"), "java.lang.ExceptionInInitializerError", 0, None),
]
LOADED = [
    (source("Plugin"), PLUGGED_IN + BURST),
    (source("Plugin", "below"), PLUGGED_IN + BURST),
    (source("Packed"), 4),
]


@pytest.fixture(scope="module")
def jar(dexed: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program once more, for its loaders."""
    return Path(shutil.copy(dexed(PROGRAM), tmp_path_factory.mktemp("plug-in") / "plug-in.jar"))


def counts(accesses: Iterable[Access]) -> Counter[str]:
    seen: Counter[str] = Counter()
    for access in accesses:
        seen[access.source] += access.count
    return seen


def test_what_names_an_absent_class_is_a_gap_and_the_rest_is_seen(play: Run) -> None:
    played = play(PROGRAM, [each for each, *_ in HOSTILE])
    lines = played.printed.splitlines()
    assert (played.code, lines[-1:]) == (0, ["done"]), played.log
    printed = [line.partition(": ")[2] for line in lines]
    assert [said for _, said, *_ in HOSTILE if said not in printed] == []
    assert counts(played.accesses) == Counter({each.name: seen for each, _, seen, _ in HOSTILE if seen})
    told = {gap.subject: gap.detail or "" for gap in played.gaps}
    assert sorted(told) == sorted(each.name for each, *_, gap in HOSTILE if gap is not None)
    assert [each.name for each, *_, gap in HOSTILE if gap is not None and gap not in told[each.name]] == []


def test_the_classes_of_every_loader_are_seen_from_the_first_call_on(play: Run, jar: Path) -> None:
    played = play(PROGRAM, [each for each, _ in LOADED], str(jar))
    assert played.printed.splitlines() == [
        "plugged in",
        "added: packed added",
        "custom: packed custom",
        "elements: packed elements",
        "context: packed context",
        "burst: []",
        "done",
    ], played.log
    late = [gap.detail for gap in played.gaps if "too busy" in (gap.detail or "")]
    assert late or counts(played.accesses) == Counter({each.name: seen for each, seen in LOADED})


def test_loaders_that_were_there_before_the_agent_are_asked_too(
    runtime: Runtime, dexed: Callable[[str], Path], jar: Path, tmp_path: Path
) -> None:
    recording = blank(tmp_path / "recording", "art.classes")
    go = tmp_path / "go"
    sources = [each for each, _ in LOADED]
    held = Held(runtime, dexed(PROGRAM), "classes.Before", tmp_path / "vm", arguments=(str(jar), str(go)))
    with held, Agent(recording, sources, "art.classes", AgentOptions(api_level=29)) as agent:
        held.release()
        while "loaded" not in held.printed:
            time.sleep(0.02)
        agent.launch(Program(None, pid=held.pid))
        go.touch()
        assert agent.wait(WAIT_S)
    assert counts(recording.events(Access)) == {"Plugin.read": 2 * 3, "Plugin.below": 2 * 3}
