"""Programs say what is to be forgotten; a retention rules over its own folder."""

from datetime import timedelta

import pytest

from appwitness.api.erasing import Forgetting, Retention
from appwitness.api.exchanging import values_of
from appwitness.support.errors import UserError
from tests.api.given import ended


@pytest.fixture
def recording(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(tmp_path / "recordings"))
    return ended(tmp_path / "recordings/run")


def test_what_is_to_be_forgotten_has_to_be_said(recording):
    with pytest.raises(UserError, match="You have not said what to forget"):
        next(Forgetting().plans())
    with pytest.raises(UserError, match="in all kinds of lines"):
        next(Forgetting([recording], values=values_of(["phone_number=+8613800138000"]), kinds=("upload",)).plans())


def test_a_retention_rules_over_its_folder_alone(tmp_path, recording):
    day = timedelta(days=1)
    elsewhere = Retention(tmp_path / "elsewhere")
    assert not list(Forgetting(retention=Retention(elsewhere.folder, day)).plans())
    (plan,) = Forgetting(retention=Retention(recording.parent, kinds={"upload": day})).plans()
    assert "upload" in plan.lines
    assert not list(Forgetting(retention=Retention(recording.parent, kinds={"upload": timedelta.max})).plans())
