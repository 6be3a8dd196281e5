"""The list of allowed and forbidden flows; if it names allowed ones, every other flow fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.events import DataType
from appwitness.findings import ConsentName, Flow, Report
from appwitness.findings.gate_decision import GatedFlow
from appwitness.judge.recipients import is_device

NAME = "appwitness-flows.yml"
HINT = "Fix the line; `appwitness list schema --of flows` prints the fields of an entry."
Text = Annotated[str, Field(min_length=1)]


class FlowRule(CatalogEntry):
    """Selects flows: every field given must match. `recipient` is a host and may contain `*`."""

    data: DataType
    recipient: Text | None = None
    consent: ConsentName | None = None
    precision_m: float | None = Field(
        default=None, gt=0, description="a location must be at least as coarse as this, in metres"
    )
    plans: tuple[Text, ...] = ()
    reason: Text | None = None

    def fits(self, flow: Flow, plan: str) -> bool:
        """Whether it matches this flow."""
        return (
            self.data == flow.data
            and (self.recipient is None or fnmatchcase(flow.recipient.host, self.recipient))
            and self.consent in {None, flow.consent}
            and (not self.plans or plan in self.plans)
            and (self.precision_m is None or _coarse(flow, self.precision_m))
        )


class FlowFile(CatalogEntry):
    """appwitness-flows.yml."""

    version: Literal[1] = 1
    allowed: tuple[FlowRule, ...] | None = Field(default=None, description="null: what is not forbidden may be sent")
    forbidden: tuple[FlowRule, ...] = ()


@dataclass(frozen=True)
class FlowList:
    """The entries, each with its file and line."""

    allowed: Sequence[tuple[FlowRule, str]] | None
    forbidden: Sequence[tuple[FlowRule, str]]

    def against(self, report: Report) -> Iterator[GatedFlow]:
        """The flows of a run that the list forbids or does not allow."""
        plan = report.run.plan
        for flow in report.flows:
            if flow.other_app or is_device(flow.recipient.host):
                continue
            forbidden = next((place for rule, place in self.forbidden if rule.fits(flow, plan)), None)
            if forbidden is None and (
                self.allowed is None or any(rule.fits(flow, plan) for rule, _place in self.allowed)
            ):
                continue
            yield GatedFlow(
                recording=report.recording,
                flow=flow.id,
                upload=flow.upload,
                data=flow.data,
                people=flow.people,
                recipient=flow.recipient.host,
                consent=flow.consent,
                plan=plan,
                what="forbidden" if forbidden else "not_allowed",
                place=forbidden,
            )

    def unused(self, reports: Sequence[Report]) -> Iterator[str]:
        """File and line of each entry that matches no flow of these runs."""
        flows = [(flow, report.run.plan) for report in reports for flow in report.flows]
        for rule, place in (*(self.allowed or ()), *self.forbidden):
            if not any(rule.fits(flow, plan) for flow, plan in flows):
                yield place


_DEGREES = re.compile(r"-?\d{1,3}(?:\.(?P<decimals>\d+))?")
METRES_OF_A_DEGREE = 111_320


def _coarse(flow: Flow, metres: float) -> bool:
    """Whether every position in a flow is at least this coarse; one not written in degrees counts as exact."""
    texts = [match.found for match in flow.matches]
    numbers = [_DEGREES.fullmatch(part.strip()) for text in texts for part in re.split(r"[,;\s]+", text.strip())]
    return bool(numbers) and all(
        number is not None and METRES_OF_A_DEGREE / 10 ** len(number["decimals"] or "") >= metres for number in numbers
    )


def read(path: Path) -> FlowList:
    """Read the file. Raises FileError with the line that is wrong."""
    file = yaml_files.parse(path, FlowFile, hint=HINT)
    return FlowList(
        None if file.allowed is None else _placed(path, "allowed", file.allowed),
        _placed(path, "forbidden", file.forbidden),
    )


def _placed(path: Path, name: str, rules: Sequence[FlowRule]) -> list[tuple[FlowRule, str]]:
    return list(zip(rules, (f"{path}:{line}" for line in yaml_files.lines_of(path, name)), strict=True))
