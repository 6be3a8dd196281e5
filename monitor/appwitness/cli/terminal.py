"""Terminal output: results to stdout, messages to stderr; foreign text cannot control the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import markup
from rich.console import Console

from appwitness.cli.front_page import language
from appwitness.cli.local_words import tr, width
from appwitness.support import colour, escape, private_files, vocabulary
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:
    from appwitness.findings import Finding


class _Terminal:
    """A stream on which printed text cannot act on the terminal, apart from what rich itself does."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._stderr = stderr
        self.choose()

    def choose(self, coloured: bool | None = None, quiet: bool = False) -> None:
        """Set whether there are colours (None: on a terminal that has them), and whether only alarms are printed."""
        self.quiet = quiet
        self.console = Console(
            stderr=self._stderr,
            force_terminal=coloured or None,
            color_system="auto" if coloured is None else ("standard" if coloured else None),
            soft_wrap=True,
            highlight=False,
        )

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts and rich's renderables, unless quiet."""
        if not self.quiet:
            self.alarm(*objects, **options)

    def alarm(self, *objects: Any, **options: Any) -> None:
        """Print them even if quiet."""
        self.console.print(*(escape.terminal(each) if isinstance(each, str) else each for each in objects), **options)


out = _Terminal()
err = _Terminal(stderr=True)


def choose(color: str, quiet: bool) -> bool | None:
    """Apply --color and --quiet to all output; returns whether there are colours (None: on a terminal).

    NO_COLOR in the environment applies unless --color overrides it.
    """
    coloured = {"always": True, "never": False}.get(color, False if os.environ.get("NO_COLOR") else None)
    out.choose(coloured)
    err.choose(coloured, quiet)
    colour.wanted.set(coloured)
    return coloured


def columns(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print plain columns that a pipe can cut, heads and every `Spoken` in the user's language; nothing is folded or
    shortened."""
    cells = [tuple(map(tr, head)), *(tuple(escape.field(_said(cell)) for cell in row) for row in rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        padded = (cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _said(cell: str) -> str:
    return tr(cell) if isinstance(cell, Spoken) else cell


def plain(text: str) -> str:
    """Text that rich prints as it is."""
    return markup.escape(escape.terminal(text))


def write(text: str, output: Path | None) -> None:
    """Write a report to stdout, or to a file that only its owner can read."""
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        private_files.write(output, text)
        err.print(tr("written: {path}", path=plain(str(output))))


class Teller:
    """Reports findings on stderr while a run goes on, each once."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str | None, str | None]] = set()

    def new(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings whose combination of rule, data type and recipient has not been reported yet."""
        fresh = []
        for finding in findings:
            key = (finding.rule, finding.data, finding.recipient.host if finding.recipient else None)
            if key not in self._told:
                self._told.add(key)
                fresh.append(finding)
        return fresh

    def tell(self, findings: Sequence[Finding]) -> bool:
        """Print one line for each new finding; returns whether there was one."""
        fresh = self.new(findings)
        for finding in fresh:
            what = finding.title.get(language()) or finding.title["en"]
            if finding.recipient:
                what += f" > {vocabulary.host(finding.recipient.host, lambda _: '*')}"
            err.print(f"  [bold]{tr(finding.level)}[/] {plain(what)} ({finding.evidence[0]})")
        return bool(fresh)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr for long work; call the yielded function with what is being done, how much is done,
    and out of how much."""
    from rich.progress import Progress

    with Progress(console=err.console, transient=True, disable=err.quiet) as bar:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield show
