"""Which processes of an app are entered, and which are told of as not seen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from appwitness.agent import agent as agents
from appwitness.agent.agent import Agent
from appwitness.agent.child_processes import ENDED, PROGRAM, STRANGER, Children, Followed, Means
from appwitness.agent.frida_device import FridaDevice, StartedProcess
from appwitness.agent.target import Gadget, Target
from appwitness.events import Gap
from appwitness.support.errors import SetupError
from tests.lab.program import blank

APP = "com.example.app"


class Seen:
    """What became of each process."""

    def __init__(self, owned=None, running=(), users=()):
        self.hooked, self.missed = [], []
        means = Means(
            hook=self.hook,
            running=lambda: dict(running),
            ours=lambda pid: pid in users,
            ended=lambda pid: pid not in dict(running),
            missed=self.miss,
            lost=(OSError,),
            owned=owned,
        )
        self.children = Children(APP, 1, means, Followed())

    def hook(self, pid, held):
        self.hooked.append(pid)
        return datetime.now(UTC)

    def miss(self, subject, why, began=None):
        if began is None:
            self.missed.append((subject, why))

    def end(self):
        self.children.close()
        return sorted(self.hooked), self.missed


@pytest.mark.parametrize(
    ("line", "entered"),
    [
        ("/data/app/x/daemon run", True),
        ("/system/bin/app_process64 /data/app/x com.example.app.Daemon", True),
        ("am broadcast -a com.example.app.GO", False),
        ("/system/bin/content query --uri content://x", False),
        ("/system/bin/app_process64 /system/bin com.android.commands.pm.Pm path x", False),
    ],
)
def test_programs_of_android_are_not_the_apps_own(line, entered):
    seen = Seen(users=[7])
    seen.children.told(7, "own", line)
    assert seen.end() == (([7], []) if entered else ([], [(line, PROGRAM)]))


def silent():
    raise SetupError("The device is gone.", "Plug it in.")


@pytest.mark.parametrize(
    ("owned", "entered"),
    [
        (lambda: {1: APP, 5: "com.other.name", 6: f"{APP}:push"}, [5, 6]),  # any name is legal
        (None, [6, 8]),
        (silent, []),
    ],
)
def test_the_device_knows_the_apps_processes_and_else_their_names_do(owned, entered):
    seen = Seen(owned, running={6: f"{APP}:push", 8: f"{APP}:a", 9: f"{APP}x", 10: "com.other"}.items(), users=[6, 8])
    seen.children.look_at = 0
    seen.children.look()
    assert seen.end() == (entered, [])


def test_a_process_is_entered_once_whoever_tells_of_it():
    seen = Seen(lambda: {5: "x"}, users=[5])
    for _ in range(3):
        seen.children.look_at = 0
        seen.children.look()
        seen.children.told(5, "own", "x")
    assert seen.end() == ([5], [])


def test_a_process_of_another_user_is_left_alone():
    seen = Seen(lambda: {5: "x"}, running={6: "other"}.items())
    seen.children.told(6, "own", "/data/other")
    assert seen.end() == ([], [("/data/other", STRANGER)])


def test_a_process_that_has_ended_is_not_called_another_users():
    seen = Seen(lambda: {5: "x"}, running={5: "x"}.items())
    seen.children.told(6, "own", "/data/own")
    assert seen.end() == ([], [("/data/own", ENDED)])


def test_what_started_the_app_is_none_of_its_processes():
    """As the shell of a container is, which is process 1 and may be of the same user."""
    device = FridaDevice.reach(Target(argv=("app",)))
    code = (
        "import subprocess, sys; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); child.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout
        child = int(app.stdout.readline())
        try:
            assert device.may_be_of(child, app.pid)
            assert not device.may_be_of(app.pid, child)
            assert not device.may_be_of(os.getpid(), child)
        finally:
            os.kill(child, signal.SIGKILL)


class Gadgeted:
    """A device whose app has Frida's gadget in it and starts a process, and the script in the app."""

    def __init__(self):
        self.kept = []

    def listen(self, heard):
        pass

    def start(self, target):
        return StartedProcess(4710, ours=True, held=True)

    def enter(self, pid, code, *, heard, **_):
        self.heard = heard
        return self

    def load(self):
        self.say(type="child", pid=4711, how="own", line="app_process")

    def call(self, name, *arguments):
        self.say(type="ready")

    def say(self, **payload):
        self.heard({"type": "send", "payload": payload}, None)

    def may_be_of(self, pid, app):
        return False  # a gadget's device lists its own process alone

    def __getattr__(self, name):
        return lambda *_: {}


def test_a_gadget_is_in_one_process_alone(tmp_path, monkeypatch):
    recording = blank(tmp_path / "recording", APP)
    device = Gadgeted()
    monkeypatch.setattr(FridaDevice, "reach", lambda _: device)
    monkeypatch.setattr(agents, "CLOCK_WAIT_S", 0)
    with Agent(recording, [], APP) as agent:
        agent.launch(Target(argv=(APP,), gadget=Gadget("", end=lambda: None)))
    (gap,) = recording.events(Gap)
    assert (gap.subject, gap.why) == ("app_process", "process_not_instrumented")
    assert "in the app's first process alone" in (gap.detail or "")
