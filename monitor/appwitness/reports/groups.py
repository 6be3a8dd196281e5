"""What a report tells of, worst first: each kind of data at each recipient, and the findings that nothing left for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from appwitness.findings import Finding, Flow, Report
from appwitness.findings.people import label
from appwitness.reports.verdict import Graded, SentData, sent, went, worst_first
from appwitness.reports.words import Words, capital, plain


@dataclass(frozen=True)
class DataAtRecipient(Graded):
    """One kind of data at one recipient; without a recipient, what findings say of reads and of questions."""

    data: str
    """Empty: the findings are about no kind of data."""
    host: str
    """Empty: nothing was sent, or it was not seen to be."""
    sent: SentData | None = None

    def label(self, words: Words) -> str:
        """The kind of data; of what identifies few people, how many of how many; empty where it is about none."""
        data = words.data(self.data) if self.data else ""
        return label(self.sent.people, data, words.lang) if self.sent else data

    @property
    def flows(self) -> tuple[Flow, ...]:
        """In order of time."""
        return self.sent.flows if self.sent else ()


def groups(report: Report) -> list[DataAtRecipient]:
    """The groups of a report, worst first."""
    made = [DataAtRecipient(each.findings, each.data, each.recipient.host, each) for each in sent(report)]
    told = {id(finding) for group in made for finding in group.findings}
    rest: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in worst_first(report):
        if id(finding) not in told:
            rest[finding.data or "", finding.recipient.host if finding.recipient else ""].append(finding)
    made += [DataAtRecipient(tuple(findings), *key) for key, findings in rest.items()]
    return sorted(made, key=lambda group: group.rank)


def sentence(group: DataAtRecipient, report: Report, words: Words) -> str:
    """What went to whom and when, without a full stop; of a group without flows, what its worst rule says."""
    if group.sent:
        said = went(report, group.sent, words)
    else:
        title = plain(words.of(group.findings[0].title))
        said = f"{words.data(group.data)}{words('colon')}{title}" if group.data else title
    return capital(said)
