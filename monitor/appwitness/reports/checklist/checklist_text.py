"""A filled checklist for a terminal, or to be printed as it is."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from appwitness.reports import printed
from appwitness.reports.checklist import TONES, ChecklistStory
from appwitness.reports.words import plain


def text(told: ChecklistStory) -> str:
    """Plain text, without colours if standard output is not a terminal."""
    return printed.printed(_parts(told))


def _parts(told: ChecklistStory) -> Iterator[RenderableType]:
    words, filled = told.words, told.filled
    yield Text(plain(words.of(filled.title)), style="bold")
    yield Text(told.app)
    for line in told.origin:
        yield Text(line, style="dim")
    yield ""
    yield Text(told.summary, style="bold")
    yield Text(words("list_means"))
    yield ""
    yield from (Text(told.run(run)) for run in filled.runs)
    for group in filled.groups:
        yield ""
        yield Text(f"{plain(group.group)} {plain(words.of(group.name))}", style="bold")
        for item in group.items:
            head = f"{plain(item.item)} {told.state(item).upper()}"
            said = f": {plain(words.of(item.says))}"
            yield Padding(Text.assemble((head, printed.TONES[TONES[item.state]]), said), (0, 0, 0, 2))
            lines = [*told.lines(item)]
            if item.is_open:
                lines.append(words("list_place"))
            yield from (Padding(Text(line), (0, 0, 0, 6)) for line in lines)
    yield ""
    yield Text(told.command)
    yield Text(words("list_disclaimer"))
    yield Text(words("masked_note" if filled.masked else "revealed_note"), style="dim")
