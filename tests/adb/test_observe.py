"""The whole way on a stand-in device: one command, from a serial to findings, and the device is what it was before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.events import Access, Gap, Upload
from monitor.lab.expected import load, shown
from monitor.recording import Recording, verify
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.phone import Phone

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


def observe(phone: Phone, app: lab_app.Installed, plan: str, folder: Path, *options: str) -> Recording:
    """Run `appwitness observe` on a stand-in device with a sample app of the lab."""
    program = folder / "frida-server"
    program.write_bytes(frida_server.program())
    hosts = [f"--connect-to={host}:{address}:{port}" for host, (address, port) in app.hosts.items()]
    output = folder / "recording"
    arguments = ["observe", "--device", phone.serial, "--app", app.app.package, "--plan", plan, "--output", str(output)]
    arguments += [
        "--frida-server",
        str(program),
        "--upstream-ca",
        str(app.upstream_ca),
        "--db",
        str(folder / "i.sqlite"),
    ]
    done = CliRunner(env={"APPWITNESS_HOME": str(folder / "home")}).invoke(main, [*arguments, *hosts, *options])
    assert done.exit_code in (0, 1), done.output
    return Recording.open(output)
