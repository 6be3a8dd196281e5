"""A lost process is said to have ended only if Frida says so, and is missed from the moment of its loss."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import frida
import pytest

from appwitness.agent import agent_process
from appwitness.agent.agent_listener import AgentState, Numbering
from appwitness.agent.agent_process import AgentProcess, EnteredProcess
from appwitness.agent.device_clock import DeviceClock
from appwitness.agent.process_recorder import ProcessRecorder
from appwitness.events import Gap, Phase
from appwitness.support.errors import SetupError

APP = "com.example.app"


class Device:
    """Frida, which tells at once that the process is lost."""

    def __init__(self, reason):
        self.reason = reason

    def enter(self, pid, code, *, ended, **_):
        ended(self.reason, None)


def lost(reason):
    record: Any = SimpleNamespace(
        app=APP,
        now=lambda: datetime.now(UTC),
        append=lambda lines: None,
        gap=lambda *_, **__: None,
        raise_failure=lambda: None,
    )
    process: Any = SimpleNamespace(device=Device(reason), pid=7, kept_s=0, by_gadget=False)
    nothing: Any = None
    listener: Any = SimpleNamespace(on_message=None, state=AgentState(nothing))
    agent = AgentProcess(process, record, listener, nothing)
    agent.attach("")
    with pytest.raises(SetupError) as raised:
        agent.until_ready(lambda why, kind: kind(why, "Try again."))
    return raised.value.what


def test_it_ended():
    assert lost("process-terminated") == f"{APP} ended before its hooks were live."


@pytest.mark.parametrize("reason", ["connection-terminated", "device-lost", "process-replaced"])
def test_whether_it_ended_was_not_seen(reason):
    said = lost(reason)
    assert said == f"Frida lost {APP} before its hooks were live ({reason}). Whether {APP} has ended was not seen."


class Remote:
    """Frida on a device: `says` at each look whether the process lives; None: the device does not answer."""

    def __init__(self, says, resumes=True):
        self.says = says
        self.resumes = resumes

    def enter(self, pid, code, *, ended, **_):
        self.ended = ended
        return self

    def lives(self, pid):
        said = self.says.pop(0) if self.says else None
        if said is None:
            raise frida.TransportError("gone")
        return said

    def resume(self):
        if not self.resumes:
            raise frida.TransportError("gone")


class Lines(list[Any]):
    """What is recorded."""

    append_all = list.extend

    def put_body(self, data):
        return None


def owned(answers):
    def ask():
        if not answers:
            raise SetupError("It is gone.", "Plug it in.")
        return {7: APP}

    return ask


@pytest.fixture
def quick(monkeypatch):
    for name, value in {"AWAY_S": 0.3, "BACK_TRY_S": 0.01, "SERVER_S": 0.05}.items():
        monkeypatch.setattr(agent_process, name, value)


def loses(device, *, answers=False, said=False):
    """Lose the connection once; returns the agent and the lines."""
    nothing: Any = SimpleNamespace()
    lines = Lines()
    state = AgentState(nothing)
    state.ready.set()
    state.ending.said = said
    process = EnteredProcess(device, 7, ends=True, kept_s=10, owned=owned(answers))
    record = ProcessRecorder(lines, APP, 7, DeviceClock(lambda _: None))
    listener: Any = SimpleNamespace(on_message=None, state=state, numbering=Numbering(), close=lambda: None)
    agent = AgentProcess(process, record, listener, nothing, back=lambda: None)
    agent.attach("")
    device.ended("connection-terminated", None)
    return agent, lines


def of(lines, kind):
    return [each for each in lines if isinstance(each, kind)]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("looks", [[False], [None, False]])
def test_nobody_saw_how_a_process_ended_while_its_connection_was_lost(looks):
    agent, lines = loses(Remote(list(looks)))
    assert agent.wait(5)
    (exited,), gaps = of(lines, Phase), of(lines, Gap)
    assert exited.text == "unseen"
    assert not agent.listener.state.ending.crashed
    assert not agent.lost
    assert all(gap.at < exited.at for gap in gaps)
    assert [gap.where for gap in gaps] == (["hook"] if len(looks) == 1 else ["hook", "device"])


@pytest.mark.usefixtures("quick")
def test_an_end_that_the_agent_announced_is_no_gap():
    agent, lines = loses(Remote([False]), said=True)
    assert agent.wait(5)
    assert lines == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("answers", [False, True])
def test_a_process_that_does_not_come_back_is_missed_since_its_loss(answers):
    before = datetime.now(UTC)
    agent, lines = loses(Remote([]), answers=answers)
    assert agent.wait(5)
    assert agent.lost
    assert [gap.where for gap in lines] == (["hook"] if answers else ["device", "hook"])  # else the screen was seen
    after = datetime.now(UTC)
    assert all(before <= gap.at < gap.until <= after for gap in lines)
    assert all((gap.until - gap.at).total_seconds() >= (0.05 if answers else 0.3) for gap in lines)


@pytest.mark.usefixtures("quick")
def test_a_second_loss_is_the_last():
    device = Remote([None, True])
    agent, lines = loses(device)
    while not of(lines, Gap) or agent.away_since is not None:
        pass
    assert not agent.wait(0)
    device.ended("connection-terminated", None)
    assert agent.wait(5)
    assert agent.lost
    away, again = lines
    assert (away.where, again.where) == ("device", "hook")
    assert "lost again" in again.detail


@pytest.mark.usefixtures("quick")
def test_an_observation_that_ends_while_the_connection_is_lost_loses_nothing():
    agent, lines = loses(Remote([]))
    agent.children.close = lambda: None
    while agent.away_since is None:
        pass
    agent.closing()
    agent.stop()
    assert not agent.lost
    assert [gap.where for gap in of(lines, Gap)] == ["device", "hook"]
