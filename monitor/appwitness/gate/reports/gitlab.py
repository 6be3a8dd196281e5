"""What a gate decided as a GitLab code quality report: issues that merge requests compare by fingerprint."""

from __future__ import annotations

import json
from typing import Any

from appwitness.findings import Level
from appwitness.findings.gate_decision import Gated
from appwitness.gate.reports import GateStory, place
from appwitness.gate.reports import sentences as said
from appwitness.support import escape

SEVERITY: dict[Level, str] = {"high": "critical", "medium": "major", "low": "minor", "info": "info"}


def render(told: GateStory) -> str:
    """One JSON array; what a waiver mutes is left out, since the format has no word for it."""
    issues = [
        _issue(one, told) for one in told.gate.changes if one.now and not (one.waiver and one.waiver.state == "active")
    ]
    return escape.json(json.dumps(issues, ensure_ascii=False, indent=2)) + "\n"


def _issue(one: Gated, told: GateStory) -> dict[str, Any]:
    behaviour, finding = one.behaviour, told.finding(one)
    path, line = place(told.anchor or (finding.evidence[0] if finding else "run.json"))
    return {
        "description": f"{told.title(one)}. {said.about(one, told.words)}",
        "check_name": behaviour.rule,
        "fingerprint": behaviour.id.removeprefix("v2:"),
        "severity": SEVERITY[behaviour.level],
        "location": {"path": path, "lines": {"begin": line}},
    }
