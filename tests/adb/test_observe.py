"""The whole way on a stand-in device: one command, from a serial to findings, and the device is what it was before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.lab.expected import load, shown
from monitor.recording import Recording
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.phone import Phone

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


def observe(phone: Phone, app: lab_app.Installed, folder: Path, *options: str) -> Recording:
    """Run `appwitness observe` on a stand-in device with a sample app of the lab."""
    program = folder / "frida-server"
    program.write_bytes(frida_server.program())
    output = folder / "recording"
    arguments = [
        *("observe", "--device", phone.serial, "--output", str(output), "--db", str(folder / "index.sqlite")),
        *("--frida-server", str(program), "--upstream-ca", str(app.upstream_ca)),
        *(f"--connect-to={host}:{address}:{port}" for host, (address, port) in app.hosts.items()),
    ]
    done = CliRunner(env={"APPWITNESS_HOME": str(folder / "home")}).invoke(main, [*arguments, *options])
    assert done.exit_code in (0, 1), done.output
    print(done.output)
    return Recording.open(output)


def test_an_apk_to_findings(phone_of: Callable[..., Phone], tmp_path: Path) -> None:
    phone = phone_of(api=34)
    with lab_app.furnish(phone, "circle", "accept", installed=False) as app:
        before = phone.read()
        recording = observe(phone, app, tmp_path, "--apk", str(app.apk), "--plan", "accept", "--no-persona")
    print(recording.run.model_dump_json(indent=1)[:3000])
