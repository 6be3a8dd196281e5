"""Conclusions as database rows: defines which of their fields become columns for queries.

The JSON omits fields that have their default value, which saves a third of the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, groupby
from typing import Any

import msgspec

from appwitness.events import Run, dump, format_time
from appwitness.findings import Code, Finding, Flow, ReportedGap
from appwitness.store.shared import digest

Row = dict[str, Any]
IN_COMMON = {"title", "kinds", "articles", "references"}
"""The fields of a finding that are the same for all findings of a rule under the same laws: most of its bytes."""


def run_columns(run: Run) -> tuple[Row, list[str]]:
    """The columns of a run, and the texts that they name by digest (store/shared.py)."""
    row: Row = {"run": run.model_dump_json(exclude_unset=True, exclude={"hooks"}), "hooks": None, "shared": None}
    if "hooks" not in run.model_fields_set:
        return row, []
    names = msgspec.json.encode(list(run.hooks)).decode()
    states = [(state, len(list(same))) for state, same in groupby(run.hooks.values())]
    return {**row, "hooks": msgspec.json.encode(states).decode(), "shared": digest(names)}, [names]


def run_of(run: str, hooks: str | None, names: str | None) -> Run:
    """A run from its columns."""
    if hooks is None or names is None:
        return Run.model_validate_json(run)
    states = chain.from_iterable([state] * count for state, count in msgspec.json.decode(hooks))
    all_hooks = msgspec.json.encode(dict(zip(msgspec.json.decode(names), states, strict=True))).decode()
    return Run.model_validate_json(f'{run[:-1]},"hooks":{all_hooks}}}')


def in_common(finding: Finding) -> str:
    """What a finding shares with others of its rule, as JSON."""
    return finding.model_dump_json(include=IN_COMMON)


def whole(finding: str, common: str) -> str:
    """The JSON of a finding, joined from the two parts that the database stores."""
    return f"{finding[:-1]},{common[1:]}"


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
        "flow": flow.model_dump_json(exclude={"matches"}, exclude_defaults=True),
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
            "match": match.model_dump_json(exclude_defaults=True),
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
        "finding": finding.model_dump_json(context={"packed": True}, exclude=IN_COMMON, exclude_defaults=True),
        "shared": digest(in_common(finding)),
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
