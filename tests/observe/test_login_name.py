"""Who is responsible for a run where nobody says so."""

import os

from appwitness.observe.run import login_name


def test_a_user_without_a_name_is_told_by_number(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)

    assert login_name() == "uid 54321"


def test_a_name_is_taken(monkeypatch):
    monkeypatch.setenv("LOGNAME", "ines")

    assert login_name() == "ines"
