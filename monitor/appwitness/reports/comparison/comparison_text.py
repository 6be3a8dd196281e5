"""The comparison for a terminal: the runs, then a table for each thing that it comes to."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from appwitness.findings import Comparison, Pattern
from appwitness.reports.comparison.table import Cell, ComparisonRow, ComparisonTable
from appwitness.reports.printed import printed
from appwitness.reports.words import Words, plain

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
    """The comparison as text; `width` and `colour` are those of standard output unless given."""
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
