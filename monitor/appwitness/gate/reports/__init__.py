"""Renders a gate's decision for a terminal, a program, a pull request, a code host, a build server or a browser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module

from appwitness.findings import Finding, Report
from appwitness.findings.gate_decision import Behaviour, Change, Gated, GatedFlow, GateReport, Remark, Unobserved
from appwitness.findings.identity import identity
from appwitness.findings.mask import Mask, changed, mask_of, masked
from appwitness.findings.people import label
from appwitness.findings.places import subject
from appwitness.reports.watched import integrity, is_remarkable
from appwitness.reports.words import Words, plain
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

FORMATS: dict[str, str] = {
    "text": "gate_text",
    "json": "gate_documents",
    "markdown": "gate_documents",
    "sarif": "gate_sarif",
    "junit": "gate_documents",
    "gitlab": "gate_documents",
    "html": "gate_documents",
}
"""Format -> the module of this room that has a function with the format's name; imported late."""
CHANGES: tuple[Change, ...] = ("new", "worse", "new_rule", "not_observable", "gone", "better", "same")
"""The order in which changes are reported."""
QUIET = ("same", "better", "gone")
"""Changes that are counted, but listed only if they fail the build (an expired waiver); folded on the page."""
TONES = {"failed": "high", "not_observable": "gaps", "passed": "none"}


@dataclass(frozen=True)
class GateStory:
    """The content of a gate report, and the sentences that formats share."""

    gate: GateReport
    reports: Sequence[Report]
    """The reports of the runs; formats get them masked unless values are `revealed`."""
    words: Words
    revealed: bool = False
    anchor: str | None = None
    """A file in the repository, `path` or `path:line`, at which a code host shows results."""
    with_gone: bool = False
    names: Mapping[tuple[str, int], str] | None = None
    """The `ids` computed before masking, if reports are masked."""

    @cached_property
    def ids(self) -> Mapping[tuple[str, int], str]:
        """Run ID and finding number -> the finding's fingerprint, computed from unmasked names."""
        if self.names is not None:
            return self.names
        return {
            (report.recording, number): identity(finding, self.gate.package).id
            for report in self.reports
            for number, finding in enumerate(report.findings)
        }

    @cached_property
    def of(self) -> dict[str, Report]:
        """Run ID -> its report."""
        return {report.recording: report for report in self.reports}

    def finding(self, one: Gated) -> Finding | None:
        """The finding that shows a behaviour at its worst; None if it was not seen now."""
        report = self.of.get(one.recording or "")
        return report.findings[one.number] if report and one.number is not None else None

    @property
    def told(self) -> list[Gated]:
        """The changes that are listed, those that fail the build first."""
        told = (one for one in self.gate.changes if one.fails or one.change not in QUIET)
        return sorted(told, key=lambda one: not one.fails)

    # sentences on the whole decision

    @property
    def app(self) -> str:
        """The app and its release."""
        release = self.gate.made.release
        return plain(self.gate.package) + (f" {plain(release)}" if release else "")

    @property
    def verdict(self) -> str:
        """The gate's decision, and the number of each kind of change."""
        words, counts = self.words, Counter(one.change for one in self.gate.changes)
        parts = [f"{counts[change]} {words(f'change_{change}')}" for change in CHANGES if counts[change]]
        if self.gate.flows:
            parts.append(words.count("gate_flows", len(self.gate.flows)))
        return words(f"gate_{self.gate.outcome}") + (words("colon") + words("comma").join(parts) if parts else "")

    @property
    def against(self) -> str:
        """What the runs were compared with."""
        gate, words = self.gate, self.words
        if gate.against is None:
            return words("gate_against_nothing")
        release = f"{words('open')}{plain(gate.against.release)}{words('close')}" if gate.against.release else ""
        return words("gate_against", what=plain(gate.against_what or "")) + release

    @property
    def stamps(self) -> list[str]:
        """Statements about the stamps of each recording whose stamps are not all intact."""
        return [
            self.words("gate_stamps", recording=plain(report.recording), said=integrity(report, self.words))
            for report in self.reports
            if is_remarkable(report)
        ]

    @property
    def flows(self) -> list[str]:
        """The flows that the list forbids or does not allow."""
        return [self.flow(one) for one in self.gate.flows]

    @property
    def remarks(self) -> list[str]:
        """Additional remarks."""
        return [remark(one, self.words) for one in self.gate.remarks]

    @property
    def gaps(self) -> str:
        """How many gaps were not allowed; empty if there are none."""
        return self.words.count("gate_gaps", self.gate.gaps) if self.gate.gaps else ""

    # sentences on one behaviour or flow

    def title(self, one: Gated) -> str:
        """The rule's title; the rule's id if no rule with that id was applied."""
        finding = self.finding(one)
        rule = one.behaviour.rule
        titles = (judged.title for report in self.reports for judged in report.rules if judged.id == rule)
        return self.words.of(finding.title if finding else next(titles, {"en": rule}))

    def change(self, one: Gated) -> str:
        """How it changed."""
        return self.words(f"change_{one.change}")

    def grade(self, one: Gated) -> str:
        """Its level and confidence."""
        return f"{self.words(f'level_{one.behaviour.level}')}, {self.words(f'confidence_{one.behaviour.confidence}')}"

    def about(self, one: Gated) -> str:
        """Data and recipient, code, and plans."""
        behaviour, words = one.behaviour, self.words
        parts = [label(behaviour.people, words.data(behaviour.data), words.lang)] if behaviour.data else []
        if behaviour.recipient:
            parts.append(f"> {plain(behaviour.recipient)}")
        plans = ", ".join(map(plain, behaviour.plans))
        parts.append(f"{words('open').strip()}{plain(words.actor(behaviour.actor))}; {plans}{words('close')}")
        return " ".join(parts)

    def why(self, one: Gated) -> Iterator[str]:
        """What became worse, why it is unknown, and who has accepted it until when."""
        if one.rose and one.was and one.now:
            yield self.words("comma").join(self._rose(what, one.was, one.now) for what in one.rose)
        yield from map(self.unobserved, one.unobserved)
        if one.waiver:
            yield self.waiver(one)

    def waiver(self, one: Gated) -> str:
        """Who accepted it, why and until when, or why that is no longer valid; empty: nobody."""
        if one.waiver is None:
            return ""
        said = {name: plain(value) for name, value in one.waiver.__dict__.items()}
        return self.words(f"waiver_{one.waiver.state}", **said)

    def _rose(self, what: str, was: Behaviour, now: Behaviour) -> str:
        if what == "plan":
            texts = [", ".join(map(plain, each.plans)) for each in (was, now)]
        else:
            texts = [self.words(f"{what}_{getattr(each, what)}") for each in (was, now)]
        return f"{self.words(f'rose_{what}')}: {' > '.join(texts)}"

    def unobserved(self, reason: Unobserved) -> str:
        """Why it is unknown whether something is gone."""
        ref = f" [{plain(reason.ref)}]" if reason.ref else ""
        return self.words(f"unobserved_{reason.why}", subject=plain(reason.subject)) + ref

    def flow(self, one: GatedFlow) -> str:
        """A flow that the list forbids or does not allow."""
        words = self.words
        text = words(
            f"flow_{one.what}",
            data=label(one.people, words.data(one.data), words.lang),
            recipient=plain(one.recipient),
            consent=words(f"consent_{one.consent}"),
            plan=plain(one.plan),
            upload=plain(one.upload),
        )
        return text + (f" [{plain(one.place)}]" if one.place else "")


def remark(one: Remark, words: Words) -> str:
    """An additional remark."""
    return words(f"remark_{one.what}", subject=plain(one.subject), place=plain(one.place or ""))


def place(text: str) -> tuple[str, int]:
    """File and line in `path` or `path:line`; without a line, line 1."""
    path, _, line = text.rpartition(":")
    return (path, max(1, int(line))) if path and line.isdecimal() else (text, 1)


def _masked(gate: GateReport, mask: Mask) -> GateReport:
    """The decision, with the names of hosts, packages and code masked as in reports."""

    def named(text: str) -> str:
        return mask.by(subject, text, code=True)

    def behaviour(of: Behaviour) -> Behaviour:
        return changed(of, recipient=mask.host, actor=named, data=mask.code_of_data, sources=mask.name)

    def one(of: Gated) -> Gated:
        return changed(of, now=behaviour, was=behaviour, unobserved=lambda each: changed(each, subject=named))

    def flow(of: GatedFlow) -> GatedFlow:
        return changed(of, recipient=mask.host, data=mask.code_of_data, people=mask.event)

    return changed(gate, package=mask.name, changes=one, flows=flow)


def render(told: GateStory, format: str) -> str:
    """The decision of a gate in one of FORMATS. Personal values are masked unless `revealed`. Raises UserError for
    an unknown format or language."""
    if format not in FORMATS:
        raise UserError(
            Spoken("There is no gate format {format!r}.", format=format),
            Spoken("Choose one of {formats}.", formats=", ".join(FORMATS)),
        )
    if not told.revealed:
        gate = _masked(told.gate, mask_of(*told.reports))
        told = replace(told, gate=gate, reports=[masked(report) for report in told.reports], names=told.ids)
    text: str = getattr(import_module(f"{__name__}.{FORMATS[format]}"), format)(told)
    return text
