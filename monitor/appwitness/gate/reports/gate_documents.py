"""A gate's decision as JSON, Markdown, a GitLab code quality report, JUnit XML and HTML."""

from __future__ import annotations

from typing import Any, NamedTuple

from appwitness.findings import Level
from appwitness.findings.gate_decision import Change, Gated
from appwitness.gate.reports import CHANGES, QUIET, TONES, GateStory, place
from appwitness.reports.html import fill
from appwitness.reports.junit import JunitCase, junit_document
from appwitness.reports.words import plain
from appwitness.support import escape

MARK = "<!-- appwitness-gate {package} -->"
"""Marks our comment on a pull request, so that a later one can replace it."""
SIGNS = {"passed": "✅", "failed": "❌", "not_observable": "⚠️"}
ROWS = 50
"""Maximum number of rows in a comment; those that fail the build come first."""
SEVERITY: dict[Level, str] = {"high": "critical", "medium": "major", "low": "minor", "info": "info"}


def json(told: GateStory) -> str:
    """One JSON object: each behaviour with the finding that shows it."""
    tree = told.gate.model_dump(mode="json")
    for each, one in zip(tree["changes"], told.gate.changes, strict=True):
        finding = told.finding(one)
        each["finding"] = finding.model_dump(mode="json") if finding else None
    return escape.document(tree)


# a comment on a pull request, or a job's summary


def markdown(told: GateStory) -> str:
    """A heading with the verdict, a table of what fails and what changed, and the rest as counts."""
    gate, words, md = told.gate, told.words, escape.markdown
    shown = told.told
    lines = [MARK.format(package=md(gate.package)), f"### {SIGNS[gate.outcome]} appwitness: {md(told.verdict)}"]
    lines += ["", md(f"{told.app}. {told.against}")]
    if shown:
        heads = "".join(f" | {words(head)}" for head in ("level", "finding", "evidence"))
        lines += ["", f"| {heads} |", "|---|---|---|---|", *(_row(one, told) for one in shown[:ROWS])]
    if len(shown) > ROWS:
        lines += ["", md(words("and_more", count=len(shown) - ROWS))]
    if besides := [each for some in (told.stamps, told.flows, told.remarks) for each in some[:ROWS]]:
        lines += ["", *(f"- {md(each)}" for each in besides)]
    if told.gaps:
        lines += ["", md(told.gaps)]
    return "\n".join(lines) + "\n"


def _row(one: Gated, told: GateStory) -> str:
    md, finding = escape.markdown, told.finding(one)
    change = f"**{md(told.change(one))}**" if one.fails else md(told.change(one))
    what = [f"**{md(told.title(one))}**", md(told.about(one)), *map(md, told.why(one))]
    evidence = [*(finding.evidence[:3] if finding else ()), one.behaviour.id]
    return f"| {change} | {md(told.grade(one))} | {'<br>'.join(what)} | {'<br>'.join(map(md, evidence))} |"


# a merge request, which compares issues by their fingerprints


def gitlab(told: GateStory) -> str:
    """One JSON array; muted findings are left out, as the format cannot express them."""
    return escape.document([_issue(one, told) for one in told.gate.changes if one.now and not one.waived])


def _issue(one: Gated, told: GateStory) -> dict[str, Any]:
    behaviour, finding = one.behaviour, told.finding(one)
    path, line = place(told.anchor or (finding.evidence[0] if finding else "run.json"))
    return {
        "description": f"{told.title(one)}. {told.about(one)}",
        "check_name": behaviour.rule,
        "fingerprint": behaviour.id.removeprefix("v2:"),
        "severity": SEVERITY[behaviour.level],
        "location": {"path": path, "lines": {"begin": line}},
    }


# a build server


def junit(told: GateStory) -> str:
    """One suite for the app: a case for each behaviour that is not gone, and for each flow that the list forbids or
    does not allow. Behaviours that could not be observed or that a waiver mutes are skipped."""
    gate = told.gate
    cases = [_case(one, told) for one in gate.changes if one.change != "gone"]
    for flow in gate.flows:
        name, said = f"{flow.what} {flow.data} > {flow.recipient} ({flow.recording} {flow.flow})", told.flow(flow)
        cases.append(JunitCase(f"appwitness.gate.{gate.package}", name, failure=(flow.what, said, said)))
    numbers = {
        "tests": str(len(cases)),
        "failures": str(sum(case.failure is not None for case in cases)),
        "skipped": str(sum(case.skipped is not None for case in cases)),
        "errors": "0",
    }
    out = "\n".join(map(plain, [told.verdict, told.against, *told.stamps, *told.remarks]))
    root = {"name": "appwitness gate", **numbers}
    return junit_document(root, {"name": f"appwitness gate {gate.package}", **numbers}, cases, out=out)


def _case(one: Gated, told: GateStory) -> JunitCase:
    about, why, finding = told.about(one), list(told.why(one)), told.finding(one)
    case = JunitCase(f"appwitness.gate.{told.gate.package}", f"{one.behaviour.rule} {about} {one.behaviour.id}")
    if one.fails:
        lines = [told.title(one), about, *why]
        if finding:
            lines += [told.words.of(finding.detail), f"{one.recording}: {', '.join(finding.evidence)}"]
        message = f"{told.change(one)}: {told.title(one)}"
        return case._replace(failure=(one.behaviour.level, message, "\n".join(map(plain, lines))))
    reason = "change_not_observable" if one.change == "not_observable" else "junit_waived" if one.waived else None
    return case._replace(skipped="; ".join([told.words(reason), *why])) if reason else case


# a browser


class BehaviourRow(NamedTuple):
    """One behaviour, in words."""

    one: Gated
    title: str
    lines: tuple[str, ...]
    detail: str
    recording: str
    evidence: tuple[str, ...]


class OutcomeGroup(NamedTuple):
    """The behaviours that changed in the same way."""

    change: Change
    name: str
    open: bool
    rows: tuple[BehaviourRow, ...]


def html(told: GateStory) -> str:
    """A self-contained HTML document: a table for each kind of change; rows that fail the build come first."""
    gate, words = told.gate, told.words
    version = gate.made.appwitness
    return fill(
        "gate.html",
        words,
        gate=gate,
        tone=TONES[gate.outcome],
        verdict=told.verdict,
        against=told.against,
        recordings=", ".join(map(plain, gate.recordings)),
        groups=[group for change in CHANGES if (group := _group(change, told)).rows],
        flows=[f"{plain(flow.recording)}{words('colon')}{told.flow(flow)}" for flow in gate.flows],
        remarks=[*told.stamps, *told.remarks],
        gaps=told.gaps,
        note=words("revealed_note" if told.revealed else "masked_note"),
        made_by=words("page_made_by", version=plain(version) if version else words("unknown")),
    )


def _group(change: Change, told: GateStory) -> OutcomeGroup:
    of = sorted((one for one in told.gate.changes if one.change == change), key=lambda one: not one.fails)
    return OutcomeGroup(
        change, told.words(f"change_{change}"), change not in QUIET, tuple(_shown(each, told) for each in of)
    )


def _shown(one: Gated, told: GateStory) -> BehaviourRow:
    finding = told.finding(one)
    return BehaviourRow(
        one,
        told.title(one),
        (told.about(one), *told.why(one)),
        told.words.of(finding.detail) if finding and finding.detail else "",
        plain(one.recording or ""),
        finding.evidence if finding else (),
    )
