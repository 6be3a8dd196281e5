"""The runs of campaigns and the devices that record them: plans, progress, heartbeats."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, fields
from itertools import batched, chain
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, case, func, literal, or_, select, true, update
from sqlalchemy.dialects import postgresql

from appwitness.store.database import copy, in_words, lock
from appwitness.store.fleet_tables import (
    PLANNED,
    UNOBSERVABLE,
    VERSION,
    CommittedRecording,
    CommittedRow,
    DeviceRow,
    FleetBase,
    Now,
    Planned,
    Pool,
    RunCountRow,
    RunRow,
    Slot,
    SupersededRow,
    Waiting,
)
from appwitness.store.leases import ATTEMPTS, Leases
from appwitness.store.run_counts import SUPERSEDED

ROWS = 5000
"""Runs planned in one transaction."""
TOGETHER = 500
"""Runs in one statement on SQLite, which takes at most 32,766 parameters."""
_UNTRIED = ("planned", 0, 0)
_COLUMNS = (*(each.name for each in fields(Planned)), "state", "attempts", "judgings", "number")
"""The columns of a planned run; `_UNTRIED` has the values of those that are the same for all."""


class Runs(Leases):
    """The runs and devices of a fleet in one database."""

    # planning

    def plan(self, runs: Iterable[Planned]) -> int:
        """Plan these runs; returns how many were not planned before."""
        with self.reading() as connection:  # the time in microseconds: later plans always get higher numbers
            number = int(1e6 * (connection.scalar(select(Now())) or 0))
        new = 0
        for batch in batched(runs, ROWS):
            with self._write() as connection:
                lock(connection)
                rows = [(*vars(run).values(), *_UNTRIED, at) for at, run in enumerate(batch, start=number)]
                new += self._add(connection, rows)
            number += len(batch)
        return new

    def judge_again(self, campaign: str) -> int:
        """Queue judged recordings for judging again; returns how many."""
        return self._change(RunRow.campaign == campaign, RunRow.state == "judged", state="recorded", judgings=0)

    def retry(self, campaign: str, reason: str | None = None) -> int:
        """Plan unobservable runs again, for this reason or (None) for any; returns how many. Attempts are not reset,
        so no recording of the run gets the name of an earlier one."""
        which = [RunRow.campaign == campaign, RunRow.state == "unobservable"]
        if reason is not None:
            which.append(RunRow.reason == reason)
        again = case((RunRow.recording.is_(None), "planned"), else_="recorded")
        used_up = RunRow.attempts + (ATTEMPTS - RunRow.attempts % ATTEMPTS) % ATTEMPTS
        return self._change(*which, state=again, reason=None, attempts=used_up, judgings=0)

    # recording

    def waiting(self, campaign: str | None = None) -> list[Waiting]:
        """The pools in which runs wait, of one campaign or of all, ordered by their next run."""
        row = RunCountRow
        pools = select(row.campaign, row.pool).where(*_counted(campaign, "planned")).distinct().subquery()
        of_pool = (PLANNED, RunRow.campaign == pools.c.campaign, RunRow.pool == pools.c.pool)
        first = select(RunRow.number).where(*of_pool).order_by(RunRow.attempts, RunRow.number).limit(1)
        with self.reading() as connection:
            rows = connection.execute(select(pools).order_by(first.scalar_subquery()))
            return [Waiting(*row) for row in rows]

    def going_on(self, campaign: str | None = None) -> bool:
        """Whether runs are being recorded or judged, or wait to be judged."""
        with self.reading() as connection:
            query = select(RunCountRow.state).where(*_counted(campaign, "leased", "recorded"))
            return connection.scalar(query.limit(1)) is not None

    def commit(self, made: CommittedRecording) -> bool:
        """Write the commit record of a recording before others can see the recording. False: another recording
        already has this name."""
        digest = select(CommittedRow.digest).where(CommittedRow.recording == made.recording)
        with self._write() as connection:
            connection.execute(self._insert(CommittedRow).on_conflict_do_nothing(), asdict(made))
            return connection.scalar(digest) == made.digest

    def committed(self, recording: str) -> CommittedRecording | None:
        """The commit record of a recording; None when there is none."""
        columns = [getattr(CommittedRow, each.name) for each in fields(CommittedRecording)]
        with self.reading() as connection:
            row = connection.execute(select(*columns).where(CommittedRow.recording == recording)).one_or_none()
        return CommittedRecording(**row._mapping) if row else None

    # progress

    def progress(self, campaign: str | None = None) -> list[Pool]:
        """The progress of each pool."""
        row = RunCountRow
        sums = [func.sum(each) for each in (row.runs, row.findings, row.recorded, row.took_ms)]
        query: Any = select(row.campaign, row.pool, row.state, *sums).where(*_counted(campaign))
        query = query.group_by(row.campaign, row.pool, row.state).order_by(row.campaign, row.pool, row.state)
        found: dict[tuple[str, str], dict[str, Any]] = {}
        with self.reading() as connection:
            for name, pool, state, count, findings, recorded, took_ms in connection.execute(query):
                of = found.setdefault((name, pool), {"campaign": name, "pool": pool, "findings": 0})
                of[state] = int(count)
                of["findings"] += int(findings)
                if recorded and (state == "judged" or "took_s" not in of):
                    of["took_s"] = int(took_ms) / int(recorded) / 1000
        return [Pool(**of) for _, of in sorted(found.items())]

    def reasons(self, campaign: str | None = None) -> list[tuple[str, int, str]]:
        """The reasons for unobservable runs: reason, count, and one message."""
        return [(reason, count, run.note or "") for reason, count, run in self.unobservable(campaign, RunRow.note)]

    def unobservable(self, campaign: str | None, *columns: Any) -> list[tuple[str, int, Any]]:
        """The reasons for unobservable runs, the most frequent first: reason, count, and these columns of one run."""
        row = RunCountRow
        counts = select(row.reason, func.sum(row.runs)).where(*_counted(campaign, "unobservable")).group_by(row.reason)
        found = []
        with self.reading() as connection:
            for reason, count in connection.execute(counts.order_by(func.sum(row.runs).desc(), row.reason)).all():
                which = (UNOBSERVABLE, RunRow.reason == reason, _of(campaign, RunRow.campaign))
                example = select(*columns).where(*which).order_by(RunRow.campaign, RunRow.number).limit(1)
                if run := connection.execute(example).one_or_none():
                    found.append((reason, int(count), run))
        return found

    def superseded(self) -> int:
        """The number of recordings that were not the first of their run."""
        with self.reading() as connection:
            count = select(RunCountRow.runs).where(RunCountRow.state == SUPERSEDED)
            return connection.scalar(count) or 0

    # devices

    def tell(self, host: str, slots: Sequence[Slot]) -> dict[str, bool]:
        """Record a host's heartbeat with its devices; returns serial -> whether a person has paused it."""
        if not slots:
            return {}
        rows = [
            {
                "host": host, "serial": slot.serial, "labels": json.dumps(dict(slot.labels)), "state": slot.state,
                "note": slot.note, "run": slot.run, "seen_at": Now(), "paused": False,
            }
            for slot in slots
        ]  # fmt: skip
        query = self._insert(DeviceRow).values(rows)
        said = {name: query.excluded[name] for name in ("labels", "state", "note", "run", "seen_at")}
        query = query.on_conflict_do_update(index_elements=["host", "serial"], set_=said)
        with self._write() as connection:
            found = connection.execute(query.returning(DeviceRow.serial, DeviceRow.paused))
            return {serial: bool(paused) for serial, paused in found}

    def devices(self) -> list[Slot]:
        """The devices that hosts have reported."""
        columns = (DeviceRow.host, DeviceRow.serial, DeviceRow.labels, DeviceRow.state, DeviceRow.note, DeviceRow.run)
        query = select(*columns, (Now() - DeviceRow.seen_at).label("silent_s"), DeviceRow.paused)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(DeviceRow.host, DeviceRow.serial)).all()
        return [Slot(**{**row._mapping, "labels": json.loads(row.labels)}) for row in rows]

    def pause(self, serial: str, *, rest: bool = True) -> int:
        """Pause or resume a device; returns how many have this serial (or HOST/SERIAL)."""
        host, _, name = serial.rpartition("/")
        which = or_(DeviceRow.serial == serial, (DeviceRow.host == host) & (DeviceRow.serial == name))
        with self._write() as connection:
            return connection.execute(update(DeviceRow).where(which).values(paused=rest)).rowcount

    def _add(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert the runs that are not planned yet; returns how many."""
        if self.server:
            # one array, which PostgreSQL turns into a hash table; it would compare many parameters with each row
            ids = literal([row[0] for row in rows], postgresql.ARRAY(Text))
            known = set(connection.scalars(select(RunRow.id).where(RunRow.id == func.any(ids))))
            unknown = {row[0]: row for row in reversed(rows) if row[0] not in known}
            copy(connection, FleetBase.metadata.tables["runs"], _COLUMNS, unknown.values())
            return len(unknown)
        new = 0
        for part in batched(rows, TOGETHER):  # the trigger costs less when one statement has many rows
            places = ", ".join([f"({', '.join('?' * len(_COLUMNS))})"] * len(part))
            insert = f"INSERT INTO runs ({', '.join(_COLUMNS)}) VALUES {places} ON CONFLICT DO NOTHING"  # noqa: S608, our own
            new += connection.exec_driver_sql(insert, tuple(chain.from_iterable(part))).rowcount
        return new


def _of(campaign: str | None, column: Any) -> ColumnElement[bool]:
    return true() if campaign is None else column == campaign


def _counted(campaign: str | None, *states: str) -> list[ColumnElement[bool]]:
    """Conditions that select run counts: of one campaign or of all, in these states or in any."""
    asked = RunCountRow.state.in_(states) if states else RunCountRow.state != SUPERSEDED
    return [RunCountRow.runs > 0, _of(campaign, RunCountRow.campaign), asked]


def take_along(old: Path, place: Path) -> None:
    """Copy a fleet's runs from an index that was set aside, since they are not part of the index. Judged runs are
    queued for judging again."""
    with in_words(str(old)), closing(sqlite3.connect(old)) as before:
        try:
            found = before.execute("SELECT version FROM fleet_version").fetchone()
        except sqlite3.OperationalError:
            return
    if found != (VERSION,):
        return
    Runs(place).close()
    with in_words(str(place)), closing(sqlite3.connect(place)) as now:
        now.execute("ATTACH ? AS old", (str(old),))
        with now:
            there = {name for (name,) in now.execute("SELECT name FROM old.sqlite_master")}
            for each in (RunRow, SupersededRow, CommittedRow, DeviceRow):
                if each.__tablename__ not in there:  # it was made before this table existed
                    continue
                columns = ", ".join(f'"{column.name}"' for column in each.__table__.columns)
                name = each.__tablename__
                now.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM old.{name}")  # noqa: S608, our own names
            now.execute("UPDATE runs SET state = 'recorded', judgings = 0 WHERE state = 'judged'")
