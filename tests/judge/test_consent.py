"""What the user had decided at a moment: order, clocks, whose word counts, scopes."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Consent
from monitor.findings import ConsentStatus
from monitor.judge.consent import Timeline

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def line(seconds, status, by="user", signal=None, scope="general_policy", data=None):
    signal = signal or {"operator": "operator", "user": "tap", "app": "dialog"}[by]
    return Consent(at=at(seconds), signal=signal, status=status, by=by, scope=scope, data=data)


def timeline(*lines, offset_ms=0):
    return Timeline([(f"consents.jsonl:{n}", each) for n, each in enumerate(lines, 1)], offset_ms)


ASKED = line(1, "requested", by="app")

STATES = [
    ("nothing happened", [], "not_shown"),
    ("the dialog is open", [ASKED], "requested"),
    ("agreed", [ASKED, line(2, "given")], "given"),
    ("refused", [ASKED, line(2, "refused")], "refused"),
    ("closed without a choice", [ASKED, line(2, "dismissed")], "dismissed"),
    ("agreed, then withdrawn", [line(2, "given"), line(3, "withdrawn")], "withdrawn"),
    ("shown again after agreeing", [line(2, "given"), line(3, "requested", by="app")], "given"),
    ("the dialog closes after the tap", [line(2, "given"), line(2.001, "dismissed", by="app")], "given"),
    ("the dialog closes before the tap is seen", [line(2, "dismissed", by="app"), line(2.001, "given")], "given"),
    ("asked again after a refusal", [line(2, "refused"), line(3, "requested", by="app")], "refused"),
    ("asked again and closed", [line(2, "refused"), line(3, "requested", by="app"), line(4, "dismissed")], "refused"),
    ("asked again and agreed", [line(2, "refused"), line(3, "requested", by="app"), line(4, "given")], "given"),
    ("asked again after withdrawal", [line(2, "given"), line(3, "withdrawn"), line(4, "requested")], "withdrawn"),
    ("refused an update of the policy", [line(2, "given"), line(3, "requested"), line(4, "refused")], "refused"),
    ("asked again after closing", [line(2, "dismissed"), line(3, "requested", by="app")], "requested"),
    ("operator: agreed", [line(2, "given", by="operator")], "given"),
    ("claims alone", [line(2, "given", by="app", signal="sdk_call")], "not_shown"),
    ("a preference", [ASKED, line(2, "given", by="app", signal="preference")], "requested"),
    ("a TCF string", [ASKED, line(2, "given", by="app", signal="iab_tcf")], "requested"),
    ("a claim signed with the user's name", [ASKED, line(2, "given", by="user", signal="preference")], "requested"),
    ("a tap made by code", [ASKED, line(2, "given", by="app", signal="tap")], "requested"),
    ("told 'not agreed' at start", [line(0, "refused", by="app", signal="sdk_call")], "not_shown"),
    ("claimed after a refusal", [line(2, "refused"), line(3, "given", by="app", signal="sdk_call")], "refused"),
    ("claimed withdrawal", [line(2, "given"), line(3, "withdrawn", by="app", signal="preference")], "given"),
    ("lines out of order", [line(3, "refused"), line(2, "given")], "refused"),
    ("same time: the later line", [line(2, "given"), line(2, "refused")], "refused"),
]


@pytest.mark.parametrize(("lines", "state"), [pytest.param(*case[1:], id=case[0]) for case in STATES])
def test_the_state_after_it_all(lines, state):
    assert timeline(*lines).at(at(60), "location").state == state


def test_a_status_names_the_line_that_made_it_so():
    told = timeline(ASKED, line(2, "given"), line(5, "given", by="operator"))
    assert told.at(at(0.9)) == ConsentStatus()
    assert told.at(at(1)) == ConsentStatus(state="requested", by="app", ref="consents.jsonl:1", at=at(1))
    assert told.at(at(9)) == ConsentStatus(state="given", by="user", ref="consents.jsonl:2", at=at(2))


@pytest.mark.parametrize("offset_ms", [-90_000, -250, 0, 250, 90_000])
def test_lines_of_the_device_are_on_its_clock_and_marks_on_the_hosts(offset_ms):
    device_ahead = offset_ms / 1000
    told = timeline(line(2 + device_ahead, "refused"), line(5, "given", by="operator"), offset_ms=offset_ms)
    assert [told.at(at(second)).state for second in (1.999, 2, 4.999, 5)] == [
        "not_shown",
        "refused",
        "refused",
        "given",
    ]
    assert told.at(at(2)).at == at(2)


def test_the_signal_operator_is_on_the_hosts_clock_whoever_is_named():
    told = timeline(line(5, "given", by="user", signal="operator"), offset_ms=60_000)
    assert (told.at(at(4.9)).state, told.at(at(5)).state) == ("not_shown", "given")


def test_a_mark_corrected_afterwards_replaces_what_it_corrects():
    wrong, right = line(2, "given", by="operator"), line(2, "refused", by="operator")
    assert timeline(wrong, right).at(at(3)).ref == "consents.jsonl:2"
    assert timeline(wrong, right).at(at(3)).state == "refused"


SCOPES = [
    ("only of this kind", [line(2, "given", data=["location"])], "given", "not_shown"),
    ("only of the other kind", [line(2, "given", data=["device_contacts"])], "not_shown", "given"),
    ("no to this, yes to all later", [line(2, "refused", data=["location"]), line(3, "given")], "given", "given"),
    ("yes to all, no to this", [line(2, "given"), line(3, "refused", data=["location"])], "refused", "given"),
    ("no to all, yes to this", [line(2, "refused"), line(3, "given", data=["location"])], "given", "refused"),
    ("yes to this, no to all later", [line(2, "given", data=["location"]), line(3, "refused")], "refused", "refused"),
    (
        "yes to this, all withdrawn later",
        [line(2, "given", data=["location"]), line(3, "withdrawn")],
        "withdrawn",
        "withdrawn",
    ),
    (
        "yes to this, all withdrawn, then no to all",
        [line(2, "given", data=["location"]), line(3, "withdrawn"), line(4, "refused")],
        "refused",
        "refused",
    ),
    (
        "yes to this, all withdrawn, then yes to all",
        [line(2, "given", data=["location"]), line(3, "withdrawn"), line(4, "given")],
        "given",
        "given",
    ),
    ("yes to all, this is being asked", [line(2, "given"), line(3, "requested", data=["location"])], "given", "given"),
    ("yes to all, this was closed", [line(2, "given"), line(3, "dismissed", data=["location"])], "given", "given"),
    (
        "no to all, this is being asked",
        [line(2, "refused"), line(3, "requested", data=["location"])],
        "refused",
        "refused",
    ),
    (
        "all closed, this is being asked",
        [line(2, "dismissed"), line(3, "requested", data=["location"])],
        "requested",
        "dismissed",
    ),
    ("both named", [line(2, "refused", data=["location", "device_contacts"])], "refused", "refused"),
]


@pytest.mark.parametrize(("lines", "location", "contacts"), [pytest.param(*case[1:], id=case[0]) for case in SCOPES])
def test_the_last_answer_that_covers_a_kind_of_data_counts(lines, location, contacts):
    told = timeline(*lines)
    assert told.at(at(60), "location").state == location
    assert told.at(at(60), "device_contacts").state == contacts


def test_a_permission_is_not_consent():
    told = timeline(
        line(1, "requested", by="app", signal="permission_prompt", scope="system_permission", data=["location"]),
        line(2, "given", by="user", signal="permission_result", scope="system_permission", data=["location"]),
        line(3, "given", by="app", signal="permission_result", data=["device_contacts"]),
    )
    assert told.at(at(9), "location").state == "not_shown"
    assert told.at(at(9), "device_contacts").state == "not_shown"
    assert told.at(at(1), "location", "system_permission").state == "requested"
    assert told.at(at(9), "location", "system_permission").state == "given"
    assert told.at(at(9), "device_contacts", "system_permission").state == "given"


def test_scopes_are_kept_apart():
    told = timeline(line(1, "given"), line(2, "refused", scope="third_party_separate"))
    assert told.at(at(9), "location").state == "given"
    assert told.at(at(9), "location", "third_party_separate").state == "refused"
    assert told.at(at(9), "location", "ads_tracking").state == "not_shown"


def test_how_late_consent_came():
    told = timeline(ASKED, line(4, "given"), line(5, "withdrawn"), line(7, "given"))
    assert told.given_after(at(0), "location").ref == "consents.jsonl:2"
    assert told.given_after(at(4), "location").ref == "consents.jsonl:4"
    assert told.given_after(at(7), "location") is None


LINES = st.builds(
    line,
    st.sampled_from([0, 1, 1.5, 2, 3]),
    st.sampled_from(["requested", "given", "refused", "withdrawn", "dismissed"]),
    by=st.sampled_from(["user", "operator", "app"]),
    signal=st.sampled_from([None, "sdk_call", "dialog", "preference"]),
    scope=st.sampled_from(["general_policy", "third_party_separate"]),
    data=st.sampled_from([None, ["location"], ["device_contacts"]]),
)
QUESTIONS = [
    (at(time), data, scope)
    for time in (0, 0.9, 1, 2, 9)
    for data in ("location", "device_contacts")
    for scope in ("general_policy", "third_party_separate")
]


@given(st.lists(LINES, max_size=8), st.randoms(use_true_random=False))
def test_the_same_lines_in_any_order_give_the_same_answers(lines, chance: random.Random):
    named = [(f"consents.jsonl:{n}", each) for n, each in enumerate(lines, 1)]
    shuffled = chance.sample(named, len(named))
    one, other = Timeline(named), Timeline(shuffled)
    assert [one.at(*question) for question in QUESTIONS] == [other.at(*question) for question in QUESTIONS]


@given(st.lists(LINES, max_size=8))
def test_what_an_app_claims_changes_nothing(lines):
    named = [(f"consents.jsonl:{n}", each) for n, each in enumerate(lines, 1)]
    honest = [
        (ref, each) for ref, each in named if each.signal not in ("sdk_call", "preference") or each.by == "operator"
    ]
    one, other = Timeline(named), Timeline(honest)
    assert [one.at(*question) for question in QUESTIONS] == [other.at(*question) for question in QUESTIONS]
    for question in QUESTIONS:
        if one.at(*question).state == "given":
            assert one.at(*question).by in ("user", "operator")


@given(st.lists(LINES, max_size=8), st.integers(-100_000, 100_000))
def test_a_shifted_clock_that_is_known_changes_nothing(lines, offset_ms):
    shift = timedelta(milliseconds=offset_ms)
    named = [(f"consents.jsonl:{n}", each) for n, each in enumerate(lines, 1)]
    shifted = [
        (ref, each if each.by == "operator" else each.model_copy(update={"at": each.at + shift})) for ref, each in named
    ]
    one, other = Timeline(named), Timeline(shifted, offset_ms)
    assert [one.at(*question) for question in QUESTIONS] == [other.at(*question) for question in QUESTIONS]
