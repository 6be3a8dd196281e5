"""Numbered inputs tried in processes that are watched from outside: they end, hang, or take too much memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from ctypes import c_double, c_ulonglong
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

Trial = Callable[[], AbstractContextManager[Callable[[int], str]]]
"""Makes in each process what tries the input of a number; it gives what is wrong, or nothing."""


class Limits(NamedTuple):
    """What one input may take."""

    cpu_s: float
    memory_bytes: int
    """Beyond what a process has before its first."""


class Told(NamedTuple):
    """What a process tells of itself in shared memory."""

    number: Any
    """The input that it is at."""
    cpu: Any
    """Its CPU seconds when it began with it."""
    base: Any
    """Its memory in bytes before the first."""


def _tried(trial: Trial, start: int, stop: int, step: int, told: Told, failures: Any) -> None:
    with trial() as tried:
        told.base.value = _rss(os.getpid())
        for number in range(start, stop, step):
            told.number.value, told.cpu.value = number, time.process_time()
            if wrong := tried(number):
                failures.put((number, wrong))
        told.number.value = stop


class _Worker:
    """One process and its share of the numbers; begun again behind an input that it did not survive."""

    def __init__(self, trial: Trial, share: range, limits: Limits, failures: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._told = Told(context.Value(c_ulonglong, share.start), context.Value(c_double), context.Value(c_ulonglong))
        self._context, self._trial, self._share, self._limits, self._failures = context, trial, share, limits, failures
        self._process = self._begun(share.start)

    def _begun(self, start: int) -> BaseProcess:
        self._told.number.value, self._told.cpu.value, self._told.base.value = start, 1e12, 1 << 62  # nothing yet
        arguments = (self._trial, start, self._share.stop, self._share.step, self._told, self._failures)
        process = self._context.Process(target=_tried, args=arguments, daemon=True)
        process.start()
        return process

    @property
    def done(self) -> int:
        """How many inputs it has tried."""
        return len(range(self._share.start, min(self._told.number.value, self._share.stop), self._share.step))

    def at_work(self) -> bool:
        """Look at it once."""
        number = self._told.number.value
        if self._process.exitcode is not None:
            if number >= self._share.stop:
                return False
            return self._failed(number, f"the process ended with {self._process.exitcode}")
        try:
            cpu, rss = _cpu(self._process.pid or 0), _rss(self._process.pid or 0)
        except FileNotFoundError:
            return True
        if cpu - self._told.cpu.value > self._limits.cpu_s and number == self._told.number.value:
            return self._failed(number, f"more than {self._limits.cpu_s} s of CPU")
        if rss > self._told.base.value + self._limits.memory_bytes:
            return self._failed(number, f"{rss - self._told.base.value} bytes more than at the start")
        return True

    def _failed(self, number: int, wrong: str) -> bool:
        self._failures.put((number, wrong))
        self.end()
        self._process = self._begun(number + self._share.step)
        return True

    def end(self) -> None:
        """End its process."""
        self._process.kill()
        self._process.join()


def run(
    trial: Trial, count: int, jobs: int, limits: Limits, tell: Callable[[str], None] = print, *, first: int = 0
) -> int:
    """Try so many inputs, from number `first` on; how many went wrong, each of which is told by its number."""
    failures = multiprocessing.get_context("spawn").Queue()
    workers = [_Worker(trial, range(first + share, first + count, jobs), limits, failures) for share in range(jobs)]
    found = 0
    begun = told = time.monotonic()
    try:
        while (working := sum(worker.at_work() for worker in workers)) or not failures.empty():
            while not failures.empty():
                number, wrong = failures.get()
                found += 1
                tell(f"{number}: {wrong}")
            time.sleep(0.05 if working else 0)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                done = sum(worker.done for worker in workers)
                tell(f"{done} tried, {done / (told - begun):.0f} a second, {found} failures")
    finally:
        for worker in workers:
            worker.end()
    tell(f"{count} tried in {time.monotonic() - begun:.0f} s: {found} failures")
    return found


def limit_memory(more_bytes: int) -> None:
    """Let this process have only so much more."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more_bytes, now + more_bytes))


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
