"""A device has one user at a time, whoever it is."""

import pytest

from appwitness.cli.observing import _turn
from appwitness.errors import SetupError
from appwitness.observe.android.wanted import Wanted
from appwitness.observe.turns import HELD, turn_now


def test_observe_by_hand_keeps_away_from_a_device_that_a_host_has(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path))
    phone = Wanted("phone", package="com.example.app")
    with turn_now(tmp_path / "devices", "phone"):
        with pytest.raises(SetupError, match="phone is in use by another process"), _turn(phone):
            pass
        monkeypatch.setenv(HELD, "phone")  # the host itself has started it
        with _turn(phone):
            pass
    monkeypatch.delenv(HELD)
    with _turn(phone), turn_now(tmp_path / "devices", "phone") as lock:
        assert lock is None
