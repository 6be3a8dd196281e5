"""Progress of a fleet's campaigns: runs, devices and failures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from appwitness.fleet import metrics
from appwitness.fleet.pools import meets
from appwitness.fleet.status import SILENT_S
from appwitness.fleet.status import Status as Status
from appwitness.fleet.status import status as status
from appwitness.store.campaigns import FILTERS as FILTERS
from appwitness.store.campaigns import CampaignRun as CampaignRun
from appwitness.store.campaigns import choices_of_runs as choices_of_runs
from appwitness.store.campaigns import failures as failures
from appwitness.store.campaigns import runs_of as runs_of
from appwitness.store.fleet_tables import Pool
from appwitness.store.fleet_tables import Slot as Slot
from appwitness.store.runs import Runs as Runs

METRICS_TYPE = metrics.TYPE
"""The media type of `prometheus`."""

RunState = Literal["planned", "leased", "recorded", "judged", "unobservable"]


class PoolsProgress(NamedTuple):
    """The progress of some pools: how many runs are in each state, and their results."""

    planned: int
    leased: int
    recorded: int
    judged: int
    unobservable: int
    total: int
    findings: int
    eta_s: float | None
    """Seconds until the slowest pool is recorded; None: unknown, as some runs wait for a device."""
    stuck: int
    """Number of runs that wait for a device that is not there."""


def progress(told: Status, pools: Iterable[Pool]) -> PoolsProgress:
    """The combined progress of some pools."""
    pools = list(pools)
    summed = {name: sum(getattr(pool, name) for pool in pools) for name in PoolsProgress._fields[:-2]}
    etas = [told.eta_s(pool) for pool in pools]
    known = [eta for eta in etas if eta is not None]
    return PoolsProgress(
        **summed,
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
    """The devices that meet the requirements of any pool, whatever they are doing now."""
    return [slot for slot in told.devices if any(meets(slot.labels, pool.pool) for pool in told.pools)]


def is_silent(slot: Slot) -> bool:
    """Whether a device counts as absent because its host has sent no heartbeat lately."""
    return slot.silent_s >= SILENT_S


def prometheus(fleet: Runs | None) -> str:
    """The metrics of a fleet in Prometheus' text format; zeros where no campaign was planned."""
    return metrics.text(status(fleet) if fleet else Status((), (), (), 0))
