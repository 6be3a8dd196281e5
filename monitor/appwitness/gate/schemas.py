"""JSON Schema of what `gate` writes as JSON, and of the files that it reads."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from appwitness.findings.gate_decision import GateReport
from appwitness.gate.allowed import FlowFile
from appwitness.gate.baseline import Baseline
from appwitness.gate.waivers import WaiverFile

OF: dict[str, type[BaseModel]] = {
    "gate": GateReport,
    "baseline": Baseline,
    "waivers": WaiverFile,
    "flows": FlowFile,
}


def schema(of: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of one of OF. Raises KeyError."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **OF[of].model_json_schema()}
