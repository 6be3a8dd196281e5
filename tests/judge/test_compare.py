"""Which pattern comes out of which runs: in a table, each run a list of reads at seconds and the user's answer."""

from datetime import UTC, datetime, timedelta

import pytest

from appwitness.events import Access, AppIdentity, Consent, DeviceIdentity, Run, Value, observers_of
from appwitness.events.seen import see
from appwitness.findings import Flow, Match, Recipient, Report
from appwitness.judge.compare import compare
from appwitness.judge.consent import Timeline

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
NUMBER = Value(type="phone_number", text="+8613800138000")
OTHER = Value(type="phone_number", text="+8613912345678")
SOURCE = "android.telephony.TelephonyManager.getLine1Number"
HOST = Recipient(host="api.pages.test", party="first")
PLANS = {"given": "accept", "refused": "refuse", "withdrawn": "withdraw", None: "silent"}


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def changed(seen, **fields):
    return seen._replace(event=seen.event.model_copy(update=fields))


def report(name="r", *, answers=(), reads=(), sends=(), value=NUMBER, persona=None, offset_ms=0.0, **app) -> Report:
    """A run with the answers [(second, status)], reads [second] and uploads [second] of one value."""
    run = Run(
        id=name,
        app=AppIdentity(package="com.example.pages", **app),
        device=DeviceIdentity(serial="lab", kind="lab"),
        plan=PLANS[answers[-1][1] if answers and answers[-1][1] in PLANS else None],
        persona=(value,) if persona is None else persona,
        started=START,
        clock_offset_ms=offset_ms,
    )
    shift = offset_ms / 1000
    consents = tuple(
        see(
            f"consents.jsonl:{number}",
            Consent(at=at(second + shift), signal="tap", status=status, by="user"),
            offset_ms,
        )
        for number, (second, status) in enumerate(answers, start=1)
    )
    accesses = tuple(
        see(
            f"accesses.jsonl:{number}",
            Access(at=at(second + shift), source=SOURCE, data="phone_number", values=(value,), outcome="returned"),
            offset_ms,
        )
        for number, second in enumerate(reads, start=1)
    )
    timeline = Timeline(consents)
    flows = tuple(
        Flow(
            id=f"f{number}",
            access="accesses.jsonl:1" if reads else None,
            upload=f"uploads.jsonl:{number}",
            data="phone_number",
            consent=timeline.at(at(second), "phone_number").state,
            recipient=HOST,
            matches=(
                Match(type=value.type, value=value.text, variant="plain", path="$.n", start=0, end=1, confidence=1),
            ),
            at=at(second),
        )
        for number, second in enumerate(sends, start=1)
    )
    return Report(recording=name, run=run, consents=consents, accesses=accesses, flows=flows, answers=timeline.steps())


YES, NO = [(5, "given")], [(5, "refused")]
SILENT: list[tuple[float, str]] = []
WITHDRAWN = [(5, "given"), (8, "withdrawn")]


@pytest.mark.parametrize(
    ("runs", "patterns"),
    [
        ([(YES, [1]), (NO, [1]), (SILENT, [1])], ("before_answer", "regardless")),
        ([(YES, [6]), (NO, [6]), (SILENT, [6])], ("after_refusal", "before_answer", "regardless")),
        ([(YES, [6]), (NO, []), (SILENT, [])], ("only_after_yes",)),
        ([(YES, [6]), (YES, [7])], ("after_yes",)),
        ([(YES, [6]), (WITHDRAWN, [6])], ("only_after_yes",)),
        ([(YES, [6]), (WITHDRAWN, [6, 9])], ("after_withdrawal", "regardless")),
        ([(NO, [6]), (YES, [])], ("after_refusal",)),
        ([(SILENT, [1]), (SILENT, [2])], ("before_answer",)),
        ([([(5, "refused"), (7, "given")], [8]), (NO, [])], ("only_after_yes",)),
        ([([(5, "dismissed")], [8]), (YES, [8])], ("before_answer", "regardless")),
    ],
)
@pytest.mark.parametrize("offset_ms", [0.0, 90_000.0])
def test_patterns(runs, patterns, offset_ms):
    reports = [
        report(f"r{number}", answers=answers, reads=reads, offset_ms=offset_ms)
        for number, (answers, reads) in enumerate(runs)
    ]
    (row,) = compare(reports).rows
    assert (row.what, row.data, row.source, row.recipient) == ("read", "phone_number", SOURCE, None)
    assert row.patterns == patterns


def test_a_row_says_what_of_which_value_from_where_to_whom_and_when_in_each_run():
    comparison = compare(
        [
            report("yes", answers=YES, reads=[6], sends=[7]),
            report("no", answers=NO, reads=[1, 6], sends=[7, 8]),
            report("silent"),
        ]
    )
    read, sent = sorted(comparison.rows, key=lambda row: row.what)
    assert (sent.what, sent.source, sent.recipient, sent.values) == ("sent", SOURCE, HOST, (NUMBER,))
    assert [(one.recording, one.consent, one.count, one.ref) for one in sent.seen] == [
        ("yes", "given", 1, "uploads.jsonl:1"),
        ("no", "refused", 2, "uploads.jsonl:1"),
    ]
    assert [(one.recording, one.consent, one.ref) for one in read.seen] == [
        ("yes", "given", "accesses.jsonl:1"),
        ("no", "not_shown", "accesses.jsonl:1"),
        ("no", "refused", "accesses.jsonl:2"),
    ]
    assert read.patterns == ("after_refusal", "before_answer")
    assert [each.answer for each in comparison.runs] == ["yes", "no", "none"]


def test_what_was_planned_counts_where_no_answer_was_observed():
    blind = report("blind", reads=[1])
    blind = blind.model_copy(update={"run": blind.run.model_copy(update={"plan": "accept"})})
    comparison = compare([blind, report("silent", reads=[1])])
    assert [each.answer for each in comparison.runs] == ["yes", "none"]
    assert comparison.rows[0].patterns == ("before_answer", "regardless")


def test_planted_values_of_different_personas_are_the_same_place_in_the_list():
    comparison = compare(
        [
            report("one", answers=YES, reads=[6], value=NUMBER),
            report("two", answers=NO, reads=[6], value=OTHER),
        ]
    )
    (row,) = comparison.rows
    assert row.values == (NUMBER, OTHER)
    assert row.patterns == ("after_refusal", "regardless")
    assert comparison.differ == ("persona",)
    assert [each.persona for each in comparison.runs] == [1, 2]


def test_values_that_are_new_in_every_run_are_one_row():
    fixes = [Value(type="location", text=f"31.23{number},121.47{number}") for number in range(3)]
    reports = [report(f"r{number}", reads=[1], value=fix, persona=()) for number, fix in enumerate(fixes)]
    (row,) = compare(reports).rows
    assert row.values == tuple(fixes)
    assert len(row.seen) == 3


def test_values_that_behave_differently_are_rows_of_their_own():
    contacts = tuple(Value(type="phone_number", text=f"+86138001380{number:02}", row=number) for number in range(3))

    def run(name, answers, values):
        base = report(name, answers=answers, reads=[6], persona=contacts)
        return base.model_copy(update={"accesses": (changed(base.accesses[0], values=values),)})

    rows = compare([run("yes", YES, contacts), run("no", NO, contacts[:1])]).rows
    assert [(len(row.values), row.patterns) for row in rows] == [
        (1, ("after_refusal", "regardless")),
        (2, ("only_after_yes",)),
    ]


def test_values_that_behave_alike_are_one_row_also_when_they_were_read_one_after_the_other():
    contacts = tuple(Value(type="phone_number", text=f"+86138001380{number:02}") for number in range(3))

    def run(name, answers):
        base = report(name, answers=answers, reads=[6, 7, 8], persona=contacts)
        accesses = tuple(changed(access, values=(contacts[number],)) for number, access in enumerate(base.accesses))
        return base.model_copy(update={"accesses": accesses})

    (row,) = compare([run("yes", YES), run("no", NO)]).rows
    assert row.values == contacts
    assert [(one.consent, one.count, one.ref) for one in row.seen] == [
        ("given", 3, "accesses.jsonl:1"),
        ("refused", 3, "accesses.jsonl:1"),
    ]


def test_a_folded_read_across_the_answer_is_seen_on_both_sides():
    base = report("no", answers=NO, reads=[1])
    folded = changed(base.accesses[0], count=9, until=at(9))
    (row,) = compare([base.model_copy(update={"accesses": (folded,)}), report("silent")]).rows
    assert [(one.consent, one.count) for one in row.seen] == [("not_shown", 1), ("refused", 1)]


@pytest.mark.parametrize("outcome", ["denied", "empty", "threw", "requested"])
def test_a_call_that_gave_nothing_is_no_read(outcome):
    base = report("r", reads=[1])
    nothing = changed(base.accesses[0], outcome=outcome, values=())
    assert compare([base.model_copy(update={"accesses": (nothing,)}), report("s")]).rows == ()


def test_what_is_sent_to_the_device_itself_is_not_sent():
    base = report("r", reads=[1], sends=[2])
    own = base.flows[0].model_copy(update={"recipient": Recipient(host="127.0.0.1", party="first")})
    rows = compare([base.model_copy(update={"flows": (own,)}), report("s")]).rows
    assert [row.what for row in rows] == ["read"]


def test_what_else_differs_is_said():
    comparison = compare([report("r", version="1.0", apk_sha256="a"), report("s", version="1.1", apk_sha256="b")])
    assert comparison.differ == ("version", "apk")


def unwatched(name: str) -> Report:
    """A capture of uploads: nobody saw what the user was asked."""
    run = report(name, sends=[3]).run
    run = run.model_copy(update={"observers": observers_of(["har"], declared=True)})
    (flow,) = report(name, sends=[3]).flows
    return Report(recording=name, run=run, flows=(flow.model_copy(update={"consent": "not_observed"}),))


def test_what_nobody_watched_is_no_answer_and_speaks_for_and_against_nothing():
    (row,) = compare([unwatched("a"), unwatched("b")]).rows
    assert row.patterns == ("not_observed",)
    comparison = compare([unwatched("a"), report("b", answers=YES, sends=[6])])
    assert [run.answer for run in comparison.runs] == ["not_observed", "yes"]
    assert {row.patterns for row in comparison.rows} == {("not_observed",)}  # not: regardless of the answer
    (row,) = compare([unwatched("a").model_copy(update={"flows": ()}), report("b", answers=YES, sends=[6])]).rows
    assert row.patterns == ("after_yes",)  # the other run is none without a yes
