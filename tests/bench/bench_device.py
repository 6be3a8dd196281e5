"""What doctor and a look at the screen cost on a stand-in device.

The adb protocol, Frida, the proxy, mounts and processes are the real ones, Android's commands are played (tests/adb):
a phone's own commands take longer. There is no yardstick but the figures' own goals.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from appwitness.devices.android import adb, discovery
from appwitness.devices.android.doctor import diagnose
from appwitness.devices.android.screen.input import Play
from appwitness.devices.android.screen.uiautomator import Screens
from appwitness.events import Event, Gap
from tests.adb.rig.phone import UNAVAILABLE, Phone
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.running import alone

ROUNDS = 10


def measure() -> Iterator[Given]:
    """Seconds of doctor, and milliseconds of looks."""
    if UNAVAILABLE:
        yield NotMeasured(None, UNAVAILABLE)
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        os.environ["ANDROID_ADB_SERVER_PORT"] = str(free.getsockname()[1])
    os.environ["ADB_LOCAL_TRANSPORT_MAX_PORT"] = "5500"
    adb.devices()  # the server is up, as it is for whoever has plugged something in
    with tempfile.TemporaryDirectory() as folder:
        yield from _doctor(Path(folder))
        yield from _looks(Path(folder))
    adb.host("kill-server")


def _doctor(folder: Path) -> Iterator[Given]:
    with Phone(folder / "doctor") as phone:
        took = []
        for _ in range(3):
            begun = time.perf_counter()
            diagnose(phone.serial, folder / "devices")
            took.append(time.perf_counter() - begun)
    yield Figure("doctor", statistics.median(took))


def _looks(folder: Path) -> Iterator[Given]:
    with Phone(folder / "looks") as phone:
        control = discovery.control(discovery.choose(phone.serial), folder / "devices")
        events: list[Event] = []
        shots = []
        with Screens(control, Play("com.example.app", "silent"), events.append, lambda data: "0" * 64) as screens:
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                screens.shot()
                shots.append(time.perf_counter() - begun)
        control.journal.undo_all(control.take_back)
    if any(isinstance(event, Gap) for event in events):
        yield NotMeasured("screenshot at a finding", "the stand-in's screen could not be read")
    else:
        yield Figure("screenshot at a finding", statistics.median(shots) * 1000)


if __name__ == "__main__":
    sys.exit(alone("device", measure()))
