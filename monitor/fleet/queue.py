"""The queue that lends runs to devices of many hosts: Procrastinate on PostgreSQL, behind this door alone.

The table of runs is the truth, and the queue only a window on it: a job says that a device of a pool may lease this
run. Who gets the job deletes it and leases the run, and renews that lease while it is made. So the queue may be lost at
any moment: each host fills it again. Procrastinate's own worker is not used: between two jobs a device may go, rest, or
get other pools, so it asks for one job at a time.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Self

from monitor.errors import StoreError, UserError
from monitor.fleet.pools import meets, strictest
from monitor.fleet.worker import Device, Host
from monitor.store.runs import Run

try:
    import procrastinate
    from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
    from procrastinate.jobs import Status
    from procrastinate.manager import JobManager
except ModuleNotFoundError as error:
    raise UserError(f"A queue needs {error.name}.", "Install it: pip install 'appwitness[fleet]'.") from None

logging.getLogger("procrastinate").setLevel(logging.ERROR)
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # the store says it once

TASK = "record"
WINDOW = 500
"""Jobs of a pool that wait in the queue, at most about so many; the other runs wait in their table."""
CONNECTIONS = 4
"""Of a host to the queue."""
CONNECT_S = 5.0
ANSWER_S = 20.0
"""How long the queue may take to answer."""


class Queue:
    """Gives runs to the devices of a host. Every method raises StoreError while the queue cannot be reached."""

    def __init__(self, url: str, host: Host) -> None:
        self._host = host
        self._pools: list[str] = []
        """Of which runs wait."""
        self._worker: int | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="queue", daemon=True)
        connector = procrastinate.PsycopgConnector(
            conninfo=url.replace("postgresql+psycopg://", "postgresql://"),
            min_size=1,
            max_size=CONNECTIONS,
            timeout=CONNECT_S,
        )
        self._app = procrastinate.App(connector=connector)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._do(self._open())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(StoreError):  # it is away, and other hosts forget us
            self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def refresh(self) -> None:
        """Say that we live, delete jobs of hosts that do not, and let waiting runs into the queue."""
        pools = strictest(self._host.runs.pools())
        self._do(self._keep())
        for pool in pools:
            waiting = self._host.runs.unqueued(pool, WINDOW)
            if waiting:
                self._do(self._lend(pool, waiting))
        self._pools = pools

    def next(self, device: Device) -> Run | None:
        """The next run of a pool that the device is in, leased to it."""
        host = self._host
        pools = [pool for pool in self._pools if meets(device.labels, pool)]
        while pools and (found := self._do(self._fetch(pools))):
            run = host.runs.lease(found, host.name, device.serial, host.lease_s)
            if run is not None:
                return run
        return None

    def _do[T](self, what: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(what, self._loop)
        try:
            return future.result(ANSWER_S)
        except (ConnectorException, TimeoutError) as error:
            future.cancel()
            self._worker = None
            said = next(iter(str(error.__cause__ or error).splitlines()), type(error).__name__)
            raise StoreError(f"The queue does not answer: {said}.", "Is PostgreSQL up?") from error

    @property
    def _jobs(self) -> JobManager:
        return self._app.job_manager

    async def _open(self) -> None:
        await self._app.open_async()
        if not self._host.runs.has_queue():
            try:
                await self._app.schema_manager.apply_schema_async()
            except ConnectorException:
                if not self._host.runs.has_queue():  # another host was not quicker either
                    raise

    async def _close(self) -> None:
        if self._worker is not None:
            await self._jobs.unregister_worker(self._worker)
        await self._app.close_async()

    async def _keep(self) -> None:
        lease_s = self._host.lease_s
        if self._worker is not None:
            await self._jobs.update_heartbeat(self._worker)
        await self._jobs.prune_stalled_workers(lease_s)
        for job in await self._jobs.get_stalled_jobs(task_name=TASK, seconds_since_heartbeat=lease_s):
            with suppress(ConnectorException):  # another host has deleted it
                await self._jobs.finish_job(job, Status.ABORTED, delete_job=True)

    async def _lend(self, pool: str, runs: Sequence[str]) -> None:
        queue, priority = _queue(pool), pool.count(" and ")
        made = (self._app.configure_task(TASK, queue=queue, priority=priority, queueing_lock=run) for run in runs)
        jobs = [each.job for each in made]
        with suppress(AlreadyEnqueued):  # another host lets them in at this moment
            await self._jobs.batch_defer_jobs_async(jobs)

    async def _fetch(self, pools: Sequence[str]) -> str | None:
        if self._worker is None:
            self._worker = await self._jobs.register_worker()
        job = await self._jobs.fetch_job([_queue(pool) for pool in pools], self._worker)
        if job is None:
            return None
        await self._jobs.finish_job(job, Status.SUCCEEDED, delete_job=True)
        return job.queueing_lock


def _queue(pool: str) -> str:
    """The name of the queue of a pool."""
    return f"pool {pool}"
