"""The operator's key: made once, told by its fingerprint, given to others as one line."""

import pytest

from appwitness.api import verifying
from appwitness.api.home import key_file
from appwitness.recording.signing import trusted
from appwitness.support.errors import UserError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def test_a_key_is_made_once():
    made = verifying.new_key()
    assert verifying.own_fingerprint() == made
    assert key_file().stat().st_mode & 0o077 == 0
    with pytest.raises(UserError, match="There is a key already"):
        verifying.new_key()


def test_its_public_line_is_trusted_as_it_is():
    made = verifying.new_key()
    assert trusted(verifying.public_line(" Ada \n Lovelace "), key_file()) == {made: "Ada Lovelace"}


def test_without_a_key_nothing_is_told():
    for ask in (verifying.own_fingerprint, verifying.public_line):
        with pytest.raises(UserError, match="There is no key yet"):
            ask()
    with pytest.raises(UserError, match="There is no ssh agent"):
        verifying.new_key("token")
