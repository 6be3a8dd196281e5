"""The queue that lends runs to devices of many hosts: Procrastinate on PostgreSQL, behind this door alone.

The table of runs is the truth, and the queue only a window on it: a job says that a device of a pool may lease this
run. Who gets the job deletes it and leases the run, and renews that lease while it is made. So the queue may be lost at
any moment: each host fills it again. Procrastinate's own worker is not used: between two jobs a device may go, rest, or
get other pools, so it asks for one job at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Self

from appwitness.fleet.pools import meets, strictness
from appwitness.fleet.worker import FleetDevice, Host, in_order
from appwitness.store.runs import LeasedRun, Waiting
from appwitness.support.errors import StoreError, UserError

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
        self._waiting: list[Waiting] = []
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
        self._do(self._keep())
        self._waiting = in_order(self._host)
        for each in self._waiting:
            if runs := self._host.runs.unqueued(each, WINDOW):
                self._do(self._lend(each, runs))

    def next(self, device: FleetDevice) -> LeasedRun | None:
        """The next run of a pool that the device is in, leased to it."""
        host = self._host
        queues = [_queue(each) for each in self._waiting if meets(device.labels, each.pool)]
        while queues and (found := self._do(self._fetch(queues))):
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
            if type(error.__cause__).__name__ == "ForeignKeyViolation":
                raise StoreError(
                    "This host was silent for longer than its lease, and others took its place in the queue.",
                    "It goes on with a new one.",
                ) from error
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

    async def _lend(self, waiting: Waiting, runs: Sequence[str]) -> None:
        queue, priority = _queue(waiting), strictness(waiting.pool)
        made = (self._app.configure_task(TASK, queue=queue, priority=priority, queueing_lock=run) for run in runs)
        jobs = [each.job for each in made]
        with suppress(AlreadyEnqueued):  # another host lets them in at this moment
            await self._jobs.batch_defer_jobs_async(jobs)

    async def _fetch(self, queues: Sequence[str]) -> str | None:
        if self._worker is None:
            self._worker = await self._jobs.register_worker()
        job = await self._jobs.fetch_job(queues, self._worker)
        if job is None:
            return None
        await self._jobs.finish_job(job, Status.SUCCEEDED, delete_job=True)
        return job.queueing_lock


def _queue(waiting: Waiting) -> str:
    """The name of the queue of these runs; Procrastinate has 128 letters for it."""
    return f"{waiting.campaign} {hashlib.sha256(waiting.pool.encode()).hexdigest()[:32]}"
