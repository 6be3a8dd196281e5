"""The verb that compares runs of one app side by side: compare."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appwitness.api import judging as judged
from appwitness.cli.terminal import write
from appwitness.cli.verbs import RecordingPath, VerbJudging, judging_options, main
from appwitness.cli.writing import Output, Paired, note_reveal, output_options

FORMATS = ("text", "json", "html")
"""As in appwitness.reports.comparison, which is imported late; a test compares the two."""


@main.command(cls=Paired)
@click.argument("recording", nargs=-1, required=True, type=RecordingPath())
@output_options(FORMATS, lang="en")
@judging_options
def compare(recording: tuple[Path, ...], as_: Output, judging: VerbJudging) -> None:
    """Compare runs of one app with different answers side by side.

    Says value by value what is read and sent regardless of the answer, before any answer, still after a no, still
    after withdrawal, and only after a yes. Runs with different planted values also show which fields of requests
    change with them though no value was found there; a third run, with the values of one of the two, makes that sure.

    Ends with 1 when one of the runs has findings.
    """
    from appwitness.reports.comparison import render

    comparison, reports = judged.compare(recording, judging)
    if as_.reveal:
        note_reveal("compare", [report.recording for report in reports], as_.outputs)
    for name, file in as_.outputs:
        write(render(comparison, name, of=reports, reveal=as_.reveal, lang=as_.lang or "en"), file)
    sys.exit(judging.exit_code(*reports))
