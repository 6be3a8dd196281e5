"""A device has one user at a time, whoever it is."""

import pytest

from appwitness.api.devices import NamedDevice
from appwitness.devices.device_lock import HELD, turn_now
from appwitness.support.errors import SetupError


def test_observe_by_hand_keeps_away_from_a_device_that_a_host_has(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path))
    phone = NamedDevice("phone")
    with turn_now(tmp_path / "devices", "phone"):
        with pytest.raises(SetupError, match="phone is in use by another process"), phone.alone_now():
            pass
        monkeypatch.setenv(HELD, "phone")  # the host itself has started it
        with phone.alone_now():
            pass
    monkeypatch.delenv(HELD)
    with phone.alone_now(), turn_now(tmp_path / "devices", "phone") as lock:
        assert lock is None
