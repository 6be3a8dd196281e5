"""Root is found by trying, whatever the flavour of `su`, and scripts come back with their exit status."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from appwitness.devices.android import adb
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.shell import Shell
from tests.adb.rig.phone import Phone

HARD = """x='a "b" $(echo c) `d`'; echo "$x"
if [ "$(id -u)" = 0 ]; then echo root; fi
exit 7"""


@pytest.mark.parametrize("su", ["magisk", "kernelsu", "toybox", "root-word", "slow", "deaf"])
def test_root_by_any_flavour(phone_of: Callable[..., Phone], su: str) -> None:
    shell = Shell(adb.connect(phone_of(su=su).serial))

    found = shell.rooted()
    done = shell.root(HARD)

    assert found is not None
    assert found.global_mounts
    assert (done.code, done.out) == (7, 'a "b" $(echo c) `d`\nroot')
    assert shell.user("ls -A /data/local/tmp").out == ""


@pytest.mark.parametrize("su", ["", "denied"])
def test_no_root(phone_of: Callable[..., Phone], su: str) -> None:
    shell = Shell(adb.connect(phone_of(su=su).serial))

    assert shell.rooted() is None
    with pytest.raises(DeviceFault) as raised:
        shell.root("id")
    assert raised.value.code == "no-root"
    assert shell.user("ls -A /data/local/tmp").out == ""


def test_a_root_shell_that_is_ended_is_no_lost_device(phone_of: Callable[..., Phone]) -> None:
    phone = phone_of(su="kernelsu")
    shell = Shell(adb.connect(phone.serial))
    shell.check("true", root=True)

    with pytest.raises(DeviceFault) as raised:
        shell.root("kill -9 $PPID; sleep 1")
    assert raised.value.code == "root-ended"
    assert shell.check("id -u", root=True) == "0"

    cable = threading.Timer(0.5, phone.unplug)
    cable.start()
    with pytest.raises(DeviceFault) as raised:
        shell.root("sleep 30")
    cable.join()
    assert raised.value.code == "device-lost"


@pytest.mark.parametrize("way", ["push", "pull"])
def test_a_device_that_stops_answering_does_not_hold_up_a_transfer(
    phone_of: Callable[..., Phone], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(adb, "STALLED_S", 1.0)
    phone, path, data = phone_of(), "/data/local/tmp/large", bytes(range(256)) * 250_000
    device = adb.connect(phone.serial)
    device.push(data, path)
    assert device.pull(path) == data
    adbd = [pid for pid, line in phone.processes().items() if line.startswith("/usr/sbin/adbd")]

    def stop() -> None:
        for pid in adbd:
            os.kill(pid, signal.SIGSTOP)

    def again_and_again() -> None:
        while True:
            device.push(data, path) if way == "push" else device.pull(path)

    stopped = threading.Timer(0.02, stop)
    stopped.start()
    with pytest.raises(DeviceFault) as raised:
        again_and_again()
    stopped.join()
    assert (raised.value.code, path in raised.value.what) == ("adb-timeout", True)

    for pid in adbd:
        os.kill(pid, signal.SIGCONT)
    assert device.pull("/data/rig/booted") == b""


def test_a_mount_is_seen_by_all(phone_of: Callable[..., Phone]) -> None:
    phone = phone_of(su="kernelsu")
    shell = Shell(adb.connect(phone.serial))

    shell.check("mkdir /data/mounted && mount -t tmpfs tmpfs /data/mounted && echo 1 > /data/mounted/file", root=True)

    assert (phone.root / "data/mounted/file").read_text() == "1\n"


def test_facts(phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]) -> None:
    facts = control_of(phone_of(api=29, emulator=True)).facts

    assert (facts.api, facts.release, facts.kind, facts.abis) == (29, "10", "emulator", ("x86_64",))
    assert facts.page_size == 4096
    assert len(facts.boot) == 36


def test_changes_are_taken_back(phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]) -> None:
    phone = phone_of(state={"settings": {"global": {"stays": "a 'b'"}}})
    control = control_of(phone)

    control.put("global", "stays", "x y")
    control.put("global", "http_proxy", "127.0.0.1:8080", restore=":0")
    control.put("global", "fresh", "1")
    control.reverse(8080, phone.port)
    assert control.shell.adb.reversed() == [8080]
    assert phone.read()["settings"]["global"] == {"stays": "x y", "http_proxy": "127.0.0.1:8080", "fresh": "1"}

    assert control.journal.undo_all(control.take_back) == []

    assert phone.read()["settings"]["global"] == {"stays": "a 'b'", "http_proxy": ":0"}
    assert control.shell.adb.reversed() == []
    assert control.journal.open == ()
