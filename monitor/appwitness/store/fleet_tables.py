"""The tables of a fleet, and the records that describe their rows.

They are not part of the index and have their own version: a plan cannot be rebuilt from recordings. Times are seconds
since 1970 by the database's clock, which all hosts share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from sqlalchemy import Connection, Float, Index, insert, inspect, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.functions import FunctionElement

from appwitness.store.database import lock
from appwitness.store.models import Long, Name, Number
from appwitness.store.run_counts import keep_counts
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

VERSION = 1

State = Literal["planned", "leased", "recorded", "judged", "unobservable"]
Reason = Literal["setup", "usage", "fault", "lost", "judging"]
"""Reasons for an unobservable run: the device, proxy or agent did not start; the app or an option cannot be used; an
internal error; its host fell silent; its recording cannot be judged."""

Time = Annotated[float, mapped_column(Float(53))]


class Now(FunctionElement[float]):
    """The database's clock."""

    type = Float()
    inherit_cache = True


@compiles(Now)
def _now_of_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@compiles(Now, "sqlite")
def _now_of_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


class FleetBase(DeclarativeBase):
    """The tables of a fleet."""


class FleetVersion(FleetBase):
    """One row: the version of these tables."""

    __tablename__ = "fleet_version"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


_LEASED = text("lease IS NOT NULL")
PLANNED = text("state = 'planned'")
RECORDED = text("state = 'recorded'")
UNOBSERVABLE = text("state = 'unobservable'")
"""Literal SQL, not a parameter: a database uses a partial index only for the identical condition."""


class RunRow(FleetBase):
    """One app under one plan: planned, leased, recorded, judged, or unobservable."""

    __tablename__ = "runs"
    id: Mapped[Name] = mapped_column(primary_key=True)
    """Made of campaign, app, plan and persona, so that no run is planned twice; recordings are named after it."""
    campaign: Mapped[Name]
    app: Mapped[Name]
    """SHA-256 of the APK; otherwise the package, or `lab:NAME`."""
    package: Mapped[Long]
    """The app's readable name: its package, or its file name."""
    apk: Mapped[Long | None]
    plan: Mapped[Name]
    persona: Mapped[Long | None]
    options: Mapped[Long]
    """Its other options, as JSON."""
    pool: Mapped[Name]
    """Requirements on the device, in the format of monitor/appwitness/fleet/pools.py."""
    number: Mapped[Number]
    """The order in which runs were planned."""
    state: Mapped[Name]
    reason: Mapped[Name | None]
    note: Mapped[Long | None]
    """What ended the last attempt, as text."""
    attempts: Mapped[Number]
    judgings: Mapped[Number]
    host: Mapped[Name | None]
    """The host that has the run, or had it last."""
    device: Mapped[Name | None]
    lease: Mapped[Name | None]
    expires: Mapped[Time | None]
    leased_at: Mapped[Time | None]
    recorded_at: Mapped[Time | None]
    judged_at: Mapped[Time | None]
    recording: Mapped[Name | None]
    """Its name in the store of recordings."""
    indexed: Mapped[Name | None]
    """The id of the recording in the index."""
    findings: Mapped[Number | None]

    __table_args__ = (
        Index(
            *("runs_planned", "campaign", "pool", "attempts", "number"), sqlite_where=PLANNED, postgresql_where=PLANNED
        ),
        Index("runs_recorded", "judgings", "recorded_at", sqlite_where=RECORDED, postgresql_where=RECORDED),
        Index("runs_leased", "lease", sqlite_where=_LEASED, postgresql_where=_LEASED),
        Index(
            *("runs_unobservable", "reason", "campaign", "number"),
            sqlite_where=UNOBSERVABLE, postgresql_where=UNOBSERVABLE,
        ),
    )  # fmt: skip


BEGUN_LAST_FIRST = (RunRow.leased_at.desc().nulls_last(), RunRow.number)
"""Order of a campaign's runs: the most recently begun first, then waiting ones in the order they were planned."""
# an index in that order for each dialect; SQLite sorts NULL last when descending, and its indexes take no NULLS LAST
Index("runs_begun", RunRow.campaign, RunRow.leased_at.desc(), RunRow.number).ddl_if(dialect="sqlite")
Index("runs_begun", RunRow.campaign, *BEGUN_LAST_FIRST).ddl_if(dialect="postgresql")


class RunCountRow(FleetBase):
    """The number of runs in one state; only triggers write it (store/run_counts.py)."""

    __tablename__ = "run_counts"
    campaign: Mapped[Name] = mapped_column(primary_key=True)
    pool: Mapped[Name] = mapped_column(primary_key=True)
    plan: Mapped[Name] = mapped_column(primary_key=True)
    state: Mapped[Name] = mapped_column(primary_key=True)
    reason: Mapped[Name] = mapped_column(primary_key=True)
    runs: Mapped[Number]
    findings: Mapped[Number]
    recorded: Mapped[Number]
    """How many of them were recorded; these took `took_ms` in total."""
    took_ms: Mapped[Number]


class SupersededRow(FleetBase):
    """A recording that was not the first of its run: kept but never judged, so that nothing is counted twice."""

    __tablename__ = "superseded"
    recording: Mapped[Name] = mapped_column(primary_key=True)
    run: Mapped[Name] = mapped_column(index=True)
    device: Mapped[Name | None]
    at: Mapped[Time]


class CommittedRow(FleetBase):
    """The commit record that a host wrote for a recording before others could see the recording."""

    __tablename__ = "committed"
    recording: Mapped[Name] = mapped_column(primary_key=True)
    run: Mapped[Name] = mapped_column(index=True)
    host: Mapped[Name]
    device: Mapped[Name]
    digest: Mapped[Name]
    """SHA-256 of its archive."""
    stamp: Mapped[Name | None]
    """SHA-256 of its last stamp; NULL when it was never stamped."""


class DeviceRow(FleetBase):
    """A device of a host, as its last heartbeat reported it."""

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
    """Whether a person has paused it."""


@dataclass(frozen=True)
class Planned:
    """A run to be recorded."""

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
    """A leased run."""

    lease: str = ""
    attempts: int = 0
    recording: str | None = None


@dataclass(frozen=True)
class CommittedRecording:
    """A recording, with what its host committed."""

    recording: str
    run: str
    host: str
    device: str
    digest: str
    """SHA-256 of its archive."""
    stamp: str | None = None
    """SHA-256 of its last stamp; None when it was never stamped."""


class HeldLease(NamedTuple):
    """A lease that is still held."""

    run: str
    lease: str


class Waiting(NamedTuple):
    """Runs of one campaign that wait for devices of one kind."""

    campaign: str
    pool: str


@dataclass(frozen=True)
class Pool:
    """The progress of one campaign's runs in one pool."""

    campaign: str
    pool: str
    planned: int = 0
    leased: int = 0
    recorded: int = 0
    judged: int = 0
    unobservable: int = 0
    findings: int = 0
    took_s: float | None = None
    """Average seconds from lease to recording."""

    @property
    def total(self) -> int:
        """The number of all runs."""
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
    """Seconds since its host's last heartbeat."""
    paused: bool


def prepare(connection: Connection, name: str) -> None:
    """Create the tables that are missing. Raises UserError when another version made them."""
    lock(connection)
    look = inspect(connection)
    there = look.get_table_names()
    if FleetVersion.__tablename__ not in there:
        FleetBase.metadata.create_all(connection)
        connection.execute(insert(FleetVersion), {"version": VERSION})
        keep_counts(connection)
        return
    found = connection.scalar(select(FleetVersion.version))
    if found != VERSION:
        raise UserError(
            Spoken(
                "The runs in {name} were planned by another version of appwitness ({found}, not {version}).",
                name=name,
                found=found,
                version=VERSION,
            ),
            "Finish the campaign with that version, or name another database with --db.",
        )
    FleetBase.metadata.create_all(connection)  # adds tables that did not exist when the campaign was begun
    runs = FleetBase.metadata.tables[RunRow.__tablename__]
    known = {each["name"] for each in look.get_indexes(runs.name)}
    for index in runs.indexes:
        if index.name not in known:  # and indexes that did not exist
            index.create(connection)
    for earlier in {"runs_to_do", "runs_to_judge"} & known:  # they covered all runs, not only those in one state
        connection.execute(text(f"DROP INDEX {earlier}"))
    if RunCountRow.__tablename__ not in there:
        keep_counts(connection)
