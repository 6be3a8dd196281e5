"""An app entered without root by Frida's gadget: the one in its package, or one that Frida brings in as a debugger.

Frida's own injector runs here, against the device's commands; the app's side of the debugger's protocol and the gadget
are played (rig/jdwp.py, rig/gadget.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from trustme import CA

from appwitness.agent.frida_device import VERSION
from appwitness.api.expected import load, shown
from appwitness.devices.android.app import app_files, package
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.frida import frida_release, gadget
from appwitness.devices.android.frida.injection import Entrance
from appwitness.devices.android.options import Wanted
from appwitness.events import Gap
from appwitness.findings import Report
from appwitness.recording import Recording, verify
from appwitness.reports.watched import watched
from appwitness.reports.words import Words
from tests.adb.rig import gadget as played
from tests.adb.rig import lab_app
from tests.adb.rig.adb_server import AdbServer
from tests.adb.rig.phone import Phone
from tests.adb.test_observe import left, run

pytestmark = [pytest.mark.lab, pytest.mark.timeout(280)]
CONFIG = {"interaction": {"type": "listen", "port": 27099, "token": "secret"}}
Make = Callable[..., Phone]
Of = Callable[[Phone], Control]


def accepted(phone: Phone, folder: Path) -> None:
    """The proxy's authority, among those that the app accepts: without root, its owner has put it there."""
    authority, place = CA(organization_name="mitmproxy"), folder / "home/proxy"
    place.mkdir(parents=True)
    pem = authority.cert_pem.bytes()
    (place / "mitmproxy-ca-cert.pem").write_bytes(pem)
    (place / "mitmproxy-ca.pem").write_bytes(authority.private_key_pem.bytes() + pem)
    for store in ("system/etc/security/cacerts", "apex/com.android.conscrypt/cacerts"):
        if (phone.root / store).is_dir():
            (phone.root / store / "c8750f0d.0").write_bytes(pem)


def observed(phone: Phone, app: lab_app.Installed, folder: Path, *options: str) -> tuple[Recording, Report, str]:
    """Run the program itself, as Frida follows one adb server for as long as a process lives; what it says, too."""
    output = folder / "recordings/run"
    hosts = [f"--connect-to={host}:{address}:{port}" for host, (address, port) in app.hosts.items()]
    usual = ("--plan", "accept", "--by-hand", "--no-persona", "--upstream-ca", str(app.upstream_ca))
    words = ["observe", "--device", phone.serial, "--app", app.app.package, "--output", str(output), *usual, *hosts]
    environment = {**os.environ, "APPWITNESS_HOME": str(folder / "home")}
    program = [sys.executable, "-m", "appwitness.cli"]
    done = subprocess.run(
        [*program, *words, *options], env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode in (0, 1), done.stderr
    said = run(folder, "report", str(output), "--format", "json")
    return Recording.open(output), Report.model_validate(json.loads(said.stdout)), done.stderr


@pytest.mark.parametrize("held", [True, False])
def test_the_gadget_of_the_package(phone_of: Make, tmp_path: Path, held: bool) -> None:
    config = {"interaction": {**CONFIG["interaction"], "on_load": "wait" if held else "resume"}}
    phone = phone_of(su="")
    accepted(phone, tmp_path)
    with lab_app.furnish(phone, "circle", "accept", gadget=config) as app:
        before = left(phone)
        recording, report, said = observed(phone, app, tmp_path)
        after = left(phone)

    run_of = recording.run
    assert run_of.device.facts["gadget"] == "in the app's package"
    assert run_of.device.facts["gadget_at"] == "tcp:27099"
    assert "in the app's first process only, and not from its start" in watched(report, Words("en"))
    missed = [gap.detail for gap in recording.events(Gap) if gap.why == "process_not_instrumented"]
    assert missed == [gadget.FROM_PACKAGE]
    assert [gap for gap in recording.events(Gap) if gap.why == "detached"] == []
    assert run_of.route["way"] == "redirect"
    assert "mode redirect: without root, the agent" in " ".join(said.split())
    if held:
        assert shown(report.findings) == load()["circle"]["accept"]
    assert after == before
    assert verify(recording.path).ok


def test_the_gadget_that_frida_brings_in(phone_of: Make, server: AdbServer, tmp_path: Path) -> None:
    phone = phone_of(su="")
    server.phones[phone.serial] = phone
    accepted(phone, tmp_path)
    file = tmp_path / "gadget.so"
    file.write_bytes(played.program())
    with lab_app.furnish(phone, "circle", "accept", debuggable=True) as app:
        before = left(phone)
        recording, report, _ = observed(phone, app, tmp_path, "--frida-gadget", str(file))
        after = left(phone)
        own = sorted(each.name for each in (phone.root / f"data/user/0/{app.app.package}").iterdir())

    run_of = recording.run
    assert run_of.device.facts["gadget"] == f"frida-gadget-{VERSION}-android-x86_64.so"
    assert run_of.device.facts["origin"] == "given"
    missed = [gap.detail for gap in recording.events(Gap) if gap.why == "process_not_instrumented"]
    assert missed == [gadget.BY_DEBUGGER]
    assert [gap for gap in recording.events(Gap) if gap.why == "detached"] == []
    assert shown(report.findings) == load()["circle"]["accept"]
    assert own == []
    assert after == before
    assert all(change.undone for change in run_of.changes)


@pytest.mark.parametrize(
    ("options", "by_debugger", "said"),
    [
        ({"debuggable": True}, None, None),
        ({"debuggable": True, "abis": ("x86_64", "x86")}, None, None),
        ({"debuggable": True, "abis": ("arm64-v8a",)}, None, "There is no Frida for the processors"),
        ({"debuggable": True}, "there is frida-server", "there is frida-server"),
        ({}, None, "the app cannot be debugged"),
        ({"gadget": CONFIG}, "there is frida-server", None),
        (
            {"gadget": {"interaction": {"type": "script"}}},
            None,
            "the app cannot be debugged; the gadget in its package",
        ),
    ],
)
def test_by_which_gadget(
    phone_of: Make, control_of: Of, tmp_path: Path, options: dict[str, Any], by_debugger: str | None, said: str | None
) -> None:
    phone = phone_of(su="")
    (tmp_path / "gadget.so").write_bytes(b"\x7fELF")
    with lab_app.furnish(phone, "circle", "free", **options) as installed, app_files.opened(installed.apk) as app:
        given = None if said and said.startswith("There is no Frida") else tmp_path / "gadget.so"
        way = gadget.way(control_of(phone), app, given, tmp_path, by_debugger=by_debugger)
    if said is not None:
        assert isinstance(way, str)
        assert way.startswith(said)
        return
    assert isinstance(way, gadget.GadgetWay)
    assert (way.config is None) is ("gadget" not in options)


def test_what_was_there_stays(phone_of: Make, control_of: Of, tmp_path: Path) -> None:
    phone = phone_of(su="")
    build = frida_release.Build("frida-gadget.so", b"\x7fELF", "given", "gadget.so")
    with lab_app.furnish(phone, "circle", "free", debuggable=True) as app:
        name, control = app.app.package, control_of(phone)
        own, shared = phone.root / f"data/user/0/{name}", phone.root / "data/local/tmp"
        control.shell.check("am set-debug-app -w --persistent com.example.other")
        (own / "gadget.config").touch()
        (shared / "frida-gadget-older.so").touch()
        before = left(phone)

        gadget.ready(control, gadget.GadgetWay(build=build), name, tmp_path, nothing, nothing)
        control.shell.check(f"am set-debug-app -w --persistent {name}")
        for each in (own / "gadget.so", shared / "frida-gadget-newer.so", shared / "frida-gadget-newer.config"):
            each.touch()

        assert control.journal.undo_all(control.take_back) == []
        assert control.journal.open == ()
        assert left(phone) == before
        assert [each.name for each in own.iterdir()] == ["gadget.config"]


def test_an_app_that_android_does_not_let_be_debugged(phone_of: Make, control_of: Of, tmp_path: Path) -> None:
    phone = phone_of(su="")
    build = frida_release.Build("frida-gadget.so", b"\x7fELF", "given", "gadget.so")
    with lab_app.furnish(phone, "circle", "free") as app, pytest.raises(DeviceFault) as raised:
        gadget.ready(control_of(phone), gadget.GadgetWay(build=build), app.app.package, tmp_path, nothing, nothing)
    assert raised.value.code == "app-not-debuggable"


def test_without_hooks_the_gadget_of_the_package_lets_the_app_run(
    phone_of: Make, control_of: Of, tmp_path: Path
) -> None:
    phone = phone_of(su="")
    with lab_app.furnish(phone, "circle", "silent", gadget=CONFIG) as app:
        control = control_of(phone)
        entrance = Entrance(control, Wanted(phone.serial, package=app.app.package), 0, tmp_path, nothing)
        entrance.leave_out(package.identity(control, app.app.package))
        assert entrance.target.otherwise is not None
        pid = entrance.target.otherwise()
        assert not (phone.root / f"data/rig/held/{pid}").exists()
    assert control.journal.undo_all(control.take_back) == []


def nothing() -> None:
    """No start, no end."""
