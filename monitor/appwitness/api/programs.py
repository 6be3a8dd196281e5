"""The functions behind `appwitness.NAME`, with plain arguments where other modules of `api` take records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that `import appwitness` answers at once
    from appwitness.api.accepting import BaselineUpdate
    from appwitness.api.judging import ComparedRuns, JudgingChoices
    from appwitness.api.marking import Mark
    from appwitness.care import Shared
    from appwitness.events import ConsentState, Scope
    from appwitness.findings import Finding, Flow
    from appwitness.findings.chain import Chain
    from appwitness.gate.baseline import Baseline
    from appwitness.recording import Recording, Verification

type AnyPath = Path | str
"""The folder or archive of a recording, or another file."""


def verify(recording: AnyPath, *, keys: Sequence[AnyPath] = (), authorities: Sequence[AnyPath] = ()) -> Verification:
    """Recompute the stamps of a recording: `ok`, `outcome`, and in `problems` the differences.

    `keys` are files with public keys: one of them must have signed each stamp; `authorities` are files with
    certificates of time-stamp authorities. Raises UserError for a path that is not a recording, FileError for an
    invalid file.
    """
    from appwitness.api import verifying

    return verifying.verified(recording, verifying.trust(list(map(Path, keys)), list(map(Path, authorities))))


class CaptureOptions(TypedDict, total=False):
    """Options for importing other tools' captures."""

    values: Sequence[str]
    """Values that were on the device, to look for: `phone_number=+8613800138000`."""
    output: AnyPath
    """The new folder; default: one in the folder of recordings."""
    format: Literal["har", "flows", "hooks", "pcap"]
    """The format; default: detected from the content."""
    mapping: AnyPath
    """File that maps another tool's hook log."""
    keys: AnyPath
    """Key log that decrypts a packet capture."""


def import_captures(files: AnyPath | Sequence[AnyPath], app: str, **options: Unpack[CaptureOptions]) -> Recording:
    """Import other tools' captures of one run of an app, given by its package, into a new recording.

    Without `values`, nothing is looked for in its traffic. Raises UserError for a file that cannot be read.
    """
    from appwitness.api import exchanging
    from appwitness.api.recording_names import opened

    named = {"mapping": options.get("mapping"), "keys": options.get("keys")}
    beside = {name: Path(file) for name, file in named.items() if file}
    known = exchanging.origin(app, options.get("values", ()), **beside)
    output = options.get("output")
    made = exchanging.import_(
        _paths(files), known, output=Path(output) if output else None, format=options.get("format")
    )
    return opened(made.path)


class MarkOptions(TypedDict, total=False):
    """Options for a question or an answer to be marked."""

    scope: Scope
    data: Sequence[str]
    """Codes of the data types that it covers; default: all."""
    text: str
    """The label that the user touched."""
    note: str
    at: datetime
    """Its time, UTC if it has no time zone; default: now."""
    corrects: str
    """The line that this one replaces: consents.jsonl:3."""


def mark(recording: AnyPath, status: ConsentState, **options: Unpack[MarkOptions]) -> Mark:
    """Record in a recording what the user was asked or decided; the result's `ref` is the new line.

    Raises UserError for an archive, and for a data type or line that does not exist.
    """
    from appwitness.api import marking

    given: dict[str, Any] = {**options, "data": tuple(options.get("data", ()))}
    corrects = given.pop("corrects", "")
    return marking.mark_answer(Path(recording), status, marking.MarkDetails(**given), corrects)


def compare(recordings: Sequence[AnyPath], **choices: Unpack[JudgingChoices]) -> ComparedRuns:
    """Compare runs of one app in which the user answered differently: `comparison`, and the runs' `reports`.

    Values are unmasked. Raises UserError for fewer than two runs, runs of several apps, and a run named twice.
    """
    from appwitness.api import judging

    return judging.compare(_paths(recordings), judging.judging(**choices))


@dataclass(frozen=True)
class Explained:
    """Why something was flagged."""

    id: str
    findings: tuple[Finding, ...]
    """Findings with this ID, or about this flow."""
    flows: tuple[Flow, ...]
    """The flow, or the flows of the findings; their matches hold the reasons for and against. Values are unmasked."""
    chain: Chain
    """The reasoning behind the first of them: each step, and what would refute it."""
    text: str
    """The whole explanation for people, masked."""


def explain(
    recording: AnyPath, id: str, *, lang: Literal["en", "zh"] = "en", **choices: Unpack[JudgingChoices]
) -> Explained:
    """Explain why a flow (`f1`) of a recording was flagged, or the findings with an ID (`v2:3f9c01ab52de`).

    Raises UserError if the recording has no such flow or finding.
    """
    from appwitness.api import accepting, judging
    from appwitness.findings.chain import Chains
    from appwitness.reports.explain import explain as explained
    from appwitness.reports.explain import told
    from appwitness.reports.verdict import worst_first

    by = judging.judging(**choices)
    report = by.report(Path(recording))
    flows = {flow.id: flow for flow in report.flows}
    if id in flows or not id.startswith("v2:"):
        text = explained(report, id, lang=lang)
        findings = tuple(each for each in worst_first(report) if id in each.flows)
        return Explained(id, findings, (flows[id],), Chains(report).of_flow(flows[id]), text)
    findings = tuple(each for each in worst_first(report) if each.id == id)
    text = told(id, list(accepting.in_recordings(id, [Path(recording)], by, {})), lang=lang)
    of = dict.fromkeys(name for each in findings for name in each.flows)
    chain = Chains(report).of(findings[0]) if findings else ()
    return Explained(id, findings, tuple(flows[name] for name in of if name in flows), chain, text)


def share(recording: AnyPath, output: AnyPath) -> Shared:
    """Copy a recording to the new folder `output`, with every personal value replaced by a token of the same shape.

    A body in which a value could still be found is left out (`left_out`), with a gap in its place. Raises UserError
    while the recording is in progress or if `output` is not empty, DamagedRecording if it does not match its stamps.
    """
    from appwitness.api import erasing

    return erasing.share(Path(recording), Path(output))


class ForgetChoices(TypedDict, total=False):
    """Selects recordings, and lines in them."""

    older_than: timedelta
    campaign: str
    values: Sequence[str]
    """Only lines and bodies with one of these: `phone_number=+8613800138000`."""
    kinds: Sequence[str]
    """Only lines of these kinds: access, upload, screen ..."""
    place: str
    """Folder or bucket to search if no recordings are named."""


def forget(
    recordings: AnyPath | Sequence[AnyPath] = (),
    *,
    reason: str | None = None,
    dry_run: bool = False,
    db: str | None = None,
    **choices: Unpack[ForgetChoices],
) -> dict[str, int]:
    """Remove personal data from recordings for good; they can still be verified. Returns recording -> number of lines
    removed.

    Without `recordings`, all in the folder of recordings are searched, and at least one choice must be given. With
    `dry_run` nothing is changed; otherwise it cannot be undone. Raises UserError if nothing says what to forget, and
    for a recording that cannot be changed.
    """
    from appwitness.api import erasing, exchanging
    from appwitness.events import FILES

    given: dict[str, Any] = dict(choices)
    if unknown := sorted(set(given.get("kinds", ())) - FILES.keys()):
        raise UserError(
            Spoken("There is no kind of line {unknown!r}.", unknown=unknown[0]),
            Spoken("Choose from {files}.", files=", ".join(FILES)),
        )
    if values := given.pop("values", ()):
        given["values"] = exchanging.values_of(values)
    which = erasing.Forgetting(_paths(recordings), **given)
    gone: dict[str, int] = {}

    def note(plan: erasing.ToForget) -> None:
        gone[plan.given.place] = plan.count

    def stays(path: Path, error: UserError) -> None:
        raise UserError(Spoken("{path} is left as it is: {what}", path=path, what=error.what), error.next_step)

    if dry_run:
        for plan in which.plans(stays):
            note(plan)
    else:
        which.forget(reason, db=db, begun=note, stays=stays)
    return gone


def baseline(
    recordings: AnyPath | Sequence[AnyPath],
    write_to: AnyPath | None = None,
    *,
    aliases: Mapping[str, str] | None = None,
    **choices: Unpack[JudgingChoices],
) -> Baseline:
    """A baseline that accepts everything these runs of one app show; written to the file `write_to`, if given.

    `aliases`: package -> the package that it stands for. Raises UserError for runs of several apps, and if `write_to`
    exists and the recordings may lack lines: findings from those lines would be dropped; DamagedRecording for an
    altered recording.
    """
    from appwitness.api import accepting, gating, judging

    runs, by = gating.GatedRuns(aliases or {}), judging.judging(**choices)
    made = accepting.baseline(_paths(recordings), runs, by, Path(write_to) if write_to else None)
    if write_to:
        accepting.write_baseline(Path(write_to), made)
    return made


def baseline_update(
    file: AnyPath,
    recordings: AnyPath | Sequence[AnyPath],
    *,
    aliases: Mapping[str, str] | None = None,
    **choices: Unpack[JudgingChoices],
) -> BaselineUpdate:
    """Compare runs of one app with its baseline; `updated` and `pruned` of the result give a new baseline.

    Nothing is written. Raises UserError if the file does not exist or is another app's baseline, FileError with the
    line.
    """
    from appwitness.api import accepting, gating, judging

    runs, by = gating.GatedRuns(aliases or {}), judging.judging(**choices)
    return accepting.against(Path(file), _paths(recordings), runs, by)


def _paths(given: AnyPath | Sequence[AnyPath]) -> list[Path]:
    return [Path(given)] if isinstance(given, Path | str) else [Path(each) for each in given]
