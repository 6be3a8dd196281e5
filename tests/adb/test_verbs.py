"""doctor, devices, pair and undo on stand-in devices."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from appwitness.cli.verbs import main
from appwitness.devices.android import adb, discovery
from tests.adb.rig.adb_server import AdbServer
from tests.adb.rig.phone import Phone

PhoneOf = Callable[..., Phone]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    adb.host("disconnect")
    return tmp_path / "home"


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, [*arguments], input=typed)


def test_doctor_of_a_good_device(phone_of: PhoneOf) -> None:
    done = run("doctor", "--device", phone_of().serial)

    assert done.exit_code == 0, done.output
    assert "fault" not in done.stdout
    warnings = [line for line in done.stdout.splitlines() if line.startswith("warning")]
    assert [line.rpartition(" ")[2] for line in warnings] == ["(android-untried)"]
    assert "root by `su -c` (27.0:MAGISKSU)" in done.stdout


def test_doctor_of_a_device_that_a_run_would_fail_on(phone_of: PhoneOf) -> None:
    phone = phone_of(state={"settings": {"global": {}, "secure": {"always_on_vpn_app": "org.example.vpn"}}})

    done = run("doctor", "--device", phone.serial, "--json")
    said = json.loads(done.stdout)
    jsonschema.validate(said, json.loads(run("list", "schema", "--of", "doctor").stdout))

    assert done.exit_code == 4
    assert [each["code"] for each in said["results"] if each["level"] == "fault"] == ["vpn-always-on"]


def test_doctor_without_a_device() -> None:
    done = run("doctor", "--device", "127.0.0.1:9", "--json")

    assert done.exit_code == 4
    assert [each["code"] for each in json.loads(done.stdout)["results"]] == ["device-not-found"]


def test_devices(phone_of: PhoneOf) -> None:
    phones = [phone_of(), phone_of(su="", emulator=True), phone_of(su="", state={"nothing": 1})]
    for phone in phones:
        adb.connect(phone.serial)

    lines = {line.split("  ")[0]: line for line in run("devices").stdout.splitlines()}

    assert "all apps if su is allowed" in lines[phones[0].serial]
    assert "all apps after adb root" in lines[phones[1].serial]
    assert "debuggable apps" in lines[phones[2].serial]
    assert "Circle" in lines["lab:circle"]


def offered(*words: str) -> list[str]:
    *before, last = words
    return [item.value for item in ShellComplete(main, {}, "appwitness", "_X").get_completions(before, last)]


def test_a_shell_offers_devices_and_their_apps(phone_of: PhoneOf) -> None:
    phone = phone_of(state={"packages": {"com.example.one": {"path": "/one.apk"}, "org.example.two": {"path": "/two"}}})
    adb.connect(phone.serial)

    assert offered("observe", "--device", phone.serial[:4]) == [phone.serial]
    assert offered("observe", "--device", phone.serial, "--app", "com.") == ["com.example.one"]
    assert offered("observe", "--app", "org.") == ["org.example.two"]  # it is the only device
    assert offered("observe", "--device", "lab:circle", "--app", "") == []


def change(phone: Phone, home: Path) -> None:
    control = discovery.control(discovery.choose(phone.serial), home / "devices")
    control.put("global", "http_proxy", "127.0.0.1:8080", restore=":0")
    control.reverse(8080, phone.port)


def test_undo(phone_of: PhoneOf, home: Path) -> None:
    phone = phone_of()
    change(phone, home)

    done = run("undo", "--device", phone.serial)

    assert done.exit_code == 0, done.output
    assert "taken back: set global http_proxy" in done.stdout
    assert phone.read()["settings"]["global"]["http_proxy"] == ":0"
    assert "nothing to undo" in run("undo", "--device", phone.serial).stdout


@pytest.mark.slow  # adb itself waits ten seconds for an address that is silent
def test_undo_of_a_device_that_is_gone(phone_of: PhoneOf, home: Path) -> None:
    phone = phone_of()
    change(phone, home)
    phone.unplug()
    adb.host("disconnect")

    for name in (["--device", phone.serial], ["--device", "R58M12ABCDE"], []):
        done = run("undo", *name)
        assert done.exit_code == 4, name
        assert "open: set global http_proxy" in done.stdout, name

    phone.plug()
    done = run("undo", "--device", phone.serial)
    assert done.exit_code == 0, done.output
    assert phone.read()["settings"]["global"]["http_proxy"] == ":0"


def test_undo_with_nothing_open_and_nothing_there() -> None:
    for option in ([], ["--all"]):
        done = run("undo", *option)
        assert (done.exit_code, done.output) == (0, "Nothing is left from earlier runs, and no device is connected.\n")


def test_undo_after_a_restart_of_the_device(phone_of: PhoneOf, home: Path) -> None:
    phone = phone_of()
    change(phone, home)
    (phone.root / "data/rig/boot_id").write_text("another-boot\n")

    done = run("undo", "--device", phone.serial)

    assert done.exit_code == 0, done.output
    assert "gone with the restart: reverse tcp:8080" in done.stdout
    assert "taken back: set global http_proxy" in done.stdout


def test_undo_of_all(phone_of: PhoneOf, home: Path) -> None:
    there, gone = phone_of(), phone_of(emulator=True)
    for phone in (there, gone):
        change(phone, home)
    gone.unplug()
    adb.host("disconnect", gone.serial)

    done = run("undo", "--all")

    assert done.exit_code == 4
    assert f"{there.serial}: taken back: set global http_proxy" in done.stdout
    assert ": open: set global http_proxy" in done.stdout
    assert there.read()["settings"]["global"]["http_proxy"] == ":0"


def test_undo_that_fails_keeps_what_it_could_not_do(phone_of: PhoneOf, home: Path) -> None:
    phone = phone_of()
    control = discovery.control(discovery.choose(phone.serial), home / "devices")
    control.change("a folder", "mkdir /data/local/tmp/ours", "rmdir /data/local/tmp/ours", root=True)
    (phone.root / "data/local/tmp/ours/file").touch()
    control.put("global", "fresh", "1")

    done = run("undo", "--device", phone.serial)

    assert done.exit_code == 4
    assert "stays: a folder" in done.stdout
    assert "taken back: set global fresh" in done.stdout
    (phone.root / "data/local/tmp/ours/file").unlink()
    assert run("undo", "--device", phone.serial).exit_code == 0


PAGE = "192.168.1.20:41111"


@pytest.mark.parametrize("typed", [None, "482913\n"])
def test_pair(server: AdbServer, phone_of: PhoneOf, home: Path, typed: str | None) -> None:
    phone = phone_of()
    adb.connect(phone.serial)
    server.hidden.add(phone.serial)
    server.pairing[PAGE] = "482913"
    server.announced = [("adb-R58M12ABCDE-vWgJpq", "_adb-tls-connect._tcp", "192.168.1.20:40002")]
    server.reachable["192.168.1.20:40002"] = phone.serial

    done = run("pair", PAGE, *(["482 913"] if typed is None else []), typed=typed)

    assert done.exit_code == 0, done.output
    assert server.paired == [PAGE]
    assert "482913" not in done.output.replace(" ", "")
    assert "--device 192.168.1.20:40002" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "typed", "code", "said"),
    [
        ([PAGE, "000000"], None, 4, "did not pair"),
        (["nowhere", "000000"], None, 2, "not an address"),
        ([PAGE, "letters"], None, 2, "digits"),
        ([], f"{PAGE}\n111111\n", 4, "did not pair"),
    ],
)
def test_pair_that_fails(server: AdbServer, arguments: list[str], typed: str | None, code: int, said: str) -> None:
    server.pairing[PAGE] = "482913"

    done = run("pair", *arguments, typed=typed)

    assert done.exit_code == code
    assert said in done.output
    assert "000000" not in done.output
    assert "111111" not in done.output
