"""Conclusions as database rows: defines which of their fields become columns for queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from appwitness.events import dump, format_time
from appwitness.findings import Code, Finding, Flow, ReportedGap

Row = dict[str, Any]


def flow_row(recording: int, number: int, flow: Flow) -> Row:
    """The row of a flow, without its matches."""
    return {
        "recording": recording,
        "id": flow.id,
        "number": number,
        "access": flow.access,
        "upload": flow.upload,
        "connection": flow.connection,
        "data": flow.data,
        "consent": flow.consent,
        "host": flow.recipient.host,
        "recipient": flow.recipient.key or flow.recipient.host,
        "sdk": _owner(flow.carrier.code if flow.carrier else None),
        "other_app": flow.other_app,
        "party": flow.recipient.party,
        "at": format_time(flow.at),
        "flow": flow.model_dump_json(exclude={"matches"}),
    }


def match_rows(recording: int, flow: Flow, values: Sequence[str] | None = None) -> list[Row]:
    """The rows of a flow's matches; `values` replaces their values (None: they are kept)."""
    return [
        {
            "recording": recording,
            "flow": flow.id,
            "number": number,
            "type": match.type,
            "value": match.value if values is None else values[number],
            "variant": match.variant,
            "path": match.path,
            "confidence": match.confidence,
            "match": match.model_dump_json(),
        }
        for number, match in enumerate(flow.matches)
    ]


def finding_row(recording: int, number: int, finding: Finding) -> Row:
    """The row of a finding."""
    return {
        "recording": recording,
        "number": number,
        "rule": finding.rule,
        "level": finding.level,
        "confidence": finding.confidence,
        "data": finding.data,
        "host": finding.recipient.host if finding.recipient else None,
        "recipient": (finding.recipient.key or finding.recipient.host) if finding.recipient else None,
        "sdk": _owner(finding.sent_by) or _owner(finding.read_by),
        "consent": finding.consent,
        "finding": finding.model_dump_json(context={"packed": True}),
    }


def gap_row(recording: int, number: int, gap: ReportedGap) -> Row:
    """The row of a gap found by correlating."""
    return {
        "recording": recording,
        "number": number,
        "subject": gap.subject,
        "why": gap.why,
        "gap": dump(gap),
    }


def _owner(code: Code | None) -> str | None:
    return code.owner if code else None
