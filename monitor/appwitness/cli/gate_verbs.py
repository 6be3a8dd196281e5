"""The verbs that hold one release against another: gate and diff."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appwitness.api.gating import Gate, GatedRuns, GateText, accepted, between, policy, render
from appwitness.cli.terminal import write
from appwitness.cli.verbs import RecordingPath, VerbJudging, checking_options, gathered, level_options, main
from appwitness.cli.writing import Output, Paired, note_reveal, output_options
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.findings import Report
    from appwitness.findings.gate_decision import GateReport

FORMATS = ("text", "json", "sarif", "junit", "markdown", "gitlab", "html")
"""As in appwitness.gate.reports, which is imported late; a test compares the two."""
EXIT_CODES = {"passed": 0, "failed": 1, "not_observable": 3}
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


output = output_options(
    FORMATS,
    click.option(
        "--sarif-anchor", metavar="FILE[:LINE]", help="A file of the repository at which a code host shows results."
    ),
    click.option("--with-gone", is_flag=True, help="SARIF: list what is gone, too."),
    lang="en",
)
"""How a decision is written; the verb gets it as `as_`."""


def _write(decided: GateReport, reports: Sequence[Report], as_: Output) -> None:
    if as_.reveal:
        note_reveal(click.get_current_context().info_name or "gate", [each.recording for each in reports], as_.outputs)
    how = GateText(as_.lang or "en", as_.reveal, as_.sarif_anchor, as_.with_gone)
    for name, path in as_.outputs:
        write(render(decided, reports, name, how), path)


def _aliases(_context: click.Context, _option: click.Parameter, pairs: Sequence[str]) -> dict[str, str]:
    wrong = next((pair for pair in pairs if not all(pair.partition("="))), None)
    if wrong is not None:
        raise UserError(f"--package-alias {wrong!r} does not name two packages.", "Write com.app.debug=com.app.")
    return dict(pair.split("=", 1) for pair in pairs)


alias_option = click.option(
    "--package-alias",
    "aliases",
    multiple=True,
    metavar="NAME=PACKAGE",
    callback=_aliases,
    help="A package that stands for another, as com.app.debug=com.app.",
)
runs_options = gathered(
    "runs",
    lambda aliases, no_verify: GatedRuns(aliases, not no_verify),
    alias_option,
    click.option("--no-verify", is_flag=True, help="Take recordings that are not what their stamps say, too."),
)
"""How runs are read; the verb gets it as `runs`."""


def today_option(verb: Callable[..., None]) -> Callable[..., None]:
    """The day on which waivers are looked at; another than today's is for tests."""
    return click.option(
        "--today",
        type=click.DateTime(["%Y-%m-%d"]),
        hidden=True,
        help="The day on which waivers are looked at. [default: today, UTC]",
        callback=lambda _context, _option, day: day.date() if day else datetime.now(UTC).date(),
    )(verb)


max_days_option = click.option(
    "--max-waiver-days", type=click.IntRange(1), default=180, show_default=True, help="How far ahead a waiver may end."
)
recordings_argument = click.argument("recording", nargs=-1, required=True, type=RecordingPath(exists=True))


accepted_options = gathered(
    "accepted",
    accepted,
    click.option("--waivers", type=FILE, help="[default: appwitness-waivers.yml, where there is one]"),
    click.option("--flows", type=FILE, help="Flows that are allowed or forbidden. [default: appwitness-flows.yml]"),
    max_days_option,
    today_option,
)
"""What people have accepted; the verb gets it as `accepted`."""


failing_options = gathered(
    "failing",
    policy,
    *level_options("medium", "corroborated"),
    click.option(
        "--fail-on-worse/--no-fail-on-worse", "on_worse", default=True, help="Fail on what became worse. [default: yes]"
    ),
    click.option(
        "--fail-on-new-rules", "on_new_rules", is_flag=True, help="Fail on findings of rules the baseline lacks."
    ),
    click.option(
        "--fail-on-stale", "on_stale", is_flag=True, help="Fail on entries that nothing uses, or that have expired."
    ),
    click.option(
        "--allow-gap",
        "allowed_gaps",
        multiple=True,
        metavar="WHERE:WHY:SUBJECT",
        help="A gap that --strict accepts; `*` stands for any text.",
    ),
)
"""What fails a build; the verb gets it as `failing`."""


@main.command(cls=Paired)
@recordings_argument
@click.option("--baseline", type=FILE, help="[default: appwitness-baseline.yml, where there is one]")
@click.option(
    "--base",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Instead of a baseline: a recording of the last release, or its report as JSON (may be given several times).",
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
    """Decide whether a build does anything that was not accepted.

    Holds the findings of some runs of one app against a baseline, or against runs of the last release (--base), and
    against the waivers and the list of flows. Each finding is new, worse, the same, better, gone or not observable:
    what is new or worse fails the build.

    Ends with 0 when nothing counts, 1 when something does, and 3 under --strict when a part of the baseline could not
    be observed.
    """
    judging, accepted = chosen["judging"], replace(chosen["accepted"], aliases=runs.aliases)
    failing = replace(chosen["failing"], strict=judging.strict)
    if base and baseline:
        raise UserError("--base and --baseline are two things to hold against.", "Give one of them.")
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
    """Say what one release does that another did not.

    OLD and NEW are recordings, or reports written as JSON; several of one release with commas between them.

    Ends with 1 when something is new or worse.
    """
    before, after = ([Path(name) for name in side.split(",")] for side in (old, new))
    reports = runs.reports(after, judging)
    decided = between(before, runs, judging, judging.strict).decide(reports)
    _write(decided, reports, as_)
    sys.exit(EXIT_CODES[decided.outcome])
