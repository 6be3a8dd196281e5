"""Renders a comparison of runs for a terminal, a program or a browser; masked once, then rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from appwitness.events import Ref, Value
from appwitness.findings import Candidate, ComparedRow, Comparison, Pattern, Report
from appwitness.findings.mask import Mask, changed, known_values, mask_value
from appwitness.reports.phrases import who
from appwitness.reports.printed import printed
from appwitness.reports.watched import integrity
from appwitness.reports.words import Words, plain
from appwitness.support import escape
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

FORMATS = ("text", "json", "html")


def render(
    comparison: Comparison, format: str, *, of: Sequence[Report] = (), reveal: bool = False, lang: str = "en"
) -> str:
    """The comparison in one of FORMATS. `of`: the compared reports, whose values are masked unless `reveal`.

    Raises UserError for an unknown format or language.
    """
    if format not in FORMATS:
        raise UserError(
            Spoken("There is no comparison format {format!r}.", format=format),
            Spoken("Choose one of {formats}.", formats=", ".join(FORMATS)),
        )
    words = Words(lang)
    shown = comparison if reveal else masked(comparison, of)
    if format == "json":
        tree = {**shown.model_dump(mode="json"), "masked": not reveal}
        return escape.document(tree)
    if format == "text":
        from appwitness.reports.comparison import text

        return text(shown, words)
    from appwitness.reports.comparison import ComparisonTable
    from appwitness.reports.html import fill

    return fill("comparison.html", words, table=ComparisonTable(shown, words), comparison=shown, reveal=reveal)


def masked(comparison: Comparison, of: Sequence[Report] = ()) -> Comparison:
    """The same comparison with every personal value masked, wherever it occurs."""
    values = [value for report in of for value in known_values(report)]
    values += [value for row in comparison.rows for value in row.values]
    values += [value for each in comparison.runs for value in each.run.persona]
    mask = Mask(values)

    def candidate(of: Candidate) -> Candidate:
        """The text of a candidate is unknown and may be a value in a form that nobody recognised: only its ends are
        shown."""
        seen = partial(changed, text=partial(mask_value, ""))
        return changed(of, host=mask.host, path=mask.excerpt, leaf=mask.name, seen=seen)

    def value(of: Value) -> Value:
        return changed(of, text=partial(mask_value, of.type))

    return changed(
        comparison,
        runs=partial(changed, run=mask.run),
        rows=partial(changed, values=value, recipient=mask.event),
        candidates=candidate,
    )


# the comparison in words: its runs, its rows grouped by their first pattern, and the candidates

SHOWN_VALUES = 3
"""Maximum number of values shown for a row; the JSON has all of them."""


@dataclass(frozen=True)
class Cell:
    """What one run showed for a row, under one state of consent."""

    state: str
    consent: str
    count: int
    ref: Ref


@dataclass(frozen=True)
class ComparisonRow:
    """One row: what happened to which values, from where, to whom, and when in each run."""

    what: str
    data: str
    values: tuple[str, ...]
    more: int
    source: str
    host: str
    who: str
    cells: tuple[tuple[Cell, ...], ...]
    """One entry for each run; empty: that run did not show it."""
    also: tuple[str, ...]
    """The other patterns that it fits."""


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
    """The comparison, ready for layout."""

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
        """Each pattern with its name, its meaning, and the rows whose first pattern it is."""
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
            values=tuple(shown[:SHOWN_VALUES]),
            more=max(0, len(row.values) - SHOWN_VALUES),
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


# the comparison for a terminal: the runs, then a table for each pattern

TONES: dict[Pattern, str] = {
    "after_withdrawal": "bold red",
    "after_refusal": "bold red",
    "before_answer": "bold yellow",
    "not_observed": "bold",
    "regardless": "bold yellow",
    "after_yes": "bold",
    "only_after_yes": "bold green",
}


def text(comparison: Comparison, words: Words, width: int | None = None, colour: bool | None = None) -> str:
    """The comparison as text; `width` and `colour` default to those of standard output."""
    return printed(_parts(comparison, words), width, colour)


def _parts(comparison: Comparison, words: Words) -> Iterable[RenderableType]:
    table = ComparisonTable(comparison, words)
    title = words("compared_line", package=plain(comparison.package), runs=len(table.runs))
    yield Text(title, style="bold")
    yield _runs(table, words)
    for sentence in (*table.integrity, *table.differ, table.limits):
        yield Text(sentence, style="dim")
    if not table.groups:
        yield ""
        yield Text(words("comparison_empty"))
    for pattern, name, meaning, rows in table.groups:
        yield ""
        yield Text(name, style=TONES[pattern]) + Text(f"{words('colon')}{meaning}", style="dim")
        yield _rows(rows, table, words)
    if comparison.candidates:
        yield ""
        yield Text(words("candidates"), style="bold")
        yield Text(words("candidates_caption"), style="dim")
        yield _candidates(comparison, words)


def _runs(table: ComparisonTable, words: Words) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("run_number", "compared_answer", "plan", "recording", "version", "findings", "gaps"):
        grid.add_column(words(name).capitalize(), overflow="fold")
    for head in table.runs:
        grid.add_row(
            *map(Text, (str(head.number), head.answer, head.plan, head.recording, head.version)),
            Text(str(head.findings)),
            Text(str(head.gaps)),
        )
    return grid


def _rows(rows: Iterable[ComparisonRow], table: ComparisonTable, words: Words) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), leading=1)
    grid.add_column(words("data"), overflow="fold", ratio=1)
    for head in table.runs:
        grid.add_column(f"{head.number} {head.answer}", overflow="fold", max_width=16)
    for row in rows:
        grid.add_row(_about(row, words), *(_cell(cells, words) for cells in row.cells))
    return grid


def _about(row: ComparisonRow, words: Words) -> RenderableType:
    values = words("comma").join(row.values) + (f" {words('and_more', count=row.more)}" if row.more else "")
    lines = [Text(f"{row.what}{words('colon')}{row.data}", style="bold")]
    if values:
        lines.append(Text(values))
    if row.source:
        lines.append(Text(row.source, style="dim"))
    if row.host:
        lines.append(Text(f"> {row.host} ({row.who})"))
    if row.also:
        lines.append(Text(f"{words('also')}{words('colon')}{words('comma').join(row.also)}", style="dim"))
    return Group(*lines)


def _cell(cells: tuple[Cell, ...], words: Words) -> RenderableType:
    if not cells:
        return Text(words("not_seen"), style="dim")
    lines: list[Text] = []
    for cell in cells:
        lines.append(Text(f"{cell.consent} {words('times', count=cell.count)}"))
        lines.append(Text(cell.ref, style="dim"))
    return Group(*lines)


def _candidates(comparison: Comparison, words: Words) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), leading=1)
    grid.add_column(words("field"), overflow="fold", ratio=1)
    grid.add_column(words("evidence"), overflow="fold")
    numbers = {each.recording: number for number, each in enumerate(comparison.runs, start=1)}
    for each in comparison.candidates:
        note = words("candidate_steady" if each.steady else "candidate_once")
        grid.add_row(
            Group(
                Text(plain(each.leaf), style="bold"),
                Text(plain(f"{each.method} {each.host}{each.path}")),
                Text(f"{words(f'confidence_{each.confidence}')}{words('comma')}{note}", style="dim"),
            ),
            Group(*(Text(plain(f"{numbers[one.recording]}: {one.text} ({one.ref})")) for one in each.seen)),
        )
    return grid
