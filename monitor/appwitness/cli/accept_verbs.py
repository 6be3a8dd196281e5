"""The verbs that write down what is accepted: baseline, waive, waivers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from appwitness.api.gating import Runs, baseline_of
from appwitness.cli.base import Judging, RecordingPath, gathered, judging_options, main
from appwitness.cli.gate_verbs import FILE, max_days_option, recordings_argument, runs_options, today_option
from appwitness.cli.terminal import err, out, plain
from appwitness.support import private_files
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.findings.gate_decision import Gated, Made
    from appwitness.gate.baseline import Baseline


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
@judging_options
def baseline_write(recording: tuple[Path, ...], file: Path, runs: Runs, judging: Judging) -> None:
    """Accept all that these runs show, and write it down. An existing file is replaced."""
    from appwitness.gate import baseline as files
    from appwitness.gate.behaviours import side

    reports = runs.reports(recording, judging)
    _write(file, files.text(files.of(side(reports, runs.aliases), runs.package(reports[0]))))


@baseline.command("update")
@recordings_argument
@baseline_option
@click.option("--accept-new", metavar="REASON", help="Take in what is new or worse, and why that is accepted.")
@runs_options
@judging_options
def baseline_update(
    recording: tuple[Path, ...], file: Path, accept_new: str | None, runs: Runs, judging: Judging
) -> None:
    """Take out what is gone and note what became better; what could not be observed stays."""
    from appwitness.gate import baseline as files

    against = _against(recording, file, runs, judging)
    _write(file, files.text(files.updated(against.old, against.changes, against.made, accept_new)))
    left = [each.behaviour.id for each in against.changes if each.change in {"new", "worse", "new_rule"}]
    if left and not accept_new:
        click.echo(f"Not taken in, because no --accept-new says why: {', '.join(left)}.")


@baseline.command("prune")
@recordings_argument
@baseline_option
@runs_options
@judging_options
def baseline_prune(recording: tuple[Path, ...], file: Path, runs: Runs, judging: Judging) -> None:
    """Take out what is gone, and change nothing else; what could not be observed stays."""
    from appwitness.gate import baseline as files

    against = _against(recording, file, runs, judging)
    gone = {each.was.id for each in against.changes if each.was and each.change == "gone"}
    kept = tuple(each for each in against.old.findings if each.id not in gone)
    _write(file, files.text(against.old.model_copy(update={"findings": kept})))


@baseline.command("check")
@recordings_argument
@baseline_option
@runs_options
@judging_options
def baseline_check(recording: tuple[Path, ...], file: Path, runs: Runs, judging: Judging) -> None:
    """Say whether the file lists what these runs show. Ends with 1 when it does not."""
    against = _against(recording, file, runs, judging)
    differing = [each for each in against.changes if each.change not in {"same", "not_observable"}]
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
    from appwitness.gate import baseline as files

    _write(file, files.text(files.merged(file)))


class _Against(NamedTuple):
    old: Baseline
    changes: Sequence[Gated]
    made: Made


def _against(recording: Sequence[Path], file: Path, runs: Runs, judging: Judging) -> _Against:
    from appwitness.gate.behaviours import side
    from appwitness.gate.changes import changes

    if not file.exists():
        raise UserError(f"There is no {file}.", "Write one first: appwitness baseline write RECORDING.")
    reports = runs.reports(recording, judging)
    old = baseline_of(file, runs.package(reports[0]))
    now = side(reports, runs.aliases)
    found = changes(now, old.made, {each.id: each for each in old.findings}, judging.known.recipients)
    return _Against(old, found, now.made)


@dataclass(frozen=True)
class Entry:
    """What a waiver says, but for which finding it is about."""

    fields: dict[str, str | None]

    def of(self, finding: str, number: str) -> dict[str, str | None]:
        """The whole entry."""
        return {**self.fields, "id": self.fields["id"] or number, "finding": finding}


entry_options = gathered(
    "entry",
    lambda **fields: Entry(fields),
    click.option("--owner", required=True, help="Who answers for it."),
    click.option("--reason", required=True, help="Why it is accepted, in ten characters or more."),
    click.option("--expires", required=True, metavar="DATE", help="Last day on which it holds, as 2027-02-01."),
    click.option("--ticket", help="Where it is tracked."),
    click.option("--id", "id", help="Name of the entry. [default: W- and the next number]"),
)


@dataclass(frozen=True)
class WaiverFile:
    """The file of waivers, and the day on which it is looked at."""

    path: Path
    today: date
    max_days: int


def _file(file: Path, today: date, max_waiver_days: int) -> WaiverFile:
    return WaiverFile(file, today, max_waiver_days)


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
@judging_options
def waive(finding: str, entry: Entry, file: WaiverFile, runs: Runs, judging: Judging) -> None:
    """Accept a finding for a time.

    FINDING is a fingerprint that `gate` prints (v2:...), or RECORDING:N, the Nth finding of its report.
    """
    from appwitness.gate import waivers

    limits: tuple[Any, ...] = (file.today, file.max_days)
    entries = waivers.read(file.path, *limits).entries if file.path.exists() else ()
    taken = {each.id for each, _ in entries}
    number = next(f"W-{number}" for number in range(1, len(taken) + 2) if f"W-{number}" not in taken)
    waiver = waivers.entry(entry.of(_fingerprint(finding, runs, judging), number), *limits)
    _write(file.path, waivers.added(file.path, waiver, *limits))


@main.group("waivers")
def waivers_() -> None:
    """Check the waivers of findings."""


@waivers_.command("check")
@click.argument("recording", nargs=-1, type=RecordingPath(exists=True))
@file_options
@runs_options
@judging_options
def waivers_check(recording: tuple[Path, ...], file: WaiverFile, runs: Runs, judging: Judging) -> None:
    """List waivers that have expired or soon will; with recordings, also those that no finding of theirs uses.

    Ends with 1 when one has expired or is not used.
    """
    from appwitness.gate import waivers
    from appwitness.gate.behaviours import side
    from appwitness.gate.reports.sentences import remark
    from appwitness.reports.words import Words

    if not file.path.exists():
        raise UserError(f"There is no {file.path}.", "Name it with --file, or write one: appwitness waive.")
    read = waivers.read(file.path, file.today, file.max_days)
    shown = side(runs.reports(recording, judging), runs.aliases).shown.values() if recording else ()
    remarks = list(read.remarks(each.behaviour for each in shown))
    told = [each for each in remarks if recording or each.what != "waiver_unused"]
    for each in told:
        click.echo(remark(each, Words("en")))
    if not told:
        click.echo(f"{len(read.entries)} waivers, none expired or soon to expire.")
    sys.exit(1 if any(each.what != "waiver_expires_soon" for each in told) else 0)


def _fingerprint(finding: str, runs: Runs, judging: Judging) -> str:
    from appwitness.findings.identity import VERSION, identity
    from appwitness.reports.verdict import worst_first

    if finding.startswith(f"{VERSION}:"):
        return finding
    path, _, number = finding.rpartition(":")
    if not path or not number.isdecimal():
        raise UserError(f"{finding!r} is no finding.", "Give a fingerprint (v2:...) or RECORDING:N.")
    (report,) = runs.reports([Path(path)], judging)
    findings = worst_first(report)
    if not 0 < int(number) <= len(findings):
        raise UserError(
            f"{path} has {len(findings)} findings.", "Count them as `appwitness report` prints them, from 1."
        )
    return identity(findings[int(number) - 1], runs.package(report)).id


def _write(path: Path, text: str) -> None:
    """A file of the app's repository, which holds no personal data: others may read it."""
    private_files.write(path, text, mode=0o644)
    err.print(f"written: {plain(str(path))}")
