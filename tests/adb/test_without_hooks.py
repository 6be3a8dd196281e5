"""An app that cannot be hooked: after spawn and attach its traffic alone is observed, which every report says first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from appwitness.agent import agent as agents
from appwitness.agent.agent_lines import AgentLines
from appwitness.events import Access, Event, Gap, Upload
from appwitness.recording import Recording, verify
from hatch_build import build_agent, build_lab
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.adb_server import AdbServer
from tests.adb.rig.phone import Phone
from tests.adb.test_attach import TIMED_OUT
from tests.adb.test_gadget import accepted
from tests.adb.test_observe import left, observe, run

ROOT = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.lab, pytest.mark.timeout(280)]
REFUSED = ["PermissionDenied", "Unable to access process with pid 4711 from the current user account"]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    build_agent(ROOT)
    build_lab(ROOT)


def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks that tell nobody, as where a device undoes them."""
    tells = r"seen\d*\.set\(method, \(.*\+ 1\);"
    script, count = re.subn(tells, lambda found: " " * len(found[0]), agents.agent_js())  # its size is in its head
    assert count == 1
    monkeypatch.setattr(agents, "agent_js", lambda: script)
    events = AgentLines.events  # what the app reads before the agent has checked itself

    def without_reads(lines: AgentLines, text: bytes, arrived: datetime) -> list[Event]:
        return [event for event in events(lines, text, arrived) if not isinstance(event, Access)]

    monkeypatch.setattr(AgentLines, "events", without_reads)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("the server ends", {"stderr": "Unable to preserve the policy", "exit": 1}, "Unable to preserve the policy"),
    ("the server has no rights", {"access": "jailed"}, "without root"),
    ("neither spawn nor attach", {"Spawn": TIMED_OUT, "Attach": REFUSED}, "access process with pid"),
    ("no hook works", {}, "No hook works"),
]


@pytest.mark.parametrize(("frida", "why"), [pytest.param(*case[1:], id=case[0]) for case in WRONG])
def test_its_traffic_alone_is_observed(
    phone_of: Callable[..., Phone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frida: dict[str, Any], why: str
) -> None:
    phone = phone_of()
    phone.write(frida=frida)
    if not frida:
        deaf(monkeypatch)
    with lab_app.furnish(phone, "circle", "accept") as app:
        before = left(phone)
        named = ("--app", app.app.package, "--plan", "accept", "--by-hand", "--no-persona")
        recording, report = observe(phone, app, tmp_path, *named, says="only its traffic is observed")
        after = left(phone)
    assert why in str(recording.run.unhooked)
    assert not report.observers.hooks
    assert list(recording.events(Access)) == []
    assert {upload.host for upload in recording.events(Upload)} >= {"api.circle.test", "sync.friendgraph.test"}
    (gap,) = [gap for gap in recording.events(Gap) if (gap.detail or "").startswith("no hooks were in the app")]
    assert why in str(gap.detail)
    assert [gap for gap in recording.events(Gap) if gap.why in ("class_absent", "method_absent")] == []
    said = run(tmp_path, "report", str(recording.path)).stdout
    assert "Traffic only: no hooks were in the app." in said.partition("Reads:")[0]
    after["settings"]["global"].pop("http_proxy")  # deleted, it works on until a reboot
    assert after == before
    assert verify(recording.path).ok


def test_hooks_that_are_required_end_the_run(phone_of: Callable[..., Phone], tmp_path: Path) -> None:
    phone = phone_of()
    program = tmp_path / "frida-server"
    program.write_bytes(frida_server.program())
    with lab_app.furnish(phone, "circle", "accept") as app:
        phone.write(frida={"Spawn": TIMED_OUT, "Attach": REFUSED})
        before = left(phone)
        named = ("--app", app.app.package, "--by-hand", "--no-persona", "--frida-server", str(program), "--hooks")
        done = run(tmp_path, "observe", "--device", phone.serial, "--output", str(tmp_path / "run"), *named)
        assert done.exit_code == 4
        assert "nable to access process" in " ".join(done.output.split())
        after = left(phone)
    after["settings"]["global"].pop("http_proxy")
    assert after == before
    assert Recording.open(tmp_path / "run").run.unhooked is None


def test_without_hooks_no_frida_is_wanted(phone_of: Callable[..., Phone], tmp_path: Path) -> None:
    phone = phone_of()
    phone.write(frida={"stderr": "never started", "exit": 1})
    with lab_app.furnish(phone, "circle", "accept") as app:
        named = ("--app", app.app.package, "--plan", "accept", "--by-hand", "--no-persona", "--no-hooks")
        recording, _ = observe(phone, app, tmp_path, *named)
    assert recording.run.unhooked == "hooks were switched off for this run (--no-hooks)"
    assert [change.what for change in recording.run.changes if "frida-server" in change.what] == []
    assert list(recording.events(Upload))


def test_what_the_agent_was_to_lead_goes_by_the_proxy_setting(
    phone_of: Callable[..., Phone], server: AdbServer, tmp_path: Path
) -> None:
    """Without root: the gadget never answers. The app no longer waits for a debugger."""
    phone = phone_of(su="")
    server.phones[phone.serial] = phone
    accepted(phone, tmp_path)
    (tmp_path / "gadget.so").write_bytes(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n".encode())
    with lab_app.furnish(phone, "circle", "accept", debuggable=True) as app:
        before = left(phone)
        output = tmp_path / "run"
        hosts = [f"--connect-to={host}:{address}:{port}" for host, (address, port) in app.hosts.items()]
        words = ["observe", "--device", phone.serial, "--app", app.app.package, "--output", str(output), *hosts]
        words += ["--plan", "accept", "--by-hand", "--no-persona", "--upstream-ca", str(app.upstream_ca)]
        done = subprocess.run(
            [sys.executable, "-m", "appwitness.cli", *words, "--frida-gadget", str(tmp_path / "gadget.so")],
            env={**os.environ, "APPWITNESS_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode in (0, 1), done.stderr
        after = left(phone)
    recording = Recording.open(output)
    assert "the gadget" in str(recording.run.unhooked)
    assert (recording.run.model_dump()["mode"], recording.run.route["way"]) == ("regular", "reverse")
    assert list(recording.events(Upload))
    after["settings"]["global"].pop("http_proxy")
    after["names"] = [name for name in after["names"] if "gadget.so" not in name]  # here it is a process of its own
    assert after == before
