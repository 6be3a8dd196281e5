"""Runs of one app with different answers, compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import Judging
    from appwitness.findings import Comparison, Report


class ComparedRuns(NamedTuple):
    """Runs of one app, and what their comparison came to."""

    comparison: Comparison
    reports: list[Report]
    """Of the runs, in their order."""


def compare(recordings: Sequence[Path], judging: Judging) -> ComparedRuns:
    """Compare runs of one app: what is read and sent whatever the user answers, and what changes with it.

    Raises UserError for fewer than two recordings, for runs of several apps, and for a run that is named twice.
    """
    from appwitness.correlate import differences
    from appwitness.judge.compare import compare as compared

    if len(recordings) < 2:
        raise UserError("There is nothing to compare it with.", "Name two recordings or more.")
    reports = [judging.report(path) for path in recordings]
    for number, report in enumerate(reports):
        package, first = report.run.app.package, reports[0].run.app.package
        if package != first:
            raise UserError(
                f"{recordings[number]} is a run of {package}, {recordings[0]} one of {first}.",
                "Name recordings of one app.",
            )
        if any(report.recording == other.recording for other in reports[:number]):
            raise UserError(f"{recordings[number]} is the same run as one before it.", "Name each run once.")
    return ComparedRuns(compared(reports, differences(recordings, reports), judging.known.labels), reports)
