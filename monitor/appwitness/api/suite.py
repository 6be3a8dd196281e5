"""The runs of a test suite: how each is judged, and the reports for each and for all."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appwitness.api.gating import Gate, baseline_of, beside, made
from appwitness.api.judging import Judging, judging
from appwitness.correlate.prior_knowledge import KnowledgeChoices
from appwitness.gate import GatePolicy
from appwitness.support import private_files
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late
    from appwitness.api.running import Judged
    from appwitness.findings.gate_decision import Behaviour, Gated, GateReport
    from appwitness.gate.allowed import FlowList
    from appwitness.reports.junit import JunitCase

RECORDING, GATE, SARIF, REPORT, FLOWS = "recording", "gate.json", "gate.sarif", "report.html", "flows.json"
"""Names in a run's folder; the last two exist only if the test failed."""
ACCEPTED = "pytest --appwitness-update"
CHOICES = ("rules", *KnowledgeChoices.__annotations__)
LIMITS = ("aliases", "verify", *(each.name for each in fields(GatePolicy)))


@dataclass
class Case:
    """What the process that ran a test reports to the process that writes the reports on all tests; plain data."""

    runs: list[str] = field(default_factory=list)
    """The folder of each run."""
    attached: list[str] = field(default_factory=list)
    """Files for a person to look at."""
    message: str | None = None
    """What counts against the test, as a message for people."""
    otherwise: str | None = None
    """The test's own failure."""
    partial: bool = False
    """Whether only a part of the suite was to run, or this test did not finish."""

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


class Session:
    """What the tests of one process share: how they are judged, and an index of their own."""

    def __init__(self, baseline: Path | None, index: Path, update: bool = False) -> None:
        self.baseline = baseline
        self.update = update
        self._index = index
        self._judging: dict[str, Judging] = {}

    def gate(self, options: Mapping[str, Any], marked: Mapping[str, Sequence[Mapping[str, Any]]], where: str) -> Gate:
        """The gate for the runs of a test.

        `options` are those of `appwitness.observe`; `marked`: further `allowed` and `forbidden` entries for the flow
        list, with `where` as their place. Raises UserError for invalid entries.
        """
        choices = {name: options[name] for name in CHOICES if name in options}
        limits: dict[str, Any] = {name: options[name] for name in LIMITS if name in options}
        key = json.dumps(choices, sort_keys=True, default=str)
        if key not in self._judging:
            self._judging[key] = judging(db=str(self._index), **choices)
        to_be_made = self.update and self.baseline is not None and not self.baseline.exists()
        gate = made(self._judging[key], baseline=None if to_be_made else self.baseline, **limits)
        # A run has one plan: other tests cover what the baseline has for other plans.
        policy = replace(gate.policy, other_plans=False)
        if self.update:
            policy = replace(policy, on_new=False, on_worse=False, on_new_rules=False)
        accepted = gate.accepted
        if marked:
            accepted = replace(accepted, flows=_with(accepted.flows, marked, where))
        return replace(gate, policy=policy, accepted=accepted)


def _with(known: FlowList | None, marked: Mapping[str, Sequence[Mapping[str, Any]]], where: str) -> FlowList:
    from pydantic import ValidationError

    from appwitness.gate.allowed import FlowList, FlowRule
    from appwitness.support.errors import UserError

    try:
        own = {name: [(FlowRule(**entry), where) for entry in entries] for name, entries in marked.items()}
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = Spoken("{where}: {what}: {msg}.", where=where, what=".".join(map(str, first["loc"])), msg=first["msg"])
        raise UserError(what, "Correct the marker.") from None
    allowed = known.allowed if known else None
    if "allowed" in own:
        allowed = [*(allowed or ()), *own["allowed"]]
    return FlowList(allowed, [*(known.forbidden if known else ()), *own.get("forbidden", ())])


def folder_of(test: str, output: Path) -> Path:
    """The folder of a test, from its node ID."""
    name = test.replace("/", ".").replace("::", "-")
    plain = re.sub(r"[^\w.-]", "_", name)[:120]
    return output / (plain if plain == name else f"{plain}-{hashlib.sha256(test.encode()).hexdigest()[:8]}")


def new_run(test: str, output: Path) -> Path:
    """Create a new folder for a run of a test; existing folders are left alone."""
    folder = folder_of(test, output)
    run = next(folder / str(number) for number in count(1) if not (folder / str(number)).exists())
    private_files.folder(run)
    return run


def recorded(test: str, replayed: Path, number: int) -> Path:
    """The recording of a test's run number `number` (from 1) in the output of an earlier pytest run. Raises
    UserError if there is none."""
    from appwitness.support.errors import UserError

    path = folder_of(test, replayed) / str(number) / RECORDING
    if not path.is_dir():
        raise UserError(
            Spoken("There is no {path}.", path=path),
            "Record it first: pytest --appwitness-keep all --appwitness-output DIR.",
        )
    return path


def write(judged: Judged, folder: Path) -> None:
    """Write the gate's decision on a run; `finish` reads it."""
    from appwitness.gate.reports import GateStory, render
    from appwitness.reports.words import Words

    told = GateStory(judged.diff, [judged.report], Words("en"))
    private_files.write(folder / GATE, judged.diff.model_dump_json() + "\n")
    private_files.write(folder / SARIF, render(told, "sarif"))


def attach(judged: Judged, folder: Path) -> list[Path]:
    """Write the report and flows of a run whose test failed, masked; returns the files to attach."""
    from appwitness.findings.mask import masked
    from appwitness.reports import render

    flows = [flow.model_dump(mode="json") for flow in masked(judged.report).flows]
    private_files.write(folder / REPORT, render(judged.report, "html"))
    private_files.write(folder / FLOWS, json.dumps(flows, ensure_ascii=False, indent=1) + "\n")
    return [folder / REPORT, folder / FLOWS, folder / SARIF]


@dataclass(frozen=True)
class EndedTest:
    """A test that has ended, as known to the process that writes the reports."""

    test: str
    seconds: float
    case: Case


def finish(tests: Sequence[EndedTest], session: Session, output: Path, root: Path) -> list[str]:
    """Write JUnit, SARIF and the changes for all runs, and the baseline if it is to be updated.

    Returns sentences for the terminal; they do not depend on the order of the tests.
    """
    from appwitness.gate.reports import gate_sarif
    from appwitness.reports.junit import junit_document
    from appwitness.reports.sarif import files_of
    from appwitness.reports.words import Words

    ended = sorted(tests, key=lambda each: each.test)
    cases = [_case(each, root) for each in ended]
    numbers = {
        "tests": str(len(cases)),
        "failures": str(sum(case.failure is not None for case in cases)),
        "skipped": "0",
        "errors": "0",
        "time": f"{sum(each.seconds for each in ended):.3f}",
    }
    private_files.folder(output)
    text = junit_document({"name": "appwitness"}, {"name": "appwitness", **numbers}, cases)
    private_files.write(output / "junit.xml", text)
    runs = [Path(run) for each in ended for run in each.case.runs]
    logs = [json.loads((run / SARIF).read_text("utf-8")) for run in runs]
    for file, log in files_of(gate_sarif.merged(logs, Words("en")), output / SARIF):
        private_files.write(file, log)
    partial = any(each.case.partial for each in tests)
    return [line for gates in _by_app(runs) for line in _of_app(gates, session, output, partial)]


def _by_app(runs: Sequence[Path]) -> list[list[GateReport]]:
    from appwitness.findings.gate_decision import GateReport

    apps: dict[str, list[GateReport]] = {}
    for run in runs:
        gate = GateReport.model_validate_json((run / GATE).read_text("utf-8"))
        apps.setdefault(gate.package, []).append(gate)
    return list(apps.values())


def _of_app(gates: Sequence[GateReport], session: Session, output: Path, partial: bool) -> list[str]:
    from appwitness.gate import baseline as files
    from appwitness.gate.changes import merged
    from appwitness.gate.reports import GateStory, render
    from appwitness.reports.words import Words

    package = gates[0].package
    path = beside(session.baseline, files.NAME)
    old = baseline_of(path, package) if path and path.exists() else None
    known: dict[str, Behaviour] = {each.id: each for each in old.findings} if old else {}
    decided = merged(gates, known)
    told = GateStory(decided, (), Words("en"))
    private_files.folder(output / package)
    for name, format_ in (("diff.json", "json"), ("diff.md", "markdown")):
        private_files.write(output / package / name, render(told, format_))
    runs = "1 run" if len(gates) == 1 else f"{len(gates)} runs"
    lines = [f"{package}, {runs}: {told.verdict}"]
    lines += told.remarks
    if session.update:
        new = path or Path(files.NAME)
        if old is None:
            now = tuple(one.now for one in decided.changes if one.now)
            old = files.Baseline(app=package, made=decided.made, findings=now)
        changes = [_kept(one) for one in decided.changes] if partial else decided.changes
        text = files.text(files.updated(old, changes, decided.made, ACCEPTED))
        private_files.write(new, text, mode=0o644)
        lines.append(
            f"written: {os.path.relpath(new)}" + ("; nothing was taken out: not all tests ran" if partial else "")
        )
    return lines


def _kept(one: Gated) -> Gated:
    """A change for updating the baseline after a partial run: all but new or worse ones become not observable, as
    the missing tests might have shown them."""
    if one.was and one.change not in {"worse", "new", "new_rule"}:
        return one.model_copy(update={"now": None, "change": "not_observable"})
    return one


def _case(of: EndedTest, root: Path) -> JunitCase:
    """A test's JUnit case, with the files attached to it."""
    from appwitness.reports.junit import JunitCase

    place, bracket, parameters = of.test.partition("[")
    module, *classes, name = place.split("::")
    suite = ".".join([module.removesuffix(".py").replace("/", "."), *classes])
    said = "\n\n".join(filter(None, (of.case.message, of.case.otherwise)))
    failure = ("appwitness", next(iter(said.splitlines()), ""), said) if said else None
    files = [os.path.relpath(file, root) for file in of.case.attached]
    return JunitCase(suite, name + bracket + parameters, of.seconds, failure, attached=files)
