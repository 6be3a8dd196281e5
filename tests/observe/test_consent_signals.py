"""What a screen says of consent: a no is not a yes, and "Got it" is neither."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor import catalog
from monitor.errors import FileError
from monitor.events import Consent
from monitor.observe.consent_signals import Signals, load, normal_label

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = {
    "texts": ["Privacy policy", "We use your contacts and location as our privacy policy says."],
    "labels": ["Agree", "Disagree"],
}
HOOKS = Path(__file__).parent.parent.parent / "hooks"


class Screen:
    """Feeds facts a second apart, and keeps what they mean."""

    def __init__(self):
        self.signals = Signals()
        self.events = []

    def __call__(self, fact, **fields):
        at = AT + timedelta(seconds=len(self.events))
        self.events += self.signals.feed(
            {"fact": fact, "at": at, "app": "com.example", "pid": 7, "stack": [], **fields}
        )

    def tap(self, label, *, on=POLICY, by_finger=True, **fields):
        self("tap", label=label, input=by_finger, **{**on, **fields})

    @property
    def said(self):
        return [(event.signal, event.status, event.by) for event in self.events]


@pytest.fixture
def screen():
    return Screen()


@pytest.mark.parametrize(
    ("label", "choice"),
    [
        ("Agree", "agree"),
        ("AGREE & CONTINUE", "agree"),
        ("I Agree", "agree"),
        ("Yes, I agree!", "agree"),
        ("Accept all (5s)", "agree"),
        ("同意", "agree"),
        ("同意并继续", "agree"),
        ("同 意 并 继 续", "agree"),
        ("同意（5秒）", "agree"),
        ("ＡＧＲＥＥ", "agree"),
        ("J'accepte", "agree"),
        ("Zustimmen", "agree"),
        ("Disagree", "refuse"),
        ("不同意", "refuse"),
        ("不同意并退出APP", "refuse"),
        ("不同意 (3s)", "refuse"),
        ("I do not agree", "refuse"),
        ("Don't agree", "refuse"),
        ("Don\u2019t agree", "refuse"),
        ("Continue without agreeing", "refuse"),
        ("Continue without accepting →", "refuse"),
        ("同意しない", "refuse"),
        ("동의 안함", "refuse"),
        ("Nur notwendige", "refuse"),
        ("No, thanks", "refuse"),
        ("仅浏览", "basic"),
        ("Continue as guest", "basic"),
        ("Got it", "ambiguous"),
        ("知道了", "ambiguous"),
        ("OK", "ambiguous"),
        ("Continue", "ambiguous"),
        ("Privacy policy", None),
        ("Disagreements", None),
        ("", None),
        ("By using this app you agree to our terms and to the processing of your data", None),
    ],
)
def test_what_a_label_chooses(label, choice):
    assert Signals().choice(label) == choice


@pytest.mark.parametrize("kind", ["refuse", "basic", "later", "agree", "ambiguous", "closing"])
def test_every_label_of_the_catalog_is_found_in_its_own_list(kind):
    signals = Signals()
    for words in getattr(load(), kind).values():
        assert {word: signals.choice(word) for word in words} == dict.fromkeys(words, kind)


def test_no_label_stands_in_two_lists():
    words = load()
    seen = [
        normal_label(word)
        for kind in ("refuse", "basic", "later", "agree", "ambiguous", "closing")
        for word in {normal_label(w) for language in getattr(words, kind).values() for w in language}
    ]
    assert len(seen) == len(set(seen))


def test_asked_and_agreed(screen):
    screen("dialog", id=1, **POLICY)
    screen.tap("Agree")
    screen("closed", id=1, how="dismiss")
    assert screen.said == [("dialog", "requested", "app"), ("tap", "given", "user")]
    assert [event.text for event in screen.events] == ["Privacy policy", "Agree"]
    assert {(event.scope, event.app, event.pid) for event in screen.events} == {("general_policy", "com.example", 7)}


def test_asked_and_refused(screen):
    screen("dialog", id=1, **POLICY)
    screen.tap("Disagree")
    screen("closed", id=1, how="dismiss")
    assert screen.said[1:] == [("tap", "refused", "user")]


def test_got_it_is_not_consent(screen):
    on = {"texts": POLICY["texts"], "labels": ["Got it"]}
    screen("dialog", id=1, **on)
    screen.tap("Got it", on=on)
    screen("closed", id=1, how="dismiss")
    assert screen.said == [("dialog", "requested", "app"), ("tap", "requested", "user"), ("dialog", "dismissed", "app")]
    assert screen.events[1].note == "not a clear yes or no"


def test_the_back_key_is_a_dismissal_by_the_user(screen):
    screen("dialog", id=1, **POLICY)
    screen("closed", id=1, how="cancel")
    screen("closed", id=1, how="dismiss")
    assert screen.said[1:] == [("dialog", "dismissed", "user")]


def test_an_app_that_presses_its_own_button_is_not_the_user(screen):
    screen("dialog", id=1, **POLICY)
    screen.tap("Agree", by_finger=False)
    assert screen.said[1:] == [("tap", "given", "app")]


def test_basic_function_only_is_a_refusal(screen):
    on = {"texts": ["隐私政策", "请阅读"], "labels": ["同意", "仅浏览"]}
    screen.tap("仅浏览", on=on)
    assert screen.said == [("tap", "refused", "user")]
    assert screen.events[0].note == "basic function only"


def test_a_yes_beside_an_empty_box_is_not_one(screen):
    box = {"text": "I have read and agree to the Privacy Policy", "checked": False}
    screen.tap("Agree", checks=[box])
    screen.tap("Agree", checks=[{**box, "checked": True}])
    assert [event.status for event in screen.events] == ["requested", "given"]


@pytest.mark.parametrize(
    "other",
    [
        {"texts": ["Delete this photo?"], "labels": ["OK", "Cancel"]},
        {"texts": ["Friend request", "Ann wants to be your friend"], "labels": ["Accept", "Decline"]},
        {"texts": ["Rate us"], "labels": ["No thanks", "Continue"]},
        {"texts": [], "labels": []},
    ],
)
def test_other_dialogs_say_nothing(screen, other):
    screen("dialog", id=1, **other)
    for label in other["labels"]:
        screen.tap(label, on=other)
    screen("closed", id=1, how="cancel")
    assert screen.events == []


def test_a_screen_without_a_heading_is_known_by_its_words_and_its_buttons(screen):
    screen("dialog", id=1, texts=["Our partners and vendors use your data."], labels=["Accept all", "Reject all"])
    assert screen.said == [("dialog", "requested", "app")]


def test_a_full_screen_that_is_no_dialog(screen):
    screen.tap(
        "同意并继续", on={"texts": ["欢迎", "请阅读《隐私政策》和《用户协议》"], "labels": ["同意并继续", "不同意"]}
    )
    assert screen.said == [("tap", "given", "user")]


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("Before we begin.", "general_policy"),
        ("We need your separate consent for face data.", "sensitive_separate"),
        ("需要您单独同意处理敏感个人信息", "sensitive_separate"),
        ("个人信息将向第三方提供", "third_party_separate"),
        ("您的信息将出境", "cross_border_separate"),
        ("For children: parental consent is needed.", "minor_guardian"),
        ("See personalised ads.", "ads_tracking"),
    ],
)
def test_scope(screen, text, scope):
    on = {"texts": ["Privacy notice", text], "labels": ["Agree", "Disagree"]}
    screen("dialog", id=1, **on)
    screen.tap("Agree", on=on)
    assert [event.scope for event in screen.events] == [scope, scope]


def test_a_withdrawal(screen):
    screen.tap("Withdraw consent", on={"texts": ["Settings"], "labels": ["Withdraw consent"]})
    assert screen.said == [("tap", "withdrawn", "user")]


BOX = {"text": "I have read and agree to the Privacy Policy", "checked": True}
CHOICES = {
    "texts": ["Your privacy", "Choose what we may do."],
    "labels": ["Reject all", "Save selection", "Accept all"],
    "checks": [
        {"text": "Personalised ads", "checked": True},
        {"text": "Transfer outside the EU", "checked": False},
        {"text": "Night mode", "checked": True},
    ],
}


def test_a_box_that_was_ticked_when_it_appeared(screen):
    screen("dialog", id=1, **POLICY, checks=[BOX])
    screen("dialog", id=2, **POLICY, checks=[{**BOX, "checked": False}])
    screen("dialog", id=3, **POLICY)
    assert [event.ticked for event in screen.events] == [True, False, None]
    screen.tap("Agree", checks=[BOX])
    assert screen.events[-1].ticked is True


@pytest.mark.parametrize(
    ("label", "whole", "ads", "abroad"),
    [
        ("Save selection", "given", "given", "refused"),
        ("Accept all", "given", "given", "given"),
        ("Reject all", "refused", "refused", "refused"),
    ],
)
def test_choices_of_their_own(screen, label, whole, ads, abroad):
    screen("dialog", id=1, **CHOICES)
    asked = len(screen.events)
    screen.tap(label, on=CHOICES)
    assert [(event.scope, event.ticked) for event in screen.events[:asked]] == [
        ("general_policy", None),
        ("ads_tracking", True),
        ("cross_border_separate", False),
    ]
    assert {event.scope: event.status for event in screen.events[asked:]} == {
        "general_policy": whole,
        "ads_tracking": ads,
        "cross_border_separate": abroad,
    }


def test_nothing_chosen_is_a_no(screen):
    on = {**CHOICES, "checks": [{"text": "Personalised ads", "checked": False}]}
    screen.tap("Save selection", on=on)
    assert [event.status for event in screen.events] == ["refused", "refused"]
    assert screen.events[0].note == "0 of 1 choices ticked"


def test_a_choice_that_is_ticked_by_hand_is_no_answer_yet(screen):
    screen.tap("Personalised ads", on=CHOICES, ticked=False)
    assert screen.events == []


def test_a_switch_of_the_settings(screen):
    on = {"texts": ["Settings"], "labels": [], "checks": [{"text": "Personalised ads", "checked": True}]}
    screen.tap("Personalised ads", on=on, ticked=True)
    screen.tap("Personalised ads", on=on, ticked=False)
    screen.tap("Night mode", on=on, ticked=True)
    assert [(event.status, event.scope) for event in screen.events] == [
        ("withdrawn", "ads_tracking"),
        ("given", "ads_tracking"),
    ]


def test_a_policy_that_names_everything_is_about_the_policy(screen):
    text = "Our privacy policy tells which sensitive personal data we share with third parties."
    on = {"texts": ["Privacy policy", text], "labels": ["Agree", "Disagree"]}
    screen("dialog", id=1, **on)
    screen("dialog", id=2, **{**on, "texts": ["Sensitive personal information", text]})
    assert [event.scope for event in screen.events] == ["general_policy", "sensitive_separate"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["隐私政策更新", "请阅读"], "隐私政策更新"),
        (["Privacy policy", "We have updated our privacy policy."], "Privacy policy: updated our privacy policy"),
        (["Privacy policy", "We use your contacts."], "Privacy policy"),
    ],
)
def test_a_policy_that_has_changed_says_so(screen, texts, said):
    screen("dialog", id=1, texts=texts, labels=["Agree", "Disagree"])
    assert [event.text for event in screen.events] == [said]


def test_a_full_screen_asks_once_however_often_it_comes_back(screen):
    box = {"text": "我已阅读并同意", "checked": False}
    on = {"texts": ["欢迎", "请阅读《隐私政策》"], "labels": ["登录"], "checks": [box]}
    screen("screen", **on)
    screen("screen", texts=["Settings", "Privacy policy"], labels=["Back"])
    screen.tap("不同意", on={**on, "labels": ["不同意", "登录"]})
    screen("screen", **on)
    assert screen.said == [("dialog", "requested", "app"), ("tap", "refused", "user")]
    assert screen.events[0].ticked is False


def test_a_withdrawal_where_the_policy_is_named_too(screen):
    settings = {"texts": ["Settings", "Privacy policy"], "labels": ["Withdraw consent", "Back"]}
    screen("screen", **settings)
    screen.tap("Withdraw consent", on=settings)
    ask = {"texts": ["Withdraw consent?", "We delete your personal data."], "labels": ["Cancel", "OK"]}
    screen("dialog", id=1, **ask)
    screen.tap("OK", on=ask)
    assert screen.said == [("tap", "withdrawn", "user")]


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
    known = {"dialog", "screen", "closed", "tap", "permissions_asked", "permissions_answered", "sdk_call", "preference"}
    assert sent == known


def test_sdk_calls_are_told_to_the_agent():
    [first, *_] = Signals().plan()["sdk_calls"]
    assert set(json.loads(json.dumps(first))) == {"cls", "method", "argument", "key"}


def test_a_fault_in_the_words_names_the_line(tmp_path):
    path = tmp_path / "consent.yml"
    path.write_text((catalog.HERE / "consent.yml").read_text("utf-8") + "surprise: 1\n", "utf-8")
    with pytest.raises(FileError, match="surprise"):
        load(path)
