"""Which device is meant: never guessed between two, found again at another port, and told why it cannot be used."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.observe.android import adb, finding
from monitor.observe.android.control import Control
from monitor.observe.android.faults import DeviceFault
from monitor.observe.android.shell import Shell
from tests.adb.rig.phone import Phone, Relay

PhoneOf = Callable[..., Phone]
ControlOf = Callable[[Phone], Control]


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(DeviceFault) as raised:
        call()
    return raised.value.code


@pytest.fixture(autouse=True)
def nothing_connected() -> None:
    """The adb server outlives a test; what an earlier one connected to is forgotten."""
    adb.host("disconnect")


def test_none_is_there() -> None:
    assert code_of(finding.choose) == "no-device"
    assert code_of(lambda: finding.choose("usb")) == "no-device"
    assert code_of(lambda: finding.choose("emulator")) == "no-device"
    assert code_of(lambda: finding.choose("R58M12ABCDE")) == "device-not-found"
    assert code_of(lambda: finding.choose("127.0.0.1:9")) == "device-not-found"


def test_the_only_one(phone_of: PhoneOf) -> None:
    phone = phone_of()
    adb.connect(phone.serial)

    assert finding.choose().serial == phone.serial
    assert finding.choose("R58M12ABCDE").serial == phone.serial  # the hardware's serial
    assert code_of(lambda: finding.choose("emulator")) == "no-device"


def test_two_are_not_guessed_between(phone_of: PhoneOf) -> None:
    phone, emulator = phone_of(), phone_of(emulator=True)
    for each in (phone, emulator):
        adb.connect(each.serial)

    with pytest.raises(DeviceFault) as raised:
        finding.choose()

    assert raised.value.code == "several-devices"
    assert phone.serial in raised.value.what
    assert emulator.serial in raised.value.what
    assert finding.choose("emulator").serial == emulator.serial
    assert finding.choose(phone.serial).serial == phone.serial


def test_the_same_one_twice_is_one(phone_of: PhoneOf) -> None:
    phone = phone_of()
    other_way = Relay(phone.init, 5555)
    try:
        for serial in (phone.serial, f"127.0.0.1:{other_way.port}"):
            adb.connect(serial)

        assert finding.choose().serial in (phone.serial, f"127.0.0.1:{other_way.port}")
        assert sorted(each.state.split(" ")[0] for each in finding.listed()) == ["ready", "same"]
    finally:
        other_way.close()


def test_two_emulators_of_one_image_are_two(phone_of: PhoneOf) -> None:
    serials = [phone_of(emulator=True).serial for _ in range(2)]
    known = [finding.known(serial) for serial in serials]

    assert known[0].hardware == known[1].hardware
    assert code_of(finding.choose) == "several-devices"
    assert len({finding.journal_name(each.facts, each.serial) for each in known}) == 2


def test_unplugged_and_back(phone_of: PhoneOf) -> None:
    phone = phone_of()
    shell = Shell(finding.choose(phone.serial))
    assert shell.user("echo 1").out == "1"

    phone.unplug()
    time.sleep(0.2)
    assert code_of(lambda: shell.user("echo 1")) in ("device-lost", "device-offline")
    assert code_of(lambda: finding.choose(phone.serial)) in ("device-not-found", "device-offline")

    phone.plug()
    finding.poll(lambda: finding.choose(phone.serial), 10)
    assert shell.user("echo 2").out == "2"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, None),
        ({"sys.boot_completed": ""}, "device-booting"),
        ({"dev.bootcomplete": ""}, None),
        ({"init.svc.bootanim": "running"}, "device-booting"),
        ({"sys.user.0.ce_available": "false"}, "device-locked-since-start"),
        ({"sys.user.0.ce_available": ""}, None),
    ],
)
def test_booted(phone_of: PhoneOf, said: dict[str, str], code: str | None) -> None:
    phone = phone_of()
    phone.write(properties={**phone.read()["properties"], **said})
    shell = Shell(finding.choose(phone.serial))

    assert (code_of(lambda: finding.booted(shell)) if code else finding.booted(shell)) == code


@pytest.mark.parametrize("api", [24, 29, 34])
@pytest.mark.parametrize(("lock", "opens"), [("none", True), ("swipe", True), ("pin", False)])
def test_awake(phone_of: PhoneOf, control_of: ControlOf, api: int, lock: str, opens: bool) -> None:
    phone = phone_of(api=api, state={"screen": {"awake": False, "locked": lock != "none", "lock": lock}})
    control = control_of(phone)
    before = phone.read()

    if opens:
        finding.awake(control)
    else:
        assert code_of(lambda: finding.awake(control)) == "device-locked"

    assert phone.read()["screen"]["awake"]
    assert phone.read()["screen"]["locked"] is not opens
    assert control.journal.undo_all(control.take_back) == []
    assert phone.read()["screen"] == before["screen"]
    assert phone.read()["settings"]["global"]["stay_on_while_plugged_in"] == "0"


def test_the_journal_of_a_device_knows_how_it_was_connected(phone_of: PhoneOf, tmp_path: Path) -> None:
    phone = phone_of()
    control = finding.control(finding.choose(phone.serial), tmp_path)
    control.put("global", "fresh", "1")

    assert control.journal.path.name == "R58M12ABCDE.jsonl"
    assert control.journal.names == {phone.serial}
