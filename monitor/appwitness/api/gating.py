"""Runs the gate: reads the runs of an app, its baseline and waivers, and decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from appwitness.api.judging import Judging, judging
from appwitness.support import given_files
from appwitness.support.errors import DamagedRecording, FileError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that `import appwitness` and --help answer at once
    from appwitness.api.judging import JudgingChoices
    from appwitness.findings import Confidence, Level, Report
    from appwitness.findings.gate_decision import GateReport, Remark
    from appwitness.gate import Accepted, GatePolicy, Held
    from appwitness.gate.baseline import Baseline

    class GateLimits(JudgingChoices, total=False):
        """What runs are compared with, and what fails."""

        baseline: Path | None
        """The baseline file; None: appwitness-baseline.yml in this folder or beside pyproject.toml, if it exists."""
        base: Sequence[Path]
        """Recordings of another release, or their reports as JSON, instead of a baseline."""
        waivers: Path | None
        flows: Path | None
        aliases: Mapping[str, str]
        """Package -> the package that it stands for: `com.app.debug` -> `com.app`."""
        verify: bool
        """False: also accept recordings that do not match their stamps."""
        fail_on: Level | Literal["never"]
        min_confidence: Confidence
        on_worse: bool
        on_new_rules: bool
        on_stale: bool
        strict: bool
        allowed_gaps: tuple[str, ...]


@dataclass(frozen=True)
class GatedRuns:
    """Reads the runs of one app."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    verify: bool = True

    def package(self, report: Report) -> str:
        """The package of a run's app, with aliases resolved."""
        package = report.run.app.package
        return self.aliases.get(package, package)

    def reports(self, paths: Sequence[Path], judging: Judging) -> list[Report]:
        """The reports of recordings, or reports read from JSON files; all must be of one app. Raises UserError if
        they are of several apps, DamagedRecording if a recording does not match its stamps."""
        reports = [self._report(path, judging) for path in paths]
        for path, report in zip(paths, reports, strict=True):
            self.see_that_one(path, report, self.package(reports[0]))
        return reports

    def see_that_one(self, path: Path, report: Report, package: str) -> None:
        """Raise UserError if a run is of an app other than `package`."""
        if (other := self.package(report)) != package:
            raise UserError(
                Spoken(
                    "{path} is a run of {other}, and others are of {package}.", path=path, other=other, package=package
                ),
                Spoken(
                    "Name runs of one app, or say that they are one: --package-alias {other}={package}.",
                    other=other,
                    package=package,
                ),
            )

    def _report(self, path: Path, judging: Judging) -> Report:
        if path.is_file() and path.suffix == ".json":
            if judging.trust:
                raise UserError(
                    Spoken("{path} is a report, which no key signed.", path=path),
                    "Name the recording that it was made from.",
                )
            return _written(path)
        report = judging.report(path)
        sealed = report.verified
        if self.verify and sealed and sealed.outcome == "altered":
            raise DamagedRecording(
                Spoken("{path} does not match its stamps: {difference}.", path=path, difference=sealed.difference),
                "Run `appwitness verify` on it. To use it anyway: --no-verify.",
            )
        if self.verify and judging.trust and (sealed is None or sealed.outcome != "intact"):
            raise DamagedRecording(
                Spoken("Nobody whom you trust vouches for all of {path}.", path=path),
                "Run `appwitness verify` on it, with the same --key. To use it anyway: --no-verify.",
            )
        return report


def _written(path: Path) -> Report:
    from pydantic import ValidationError

    from appwitness.findings import Report

    try:
        return Report.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        hint = Spoken("Make it with: appwitness report --format json.")
        raise FileError(path, None, Spoken("{where}: {msg}.", where=where, msg=first["msg"]), hint) from None


def accepted(waivers: Path | None, flows: Path | None, today: date, max_waiver_days: int) -> Accepted:
    """What people have accepted, from the files named, else from the default files. Raises FileError with the line."""
    from appwitness.gate import Accepted, allowed
    from appwitness.gate import waivers as files

    waiver_file = beside(waivers, files.NAME)
    flow_file = beside(flows, allowed.NAME)
    return Accepted(
        files.read(waiver_file, today, max_waiver_days) if waiver_file else None,
        allowed.read(flow_file) if flow_file else None,
    )


def baseline_of(path: Path, package: str) -> Baseline:
    """Read the baseline of an app. Raises UserError if it is another app's."""
    from appwitness.gate import baseline as files

    file = files.read(path)
    if package != file.app:
        raise UserError(
            Spoken("{path} is for {app}, and these are runs of {package}.", path=path, app=file.app, package=package),
            "Name another --baseline.",
        )
    return file


def beside(given: Path | None, name: str) -> Path | None:
    """The given file; else the one in this folder, or in the folder of the pyproject.toml above it; None if there is
    neither."""
    if given:
        return given
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "pyproject.toml").is_file()), here)
    return next((folder / name for folder in (here, project) if given_files.is_there(folder / name)), None)


@dataclass(frozen=True)
class Gate:
    """What the runs of one app are compared with."""

    judging: Judging
    accepted: Accepted
    policy: GatePolicy
    runs: GatedRuns = field(default_factory=GatedRuns)
    baseline: Path | None = None
    """The baseline; None: the default file, if it exists."""
    base: Sequence[Path] = ()
    """Runs of another release, instead of the baseline."""

    def decide(self, reports: Sequence[Report]) -> GateReport:
        """Decide how each finding of these runs changed. Raises UserError if the baseline is another app's."""
        from appwitness.gate import gate, release

        package = self.runs.package(reports[0])
        if self.base:
            others = self.runs.reports(self.base, self.judging)
            self.runs.see_that_one(self.base[0], others[0], package)
            against: Held | None = release(others, self.runs.aliases)
        else:
            against = self._of_file(package)
        return gate(reports, against, self.accepted, self.policy, self.judging.known.recipients)

    def _of_file(self, package: str) -> Held | None:
        from appwitness.gate import Held
        from appwitness.gate import baseline as files

        path = beside(self.baseline, files.NAME)
        if path is None:
            return None
        if not given_files.is_there(path):
            raise UserError(Spoken("There is no {path}.", path=path), "Write it: appwitness baseline write RECORDING.")
        file = baseline_of(path, package)
        return Held(file.made, {each.id: each for each in file.findings}, str(path))


def made(by: Judging | None = None, /, **limits: Unpack[GateLimits]) -> Gate:
    """A gate with the user's limits; `by` replaces the choices on judging.

    Raises UserError and FileError for invalid choices or files.
    """
    from appwitness.gate import GatePolicy
    from appwitness.gate.waivers import MAX_DAYS

    given: dict[str, Any] = dict(limits)
    fails = GatePolicy(**{each.name: given.pop(each.name) for each in fields(GatePolicy) if each.name in given})
    runs = GatedRuns(given.pop("aliases", {}), given.pop("verify", True))
    files = accepted(given.pop("waivers", None), given.pop("flows", None), datetime.now(UTC).date(), MAX_DAYS)
    baseline, base = given.pop("baseline", None), tuple(given.pop("base", ()))
    return Gate(by or judging(**given), replace(files, aliases=runs.aliases), fails, runs, baseline, base)


def policy(**limits: Any) -> GatePolicy:
    """The policy on what fails a build, from limits such as `fail_on`, `min_confidence`, `on_worse`, `strict`."""
    from appwitness.gate import GatePolicy

    return GatePolicy(**limits)


def gate(recordings: Path | str | Sequence[Path | str], **limits: Unpack[GateLimits]) -> GateReport:
    """How each finding of some runs of one app changed, and whether the build fails: `outcome`.

    Raises UserError for runs of several apps, FileError for an invalid file, DamagedRecording for a recording that does
    not match its stamps.
    """
    by = made(**limits)
    return by.decide(by.runs.reports(_paths(recordings), by.judging))


def diff(
    old: Path | str | Sequence[Path | str], new: Path | str | Sequence[Path | str], **choices: Unpack[JudgingChoices]
) -> GateReport:
    """What one release does that another did not: everything new or worse counts. Raises as `gate` does."""
    by = between(_paths(old), GatedRuns(), judging(**choices))
    return by.decide(by.runs.reports(_paths(new), by.judging))


def between(old: Sequence[Path], runs: GatedRuns, judging: Judging, strict: bool = False) -> Gate:
    """A gate for one release against another: nothing is accepted, and everything new or worse counts."""
    from appwitness.gate import Accepted, GatePolicy

    fails = GatePolicy(fail_on="info", min_confidence="declared", strict=strict)
    return Gate(judging, Accepted(aliases=runs.aliases), fails, runs, base=old)


@dataclass(frozen=True)
class GateText:
    """How a decision is rendered."""

    lang: str = "en"
    reveal: bool = False
    """Show personal values, which are masked otherwise."""
    anchor: str | None = None
    """The file of the repository, as `path` or `path:line`, to which a code host attaches results."""
    with_gone: bool = False
    """Whether SARIF also contains findings that are gone."""


IN_ENGLISH = GateText()


def render(decided: GateReport, reports: Sequence[Report], format: str = "text", how: GateText = IN_ENGLISH) -> str:
    """Render a gate's decision on runs with these reports: text, json, sarif, junit, markdown, gitlab or html.

    Raises UserError for a format or language that does not exist.
    """
    from appwitness.gate import reports as gate
    from appwitness.reports.words import Words

    told = gate.GateStory(decided, reports, Words(how.lang), how.reveal, how.anchor, how.with_gone)
    return gate.render(told, format)


def sentence(remark: Remark, lang: str = "en") -> str:
    """A gate's remark on its own files, as a sentence for people."""
    from appwitness.gate.reports import remark as said
    from appwitness.reports.words import Words

    return said(remark, Words(lang))


def _paths(given: Path | str | Sequence[Path | str]) -> list[Path]:
    return [Path(given)] if isinstance(given, Path | str) else [Path(each) for each in given]
