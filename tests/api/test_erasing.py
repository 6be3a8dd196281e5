"""Programs forget personal data in recordings, and see before what that would be."""

from datetime import timedelta

import pytest

from appwitness.api.erasing import Forgetting, Retention, share
from appwitness.api.exchanging import values_of
from appwitness.api.judging import judging
from appwitness.api.recording_names import opened
from appwitness.care import ToForget
from appwitness.store import Store
from appwitness.support.errors import UserError
from tests.api.given import ended


@pytest.fixture
def recording(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(tmp_path / "recordings"))
    return ended(tmp_path / "recordings/run")


def lines(recording):
    return sum(1 for read in opened(recording).read("upload") if not read.forgotten)


def test_a_preview_changes_nothing_and_forgetting_reaches_the_index(tmp_path, recording):
    db = str(tmp_path / "index.sqlite")
    judging(db=db).correlate(recording)
    (plan,) = Forgetting([recording]).plans()
    assert plan.count
    assert lines(recording)
    begun: list[ToForget] = []
    assert Forgetting([recording]).forget("asked for", db=db, begun=begun.append) == plan.count
    assert [each.count for each in begun] == [plan.count]
    assert not lines(recording)
    with Store(db) as store:
        assert not list(store.recordings())


def test_what_is_to_be_forgotten_has_to_be_said(recording):
    with pytest.raises(UserError, match="You have not said what to forget"):
        next(Forgetting().plans())
    with pytest.raises(UserError, match="in all kinds of lines"):
        next(Forgetting([recording], values=values_of(["phone_number=+8613800138000"]), kinds=("upload",)).plans())


def test_what_cannot_be_opened_stays_and_the_others_are_forgotten(recording):
    (recording.parent / "broken.zip").write_bytes(b"PK")
    stays = []
    assert Forgetting(older_than=timedelta(days=1)).forget(stays=lambda path, _: stays.append(path.name))
    assert stays == ["broken.zip"]
    assert not lines(recording)
    with pytest.raises(UserError):
        Forgetting([recording.parent / "broken.zip"]).forget()


def test_a_retention_rules_over_its_folder_alone(tmp_path, recording):
    day = timedelta(days=1)
    elsewhere = Retention(tmp_path / "elsewhere")
    assert not list(Forgetting(retention=Retention(elsewhere.folder, day)).plans())
    (plan,) = Forgetting(retention=Retention(recording.parent, kinds={"upload": day})).plans()
    assert "upload" in plan.lines
    assert not list(Forgetting(retention=Retention(recording.parent, kinds={"upload": timedelta.max})).plans())


def test_a_copy_has_no_value_of_the_original(tmp_path, recording):
    made = share(recording, tmp_path / "copy")
    assert made.values
    planted = opened(recording).run.persona
    assert not {each.text for each in planted} & {each.text for each in opened(made.path).run.persona}
