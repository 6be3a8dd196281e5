"""Every source of the catalog, called on a stand-in of its class: the access, its values, and the app's own result."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appwitness.agent.agent import Agent
from appwitness.agent.sources import Source, load
from appwitness.devices.lab.runtime import java_home
from appwitness.events import Access
from hatch_build import build_agent
from tests.lab import signatures
from tests.lab.program import Program, blank
from tests.lab.standin import Unfit
from tests.lab.standin.build import compiled, write
from tests.lab.standin.calls import Call, Writer
from tests.lab.standin.types import Types

ROOT = Path(__file__).parents[2]
SOURCES = load()

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Played:
    """What came of the calls of all sources asked for."""

    calls: dict[int, list[Call]]
    """index of the source -> its calls"""
    unfit: dict[int, str]
    wrong: dict[int, str]
    """number of the call -> what the compiler said"""
    accesses: dict[int, list[Access]]
    printed: str
    gaps: list[Any]


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> dict[str, signatures.Declared]:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed, and the list of the API comes from its registry")
    try:
        return signatures.of_list(signatures.fetch(tmp_path_factory.mktemp("api")))
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm could not fetch {signatures.PACKAGE}: {error}")


@pytest.fixture(scope="module")
def played(request, listed, tmp_path_factory) -> Played:
    """One run of a JVM for the sources of the tests that were asked for."""
    asked = sorted({item.callspec.params["at"] for item in request.session.items if "at" in _params(item)})
    return play([(at, SOURCES[at]) for at in asked], Types(listed, SOURCES), tmp_path_factory.mktemp("standin"))


def _params(item: Any) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") and item.module.__name__ == __name__ else {}


def play(sources: Sequence[tuple[int, Source]], types: Types, folder: Path) -> Played:
    build_agent(ROOT)
    writer = Writer(types)
    calls: dict[int, list[Call]] = {}
    unfit: dict[int, str] = {}
    for at, source in sources:
        try:
            calls[at] = writer.calls(source)
        except Unfit as error:
            unfit[at] = str(error)
    every = [call for each in calls.values() for call in each]
    write(folder / "java", writer, every)
    wrong = compiled(folder / "java", folder / "classes", every)
    recording = blank(folder / "recording", "standin")
    printed: list[bytes] = []
    agent = Agent(recording, [source for _, source in sources], "standin", on_output=printed.append)
    numbers = [str(call.number) for call in every if call.number not in wrong]
    java = str(java_home() / "bin" / "java")
    with agent:
        agent.launch(Program((java, "-Xshare:off", "-cp", str(folder / "classes"), "standin.Play", *numbers)))
        ended = agent.wait(480)
    output = b"".join(printed).decode("utf-8", "replace")
    assert ended, output[-2000:]
    accesses: dict[int, list[Access]] = {}
    for read in recording.read("access"):
        assert isinstance(read.event, Access)
        if found := re.search(r"standin\.Call(\d+)\.", " ".join(read.event.stack)):
            accesses.setdefault(int(found[1]), []).append(read.event)
    return Played(calls, unfit, wrong, accesses, output, [read.event for read in recording.read("gap")])


@pytest.mark.parametrize("at", range(len(SOURCES)), ids=[f"{each.name} {each.data}" for each in SOURCES])
def test_the_source_sees_its_calls(played, at):
    source = SOURCES[at]
    if at in played.unfit:
        pytest.fail(played.unfit[at], pytrace=False)
    assert "DONE" in played.printed, played.printed[-2000:]
    for call in played.calls[at]:
        if fault := _fault(played, source, call):
            pytest.fail(f"{call.what}: {fault}", pytrace=False)


def test_no_source_is_said_to_be_older_than_it_is(listed):
    types = Types(listed, SOURCES)
    public = [each for each in SOURCES if not each.shape and types.known(each.cls)]
    assert {
        (each.name, each.api, since)
        for each in public
        if (since := types.since(each)) > int((each.api or "0-").split("-")[0])
    } == set()


THERE = {
    "android.app.ApplicationPackageManager",
    "android.media.session.MediaSessionManager",
    "android.os.SystemProperties",
}
"""Classes of every Android that the list has not."""


def test_a_name_that_the_list_has_not_says_why_it_may_be_missing(listed):
    types = Types(listed, SOURCES)
    ours = [each for each in SOURCES if each.cls not in THERE and not each.cls.startswith("java.")]
    assert {each.name for each in ours if not types.has(each) and not each.optional} == set()


def _fault(played: Played, source: Source, call: Call) -> str | None:
    """What is not as it should be after a call."""
    if call.number in played.wrong:
        return played.wrong[call.number]
    said = [line for line in played.printed.splitlines() if re.match(rf"(CHANGED|THREW|UNASKED) {call.number}\b", line)]
    if said:
        return said[0]
    seen = [a for a in played.accesses.get(call.number, []) if (a.source, a.data) == (source.name, source.data)]
    if call.real:
        wanted = [
            line.split(" ", 2)[2] for line in played.printed.splitlines() if line.startswith(f"GOT {call.number} ")
        ]
        texts = [value.text for access in seen for value in access.values]
        if not seen:
            return f"not seen; {_gaps(played, source)}"
        return None if texts == wanted else f"seen {texts}, and the app got {wanted}"
    got = sorted((a.outcome, tuple((v.type, v.text) for v in a.values), a.target) for a in seen)
    expected = sorted((each.outcome, each.values, each.target) for each in call.expected)
    if got != expected:
        return f"seen {got}, expected {expected}; {_gaps(played, source)}"
    for each in call.expected:
        if not any(each.args.items() <= (a.args or {}).items() for a in seen):
            return f"seen args {[a.args for a in seen]}, expected {each.args}"
    return None


def _gaps(played: Played, source: Source) -> str:
    return "; ".join(f"{gap.why} {gap.detail}" for gap in played.gaps if gap.subject == source.name) or "no gap"
