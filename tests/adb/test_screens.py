"""A plan is played on a stand-in device through the real client of uiautomator2; each look and touch is recorded."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from monitor.events import Consent, Event, Gap, Screen
from monitor.observe.android.control import Control
from monitor.observe.android.screens import Screens
from tests.adb.rig.phone import Phone
from tests.adb.rig.stage import Stage, dialog

APP = "com.example.app"
PolicyText = "We collect personal information as our Privacy policy says."
SCREENS = {
    "policy": dialog("Privacy policy", PolicyText, buttons={"Agree": "", "Disagree": ""}),
    "sure": dialog("Privacy policy", "You need to agree to go on.", buttons={"Agree": "", "Exit": ""}),
    "home": dialog("Circle", buttons={"Settings": "", "Feed": ""}, full=True),
    "settings": dialog("Settings", buttons={"Privacy settings": "", "Back": ""}, full=True),
    "privacy": dialog("Privacy", buttons={"Withdraw consent": ""}, full=True),
    "confirm": dialog("Withdraw consent?", buttons={"Cancel": "", "OK": ""}),
    "contacts": dialog(
        "Allow Circle to access your contacts?",
        package="com.google.android.permissioncontroller",
        buttons={
            "Allow": "com.android.permissioncontroller:id/permission_allow_button",
            "Don’t allow": "com.android.permissioncontroller:id/permission_deny_button",
        },
    ),
    "cookies": dialog(
        "We value your privacy", "We and our partners use your personal data.",
        buttons={"Accept all": "", "Manage options": ""},
    ),
    "second": dialog(
        "Manage your choices", "Our partners and their legitimate interest", boxes={"Analytics": True},
        buttons={"Accept all": "", "Save choices": ""},
    ),
    "second, off": dialog(
        "Manage your choices", "Our partners and their legitimate interest", boxes={"Analytics": False},
        buttons={"Accept all": "", "Save choices": ""},
    ),
    "rate": dialog("How do you like it?", buttons={"Five stars": "com.example.app:id/stars"}),
}  # fmt: skip
WAYS = {
    ("policy", "Agree"): "contacts",
    ("policy", "Disagree"): "sure",
    ("sure", "Agree"): "contacts",
    ("sure", "Exit"): "",
    ("contacts", "Allow"): "home",
    ("contacts", "Don’t allow"): "home",
    ("home", "Settings"): "settings",
    ("settings", "Privacy settings"): "privacy",
    ("settings", "Back"): "home",
    ("privacy", "Withdraw consent"): "confirm",
    ("confirm", "OK"): "home",
    ("confirm", "Cancel"): "privacy",
    ("cookies", "Accept all"): "home",
    ("cookies", "Manage options"): "second",
    ("second", "Analytics"): "second, off",
    ("second", "Accept all"): "home",
    ("second", "Save choices"): "home",
    ("second, off", "Save choices"): "home",
    ("rate", "BACK"): "home",
    ("rate", "Five stars"): "home",
}


class Lines:
    """What was recorded."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self.bodies: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self.bodies[name] = data
        return name

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.all if isinstance(event, kind)]


@contextmanager
def played(control: Control, plan: Any, **options: Any) -> Iterator[tuple[Screens, Lines]]:
    lines = Lines()
    with Screens(control, APP, plan, lines.all.append, lines.put, **options) as screens:
        yield screens, lines


@pytest.mark.parametrize(
    ("plan", "first", "last", "touched", "said"),
    [
        ("accept", "policy", "home", ["Agree", "Allow"], ["requested", "given", "requested", "given"]),
        ("refuse", "policy", "", ["Disagree", "Exit"], ["requested", "refused", "requested", "refused"]),
        ("refuse", "contacts", "home", ["Don’t allow"], ["requested", "refused"]),
        ("refuse", "cookies", "home", ["Manage options", "Analytics", "Save choices"], ["requested", "requested", "refused"]),
        ("accept", "cookies", "home", ["Accept all"], ["requested", "given"]),
        ("accept", "rate", "home", ["BACK"], []),
    ],
)
def test_a_plan_is_played(
    phone_of: Callable[..., Phone],
    control_of: Callable[[Phone], Control],
    plan: str,
    first: str,
    last: str,
    touched: list[str],
    said: list[str],
) -> None:
    phone = phone_of()
    with Stage(phone, SCREENS, WAYS, first) as stage, played(control_of(phone), plan) as (_, lines):
        stage.until(last)
        time.sleep(0.5)

    assert [label for _, label in stage.touched] == touched
    assert [line.status for line in lines.of(Consent)] == said
    assert {line.clock for line in lines.of(Consent)} <= {"host"}
