"""Marks that a program makes in a recording by its path."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from appwitness.api import marking
from appwitness.api.marking import MarkDetails
from appwitness.support.errors import UserError
from tests.recordings.written import RECORDINGS

RECORDING = RECORDINGS / "sent-after-refusal"


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(RECORDING, tmp_path / "copy"))


def test_a_mark_is_corrected_and_taken_back(path):
    before = marking.consent_lines(path)
    assert before
    first = marking.mark_answer(path, "refused", MarkDetails(text="Disagree"))
    second = marking.mark_answer(path, "given", MarkDetails(text="Agree"), corrects=first.ref)
    assert second.before == (first.ref, first.line)
    third = marking.mark_retracted(path, second.ref, "by mistake")
    now = {each.ref: each for each in marking.consent_lines(path)}
    assert list(now)[: len(before)] == [each.ref for each in before]
    assert now[second.ref].replaced_by == (third.ref,)
    assert not now[second.ref].counts
    assert now[first.ref].counts
    assert now[third.ref].line.retracts == second.ref


@pytest.mark.parametrize(
    ("status", "text", "counts_as"),
    [("given", "Got it", "requested"), ("given", "Agree", None), ("refused", "Disagree", None)],
)
def test_a_label_that_does_not_clearly_say_so_is_told(path, status, text, counts_as):
    assert marking.mark_answer(path, status, MarkDetails(text=text)).counts_as == counts_as


def test_a_note_is_on_the_time_line(path):
    ref = marking.mark_note(path, "rebooted", datetime(2026, 3, 14, 9, 0, 5))
    assert ref.startswith("phases.jsonl:")
    assert '"at":"2026-03-14T09:00:05.000000Z"' in (path / "phases.jsonl").read_text("utf-8").splitlines()[-1]


def test_what_is_not_there_is_refused_and_nothing_is_written(path, tmp_path):
    before = (path / "consents.jsonl").read_bytes()
    for ask in (
        lambda: marking.mark_answer(path, "given", MarkDetails(data=("lcoation",))),
        lambda: marking.mark_answer(path, "given", MarkDetails(), corrects="consents.jsonl:99"),
        lambda: marking.mark_retracted(path, "uploads.jsonl:1"),
        lambda: marking.mark_note(tmp_path / "nowhere", "x"),
    ):
        with pytest.raises(UserError):
            ask()
    assert (path / "consents.jsonl").read_bytes() == before
