"""What a device goes through during a run: its cable is pulled, its screen goes off, it restarts. The run goes on, with
what the agent kept meanwhile, or ends and says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.agent import agent_process
from appwitness.cli.verbs import main
from appwitness.devices.android import adb, android_device, control, wakefulness
from appwitness.devices.android.shell import Shell
from appwitness.events import WHOLE_RUN, Access, Gap, Phase, Screen, Upload
from appwitness.observe.run import RESTARTED
from appwitness.recording import Recording
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.phone import Phone
from tests.adb.test_observe import left, observe, run

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]
OUT_S = 5.0


def once_started(
    folder: Path, then: Callable[[], object], *, lines: str = "phases", said: bytes = b'"started"'
) -> threading.Thread:
    """Do this once the app has started, or once these lines of the run say something else."""
    path = folder / f"recordings/run/{lines}.jsonl"

    def wait() -> None:
        while not (path.exists() and said in path.read_bytes()):
            time.sleep(0.02)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_run_goes_on_when_the_cable_is_back(phone_of: Callable[..., Phone], tmp_path: Path) -> None:
    phone = phone_of(api=34, su="kernelsu")

    def pull() -> None:
        phone.unplug()
        time.sleep(OUT_S)
        phone.plug()

    with lab_app.furnish(phone, "circle", "free", installed=False, screen=True, quiet_ms=9000) as app:
        cable = once_started(tmp_path, pull)
        options = ("--no-persona", "--apk", str(app.apk), "--plan", "accept", "--app-type", str(app.app.app_type))
        recording, _ = observe(phone, app, tmp_path, *options)
        cable.join()
        assert "com.example.circle" not in phone.read()["packages"]

    gaps = list(recording.events(Gap))
    (away,) = [gap for gap in gaps if gap.subject == "connection to the device"]
    assert away.until is not None
    assert timedelta(seconds=OUT_S / 2) < away.until - away.at < timedelta(seconds=60)
    given = [each.at for each in recording.events(Screen) if each.touched and each.touched.label == "Agree"]
    assert min(given) > away.until  # the plan was played on
    assert max(each.at for each in recording.events(Upload)) > away.until  # and the traffic came again
    late = [each for each in recording.events(Access) if each.arrived and each.arrived - each.at > timedelta(seconds=2)]
    assert late  # read while it was out
    assert [gap.why for gap in gaps if gap.why == "detached"] == []
    assert any("was lost and made again" in (gap.detail or "") for gap in gaps)
    assert [phase.state for phase in recording.events(Phase)][-1] == "exited"  # Frida does not tell that any more
    assert all(change.undone for change in recording.run.changes)


def test_a_device_that_stays_away_ends_the_run_and_what_is_left_is_told(
    phone_of: Callable[..., Phone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (agent_process, control):
        monkeypatch.setattr(module, "AWAY_S", 4.0)
    monkeypatch.setattr(android_device, "BACK_S", 1.0)
    monkeypatch.setattr(android_device, "RETRY_S", 1.0)
    phone = phone_of(api=34, su="kernelsu")
    begun = left(phone)
    program, output = tmp_path / "frida-server", tmp_path / "recordings/run"
    program.write_bytes(frida_server.program())
    with lab_app.furnish(phone, "circle", "free", installed=False, screen=True, quiet_ms=9000) as app:
        cable = once_started(tmp_path, phone.unplug)
        hosts = [f"--connect-to={host}:{address}:{port}" for host, (address, port) in app.hosts.items()]
        options = ("--no-persona", "--apk", str(app.apk), "--plan", "accept", "--app-type", str(app.app.app_type))
        servers = [*hosts, "--upstream-ca", str(app.upstream_ca), "--frida-server", str(program)]
        at = ("--device", phone.serial, "--output", str(output))
        done = run(tmp_path, "observe", *at, *servers, *options)
        cable.join()
        phone.plug()
        changes = [change for change in Recording.open(output).run.changes if change.undone is None]
        home = {"APPWITNESS_HOME": str(tmp_path / "home")}
        undone = CliRunner(env=home).invoke(main, ["undo", "--device", phone.serial])
    assert done.exit_code == 4, done.output
    assert f"{len(changes)} changes on {phone.serial} could not be undone" in done.output
    assert f"appwitness undo --device {phone.serial}" in done.output
    assert undone.exit_code == 0, undone.output
    for what in ("files", "mounts", "names"):
        assert left(phone)[what] == begun[what]
    gaps = list(Recording.open(output).events(Gap))
    (away,) = [gap for gap in gaps if gap.subject == "connection to the device"]
    (lost,) = [gap for gap in gaps if gap.why == "detached"]
    assert "did not come back" in str(lost.detail)
    for gap in (away, lost):
        assert gap.until is not None
        assert gap.until - gap.at > timedelta(seconds=3)


def test_a_screen_that_goes_off_is_switched_on_again(phone_of: Callable[..., Phone], tmp_path: Path) -> None:
    phone = phone_of(api=34, su="kernelsu", state={"screen": {"powered": False, "lock": "swipe"}})
    shell = Shell(adb.connect(phone.serial))

    with lab_app.furnish(phone, "circle", "free", installed=False, screen=True, quiet_ms=9000) as app:
        dark = once_started(tmp_path, lambda: shell.user("input keyevent KEYCODE_SLEEP"))
        options = ("--no-persona", "--apk", str(app.apk), "--plan", "accept", "--app-type", str(app.app.app_type))
        recording, _ = observe(phone, app, tmp_path, *options)
        dark.join()

    assert wakefulness.ON_AGAIN in [gap.detail for gap in recording.events(Gap) if gap.subject == "screen"]
    assert {each.touched.label for each in recording.events(Screen) if each.touched} == {"Agree"}
    assert phone.read()["screen"] == {"powered": False, "lock": "swipe", "awake": True, "locked": False}
    assert all(change.undone for change in recording.run.changes)


def once_frida_is_in(phone: Phone, then: Callable[[], object]) -> threading.Thread:
    """Do this once frida-server runs on the device, before the app starts."""

    def wait() -> None:
        while not any(" --token " in line for line in phone.processes().values()):
            time.sleep(0.01)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("what", "when"),
    [
        ("device", "as Frida enters"),
        ("device", "hooked"),
        ("device", "without hooks"),
        ("Android", "as Frida enters"),
        ("Android", "hooked"),
        ("Android", "without hooks"),
    ],
)
def test_a_restart_ends_the_run_and_nothing_stays_on_the_device(
    phone_of: Callable[..., Phone], tmp_path: Path, what: str, when: str
) -> None:
    phone = phone_of(api=34, su="kernelsu")
    begun = left(phone)
    program, output = tmp_path / "frida-server", tmp_path / "recordings/run"
    program.write_bytes(frida_server.program())
    with lab_app.furnish(phone, "circle", "free", installed=False, screen=True, quiet_ms=9000) as app:
        restart = phone.reboot if what == "device" else phone.restart_android
        if when == "as Frida enters":
            again = once_frida_is_in(phone, restart)
        elif when == "hooked":
            again = once_started(tmp_path, restart)
        else:
            again = once_started(tmp_path, restart, lines="uploads", said=b"{")
        hosts = [f"--connect-to={host}:{address}:{port}" for host, (address, port) in app.hosts.items()]
        ways = [
            "--no-persona",
            "--plan",
            "accept",
            "--apk",
            str(app.apk),
            "--app-type",
            str(app.app.app_type),
            *(["--no-hooks"] if when == "without hooks" else []),
        ]
        servers = [*hosts, "--upstream-ca", str(app.upstream_ca), "--frida-server", str(program)]
        done = run(tmp_path, "observe", "--device", phone.serial, "--output", str(output), *servers, *ways)
        again.join()
    assert done.exit_code == 4, done.output
    assert f"{what} restarted" in done.output
    assert "could not be undone" not in done.output
    changes = Recording.open(output).run.changes
    assert "stay_on_while_plugged_in" in str([change.what for change in changes])
    assert [change for change in changes if change.undone is None] == []
    assert [gap.detail for gap in Recording.open(output).events(Gap) if gap.subject == WHOLE_RUN] == [RESTARTED[what]]
    for what in ("files", "mounts"):
        assert left(phone)[what] == begun[what]
    assert phone.read()["packages"] == {}
