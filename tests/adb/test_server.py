"""frida-server comes onto a device, answers, and leaves no trace; each way to fail has its own remedy, which works."""

from __future__ import annotations

import hashlib
import lzma
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from appwitness.agent.frida_device import VERSION, answers
from appwitness.catalog import editions
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.frida import frida_release
from appwitness.devices.android.frida import frida_server as server
from appwitness.devices.android.frida.frida_release import BUILDS, asset, find
from appwitness.devices.android.frida.quirks import quirks
from tests.adb.rig import frida_server
from tests.adb.rig.phone import Phone

NAME = f"frida-server-{VERSION}-android-x86_64"
Make = Callable[..., Phone]
Of = Callable[[Phone], Control]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The server as a user may name it."""
    path = tmp_path / "server"
    path.write_bytes(frida_server.program())
    return path


def gone(control: Control) -> None:
    """As a run takes it back."""
    assert control.journal.undo_all(control.take_back) == []


def traces(control: Control) -> tuple[str, list[str]]:
    """What a server leaves: files, and processes that were not there before, root's shell for all scripts ended."""
    control.shell.close()
    names = control.shell.check("ps -A -o PID,UID,PPID,NAME").splitlines()[1:]
    here = {"python", "zygote64", "adbd", "dash", "boot.py", "magiskd.py", "system_server"}
    return control.shell.check("ls -A /data/local/tmp"), [line for line in names if line.split()[-1] not in here]


@pytest.mark.parametrize("api", [24, 34])
def test_it_starts_answers_and_leaves_no_trace(phone_of: Make, control_of: Of, file: Path, api: int) -> None:
    control = control_of(phone_of(api=api))

    running = server.start(control, file)

    assert running.system["access"] == "full"
    listing = control.shell.check(f"stat -c '%U %a' {running.folder} {running.folder}/*", root=True).splitlines()
    assert listing[:2] == ["root 700", "root 700"]
    assert "127.0.0.1" in control.shell.check(
        f"grep -a '' /proc/$(pidof {_program(control, running)})/cmdline", root=True
    )
    gone(control)
    assert control.journal.open == ()
    if api >= 26:
        assert traces(control) == ("", [])
    gone(control)


def _program(control: Control, running: server.Running) -> str:
    return control.shell.check(f"ls {running.folder} | grep -v output", root=True)


def test_its_rights_are_roots_and_its_token_is_asked_for(phone_of: Make, control_of: Of, file: Path) -> None:
    control = control_of(phone_of())
    running = server.start(control, file)
    address, token = running.remote

    with pytest.raises(Exception, match=r"(?i)token|authenti") as raised:
        answers(address, "another", 3)
    assert getattr(raised.value, "code", "") == "frida-token"
    assert answers(address, token)["access"] == "full"
    gone(control)


GOES_WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("frida-server-died", {"stderr": "boom", "exit": 1}, "boom"),
    ("frida-server-died", {"stderr": "Unable to load SELinux policy from the kernel", "exit": 1}, "--allow selinux"),
    ("frida-server-silent", {"silent": True}, "no answer within 1 s"),
    ("frida-server-no-rights", {"access": "jailed"}, "full root"),
]


@pytest.mark.parametrize(("code", "wrong", "said"), GOES_WRONG)
def test_what_goes_wrong_is_said_and_taken_back(
    phone_of: Make, control_of: Of, file: Path, code: str, wrong: dict[str, Any], said: str
) -> None:
    phone = phone_of(state={"frida": wrong})
    control = control_of(phone)

    with pytest.raises(DeviceFault, match=said) as raised:
        server.start(control, file, ready_s=1)

    assert raised.value.code == code
    assert control.journal.open == ()
    assert traces(control) == ("", [])
    phone.write(frida={})  # the remedy: what was wrong is mended
    server.start(control, file)
    gone(control)


BAD_FILES: list[tuple[str, bytes]] = [
    ("frida-server-version", frida_server.program("16.0.1")),
    ("frida-server-not-run", b"\x7fELF\x02\x01\x01" + bytes(60)),
    ("frida-server-unreadable", b"<html>not found</html>"),
    ("frida-server-unreadable", frida_release.XZ + b"cut"),
]


@pytest.mark.parametrize(("code", "data"), BAD_FILES)
def test_a_file_that_is_no_server_of_ours(phone_of: Make, control_of: Of, file: Path, code: str, data: bytes) -> None:
    control = control_of(phone_of())
    good = file.read_bytes()
    file.write_bytes(data)

    with pytest.raises(DeviceFault, match=f"{NAME}.xz") as raised:
        server.start(control, file)

    assert raised.value.code == code
    assert control.journal.open == ()
    assert traces(control) == ("", [])
    file.write_bytes(lzma.compress(good))  # the remedy: the file of the release, packed as it is there
    server.start(control, file)
    gone(control)


def test_without_root_there_is_none(phone_of: Make, control_of: Of, file: Path) -> None:
    with pytest.raises(DeviceFault) as raised:
        server.start(control_of(phone_of(su="")), file)
    assert raised.value.code == "no-root"


@pytest.mark.parametrize(
    ("abi", "arch"),
    [
        ("arm64-v8a", "arm64"),
        ("armeabi-v7a", "arm"),
        ("armeabi", "arm"),
        ("x86_64", "x86_64"),
        ("x86", "x86"),
        ("mips", ""),
    ],
)
def test_the_build_is_that_of_the_machine(phone_of: Make, control_of: Of, abi: str, arch: str) -> None:
    assert abi == "mips" or BUILDS[abi] == arch
    facts = replace(control_of(phone_of()).facts, properties={"ro.product.cpu.abi": abi})
    if arch:
        assert asset(facts, "x") == f"frida-server-{VERSION}-android-{arch}"
        return
    with pytest.raises(DeviceFault) as raised:
        asset(facts, "x")
    assert raised.value.code == "frida-server-no-build"


def test_a_machine_that_translates_gets_its_own_build(phone_of: Make, control_of: Of) -> None:
    said = {"ro.product.cpu.abi": "x86_64", "ro.product.cpu.abilist": "x86_64,arm64-v8a"}
    facts = replace(control_of(phone_of()).facts, properties=said)
    assert asset(facts, "x") == NAME


class Release(BaseHTTPRequestHandler):
    """Frida's release, as GitHub answers."""

    files: dict[str, bytes] = {}

    def do_GET(self) -> None:
        data = self.files.get(self.path)
        self.send_response(404 if data is None else 200)
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def release() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Release) as http:
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/download"
        http.shutdown()


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes | None], None]:
    """Has the catalog know a file of the release by its digest, or no file at all."""
    place = tmp_path / "frida_builds.yml"
    monkeypatch.setattr(editions, "file", lambda _: place)

    def write(packed: bytes | None) -> None:
        digest = "" if packed is None else f"{NAME}.xz: {hashlib.sha256(packed).hexdigest()}"
        place.write_text(f"builds: {{{digest}}}\n")

    return write


def publish(data: bytes) -> None:
    Release.files = {f"/download/{VERSION}/{NAME}.xz": data}


def test_it_is_downloaded_once_and_compared(
    tmp_path: Path, release: str, known: Callable[[bytes | None], None]
) -> None:
    program = frida_server.program()
    packed = lzma.compress(program)
    publish(packed)
    known(packed)

    first = find(NAME, None, tmp_path / "cache", release)
    Release.files = {}
    second = find(NAME, None, tmp_path / "cache", release)

    assert (first.data, first.origin, second.data, second.origin) == (program, "download", program, "cache")
    assert first.sha256 == hashlib.sha256(program).hexdigest()
    (asked,) = first.requests
    assert (asked.what, asked.to) == ("frida_build", release.split("/")[2])
    assert second.requests == ()


@pytest.mark.parametrize("wrong", ["digest", "absent", "nobody there", "cache"])
def test_one_that_is_not_to_be_had_is_told_with_what_to_do(
    tmp_path: Path, release: str, wrong: str, known: Callable[[bytes | None], None]
) -> None:
    packed = lzma.compress(frida_server.program())
    publish(b"another" if wrong == "digest" else packed)
    known(packed)
    place = tmp_path / "cache" / f"{NAME}.xz"
    place.parent.mkdir()
    if wrong == "absent":
        Release.files = {}
    elif wrong == "nobody there":
        release = "http://127.0.0.1:1/download"
    elif wrong == "cache":
        place.write_bytes(lzma.compress(b"\x7fELF of somebody else"))

    with pytest.raises(DeviceFault) as raised:
        find(NAME, None, tmp_path / "cache", release)

    unfit = wrong in ("digest", "cache")
    assert raised.value.code == ("frida-server-digest" if unfit else "frida-server-missing")
    assert "--frida-server FILE" in str(raised.value)
    assert wrong == "digest" or str(place) in str(raised.value)
    place.write_bytes(packed)  # the remedy: by hand
    assert find(NAME, None, tmp_path / "cache", release).origin == "cache"


@pytest.mark.parametrize("where", ["there", "cache"])
def test_one_without_a_digest_is_not_fetched_and_not_started_unless_it_is_named(
    tmp_path: Path, release: str, where: str, known: Callable[[bytes | None], None], file: Path
) -> None:
    packed = lzma.compress(frida_server.program())
    publish(packed)
    known(None)
    if where == "cache":
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / f"{NAME}.xz").write_bytes(packed)

    with pytest.raises(DeviceFault, match="no digest") as raised:
        find(NAME, None, tmp_path / "cache", release)

    assert raised.value.code == "frida-server-unknown"
    assert "--frida-server FILE" in raised.value.next_step
    assert "APPWITNESS_OBSERVE_FRIDA_SERVER=FILE" in raised.value.next_step
    assert where == "cache" or not (tmp_path / "cache").exists()
    assert find(NAME, file, tmp_path / "cache", release).origin == "given"


def test_the_package_knows_no_digest_yet() -> None:
    """Nobody here could see a release of Frida's: until then each operator names the file."""
    with pytest.raises(DeviceFault, match="no digest"):
        find(NAME, None, Path("nowhere"), "http://127.0.0.1:1")


LISTENER = """import pathlib, socket, time
listening = socket.create_server(("127.0.0.1", {port}))
pathlib.Path("/data/rig/listens").touch()
time.sleep(99)"""


def listen(phone: Phone, port: int) -> subprocess.Popen[bytes]:
    """Another program of the device's that has a port."""
    inside = [
        "nsenter",
        "-t",
        str(phone.init),
        "-m",
        "-p",
        "-n",
        "-r",
        "/usr/bin/python3",
        "-c",
        LISTENER.format(port=port),
    ]
    process = subprocess.Popen(inside)
    while not (phone.root / "data/rig/listens").exists():
        assert process.poll() is None
    return process


def test_another_server_is_left_alone_and_noted(phone_of: Make, control_of: Of, file: Path) -> None:
    phone = phone_of()
    control = control_of(phone)
    other = listen(phone, 27042)
    try:
        server.start(control, file)
        gone(control)
        assert other.poll() is None
        assert "another Frida is on the device (port 27042)" in " ".join(control.notes)
    finally:
        other.kill()
        other.wait()


def test_a_port_that_is_taken_is_not_insisted_on(
    phone_of: Make, control_of: Of, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = phone_of()
    control = control_of(phone)
    drawn = iter([0, 1])
    monkeypatch.setattr("secrets.randbelow", lambda _: next(drawn))
    other = listen(phone, server.PORTS.start)
    try:
        running = server.start(control, file)
        assert running.port == server.PORTS.start + 1
        gone(control)
        assert control.journal.open == ()
    finally:
        other.kill()
        other.wait()


def test_after_a_kill_another_process_takes_it_back(phone_of: Make, control_of: Of, file: Path) -> None:
    phone = phone_of(api=29, state={"properties": {**phone_of(api=29).read()["properties"], **USAP}})
    killed = control_of(phone)
    server.start(killed, file)

    control = control_of(phone)  # as after kill -9: all that is left is the journal
    killed.shell.close()  # its connection ends with a process
    assert len(control.journal.open) == 3
    entries = [entry.undo for entry in control.journal.open]
    assert control.journal.undo_all(control.take_back) == []

    assert traces(control) == ("", [])
    assert phone.read()["properties"].items() >= USAP.items()
    for undo in reversed(entries):  # done twice, nothing is the worse
        control.take_back(undo)
    assert traces(control) == ("", [])


USAP = {"persist.device_config.runtime_native.usap_pool_enabled": "true"}
QUIRKS: list[tuple[str, int, dict[str, str]]] = [
    ("usap-pool", 29, USAP),
    ("usap-pool-vendor", 33, {"persist.sys.usap_pool_enabled": "1"}),
    ("tango-zygote", 34, {"persist.sys.tango_zygote32.start": "1"}),
]


@pytest.mark.parametrize(("name", "api", "properties"), QUIRKS)
def test_a_quirk_is_changed_for_the_run_and_given_back(
    phone_of: Make, control_of: Of, file: Path, name: str, api: int, properties: dict[str, str]
) -> None:
    usual = phone_of(api=api)
    phone = phone_of(api=api, state={"properties": {**usual.read()["properties"], **properties}})
    (quirk,) = [one for one in quirks() if one.name == name]
    assert not quirk.fits(control_of(usual).facts)
    control = control_of(phone)

    running = server.start(control, file)

    assert name in running.quirks
    assert phone.read()["properties"].items() >= quirk.set.items()
    gone(control)
    assert phone.read()["properties"].items() >= properties.items()


@pytest.mark.parametrize(("api", "given"), [(33, False), (34, True), (36, True)])
def test_zygotes_environment(phone_of: Make, control_of: Of, file: Path, api: int, given: bool) -> None:
    control = control_of(phone_of(api=api))
    running = server.start(control, file)
    program = _program(control, running)
    environment = control.shell.check(f"tr '\\000' '\\n' </proc/$(pidof {program})/environ", root=True)
    gone(control)
    assert ("ANDROID_DATA=/data" in environment.splitlines()) is given
    assert ("zygote-environment" in running.quirks) is given


def test_selinux_is_switched_off_with_the_users_leave_alone(phone_of: Make, control_of: Of, file: Path) -> None:
    said = "Unable to load SELinux policy from the kernel: unsupported policy database format"
    phone = phone_of(api=36, state={"frida": {"stderr": said, "exit": 1, "selinux": "Enforcing"}})
    control = control_of(phone)

    with pytest.raises(DeviceFault, match="--allow selinux-permissive"):
        server.start(control, file)
    assert phone.read().get("selinux", "Enforcing") == "Enforcing"

    server.start(control, file, allowed=["selinux-permissive"])
    assert phone.read()["selinux"] == "Permissive"
    gone(control)
    assert phone.read()["selinux"] == "Enforcing"


def test_a_frida_below_the_floor_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert frida_release.below_floor() is None
    monkeypatch.setattr(frida_release, "VERSION", "17.6.2")
    assert "older than 17.15.5" in (frida_release.below_floor() or "")
