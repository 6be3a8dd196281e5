"""Each recording of tests/recordings yields its findings, once and when followed, and again from a new index."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from appwitness.correlate import correlate, follow, report
from appwitness.correlate.prior_knowledge import Knowledge, knowledge
from appwitness.findings import LEVELS, Finding
from appwitness.recording import Recording
from appwitness.reports import render
from appwitness.store import Store
from tests.recordings.written import RECORDINGS, written

FIRST_FORMAT = Path(__file__).parent / "recordings/first_format"
"""As the first version wrote them: without what the contract has grown by since."""
EXPECTED = {path.parent.name: json.loads(path.read_text("utf-8")) for path in RECORDINGS.glob("*/expected.json")}
CASES = sorted(EXPECTED)
RULES = sorted(path.stem for path in (Path(__file__).parents[1] / "monitor/appwitness/catalog/rules").glob("*.yml"))
MATCHING = Path(__file__).parent.parent.parent / "shared/cases/matching"
MATTERS = LEVELS[: LEVELS.index("medium") + 1]
TOLD = ("rule", "level", "confidence", "data", "recipient")


read_once = cache(knowledge)


def known(case: str) -> Knowledge:
    """What the case is judged by: the options of its expected.json."""
    expected = EXPECTED[case]
    return read_once(
        laws=tuple(expected.get("law", ())),
        app_type=expected.get("app_type"),
        policy=RECORDINGS / case / expected["policy"] if "policy" in expected else None,
        territory=expected.get("territory"),
    )


def told(finding: Finding) -> dict[str, str | None]:
    return {
        "rule": finding.rule,
        "level": finding.level,
        "confidence": finding.confidence,
        "data": finding.data,
        "recipient": finding.recipient.host if finding.recipient else None,
    }


def wanted(case: str) -> list[dict[str, str | None]]:
    return in_order([{key: finding.get(key) for key in TOLD} for finding in EXPECTED[case]["findings"]])


def in_order(findings: list[dict[str, str | None]]) -> list[dict[str, str | None]]:
    return sorted(findings, key=lambda each: json.dumps(each, sort_keys=True))


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Two indexes, each of all recordings: read at once, and followed."""
    folder = tmp_path_factory.mktemp("stores")
    with Store(folder / "once.sqlite") as once, Store(folder / "followed.sqlite") as followed:
        yield once, followed


@pytest.mark.parametrize("case", CASES)
def test_a_recording_yields_its_findings_once_twice_and_followed(case, stores):
    recording, known_, expected = Recording.open(RECORDINGS / case), known(case), EXPECTED[case]
    store, followed = stores
    outcome = correlate(recording, store, known_)
    assert in_order([told(finding) for finding in outcome.findings]) == wanted(case)
    for finding in expected["findings"]:
        same = [each for each in outcome.findings if told(each) == {key: finding.get(key) for key in TOLD}]
        assert set(finding.get("evidence", ())) <= set(same[0].evidence)
    if law := expected.get("law"):
        assert {article.jurisdiction for finding in outcome.findings for article in finding.articles} == set(law)
    assert [[gap.subject, gap.counted.unseen] for gap in outcome.gaps if gap.counted] == expected.get("missed", [])

    first = report(store, recording.run.id, known_)
    for finding in json.loads(render(first, "json"))["findings"]:
        assert finding["chain"]
        for name, number in re.findall(r"(\w+\.jsonl):(\d+)", json.dumps(finding["chain"])):
            assert 1 <= int(number) <= len((RECORDINGS / case / name).read_bytes().splitlines())
    assert correlate(recording, store, known_).new_lines == 0
    assert report(store, recording.run.id, known_) == first
    follow(recording, followed, known_, lambda: True)
    assert report(followed, recording.run.id, known_) == first


@pytest.mark.parametrize(("case", "said"), [("witness-agrees", True), ("clean-consent-first", False)])
def test_a_report_says_whether_the_system_counted(case, said, tmp_path):
    recording, store = Recording.open(RECORDINGS / case), Store(tmp_path / "i.sqlite")
    correlate(recording, store, known(case))
    text = render(report(store, recording.run.id, known(case)), "text", verbose=True)
    assert ("the system's own counts" in " ".join(text.split())) == said


def test_lawful_behaviour_gives_no_finding_that_matters():
    clean = [case for case in CASES if case.startswith("clean-")]
    assert len(clean) > 30
    assert [case for case in clean for finding in EXPECTED[case]["findings"] if finding["level"] in MATTERS] == []


def test_each_rule_has_a_recording_that_triggers_it_and_one_that_nearly_does():
    spoken = {case: {finding["rule"] for finding in EXPECTED[case]["findings"]} for case in CASES}
    for rule in RULES:
        assert rule in spoken[rule]
        assert rule not in spoken[f"{rule}-nearly"]
        assert EXPECTED[f"{rule}-nearly"]["nearly"] == rule
    assert set.union(*spoken.values()) <= set(RULES)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_recordings_are_written_once_and_no_test_changes_them(tmp_path, monkeypatch):
    anew = written(tmp_path)
    assert files(anew) == files(RECORDINGS)
    monkeypatch.setattr("tests.recordings.written.write", lambda *_: pytest.fail("written twice"))
    assert written(tmp_path) == anew


@pytest.mark.parametrize("path", sorted(FIRST_FORMAT.iterdir()), ids=lambda path: path.name)
def test_a_recording_of_the_first_format_is_judged(path, tmp_path):
    outcome = correlate(Recording.open(path), Store(tmp_path / "i.sqlite"), read_once())
    expected = json.loads((path / "expected.json").read_text("utf-8"))["findings"]
    assert in_order([told(finding) for finding in outcome.findings]) == in_order(expected)


@pytest.mark.slow
@pytest.mark.skipif(not MATCHING.is_dir(), reason="../shared/cases/matching is not here")
def test_the_matching_cases_correlate_without_error(tmp_path):
    recording = Recording.open(MATCHING)
    store = Store(tmp_path / "i.sqlite")
    outcome = correlate(recording, store, read_once())
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
