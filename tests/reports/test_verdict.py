from datetime import timedelta

import msgspec
import pytest

from appwitness.findings import CONFIDENCES, LEVELS, ConsentStatus
from appwitness.reports.verdict import facts, sent, verdict, when, worst_first
from appwitness.reports.words import Words
from tests.reports import sample

EN = Words("en")


def test_findings_are_counted_by_level():
    said = verdict(sample.report(), EN)
    assert (said.line, said.tone) == ("7 findings: 4 high, 3 medium", "high")
    assert said.more.endswith("There are also gaps: 5 things could not be observed.")


def test_gaps_alone_are_not_clean():
    said = verdict(sample.clean(gaps=sample.report().gaps[:1]), EN)
    assert said.tone == "gaps"
    assert "not clean" in said.line
    assert said.more.startswith("1 gap was recorded.")


def test_a_run_without_hooks_says_so_first():
    seen = sample.report()
    said = verdict(seen.model_copy(update={"run": seen.run.model_copy(update={"unhooked": "Frida ended"})}), EN)
    assert said.line.startswith("Traffic only: no hooks were in the app. 7 findings")
    assert said.more.startswith("What the app read was not seen (Frida ended)")


def test_neither_findings_nor_gaps():
    assert verdict(sample.clean(), EN).tone == "none"


def test_worst_first_then_surest():
    order = [
        (LEVELS.index(finding.level), CONFIDENCES.index(finding.confidence)) for finding in worst_first(sample.report())
    ]
    assert order == sorted(order)


def test_the_facts_say_what_went_to_whom_and_when_against_the_answer():
    assert facts(sample.report(), EN) == (
        "Data of 12 of 12 people in the address book (names of 12, one number each) went to api.circle.test, "
        "2.4 s before the user was asked, and again 2.3 s after “Disagree” (refused); "
        "data of 6 of 12 people in the address book (one number each; no names found) went to sync.friendgraph.test, "
        "2.1 s before the user was asked; and one more kind of data or recipient."
    )


def test_what_no_rule_objects_to_is_told_only_where_nothing_else_is():
    quiet = sample.report(findings=())
    assert {group.level for group in sent(quiet)} == {None}
    assert "went to api.circle.test" in facts(quiet, EN)
    assert facts(sample.clean(flows=()), EN) == ""


def test_flows_are_told_by_data_and_recipient_and_each_rule_once():
    groups = sent(sample.report())
    assert [(group.data, group.recipient.host, group.rules) for group in groups[:2]] == [
        ("device_contacts", "api.circle.test", ("address-book-upload", "sent-before-consent", "sent-after-refusal")),
        ("device_contacts", "sync.friendgraph.test", ("sent-before-consent",)),
    ]
    assert sorted(flow.id for group in groups for flow in group.flows) == [f.id for f in sample.report().flows]


@pytest.mark.parametrize(
    ("consent", "assumed", "steps", "said"),
    [
        ("not_shown", False, (), "and no question to the user was seen"),
        ("requested", False, (), "while the question was not answered"),
        ("not_observed", False, (), "consent then: not observed"),
        ("given", True, (), "consent then: given (assumed)"),
        ("basic_only", False, (), "consent then: only the basic function accepted"),
    ],
)
def test_no_moment_is_named_that_was_not_seen(consent, assumed, steps, said):
    report = sample.report(answers=steps)
    flow = report.flows[0].model_copy(update={"consent": consent, "consent_assumed": assumed})
    assert when(report, (flow,), EN) == said
    assert when(report, (flow, flow), EN) == said
    assert when(report, (flow, flow.model_copy(update={"upload": "uploads.jsonl:99"})), EN) == f"{said} (2 uploads)"


@pytest.mark.parametrize(
    ("consent", "states", "said"),
    [
        ("not_shown", ("requested", "refused"), "1.0 s before the user was asked"),
        ("not_shown", ("refused",), "1.0 s before an answer"),
        ("not_shown", ("dismissed",), "1.0 s before the user was asked"),
        ("requested", ("refused",), "1.0 s before an answer"),
        ("requested", ("dismissed", "given"), "2.0 s before an answer"),
        ("requested", ("dismissed",), "while the question was not answered"),
        ("requested", ("unseen_answer",), "while the question was not answered"),
    ],
)
def test_only_an_answer_is_called_one(consent, states, said):
    report = sample.report()
    flow = report.flows[0].model_copy(update={"consent": consent})
    ref = report.consents[0].ref
    answers = tuple(
        ConsentStatus(state=state, by="user", ref=ref, at=flow.at + timedelta(seconds=number))
        for number, state in enumerate(states, start=1)
    )
    assert when(sample.report(answers=answers), (flow,), EN) == said


def test_a_button_cannot_act_on_the_terminal_and_is_cut():
    report = sample.report()
    line = next(seen for seen in report.consents if seen.ref == report.answers[-1].ref)
    event = msgspec.structs.replace(line.event, text="\x1b[2J" + "n" * 500)
    lanes = tuple(seen._replace(event=event) if seen.ref == line.ref else seen for seen in report.consents)
    said = facts(sample.report(consents=lanes), EN)
    assert "\x1b" not in said
    assert "n" * 41 not in said
