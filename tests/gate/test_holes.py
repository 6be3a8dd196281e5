"""Nothing follows from what is not in a recording whose lines may be missing by somebody's hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appwitness.correlate.prior_knowledge import knowledge
from appwitness.findings import ForgottenLines, OutsideTime, Seal
from appwitness.findings.gate_decision import Made
from appwitness.gate import Accepted, GatePolicy, Held, gate
from appwitness.gate import baseline as files
from appwitness.gate.baseline import Baseline
from appwitness.gate.behaviours import side
from appwitness.gate.reports import GateStory, render
from appwitness.reports.watched import against_clock as clock
from appwitness.reports.words import Words
from tests.gate.runs import finding, gap, report

AT = datetime(2026, 11, 1, tzinfo=UTC)


def seal(**fields):
    return Seal(**{"outcome": "intact", "ok": True, "stamps": 3, "files": {}, **fields})


HOLES = {
    "forgotten": {"verified": seal(forgotten=(ForgottenLines(stamp="seal.jsonl:3", at=AT, lines=2, reason=None),))},
    "altered": {"verified": seal(outcome="altered", ok=False)},
    "unfinished": {"verified": seal(outcome="intact_up_to")},
}
UNSTAMPED = {"verified": seal(outcome="never_stamped", ok=False, stamps=0)}
"""Nobody knows whether something is missing: it is told, and judged as it is."""
GONE = [finding()]
BETTER = [finding(consent="refused", level="high")], [finding(consent="requested", level="low")]


@pytest.fixture(scope="module")
def known():
    return knowledge().recipients


def held(known, old, new):
    against = side([report(*old)], {})
    was = {shown.behaviour.id: shown.behaviour for shown in against.shown.values()}
    decided = gate(new, Held(Made(plans=("accept",)), was, "file"), Accepted(), GatePolicy(strict=True), known)
    kept = files.updated(
        Baseline(app="a", made=Made(), findings=tuple(was.values())), decided.changes, decided.made, None
    )
    return decided, kept.findings == tuple(was.values())


@pytest.mark.parametrize("why", HOLES)
def test_what_may_be_missing_is_neither_gone_nor_better(known, why):
    decided, as_it_was = held(known, GONE, [report(**HOLES[why])])
    assert [(each.change, each.unobserved[0].why) for each in decided.changes] == [("not_observable", why)]
    assert (decided.outcome, as_it_was) == ("not_observable", True)

    decided, as_it_was = held(known, BETTER[0], [report(*BETTER[1], **HOLES[why])])
    assert [(each.change, each.unobserved[0].why) for each in decided.changes] == [("not_observable", why)]
    assert as_it_was


def test_forgotten_lines_without_a_record_are_a_hole_too(known):
    new = report(gaps=[gap("accesses.jsonl", "forgotten", "correlate")])
    decided, as_it_was = held(known, GONE, [new])
    assert [(each.change, each.unobserved[0].why) for each in decided.changes] == [("not_observable", "forgotten")]
    assert as_it_was


def test_what_is_whole_is_gone_or_better_and_one_whole_run_is_enough(known):
    whole = report(verified=seal())
    assert [each.change for each in held(known, GONE, [whole])[0].changes] == ["gone"]
    assert [each.change for each in held(known, GONE, [report(**UNSTAMPED)])[0].changes] == ["gone"]
    assert [each.change for each in held(known, GONE, [report(**HOLES["forgotten"]), whole])[0].changes] == ["gone"]
    assert [each.change for each in held(known, BETTER[0], [report(*BETTER[1], verified=seal())])[0].changes] == [
        "better"
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("format_", ["text", "markdown", "junit", "html"])
def test_what_the_stamps_come_to_is_told_where_it_matters(known, lang, format_):
    def told(of):
        decided = gate([of], None, Accepted(), GatePolicy(), known)
        return render(GateStory(decided, [of], Words(lang)), format_)

    words = Words(lang)
    assert words("verified_never_stamped")[:12] in " ".join(told(report(**UNSTAMPED)).split())
    signed = report(verified=seal(signed=3, keys=("SHA256:abc",), trusted={"SHA256:abc": "the lab"}))
    assert "SHA256:abc the lab" in " ".join(told(signed).split())
    assert "SHA256" not in told(report(verified=seal(signed=3, keys=("SHA256:abc",))))


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_an_authority_contradicts_is_told(hours):
    token = OutsideTime(stamp="seal.jsonl:1", at=AT + timedelta(hours=hours), stamped=AT)
    assert next(clock(seal(tokens=(token,)), Words("en"))).count("3 h 0 min") == 1
    assert not list(clock(seal(tokens=(token.model_copy(update={"stamped": token.at}),)), Words("en")))
