"""A device has one user at a time, whoever it is."""

import pytest

from appwitness.cli.observe_verbs import _turn
from appwitness.devices.android.options import Wanted
from appwitness.devices.device_lock import HELD, turn_now
from appwitness.support.errors import SetupError


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
