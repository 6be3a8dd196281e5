"""What a gate decided as Markdown, for a comment on a pull request or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator

from appwitness.findings.gate_decision import Gated
from appwitness.gate.reports import GateStory
from appwitness.gate.reports import sentences as said
from appwitness.support import escape

MARK = "<!-- appwitness-gate {package} -->"
"""By which a later comment finds this one, to replace it."""
ROWS = 50
"""A comment tells at most this many, those that fail first."""


def render(told: GateStory) -> str:
    """A heading with the verdict, a table of what fails and changed, and the rest as counts."""
    return "\n".join(_lines(told)) + "\n"


def _lines(told: GateStory) -> Iterator[str]:
    gate, words = told.gate, told.words
    md = escape.markdown
    yield MARK.format(package=md(gate.package))
    sign = {"passed": "✅", "failed": "❌", "not_observable": "⚠️"}[gate.outcome]
    yield f"### {sign} appwitness: {md(said.verdict(told))}"
    yield ""
    release = f" {gate.made.release}" if gate.made.release else ""
    yield md(f"{gate.package}{release}. {said.against(told)}")
    told_one_by_one = [one for one in gate.changes if one.fails or one.change not in {"same", "better", "gone"}]
    shown = sorted(told_one_by_one, key=lambda one: not one.fails)
    if shown:
        yield ""
        heads = ("", "level", "finding", "evidence")
        yield "| " + " | ".join(words(head) if head else "" for head in heads) + " |"
        yield "|---|---|---|---|"
        yield from (_row(one, told) for one in shown[:ROWS])
    if len(shown) > ROWS:
        yield ""
        yield md(words("and_more", count=len(shown) - ROWS))
    stamps = list(said.stamps(told))
    if gate.flows or gate.remarks or stamps:
        yield ""
        yield from (f"- {md(each)}" for each in stamps[:ROWS])
        yield from (f"- {md(said.flow(flow, words))}" for flow in gate.flows[:ROWS])
        yield from (f"- {md(said.remark(remark, words))}" for remark in gate.remarks[:ROWS])
    if gate.gaps:
        yield ""
        yield md(words.count("gate_gaps", gate.gaps))


def _row(one: Gated, told: GateStory) -> str:
    words, behaviour, md = told.words, one.behaviour, escape.markdown
    finding = told.finding(one)
    what = [f"**{md(told.title(one))}**", md(said.about(one, words)), *(md(line) for line in said.why(one, words))]
    evidence = [*(finding.evidence[:3] if finding else ()), behaviour.id]
    change = words(f"change_{one.change}")
    return " | ".join(
        (
            f"| **{md(change)}**" if one.fails else f"| {md(change)}",
            md(f"{words(f'level_{behaviour.level}')}, {words(f'confidence_{behaviour.confidence}')}"),
            "<br>".join(what),
            "<br>".join(md(each) for each in evidence) + " |",
        )
    )
