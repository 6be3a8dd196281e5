"""Benchmarks in processes of their own: what one has done to memory and caches changes no figure of the next."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from tests.bench.figures import Broken, Figure, Given, Row, exit_code, held, load, text, total

CONTEXT = multiprocessing.get_context("spawn")


def talk(words: str) -> None:
    """Say something beside the figures: progress, tables, details."""
    print(words, file=sys.stderr, flush=True)


def seconds(work: Callable[[], object], *, clock: Callable[[], float] = time.perf_counter, times: int = 1) -> float:
    """The seconds that some work takes on a clock, the least of so many times."""
    took = []
    for _ in range(times):
        begun = clock()
        work()
        took.append(clock() - begun)
    return min(took)


def parsed(texts: Iterable[bytes | str]) -> float:
    """CPU seconds of `json.loads` of each text, of which nothing is kept: a collection of garbage is not counted."""
    return seconds(lambda: deque(map(json.loads, texts), 0), clock=time.process_time, times=3)


def ratio(name: str, yardstick: str, rounds: Sequence[tuple[float, float]]) -> Figure:
    """The median seconds of some work in those of its yardstick, measured by turns."""
    took, bare = (statistics.median(each) for each in zip(*rounds, strict=True))
    talk(f"{name}: {took:.4g} s, {yardstick} {bare:.4g} s")
    return Figure(name, took / bare)


def apart[T](work: Callable[..., Iterator[T]], *arguments: object) -> Iterator[T]:
    """What the work gives in a new process, as it comes; its standard output is its standard error."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_send, args=(sender, work, arguments))
    process.start()
    sender.close()
    try:
        with suppress(EOFError):
            while True:
                yield receiver.recv()
        process.join()
    finally:
        process.terminate()  # where nobody wants the rest
        process.join()
    if process.exitcode:
        raise Broken(f"the benchmark ended with exit code {process.exitcode}; standard error says why")


def _send(sender: Connection, work: Callable[..., Iterator[Any]], arguments: tuple[object, ...]) -> None:
    os.dup2(2, 1)  # also for the programs that it starts
    for one in work(*arguments):
        sender.send(one)
    sender.close()


def module(name: str) -> Iterator[Given]:
    """What the benchmark in a module gives."""
    yield from importlib.import_module(name).measure()


def alone(bench: str, given: Iterable[Given]) -> int:
    """Print the figures of one benchmark that was started by itself, perhaps in part; the exit code."""
    rows: list[Row] = []
    for row in held(bench, given, load()[bench], part="not in this part of the benchmark"):
        rows.append(row)
        print(text(row), flush=True)
    print(total(rows))
    return exit_code(rows)
