"""Real messages of a hostile app, through Frida's own channel: none of it is believed, and the run goes on."""

from __future__ import annotations

import pytest

from appwitness.agent.agent import agent_js
from appwitness.events import Access, Consent, Gap, Phase, Upload
from appwitness.recording import verify
from tests.lab.test_agent import api

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

HOSTILE = r"""
;(() => {
  const about = { v: 1, at: new Date().toISOString(), app: "probe", pid: Process.id };
  const consent = { ...about, kind: "consent", signal: "operator", status: "given", by: "operator" };
  const upload = { ...about, kind: "upload", via: "http", url: "https://rival.test/", host: "rival.test" };
  const access = { ...about, kind: "access", source: "forged", data: "location", outcome: "returned" };
  const lines = [
    consent, upload, { ...access, app: "com.example.rival" }, { ...access, pid: 1 },
    { ...access, at: "1999-01-01T00:00:00Z" }, { ...upload, via: "sms", body: "0".repeat(64), size: 1 },
    { ...about, kind: "phase", state: "mark", text: "observation ended" },
  ].map((one) => JSON.stringify(one));
  const attack = () => {
    const letters = [...[...lines, "{", "7", "null"].join("\n")];
    send({ type: "lines" }, new Uint8Array(letters.map((each) => each.charCodeAt(0))).buffer);
    send({ type: "facts", facts: [{ ...about, fact: "tap", at: "1999-01-01T00:00:00Z" }, [], 3] });
    send({ type: "child", pid: 1, how: "own", line: "init" });
    send({ type: "clock", number: 1e6, at: -1 });
    send({ type: "exit" });
    send(null);
    send(["frida:rpc", 99, "ok", 1]);
    let deep = [];
    for (let i = 0; i < 2000; i++) { deep = [deep]; }
    send({ type: "facts", facts: [deep] });
    console.log("\u001b[2Jowned");
    Promise.reject(new Error("thrown by the app"));
  };
  for (let i = 0; i < 20; i++) { attack(); }
  setInterval(attack, 50);
})();
"""


def injected(bundle: str, code: str) -> str:
    """The agent with code of somebody else's in its first module (frida-compile: sizes and names, then the modules)."""
    head, separator, modules = bundle.partition("\n✄\n")
    sign, first, *others = head.split("\n")
    size, name = first.split(" ", 1)
    data = modules.encode()
    entry, rest = data[: int(size)].decode() + code, data[int(size) :].decode()
    return "\n".join([sign, f"{len(entry.encode())} {name}", *others]) + separator + entry + rest


def test_nothing_forged_is_recorded_and_the_run_goes_on(play, monkeypatch, capfd):
    real = agent_js()
    monkeypatch.setattr("appwitness.agent.agent.agent_js", lambda: injected(real, HOSTILE))
    recording = play("probe.Main", [api("number")], "pause", "once", "results").recording
    assert {access.source for access in recording.events(Access)} == {"probe.Api.number"}
    assert not list(recording.events(Consent))
    assert not list(recording.events(Upload))
    assert "mark" not in {phase.state for phase in recording.events(Phase)}
    gaps = list(recording.events(Gap))
    assert {"refused"} <= {gap.why for gap in gaps}
    assert len(gaps) < 60
    assert all(access.arrived for access in recording.events(Access))
    recording.stamp(final=True)
    assert verify(recording.path).ok
    said = capfd.readouterr()
    assert "owned" not in said.out + said.err
    assert "Traceback" not in said.err
