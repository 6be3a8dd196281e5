"""What is gone, and what nobody could see: by the answers and the length of a run, against an oracle of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.gate import Accepted, GatePolicy, gate, release
from appwitness.judge.recipients import RecipientTable
from tests.gate.runs import finding, gap, report

ANSWERS = ("given", "refused", "basic_only", "withdrawn")
STATES = (*ANSWERS, "not_shown", "requested", "dismissed", "partial", "expired")
KNOWN = RecipientTable(recipients=())


def became(was, now, **policy):
    decided = gate([now], release([was], {}), Accepted(), GatePolicy(**policy), KNOWN)
    return [one.change for one in decided.changes], decided.outcome


def could_be_seen(state, answered):
    """Whether a run with these answers can show what was found in that state."""
    if state in ("refused", "basic_only"):
        return "refused" in answered or "basic_only" in answered
    if state in ("given", "partial", "expired"):
        return "given" in answered
    return state != "withdrawn" or "withdrawn" in answered


@given(st.sampled_from(STATES), st.sets(st.sampled_from(ANSWERS)), st.booleans(), st.booleans())
def test_only_what_could_have_been_seen_is_gone(state, answered, short, strict):
    was = report(finding(consent=state), plan="refuse", answered=(state,) if state in ANSWERS else ("given",))
    gaps = [gap("run", why="not_observed", where="device")] if short else []
    now = report(plan="refuse", name="now", answered=tuple(answered), gaps=gaps)
    seen = could_be_seen(state, answered) and not short
    assert became(was, now, strict=strict) == (
        ["gone" if seen else "not_observable"],
        "passed" if seen or not strict else "not_observable",
    )


def test_a_limit_of_the_device_hides_a_source_too():
    was = report(finding(consent=None))
    source = gap("android.telephony.TelephonyManager.getLine1Number", why="class_absent", where="hook")
    assert became(was, report(name="now", limits=(source,)))[0] == ["not_observable"]


@pytest.mark.parametrize(("limits", "gaps"), [(1, 0), (0, 1), (2, 3)])
def test_limits_are_no_gaps(limits, gaps):
    absent = gap("a.b.C.d", why="class_absent", where="hook")
    now = report(limits=(absent,) * limits, gaps=(gap("x.test"),) * gaps)
    assert gate([now], None, Accepted(), GatePolicy(), KNOWN).gaps == gaps
