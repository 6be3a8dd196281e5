from pathlib import Path

import pytest
from lxml import etree

from appwitness.findings import ReportedGap
from appwitness.reports import render
from tests.reports import sample

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))


def suite(report, **options):
    root = etree.fromstring(render(report, "junit", **options).encode())
    SCHEMA.assertValid(root)
    return root[0]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("report", [sample.report(), sample.clean(), sample.report(rules=())])
def test_it_is_valid(report, lang):
    suite(report, lang=lang)


def test_there_is_a_case_for_each_rule_failed_where_it_found_something():
    found = suite(sample.report())
    cases = {case.get("name"): case for case in found.findall("testcase")}
    assert sorted(cases) == sorted(rule for rule, *_ in sample.RULES)
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert failed == {finding.rule for finding in sample.report().findings}
    assert (found.get("tests"), found.get("failures")) == (str(len(cases)), str(len(failed)))


def test_a_failure_tells_every_finding_of_its_rule_with_its_evidence():
    failure = next(case.find("failure") for case in suite(sample.report()) if case.get("name") == "sent-before-consent")
    assert failure.get("type") == "high"
    assert "2 findings" in failure.get("message")
    for text in (
        "accesses.jsonl:2",
        "uploads.jsonl:2",
        "uploads.jsonl:3",
        "sync.friendgraph.test",
        "no question seen yet",
    ):
        assert text in failure.text


def test_gaps_are_said_though_every_case_passes():
    out = suite(sample.clean(gaps=sample.report().gaps)).find("system-out").text
    assert "not clean" in out
    assert "pinned.bank.example" in out
    assert "gaps.jsonl:3" in out


def test_characters_that_xml_cannot_hold_do_not_break_it():
    gap = ReportedGap(at=sample.at(1), where="proxy", subject="a\x00b\ufffe]]>", why="tls_refused")
    assert "]]>" in suite(sample.clean(gaps=(gap,))).find("system-out").text
