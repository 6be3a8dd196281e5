"""What a gate decided as SARIF: the results of each run's report, each with what became of it and who accepted it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from monitor.findings import Finding
from monitor.findings.gate import Change, Gated
from monitor.findings.identity import identity
from monitor.reports.gate import Told, place
from monitor.reports.gate import sentences as said
from monitor.reports.sarif import document, run_of
from monitor.reports.verdict import worst_first

STATES: dict[Change, str] = {
    "new": "new",
    "new_rule": "new",
    "worse": "updated",
    "better": "updated",
    "same": "unchanged",
    "gone": "absent",
}
"""SARIF's `baselineState`; it has no word for what could not be observed."""
Tree = dict[str, Any]


def render(told: Told) -> str:
    """One log with a run for each recording."""
    now = {one.now.id: one for one in told.gate.changes if one.now}
    runs = []
    for report in told.reports:
        run = run_of(report, told.words, told.revealed)
        for finding, result in zip(worst_first(report), run["results"], strict=True):
            _mark(result, finding, now, told)
        runs.append(run)
    if told.with_gone and runs:
        runs[0]["results"] += _gone(told, runs[0])
    return document(runs)


def _mark(result: Tree, finding: Finding, now: dict[str, Gated], told: Told) -> None:
    one = now[identity(finding, told.gate.package).id]
    result["partialFingerprints"]["appwitness/v2"] = identity(finding, told.gate.package).digest
    if told.gate.against:
        result["baselineState"] = STATES[one.change]
    if one.waiver and one.waiver.state == "active":
        justification = said.waiver(one.waiver, told.words)
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    result["properties"]["fails"] = one.fails
    if told.anchor:
        result["relatedLocations"] = [*result["locations"], *result["relatedLocations"]]
        result["locations"] = [_anchored(told.anchor)]


def _anchored(anchor: str) -> Tree:
    """A file of the repository: code hosts show a result at a file that they have."""
    path, line = place(anchor)
    return {"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}


def _gone(told: Told, run: Tree) -> list[Tree]:
    """Results for what is not seen any more, of rules that this run's tool describes."""
    index = {rule["id"]: number for number, rule in enumerate(run["tool"]["driver"]["rules"])}
    return [
        {
            "ruleId": one.behaviour.rule,
            **({"ruleIndex": index[one.behaviour.rule]} if one.behaviour.rule in index else {}),
            "kind": "fail",
            "level": "none",
            "baselineState": STATES[one.change],
            "message": {"text": f"{told.title(one)}. {said.about(one, told.words)}"},
            "locations": [_anchored(told.anchor)] if told.anchor else [],
            "properties": {"v2": one.behaviour.id},
        }
        for one in told.gate.changes
        if one.change == "gone"
    ]


def merged(logs: Sequence[Tree]) -> str:
    """Several logs as one: what runs of one app and plan found is one run, each behaviour once.

    A code host takes a category once in a log, and 20 of them at most.
    """
    runs: dict[str, Tree] = {}
    for run in (run for log in logs for run in log["runs"]):
        key = json.dumps([run["automationDetails"], run["tool"]["driver"]["rules"]], sort_keys=True)
        one = runs.setdefault(key, {**run, "results": [], "invocations": []})
        one["invocations"] += run["invocations"]
        known = {result["partialFingerprints"]["appwitness/v2"] for result in one["results"]}
        one["results"] += [
            result for result in run["results"] if result["partialFingerprints"]["appwitness/v2"] not in known
        ]
    return document(list(runs.values()))
