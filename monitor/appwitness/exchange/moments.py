"""Collects the evidence of each finding in a folder of a bundle: lines, both stacks, the exchange as HAR, the screen
at that moment, and a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from appwitness.events import Event, Ref, Screen, Upload, tree
from appwitness.events.seen import Seen, number_of
from appwitness.exchange import har
from appwitness.findings import Finding, Flow, Report
from appwitness.recording import Recording
from appwitness.recording.archive import MOMENTS
from appwitness.reports.html import fill
from appwitness.reports.page.sections import picture_type
from appwitness.reports.time_axis import span
from appwitness.reports.words import Words, plain

MOST = 200
"""Maximum number of findings that get a folder, in the order of the report."""
ENDS = {"image/png": "png", "image/jpeg": "jpg"}
"""Media type of a picture -> its file extension."""
PAGES = {"en": "index.html", "zh": "index.zh.html"}
"""Language -> the name of its page."""


class CodeStack(NamedTuple):
    """The code at one end of a flow: the line that has it, the kind of that line, and its frames, innermost first."""

    ref: Ref
    kind: str
    frames: tuple[str, ...]


class _Behind(NamedTuple):
    """The data for all folders, read once."""

    recording: Recording
    report: Report
    flows: dict[str, Flow]
    uploads: dict[Ref, Seen[Upload]]
    screens: Sequence[Seen[Screen]]
    """In order of time."""


class ScreenThen(NamedTuple):
    """The screen at a moment, as it was last captured before."""

    seen: Seen[Screen]
    picture: bytes | None
    ends: str
    before_s: float


def moments(recording: Recording, report: Report, shown: Sequence[Finding]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files. `report` has the lines as recorded; `shown` has its findings as the pages may
    show them."""
    findings = report.findings[:MOST]
    wanted = {ref for finding in findings for ref in _evidence(finding)}
    behind = _Behind(
        recording,
        report,
        {flow.id: flow for flow in report.flows},
        {each.ref: each for each in recording.seen(Upload) if each.ref in wanted},
        sorted(recording.seen(Screen), key=lambda each: (each.at, each.number)),
    )
    for number, finding in enumerate(findings):
        folder = f"{MOMENTS}/{number + 1:03}-{finding.rule}"
        for name, data in _of(behind, finding, shown[number]):
            yield f"{folder}/{name}", data


def _of(behind: _Behind, finding: Finding, shown: Finding) -> Iterator[tuple[str, bytes]]:
    lines = dict(_lines(behind, finding))
    stacks = list(_stacks(lines))
    yield "lines.jsonl", "".join(_line(ref, event) for ref, event in lines.items()).encode()
    yield "stacks.txt", "\n".join(map(_told, stacks)).encode()
    uploads = [behind.uploads[ref] for ref in sorted(lines, key=number_of) if ref in behind.uploads]
    exchange = har.write(behind.recording, uploads) if uploads else None
    if exchange:
        yield "exchange.har", exchange.encode()
    at = _moment(behind.report, lines)
    screen = _screen(behind, at) if at else None
    if screen:
        yield "screen.json", _line(screen.seen.ref, screen.seen.event).encode()
        if screen.picture:
            yield f"screen.{screen.ends}", screen.picture
    for lang, name in PAGES.items():
        page = fill(
            "moment.html",
            Words(lang),
            finding=shown,
            recording=plain(behind.report.recording),
            stacks=stacks,
            exchange=bool(exchange),
            screen=screen,
            before=span(screen.before_s) if screen else "",
            pages=PAGES,
        )
        yield name, page.encode()


def _line(ref: Ref, event: Event) -> str:
    """A line with its reference, as JSON on one line."""
    return f"{json.dumps({'ref': ref, **tree(event)}, ensure_ascii=False, default=str)}\n"


def _told(stack: CodeStack) -> str:
    return "".join(f"{line}\n" for line in (f"{stack.ref} {stack.kind}", *(f"    {frame}" for frame in stack.frames)))


def _evidence(finding: Finding) -> Sequence[Ref]:
    return finding.all_evidence or finding.evidence


def _lines(behind: _Behind, finding: Finding) -> Iterator[tuple[Ref, Event]]:
    """The lines of a finding, and the connections of its flows in the order of the report."""
    wanted = {*finding.flows}
    connections = (flow.connection for name, flow in behind.flows.items() if name in wanted)
    for ref in dict.fromkeys((*_evidence(finding), *filter(None, connections))):
        if event := behind.report.evidence.get(ref):
            yield ref, event


def _stacks(lines: dict[Ref, Event]) -> Iterator[CodeStack]:
    for ref, event in lines.items():
        if stack := getattr(event, "stack", None):
            yield CodeStack(ref, type(event).__name__.lower(), tuple(map(plain, stack)))


def _moment(report: Report, lines: dict[Ref, Event]) -> datetime | None:
    """The time of a finding on the host's clock: that of its earliest upload, otherwise of the earliest line of the
    kind that it is about, whose lines come first."""
    about = next((event for event in lines.values() if isinstance(event, Upload)), next(iter(lines.values()), None))
    return min((report.host_time(each) for each in lines.values() if type(each) is type(about)), default=None)


def _screen(behind: _Behind, at: datetime) -> ScreenThen | None:
    """The screen last captured before, with its picture if the recording has one."""
    before = [each for each in behind.screens if each.at <= at]
    if not before:
        return None
    pictured = next((each for each in reversed(before) if each.event.image), None)
    last = pictured or before[-1]
    data = behind.recording.body(last.event.image) if last.event.image else None
    ends = ENDS.get(picture_type(data) or "", "") if data else ""
    return ScreenThen(last, data if ends else None, ends, (at - last.at).total_seconds())
