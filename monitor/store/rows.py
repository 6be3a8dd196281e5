"""Lines and conclusions as rows: what is put into columns so that it can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from monitor.events import Endpoint, Event, dump, format_time
from monitor.findings import Finding, Flow, ReportedGap

Row = dict[str, Any]
_LARGEST = 2**63 - 1


_OF_LINE = ("recording", "line", "at", "app", "pid", "raw")
_OF_KIND: dict[str, tuple[tuple[str, ...], Callable[[Any], tuple[object, ...]]]] = {
    "access": (
        ("source", "target", "data", "outcome", "calls", "until"),
        lambda it: (it.source, it.target, it.data, it.outcome, _number(it.count), it.until and format_time(it.until)),
    ),
    "transform": (("op", "algorithm"), attrgetter("op", "algorithm")),
    "connection": (
        ("op", "transport", "local", "remote", "host"),
        lambda it: (it.op, it.transport, _endpoint(it.local), _endpoint(it.remote), it.host),
    ),
    "upload": (
        ("via", "method", "host", "url", "type", "body", "bytes", "status", "cleartext", "truncated"),
        lambda it: (
            it.via, it.method, it.host, it.url, it.type, it.body, _number(it.size), _number(it.status),
            it.cleartext, it.truncated,
        ),
    ),
    "consent": (
        ("signal", "status", "scope", "said_by", "text"), attrgetter("signal", "status", "scope", "by", "text")
    ),
    "phase": (("state", "text"), attrgetter("state", "text")),
    "screen": (("package", "why", "looked"), attrgetter("package", "why", "by")),
    "witness": (("counted_by", "subject", "data"), attrgetter("by", "subject", "data")),
    "gap": (("place", "subject", "why", "detail"), attrgetter("where", "subject", "why", "detail")),
}  # fmt: skip
COLUMNS = {kind: (*_OF_LINE, *columns) for kind, (columns, _) in _OF_KIND.items()}
"""kind -> the columns of its table, in the order of `line_row`."""


def line_row(recording: str, line: int, event: Event, raw: bytes) -> tuple[object, ...]:
    """The row of a line in the table of its kind."""
    values = _OF_KIND[event.kind][1](event)
    return (recording, line, format_time(event.at), event.app, _number(event.pid), raw.decode(), *values)


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
