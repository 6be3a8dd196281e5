"""Lines and conclusions as rows: what is put into columns so that it can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any

from monitor.events import Endpoint, Event, dump, format_time
from monitor.findings import Finding, Flow, ReportedGap

Row = dict[str, Any]
_LARGEST = 2**63 - 1


def _columns(**named: str) -> tuple[tuple[str, ...], Callable[[Event], tuple[object, ...]]]:
    """Columns, and what gives their values: column=field."""
    return tuple(named), attrgetter(*named.values())


_OF_KIND = {
    "access": _columns(
        source="source", target="target", data="data", outcome="outcome", calls="count", until="until"
    ),
    "transform": _columns(op="op", algorithm="algorithm"),
    "connection": _columns(op="op", transport="transport", local="local", remote="remote", host="host"),
    "upload": _columns(
        via="via", method="method", host="host", url="url", type="type", body="body", bytes="size", status="status",
        cleartext="cleartext", truncated="truncated",
    ),
    "consent": _columns(signal="signal", status="status", scope="scope", said_by="by", text="text"),
    "phase": _columns(state="state", text="text"),
    "screen": _columns(package="package", why="why", looked="by"),
    "witness": _columns(counted_by="by", subject="subject", data="data"),
    "gap": _columns(place="where", subject="subject", why="why", detail="detail"),
}  # fmt: skip


def event_row(recording: str, line: int, event: Event, raw: bytes) -> Row:
    """The row of a line in the table of its kind."""
    columns, values = _OF_KIND[event.kind]
    return {
        "recording": recording,
        "line": line,
        "at": format_time(event.at),
        "app": event.app,
        "pid": _number(event.pid),
        "raw": raw.decode(),
        **dict(zip(columns, map(_cell, values(event)), strict=True)),
    }


def _cell(value: object) -> object:
    """A value as a column can hold it; `raw` has it as it was written."""
    match value:
        case int():
            return _number(value)
        case datetime():
            return format_time(value)
        case Endpoint():
            return _endpoint(value)
        case _:
            return value


def flow_row(recording: str, number: int, flow: Flow) -> Row:
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
        "party": flow.recipient.party,
        "at": format_time(flow.at),
        "flow": flow.model_dump_json(exclude={"matches"}),
    }


def match_rows(recording: str, flow: Flow) -> list[Row]:
    """The rows of the matches of a flow."""
    return [
        {
            "recording": recording,
            "flow": flow.id,
            "number": number,
            "type": match.type,
            "value": match.value,
            "variant": match.variant,
            "path": match.path,
            "confidence": match.confidence,
            "match": match.model_dump_json(),
        }
        for number, match in enumerate(flow.matches)
    ]


def finding_row(recording: str, number: int, finding: Finding) -> Row:
    """The row of a finding."""
    return {
        "recording": recording,
        "number": number,
        "rule": finding.rule,
        "level": finding.level,
        "confidence": finding.confidence,
        "data": finding.data,
        "host": finding.recipient.host if finding.recipient else None,
        "finding": finding.model_dump_json(),
    }


def gap_row(recording: str, number: int, gap: ReportedGap) -> Row:
    """The row of a gap that correlating came upon."""
    return {
        "recording": recording,
        "number": number,
        "subject": gap.subject,
        "why": gap.why,
        "gap": dump(gap),
    }


def without_nul(rows: list[Row]) -> list[Row]:
    """The rows for a database that has no NUL in its texts (PostgreSQL); `raw` and JSON have it escaped anyway."""
    return [
        {
            name: value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _endpoint(end: Endpoint) -> str:
    return f"[{end.ip}]:{end.port}" if ":" in end.ip else f"{end.ip}:{end.port}"


def _number(value: int | None) -> int | None:
    """A number that a column can hold; `raw` has it as it was written."""
    return value if value is None or -_LARGEST <= value <= _LARGEST else _LARGEST
