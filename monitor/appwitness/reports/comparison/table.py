"""What a comparison shows, in words: its runs, its rows under what they come to, and the candidates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from appwitness.events import Ref
from appwitness.findings import ComparedRow, Comparison, Pattern
from appwitness.reports.integrity import integrity
from appwitness.reports.phrases import who
from appwitness.reports.words import Words, plain

VALUES = 3
"""Values of a row that are shown; all of them are in the JSON."""


@dataclass(frozen=True)
class Cell:
    """What one run showed of a row, in one state of consent."""

    state: str
    consent: str
    count: int
    ref: Ref


@dataclass(frozen=True)
class ComparisonRow:
    """One row: what, of which values, from where, to whom, and when in each run."""

    what: str
    data: str
    values: tuple[str, ...]
    more: int
    source: str
    host: str
    who: str
    cells: tuple[tuple[Cell, ...], ...]
    """One entry a run; empty: that run did not show it."""
    also: tuple[str, ...]
    """What else it comes to."""


@dataclass(frozen=True)
class Head:
    """One of the runs."""

    number: int
    recording: str
    answer: str
    plan: str
    answers: str
    version: str
    persona: int
    findings: int
    gaps: int


class ComparisonTable:
    """The comparison, ready to be laid out."""

    def __init__(self, comparison: Comparison, words: Words) -> None:
        self.comparison = comparison
        self.words = words
        self.runs = tuple(self._heads())
        self.run_names = [f"{head.number} {head.answer}" for head in self.runs]
        self.groups = tuple(self._groups())
        self.differ = tuple(words(f"differ_{what}") for what in comparison.differ)
        self.integrity = tuple(
            f"{words('run_number')} {number}{words('colon')}{integrity(each, words)}"
            for number, each in enumerate(comparison.runs, start=1)
        )
        live = not any(each.run.imported for each in comparison.runs)
        self.times_note = words("times_note" if live else "times_note_mixed")
        self.limits = words("comparison_limits", gaps=sum(each.gaps for each in comparison.runs))
        if comparison.assumed_consent:
            self.limits += words("space") + words(f"assumed_{comparison.assumed_consent}")

    def _heads(self) -> Iterator[Head]:
        words = self.words
        for number, each in enumerate(self.comparison.runs, start=1):
            run = each.run
            unasked = "not_observed" if each.answer == "not_observed" else "not_shown"
            yield Head(
                number=number,
                recording=plain(each.recording),
                answer=words(f"answer_{each.answer}"),
                plan="–" if run.imported else words(f"plan_{run.plan}"),
                answers=" › ".join(words(f"consent_{state}") for state in each.answers or (unasked,)),
                version=plain(run.app.version or words("unknown")),
                persona=each.persona,
                findings=each.findings,
                gaps=each.gaps,
            )

    def _groups(self) -> Iterator[tuple[Pattern, str, str, list[ComparisonRow]]]:
        """Pattern, its name, what it means, and the rows of which it is the first."""
        rows: dict[Pattern, list[ComparisonRow]] = {}
        for row in self.comparison.rows:
            rows.setdefault(row.patterns[0], []).append(self._row(row))
        for pattern, members in rows.items():
            yield pattern, self.words(f"pattern_{pattern}"), self.words(f"pattern_{pattern}_means"), members

    def _row(self, row: ComparedRow) -> ComparisonRow:
        words = self.words
        shown = list(dict.fromkeys(plain(value.text) for value in row.values))
        recipient = row.recipient
        return ComparisonRow(
            what=words(f"what_{row.what}"),
            data=words.data(row.data),
            values=tuple(shown[:VALUES]),
            more=max(0, len(row.values) - VALUES),
            source=plain(row.source or ""),
            host=plain(recipient.host) if recipient else "",
            who=who(recipient, words) if recipient else "",
            cells=tuple(
                tuple(
                    Cell(occurrence.consent, words(f"consent_{occurrence.consent}"), occurrence.count, occurrence.ref)
                    for occurrence in row.seen
                    if occurrence.recording == each.recording
                )
                for each in self.comparison.runs
            ),
            also=tuple(words(f"pattern_{pattern}") for pattern in row.patterns[1:]),
        )
