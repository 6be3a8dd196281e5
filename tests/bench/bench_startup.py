"""The cost of everyday verbs: `appwitness --help`, and the report of a small recording, from the start of the process
to its end, in this environment as it is.

CPU time is user and system together. Each figure is the least of several rounds.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.figures import Figure, Given
from tests.bench.running import alone

ROUNDS = 7
RECORDING = Path(__file__).parents[1] / "recordings/sent-before-consent"
REPORT = ("-m", "monitor", "report", str(RECORDING), "--db")


def spent(*arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of one process of Python."""
    before, begun = cpu(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begun, cpu() - before


def cpu() -> float:
    """CPU seconds of all ended children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def least(rounds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The least wall time and the least CPU time."""
    return min(wall for wall, _ in rounds), min(cpu for _, cpu in rounds)


def measure() -> Iterator[Given]:
    """The figures."""
    for name, arguments in (("python -c pass", ("-c", "pass")), ("--help", ("-m", "monitor", "--help"))):
        wall, used = least([spent(*arguments) for _ in range(ROUNDS)])
        yield Figure(f"{name}, wall", wall)
        yield Figure(f"{name}, CPU", used)
    with tempfile.TemporaryDirectory() as folder:
        indexes = [f"{folder}/{number}.sqlite" for number in range(ROUNDS)]
        yield Figure("report, first time, CPU", least([spent(*REPORT, index) for index in indexes])[1])
        yield Figure("report, index current, CPU", least([spent(*REPORT, index) for index in indexes])[1])


if __name__ == "__main__":
    sys.exit(alone("startup", measure()))
