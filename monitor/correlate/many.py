"""Many recordings, each judged as `correlate` does it, by one process or by some that live as long as there is work."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import sys
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from monitor.correlate import correlate
from monitor.errors import StoreError, UserError
from monitor.findings import Level
from monitor.knowledge import Knowledge
from monitor.recording import Recording
from monitor.store import Store

CONTEXT: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
"""A fork has what is known already, and the modules: a new process would need seconds for them."""


@dataclass(frozen=True)
class Judged:
    """What came of one recording."""

    path: Path
    levels: Counter[Level]
    """How many findings there are of each level."""
    gaps: int = 0
    error: Exception | None = None
    """What went wrong; a UserError where the user can help it."""


def correlate_many(paths: Iterable[Path], store: Store, known: Knowledge, jobs: int = 1) -> Iterator[Judged]:
    """Correlate recordings, `jobs` at a time; what came of each, in the order in which they are done.

    What goes wrong with one stops no other. Who leaves off before the end leaves each recording as it was, or done.
    Raises StoreError when the database does not let it.
    """
    if jobs == 1 or store.in_memory:
        yield from (_judged(path, store, known) for path in paths)
        return
    store.close()  # nobody uses the connections of another process; it opens again by itself
    left = deque(paths)
    workers = [_Worker(store.again, known) for _ in range(min(jobs, len(left)))]
    try:
        while left or any(worker.path for worker in workers):
            for worker in workers:
                if left and worker.path is None:
                    worker.give(left.popleft())
            busy = {worker.pipe: worker for worker in workers if worker.path}
            for pipe in wait(list(busy)):
                worker = busy[pipe]
                found = worker.take()
                if isinstance(found.error, StoreError):
                    raise found.error
                yield found
                if not worker.process.is_alive():
                    workers[workers.index(worker)] = _Worker(store.again, known)
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """Another process that judges one recording after the other."""

    def __init__(self, open_store: Callable[[], Store], known: Knowledge) -> None:
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_work, args=(theirs, self.pipe, open_store, known), daemon=True)
        self.process.start()
        theirs.close()  # so that its end is noticed here
        self.path: Path | None = None
        """What it judges."""

    def give(self, path: Path) -> None:
        self.path = path
        with suppress(BrokenPipeError):  # it has ended: `take` says so
            self.pipe.send(path)

    def take(self) -> Judged:
        """What came of what it was given, or that it ended over it."""
        path, self.path = self.path, None
        assert path is not None
        try:
            found: Judged = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            ended = UserError(
                f"The process that judged {path} ended with {_named(self.process.exitcode)}.",
                "Where memory ran out, use fewer processes (--jobs) and try again.",
            )
            return Judged(path, Counter(), error=ended)
        return found

    def end(self) -> None:
        self.process.terminate()  # what it saves is one transaction
        self.process.join()
        self.pipe.close()


def _named(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _work(pipe: Connection, parents: Connection, open_store: Callable[[], Store], known: Knowledge) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our parent, which ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if CONTEXT.get_start_method() == "fork":
        parents.close()  # so that the parent's end is noticed here
        gc.freeze()  # no collection looks at what is known, nor has it copied
    store: Store | None = None
    with suppress(EOFError, BrokenPipeError):
        while True:
            path = pipe.recv()
            try:
                store = store or open_store()
                found = _judged(path, store, known)
            except StoreError as error:
                found = Judged(path, Counter(), error=error)
            if found.error and not isinstance(found.error, UserError):
                fault = RuntimeError(f"{type(found.error).__name__}: {found.error}")  # what any process can read
                fault.add_note("".join(traceback.format_exception(found.error)))
                found = replace(found, error=fault)
            pipe.send(found)


def _judged(path: Path, store: Store, known: Knowledge) -> Judged:
    """Raises StoreError when the database does not let it."""
    try:
        with Recording.open(path) as recording:
            outcome = correlate(recording, store, known)
    except StoreError:
        raise
    except Exception as error:
        return Judged(path, Counter(), error=error)
    return Judged(path, Counter(finding.level for finding in outcome.findings), outcome.all_gaps)
