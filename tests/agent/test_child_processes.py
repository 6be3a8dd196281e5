"""Which processes of an app are entered, and which are told of as not seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appwitness.agent.agent import Agent
from appwitness.agent.child_processes import PROGRAM, STRANGER, Children, Followed, Means
from appwitness.agent.target import Gadget
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
    seen.children._look_at = 0
    seen.children.look()
    assert seen.end() == (entered, [])


def test_a_process_is_entered_once_whoever_tells_of_it():
    seen = Seen(lambda: {5: "x"}, users=[5])
    for _ in range(3):
        seen.children._look_at = 0
        seen.children.look()
        seen.children.told(5, "own", "x")
    assert seen.end() == ([5], [])


def test_a_process_of_another_user_is_left_alone():
    seen = Seen(lambda: {5: "x"})
    seen.children.told(6, "own", "/data/other")
    assert seen.end() == ([], [("/data/other", STRANGER)])


def test_a_gadget_is_in_one_process_alone(tmp_path):
    agent = Agent(blank(tmp_path / "recording", APP), [], APP)
    agent._gadget = Gadget("", end=lambda: None)
    with pytest.raises(SetupError, match="in the app's first process alone"):
        agent._hook_child(4711, False)
