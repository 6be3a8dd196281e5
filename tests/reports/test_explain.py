"""Why a flow was flagged, as `appwitness explain` says it."""

import json
import re

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.findings import AGAINST, Report, Why
from appwitness.reports.explain import explain
from appwitness.support.errors import UserError
from tests.cli.test_compare_verb import NUMBERS, make
from tests.reports import sample


def run(*args: object):
    return CliRunner().invoke(main, ["explain", *map(str, args)])


@pytest.fixture
def recording(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    return make(tmp_path / "r", answers=[(5, "refused")], sends=[6])


def test_the_whole_chain_is_told(recording):
    result = run(recording, "f1")
    assert result.exit_code == 0, result.output
    for part in ("f1: ", "accesses.jsonl:1", "uploads.jsonl:1", "the last read of it before the upload", "+ ", "$."):
        assert part in result.stdout, part
    assert NUMBERS[0] not in result.stdout
    assert NUMBERS[0] in run(recording, "f1", "--reveal").stdout


def test_as_json_every_reason_has_its_code_and_its_sentence(recording):
    tree = json.loads(run(recording, "f1", "--json", "--lang", "zh").stdout)
    (read,) = [read for read in tree["reads"] if read["chosen"]]
    assert (read["ref"], read["reason"]["code"]) == (tree["access"], "read_last")
    for match in tree["matches"]:
        assert match["reasons"]
        for reason in match["reasons"]:
            assert reason["against"] == (Why(reason["code"]) in AGAINST)
            assert reason["text"]


def test_a_flow_that_is_not_there_is_an_error_that_names_those_that_are(recording):
    result = run(recording, "f99")
    assert result.exit_code == 2
    assert "no flow f99" in result.stderr
    assert "f1 (phone_number to " in result.stderr
    with pytest.raises(UserError, match="It has none"):
        explain(Report(recording="r", run=sample.report().run), "f1")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_flow_of_the_sample_can_be_explained(lang):
    report = sample.report()
    for flow in report.flows:
        told = explain(report, flow.id, lang=lang)
        assert flow.upload in told
        assert (flow.access or flow.upload) in told


def test_reports_print_names_of_flows_that_can_be_typed(recording):
    result = CliRunner().invoke(main, ["report", str(recording)])
    assert re.search(r"accesses\.jsonl:\d+ -> uploads\.jsonl:\d+  f1\b", result.stdout)
