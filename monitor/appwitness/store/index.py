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

from appwitness.events import FILES, Ref, Run, Value, format_time
from appwitness.findings import Finding, Flow, ReportedGap
from appwitness.recording import START, Position, ReadLine, Recording
from appwitness.recording.seal import first_stamp
from appwitness.recording.state import NOTHING, chained, prefix_digest
from appwitness.store.conclusions import Conclusions, masked, masked_run
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
from appwitness.store.rows import Row, finding_row, flow_row, gap_row, match_rows
from appwitness.support.errors import StoreError, UserError
from appwitness.support.spoken import Spoken

BATCH = 5000
"""Lines in one transaction: a killed reader continues after the last one."""
PAGE = 2000
"""Lines in one query, so that no reader keeps a transaction open while its events are used."""


Keep = Literal["lines", "conclusions"]
"""What is kept of a recording: all, or what was concluded from it, with values masked; its lines stay in the
recording."""


class IndexedState(NamedTuple):
    """The index's record of a recording, to be compared with the recording itself."""

    name: str
    """Name of the recording in the index: what every method calls `recording_id`."""
    own_id: str
    """As run.json has it."""
    head: str
    """Digest of its first stamp; empty: it had none."""
    path: str
    started: str
    """As the contract writes times."""
    package: str
    campaign: str
    judged_by: str | None
    gaps: int
    """Their number, as of the last save."""
    lines: bool
    """Whether the index has its lines; otherwise only conclusions."""
    prefixes: dict[str, tuple[Position, str]]
    """kind -> how far its file has been read, and the digest of these lines."""

    @property
    def kept(self) -> Keep:
        """The index's record of it."""
        return "lines" if self.lines else "conclusions"


class Saved(NamedTuple):
    """What a save wrote, so that the next need not write it again."""

    turn: str | None
    """The random name of that save, which the index keeps until the next; None: it cannot be continued."""
    kept: Conclusions
    """As the index stores them."""
    lines: bool
    """Whether the index also has the recording's lines; otherwise its values are masked."""


class Sight(NamedTuple):
    """What a run could have shown, by what was observed and recorded."""

    reads: int = 0
    """Reads of the app."""
    uploads: int = 0
    """Uploads of the app."""
    sought: bool = False
    """Whether there were values to look for: read by the app, planted or declared."""
    asked: bool | None = None
    """Whether any question to the user was seen; None: nobody watched."""
    gaps: int = 0
    """How many gaps there are, lines that are gaps included."""


def here(place: str) -> Recording | None:
    """The recording in a folder or an archive of this machine; None: it is gone. Raises UserError for anything else."""
    path = Path(place)
    return Recording.open(path) if path.exists() else None


class Store(Database):
    """The index of any number of recordings in one database. Safe to use from several threads and processes.

    `url` is the path of a SQLite file, or a URL as SQLAlchemy writes it; `postgresql://` is read by psycopg 3. Every
    method raises UserError when the database does not let it: locked, not a database, no room.

    `keep` is what to keep of recordings that are taken in; None: all, and of those that are there what was kept so far.
    `key` is for the digests that take the place of values where conclusions alone are kept. `opened` opens a recording
    of which the index has no lines, by where it was when it was taken in, as `here` does.
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
        """Opens the same, in another process."""
        self.keep = keep
        self._key = key
        self._opened = opened
        self._last: Recording | None = None
        """The last recording opened: what was downloaded or unpacked stays until another is requested."""
        super().__init__(url)
        self._postgres = self._engine.dialect.name == "postgresql"
        self._reading = self._asking = self._engine
        if self._postgres:
            # of one moment, as in SQLite; a single question is of one moment without a transaction
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._asking = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self.turn_to_write: Callable[[], AbstractContextManager[Any]] = nullcontext
        """A lock held by writing transactions: processes that agree on turns wait less than SQLite would make them."""
        self._here = threading.local()
        # in memory there is one connection for all threads
        self._turn: AbstractContextManager[Any] = threading.RLock() if self.in_memory else nullcontext()

    @property
    def in_memory(self) -> bool:
        """Whether no other process can open it."""
        return isinstance(self._engine.pool, StaticPool)

    @property
    def is_file(self) -> bool:
        """Whether it is a SQLite file, where one writes at a time."""
        return self._engine.dialect.name == "sqlite" and not self.in_memory

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads of this thread inside see one snapshot, whatever is written meanwhile."""
        with self.reading() as connection:
            before = getattr(self._here, "connection", None)
            self._here.connection = connection
            try:
                yield
            finally:
                self._here.connection = before

    def check(self) -> None:
        """Check that the database is where it was, and answers. Raises UserError where it is not, or does not."""
        self.see_that_it_is_there()
        with self.reading() as connection:
            connection.execute(select(IndexVersion.version)).one()

    # lines

    def ingest(self, recording_id: str, run: Run, path: str, reads: Iterable[ReadLine], head: str = "") -> int:
        """Take in lines of a recording, each file in order; how many were new. `head` is the digest of its first stamp,
        where it has one.

        Lines that are in already are passed over, so the same may be read again or by two at once. Each batch is one
        transaction together with how far it came. The persona is masked where conclusions alone are kept. Raises
        UserError when the database has another recording of that id, or one in another folder: see `restart`.
        """
        new = 0
        for batch in batched(chain([None], reads), BATCH):  # even without lines the recording is put in
            with self._write() as connection:
                number, lines = self._remember(connection, recording_id, run, path, self.keep, head)
                new += self._take(connection, number, [read for read in batch if read], keep_lines=lines)
        return new

    def positions(self, recording_id: str) -> dict[str, Position]:
        """kind -> how far its file has been read; kinds without lines are left out."""
        with self._ask() as connection:
            found = _prefixes(connection, recording_id)
        return {kind: position for kind, (position, _) in found.items()}

    def held(self, recording_id: str) -> IndexedState | None:
        """The index's record of a recording; None when it was never read."""
        with self.reading() as connection:
            return _held(connection, recording_id)

    def of_id(self, own_id: str) -> list[IndexedState]:
        """The index's records of all recordings whose run.json has this ID, by name."""
        with self.reading() as connection:
            return [_state(connection, row) for row in connection.execute(_OF_ID, {"id": own_id}).all()]

    def restart(self, recording_id: str, run: Run, path: str, instead_of: IndexedState, head: str = "") -> bool:
        """Forget all that the index has under a name, and begin with the recording at `path`, in one transaction.

        Unless the store says what to keep, that is the same as of `instead_of`.
        False, and nothing is done, when the index no longer has what it had: somebody else was faster.
        """
        with self._write() as connection:
            number = _lock(connection, recording_id)
            if number is None or _held(connection, recording_id) != instead_of:
                return False
            _forget(connection, number)
            self._remember(connection, recording_id, run, path, self.keep or instead_of.kept, head)
        return True

    def forget(self, recording_ids: Collection[str]) -> int:
        """Delete everything of these recordings from the index; returns how many were in it."""
        found = 0
        with self._write() as connection:
            for number in [_lock(connection, each) for each in sorted(recording_ids)]:
                if number is not None:
                    _forget(connection, number)
                    found += 1
        self._erase()
        return found

    def forget_campaign(self, name: str) -> int:
        """Delete all that the index has of the recordings of a campaign; how many they were.

        On PostgreSQL its partitions are dropped. Raises UserError when the index knows of no such campaign.
        """
        with self._write() as connection:
            lock(connection)
            query = select(CampaignRow.number).where(CampaignRow.name == name, CampaignRow.number > 0)
            number = connection.scalar(query)
            if number is None:
                raise UserError(
                    Spoken("{name} knows of no campaign {campaign}.", name=self.name, campaign=name),
                    "Campaigns are named in run.json of recordings, as `campaign`.",
                )
            of = RecordingRow.campaign == name
            connection.execute(select(RecordingRow.number).where(of).with_for_update())  # writers of them are done then
            drop_campaign(connection, number)
            gone = connection.execute(delete(RecordingRow).where(of)).rowcount
            connection.execute(delete(CampaignRow).where(CampaignRow.number == number))
        self._erase()
        return gone

    def campaigns(self) -> dict[str, int]:
        """Campaign -> how many recordings of it were taken in, by name; those of none under the empty text."""
        query = select(RecordingRow.campaign, func.count()).group_by(RecordingRow.campaign)
        with self._ask() as connection:
            return {name: count for name, count in connection.execute(query.order_by(RecordingRow.campaign))}  # noqa: C416

    def read(
        self, recording_id: str, kind: str, after: Position = START, recording: Recording | None = None
    ) -> Iterator[ReadLine]:
        """The lines of one kind after a position as they were taken in, in order; none of one that never was.

        Where the index has conclusions alone, they are read from the recording, which is opened unless it is given.
        Raises UserError when it is not there, or is another by now, and StoreError while it cannot be reached.
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
        """The runs whose recordings were taken in, oldest first."""
        query = select(RecordingRow.run).order_by(RecordingRow.started, RecordingRow.id)
        with self._ask() as connection:
            return [Run.model_validate_json(run) for run in connection.scalars(query)]

    def run(self, recording_id: str, recording: Recording | None = None) -> Run:
        """The run of a recording; its persona is masked where the index has conclusions alone and the recording is not
        there. Raises UserError when that was never taken in, and StoreError while the recording cannot be reached: who
        masks values must not miss those of the persona once it can."""
        with self._ask() as connection:
            query = select(RecordingRow.run, RecordingRow.lines, RecordingRow.path, RecordingRow.head)
            row = connection.execute(query.where(RecordingRow.id == recording_id)).one_or_none()
        if row is None:
            raise _unknown(self.name, recording_id)
        run = Run.model_validate_json(row.run)
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
        """The path of a recording when it was last read. Raises UserError when it never was."""
        return Path(self.address(recording_id))

    def address(self, recording_id: str) -> str:
        """The same as it was given, which may be in a bucket."""
        return self._recording(recording_id, RecordingRow.path)

    def judged_by(self, recording_id: str) -> str | None:
        """The digest of what the findings come from; None when it was not judged, or never taken in."""
        with self._ask() as connection:
            return connection.scalar(_JUDGED_BY, {"id": recording_id})

    def _has_lines(self, recording_id: str) -> bool:
        """Whether the lines of a recording are kept; of one that was never taken in, whether they would be."""
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
        """The recording that is there now; None: none. Raises StoreError while it cannot be reached."""
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
                    "The index has the conclusions from {path} alone, and its lines cannot be read: {what}",
                    path=path,
                    what=error.what,
                ),
                error.next_step,
            ) from None
        raise UserError(
            Spoken("The index has the conclusions from {path} alone, and its lines are no longer there.", path=path),
            "Put the recording back, or look at what needs no lines: lists of recordings, recipients and rules.",
        )

    # conclusions

    def save(  # noqa: PLR0913, what was concluded, and what it is held against
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
        """Save what was concluded from a recording, in one transaction; what is as in `before` is not written.

        `gaps` are those that correlating came upon, `judged_by` the digest of what they come from, `before` what the
        last save gave, `sight` what the run could show, `values` those that the recording names. Where conclusions
        alone are kept, these and the values of the flows are masked; `values` is not read elsewhere. Raises UserError
        when the index has by now the recording of another folder than `path`.
        """
        found = Conclusions(flows, findings, gaps)
        lines = before.lines if before else self._has_lines(recording_id)
        kept = found if lines else masked(found, values)  # which may take longer than others should wait to write
        turn = None if judged_by else secrets.token_hex(16)
        with self._write() as connection:
            row = self._row_of(connection, recording_id, path)
            number = row.number
            if row.lines != lines:  # somebody else had it begin anew meanwhile
                lines, kept = row.lines, found if row.lines else masked(found, values)
            written = before.kept if before and before.turn and before.turn == row.turn else None
            if written is None and (row.turn or row.judged_by):  # else nothing was saved so far
                for model in (FlowRow, MatchRow, FindingRow, FoundGapRow):
                    connection.execute(delete(model).where(model.recording == number))
            written = written or Conclusions()
            self._save_flows(connection, number, written.flows, kept.flows, None if lines else flows)
            stale, new = _changed(written.findings, kept.findings)
            _delete(connection, FindingRow, FindingRow.number, number, stale)
            self._insert(connection, FindingRow, [finding_row(number, n, kept.findings[n]) for n in new])
            stale, new = _changed(written.gaps, kept.gaps)
            _delete(connection, FoundGapRow, FoundGapRow.number, number, stale)
            self._insert(connection, FoundGapRow, [gap_row(number, n, kept.gaps[n]) for n in new])
            query = update(RecordingRow).where(RecordingRow.number == number)
            connection.execute(query.values(judged_by=judged_by, turn=turn, **sight._asdict()))
        return Saved(turn, kept, lines)

    def flows(self, recording_id: str, *, access: Ref | None = None, upload: Ref | None = None) -> list[Flow]:
        """The flows of a recording in the order they were saved; those of one read, or of one upload, where named."""
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
        return [flow_of(flow, found.get(id_, [])) for id_, flow in rows]

    def findings(self, recording_id: str) -> list[Finding]:
        """The findings of a recording in the order they were saved."""
        query = (
            select(FindingRow.finding)
            .where(FindingRow.recording == number_of(recording_id))
            .order_by(FindingRow.number)
        )
        with self._ask() as connection:
            return [Finding.model_validate_json(finding) for finding in connection.scalars(query)]

    def found_gaps(self, recording_id: str) -> list[ReportedGap]:
        """The gaps that correlating came upon, in the order they were saved."""
        query = (
            select(FoundGapRow.gap).where(FoundGapRow.recording == number_of(recording_id)).order_by(FoundGapRow.number)
        )
        with self._ask() as connection:
            return [msgspec.json.decode(gap, type=ReportedGap) for gap in connection.scalars(query)]

    # inside

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction to read in: that of the `snapshot` around, or its own."""
        with self._read(self._reading) as connection:
            yield connection

    @contextmanager
    def _ask(self) -> Iterator[Connection]:
        """The same for a single query, which needs no transaction."""
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
        """Compact a SQLite file, so that nothing that was deleted stays on its free pages."""
        if self._engine.dialect.name == "sqlite":
            with in_words(self.name), self._turn, self._engine.connect() as connection:
                plain = connection.connection.cursor()  # none of it may stand in a transaction
                plain.execute("VACUUM")
                plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _insert(self, connection: Connection, model: type[Base], rows: list[Row]) -> None:
        if rows:
            self._insert_tuples(connection, model, tuple(rows[0]), [tuple(row.values()) for row in rows])

    def _insert_tuples(
        self, connection: Connection, model: type[Base], columns: tuple[str, ...], rows: list[tuple[object, ...]]
    ) -> None:
        # past SQLAlchemy's own handling of parameters, which costs as much as the whole work of the database
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
    ) -> tuple[int, bool]:
        """Insert the recording or update its run; returns its number, and whether its lines are kept. On a server
        this also makes other writers of it wait."""
        columns = RecordingRow.number, RecordingRow.path, RecordingRow.run, RecordingRow.lines, RecordingRow.head
        query = select(*columns).where(RecordingRow.id == recording_id).with_for_update()
        held = connection.execute(query).one_or_none()
        if held is None:
            lines = keep != "conclusions"
            row = self._recording_row(run, path, head, lines=lines)
            number = self._next_number(connection, row["campaign"])
            new = {"id": recording_id, "number": number, "lines": lines, **row, **Sight()._asdict()}
            if insert_or_nothing(connection, _table(RecordingRow), new):
                return number, lines
            held = connection.execute(query).one()  # somebody else was faster
        self._must_be_at(recording_id, path, held.path)
        if held.head and head not in ("", held.head):
            raise self._another(recording_id, held.path)
        row = self._recording_row(run, path, head or held.head, lines=held.lines)
        if (held.run, held.head) != (row["run"], row["head"]):
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
            del row["campaign"]  # its number says to which it belongs: see `restart`
            connection.execute(update(RecordingRow).where(RecordingRow.number == held.number).values(**row))
        return held.number, held.lines

    def _recording_row(self, run: Run, path: str, head: str, *, lines: bool) -> Row:
        """What is known of a recording by its run, whose persona is masked unless its `lines` are kept."""
        shown = masked_run(run)
        kept = run if lines else shown
        row: Row = {
            "plain": (shown.app.package, shown.device.serial) == (run.app.package, run.device.serial),
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
            "run": kept.model_dump_json(exclude_unset=True),
        }
        if self._postgres:
            columns = _table(RecordingRow).c
            row = {name: fitting(value, columns[name].type) for name, value in row.items()}
        return row

    def _next_number(self, connection: Connection, campaign: str) -> int:
        """The number of a new recording."""
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
            if at.line <= last.line:  # it was unfinished when it was read before
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
        """Number, path, turn, judged_by and lines of a recording, which must be known, and in this folder."""
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
            "Try again when nobody else correlates that one, or name another database with --db.",
        )

    def _save_flows(
        self,
        connection: Connection,
        recording: int,
        before: Sequence[Flow],
        flows: Sequence[Flow],
        unmasked: Sequence[Flow] | None,
    ) -> None:
        """Digests replace values, where `unmasked` has the flows as they were found."""
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
        """The replacement of a value where only conclusions are kept; empty without a key."""
        return hmac.digest(self._key, value.encode(errors="replace"), "sha256").hex() if self._key else ""


def _changed(before: Sequence[object], now: Sequence[object]) -> tuple[list[int], list[int]]:
    """The positions of removed and of new items."""
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
    """The number of a recording, inside a query."""
    return select(RecordingRow.number).where(RecordingRow.id == recording_id).scalar_subquery()


# What is asked for each recording that may have changed is made once: making it takes longer than SQLite's answer.
_OF = select(RecordingRow.number).where(RecordingRow.id == bindparam("id")).scalar_subquery()
_JUDGED_BY = select(RecordingRow.judged_by).where(RecordingRow.id == bindparam("id"))
_LINES = select(RecordingRow.lines).where(RecordingRow.id == bindparam("id"))
_FINDINGS = select(FindingRow.finding).where(FindingRow.recording == _OF).order_by(FindingRow.number)
_GAPS = select(FoundGapRow.gap).where(FoundGapRow.recording == _OF).order_by(FoundGapRow.number)
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
    """The number of a recording, whose other writers wait from now on; None when the index does not have it."""
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
    """Where the recording of which the index has conclusions alone is, how far its lines of a kind were taken in, and
    their digest; None: it has its lines, or there are none."""
    query = select(RecordingRow.path, PositionRow.line, PositionRow.offset, PositionRow.digest)
    query = query.join(PositionRow, PositionRow.recording == RecordingRow.number)
    query = query.where(RecordingRow.id == recording_id, PositionRow.kind == kind, RecordingRow.lines.is_(False))
    row = connection.execute(query).one_or_none()
    return row and (row.path, Position(row.line, row.bytes), row.digest)


def flow_of(stored: str, matches: Sequence[str]) -> Flow:
    """A flow with its matches, which have rows of their own."""
    return Flow.model_validate_json(f'{stored[:-1]},"matches":[{",".join(matches)}]}}')


def _unknown(name: str, recording_id: str) -> UserError:
    return UserError(
        Spoken("{name} has no recording {recording_id}.", name=name, recording_id=recording_id),
        "Run `appwitness index correlate RECORDING` first.",
    )
