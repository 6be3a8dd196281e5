"""Finds the device that the user means, by serial, address, `usb`, `emulator` or as the only one, and checks that it is
ready.

Not tried on Android: mDNS and pairing with a phone, adb root on a phone.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appwitness.devices.android import adb, container
from appwitness.devices.android.adb import ADDRESS, STATES, TLS_CONNECT, Adb, AdbDevice
from appwitness.devices.android.control import Control
from appwitness.devices.android.device_facts import BOOT, DeviceFacts, ask, boot_of, properties
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.journal import Journal, Undo
from appwitness.devices.android.shell import Shell
from appwitness.support.spoken import Spoken

KINDS = ("usb", "emulator")
"""Names that mean the only device of their kind."""
BOOTED = {"sys.boot_completed": "1", "dev.bootcomplete": "1", "init.svc.bootanim": "stopped"}
"""Properties of a device that has booted; the last two are ignored if the device lacks them."""
READY = "pm path android >/dev/null && [ -d /sdcard/. ] && settings get global device_provisioned"
"""Checked once a device has booted: the package manager and the storage may come up later. Prints `0` if the device
was never set up."""
UNLOCKED = "sys.user.0.ce_available"
SERVICES = "pm path android && settings get global device_provisioned"
"""Fails until Android's services have come up, which after a restart takes longer than adb."""
BOOT_S = 120.0
"""Time limit for that."""
POLL_S = 0.5
WHO_S = 10.0
"""Time limit for a device to identify itself."""
AGAIN_S = 3.0
"""How long to retry each offline device when all devices are queried."""
_WHO = f"""echo "space=$(readlink /proc/self/ns/pid 2>/dev/null)"
echo "user=$(id -u) $(command -v su)"
echo "boot=$({BOOT})"
getprop"""
"""Each line has a label: on an old kernel, which has no PID namespaces, the first value is empty."""


@dataclass(frozen=True)
class KnownDevice:
    """A responding device and its identity."""

    serial: str
    """Its adb serial."""
    hardware: str
    """ro.serialno; emulators of one image share it."""
    one: str
    """Equal for two connections to the same device: hardware serial, boot ID, and the container that it runs in."""
    facts: DeviceFacts
    """Its facts, with only the properties filled in."""
    adb_user: str
    """The user ID that adb has there and, if it exists, the path of `su`."""


@dataclass(frozen=True)
class Listed:
    """One line of `appwitness devices`."""

    serial: str
    state: str
    """`ready`, `same as SERIAL`, or adb's state of a device that cannot be used."""
    model: str
    can: tuple[str, str, str, str]
    """What it can do, as texts: hooks, trust, traffic, screens."""


def choose(name: str | None = None) -> Adb:
    """The device that `name` means: a serial, HOST:PORT, `usb`, `emulator`; None: the only one connected.

    Reconnects an address that is offline, and looks up a wireless device on the network if its port changed. Raises
    DeviceFault, saying what to do: no device, several (it never guesses between two), or one that cannot be used.
    """
    if name is not None and name not in KINDS:
        return _named(name)
    seen = [each for each in adb.devices() if name != "usb" or way(each.serial) == "usb"]
    answering, others = _sorted(seen)
    if name == "emulator":
        answering = [each for each in answering if each.facts.kind == "emulator"]
        others = {each: error for each, error in others.items() if way(each.serial) == "emulator"}
    distinct = _distinct(answering)
    if len(distinct) == 1 and not others:
        return Adb(distinct[0].serial)
    if not distinct and len(others) == 1:
        raise next(iter(others.values()))
    if not distinct and not others:
        raise fault(
            "no-device", kind={"usb": Spoken(" by USB"), "emulator": Spoken(" that is an emulator")}.get(name or "", "")
        )
    there = [f"{each.serial} ({each.facts.model})" for each in distinct]
    there += [f"{each.serial} ({each.state})" for each in others]
    raise fault("several-devices", there=", ".join(there), first=there[0].split(" ")[0])


def known(serial: str, within_s: float = adb.CONNECT_S) -> KnownDevice:
    """Identify a device. Raises DeviceFault."""
    said = adb.connect(serial, within_s).shell(_WHO, timeout_s=WHO_S).out
    told = dict(re.findall(r"^(space|user)=(.*)$", said, re.MULTILINE))
    boot = boot_of(said.partition("boot=")[2].partition("\n[")[0])
    space, user = told.get("space", ""), told.get("user", "")
    named = properties(f"[{said.partition(chr(10) + '[')[2]}")
    hardware = named.get("ro.serialno") or named.get("ro.boot.serialno", "")
    facts = DeviceFacts(named, boot, None, None, None, ())
    return KnownDevice(serial, hardware, f"{hardware} {boot} {space.strip()}", facts, user.strip())


def control(device: Adb, folder: Path, run: str | None = None) -> Control:
    """Control of a device, for the parts that change it: its shell, its facts, and its journal in `folder`."""
    shell = Shell(device)
    facts = ask(shell)
    run = run or secrets.token_hex(4)
    return Control(shell, facts, Journal(folder, journal_name(facts, device.serial), facts.boot, run), run)


def journal_name(facts: DeviceFacts, serial: str) -> str:
    """The name of a device's journal, independent of the connection; the AVD name is added for emulators, which share
    a serial."""
    own = facts.properties.get("ro.boot.qemu.avd_name") or facts.properties.get("ro.kernel.qemu.avd_name")
    if facts.kind == "emulator":
        return "-".join(part for part in (facts.serial, own or serial) if part)
    return facts.serial or serial


def controls(folder: Path) -> list[Control]:
    """The controls of every responding device, without duplicates."""
    answering, _ = _sorted(adb.devices())
    return [control(Adb(each.serial), folder) for each in _distinct(answering)]


def take_back(control: Control) -> list[DeviceFault]:
    """Undo the journal's open changes; returns the errors of those that failed and stay open.

    If root came only from `adb root` and a restart of the device ended it, adb is restarted as root once more.
    """
    control.restarted()
    entries = control.journal.open
    if entries:
        _until_services(control.shell)
    again = (
        any(entry.undo.script == "unroot" for entry in entries)
        and any(entry.undo.by == "root" and not control.journal.gone_by_reboot(entry) for entry in entries)
        and control.shell.rooted() is None
    )
    if again:
        control.shell.adb.service("root")
        control.shell.forget_root()
    try:
        if entries:
            control.shell.sweep()
        failed = control.journal.undo_all(control.take_back)
        control.shell.sweep()
        return failed
    finally:
        control.shell.close()
        if again:
            control.shell.adb.service("unroot")


def listed() -> list[Listed]:
    """Every device that adb knows, with what it can do as far as can be told without requesting root."""
    seen = adb.devices()
    answering, others = _sorted(seen)
    kept = {each.serial for each in _distinct(answering)}
    rows = []
    for each in answering:
        same = next(other.serial for other in answering if other.one == each.one and other.serial in kept)
        state = Spoken("ready") if each.serial in kept else Spoken("same as {serial}", serial=same)
        rows.append(Listed(each.serial, state, f"{each.facts.model}, Android {each.facts.release}", _can(each)))
    return rows + [Listed(each.serial, each.state, "", ("", "", "", "")) for each in others]


def after_pairing(address: str, wait_s: float = 5.0) -> str | None:
    """Connect to a phone that was paired at this address; returns its adb serial, None if it is not announced."""
    host = address.rpartition(":")[0]
    end = time.monotonic() + wait_s
    while True:
        for each in adb.announced():
            if each.kind.rstrip(".") == TLS_CONNECT and each.address.rpartition(":")[0] == host:
                with suppress(DeviceFault):
                    return adb.connect(each.address).serial
        if time.monotonic() >= end:
            return None
        time.sleep(POLL_S)


def booted(shell: Shell, wait_s: float = 0.0) -> None:
    """Wait until Android has booted and the user has unlocked it once since then.

    Raises DeviceFault `device-booting`, `device-locked-since-start` or `device-not-set-up` if it is not ready after
    `wait_s` seconds.
    """
    poll(lambda: _booted(shell), wait_s)


def poll[T](ask_for: Callable[[], T], wait_s: float) -> T:
    """The result of `ask_for`, which is retried for `wait_s` seconds while it raises DeviceFault; after that, the last
    fault is raised."""
    end = time.monotonic() + wait_s
    while True:
        try:
            return ask_for()
        except DeviceFault:
            if time.monotonic() >= end:
                raise
        time.sleep(POLL_S)


def become_root(control: Control) -> None:
    """Restart adbd as root, which only developer builds allow; only with the user's permission.

    All forwarded ports are lost. Undo restarts it as the shell user. Raises DeviceFault `adb-root-refused` with adbd's
    reply, or `device-lost` if it does not come back.
    """
    shell = control.shell
    if shell.user("id -u").out.strip() == "0":
        return
    control.journal.before("adb root", Undo("adb", "unroot", lost_by_reboot=True))
    said = shell.adb.service("root")
    shell.forget_root()
    if shell.user("id -u").out.strip() != "0":
        raise fault("adb-root-refused", serial=shell.serial, said=said.rstrip("."))


def _named(name: str) -> Adb:
    """The device with this serial or address, or, if it is connected without a cable, with this hardware serial."""
    try:
        return adb.connect(name)
    except DeviceFault as error:
        if error.code not in ("device-not-found", "device-offline"):
            raise
        missing = error
    for address in _announced(name):
        with suppress(DeviceFault):
            return adb.connect(address)
    if way(name) == "emulator" and container.inside():
        raise fault("emulator-outside", serial=name) from missing
    if not ADDRESS.fullmatch(name):
        answering, _ = _sorted(adb.devices())
        same = {each.one: each.serial for each in answering if each.hardware == name}
        if len(same) == 1:
            return Adb(*same.values())
    raise missing


def _announced(name: str) -> Iterable[str]:
    """The addresses at which the device with that name or address is announced now: its port changes with each
    restart."""
    there = [each for each in adb.announced() if each.kind.rstrip(".") == TLS_CONNECT and each.address != name]
    if not ADDRESS.fullmatch(name):
        names = (name, name.removesuffix(f".{TLS_CONNECT}"))
        return [each.address for each in there if each.name in names or each.name.startswith(f"adb-{name}-")]
    host = name.rpartition(":")[0]
    same = [each.address for each in there if each.address.rpartition(":")[0] == host]
    # Several devices may share one address, this machine's or a router's.
    return same if len(same) == 1 and host not in ("127.0.0.1", "localhost", "[::1]") else []


def _sorted(seen: Iterable[AdbDevice]) -> tuple[list[KnownDevice], dict[AdbDevice, DeviceFault]]:
    """The devices that answer, and why the others do not; an offline address is retried first."""
    answering: list[KnownDevice] = []
    others: dict[AdbDevice, DeviceFault] = {}
    for each in seen:
        try:
            if each.state != "device" and not (ADDRESS.fullmatch(each.serial) and each.state == "offline"):
                raise fault(STATES.get(each.state, "device-not-usable"), serial=each.serial, state=each.state)
            answering.append(known(each.serial, AGAIN_S))
        except DeviceFault as error:
            others[each] = error
    return answering, others


def way(serial: str) -> str:
    """How the device with that serial is connected: usb, emulator or network."""
    if serial.startswith("emulator-"):
        return "emulator"
    return "network" if ADDRESS.fullmatch(serial) or TLS_CONNECT in serial else "usb"


def _distinct(answering: Iterable[KnownDevice]) -> list[KnownDevice]:
    """Each device once, with its best connection."""
    return list({each.one: each for each in sorted(answering, key=_preference, reverse=True)}.values())


def _can(device: KnownDevice) -> tuple[str, str, str, str]:
    """Which apps can be hooked, which will trust the proxy, how traffic reaches it, and whether screens can be
    tapped."""
    user, su = (*device.adb_user.split(), "", "")[:2]
    if user == "0":
        apps, traffic = Spoken("all apps"), Spoken("regular; transparent, wireguard")
    elif su:
        apps = Spoken("all apps if su is allowed")
        traffic = Spoken("regular; transparent, wireguard if su is allowed")
    elif device.facts.debuggable:
        apps, traffic = Spoken("all apps after adb root"), Spoken("regular; transparent, wireguard after adb root")
    else:
        return Spoken("debuggable apps"), Spoken("by hand"), Spoken("regular, wireguard by hand"), Spoken("yes")
    return apps, apps, traffic, Spoken("yes")


def _preference(each: KnownDevice) -> int:
    """Sort key that prefers a cable to the network if a device is connected by both."""
    return ("emulator", "usb", "network").index(way(each.serial))


def _until_services(shell: Shell) -> None:
    """Wait for Android's services, for at most BOOT_S: changes cannot be undone without them. Raises DeviceFault."""
    end = time.monotonic() + BOOT_S
    while not shell.user(SERVICES).ok and time.monotonic() < end:
        time.sleep(POLL_S)


def _booted(shell: Shell) -> None:
    said = properties(shell.check("getprop"))
    if any(
        (said.get(name) or ("" if name == "sys.boot_completed" else value)) != value for name, value in BOOTED.items()
    ):
        raise fault("device-booting", serial=shell.serial)
    if said.get(UNLOCKED) == "false":
        raise fault("device-locked-since-start", serial=shell.serial)
    answers = shell.user(READY)
    if not answers.ok:
        raise fault("device-booting", serial=shell.serial)
    if answers.out.strip() == "0":
        raise fault("device-not-set-up", serial=shell.serial)
