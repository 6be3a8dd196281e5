"""Which line came first: tables of pairs, and random runs compared with a plain trial of every possible order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.events import Consent
from appwitness.events.seen import see
from appwitness.judge.clock_order import decided, surely
from appwitness.judge.consent import Timeline

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
U = 20
MS = timedelta(milliseconds=1)
LEAST = {"refused": 2, "withdrawn": 2}


def ms(number):
    return START + number * MS


def line(at, status, clock):
    signal: Any
    by: Any
    by, signal = ("operator", "operator") if clock == "host" else ("user", "tap")
    if clock == "device" and status in ("requested", "dismissed"):
        by, signal = "app", "dialog"
    return at, Consent(at=ms(at), signal=signal, status=status, by=by)


def timeline(lines):
    return Timeline([see(f"consents.jsonl:{number}", each, 0) for number, (_, each) in enumerate(lines, 1)])


ASKED = line(-500, "requested", "device")
PAIRS = [
    # what was decided, when and on which clock; what was seen, when and on which clock; how its state may be read
    ("a tap before a read", (0, "given", "device"), (1, "device"), "given"),
    ("a tap after a read", (1, "given", "device"), (0, "device"), "requested"),
    ("a mark before a read", (0, "given", "host"), (1, "device"), "given"),
    ("a mark after a read, within the bound", (15, "given", "host"), (0, "device"), "given"),
    ("a mark after a read, beyond the bound", (25, "given", "host"), (0, "device"), "requested"),
    ("a mark after an upload", (1, "given", "host"), (0, "host"), "requested"),
    ("a tap after an upload, within the bound", (15, "given", "device"), (0, "host"), "given"),
    ("a tap after an upload, beyond the bound", (25, "given", "device"), (0, "host"), "requested"),
    ("a no tapped before a read", (0, "refused", "device"), (1, "device"), "refused"),
    ("a no marked before a read, within the bound", (0, "refused", "host"), (15, "device"), "requested"),
    ("a no marked before a read, beyond the bound", (0, "refused", "host"), (25, "device"), "refused"),
    ("a no marked before an upload", (0, "refused", "host"), (1, "host"), "refused"),
    ("a no tapped before an upload, within the bound", (0, "refused", "device"), (15, "host"), "requested"),
    ("a yes of the same microsecond", (0, "given", "device"), (0, "device"), "given"),
    ("a no of the same microsecond", (0, "refused", "device"), (0, "device"), "requested"),
    ("a mark of a no of the same microsecond", (0, "refused", "host"), (0, "host"), "requested"),
]


@pytest.mark.parametrize(("act", "seen", "state"), [pytest.param(*pair[1:], id=pair[0]) for pair in PAIRS])
def test_the_bound_is_between_the_clocks_and_not_within_one(act, seen, state):
    told = timeline([ASKED, line(*act)])
    at, clock = ms(seen[0]), seen[1]
    assert decided(told, at, clock, U, "location").state == state
    if (act[0] == seen[0]) or (act[2] != clock and abs(act[0] - seen[0]) <= U):
        assert not surely(told.around(at, clock, U, "location"), {"given"})


def test_a_yes_that_ends_within_the_bound_may_still_have_stood():
    told = timeline([line(-900, "given", "device"), line(0, "withdrawn", "device")])
    assert decided(told, ms(15), "host", U, None).state == "given"
    assert decided(told, ms(25), "host", U, None).state == "withdrawn"
    assert decided(told, ms(1), "device", U, None).state == "withdrawn"


def test_a_yes_between_two_noes_within_the_bound_is_not_passed_over():
    lines = [line(-900, "refused", "device"), line(4, "given", "device"), line(8, "refused", "device")]
    assert decided(timeline(lines), ms(0), "host", U, None).state == "given"


def test_a_line_says_itself_whose_clock_it_is_of():
    seen = Consent(at=ms(0), signal="dialog", status="dismissed", by="user", clock="host")
    told = Timeline([see("consents.jsonl:1", seen, 5000)])
    assert (told.at(ms(-1)).state, told.at(ms(0)).state) == ("not_shown", "dismissed")


# Every order that may be, told plainly: the device's lines all shift by one amount within the bound.

LINES = st.builds(
    line,
    st.integers(-60, 60),
    st.sampled_from(["requested", "dismissed", "given", "refused", "withdrawn"]),
    st.sampled_from(["device", "host"]),
)


def plainly(before):
    """The last answer; without one whether the question is open."""
    answers = [status for status in before if status in ("given", "refused", "withdrawn")]
    return answers[-1] if answers else before[-1] if before else "not_shown"


def every_order(lines, at, clock, bound):
    states = set()
    for half in range(-2 * bound, 2 * bound + 1):
        by = half / 2  # between two milliseconds nothing changes order
        shifted = [
            (time + (by if each.signal != "operator" else 0), number, each) for number, (time, each) in enumerate(lines)
        ]
        moment = at + (by if clock == "device" else 0)
        shifted.sort(key=lambda each: each[:2])
        before = [each.status for time, _, each in shifted if time < moment]
        together = [each.status for time, _, each in shifted if time == moment]
        states |= {plainly(before + together[:number]) for number in range(len(together) + 1)}
    return states


@given(st.lists(LINES, max_size=5), st.integers(-60, 60), st.sampled_from(["device", "host"]), st.sampled_from([0, 20]))
def test_nobody_is_accused_where_an_order_that_may_be_excuses_and_no_order_is_made_up(lines, at, clock, bound):
    possible = every_order(lines, at, clock, bound)
    told = decided(timeline(lines), ms(at), clock, bound, "location").state
    assert told in possible
    own = [time for time, each in lines if (each.signal == "operator") == (clock == "host")]
    others = [time for time, each in lines if (each.signal == "operator") != (clock == "host")]
    if any(abs(other - at) > bound and abs(other - time) <= bound for other in others for time in own):
        return  # a tap and a mark of one moment, long before: they contradict each other, and that is said elsewhere
    assert (told == "given") == ("given" in possible)
    assert told == "given" or LEAST.get(told, 0) == min(LEAST.get(state, 0) for state in possible)
