"""A gate's decision for a terminal: the verdict, what fails the build, other changes, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from appwitness.findings.gate_decision import Gated
from appwitness.gate import reports
from appwitness.gate.reports import GateStory
from appwitness.reports.printed import TONES, printed
from appwitness.reports.words import plain

EVIDENCE = 3
MOST = 100
"""Maximum number of changes listed; those that fail the build come first. Only Markdown has a limit, too."""


def text(told: GateStory) -> str:
    """Plain text, without colours if standard output is not a terminal."""
    return printed(_parts(told))


def _parts(told: GateStory) -> Iterator[RenderableType]:
    yield Text(told.verdict, style=TONES[reports.TONES[told.gate.outcome]])
    yield Text(f"{told.app}: {', '.join(map(plain, told.gate.recordings))}. {told.against}", style="dim")
    for one in told.told[:MOST]:
        yield from _change(one, told)
    if (more := len(told.told) - MOST) > 0:
        yield ""
        yield Text(told.words("and_more", count=more))
    flows = [f"{plain(flow.recording)}: {told.flow(flow)}" for flow in told.gate.flows]
    gaps = [told.gaps] if told.gaps else []
    for lines, style in ((flows, TONES["medium"]), (told.stamps, "dim"), (told.remarks, "dim"), (gaps, "")):
        if lines:
            yield ""
            yield from (Text(line, style=style) for line in lines)


def _change(one: Gated, told: GateStory) -> Iterator[RenderableType]:
    words, finding, change = told.words, told.finding(one), told.change(one).upper()
    yield ""
    head = (words("gate_fails", change=change), TONES["high"]) if one.fails else (change, TONES["low"])
    yield Text.assemble(head, f" {told.grade(one)}: ", (told.title(one), "bold"))
    lines = [told.about(one), *told.why(one)]
    if finding and finding.detail:
        lines.append(words.of(finding.detail))
    if finding:
        lines.append(f"{plain(one.recording or '')}: {', '.join(map(plain, finding.evidence[:EVIDENCE]))}")
    yield from (Padding(Text(line), (0, 0, 0, 2)) for line in (*lines, one.behaviour.id))
