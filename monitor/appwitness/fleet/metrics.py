"""The progress of campaigns as Prometheus metrics: text format, version 0.0.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from appwitness.fleet.status import SILENT_S, Status

TYPE = "text/plain; version=0.0.4; charset=utf-8"
CAMPAIGNS = 50
"""Number of campaigns with separate metrics, those with the most work left; the others are summed under an empty
name."""
STATES = ("planned", "leased", "recorded", "judged", "unobservable")


def text(told: Status) -> str:
    """All metrics. Labels contain no names of apps or devices, so that the number of label values stays bounded."""
    runs: dict[str, Counter[str]] = {}
    for pool in sorted(told.pools, key=lambda pool: -(pool.planned + pool.leased + pool.recorded)):
        name = pool.campaign if pool.campaign in runs or len(runs) < CAMPAIGNS else ""
        counts = runs.setdefault(name, Counter())
        counts.update({state: getattr(pool, state) for state in STATES}, findings=pool.findings)
    devices = Counter("silent" if slot.silent_s >= SILENT_S else slot.state for slot in told.devices)
    return "".join(
        (
            _metric(
                "appwitness_runs", "Runs of a campaign by state.",
                (({"campaign": name, "state": state}, of[state]) for name, of in runs.items() for state in STATES),
            ),
            _metric(
                "appwitness_findings", "Findings in the runs of a campaign that were judged.",
                (({"campaign": name}, counts["findings"]) for name, counts in runs.items()),
            ),
            _metric(
                "appwitness_unobservable_runs", "Runs that could not be observed, by reason.",
                (({"reason": reason}, count) for reason, count, _ in told.reasons),
            ),
            _metric(
                "appwitness_superseded_recordings", "Recordings that were not the first of their run.",
                [({}, told.superseded)],
            ),
            _metric(
                "appwitness_devices", "Devices by state; silent: no heartbeat from their host.",
                (({"state": state}, devices[state]) for state in ("ready", "busy", "paused", "down", "silent")),
            ),
        )
    )  # fmt: skip


def _metric(name: str, help_: str, samples: Iterable[tuple[Mapping[str, str], int]]) -> str:
    lines = [f"# HELP {name} {help_}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value}" if inside else f"{name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
