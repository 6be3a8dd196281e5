"""The whole way on a stand-in device: one command, from a serial to findings, and the device is what it was before."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appwitness.api.expected import load, shown
from appwitness.cli.verbs import main
from appwitness.devices.android import android_device
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.options import Wanted
from appwitness.events import Gap
from appwitness.findings import Report, Why
from appwitness.findings.audit import audit
from appwitness.recording import Recording, verify
from appwitness.reports.watched import watched
from appwitness.reports.words import Words
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.phone import Phone

pytestmark = [pytest.mark.lab, pytest.mark.timeout(280)]


def run(home: Path, *arguments: str) -> Any:
    """The command line, with a home of its own."""
    environment = {"APPWITNESS_HOME": str(home / "home"), "APPWITNESS_RECORDINGS": str(home / "recordings")}
    return CliRunner(env=environment).invoke(main, [*arguments, "--db", str(home / "index.sqlite")])


def observe(
    phone: Phone, app: lab_app.Installed, folder: Path, *options: str, says: str = ""
) -> tuple[Recording, Report]:
    """Run `appwitness observe` on a stand-in device with a sample app of the lab, which says this; and its report."""
    program = folder / "frida-server"
    program.write_bytes(frida_server.program())
    output = folder / "recordings/run"
    hosts = [f"--connect-to={host}:{address}:{port}" for host, (address, port) in app.hosts.items()]
    servers = [*hosts, "--upstream-ca", str(app.upstream_ca), "--frida-server", str(program)]
    done = run(folder, "observe", "--device", phone.serial, "--output", str(output), *servers, *options)
    assert done.exit_code in (0, 1), done.output
    assert says in done.output
    return Recording.open(output), report_of(folder, output)


def report_of(folder: Path, recording: Path) -> Report:
    """What the command line reports of a recording."""
    said = run(folder, "report", str(recording), "--format", "json")
    return Report.model_validate(json.loads(said.stdout))


def left(phone: Phone) -> dict[str, Any]:
    """What a run must not leave on a device: settings, packages, files, mounts, processes."""
    state = phone.read()
    mounts = set()
    for process in phone.processes():
        with suppress(FileNotFoundError, ProcessLookupError):  # a command that is just ending
            for line in (Path("/proc") / str(process) / "mountinfo").read_text().splitlines():
                point, (kind, source) = line.split(" ")[4], line.split(" - ")[1].split(" ")[:2]
                mounts.add((point, kind, source))
    return {
        **{name: value for name, value in state.items() if value not in ({}, {"test": {}}) and name != "running"},
        "files": sorted(str(each.relative_to(phone.root)) for each in (phone.root / "data/local/tmp").rglob("*")),
        "mounts": mounts,
        "names": sorted(phone.processes().values()),
    }


@pytest.mark.parametrize(
    ("mode", "way", "joined"),
    [("auto", "reverse", {"host"}), ("redirect", "redirect", {"name"})],
)
def test_the_whole_way(phone_of: Callable[..., Phone], tmp_path: Path, mode: str, way: str, joined: set[str]) -> None:
    """Without persona and screens: the app's own user answers. Its native libraries are for another processor."""
    phone = phone_of(api=34, su="kernelsu")
    runs = {"ro.product.cpu.abilist": "x86_64,arm64-v8a", "ro.dalvik.vm.native.bridge": "libndk_translation.so"}
    phone.write(properties={**phone.read()["properties"], **runs})
    with lab_app.furnish(phone, "circle", "accept", abis=["arm64-v8a"]) as app:
        named = ("--app", app.app.package, "--plan", "accept", "--by-hand", "--no-persona", "--mode", mode)
        before = left(phone)
        unseen = "the app's libraries are for arm64-v8a"
        recording, report = observe(phone, app, tmp_path, *named, says=f"Warning: {unseen}")
        after = left(phone)

    assert [gap.why for gap in recording.events(Gap) if gap.subject == "native code"] == ["not_observed"]
    assert "not the app's native code (arm64-v8a, translated on x86_64)" in watched(report, Words("en"))

    assert shown(report.findings) == load()["circle"]["accept"]
    assert recording.run.device.facts["fingerprint"].startswith("google/stand_in")
    assert recording.run.app.facts["target_sdk"] == 34
    assert recording.run.tried == "no"
    assert recording.run.route["way"] == way
    assert recording.run.requests == ()
    said = {each.code for each in audit(report)}
    assert {Why.PROBE_PASSED, Why.WRAPPED, Why.NOT_UNPINNED, Why.PROXIED, Why.ALL_UNDONE} <= said
    assert (Why.REDIRECTED in said) == (way == "redirect")
    assert {flow.carrier.by for flow in report.flows if flow.carrier} == joined
    assert after["settings"]["global"].pop("http_proxy", None) == {"reverse": ":0"}.get(way)
    assert after == before
    assert all(change.undone for change in recording.run.changes)
    assert verify(recording.path).ok


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "plan", "options"),
    [
        ("circle", "accept", {"api": 34, "su": "kernelsu"}),
        pytest.param("circle", "refuse", {"api": 29, "emulator": True}, marks=pytest.mark.nightly),
        pytest.param("pages", "accept", {"api": 36}, marks=pytest.mark.nightly),
    ],
)
def test_an_apk_to_findings_and_nothing_is_left(
    phone_of: Callable[..., Phone], tmp_path: Path, name: str, plan: str, options: dict[str, Any]
) -> None:
    phone = phone_of(**options)
    with lab_app.furnish(phone, name, "free", installed=False, screen=True) as app:
        before = left(phone)
        kind = str(app.app.app_type)
        recording, report = observe(phone, app, tmp_path, "--apk", str(app.apk), "--plan", plan, "--app-type", kind)
        after = left(phone)

    assert shown(report.findings) == load()[name][plan]
    before["settings"]["global"]["http_proxy"] = ":0"  # deleted, it works on until a reboot
    assert after == before
    assert recording.run.changes
    assert all(change.undone for change in recording.run.changes)
    assert verify(recording.path).ok


def test_what_an_earlier_run_left_is_taken_back_only_with_leave(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path
) -> None:
    phone = phone_of()
    control_of(phone).put("global", "left_over", "1")
    wanted = Wanted(phone.serial, package="com.example.circle")

    with pytest.raises(DeviceFault) as raised, android_device.opened(wanted, "refuse", tmp_path):
        pass
    assert raised.value.code == "changes-left"
    assert phone.read()["settings"]["global"]["left_over"] == "1"

    with android_device.opened(wanted, "refuse", tmp_path, may=lambda what: "set global left_over" in what):
        assert "left_over" not in phone.read()["settings"]["global"]


def test_an_app_that_does_not_run_cannot_be_attached_to(phone_of: Callable[..., Phone], tmp_path: Path) -> None:
    phone = phone_of()
    with lab_app.furnish(phone, "circle", "accept") as app:
        wanted = Wanted(phone.serial, package=app.app.package, attach=True)
        with android_device.opened(wanted, "accept", tmp_path) as opened:
            opened.install()
            with pytest.raises(DeviceFault) as raised:
                opened.launch()
            assert raised.value.code == "app-not-running"


def test_root_is_asked_for_seldom(phone_of: Callable[..., Phone], tmp_path: Path) -> None:
    """Magisk tells on the screen of each time."""
    phone = phone_of(api=34, su="magisk")
    with lab_app.furnish(phone, "circle", "accept") as app:
        observe(phone, app, tmp_path, "--app", app.app.package, "--plan", "accept", "--by-hand", "--no-persona")

    asked = [each for each in phone.asked_for_root() if each["asks"] != ["-v"]]
    assert len(asked) <= 6, asked
    assert asked[-1]["at"] - asked[0]["at"] < 30, "the first seconds ask, and what takes it all back uses what they got"
