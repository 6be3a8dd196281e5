"""Benchmarks in processes of their own: what one has done to memory and caches changes no figure of the next."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from tests.bench.figures import Broken, Given, Row, exit_code, held, load, text, total

CONTEXT = multiprocessing.get_context("spawn")


def talk(words: str) -> None:
    """Say something beside the figures: progress, tables, details."""
    print(words, file=sys.stderr, flush=True)


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
