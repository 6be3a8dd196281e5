"""What the agent tells of permissions, and of what the app claims, becomes consent lines."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor import catalog
from monitor.errors import FileError
from monitor.events import Consent
from monitor.observe.consent_signals import Signals, load

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
    assert screen.events[0].data == ("device_contacts",)
    assert "location" in screen.events[1].data


def test_what_an_app_tells_an_sdk_is_a_claim(screen):
    screen("sdk_call", api="com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", value="true")
    screen("sdk_call", api="com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", value="false")
    assert screen.said == [("sdk_call", "given", "app"), ("sdk_call", "refused", "app")]


TC_STRING = "CQfAJEAQfAJEAAKABBENAwEAAP_AAAAAAAYgAMv___4AAAAA"
NO_PURPOSE = TC_STRING[:25] + "AAAAA" + TC_STRING[30:]


@pytest.mark.parametrize(
    ("key", "value", "signal", "status", "scope"),
    [
        ("IABTCF_TCString", TC_STRING, "iab_tcf", "given", "ads_tracking"),
        ("IABTCF_TCString", NO_PURPOSE, "iab_tcf", "refused", "ads_tracking"),
        ("IABTCF_TCString", "what?", "iab_tcf", "requested", "ads_tracking"),
        ("IABTCF_PurposeConsents", "0000000001", "iab_tcf", "given", "ads_tracking"),
        ("IABTCF_PurposeConsents", "0000000000", "iab_tcf", "refused", "ads_tracking"),
        ("IABTCF_AddtlConsent", "1~39.43", "iab_tcf", "given", "ads_tracking"),
        ("IABTCF_AddtlConsent", "2~~dv.70", "iab_tcf", "requested", "ads_tracking"),
        ("IABGPP_HDR_GppString", "DBABTA~1YNN", "iab_gpp", "requested", "ads_tracking"),
        ("IABUSPrivacy_String", "1YNN", "iab_gpp", "given", "ads_tracking"),
        ("IABUSPrivacy_String", "1YYN", "iab_gpp", "refused", "ads_tracking"),
        ("gad_has_consent_for_cookies", "0", "preference", "refused", "ads_tracking"),
        ("privacy_accepted", "true", "preference", "given", "general_policy"),
        ("hasAgreedPrivacyPolicy", "true", "preference", "given", "general_policy"),
        ("is_agree_protocol", "false", "preference", "refused", "general_policy"),
        ("uminit", "1", "preference", "given", "general_policy"),
    ],
)
def test_what_an_app_writes_down_is_a_claim(screen, key, value, signal, status, scope):
    screen("preference", key=key, value=value, present=False)
    screen("preference", key=key, value=value, present=True)
    [event, before] = screen.events
    assert (event.signal, event.status, event.scope, event.by) == (signal, status, scope, "app")
    assert (event.text, event.at_start, before.at_start) == (f"{key}={value}", None, True)
    assert {each.clock for each in screen.events} == {"device"}


@pytest.mark.parametrize("key", ["privacy_version", "agreed_policy_version", "theme", "is_first_launch"])
def test_keys_that_say_nothing_of_consent(screen, key):
    screen("preference", key=key, value="1", present=False)
    assert screen.events == []


@pytest.mark.parametrize(
    ("api", "value", "said"),
    [
        ("com.applovin.sdk.AppLovinPrivacySettings.setDoNotSell", "true", "refused"),
        ("com.mbridge.msdk.MBridgeSDK.setConsentStatus", "1", "given"),
        ("com.google.firebase.analytics.FirebaseAnalytics.setConsent", "{AD_STORAGE=GRANTED}", "given"),
        ("com.google.firebase.analytics.FirebaseAnalytics.setConsent", "{AD_STORAGE=DENIED, X=DENIED}", "refused"),
        ("com.sensorsdata.analytics.android.sdk.SensorsDataAPI.enableDataCollect", "true", "given"),
        ("com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", None, None),
    ],
)
def test_what_each_sdk_call_says(screen, api, value, said):
    screen("sdk_call", api=api, value=value)
    assert [event.status for event in screen.events] == ([said] if said else [])


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
    [first, *_] = Signals().plan()["sdk_calls"]
    assert set(json.loads(json.dumps(first))) == {"cls", "method", "argument", "key"}


def test_a_fault_in_the_words_names_the_line(tmp_path):
    path = tmp_path / "consent.yml"
    path.write_text((catalog.HERE / "consent.yml").read_text("utf-8") + "surprise: 1\n", "utf-8")
    with pytest.raises(FileError, match="surprise"):
        load(path)
