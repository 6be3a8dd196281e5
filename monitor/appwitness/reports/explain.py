"""Why one flow was flagged: which read it comes from, what was found where, and what speaks for that and against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from appwitness.events import Access, Ref
from appwitness.findings import AGAINST, Flow, Inference, Match, Reason, Report, Why, because
from appwitness.findings.chain import Chains
from appwitness.findings.mask import mask_of, masked
from appwitness.reports.phrases import data_of, has_forgotten
from appwitness.reports.reasons import said, steps
from appwitness.reports.time_axis import clock
from appwitness.reports.words import Words, plain
from appwitness.support import escape
from appwitness.support.errors import UserError


class FlowRead(NamedTuple):
    """An access that returned a value of the flow."""

    ref: Ref
    at: str
    source: str
    chosen: bool
    reason: Reason


def explain(report: Report, flow: str, *, lang: str = "en", reveal: bool = False, as_json: bool = False) -> str:
    """The chain of one flow as text, or as JSON. Values are masked unless `reveal`.

    Raises UserError when the report has no such flow.
    """
    one = next((each for each in report.flows if each.id == flow), None)
    if one is None:
        raise UserError(f"The recording has no flow {flow}.", _there_are(report))
    reads = list(_reads(report, one))  # of values as they are: masked ones may look alike
    shown = report
    if not reveal:
        mask = mask_of(report)
        shown = masked(report, mask)
        reads = [read._replace(source=mask.name(read.source)) for read in reads]
    one = next(each for each in shown.flows if each.id == flow)
    rules = [finding.rule for finding in shown.findings if flow in finding.flows]
    words = Words(lang)
    if as_json:
        tree = _tree(one, reads, rules, words) | {
            "chain": [_inferred(each, words) for each in Chains(shown).of_flow(one)]
        }
        return escape.json(json.dumps(tree, ensure_ascii=False, indent=2)) + "\n"
    no_access = "no_access_forgotten" if has_forgotten(shown, "access") else "no_access"
    lines = [*_lines(one, reads, rules, words, no_access), *_chain(shown, one, words)]
    return "\n".join(plain(line) for line in lines) + "\n"


def _there_are(report: Report) -> str:
    mask = mask_of(report)
    few = ", ".join(
        f"{flow.id} ({flow.data} to {plain(mask.host(flow.recipient.host))})" for flow in report.flows[:FLOWS]
    )
    more = f" and {len(report.flows) - FLOWS} more" if len(report.flows) > FLOWS else ""
    return f"There are {few}{more}." if few else "It has none: nothing that was read was found in an upload."


FLOWS = 12
"""Flows that are named where another was asked for."""


def _reads(report: Report, flow: Flow) -> Iterator[FlowRead]:
    """Every access that returned a value of a flow, and why it is the one that is named, or is not."""
    values = {(match.type, match.value) for match in flow.matches}
    for seen in report.accesses:
        event = seen.event
        if not isinstance(event, Access) or values.isdisjoint((value.type, value.text) for value in event.values):
            continue
        chosen = seen.ref == flow.access
        if chosen:
            reason = because(Why.READ_SIMULTANEOUS if flow.simultaneous else Why.READ_LAST)
        elif flow.uncertainty_ms is None and flow.clock == "host":
            reason = because(Why.READ_UNORDERED)
        elif seen.at <= flow.at:
            reason = because(Why.READ_OTHER)
        else:
            reason = because(Why.READ_LATER)
        yield FlowRead(seen.ref, clock(seen.at), event.source, chosen, reason)


def _tree(flow: Flow, reads: list[FlowRead], rules: list[str], words: Words) -> dict[str, Any]:
    return {
        "flow": flow.id,
        "data": flow.data,
        "recipient": flow.recipient.host,
        "upload": flow.upload,
        "access": flow.access,
        "rules": rules,
        "reads": [read._asdict() | {"reason": _told(read.reason, words)} for read in reads],
        "matches": [
            match.model_dump(mode="json") | {"reasons": [_told(reason, words) for reason in match.reasons]}
            for match in flow.matches
        ],
    }


def _told(reason: Reason, words: Words) -> dict[str, Any]:
    against = reason.code in AGAINST
    return {**reason.model_dump(mode="json"), "against": against, "text": said(reason, words)}


def _inferred(inference: Inference, words: Words) -> dict[str, Any]:
    return {"says": _told(inference.says, words), "unless": [_told(each, words) for each in inference.unless]}


def _chain(report: Report, flow: Flow, words: Words) -> Iterator[str]:
    """Each step from the read to what had been answered, and what would refute it."""
    yield words("chain")
    for number, step in enumerate(steps(Chains(report).of_flow(flow), words), 1):
        yield f"  {number}. {step.says}"
        if step.unless:
            yield f"     {step.unless}"


def _lines(flow: Flow, reads: list[FlowRead], rules: list[str], words: Words, no_access: str) -> Iterator[str]:
    yield f"{flow.id}{words('colon')}{data_of(flow, words)} > {flow.recipient.host}"
    yield f"  {words('explain_sent', ref=flow.upload, at=clock(flow.at))}"
    if rules:
        yield f"  {words('explain_rules', rules=words('comma').join(rules))}"
    yield words("explain_reads")
    if flow.access is None:
        yield f"  {words(no_access)}"
    for read in reads:
        mark = ">" if read.chosen else " "
        yield f"{mark} {read.ref}  {read.at}  {read.source}{words('colon')}{said(read.reason, words)}"
    for number, match in enumerate(flow.matches, 1):
        yield words("explain_match", number=number, many=len(flow.matches))
        yield from _of_match(match, words)


def _of_match(match: Match, words: Words) -> Iterator[str]:
    row = f" ({words('row', row=match.row)})" if match.row is not None else ""
    yield f"  {words('value')}{words('colon')}{words.data(match.type)} {match.value}{row}"
    form = match.variant if match.of in (None, match.variant, "as_given") else f"{match.variant} < {match.of}"
    yield f"  {words('form')}{words('colon')}{form.replace('_', ' ')}"
    yield f"  {words('path')}{words('colon')}{' > '.join((*match.decoding, match.path))}  {match.start}-{match.end}"
    yield f"  {match.before}[{match.found}]{match.after}"
    for reason in match.reasons:
        yield f"    {'-' if reason.code in AGAINST else '+'} {said(reason, words)}"
    yield f"  {words('confidence')}{words('colon')}{match.confidence:.2%}"
