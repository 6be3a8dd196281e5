"""Judges complete recordings: a few processes that live long, since starting one costs more than most recordings."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.errors import StoreError, UserError
from monitor.fleet.worker import Host, Stopped
from monitor.store.runs import Run

if TYPE_CHECKING:
    from monitor.knowledge import Knowledge
    from monitor.store import Store

log = logging.getLogger(__name__)

AGAIN_S = (0.5, 1, 2, 4, 8, 16)
"""While the store is away, a judge waits so long before it tries again."""


@dataclass(frozen=True)
class By:
    """By what recordings are judged, and into which index."""

    db: str | Path
    choices: Mapping[str, Any] = field(default_factory=dict)
    """Of `monitor.knowledge.knowledge`."""


class Judges:
    """The judges of a host."""

    def __init__(self, host: Host, by: By, count: int) -> None:
        self._host = host
        self._by = by
        self._count = count
        self._busy: dict[Future[int], Run] = {}

    @property
    def leases(self) -> list[str]:
        """Of what is being judged."""
        return [run.lease for run in list(self._busy.values())]

    def work(self) -> None:
        """Judge until the host ends."""
        while not self._host.stop.is_set():
            pool = ProcessPoolExecutor(
                self._count, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(self._by,)
            )
            try:
                with suppress(Stopped, BrokenProcessPool):
                    self._feed(pool)
            finally:
                pool.shutdown(cancel_futures=True)
                for future, run in list(self._busy.items()):
                    with suppress(Stopped):
                        self._end(future, run)

    def _feed(self, pool: ProcessPoolExecutor) -> None:
        host = self._host
        while not host.stop.is_set():
            if free := 2 * self._count - len(self._busy):
                for run in host.kept(partial(host.runs.to_judge, free, host.name, host.lease_s)):
                    place = host.objects.get(str(run.recording))
                    self._busy[pool.submit(_judge, str(place), run.options)] = run
            ended = [future for future in self._busy if future.done()]
            for future in ended:
                self._end(future, self._busy[future])
            if not ended:
                host.stop.wait(host.idle_s if not self._busy else 0.02)

    def _end(self, future: Future[int], run: Run) -> None:
        try:
            findings = future.result(timeout=0)
        except BrokenProcessPool:
            del self._busy[future]
            self._host.kept(lambda: self._host.runs.unjudged(run.id, "The judge was killed."))
            raise
        except Exception as error:
            del self._busy[future]
            what = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            log.warning("%s: %s", run.recording, what)
            self._host.kept(lambda: self._host.runs.unjudged(run.id, what))
        else:
            del self._busy[future]
            self._host.kept(lambda: self._host.runs.judged(run.id, findings))


@dataclass
class _Judge:
    """What a process judges with."""

    store: Store
    known: Any

    def __call__(self, recording: Path, options: str) -> int:
        from monitor.correlate import correlate
        from monitor.recording import Recording

        with Recording.open(recording) as opened:
            return len(correlate(opened, self.store, self.known(options)).findings)


_here: list[_Judge] = []
"""The judge of this process."""


def _begin(by: By) -> None:
    from monitor.knowledge import knowledge
    from monitor.store import Store

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the host, which ends us
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()

    @lru_cache(maxsize=64)
    def known(options: str) -> Knowledge:
        first_party = json.loads(options).get("first_party")
        added = (*by.choices.get("first_party", ()), *([first_party] if first_party else ()))
        return knowledge(**{**by.choices, "first_party": added})

    _here.append(_Judge(_store(by.db, Store), known))


def _store(place: str | Path, make: Any) -> Any:
    for wait_s in AGAIN_S:
        with suppress(StoreError):
            return make(place)
        time.sleep(wait_s)
    return make(place)


def _judge(recording: str, options: str) -> int:
    """Judge a recording; how many findings there are."""
    for wait_s in AGAIN_S:
        with suppress(StoreError):
            return _here[0](Path(recording), options)
        time.sleep(wait_s)
    return _here[0](Path(recording), options)
