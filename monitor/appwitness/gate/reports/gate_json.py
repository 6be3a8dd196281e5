"""What a gate decided as JSON: each behaviour with the finding that shows it."""

from __future__ import annotations

import json

from appwitness.gate.reports import GateStory
from appwitness.support import escape


def render(told: GateStory) -> str:
    """One JSON object."""
    tree = told.gate.model_dump(mode="json")
    for each, one in zip(tree["changes"], told.gate.changes, strict=True):
        finding = told.finding(one)
        each["finding"] = finding.model_dump(mode="json") if finding else None
    return escape.json(json.dumps(tree, ensure_ascii=False, indent=2)) + "\n"
