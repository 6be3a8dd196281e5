"""Judges many recordings into the index, in one process or in several."""

from __future__ import annotations

import fcntl
import gc
import multiprocessing
import signal
import sys
import tempfile
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, Any

from appwitness.correlate import correlate
from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.findings import Level
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.support.errors import StoreError, UserError
from appwitness.support.spoken import Spoken

CONTEXT: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
"""A fork inherits what is known and the modules: a new process would need seconds to load them."""


AHEAD = 2
"""Recordings that a worker holds at a time: after finishing one, it need not wait for this process."""


@dataclass(frozen=True)
class JudgedRecording:
    """The result for one recording."""

    path: Path | str
    """A string is the recording's address in a bucket."""
    levels: Counter[Level]
    """How many findings there are of each level."""
    gaps: int = 0
    error: Exception | None = None
    """What went wrong; a UserError if the user can fix it."""


def correlate_many(
    paths: Iterable[Path | str], store: Store, known: Knowledge, jobs: int = 1
) -> Iterator[JudgedRecording]:
    """Correlate recordings in folders, in archives or by their address in a bucket, `jobs` at a time; yields the result
    of each in the order in which they finish. Those in buckets are judged one after the other.

    An error in one does not stop the others. If the caller stops early, each recording is either unchanged or done.
    Raises StoreError if the database fails.
    """
    here: Iterable[Path | str] = paths
    if jobs > 1 and not store.in_memory:
        paths = list(paths)
        # A fork inherits the locks of a bucket's client in their current state, held forever by threads that it does
        # not have.
        here = [path for path in paths if isinstance(path, str)]
        left = deque(path for path in paths if isinstance(path, Path))
        store.close()  # connections cannot be used by another process; the store reopens by itself
        with tempfile.NamedTemporaryFile() as turns:
            yield from _by_workers(left, jobs, partial(_Worker, store.again, known, Path(turns.name)))
    yield from (_judged(path, store, known) for path in here)


def _by_workers(left: deque[Path], jobs: int, begin: Callable[[], _Worker]) -> Iterator[JudgedRecording]:
    workers = [begin() for _ in range(min(jobs, len(left)))]
    try:
        while left or any(worker.given for worker in workers):
            for worker in workers:
                while left and len(worker.given) < AHEAD:
                    worker.give(left.popleft())
            busy = {worker.pipe: worker for worker in workers if worker.given}
            for pipe in wait(list(busy)):
                worker = busy[pipe]
                found = worker.take()
                if isinstance(found.error, StoreError):
                    raise found.error
                yield found
                if not worker.process.is_alive():
                    left.extendleft(reversed(worker.given))
                    workers[workers.index(worker)] = begin()
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """Another process that judges one recording after another."""

    def __init__(self, open_store: Callable[[], Store], known: Knowledge, turns: Path) -> None:
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_work, args=(theirs, self.pipe, open_store, known, turns), daemon=True)
        self.process.start()
        theirs.close()  # so that this process notices when the worker ends
        self.given: deque[Path] = deque()
        """What it is judging, and what it will judge next."""

    def give(self, path: Path) -> None:
        self.given.append(path)
        with suppress(BrokenPipeError):  # it has ended: `take` reports it
            self.pipe.send(path)

    def take(self) -> JudgedRecording:
        """The result for the first recording in `given`, or an error if the process ended while judging it."""
        path = self.given.popleft()
        try:
            found: JudgedRecording = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            ended = UserError(
                Spoken(
                    "The process that judged {path} exited with {exitcode}.",
                    path=path,
                    exitcode=_named(self.process.exitcode),
                ),
                "If memory ran out, use fewer processes (--jobs) and try again.",
            )
            return JudgedRecording(path, Counter(), error=ended)
        return found

    def end(self) -> None:
        self.process.terminate()  # whatever it saves is one transaction
        self.process.join()
        self.pipe.close()


def _named(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _work(
    pipe: Connection, parents: Connection, open_store: Callable[[], Store], known: Knowledge, turns: Path
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our parent, which ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if CONTEXT.get_start_method() == "fork":
        parents.close()  # so that this process notices when the parent ends
        gc.freeze()  # no collection examines what is known, or causes it to be copied
    store: Store | None = None
    with suppress(EOFError, BrokenPipeError), turns.open() as file:
        while True:
            path = pipe.recv()
            try:
                if store is None:
                    store = open_store()
                    if store.is_file:
                        store.turn_to_write = partial(_turn, file)
                found = _judged(path, store, known)
            except StoreError as error:
                found = JudgedRecording(path, Counter(), error=error)
            if found.error and not isinstance(found.error, UserError):
                fault = RuntimeError(f"{type(found.error).__name__}: {found.error}")  # which any process can unpickle
                fault.add_note("".join(traceback.format_exception(found.error)))
                found = replace(found, error=fault)
            pipe.send(found)


@contextmanager
def _turn(file: IO[str]) -> Iterator[None]:
    """Exclude the other workers; the system releases the lock of a worker that is killed."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _opened(path: Path | str, store: Store) -> Recording:
    if isinstance(path, Path):
        return Recording.open(path)
    if (found := store.recording_in(path)) is None:
        raise UserError(
            Spoken("The recording {path} no longer exists.", path=path), "Put it back, or go on without it."
        )
    return found


def _judged(path: Path | str, store: Store, known: Knowledge) -> JudgedRecording:
    """Judge one recording. Raises StoreError if the database fails."""
    try:
        with _opened(path, store) as recording:
            outcome = correlate(recording, store, known)
    except StoreError:
        raise
    except Exception as error:
        return JudgedRecording(path, Counter(), error=error)
    return JudgedRecording(path, Counter(finding.level for finding in outcome.findings), outcome.all_gaps)
