"""The runs of campaigns and the devices that make them: who leases which run, what came of it; SQLite or PostgreSQL.

These tables are no index: a plan cannot be rebuilt from recordings, so they have a version of their own. Times are
seconds since 1970 by the clock of the database, which is one for all hosts.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from itertools import batched
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Index,
    Select,
    Text,
    case,
    column,
    false,
    func,
    insert,
    inspect,
    literal,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as of_sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.functions import FunctionElement

from appwitness.store.database import Database, copy, in_words, insert_or_nothing, lock
from appwitness.store.models import Long, Name, Number
from appwitness.support.errors import UserError

VERSION = 1
ROWS = 500
"""To a statement that plans runs."""
ATTEMPTS = 3
"""So often a run is begun before it counts as unobservable."""
JUDGINGS = 5
"""So often a recording is judged before that counts as impossible; a judge that is killed counts."""

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
"""Few connections for each of many hosts, and none that waits for minutes when the network is gone."""

State = Literal["planned", "leased", "recorded", "judged", "unobservable"]
Reason = Literal["setup", "usage", "fault", "lost", "judging"]
"""Why a run is unobservable: the device, the proxy or the agent did not come up; the app or an option cannot be used;
an internal error; whoever had it was not heard of again; its recording cannot be judged."""

Time = Annotated[float, mapped_column(Float(53))]


class _Now(FunctionElement[float]):
    """The database's clock."""

    type = Float()
    inherit_cache = True


@compiles(_Now)
def _now_of_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@compiles(_Now, "sqlite")
def _now_of_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


class FleetBase(DeclarativeBase):
    """The tables of a fleet."""


class FleetVersion(FleetBase):
    """One row: the version of these tables."""

    __tablename__ = "fleet_version"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class RunRow(FleetBase):
    """One app under one plan: planned, leased, recorded, judged, or unobservable."""

    __tablename__ = "runs"
    id: Mapped[Name] = mapped_column(primary_key=True)
    """Made of campaign, app, plan and persona, so that nothing is planned twice; recordings are named after it."""
    campaign: Mapped[Name] = mapped_column(index=True)
    app: Mapped[Name]
    """SHA-256 of the APK, else the package, or `lab:NAME`."""
    package: Mapped[Long]
    """What people call it: the package, or the name of the file."""
    apk: Mapped[Long | None]
    plan: Mapped[Name]
    persona: Mapped[Long | None]
    options: Mapped[Long]
    """JSON: what else is said of it."""
    pool: Mapped[Name]
    """What a device has to be, as monitor/appwitness/fleet/pools.py writes it."""
    number: Mapped[Number]
    """The order in which runs were planned."""
    state: Mapped[Name]
    reason: Mapped[Name | None]
    note: Mapped[Long | None]
    """What ended the last attempt, in words."""
    attempts: Mapped[Number]
    judgings: Mapped[Number]
    host: Mapped[Name | None]
    """Who has it, or had it last."""
    device: Mapped[Name | None]
    lease: Mapped[Name | None]
    expires: Mapped[Time | None]
    leased_at: Mapped[Time | None]
    recorded_at: Mapped[Time | None]
    judged_at: Mapped[Time | None]
    recording: Mapped[Name | None] = mapped_column(index=True)
    """Its name where recordings are kept."""
    indexed: Mapped[Name | None]
    """The id of the recording in the index."""
    findings: Mapped[Number | None]

    __table_args__ = (Index("runs_to_do", "state", "campaign", "pool", "attempts", "number"),)


class SupersededRow(FleetBase):
    """A recording that was not the first of its run: kept, never judged, so that nothing is counted twice."""

    __tablename__ = "superseded"
    recording: Mapped[Name] = mapped_column(primary_key=True)
    run: Mapped[Name] = mapped_column(index=True)
    device: Mapped[Name | None]
    at: Mapped[Time]


class CommittedRow(FleetBase):
    """What the host that made a recording said of it, before anybody else could see it."""

    __tablename__ = "committed"
    recording: Mapped[Name] = mapped_column(primary_key=True)
    run: Mapped[Name] = mapped_column(index=True)
    host: Mapped[Name]
    device: Mapped[Name]
    digest: Mapped[Name]
    """SHA-256 of its archive."""
    stamp: Mapped[Name | None]
    """SHA-256 of its last stamp; NULL: it was never stamped."""


class DeviceRow(FleetBase):
    """A device of a host, as the host said last."""

    __tablename__ = "fleet_devices"
    host: Mapped[Name] = mapped_column(primary_key=True)
    serial: Mapped[Name] = mapped_column(primary_key=True)
    labels: Mapped[Long]
    """JSON: name -> value."""
    state: Mapped[Name]
    """`ready`, `busy`, `paused`, `down`."""
    note: Mapped[Long | None]
    run: Mapped[Name | None]
    seen_at: Mapped[Time]
    paused: Mapped[bool]
    """A person wants it to rest."""


@dataclass(frozen=True)
class Planned:
    """A run to be made."""

    id: str
    campaign: str
    app: str
    package: str
    plan: str
    pool: str
    apk: str | None = None
    persona: str | None = None
    options: str = "{}"


@dataclass(frozen=True)
class LeasedRun(Planned):
    """A run that somebody has."""

    lease: str = ""
    attempts: int = 0
    recording: str | None = None


@dataclass(frozen=True)
class CommittedRecording:
    """A recording as the host that made it has it."""

    recording: str
    run: str
    host: str
    device: str
    digest: str
    """SHA-256 of its archive."""
    stamp: str | None = None
    """SHA-256 of its last stamp; None: it was never stamped."""


class Waiting(NamedTuple):
    """Runs that wait for devices of one kind."""

    campaign: str
    pool: str


@dataclass(frozen=True)
class Pool:
    """How far the runs of one campaign in one pool are."""

    campaign: str
    pool: str
    planned: int = 0
    leased: int = 0
    recorded: int = 0
    judged: int = 0
    unobservable: int = 0
    findings: int = 0
    took_s: float | None = None
    """From lease to recording, on average."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.planned + self.leased + self.recorded + self.judged + self.unobservable


@dataclass(frozen=True)
class Slot:
    """A device of a host."""

    host: str
    serial: str
    labels: Mapping[str, str]
    state: str
    note: str | None
    run: str | None
    silent_s: float
    """Since its host was heard of last."""
    paused: bool


class Runs(Database):
    """The runs and devices of a fleet in one database. Safe to use from several threads, processes and hosts.

    `place` is the path of a SQLite file or a SQLAlchemy URL. Every method raises UserError when the database does not
    let it.
    """

    def __init__(self, place: str | Path) -> None:
        super().__init__(place, _prepare, OF_SERVER)
        self.server = self._engine.dialect.name != "sqlite"
        """It is on a server, which several hosts can use."""

    # planning

    def plan(self, runs: Iterable[Planned]) -> int:
        """Plan these; how many were not planned before."""
        with self.reading() as connection:
            number = connection.scalar(select(func.max(RunRow.number))) or 0
        new = 0
        for batch in batched(runs, ROWS):
            with self._write() as connection:
                lock(connection)
                known = self._known(connection, [run.id for run in batch])
                rows = {
                    run.id: {**asdict(run), "number": number + at, "state": "planned", "attempts": 0, "judgings": 0}
                    for at, run in enumerate(batch, start=1)
                    if run.id not in known
                }
                self._insert(connection, list(rows.values()))
            number += len(batch)
            new += len(rows)
        return new

    def judge_again(self, campaign: str) -> int:
        """What was judged waits to be judged once more; how many."""
        which = (RunRow.campaign == campaign, RunRow.state == "judged")
        with self._write() as connection:
            return connection.execute(update(RunRow).where(*which).values(state="recorded", judgings=0)).rowcount

    def retry(self, campaign: str, reason: str | None = None) -> int:
        """Plan again what was unobservable for this reason (None: for any); how many. Attempts are counted on: no
        recording of the run gets the name of an earlier one."""
        which = [RunRow.campaign == campaign, RunRow.state == "unobservable"]
        if reason is not None:
            which.append(RunRow.reason == reason)
        again = case((RunRow.recording.is_(None), "planned"), else_="recorded")
        with self._write() as connection:
            return connection.execute(
                update(RunRow).where(*which).values(state=again, reason=None, attempts=_next_turn(), judgings=0)
            ).rowcount

    # recording

    def has_queue(self) -> bool:
        """Whether the tables of Procrastinate are there."""
        with self.reading() as connection:
            return _JOBS.name in inspect(connection).get_table_names()

    def unqueued(self, waiting: Waiting, window: int) -> list[str]:
        """Which of the next `window` of these runs have no job of Procrastinate that waits."""
        ids = _next(waiting).limit(window).subquery()
        job = select(_JOBS.c.queueing_lock).where(_JOBS.c.queueing_lock == ids.c.id, _JOBS.c.status == text("'todo'"))
        with self.reading() as connection:
            return list(connection.scalars(select(ids.c.id).where(~job.exists())))

    def waiting(self, campaign: str | None = None) -> list[Waiting]:
        """For what devices runs wait, of one campaign or of all; what was planned first comes first."""
        query = select(RunRow.campaign, RunRow.pool).where(RunRow.state == "planned")
        if campaign is not None:
            query = query.where(RunRow.campaign == campaign)
        query = query.group_by(RunRow.campaign, RunRow.pool).order_by(func.min(RunRow.number))
        with self.reading() as connection:
            return [Waiting(*row) for row in connection.execute(query)]

    def going_on(self, campaign: str | None = None) -> bool:
        """Whether runs are being made or judged, or wait to be judged."""
        query = select(RunRow.id).where(RunRow.state.in_(("leased", "recorded"))).limit(1)
        if campaign is not None:
            query = query.where(RunRow.campaign == campaign)
        with self.reading() as connection:
            return connection.scalar(query) is not None

    def take(self, waiting: Waiting, host: str, device: str, lease_s: float) -> LeasedRun | None:
        """Lease the next of these runs; None: there is none."""
        next_ = _next(waiting).limit(1).with_for_update(skip_locked=True)
        return self._lease(RunRow.id == next_.scalar_subquery(), host, device, lease_s)

    def lease(self, run: str, host: str, device: str, lease_s: float) -> LeasedRun | None:
        """Lease this run; None: it no longer waits."""
        return self._lease(RunRow.id == run, host, device, lease_s)

    def _lease(self, which: ColumnElement[bool], host: str, device: str, lease_s: float) -> LeasedRun | None:
        values = {
            "state": "leased", "host": host, "device": device, "attempts": RunRow.attempts + 1,
            "lease": secrets.token_hex(8), "leased_at": _Now(), "expires": _Now() + lease_s,
        }  # fmt: skip
        query = update(RunRow).where(which, RunRow.state == "planned").values(**values).returning(*_RUN)
        with self._write() as connection:
            row = connection.execute(query).one_or_none()
        return LeasedRun(**row._mapping) if row else None

    def renew(self, leases: Sequence[str], lease_s: float) -> None:
        """Whoever has these runs is alive. A lease that had lapsed is taken back where nobody has the run by now."""
        lapsed = (RunRow.lease.in_(leases), RunRow.state.in_(("planned", "unobservable")))
        with self._write() as connection:
            connection.execute(update(RunRow).where(RunRow.lease.in_(leases)).values(expires=_Now() + lease_s))
            connection.execute(update(RunRow).where(*lapsed).values(state="leased", reason=None, note=None))

    def commit(self, made: CommittedRecording) -> bool:
        """Note what a recording is, before it is where others see it. False: another one has this name already."""
        digest = select(CommittedRow.digest).where(CommittedRow.recording == made.recording)
        with self._write() as connection:
            known = connection.scalar(digest)
            if known is None:
                insert_or_nothing(connection, FleetBase.metadata.tables["committed"], asdict(made))
                known = connection.scalar(digest)
            return known == made.digest

    def committed(self, recording: str) -> CommittedRecording | None:
        """What was noted of a recording; None: nothing."""
        columns = [getattr(CommittedRow, each.name) for each in fields(CommittedRecording)]
        with self.reading() as connection:
            row = connection.execute(select(*columns).where(CommittedRow.recording == recording)).one_or_none()
        return CommittedRecording(**row._mapping) if row else None

    def recorded(self, run: str, recording: str, device: str) -> bool:
        """The recording of a run is complete. False: another was first, and this one is kept as superseded."""
        free = (RunRow.id == run, RunRow.recording.is_(None))
        values = {
            "state": "recorded", "recording": recording, "device": device, "recorded_at": _Now(), "lease": None,
            "expires": None, "reason": None, "note": None,
        }  # fmt: skip
        with self._write() as connection:
            if connection.execute(update(RunRow).where(*free).values(**values)).rowcount:
                return True
            first = connection.scalar(select(RunRow.recording).where(RunRow.id == run))
            if first == recording:  # said before, and the answer was lost
                return True
            row = {"recording": recording, "run": run, "device": device, "at": _Now()}
            known = select(SupersededRow.recording).where(SupersededRow.recording == recording)
            if connection.scalar(known) is None:
                connection.execute(insert(SupersededRow).values(**row))
        return False

    def failed(self, lease: str, reason: Reason, note: str, *, last: bool = False) -> None:
        """A leased run was not observed: it waits again, or is unobservable if that was the `last` time, or if it was
        begun ATTEMPTS times since it was planned, or planned again."""
        self._end([RunRow.lease == lease], reason, note, last=last)

    def released(self, lease: str) -> None:
        """A leased run was given up for no fault of its own: it waits again, as if it had not been begun."""
        values = {"state": "planned", "lease": None, "expires": None, "attempts": RunRow.attempts - 1}
        with self._write() as connection:
            connection.execute(update(RunRow).where(RunRow.lease == lease, RunRow.state == "leased").values(**values))

    def expire(self, grace_s: float = 0.0) -> int:
        """End the leases whose holders were not heard of in time; how many. None ends until the server has been up for
        `grace_s`: nobody could renew them before."""
        late = [RunRow.expires < _Now(), RunRow.lease.is_not(None)]
        if self.server:
            late.append(_Now() - func.extract("epoch", func.pg_postmaster_start_time()) >= grace_s)
        lost = self._end(late, "lost", "Whoever made it was not heard of again.", lapses=True)
        with self._write() as connection:
            free = update(RunRow).where(RunRow.state == "recorded", *late).values(lease=None, expires=None)
            return lost + connection.execute(free).rowcount

    def _end(
        self,
        which: Sequence[ColumnElement[bool]],
        reason: Reason,
        note: str,
        *,
        last: bool = False,
        lapses: bool = False,
    ) -> int:
        """End leases; one that `lapses` is known until the run is leased again, so that it can be taken back."""
        again = false() if last else RunRow.attempts % ATTEMPTS != 0
        values = {
            "state": case((again, "planned"), else_="unobservable"), "reason": case((again, None), else_=reason),
            "note": note, "lease": RunRow.lease if lapses else None, "expires": None,
        }  # fmt: skip
        with self._write() as connection:
            return connection.execute(update(RunRow).where(RunRow.state == "leased", *which).values(**values)).rowcount

    # judging

    def to_judge(self, _host: str, lease_s: float) -> LeasedRun | None:
        """Lease the recording that waits longest for a judge, those that could not be judged last; None: none waits."""
        waiting = (RunRow.state == "recorded", RunRow.lease.is_(None))
        next_ = select(RunRow.id).where(*waiting).order_by(RunRow.judgings, RunRow.recorded_at).limit(1)
        values = {
            "lease": secrets.token_hex(8), "expires": _Now() + lease_s, "judgings": RunRow.judgings + 1,
        }  # fmt: skip
        which = (RunRow.id == next_.with_for_update(skip_locked=True).scalar_subquery(), *waiting)
        with self._write() as connection:
            row = connection.execute(update(RunRow).where(*which).values(**values).returning(*_RUN)).one_or_none()
        return LeasedRun(**row._mapping) if row else None

    def judged(self, run: str, findings: int, indexed: str | None = None) -> None:
        """The conclusions of a run are saved, `findings` of them; `indexed` is the id by which the index has it."""
        values = {
            "state": "judged", "judged_at": _Now(), "findings": findings, "indexed": indexed, "lease": None,
            "expires": None, "note": None,
        }  # fmt: skip
        with self._write() as connection:
            which = (RunRow.id == run, RunRow.state.in_(("recorded", "unobservable")), RunRow.recording.is_not(None))
            connection.execute(update(RunRow).where(*which).values(**values))

    def put_back(self, run: str) -> None:
        """A recording was not judged, for no fault of its own or its judge's: another judge may."""
        values = {"judgings": RunRow.judgings - 1, "lease": None, "expires": None}
        with self._write() as connection:
            connection.execute(update(RunRow).where(RunRow.id == run, RunRow.state == "recorded").values(**values))

    def unjudged(self, run: str, note: str) -> None:
        """A recording could not be judged: another judge tries, but not after JUDGINGS."""
        again = RunRow.judgings < JUDGINGS
        values = {
            "state": case((again, "recorded"), else_="unobservable"),
            "reason": case((again, None), else_="judging"), "note": note, "lease": None, "expires": None,
        }  # fmt: skip
        with self._write() as connection:
            connection.execute(update(RunRow).where(RunRow.id == run, RunRow.state == "recorded").values(**values))

    # looking on

    def progress(self, campaign: str | None = None) -> list[Pool]:
        """How far each pool is."""
        took = func.avg(RunRow.recorded_at - RunRow.leased_at)
        query = select(
            RunRow.campaign, RunRow.pool, RunRow.state, func.count(), func.sum(RunRow.findings), took
        ).group_by(RunRow.campaign, RunRow.pool, RunRow.state)
        if campaign is not None:
            query = query.where(RunRow.campaign == campaign)
        found: dict[tuple[str, str], dict[str, Any]] = {}
        with self.reading() as connection:
            for name, pool, state, count, findings, took_s in connection.execute(query.order_by(RunRow.campaign)):
                of = found.setdefault((name, pool), {"campaign": name, "pool": pool})
                of[state] = count
                of["findings"] = of.get("findings", 0) + int(findings or 0)
                if took_s is not None and (state == "judged" or "took_s" not in of):
                    of["took_s"] = took_s
        return [Pool(**of) for _, of in sorted(found.items())]

    def reasons(self, campaign: str | None = None) -> list[tuple[str, int, str]]:
        """Why runs are unobservable: reason, how many, what was said of one of them."""
        query = select(RunRow.reason, func.count(), func.min(RunRow.note)).where(RunRow.state == "unobservable")
        if campaign is not None:
            query = query.where(RunRow.campaign == campaign)
        with self.reading() as connection:
            rows = connection.execute(query.group_by(RunRow.reason).order_by(func.count().desc()))
            return [(reason or "", count, note or "") for reason, count, note in rows]

    def superseded(self) -> int:
        """How many recordings were not the first of their run."""
        with self.reading() as connection:
            return connection.scalar(select(func.count()).select_from(SupersededRow)) or 0

    # devices

    def tell(self, host: str, slots: Sequence[Slot]) -> dict[str, bool]:
        """What a host says of its devices now; serial -> whether a person wants it to rest."""
        if not slots:
            return {}
        rows = [
            {
                "host": host, "serial": slot.serial, "labels": json.dumps(dict(slot.labels)), "state": slot.state,
                "note": slot.note, "run": slot.run, "seen_at": _Now(), "paused": False,
            }
            for slot in slots
        ]  # fmt: skip
        query = (postgresql.insert if self.server else of_sqlite.insert)(DeviceRow).values(rows)
        said = {name: query.excluded[name] for name in ("labels", "state", "note", "run", "seen_at")}
        query = query.on_conflict_do_update(index_elements=["host", "serial"], set_=said)
        with self._write() as connection:
            found = connection.execute(query.returning(DeviceRow.serial, DeviceRow.paused))
            return {serial: bool(paused) for serial, paused in found}

    def devices(self) -> list[Slot]:
        """The devices that hosts have told of."""
        columns = (DeviceRow.host, DeviceRow.serial, DeviceRow.labels, DeviceRow.state, DeviceRow.note, DeviceRow.run)
        query = select(*columns, (_Now() - DeviceRow.seen_at).label("silent_s"), DeviceRow.paused)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(DeviceRow.host, DeviceRow.serial)).all()
        return [Slot(**{**row._mapping, "labels": json.loads(row.labels)}) for row in rows]

    def pause(self, serial: str, *, rest: bool = True) -> int:
        """A person wants a device to rest, or no longer; how many there are of this serial (or HOST/SERIAL)."""
        host, _, name = serial.rpartition("/")
        which = or_(DeviceRow.serial == serial, (DeviceRow.host == host) & (DeviceRow.serial == name))
        with self._write() as connection:
            return connection.execute(update(DeviceRow).where(which).values(paused=rest)).rowcount

    # inside

    def _known(self, connection: Connection, ids: list[str]) -> set[str]:
        """Which of these runs are planned already."""
        # one array, of which PostgreSQL makes a hash table; it would compare each of many parameters with each row
        among = RunRow.id == func.any(literal(ids, postgresql.ARRAY(Text))) if self.server else RunRow.id.in_(ids)
        return set(connection.scalars(select(RunRow.id).where(among)))

    def _insert(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows and self.server:
            copy(connection, FleetBase.metadata.tables["runs"], list(rows[0]), (list(row.values()) for row in rows))
        elif rows:
            connection.execute(insert(RunRow), rows)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction to read in."""
        with in_words(self.name), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with in_words(self.name), self._writing.begin() as connection:
            yield connection


def take_along(old: Path, place: Path) -> None:
    """Copy the runs of a fleet out of the file of an index that was set aside: they are no index. What was judged is
    judged again, unless the new one has it already."""
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
                if each.__tablename__ not in there:  # it was made before there was that table
                    continue
                columns = ", ".join(f'"{column.name}"' for column in each.__table__.columns)
                name = each.__tablename__
                now.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM old.{name}")  # noqa: S608, our own names
            now.execute("UPDATE runs SET state = 'recorded', judgings = 0 WHERE state = 'judged'")


_JOBS = table("procrastinate_jobs", column("queueing_lock"), column("status"))
_RUN = tuple(getattr(RunRow, each.name) for each in fields(LeasedRun))


def _next_turn() -> ColumnElement[int]:
    """The attempts of a run, counted as if it had used up all that it was given."""
    return RunRow.attempts + (ATTEMPTS - RunRow.attempts % ATTEMPTS) % ATTEMPTS


def _next(waiting: Waiting) -> Select[Any]:
    """The runs that wait, in the order in which they are made: those that failed come after all others."""
    which = (RunRow.state == "planned", RunRow.campaign == waiting.campaign, RunRow.pool == waiting.pool)
    return select(RunRow.id).where(*which).order_by(RunRow.attempts, RunRow.number)


def _prepare(connection: Connection, name: str) -> None:
    """Make the tables where they are not there yet. Raises UserError when another version made them."""
    lock(connection)
    there = inspect(connection).get_table_names()
    if FleetVersion.__tablename__ not in there:
        FleetBase.metadata.create_all(connection)
        connection.execute(insert(FleetVersion), {"version": VERSION})
        return
    found = connection.scalar(select(FleetVersion.version))
    if found != VERSION:
        raise UserError(
            f"The runs in {name} were planned by another version of appwitness ({found}, not {VERSION}).",
            "Finish the campaign with that version, or name another database with --db.",
        )
    if CommittedRow.__tablename__ not in there:  # a campaign that was begun before there was that table
        FleetBase.metadata.create_all(connection)
