"""Pairing by a program: what cannot be an address or a code never reaches adb."""

import pytest

from appwitness.api import devices
from appwitness.devices.android import adb
from appwitness.support.errors import UserError


@pytest.fixture
def paired(monkeypatch):
    """Address and code of each phone that was paired with."""
    done: list[tuple[str, str]] = []
    monkeypatch.setattr(adb, "pair", lambda address, code: done.append((address, code)))
    return done


def test_spaces_in_a_code_do_not_matter(paired):
    devices.pair("192.168.1.20:37123", "123 456")
    assert paired == [("192.168.1.20:37123", "123456")]


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [("phone", "123456", "is not an address"), ("192.168.1.20:37123", "12345x", "digits"), ("a.b:1", "１２", "digits")],
)
def test_what_cannot_be_one_is_refused(paired, address, code, says):
    with pytest.raises(UserError, match=says):
        devices.pair(address, code)
    assert paired == []
