"""A gate's decision as SARIF: the results of each run's report, each with its state and who accepted it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from appwitness.findings import LEVELS, Report
from appwitness.findings.gate_decision import Change, Gated
from appwitness.gate.reports import GateStory, place
from appwitness.reports.sarif import BASE, document, run_of
from appwitness.reports.verdict import worst_first
from appwitness.reports.words import Words

STATES: dict[Change, str] = {
    "new": "new",
    "new_rule": "new",
    "worse": "updated",
    "better": "updated",
    "same": "unchanged",
    "gone": "absent",
}
"""Change -> SARIF's `baselineState`; SARIF has no value for behaviours that could not be observed."""
Tree = dict[str, Any]


def sarif(told: GateStory) -> str:
    """One log with a run for each plan: code hosts refuse a log with two runs of the same category."""
    now = {one.now.id: one for one in told.gate.changes if one.now}
    plans: dict[str, list[Report]] = defaultdict(list)
    for report in told.reports:
        plans[report.run.plan].append(report)
    runs = [_of_plan(reports, now, told) for reports in plans.values()]
    if told.with_gone and runs:
        runs[0]["results"] += _gone(told, runs[0])
    return document(runs, told.words)


def _of_plan(reports: Sequence[Report], now: dict[str, Gated], told: GateStory) -> Tree:
    """The recordings of one plan as one run; a behaviour that several recordings show is reported once, from the
    recording that shows it at its worst."""
    shown_by: dict[str, str] = {}
    for report in reports:
        for number, _ in enumerate(report.findings):
            name = told.ids[report.recording, number]
            if name not in shown_by or report.recording == now[name].recording:
                shown_by[name] = report.recording
    runs = []
    for number, report in enumerate(reports, start=1):
        run = run_of(report, told.words, told.revealed)
        results = []
        names = {id(finding): told.ids[report.recording, at] for at, finding in enumerate(report.findings)}
        for finding, result in zip(worst_first(report), run["results"], strict=True):
            name = names[id(finding)]
            one = now[name]
            if shown_by[one.behaviour.id] == report.recording:
                _mark(result, name, one, told)
                results.append(result)
        run["results"] = results
        run["automationDetails"]["id"] = f"appwitness/{told.gate.package}/{report.run.plan}/"
        runs.append(run if number == 1 else _based(run, f"{BASE}_{number}"))
    return _joined(runs) if len(runs) > 1 else runs[0]


def _based(tree: Any, base: str) -> Any:
    """The same run with the base id of its recording's folder renamed."""
    if isinstance(tree, dict):
        return {
            base if name == BASE else name: base if name == "uriBaseId" else _based(part, base)
            for name, part in tree.items()
        }
    return [_based(part, base) for part in tree] if isinstance(tree, list) else tree


def _joined(runs: Sequence[Tree]) -> Tree:
    drivers = [run["tool"]["driver"] for run in runs]
    joined: Tree = {**runs[0], "tool": {"driver": drivers[0]}}
    for what in ("rules", "notifications"):
        named = {each["id"]: each for driver in reversed(drivers) for each in driver[what]}
        drivers[0][what] = [named[name] for name in sorted(named)]
    joined["invocations"] = [each for run in runs for each in run["invocations"]]
    joined["originalUriBaseIds"] = {name: each for run in runs for name, each in run["originalUriBaseIds"].items()}
    results = [result for run in runs for result in run["results"]]
    joined["results"] = sorted(results, key=lambda result: LEVELS.index(result["properties"]["level"]))
    index = {rule["id"]: number for number, rule in enumerate(drivers[0]["rules"])}
    for result in joined["results"]:
        result["ruleIndex"] = index[result["ruleId"]]
    joined["properties"] = {"runs": [run["properties"] for run in runs]}
    return joined


def _mark(result: Tree, name: str, one: Gated, told: GateStory) -> None:
    result["partialFingerprints"]["appwitness/v2"] = name
    if told.gate.against:
        result["baselineState"] = STATES[one.change]
    if one.waived:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": told.waiver(one)}]
    result["properties"]["fails"] = one.fails
    if told.anchor:
        result["relatedLocations"] = [*result["locations"], *result["relatedLocations"]]
        result["locations"] = [_anchored(told.anchor)]


def _anchored(anchor: str) -> Tree:
    """A location in a file of the repository: code hosts show results only in files that they have."""
    path, line = place(anchor)
    return {"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}


def _gone(told: GateStory, run: Tree) -> list[Tree]:
    """Results for behaviours that are gone, with the index of the rule if this run's tool describes it."""
    index = {rule["id"]: number for number, rule in enumerate(run["tool"]["driver"]["rules"])}
    return [
        {
            "ruleId": one.behaviour.rule,
            **({"ruleIndex": index[one.behaviour.rule]} if one.behaviour.rule in index else {}),
            "kind": "fail",
            "level": "none",
            "baselineState": STATES[one.change],
            "message": {"text": f"{told.title(one)}. {told.about(one)}"},
            "locations": [_anchored(told.anchor)] if told.anchor else [],
            "properties": {"v2": one.behaviour.id},
        }
        for one in told.gate.changes
        if one.change == "gone"
    ]


def merged(logs: Sequence[Tree], words: Words) -> str:
    """Merge logs of one recording each into one log: a run for each app and plan, in which each behaviour is
    reported once."""
    plans: dict[str, list[Tree]] = defaultdict(list)
    for run in (run for log in logs for run in log["runs"]):
        told = {_behaviour(result) for before in plans[run["automationDetails"]["id"]] for result in before["results"]}
        run["results"] = [result for result in run["results"] if _behaviour(result) not in told]
        plans[run["automationDetails"]["id"]].append(run)
    joined = []
    for runs in plans.values():
        based = [run if number == 1 else _based(run, f"{BASE}_{number}") for number, run in enumerate(runs, start=1)]
        joined.append(_joined(based) if len(based) > 1 else based[0])
    return document(joined, words)


def _behaviour(result: Tree) -> str:
    return str(result["partialFingerprints"]["appwitness/v2"])
