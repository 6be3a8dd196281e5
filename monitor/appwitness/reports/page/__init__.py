"""Prepares a report for the page template: bounded, and in the reader's language."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from appwitness.findings import LEVELS, Report
from appwitness.reports.page import sections
from appwitness.reports.page.by_hand import by_hand
from appwitness.reports.page.cards import Card, Cards
from appwitness.reports.page.flows import ShownFlows
from appwitness.reports.page.sections import ROWS, Bar, bars
from appwitness.reports.time_axis import clock, clocks, span
from appwitness.reports.timeline import Picture, picture
from appwitness.reports.verdict import VerdictLine, groups, verdict
from appwitness.reports.watched import (
    assumption,
    case,
    declared_rows,
    device,
    files,
    integrity,
    is_sound,
    plan,
    watched,
)
from appwitness.reports.words import Words, cut, plain
from appwitness.support.spoken import heard

FEW = 12
"""More cards than this are listed by recipient, one page of them at a time."""
CARDS = 300
"""Maximum number of cards on the whole page; the JSON report has all of them."""
PAGE = 25
"""Cards on one page of a recipient."""
STRIP = 4
"""Rows of the table on the first screen, one for each of the worst groups."""


class Sheet(NamedTuple):
    """One page of a recipient's cards."""

    first: int
    last: int
    cards: list[Card]


class Shelf(NamedTuple):
    """The cards of one recipient."""

    host: str
    level: str
    number: int
    sheets: list[Sheet]


class Opening(NamedTuple):
    """What a report begins with: the worst finding, what was watched, and the most serious groups."""

    verdict: VerdictLine
    headline: str
    """The worst finding in one sentence; otherwise the result of the recording."""
    objected: bool
    """Whether a rule objects to anything."""
    warning: str
    """The statement that the recording is not what its stamps say; empty if it is."""
    bars: list[Bar]
    gaps: int
    strip: list[Card]
    """What was sent, to whom, when and how sure, for the worst groups."""
    more: int
    """Groups that are not in the strip."""


def opening(report: Report, words: Words) -> Opening:
    """The opening alone: for a large report, the rest takes much longer."""
    made = groups(report)
    return _opened(
        report,
        words,
        verdict(report, words),
        list(Cards(report, words, ShownFlows(report, words)).of(made[:STRIP])),
        len(made),
    )


def _opened(report: Report, words: Words, came_to: VerdictLine, cards: list[Card], number: int) -> Opening:
    objected = next((card for card in cards if card.level), None)
    return Opening(
        verdict=came_to,
        headline=objected.said if objected else came_to.line,
        objected=objected is not None,
        warning="" if is_sound(report) else f"{words('verified')}{words('colon')}{integrity(report, words)}",
        bars=bars(report, words),
        gaps=len(report.gaps),
        strip=cards[:STRIP],
        more=max(0, number - STRIP),
    )


class Page:
    """Everything that the template uses."""

    def __init__(self, report: Report, words: Words, reveal: bool) -> None:
        self.report = report
        self.words = words
        self.reveal = reveal
        self.verdict: VerdictLine = verdict(report, words)
        self._show = ShownFlows(report, words)
        made = groups(report)
        self.all_cards = list(Cards(report, words, self._show).of(made[:CARDS]))
        self.more_cards = max(0, len(made) - CARDS)
        self.cards = [card for card in self.all_cards if card.level]
        self.others = [card for card in self.all_cards if not card.level]
        self.shown = {card.block.flow.id for card in self.all_cards if card.block}
        self.picture: Picture | None = picture(report, words, self._cards_of_lines())
        self.opening = _opened(report, words, self.verdict, self.all_cards, len(self.all_cards))
        self.dialogs = list(sections.dialogs(report, words, reveal))
        self.rows = [self._show.row(flow, flow.id in self.shown) for flow in report.flows[:ROWS]]
        self.more_rows = max(0, len(report.flows) - ROWS)
        self.consents = sections.consents(report, words)
        self.gaps = sections.gaps(report.gaps, words)
        self.limits = sections.gaps(report.limits, words)
        self.declared = declared_rows(report, words)
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
        self.audit = sections.audited(report, words)
        self.changes = sections.changes(report, words)
        notes = [(note, heard(note, words.lang)) for note in report.run.notes[:ROWS]]
        self.notes = [(cut(said), said == note) for note, said in notes]
        """Each note, and whether it is in English."""

    @property
    def about(self) -> list[str]:
        """App, device, plan and time."""
        words, run = self.words, self.report.run
        version = f" {run.app.version}" if run.app.version else ""
        seen_on = device(self.report.run, words) if run.imported else run.device.model or run.device.serial
        said = [f"{run.app.package}{version}", seen_on]
        if not run.imported:
            said.append(plan(self.report, words))
        said.append(f"{run.started:%Y-%m-%d %H:%M} UTC")
        return [plain(each) for each in said]

    @property
    def shelves(self) -> list[Shelf]:
        """The cards by recipient, worst first; those without a recipient are one shelf."""
        hosts: dict[str, list[Card]] = {}
        for card in self.cards:
            hosts.setdefault(card.host, []).append(card)
        return [
            Shelf(
                host or self.words("without_recipient"),
                cards[0].level,
                len(cards),
                [Sheet(at + 1, min(at + PAGE, len(cards)), cards[at : at + PAGE]) for at in range(0, len(cards), PAGE)],
            )
            for host, cards in hosts.items()
        ]

    @property
    def levels(self) -> list[tuple[str, int]]:
        """The number of cards of each level, for filtering."""
        counts = Counter(card.level for card in self.cards)
        return [(level, counts[level]) for level in LEVELS if counts[level]]

    @property
    def states(self) -> list[tuple[str, str, int]]:
        """The number of cards in each state of consent, for filtering."""
        counts = Counter((state, said) for card in self.cards for state, said, _ in card.states)
        return [(state, said, count) for (state, said), count in counts.items()]

    @property
    def few(self) -> bool:
        """Whether there are few enough cards to list them one by one."""
        return len(self.cards) <= FEW

    @property
    def seal(self) -> str:
        """Digest of the last stamp, for the foot of each sheet."""
        return (self.report.verified.digest or "") if self.report.verified else ""

    def _cards_of_lines(self) -> dict[str, int]:
        """Upload or access -> the card about it."""
        numbers: dict[str, int] = {}
        of = {(card.kind, card.host): card.number for card in self.all_cards}
        for flow in self.report.flows:
            number = of.get((flow.data, plain(flow.recipient.host)))
            if number is not None:
                for ref in (flow.access, flow.upload):
                    if ref:
                        numbers.setdefault(ref, number)
        return numbers

    @property
    def facts(self) -> list[tuple[str, str]]:
        """App, device, plan, and the user's answers."""
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
            *(() if run.imported else [(words("plan"), plan(report, words))]),
            (words("answer"), self._answer()),
            (words("watched"), watched(self.report, words)),
            (words("observed"), observed),
            (words("verified"), integrity(report, words)),
        ]
        if self.report.assumed_consent:
            facts.append((words("assumption"), assumption(self.report, words)))
        if run.clock or not run.clocks_compared:
            facts.append((words("clocks"), clocks(run, words)))
        if run.operator:
            facts.append((words("operator"), run.operator))
        facts += case(run, words)
        return [(name, plain(text)) for name, text in facts]

    def _answer(self) -> str:
        if not self._show.steps:
            return self.words("consent_never" if self.report.observers.consent else "consent_unwatched")
        last = self._show.steps[-1]
        text = f" “{last.event.text}”" if last.event.text else ""
        comma = self.words("comma")
        by = f"{comma}{self.words(f'by_{last.event.by}')}" if last.state != "requested" else ""
        return f"{self.words(f'consent_{last.state}')}{text}{by}{comma}{clock(last.at)} ({last.ref})"
