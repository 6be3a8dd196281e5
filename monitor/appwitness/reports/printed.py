"""Renders the parts of a report with rich: colours and width; foreign text cannot control the terminal."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable, Iterator

from rich.console import Console, Group, RenderableType
from rich.segment import Segment, Segments

from appwitness.support import escape
from appwitness.support.colour import wanted

COLUMNS = 80
"""Width if the output is not a terminal and the environment variable COLUMNS is not set."""
WIDEST = 140

TONES = {
    "high": "bold red",
    "medium": "bold yellow",
    "low": "bold cyan",
    "info": "bold blue",
    "gaps": "bold yellow",
    "none": "bold green",
}


class CopiedLines(Group):
    """Commands to copy: each stays on one line, however narrow the terminal is."""


def printed(parts: Iterable[RenderableType], width: int | None = None, colour: bool | None = None) -> str:
    """Render parts with rich, for a file or a terminal; without colours if standard output is not a terminal."""
    out = io.StringIO()
    colour = wanted.get() if colour is None else colour
    console = Console(
        file=out,
        width=width or min(shutil.get_terminal_size((COLUMNS, 24)).columns, WIDEST),
        force_terminal=sys.stdout.isatty() if colour is None else colour,
        color_system="auto" if colour is None else ("standard" if colour else None),
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for part in parts:
        console.print(Segments(_inert(console.render(part))), end="", crop=not isinstance(part, CopiedLines))
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n")) + "\n"


def _inert(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments, with foreign text made unable to act on a terminal."""
    for segment in segments:
        yield segment if segment.control else Segment(escape.terminal(segment.text), segment.style)
