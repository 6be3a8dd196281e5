"""Which recording is meant by a name, or by none."""

import os
import shutil
import zipfile

import pytest

from appwitness.api.recording_names import all_in, fetched, meant, opened
from appwitness.support.errors import UserError
from tests.recordings.written import RECORDINGS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Of recordings: `old` and `new`, which have ended, and something else."""
    here = tmp_path / "recordings"
    for number, name in enumerate(("new", "old")):
        shutil.copytree(RECORDINGS / "clean-untouched", here / name)
        os.utime(here / name / "run.json", ns=(0, 10**18 - number))
    (here / "other").mkdir()
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(here))
    return here


def test_without_a_name_it_is_the_newest(folder):
    assert meant("NAME IT") == folder / "new"
    os.utime(folder / "old" / "run.json", ns=(0, 10**18))
    with pytest.raises(UserError, match=r"Several runs are the newest: .*new, .*old") as raised:
        meant("NAME IT")
    assert "NAME IT" in raised.value.next_step


def test_what_cannot_be_opened_is_told_and_the_others_are_given(folder):
    with zipfile.ZipFile(folder / "broken.zip", "w"):
        pass
    failed = []
    found = [path.name for path, _ in all_in(None, lambda path, _: failed.append(path.name))]
    assert (found, failed) == (["new", "old"], ["broken.zip"])
    assert [run.app.package for _, run in all_in(str(folder), lambda *_: None)] == ["com.example.shop"] * 2
    assert list(all_in(str(folder / "nowhere"), lambda *_: None)) == []


def test_a_name_in_no_bucket_is_refused():
    with pytest.raises(UserError, match="does not name a recording"):
        fetched("s3://bucket")
    with pytest.raises(UserError, match="is not a place for recordings"):
        fetched("ftp://bucket/run")


def test_a_folder_that_is_no_recording_is_refused(folder):
    assert opened(folder / "new").run.app.package == "com.example.shop"
    with pytest.raises(UserError, match=r"it has no run\.json"):
        opened(str(folder / "other"))
