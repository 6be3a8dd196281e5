"""What a report tells of, worst first: each kind of data at each recipient, and the findings that nothing left for."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from monitor.findings import CONFIDENCES, LEVELS, Confidence, Finding, Flow, Level, Report
from monitor.reports.verdict import Sent, sent, went, worst_first
from monitor.reports.words import Words, plain


class Group(NamedTuple):
    """One kind of data at one recipient; without a recipient, what findings say of reads and of questions."""

    data: str
    """Empty: the findings are about no kind of data."""
    host: str
    """Empty: nothing was sent, or it was not seen to be."""
    findings: tuple[Finding, ...]
    """Worst first; none where no rule objects."""
    sent: Sent | None = None

    @property
    def flows(self) -> tuple[Flow, ...]:
        """In order of time."""
        return self.sent.flows if self.sent else ()

    @property
    def level(self) -> Level | None:
        """The worst."""
        return self.findings[0].level if self.findings else None

    @property
    def confidence(self) -> Confidence | None:
        """That of the worst finding that is surest."""
        return self.findings[0].confidence if self.findings else None


def groups(report: Report) -> list[Group]:
    """The groups of a report, worst first."""
    made = [Group(each.data, each.recipient.host, each.findings, each) for each in sent(report)]
    told = {id(finding) for group in made for finding in group.findings}
    rest: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in worst_first(report):
        if id(finding) not in told:
            rest[finding.data or "", finding.recipient.host if finding.recipient else ""].append(finding)
    made += [Group(*key, tuple(findings)) for key, findings in rest.items()]
    return sorted(made, key=_badness)


def _badness(group: Group) -> tuple[int, int, int]:
    if group.level is None or group.confidence is None:
        return len(LEVELS), 0, 0
    rules = {finding.rule for finding in group.findings}
    return LEVELS.index(group.level), CONFIDENCES.index(group.confidence), -len(rules)


def sentence(group: Group, report: Report, words: Words) -> str:
    """What went to whom and when, without a full stop; of a group without flows, what its worst rule says."""
    if group.sent:
        said = went(report, group.sent, words)
    else:
        title = plain(words.of(group.findings[0].title))
        said = f"{words.data(group.data)}{words('colon')}{title}" if group.data else title
    return said[:1].upper() + said[1:]
