"""A fleet on stand-in devices: what is known of them, and an app from a table to its findings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.api.expected import load, shown
from appwitness.cli.verbs import main
from appwitness.fleet.host_devices import chosen
from appwitness.fleet.pools import meets
from appwitness.fleet.worker import FleetDevice, doctor
from appwitness.store import Store
from appwitness.store.runs import Runs
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.phone import Phone
from tests.adb.test_observe import left

pytestmark = [pytest.mark.lab, pytest.mark.timeout(280)]


def test_labels_of_devices(phone_of: Callable[..., Phone]) -> None:
    phone = phone_of(api=33)
    (device,) = chosen(phone.serial, [f"{phone.serial}/region=cn"])
    assert meets(device.labels, "api>=33 and kind=phone and region=cn and rooted"), device.labels
    assert doctor(device) is None
    gone = doctor(FleetDevice("127.0.0.1:9", device.labels))
    assert gone is not None
    assert "127.0.0.1:9" in gone


@pytest.mark.slow
def test_an_app_of_a_table_to_its_findings(
    phone_of: Callable[..., Phone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = phone_of(api=34, su="kernelsu")
    (tmp_path / "frida-server").write_bytes(frida_server.program())
    with lab_app.furnish(phone, "circle", "free", installed=False, screen=True) as app:
        for name, value in {
            "HOME": tmp_path / "home",
            "OBSERVE_FRIDA_SERVER": tmp_path / "frida-server",
            "OBSERVE_UPSTREAM_CA": app.upstream_ca,
            "OBSERVE_CONNECT_TO": " ".join(f"{host}:{at}:{port}" for host, (at, port) in app.hosts.items()),
        }.items():
            monkeypatch.setenv(f"APPWITNESS_{name}", str(value))
        (tmp_path / "apps.csv").write_text(f"app,app_type\n{app.apk},{app.app.app_type}\n", "utf-8")
        db = str(tmp_path / "index.sqlite")
        said = ("--campaign", "night", "--plans", "refuse", "--db", db)
        assert CliRunner().invoke(main, ["fleet", "plan", str(tmp_path / "apps.csv"), *said]).exit_code == 0
        before = left(phone)
        place = ("--recordings", str(tmp_path / "recordings"), "--judges", "1", "--db", db)
        done = CliRunner().invoke(main, ["fleet", "run", "--devices", phone.serial, *place])
        after = left(phone)
    assert done.exit_code == 1, done.output
    before["settings"]["global"]["http_proxy"] = ":0"  # deleted, it works on until a reboot
    assert after == before
    with Store(db) as store, Runs(db) as runs:
        (run,) = store.recordings()
        assert shown(store.findings(run.id)) == load()["circle"]["refuse"]
        assert [slot.serial for slot in runs.devices()] == [phone.serial]
