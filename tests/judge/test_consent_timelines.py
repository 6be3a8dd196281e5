"""Labelled consent timelines (tests/consent_timelines.json): each state is right at each moment."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import catalog
from monitor.events import Consent
from monitor.judge.consent import Timeline
from monitor.labels import Labels

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
TIMELINES = json.loads((Path(__file__).parents[1] / "consent_timelines.json").read_text("utf-8"))
WRITTEN_BY = {"tap": "user", "permission_result": "user", "operator": "operator"}
"""Who speaks in a line that does not say; in all others it is the app."""
LABELS = catalog.parse(catalog.HERE / "consent.yml", Labels)


def moment(seconds: float) -> datetime:
    return START + timedelta(microseconds=round(seconds * 1_000_000))


def lines(events):
    """Lines as the contract has them: `s` is the time in seconds, `corrects` and `retracts` number a line from 1."""
    for number, event in enumerate(events, 1):
        fields = {"by": WRITTEN_BY.get(event["signal"], "app")} | event
        for name in {"corrects", "retracts"} & set(fields):
            fields[name] = f"consents.jsonl:{fields[name]}"
        yield f"consents.jsonl:{number}", Consent(at=moment(fields.pop("s")), **fields)


def answers(told: Timeline, states):
    return [told.at(moment(s["s"]), s.get("data"), s.get("scope", "general_policy")).state for s in states]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in TIMELINES])
def test_every_state_of_a_timeline_is_right(case):
    named = list(lines(case["events"]))
    wanted = [state["state"] for state in case["states"]]
    offset = case.get("clock_offset_ms", 0)
    assert answers(Timeline(named, offset, labels=LABELS), case["states"]) == wanted
    mixed = random.Random(case["name"]).sample(named, len(named))
    assert answers(Timeline(mixed, offset, labels=LABELS), case["states"]) == wanted


def test_there_are_enough_of_them():
    assert len(TIMELINES) >= 60
