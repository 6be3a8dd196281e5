"""Tables of a campaign, or of all recordings, for export: runs, findings, flows, recipients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import Boolean, Float, Integer, Row, Select, func, not_, select
from sqlalchemy.types import TypeEngine

from appwitness.events import format_time
from appwitness.store.fleet_tables import RunRow
from appwitness.store.index import Store
from appwitness.store.models import FindingRow, FlowRow, RecordingRow
from appwitness.store.runs import Runs

Name = Literal["runs", "findings", "flows", "recipients"]
type Query = Select[*tuple[Any, ...]]
AT_ONCE = 5000
"""Rows held in memory at once."""


class CampaignTable(NamedTuple):
    """A table whose rows are read once, in order."""

    columns: Mapping[str, type]
    """Column name -> str, int or bool; any value may be None. Times are strings in the format of the contract."""
    rows: Iterator[tuple[Any, ...]]


_OF = (
    RecordingRow.campaign, RecordingRow.id.label("recording"), RecordingRow.package, RecordingRow.app,
    RecordingRow.plan, RecordingRow.started,
)  # fmt: skip


def _runs() -> Query:
    row = RunRow
    return select(
        row.campaign, row.id, row.package, row.app, row.plan, row.pool, row.state, row.reason, row.note, row.attempts,
        row.host.label("machine"), row.device, row.leased_at, row.recorded_at, row.judged_at, row.recording,
        row.indexed, row.findings,
    ).order_by(row.campaign, row.number)  # fmt: skip


def _findings() -> Query:
    row = FindingRow
    columns = (row.number, row.rule, row.level, row.confidence, row.data, row.host, row.recipient, row.sdk, row.consent)
    return _joined(columns, row).order_by(row.recording, row.number)


def _flows() -> Query:
    row = FlowRow
    columns = (
        row.id, row.access, row.upload, row.connection, row.data, row.consent, row.host, row.recipient, row.sdk,
        row.other_app, row.party, row.at,
    )  # fmt: skip
    return _joined(columns, row).order_by(row.recording, row.number)


def _joined(columns: tuple[Any, ...], row: type[FindingRow | FlowRow]) -> Query:
    return (
        select(*_OF, *columns)
        .join_from(row, RecordingRow, RecordingRow.number == row.recording)
        .where(RecordingRow.judged_by.is_not(None))
    )


def _recipients() -> Query:
    row = FlowRow
    apps = func.count(RecordingRow.app.distinct())
    return (
        select(
            RecordingRow.campaign, row.recipient, apps.label("apps"),
            func.count(row.recording.distinct()).label("runs"),
            func.count().label("flows"), func.count(row.data.distinct()).label("kinds_of_data"),
            func.min(row.at).label("first_at"), func.max(row.at).label("last_at"),
        )
        .join_from(row, RecordingRow, RecordingRow.number == row.recording)
        .where(RecordingRow.judged_by.is_not(None), not_(row.other_app))
        .group_by(RecordingRow.campaign, row.recipient)
        .order_by(RecordingRow.campaign, apps.desc(), row.recipient)
    )  # fmt: skip


TABLES: Mapping[Name, Callable[[], Query]] = {
    "runs": _runs,
    "findings": _findings,
    "flows": _flows,
    "recipients": _recipients,
}
"""The tables by name. Findings, flows and recipients come only from completely judged recordings; `runs` are those
that a fleet planned."""


def table(place: str | Path, name: Name, campaign: str | None = None) -> CampaignTable:
    """A table of the index at `place`. Raises UserError, also while rows are read, when the index cannot be used."""
    query = TABLES[name]()
    columns = {column.name: _type(column.type) for column in query.selected_columns}
    if campaign is not None:
        query = query.where(query.selected_columns[0] == campaign)
    if name == "runs":
        Runs(place).close()  # creates the tables of a fleet if there are none
    return CampaignTable(
        {name: str if kind is datetime else kind for name, kind in columns.items()}, _rows(place, query, columns)
    )


def _rows(place: str | Path, query: Query, columns: Mapping[str, type]) -> Iterator[tuple[Any, ...]]:
    times = [number for number, kind in enumerate(columns.values()) if kind is datetime]
    with Store(place) as store, store.reading() as connection:
        for row in connection.execute(query.execution_options(yield_per=AT_ONCE)):
            yield _with_times(row, times) if times else tuple(row)


def _type(of: TypeEngine[Any]) -> type:
    """The Python type of a column; float columns are times."""
    if isinstance(of, Boolean):
        return bool
    return int if isinstance(of, Integer) else datetime if isinstance(of, Float) else str


def _with_times(row: Row[Any], times: Sequence[int]) -> tuple[Any, ...]:
    values = list(row)
    for number in times:
        if values[number] is not None:
            values[number] = format_time(datetime.fromtimestamp(values[number], UTC))
    return tuple(values)
