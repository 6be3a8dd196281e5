"""The status of campaigns: runs by state and pool, estimated time left, reasons for unobservable runs, devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from appwitness.fleet.pools import meets
from appwitness.store.fleet_tables import Pool, Slot
from appwitness.store.runs import Runs
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

SILENT_S = 60.0
"""Seconds without a heartbeat from its host after which a device counts as absent."""


@dataclass(frozen=True)
class Status:
    """The status of one campaign or of all campaigns."""

    pools: Sequence[Pool]
    reasons: Sequence[tuple[str, int, str]]
    devices: Sequence[Slot]
    superseded: int

    @property
    def going_on(self) -> bool:
        """Whether something remains to be done."""
        return any(pool.planned or pool.leased or pool.recorded for pool in self.pools)

    @property
    def unobservable(self) -> int:
        """Number of runs that could not be observed."""
        return sum(pool.unobservable for pool in self.pools)

    @property
    def unmade(self) -> int:
        """Number of planned runs that no device has taken."""
        return sum(pool.planned for pool in self.pools)

    @property
    def findings(self) -> int:
        """Number of findings in all judged runs."""
        return sum(pool.findings for pool in self.pools)

    def able(self, pool: Pool) -> list[Slot]:
        """The devices that can record the pool's runs now."""
        return [
            slot
            for slot in self.devices
            if slot.silent_s < SILENT_S and slot.state in ("ready", "busy") and meets(slot.labels, pool.pool)
        ]

    def eta_s(self, pool: Pool) -> float | None:
        """Estimated seconds until the runs of a pool are recorded, if its devices do nothing else; None: unknown."""
        waiting, able = pool.planned + pool.leased, len(self.able(pool))
        if not waiting:
            return 0.0
        return waiting * pool.took_s / able if pool.took_s is not None and able else None

    def as_json(self) -> dict[str, Any]:
        """The status as JSON."""
        return {
            "v": 1,
            "going_on": self.going_on,
            "pools": [
                {**asdict(pool), "devices": len(self.able(pool)), "eta_s": self.eta_s(pool)} for pool in self.pools
            ],
            "unobservable": [{"reason": reason, "runs": count, "said": said} for reason, count, said in self.reasons],
            "devices": [asdict(slot) for slot in self.devices],
            "superseded": self.superseded,
        }

    def words(self) -> str:
        """The status for a terminal: a table of pools, the reasons, and the devices that are paused, down or silent."""
        lines = []
        for pool in self.pools:
            eta = self.eta_s(pool)
            if not pool.planned and not pool.leased:
                when = "all recorded"
            elif not self.able(pool):
                when = "no device can make them now"
            else:
                when = "none is recorded yet" if eta is None else f"about {_length(eta)} more"
            lines += [
                f"{pool.campaign}, {pool.pool or 'any device'}: {_count(pool.total, 'run')}",
                f"  waiting {pool.planned}, running {pool.leased}, to judge {pool.recorded}, judged {pool.judged}, "
                f"unobservable {pool.unobservable}; {_count(pool.findings, 'finding')}",
                f"  {_count(len(self.able(pool)), 'device')}; {when}",
            ]
        if not self.pools:
            lines.append("No run is planned.")
        lines += [
            f"unobservable ({reason}): {_count(count, 'run')}, such as: {said}" for reason, count, said in self.reasons
        ]
        if self.superseded:
            lines.append(
                f"{_count(self.superseded, 'recording')} superseded by an earlier one of the same run: kept, not judged"
            )
        for slot in self.devices:
            silent = f"no heartbeat for {_length(slot.silent_s)}" if slot.silent_s >= SILENT_S else ""
            if silent or slot.state in ("paused", "down"):
                lines.append(
                    f"{slot.host}/{slot.serial} {silent or slot.state}" + (f": {slot.note}" if slot.note else "")
                )
        return "\n".join(lines)


def status(runs: Runs, campaign: str | None = None) -> Status:
    """The current status. Raises UserError for a campaign without planned runs."""
    pools = runs.progress(campaign)
    if campaign is not None and not pools:
        known = ", ".join(sorted({pool.campaign for pool in runs.progress()})[:20])
        raise UserError(
            Spoken("There is no campaign {campaign}.", campaign=campaign),
            Spoken("Planned campaigns: {known}.", known=known) if known else "Plan one: appwitness fleet plan.",
        )
    return Status(pools, runs.reasons(campaign), runs.devices(), runs.superseded())


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _length(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
