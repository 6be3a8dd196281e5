"""One id of a finding, in every format of a report, whether values are masked or not."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from appwitness.api.judging import judging
from appwitness.api.judging import report as reported
from appwitness.findings.identity import identity
from appwitness.reports import render
from appwitness.reports.text import render as text
from tests.recordings.written import RECORDINGS

SHAPE = re.compile(r"v2:[0-9a-f]{12}")
NAMES = ("sent-before-consent", "sent-in-cleartext", "identifiers-bridged")


@pytest.fixture(scope="module", params=NAMES)
def report(request, tmp_path_factory):
    return reported(RECORDINGS / request.param, db=str(tmp_path_factory.mktemp("index") / "db"))


def ids_of(report):
    return {finding.id for finding in report.findings}


def test_every_finding_has_one_that_its_names_make(report):
    assert report.findings
    for finding in report.findings:
        assert SHAPE.fullmatch(finding.id)
        assert finding.id == identity(finding, report.run.app.package).id


def test_json_has_it_masked_or_not(report):
    for reveal in (False, True):
        tree = json.loads(render(report, "json", reveal=reveal))
        assert [each["id"] for each in tree["findings"]] == [finding.id for finding in report.findings]


def test_text_has_it_when_it_is_verbose(report):
    assert set(SHAPE.findall(text(report, verbose=True, width=200))) == ids_of(report)


def test_the_page_has_an_anchor_for_each(report):
    page = render(report, "html")
    anchors = re.findall(r'id="(v2:[0-9a-f]{12}(?:-\d+)?)"', page)
    assert len(anchors) == len(set(anchors))
    assert {each[:15] for each in anchors} == ids_of(report)


def test_sarif_and_junit_have_it(report):
    sarif = json.loads(render(report, "sarif"))
    results = [each for run in sarif["runs"] for each in run["results"]]
    assert {each["partialFingerprints"]["appwitness/v2"] for each in results} == ids_of(report)
    junit = ET.fromstring(render(report, "junit"))
    assert set(SHAPE.findall(" ".join(each.text or "" for each in junit.iter("failure")))) == ids_of(report)


def test_an_index_of_conclusions_keeps_it_though_its_recipients_are_masked(report, tmp_path):
    known = judging(db=str(tmp_path / "db"), index="conclusions")
    known.correlate(report.path)
    assert {finding.id for finding in known.store.findings(report.recording)} == ids_of(report)
