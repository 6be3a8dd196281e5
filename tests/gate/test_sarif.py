"""What a gate gives a code host stays within what code hosts take, and names each category once."""

import gzip
import json
from datetime import timedelta

import pytest
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from appwitness.correlate.prior_knowledge import knowledge
from appwitness.events import Consent
from appwitness.events.seen import Seen
from appwitness.findings import Flow, Match, Recipient
from appwitness.gate import Accepted, GatePolicy, gate, release
from appwitness.gate.reports import GateStory
from appwitness.gate.reports import render as render_gate
from appwitness.reports import render
from appwitness.reports.words import Words
from tests.gate.runs import RULES, START, finding, report

BYTES = 10 << 20


@pytest.fixture(scope="module")
def known():
    return knowledge().recipients


def log(known, reports, was=(), **told):
    against = release(was, {}) if was else None
    text = render_gate(
        GateStory(gate(reports, against, Accepted(), GatePolicy(), known), reports, Words("en"), **told), "sarif"
    )
    Sarif.model_validate_json(text)
    return json.loads(text)["runs"]


def categories(runs):
    return [run["automationDetails"]["id"].rpartition("/")[0] for run in runs]


def test_runs_of_one_plan_are_one_category_and_tell_a_finding_once(known):
    low, high = finding(level="low", line=3), finding(level="high", line=4)
    other = finding(rule="read-before-consent", host=None, line=9)
    runs = log(known, [report(low, name="a"), report(high, other, name="b"), report(high, plan="refuse", name="c")])
    assert categories(runs) == ["appwitness/com.example.weather/accept", "appwitness/com.example.weather/refuse"]
    results = runs[0]["results"]
    assert [(each["ruleId"], each["properties"]["level"]) for each in results] == [
        ("sent-before-consent", "high"),
        ("read-before-consent", "high"),
    ]
    for each in results:
        assert runs[0]["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] == each["ruleId"]
        base = each["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"]
        assert "recording b" in runs[0]["originalUriBaseIds"][base]["description"]["text"]
    assert len(runs[0]["invocations"]) == 2


def test_what_is_gone_is_listed_when_asked_for(known):
    was, now = [report(finding())], [report(name="r2")]
    assert log(known, now, was)[0]["results"] == []
    (gone,) = log(known, now, was, with_gone=True)[0]["results"]
    assert (gone["baselineState"], gone["ruleId"]) == ("absent", "sent-before-consent")


def test_another_run_of_the_same_app_gives_the_same_alerts(known):
    """An alert is known again by its rule, its fingerprint, its place and its category."""

    def alerts(run):
        return [
            (
                categories([run]),
                each["ruleId"],
                each["partialFingerprints"]["appwitness/v2"],
                each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
                each["locations"][0]["physicalLocation"]["region"],
            )
            for each in run["results"]
        ]

    first = finding(line=3), finding(rule="read-before-consent", line=5)
    again = finding(line=70, code="a.b.c"), finding(rule="read-before-consent", line=80)
    (one,), (other,) = (
        log(known, [report(*each, name=f"r{each[0].evidence}")], anchor="app/Manifest.xml:2") for each in (first, again)
    )
    assert alerts(one) == alerts(other)
    assert not any("primaryLocationLineHash" in each["partialFingerprints"] for each in one["results"])


@pytest.mark.slow
def test_more_findings_than_hosts_take_go_on_in_a_run_of_another_category(known):
    many = [
        finding(RULES[n % 4], host=f"h{n}.d{n}.example", actor=f"Kit{n % 50}", level="high" if n else "low", line=n + 1)
        for n in range(25_001)
    ]  # fmt: skip
    now = [report(*many)]
    decided = gate(now, None, Accepted(), GatePolicy(), known)
    text = render_gate(GateStory(decided, now, Words("en")), "sarif")
    runs = json.loads(text)["runs"]
    assert len({run["automationDetails"]["id"] for run in runs}) == len(runs) > 1
    assert max(len(run["results"]) for run in runs) <= 25_000
    levels = [each["level"] for run in runs for each in run["results"]]
    assert levels[:-1] == ["error"] * 25_000
    assert levels[-1] != "error"  # the least of them comes last
    assert len(gzip.compress(text.encode())) < BYTES


def test_no_rule_has_more_tags_and_no_result_more_steps_than_hosts_take():
    rule = report().rules[0].model_copy(update={"kinds": tuple(f"F{n:02}" for n in range(30))})
    consent = Consent(at=START, signal="tap", status="refused", scope="general_policy", by="user", text="No")
    answers = [Seen(f"consents.jsonl:{n}", n, START, consent) for n in range(1, 1001)]
    match = Match(
        type="phone_number", value="+1", variant="plain", path="$.p", start=0, end=2, confidence=1, found="+1"
    )
    flows = [
        Flow(
            id=f"f{n}", upload=f"uploads.jsonl:{n}", data="phone_number", consent="refused", matches=(match,),
            at=START + timedelta(hours=1), recipient=Recipient(host="ads.example"),
        )
        for n in range(1, 101)
    ]  # fmt: skip
    found = finding().model_copy(update={"flows": tuple(flow.id for flow in flows)})
    one = report(found, flows=tuple(flows), consents=tuple(answers)).model_copy(update={"rules": (rule,)})
    (run,) = json.loads(render(one, "sarif"))["runs"]
    (result,) = run["results"]
    steps = [step for flow in result["codeFlows"] for step in flow["threadFlows"][0]["locations"]]
    assert 20 * 400 < len(steps) <= 10_000
    assert len(result["locations"] + result["relatedLocations"]) <= 1_000
    assert len(run["tool"]["driver"]["rules"][0]["properties"]["tags"]) == 20
