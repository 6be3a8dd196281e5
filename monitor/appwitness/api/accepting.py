"""The accepted findings of an app: its baseline and its temporary waivers; also finds where a finding is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from appwitness.api.gating import GatedRuns, baseline_of, beside
from appwitness.support import given_files, private_files
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import Judging
    from appwitness.findings.gate_decision import Gated, Made, Remark
    from appwitness.gate.baseline import Baseline as Baseline
    from appwitness.reports.explain import FingerprintPlace


# the baseline


@dataclass(frozen=True)
class BaselineUpdate:
    """A baseline compared with some runs."""

    old: Baseline
    changes: Sequence[Gated]
    made: Made
    """How these runs were made."""

    @property
    def differing(self) -> list[Gated]:
        """The differences between the baseline and these runs."""
        return [each for each in self.changes if each.change not in {"same", "not_observable"}]

    @property
    def worse(self) -> list[Gated]:
        """What is new or worse; it is accepted only with a reason."""
        return [each for each in self.changes if each.change in {"new", "worse", "new_rule"}]

    def updated(self, accept_new: str | None = None) -> Baseline:
        """The baseline without what is gone, and with what became better; what is new or worse is added only with a
        reason."""
        from appwitness.gate import baseline as files

        return files.updated(self.old, self.changes, self.made, accept_new)

    def pruned(self) -> Baseline:
        """The baseline without what is gone, otherwise unchanged."""
        gone = {each.was.id for each in self.changes if each.was and each.change == "gone"}
        kept = tuple(each for each in self.old.findings if each.id not in gone)
        return self.old.model_copy(update={"findings": kept})


def baseline(recordings: Sequence[Path], runs: GatedRuns, judging: Judging, instead_of: Path | None = None) -> Baseline:
    """A baseline that accepts everything these runs of one app show.

    Raises as `GatedRuns.reports` does, and UserError if it would replace an existing file while the recordings may lack
    lines: findings from those lines would be dropped.
    """
    from appwitness.gate import baseline as files
    from appwitness.gate.behaviours import side
    from appwitness.gate.observable import holes

    reports = runs.reports(recordings, judging)
    missing = next((hole for report in reports for hole in holes(report)), None)
    if missing and instead_of and given_files.is_there(instead_of):
        raise UserError(
            Spoken(
                "{subject} may lack lines ({why}), and replacing {instead_of} would lose what the missing lines "
                "showed.",
                subject=missing.subject,
                why=missing.why,
                instead_of=instead_of,
            ),
            "`appwitness baseline update` keeps what could not be observed. To start over, move the file away.",
        )
    return files.of(side(reports, runs.aliases), runs.package(reports[0]))


def against(file: Path, recordings: Sequence[Path], runs: GatedRuns, judging: Judging) -> BaselineUpdate:
    """Compare runs of one app with its baseline. Raises UserError if the file does not exist or is another app's
    baseline, FileError with the invalid line, and as `GatedRuns.reports` does."""
    from appwitness.gate.behaviours import side
    from appwitness.gate.changes import changes

    if not given_files.is_there(file):
        raise UserError(
            Spoken("There is no {file}.", file=file), "Write one first: appwitness baseline write RECORDING."
        )
    reports = runs.reports(recordings, judging)
    old = baseline_of(file, runs.package(reports[0]))
    now = side(reports, runs.aliases)
    found = changes(now, old.made, {each.id: each for each in old.findings}, judging.known.recipients)
    return BaselineUpdate(old, found, now.made)


def merged(file: Path) -> Baseline:
    """Merge both sides of a baseline with a merge conflict; a finding on both sides is taken from the newer run.
    Raises FileError if there is no conflict or a side is not a baseline."""
    from appwitness.gate import baseline as files

    return files.merged(file)


def write_baseline(file: Path, accepted: Baseline) -> None:
    """Write a baseline file. It holds no personal data, so it is readable by everyone."""
    from appwitness.gate import baseline as files

    _write(file, files.text(accepted))


# waivers


class CheckedWaivers(NamedTuple):
    """The result of checking a waiver file."""

    entries: int
    remarks: tuple[Remark, ...]
    """Entries that have expired or soon will; with runs, also entries that match none of their findings."""


@dataclass(frozen=True)
class WaiverList:
    """A waiver file, and the date for which it is checked."""

    path: Path
    today: date
    max_days: int
    """The longest duration of a waiver, in days."""

    def add(self, finding: str, fields: Mapping[str, str | None], runs: GatedRuns, judging: Judging) -> dict[str, str]:
        """Waive a finding, named as `fingerprint` takes it; returns the waiver's `id` and the `finding` it is for.

        `fields` are owner, reason, expires, ticket and id, texts or None; without an `id`, the waiver is named W- and
        the next free number. The rest of the file is kept. Raises UserError for invalid fields, FileError with the
        invalid line of the file, and as `fingerprint` does.
        """
        from appwitness.gate import waivers

        entries = waivers.read(self.path, self.today, self.max_days).entries if given_files.is_there(self.path) else ()
        taken = {each.id for each, _ in entries}
        number = next(f"W-{number}" for number in range(1, len(taken) + 2) if f"W-{number}" not in taken)
        given = {**fields, "id": fields.get("id") or number, "finding": fingerprint(finding, runs, judging)}
        waiver = waivers.entry(given, self.today, self.max_days)
        _write(self.path, waivers.added(self.path, waiver, self.today, self.max_days))
        return {"id": str(given["id"]), "finding": str(given["finding"])}

    def check(self, recordings: Sequence[Path], runs: GatedRuns, judging: Judging) -> CheckedWaivers:
        """Find entries that have expired or soon will and, given recordings, entries that match none of their findings.

        Raises UserError if there is no file, FileError with the invalid line, and as `GatedRuns.reports` does.
        """
        from appwitness.gate import waivers
        from appwitness.gate.behaviours import side

        if not given_files.is_there(self.path):
            raise UserError(
                Spoken("There is no {path}.", path=self.path), "Name it with --file, or write one: appwitness waive."
            )
        read = waivers.read(self.path, self.today, self.max_days)
        shown = side(runs.reports(recordings, judging), runs.aliases).shown.values() if recordings else ()
        remarks = read.remarks(each.behaviour for each in shown)
        told = tuple(each for each in remarks if recordings or each.what != "waiver_unused")
        return CheckedWaivers(len(read.entries), told)


def waivers_beside(today: date) -> WaiverList:
    """The waiver file in this folder or beside pyproject.toml; a new one in this folder if there is none yet."""
    from appwitness.gate import waivers

    return WaiverList(beside(None, waivers.NAME) or Path.cwd() / waivers.NAME, today, waivers.MAX_DAYS)


def fingerprint(finding: str, runs: GatedRuns, judging: Judging) -> str:
    """The fingerprint that a text names: `v2:...` itself, or that of RECORDING:N, the Nth finding in its report, from
    1.

    Raises UserError if it is neither, or the recording has no such finding.
    """
    from appwitness.findings.identity import VERSION, identity
    from appwitness.reports.verdict import worst_first

    if finding.startswith(f"{VERSION}:"):
        return finding
    path, _, number = finding.rpartition(":")
    if not path or not number.isdecimal():
        raise UserError(
            Spoken("{finding!r} is not a finding.", finding=finding), "Give a fingerprint (v2:...) or RECORDING:N."
        )
    (report,) = runs.reports([Path(path)], judging)
    findings = worst_first(report)
    if not 0 < int(number) <= len(findings):
        raise UserError(
            Spoken("{path} has {findings} findings.", path=path, findings=len(findings)),
            "Count findings as `appwitness report` prints them, from 1.",
        )
    return identity(findings[int(number) - 1], runs.package(report)).id


def _write(path: Path, text: str) -> None:
    """Write a file of the app's repository; it holds no personal data, so it is readable by everyone. Raises
    UserError if the path is not a regular file."""
    if given_files.is_there(path) and not given_files.beside(path).is_file() and path.exists():
        raise UserError(Spoken("{path} is not a regular file.", path=path), given_files.TODO)
    private_files.write(path, text, mode=0o644)


# where a finding is known, by its fingerprint: recordings that show it, and the baseline that lists it


def in_recordings(
    fingerprint: str, recordings: Sequence[Path], judging: Judging, aliases: Mapping[str, str]
) -> Iterator[FingerprintPlace]:
    """The findings with a given fingerprint (`v2:...`) in recordings. Raises UserError for a path that is not a
    recording.

    `aliases`: package -> the package that it stands for.
    """
    from appwitness.reports.explain import shown

    for path in recordings:
        yield from shown(judging.report(path), fingerprint, aliases, str(path))


def in_baseline(fingerprint: str, baseline: Path | None = None) -> Iterator[FingerprintPlace]:
    """The lines of a baseline with a given fingerprint; None: the default file, appwitness-baseline.yml, if there is
    one.

    Raises FileError with the invalid line.
    """
    from appwitness.catalog import yaml_files
    from appwitness.gate import baseline as files
    from appwitness.reports.explain import listed

    path = beside(baseline, files.NAME)
    if path is None:
        return
    file = files.read(path)
    for behaviour, line in zip(file.findings, yaml_files.lines_of(path, "findings"), strict=True):
        if behaviour.id == fingerprint:
            yield listed(behaviour, file.app, f"{path}:{line}")
