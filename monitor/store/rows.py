"""Lines and conclusions as rows: what is put into columns so that it can be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_never

from monitor.events import (
    Access,
    Connection,
    Consent,
    Endpoint,
    Event,
    Gap,
    Phase,
    Screen,
    Transform,
    Upload,
    Witness,
    dump,
    format_time,
)
from monitor.findings import Finding, Flow, ReportedGap
from monitor.store.models import HEAD

Row = dict[str, Any]
_LARGEST = 2**63 - 1


def event_row(recording: str, line: int, event: Event, raw: bytes) -> Row:
    """The row of a line in the table of its kind."""
    row: Row = {
        "recording": recording,
        "line": line,
        "at": format_time(event.at),
        "app": event.app,
        "pid": _number(event.pid),
        "raw": raw.decode(),
    }
    match event:
        case Access():
            row["source"] = event.source
            row["target"] = event.target
            row["data"] = event.data
            row["outcome"] = event.outcome
            row["calls"] = _number(event.count)
            row["until"] = format_time(event.until) if event.until else None
        case Transform():
            row["op"] = event.op
            row["algorithm"] = event.algorithm
        case Connection():
            row["op"] = event.op
            row["transport"] = event.transport
            row["local"] = _endpoint(event.local)
            row["remote"] = _endpoint(event.remote)
            row["host"] = event.host
        case Upload():
            row["via"] = event.via
            row["method"] = event.method
            row["host"] = event.host
            row["url"] = event.url
            row["type"] = event.type
            row["body"] = event.body
            row["bytes"] = _number(event.size)
            row["status"] = _number(event.status)
            row["cleartext"] = event.tls is None
            row["truncated"] = event.truncated
        case Consent():
            row["signal"] = event.signal
            row["status"] = event.status
            row["scope"] = event.scope
            row["said_by"] = event.by
            row["text"] = event.text
        case Phase():
            row["state"] = event.state
            row["text"] = event.text
        case Screen():
            row["package"] = event.package
            row["why"] = event.why
            row["looked"] = event.by
        case Witness():
            row["counted_by"] = event.by
            row["subject"] = event.subject
            row["data"] = event.data
        case Gap():
            row["place"] = event.where
            row["subject"] = event.subject
            row["why"] = event.why
            row["detail"] = event.detail
        case _:
            assert_never(event)
    return row


def value_rows(recording: str, line: int, access: Access) -> Iterator[Row]:
    """The rows of the values of an access."""
    at = format_time(access.at)
    for number, value in enumerate(access.values):
        yield {
            "recording": recording,
            "line": line,
            "number": number,
            "at": at,
            "type": value.type,
            "head": value.text[:HEAD],
            "text": value.text,
            "cursor_row": _number(value.row),
        }


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
