"""The proxy's authority in the system store: real mounts in real mount namespaces, and all of it taken back."""

from __future__ import annotations

import datetime
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from monitor.observe.android import trust
from monitor.observe.android.control import Control
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
    phone._until((phone.root / "data/rig/zygote.pid").exists, "zygote did not start")
    with socket.socket(socket.AF_UNIX) as zygote:
        while zygote.connect_ex(str(phone.root / "data/rig/zygote.socket")):
            time.sleep(0.01)
        zygote.sendall(json.dumps(order).encode())
        pid = int(zygote.recv(16))
    phone._until(lambda: b"sleep" in (phone.root / f"proc/{pid}/cmdline").read_bytes(), "the app did not start")
    return pid


def zygote_of(phone: Phone) -> int:
    return int((phone.root / "data/rig/zygote.pid").read_text())


def mounts(phone: Phone) -> dict[int, list[str]]:
    """pid -> what is mounted where, for each process that lives on."""
    pids = [
        1,
        zygote_of(phone),
        *(int(p.parent.name) for p in (phone.root / "proc").glob("[0-9]*/cmdline") if b"sleep" in p.read_bytes()),
    ]
    return {
        pid: sorted(line.split(" ", 4)[4] for line in (phone.root / f"proc/{pid}/mountinfo").read_text().splitlines())
        for pid in pids
    }


def files(phone: Phone) -> dict[str, list[str]]:
    return {
        pattern: sorted(str(path) for path in phone.root.glob(pattern))
        for pattern in ("system/etc/**/*", "apex/**/*", "mnt/*", "mnt/.*", "data/local/tmp/*")
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
    originals = seen_by(phone, 1, trust.SYSTEM)
    control = control_of(phone)
    pem = authority(tmp_path)

    put = trust.install(control, pem)
    later = start_app(phone)

    assert put.name == "c8750f0d.0"
    stores = [trust.SYSTEM, *([trust.APEX] if api >= 34 else [])]
    for pid in (zygote_of(phone), app, private, later):
        assert trust.holds(control, pid)
        for store in stores:
            assert seen_by(phone, pid, store) == {**originals, put.name: pem.read_text()}
        if api == 29:
            assert set(seen_by(phone, pid, trust.GOOGLE)) == {"11111111.0", put.name}
    assert trust.mend(control) == []
    assert files(phone)["mnt/.*"] == []
    inside = phone.root / trust.SYSTEM.lstrip("/")
    assert [oct(path.stat().st_mode & 0o777) for path in (inside, inside / put.name)] == ["0o755", "0o644"]

    control.shell.check(f"kill -9 {later}", root=True)
    assert control.journal.undo_all(control.take_back) == []
    control.shell.check(trust.undo_script(control.run), root=True)

    assert (mounts(phone), files(phone)) == before
