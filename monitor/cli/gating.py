"""The verbs that hold one release against another: gate and diff."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.base import Judging, gathered, judging_options, level_options, main
from monitor.cli.terminal import write
from monitor.cli.writing import Output, Paired, output_options
from monitor.errors import DamagedRecording, FileError, UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from monitor.findings import Report
    from monitor.findings.gate import GateReport
    from monitor.gate import Accepted, Held
    from monitor.gate.baseline import Baseline

FORMATS = ("text", "json", "sarif", "junit", "markdown", "gitlab", "html")
"""As in monitor.reports.gate, which is imported late; a test compares the two."""
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
    from monitor.reports import gate
    from monitor.reports.words import Words

    told = gate.Told(decided, reports, Words(as_.lang or "en"), as_.reveal, as_.sarif_anchor, as_.with_gone)
    for name, path in as_.outputs:
        write(gate.render(told, name), path)


@dataclass(frozen=True)
class Runs:
    """How runs are read."""

    aliases: Mapping[str, str]
    verify: bool

    def package(self, report: Report) -> str:
        """The app that a run is of."""
        package = report.run.app.package
        return self.aliases.get(package, package)

    def reports(self, paths: Sequence[Path], judging: Judging) -> list[Report]:
        """Of recordings, or of reports that were written as JSON; all of one app.

        Raises UserError when they are of several, DamagedRecording when one is not what its stamps say.
        """
        reports = [self._report(path, judging) for path in paths]
        first = self.package(reports[0])
        for path, report in zip(paths, reports, strict=True):
            if (package := self.package(report)) != first:
                raise UserError(
                    f"{path} is a run of {package}, {paths[0]} one of {first}.",
                    f"Name runs of one app, or say that they are one: --package-alias {package}={first}.",
                )
        return reports

    def _report(self, path: Path, judging: Judging) -> Report:
        if path.is_file() and path.suffix == ".json":
            return _written(path)
        report = judging.report(path)
        sealed = report.verified
        if self.verify and sealed and sealed.outcome == "altered":
            raise DamagedRecording(
                f"{path} is not what its stamps say: {sealed.difference}.",
                "Run `appwitness verify` on it. To use it anyway: --no-verify.",
            )
        return report


def _written(path: Path) -> Report:
    from pydantic import ValidationError

    from monitor.findings import Report

    try:
        return Report.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        hint = "Make it with: appwitness report --format json."
        raise FileError(path, None, f"{where}: {first['msg']}.", hint) from None


def _runs(package_alias: Sequence[str], no_verify: bool) -> Runs:
    wrong = next((pair for pair in package_alias if not all(pair.partition("="))), None)
    if wrong is not None:
        raise UserError(f"--package-alias {wrong!r} does not name two packages.", "Write com.app.debug=com.app.")
    return Runs(dict(pair.split("=", 1) for pair in package_alias), not no_verify)


runs_options = gathered(
    "runs",
    _runs,
    click.option(
        "--package-alias",
        multiple=True,
        metavar="NAME=PACKAGE",
        help="A package that stands for another, as com.app.debug=com.app.",
    ),
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
recordings_argument = click.argument("recording", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))


def _accepted(*, waivers: Path | None, flows: Path | None, today: date, max_waiver_days: int) -> Accepted:
    from monitor.gate import Accepted, allowed
    from monitor.gate import waivers as files

    waiver_file = beside(waivers, files.NAME)
    flow_file = beside(flows, allowed.NAME)
    return Accepted(
        files.read(waiver_file, today, max_waiver_days) if waiver_file else None,
        allowed.read(flow_file) if flow_file else None,
    )


accepted_options = gathered(
    "accepted",
    _accepted,
    click.option("--waivers", type=FILE, help="[default: appwitness-waivers.yml, where there is one]"),
    click.option("--flows", type=FILE, help="Flows that are allowed or forbidden. [default: appwitness-flows.yml]"),
    max_days_option,
    today_option,
)
"""What people have accepted; the verb gets it as `accepted`."""


def _failing(**options: Any) -> Any:
    from monitor.gate import Policy

    return Policy(**options)


failing_options = gathered(
    "failing",
    _failing,
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
@judging_options
def gate(
    recording: tuple[Path, ...], baseline: Path | None, base: tuple[Path, ...], as_: Output, runs: Runs, **chosen: Any
) -> None:
    """Decide whether a build does anything that was not accepted.

    Holds the findings of some runs of one app against a baseline, or against runs of the last release (--base), and
    against the waivers and the list of flows. Each finding is new, worse, the same, better, gone or not observable:
    what is new or worse fails the build.

    Ends with 0 when nothing counts, 1 when something does, and 3 under --strict when a part of the baseline could not
    be observed.
    """
    from dataclasses import replace

    from monitor.gate import gate as decide
    from monitor.gate import release

    judging, accepted = chosen["judging"], replace(chosen["accepted"], aliases=runs.aliases)
    policy = replace(chosen["failing"], strict=judging.strict)
    if base and baseline:
        raise UserError("--base and --baseline are two things to hold against.", "Give one of them.")
    reports = runs.reports(recording, judging)
    if base:
        against: Held | None = release(runs.reports(base, judging), runs.aliases)
    else:
        against = _of_file(baseline, runs.package(reports[0]))
    decided = decide(reports, against, accepted, policy, judging.known.recipients)
    _write(decided, reports, as_)
    sys.exit(EXIT_CODES[decided.outcome])


@main.command(cls=Paired)
@click.argument("old")
@click.argument("new")
@output
@runs_options
@judging_options
def diff(old: str, new: str, as_: Output, runs: Runs, judging: Judging) -> None:
    """Say what one release does that another did not.

    OLD and NEW are recordings, or reports written as JSON; several of one release with commas between them.

    Ends with 1 when something is new or worse.
    """
    from monitor.gate import Accepted, Policy, release
    from monitor.gate import gate as decide

    before, after = ([Path(name) for name in side.split(",")] for side in (old, new))
    reports = runs.reports([*after, *before], judging)
    now, was = reports[: len(after)], reports[len(after) :]
    policy = Policy(fail_on="info", min_confidence="declared", strict=judging.strict)
    accepted = Accepted(aliases=runs.aliases)
    decided = decide(now, release(was, runs.aliases), accepted, policy, judging.known.recipients)
    _write(decided, now, as_)
    sys.exit(EXIT_CODES[decided.outcome])


def _of_file(given: Path | None, package: str) -> Held | None:
    from monitor.gate import Held
    from monitor.gate import baseline as files

    path = beside(given, files.NAME)
    if path is None:
        return None
    file = baseline_of(path, package)
    return Held(file.made, {each.id: each for each in file.findings}, str(path))


def baseline_of(path: Path, package: str) -> Baseline:
    """The file of an app. Raises UserError when it is of another."""
    from monitor.gate import baseline as files

    file = files.read(path)
    if package != file.app:
        raise UserError(f"{path} is of {file.app}, and these are runs of {package}.", "Name another --baseline.")
    return file


def beside(given: Path | None, name: str) -> Path | None:
    """The file that was named; else the one in this folder, or in that of pyproject.toml above it; None: neither."""
    if given:
        return given
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "pyproject.toml").is_file()), here)
    return next((folder / name for folder in (here, project) if (folder / name).is_file()), None)
