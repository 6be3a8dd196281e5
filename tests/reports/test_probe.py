"""A run whose hooks failed the agent's check of itself is graded down, and every report says so first."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from appwitness.correlate import correlate, knowledge, report
from appwitness.recording import Recording
from appwitness.reports import render
from appwitness.store import Store
from tests.recordings.written import RECORDINGS

PASSED = {"hooked": 4, "called": 8, "seen": 8, "missed": [], "detail": None}
FAILED = PASSED | {"seen": 6, "missed": ["static method"]}
WRONG = PASSED | {"detail": "1 of the calls did not get their own result"}
NOT_MADE = PASSED | {"hooked": 0, "called": 0, "seen": 0, "detail": "this Android takes no class from memory"}
SAID = {"en": "The hooks failed the agent's self-test.", "zh": "钩子未通过探针自检。"}


@pytest.mark.parametrize(
    ("case", "rule", "probe", "confidence"),
    [
        ("sent-in-cleartext", "sent-in-cleartext", None, "proven"),
        ("sent-in-cleartext", "sent-in-cleartext", PASSED, "proven"),
        ("sent-in-cleartext", "sent-in-cleartext", NOT_MADE, "proven"),
        ("sent-in-cleartext", "sent-in-cleartext", FAILED, "corroborated"),
        ("sent-in-cleartext", "sent-in-cleartext", WRONG, "corroborated"),
        ("sent-before-consent", "sent-before-consent", PASSED, "proven"),
        ("sent-before-consent", "sent-before-consent", FAILED, "indicated"),
    ],
)
def test_a_run_is_graded_by_its_check(tmp_path, case, rule, probe, confidence):
    folder = Path(shutil.copytree(RECORDINGS / case, tmp_path / case))
    run = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**run, "probe": probe}), "utf-8")
    recording, store = Recording.open(folder), Store(tmp_path / "index.sqlite")
    outcome = correlate(recording, store, knowledge())
    assert [finding.confidence for finding in outcome.findings if finding.rule == rule] == [confidence]
    told = report(store, recording.run.id, knowledge())
    fails = probe in (FAILED, WRONG)
    for lang, sentence in SAID.items():
        for format_ in ("text", "html", "sarif", "junit"):
            assert (sentence in " ".join(render(told, format_, lang=lang).replace("&#39;", "'").split())) == fails
    assert told.observers.hooks_failed == fails
    assert ("check" in told.observers.missing) == fails
