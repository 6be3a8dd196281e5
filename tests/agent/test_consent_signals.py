"""What the agent tells of permissions, and of what the app claims, becomes lines of raw facts."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from appwitness.agent.consent_signals import Signals, load, plan
from appwitness.catalog import yaml_files
from appwitness.events import Consent
from appwitness.support.errors import FileError

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOOKS = Path(__file__).parent.parent.parent / "hooks"


class Facts:
    """Feeds facts a second apart, and keeps the lines."""

    def __init__(self):
        self.signals = Signals()
        self.events = []

    def __call__(self, fact, **fields):
        at = AT + timedelta(seconds=len(self.events))
        self.events += self.signals.feed(
            {"fact": fact, "at": at, "app": "com.example", "pid": 7, "stack": [], **fields}
        )

    @property
    def said(self):
        return [(event.signal, event.status, event.by) for event in self.events]


@pytest.fixture
def screen():
    return Facts()


def test_permissions_are_kept_apart_from_consent(screen):
    both = ["android.permission.READ_CONTACTS", "android.permission.ACCESS_FINE_LOCATION"]
    screen("permissions_asked", permissions=both)
    screen("permissions_answered", permissions=both, granted=[True, False])
    assert screen.said == [
        ("permission_prompt", "requested", "app"),
        ("permission_prompt", "requested", "app"),
        ("permission_result", "given", "user"),
        ("permission_result", "refused", "user"),
    ]
    assert {event.scope for event in screen.events} == {"system_permission"}
    assert [event.text for event in screen.events] == both * 2
    assert {event.data for event in screen.events} == {None}


def test_what_an_app_tells_an_sdk_is_recorded_as_it_was_told(screen):
    screen("sdk_call", api="com.example.Sdk.setConsent", value="{AD=1}")
    screen("sdk_call", api="com.example.Sdk.setConsent", value="x" * 100_000)
    screen("sdk_call", api="com.example.Sdk.setConsent", value=None)
    [event, long] = screen.events
    assert (event.signal, event.status, event.by) == ("sdk_call", "requested", "app")
    assert (event.text, event.value) == ("com.example.Sdk.setConsent", "{AD=1}")
    assert long.value == "x" * 65_536


def test_what_an_app_writes_down_is_recorded_as_it_stands(screen):
    screen("preference", key="IABTCF_PurposeConsents", value="01=1", present=False)
    screen("preference", key="privacy_accepted", value="true", present=True)
    [event, before] = screen.events
    assert screen.said == [("preference", "requested", "app")] * 2
    assert (event.text, before.text) == ("IABTCF_PurposeConsents=01=1", "privacy_accepted=true")
    assert (event.at_start, before.at_start) == (None, True)
    assert {each.clock for each in screen.events} == {"device"}


def test_permissions_asked_in_one_request_say_so(screen):
    screen("permissions_asked", permissions=["android.permission.CAMERA", "android.permission.READ_CONTACTS"])
    screen("permissions_asked", permissions=["android.permission.CAMERA"])
    assert [event.note for event in screen.events] == ["one of 2 asked at once"] * 2 + [None]


@pytest.mark.parametrize(
    ("second", "after_ms", "answered", "asked"),
    [
        ("android.permission.CAMERA", 0.2, False, 1),
        ("android.permission.CAMERA", 2000, False, 2),
        ("android.permission.CAMERA", 50, True, 2),
        ("android.permission.READ_SMS", 0.2, False, 2),
    ],
)
def test_a_call_that_calls_another_of_its_name_asks_once(second, after_ms, answered, asked):
    """Android 15: Activity.requestPermissions(String[], int) calls requestPermissions(String[], int, int)."""
    signals = Signals()
    said: list[Consent] = []
    for at, name in ((AT, "android.permission.CAMERA"), (AT + timedelta(milliseconds=after_ms), second)):
        said += signals.feed({"fact": "permissions_asked", "at": at, "pid": 7, "permissions": [name]})
        if answered:
            signals.feed({"fact": "permissions_answered", "at": at, "pid": 7, "permissions": [name], "granted": [True]})
    assert len(said) == asked


def test_a_fact_that_is_not_known(screen):
    with pytest.raises(ValidationError):
        screen("surprise")


def test_the_facts_are_those_that_the_agent_sends():
    sent = {fact for path in HOOKS.glob("watch/*.ts") for fact in re.findall(r'fact: "(\w+)"', path.read_text("utf-8"))}
    known = {"permissions_asked", "permissions_answered", "sdk_call", "preference"}
    assert sent == known


def test_sdk_calls_are_told_to_the_agent():
    [first, *_] = plan()["sdk_calls"]
    assert set(json.loads(json.dumps(first))) == {"cls", "method", "argument", "key"}


def test_a_fault_in_the_words_names_the_line(tmp_path):
    path = tmp_path / "consent.yml"
    path.write_text((yaml_files.HERE / "consent.yml").read_text("utf-8") + "surprise: 1\n", "utf-8")
    with pytest.raises(FileError, match="surprise"):
        load(path)
