"""A note that a program makes in a recording by its path."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from appwitness.api import marking
from tests.recordings.written import RECORDINGS

RECORDING = RECORDINGS / "sent-after-refusal"


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(RECORDING, tmp_path / "copy"))


def test_a_note_is_on_the_time_line(path):
    ref = marking.mark_note(path, "rebooted", datetime(2026, 3, 14, 9, 0, 5))
    assert ref.startswith("phases.jsonl:")
    assert '"at":"2026-03-14T09:00:05.000000Z"' in (path / "phases.jsonl").read_text("utf-8").splitlines()[-1]
