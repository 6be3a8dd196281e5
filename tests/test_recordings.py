"""Each recording under tests/recordings/ yields its findings, once and when followed, and again from a new index."""

import json
from pathlib import Path

import pytest

from monitor.correlate import correlate, follow, knowledge, report
from monitor.recording import Recording
from monitor.reports import render
from monitor.store import Store

HERE = Path(__file__).parent / "recordings"
CASES = sorted(path.parent.name for path in HERE.glob("*/expected.json"))
MATCHING = Path(__file__).parent.parent.parent / "shared/cases/matching"


def rendered(recording: Recording, store: Store) -> str:
    return render(report(store, recording.run.id, knowledge()), "json")


@pytest.mark.parametrize("case", CASES)
def test_a_recording_yields_its_findings(case, tmp_path):
    recording = Recording.open(HERE / case)
    outcome = correlate(recording, Store(tmp_path / "i.sqlite"), knowledge())
    expected = json.loads((HERE / case / "expected.json").read_text("utf-8"))
    found = [
        {
            "rule": finding.rule,
            "level": finding.level,
            "confidence": finding.confidence,
            "data": finding.data,
            "recipient": finding.recipient.host if finding.recipient else None,
        }
        for finding in outcome.findings
    ]
    wanted = [
        {key: finding.get(key) for key in ("rule", "level", "confidence", "data", "recipient")}
        for finding in expected["findings"]
    ]
    order = lambda each: json.dumps(each, sort_keys=True)  # noqa: E731
    assert sorted(found, key=order) == sorted(wanted, key=order)


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_same_once_twice_followed_and_rebuilt(case, tmp_path):
    recording = Recording.open(HERE / case)
    known = knowledge()
    store = Store(tmp_path / "once.sqlite")
    correlate(recording, store, known)
    first = rendered(recording, store)
    assert correlate(recording, store, known).new_lines == 0
    assert rendered(recording, store) == first
    followed = Store(tmp_path / "followed.sqlite")
    follow(recording, followed, known, lambda: True)
    assert rendered(recording, followed) == first


def test_each_rule_has_a_recording_that_triggers_it_and_one_that_nearly_does():
    fired = {
        finding["rule"]
        for case in CASES
        for finding in json.loads((HERE / case / "expected.json").read_text("utf-8"))["findings"]
    }
    rules = {rule.id for rule in knowledge().rules}
    assert fired == rules
    near = {json.loads((HERE / case / "expected.json").read_text("utf-8")).get("nearly") for case in CASES}
    assert rules <= near


@pytest.mark.skipif(not MATCHING.is_dir(), reason="../shared/cases/matching is not here")
def test_the_matching_cases_correlate_without_error(tmp_path):
    recording = Recording.open(MATCHING)
    store = Store(tmp_path / "i.sqlite")
    outcome = correlate(recording, store, knowledge())
    truth = json.loads((MATCHING / "truth.json").read_text("utf-8"))
    negatives = json.loads((MATCHING / "negatives.json").read_text("utf-8"))
    found = {(flow.upload, match.type, match.value) for flow in outcome.flows for match in flow.matches}
    wanted = {(line["upload"], line["type"], line["value"]) for line in truth}
    assert not [flow.upload for flow in outcome.flows if flow.upload in negatives]
    assert len(found & wanted) / len(wanted) > 0.9
    accepted = {(line["upload"], line["type"], line["value"]): line for line in truth}
    for flow in outcome.flows:
        for match in flow.matches:
            line = accepted.get((flow.upload, match.type, match.value))
            if line:
                assert flow.access in (line["accesses"] or [None])
