"""A card for each data type and recipient: what was sent, when, how sure, by which rules, and the evidence."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appwitness.events import Access
from appwitness.findings import Finding, Report
from appwitness.findings.chain import Chains
from appwitness.reports.frames import caller
from appwitness.reports.page import sections
from appwitness.reports.page.flows import Block, FlowEnd, FlowTableRow, ShownFlows
from appwitness.reports.page.sections import ROWS, ranges
from appwitness.reports.phrases import ReasonStep, by_jurisdiction, cited, code, steps, who
from appwitness.reports.timeline import PartPictures, Picture
from appwitness.reports.verdict import DataAtRecipient, objection, sentence
from appwitness.reports.watched import consent
from appwitness.reports.words import Words, plain

BLOCKS = 40
"""Maximum number of cards whose first flow is shown in full."""
CODES = 4
RANGES = 400
"""Maximum number of ranges of lines listed for a finding; a page lists them only once."""
READS = 2
"""Maximum number of reads shown on a card without flows."""


@dataclass(frozen=True)
class Tag:
    """A rule that objects."""

    rule: str
    id: str
    anchor: str
    """The id of the finding where it first appears on the page; empty elsewhere."""
    kinds: str
    title: str
    level: str
    detail: str
    confidence: str
    """Empty if it is the same as the card's."""
    count: int
    evidence: tuple[str, ...]
    """The most telling lines."""
    all_evidence: tuple[str, ...]
    """Every line that it rests on, consecutive ones as a range: `accesses.jsonl:17-36`; empty if these are the lines
    above."""
    more_evidence: str
    """How many of these are left out, and where they are."""
    listed_on: int
    """The number of the card that lists them."""
    number_of_lines: int
    uncovered: str
    articles: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Name of each jurisdiction; how each of its articles is cited, and what it says."""


@dataclass(frozen=True)
class Card:
    """One group, ready for the page."""

    number: int
    level: str
    """Empty: no rule objects."""
    kind: str
    """Code of the data type; empty if it is about none."""
    data: str
    host: str
    who: str
    """Name, party and country."""
    why_who: str
    """The same, with the reason."""
    said: str
    objection: str
    """What the rules object to, in a few words; empty if no rule does."""
    states: tuple[tuple[str, str, str], ...]
    """Each state of consent once, in order of time: its code, its words, and how many flows."""
    confidence: str
    means: str
    chance: str
    """An upper bound of the probability of a coincidence; empty if no value was matched."""
    codes: tuple[tuple[str, str], ...]
    """Who read it and who sent it: a title, and the code with the SDK's maker."""
    tags: tuple[Tag, ...]
    chain: tuple[ReasonStep, ...]
    """How its first flow was concluded, otherwise its worst finding."""
    cleartext: bool
    block: Block | None
    reads: tuple[FlowEnd, ...]
    lines: tuple[dict[str, str], ...]
    """The consent lines and app state changes that it rests on."""
    picture: Picture | None
    """Its reads and uploads, together with what the user was asked and answered."""
    rows: tuple[FlowTableRow, ...]
    """The flows after the first."""
    more_rows: int


class Cards:
    """Makes the cards of one report, in order, the first ones with a flow in full."""

    def __init__(self, report: Report, words: Words, flows: ShownFlows) -> None:
        self.report = report
        self.words = words
        self.flows = flows
        self.chains = Chains(report)
        self.pictures = PartPictures(report, words)
        self._listed: dict[int, int] = {}
        """Finding, by its identity in memory -> the first card with it, which lists all its lines."""
        self._anchors: Counter[str] = Counter()
        ends = [end for finding in report.findings for end in (finding.read_by, finding.sent_by) if end and end.owner]
        self.owners = {plain(end.code): end.owner or "" for end in ends}
        """Code -> its owner, if known."""

    def of(self, groups: Iterable[DataAtRecipient]) -> Iterator[Card]:
        """One card for each group."""
        for number, group in enumerate(groups, start=1):
            yield self._card(number, group)

    def _card(self, number: int, group: DataAtRecipient) -> Card:
        words = self.words
        full = number <= BLOCKS
        rest = group.flows[1:] if full else group.flows
        refs = [ref for each in group.findings for ref in each.evidence]
        reads = [ref for ref in dict.fromkeys(refs) if self.report.line(ref, Access)]
        lines = sections.lines(self.report, dict.fromkeys(refs), words)
        matches = [match for flow in group.flows for match in flow.matches]
        best = max((match.confidence for match in matches if not match.shared), default=0.0)
        confidence = group.confidence
        return Card(
            number=number,
            level=group.level or "",
            kind=group.data,
            data=group.label(words),
            host=plain(group.host),
            who=who(group.flows[0].recipient, words) if group.flows else "",
            why_who=self.flows.who(group.flows[0].recipient) if group.flows else "",
            said=sentence(group, self.report, words),
            objection=objection(self.report, group.sent or group, words),
            states=tuple(self._states(group)),
            confidence=words(f"confidence_{confidence}") if confidence else "",
            means=words(f"confidence_{confidence}_means") if confidence else "",
            chance=words("coincidence", count=f"{round(1 / (1 - min(best, 0.999999))):,}") if best > 0 else "",
            codes=tuple(self._codes(group)),
            tags=tuple(self._tags(group, number)),
            chain=tuple(self._chain(group)) if full else (),
            cleartext=any(flow.cleartext for flow in group.flows),
            block=self.flows.block(group.flows[0]) if full and group.flows else None,
            reads=tuple(self.flows.read(ref) for ref in reads[:READS]) if full and not group.flows else (),
            lines=tuple(lines) if full else (),
            picture=self._picture(group) if full else None,
            rows=tuple(self.flows.row(flow) for flow in rest[: ROWS if full else 1]),
            more_rows=max(0, len(rest) - (ROWS if full else 1)),
        )

    def _chain(self, group: DataAtRecipient) -> list[ReasonStep]:
        chain = self.chains.of_flow(group.flows[0]) if group.flows else self.chains.of(group.findings[0])
        return steps(chain, self.words)

    def _picture(self, group: DataAtRecipient) -> Picture | None:
        lines = {ref for flow in group.flows for ref in (flow.access, flow.upload) if ref}
        return self.pictures.of(lines) if lines else None

    def _states(self, group: DataAtRecipient) -> Iterator[tuple[str, str, str]]:
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for each in group.flows or group.findings:
            if each.consent:
                counts[each.consent, consent(each, self.words)] += 1
        for (state, said), count in counts.items():
            yield state, said, f"{count:,}" if count > 1 else ""

    def _codes(self, group: DataAtRecipient) -> Iterator[tuple[str, str]]:
        """Whose code read it and whose sent it, according to the stacks of its own flows."""
        read: dict[str, None] = {}
        sent: dict[str, None] = {}
        for flow in group.flows[:ROWS]:
            event = self.report.evidence.get(flow.access or "")
            if not flow.other_readers and isinstance(event, Access) and (frame := caller(event.stack, event.owners)):
                read[plain(frame.name)] = None
            if flow.carrier and flow.carrier.code:
                sent[code(flow.carrier.code, self.words)] = None
        for finding in group.findings:
            if not group.flows and finding.read_by:
                read[plain(finding.read_by.code)] = None
        for name, codes in (("code_read", read), ("code_sent", sent)):
            said = [
                self.words("code_of", code=each, owner=plain(self.owners[each])) if each in self.owners else each
                for each in codes
            ]
            if said:
                yield self.words(name), self.words("semicolon").join(said[:CODES])

    def _tags(self, group: DataAtRecipient, number: int) -> Iterator[Tag]:
        for finding in group.findings:
            yield self._tag(finding, group, number)

    def _anchor(self, name: str) -> str:
        """The anchor of a finding; the second with the same id is `v2:3f9c01ab52de-2`."""
        self._anchors[name] += 1
        return f"{name}-{self._anchors[name]}" if self._anchors[name] > 1 else name

    def _tag(self, finding: Finding, group: DataAtRecipient, number: int) -> Tag:
        words = self.words
        whole = len(finding.all_evidence) > len(finding.evidence)
        here = self._listed.setdefault(id(finding), number) == number
        listed = tuple(itertools.islice(ranges(finding.all_evidence), RANGES + 1)) if whole and here else ()
        left = max(0, len(finding.all_evidence) - sum(map(_lines_in, listed[:RANGES])))
        uncovered = words("comma").join(finding.uncovered[:ROWS])
        return Tag(
            rule=plain(finding.rule),
            id=plain(finding.id),
            anchor=self._anchor(finding.id) if here else "",
            kinds=plain(", ".join(finding.kinds)),
            title=plain(words.of(finding.title)),
            level=finding.level,
            detail=plain(words.of(finding.detail)),
            confidence=words(f"confidence_{finding.confidence}") if finding.confidence != group.confidence else "",
            count=finding.count if set(finding.flows) <= {flow.id for flow in group.flows} else 1,
            evidence=tuple(plain(ref) for ref in finding.evidence),
            all_evidence=listed[:RANGES],
            more_evidence=words("more_lines" if here else "lines_elsewhere", count=f"{left:,}")
            if whole and left
            else "",
            listed_on=self._listed[id(finding)],
            number_of_lines=len(finding.all_evidence),
            uncovered=plain(f"{uncovered}{words('stop')}{words('uncovered_means')}") if uncovered else "",
            articles=tuple(
                (name, tuple((plain(cited(each, words)), plain(words.of(each.says))) for each in members))
                for name, members in by_jurisdiction(finding.articles if self.report.laws else (), words)
            ),
        )


def _lines_in(stretch: str) -> int:
    """How many lines a range such as `accesses.jsonl:17-36` covers."""
    first, _, last = stretch.rpartition(":")[2].partition("-")
    return int(last or first) - int(first) + 1
