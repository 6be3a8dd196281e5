"""Which device a name means, and what a program may ask of it."""

from pathlib import Path

import pytest

from appwitness.api import devices
from appwitness.api.devices import NamedDevice, Wanted, name_of
from appwitness.devices.android import discovery
from appwitness.devices.android.discovery import Listed
from appwitness.devices.device_lock import HELD, turn_now
from appwitness.devices.lab.apps import APPS
from appwitness.support.errors import SetupError, UserError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path))
    monkeypatch.delenv(HELD, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "embedded"),
    [
        ("lab:circle", True),
        ("lab:", True),
        ("lab", True),
        ("lab2", False),
        ("labrador", False),
        ("emulator-5554", False),
    ],
)
def test_the_name_alone_tells_whether_a_device_is_embedded(name, embedded):
    assert NamedDevice(name).embedded == embedded


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (Wanted("lab:circle"), "circle"),
        (Wanted("192.168.1.20:5555"), "192.168.1.20-5555"),
        (Wanted("phone", package="com.example.app"), "com.example.app"),
        (Wanted("phone", apks=(Path("some app.apk"),)), "some-app"),
    ],
)
def test_a_recording_is_named_after_the_app_where_it_is_named_else_the_device(wanted, name):
    assert name_of(wanted) == name


def test_a_device_that_another_process_has_is_not_waited_for(home):
    with turn_now(home / "devices", "phone"):
        with pytest.raises(SetupError, match="phone is in use"), NamedDevice("phone").alone_now():
            pass
        with NamedDevice("lab:circle").alone_now(), NamedDevice("lab:circle").alone_now():
            pass
    with NamedDevice("phone").alone_now(), turn_now(home / "devices", "phone") as lock:
        assert lock is None


def test_the_process_that_was_started_by_whoever_has_the_device_gets_it(home, monkeypatch):
    with turn_now(home / "devices", "phone"):
        monkeypatch.setenv(HELD, "phone")
        with NamedDevice("phone").alone_now():
            pass


def test_all_devices_are_listed_the_embedded_ones_last(monkeypatch):
    phone = Listed("R58M", "ready", "Pixel 8, Android 15", ("all apps", "all apps", "regular", "yes"))
    monkeypatch.setattr(discovery, "listed", lambda: [phone])
    first, *others = devices.listed()
    assert (first.name, first.state, first.hooks, first.screens) == ("R58M", "ready", "all apps", "yes")
    assert [each.name for each in others] == [f"lab:{app}" for app in APPS]
    assert {each.state for each in others} == {"embedded"}


def test_an_app_that_the_lab_device_does_not_have_is_refused_before_anything_comes_up():
    with pytest.raises(UserError, match="has no app 'nope'"), devices.opened(Wanted("lab:nope"), "silent"):
        pass
