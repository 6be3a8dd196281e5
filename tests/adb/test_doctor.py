"""Each of doctor's codes is made on a stand-in device, and its remedy, done there, makes doctor pass."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.devices.android import adb, container, discovery, doctor, shell
from appwitness.devices.android.doctor.checks import around
from appwitness.devices.android.faults import entries
from tests.adb.rig.adb_server import AdbServer
from tests.adb.rig.phone import Phone

TESTS = Path(__file__).parent
CABLE = "R58M12ABCDE"


@dataclass
class Rig:
    """What a case works with."""

    phone: Phone
    server: AdbServer
    folder: Path
    patch: pytest.MonkeyPatch
    stack: contextlib.ExitStack
    name: str | None = None
    """What doctor is asked for; None: the only one."""
    untried: bool = False
    """Whether it counts that no bench has run the agent on the runtime, as is so on nearly every version."""

    def put(self, **state: Any) -> None:
        self.phone.write(**state)

    def properties(self, **changes: str) -> None:
        dotted = {name.replace("__", "."): value for name, value in changes.items()}
        self.put(properties={**self.phone.read()["properties"], **dotted})

    def settings(self, space: str, **values: str) -> None:
        settings = self.phone.read()["settings"]
        self.put(settings={**settings, space: {**settings[space], **values}})

    def root(self, script: str) -> str:
        """As the user does it on the device."""
        return shell.Shell(adb.connect(self.phone.serial)).check(script, root=True)

    def codes(self) -> dict[str, doctor.Result]:
        """What doctor finds, but what is well."""
        found = doctor.diagnose(self.name, self.folder)
        codes = {result.code: result for result in found.results if result.code is not None}
        if not self.untried:
            codes.pop("android-untried", None)
        return codes


Do = Callable[[Rig], object]


@dataclass
class Case:
    """How a code comes about, and what its remedy says."""

    code: str
    make: Do
    remedy: Do | None
    """None: the first command that the remedy names is run as it stands."""
    options: dict[str, Any] = field(default_factory=dict)
    """Of the phone."""

    @property
    def simple(self) -> bool:
        """Nothing of it stays behind."""
        return not self.options and self.code not in ALONE


ALONE = {
    "adb-server-unreachable",
    "adb-timeout",
    "emulator-outside",
    "device-not-found",
    "frida-other",
    "no-device",
    "root-unanswered",
    "several-devices",
    "storage-low",
    *(code for code in entries() if code.startswith("device-") and code != "device-booting"),
}
"""Cases that leave something behind which no remedy takes away, such as the name that is asked for."""


def played(state: str) -> Do:
    def make(rig: Rig) -> None:
        adb.host("disconnect")
        rig.server.played[CABLE] = state

    return make


def android(rig: Rig) -> None:
    """It is in Android, and may be debugged."""
    del rig.server.played[CABLE]
    adb.connect(rig.phone.serial)
    rig.server.hidden.add(rig.phone.serial)
    rig.server.named[CABLE] = rig.phone.serial


def changed(rig: Rig) -> None:
    control = discovery.control(discovery.choose(rig.phone.serial), rig.folder)
    control.put("global", "http_proxy", "127.0.0.1:8080", restore=":0")


def file(path: str, data: bytes = b"") -> Do:
    def make(rig: Rig) -> None:
        target = rig.phone.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    return make


def little_room(rig: Rig) -> None:
    rig.root(
        "mount -t tmpfs -o size=170m,mode=777 tmpfs /data/local/tmp && head -c 40m /dev/zero > /data/local/tmp/film"
    )


def listener(rig: Rig) -> None:
    """Something listens on Frida's port in the phone."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/proc/{rig.phone.init}/ns/net", os.O_RDONLY)
    os.setns(there, os.CLONE_NEWNET)
    try:
        rig.stack.enter_context(socket.create_server(("127.0.0.1", 27042)))
    finally:
        os.setns(own, os.CLONE_NEWNET)


def frida(rig: Rig) -> None:
    rig.root(
        "cp /usr/bin/sleep /data/local/tmp/frida-server && "
        "(setsid /data/local/tmp/frida-server 60 </dev/null >/dev/null 2>&1 &)"
    )


def not_adb(rig: Rig) -> None:
    """Another program listens on adb's port, and hangs up."""
    other = rig.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    other.settimeout(0)
    rig.patch.setenv("ANDROID_ADB_SERVER_PORT", str(other.getsockname()[1]))
    rig.put(port=rig.server.port)

    def hang_up() -> None:
        while True:
            try:
                connection, _ = other.accept()
            except BlockingIOError:
                time.sleep(0.01)
                continue
            except OSError:
                return
            connection.close()

    import threading

    threading.Thread(target=hang_up, daemon=True).start()


def adb_again(rig: Rig) -> None:
    rig.stack.close()
    rig.patch.setenv("ANDROID_ADB_SERVER_PORT", str(rig.phone.read()["port"]))


def wm_locked(rig: Rig) -> None:
    rig.put(screen={"awake": False, "locked": True, "lock": "pin"})


def unlocked(rig: Rig) -> None:
    rig.put(screen={"awake": True, "locked": False, "lock": "none"})


def two(rig: Rig) -> None:
    rig.server.played["R58M99ZZZZZ"] = "offline"


def named(rig: Rig) -> None:
    rig.name = rig.phone.serial


def contained(rig: Rig) -> None:
    rig.patch.setenv("container", "oci")
    rig.name = "emulator-5554"


def no_wait(rig: Rig) -> None:
    rig.patch.setattr(shell, "SU_S", 0.3)


def granted(rig: Rig) -> None:
    rig.put(su="magisk")


def put(**state: Any) -> Do:
    return lambda rig: rig.put(**state)


def properties(**values: str) -> Do:
    return lambda rig: rig.properties(**values)


def settings(space: str, **values: str) -> Do:
    return lambda rig: rig.settings(space, **values)


def count_untried(rig: Rig) -> None:
    rig.untried = True


def another_runtime(rig: Rig) -> None:
    """The check that its remedy names needs an app; a runtime that a bench has seen ends the warning."""
    usual = rig.phone.read()["properties"]["ro.build.version.sdk"]
    rig.properties(ro__build__version__sdk="29")
    assert rig.codes() == {}
    rig.properties(ro__build__version__sdk=usual)
    rig.untried = False


def without_nsenter(rig: Rig) -> None:
    (rig.phone.root / "usr/bin/nsenter").unlink()


def tunnel(rig: Rig) -> None:
    rig.root("ip tuntap add dev tun0 mode tun && ip addr add 10.9.0.2/24 dev tun0 && ip link set tun0 up")


def stuck(rig: Rig) -> None:
    rig.patch.setattr(discovery, "WHO_S", 0.5)
    rig.server.stuck.add(rig.phone.serial)


@pytest.mark.parametrize("usb", [True, False])
def test_in_a_container_it_says_whose_adb_server_is_asked(
    rig_of: Callable[..., Rig], usb: bool, tmp_path: Path
) -> None:
    rig = rig_of({})
    rig.patch.setenv("container", "oci")
    rig.patch.setattr(container, "USB", tmp_path if usb else tmp_path / "none")

    (result,) = around()

    port = adb.server()[1]
    assert f"in a container, with its own adb server, 127.0.0.1:{port}" in result.message
    assert (f"the devices of {tmp_path}" in result.message) == usb
    assert doctor.diagnose(None, rig.folder).results[0] == result


def refusing_taps(rig: Rig) -> None:
    rig.properties(ro__build__version__oplusrom="V13.1.0")
    rig.put(refuses_input=True)


def told_otherwise(rig: Rig) -> None:
    """Uses of ops are printed in a form that nobody knows."""
    program = rig.phone.root / "data/rig/userland/dump_appops.py"
    program.rename(program.with_suffix(".kept"))
    program.write_text("def main(arguments, state):\n    print('Uses are told elsewhere now')\n")


def told_as_before(rig: Rig) -> None:
    program = rig.phone.root / "data/rig/userland/dump_appops.py"
    program.with_suffix(".kept").rename(program)


CASES = [
    Case("dumps-unread", told_otherwise, told_as_before),
    Case("no-device", lambda rig: adb.host("disconnect"), lambda rig: adb.connect(rig.phone.serial)),
    Case("several-devices", two, named),
    Case("device-not-found", lambda rig: setattr(rig, "name", "R58M00TYPO0"), named),
    Case("device-offline", played("offline"), android),
    Case("device-unauthorized", played("unauthorized"), android),
    Case("device-in-recovery", played("sideload"), android),
    Case("device-in-bootloader", played("bootloader"), android),
    Case("device-no-permissions", played("no permissions"), android),
    Case("device-not-usable", played("detached"), android),
    Case("adb-server-unreachable", not_adb, adb_again),
    Case("device-booting", properties(sys__boot_completed=""), properties(sys__boot_completed="1")),
    Case(
        "device-locked-since-start",
        properties(sys__user__0__ce_available="false"),
        properties(sys__user__0__ce_available="true"),
    ),
    Case("device-not-set-up", lambda rig: rig.settings("global", device_provisioned="0"), None),
    Case("emulator-outside", contained, named),
    Case("device-locked", wm_locked, unlocked, {"api": 33}),
    Case("screen-locked", wm_locked, unlocked, {"api": 34}),
    Case(
        "android-too-old",
        properties(ro__build__version__sdk="23"),
        properties(ro__build__version__sdk="24"),
    ),
    Case("android-untried", count_untried, another_runtime),
    Case("android-newer", properties(ro__build__version__sdk="37"), properties(ro__build__version__sdk="36")),
    Case(
        "architecture-unsupported",
        properties(ro__product__cpu__abilist="riscv64"),
        properties(ro__product__cpu__abilist="arm64-v8a"),
    ),
    Case(
        "arm-translated",
        properties(ro__dalvik__vm__native__bridge="libndk_translation.so"),
        properties(ro__dalvik__vm__native__bridge="0", ro__product__cpu__abilist="arm64-v8a"),
    ),
    Case("without-root", put(), granted, {"su": "denied"}),
    Case("adb-root-possible", put(), None, {"su": "", "emulator": True}),
    Case("root-unanswered", no_wait, granted, {"su": "slow"}),
    Case("root-in-own-namespace", without_nsenter, granted, {"su": "kernelsu-own"}),
    Case("modules-disturb", file("data/adb/modules/zygisk_lsposed/x"), file("data/adb/modules/zygisk_lsposed/disable")),
    Case("storage-low", little_room, lambda rig: rig.root("rm /data/local/tmp/film")),
    Case("changes-open", changed, None),
    Case("journal-unreadable", lambda rig: journal(rig).write_bytes(b"\xff\xff"), lambda rig: journal(rig).unlink()),
    Case("proxy-left-over", settings("global", http_proxy="10.0.0.9:8888"), None),
    Case("dns-private", settings("global", private_dns_mode="hostname", private_dns_specifier="dns.example"), None),
    Case(
        "vpn-always-on",
        settings("secure", always_on_vpn_app="org.example.vpn"),
        settings("secure", always_on_vpn_app="null"),
    ),
    Case("vpn-up", tunnel, lambda rig: rig.root("ip link del tun0")),
    Case("frida-other", frida, lambda rig: rig.root("pkill frida-server")),
    Case("frida-other", listener, lambda rig: rig.stack.close()),
    Case("screen-read-by-other", put(screen_reader=True), put(screen_reader=False)),
    Case(
        "rom-refuses",
        properties(ro__miui__ui__version__name="V140"),
        properties(persist__security__adbinput="1"),
    ),
    Case(
        "rom-refuses",
        refusing_taps,
        put(refuses_input=False),
    ),
    Case("clock-differs", put(clock_ahead_s=3600), put(clock_ahead_s=0)),
    Case("clock-differs", put(clock_ahead_s=-90), put(clock_ahead_s=2)),
    Case("personal-data-there", put(accounts=[["jane@example.org", "com.google"]]), put(accounts=[])),
    Case(
        "personal-data-there",
        lambda rig: rig.root(
            "content insert --uri content://com.android.contacts/raw_contacts "
            "--bind account_type:s:com.google --bind account_name:s:jane@example.org"
        ),
        lambda rig: rig.root(
            "content delete --uri 'content://com.android.contacts/raw_contacts?caller_is_syncadapter=true'"
        ),
    ),
    Case("battery-low", put(battery={"level": 9, "usb": False}), put(battery={"level": 9, "usb": True})),
    Case("webview-none", put(webview=None), put(webview=["com.google.android.webview", "124.0.6367.219"])),
    Case("adb-timeout", stuck, lambda rig: rig.server.stuck.clear()),
]
ELSEWHERE = {
    "adb-failed": "test_finding.py",
    "adb-server-elsewhere": "test_traffic.py",
    "adb-root-refused": "test_finding.py",
    "frida-server-unknown": "test_server.py",
    "hooks-fail": "test_attach.py",
    "apk-not-there": "../devices/android/app/test_apk.py",
    "apk-too-large": "../devices/android/app/test_apk.py",
    "apk-unreadable": "../devices/android/app/test_apk.py",
    "app-bundle": "../devices/android/app/test_app_files.py",
    "app-damaged": "../devices/android/app/test_app_files.py",
    "app-encrypted": "../devices/android/app/test_app_files.py",
    "app-has-data": "test_package.py",
    "app-mixed": "../devices/android/app/test_app_files.py",
    "app-mixed-signers": "../devices/android/app/test_app_files.py",
    "app-no-apks": "../devices/android/app/test_app_files.py",
    "app-no-base": "../devices/android/app/test_app_files.py",
    "app-no-name": "test_package.py",
    "app-not-cleared": "test_package.py",
    "app-not-debuggable": "test_gadget.py",
    "app-not-installed": "test_package.py",
    "app-not-started": "test_attach.py",
    "app-not-uninstalled": "test_package.py",
    "app-of-system": "test_package.py",
    "app-other-version": "test_package.py",
    "app-several": "../devices/android/app/test_app_files.py",
    "app-too-large": "../devices/android/app/test_app_files.py",
    "app-unreadable": "test_package.py",
    "app-wrong-abi": "../devices/android/app/test_app_files.py",
    "app-not-running": "test_observe.py",
    "changes-left": "test_observe.py",
    "command-failed": "test_finding.py",
    "device-in-use": "test_finding.py",
    "device-lost": "test_finding.py",
    "root-ended": "test_shell.py",
    "frida-server-died": "test_server.py",
    "frida-server-digest": "test_server.py",
    "frida-server-missing": "test_server.py",
    "frida-server-no-build": "test_server.py",
    "frida-server-no-rights": "test_server.py",
    "frida-server-not-run": "test_server.py",
    "frida-server-silent": "test_server.py",
    "frida-server-unreadable": "test_server.py",
    "frida-server-version": "test_server.py",
    "host-nft-failed": "test_traffic.py",
    "install-conflict": "test_package.py",
    "install-damaged": "test_package.py",
    "install-missing-split": "test_package.py",
    "install-newer-android": "test_package.py",
    "install-no-space": "test_package.py",
    "install-not-verified": "test_package.py",
    "install-older-version": "test_package.py",
    "install-other-signature": "test_package.py",
    "install-refused": "test_package.py",
    "install-unsigned": "test_package.py",
    "install-user-restricted": "test_package.py",
    "install-wrong-abi": "test_package.py",
    "no-root": "test_server.py",
    "no-uid-to-route": "test_traffic.py",
    "pairing-failed": "test_finding.py",
    "permission-refused": "test_package.py",
    "screens-taken": "test_screens.py",
    "screens-unreadable": "test_screens.py",
    "setting-refused": "test_finding.py",
    "touches-refused": "test_screens.py",
    "trust-lost": "test_trust_store.py",
    "trust-not-mounted": "test_trust_store.py",
}
"""What no question of doctor's brings up, but a run, and the test that does."""
NOWHERE: set[str] = {"wireguard-not-up"}
"""What no test brings up yet: to be made by the tests of the part that raises it."""


def journal(rig: Rig) -> Path:
    rig.folder.mkdir(parents=True, exist_ok=True)
    return rig.folder / f"{CABLE}.jsonl"


def chains() -> list[list[Case]]:
    """Those that need no device of their own go three to a device: each question costs time."""
    plain = [case for case in CASES if case.simple]
    return [*(plain[at : at + 3] for at in range(0, len(plain), 3)), *([case] for case in CASES if not case.simple)]


@pytest.fixture
def rig_of(
    server: AdbServer, phone_of: Callable[..., Phone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Rig]]:
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    with contextlib.ExitStack() as stack:

        def make(options: dict[str, Any]) -> Rig:
            adb.host("disconnect")
            phone = phone_of(**options)
            server.phones[phone.serial] = phone
            adb.connect(phone.serial)
            return Rig(phone, server, tmp_path / "home/devices", monkeypatch, stack)

        yield make


def done(rig: Rig, result: doctor.Result) -> None:
    """Do what the remedy says, to the letter."""
    found = re.search(r"`([^`]+)`", result.remedy or "")
    assert found is not None, result.remedy
    program, *arguments = shlex.split(found[1])
    if program == "adb":
        ended = adb.host(*arguments)
        assert ended.ok, ended
    else:
        assert program == "appwitness"
        assert CliRunner().invoke(main, arguments).exit_code == 0


@pytest.mark.parametrize("cases", chains(), ids=lambda cases: ",".join(dict.fromkeys(case.code for case in cases)))
def test_the_remedy_of_each_code_helps(rig_of: Callable[..., Rig], cases: list[Case]) -> None:
    """One after the other on one device: what doctor finds next no longer has the code before."""
    rig = rig_of(cases[0].options)
    for case in cases:
        case.make(rig)
        found = rig.codes()
        assert set(found) == {case.code}
        result = found[case.code]
        assert result.level == ("fault" if case.code in entries() else "warning")
        assert "{" not in f"{result.message}{result.remedy}"
        if case.remedy is None:
            done(rig, result)
        else:
            case.remedy(rig)
    assert rig.codes() == {}


def test_each_code_is_made_somewhere() -> None:
    made = {case.code for case in CASES}
    tests = "\n".join(path.read_text() for path in TESTS.glob("*.py") if path.name != Path(__file__).name)

    assert {code for code in doctor.texts().warnings if code not in made} == set()
    assert {code for code in entries() if code not in made | ELSEWHERE.keys()} == NOWHERE
    assert {code for code in NOWHERE if f'"{code}"' in tests} == set()
    for code, name in ELSEWHERE.items():
        assert f'"{code}"' in (TESTS / name).read_text(), f"{code} is not in {name}"


@pytest.mark.parametrize("name", ["faults", "doctor"])
def test_no_code_is_written_twice(name: str) -> None:
    text = (Path(doctor.__file__).parents[3] / f"catalog/devices/{name}.yml").read_text()
    codes = re.findall(r"^  ([\w-]+):$", text, re.MULTILINE)

    assert sorted(codes) == sorted(set(codes))


def test_each_check_has_its_texts() -> None:
    assert list(doctor.CHECKS) == list(doctor.texts().checks)


@pytest.mark.parametrize("api", [24, 29, 33, 34, 36])
def test_a_good_device_of_each_version(rig_of: Callable[..., Rig], api: int) -> None:
    rig = rig_of({"api": api})

    diagnosis = doctor.diagnose(None, rig.folder)

    assert ["container", *(result.check for result in diagnosis.results)] == list(doctor.CHECKS)
    codes = {result.code for result in diagnosis.results} - {None}
    assert codes == (set() if api == 29 else {"android-untried"})
    assert diagnosis.api == api


def test_what_it_asks_changes_nothing(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of({"state": {"screen": {"awake": False, "locked": True, "lock": "swipe"}}})
    before = rig.phone.read()

    assert rig.codes() == {"screen-locked": rig.codes()["screen-locked"]}

    assert rig.phone.read() == before
    assert list((rig.phone.root / "data/local/tmp").iterdir()) == []


def test_it_waits_until_a_device_has_started(rig_of: Callable[..., Rig]) -> None:
    import threading

    rig = rig_of({})
    rig.properties(sys__boot_completed="")
    adb.host("disconnect")

    def start() -> None:
        adb.connect(rig.phone.serial)
        rig.properties(sys__boot_completed="1")

    later = threading.Timer(1.0, start)
    later.start()
    diagnosis = doctor.diagnose(None, rig.folder, wait_s=60)
    later.join()

    assert diagnosis.worst == "warning"  # as its runtime is one that no bench has seen
