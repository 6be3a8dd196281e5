"""Programs make one file of a recording."""

import pytest

from appwitness.api import archiving
from appwitness.api.recording_names import opened, read_encrypted_with
from appwitness.support.errors import UserError
from tests.api.given import ended

pyrage = pytest.importorskip("pyrage")


def test_what_is_packed_is_removed_and_what_is_not_ours_stays(tmp_path):
    recording = ended(tmp_path / "run")
    (recording / "notes.txt").write_text("mine")
    made = archiving.pack(recording, remove=True)
    assert (made.file, made.left) == (tmp_path / "run.zip", ("notes.txt",))
    assert opened(made.file).run.app.package == "com.example.shop"
    assert [path.name for path in recording.iterdir()] == ["notes.txt"]


def test_what_is_encrypted_is_read_with_an_identity(tmp_path, monkeypatch):
    identity = pyrage.x25519.Identity.generate()
    monkeypatch.setenv("APPWITNESS_IDENTITY", "")  # which is as it was afterwards
    archiving.see_that_all_are_recipients([str(identity.to_public())])
    made = archiving.pack(ended(tmp_path / "run"), encrypt_to=[str(identity.to_public())])
    assert (made.file, made.left) == (tmp_path / "run.zip.age", ())
    with pytest.raises(UserError, match="is encrypted"):
        opened(made.file)
    (tmp_path / "identity").write_text(f"{identity}\n")
    read_encrypted_with(tmp_path / "identity")
    assert opened(made.file).is_encrypted


def test_a_recording_stays_when_its_file_cannot_be_made(tmp_path):
    recording = ended(tmp_path / "run")
    (tmp_path / "there.zip").touch()
    with pytest.raises(UserError, match=f"The recording is unchanged: {recording}"):
        archiving.pack(recording, tmp_path / "there.zip", remove=True)
    assert opened(recording)
    with pytest.raises(UserError, match="is not a recipient"):
        archiving.see_that_all_are_recipients(["age1nobody"])
