"""Determines the consent at a moment from the consent lines, and formats times for people."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from appwitness.events import Consent, Ref, Run
from appwitness.findings import ConsentName, Report
from appwitness.reports.words import Words


class ConsentStep(NamedTuple):
    """A consent line that changed the state of consent; `at` is on the host's clock."""

    at: datetime
    ref: Ref
    state: ConsentName
    event: Consent


def still_counts(ref: Ref, line: Consent, report: Report) -> bool:
    """Whether a line has not been replaced or retracted since, and is not itself a retraction."""
    return ref not in report.replaced and not line.retracts


def consent_steps(report: Report) -> list[ConsentStep]:
    """How the answer to the privacy policy changed, with the lines that caused it."""
    lines = {seen.ref: seen.event for seen in report.consents if isinstance(seen.event, Consent)}
    return [
        ConsentStep(status.at, status.ref, status.state, lines[status.ref])
        for status in report.answers
        if status.at and status.ref in lines
    ]


def step_for(steps: list[ConsentStep], at: datetime, state: ConsentName) -> ConsentStep | None:
    """The last step, no later than `at`, that led to the state `state`; None if there is none."""
    return next((step for step in reversed(steps) if step.at <= at and step.state == state), None)


def clocks(run: Run, words: Words) -> str:
    """How the clocks of device and host compared: offset, drift, and uncertainty; or that nobody compared them."""
    if run.clock_offset_ms is None or (run.imported and not run.clocks_compared):
        return words("clocks_uncompared")
    offset = f"{run.clock_offset_ms:+.1f} ms"
    if run.clock_uncertainty_ms is None:
        return words("clocks_unbounded", offset=offset)
    if not run.clock and not run.clock_uncertainty_ms:
        return words("clocks_bare", offset=offset)
    drift, bound = f"{run.clock_drift_ms or 0:+.1f} ms", f"{run.clock_uncertainty_ms:.1f} ms"
    return words("clocks_agree", offset=offset, drift=drift, uncertainty=bound)


def clock_offset(run: Run, words: Words) -> str:
    """The device's clock minus the host's, or that nobody compared them."""
    return words("clock_not_measured") if run.clock_offset_ms is None else f"{run.clock_offset_ms:+.1f} ms"


def clock(at: datetime) -> str:
    """A time of day to the millisecond."""
    return at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def span(seconds: float) -> str:
    """A duration as a person says it: `340 ms`, `2.4 s`, `3 min 5 s`."""
    seconds = abs(seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
