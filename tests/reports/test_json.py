import json

import jsonschema

from appwitness.findings import report_schema
from appwitness.reports import render
from tests.reports import sample


def test_the_report_has_the_shape_of_the_contract():
    tree = json.loads(render(sample.report(), "json"))
    jsonschema.validate(tree, report_schema())
    assert list(tree)[:7] == ["v", "recording", "run", "flows", "findings", "gaps", "coverage"]
    flow = tree["flows"][0]
    assert {"id", "access", "upload", "connection", "data", "consent", "recipient", "matches"} <= set(flow)
    assert {"host", "name", "party", "country"} <= set(flow["recipient"])
    assert {
        "type", "value", "variant", "of", "decoding", "path", "start", "end", "confidence",
    } <= set(flow["matches"][0])  # fmt: skip
    finding = tree["findings"][0]
    assert {"rule", "level", "confidence", "title", "flows", "evidence", "references"} <= set(finding)
    assert set(finding["title"]) == {"en", "zh"}
    assert tree["flows"][-1]["access"] is None


def test_lines_for_the_page_are_not_in_the_json():
    tree = json.loads(render(sample.report(path="/home/somebody/recordings/r"), "json"))
    assert not {"evidence", "accesses", "uploads", "consents", "phases", "path"} & set(tree)


def test_it_says_whether_it_is_masked():
    assert json.loads(render(sample.report(), "json"))["masked"] is True
    assert json.loads(render(sample.report(), "json", reveal=True))["masked"] is False


def test_the_bytes_do_not_hang_on_the_order_of_free_form_objects_or_on_the_language():
    report = sample.report()
    coverage = {
        key: dict(reversed(value.items())) if isinstance(value, dict) else value
        for key, value in reversed(report.coverage.items())
    }
    run = sample.run(versions=dict(reversed(report.run.versions.items())))
    other = render(sample.report(coverage=coverage, run=run), "json")
    assert other == render(report, "json") == render(report, "json", lang="zh")
    assert other.endswith("}\n")


def test_chinese_is_readable_in_the_file():
    assert "用户同意前发送个人信息" in render(sample.report(), "json")
