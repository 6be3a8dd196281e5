"""What a gate decided, for a terminal: the verdict, what fails the build, what changed besides, what is to be done."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from appwitness.findings.gate_decision import Gated
from appwitness.gate.reports import GateStory
from appwitness.gate.reports import sentences as said
from appwitness.reports.printed import TONES, printed
from appwitness.reports.words import plain

OUTCOMES = {"failed": TONES["high"], "not_observable": TONES["gaps"], "passed": TONES["none"]}
QUIET = ("same", "better", "gone")
"""Counted, and told one by one only where a waiver has something to say."""
EVIDENCE = 3
MOST = 100
"""Changes that are told one by one, those that fail first; the other formats have all."""


def render(told: GateStory, width: int | None = None, colour: bool | None = None) -> str:
    """Plain text; no colour when standard output is no terminal."""
    return printed(_parts(told), width, colour)


def _parts(told: GateStory) -> Iterator[RenderableType]:
    gate, words = told.gate, told.words
    yield Text(said.verdict(told), style=OUTCOMES[gate.outcome])
    release = f" {plain(gate.made.release)}" if gate.made.release else ""
    yield Text(
        f"{plain(gate.package)}{release}: {', '.join(map(plain, gate.recordings))}. {said.against(told)}", style="dim"
    )
    changes = sorted(
        (one for one in gate.changes if one.fails or one.change not in QUIET), key=lambda one: not one.fails
    )
    for one in changes[:MOST]:
        yield from _change(one, told)
    if len(changes) > MOST:
        yield ""
        yield Text(words("and_more", count=len(changes) - MOST))
    if gate.flows:
        yield ""
        for flow in gate.flows:
            yield Text(f"{plain(flow.recording)}: {said.flow(flow, words)}", style=TONES["medium"])
    if stamps := list(said.stamps(told)):
        yield ""
        yield from (Text(each, style="dim") for each in stamps)
    if gate.remarks:
        yield ""
        for remark in gate.remarks:
            yield Text(said.remark(remark, words), style="dim")
    if gate.gaps:
        yield ""
        yield Text(words.count("gate_gaps", gate.gaps))


def _change(one: Gated, told: GateStory) -> Iterator[RenderableType]:
    words, behaviour = told.words, one.behaviour
    yield ""
    head = Text()
    change = words(f"change_{one.change}").upper()
    head.append(
        words("gate_fails", change=change) if one.fails else change, style=TONES["high" if one.fails else "low"]
    )
    head.append(f" {words(f'level_{behaviour.level}')}, {words(f'confidence_{behaviour.confidence}')}: ")
    head.append(told.title(one), style="bold")
    yield head
    lines = [said.about(one, words), *said.why(one, words)]
    finding = told.finding(one)
    if finding and finding.detail:
        lines.append(words.of(finding.detail))
    if finding:
        lines.append(f"{plain(one.recording or '')}: {', '.join(map(plain, finding.evidence[:EVIDENCE]))}")
    lines.append(behaviour.id)
    yield from (Padding(Text(line), (0, 0, 0, 2)) for line in lines)
