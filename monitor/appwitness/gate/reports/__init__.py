"""Renders what a gate decided: for a terminal, a program, a pull request, a code host, a build server, a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Protocol, cast

from appwitness.findings import Finding, Report
from appwitness.findings.gate_decision import Gated, GateReport
from appwitness.findings.mask import masked
from appwitness.reports.words import Words
from appwitness.support.errors import UserError

FORMATS: dict[str, str] = {
    "text": "appwitness.gate.reports.gate_text",
    "json": "appwitness.gate.reports.gate_json",
    "markdown": "appwitness.gate.reports.markdown",
    "sarif": "appwitness.gate.reports.gate_sarif",
    "junit": "appwitness.gate.reports.gate_junit",
    "gitlab": "appwitness.gate.reports.gitlab",
    "html": "appwitness.gate.reports.gate_html",
}
"""format -> the module whose `render(told)` writes it; imported late."""


@dataclass(frozen=True)
class GateStory:
    """What there is to tell, and how."""

    gate: GateReport
    reports: Sequence[Report]
    """Of the runs; the formats get them masked unless their values are `revealed`."""
    words: Words
    revealed: bool = False
    anchor: str | None = None
    """A file of the repository, `path` or `path:line`, at which a code host is to show results."""
    with_gone: bool = False

    @cached_property
    def of(self) -> dict[str, Report]:
        """Id of the run -> its report."""
        return {report.recording: report for report in self.reports}

    def finding(self, one: Gated) -> Finding | None:
        """The finding that shows a behaviour at its worst; None when it was not seen now."""
        report = self.of.get(one.recording or "")
        return report.findings[one.number] if report and one.number is not None else None

    def title(self, one: Gated) -> str:
        """What the rule says; of one that is not seen any more the rule's id."""
        finding = self.finding(one)
        rule = one.behaviour.rule
        titles = (judged.title for report in self.reports for judged in report.rules if judged.id == rule)
        return self.words.of(finding.title if finding else next(titles, {"en": rule}))


def place(text: str) -> tuple[str, int]:
    """File and line of `path` or `path:line`; without a line, the first."""
    path, _, line = text.rpartition(":")
    return (path, max(1, int(line))) if path and line.isdecimal() else (text, 1)


class _RendersGate(Protocol):
    def render(self, told: GateStory) -> str: ...


def render(told: GateStory, format: str) -> str:
    """What a gate decided, in one of FORMATS. Personal values are masked unless they are to be `revealed`.

    Raises UserError for a format or a language that there is not.
    """
    if format not in FORMATS:
        raise UserError(f"There is no format {format!r} of a gate.", f"Choose one of {', '.join(FORMATS)}.")
    if not told.revealed:
        told = replace(told, reports=[masked(report) for report in told.reports])
    return cast(_RendersGate, import_module(FORMATS[format])).render(told)
