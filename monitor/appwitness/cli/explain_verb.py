"""The verb that says why something was flagged, and what a fingerprint stands for: explain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from appwitness.api.accepting import in_baseline, in_recordings
from appwitness.api.recording_names import meant
from appwitness.cli.gate_verbs import FILE, alias_option
from appwitness.cli.verbs import RecordingPath, VerbJudging, judging_options, main
from appwitness.cli.writing import note_reveal
from appwitness.support.errors import UserError


@main.command()
@click.argument("recording", nargs=-1, type=RecordingPath())
@click.argument("which", metavar="FLOW|FINGERPRINT")
@click.option("--baseline", type=FILE, help="Look a fingerprint up there. [default: appwitness-baseline.yml]")
@alias_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")
@click.option("--reveal", is_flag=True, help="Show personal values as they are; they are masked otherwise.")
@judging_options
def explain(recording: tuple[Path, ...], which: str, judging: VerbJudging, **options: Any) -> None:
    """Say why one FLOW of a recording was flagged, or what a FINGERPRINT stands for.

    Of a flow, which reports name f1, f2 ...: which access returned the value, and why it is named among several; the
    form in which it was found, the way there, the reasons for the match and what speaks against it, and how sure it is.
    Without a RECORDING it is that of the run that is going on, else the newest in ./recordings.

    Of a fingerprint (v2:...): rule, app, kind of data, recipient and code, and which findings of the recordings, or
    which line of the baseline, have it.
    """
    from appwitness.findings.identity import VERSION
    from appwitness.reports.explain import explain as explained
    from appwitness.reports.explain import told

    aliases, baseline = options.pop("aliases"), options.pop("baseline")
    if which.startswith(f"{VERSION}:"):
        known = list(in_recordings(which, recording, judging, aliases))
        if baseline or not recording:
            known += in_baseline(which, baseline)
        click.echo(told(which, known, lang=options["lang"], as_json=options["as_json"]), nl=False)
        return
    if len(recording) > 1:
        raise UserError("A flow is one recording's.", "Name one recording.")
    path = recording[0] if recording else meant("appwitness explain RECORDING FLOW")
    report = judging.report(path)
    if options["reveal"]:
        note_reveal("explain", [report.recording], [(which, None)])
    click.echo(explained(report, which, **options), nl=False)
