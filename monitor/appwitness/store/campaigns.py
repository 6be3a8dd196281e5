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
"""Those by which runs are counted as they change."""


class CampaignRun(NamedTuple):
    """A run of a campaign."""

    id: str
    package: str
    plan: str
    pool: str
    state: str
    reason: str | None
    note: str | None
    """What ended the last attempt, in words."""
    attempts: int
    host: str | None
    device: str | None
    begun: datetime | None
    recorded: datetime | None
    recording: str | None
    """Its name where recordings are kept."""
    indexed: str | None
    """Its id in the index, once it is judged."""
    findings: int | None


class Failure(NamedTuple):
    """Why some runs are unobservable."""

    reason: str
    runs: int
    example: CampaignRun


def has_fleet(store: Store) -> bool:
    """Whether runs were ever planned in the database of an index."""
    with store.reading() as connection:
        return inspect(connection).has_table(FleetVersion.__tablename__)


def runs_of(runs: Runs, campaign: str, filters: Filters, page: int = 1) -> ListPage[CampaignRun]:
    """The runs of a campaign: those that were begun last first, then in the order in which they were planned.

    `filters` (FILTERS) each ask for one value, `text` for a piece of app or id; empty texts for nothing.
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
    """The values that `plan` and `pool` have, and the devices that hosts have reported, whatever they made."""
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
    """The reasons for which runs are unobservable, the most frequent first."""
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
