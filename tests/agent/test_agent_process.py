"""A process that is lost before its hooks are live is said to have ended only where Frida says so."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from appwitness.agent.agent_listener import AgentState
from appwitness.agent.agent_process import AgentProcess
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
