"""The failure message of a test: each finding with its lines, its code, and the command that accepts it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from appwitness.events import Access, Connection, Ref, Upload
from appwitness.findings import Flow, Report
from appwitness.findings.gate_decision import Gated, GateReport
from appwitness.findings.mask import masked
from appwitness.gate.reports import GateStory
from appwitness.reports.frames import frames
from appwitness.reports.words import Words, plain

FRAMES = 4
"""Maximum number of the app's own frames that are shown for each stack."""
VALUES = 3
MOST = 10
"""Maximum number of findings that are described in full."""


def message(decided: GateReport, report: Report, recording: Path, page: Path | None = None) -> str:
    """Several lines of plain text, with values masked. `page`: the report, if the recording is not kept."""
    where = f"appwitness report {_here(recording)} --format html --output report.html" if page is None else _here(page)
    return "\n".join((*_lines(GateStory(decided, [masked(report)], Words("en"))), "", f"Full report: {where}"))


def _here(path: Path) -> str:
    """The path as a user would type it."""
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _lines(told: GateStory) -> Iterator[str]:
    gate = told.gate
    yield f"appwitness: {told.verdict}"
    yield told.against
    failing = [one for one in gate.changes if one.fails]
    for one in failing[:MOST]:
        yield ""
        yield from _finding(one, told)
    if len(failing) > MOST:
        yield told.words("and_more", count=len(failing) - MOST)
    yield from (f"\n{flow}" for flow in told.flows)
    if gate.outcome == "not_observable":
        reasons = (reason for one in gate.changes for reason in one.unobserved)
        yield from dict.fromkeys(told.unobserved(reason) for reason in reasons)
    if failing:
        yield ""
        yield from _entries(failing[:MOST])


def _finding(one: Gated, told: GateStory) -> Iterator[str]:
    finding = told.finding(one)
    yield f"{told.change(one).upper()} {told.grade(one)}: {told.title(one)}"
    yield f"  {told.about(one)}"
    yield from (f"  {line}" for line in told.why(one))
    (report,) = told.reports
    flow = next((flow for flow in report.flows if finding and flow.id in finding.flows), None)
    if flow:
        values = dict.fromkeys(match.value for match in flow.matches)
        shown = ", ".join(map(plain, islice(values, VALUES))) + (", ..." if len(values) > VALUES else "")
        yield f"  {flow.access or 'no read was seen'} -> {flow.upload}: {shown}"
        yield from _code(flow, report)
    elif finding:
        yield f"  {', '.join(map(plain, finding.evidence))}"


def _entries(failing: Sequence[Gated]) -> Iterator[str]:
    """The waiver entries that would accept the behaviours; a person fills in the empty fields."""
    yield "To accept it for a time, put this under `waivers:` in appwitness-waivers.yml and fill it in:"
    for one in failing:
        behaviour = one.behaviour
        yield f"  - id: {behaviour.rule}-{behaviour.id[3:7]}"
        yield f'    finding: "{behaviour.id}"'
        yield "    owner:    # who answers for it"
        yield "    reason:   # why, in ten characters or more"
        yield "    expires:  # last day, 180 days ahead at most"


def _code(flow: Flow, report: Report) -> Iterator[str]:
    """The app's own frames on the stack of the read, and on the stack of the sending."""
    for what, refs in (("read by", (flow.access,)), ("sent by", (flow.connection, flow.upload))):
        shown = next(filter(None, (_own(ref, report) for ref in refs)), [])
        for at, frame in enumerate(shown[:FRAMES]):
            yield f"  {what if at == 0 else '':8} {plain(frame)}".rstrip()


def _own(ref: Ref | None, report: Report) -> list[str]:
    line = report.evidence.get(ref or "")
    if not isinstance(line, Access | Connection | Upload):
        return []
    return [frame.text for frame in frames(line.stack, line.owners) if frame.own]
