"""The agent reaches an app through a frida-server: before its first line, late, or not at all, and says which."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appwitness.agent import agent as agents
from appwitness.agent import agent_process, spawn_gating
from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.frida_device import FridaFault, known
from appwitness.agent.sources import load
from appwitness.devices.android.control import Control
from appwitness.devices.android.frida import frida_server as server
from appwitness.devices.android.processes import Processes, start_app
from appwitness.events import Access, Gap, Phase
from appwitness.observe.hooks_check import hooks_work
from appwitness.recording import Recording
from appwitness.support.errors import SetupError
from hatch_build import build_agent, build_lab
from tests.adb.rig import frida_server
from tests.adb.rig.lab_app import Installed, furnish
from tests.adb.rig.phone import Phone
from tests.lab.program import Program, blank

ROOT = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


RECORDED: dict[Agent, Recording] = {}
"""Where the lines of each agent go."""


@dataclass
class Scene:
    """A device with Circle on it and a server that runs."""

    phone: Phone
    control: Control
    app: Installed
    running: server.Running
    folder: Path

    @property
    def package(self) -> str:
        return self.app.app.package

    @property
    def processes(self) -> Processes:
        return Processes.of(self.control.shell, self.package, self.app.uid)

    def agent(self) -> Agent:
        recording = blank(self.folder / f"recording-{time.monotonic_ns()}", self.package)
        agent = Agent(recording, load(), self.package, AgentOptions(partial=True, api_level=34))
        RECORDED[agent] = recording
        return agent

    def target(self, **changes: Any) -> Program:
        usual = {"argv": (self.package,), "remote": self.running.remote, "processes": self.processes}
        return Program(**{**usual, **changes})

    def start(self) -> int:
        return start_app(self.control.shell, self.package)

    def gone(self) -> bool:
        """Whether no process of the app is left, held ones among them."""
        end = time.monotonic() + 10
        while (there := self.processes()) and time.monotonic() < end:
            time.sleep(0.1)
        return not there


def events(agent: Agent, kind: Any) -> list[Any]:
    return list(RECORDED[agent].events(kind))


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    build_agent(ROOT)
    build_lab(ROOT)


@pytest.fixture
def scene(
    request: pytest.FixtureRequest,
    phone_of: Callable[..., Phone],
    control_of: Callable[[Phone], Control],
    tmp_path: Path,
) -> Iterator[Scene]:
    phone = phone_of()
    file = tmp_path / "server"
    file.write_bytes(frida_server.program())
    quiet_ms = getattr(request, "param", 300)
    with furnish(phone, "circle", "silent", quiet_ms=quiet_ms) as app:
        control = control_of(phone)
        yield Scene(phone, control, app, server.start(control, file), tmp_path)


def test_hooks_come_before_the_apps_first_line(scene: Scene) -> None:
    with scene.agent() as agent:
        agent.launch(scene.target())
        assert scene.processes() == {agent.pid: scene.package}
        assert scene.processes.main() == agent.pid
        assert agent.wait(60)
        assert not agent.crashed
    sources = {access.source for access in events(agent, Access)}
    assert any("ContentResolver" in source for source in sources)
    assert {"started"} <= {phase.state for phase in events(agent, Phase)}
    assert [gap for gap in events(agent, Gap) if gap.why == "process_not_instrumented"] == []
    assert list(agent.times) == ["started", "entered", "loaded", "let run"]
    assert list(agent.times.values()) == sorted(agent.times.values())


STAYS = pytest.mark.parametrize("scene", [25_000], indirect=True)
"""An app that the user leaves open, so that it can be entered late."""
TIMED_OUT = ["TimedOut", "Unexpectedly timed out while waiting for app to launch"]


@STAYS
def test_where_frida_cannot_start_it_the_hooks_come_late_and_a_gap_says_so(scene: Scene) -> None:
    scene.phone.write(frida={"Spawn": TIMED_OUT})
    with scene.agent() as agent:
        agent.launch(scene.target(otherwise=scene.start))
        assert not agent.wait(0.5)
    (gap,) = [gap for gap in events(agent, Gap) if gap.why == "process_not_instrumented"]
    assert "timed out while waiting for app to launch" in gap.detail
    assert timedelta(0) < gap.until - gap.at < timedelta(seconds=60)
    assert scene.gone()


@pytest.mark.parametrize("deaf", [False, True])
def test_whether_hooks_work_is_tried_in_an_app_and_nothing_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, deaf: bool
) -> None:
    if deaf:  # hooks that tell nobody, as where a device undoes them
        tells = r"seen\d*\.set\(method, \(.*\+ 1\);"
        script, count = re.subn(tells, lambda found: " " * len(found[0]), agents.agent_js())  # its size is in its head
        assert count == 1
        monkeypatch.setattr(agents, "agent_js", lambda: script)
    result = hooks_work(scene.control, scene.package, scene.folder / "server", cache=scene.folder)
    assert (result.level, result.code) == (("fault", "hooks-fail") if deaf else ("ok", None)), result
    assert ("the agent saw 0" if deaf else "all 8 calls") in result.message
    assert scene.gone()


@STAYS
def test_an_app_that_runs_is_entered_and_runs_on(scene: Scene) -> None:
    pid = scene.start()
    with scene.agent() as agent:
        agent.launch(scene.target(argv=None, pid=pid))
        assert agent.pid == pid
    assert not agent.crashed
    assert scene.processes() == {pid: scene.package}


def test_what_cannot_be_started_at_all_says_both(scene: Scene) -> None:
    state = scene.phone.read()
    scene.phone.write(frida={"Spawn": TIMED_OUT}, packages={})
    with scene.agent() as agent, pytest.raises(SetupError, match="Error") as raised:
        agent.launch(scene.target(otherwise=scene.start))
    assert getattr(raised.value, "code", "") == "app-not-started"
    scene.phone.write(frida={}, packages=state["packages"])


SPAWN_ERRORS = [
    ("frida-spawn-timeout", *TIMED_OUT),
    ("frida-app-unknown", "InvalidArgument", "Unable to find application with identifier 'x' belonging to user 0"),
    ("frida-no-activity", "InvalidArgument", "Unable to find a front-door activity"),
    ("frida-jailed", "NotSupported", "Need Gadget to attach on jailed Android; its default location is: /x"),
    ("frida-spawn-busy", "InvalidOperation", "Spawn already in progress for the specified package name"),
    ("frida-zygote", "NotSupported", "Unable to locate android.os.Process.setArgV0(); please file a bug"),
    ("frida-zygote", "NotSupported", "Failed to reach single-threaded state"),
    ("frida-selinux", "NotSupported", "Unable to load SELinux policy from the kernel: x"),
    ("frida-versions-differ", "Protocol", "Unable to communicate; please ensure that major versions match and"),
    ("frida-foreign-code", "NotSupported", "Unable to handle 32-bit processes due to build configuration"),
    ("frida-connection-lost", "Transport", "The connection is closed"),
    ("frida-process-gone", "ProcessNotFound", "Unable to find process with pid 7"),
    ("frida-refused", "PermissionDenied", "Unable to access process with pid 7 from the current user account"),
    ("frida-frozen", "ProcessNotResponding", "Process with pid 7 either refused to load frida-agent"),
    ("frida-failed", "ExecutableNotSupported", "Unable to parse executable at 'x'"),
    ("frida-failed", "ExecutableNotFound", "Unable to find executable at 'x'"),
    ("frida-failed", "AddressInUse", "Address already in use"),
]  # fmt: skip


def test_each_error_at_the_start_has_its_remedy(scene: Scene) -> None:
    for code, kind, message in SPAWN_ERRORS:
        scene.phone.write(frida={"Spawn": [kind, message]})
        with scene.agent() as agent, pytest.raises(FridaFault) as raised:
            agent.launch(scene.target())
        assert raised.value.code == code, message
        assert raised.value.what.startswith(f"{scene.package} could not be started: ")
        assert raised.value.next_step == next(one.do for one in known() if one.code == code)
    assert scene.gone()


@pytest.mark.parametrize("what", ["Attach", "Resume"])
def test_a_start_that_fails_in_the_middle_leaves_nothing_held(scene: Scene, what: str) -> None:
    scene.phone.write(frida={what: ["TimedOut", "Unexpectedly timed out while waiting for stop from process"]})
    with scene.agent() as agent, pytest.raises(FridaFault, match="Frida could not get into"):
        agent.launch(scene.target())
    scene.phone.write(frida={})
    assert scene.gone()
    with scene.agent() as agent:  # and the device is as it was
        agent.launch(scene.target())


def test_a_server_that_dies_in_the_run_is_no_crash_of_the_apps(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_process, "SERVER_S", 1.0)
    with scene.agent() as agent:
        agent.launch(scene.target())
        scene.control.shell.check(f"kill -9 $(pidof {Path(_program(scene)).name})", root=True)
        assert agent.wait(30)
        assert not agent.crashed
    assert [gap.why for gap in events(agent, Gap) if gap.subject == "agent"] == ["detached"]


def _program(scene: Scene) -> str:
    return scene.control.shell.check(f"ls -d {scene.running.folder}/* | grep -v output", root=True)


def test_further_processes_of_the_user_are_entered_whatever_their_names(scene: Scene) -> None:
    with scene.agent() as agent:
        agent.launch(scene.target())
        program = scene.phone.read()["programs"][scene.package]
        order = {
            **program,
            "uid": scene.app.uid,
            "argv": ["/usr/bin/sleep", "60"],
            "prepare": [],
            "env": {},
            "cwd": "/",
        }
        pid = zygote_starts(scene.phone, order)
        stranger = zygote_starts(scene.phone, {**order, "uid": 10200})
        end = time.monotonic() + 20
        while not agent.processes[1:] and time.monotonic() < end:
            agent.wait(0.1)
        assert [further.pid for further in agent.processes[1:]] == [pid]
        assert stranger not in scene.processes()


def test_further_processes_are_hooked_before_their_first_code_and_those_of_others_run_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "WHOSE_S",
        "HOOK_S",
    ):  # tests/agent/test_spawn_gating.py shows that they end; machines of tests are slow
        monkeypatch.setattr(spawn_gating, name, 60.0)
    program = scene.phone.read()["programs"][scene.package]
    argv = [word for word in program["argv"] if "{" not in word]
    order = {**program, "uid": scene.app.uid, "argv": argv, "prepare": []}

    def held(pid: int) -> bool:
        return (scene.phone.root / f"data/rig/held/{pid}").exists()

    with scene.agent() as agent:
        agent.launch(scene.target())
        stranger = zygote_starts(scene.phone, {**order, "uid": 10200, "argv": ["/usr/bin/sleep", "60"]})
        pid = zygote_starts(scene.phone, order)
        end = time.monotonic() + 30
        while not any(access.pid == pid for access in events(agent, Access)) and time.monotonic() < end:
            agent.wait(0.1)
        assert not held(stranger)
    started = {phase.pid for phase in events(agent, Phase) if phase.state == "started"}
    assert started == {agent.pid, pid}
    assert any(access.pid == pid for access in events(agent, Access))
    assert [gap.detail for gap in events(agent, Gap) if gap.why == "process_not_instrumented"] == []
    after = zygote_starts(scene.phone, {**order, "argv": ["/usr/bin/sleep", "60"]})
    time.sleep(0.3)
    assert not held(after)


def zygote_starts(phone: Phone, order: dict[str, Any]) -> int:
    """Have zygote start something, as the system would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as zygote:
        while not (phone.root / "data/rig/zygote.socket").exists():
            time.sleep(0.01)
        zygote.connect(str(phone.root / "data/rig/zygote.socket"))
        zygote.sendall(json.dumps(order).encode())
        return int(zygote.recv(32))


def test_the_last_entry_takes_all_that_is_not_known() -> None:
    assert [one.code for one in known() if not one.says and not one.raised] == [known()[-1].code]
