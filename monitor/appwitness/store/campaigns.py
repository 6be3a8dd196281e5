"""Lists of campaigns and of their runs, filtered and paged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, inspect, select

from appwitness.store import run_counts
from appwitness.store.fleet_tables import BEGUN_LAST_FIRST, DeviceRow, FleetVersion, RunCountRow, RunRow
from appwitness.store.index import Store
from appwitness.store.lists import CHOICES, Filters, ListPage, paged_rows
from appwitness.store.runs import Runs

FILTERS = ("state", "reason", "plan", "pool", "device")
COUNTED = {name for name in FILTERS if name in run_counts.KEY}
"""The filters that are part of the key of the run counts."""


class CampaignRun(NamedTuple):
    """A run of a campaign."""

    id: str
    package: str
    plan: str
    pool: str
    state: str
    reason: str | None
    note: str | None
    """What ended the last attempt, as text."""
    attempts: int
    host: str | None
    device: str | None
    begun: datetime | None
    recorded: datetime | None
    recording: str | None
    """Its name in the store of recordings."""
    indexed: str | None
    """Its id in the index, once it has been judged."""
    findings: int | None


class Failure(NamedTuple):
    """A reason why runs are unobservable, with an example."""

    reason: str
    runs: int
    example: CampaignRun


def has_fleet(store: Store) -> bool:
    """Whether runs were ever planned in the index's database."""
    with store.reading() as connection:
        return inspect(connection).has_table(FleetVersion.__tablename__)


def runs_of(runs: Runs, campaign: str, filters: Filters, page: int = 1) -> ListPage[CampaignRun]:
    """The runs of a campaign, the most recently begun first, then waiting ones in the order they were planned.

    Each of `filters` (FILTERS) requests one value, and `text` a part of the app or id; empty texts match everything.
    """
    query = select(*_COLUMNS).where(RunRow.campaign == campaign)
    count = select(func.sum(RunCountRow.runs)).where(RunCountRow.campaign == campaign)
    asked = {name: wanted for name in FILTERS if (wanted := filters.get(name))}
    for name, wanted in asked.items():
        query = query.where(getattr(RunRow, name) == wanted)
        if name in COUNTED:
            count = count.where(getattr(RunCountRow, name) == wanted)
    if text := filters.get("text"):
        found = RunRow.package.icontains(text, autoescape=True) | RunRow.id.icontains(text, autoescape=True)
        query = query.where(found)
    is_counted = not text and asked.keys() <= COUNTED
    with runs.reading() as connection:
        rows, number, total = paged_rows(connection, query, BEGUN_LAST_FIRST, page, count if is_counted else None)
    return ListPage(tuple(_planned(row) for row in rows), number, total)


def choices_of_runs(runs: Runs, campaign: str) -> dict[str, list[str]]:
    """The values of `plan` and `pool` in this campaign, and all devices that hosts have reported."""
    columns = {"plan": RunCountRow.plan, "pool": RunCountRow.pool, "device": DeviceRow.serial}
    with runs.reading() as connection:
        found = {}
        for name, column in columns.items():
            query = select(column).where(column != "").distinct().order_by(column).limit(CHOICES)
            if name != "device":
                query = query.where(RunCountRow.campaign == campaign, RunCountRow.runs > 0)
            found[name] = list(connection.scalars(query))
    return found


def failures(runs: Runs, campaign: str) -> list[Failure]:
    """The reasons why runs are unobservable, the most frequent first."""
    found = runs.unobservable(campaign, *_COLUMNS)
    return [Failure(reason, count, _planned(run)) for reason, count, run in found]


_COLUMNS = (
    *(RunRow.id, RunRow.package, RunRow.plan, RunRow.pool, RunRow.state, RunRow.reason, RunRow.note, RunRow.attempts),
    *(RunRow.host, RunRow.device, RunRow.leased_at, RunRow.recorded_at, RunRow.recording),
    *(RunRow.indexed, RunRow.findings),
)


def _planned(row: Any) -> CampaignRun:
    *before, begun, recorded, recording, indexed, findings = row
    return CampaignRun._make((*before, _time(begun), _time(recorded), recording, indexed, findings))


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
