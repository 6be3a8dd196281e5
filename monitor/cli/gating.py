"""The verbs of a build: gate, diff, baseline, waive, waivers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.base import db_option, knowledge_options, main, out, plain, report_of, write
from monitor.errors import DamagedRecording, FileError, UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from monitor.correlate import Knowledge
    from monitor.findings import Report
    from monitor.gate import Accepted, Held, Policy
    from monitor.gate.baseline import Baseline

FORMATS = ("text", "json", "sarif", "junit", "markdown", "gitlab")
"""As in monitor.reports.gate, which is imported late; a test compares the two."""
EXIT_CODES = {"passed": 0, "failed": 1, "not_observable": 3}
Outputs = list[tuple[str, Path | None]]


class Paired(click.Command):
    """A verb with any number of `--format X --output F`: an --output is that of the --format before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the pairs out; the verb gets them as `outputs`."""
        outputs: Outputs = []
        rest: list[str] = []
        words = iter(args)
        for word in words:
            name, equals, value = word.partition("=")
            if word == "--":
                rest += [word, *words]
            elif name not in {"--format", "--output"}:
                rest.append(word)
            else:
                given = value if equals else next(words, "")
                if name == "--format":
                    outputs.append((_format(given), None))
                elif not given:
                    raise UserError("--output names no file.", "Write --format sarif --output gate.sarif.")
                elif outputs and outputs[-1][1] is None:
                    outputs[-1] = (outputs[-1][0], Path(given))
                else:
                    outputs.append(("text", Path(given)))
        if sum(path is None for _, path in outputs) > 1:
            raise UserError("Two formats go to standard output.", "Give all but one of them an --output of its own.")
        ctx.meta["outputs"] = outputs or [("text", None)]
        return super().parse_args(ctx, rest)


def _format(name: str) -> str:
    if name not in FORMATS:
        raise UserError(f"There is no format {name!r}.", f"Choose one of {', '.join(FORMATS)}.")
    return name


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def add(verb: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return add


FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
# These two are taken out by Paired; they stand here for --help.
output_options = _options(
    click.option(
        "--format", "_format", type=click.Choice(FORMATS), help="What to write, as often as wanted. [default: text]"
    ),
    click.option("--output", "_output", metavar="FILE", help="File for the --format before it. [default: stdout]"),
)
reading_options = _options(
    click.option(
        "--package-alias",
        "aliases",
        multiple=True,
        metavar="NAME=PACKAGE",
        help="A package that stands for another, as com.example.debug=com.example.",
    ),
    click.option(
        "--no-verify", is_flag=True, help="Take recordings that are not what their stamps say; the report says so."
    ),
    db_option,
    knowledge_options,
)
lang_option = click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")
reveal_option = click.option(
    "--reveal", is_flag=True, help="Show personal values as they are; they are masked otherwise."
)
baseline_option = click.option("--baseline", type=FILE, help="[default: appwitness-baseline.yml, where there is one]")
today_option = click.option(
    "--today", type=click.DateTime(["%Y-%m-%d"]), hidden=True, callback=lambda _c, _o, day: day.date() if day else None
)
recordings_argument = click.argument("recording", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))


@main.command(cls=Paired)
@recordings_argument
@baseline_option
@click.option("--waivers", type=FILE, help="[default: appwitness-waivers.yml, where there is one]")
@click.option("--flows", type=FILE, help="Flows that are allowed or forbidden. [default: appwitness-flows.yml]")
@click.option(
    "--base",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Instead of a baseline: a recording of the last release, or its report as JSON (may be given several times).",
)
@click.option(
    "--fail-on",
    type=click.Choice(["high", "medium", "low", "info", "never"]),
    default="medium",
    show_default=True,
    help="Least level that fails.",
)
@click.option(
    "--min-confidence",
    type=click.Choice(["proven", "corroborated", "indicated", "declared"]),
    default="corroborated",
    show_default=True,
    help="Least confidence that fails.",
)
@click.option("--fail-on-worse/--no-fail-on-worse", default=True, help="Fail on what became worse, too. [default: yes]")
@click.option("--fail-on-new-rules", is_flag=True, help="Fail on findings of rules that the baseline does not know.")
@click.option("--fail-on-stale", is_flag=True, help="Fail on entries that nothing uses, or that have expired.")
@click.option(
    "--allow-gap",
    "allowed_gaps",
    multiple=True,
    metavar="WHERE:WHY:SUBJECT",
    help="A gap that is accepted under --strict; `*` stands for any text.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 when a part of the baseline could not be observed.")
@click.option(
    "--max-waiver-days", type=click.IntRange(1), default=180, show_default=True, help="How far ahead a waiver may end."
)
@click.option(
    "--sarif-anchor",
    "anchor",
    metavar="FILE[:LINE]",
    help="A file of the repository at which a code host shows results.",
)
@click.option("--with-gone", is_flag=True, help="SARIF: list what is gone, too.")
@output_options
@lang_option
@reveal_option
@today_option
@reading_options
@click.pass_context
def gate(context: click.Context, recording: tuple[Path, ...], known: Knowledge, **options: Any) -> None:
    """Decide whether a build may go on: does it send anything that was not accepted?

    Holds the findings of some runs of one app against a baseline, or against runs of the last release (--base), and
    against the waivers and the list of flows beside it. Each finding is new, worse, the same, better, gone or not
    observable; what is new or worse at the level fails the build.

    Ends with 0 when nothing counts, 1 when something does, 3 under --strict when a part of the baseline could not be
    observed.
    """
    from monitor.gate import gate as decide
    from monitor.reports.gate import render

    accepted = _accepted(options)
    reports = _reports(recording, options, known)
    package = _one_app(recording, reports, accepted.aliases)
    held = _held(options, known, accepted.aliases, package)
    decided = decide(reports, held, accepted, _policy(options), known.recipients)
    for name, path in context.meta["outputs"]:
        text = render(
            decided,
            reports,
            name,
            lang=options["lang"],
            reveal=options["reveal"],
            anchor=options["anchor"],
            with_gone=options["with_gone"],
        )
        write(text, path)
    sys.exit(EXIT_CODES[decided.outcome])


@main.command(cls=Paired)
@click.argument("old")
@click.argument("new")
@output_options
@lang_option
@reveal_option
@reading_options
@click.pass_context
def diff(context: click.Context, old: str, new: str, known: Knowledge, **options: Any) -> None:
    """Say what one release does that another did not: OLD and NEW are recordings or reports (JSON), by commas.

    Ends with 1 when something is new or worse.
    """
    from monitor.gate import Accepted, Policy, release
    from monitor.gate import gate as decide
    from monitor.reports.gate import render

    aliases = _aliases(options["aliases"])
    before, after = ([Path(name) for name in side.split(",")] for side in (old, new))
    reports = _reports(after, options, known)
    earlier = _reports(before, options, known)
    _one_app([*before, *after], [*earlier, *reports], aliases)
    policy = Policy(fail_on="info", min_confidence="declared")
    decided = decide(reports, release(earlier, aliases), Accepted(aliases=aliases), policy, known.recipients)
    for name, path in context.meta["outputs"]:
        write(render(decided, reports, name, lang=options["lang"], reveal=options["reveal"]), path)
    sys.exit(EXIT_CODES[decided.outcome])


@main.group()
def baseline() -> None:
    """Write down what an app is known to do, for `gate`."""


file_option = click.option(
    "--baseline",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file. [default: appwitness-baseline.yml]",
)


@baseline.command("write")
@recordings_argument
@file_option
@reading_options
def baseline_write(recording: tuple[Path, ...], file: Path | None, known: Knowledge, **options: Any) -> None:
    """Accept all that these runs show, and write it down. An existing file is replaced."""
    from monitor.gate import baseline as files
    from monitor.gate.behaviours import side

    aliases = _aliases(options["aliases"])
    reports = _reports(recording, options, known)
    package = _one_app(recording, reports, aliases)
    _write(file or Path(files.NAME), files.text(files.of(side(reports, aliases), package)))


@baseline.command("update")
@recordings_argument
@file_option
@click.option("--accept-new", metavar="REASON", help="Take in what is new or worse, and why that is accepted.")
@reading_options
def baseline_update(
    recording: tuple[Path, ...], file: Path | None, accept_new: str | None, known: Knowledge, **options: Any
) -> None:
    """Take out what is gone and note what became better; what could not be observed stays."""
    _update(recording, file, known, options, accept_new, prune=True)


@baseline.command("prune")
@recordings_argument
@file_option
@reading_options
def baseline_prune(recording: tuple[Path, ...], file: Path | None, known: Knowledge, **options: Any) -> None:
    """Take out what is gone, and change nothing else; what could not be observed stays."""
    from monitor.gate import baseline as files

    path, old, changes, _made = _against_file(recording, file, known, options)
    gone = {each.was.id for each in changes if each.was and each.change == "gone"}
    kept = tuple(each for each in old.findings if each.id not in gone)
    _write(path, files.text(old.model_copy(update={"findings": kept})))


@baseline.command("check")
@recordings_argument
@file_option
@reading_options
def baseline_check(recording: tuple[Path, ...], file: Path | None, known: Knowledge, **options: Any) -> None:
    """Say whether the file is what `update` would write. Ends with 1 when it is not."""
    from monitor.gate import baseline as files

    path, old, changes, made = _against_file(recording, file, known, options)
    current = files.updated(old, changes, made, None)
    entries = {each.id: each for each in old.findings}
    differ = [each for each in current.findings if entries.get(each.id) != each]
    gone = [name for name in entries if name not in {each.id for each in current.findings}]
    new = [each.now for each in changes if each.now and not each.was]
    for what, ids in (
        ("differs", [each.id for each in differ]),
        ("gone", gone),
        ("not in it", [each.id for each in new]),
    ):
        for name in ids:
            out.print(f"{what}: {name}")
    if differ or gone or new:
        out.print(f"{plain(str(path))} is not current: appwitness baseline update.")
        sys.exit(1)
    out.print(f"{plain(str(path))} is current.")


@baseline.command("merge")
@click.argument("file", type=FILE)
def baseline_merge(file: Path) -> None:
    """Resolve a merge conflict in the file: the findings of both sides, each as the newer run has it."""
    from monitor.gate import baseline as files

    _write(file, files.text(files.merged(file)))


@main.command()
@click.argument("finding")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why it is accepted: ten characters or more.")
@click.option("--expires", required=True, metavar="DATE", help="Last day on which it holds: 2027-02-01.")
@click.option("--ticket", help="Where it is tracked.")
@click.option("--id", "name", help="Name of the entry. [default: W- and the next number]")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="[default: appwitness-waivers.yml]")
@click.option(
    "--max-waiver-days", type=click.IntRange(1), default=180, show_default=True, help="How far ahead it may end."
)
@today_option
@reading_options
def waive(
    finding: str,
    owner: str,
    reason: str,
    expires: str,
    ticket: str | None,
    name: str | None,
    file: Path | None,
    max_waiver_days: int,
    today: date | None,
    known: Knowledge,
    **options: Any,
) -> None:
    """Accept a finding for a time: FINDING is a fingerprint that `gate` prints, or RECORDING:N, its Nth finding."""
    from monitor.gate import waivers

    path = file or Path(waivers.NAME)
    day = today or _today()
    entries = waivers.read(path, day, max_waiver_days).entries if path.exists() else ()
    taken = {entry.id for entry, _ in entries}
    number = next(number for number in range(1, len(taken) + 2) if f"W-{number}" not in taken)
    fields = {
        "id": name or f"W-{number}",
        "finding": _fingerprint(finding, options, known),
        "owner": owner,
        "reason": reason,
        "expires": expires,
        "ticket": ticket,
    }
    _write(path, waivers.added(path, waivers.entry(fields, day, max_waiver_days), day, max_waiver_days))


@main.group("waivers")
def waivers_() -> None:
    """Look at the waivers."""


@waivers_.command("check")
@click.argument("recording", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--file", type=FILE, help="[default: appwitness-waivers.yml]")
@click.option(
    "--max-waiver-days", type=click.IntRange(1), default=180, show_default=True, help="How far ahead one may end."
)
@today_option
@reading_options
def waivers_check(
    recording: tuple[Path, ...],
    file: Path | None,
    max_waiver_days: int,
    today: date | None,
    known: Knowledge,
    **options: Any,
) -> None:
    """List waivers that have expired or soon will; with recordings, also those that no finding of them uses.

    Ends with 1 when one has expired or is not used.
    """
    from monitor.gate import waivers
    from monitor.gate.behaviours import side
    from monitor.reports.gate.sentences import remark
    from monitor.reports.words import Words

    path = file or Path(waivers.NAME)
    if not path.exists():
        raise UserError(f"There is no {path}.", "Name it with --file, or write one: appwitness waive.")
    read = waivers.read(path, today or _today(), max_waiver_days)
    reports = _reports(recording, options, known) if recording else []
    shown = side(reports, _aliases(options["aliases"])).shown.values() if reports else ()
    remarks = list(read.remarks(each.behaviour for each in shown))
    told = [each for each in remarks if reports or each.what != "waiver_unused"]
    for each in told:
        click.echo(remark(each, Words("en")))
    if not told:
        out.print(f"{len(read.entries)} waivers, none expired or soon to expire.")
    sys.exit(1 if any(each.what != "waiver_expires_soon" for each in told) else 0)


def _write(path: Path, text: str) -> None:
    """A file of the app's repository, which holds no personal data: others may read it."""
    from monitor import private

    private.write(path, text, mode=0o644)
    click.echo(f"written: {path}", err=True)


def _today() -> date:
    return datetime.now(UTC).date()


def _update(
    recording: Sequence[Path],
    file: Path | None,
    known: Knowledge,
    options: dict[str, Any],
    accept_new: str | None,
    *,
    prune: bool,
) -> None:
    from monitor.gate import baseline as files

    path, old, changes, made = _against_file(recording, file, known, options)
    _write(path, files.text(files.updated(old, changes, made, accept_new, prune=prune)))
    left = [each.behaviour.id for each in changes if each.change in {"new", "worse", "new_rule"}]
    if left and not accept_new:
        out.print(f"Not taken in, since no --accept-new says why: {', '.join(left)}.")


def _against_file(recording: Sequence[Path], file: Path | None, known: Knowledge, options: dict[str, Any]) -> Any:
    from monitor.gate import baseline as files
    from monitor.gate.behaviours import side
    from monitor.gate.changes import changes

    path = file or Path(files.NAME)
    if not path.exists():
        raise UserError(f"There is no {path}.", "Write one first: appwitness baseline write RECORDING.")
    aliases = _aliases(options["aliases"])
    reports = _reports(recording, options, known)
    old = _baseline(path, _one_app(recording, reports, aliases))
    now = side(reports, aliases)
    return path, old, changes(now, old.made, {each.id: each for each in old.findings}, known.recipients), now.made


def _baseline(path: Path, package: str) -> Baseline:
    from monitor.gate import baseline as files

    file = files.read(path)
    if package != file.app:
        raise UserError(f"{path} is of {file.app}, and these are runs of {package}.", "Name another --baseline.")
    return file


def _reports(paths: Sequence[Path], options: dict[str, Any], known: Knowledge) -> list[Report]:
    return [_report(path, options, known) for path in paths]


def _report(path: Path, options: dict[str, Any], known: Knowledge) -> Report:
    """Of a recording, or of a report that was written as JSON."""
    if path.is_file() and path.suffix == ".json" and path.name != "run.json":
        from pydantic import ValidationError

        from monitor.findings import Report

        try:
            return Report.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise FileError(
                path, None, f"{where}: {first['msg']}.", "Make it with: appwitness report --format json."
            ) from None
    report = report_of(path, options["db"], known)
    sealed = report.verified
    if sealed and not options["no_verify"] and sealed.outcome == "altered":
        raise DamagedRecording(
            f"{path} is not what its stamps say: {sealed.difference}.",
            "Look into it: appwitness verify. To go on nevertheless: --no-verify.",
        )
    return report


def _one_app(paths: Sequence[Path], reports: Sequence[Report], aliases: dict[str, str]) -> str:
    packages = [aliases.get(report.run.app.package, report.run.app.package) for report in reports]
    for path, package in zip(paths, packages, strict=True):
        if package != packages[0]:
            raise UserError(
                f"{path} is a run of {package}, {paths[0]} one of {packages[0]}.",
                f"Name runs of one app, or say that they are one: --package-alias {package}={packages[0]}.",
            )
    return packages[0]


def _aliases(pairs: Sequence[str]) -> dict[str, str]:
    aliases = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if wrong := next((pair for pair in pairs if not all(pair.partition("="))), None):
        raise UserError(f"--package-alias {wrong!r} names no two packages.", "Write com.example.debug=com.example.")
    return aliases


def _policy(options: dict[str, Any]) -> Policy:
    from monitor.gate import Policy

    return Policy(
        fail_on=options["fail_on"],
        min_confidence=options["min_confidence"],
        on_worse=options["fail_on_worse"],
        on_new_rules=options["fail_on_new_rules"],
        on_stale=options["fail_on_stale"],
        strict=options["strict"],
        allowed_gaps=options["allowed_gaps"],
    )


def _accepted(options: dict[str, Any]) -> Accepted:
    from monitor.gate import Accepted, allowed, waivers

    waiver_file = _beside(options["waivers"], waivers.NAME)
    flow_file = _beside(options["flows"], allowed.NAME)
    return Accepted(
        waivers.read(waiver_file, options["today"] or _today(), options["max_waiver_days"]) if waiver_file else None,
        allowed.read(flow_file) if flow_file else None,
        _aliases(options["aliases"]),
    )


def _held(options: dict[str, Any], known: Knowledge, aliases: dict[str, str], package: str) -> Held | None:
    from monitor.gate import Held, baseline, release

    if options["base"]:
        if options["baseline"]:
            raise UserError("--base and --baseline are two things to hold against.", "Give one of them.")
        return release(_reports(options["base"], options, known), aliases)
    path = _beside(options["baseline"], baseline.NAME)
    if path is None:
        return None
    file = _baseline(path, package)
    return Held(file.made, {each.id: each for each in file.findings}, str(path))


def _beside(given: Path | None, name: str) -> Path | None:
    """The file that was named; else the one in this folder or in that of pyproject.toml above it."""
    if given:
        return given
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "pyproject.toml").is_file()), here)
    return next((folder / name for folder in (here, project) if (folder / name).is_file()), None)


def _fingerprint(finding: str, options: dict[str, Any], known: Knowledge) -> str:
    from monitor.findings.identity import VERSION, identity
    from monitor.reports.verdict import worst_first

    if finding.startswith(f"{VERSION}:"):
        return finding
    path, _, number = finding.rpartition(":")
    if not path or not number.isdecimal():
        raise UserError(f"{finding!r} is no finding.", "Give a fingerprint (v2:...) or RECORDING:N.")
    report = _report(Path(path), options, known)
    findings = worst_first(report)
    if not 0 < int(number) <= len(findings):
        raise UserError(
            f"{path} has {len(findings)} findings.", "Count them as `appwitness report` prints them, from 1."
        )
    package = report.run.app.package
    return identity(findings[int(number) - 1], _aliases(options["aliases"]).get(package, package)).id
