"""The public line of the operator's key, and what is said where there is no key."""

import pytest

from appwitness.api import verifying
from appwitness.api.home import key_file
from appwitness.recording.signing import trusted
from appwitness.support.errors import UserError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def test_its_public_line_is_trusted_as_it_is():
    made = verifying.new_key()
    assert trusted(verifying.public_line(" Ada \n Lovelace "), key_file()) == {made: "Ada Lovelace"}


def test_without_a_key_nothing_is_told():
    for ask in (verifying.own_fingerprint, verifying.public_line):
        with pytest.raises(UserError, match="There is no key yet"):
            ask()
    with pytest.raises(UserError, match="There is no ssh agent"):
        verifying.new_key("token")
