"""Programs ask whether a recording is what its stamps say."""

import pytest

from appwitness.api import verifying
from appwitness.api.home import key_file
from appwitness.recording import Recording, signing
from appwitness.support.errors import FileError, UserError
from tests.api.given import ended


def test_a_change_is_named(tmp_path):
    recording = ended(tmp_path / "run")
    assert verifying.verify(recording).outcome == "intact"
    lines = (recording / "uploads.jsonl").read_bytes().replace(b"GET", b"PUT")
    (recording / "uploads.jsonl").write_bytes(lines)
    result = verifying.verify(str(recording))
    assert (result.outcome, result.problems[0].file, result.problems[0].line) == ("altered", "uploads.jsonl", 1)


def test_of_keys_that_are_trusted_one_has_to_have_signed(tmp_path):
    key = signing.new(key_file())
    recording = ended(tmp_path / "run")
    with Recording.open(recording, signer=key) as opened:
        opened.stamp(final=True)
    (tmp_path / "mine.pub").write_text(f"{signing.line(key.public, 'Ada')}\n")
    (tmp_path / "none.pub").write_text("# nobody\n")
    keys = verifying.trusted_keys([tmp_path / "mine.pub"])
    assert keys == {signing.fingerprint(key.public): "Ada"}
    assert not verifying.verify(recording, {"SHA256:another": ""}).ok
    with pytest.raises(FileError, match="has no key"):
        verifying.trusted_keys([tmp_path / "mine.pub", tmp_path / "none.pub"])
    with pytest.raises(FileError, match="contains no certificate"):
        verifying.verify(recording, authorities=[tmp_path / "mine.pub"])


def test_an_authority_is_asked_at_an_address_without_a_password(tmp_path):
    verifying.see_that_all_are_authorities(["https://tsa.example/tsr"])
    with pytest.raises(UserError, match="is not the address of a time-stamp authority"):
        verifying.see_that_all_are_authorities(["https://tsa.example/tsr", "https://me:secret@tsa.example/tsr"])
    with pytest.raises(UserError, match="could not be asked"):
        verifying.timestamp(ended(tmp_path / "run"), ["http://127.0.0.1:1/tsr"])
