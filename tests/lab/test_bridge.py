"""Another Java bridge, built in by APPWITNESS_JAVA_BRIDGE: run.json names it; where it refuses the runtime, traffic is
all that is observed, at once."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import frida_tools
import pytest

from appwitness.agent import agent
from appwitness.agent.sources import load
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.events import Upload
from appwitness.observe.order import Order
from appwitness.observe.run import observe
from hatch_build import AGENT, agent_is_current, build_agent, build_lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
REFUSES = """
const isThere = () => Process.enumerateModules().some((module) => /jvm\\.(so|dylib)$/.test(module.name));
Object.defineProperty(bridge, "available", {
  get() { if (isThere()) { throw new Error("this runtime is too new"); } return false; },
});
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A copy of the agent's sources, where nothing is built."""
    shutil.copytree(ROOT / "hooks", tmp_path / "hooks", ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / AGENT).parent.mkdir(parents=True)
    monkeypatch.delenv("APPWITNESS_JAVA_BRIDGE", raising=False)
    return tmp_path


def usual() -> str:
    return (Path(frida_tools.__file__).parent / "bridges/java.js").read_text("utf-8")


@pytest.mark.parametrize("form", ["script", "module", "folder"])
def test_the_agent_is_built_with_the_bridge_that_is_named(checkout, monkeypatch, form):
    build_agent(checkout)
    assert agent_is_current(checkout)
    code = usual() if form == "script" else f"{usual()}\nexport {{ bridge as default }};\n"
    path = checkout / "frida java.js"
    if form == "folder":
        path = checkout / "frida-java-bridge"
        path.mkdir()
    (path / "index.js" if form == "folder" else path).write_text(code, "utf-8")

    monkeypatch.setenv("APPWITNESS_JAVA_BRIDGE", str(path))
    assert not agent_is_current(checkout)
    built = build_agent(checkout).read_text("utf-8")
    assert agent_is_current(checkout)
    monkeypatch.setattr(agent, "agent_js", lambda: built)
    name = "frida-java-bridge" if form == "folder" else "frida_java.js"
    assert agent.bridge() == f"{name} sha256:{hashlib.sha256(code.encode()).hexdigest()}"

    monkeypatch.delenv("APPWITNESS_JAVA_BRIDGE")
    assert not agent_is_current(checkout)


def test_one_that_is_not_there(checkout, monkeypatch):
    monkeypatch.setenv("APPWITNESS_JAVA_BRIDGE", str(checkout / "nowhere.js"))
    with pytest.raises(SystemExit, match=r"no Java bridge at .*nowhere\.js"):
        build_agent(checkout)


def test_one_that_refuses_the_runtime(checkout, monkeypatch, tmp_path):
    build_lab(ROOT)
    file = checkout / "newer.js"
    file.write_text(usual() + REFUSES, "utf-8")
    monkeypatch.setenv("APPWITNESS_JAVA_BRIDGE", str(file))
    built = build_agent(checkout).read_text("utf-8")
    monkeypatch.setattr(agent, "agent_js", lambda: built)
    monkeypatch.setattr("appwitness.observe.run.agent_js", lambda: built)
    with LabDevice("circle", "accept", tmp_path / "work", cache=tmp_path / "lab") as device:
        recording = observe(device, tmp_path / "run", load(), Order(plan="accept", confdir=tmp_path / "proxy"))
    run = recording.run
    assert "has no Java runtime that can be hooked: Error: this runtime is too new" in str(run.unhooked)
    assert str(run.versions["bridge"]).startswith("newer.js sha256:")
    assert not run.observers.hooks
    assert list(recording.events(Upload))
