"""The verb that holds runs of one app side by side: compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.base import db_option, exit_code, knowledge_options, main, report_of, strict_option
from monitor.cli.terminal import write
from monitor.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from monitor.correlate import Knowledge

FORMATS = ("text", "json", "html")
"""As in monitor.reports.comparison, which is imported late; a test compares the two."""


@main.command()
@click.argument("recording", nargs=-1, required=True, type=click.Path(path_type=Path))
@db_option
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. [default: stdout]")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")
@click.option("--reveal", is_flag=True, help="Show personal values as they are; they are masked otherwise.")
@knowledge_options
@strict_option
def compare(
    recording: tuple[Path, ...],
    db: str | None,
    format_: str,
    output: Path | None,
    lang: str,
    reveal: bool,
    strict: bool,
    known: Knowledge,
) -> None:
    """Hold runs of one app with different answers side by side.

    Says value by value what is read and sent regardless of the answer, before any answer, still after a no, still
    after withdrawal, and only after a yes. Runs with different planted values also show which fields of requests
    change with them though no value was found there; a third run, with the values of one of the two, makes that sure.

    Ends with 1 when one of the runs has findings.
    """
    from monitor.correlate import differences
    from monitor.judge.compare import compare as compared
    from monitor.reports.comparison import render

    if len(recording) < 2:
        raise UserError("There is nothing to compare with.", "Name two recordings or more.")
    reports = [report_of(path, db, known) for path in recording]
    for number, report in enumerate(reports):
        package, first = report.run.app.package, reports[0].run.app.package
        if package != first:
            raise UserError(
                f"{recording[number]} is a run of {package}, {recording[0]} one of {first}.",
                "Name recordings of one app.",
            )
        if any(report.recording == other.recording for other in reports[:number]):
            raise UserError(f"{recording[number]} is the same run as one before it.", "Name each run once.")
    comparison = compared(reports, differences(recording, reports), known.labels)
    text = render(comparison, format_, of=reports, reveal=reveal, lang=lang)
    write(text, output)
    sys.exit(max((exit_code(report, strict) for report in reports), key=(0, 3, 1).index))
