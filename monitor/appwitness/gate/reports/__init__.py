"""Renders what a gate decided: for a terminal, a program, a pull request, a code host, a build server, a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Protocol, cast

from appwitness.findings import Finding, Report
from appwitness.findings.gate_decision import Behaviour, Gated, GateReport
from appwitness.findings.identity import identity
from appwitness.findings.mask import Mask, mask_of, masked
from appwitness.findings.places import subject
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
    names: Mapping[tuple[str, int], str] | None = None
    """Where reports are masked: `ids` as they were before."""

    @cached_property
    def ids(self) -> Mapping[tuple[str, int], str]:
        """Id of a run and number of a finding -> the digest of its fingerprint, which is made of names as they are."""
        if self.names is not None:
            return self.names
        return {
            (report.recording, number): identity(finding, self.gate.package).digest
            for report in self.reports
            for number, finding in enumerate(report.findings)
        }

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


def _masked(told: GateStory) -> GateReport:
    """What was decided, with the names of hosts, packages and code as reports show them."""
    mask = mask_of(*told.reports)
    gate = told.gate
    changes = tuple(
        one.model_copy(
            update={
                "now": one.now and _behaviour(one.now, mask),
                "was": one.was and _behaviour(one.was, mask),
                "unobserved": tuple(
                    each.model_copy(update={"subject": mask.by(subject, each.subject, code=True)})
                    for each in one.unobserved
                ),
            }
        )
        for one in gate.changes
    )
    flows = tuple(
        flow.model_copy(
            update={
                "recipient": mask.host(flow.recipient),
                "data": mask.code_of_data(flow.data),
                "people": flow.people and mask.event(flow.people),
            }
        )
        for flow in gate.flows
    )
    return gate.model_copy(update={"package": mask.name(gate.package), "changes": changes, "flows": flows})


def _behaviour(of: Behaviour, mask: Mask) -> Behaviour:
    return of.model_copy(
        update={
            "recipient": of.recipient and mask.host(of.recipient),
            "actor": mask.by(subject, of.actor, code=True),
            "data": of.data and mask.code_of_data(of.data),
            "sources": tuple(map(mask.name, of.sources)),
        }
    )


class _RendersGate(Protocol):
    def render(self, told: GateStory) -> str: ...


def render(told: GateStory, format: str) -> str:
    """What a gate decided, in one of FORMATS. Personal values are masked unless they are to be `revealed`.

    Raises UserError for a format or a language that there is not.
    """
    if format not in FORMATS:
        raise UserError(f"There is no format {format!r} of a gate.", f"Choose one of {', '.join(FORMATS)}.")
    if not told.revealed:
        told = replace(told, gate=_masked(told), reports=[masked(report) for report in told.reports], names=told.ids)
    return cast(_RendersGate, import_module(FORMATS[format])).render(told)
