import json

import pytest
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from appwitness.reports import render, sarif
from appwitness.support import site
from tests.reports import sample


def run_of(report, **options):
    text = render(report, "sarif", **options)
    Sarif.model_validate_json(text)
    (run,) = json.loads(text)["runs"]
    return run


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("report", [sample.report(), sample.clean(), sample.report(rules=(), evidence={})])
def test_it_is_valid_after_the_published_schema(report, lang):
    """The models of pydantic-sarif are generated from the schema of SARIF 2.1.0, and allow no unknown field."""
    run_of(report, lang=lang)


def test_the_schema_check_can_fail():
    log = json.loads(render(sample.report(), "sarif"))
    log["runs"][0]["results"][0]["lines"] = []
    with pytest.raises(ValueError, match="Extra inputs"):
        Sarif.model_validate(log)


def test_every_rule_has_help_and_every_result_its_rule():
    run = run_of(sample.report())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted(rule for rule, *_ in sample.RULES)
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert len(run["results"]) == len(sample.report().findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_rules_of_ours_lead_to_their_pages_once_there_is_a_site(monkeypatch):
    """A rule of the user's own has no page there, even where it has the name of one of ours."""
    first, *others = sample.report().rules
    report = sample.report(rules=(first.model_copy(update={"own": True}), *others))
    assert "helpUri" not in render(report, "sarif")
    assert "a.test" not in render(report, "html")
    monkeypatch.setattr(site, "ADDRESS", "https://a.test/")
    led = {rule["id"]: rule.get("helpUri") for rule in run_of(report, lang="zh")["tool"]["driver"]["rules"]}
    pages = {rule.id: f"https://a.test/zh/reference/rules/{rule.id}.html" for rule in others}
    assert led == {first.id: None, **pages}
    html = render(report, "html", lang="zh")
    assert all(f'href="{page}"' in html for page in pages.values())
    assert f"rules/{first.id}.html" not in html


@pytest.mark.parametrize(
    ("level", "is_"), [("high", "error"), ("medium", "warning"), ("low", "note"), ("info", "note")]
)
def test_levels(level, is_):
    finding = sample.report().findings[0].model_copy(update={"level": level})
    assert run_of(sample.report(findings=(finding,)))["results"][0]["level"] == is_


def place(location):
    physical = location["physicalLocation"]
    return f"{physical['artifactLocation']['uri']}:{physical['region']['startLine']}"


def test_a_result_stands_at_its_upload_and_names_all_its_evidence():
    report = sample.report()
    for result in run_of(report)["results"]:
        finding = next(
            one
            for one in report.findings
            if one.rule == result["ruleId"]
            and one.data == result["properties"].get("data")
            and (one.recipient.host if one.recipient else None) == result["properties"].get("recipient")
        )
        lines = {place(one) for one in result["locations"] + result["relatedLocations"]}
        assert lines == set(finding.evidence)
        if finding.flows:
            assert place(result["locations"][0]).startswith("uploads.jsonl:")


def test_a_code_flow_goes_from_the_read_over_consent_and_socket_to_the_upload_in_order_of_time():
    run = run_of(sample.report())
    result = next(one for one in run["results"] if one["ruleId"] == "sent-after-refusal")
    (flow,) = result["codeFlows"]
    steps = flow["threadFlows"][0]["locations"]
    assert [place(step["location"]) for step in steps] == [
        "accesses.jsonl:2",
        "consents.jsonl:1",
        "consents.jsonl:2",
        "connections.jsonl:6",
        "uploads.jsonl:6",
    ]
    times = [step["executionTimeUtc"] for step in steps]
    assert times == sorted(times)
    read = steps[0]["stack"]["frames"]
    assert read[1]["location"]["logicalLocations"][0]["fullyQualifiedName"] == (
        "com.example.circle.contacts.AddressBook.all"
    )


def test_the_fingerprint_is_of_the_behaviour_not_of_the_run():
    def prints(report):
        return [result["partialFingerprints"]["appwitness/v1"] for result in run_of(report)["results"]]

    report = sample.report()
    ours = prints(report)
    assert len(set(ours)) == len(ours)
    moved = {ref: event.model_copy(update={"at": sample.at(99)}) for ref, event in report.evidence.items()}
    assert prints(sample.report(run=sample.run(id="another", started=sample.at(5)), evidence=moved)) == ours


def test_gaps_are_notifications():
    notes = run_of(sample.clean(gaps=sample.report().gaps))["invocations"][0]["toolExecutionNotifications"]
    assert [note["descriptor"]["id"] for note in notes] == [gap.why for gap in sample.report().gaps]
    assert place(notes[2]["locations"][0]) == "gaps.jsonl:3"


def test_markdown_of_a_title_is_inert():
    title = {"en": "<img src=x> [a](javascript:b) `c`", "zh": "x"}
    rules = (sample.report().rules[0].model_copy(update={"title": title}),)
    rule = run_of(sample.report(rules=rules, findings=()))["tool"]["driver"]["rules"][0]
    assert "\\<img" in rule["help"]["markdown"]
    assert "\\[a\\](" in rule["help"]["markdown"]


def many(count, detail=""):
    """A report with so many findings of one rule, of all levels."""
    one = sample.report().findings[0]
    return sample.report(
        findings=tuple(
            one.model_copy(
                update={
                    "id": f"v2:{number:012x}",
                    "level": ("low", "high", "medium")[number % 3],
                    "detail": {"en": detail or f"Of {number}.", "zh": detail or f"{number}。"},
                }
            )
            for number in range(count)
        )
    )


def fingerprints(runs):
    return [result["partialFingerprints"]["appwitness/v2"] for run in runs for result in run["results"]]


def test_no_result_is_left_out_of_a_log_with_more_than_code_hosts_take(monkeypatch, tmp_path):
    monkeypatch.setattr(sarif, "RESULTS", 20)
    whole = fingerprints(json.loads(render(many(18), "sarif"))["runs"])
    report = many(45)
    text = render(report, "sarif")
    Sarif.model_validate_json(text)
    runs = json.loads(text)["runs"]
    assert [len(run["results"]) for run in runs] == [20, 20, 5]
    assert sorted(fingerprints(runs)) == sorted(finding.id for finding in report.findings)
    assert len(whole) == 18
    levels = [result["level"] for run in runs for result in run["results"]]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)
    # no two runs of one category, or a code host refuses them
    category = f"appwitness/{report.run.app.package}/{report.run.plan}/"
    assert [run["automationDetails"]["id"] for run in runs] == [category, f"{category}part-2/", f"{category}part-3/"]
    notes = [run["invocations"][0]["toolExecutionNotifications"] for run in runs]
    assert [len(each) for each in notes] == [1 + len(report.gaps), 1, 1]
    assert "Part 3 of 3: the results 41 to 45 of 45" in notes[2][0]["message"]["text"]
    assert sarif.files_of(text, tmp_path / "x.sarif") == [(tmp_path / "x.sarif", text)]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_log_that_is_too_large_is_several_files_with_all_results(monkeypatch, tmp_path, lang):
    monkeypatch.setattr(sarif, "LARGEST", 120_000)
    report = many(16, "个人信息 [a](b) " * 400)
    text = render(report, "sarif", lang=lang)
    files = sarif.files_of(text, tmp_path / "gate.sarif")
    assert [file.name for file, _ in files][:2] == ["gate.sarif", "gate-2.sarif"]
    assert len(files) > 2
    runs = []
    for _, log in files:
        assert len(log.encode()) <= sarif.LARGEST
        Sarif.model_validate_json(log)
        runs += json.loads(log)["runs"]
    assert runs == json.loads(text)["runs"]
    assert sorted(fingerprints(runs)) == sorted(finding.id for finding in report.findings)
    assert len({run["automationDetails"]["id"] for run in runs}) == len(runs)


def test_a_log_of_an_ordinary_size_is_one_file(tmp_path):
    text = render(sample.report(), "sarif")
    assert sarif.files_of(text, tmp_path / "x.sarif") == [(tmp_path / "x.sarif", text)]
