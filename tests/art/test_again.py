"""On ART a process takes the agent once in its life: it runs on after the run, and a second one says what to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.frida_device import FridaFault
from appwitness.agent.sources import Source
from appwitness.events import Access
from tests.art.rig.vm import Held, Runtime
from tests.lab.program import Program, blank

pytestmark = pytest.mark.timeout(240)
SECRET = Source(
    name="again.secret", cls="again.Main", method="secret", data="phone_number", values=[{"from": "return"}]
)


def test_a_process_is_entered_once(runtime: Runtime, dexed: Callable[[str], Path], tmp_path: Path) -> None:
    recording = blank(tmp_path / "recording", "art.again")

    def agent() -> Agent:
        return Agent(recording, [SECRET], "art.again", AgentOptions(api_level=29))

    with Held(runtime, dexed("again"), "again.Main", tmp_path / "vm") as held:
        with agent() as first:
            first.launch(Program(None, pid=held.pid))
            held.release()
            end = time.monotonic() + 60
            while not list(recording.events(Access)) and time.monotonic() < end:
                first.wait(0.1)
        seen = len(list(recording.events(Access)))
        assert seen
        with agent() as second, pytest.raises(FridaFault, match="an earlier run has been in this process") as raised:
            second.launch(Program(None, pid=held.pid))
        assert raised.value.code == "frida-entered-before"
        assert "Restart the app" in raised.value.next_step

        before = held.printed.count("\n")
        time.sleep(1)
        assert held.printed.count("\n") > before  # it runs on, with its own results
        *whole, _ = held.printed.split("\n")  # it is being written to
        assert whole == [f"secret {n}" for n in range(len(whole))]
        assert held.process is not None
        assert held.process.poll() is None
    assert len(list(recording.events(Access))) == seen
