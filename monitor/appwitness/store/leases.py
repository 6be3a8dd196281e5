"""Leases the runs of campaigns: locks rows, leases them for a time, and takes them back. SQLite or PostgreSQL.

A row is taken by `SELECT ... FOR UPDATE SKIP LOCKED` (SQLite has one writer at a time), so two simultaneous callers get
different rows, and neither waits. A lease has a token, and expires unless its holder renews it. Whoever reports the
result of a run gives the token; the report is ignored if somebody else has the run by then. The first recording of a
run counts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, false, func, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as of_sqlite

from appwitness.store.database import Database, in_words
from appwitness.store.fleet_tables import (
    PLANNED,
    RECORDED,
    FleetBase,
    HeldLease,
    LeasedRun,
    Now,
    Reason,
    RunRow,
    SupersededRow,
    Waiting,
    prepare,
)

ATTEMPTS = 3
"""After this many attempts a run counts as unobservable."""
JUDGINGS = 5
"""After this many attempts at judging, a recording counts as impossible to judge; a killed judge counts as an
attempt."""

OF_SERVER: dict[str, Any] = {
    "pool_size": 4,
    "max_overflow": 2,
    "connect_args": {
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 40_000,
    },
}
"""A few connections for each host, with timeouts for a lost network."""

_RUN = tuple(getattr(RunRow, each.name) for each in fields(LeasedRun))


class Leases(Database):
    """The leases of runs in one database. Safe for use from several threads, processes and hosts.

    `place` is the path of a SQLite file or a SQLAlchemy URL. Every method raises UserError when the database cannot be
    used.
    """

    def __init__(self, place: str | Path) -> None:
        super().__init__(place, prepare, OF_SERVER)
        self.server = self._engine.dialect.name != "sqlite"
        """Whether it is on a server, which several hosts can use."""

    # recording

    def take(self, waiting: Waiting, host: str, device: str, lease_s: float) -> LeasedRun | None:
        """Lease the next of these runs, those with the fewest attempts first; None when there is none."""
        which = (PLANNED, RunRow.campaign == waiting.campaign, RunRow.pool == waiting.pool)
        values = {
            "state": "leased", "host": host, "device": device, "attempts": RunRow.attempts + 1, "leased_at": Now(),
        }  # fmt: skip
        return self._lease(which, (RunRow.attempts, RunRow.number), lease_s, values)

    def _lease(
        self, which: Sequence[Any], order: Sequence[Any], lease_s: float, values: dict[str, Any]
    ) -> LeasedRun | None:
        """Lease the first of some rows; concurrent callers get different rows and do not wait."""
        first = select(RunRow.id).where(*which).order_by(*order).limit(1).with_for_update(skip_locked=True)
        values = {**values, "lease": secrets.token_hex(8), "expires": Now() + lease_s}
        query = update(RunRow).where(RunRow.id == first.scalar_subquery(), *which).values(**values).returning(*_RUN)
        with self._write() as connection:
            row = connection.execute(query).one_or_none()
        return LeasedRun(**row._mapping) if row else None

    def renew(self, held: Sequence[HeldLease], lease_s: float) -> None:
        """Renew the leases of these runs. An expired lease is restored if nobody else has the run."""
        which = (RunRow.id.in_([each.run for each in held]), RunRow.lease.in_([each.lease for each in held]))
        self._change(*which, expires=Now() + lease_s)
        lapsed = RunRow.state.in_(("planned", "unobservable"))
        self._change(*which, lapsed, state="leased", reason=None, note=None)

    def recorded(self, run: str, recording: str, device: str) -> bool:
        """Record that the recording of a run is complete. False: another one was first, and this one is kept as
        superseded."""
        free = (RunRow.id == run, RunRow.recording.is_(None))
        values = {
            "state": "recorded", "recording": recording, "device": device, "recorded_at": Now(), "lease": None,
            "expires": None, "reason": None, "note": None,
        }  # fmt: skip
        with self._write() as connection:
            if connection.execute(update(RunRow).where(*free).values(**values)).rowcount:
                return True
            if connection.scalar(select(RunRow.recording).where(RunRow.id == run)) == recording:
                return True  # reported before, but the answer was lost
            row = {"recording": recording, "run": run, "device": device, "at": Now()}
            connection.execute(self._insert(SupersededRow).values(row).on_conflict_do_nothing())
        return False

    def failed(self, lease: str, reason: Reason, note: str, *, last: bool = False) -> None:
        """Record that a leased run was not observed. It waits again; it becomes unobservable if this was the `last`
        attempt, or after ATTEMPTS attempts since it was planned or retried."""
        self._end([RunRow.lease == lease], reason, note, last=last)

    def released(self, lease: str) -> None:
        """Return a leased run that did not fail: it waits again, and the attempt does not count."""
        which = (RunRow.lease == lease, RunRow.state == "leased")
        self._change(*which, state="planned", lease=None, expires=None, attempts=RunRow.attempts - 1)

    def expire(self, grace_s: float = 0.0) -> int:
        """End leases that were not renewed in time; returns how many. No lease ends until the server has been up
        for `grace_s`, since nobody could renew them before. A run's lease is remembered until the run is leased again,
        so that its holder can restore it."""
        late = [RunRow.expires < Now(), RunRow.lease.is_not(None)]
        if self.server:
            late.append(Now() - func.extract("epoch", func.pg_postmaster_start_time()) >= grace_s)
        lost = self._end(late, "lost", "The host that was recording it stopped responding.", lease=RunRow.lease)
        return lost + self._change(RunRow.state == "recorded", *late, lease=None, expires=None)

    def _end(
        self, which: Sequence[ColumnElement[bool]], reason: Reason, note: str, *, last: bool = False, lease: Any = None
    ) -> int:
        """End the leases of runs that are being recorded; returns how many."""
        again = false() if last else RunRow.attempts % ATTEMPTS != 0
        state, reasons = case((again, "planned"), else_="unobservable"), case((again, None), else_=reason)
        leased = RunRow.state == "leased"
        return self._change(leased, *which, state=state, reason=reasons, note=note, lease=lease, expires=None)

    # judging

    def to_judge(self, lease_s: float) -> LeasedRun | None:
        """Lease the recording that has waited longest for a judge; those with earlier attempts at judging come last.
        None when none waits."""
        which = (RECORDED, RunRow.lease.is_(None))
        return self._lease(which, (RunRow.judgings, RunRow.recorded_at), lease_s, {"judgings": RunRow.judgings + 1})

    def judged(self, lease: str, findings: int, indexed: str | None = None) -> None:
        """Record that the conclusions of a run are saved, `findings` of them; `indexed` is its id in the index."""
        self._end_judging(lease, state="judged", judged_at=Now(), findings=findings, indexed=indexed, note=None)

    def put_back(self, lease: str) -> None:
        """Return a recording to be judged; the attempt does not count."""
        self._end_judging(lease, judgings=RunRow.judgings - 1)

    def unjudged(self, lease: str, note: str) -> None:
        """Return a recording that could not be judged: another judge tries, at most JUDGINGS times."""
        again = RunRow.judgings < JUDGINGS
        state, reason = case((again, "recorded"), else_="unobservable"), case((again, None), else_="judging")
        self._end_judging(lease, state=state, reason=reason, note=note)

    def _end_judging(self, lease: str, **values: Any) -> None:
        """End a judge's lease; has no effect if the lease has expired."""
        self._change(RunRow.state == "recorded", RunRow.lease == lease, lease=None, expires=None, **values)

    # inside

    def _change(self, *which: ColumnElement[bool], **values: Any) -> int:
        """Change these runs; returns how many matched."""
        with self._write() as connection:
            return connection.execute(update(RunRow).where(*which).values(**values)).rowcount

    def _insert(self, into: type[FleetBase]) -> postgresql.Insert | of_sqlite.Insert:
        return postgresql.insert(into) if self.server else of_sqlite.insert(into)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction."""
        with in_words(self.name), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with in_words(self.name), self._writing.begin() as connection:
            yield connection
