"""Decisions on single runs as one: the same as a gate that was given all of them at once."""

import pytest

from appwitness.correlate.prior_knowledge import knowledge
from appwitness.findings.gate_decision import Remark
from appwitness.gate import Accepted, GatePolicy, gate, release
from appwitness.gate.changes import merged
from tests.gate.runs import finding, gap, report

KNOWN = knowledge().recipients
ADS = finding()
SYNC = finding("sent-after-refusal", host="sync.friendgraph.test", actor="FriendGraph", consent="refused")
LOW = ADS.model_copy(update={"level": "low"})

SIDES = {
    "new in one of them": ([report()], [report(), report(ADS, name="b")]),
    "known, and seen in one of them": ([report(ADS)], [report(), report(ADS, name="b")]),
    "gone in all": ([report(ADS)], [report(), report(name="b")]),
    "gone in one, and not observable in the other": (
        [report(ADS)],
        [report(gaps=[gap("ads.adnet.test")]), report(name="b")],
    ),
    "observable in none": ([report(ADS)], [report(gaps=[gap("ads.adnet.test")])] * 2),
    "worse in one of them": ([report(LOW)], [report(LOW), report(ADS, name="b")]),
    "better in both": ([report(ADS)], [report(LOW), report(LOW, name="b")]),
    "of several plans": (
        [report(ADS, SYNC, plan="refuse"), report(ADS, plan="accept")],
        [report(ADS, plan="accept"), report(ADS, name="b", plan="refuse")],
    ),
    "of a plan that was not run": ([report(SYNC, plan="refuse"), report(plan="accept")], [report(plan="accept")]),
    "nothing": ([report()], [report(), report(name="b")]),
}


def said(decided):
    return [
        (one.change, one.behaviour.id, one.behaviour.plans, one.behaviour.level, one.fails, one.rose, one.unobserved)
        for one in decided.changes
    ]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("before", "after"), SIDES.values(), ids=SIDES.keys())
def test_it_is_what_one_gate_says_of_all(before, after, strict):
    held, policy = release(before, {}), GatePolicy(strict=strict)
    alone = [gate([one], held, Accepted(), GatePolicy(strict=strict, other_plans=False), KNOWN) for one in after]
    together, joined = gate(after, held, Accepted(), policy, KNOWN), merged(alone, held.behaviours)
    assert said(joined) == said(together)
    assert joined.made == together.made
    assert joined.recordings == together.recordings
    if not any(reason.why == "plan" for one in together.changes for reason in one.unobserved):
        assert joined.outcome == together.outcome  # else: what a plan would show is the business of tests with it


def test_an_entry_is_unused_only_where_no_run_used_it():
    def told(*whats):
        one = gate([report()], release([report()], {}), Accepted(), GatePolicy(), KNOWN)
        return one.model_copy(update={"remarks": tuple(Remark(what=what, subject="w1") for what in whats)})

    def left(*gates):
        return [remark.what for remark in merged(gates, {}).remarks]

    assert left(told("waiver_unused", "waiver_expired"), told("waiver_expired")) == ["waiver_expired"]
    assert left(told("waiver_unused"), told("waiver_unused")) == ["waiver_unused"]
