"""Whether a run could show what its plan is about, from its lines alone, against an oracle of its own."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import AppIdentity, Consent, DeviceIdentity, Observers, Phase, Run
from appwitness.events.seen import see
from appwitness.judge.consent import Observed, Timeline
from appwitness.judge.observers import unplayed

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)
LABEL = {"given": "Agree", "refused": "Disagree", "withdrawn": "Withdraw consent", "dismissed": "Close"}
WANTED = {"accept": {"given"}, "refuse": {"refused"}, "withdraw": {"withdrawn"}, "silent": set(), "free": set()}


def run(plan="free", lasted=60.0, **fields):
    return Run(
        id="r", app=AppIdentity(package="a.b"), device=DeviceIdentity(serial="x", kind="lab"), plan=plan, started=START,
        ended=START + timedelta(seconds=lasted), observers=Observers(hooks=True, proxy=True, consent=True), **fields,
    )  # fmt: skip


def gaps(of, statuses=(), phases=(), lines=9, asked=True):
    told = [Consent(at=START, signal="dialog", status="requested", by="app")] if asked else []
    told += [
        Consent(at=START + timedelta(seconds=n), signal="tap", by="user", status=status, text=LABEL[status])
        for n, status in enumerate(statuses, 1)
    ]
    timeline = Timeline(
        [see(f"consents.jsonl:{n}", each, 0) for n, each in enumerate(told, 1)], labels=LABELS, observed=Observed("a.b")
    )
    seen = [
        see(f"phases.jsonl:{n}", Phase(at=START + timedelta(seconds=at), state=state), 0)
        for n, (state, at) in enumerate(phases, 1)
    ]
    return [gap.subject for gap in unplayed(of, timeline, seen, lines)]


@given(st.sampled_from(sorted(WANTED)), st.lists(st.sampled_from(sorted(LABEL)), max_size=4), st.booleans())
def test_a_plan_was_played_when_its_answer_was_seen(plan, statuses, asked):
    played = not WANTED[plan] or bool(WANTED[plan] & set(statuses))
    assert gaps(run(plan), statuses, asked=asked) == ([] if played else [f"plan {plan}"])


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 10))
def test_a_run_is_short_by_the_time_that_the_app_was_there(began, ran, lasted):
    phases = [("started", began), ("exited", began + ran)]
    assert (gaps(run(lasted=lasted), phases=phases) == ["run"]) == (round(ran, 6) < 2)
    assert (gaps(run(lasted=lasted)) == ["run"]) == (round(lasted, 6) < 2)


@pytest.mark.parametrize("lines", [0, 1])
def test_a_run_without_a_line_shows_nothing(lines):
    assert gaps(run(), lines=lines) == ([] if lines else ["run"])


def test_who_brought_a_foreign_file_had_no_plan():
    brought = run("refuse", lasted=0.1)
    imported = brought.observers.model_copy(update={"stamped": "at_import"})
    assert gaps(brought.model_copy(update={"observers": imported}), lines=0) == []
