"""A stand-in device for a test, and an adb server of our own: the user's is left alone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from monitor.observe.android import adb
from monitor.observe.android.control import Control
from monitor.observe.android.facts import ask
from monitor.observe.android.journal import Journal
from monitor.observe.android.shell import Shell
from tests.adb.rig.adb_server import AdbServer
from tests.adb.rig.phone import UNAVAILABLE, Phone


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if UNAVAILABLE and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=UNAVAILABLE))


@pytest.fixture(scope="session", autouse=True)
def adb_server() -> Iterator[int]:
    """Of this test process alone, on a port of its own; it sees no emulator of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
        patch.setenv("ADB_LOCAL_TRANSPORT_MAX_PORT", "5500")
        patch.setenv("ADB_MDNS_OPENSCREEN", "0")
        yield port
        adb.host("kill-server")


@pytest.fixture
def server(adb_server: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdbServer]:
    """One of our own in front of it, for states that the real one has no device for."""
    adb.devices()  # the real one is started by whoever asks it first
    with AdbServer(adb_server) as front:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(front.port))
        yield front


@pytest.fixture
def phone_of(tmp_path: Path) -> Iterator[Callable[..., Phone]]:
    """Makes stand-in devices that end with the test; takes what Phone takes."""
    with ExitStack() as stack:
        made: list[Phone] = []

        def make(**options: Any) -> Phone:
            phone = stack.enter_context(Phone(tmp_path / f"phone-{len(made)}", **options))
            made.append(phone)
            return phone

        yield make


@pytest.fixture
def control_of(tmp_path: Path) -> Callable[[Phone], Control]:
    """What the parts of the product work with, for one stand-in device; its journal is in the test's folder."""

    def make(phone: Phone) -> Control:
        shell = Shell(adb.connect(phone.serial))
        facts = ask(shell)
        journal = Journal(tmp_path / "devices", facts.serial, facts.boot)
        return Control(shell, facts, journal, "5ca1ab1e")

    return make
