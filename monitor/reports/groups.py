"""Flows and findings by what went where: one group for each kind of data at each recipient, and a sentence on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from monitor.findings import CONFIDENCES, LEVELS, Confidence, ConsentName, Finding, Flow, Level, Report
from monitor.reports.time_axis import Step, consent_steps, span, step_for
from monitor.reports.words import Words, plain

LABEL = 40
"""Characters of the label of a button that a sentence quotes."""


class Group(NamedTuple):
    """One kind of data at one recipient; without a recipient, what findings say of reads and of questions."""

    data: str
    """Empty: the findings are about no kind of data."""
    host: str
    """Empty: nothing was sent, or it was not seen to be."""
    flows: tuple[Flow, ...]
    """In order of time."""
    findings: tuple[Finding, ...]
    """Worst first; none where no rule objects."""

    @property
    def level(self) -> Level | None:
        """The worst."""
        return min((each.level for each in self.findings), key=LEVELS.index, default=None)

    @property
    def confidence(self) -> Confidence | None:
        """That of the worst finding that is surest."""
        worst = [each.confidence for each in self.findings if each.level == self.level]
        return min(worst, key=CONFIDENCES.index, default=None)

    @property
    def rules(self) -> list[str]:
        """The rules that object, worst first."""
        return list(dict.fromkeys(each.rule for each in self.findings))


def groups(report: Report) -> list[Group]:
    """The groups of a report, worst first.

    A finding that names flows stands in the group of each; one on reads whose values were not seen to leave, and one on
    no kind of data, in a group of its own. What another app sent is in none.
    """
    keys = {flow.id: (flow.data, flow.recipient.host) for flow in report.flows if not flow.other_app}
    flows: dict[tuple[str, str], list[Flow]] = defaultdict(list)
    findings: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for flow in report.flows:
        if not flow.other_app:
            flows[keys[flow.id]].append(flow)
    for finding in report.findings:
        own = (finding.data or "", finding.recipient.host if finding.recipient else "")
        for key in dict.fromkeys(keys[name] for name in finding.flows if name in keys) or (own,):
            findings[key].append(finding)
    made = [
        Group(
            *key,
            tuple(sorted(flows[key], key=lambda flow: flow.at)),
            tuple(
                sorted(findings[key], key=lambda each: (LEVELS.index(each.level), CONFIDENCES.index(each.confidence)))
            ),
        )
        for key in dict.fromkeys((*findings, *flows))
    ]
    return sorted(made, key=_badness)


def _badness(group: Group) -> tuple[int, int, int]:
    if group.level is None or group.confidence is None:
        return len(LEVELS), 0, 0
    return LEVELS.index(group.level), CONFIDENCES.index(group.confidence), -len(group.rules)


def sentence(group: Group, report: Report, words: Words) -> str:
    """What went to whom, and when in terms of what the user had been asked and had answered; of a group without flows,
    what its worst rule says."""
    if not group.flows:
        title = words.of(group.findings[0].title)
        return plain(f"{words.data(group.data)}{words('colon')}{title}" if group.data else title)
    moments = list(_moments(group, report, words))
    when = words("and_again").join(filter(None, (words("comma").join(moments[:-1]), moments[-1])))
    return words("went", what=said_what(group, words), host=plain(group.host), when=when)


def said_what(group: Group, words: Words) -> str:
    """The data, with how many of the entries that were read."""
    most = max(group.flows, key=lambda flow: flow.rows or 0, default=None)
    data = words.data(group.data)
    if most is None or not most.rows or not most.rows_read:
        return data
    return words("entries_of", rows=f"{most.rows:,}", rows_read=f"{most.rows_read:,}", data=data)


def _moments(group: Group, report: Report, words: Words) -> Iterator[str]:
    """When it went, once for each state of consent, in order of time."""
    steps = consent_steps(report)
    states: dict[tuple[ConsentName, bool], list[Flow]] = defaultdict(list)
    for flow in group.flows:
        states[flow.consent, flow.consent_assumed].append(flow)
    for (state, assumed), flows in states.items():
        said = words(f"when_assumed_{'given' if state == 'given' else 'none'}") if assumed else ""
        said = said or _moment(state, flows[0], steps, words)
        yield said if len(flows) == 1 else words("when_times", when=said, count=f"{len(flows):,}")


def _moment(state: ConsentName, first: Flow, steps: list[Step], words: Words) -> str:
    if state in ("not_shown", "requested"):
        later = next((step for step in steps if step.at > first.at and step.state != state), None)
        if later is None:
            return words(f"when_{state}_for_good")
        gap: timedelta = later.at - first.at
        answered = later.state not in ("requested", "dismissed", "unseen_answer")
        before = "when_requested" if state == "requested" and answered else "when_not_shown"
        if state == "requested" and not answered:
            return words("when_requested_for_good")
        return words(before, span=span(gap.total_seconds()))
    step = step_for(steps, first.at, state)
    label = plain(step.event.text or "") if step and step.event.signal in ("tap", "dialog") else ""
    if label and len(label) <= LABEL and state in ("given", "refused", "withdrawn"):
        return words("when_label", label=label)
    return words(f"when_{state}")
