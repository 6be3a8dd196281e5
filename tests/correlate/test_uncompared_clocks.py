"""Recordings of which nobody compared the clocks: no order across them, no grade on it, and every report says so."""

from __future__ import annotations

import json
import random
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from appwitness.correlate import correlate, report
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.events import Run
from appwitness.findings import Finding, Report
from appwitness.recording import Recording
from appwitness.reports import FORMATS, render
from appwitness.store import Store
from appwitness.support.errors import UserError
from tests.recordings.builder.case import Case, sha256
from tests.recordings.builder.reads import NUMBER, PHONE
from tests.recordings.written import RECORDINGS

ORDERED = re.compile(
    r"\d (?:h|min|s|ms)(?: \d+ (?:min|s))? (?:before (?:an answer|the user|the upload)|after (?:“|the answer))"
    r"|(?<!是否)早于 \d|早于答复|\+0\.0 ms"
)
"""What says how long one line was before or after another, or that the clocks were equal."""


@cache
def known():
    return knowledge(laws=("cn", "eu"))


def judged(folder: Path, case: Case) -> tuple[Report, str]:
    for name, content in case.files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    store = Store(folder.parent / f"{folder.name}.sqlite")
    recording = Recording.open(folder)
    correlate(recording, store, known())
    made = report(store, recording.run.id, known())
    said = []
    for name in FORMATS:
        with suppress(UserError):  # nothing to complain of
            said += [render(made, name, lang=lang) for lang in ("en", "zh")]
    return made, "\n".join(said)


def uncompared(case: Case, bound: bool) -> Case:
    """The same, of which run.json does not say how the clocks stood, or not how exactly."""
    case.run["clock_offset_ms"] = 12.5 if bound else None
    case.run["clock_uncertainty_ms"] = None
    return case


def a_run(seed: int) -> Case:
    """A made-up run: reads, an answer by tap or by mark, uploads of the number and of nothing; clocks days apart."""
    pick = random.Random(seed)
    case = Case(f"r{seed}", "made up", plan="refuse")
    apart = pick.choice((0, -71 * 3600 + 1, 86_400, 3))
    moments = sorted(pick.uniform(1, 50) for _ in range(6))
    if pick.random() < 0.8:
        case.read(apart + moments[0], NUMBER)
    if pick.random() < 0.7:
        case.asked(apart + moments[1])
    answer = pick.choice((("refused", "Disagree"), ("given", "Agree"), None))
    if answer and pick.random() < 0.7:
        case.tapped(apart + moments[2], *answer)
    if pick.random() < 0.3:
        case.marked(moments[3], pick.choice(("refused", "given")), "seen")
    for moment in pick.sample(moments, 3):
        body = pick.choice(({"phone": "+8613800138000"}, {"h": sha256("+8613800138000")}, {"nothing": 1}))
        case.sent(moment, pick.choice(("https://api.shop.test/v1", "http://ads.adnet.test/x")), body)
    return case


def lines_of(case: Case, kind: str) -> list[dict[str, object]]:
    return case.lines.get(kind, [])


def by_host(line: dict[str, object]) -> bool:
    return "operator" in (line.get("by"), line.get("signal"))


def may_be_proven(case: Case, finding: Finding) -> bool:
    """The oracle, from the lines alone: whether all that a finding rests on is of one clock. An upload that the proxy
    wrote and a read that the agent wrote never are."""
    uploads = [ref for ref in finding.all_evidence if ref.startswith("uploads")]
    reads = [ref for ref in finding.all_evidence if ref.startswith("accesses")]
    answers = [line for line in lines_of(case, "consent") if not by_host(line)]
    return not (uploads and (reads or (answers and finding.consent is not None)))


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_said_of_an_order_that_nobody_knows(seed, tmp_path):
    case = uncompared(a_run(seed), bound=seed % 4 == 0)
    made, said = judged(tmp_path / "r", case)
    for finding in made.findings:
        assert finding.confidence in ("indicated", "declared") or may_be_proven(case, finding), finding
    answers = {line["status"] for line in lines_of(case, "consent") if not by_host(line)}
    marked = any(map(by_host, lines_of(case, "consent")))
    if lines_of(case, "access") and not marked:
        for flow in made.flows:
            assert flow.uncertainty_ms is None
            assert flow.consent == ("not_observed" if answers else "not_shown"), (answers, flow.consent)
        assert not (found := ORDERED.search(said)), said[found.start() - 200 : found.end() + 50]
        for finding in (each for each in made.findings if each.recipient):
            assert not re.search(r"\d s later|秒之后", "".join(finding.detail.values())), finding.detail
    if lines_of(case, "access") or answers:
        assert "not compared" in said
        assert "未经比对" in said
        assert any(gap.why == "no_clock" for gap in made.gaps)
    # a yes that may have been before: nothing rests on its absence
    if "given" in answers and not marked:
        assert not [each for each in made.findings if each.rule.startswith(("sent-before", "sent-after"))]


@pytest.mark.parametrize("seed", range(24, 28))
def test_the_same_run_with_clocks_that_were_compared_is_told_in_order(seed, tmp_path):
    made, said = judged(tmp_path / "r", a_run(seed))
    assert "not compared" not in said
    assert not any(gap.why == "no_clock" for gap in made.gaps)


def test_days_after_disagree_in_a_run_of_a_minute(tmp_path):
    case = Case("days", "a tap of another clock", plan="refuse").read(-71 * 3600, NUMBER).asked(-71 * 3600 + 1)
    case.tapped(-71 * 3600 + 2, "refused", "Disagree").sent(30, "https://api.shop.test/v1", {"phone": "+8613800138000"})
    before, _ = judged(tmp_path / "compared", case)
    assert ("sent-after-refusal", "proven") in {(each.rule, each.confidence) for each in before.findings}
    made, said = judged(tmp_path / "not", uncompared(case, bound=False))
    sent = [each for each in made.findings if each.recipient]
    assert {each.rule for each in sent} == {"sent-before-consent"}, "no order of the lines has a yes"
    assert all(each.confidence == "indicated" and each.consent_unordered for each in sent)
    assert all("not compared" in each.detail["en"] and "未经比对" in each.detail["zh"] for each in sent)
    assert not ORDERED.search(said)
    assert "times of the two clocks are in no known order" in render(made, "complaint")


def test_a_yes_in_the_store_is_of_an_earlier_run_whatever_the_clocks(tmp_path):
    case = Case("made-up", "made up", plan="free").launched()
    case.claimed(1, "preference", "given", "privacy_agreed=true", at_start=True).read(4, NUMBER)
    case.sent(8, "https://api.shop.test/v1", {"tel": PHONE})
    made, _ = judged(tmp_path / "r", uncompared(case, False))
    assert {finding.level for finding in made.findings} == {"info"}


BOTH = sorted(
    {path.parent.name for path in RECORDINGS.glob("*/accesses.jsonl") if (path.parent / "uploads.jsonl").exists()}
)
"""Recordings with lines of both clocks: only these have a flow from a read to an upload."""


@pytest.mark.parametrize("name", BOTH)
def test_no_recording_proves_anything_across_clocks_that_nobody_compared(name, tmp_path):
    folder = tmp_path / "r"
    folder.mkdir()
    for file in (RECORDINGS / name).iterdir():
        if file.name == "bodies":
            (folder / "bodies").symlink_to(file)
        elif file.name != "run.json":
            (folder / file.name).write_bytes(file.read_bytes())
    run = json.loads((RECORDINGS / name / "run.json").read_text("utf-8")) | {"clock_offset_ms": None}
    (folder / "run.json").write_text(json.dumps(run), "utf-8")
    outcome = correlate(Recording.open(folder), Store("sqlite://"), known())
    by_proxy = {flow.id for flow in outcome.flows if flow.clock == "host" and flow.access}
    if outcome.flows and Recording.open(folder).run.imported is False:
        for finding in outcome.findings:
            if by_proxy & set(finding.flows) and any(ref.startswith("accesses") for ref in finding.all_evidence):
                assert finding.confidence in ("indicated", "declared"), finding


@pytest.mark.parametrize(
    ("said", "offset", "bound", "compared"),
    [
        ({"clock_offset_ms": 0}, 0, 0, True),
        ({"clock_offset_ms": 250, "clock_uncertainty_ms": 20}, 250, 20, True),
        ({"clock_offset_ms": None}, None, 0, False),
        ({}, 0, 0, True),  # an early recording
        ({"clock_offset_ms": 250, "clock_uncertainty_ms": None}, 250, None, False),
    ],
)
def test_what_run_json_may_say_of_the_clocks(said, offset, bound, compared):
    run = {key: value for key, value in Case("r", "w").run.items() if key != "clock_offset_ms"}
    made = Run.model_validate(run | said)
    assert (made.clock_offset_ms, made.clock_uncertainty_ms, made.clocks_compared) == (offset, bound, compared)
