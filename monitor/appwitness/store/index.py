"""The index: stores each recording's lines once, and the conclusions from them."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import batched, chain, takewhile, zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    ScalarSelect,
    StaticPool,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from appwitness.events import FILES, Record, Ref, Run, Value, format_time
from appwitness.findings import Finding, Flow, ReportedGap
from appwitness.recording import START, Position, ReadLine, Recording
from appwitness.recording.seal import first_stamp
from appwitness.recording.state import NOTHING, chained, prefix_digest
from appwitness.store import ranked, shared
from appwitness.store.conclusions import Conclusions, mask_of, masked
from appwitness.store.database import (
    Database,
    add_campaign,
    copy,
    drop_campaign,
    fitting,
    in_words,
    insert_or_nothing,
    lock,
)
from appwitness.store.models import (
    CAMPAIGN_BITS,
    PARTITIONED,
    RECORDING_NUMBERS,
    Base,
    CampaignRow,
    FindingRow,
    FlowRow,
    FoundGapRow,
    IndexVersion,
    LineRow,
    MatchRow,
    OfRecording,
    PositionRow,
    RecordingRow,
)
from appwitness.store.rows import Row, finding_row, flow_row, gap_row, in_common, match_rows, run_columns, run_of, whole
from appwitness.support.errors import StoreError, UserError
from appwitness.support.spoken import Spoken

BATCH = 5000
"""Lines in one transaction; a reader that was killed continues after the last transaction."""
PAGE = 2000
"""Lines in one query, so that a reader keeps no transaction open while it uses the events."""


Keep = Literal["lines", "conclusions"]
"""What the index keeps of a recording: its lines and conclusions, or only the conclusions, with values masked; the
lines then stay in the recording."""


class IndexedState(NamedTuple):
    """What the index has of a recording, to be compared with the recording itself."""

    name: str
    """The recording's name in the index; methods call it `recording_id`."""
    own_id: str
    """The id in run.json."""
    head: str
    """Digest of its first stamp; empty when there was none."""
    path: str
    started: str
    """In the format of the contract."""
    package: str
    campaign: str
    judged_by: str | None
    gaps: int
    """Number of gaps at the last save."""
    lines: bool
    """Whether the index has its lines; otherwise only conclusions."""
    prefixes: dict[str, tuple[Position, str]]
    """kind -> how far its file has been read, and the digest of these lines."""

    @property
    def kept(self) -> Keep:
        """What the index keeps of it."""
        return "lines" if self.lines else "conclusions"


class Saved(NamedTuple):
    """The result of a save, so that the next save need not write the same rows again."""

    turn: str | None
    """A random name of this save, which the index holds until the next one; None: no save can build on it."""
    kept: Conclusions
    """The conclusions as the index stores them."""
    lines: bool
    """Whether the index also has the recording's lines; otherwise values are masked."""


class Sight(NamedTuple):
    """What a run could have shown, given what was observed and recorded."""

    reads: int = 0
    """Accesses by the app."""
    uploads: int = 0
    """Uploads by the app."""
    sought: bool = False
    """Whether there were values to look for: read by the app, planted or declared."""
    asked: bool | None = None
    """Whether any consent question to the user was seen; None when nobody watched for one."""
    gaps: int = 0
    """Number of gaps, including lines that are gaps."""


def here(place: str) -> Recording | None:
    """The recording in a folder or an archive on this machine; None when it is gone. Raises UserError for anything
    else."""
    path = Path(place)
    return Recording.open(path) if path.exists() else None


class Store(Database):
    """The index of any number of recordings in one database. Safe for use from several threads and processes.

    `url` is the path of a SQLite file, or a SQLAlchemy URL; `postgresql://` uses psycopg 3. Every method raises
    UserError when the database cannot be used: locked, not a database, no room.

    `keep` says what to keep of recordings that are ingested; None: everything of new ones, and of known ones what was
    kept before. `key` is the key of the digests that replace values where only conclusions are kept. `opened` opens a
    recording whose lines are not in the index, from its path at ingestion, as `here` does.
    """

    def __init__(
        self,
        url: str | Path,
        keep: Keep | None = None,
        key: bytes | None = None,
        opened: Callable[[str], Recording | None] = here,
    ) -> None:
        self.place = url
        self.again = partial(Store, url, keep, key, opened)
        """Opens the same index in another process."""
        self.keep = keep
        self._key = key
        self._opened = opened
        self._last: Recording | None = None
        """The last recording opened: its downloaded or unpacked files stay until another one is requested."""
        super().__init__(url)
        self._postgres = self._engine.dialect.name == "postgresql"
        self._reading = self._asking = self._engine
        if self._postgres:
            # transactions see one snapshot, as in SQLite; a single query does so without a transaction
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._asking = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self.turn_to_write: Callable[[], AbstractContextManager[Any]] = nullcontext
        """A lock that writing transactions hold: processes that take turns wait less than they would for SQLite's
        own lock."""
        self._here = threading.local()
        # a database in memory has one connection for all threads
        self._turn: AbstractContextManager[Any] = threading.RLock() if self.in_memory else nullcontext()

    @property
    def in_memory(self) -> bool:
        """Whether it is in memory, where no other process can open it."""
        return isinstance(self._engine.pool, StaticPool)

    @property
    def is_file(self) -> bool:
        """Whether it is a SQLite file, which allows one writer at a time."""
        return self._engine.dialect.name == "sqlite" and not self.in_memory

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads of this thread inside the context see the same snapshot, whatever is written meanwhile."""
        with self.reading() as connection:
            before = getattr(self._here, "connection", None)
            self._here.connection = connection
            try:
                yield
            finally:
                self._here.connection = before

    def check(self) -> None:
        """Check that the database is still in its place and answers. Raises UserError otherwise."""
        self.see_that_it_is_there()
        with self.reading() as connection:
            connection.execute(select(IndexVersion.version)).one()

    # lines

    def ingest(self, recording_id: str, run: Run, path: str, reads: Iterable[ReadLine], head: str = "") -> int:
        """Add lines of a recording to the index, each file in order; returns how many were new. `head` is the digest of
        its first stamp, if it has one.

        Lines that are already in the index are skipped, so they may be read again, or by two processes at once. Each
        batch and its position are written in one transaction. The persona is masked where only conclusions are kept.
        Raises UserError when the database has another recording with that id, or one in another folder: see `restart`.
        """
        new = 0
        for batch in batched(chain([None], reads), BATCH):  # even a recording without lines is inserted
            with self._write() as connection:
                number, lines, is_new = self._remember(connection, recording_id, run, path, self.keep, head)
                new += self._take(connection, number, [read for read in batch if read], keep_lines=lines)
                if is_new:
                    ranked.added(connection, [recording_id])  # last, as others wait for the rows that it locks
        return new

    def positions(self, recording_id: str) -> dict[str, Position]:
        """kind -> how far its file has been read; kinds without lines are left out."""
        with self._ask() as connection:
            found = _prefixes(connection, recording_id)
        return {kind: position for kind, (position, _) in found.items()}

    def held(self, recording_id: str) -> IndexedState | None:
        """What the index has of a recording; None when it was never ingested."""
        with self.reading() as connection:
            return _held(connection, recording_id)

    def of_id(self, own_id: str) -> list[IndexedState]:
        """What the index has of all recordings whose run.json has this id, ordered by name."""
        with self.reading() as connection:
            return [_state(connection, row) for row in connection.execute(_OF_ID, {"id": own_id}).all()]

    def restart(self, recording_id: str, run: Run, path: str, instead_of: IndexedState, head: str = "") -> bool:
        """Delete all that the index has under a name, and insert the recording at `path` instead, in one transaction.

        Unless the store says what to keep, the same is kept as of `instead_of`. Returns False, with nothing done, when
        the index no longer has `instead_of`: another process was faster.
        """
        with self._write() as connection:
            number = _lock(connection, recording_id)
            if number is None or _held(connection, recording_id) != instead_of:
                return False
            with ranked.counting(connection, [recording_id]):
                _forget(connection, number)
            self._remember(connection, recording_id, run, path, self.keep or instead_of.kept, head)
            ranked.added(connection, [recording_id])
        return True

    def forget(self, recording_ids: Collection[str]) -> int:
        """Delete all that the index has of these recordings; returns how many of them it had."""
        with self._write() as connection:
            numbers = [_lock(connection, each) for each in sorted(recording_ids)]
            found = [number for number in numbers if number is not None]
            with ranked.counting(connection, recording_ids):
                for number in found:
                    _forget(connection, number)
        self._erase()
        return len(found)

    def forget_campaign(self, name: str) -> int:
        """Delete all that the index has of a campaign's recordings; returns how many there were.

        On PostgreSQL its partitions are dropped. Raises UserError when the index has no such campaign.
        """
        with self._write() as connection:
            lock(connection)
            query = select(CampaignRow.number).where(CampaignRow.name == name, CampaignRow.number > 0)
            number = connection.scalar(query)
            if number is None:
                raise UserError(
                    Spoken("{name} has no campaign {campaign}.", name=self.name, campaign=name),
                    "Campaigns are named in run.json of recordings, as `campaign`.",
                )
            of = RecordingRow.campaign == name
            connection.execute(select(RecordingRow.number).where(of).with_for_update())  # waits for their writers
            drop_campaign(connection, number)
            gone = connection.execute(delete(RecordingRow).where(of)).rowcount
            ranked.forget_campaign(connection, name)
            connection.execute(delete(CampaignRow).where(CampaignRow.number == number))
        self._erase()
        return gone

    def campaigns(self) -> dict[str, int]:
        """Campaign -> number of its ingested recordings, by name; the empty name is for recordings without a
        campaign."""
        query = select(RecordingRow.campaign, func.count()).group_by(RecordingRow.campaign)
        with self._ask() as connection:
            return {name: count for name, count in connection.execute(query.order_by(RecordingRow.campaign))}  # noqa: C416

    def read(
        self, recording_id: str, kind: str, after: Position = START, recording: Recording | None = None
    ) -> Iterator[ReadLine]:
        """The ingested lines of one kind after a position, in order; none if the recording was never ingested.

        Where the index has only conclusions, the lines are read from the recording, which is opened unless it is given.
        Raises UserError when it is gone or has changed, and StoreError while it cannot be reached.
        """
        query = select(LineRow.line, LineRow.size, LineRow.raw).order_by(LineRow.line).limit(PAGE)
        query = query.where(LineRow.recording == number_of(recording_id), LineRow.kind == kind)
        at = after
        while True:
            with self._ask() as connection:
                page = connection.execute(query.where(LineRow.line > at.line)).all()
                elsewhere = None if page or at is not after else _elsewhere(connection, recording_id, kind)
            if elsewhere:
                yield from self._read_from(recording, *elsewhere, kind, after)
                return
            for line, size, raw in page:
                at = Position(line, at.offset + size)
                yield ReadLine(kind, raw, size, at)
            if len(page) < PAGE:
                return

    # recordings

    def recordings(self) -> list[Run]:
        """The runs of all ingested recordings, oldest first."""
        query = select(*RUN).order_by(RecordingRow.started, RecordingRow.id)
        with self._ask() as connection:
            return [run_of(*row) for row in connection.execute(query)]

    def run(self, recording_id: str, recording: Recording | None = None) -> Run:
        """The run of a recording; its persona is masked when the index has only conclusions and the recording is
        gone. Raises UserError when it was never ingested, and StoreError while the recording cannot be reached:
        callers that mask values need the persona's as soon as they are available."""
        with self._ask() as connection:
            query = select(*RUN, RecordingRow.lines, RecordingRow.path, RecordingRow.head)
            row = connection.execute(query.where(RecordingRow.id == recording_id)).one_or_none()
        if row is None:
            raise _unknown(self.name, recording_id)
        run = run_of(*row[:3])
        if not row.lines:
            try:
                recording = recording or self._open(row.path)
                if recording and self._is_there(recording, run, row.head):
                    return recording.run
            except StoreError:
                raise
            except UserError:
                pass
        return run

    def _is_there(self, recording: Recording, run: Run, head: str) -> bool:
        same = (recording.run.id, recording.run.started) == (run.id, run.started)
        return same and head in ("", first_stamp(recording.path))

    def path(self, recording_id: str) -> Path:
        """The path of a recording when it was last ingested. Raises UserError when it never was."""
        return Path(self.address(recording_id))

    def address(self, recording_id: str) -> str:
        """The same as text, as it was given; it may be in a bucket."""
        return self._recording(recording_id, RecordingRow.path)

    def judged_by(self, recording_id: str) -> str | None:
        """The digest of everything the findings come from; None when it was never judged or never ingested."""
        with self._ask() as connection:
            return connection.scalar(_JUDGED_BY, {"id": recording_id})

    def _has_lines(self, recording_id: str) -> bool:
        """Whether the lines of a recording are kept; for one that was never ingested, whether they would be."""
        with self._ask() as connection:
            lines: bool | None = connection.scalar(_LINES, {"id": recording_id})
        return self.keep != "conclusions" if lines is None else lines

    def _recording(self, recording_id: str, column: Any) -> str:
        with self._ask() as connection:
            found: str | None = connection.scalar(select(column).where(RecordingRow.id == recording_id))
        if found is None:
            raise _unknown(self.name, recording_id)
        return found

    def recording_in(self, path: str) -> Recording | None:
        """The recording now at `path`; None when there is none. Raises StoreError while it cannot be reached."""
        try:
            return self._open(path)
        except StoreError:
            raise
        except UserError:
            return None

    def _open(self, path: str) -> Recording | None:
        self._last = found = self._opened(path)
        return found

    def _read_from(
        self, recording: Recording | None, path: str, until: Position, digest: str, kind: str, after: Position
    ) -> Iterator[ReadLine]:
        """Lines of a recording for which the index has only conclusions."""
        try:
            recording = recording or self._open(path)
            if recording and prefix_digest(recording.path / FILES[kind], until) == digest:
                reads = recording.read(kind, after, finished=True)
                yield from takewhile(lambda read: read.position.line <= until.line, reads)
                return
        except StoreError:
            raise
        except UserError as error:
            raise UserError(
                Spoken(
                    "The index has only the conclusions from {path}, and its lines cannot be read: {what}",
                    path=path,
                    what=error.what,
                ),
                error.next_step,
            ) from None
        raise UserError(
            Spoken("The index has only the conclusions from {path}, and its lines are no longer there.", path=path),
            "Put the recording back, or look at what does not need its lines: lists of recordings, recipients and "
            "rules.",
        )

    # conclusions

    def save(  # noqa: PLR0913, the conclusions, and what they are compared with
        self,
        recording_id: str,
        flows: Sequence[Flow],
        findings: Sequence[Finding],
        *,
        gaps: Sequence[ReportedGap] = (),
        judged_by: str | None = None,
        path: str | None = None,
        before: Saved | None = None,
        sight: Sight = Sight(),  # noqa: B008, immutable
        values: Iterable[Value] = (),
    ) -> Saved:
        """Save the conclusions from a recording, in one transaction; what is unchanged since `before` is not written.

        `gaps` are those found by correlating, `judged_by` is the digest of everything the conclusions come from,
        `before` the result of the last save, `sight` what the run could show, `values` the values that the recording
        names. Where only conclusions are kept, `values` and the values of flows are masked; otherwise `values` is not
        used. Raises UserError when the index now has the recording of a folder other than `path`.
        """
        found = Conclusions(flows, findings, gaps)
        lines = before.lines if before else self._has_lines(recording_id)
        kept = found if lines else masked(found, values)  # may take long; other writers should not wait for it
        turn = None if judged_by else secrets.token_hex(16)
        with self._write() as connection:
            row = self._row_of(connection, recording_id, path)
            number = row.number
            if row.lines != lines:  # another process has restarted it meanwhile
                lines, kept = row.lines, found if row.lines else masked(found, values)
            written = before.kept if before and before.turn and before.turn == row.turn else None
            with ranked.counting(connection, [recording_id]):
                if written is None and (row.turn or row.judged_by):  # otherwise nothing was saved yet
                    for model in (FlowRow, MatchRow, FindingRow, FoundGapRow):
                        connection.execute(delete(model).where(model.recording == number))
                written = written or Conclusions()
                self._save_flows(connection, number, written.flows, kept.flows, None if lines else flows)
                stale, new = _changed(written.findings, kept.findings)
                _delete(connection, FindingRow, FindingRow.number, number, stale)
                shared.keep(connection, {in_common(kept.findings[n]) for n in new})
                self._insert(connection, FindingRow, [finding_row(number, n, kept.findings[n]) for n in new])
                stale, new = _changed(written.gaps, kept.gaps)
                _delete(connection, FoundGapRow, FoundGapRow.number, number, stale)
                self._insert(connection, FoundGapRow, [gap_row(number, n, kept.gaps[n]) for n in new])
                query = update(RecordingRow).where(RecordingRow.number == number)
                connection.execute(query.values(judged_by=judged_by, turn=turn, **sight._asdict()))
        return Saved(turn, kept, lines)

    def flows(self, recording_id: str, *, access: Ref | None = None, upload: Ref | None = None) -> list[Flow]:
        """The flows of a recording in the order they were saved; if given, only those of one access or of one
        upload."""
        query, matches = _FLOWS, _MATCHES
        named = [FlowRow.access == access] if access else [FlowRow.upload == upload] if upload else []
        if named:
            query = query.where(*named)
            matches = matches.where(MatchRow.flow.in_(select(FlowRow.id).where(FlowRow.recording == _OF, *named)))
        found: dict[str, list[str]] = {}
        with self.reading() as connection:
            rows = connection.execute(query, {"id": recording_id}).all()
            for flow, match in connection.execute(matches, {"id": recording_id}) if rows else ():
                found.setdefault(flow, []).append(match)
        shared = _Shared()
        flows = (flow_of(flow, found.get(id_, [])) for id_, flow in rows)
        return [flow.model_copy(update={"recipient": shared.of(flow.recipient.host, flow.recipient)}) for flow in flows]

    def findings(self, recording_id: str) -> list[Finding]:
        """The findings of a recording in the order they were saved."""
        with self._ask() as connection:
            found = [whole(*row) for row in connection.execute(FINDINGS, {"id": recording_id})]
        return list(_sharing_articles(map(Finding.model_validate_json, found)))

    def found_gaps(self, recording_id: str) -> list[ReportedGap]:
        """The gaps found by correlating, in the order they were saved."""
        query = (
            select(FoundGapRow.gap).where(FoundGapRow.recording == number_of(recording_id)).order_by(FoundGapRow.number)
        )
        with self._ask() as connection:
            return [msgspec.json.decode(gap, type=ReportedGap) for gap in connection.scalars(query)]

    # inside

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction: that of the surrounding `snapshot`, or a new one."""
        with self._read(self._reading) as connection:
            yield connection

    @contextmanager
    def _ask(self) -> Iterator[Connection]:
        """Like `reading`, for a single query, which needs no transaction."""
        with self._read(self._asking) as connection:
            yield connection

    @contextmanager
    def _read(self, engine: Engine) -> Iterator[Connection]:
        here: Connection | None = getattr(self._here, "connection", None)
        with in_words(self.name), self._turn:
            if here is not None:
                yield here
            else:
                with engine.begin() as connection:
                    yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with in_words(self.name), self._turn, self.turn_to_write(), self._writing.begin() as connection:
            yield connection

    def _erase(self) -> None:
        """Delete what only deleted rows shared; compact a SQLite file, so that nothing stays on its free pages."""
        with self._write() as connection:
            shared.drop_unused(connection)
        if self._engine.dialect.name == "sqlite":
            with in_words(self.name), self._turn, self._engine.connect() as connection:
                plain = connection.connection.cursor()  # these must not run inside a transaction
                plain.execute("VACUUM")
                plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _insert(self, connection: Connection, model: type[Base], rows: list[Row]) -> None:
        if rows:
            self._insert_tuples(connection, model, tuple(rows[0]), [tuple(row.values()) for row in rows])

    def _insert_tuples(
        self, connection: Connection, model: type[Base], columns: tuple[str, ...], rows: list[tuple[object, ...]]
    ) -> None:
        # bypasses SQLAlchemy's parameter handling, which costs as much as all of the database's work
        table = _table(model)
        if self._postgres:
            copy(connection, table, columns, rows)
        elif self._engine.dialect.name == "sqlite":
            names = ", ".join(f'"{name}"' for name in columns)
            places = ", ".join("?" * len(columns))
            text = f"INSERT INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608, our own names
            connection.exec_driver_sql(text, rows)
        else:
            connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])

    def _remember(
        self, connection: Connection, recording_id: str, run: Run, path: str, keep: Keep | None, head: str
    ) -> tuple[int, bool, bool]:
        """Insert the recording or update its run; returns its number, whether its lines are kept, and whether it is
        new, and not counted yet. On a server this also blocks its other writers until the transaction ends."""
        of_run = RecordingRow.run, RecordingRow.hooks, RecordingRow.shared
        columns = RecordingRow.number, RecordingRow.path, RecordingRow.lines, RecordingRow.head
        query = select(*columns, *of_run).where(RecordingRow.id == recording_id).with_for_update()
        held = connection.execute(query).one_or_none()
        if held is None:
            lines = keep != "conclusions"
            row, texts = self._recording_row(run, path, head, lines=lines)
            shared.keep(connection, texts)
            number = self._next_number(connection, row["campaign"])
            new = {"id": recording_id, "number": number, "lines": lines, **row, **Sight()._asdict()}
            if insert_or_nothing(connection, _table(RecordingRow), new):
                return number, lines, True
            held = connection.execute(query).one()  # another process was faster
        self._must_be_at(recording_id, path, held.path)
        if held.head and head not in ("", held.head):
            raise self._another(recording_id, held.path)
        row, texts = self._recording_row(run, path, head or held.head, lines=held.lines)
        if any(getattr(held, name) != row[name] for name in ("run", "hooks", "shared", "head")):
            before = Run.model_validate_json(held.run)
            if (before.started, before.app.package) != (run.started, run.app.package):
                raise UserError(
                    Spoken(
                        "{name} has another recording with the id {recording_id}, of {started}.",
                        name=self.name,
                        recording_id=recording_id,
                        started=format_time(before.started),
                    ),
                    "Name another database with --db.",
                )
            shared.keep(connection, texts)
            del row["campaign"]  # its number contains the campaign's: see `restart`
            with ranked.counting(connection, [recording_id]):
                connection.execute(update(RecordingRow).where(RecordingRow.number == held.number).values(**row))
        return held.number, held.lines, False

    def _recording_row(self, run: Run, path: str, head: str, *, lines: bool) -> tuple[Row, list[str]]:
        """The columns that come from a recording's run, and the texts that they name by digest; the persona is masked
        unless its `lines` are kept."""
        mask = mask_of(run)
        of_run, texts = run_columns(run if lines else mask.run(run))
        row: Row = {
            "plain": all(mask.stated(name) == name for name in (run.app.package, run.device.serial)),
            "own_id": run.id,
            "head": head,
            "path": path,
            "package": run.app.package,
            "app": run.app.apk_sha256 or run.app.package,
            "device": run.device.serial,
            "plan": run.plan,
            "campaign": run.campaign or "",
            "started": format_time(run.started),
            "ended": format_time(run.ended) if run.ended else None,
            **of_run,
        }
        if self._postgres:
            columns = _table(RecordingRow).c
            row = {name: fitting(value, columns[name].type) for name, value in row.items()}
        return row, texts

    def _next_number(self, connection: Connection, campaign: str) -> int:
        """The number for a new recording."""
        query = select(CampaignRow.number).where(CampaignRow.name == campaign)
        of = connection.scalar(query)
        if of is None:
            lock(connection)
            of = connection.scalar(query)
        if of is None:
            of = (connection.scalar(select(func.max(CampaignRow.number))) or 0) + 1
            add_campaign(connection, of, campaign)
        first = of << CAMPAIGN_BITS
        if self._postgres:
            return first + (connection.scalar(RECORDING_NUMBERS.next_value()) or 0)
        ours = RecordingRow.number.between(first, first + (1 << CAMPAIGN_BITS) - 1)
        last = connection.scalar(select(func.max(RecordingRow.number)).where(ours))
        return (last or first) + 1

    def _take(self, connection: Connection, recording: int, reads: Sequence[ReadLine], *, keep_lines: bool) -> int:
        before = _prefixes(connection, recording)
        prefixes = dict(before)
        rows: list[tuple[object, ...]] = []
        new = 0
        for read in reads:
            last, digest = prefixes.get(read.kind, (START, NOTHING))
            at = read.position
            if at.offset <= last.offset:
                continue
            if at.line <= last.line:  # the line was incomplete when it was last read
                known = (LineRow.recording == recording, LineRow.kind == read.kind, LineRow.line == at.line)
                connection.execute(delete(LineRow).where(*known))
            elif at.line > last.line + 1:
                raise ValueError(f"{read.ref} does not follow line {last.line}, the last that is in the index")
            else:
                new += 1
            prefixes[read.kind] = (at, chained(digest, read.raw, read.size))
            rows.append((recording, read.kind, at.line, read.size, read.raw))
        if rows and keep_lines:
            self._insert_tuples(connection, LineRow, ("recording", "kind", "line", "bytes", "raw"), rows)
        touched = sorted({read.kind for read in reads})
        if touched and before:
            of = PositionRow.recording == recording, PositionRow.kind.in_(touched)
            connection.execute(delete(PositionRow).where(*of))
        self._insert(
            connection,
            PositionRow,
            [
                {"recording": recording, "kind": kind, "line": at.line, "bytes": at.offset, "digest": digest}
                for kind in touched
                for at, digest in [prefixes[kind]]
            ],
        )
        return new

    def _row_of(self, connection: Connection, recording_id: str, path: str | None) -> Any:
        """Number, path, turn, judged_by and lines of a recording; raises UserError if it is unknown or not at
        `path`."""
        columns = RecordingRow.number, RecordingRow.path, RecordingRow.turn, RecordingRow.judged_by, RecordingRow.lines
        query = select(*columns).where(RecordingRow.id == recording_id).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            raise _unknown(self.name, recording_id)
        if path is not None:
            self._must_be_at(recording_id, path, row.path)
        return row

    def _must_be_at(self, recording_id: str, path: str, known: str) -> None:
        if known != path:
            raise self._another(recording_id, known)

    def _another(self, recording_id: str, known: str) -> UserError:
        return UserError(
            Spoken(
                "{name} has another recording with the id {recording_id}, in {known}.",
                name=self.name,
                recording_id=recording_id,
                known=known,
            ),
            "Try again when no other process reads that recording in, or name another database with --db.",
        )

    def _save_flows(
        self,
        connection: Connection,
        recording: int,
        before: Sequence[Flow],
        flows: Sequence[Flow],
        unmasked: Sequence[Flow] | None,
    ) -> None:
        """Save the flows that changed since `before`. With `unmasked`, the flows as they were found, values are
        replaced by digests."""
        stale, new = _changed(before, flows)
        ids = [before[number].id for number in stale]
        _delete(connection, MatchRow, MatchRow.flow, recording, ids)
        _delete(connection, FlowRow, FlowRow.id, recording, ids)
        self._insert(connection, FlowRow, [flow_row(recording, number, flows[number]) for number in new])
        rows = (match_rows(recording, flows[n], None if unmasked is None else self._digests(unmasked[n])) for n in new)
        self._insert(connection, MatchRow, list(chain.from_iterable(rows)))

    def _digests(self, flow: Flow) -> list[str]:
        return [self.digest(match.value) for match in flow.matches]

    def digest(self, value: str) -> str:
        """The digest that replaces a value where only conclusions are kept; empty without a key."""
        return hmac.digest(self._key, value.encode(errors="replace"), "sha256").hex()[:32] if self._key else ""


def _changed(before: Sequence[object], now: Sequence[object]) -> tuple[list[int], list[int]]:
    """The positions of removed and of new items; a changed item counts as both."""
    pairs = enumerate(zip_longest(before, now))
    differ = [number for number, (old, new) in pairs if old is not new and old != new]
    return [number for number in differ if number < len(before)], [number for number in differ if number < len(now)]


def _delete(
    connection: Connection, model: type[OfRecording], key: Any, recording: int, stale: Sequence[object]
) -> None:
    """Delete the rows of a recording with these keys."""
    if stale:
        query = delete(model).where(model.recording == recording, key == bindparam("stale"))
        connection.execute(query, [{"stale": each} for each in stale])


def _forget(connection: Connection, recording: int) -> None:
    for table in PARTITIONED:
        connection.execute(delete(table).where(table.c.recording == recording))
    connection.execute(delete(RecordingRow).where(RecordingRow.number == recording))


def number_of(recording_id: str) -> ScalarSelect[int]:
    """The number of a recording, as a subquery."""
    return select(RecordingRow.number).where(RecordingRow.id == recording_id).scalar_subquery()


# Queries that run for each recording that may have changed are built once: SQLite runs one faster than it is built.
_OF = select(RecordingRow.number).where(RecordingRow.id == bindparam("id")).scalar_subquery()
_JUDGED_BY = select(RecordingRow.judged_by).where(RecordingRow.id == bindparam("id"))
_LINES = select(RecordingRow.lines).where(RecordingRow.id == bindparam("id"))
RUN = (RecordingRow.run, RecordingRow.hooks, shared.OF_RECORDING)
"""The columns of a run, for `run_of`."""
FINDINGS = select(FindingRow.finding, shared.OF_FINDING).where(FindingRow.recording == _OF).order_by(FindingRow.number)
"""The findings of a recording, for `whole`."""
_STATE = select(
    *(RecordingRow.number, RecordingRow.id, RecordingRow.own_id, RecordingRow.head, RecordingRow.path),
    *(RecordingRow.started, RecordingRow.package, RecordingRow.campaign, RecordingRow.judged_by),
    *(RecordingRow.gaps, RecordingRow.lines),
)
_HELD = _STATE.where(RecordingRow.id == bindparam("id"))
_OF_ID = _STATE.where(RecordingRow.own_id == bindparam("id")).order_by(RecordingRow.id)
_POSITIONS = select(PositionRow.kind, PositionRow.line, PositionRow.offset, PositionRow.digest)
_PREFIXES = _POSITIONS.where(PositionRow.recording == bindparam("number"))
_PREFIXES_OF = _POSITIONS.where(PositionRow.recording == _OF)
_FLOWS = select(FlowRow.id, FlowRow.flow).where(FlowRow.recording == _OF).order_by(FlowRow.number)
_MATCHES = (
    select(MatchRow.flow, MatchRow.match).where(MatchRow.recording == _OF).order_by(MatchRow.flow, MatchRow.number)
)


def _lock(connection: Connection, recording_id: str) -> int | None:
    """The number of a recording, after locking its row against other writers; None when the index does not have it."""
    return connection.scalar(select(RecordingRow.number).where(RecordingRow.id == recording_id).with_for_update())


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _prefixes(connection: Connection, recording: int | str) -> dict[str, tuple[Position, str]]:
    query, name = (_PREFIXES, "number") if isinstance(recording, int) else (_PREFIXES_OF, "id")
    found = connection.execute(query, {name: recording})
    return {kind: (Position(line, offset), digest) for kind, line, offset, digest in found}


def _held(connection: Connection, recording_id: str) -> IndexedState | None:
    found = connection.execute(_HELD, {"id": recording_id}).one_or_none()
    return None if found is None else _state(connection, found)


def _state(connection: Connection, row: Any) -> IndexedState:
    number, *known = row
    return IndexedState._make((*known, _prefixes(connection, number)))


def _elsewhere(connection: Connection, recording_id: str, kind: str) -> tuple[str, Position, str] | None:
    """The path of a recording of which the index has only conclusions, the position up to which its lines of a kind
    were ingested, and their digest. None: the index has its lines, or there are none."""
    query = select(RecordingRow.path, PositionRow.line, PositionRow.offset, PositionRow.digest)
    query = query.join(PositionRow, PositionRow.recording == RecordingRow.number)
    query = query.where(RecordingRow.id == recording_id, PositionRow.kind == kind, RecordingRow.lines.is_(False))
    row = connection.execute(query).one_or_none()
    return row and (row.path, Position(row.line, row.bytes), row.digest)


def flow_of(stored: str, matches: Sequence[str]) -> Flow:
    """A flow with its matches, which are stored in separate rows."""
    return Flow.model_validate_json(f'{stored[:-1]},"matches":[{",".join(matches)}]}}')


class _Shared:
    """Makes equal parts one object: thousands of flows share a few recipients, thousands of findings a few articles."""

    def __init__(self) -> None:
        self._known: dict[object, Any] = {}

    def of[R: Record](self, key: object, part: R) -> R:
        """The first part that came with this key if `part` equals it, otherwise `part`."""
        known: R = self._known.setdefault(key, part)
        return known if known == part else part


def _sharing_articles(findings: Iterable[Finding]) -> Iterator[Finding]:
    shared = _Shared()
    for finding in findings:
        articles = (shared.of((each.law, each.article), each) for each in finding.articles)
        yield finding.model_copy(update={"articles": tuple(articles)})


def _unknown(name: str, recording_id: str) -> UserError:
    return UserError(
        Spoken("{name} has no recording {recording_id}.", name=name, recording_id=recording_id),
        "Run `appwitness index correlate RECORDING` first.",
    )
