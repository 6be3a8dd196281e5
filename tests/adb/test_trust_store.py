"""The proxy's authority in the system store: real mounts in real mount namespaces, and all of it taken back."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.journal import Journal
from appwitness.devices.android.traffic import certificate_store
from tests.adb.rig.phone import Phone

APIS = [24, 29, 33, 34, 36]


def authority(folder: Path, name: str = "mitmproxy") -> Path:
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "mitmproxy"),
        ]
    )
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime(2026, 1, 1)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{x509.random_serial_number()}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def start_app(phone: Phone, *prepare: str) -> int:
    """A process that zygote starts, which sleeps; `prepare` is a line of shell that runs as root in its namespace."""
    order = {
        "uid": 10123,
        "argv": ["/usr/bin/sleep", "600"],
        "env": {"PATH": "/usr/bin"},
        "cwd": "/",
        "log": "/data/rig/app.log",
        "prepare": [["/usr/bin/dash", "-c", line] for line in prepare],
    }
    phone.until((phone.root / "data/rig/zygote.pid").exists, "zygote did not start")
    with socket.socket(socket.AF_UNIX) as zygote:
        while zygote.connect_ex(str(phone.root / "data/rig/zygote.socket")):
            time.sleep(0.01)
        zygote.sendall(json.dumps(order).encode())
        pid = int(zygote.recv(16))
    phone.until(lambda: b"sleep" in (phone.root / f"proc/{pid}/cmdline").read_bytes(), "the app did not start")
    return pid


def zygote_of(phone: Phone) -> int:
    return int((phone.root / "data/rig/zygote.pid").read_text())


def mounts(phone: Phone) -> dict[int, list[str]]:
    """pid -> what is mounted where, for each process that lives on."""
    found = {1, zygote_of(phone)}
    for process in (phone.root / "proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            if b"sleep" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return {
        pid: sorted(line.split(" ", 4)[4] for line in (phone.root / f"proc/{pid}/mountinfo").read_text().splitlines())
        for pid in found
    }


def files(phone: Phone) -> dict[str, list[str]]:
    return {
        pattern: sorted(str(path) for path in phone.root.glob(pattern))
        for pattern in ("system/etc/**/*", "apex/**/*", "mnt/*", "mnt/.*")
    }


def seen_by(phone: Phone, pid: int, store: str) -> dict[str, str]:
    return {path.name: path.read_text() for path in (phone.root / f"proc/{pid}/root{store}").iterdir()}


@pytest.mark.parametrize("api", APIS)
def test_all_processes_get_it_and_lose_it(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path, api: int
) -> None:
    phone = phone_of(api=api)
    if api == 29:
        (phone.root / "system/etc/security/cacerts_google").mkdir()
        (phone.root / "system/etc/security/cacerts_google/11111111.0").write_text("google's")
    app, private = start_app(phone), start_app(phone, "mount --make-rprivate /")
    before = mounts(phone), files(phone)
    originals = seen_by(phone, 1, certificate_store.SYSTEM)
    control = control_of(phone)
    pem = authority(tmp_path)

    put = certificate_store.install(control, pem)
    later = start_app(phone)

    assert put.name == "c8750f0d.0"
    stores = [certificate_store.SYSTEM, *([certificate_store.APEX] if api >= 34 else [])]
    for pid in (zygote_of(phone), app, private, later):
        assert certificate_store.holds(control, pid)
        for store in stores:
            assert seen_by(phone, pid, store) == {**originals, put.name: pem.read_text()}
        if api == 29:
            assert set(seen_by(phone, pid, certificate_store.GOOGLE)) == {"11111111.0", put.name}
    assert certificate_store.mend(control) == []
    assert files(phone)["mnt/.*"] == []
    inside = phone.root / certificate_store.SYSTEM.lstrip("/")
    assert [oct(path.stat().st_mode & 0o777) for path in (inside, inside / put.name)] == ["0o755", "0o644"]

    control.shell.check(f"kill -9 {later}", root=True)
    assert control.journal.undo_all(control.take_back) == []
    control.shell.check(certificate_store.undo_script(control.run), root=True)

    assert (mounts(phone), files(phone)) == before


@pytest.mark.parametrize("su", ["kernelsu", "toybox"])
def test_whatever_the_root(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path, su: str
) -> None:
    phone = phone_of(su=su)
    app = start_app(phone)
    control = control_of(phone)
    certificate_store.install(control, authority(tmp_path))
    assert certificate_store.holds(control, app)


def test_mounts_of_others_stay(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path
) -> None:
    phone = phone_of()
    module = "mount -t tmpfs magisk {0} && echo theirs > {0}/22222222.0"
    over = start_app(phone, module.format(certificate_store.APEX))
    control = control_of(phone)
    control.shell.check(module.format(certificate_store.SYSTEM), root=True)
    before = mounts(phone)

    certificate_store.install(control, authority(tmp_path))
    for pid in (1, over):
        assert "22222222.0" not in seen_by(phone, pid, certificate_store.SYSTEM), "the originals are those of the apex"
        assert "c8750f0d.0" in seen_by(phone, pid, certificate_store.SYSTEM)
    assert control.journal.undo_all(control.take_back) == []

    assert mounts(phone) == before
    assert (
        list(seen_by(phone, 1, certificate_store.SYSTEM))
        == list(seen_by(phone, over, certificate_store.APEX))
        == ["22222222.0"]
    )


def test_what_is_mounted_over_ours_is_not_taken_away(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path
) -> None:
    phone = phone_of(api=33)
    control = control_of(phone)
    before = mounts(phone)
    certificate_store.install(control, authority(tmp_path))
    control.shell.check(f"mount -t tmpfs other {certificate_store.SYSTEM}", root=True)
    assert not certificate_store.holds(control, 1)

    (failed,) = control.journal.undo_all(control.take_back)
    assert failed.code == "command-failed"
    assert "something else is mounted over the authorities" in str(failed)
    control.shell.check(f"umount {certificate_store.SYSTEM}", root=True)

    assert control.journal.undo_all(control.take_back) == []
    assert mounts(phone) == before


def test_the_name_has_its_zeros_and_a_stranger_keeps_his(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path
) -> None:
    names = (authority(tmp_path, f"Proxy {number}") for number in itertools.count())
    ours = next(
        pem for pem in names if certificate_store.subject_hash(certificate_store.certificate(pem)[1]).startswith("0")
    )
    base = certificate_store.subject_hash(certificate_store.certificate(ours)[1])
    subject = x509.load_pem_x509_certificate(ours.read_bytes()).subject
    stranger = authority(tmp_path, str(subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value))
    phone = phone_of(api=36)
    for store in (certificate_store.SYSTEM, certificate_store.APEX):
        (phone.root / store.lstrip("/") / f"{base}.0").write_bytes(
            b"Certificate:\r\n  text\r\n" + stranger.read_bytes()
        )
    control = control_of(phone)

    put = certificate_store.install(control, ours)

    assert put.name == f"{base}.1"
    assert len(base) == 8
    found = seen_by(phone, 1, certificate_store.APEX)
    assert found[put.name] == ours.read_text()
    assert stranger.read_text() in found[f"{base}.0"]
    control.journal.undo_all(control.take_back)
    assert certificate_store.install(control, stranger).name == f"{base}.0", "it is there already, under its own name"


@pytest.mark.skipif(not shutil.which("openssl"), reason="apt-get install openssl")
def test_the_name_is_that_of_openssl(tmp_path: Path) -> None:
    for name in ("a", "mitmproxy", "Ünïcode", "x" * 60):
        pem = authority(tmp_path, name)
        said = subprocess.run(
            ["openssl", "x509", "-subject_hash_old", "-noout", "-in", pem], check=True, capture_output=True, text=True
        )
        assert certificate_store.subject_hash(certificate_store.certificate(pem)[1]) == said.stdout.strip()


@pytest.mark.parametrize("api", [29, 34])
def test_a_new_zygote_gets_it_again(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path, api: int
) -> None:
    phone = phone_of(api=api)
    start_app(phone)
    control = control_of(phone)
    before = mounts(phone)[1]
    certificate_store.install(control, authority(tmp_path))
    old = zygote_of(phone)

    (phone.root / "data/rig/zygote-stays-down").touch()
    control.shell.check(f"kill -9 {old}", root=True)
    # Its namespace is made from that of the first process, as init's is, but without what does not propagate.
    there = f"{certificate_store.APEX} {certificate_store.SYSTEM}"
    begin = f"umount {there} 2>/dev/null; exec {sys.executable} /data/rig/zygote.py"
    control.shell.check(
        f"setsid unshare -m --propagation slave sh -c '{begin}' >/dev/null 2>&1 </dev/null &", root=True
    )
    phone.until(lambda: zygote_of(phone) != old, "zygote did not start again")
    new, app = zygote_of(phone), start_app(phone)
    assert not certificate_store.holds(control, new)
    assert not certificate_store.holds(control, app)

    mended = certificate_store.mend(control)

    assert any(f"process {new} again" in each for each in mended)
    assert certificate_store.holds(control, new)
    assert certificate_store.holds(control, app)
    assert certificate_store.mend(control) == []
    assert control.journal.undo_all(control.take_back) == []
    assert mounts(phone)[1] == before
    assert control.run not in "".join("".join(lines) for lines in mounts(phone).values())


def test_a_store_that_was_lost_is_a_fault(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path
) -> None:
    control = control_of(phone_of())
    certificate_store.install(control, authority(tmp_path))
    control.shell.check(f"umount {certificate_store.SYSTEM}", root=True)
    with pytest.raises(DeviceFault) as raised:
        certificate_store.mend(control)
    assert raised.value.code == "trust-lost"


def test_a_store_that_cannot_be_made_is_a_fault(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path
) -> None:
    phone = phone_of()
    start_app(phone)
    control = control_of(phone)
    (phone.root / "system/bin/nsenter").write_text("#!/system/bin/sh\necho not permitted >&2; exit 1\n")
    (phone.root / "system/bin/nsenter").chmod(0o755)
    with pytest.raises(DeviceFault) as raised:
        certificate_store.install(control, authority(tmp_path))
    assert raised.value.code == "trust-not-mounted"
    (phone.root / "system/bin/nsenter").unlink()
    assert control.journal.undo_all(control.take_back) == []
    certificate_store.install(control, authority(tmp_path))


@pytest.mark.filterwarnings("ignore:This process")
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.3, 0.5])
def test_killed_at_any_moment_it_is_taken_back(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], tmp_path: Path, seconds: float
) -> None:
    """The process that installs dies with its script half done; another one takes back what the journal has."""
    phone = phone_of()
    start_app(phone)
    control = control_of(phone)
    before = mounts(phone), files(phone)
    pem = authority(tmp_path)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            certificate_store.install(control, pem)
        os._exit(0)
    while not (control.journal.path.exists() and control.journal.path.stat().st_size):
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    journal = Journal(tmp_path / "devices", control.facts.serial, control.facts.boot)
    assert len(journal.open) == 1
    assert journal.undo_all(control.take_back) == []

    end = time.monotonic() + 2
    while (mounts(phone), files(phone)) != before and time.monotonic() < end:
        time.sleep(0.1)
    assert (mounts(phone), files(phone)) == before
