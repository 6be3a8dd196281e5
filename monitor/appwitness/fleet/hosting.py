"""A host at work: a thread for each device, some judges, and one that tells the others what it has."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appwitness.fleet.judges import By, FleetJudge
from appwitness.fleet.pools import meets
from appwitness.fleet.worker import FleetDevice, Host, RunSource, Worker, in_order
from appwitness.store.runs import LeasedRun, Waiting
from appwitness.support.errors import StoreError

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""Between two looks at whether runs have to be ended."""


class Plain:
    """Gives runs as the table of runs has them: one machine needs no queue beside it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._waiting: list[Waiting] = []

    def refresh(self) -> None:
        """See what waits."""
        self._waiting = in_order(self._host)

    def next(self, device: FleetDevice) -> LeasedRun | None:
        """The next run of a pool that the device is in."""
        host = self._host
        able = (each for each in self._waiting if meets(device.labels, each.pool))
        taken = (host.runs.take(each, host.name, device.serial, host.lease_s) for each in able)
        return next(filter(None, taken), None)


@dataclass(frozen=True)
class Crew:
    """Who works on a host."""

    devices: Sequence[FleetDevice]
    judges: int
    by: By


def over(host: Host, crew: Crew) -> bool:
    """Nothing is left that this host can do."""
    able = any(meets(device.labels, each.pool) for each in host.runs.waiting(host.campaign) for device in crew.devices)
    return not able and not host.runs.going_on(host.campaign)


def serve(host: Host, source: RunSource, crew: Crew, over: Callable[[], bool] = lambda: False) -> None:
    """Make and judge runs until `host.stop`, or until all is `over`."""
    workers = [Worker(device, host, source) for device in crew.devices]
    judges = [FleetJudge(host, crew.by) for _ in range(crew.judges)]
    hands: list[Worker | FleetJudge] = [*workers, *judges]
    threads = [threading.Thread(target=each.work) for each in hands]
    threads.append(threading.Thread(target=host.spool.work, args=(host.runs, host.stop, host.idle_s)))
    next_beat = 0.0
    with host.spool.held():
        try:
            while not host.stop.wait(LOOK_S if next_beat else 0):
                for worker in workers:
                    worker.look()
                if time.monotonic() < next_beat:
                    continue
                first, next_beat = not next_beat, time.monotonic() + host.beat_s
                try:
                    _beat(host, source, workers, [each.run for each in hands])
                    if over():
                        break
                except StoreError as error:
                    log.warning("%s", error)
                if first:
                    for thread in threads:
                        thread.start()
        finally:
            host.stop.set()
            while any(thread.is_alive() for thread in threads):
                for worker in workers:
                    worker.look()
                time.sleep(LOOK_S)


def _beat(host: Host, source: RunSource, workers: Sequence[Worker], runs: Sequence[LeasedRun | None]) -> None:
    """Say that we live and what we have; learn what others wish."""
    host.runs.renew([*(run.lease for run in runs if run), *host.spool.leases], host.lease_s)
    wishes = host.runs.tell(host.name, [worker.slot() for worker in workers])
    for worker in workers:
        worker.rests = wishes[worker.device.serial]
    host.runs.expire(host.lease_s)
    source.refresh()
