"""How far the campaigns of a fleet are, for people and programs that look on: runs, devices, what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from appwitness.fleet import metrics
from appwitness.fleet.pools import meets
from appwitness.fleet.status import SILENT_S, status
from appwitness.fleet.status import Status as Status
from appwitness.store.campaigns import FILTERS as FILTERS
from appwitness.store.campaigns import CampaignRun as CampaignRun
from appwitness.store.campaigns import Failure, choices_of_runs, failures, runs_of
from appwitness.store.lists import ListPage
from appwitness.store.runs import Pool, Runs
from appwitness.store.runs import Slot as Slot

METRICS_TYPE = metrics.TYPE
"""The media type of `prometheus`."""

RunState = Literal["planned", "leased", "recorded", "judged", "unobservable"]


class PoolsProgress(NamedTuple):
    """How far the runs of some pools are: how many there are in each state, and of what they come to."""

    planned: int
    leased: int
    recorded: int
    judged: int
    unobservable: int
    total: int
    findings: int
    eta_s: float | None
    """Seconds until the slowest pool is recorded; None: that cannot be told, as some runs wait for a device."""
    stuck: int
    """Runs that wait for a device that is not there."""


class FleetProgress:
    """The campaigns that were planned in one database."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def status(self) -> Status:
        """How far all campaigns are, and the devices that hosts have told of."""
        return status(self._runs)

    def campaign(self, name: str) -> Status:
        """How far one campaign is. Raises UserError when there is none of that name."""
        return status(self._runs, name)

    def failures(self, campaign: str) -> list[Failure]:
        """Why runs of a campaign are unobservable, the most frequent reason first."""
        return failures(self._runs, campaign)

    def runs(self, campaign: str, filters: Mapping[str, str], page: int = 1) -> ListPage[CampaignRun]:
        """The runs of a campaign: those that were begun last first, then in the order in which they were planned.

        `filters` (FILTERS) each ask for one value, `text` for a piece of app or id; empty texts for nothing.
        """
        return runs_of(self._runs, campaign, filters, page)

    def choices(self, campaign: str) -> dict[str, list[str]]:
        """The values of `plan`, `pool` and `device` among the runs of a campaign."""
        return choices_of_runs(self._runs, campaign)


def progress(told: Status, pools: Iterable[Pool]) -> PoolsProgress:
    """How far some of the pools are, taken together."""
    pools = list(pools)
    etas = [told.eta_s(pool) for pool in pools]
    known = [eta for eta in etas if eta is not None]
    return PoolsProgress(
        planned=sum(pool.planned for pool in pools),
        leased=sum(pool.leased for pool in pools),
        recorded=sum(pool.recorded for pool in pools),
        judged=sum(pool.judged for pool in pools),
        unobservable=sum(pool.unobservable for pool in pools),
        total=sum(pool.total for pool in pools),
        findings=sum(pool.findings for pool in pools),
        eta_s=max(known, default=0.0) if len(known) == len(etas) else None,
        stuck=sum(pool.planned for pool in pools if not told.able(pool)),
    )


def by_campaign(told: Status) -> dict[str, list[Pool]]:
    """Campaign -> its pools."""
    found: dict[str, list[Pool]] = {}
    for pool in told.pools:
        found.setdefault(pool.campaign, []).append(pool)
    return found


def fitting_devices(told: Status) -> list[Slot]:
    """The devices that have what one of the pools asks for, whatever they do now."""
    return [slot for slot in told.devices if any(meets(slot.labels, pool.pool) for pool in told.pools)]


def is_silent(slot: Slot) -> bool:
    """Whether the host of a device was not heard of lately: then the device counts as not there."""
    return slot.silent_s >= SILENT_S


def prometheus(fleet: FleetProgress | None) -> str:
    """The figures of a fleet for Prometheus, in its text format; zeros where no campaign was planned."""
    return metrics.text(fleet.status() if fleet else Status((), (), (), 0))
