"""What every report says first: what went to whom and when, how many findings, and that gaps are not a clean bill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from appwitness.events import Run
from appwitness.findings import CONFIDENCES, LEVELS, Confidence, Finding, Flow, Level, Recipient, Report, Why
from appwitness.reports.time_axis import consent_steps, span, step_for
from appwitness.reports.watched import assumption, consent, missing
from appwitness.reports.words import Words, capital, plain

FEW = 2
"""Kinds of data and recipients that the sentence of facts names."""
ANSWERS = ("given", "refused", "withdrawn", "basic_only", "partial")
"""States that a user's answer brings about; closing a question is none."""
LABEL = 40
"""Characters of a button or setting that it quotes."""


class VerdictLine(NamedTuple):
    """One line, one sentence, and the word for its colour."""

    line: str
    more: str
    tone: str
    """`high`, `medium`, `low` or `info` for findings, `gaps` or `none` without."""


@dataclass(frozen=True)
class Graded:
    """Something that the rules say something of, and how bad that is."""

    findings: tuple[Finding, ...]
    """Worst first; none where no rule objects."""

    @property
    def level(self) -> Level | None:
        """The worst; None where no rule objects."""
        return self.findings[0].level if self.findings else None

    @property
    def confidence(self) -> Confidence | None:
        """How sure the surest of the worst findings is."""
        return self.findings[0].confidence if self.findings else None

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that object, worst first."""
        return tuple(dict.fromkeys(finding.rule for finding in self.findings))

    @property
    def rank(self) -> tuple[int, int, int]:
        """Its place: the worst first, then what is surest, then what most rules object to."""
        return (*_rank(self.findings[0]), -len(self.rules)) if self.findings else (len(LEVELS), 0, 0)


@dataclass(frozen=True)
class SentData(Graded):
    """Values of one kind that one recipient got: the flows, and what the rules say of them."""

    recipient: Recipient
    flows: tuple[Flow, ...]
    """In order of time; at least one."""

    @property
    def data(self) -> str:
        """Code of the kind of data."""
        return self.flows[0].data

    @property
    def attempted(self) -> bool:
        """Whether no answer was recorded to any of them, so that it is not known whether anything arrived."""
        return all(flow.unanswered for flow in self.flows)

    @property
    def fullest(self) -> Flow:
        """The flow with the most rows of what was read, else the first."""
        return max(self.flows, key=lambda flow: flow.rows or 0)

    @property
    def moments(self) -> tuple[tuple[Flow, ...], ...]:
        """The flows by what had been answered at their time, as it changed."""
        return tuple(
            tuple(flows) for _, flows in groupby(self.flows, key=lambda flow: (flow.consent, flow.consent_assumed))
        )


def verdict(report: Report, words: Words) -> VerdictLine:
    """What the recording comes to. Gaps without findings are never called clean, nor what nobody watched."""
    lacking = missing(report, words)
    levels = Counter(finding.level for finding in report.findings)
    line, tone = headline(report.run, levels, bool(report.gaps or lacking), words)
    parts = []
    if report.findings:
        if report.gaps:
            parts.append(words.count("and_gaps", len(report.gaps)))
    elif tone == "gaps":
        parts += [words.count("verdict_gaps_more", len(report.gaps))] if report.gaps else []
        parts.append(lacking)
    else:
        parts.append(words("verdict_none_more"))
    parts.append(assumption(report, words))
    if report.run.unhooked is not None:
        parts.insert(0, words("verdict_unhooked_more", why=plain(report.run.unhooked)))
    elif (probe := report.run.probe) is not None and probe.failed:
        parts.insert(0, words("verdict_hooks_failed_more", called=str(probe.called), seen=str(probe.seen)))
    return VerdictLine(line, words("space").join(filter(None, parts)), tone)


def headline(
    run: Run, levels: Mapping[Level, int], unclean: bool, words: Words, *, so_far: bool = False
) -> tuple[str, str]:
    """The line, and the word for its colour, of a run with so many findings of each level.

    `unclean`: something could not be observed; `so_far`: it has not been judged to its end.
    """
    if found := sum(levels.values()):
        tone: str = next(level for level in LEVELS if levels.get(level))
        parts = [f"{levels[level]} {words(f'level_{level}')}" for level in LEVELS if levels.get(level)]
        line = f"{words.count('verdict_findings', found)}{words('colon')}{words('comma').join(parts)}"
    elif so_far:
        line, tone = words("verdict_so_far"), "plain"
    else:
        line, tone = (words("verdict_gaps_only"), "gaps") if unclean else (words("verdict_none"), "none")
    if run.unhooked is not None:
        line = words("verdict_unhooked", line=line)
    elif run.probe is not None and run.probe.failed:
        line = words("verdict_hooks_failed", line=line)
    return line, tone


def sent(report: Report) -> list[SentData]:
    """What left, by kind of data and host: what the rules object to most first, then in order of time.

    What another app sent is not among it, nor what went to the device itself: no finding rests on that.
    """
    groups: dict[tuple[str, str], list[Flow]] = {}
    for flow in sorted(filter(_left, report.flows), key=lambda flow: flow.at):
        groups.setdefault((flow.data, flow.recipient.host), []).append(flow)
    of: dict[str, list[Finding]] = {}
    for finding in worst_first(report):
        for id_ in finding.flows:
            of.setdefault(id_, []).append(finding)
    found = []
    for flows in groups.values():
        findings = {id(finding): finding for flow in flows for finding in of.get(flow.id, ())}
        found.append(SentData(tuple(sorted(findings.values(), key=_rank)), flows[0].recipient, tuple(flows)))
    return sorted(found, key=lambda each: each.rank)


def _left(flow: Flow) -> bool:
    """Whether it left the device, and not from another app."""
    reason = flow.recipient.reason
    return not flow.other_app and (reason is None or reason.code != Why.THE_DEVICE)


def facts(report: Report, words: Words) -> str:
    """What went to whom, and when that was against what the user had answered."""
    groups = sent(report)
    told = [group for group in groups if group.findings] or groups
    said = [went(report, group, words) for group in told[:FEW]]
    if len(told) > FEW:
        said.append(words.count("went_more", len(told) - FEW))
    text = words("semicolon").join(said)
    return words("sentence", text=capital(text)) if said else ""


def went(report: Report, group: SentData, words: Words) -> str:
    """The same of one kind of data and one recipient, without a full stop."""
    answered = tuple(flow for flow in group.flows if not flow.unanswered)
    told = replace(group, flows=answered) if answered else group
    again = words("went_again").join([when(report, flows, words) for flows in told.moments][:FEW])
    said = {"what": what(told, words, "went_entries"), "host": plain(group.recipient.host), "when": again}
    attempts = len({flow.upload for flow in group.flows} - {flow.upload for flow in answered})
    if not answered:
        return words("went_towards", **said)
    return words("went", **said) + (words.count("went_unanswered", attempts) if attempts else "")


def what(group: SentData, words: Words, counted: str = "went_rows") -> str:
    """The kind of data, and how many of the rows that were read went there, as the words `counted` say it."""
    flow = group.fullest
    data = words.data(group.data)
    return words(counted, data=data, rows=f"{flow.rows:,}", rows_read=f"{flow.rows_read:,}") if flow.rows_read else data


def when(report: Report, flows: tuple[Flow, ...], words: Words) -> str:
    """When some uploads were, against the question to the user and the answer: of the first of them, and how many."""
    flow = flows[0]
    steps = consent_steps(report)
    later = [step for step in steps if step.at > flow.at]
    answer = next((step for step in later if step.state in ANSWERS), None)
    since = step_for(steps, flow.at, flow.consent)
    if flow.consent_assumed or flow.consent == "not_observed":
        text = words("when_state", state=consent(flow, words))
    elif flow.consent == "not_shown" and later and later[0].state not in ANSWERS:
        text = words("when_before_question", span=span((later[0].at - flow.at).total_seconds()))
    elif flow.consent in ("not_shown", "requested") and answer:
        text = words("when_before_answer", span=span((answer.at - flow.at).total_seconds()))
    elif flow.consent == "not_shown":
        text = words("when_no_question")
    elif flow.consent == "requested":
        text = words("when_unanswered")
    elif since and since.event.text:
        label = plain(since.event.text)[:LABEL]
        state, time = consent(flow, words), span((flow.at - since.at).total_seconds())
        text = words("when_after_label", span=time, label=label, state=state)
    elif since:
        time = span((flow.at - since.at).total_seconds())
        text = words("when_after", span=time, state=consent(flow, words))
    else:
        text = words("when_state", state=consent(flow, words))
    uploads = len({flow.upload for flow in flows})
    return text + words("when_times", count=f"{uploads:,}") if uploads > 1 else text


def worst_first(report: Report) -> list[Finding]:
    """Findings by level, then by how sure they are; otherwise in the order in which they were judged."""
    return sorted(report.findings, key=_rank)


def _rank(finding: Finding) -> tuple[int, int]:
    return LEVELS.index(finding.level), CONFIDENCES.index(finding.confidence)
