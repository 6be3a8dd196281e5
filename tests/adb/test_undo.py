"""Killed at any moment of its preparation, a run leaves a device that `undo` brings back to what it was."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android import android_device, discovery
from appwitness.devices.android.control import Control
from appwitness.devices.android.journal import Journal, JournalEntry, Undo
from appwitness.devices.android.options import Wanted
from appwitness.devices.lab.apps import APPS
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.phone import Phone
from tests.adb.test_observe import left

pytestmark = [pytest.mark.lab, pytest.mark.timeout(280)]

KILLS = int(os.environ.get("KILLS", "1"))
"""How many random kills are tried on each version; `KILLS=40 NIGHTLY=true make test-slow` tries 240."""
ALL = [(34, "kernelsu"), (33, ""), (24, "toybox"), (29, "magisk"), (33, "root-word"), (36, "magisk")]
"""API level and how root is had; without, the app can be debugged, and Frida's gadget is made ready."""
VERSIONS = [*ALL[:2], *(pytest.param(*each, marks=pytest.mark.nightly) for each in ALL[2:])]
MOST = 40
"""More changes than a run makes."""


def prepare(serial: str, home: Path, apk: Path, server: Path, kill_at: int, after: bool) -> None:
    """In a process of its own: prepare a run as `observe` does, and be killed before or after change number `kill_at`.

    Before: it is in the journal, and not made. After: the next one is about to be written down.
    """
    written = Journal.before
    count = 0

    def before(self: Journal, what: str, undo: Undo, was: str | None = None) -> JournalEntry:
        nonlocal count
        if after and count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        entry = written(self, what, undo, was)
        count += 1
        if not after and count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return entry

    Journal.before = before  # type: ignore[method-assign]
    proxy = home / "ca.pem"
    wanted = Wanted(serial, apks=(apk,), frida_server=server, frida_gadget=server)
    with android_device.opened(wanted, "refuse", home) as phone:
        phone.install()
        phone.prepare("127.0.0.1", 9, proxy)
        phone.enter()
        phone.reset()
        if phone.launch().gadget is not None:  # as Frida does when it starts the app
            shell = discovery.control(discovery.choose(serial), home / "other").shell
            name = phone.app.package
            shell.check(f"am set-debug-app -w --persistent {name}; touch /data/local/tmp/frida-gadget-1.so")
            shell.check(f"run-as {name} touch gadget.so gadget.config")
        os.kill(os.getpid(), signal.SIGKILL)


def authority(path: Path) -> None:
    """As the proxy has one."""
    from trustme import CA

    CA(organization_name="mitmproxy").cert_pem.write_to_path(path)


def undo(serial: str, home: Path, kill_at: int, when: str) -> None:
    """In a process of its own: undo, and be killed at change number `kill_at`: before it is taken back, amid that, or
    after it and before the journal says so."""
    taken = Control.take_back
    count = 0

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def take_back(self: Control, undo: Undo) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            if when == "before":
                kill()
            elif when == "amid":
                threading.Timer(random.uniform(0, 0.1), kill).start()
        taken(self, undo)
        if count == kill_at:
            kill()

    Control.take_back = take_back  # type: ignore[method-assign]
    discovery.take_back(discovery.control(discovery.choose(serial), home / "devices"))
    kill()


def killed(target: Callable[..., None], *arguments: Any) -> None:
    """It ended, in a process of its own, as it was to end."""
    child = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


@contextmanager
def before_a_run(phone: Phone, folder: Path) -> Iterator[tuple[Path, Path, Path]]:
    """The home, the app and frida-server for a run; in the end, the device is as it was before."""
    home, program = folder / "home", folder / "frida-server"
    home.mkdir()
    authority(home / "ca.pem")
    program.write_bytes(frida_server.program())
    with lab_app.furnish(phone, "circle", "free", installed=False, debuggable=not phone.read()["su"]) as app:
        before = left(phone)
        yield home, app.apk, program
        if "http_proxy" in (now := left(phone))["settings"]["global"]:
            before["settings"]["global"]["http_proxy"] = ":0"  # deleted, it works on until a reboot
        assert now == before
    assert APPS["circle"].package not in phone.read()["packages"]


@pytest.mark.slow
@pytest.mark.parametrize(("api", "su"), VERSIONS)
@pytest.mark.parametrize("number", range(KILLS))
def test_killed_anywhere_undo_brings_back_what_was(
    phone_of: Callable[..., Phone], tmp_path: Path, api: int, su: str, number: int
) -> None:
    chance = random.Random(f"{api} {su} {number}")
    kill_at, after = chance.randrange(1, MOST), chance.random() < 0.5
    phone = phone_of(api=api, su=su)
    with before_a_run(phone, tmp_path) as (home, apk, program):
        killed(prepare, phone.serial, home, apk, program, kill_at, after)

        control = discovery.control(discovery.choose(phone.serial), home / "devices")
        assert control.journal.open or kill_at == 1
        assert discovery.take_back(control) == []
        assert control.journal.open == ()


@pytest.mark.slow
@pytest.mark.parametrize(("api", "su"), VERSIONS)
@pytest.mark.parametrize("number", range(KILLS))
def test_an_undo_that_is_killed_is_done_by_the_next(
    phone_of: Callable[..., Phone], tmp_path: Path, api: int, su: str, number: int
) -> None:
    chance = random.Random(f"undo {api} {su} {number}")
    phone = phone_of(api=api, su=su)
    with before_a_run(phone, tmp_path) as (home, apk, program):
        killed(prepare, phone.serial, home, apk, program, MOST, True)
        for _ in range(2):
            killed(undo, phone.serial, home, chance.randrange(1, MOST // 2), chance.choice(("before", "amid", "after")))

        control = discovery.control(discovery.choose(phone.serial), home / "devices")
        assert discovery.take_back(control) == []
        assert control.journal.open == ()
