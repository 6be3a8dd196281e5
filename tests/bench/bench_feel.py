"""What an app feels of the hooks, on the lab device and in a real ART (tests/art): how much longer it takes to come up,
how many frames it misses, how much more memory it needs.

An app has come up when its first activity is on the screen. What that takes is processor time of the process: on the
lab device from its start, in ART from where a phone's zygote would have made it. A frame is missed if it takes longer
than its period; the time that its thread waits for a processor is not counted. Each figure is of pairs of runs, with
hooks and without: it says little of how busy the machine is.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from appwitness.agent import agent
from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import load
from appwitness.agent.target import Target
from appwitness.devices.lab.apps import APPS
from appwitness.devices.lab.lab_device import LabDevice
from hatch_build import build_agent, build_lab
from tests.art.compiled import compiler
from tests.art.rig.build import home, lacking
from tests.art.rig.device import ArtDevice, lab_jar, zygote
from tests.art.rig.vm import CODES, Runtime, class_files
from tests.bench.bench_art import Art, Lab, Machine, api
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.running import alone, talk
from tests.lab.program import blank

ROOT = Path(__file__).parents[2]
STARTED = Path(__file__).parent / "java/feel/Started.java"
FRAMES = 600
CALLING = 6
"""Of so many frames, one reads data twice, as in tests/art/java/feel."""
ROUNDS = 3
UP_S = 60.0


class Up(NamedTuple):
    """An app that has come up."""

    cpu_s: float
    """What its process has computed for that."""
    peak_mb: float
    """The most memory that was resident."""

    def __str__(self) -> str:
        return f"{self.cpu_s:.3f} s, {self.peak_mb:.0f} MB"


class Apps:
    """The sample apps on the lab device."""

    name = "lab device"

    def __init__(self, room: Path) -> None:
        self.room = room
        self.classes = room / "classes"
        command = ["javac", "--release", "17", "-cp", str(build_lab(ROOT)), "-d", str(self.classes), str(STARTED)]
        subprocess.run(command, check=True)

    def device(self, app: str, work: Path) -> LabDevice:
        """The device with an app, whose files are in `work`."""
        return LabDevice(app, "free", work, cache=self.room / "cache")

    @contextmanager
    def held(self, device: LabDevice) -> Iterator[tuple[Target, float]]:
        """The app to be started, and what its process has computed before."""
        target = device.launch()
        assert target.argv is not None
        jar = str(build_lab(ROOT))
        argv = (f"{jar}:{self.classes}" if each == jar else each for each in target.argv)
        yield replace(target, argv=tuple(argv)), 0.0

    @contextmanager
    def unhooked(self, device: LabDevice, target: Target) -> Iterator[int]:
        """Let it run without hooks; its process."""
        assert target.argv is not None
        with subprocess.Popen(target.argv, cwd=target.cwd, stdout=subprocess.DEVNULL) as app:
            try:
                yield app.pid
            finally:
                app.kill()

    @contextmanager
    def hooked(self, device: LabDevice, target: Target) -> Iterator[int]:
        """Let it run with the whole catalog watched; its process."""
        recording = blank(device.workdir / "recording", device.app.package)
        options = AgentOptions(api_level=device.identity.api_level, partial=True)
        with Agent(recording, load(), device.app.package, options) as inside:
            inside.launch(target)
            assert inside.pid is not None
            yield inside.pid
            device.stop()

    def up(self, app: str, *, hooks: bool) -> Up:
        """Have an app come up."""
        with tempfile.TemporaryDirectory(dir=self.room) as folder, self.device(app, Path(folder)) as device:
            device.lab_app = replace(device.lab_app, providers=("feel.Started", *device.lab_app.providers))
            device.prepare("127.0.0.1", 9, device.upstream_ca)
            with self.held(device) as (target, before):
                running = self.hooked if hooks else self.unhooked
                with running(device, target) as pid:
                    return _up(pid, device.workdir, before)


class ArtApps(Apps):
    """The same apps in ART."""

    name = "ART"

    def __init__(self, room: Path) -> None:
        self.room = room
        self.runtime = Runtime(home())
        self.jar = self.runtime.dex([STARTED], room / "started.jar", [class_files(lab_jar(self.runtime))])

    def device(self, app: str, work: Path) -> ArtDevice:
        device = ArtDevice(self.runtime, app, "free", work, cache=self.room / "cache")
        device.more = [self.jar]
        return device

    @contextmanager
    def held(self, device: LabDevice) -> Iterator[tuple[Target, float]]:
        assert isinstance(device, ArtDevice)
        target = device.launch()
        assert target.pid is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(agent, "FridaDevice", zygote(lambda: device.held))
            yield target, _cpu_s(target.pid)

    @contextmanager
    def unhooked(self, device: LabDevice, target: Target) -> Iterator[int]:
        assert isinstance(device, ArtDevice)
        assert device.held is not None
        device.held.release()
        yield device.held.pid


def _up(pid: int, work: Path, before: float) -> Up:
    """Wait until an app has come up."""
    end = time.monotonic() + UP_S
    while not (work / "started").exists():
        if time.monotonic() > end:
            raise RuntimeError(f"the app did not come up: {work}")
        time.sleep(0.01)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
    assert peak is not None
    return Up(_cpu_s(pid) - before, int(peak[1]) / 1024)


def _cpu_s(pid: int) -> float:
    """What a process has computed, in seconds (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def measure() -> Iterator[Given]:
    """Figures of both, side by side."""
    build_agent(ROOT)
    reason = None if home().exists() else lacking() or "ART is not built: make test-art"
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        yield from _apps(Apps(_new(room / "apps")))
        yield from _frames(Lab(_new(room / "frames"), "feel"))
        if reason is not None:
            yield NotMeasured(None, reason)
            return
        yield from _apps(ArtApps(_new(room / "art-apps")))
        yield from _frames(Art(_new(room / CODES[0]), program="feel"))
        if (absent := compiler.lacking()) is not None:
            yield NotMeasured(None, absent)
            return
        for code in CODES[1:]:
            yield from _frames(Art(_new(room / code), code, "feel"))


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _apps(apps: Apps) -> Iterator[Given]:
    bare, ours = [], []
    for app in APPS:
        bare.append(apps.up(app, hooks=False))
        ours.append(apps.up(app, hooks=True))
        talk(f"  {apps.name}: {app}: {bare[-1]} without hooks, {ours[-1]} with them")
    before, after = (statistics.median(up.cpu_s for up in each) for each in (bare, ours))
    talk(f"  {apps.name}: up after {before:.3f} s of CPU without hooks, {after:.3f} s with them")
    yield Figure(f"{apps.name}: start of an app, longer", 100 * (after / before - 1))
    more = statistics.median(after.peak_mb - before.peak_mb for before, after in zip(bare, ours, strict=True))
    yield Figure(f"{apps.name}: memory, more", more)


def _frames(machine: Machine) -> Iterator[Given]:
    sources = [*load(), api("same", "feel"), api("other", "feel")]
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(_missed(machine, machine.unhooked(str(FRAMES)).printed, "without hooks"))
        ran = machine.hooked(sources, str(FRAMES))
        if ran.count < 2 * FRAMES // CALLING:
            raise RuntimeError(f"{machine.name}: only {ran.count} calls were seen")
        ours.append(_missed(machine, ran.printed, "with hooks"))
    yield Figure(f"{machine.name}: frames missed, more", statistics.median(ours) - statistics.median(bare))


def _missed(machine: Machine, printed: str, how: str) -> float:
    """Frames that a program missed, in percent."""
    told = re.search(r"^frames (\d+) (\d+) (\d+)", printed, re.MULTILINE)
    if told is None:
        raise RuntimeError(f"{machine.name}: the program printed {printed!r}")
    missed, mean, worst = map(int, told.groups())
    talk(f"  {machine.name}: {how}: {missed} frames missed, {mean / 1000:.1f} ms each, {worst / 1000:.1f} at worst")
    return 100 * missed / FRAMES


if __name__ == "__main__":
    sys.exit(alone("feel", measure()))
