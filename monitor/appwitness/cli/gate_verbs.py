"""The verbs that compare a build with what was accepted, and those that record what is accepted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup
from cloup.constraints import If, IsSet, accept_none, require_all

from appwitness.api import accepting
from appwitness.api.gating import Gate, GatedRuns, GateText, accepted, between, policy, render, sentence
from appwitness.cli.as_json import document, json_option
from appwitness.cli.front_page import language
from appwitness.cli.local_words import tr
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import (
    FILE,
    FILE_OR_FOLDER,
    NEW_FILE,
    RecordingPath,
    VerbJudging,
    alias_option,
    checking_options,
    gathered,
    level_options,
    main,
)
from appwitness.cli.writing import Output, Paired, note_reveal, output_options, write_as
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.accepting import Baseline
    from appwitness.findings import Report
    from appwitness.findings.gate_decision import GateReport

FORMATS = ("text", "json", "sarif", "junit", "markdown", "gitlab", "html")
"""The same as in appwitness.gate.reports, which is imported late; a test compares the two."""
EXIT_CODES = {"passed": 0, "failed": 1, "not_observable": 3}


output = output_options(
    FORMATS,
    click.option(
        "--sarif-anchor",
        metavar="FILE[:LINE]",
        help="File of the repository to which a code host attaches the results.",
    ),
    click.option("--with-gone", is_flag=True, help="For SARIF: also list what is gone."),
)
"""How a decision is written; the verb gets it as `as_`."""


def _write(decided: GateReport, reports: Sequence[Report], as_: Output) -> None:
    if as_.reveal:
        note_reveal(click.get_current_context().info_name or "gate", [each.recording for each in reports], as_.outputs)
    how = GateText(as_.lang or language(), as_.reveal, as_.sarif_anchor, as_.with_gone)
    for name, path in as_.outputs:
        write_as(name, render(decided, reports, name, how), path)


runs_options = gathered(
    "runs",
    lambda aliases, no_verify: GatedRuns(aliases, not no_verify),
    cloup.option_group(
        "Runs",
        alias_option,
        click.option("--no-verify", is_flag=True, help="Also accept recordings that differ from their stamps."),
    ),
)
"""How runs are read; the verb gets it as `runs`."""


def today_option(verb: Callable[..., None]) -> Callable[..., None]:
    """The day as of which waivers are checked; any other than today is for tests."""
    return click.option(
        "--today",
        type=click.DateTime(["%Y-%m-%d"]),
        hidden=True,
        help="The day on which waivers are looked at. [default: today, UTC]",
        callback=lambda _context, _option, day: day.date() if day else datetime.now(UTC).date(),
    )(verb)


max_days_option = click.option(
    "--max-waiver-days",
    type=click.IntRange(1),
    default=180,
    show_default=True,
    help="The most days that a waiver may be valid for.",
)
recordings_argument = click.argument("recording", nargs=-1, required=True, type=RecordingPath(exists=True))


accepted_options = gathered(
    "accepted",
    accepted,
    cloup.option_group(
        "What else was accepted",
        click.option("--waivers", type=FILE, help="Waived findings. [default: appwitness-waivers.yml, if it exists]"),
        click.option(
            "--flows", type=FILE, help="Allowed and forbidden flows. [default: appwitness-flows.yml, if it exists]"
        ),
        max_days_option,
        today_option,
    ),
)
"""What people have accepted; the verb gets it as `accepted`."""


failing_options = gathered(
    "failing",
    policy,
    cloup.option_group(
        "What fails the build",
        *level_options("medium", "corroborated"),
        click.option(
            "--fail-on-worse/--no-fail-on-worse",
            "on_worse",
            default=True,
            help="Fail on what became worse. [default: yes]",
        ),
        click.option(
            "--fail-on-new-rules",
            "on_new_rules",
            is_flag=True,
            help="Fail on findings of rules that the baseline does not know.",
        ),
        click.option(
            "--fail-on-stale", "on_stale", is_flag=True, help="Fail on entries that are unused or have expired."
        ),
        click.option(
            "--allow-gap",
            "allowed_gaps",
            multiple=True,
            metavar="WHERE:WHY:SUBJECT",
            help="A gap that --strict accepts; `*` stands for any text. Repeatable.",
        ),
    ),
)
"""What fails a build; the verb gets it as `failing`."""


@main.command(cls=Paired)
@recordings_argument
@cloup.option_group(
    "Compare with",
    click.option(
        "--baseline", type=FILE, help="What the app is known to do. [default: appwitness-baseline.yml, if it exists]"
    ),
    click.option(
        "--base",
        multiple=True,
        type=FILE_OR_FOLDER,
        help="Instead of a baseline: a recording of the last release, or its report as JSON. Repeatable.",
    ),
)
@accepted_options
@failing_options
@output
@runs_options
@checking_options
def gate(
    recording: tuple[Path, ...],
    baseline: Path | None,
    base: tuple[Path, ...],
    as_: Output,
    runs: GatedRuns,
    **chosen: Any,
) -> None:
    """Fail a build that shows findings that nobody accepted.

    The findings of some runs of one app are compared with a baseline, or with runs of the last release (--base), and
    with the waivers and the list of flows. Each finding is new, worse, the same, better, gone or not observable. New
    and worse findings fail the build.

    Exits with 0 if nothing fails, 1 if something does, and 3 under --strict if a part of the baseline could not be
    observed.
    """
    judging, accepted = chosen["judging"], replace(chosen["accepted"], aliases=runs.aliases)
    failing = replace(chosen["failing"], strict=judging.strict)
    if base and baseline:
        raise UserError("--base and --baseline both say what to compare with.", "Give one of them.")
    reports = runs.reports(recording, judging)
    decided = Gate(judging, accepted, failing, runs, baseline, base).decide(reports)
    _write(decided, reports, as_)
    sys.exit(EXIT_CODES[decided.outcome])


@main.command(cls=Paired)
@click.argument("old")
@click.argument("new")
@output
@runs_options
@checking_options
def diff(old: str, new: str, as_: Output, runs: GatedRuns, judging: VerbJudging) -> None:
    """Show what one release does that another did not.

    OLD and NEW are recordings, or reports written as JSON; separate several of one release by commas.

    Exits with 1 if something is new or worse.
    """
    before, after = ([Path(name) for name in side.split(",")] for side in (old, new))
    reports = runs.reports(after, judging)
    decided = between(before, runs, judging, judging.strict).decide(reports)
    _write(decided, reports, as_)
    sys.exit(EXIT_CODES[decided.outcome])


@main.group()
def baseline() -> None:
    """Write down what an app is known to do, so that `gate` accepts it."""


baseline_option = click.option(
    "--baseline",
    "file",
    default="appwitness-baseline.yml",
    show_default=True,
    type=NEW_FILE,
    help="The baseline file.",
)


@baseline.command("write")
@recordings_argument
@baseline_option
@json_option
@runs_options
@checking_options
def baseline_write(
    recording: tuple[Path, ...], file: Path, as_json: bool, runs: GatedRuns, judging: VerbJudging
) -> None:
    """Write down everything that these runs show as accepted. It replaces the file if it exists."""
    _write_baseline(file, accepting.baseline(recording, runs, judging, file), as_json)


@baseline.command("update")
@recordings_argument
@baseline_option
@json_option
@click.option("--accept-new", metavar="REASON", help="Also accept what is new or worse, for this reason.")
@runs_options
@checking_options
def baseline_update(
    recording: tuple[Path, ...],
    file: Path,
    accept_new: str | None,
    as_json: bool,
    runs: GatedRuns,
    judging: VerbJudging,
) -> None:
    """Remove what is gone and note what became better. What could not be observed stays."""
    against = accepting.against(file, recording, runs, judging)
    left = [] if accept_new else [each.behaviour.id for each in against.worse]
    _write_baseline(file, against.updated(accept_new), as_json, not_taken_in=left)
    if left and not as_json:
        click.echo(tr("Not accepted, because no --accept-new gives a reason: {left}.", left=", ".join(left)))


@baseline.command("prune")
@recordings_argument
@baseline_option
@json_option
@runs_options
@checking_options
def baseline_prune(
    recording: tuple[Path, ...], file: Path, as_json: bool, runs: GatedRuns, judging: VerbJudging
) -> None:
    """Remove what is gone, and change nothing else. What could not be observed stays."""
    _write_baseline(file, accepting.against(file, recording, runs, judging).pruned(), as_json)


@baseline.command("check")
@recordings_argument
@baseline_option
@json_option
@runs_options
@checking_options
def baseline_check(
    recording: tuple[Path, ...], file: Path, as_json: bool, runs: GatedRuns, judging: VerbJudging
) -> None:
    """Check whether the file lists what these runs show. Exits with 1 if it does not."""
    differing = accepting.against(file, recording, runs, judging).differing
    if as_json:
        rows = [{"id": each.behaviour.id, "change": each.change, "rule": each.behaviour.rule} for each in differing]
        document({"file": file, "current": not differing, "differing": rows})
        sys.exit(1 if differing else 0)
    for each in differing:
        out.print(f"{each.change}: {each.behaviour.id} {plain(each.behaviour.rule)}")
    if differing:
        out.print(tr("{file} is not current. Run: appwitness baseline update.", file=plain(str(file))))
        sys.exit(1)
    out.print(tr("{file} is current.", file=plain(str(file))))


@baseline.command("merge")
@click.argument("file", type=FILE)
@json_option
def baseline_merge(file: Path, as_json: bool) -> None:
    """Resolve a merge conflict in the file. The findings of both sides stay, each as the newer run has it."""
    _write_baseline(file, accepting.merged(file), as_json)


ENTRY = ("owner", "reason", "expires")
"""What every waiver must state."""
entry_options = gathered(
    "entry",
    dict,
    cloup.option_group(
        "Waiver",
        click.option("--check", is_flag=True, help="Check the waivers that there are, and add none."),
        click.option("--owner", help="Who is responsible for it."),
        click.option("--reason", help="Why the finding is accepted, in ten characters or more."),
        click.option("--expires", metavar="DATE", help="Last day on which it is valid, such as 2027-02-01."),
        click.option("--ticket", help="Where it is tracked."),
        click.option("--id", "id", help="Name of the waiver. [default: W- and the next number]"),
    ),
)


def _file(file: Path, today: date, max_waiver_days: int) -> accepting.WaiverList:
    return accepting.WaiverList(file, today, max_waiver_days)


file_options = gathered(
    "file",
    _file,
    cloup.option_group(
        "File",
        click.option(
            "--file",
            default="appwitness-waivers.yml",
            show_default=True,
            type=NEW_FILE,
            help="The file of waivers.",
        ),
        max_days_option,
        today_option,
    ),
)
"""Where waivers are; the verb gets it as `file`."""


@main.command()
@cloup.constraint(If(IsSet("check"), then=accept_none, else_=require_all), ENTRY)
@cloup.constraint(If(IsSet("check"), then=accept_none), ("ticket", "id"))
@click.argument("recording", nargs=-1, metavar="FINDING|[RECORDING]...")
@entry_options
@file_options
@cloup.option_group("Output", json_option)
@runs_options
@checking_options
def waive(
    recording: tuple[str, ...],
    entry: dict[str, Any],
    file: accepting.WaiverList,
    as_json: bool,
    runs: GatedRuns,
    judging: VerbJudging,
) -> None:
    """Accept a finding for a limited time, or check what was accepted.

    FINDING is a fingerprint that `gate` prints (v2:...), or RECORDING:N, the Nth finding of its report. It needs
    --owner, --reason and --expires.

    With --check, you see which waivers have expired or will soon; if you name recordings, also which waivers match none
    of their findings. It exits with 1 if a waiver has expired or is not used.
    """
    if entry.pop("check"):
        there, context = RecordingPath(exists=True), click.get_current_context()
        named = tuple(there.convert(each, None, context) for each in recording)
        sys.exit(_tell_waivers(file.check(named, runs, judging), as_json))
    if len(recording) != 1:
        raise UserError("Name one FINDING.", "Take its fingerprint (v2:...) from `gate`, or write RECORDING:N.")
    made = file.add(recording[0], entry, runs, judging)
    if as_json:
        document({"file": file.path, **made})
    else:
        _written(file.path)


def _tell_waivers(checked: accepting.CheckedWaivers, as_json: bool) -> int:
    """Print the remarks on the waivers; returns the exit code."""
    entries, remarks = checked
    if as_json:
        document({"waivers": entries, "remarks": [each.model_dump(mode="json") for each in remarks]})
    for each in remarks if not as_json else ():
        click.echo(sentence(each))
    if not remarks and not as_json:
        click.echo(tr("{entries} waivers, none expired or soon to expire.", entries=entries))
    return 1 if any(each.what != "waiver_expires_soon" for each in remarks) else 0


def _write_baseline(path: Path, accepted: Baseline, as_json: bool, **more: Any) -> None:
    accepting.write_baseline(path, accepted)
    if as_json:
        ids = [each.id for each in accepted.findings]
        document({"file": path, "app": accepted.app, "findings": ids, **more})
    else:
        _written(path)


def _written(path: Path) -> None:
    err.print(tr("written: {path}", path=plain(str(path))))
