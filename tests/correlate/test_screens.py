"""A recording whose screens are in words that nobody knew is judged anew once the catalog has them."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest

from appwitness.catalog import yaml_files
from appwitness.correlate import correlate, knowledge, report
from appwitness.events import Screen, Touch, Window
from appwitness.recording import Recording
from appwitness.store import Store
from tests.correlate.test_correlate import START
from tests.correlate.test_currency import made

POLICY = Window(
    texts=("Polityka prywatności", "Zbieramy dane."), labels=("Zgadzam się", "Odmawiam"), package="com.example.pages"
)
HOME = Window(texts=("Strony",), labels=("Dalej",), package="com.example.pages")
WORDS = {"titles": "Polityka prywatności", "agree": "Zgadzam się", "refuse": "Odmawiam"}


def look(seconds: float, *windows: Window, **fields) -> Screen:
    at = START + timedelta(seconds=seconds)
    about = {"at": at, "app": "com.example.pages", "by": "host", "why": "change"}
    return Screen(**{**about, "what": "look", "windows": windows, **fields})


def judged(recording: Recording, store: Store):
    """Rules, states in the order in which they came, and what the report says was not seen."""
    known = knowledge()
    correlate(recording, store, known)
    made_of = report(store, recording.run.id, known)
    unseen = [(gap.subject, gap.ref) for gap in made_of.gaps if "neither was its answer" in (gap.detail or "")]
    return {each.rule for each in made_of.findings}, [(each.state, each.ref) for each in made_of.answers], unseen


@pytest.fixture
def more_words(tmp_path, monkeypatch):
    """A catalog that has the words of one more language."""
    folder = tmp_path / "catalog"
    shutil.copytree(yaml_files.HERE, folder)
    text = (folder / "consent.yml").read_text("utf-8")
    for name, word in WORDS.items():
        before = f"\n{name}:\n"
        assert before in text
        text = text.replace(before, f"{before}  pl: {json.dumps([word], ensure_ascii=False)}\n")
    (folder / "consent.yml").write_text(text, "utf-8")

    def add() -> None:
        monkeypatch.setattr(yaml_files, "HERE", folder)

    return add


@pytest.mark.parametrize(
    ("screens", "rules", "states", "unseen"),
    [
        (
            [look(-0.1, POLICY), look(5, HOME, since=START + timedelta(seconds=4.8))],
            {"read-before-consent", "sent-before-consent"},
            [("requested", "screens.jsonl:1"), ("unseen_answer", "screens.jsonl:2")],
            [("Polityka prywatności", "screens.jsonl:2")],
        ),
        (
            [look(-0.1, POLICY), look(0.7, HOME, since=START + timedelta(seconds=0.5))],
            set(),
            [("requested", "screens.jsonl:1"), ("unseen_answer", "screens.jsonl:2")],
            [("Polityka prywatności", "screens.jsonl:2")],
        ),
        (
            [
                look(-0.1, POLICY),
                look(-0.05, POLICY, what="touch", touched=Touch(label="Odmawiam", by="plan")),
                look(0.5, HOME, since=START),
            ],
            {"read-after-refusal", "sent-after-refusal"},
            [("requested", "screens.jsonl:1"), ("refused", "screens.jsonl:2")],
            [],
        ),
    ],
    ids=["asked while it was sent", "answered unseen before it was read", "refused"],
)
def test_more_words_tell_more_of_an_old_recording(tmp_path, more_words, screens, rules, states, unseen):
    recording = made(tmp_path / "run", ended=START + timedelta(seconds=10))
    recording.append_all(screens)
    recording.stamp(final=True)
    with Store(tmp_path / "index.sqlite") as store:
        before = judged(recording, store)
        more_words()
        after = judged(recording, store)
    assert before == ({"read-before-consent", "sent-before-consent"}, [], [])
    assert after == (rules, states, unseen)


def test_a_screen_that_is_read_in_part_is_a_gap(tmp_path):
    boxes = Window(texts=("Regulamin",), labels=tuple(map(str, range(1001))), package="com.example.pages")
    recording = made(tmp_path / "run", ended=START + timedelta(seconds=10))
    recording.append_all([look(0, HOME), look(1, boxes)])
    recording.stamp(final=True)
    with Store(tmp_path / "index.sqlite") as store:
        known = knowledge()
        correlate(recording, store, known)
        gaps = report(store, recording.run.id, known).gaps
    assert [each.subject for each in gaps if each.why == "decode_limit"] == ["screens.jsonl:2"]
