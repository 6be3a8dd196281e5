"""Labelled consent timelines (timelines*.json beside this file): each state is right at each moment."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import Consent, Phase
from appwitness.events.seen import see
from appwitness.judge.consent import Observed, Timeline
from appwitness.judge.phases import Phases

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
FILES = sorted(Path(__file__).parent.glob("timelines*.json"))
TIMELINES = [case for path in FILES for case in json.loads(path.read_text("utf-8"))]
WRITTEN_BY = {"tap": "user", "permission_result": "user", "operator": "operator"}
"""Who speaks in a line that does not say; in all others it is the app."""
PACKAGE = "com.example.shop"
LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)


def moment(seconds: float) -> datetime:
    return START + timedelta(microseconds=round(seconds * 1_000_000))


def lines(events):
    """Lines as the contract has them: `s` is the time in seconds, `corrects` and `retracts` number a line from 1."""
    for number, event in enumerate(events, 1):
        fields = {"by": WRITTEN_BY.get(event["signal"], "app")} | event
        for name in {"corrects", "retracts"} & set(fields):
            fields[name] = f"consents.jsonl:{fields[name]}"
        yield f"consents.jsonl:{number}", Consent(at=moment(fields.pop("s")), **fields)


def left(case, offset_ms):
    """Phases of the device, `s` on its clock."""
    phases = [Phase(at=moment(phase.pop("s")), **phase) for phase in map(dict, case.get("phases", ()))]
    return Phases([see(f"phases.jsonl:{number}", phase, offset_ms) for number, phase in enumerate(phases, 1)])


def answers(told: Timeline, states):
    return [told.at(moment(s["s"]), s.get("data"), s.get("scope", "general_policy")).state for s in states]


def test_every_state_of_a_timeline_is_right():
    wrong = {}
    for case in TIMELINES:
        named = list(lines(case["events"]))
        wanted = [state["state"] for state in case["states"]]
        offset = case.get("clock_offset_ms", 0)
        known = {"labels": LABELS, "phases": left(case, offset), "observed": Observed(PACKAGE)}
        mixed = random.Random(case["name"]).sample(named, len(named))
        for order in (named, mixed):
            told = answers(Timeline([see(ref, line, offset) for ref, line in order], **known), case["states"])
            if told != wanted:
                wrong[case["name"]] = told, wanted
    assert wrong == {}


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own():
    names = [case["name"] for case in TIMELINES]
    assert len(names) >= 400
    assert len(set(names)) == len(names)
