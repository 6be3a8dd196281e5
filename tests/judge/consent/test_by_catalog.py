"""Permissions and claims of the app mean what the catalog says when a recording is judged, not when it was made."""

from datetime import UTC, datetime

import pytest

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import Consent, made
from appwitness.events.seen import see
from appwitness.judge.consent import Timeline, consents, understood

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)
RAW = {"at": AT, "app": "com.example", "by": "app", "status": "requested"}


def read(words=WORDS, **fields):
    """What a recorded line means; None where it says nothing of consent."""
    seen = understood(see("consents.jsonl:1", made(Consent, {**RAW, **fields}), 0), words)
    return seen and seen.event


def permission(name, signal="permission_prompt", data=None, words=WORDS):
    return read(words, signal=signal, scope="system_permission", text=name, data=data).data


@pytest.mark.parametrize(
    ("name", "recorded", "data"),
    [
        ("android.permission.READ_CONTACTS", None, ("device_contacts",)),
        ("android.permission.READ_CONTACTS", ("email",), ("device_contacts",)),
        ("android.permission-group.CONTACTS", None, ("device_contacts", "accounts_on_device", "email")),
        ("android.permission-group.NOTIFICATIONS", None, ()),
        ("com.example.permission.UNKNOWN", ("email",), ("email",)),
        ("Allow this?", None, None),
        ("android.permission-group.UNKNOWN", ("email",), ("email",)),
    ],
)
def test_a_permission_guards_what_the_catalog_says(name, recorded, data):
    assert permission(name, data=recorded) == data
    assert permission(name, "permission_result", recorded) == data


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
        ("IABTCF_PurposeConsents", "", "iab_tcf", "requested", "ads_tracking"),
        ("IABTCF_AddtlConsent", "1~39.43", "iab_tcf", "given", "ads_tracking"),
        ("IABTCF_AddtlConsent", "2~~dv.70", "iab_tcf", "requested", "ads_tracking"),
        ("IABGPP_HDR_GppString", "DBABTA~1YNN", "iab_gpp", "requested", "ads_tracking"),
        ("IABUSPrivacy_String", "1YNN", "iab_gpp", "requested", "ads_tracking"),
        ("IABUSPrivacy_String", "1YYN", "iab_gpp", "refused", "ads_tracking"),
        ("IABGPP_USCA_SaleOptOut", "1", "iab_gpp", "refused", "ads_tracking"),
        ("IABGPP_USCA_SaleOptOut", "2", "iab_gpp", "requested", "ads_tracking"),
        ("gad_rdp", "0", "preference", "requested", "ads_tracking"),
        ("gad_has_consent_for_cookies", "0", "preference", "refused", "ads_tracking"),
        ("privacy_accepted", "true", "preference", "given", "general_policy"),
        ("hasAgreedPrivacyPolicy", "true", "preference", "given", "general_policy"),
        ("is_agree_protocol", "false", "preference", "refused", "general_policy"),
        ("uminit", "1", "preference", "given", "general_policy"),
    ],
)
def test_what_an_app_writes_down_is_a_claim(key, value, signal, status, scope):
    raw = read(signal="preference", text=f"{key}={value}")
    assert (raw.signal, raw.status, raw.scope, raw.by) == (signal, status, scope, "app")
    # as recordings of before have it
    assert read(signal=signal, status=status, scope=scope, text=f"{key}={value}") == raw


@pytest.mark.parametrize("key", ["privacy_version", "agreed_policy_version", "theme", "is_first_launch"])
def test_a_key_that_the_catalog_does_not_know_means_what_was_recorded(key):
    assert read(signal="preference", text=f"{key}=1").status == "requested"
    assert read(signal="preference", text=f"{key}=1", status="given").status == "given"


@pytest.mark.parametrize(
    ("api", "value", "said"),
    [
        ("com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", "true", "given"),
        ("com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", "false", "refused"),
        ("com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", "perhaps", None),
        ("com.applovin.sdk.AppLovinPrivacySettings.setDoNotSell", "true", "refused"),
        ("com.applovin.sdk.AppLovinPrivacySettings.setDoNotSell", "false", None),
        ("com.mbridge.msdk.MBridgeSDK.setConsentStatus", "1", "given"),
        ("com.google.firebase.analytics.FirebaseAnalytics.setConsent", "{AD_STORAGE=GRANTED}", "given"),
        ("com.google.firebase.analytics.FirebaseAnalytics.setConsent", "{AD_STORAGE=DENIED, X=DENIED}", "refused"),
        ("com.sensorsdata.analytics.android.sdk.SensorsDataAPI.enableDataCollect", "true", "given"),
        ("com.example.Sdk.setConsent", "true", None),
    ],
)
def test_what_each_sdk_call_says(api, value, said):
    line = read(signal="sdk_call", text=api, value=value)
    assert (line and line.status) == said


def test_an_sdk_call_recorded_without_its_argument_stays_as_it_was_understood():
    line = read(signal="sdk_call", text="com.example.Sdk.setConsent", status="refused", scope="ads_tracking")
    assert (line.status, line.scope) == ("refused", "ads_tracking")


def test_what_an_operator_notes_is_not_read_anew():
    noted = {"by": "operator", "status": "given", "text": "privacy_accepted=false"}
    assert read(signal="preference", **noted).status == "given"


def test_a_changed_catalog_judges_an_old_recording_anew():
    guards = {**WORDS.permissions, "android.permission.READ_CONTACTS": ("accounts_on_device",)}
    [other] = [one for one in WORDS.preferences if one.keys == "^gad_rdp$"]
    better = WORDS.model_copy(
        update={
            "permissions": guards,
            "preferences": (other.model_copy(update={"given": "^1$", "refused": "^0$", "scope": "general_policy"}),),
        }
    )
    assert permission("android.permission.READ_CONTACTS", data=("device_contacts",), words=better) == (
        "accounts_on_device",
    )
    old = {"signal": "preference", "status": "refused", "scope": "ads_tracking", "text": "gad_rdp=1"}
    assert (read(**old).status, read(**old).scope) == ("refused", "ads_tracking")
    assert (read(better, **old).status, read(better, **old).scope) == ("given", "general_policy")


def test_the_lines_of_a_recording_are_read_so():
    raw = [
        made(Consent, {**RAW, "signal": "sdk_call", "text": "com.example.Sdk.setConsent", "value": "true"}),
        made(Consent, {**RAW, "signal": "permission_prompt", "text": "android.permission.READ_SMS"}),
    ]
    lines = consents([see(f"consents.jsonl:{at}", line, 0) for at, line in enumerate(raw, 1)], WORDS)
    assert [(line.ref, line.event.data) for line in lines] == [("consents.jsonl:2", ("sms_content", "phone_number"))]
    assert Timeline(lines, labels=WORDS).at(AT, "phone_number", "system_permission").state == "requested"
