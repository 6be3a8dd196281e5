"""What a gate decided as JUnit XML: a test case for each behaviour and each flow that no list allows."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from appwitness.findings.gate_decision import Gated
from appwitness.gate.reports import GateStory
from appwitness.gate.reports import sentences as said
from appwitness.reports.words import plain
from appwitness.support.escape import xml


def render(told: GateStory) -> str:
    """One suite for the app; what nobody could observe, and what a waiver mutes, is skipped."""
    gate, words = told.gate, told.words
    shown = [one for one in gate.changes if one.change != "gone"]
    failures = sum(one.fails for one in shown) + len(gate.flows)
    skipped = sum(not one.fails and _skip(one) is not None for one in shown)
    numbers = {
        "tests": str(len(shown) + len(gate.flows)),
        "failures": str(failures),
        "skipped": str(skipped),
        "errors": "0",
    }
    root = ET.Element("testsuites", {"name": "appwitness gate", **numbers})
    suite = ET.SubElement(root, "testsuite", {"name": xml(f"appwitness gate {gate.package}"), **numbers})
    for one in shown:
        case = _case(suite, told, f"{one.behaviour.rule} {said.about(one, words)} {one.behaviour.id}")
        lines = [told.title(one), said.about(one, words), *said.why(one, words)]
        if one.fails:
            finding = told.finding(one)
            if finding:
                lines += [words.of(finding.detail), f"{one.recording}: {', '.join(finding.evidence)}"]
            message = f"{words(f'change_{one.change}')}: {told.title(one)}"
            failure = ET.SubElement(case, "failure", {"type": one.behaviour.level, "message": xml(message)})
            failure.text = xml("\n".join(map(plain, lines)))
        elif reason := _skip(one):
            ET.SubElement(case, "skipped", {"message": xml("; ".join([words(reason), *said.why(one, words)]))})
    for flow in gate.flows:
        case = _case(suite, told, f"{flow.what} {flow.data} > {flow.recipient} ({flow.recording} {flow.flow})")
        text = said.flow(flow, words)
        ET.SubElement(case, "failure", {"type": flow.what, "message": xml(text)}).text = xml(text)
    out = ET.SubElement(suite, "system-out")
    remarks = [*said.stamps(told), *(said.remark(remark, words) for remark in gate.remarks)]
    out.text = xml("\n".join(map(plain, [said.verdict(told), said.against(told), *remarks])))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, told: GateStory, name: str) -> ET.Element:
    return ET.SubElement(
        suite,
        "testcase",
        {"classname": xml(f"appwitness.gate.{told.gate.package}"), "name": xml(name), "time": "0.000"},
    )


def _skip(one: Gated) -> str | None:
    """Why a case is neither passed nor failed."""
    if one.change == "not_observable":
        return "change_not_observable"
    return "junit_waived" if one.waiver and one.waiver.state == "active" else None
