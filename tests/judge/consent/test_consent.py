"""What the user had decided at a moment: the table of states, order, clocks, whose word counts, scopes, corrections.

More of the same, as timelines with a label for each moment: timelines*.json beside this file.
"""

import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.catalog.labels import Labels
from appwitness.events import Consent
from appwitness.events.seen import see
from appwitness.findings import ConsentStatus
from appwitness.judge import consent
from appwitness.judge.clock_order import decided
from appwitness.judge.consent import Observed, Timeline

LABELS = Labels(
    refuse={"zh": ("不同意",), "en": ("Disagree",)},
    basic={"zh": ("仅浏览",), "en": ("Browse only",)},
    agree={"zh": ("同意",), "en": ("Agree",)},
    ambiguous={"zh": ("知道了",), "en": ("Got it", "OK")},
    everything={"en": ("Accept all",), "zh": ("一键同意",)},
    options={"en": ("Manage options",)},
    changed={"zh": ("隐私政策更新",), "en": ("updated our privacy policy",)},
)
CHANGED = "We have updated our privacy policy"
START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def line(seconds, status, by="user", signal=None, scope="general_policy", data=None, **fields):
    signal = signal or {"operator": "operator", "user": "tap", "app": "dialog"}[by]
    return Consent(at=at(seconds), signal=signal, status=status, by=by, scope=scope, data=data, **fields)


def named(lines):
    return [(f"consents.jsonl:{n}", each) for n, each in enumerate(lines, 1)]


def timeline(*lines, offset_ms=0, run_started=None):
    return Timeline([see(ref, line, offset_ms) for ref, line in named(lines)], run_started, LABELS)


ASKED = line(1, "requested", by="app")

STATES = [
    ("closed without a choice", [ASKED, line(2, "dismissed")], "dismissed"),
    ("the dialog closes after the tap", [line(2, "given"), line(2.001, "dismissed", by="app")], "given"),
    ("the dialog closes before the tap is seen", [line(2, "dismissed", by="app"), line(2.001, "given")], "given"),
    ("asked again after a refusal", [line(2, "refused"), line(3, "requested", by="app")], "refused"),
    ("asked again and closed", [line(2, "refused"), line(3, "requested", by="app"), line(4, "dismissed")], "refused"),
    ("asked again and agreed", [line(2, "refused"), line(3, "requested", by="app"), line(4, "given")], "given"),
    ("asked again after withdrawal", [line(2, "given"), line(3, "withdrawn"), line(4, "requested")], "withdrawn"),
    ("refused an update of the policy", [line(2, "given"), line(3, "requested"), line(4, "refused")], "refused"),
    ("asked again after closing", [line(2, "dismissed"), line(3, "requested", by="app")], "requested"),
    ("a TCF string", [ASKED, line(2, "given", by="app", signal="iab_tcf")], "requested"),
    ("a claim signed with the user's name", [ASKED, line(2, "given", by="user", signal="preference")], "requested"),
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


# The table of the module's docstring, cell by cell.

SAYS = {
    "requested": line(0, "requested", by="app"),
    "changed": line(0, "requested", by="app", text=CHANGED),
    "dismissed": line(0, "dismissed", by="app", signal="dialog"),
    "gone": line(0, "gone", by="app"),
    "given": line(0, "given", text="Agree"),
    "refused": line(0, "refused", text="Disagree"),
    "basic_only": line(0, "refused", text="Browse only"),
    "withdrawn": line(0, "withdrawn"),
}
WAYS = {state: [state] for state in ("requested", "dismissed", "given", "refused", "basic_only", "withdrawn")} | {
    "not_shown": [],
    "expired": ["given", "changed"],
    "unseen_answer": ["requested", "gone"],
}
"""Lines that lead to each state."""


def table():
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", consent.__doc__, re.M)
    ]
    (_, *says), _, *states = rows
    assert set(says) == set(SAYS)
    assert {row[0] for row in states} == set(WAYS)
    return [(state, said, cell) for state, *cells in states for said, cell in zip(says, cells, strict=True)]


@pytest.mark.parametrize(("state", "said", "then"), table())
def test_every_cell_of_the_table(state, said, then):
    path = [SAYS[each].model_copy(update={"at": at(n)}) for n, each in enumerate([*WAYS[state], said], 1)]
    before = timeline(*path[:-1]).at(at(60), "location")
    after = timeline(*path).at(at(60), "location")
    assert before.state == state
    if then == "=":
        assert after == before
    else:
        assert (after.state, after.ref, after.at) == (then, f"consents.jsonl:{len(path)}", path[-1].at)


# A question that went, and nobody saw how.

GONE = line(10, "gone", by="app", text="Privacy policy")
POLICY = line(1, "requested", by="app", text="Privacy policy")
WENT = [
    ("nobody saw how", [POLICY, GONE], "unseen_answer"),
    ("an answer was seen before", [POLICY, line(9, "given", text="Agree"), GONE], "given"),
    ("a no was seen long before", [POLICY, line(2, "refused", text="Disagree"), GONE], "refused"),
    ("its touch is told a moment later, by another clock", [POLICY, GONE, line(12, "refused")], "refused"),
    ("by a touch that is no answer", [POLICY, line(9, "given", text="Got it"), GONE], "requested"),
    ("an answer was marked later", [POLICY, GONE, line(30, "refused", by="operator")], "refused"),
    (
        "another question is asked after it",
        [POLICY, GONE, line(12, "requested", by="app", text="Sure?")],
        "unseen_answer",
    ),
    ("it is back", [POLICY, GONE, line(20, "requested", by="app", text="Privacy policy")], "requested"),
    (
        "it is asked anew much later",
        [POLICY, GONE, line(399, "requested", by="app", text="Privacy policy")],
        "unseen_answer",
    ),
    ("asked again after a no", [line(1, "refused"), line(5, "requested", by="app"), GONE], "unseen_answer"),
    ("asked again after a yes", [line(1, "given"), line(5, "requested", by="app"), GONE], "given"),
    (
        "the choices were opened, which is no answer",
        [POLICY, line(9, "given", text="Manage options"), GONE],
        "unseen_answer",
    ),
    ("of another scope", [POLICY, line(10, "gone", by="app", scope="ads_tracking")], "requested"),
]


@pytest.mark.parametrize(("lines", "state"), [pytest.param(*case[1:], id=case[0]) for case in WENT])
def test_a_question_that_went(lines, state):
    assert timeline(*lines).at(at(600), "location").state == state


def test_of_two_orders_an_answer_that_was_not_seen_accuses_less_than_none():
    lines = enumerate([POLICY, GONE.model_copy(update={"clock": "host"})], 1)
    told = Timeline([see(ref(n), each, 0) for n, each in lines])
    assert decided(told, at(9.9), "device", 500, "location").state == "unseen_answer"
    assert decided(told, at(9.0), "device", 500, "location").state == "requested"


# What a line says where that is not its status.

DIALOG_TICKED = line(1, "requested", by="app", ticked=True)
READ_AS = [
    ("got it", [ASKED, line(2, "given", text="Got it")], "requested", "ambiguous"),
    ("知道了, counting down", [ASKED, line(2, "given", text="知道了（3s）")], "requested", "ambiguous"),
    ("got it, as marked", [line(2, "given", by="operator", text="OK")], "requested", "ambiguous"),
    ("agree", [ASKED, line(2, "given", text="Agree")], "given", None),
    ("disagree is not agree", [ASKED, line(2, "refused", text="不同意")], "refused", None),
    ("browse only", [ASKED, line(2, "refused", text="Browse only")], "basic_only", "basic"),
    ("browse only, taken for a yes", [ASKED, line(2, "given", text="仅浏览")], "basic_only", "basic"),
    ("the box was not ticked", [ASKED, line(2, "given", text="Agree", ticked=False)], "requested", "unticked"),
    ("the box was ticked", [ASKED, line(2, "given", text="Agree", ticked=True)], "given", None),
    ("the box came ticked", [DIALOG_TICKED, line(2, "given", text="Agree", ticked=True)], "requested", "pre_ticked"),
    (
        "the box came ticked, nobody saw it later",
        [DIALOG_TICKED, line(2, "given", text="Agree")],
        "requested",
        "pre_ticked",
    ),
    (
        "the box came ticked, the user unticked it",
        [DIALOG_TICKED, line(2, "requested", ticked=False), line(3, "given", ticked=True)],
        "given",
        None,
    ),
    (
        "the box came ticked, and then not",
        [DIALOG_TICKED, line(2, "requested", by="app", ticked=False), line(3, "given", ticked=True)],
        "given",
        None,
    ),
    (
        "the box came ticked elsewhere",
        [line(1, "requested", by="app", ticked=True, scope="ads_tracking"), line(2, "given")],
        "given",
        None,
    ),
    ("the box came ticked, a no", [DIALOG_TICKED, line(2, "refused", ticked=True)], "refused", None),
    ("the box came ticked, as marked", [DIALOG_TICKED, line(2, "given", by="operator")], "given", None),
    (
        "a yes already, then a ticked box",
        [line(0, "given"), DIALOG_TICKED, line(2, "given", ticked=True)],
        "given",
        "pre_ticked",
    ),
    ("a permission of that name", [line(1, "given", signal="permission_result", text="OK")], "not_shown", None),
]


@pytest.mark.parametrize(("lines", "state", "why"), [pytest.param(*case[1:], id=case[0]) for case in READ_AS])
def test_what_a_line_says_may_not_be_its_status(lines, state, why):
    told = timeline(*lines)
    assert told.at(at(60), "location").state == state
    assert told.readings()[-1].why == why


def test_one_touch_for_everything_does_not_answer_what_must_be_asked_apart():
    general = line(2, "given", text="Accept all")
    separate = [
        line(2, "given", text="Accept all", scope=scope) for scope in ("sensitive_separate", "cross_border_separate")
    ]
    ads = line(2, "given", text="Accept all", scope="ads_tracking")
    told = timeline(general, *separate, ads)
    assert told.at(at(3)).state == "given"
    assert told.at(at(3), None, "ads_tracking").state == "given"
    assert told.at(at(3), None, "sensitive_separate").state == "requested"
    assert told.at(at(3), None, "cross_border_separate").state == "requested"
    # The only question there was, and one that was answered at another moment, stand.
    assert timeline(separate[0]).at(at(3), None, "sensitive_separate").state == "given"
    assert timeline(line(1, "given"), separate[0]).at(at(3), None, "sensitive_separate").state == "given"


WITHOUT_LABELS = Timeline([see(ref, line, 0) for ref, line in named([ASKED, line(2, "given", text="Got it")])])


def test_without_the_catalog_a_line_says_its_status():
    assert WITHOUT_LABELS.at(at(3)).state == "given"


# Some kinds of data and not others: the whole.

WHOLE = [
    ("yes to all but one", [line(2, "given"), line(3, "refused", data=["location"])], "partial"),
    ("no to all but one", [line(2, "refused"), line(3, "given", data=["location"])], "partial"),
    ("no to one", [ASKED, line(2, "refused", data=["location"])], "requested"),
    (
        "yes to all but one, then to all",
        [line(2, "given"), line(3, "refused", data=["location"]), line(4, "given")],
        "given",
    ),
    ("yes to one, then no to all", [line(2, "given", data=["location"]), line(3, "refused")], "refused"),
    (
        "yes to one, withdrawn",
        [ASKED, line(2, "given", data=["location"]), line(3, "withdrawn", data=["location"])],
        "requested",
    ),
]


@pytest.mark.parametrize(("lines", "state"), [pytest.param(*case[1:], id=case[0]) for case in WHOLE])
def test_the_whole_is_partial_where_something_was_given_and_something_was_not(lines, state):
    assert timeline(*lines).at(at(60)).state == state


def test_a_kind_of_data_is_never_partial_and_the_steps_of_the_whole_show_it():
    told = timeline(ASKED, line(2, "given"), line(3, "refused", data=["location"]), line(4, "given", data=["location"]))
    assert [told.at(at(second), "location").state for second in (1, 2, 3, 4)] == [
        "requested", "given", "refused", "given",
    ]  # fmt: skip
    assert [(step.state, step.ref) for step in told.steps()] == [
        ("requested", "consents.jsonl:1"),
        ("given", "consents.jsonl:2"),
        ("partial", "consents.jsonl:3"),
        ("given", "consents.jsonl:2"),
    ]


# Corrections.


def ref(number):
    return f"consents.jsonl:{number}"


def mark(seconds, status, **fields):
    return line(seconds, status, by="operator", **fields)


GIVEN = line(2, "given", text="Agree")
CORRECTED = [
    ("a tap corrected", [ASKED, GIVEN, mark(2, "refused", corrects=ref(2))], "refused", ref(3), [ref(2)]),
    ("to an earlier time", [ASKED, GIVEN, mark(1.5, "refused", corrects=ref(2))], "refused", ref(3), [ref(2)]),
    ("to a later time", [ASKED, GIVEN, mark(9, "given", corrects=ref(2))], "requested", ref(1), [ref(2), ref(3)]),
    ("after a later line", [GIVEN, line(3, "refused"), mark(2, "withdrawn", corrects=ref(1))], "refused", ref(2), []),
    (
        "to another scope",
        [ASKED, GIVEN, mark(2, "given", scope="ads_tracking", corrects=ref(2))],
        "requested",
        ref(1),
        [ref(2), ref(3)],
    ),
    (
        "a chain",
        [ASKED, GIVEN, mark(2, "refused", corrects=ref(2)), mark(2, "dismissed", corrects=ref(3))],
        "dismissed",
        ref(4),
        [ref(2), ref(3)],
    ),
    (
        "twice the same line",
        [ASKED, GIVEN, mark(2, "refused", corrects=ref(2)), mark(2, "withdrawn", corrects=ref(2))],
        "withdrawn",
        ref(4),
        [ref(2), ref(3)],
    ),
    ("taken back", [ASKED, GIVEN, mark(2, "given", retracts=ref(2))], "requested", ref(1), [ref(2), ref(3)]),
    ("nothing was", [GIVEN, mark(2, "given", retracts=ref(1))], "not_shown", None, [ref(1), ref(2)]),
    (
        "a correction taken back",
        [ASKED, GIVEN, mark(2, "refused", corrects=ref(2)), mark(2, "refused", retracts=ref(3))],
        "given",
        ref(2),
        [ref(3), ref(4)],
    ),
    (
        "taking back taken back",
        [GIVEN, mark(2, "given", retracts=ref(1)), mark(2, "given", retracts=ref(2))],
        "given",
        ref(1),
        [],
    ),
    (
        "taken back, then corrected",
        [GIVEN, mark(2, "given", retracts=ref(1)), mark(2, "refused", corrects=ref(1))],
        "refused",
        ref(3),
        [ref(1)],
    ),
    (
        "corrected, then taken back",
        [GIVEN, mark(2, "refused", corrects=ref(1)), mark(2, "given", retracts=ref(1))],
        "not_shown",
        None,
        [ref(1), ref(2), ref(3)],
    ),
    ("a line that there is not", [GIVEN, mark(3, "refused", corrects=ref(9))], "refused", ref(2), []),
    ("taking back a line that there is not", [GIVEN, mark(3, "refused", retracts=ref(9))], "given", ref(1), []),
    ("itself", [GIVEN, mark(3, "refused", corrects=ref(2))], "refused", ref(2), []),
    ("a later line", [mark(3, "refused", corrects=ref(2)), GIVEN], "refused", ref(1), []),
    ("of another file", [GIVEN, mark(3, "refused", corrects="accesses.jsonl:1")], "refused", ref(2), []),
    ("by the app", [GIVEN, line(2, "refused", by="app", signal="sdk_call", corrects=ref(1))], "given", ref(1), []),
    ("by a tap", [GIVEN, line(3, "refused", corrects=ref(1))], "refused", ref(2), []),
    (
        "of a claim",
        [ASKED, line(2, "given", by="app", signal="preference"), mark(2, "given", corrects=ref(2))],
        "given",
        ref(3),
        [ref(2)],
    ),
]


@pytest.mark.parametrize(
    ("lines", "state", "made_by", "corrected"), [pytest.param(*case[1:], id=case[0]) for case in CORRECTED]
)
def test_a_correction_replaces_a_line_and_is_in_the_evidence(lines, state, made_by, corrected):
    status = timeline(*lines).at(at(5), "location")
    assert (status.state, status.ref) == (state, made_by)
    assert sorted(status.corrected) == sorted(corrected)


def test_a_correction_that_names_no_earlier_line_is_told():
    told = timeline(GIVEN, mark(3, "refused", corrects=ref(9)), mark(3, "refused", retracts=ref(4)), mark(4, "given"))
    assert told.dangling() == {ref(2): ref(9), ref(3): ref(4)}


def test_both_scopes_change_when_a_line_is_moved_to_another():
    told = timeline(GIVEN, mark(2, "given", scope="third_party_separate", corrects=ref(1)))
    assert told.at(at(5)).state == "not_shown"
    assert told.at(at(5), None, "third_party_separate") == ConsentStatus(
        state="given", by="operator", ref=ref(2), at=at(2), corrected=(ref(1),)
    )


def test_a_correction_does_not_show_as_a_step_of_its_own():
    told = timeline(ASKED, GIVEN, mark(2, "given", retracts=ref(2)), line(6, "refused"))
    assert [(step.state, step.corrected) for step in told.steps()] == [
        ("requested", (ref(2), ref(3))),
        ("refused", ()),
    ]
    assert timeline(GIVEN, mark(2, "given", retracts=ref(1))).steps() == ()


def test_how_late_consent_came_by_a_correction():
    told = timeline(ASKED, GIVEN, mark(8, "given", corrects=ref(2)))
    assert told.given_after(at(3)).ref == ref(3)
    told = timeline(GIVEN, line(4, "refused"), mark(4, "refused", retracts=ref(2)))
    assert told.at(at(5)).state == "given"
    assert told.given_after(at(3)) is None


# What an earlier run left behind.

STORED = {"by": "app", "signal": "preference", "text": "privacy_agreed=true"}
CARRIED = [
    ("a clean install", [ASKED, GIVEN], []),
    ("an answer of an hour before", [line(-3600, "given"), ASKED], [1]),
    ("just before, by clocks not quite right", [line(-0.5, "given")], []),
    ("a key that was there", [line(0.4, "given", **STORED), ASKED], [1]),
    ("a string that was there", [line(0.4, "given", by="app", signal="iab_tcf"), ASKED], [1]),
    ("a key set after the tap", [ASKED, GIVEN, line(2.1, "given", **STORED)], []),
    ("a key set later, nothing shown", [line(30, "given", **STORED)], []),
    ("a key that says no", [line(0.4, "refused", **STORED)], []),
    (
        "a key read later, noted as there at the start",
        [ASKED, line(30, "given", **STORED, note="present at start")],
        [2],
    ),
    ("by its field", [ASKED, line(30, "given", **STORED, at_start=True)], [2]),
    ("written in the first moments, and not there before", [line(0.4, "given", **STORED, at_start=False), ASKED], []),
    ("typed by an operator", [ASKED, line(30, "given", by="operator", note="present at start")], []),
    ("a no to the dialog of this run", [line(0.4, "given", **STORED, at_start=True), ASKED, line(3, "refused")], []),
    ("a yes to the dialog of this run", [line(0.4, "given", **STORED, at_start=True), ASKED, line(3, "given")], [1]),
    (
        "a no to another question",
        [
            line(0.4, "given", **STORED, at_start=True),
            line(1, "requested", by="app", scope="ads_tracking"),
            line(3, "refused", scope="ads_tracking"),
        ],
        [1],
    ),
    (
        "a no to what was asked much later",
        [line(0.4, "given", **STORED, at_start=True), line(600, "requested", by="app"), line(603, "refused")],
        [1],
    ),
    ("an SDK that was told", [line(0.4, "given", by="app", signal="sdk_call"), ASKED], []),
    ("both", [line(0.4, "given", **STORED), line(-60, "refused")], [1, 2]),
]


@pytest.mark.parametrize(("lines", "carried"), [pytest.param(*case[1:], id=case[0]) for case in CARRIED])
def test_what_an_earlier_run_left_is_told(lines, carried):
    assert timeline(*lines, run_started=START).carried() == tuple(map(ref, carried))
    told = [number for number in carried if lines[number - 1].at_start or lines[number - 1].note]
    assert timeline(*lines).carried() == tuple(map(ref, told))  # no known start: only lines that are marked as older


def test_an_answer_of_an_earlier_run_counts_and_a_stored_claim_does_not():
    assert timeline(line(-3600, "given"), run_started=START).at(at(1)).state == "given"
    assert timeline(line(0.4, "given", **STORED), run_started=START).at(at(1)).state == "not_shown"


# Laws.

LINES = st.builds(
    line,
    st.sampled_from([0, 1, 1.5, 2, 3]),
    st.sampled_from(["requested", "given", "refused", "withdrawn", "dismissed"]),
    by=st.sampled_from(["user", "operator", "app"]),
    signal=st.sampled_from([None, "sdk_call", "dialog", "preference", "permission_result"]),
    scope=st.sampled_from(["general_policy", "third_party_separate"]),
    data=st.sampled_from([None, ["location"], ["device_contacts"]]),
    text=st.sampled_from([None, "Agree", "Got it", "Browse only", "Accept all", CHANGED]),
    ticked=st.sampled_from([None, None, True, False]),
)
REFS = st.one_of(st.none(), st.none(), st.integers(1, 9).map(ref))
CORRECTING = st.builds(
    lambda each, corrects, retracts: each.model_copy(update={"corrects": corrects, "retracts": retracts}),
    LINES,
    REFS,
    REFS,
)
QUESTIONS = [
    (at(time), data, scope)
    for time in (0, 0.9, 1, 2, 9)
    for data in ("location", "device_contacts", "oaid", None)
    for scope in ("general_policy", "third_party_separate")
]


def answers(lines, offset_ms=0, until=9):
    told = Timeline([see(ref, line, offset_ms) for ref, line in lines], labels=LABELS)
    return [told.at(*question) for question in QUESTIONS if question[0] <= at(until)]


@given(st.lists(CORRECTING, max_size=8), st.randoms(use_true_random=False))
def test_the_same_lines_in_any_order_give_the_same_answers(lines, chance: random.Random):
    assert answers(chance.sample(named(lines), len(lines))) == answers(named(lines))


@given(st.lists(LINES, max_size=8, unique_by=lambda each: each.at), st.randoms(use_true_random=False))
def test_the_order_in_the_file_does_not_matter_but_for_equal_times(lines, chance: random.Random):
    other = chance.sample(lines, len(lines))
    assert [status.state for status in answers(named(lines))] == [status.state for status in answers(named(other))]


@given(st.lists(LINES, max_size=8))
def test_what_an_app_claims_changes_nothing(lines):
    honest = [
        (name, each)
        for name, each in named(lines)
        if each.signal not in ("sdk_call", "preference") or each.by == "operator"
    ]
    assert answers(honest) == answers(named(lines))


@given(st.lists(CORRECTING, max_size=6), st.lists(CORRECTING, max_size=6))
def test_what_another_app_does_changes_nothing(lines, others):
    own = named(lines)
    foreign = [(ref(50 + n), each.model_copy(update={"app": "com.other.app"})) for n, each in enumerate(others)]

    def told(lines):
        told = [see(ref, line, 0) for ref, line in lines]
        timeline = Timeline(told, labels=LABELS, observed=Observed("com.example.shop"))
        return [timeline.at(*question) for question in QUESTIONS], timeline.carried(), timeline.replaced()

    assert told([*own, *foreign]) == told(own)


@given(st.lists(LINES, max_size=8))
def test_a_yes_is_always_somebodys_act(lines):
    for status, question in zip(answers(named(lines)), QUESTIONS, strict=True):
        if status.state == "given":
            assert status.by in ("user", "operator"), question


def test_a_yes_of_which_a_part_has_expired_is_partial_by_the_question():
    told = timeline(line(1, "given"), line(2, "requested", by="app", data=["location"], text=CHANGED))
    assert (told.at(at(3)).state, told.at(at(3)).ref, told.at(at(3)).by) == ("partial", ref(2), "app")
    assert (told.at(at(3), "location").state, told.at(at(3), "oaid").state) == ("expired", "given")


@given(st.lists(CORRECTING, max_size=8), st.integers(-100_000, 100_000))
def test_a_shifted_clock_that_is_known_changes_nothing(lines, offset_ms):
    shift = timedelta(milliseconds=offset_ms)
    shifted = [each if each.by == "operator" else each.model_copy(update={"at": each.at + shift}) for each in lines]
    assert answers(named(shifted), offset_ms) == answers(named(lines))


def without_traces(statuses):
    return [status.model_copy(update={"corrected": ()}) for status in statuses]


@given(st.lists(LINES, min_size=1, max_size=8), st.data())
def test_a_line_taken_back_equals_its_absence(lines, data):
    number = data.draw(st.integers(1, len(lines)))
    taken_back = [*named(lines), (ref(99), mark(0, "given", retracts=ref(number)))]
    absent = [each for each in named(lines) if each[0] != ref(number)]
    assert without_traces(answers(taken_back)) == without_traces(answers(absent))
    assert list(Timeline([see(ref, line, 0) for ref, line in taken_back]).replaced().items()) == [
        (ref(number), (ref(99),))
    ]


@given(st.lists(LINES, min_size=1, max_size=8), LINES, st.data())
def test_a_corrected_line_equals_the_correction_alone(lines, right, data):
    number = data.draw(st.integers(1, len(lines)))
    right = right.model_copy(update={"by": "operator"})
    corrected = [*named(lines), (ref(99), right.model_copy(update={"corrects": ref(number)}))]
    instead = [*(each for each in named(lines) if each[0] != ref(number)), (ref(99), right)]
    assert without_traces(answers(corrected)) == without_traces(answers(instead))


@given(st.lists(LINES, min_size=1, max_size=8), st.data())
def test_a_state_that_a_correction_changes_names_it(lines, data):
    number = data.draw(st.integers(1, len(lines)))
    correction = mark(0, "given", retracts=ref(number))
    for before, after in zip(answers(named(lines)), answers([*named(lines), (ref(99), correction)]), strict=True):
        if before.ref == ref(number) and before.state != after.state:
            assert {ref(number), ref(99)} <= set(after.corrected), (before, after)


@given(st.lists(LINES, max_size=8), st.sampled_from([0, 0.9, 1, 2]))
def test_a_state_depends_only_on_the_lines_up_to_its_time(lines, until):
    known_by_then = [each for each in named(lines) if each[1].at <= at(until)]
    assert answers(known_by_then, until=until) == answers(named(lines), until=until)


@given(st.lists(CORRECTING, max_size=8))
def test_every_line_named_is_there(lines):
    refs = {name for name, _ in named(lines)}
    for status in answers(named(lines)):
        assert {status.ref, *status.corrected} - {None} <= refs
        assert status.ref not in status.corrected
