"""Which device is meant: never guessed between two, found again at another port, and told why it cannot be used."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android import adb, discovery, wakefulness
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.shell import Shell
from tests.adb.rig.adb_server import REFUSALS, AdbServer
from tests.adb.rig.frida_server import until
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
    until(lambda: not adb.devices())  # it lists an emulator until it notices that this one has ended


def test_none_is_there() -> None:
    assert code_of(discovery.choose) == "no-device"
    assert code_of(lambda: discovery.choose("usb")) == "no-device"
    assert code_of(lambda: discovery.choose("emulator")) == "no-device"
    assert code_of(lambda: discovery.choose("R58M12ABCDE")) == "device-not-found"
    assert code_of(lambda: discovery.choose("127.0.0.1:9")) == "device-not-found"


def test_the_only_one(phone_of: PhoneOf) -> None:
    phone = phone_of()
    adb.connect(phone.serial)

    assert discovery.choose().serial == phone.serial
    assert discovery.choose("R58M12ABCDE").serial == phone.serial  # the hardware's serial
    assert code_of(lambda: discovery.choose("emulator")) == "no-device"


def test_two_are_not_guessed_between(phone_of: PhoneOf) -> None:
    phone, emulator = phone_of(), phone_of(emulator=True)
    for each in (phone, emulator):
        adb.connect(each.serial)

    with pytest.raises(DeviceFault) as raised:
        discovery.choose()

    assert raised.value.code == "several-devices"
    assert phone.serial in raised.value.what
    assert emulator.serial in raised.value.what
    assert discovery.choose("emulator").serial == emulator.serial
    assert discovery.choose(phone.serial).serial == phone.serial


def test_the_same_one_twice_is_one(phone_of: PhoneOf) -> None:
    phone = phone_of()
    other_way = Relay(phone.init, 5555)
    try:
        for serial in (phone.serial, f"127.0.0.1:{other_way.port}"):
            adb.connect(serial)

        assert discovery.choose().serial in (phone.serial, f"127.0.0.1:{other_way.port}")
        assert sorted(each.state.split(" ")[0] for each in discovery.listed()) == ["ready", "same"]
    finally:
        other_way.close()


def test_two_emulators_of_one_image_are_two(phone_of: PhoneOf) -> None:
    serials = [phone_of(emulator=True).serial for _ in range(2)]
    known = [discovery.known(serial) for serial in serials]

    assert known[0].hardware == known[1].hardware
    assert code_of(discovery.choose) == "several-devices"
    assert len({discovery.journal_name(each.facts, each.serial) for each in known}) == 2


@pytest.mark.slow  # adb itself waits ten seconds for an address that is silent
def test_unplugged_and_back(phone_of: PhoneOf) -> None:
    phone = phone_of()
    shell = Shell(discovery.choose(phone.serial))
    assert shell.user("echo 1").out == "1"

    phone.unplug()
    time.sleep(0.2)
    assert code_of(lambda: shell.user("echo 1")) in ("device-lost", "device-offline")
    assert code_of(lambda: discovery.choose(phone.serial)) in ("device-not-found", "device-offline")

    phone.plug()
    discovery.poll(lambda: discovery.choose(phone.serial), 10)
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
    shell = Shell(discovery.choose(phone.serial))

    if code:
        assert code_of(lambda: discovery.booted(shell)) == code
    else:
        discovery.booted(shell)


def test_it_has_not_started_while_its_storage_is_not_there(phone_of: PhoneOf) -> None:
    phone = phone_of()
    shell = Shell(discovery.choose(phone.serial))
    storage = phone.root / "storage/emulated/0"
    storage.rename(storage.with_name("later"))

    assert code_of(lambda: discovery.booted(shell)) == "device-booting"

    storage.with_name("later").rename(storage)
    discovery.booted(shell)


@pytest.mark.parametrize("api", [24, 29, 34])
@pytest.mark.parametrize(("lock", "opens"), [("none", True), ("swipe", True), ("pin", False)])
def test_awake(phone_of: PhoneOf, control_of: ControlOf, api: int, lock: str, opens: bool) -> None:
    phone = phone_of(api=api, state={"screen": {"awake": False, "locked": lock != "none", "lock": lock}})
    control = control_of(phone)
    before = phone.read()

    if opens:
        wakefulness.awake(control)
    else:
        assert code_of(lambda: wakefulness.awake(control)) == "device-locked"

    assert phone.read()["screen"]["awake"]
    assert phone.read()["screen"]["locked"] is not opens
    assert control.journal.undo_all(control.take_back) == []
    assert phone.read() == before


@pytest.mark.parametrize("powered", [True, False])
def test_without_a_charger_the_screen_stays_on_by_its_time_limit(
    phone_of: PhoneOf, control_of: ControlOf, powered: bool
) -> None:
    phone = phone_of(state={"screen": {"powered": powered}})
    control = control_of(phone)

    wakefulness.awake(control)

    assert ("screen_off_timeout" in phone.read()["settings"]["system"]) is not powered
    assert control.journal.undo_all(control.take_back) == []
    assert phone.read()["settings"]["system"] == {}


@pytest.mark.parametrize(
    ("screen", "refuses", "what"),
    [
        ({"awake": True}, False, None),
        ({"awake": False, "lock": "none"}, False, wakefulness.ON_AGAIN),
        ({"awake": False, "locked": True, "lock": "swipe"}, False, wakefulness.ON_AGAIN),
        ({"awake": False, "locked": True, "lock": "pin"}, False, wakefulness.STAYS_LOCKED),
        ({"awake": False}, True, wakefulness.STAYS_OFF),
    ],
)
def test_a_screen_that_went_off(phone_of: PhoneOf, screen: dict[str, Any], refuses: bool, what: str | None) -> None:
    shell = Shell(discovery.choose(phone_of(state={"screen": screen, "refuses_input": refuses}).serial))

    assert wakefulness.switch_on_again(shell) == what


def test_the_journal_of_a_device_knows_how_it_was_connected(phone_of: PhoneOf, tmp_path: Path) -> None:
    phone = phone_of()
    control = discovery.control(discovery.choose(phone.serial), tmp_path)
    control.put("global", "fresh", "1")

    assert control.journal.path.name == "R58M12ABCDE.jsonl"
    assert control.journal.names == {phone.serial}


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("offline", "device-offline"),
        ("connecting", "device-offline"),
        ("unauthorized", "device-unauthorized"),
        ("authorizing", "device-unauthorized"),
        ("recovery", "device-in-recovery"),
        ("rescue", "device-in-recovery"),
        ("sideload", "device-in-recovery"),
        ("bootloader", "device-in-bootloader"),
        ("no permissions", "device-no-permissions"),
        ("detached", "device-not-usable"),
    ],
)
def test_each_state_has_its_remedy(server: AdbServer, state: str, code: str) -> None:
    server.played["R58M12ABCDE"] = state

    assert [(each.serial, each.state) for each in adb.devices()] == [("R58M12ABCDE", state)]
    for name in (None, "usb", "R58M12ABCDE"):
        assert code_of(partial(discovery.choose, name)) == code, name
    if state in REFUSALS:  # what adb says when it is asked for something nevertheless
        assert code_of(lambda: adb.Adb("R58M12ABCDE").shell("id")) == code


def test_one_that_cannot_be_used_may_be_the_one_that_is_meant(server: AdbServer, phone_of: PhoneOf) -> None:
    phone = phone_of()
    adb.connect(phone.serial)
    server.played["R58M99ZZZZZ"] = "unauthorized"

    assert code_of(discovery.choose) == "several-devices"
    assert code_of(lambda: discovery.choose("usb")) == "device-unauthorized"
    assert discovery.choose(phone.serial).serial == phone.serial


def test_by_cable_and_by_network_is_one_and_the_cable_is_taken(server: AdbServer, phone_of: PhoneOf) -> None:
    phone = phone_of()
    adb.connect(phone.serial)
    server.named["R58M12ABCDE"] = phone.serial

    assert discovery.choose().serial == "R58M12ABCDE"
    assert discovery.choose("usb").serial == "R58M12ABCDE"
    assert discovery.choose().shell("echo 1").out == "1"


HOME = "192.168.1.20"


@pytest.mark.parametrize(
    "name",
    [
        f"{HOME}:40001",
        "R58M12ABCDE",
        "adb-R58M12ABCDE-vWgJpq",
        "adb-R58M12ABCDE-vWgJpq._adb-tls-connect._tcp",
    ],
)
def test_a_wireless_one_is_found_at_another_port(server: AdbServer, phone_of: PhoneOf, name: str) -> None:
    phone = phone_of()
    adb.connect(phone.serial)
    server.hidden.add(phone.serial)
    server.announced = [
        ("adb-R58M12ABCDE-vWgJpq", "_adb-tls-pairing._tcp", f"{HOME}:41111"),
        ("adb-OTHER-xxxxxx", "_adb-tls-connect._tcp", "192.168.1.21:40001"),
        ("adb-R58M12ABCDE-vWgJpq", "_adb-tls-connect._tcp", f"{HOME}:40002"),
    ]
    server.reachable[f"{HOME}:40002"] = phone.serial

    assert discovery.choose(name).serial == f"{HOME}:40002"


def test_two_at_one_address_are_not_guessed_between(server: AdbServer) -> None:
    server.announced = [(f"adb-{each}", "_adb-tls-connect._tcp", f"{HOME}:4000{each}") for each in (2, 3)]
    server.reachable[f"{HOME}:40002"] = server.reachable[f"{HOME}:40003"] = "127.0.0.1:1"

    assert code_of(lambda: discovery.choose(f"{HOME}:40001")) == "device-not-found"


@pytest.mark.parametrize(("code", "said"), [("482913", None), ("000000", "Wrong password")])
def test_pairing(server: AdbServer, code: str, said: str | None) -> None:
    server.pairing[f"{HOME}:41111"] = "482913"

    if said is None:
        adb.pair(f"{HOME}:41111", code)
        assert server.paired == [f"{HOME}:41111"]
        return
    with pytest.raises(DeviceFault) as raised:
        adb.pair(f"{HOME}:41111", code)
    assert raised.value.code == "pairing-failed"
    assert said in raised.value.what


def test_the_code_is_in_no_message(server: AdbServer) -> None:
    with pytest.raises(DeviceFault) as raised:
        adb.pair(f"{HOME}:41112", "482913")

    assert "cannot connect" in raised.value.what
    assert "482913" not in str(raised.value)


def test_an_old_adbd(server: AdbServer, phone_of: PhoneOf) -> None:
    phone = phone_of(api=24)
    server.old.add(phone.serial)
    shell = Shell(discovery.choose(phone.serial))

    done = shell.user("echo a; echo b >&2; (exit 3)")
    assert (done.code, done.out) == (3, "a\nb")
    assert shell.user("exit 5").code == 5
    assert shell.user("printf x").out == "x"
    assert shell.root("id -u; exit 4").code == 4


def test_no_answer(server: AdbServer, phone_of: PhoneOf) -> None:
    phone = phone_of()
    device = adb.connect(phone.serial)
    server.stuck.add(phone.serial)

    assert code_of(lambda: device.shell("id", timeout_s=0.5)) == "adb-timeout"


@pytest.mark.parametrize(
    ("properties", "state", "said"),
    [
        ({"ro.debuggable": "1"}, {}, None),
        ({"ro.debuggable": "0"}, {}, "production builds"),
        ({"ro.debuggable": "1"}, {"rooted_debugging": False}, "disabled by system setting"),
    ],
)
def test_adb_root(
    server: AdbServer,
    phone_of: PhoneOf,
    control_of: ControlOf,
    properties: dict[str, str],
    state: dict[str, bool],
    said: str | None,
) -> None:
    phone = phone_of(su="", state=state)
    phone.write(properties={**phone.read()["properties"], **properties})
    server.phones[phone.serial] = phone
    control = control_of(phone)
    control.reverse(8080, phone.port)
    assert control.shell.rooted() is None

    if said is not None:
        with pytest.raises(DeviceFault) as raised:
            discovery.become_root(control)
        assert raised.value.code == "adb-root-refused"
        assert said in raised.value.what
        assert control.journal.undo_all(control.take_back) == []
        return
    discovery.become_root(control)

    assert control.shell.root("id -u").out == "0"
    assert control.shell.adb.reversed() == []  # lost with adbd
    control.change("a file", "echo 1 > /data/changed", "rm -f /data/changed", root=True)
    assert discovery.take_back(control) == []
    assert not (phone.root / "data/changed").exists()
    assert control.shell.user("id -u").out == "2000"


def test_root_by_adb_is_had_again_to_take_back_what_was_done_with_it(
    server: AdbServer, phone_of: PhoneOf, control_of: ControlOf
) -> None:
    phone = phone_of(su="", emulator=True)
    server.phones[phone.serial] = phone
    control = control_of(phone)
    discovery.become_root(control)
    control.change("a file", "echo 1 > /data/changed", "rm -f /data/changed", root=True)
    control.shell.adb.service("unroot")  # as a restart of the device does

    again = control_of(phone)
    assert discovery.take_back(again) == []

    assert not (phone.root / "data/changed").exists()
    assert again.shell.user("id -u").out == "2000"
    assert again.journal.open == ()


def test_what_adb_refuses(server: AdbServer, phone_of: PhoneOf) -> None:
    phone = phone_of()
    device = adb.connect(phone.serial)

    server.refused[phone.serial] = "no such service"
    assert code_of(lambda: device.shell("id")) == "adb-failed"
    server.refused.clear()
    assert device.shell("echo 1").out == "1"
    assert code_of(lambda: Shell(device).check("false")) == "command-failed"


def test_a_setting_that_the_device_does_not_take(phone_of: PhoneOf, control_of: ControlOf) -> None:
    control = control_of(phone_of(state={"settings_refused": ["http_proxy"]}))

    assert code_of(lambda: control.put("global", "http_proxy", "127.0.0.1:1")) == "setting-refused"


def test_a_device_is_held_by_one_at_a_time(phone_of: PhoneOf, tmp_path: Path) -> None:
    serial = phone_of().serial
    one, other = (discovery.control(discovery.choose(serial), tmp_path) for _ in range(2))

    with one.journal.held():
        one.put("global", "fresh", "1")
        with pytest.raises(DeviceFault) as raised, other.journal.held():
            pass
        assert raised.value.code == "device-in-use"

    with other.journal.held():
        assert [entry.what for entry in other.journal.open] == ["set global fresh"]
        assert discovery.take_back(other) == []
