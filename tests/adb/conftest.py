"""A stand-in device for a test, and an adb server of our own: the user's is left alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android import adb
from appwitness.devices.android.control import Control
from appwitness.devices.android.device_facts import ask
from appwitness.devices.android.journal import Journal
from appwitness.devices.android.shell import Shell
from tests.adb.rig.adb_server import AdbServer
from tests.adb.rig.phone import UNAVAILABLE, Phone

PURE = ("test_formats.py::", "test_export.py::test_only_words", "test_export.py::test_a_form")
"""What needs no device."""
QUICK = (
    *PURE,
    "test_doctor.py::test_each",
    "test_doctor.py::test_what_it_asks_changes_nothing",
    "test_doctor.py::test_no_code",
    "test_observe.py::test_the_whole_way[auto",
    "test_package.py::test_installed_and_taken_off[36]",
    "test_persona.py::test_what_is_planted_comes_back_and_goes[33]",
    "test_processes.py::test_by_the_user_and_not_by_the_name[34",
    "test_screens.py::test_a_plan_is_played[refuse-cookies",
    "test_shell.py::test_root_by_any_flavour[magisk",
    "test_shell.py::test_root_by_any_flavour[kernelsu",
    "test_shell.py::test_no_root[]",
    "test_shell.py::test_changes_are_taken_back",
    "test_traffic.py::test_the_proxy_setting_through_adb[36",
    "test_trust_store.py::test_all_processes_get_it_and_lose_it[34",
    "test_verbs.py::test_doctor_of_a_good_device",
    "test_witnesses.py::test_uses_of_ops[34",
)
"""What `make test` runs of this folder, by how its names begin; all the rest costs minutes, and is slow."""


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = f"{Path(__file__).parent}{os.sep}"
    for item in items:
        if not str(item.path).startswith(here):
            continue
        name = item.nodeid.partition("tests/adb/")[2]
        item.add_marker(pytest.mark.adb)
        if UNAVAILABLE and not name.startswith(PURE):
            item.add_marker(pytest.mark.skip(reason=UNAVAILABLE))
        if not name.startswith(QUICK):
            item.add_marker(pytest.mark.slow)


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
