"""What a run costs on a stand-in device: from the command to "observing", step by step; doctor; a look at the screen.

The adb protocol, Frida, the proxy, mounts and processes are the real ones, Android's commands are played (tests/adb):
a phone's own commands take longer. There is no yardstick but the figures' own goals.
"""

from __future__ import annotations

import itertools
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from appwitness.agent.sources import load
from appwitness.devices.android import adb, android_device, discovery
from appwitness.devices.android.doctor import diagnose
from appwitness.devices.android.options import Wanted
from appwitness.devices.android.screen.input import Play
from appwitness.devices.android.screen.uiautomator import Screens
from appwitness.devices.android.witness.counters import Witnesses
from appwitness.events import Event, Gap
from appwitness.observe.order import Order, RunCaller
from appwitness.observe.run import observe
from tests.adb.rig import frida_server, lab_app
from tests.adb.rig.phone import UNAVAILABLE, Phone
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.running import alone

STEPS = {
    "installing": "installing the app",
    "starting the proxy": "starting the proxy",
    "preparing": "persona, frida-server, trust, traffic",
    "starting com": "first run, start of the app, hooks",
    "observing": "",
}
"""How what is said begins -> the step that begins with it."""
ROUNDS = 10


def measure() -> Iterator[Given]:
    """Seconds of each step, of doctor, and milliseconds of looks and polls."""
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
        yield from _observe(Path(folder))
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
        shots, polls = [], []
        with Screens(control, Play("com.example.app", "silent"), events.append, lambda data: "0" * 64) as screens:
            witnesses = Witnesses(control, "com.example.app", 10123)
            witnesses.before()
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                screens.shot()
                shots.append(time.perf_counter() - begun)
                begun = time.perf_counter()
                witnesses.poll()
                polls.append(time.perf_counter() - begun)
        control.journal.undo_all(control.take_back)
    if any(isinstance(event, Gap) for event in events):
        yield NotMeasured("screenshot at a finding", "the stand-in's screen could not be read")
    else:
        yield Figure("screenshot at a finding", statistics.median(shots) * 1000)
    yield Figure("one poll of the witnesses", statistics.median(polls) * 1000)


def _observe(folder: Path) -> Iterator[Given]:
    program = folder / "frida-server"
    program.write_bytes(frida_server.program())
    with Phone(folder / "observe") as phone, lab_app.furnish(phone, "circle", "accept", installed=False) as app:
        wanted = Wanted(
            phone.serial,
            apks=(app.apk,),
            frida_server=program,
            hosts=app.hosts,
            upstream_ca=app.upstream_ca,
            by_hand=True,
        )
        moments = [("finding the device", time.perf_counter())]

        def say(what: str) -> None:
            step = next((name for begins, name in STEPS.items() if what.startswith(begins)), None)
            if step is not None:
                moments.append((step, time.perf_counter()))

        with android_device.opened(wanted, "accept", folder / "home") as opened:
            observe(
                opened, folder / "recording", load(), Order(plan="accept", confdir=folder / "proxy"), RunCaller(say=say)
            )
        ended = time.perf_counter()
    for (step, begun), (_, until) in itertools.pairwise(moments):
        yield Figure(f"step, {step}", until - begun)
    yield Figure("command to observing", moments[-1][1] - moments[0][1])
    yield Figure("app, end and taking back", ended - moments[-1][1])


if __name__ == "__main__":
    sys.exit(alone("device", measure()))
