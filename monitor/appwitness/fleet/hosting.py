"""A working host: a thread for each device, several judges, and a heartbeat that reports its devices and leases."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event

from appwitness.fleet.judges import AGAIN_S, By, FleetJudge
from appwitness.fleet.pools import meets, strictness
from appwitness.fleet.worker import LOOK_S, FleetDevice, Host, Worker
from appwitness.store.fleet_tables import HeldLease
from appwitness.support.errors import StoreError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Crew:
    """The workers of a host."""

    devices: Sequence[FleetDevice]
    judges: int
    by: By


def over(host: Host, crew: Crew) -> bool:
    """Whether nothing is left for this host to do."""
    able = any(meets(device.labels, each.pool) for each in host.waiting for device in crew.devices)
    return not able and not host.runs.going_on(host.campaign)


def serve(
    host: Host, crew: Crew, stop: Callable[[], bool] = lambda: False, over: Callable[[], bool] = lambda: False
) -> None:
    """Record and judge runs until `stop()` or `over()` is true; `over` is called at each heartbeat."""
    workers = [Worker(device, host) for device in crew.devices]
    hands: list[Worker | FleetJudge] = [*workers, *(FleetJudge(host, crew.by) for _ in range(crew.judges))]
    works = [*(each.work for each in hands), partial(host.spool.work, host.runs, host.stop, host.idle_s)]
    threads = [threading.Thread(target=_at_work, args=(work, host.stop)) for work in works]
    with host.spool.held():
        for thread in threads:
            thread.start()
        try:
            next_beat = 0.0
            while not (stop() or host.stop.is_set()):
                if time.monotonic() >= next_beat:
                    next_beat = time.monotonic() + host.beat_s
                    try:
                        _beat(host, workers, hands)
                        if over():
                            break
                    except StoreError as error:
                        log.warning("%s", error)
                host.stop.wait(min(LOOK_S, host.beat_s))
        finally:
            host.stop.set()
            for thread in threads:
                thread.join()


def _at_work(work: Callable[[], None], stop: Event) -> None:
    """Work until the host ends. After an internal error the work starts again, since nothing else on this host would
    do it."""
    while not stop.is_set():
        try:
            work()
        except Exception:
            log.exception("Internal error; starting again in %g s.", AGAIN_S)
            stop.wait(AGAIN_S)


def _beat(host: Host, workers: Sequence[Worker], hands: Sequence[Worker | FleetJudge]) -> None:
    """Send a heartbeat with the devices; find out which of them are paused, and which runs wait."""
    held = [HeldLease(run.id, run.lease) for each in hands if (run := each.run)]
    host.runs.renew([*held, *host.spool.leases], host.lease_s)
    wishes = host.runs.tell(host.name, [worker.slot() for worker in workers])
    for worker in workers:
        worker.rests = wishes[worker.device.serial]
    host.runs.expire(host.lease_s)
    # pools for few devices first, then in the order of planning
    host.waiting = sorted(host.runs.waiting(host.campaign), key=lambda each: -strictness(each.pool))
