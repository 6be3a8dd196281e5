"""What a gate decided as one page: what fails first, then each kind of change in a table of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from appwitness.findings.gate_decision import Change, Gated
from appwitness.gate.reports import GateStory
from appwitness.gate.reports import sentences as said
from appwitness.reports.html import fill
from appwitness.reports.words import plain

TONES = {"failed": "high", "not_observable": "gaps", "passed": "none"}
QUIET = ("same", "better", "gone")
"""Folded until somebody opens them."""


class BehaviourRow(NamedTuple):
    """One behaviour, in words."""

    one: Gated
    title: str
    lines: tuple[str, ...]
    detail: str
    recording: str
    evidence: tuple[str, ...]


class OutcomeGroup(NamedTuple):
    """The behaviours of which the same became."""

    change: Change
    name: str
    open: bool
    rows: tuple[BehaviourRow, ...]


def render(told: GateStory) -> str:
    """A self-contained HTML document."""
    gate, words = told.gate, told.words
    version = gate.made.appwitness
    return fill(
        "gate.html",
        words,
        gate=gate,
        tone=TONES[gate.outcome],
        verdict=said.verdict(told),
        against=said.against(told),
        recordings=", ".join(map(plain, gate.recordings)),
        groups=tuple(_groups(told)),
        flows=[f"{plain(flow.recording)}{words('colon')}{said.flow(flow, words)}" for flow in gate.flows],
        remarks=[*said.stamps(told), *(said.remark(remark, words) for remark in gate.remarks)],
        gaps=words.count("gate_gaps", gate.gaps) if gate.gaps else "",
        note=words("revealed_note" if told.revealed else "masked_note"),
        made_by=words("page_made_by", version=plain(version) if version else words("unknown")),
    )


def _groups(told: GateStory) -> Iterator[OutcomeGroup]:
    for change in said.CHANGES:
        of = sorted((one for one in told.gate.changes if one.change == change), key=lambda one: not one.fails)
        if of:
            name = told.words(f"change_{change}")
            yield OutcomeGroup(change, name, change not in QUIET, tuple(_row(one, told) for one in of))


def _row(one: Gated, told: GateStory) -> BehaviourRow:
    words, finding = told.words, told.finding(one)
    return BehaviourRow(
        one,
        told.title(one),
        (said.about(one, words), *said.why(one, words)),
        words.of(finding.detail) if finding and finding.detail else "",
        plain(one.recording or ""),
        finding.evidence if finding else (),
    )
