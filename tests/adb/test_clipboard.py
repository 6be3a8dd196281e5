"""A text on the clipboard for a run, by uiautomator2's server, and what was there before back after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android import discovery
from appwitness.devices.android.control import Control
from appwitness.devices.android.persona.content import ProviderRefused
from appwitness.devices.android.screen.input import Play
from appwitness.devices.android.screen.uiautomator import Screens
from tests.adb.rig.phone import Phone

Make = Callable[..., Phone]
Of = Callable[[Phone], Control]


def started(control: Control) -> Screens:
    screens = Screens(control, Play("com.example.app", "free"), lambda _: None, lambda _: None)
    screens.start()
    return screens


@pytest.mark.parametrize("was", [None, "a secret of its owner's: 'x' \"y\" $(reboot) \\n 名前"])
def test_it_is_planted_and_set_back_even_by_another_process(
    phone_of: Make, control_of: Of, tmp_path: Path, was: str | None
) -> None:
    phone = phone_of(state={"clipboard": was} if was else {})
    control = control_of(phone)
    screens = started(control)

    assert screens.clipboard("Tracking number 7Q") == "Tracking number 7Q"
    assert phone.read()["clipboard"] == "Tracking number 7Q"

    journal = control.journal.path.read_text()
    assert "secret" not in journal
    later = discovery.control(control.shell.adb, tmp_path / "devices")
    assert discovery.take_back(later) == []
    assert phone.read().get("clipboard") == was
    screens.stop()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"clipboard_refused": True}, "Package android does not belong to 2000"),
        ({"u2": "crashes"}, "uiautomator2's server, which could, is not up"),
    ],
)
def test_a_device_that_refuses_keeps_what_it_has(
    phone_of: Make, control_of: Of, state: dict[str, Any], said: str
) -> None:
    phone = phone_of(state={"clipboard": "mine", **state})
    control = control_of(phone)
    screens = started(control)
    with pytest.raises(ProviderRefused, match=said):
        screens.clipboard("Tracking number 7Q")
    screens.stop()

    assert [entry.what for entry in control.journal.open] == ["a folder for the screen"]
    assert control.journal.undo_all(control.take_back) == []
    assert phone.read()["clipboard"] == "mine"
