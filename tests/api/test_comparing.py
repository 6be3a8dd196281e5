"""Programs compare runs of one app."""

import shutil

import pytest

from appwitness.api.judging import compare, judging
from appwitness.support.errors import UserError
from tests.api.given import ended
from tests.recordings.written import RECORDINGS

REFUSED, NEARLY = RECORDINGS / "sent-after-refusal", RECORDINGS / "sent-after-refusal-nearly"


def test_runs_are_compared_in_their_order():
    made = compare([NEARLY, REFUSED], judging(db="sqlite://"))
    assert [report.recording for report in made.reports] == [each.run.id for each in made.comparison.runs]
    assert made.comparison.rows


def test_what_cannot_be_compared_is_refused(tmp_path):
    run = ended(tmp_path / "run")
    copy = shutil.copytree(run, tmp_path / "copy")
    for runs, says in (([run], "nothing to compare it with"), ([run, copy], "is the same run as one before it")):
        with pytest.raises(UserError, match=says):
            compare(runs, judging(db="sqlite://"))
