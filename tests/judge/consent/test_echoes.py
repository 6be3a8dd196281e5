"""What the hooks told and the screen showed from outside is one act; what only one of them saw stands."""

from datetime import UTC, datetime, timedelta

import pytest

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import Consent
from appwitness.events.seen import see
from appwitness.judge.consent import Timeline

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
OFFSET_MS = 60_000
LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)
CONTACTS = ("device_contacts",)


def inside(seconds, **fields):
    return Consent(at=START + timedelta(seconds=seconds, milliseconds=OFFSET_MS), clock="device", **fields)


def outside(seconds, **fields):
    return Consent(at=START + timedelta(seconds=seconds), clock="host", **fields)


ASKED = {"signal": "dialog", "status": "requested", "by": "app", "text": "Privacy policy"}
TOUCHED = {"signal": "tap", "status": "given", "by": "user", "text": "Agree"}
PROMPT = {"signal": "permission_prompt", "status": "requested", "by": "app", "scope": "system_permission"}


@pytest.mark.parametrize(
    ("lines", "echoes"),
    [
        ([inside(1, **ASKED), outside(1.6, **ASKED), inside(3, **TOUCHED), outside(2.9, **TOUCHED)], {2, 4}),
        ([outside(1.6, **ASKED), outside(2.9, **TOUCHED)], set()),
        ([inside(1, **ASKED), outside(30, **ASKED)], set()),
        ([inside(3, **TOUCHED), outside(3, **{**TOUCHED, "text": "Disagree", "status": "refused"})], set()),
        ([inside(3, **{**TOUCHED, "scope": "sensitive_separate"}), outside(3, **TOUCHED)], {2}),
        ([inside(1, **PROMPT, data=CONTACTS), outside(2, **PROMPT, data=CONTACTS)], {2}),
        ([inside(1, **PROMPT, data=CONTACTS), outside(2, **PROMPT, data=("location",))], set()),
        (
            [
                inside(3, **TOUCHED),
                outside(3, **TOUCHED),
                outside(9, signal="operator", status="refused", by="operator", corrects="consents.jsonl:2"),
            ],
            set(),
        ),
    ],
)
def test_what_counts_once(lines, echoes):
    named = [(f"consents.jsonl:{number}", line) for number, line in enumerate(lines, 1)]
    timeline = Timeline([see(ref, line, OFFSET_MS) for ref, line in named], labels=LABELS)
    assert timeline.echoes == {f"consents.jsonl:{number}" for number in echoes}
    assert all(timeline.knows(ref) for ref, _ in named)


def test_a_touch_seen_twice_is_not_one_for_two_questions():
    lines = [inside(3, **{**TOUCHED, "scope": "sensitive_separate"}), outside(3.05, **TOUCHED)]
    timeline = Timeline((see(f"consents.jsonl:{n}", line, OFFSET_MS) for n, line in enumerate(lines, 1)), labels=LABELS)
    assert timeline.at(START + timedelta(seconds=5), scope="sensitive_separate").state == "given"
