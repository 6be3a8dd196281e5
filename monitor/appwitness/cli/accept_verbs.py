"""The verbs that write down what is accepted: baseline, waive, waivers."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appwitness.api import accepting
from appwitness.api.gating import GatedRuns, sentence
from appwitness.cli.gate_verbs import FILE, max_days_option, recordings_argument, runs_options, today_option
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import RecordingPath, VerbJudging, checking_options, gathered, main

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.accepting import Baseline


@main.group()
def baseline() -> None:
    """Write down what an app is known to do, for `gate`."""


baseline_option = click.option(
    "--baseline",
    "file",
    default="appwitness-baseline.yml",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file.",
)


@baseline.command("write")
@recordings_argument
@baseline_option
@runs_options
@checking_options
def baseline_write(recording: tuple[Path, ...], file: Path, runs: GatedRuns, judging: VerbJudging) -> None:
    """Accept all that these runs show, and write it down. An existing file is replaced."""
    _write(file, accepting.baseline(recording, runs, judging, file))


@baseline.command("update")
@recordings_argument
@baseline_option
@click.option("--accept-new", metavar="REASON", help="Take in what is new or worse, and why that is accepted.")
@runs_options
@checking_options
def baseline_update(
    recording: tuple[Path, ...], file: Path, accept_new: str | None, runs: GatedRuns, judging: VerbJudging
) -> None:
    """Take out what is gone and note what became better; what could not be observed stays."""
    against = accepting.against(file, recording, runs, judging)
    _write(file, against.updated(accept_new))
    if against.worse and not accept_new:
        left = ", ".join(each.behaviour.id for each in against.worse)
        click.echo(f"Not taken in, because no --accept-new says why: {left}.")


@baseline.command("prune")
@recordings_argument
@baseline_option
@runs_options
@checking_options
def baseline_prune(recording: tuple[Path, ...], file: Path, runs: GatedRuns, judging: VerbJudging) -> None:
    """Take out what is gone, and change nothing else; what could not be observed stays."""
    _write(file, accepting.against(file, recording, runs, judging).pruned())


@baseline.command("check")
@recordings_argument
@baseline_option
@runs_options
@checking_options
def baseline_check(recording: tuple[Path, ...], file: Path, runs: GatedRuns, judging: VerbJudging) -> None:
    """Say whether the file lists what these runs show. Ends with 1 when it does not."""
    differing = accepting.against(file, recording, runs, judging).differing
    for each in differing:
        out.print(f"{each.change}: {each.behaviour.id} {plain(each.behaviour.rule)}")
    if differing:
        out.print(f"{plain(str(file))} is not current. Run: appwitness baseline update.")
        sys.exit(1)
    out.print(f"{plain(str(file))} is current.")


@baseline.command("merge")
@click.argument("file", type=FILE)
def baseline_merge(file: Path) -> None:
    """Resolve a merge conflict in the file: the findings of both sides, each as the newer run has it."""
    _write(file, accepting.merged(file))


entry_options = gathered(
    "entry",
    dict,
    click.option("--owner", required=True, help="Who answers for it."),
    click.option("--reason", required=True, help="Why it is accepted, in ten characters or more."),
    click.option("--expires", required=True, metavar="DATE", help="Last day on which it holds, as 2027-02-01."),
    click.option("--ticket", help="Where it is tracked."),
    click.option("--id", "id", help="Name of the entry. [default: W- and the next number]"),
)


def _file(file: Path, today: date, max_waiver_days: int) -> accepting.WaiverList:
    return accepting.WaiverList(file, today, max_waiver_days)


file_options = gathered(
    "file",
    _file,
    click.option(
        "--file",
        default="appwitness-waivers.yml",
        show_default=True,
        type=click.Path(path_type=Path, dir_okay=False),
        help="The file.",
    ),
    max_days_option,
    today_option,
)
"""Where waivers are; the verb gets it as `file`."""


@main.command()
@click.argument("finding")
@entry_options
@file_options
@runs_options
@checking_options
def waive(
    finding: str, entry: dict[str, str | None], file: accepting.WaiverList, runs: GatedRuns, judging: VerbJudging
) -> None:
    """Accept a finding for a time.

    FINDING is a fingerprint that `gate` prints (v2:...), or RECORDING:N, the Nth finding of its report.
    """
    file.add(finding, entry, runs, judging)
    _written(file.path)


@main.group("waivers")
def waivers_() -> None:
    """Check the waivers of findings."""


@waivers_.command("check")
@click.argument("recording", nargs=-1, type=RecordingPath(exists=True))
@file_options
@runs_options
@checking_options
def waivers_check(
    recording: tuple[Path, ...], file: accepting.WaiverList, runs: GatedRuns, judging: VerbJudging
) -> None:
    """List waivers that have expired or soon will; with recordings, also those that no finding of theirs uses.

    Ends with 1 when one has expired or is not used.
    """
    entries, remarks = file.check(recording, runs, judging)
    for each in remarks:
        click.echo(sentence(each))
    if not remarks:
        click.echo(f"{entries} waivers, none expired or soon to expire.")
    sys.exit(1 if any(each.what != "waiver_expires_soon" for each in remarks) else 0)


def _write(path: Path, accepted: Baseline) -> None:
    accepting.write_baseline(path, accepted)
    _written(path)


def _written(path: Path) -> None:
    err.print(f"written: {plain(str(path))}")
