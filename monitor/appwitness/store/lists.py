"""Lists of the index's content: filtered, sorted and paged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, case, func, literal_column, select, tuple_

from appwitness.events import Event, Ref, Run
from appwitness.events.refs import Refs
from appwitness.events.seen import Seen
from appwitness.findings import LEVELS, Confidence, ConsentName, Flow, Level, People, Recipient
from appwitness.findings.people import combined
from appwitness.recording import Position, ReadLine
from appwitness.store.index import FINDINGS, RUN, Store, flow_of, number_of
from appwitness.store.models import (
    NAME_LENGTH,
    FindingRow,
    FlowRow,
    LineRow,
    MatchRow,
    PositionRow,
    RankedRow,
    RecordingRow,
    host_begins,
)
from appwitness.store.rows import run_of, whole

ROWS = 100
"""Rows on a page."""
CHOICES = 200
"""Maximum number of values of a column that are offered as filters."""

Filters = Mapping[str, str]
"""Filter name -> requested value; empty values match everything."""


class ListPage[T](NamedTuple):
    """One page of a list."""

    rows: tuple[T, ...]
    number: int
    """Number of the page, from 1."""
    total: int
    """Number of rows in the whole list."""

    @property
    def last(self) -> int:
        """Number of the last page."""
        return max(1, -(-self.total // ROWS))


class ListedRecording(NamedTuple):
    """A recording in the list."""

    name: str
    """Its name in the index: its id, unless another recording has that id."""
    run: Run
    path: str
    judged: bool
    """Whether all of it was judged; otherwise it is in progress or was interrupted."""
    levels: dict[Level, int]
    gaps: int
    """Number of gaps at the last save."""
    lines: dict[str, int]
    """kind -> number of lines that were read."""


class State(NamedTuple):
    """What the index has of a recording at a moment; data derived from another state may be out of date."""

    lines: tuple[tuple[str, int], ...]
    turn: str | None
    judged_by: str | None
    ended: str | None


class Carried(NamedTuple):
    """A flow as lists show it."""

    id: str
    access: Ref | None
    upload: Ref
    data: str
    consent: str
    host: str
    picked: bool
    """Whether it carries data that the user picked."""


class Receiver(msgspec.Struct, frozen=True):
    """The host of a recipient."""

    host: str


class FindingFields(msgspec.Struct, frozen=True):
    """The fields of a finding that lists show."""

    rule: str
    level: Level
    title: dict[str, str]
    confidence: Confidence
    id: str = ""
    detail: dict[str, str] = {}
    data: str | None = None
    recipient: Receiver | None = None
    consent: ConsentName | None = None
    consent_assumed: bool = False
    consent_unordered: bool = False
    people: dict[str, Any] | None = None
    """The fields of a `People`."""
    flows: tuple[str, ...] = ()
    all_evidence: Refs = Refs()


class SentCount(NamedTuple):
    """Data of one type that one run sent to one host under one consent state."""

    recording: str
    package: str
    data: str
    consent: str
    flows: int
    first: str
    """Time of the first flow, in the format of the contract."""
    people: People | None = None
    """Whose data it was, if it is about people."""


class RuleCount(NamedTuple):
    """How many findings of a rule one recording has."""

    recording: str
    package: str
    started: str
    level: Level
    data: str | None
    host: str | None
    picked: bool
    """Whether the findings are about data that the user picked."""
    findings: int


class AppRuns(NamedTuple):
    """The runs of one app, by plan."""

    package: str
    newest: dict[str, ListedRecording]
    """plan -> the newest run with it."""
    counts: dict[str, int]
    """plan -> number of runs with it."""


class SentMatch(NamedTuple):
    """Data of one type that one run sent to one host, as a search result."""

    recording: str
    package: str
    host: str
    data: str
    consent: str
    flows: int
    upload: Ref
    """The first of its uploads."""


class Lists:
    """Queries the index of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # recordings

    def states(self) -> tuple[Any, ...]:
        """A value that changes whenever a recording is added, ends or is judged."""
        going_on = select(RecordingRow.turn, RecordingRow.ended).where(RecordingRow.judged_by.is_(None))
        row = RankedRow
        counts = select(row.sight, row.apps, row.runs, row.facts).where(row.campaign == "", row.ranking == "sight")
        with self.store.reading() as connection:
            return tuple(sorted(map(tuple, (*connection.execute(going_on), *connection.execute(counts))), key=repr))

    def state(self, recording: str) -> State | None:
        """The state of a recording in the index; None when it has none with that id."""
        query = select(RecordingRow.turn, RecordingRow.judged_by, RecordingRow.ended)
        lines = select(PositionRow.kind, PositionRow.line).where(PositionRow.recording == number_of(recording))
        with self.store.reading() as connection:
            row = connection.execute(query.where(RecordingRow.id == recording)).one_or_none()
            if row is None:
                return None
            counts = sorted((kind, line) for kind, line in connection.execute(lines))
            return State(tuple(counts), row.turn, row.judged_by, row.ended)

    def recordings(self, filters: Filters, sort: str = "-started", page: int = 1) -> ListPage[ListedRecording]:
        """The recordings, filtered by `text` in id, app or device, by `app`, `device` and `plan`, and by the `level` of
        a finding.

        Sorted by started, app, device, plan, findings or gaps; a leading `-` reverses the order.
        """
        here = RecordingRow.number
        findings = _count(select(FindingRow).where(FindingRow.recording == here))
        columns = (*RUN, RecordingRow.id, RecordingRow.path, RecordingRow.judged_by, RecordingRow.gaps)
        query = select(*columns, here)
        if text := filters.get("text"):
            searched = (RecordingRow.id, RecordingRow.package, RecordingRow.device)
            query = query.where(_any(column.icontains(text, autoescape=True) for column in searched))
        for name in ("app", "device", "plan"):
            if wanted := filters.get(name):
                query = query.where(_COLUMNS[name] == wanted)
        if level := filters.get("level"):
            query = query.where(here.in_(select(FindingRow.recording).where(FindingRow.level == level)))
        orders: dict[str, Any] = {**_COLUMNS, "findings": findings, "gaps": RecordingRow.gaps}
        order = _order(orders.get(sort.lstrip("-"), RecordingRow.started), sort)
        with self.store.reading() as connection:
            rows, page, total = paged_rows(connection, query, (order, RecordingRow.id), page)
            listed = _listed(connection, rows)
        return ListPage(listed, page, total)

    def apps(self, page: int = 1) -> ListPage[AppRuns]:
        """The apps, the most recently observed first, each with its newest run for each plan."""
        query = select(RecordingRow.package, func.max(RecordingRow.started).label("last"))
        columns = (*RUN, RecordingRow.number, RecordingRow.id, RecordingRow.path, RecordingRow.judged_by)
        with self.store.reading() as connection:
            order = (func.max(RecordingRow.started).desc(), RecordingRow.package)
            rows, page, total = paged_rows(connection, query.group_by(RecordingRow.package), order, page)
            packages = [row.package for row in rows]
            brief = select(RecordingRow.number, RecordingRow.package, RecordingRow.plan).where(
                RecordingRow.package.in_(packages)
            )
            newest: dict[tuple[str, str], int] = {}
            counts: dict[str, dict[str, int]] = {}
            for number, package, plan in connection.execute(brief.order_by(RecordingRow.started, RecordingRow.number)):
                newest[package, plan] = number
                of = counts.setdefault(package, {})
                of[plan] = of.get(plan, 0) + 1
            wanted = select(*columns, RecordingRow.gaps).where(RecordingRow.number.in_(newest.values()))
            found = connection.execute(wanted).all()
            listed = dict(zip((row.number for row in found), _listed(connection, found), strict=True))
        return ListPage(
            tuple(
                AppRuns(
                    package,
                    {plan: listed[number] for (app, plan), number in newest.items() if app == package},
                    counts.get(package, {}),
                )
                for package in packages
            ),
            page,
            total,
        )

    def sent_where(self, host: str = "", value: str = "", page: int = 1) -> ListPage[SentMatch]:
        """What was sent, in all recordings: to hosts whose names contain `host`, if given, and with `value`, if given.

        The value must match exactly. Where the index has only conclusions, it is found by its digest, which needs the
        key.
        """
        query = select(
            RecordingRow.id, RecordingRow.package, FlowRow.host, FlowRow.data, FlowRow.consent, func.count(),
            func.min(FlowRow.upload),
        ).join(RecordingRow, RecordingRow.number == FlowRow.recording)  # fmt: skip
        if host:
            query = query.where(FlowRow.host.icontains(host, autoescape=True))
        if value:
            digest = self.store.digest(value)
            matches = select(MatchRow.recording, MatchRow.flow).where(
                MatchRow.value.in_([value, digest] if digest else [value])
            )
            query = query.where(tuple_(FlowRow.recording, FlowRow.id).in_(matches))
        columns = (RecordingRow.id, RecordingRow.package, RecordingRow.started, FlowRow.host, FlowRow.data)
        query = query.group_by(*columns, FlowRow.consent)
        order = (RecordingRow.started.desc(), RecordingRow.id, FlowRow.host, FlowRow.data, FlowRow.consent)
        with self.store.reading() as connection:
            rows, page, total = paged_rows(connection, query, order, page)
            return ListPage(tuple(SentMatch(*row) for row in rows), page, total)

    def choices_of_recordings(self, *, reveal: bool) -> dict[str, list[str]]:
        """The apps, devices and plans in the index; unless `reveal`, only apps and devices that no row of the list
        masks."""
        shown = func.min(case((RecordingRow.plain, 1), else_=0)) == 1
        found = {}
        with self.store.reading() as connection:
            for name in ("app", "device", "plan"):
                column = _COLUMNS[name]
                query = select(column).group_by(column).order_by(column).limit(CHOICES)
                query = query if reveal or name == "plan" else query.having(shown)
                found[name] = list(connection.scalars(query))
        return found

    # one recording

    def seen(self, recording: str, kind: str, numbers: Sequence[int]) -> list[Seen[Event]]:
        """The lines of a kind with these numbers, in this order; lines that do not fit the contract are left out."""
        query = select(LineRow.line, LineRow.size, LineRow.raw).where(
            LineRow.recording == number_of(recording), LineRow.kind == kind, LineRow.line.in_(numbers)
        )
        with self.store.reading() as connection:
            run = connection.scalar(select(RecordingRow.run).where(RecordingRow.id == recording))
            reads = {line: ReadLine(kind, raw, size, Position(line)) for line, size, raw in connection.execute(query)}
        if numbers and not reads:  # the index has only conclusions
            wanted = set(numbers)
            reads = {
                each.position.line: each for each in self.store.read(recording, kind) if each.position.line in wanted
            }
        offset_ms = msgspec.json.decode(run, type=_Clock).clock_offset_ms if run else None
        there = (reads[number] for number in numbers if number in reads)
        return [seen for read in there if (seen := read.seen(offset_ms))]

    def flows(self, recording: str) -> list[Carried]:
        """A recording's flows, in the order they were saved."""
        columns = (FlowRow.id, FlowRow.access, FlowRow.upload, FlowRow.data, FlowRow.consent, FlowRow.host)
        query = (
            select(*columns, FlowRow.flow.contains(_PICKED))
            .where(FlowRow.recording == number_of(recording))
            .order_by(FlowRow.number)
        )
        with self.store.reading() as connection:
            return [Carried(*row) for row in connection.execute(query)]

    def findings(self, recording: str) -> list[FindingFields]:
        """A recording's findings, in the order they were saved."""
        with self.store.reading() as connection:
            return [_BRIEF.decode(whole(*row)) for row in connection.execute(FINDINGS, {"id": recording})]

    def counted(self, recording: str) -> dict[Level, dict[str, int]]:
        """Level -> rule -> number of findings in a recording; the worst level first, then the most findings."""
        query = (
            select(FindingRow.level, FindingRow.rule, func.count())
            .where(FindingRow.recording == number_of(recording))
            .group_by(FindingRow.level, FindingRow.rule)
        )
        with self.store.reading() as connection:
            found: list[tuple[Level, str, int]] = [
                (cast(Level, level), rule, count) for level, rule, count in connection.execute(query)
            ]
        counts: dict[Level, dict[str, int]] = {}
        for level, rule, count in sorted(found, key=lambda each: (LEVELS.index(each[0]), -each[2], each[1])):
            counts.setdefault(level, {})[rule] = count
        return counts

    # over all recordings

    def sent_to(self, host: str, page: int = 1) -> ListPage[SentCount]:
        """Who sent what to a host, newest run first."""
        query = (
            select(
                RecordingRow.id, RecordingRow.package, FlowRow.data, FlowRow.consent, func.count(),
                func.min(FlowRow.at),
            )
            .join(RecordingRow, RecordingRow.number == FlowRow.recording)
            .where(*_to(host))
            .group_by(RecordingRow.id, RecordingRow.package, RecordingRow.started, FlowRow.data, FlowRow.consent)
        )  # fmt: skip
        order = (RecordingRow.started.desc(), RecordingRow.id, FlowRow.data, FlowRow.consent)
        with self.store.reading() as connection:
            rows, page, total = paged_rows(connection, query, order, page)
            found = [SentCount(*row) for row in rows]
            people = _people(connection, host, {each.recording for each in found})
        told = (each._replace(people=people.get((each.recording, each.data, each.consent))) for each in found)
        return ListPage(tuple(told), page, total)

    def recipient(self, host: str) -> Recipient | None:
        """The recipient behind a host, according to the newest flow."""
        query = select(FlowRow.flow).where(*_to(host)).order_by(FlowRow.at.desc()).limit(1)
        with self.store.reading() as connection:
            found = connection.scalar(query)
        return Recipient.model_validate(msgspec.json.decode(found)["recipient"]) if found else None

    def rules(self) -> dict[str, tuple[int, int]]:
        """rule -> number of findings, and of recordings with them."""
        query = select(FindingRow.rule, func.count(), func.count(FindingRow.recording.distinct()))
        with self.store.reading() as connection:
            return {rule: (count, runs) for rule, count, runs in connection.execute(query.group_by(FindingRow.rule))}

    def found_by(self, rule: str, page: int = 1) -> ListPage[RuleCount]:
        """The recordings with findings of a rule, newest run first."""
        columns = (
            RecordingRow.id, RecordingRow.package, RecordingRow.started, FindingRow.level, FindingRow.data,
            FindingRow.host, FindingRow.finding.contains(_PICKED).label("picked"),
        )  # fmt: skip
        query = (
            select(*columns, func.count())
            .join(RecordingRow, RecordingRow.number == FindingRow.recording)
            .where(FindingRow.rule == rule)
            .group_by(*columns)
        )
        order = (RecordingRow.started.desc(), RecordingRow.id, FindingRow.data, FindingRow.host)
        with self.store.reading() as connection:
            rows, page, total = paged_rows(connection, query, order, page)
        return ListPage(tuple(RuleCount(*row) for row in rows), page, total)


def _to(host: str) -> tuple[ColumnElement[bool], ...]:
    return host_begins == host[:NAME_LENGTH], FlowRow.host == host


def _people(connection: Connection, host: str, recordings: Iterable[str]) -> dict[tuple[str, str, str], People]:
    """(recording, data type, consent state) -> the people whose data these recordings sent to a host."""
    query = (
        select(RecordingRow.id, FlowRow.id, FlowRow.data, FlowRow.consent, FlowRow.flow, MatchRow.match)
        .join(RecordingRow, RecordingRow.number == FlowRow.recording)
        .join(MatchRow, (MatchRow.recording == FlowRow.recording) & (MatchRow.flow == FlowRow.id))
        .where(*_to(host), RecordingRow.id.in_(recordings), FlowRow.flow.contains('"people":{'))
        .order_by(FlowRow.recording, FlowRow.number, MatchRow.number)
    )
    matches: dict[tuple[str, str, str, str, str], list[str]] = {}
    for *flow, match in connection.execute(query):
        matches.setdefault((flow[0], flow[1], flow[2], flow[3], flow[4]), []).append(match)
    flows: dict[tuple[str, str, str], list[Flow]] = {}
    for (recording, _, data, consent, stored), found in matches.items():
        flows.setdefault((recording, data, consent), []).append(flow_of(stored, found))
    return {key: people for key, of_key in flows.items() if (people := combined(of_key)) is not None}


_PICKED: ColumnElement[str] = literal_column("""'"picked":true'""")
"""Marks data picked by the user in the JSON of a flow or finding; inside a string its quotes would be escaped."""
_BRIEF = msgspec.json.Decoder(FindingFields, dec_hook=lambda _, given: Refs.of(given))


def _listed(connection: Connection, rows: Sequence[Any]) -> tuple[ListedRecording, ...]:
    """Rows of recordings, with their findings by level and their line counts."""
    numbers = [row.number for row in rows]
    levels: dict[int, dict[Level, int]] = {}
    of_level = select(FindingRow.recording, FindingRow.level, func.count()).where(FindingRow.recording.in_(numbers))
    for number, of, count in connection.execute(of_level.group_by(FindingRow.recording, FindingRow.level)):
        levels.setdefault(number, {})[cast(Level, of)] = count
    lines: dict[int, dict[str, int]] = {}
    read = select(PositionRow.recording, PositionRow.kind, PositionRow.line)
    for number, kind, count in connection.execute(read.where(PositionRow.recording.in_(numbers))):
        lines.setdefault(number, {})[kind] = count
    return tuple(
        ListedRecording(
            row.id,
            run_of(*row[:3]),
            row.path,
            row.judged_by is not None,
            levels.get(row.number, {}),
            row.gaps,
            lines.get(row.number, {}),
        )
        for row in rows
    )


_COLUMNS: dict[str, Any] = {
    "app": RecordingRow.package,
    "device": RecordingRow.device,
    "plan": RecordingRow.plan,
    "started": RecordingRow.started,
}


class _Clock(msgspec.Struct):
    """The part of run.json that is needed to correct times."""

    clock_offset_ms: float | None = None


def _any(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    first, *others = conditions
    for other in others:
        first = first | other
    return first


def _order(column: Any, sort: str) -> Any:
    return column.desc() if sort.startswith("-") else column.asc()


def _count(query: Select[Any]) -> Any:
    return query.with_only_columns(func.count()).scalar_subquery()


def paged(number: int, total: int) -> tuple[int, int]:
    """The page number, clamped to existing pages, and the index of the page's first row, from 0."""
    number = min(max(1, number), max(1, -(-total // ROWS)))
    return number, (number - 1) * ROWS


def paged_rows(
    connection: Connection, query: Any, order: Iterable[Any], number: int, count: Any = None
) -> tuple[Sequence[Any], int, int]:
    """The rows of a page, its number, and the total number of rows: the result of the query `count` if given."""
    total = int(connection.scalar(select(func.count()).select_from(query.subquery()) if count is None else count) or 0)
    number, start = paged(number, total)
    rows = connection.execute(query.order_by(*order).limit(ROWS).offset(start)).all()
    return rows, number, total
