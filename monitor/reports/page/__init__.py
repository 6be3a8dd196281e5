"""What the page shows, made ready for its template: bounded, and in words of the reader's language."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from monitor.events import Access
from monitor.findings import LEVELS, Finding, Report
from monitor.reports import declared
from monitor.reports.articles import by_jurisdiction, cited
from monitor.reports.ends import code as code_words
from monitor.reports.integrity import integrity, is_sound
from monitor.reports.page import sections
from monitor.reports.page.by_hand import by_hand
from monitor.reports.page.flows import Block, Flows, Place, Row
from monitor.reports.page.sections import ROWS, ranges
from monitor.reports.time_axis import clock, clocks, span
from monitor.reports.timeline import Picture, picture
from monitor.reports.verdict import Verdict, verdict, worst_first
from monitor.reports.watched import assumption, consent, device, files, watched
from monitor.reports.words import Words, plain

FEW = 15
"""More findings than this are listed by rule, with their evidence folded."""
BLOCKS = 3
"""Flows of a finding that are shown in full; the others are one row each."""
ALL_BLOCKS = 120
"""Flows that are shown in full on the whole page."""


@dataclass(frozen=True)
class Card:
    """A finding with its evidence."""

    number: int
    finding: Finding
    title: str
    detail: str
    facts: tuple[tuple[str, str, str], ...]
    """Name, text, and a small note."""
    blocks: tuple[Block, ...]
    reads: tuple[Place, ...]
    lines: tuple[dict[str, str], ...]
    """Consent lines and changes of the app's state that it rests on."""
    articles: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Name of a jurisdiction; how each of its articles is cited, and what it says."""
    all_evidence: tuple[str, ...]
    """Every line it rests on, neighbours as one: `accesses.jsonl:17-36`."""
    elsewhere: tuple[str, ...]
    """Flows that another finding shows in full."""
    rows: tuple[Row, ...]
    more_rows: int


class Page:
    """Everything that the template asks for."""

    def __init__(self, report: Report, words: Words, reveal: bool) -> None:
        self.report = report
        self.words = words
        self.reveal = reveal
        self.verdict: Verdict = verdict(report, words)
        self.warning = "" if is_sound(report) else f"{words('verified')}{words('colon')}{integrity(report, words)}"
        self.picture: Picture | None = picture(report, words)
        self._flows = {flow.id: flow for flow in report.flows}
        self._show = Flows(report, words)
        self._shown: set[str] = set()
        self.cards = [self._card(number, finding) for number, finding in enumerate(worst_first(report), start=1)]
        self.rows = [self._show.row(flow, flow.id in self._shown) for flow in report.flows[:ROWS]]
        self.consents = sections.consents(report, words)
        self.gaps = sections.gaps(report, words)
        self.declared = declared.rows(report, words)
        self.rules = sections.rules(report, words)
        self.coverage = sections.coverage(report, words)
        self.run_facts = sections.run_facts(report, words)
        self.persona = sections.persona(report, words)
        self.persona_title = words("persona_declared" if report.observers.persona == "declared" else "persona")
        self.no_flows = words("no_values" if "values" in report.observers.missing else "no_flows")
        self.times_note = words("times_note_imported" if report.run.imported else "times_note")
        self.unasked = words("consent_never" if report.observers.consent else "consent_unwatched")
        self.meanings = sections.meanings(words)
        self.by_hand = by_hand(report, words)
        self.more_rows = max(0, len(report.flows) - ROWS)

    # The head of the page.

    @property
    def contents(self) -> list[tuple[str, str, list[Card]]]:
        """Level, title and findings, one entry a rule; where there are few findings, one entry each."""
        if len(self.cards) <= FEW:
            return [(card.finding.level, card.title, [card]) for card in self.cards]
        groups: dict[tuple[str, str], list[Card]] = {}
        for card in self.cards:
            groups.setdefault((card.finding.level, card.title), []).append(card)
        return [(level, title, cards) for (level, title), cards in groups.items()]

    @property
    def few(self) -> bool:
        """Whether the evidence of each finding may stand open."""
        return len(self.cards) <= FEW

    @property
    def tiles(self) -> list[tuple[str, str, str]]:
        """Numbers to begin with: how many, of what, and in which tone."""
        words, report = self.words, self.report
        levels = Counter(finding.level for finding in report.findings)
        worst = next((level for level in LEVELS if levels[level]), "none")
        recipients = {flow.recipient.host for flow in report.flows}
        return [
            (f"{len(report.findings):,}", words("findings"), worst),
            (f"{len(report.flows):,}", words("flows"), "plain"),
            (f"{len(recipients):,}", words("recipients"), "plain"),
            (f"{len(report.accesses):,}", words("accesses"), "plain"),
            (f"{len(report.uploads):,}", words("uploads"), "plain"),
            (f"{len(report.gaps):,}", words("gaps"), "gaps" if report.gaps else "plain"),
        ]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Which app, which device, which plan, and what the user answered."""
        words, report, run = self.words, self.report, self.report.run
        version = f" {run.app.version}" if run.app.version else ""
        code = f" ({run.app.version_code})" if run.app.version_code else ""
        parts = [run.device.model or run.device.serial, words(f"device_{run.device.kind}")]
        if run.device.release:
            parts.append(f"{words('android')} {run.device.release}")
        if run.device.api_level:
            parts.append(f"{words('api_level')} {run.device.api_level}")
        seen_on = device(run, words) if run.imported else ", ".join(filter(None, parts))
        observed = f"{run.started:%Y-%m-%d} {clock(run.started)}"
        if run.ended:
            observed += f" – {clock(run.ended)} UTC ({span((run.ended - run.started).total_seconds())})"
        facts = [
            (words("app"), f"{run.app.package}{version}{code}"),
            (words("device"), seen_on),
            *((words("imported_file"), file) for file in files(self.report, words)),
            *(() if run.imported else [(words("plan"), words(f"plan_{run.plan}"))]),
            (words("answer"), self._answer()),
            (words("watched"), watched(self.report, words)),
            (words("observed"), observed),
            (words("verified"), integrity(report, words)),
        ]
        if self.report.assumed_consent:
            facts.append((words("assumption"), assumption(self.report, words)))
        if run.unpin:
            facts.append((words("pinning"), words("unpinned")))
        if run.clock:
            facts.append((words("clocks"), words("clocks_agree", **clocks(run))))
        if run.operator:
            facts.append((words("operator"), run.operator))
        return [(name, plain(text)) for name, text in facts]

    def _answer(self) -> str:
        if not self._show.steps:
            return self.words("consent_never" if self.report.observers.consent else "consent_unwatched")
        last = self._show.steps[-1]
        text = f" “{last.event.text}”" if last.event.text else ""
        comma = self.words("comma")
        by = f"{comma}{self.words(f'by_{last.event.by}')}" if last.state != "requested" else ""
        return f"{self.words(f'consent_{last.state}')}{text}{by}{comma}{clock(last.at)} ({last.ref})"

    # Findings.

    def _card(self, number: int, finding: Finding) -> Card:
        words = self.words
        facts = [(words("rule"), finding.rule, ", ".join(finding.kinds))]
        if finding.data:
            facts.append((words("data"), words.data(finding.data), ""))
        for name, end in (("code_read", finding.read_by), ("code_sent", finding.sent_by)):
            if end:
                facts.append((words(name), code_words(end, words), end.ref))
        if finding.recipient:
            facts.append((words("recipient"), finding.recipient.host, self._show.who(finding.recipient)))
        if finding.consent:
            facts.append((words("consent_then"), consent(finding, words), ""))
        facts.append(
            (
                words("confidence"),
                words(f"confidence_{finding.confidence}"),
                words(f"confidence_{finding.confidence}_means"),
            )
        )
        if finding.count > 1:
            facts.append((words("count"), f"{finding.count:,}", ""))
        if finding.uncovered:
            facts.append((words("uncovered"), words("comma").join(finding.uncovered[:ROWS]), words("uncovered_means")))
        if finding.references:
            facts.append((words("references"), "; ".join(finding.references), ""))
        of = [self._flows[name] for name in finding.flows if name in self._flows]
        room = min(BLOCKS, max(0, ALL_BLOCKS - len(self._shown)))
        elsewhere = tuple(flow.id for flow in of if flow.id in self._shown)
        fresh = [flow for flow in of if flow.id not in self._shown]
        self._shown |= {flow.id for flow in fresh[:room]}
        rest = fresh[room:]
        # What a finding on what was sent says of a read stands in its flows.
        refs = () if of and finding.recipient else finding.evidence
        reads = [ref for ref in refs if isinstance(self.report.evidence.get(ref), Access)]
        return Card(
            number=number,
            finding=finding,
            title=words.of(finding.title),
            detail=plain(words.of(finding.detail)),
            facts=tuple((name, plain(text), plain(note)) for name, text, note in facts),
            blocks=tuple(self._show.block(flow) for flow in fresh[:room]),
            reads=tuple(self._show.read(ref) for ref in reads[:BLOCKS]),
            lines=tuple(sections.lines(self.report, finding.evidence, words)),
            articles=tuple(
                (name, tuple((plain(cited(each, words)), plain(words.of(each.says))) for each in members))
                for name, members in by_jurisdiction(finding.articles, words)
            ),
            all_evidence=tuple(ranges(finding.all_evidence)),
            elsewhere=elsewhere[:ROWS],
            rows=tuple(self._show.row(flow, has_block=False) for flow in rest[:ROWS]),
            more_rows=max(0, len(rest) - ROWS),
        )
