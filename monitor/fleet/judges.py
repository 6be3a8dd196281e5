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
from monitor.fleet.objects import objects
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
        self._busy: dict[Future[int | str], Run] = {}

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
            with suppress(Stopped, BrokenProcessPool):
                self._feed(pool)
            pool.shutdown(cancel_futures=True)
            for future in list(self._busy):
                with suppress(Stopped, BrokenProcessPool):
                    self._end(future)

    def _feed(self, pool: ProcessPoolExecutor) -> None:
        """Until the host ends, or a judge is killed, and with it the pool of all."""
        host = self._host
        while not host.stop.is_set():
            if free := 2 * self._count - len(self._busy):
                for run in host.kept(partial(host.runs.to_judge, free, host.name, host.lease_s)):
                    judging = pool.submit(_judge, host.objects.place, str(run.recording), run.options)
                    self._busy[judging] = run
            ended = [future for future in self._busy if future.done()]
            for future in ended:
                self._end(future)
            if not ended:
                host.stop.wait(0.02 if self._busy else host.idle_s)

    def _end(self, future: Future[int | str]) -> None:
        """Note what came of a judgement. Raises BrokenProcessPool when a judge was killed."""
        run, host = self._busy.pop(future), self._host
        if future.cancelled():
            host.kept(partial(host.runs.put_back, run.id))
        elif error := future.exception():
            host.kept(partial(host.runs.unjudged, run.id, "The judge was killed."))
            raise error
        elif isinstance(outcome := future.result(), int):
            host.kept(partial(host.runs.judged, run.id, outcome))
        else:
            log.warning("%s: %s", run.recording, outcome)
            host.kept(partial(host.runs.unjudged, run.id, outcome))


@dataclass
class _Judge:
    """What a process judges with."""

    store: Store
    known: Any

    def __call__(self, place: str, recording: str, options: str) -> int:
        from monitor.correlate import correlate
        from monitor.recording import Recording

        with objects(place).fetched(recording) as packed, Recording.open(packed) as opened:
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


def _judge(place: str, recording: str, options: str) -> int | str:
    """Judge a recording: how many findings there are, or why it cannot be judged. No error leaves this process: not
    every one can be made again in another."""
    for wait_s in (*AGAIN_S, None):
        try:
            return _here[0](place, recording, options)
        except StoreError as error:
            if wait_s is None:
                return str(error)
            time.sleep(wait_s)
        except UserError as error:
            return str(error)
        except Exception as error:
            log.exception("%s", recording)
            return f"An internal error: {type(error).__name__}."
    raise AssertionError
