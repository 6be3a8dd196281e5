"""The verb that says why something was flagged, and what a fingerprint stands for: explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appwitness.api.gating import beside
from appwitness.cli.base import Judging, RecordingPath, judging_options, main, meant
from appwitness.cli.gate_verbs import FILE, alias_option
from appwitness.cli.writing import note_reveal
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.reports.fingerprint import Known


@main.command()
@click.argument("recording", nargs=-1, type=RecordingPath())
@click.argument("which", metavar="FLOW|FINGERPRINT")
@click.option("--baseline", type=FILE, help="Look a fingerprint up there. [default: appwitness-baseline.yml]")
@alias_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")
@click.option("--reveal", is_flag=True, help="Show personal values as they are; they are masked otherwise.")
@judging_options
def explain(recording: tuple[Path, ...], which: str, judging: Judging, **options: Any) -> None:
    """Say why one FLOW of a recording was flagged, or what a FINGERPRINT stands for.

    Of a flow, which reports name f1, f2 ...: which access returned the value, and why it is named among several; the
    form in which it was found, the way there, the reasons for the match and what speaks against it, and how sure it is.
    Without a RECORDING it is that of the run that is going on, else the newest in ./recordings.

    Of a fingerprint (v2:...): rule, app, kind of data, recipient and code, and which findings of the recordings, or
    which line of the baseline, have it.
    """
    from appwitness.findings.identity import VERSION
    from appwitness.reports.explain import explain as explained
    from appwitness.reports.fingerprint import told

    aliases, baseline = options.pop("aliases"), options.pop("baseline")
    if which.startswith(f"{VERSION}:"):
        known = [*_shown(recording, which, aliases, judging), *_listed(baseline, which, asked=not recording)]
        click.echo(told(which, known, lang=options["lang"], as_json=options["as_json"]), nl=False)
        return
    if len(recording) > 1:
        raise UserError("A flow is one recording's.", "Name one recording.")
    path = recording[0] if recording else meant("appwitness explain RECORDING FLOW")
    report = judging.report(path)
    if options["reveal"]:
        note_reveal("explain", [report.recording], [(which, None)])
    click.echo(explained(report, which, **options), nl=False)


def _shown(paths: tuple[Path, ...], which: str, aliases: Mapping[str, str], judging: Judging) -> Iterator[Known]:
    from appwitness.reports.fingerprint import shown

    for path in paths:
        yield from shown(judging.report(path), which, aliases, str(path))


def _listed(baseline: Path | None, which: str, asked: bool) -> Iterator[Known]:
    """In the baseline that is named; in the one beside only where no recording is."""
    from appwitness.catalog import yaml_files
    from appwitness.gate import baseline as files
    from appwitness.reports.fingerprint import listed

    path = beside(baseline, files.NAME) if baseline or asked else None
    if path is None:
        return
    file = files.read(path)
    for behaviour, line in zip(file.findings, yaml_files.lines_of(path, "findings"), strict=True):
        if behaviour.id == which:
            yield listed(behaviour, file.app, f"{path}:{line}")
