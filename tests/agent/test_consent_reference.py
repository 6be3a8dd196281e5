"""consent.yml against the collected facts, line by line: what is not taken over has its reason here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from appwitness.agent.consent_signals import load

REFERENCE = Path(__file__).parents[1] / "judge/facts/consent.yml"

LABELS = {
    "refuse": "refuse", "basic_only": "basic", "agree": "agree", "ambiguous_not_valid": "ambiguous",
    "dialog_titles": "titles", "body_keywords": "keywords",
}  # fmt: skip
"""Lists of the reference -> those of the catalog."""

TIPS = "a heading of any dialog: one that asks for consent is known by its text and its buttons"
EXPLAINS = "a dialog that explains a permission, before the system asks for it"
COMMON = "in the text of any dialog with such a button; it would make each of them one that asks for consent"
PAGE = "opens a page of settings; what is chosen there is its own tap"
ABOUT = "about the platform or the law that applies, not what the user chose"
INTEREST = "legitimate interest is claimed without asking the user"
NOT_A_CHOICE = "that the app was opened, or the notice shown, is no choice"
STARTS = "starting an SDK says nothing of consent; what it reads is seen"
SHOWS = "says that a notice was shown; the notice itself is seen"
MADE_BEFORE = "hands over an object; the call that makes the object is in the catalog, with what it says"
STORED = "its answer is what it stores: IABTCF_ and IABGPP_ keys"
OWN_CODE = "answered by a class of the app's own each time the SDK asks: a setting, not a moment of consent"
SCRIPT = "a call of JavaScript inside a web page; the native side has no such method"

LATER = "puts the question off or closes it, which is no answer"
LEFT_OUT = {
    **dict.fromkeys(("Not now", "Close"), LATER),
    **dict.fromkeys(("温馨提示", "再次温馨提示"), TIPS),
    **dict.fromkeys(("权限说明", "权限使用说明"), EXPLAINS),
    "Personal data": TIPS,
    **dict.fromkeys(("同意", "授权", "consent"), COMMON),
    **dict.fromkeys(("个性化推荐", "个性化广告", "程序化广告", "系统权限管理", "隐私设置"), PAGE),
    **dict.fromkeys(("Privacy settings", "Privacy options", "Reset advertising ID"), PAGE),
    **dict.fromkeys(
        (
            "IABTCF_gdprApplies", "IABTCF_CmpSdkID", "IABTCF_CmpSdkVersion", "IABTCF_PolicyVersion",
            "IABTCF_PublisherCC",
            "IABTCF_PurposeOneTreatment", "IABTCF_UseNonStandardStacks", "IABTCF_PublisherRestrictions{n}",
            "IABTCF_DisclosedVendors", "IABGPP_HDR_Version", "IABGPP_HDR_Sections", "IABConsent_CMPPresent",
            "IABConsent_SubjectToGDPR",
        ),
        ABOUT,
    ),
    **dict.fromkeys(
        (
            "IABTCF_VendorLegitimateInterests", "IABTCF_PurposeLegitimateInterests",
            "IABTCF_PublisherLegitimateInterests", "IABTCF_PublisherCustomPurposesLegitimateInterests",
        ),
        INTEREST,
    ),
    **dict.fromkeys(("is_?first(_?(launch|open|run|start|install|login))?", "show_?privacy"), NOT_A_CHOICE),
    "com.igexin.sdk.PushManager": STARTS,
    "plus.runtime": SCRIPT,
    "com.bytedance.sdk.openadsdk.TTCustomController": OWN_CODE,
    "updatePrivacyShow": SHOWS,
    "startWithConfigOptions": STARTS,
    **dict.fromkeys(("setConsentData", "trackThirdPartySharing"), MADE_BEFORE),
    **dict.fromkeys(
        (
            "com.google.android.ump", "com.usercentrics.sdk", "com.sourcepoint.cmplibrary", "io.faktor",
            "com.quantcast.choicemobile", "com.iabtcf",
        ),
        STORED,
    ),
}  # fmt: skip
"""Entry of the reference -> why the catalog does not have it."""

KEYS = {
    "IABGPP_{n}_{Field}": ("IABGPP_USNAT_SaleOptOut", "IABGPP_TCFEU2_PurposeConsent", "IABGPP_TCFEU2_VendorConsents"),
    "(agree|accept|consent|grant)[a-z_]*(privacy|policy|protocol|agreement|terms|gdpr)": (
        "agree_privacy", "acceptTerms",
    ),
    "(privacy|policy|protocol|agreement|terms|gdpr)[a-z_]*(agree|accept|consent|grant|confirm|show|version)": (
        "privacy_agreed", "gdprConsent",
    ),
    "has_?(agreed|accepted)": ("has_agreed", "hasAccepted"),
    "user_?agreement": ("user_agreement", "userAgreement"),
    "yinsi": ("yinsi_ok",),
    "xieyi": ("xieyi",),
    "uminit": ("uminit",),
}  # fmt: skip
"""Patterns of the reference -> keys that apps use."""


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(REFERENCE.read_text("utf-8"))
    return data


OPT_OUTS = ("Do Not Sell", "Limit the Use")
"""These turn off a use of its own, and take back no consent to the policy."""


def not_taken(entries, taken) -> list[str]:
    return [entry for entry in entries if entry not in taken and entry not in LEFT_OUT]


@pytest.mark.parametrize("kind", LABELS)
def test_labels(reference, kind):
    ours = getattr(load(), LABELS[kind])
    for language, labels in reference["texts"][kind].items():
        assert not_taken(labels, ours.get(language, ())) == [], language


def test_boxes_hints_and_ways_to_withdraw(reference):
    words, texts = load(), reference["texts"]
    assert not_taken(reference["checkbox"], words.checkboxes["zh"]) == []
    for language in ("zh", "en"):
        left = not_taken(texts["withdraw_entry"][language], words.withdraw[language])
        assert all(entry.startswith(OPT_OUTS) for entry in left)
    phrases = [phrase for scope in words.scopes for phrase in scope.phrases]
    hints = [hint for hints in texts["separate_consent_hints"].values() for hint in hints]
    assert [hint for hint in hints if not any(phrase.startswith(hint) for phrase in phrases)] == []


def test_a_button_that_opens_options_chooses_nothing(reference):
    options = [label for labels in reference["texts"]["options"].values() for label in labels]
    chosen = {label: load().choice(label) for label in options}
    assert {label for label, choice in chosen.items() if choice is not None} <= {"Confirm choices", "Save selection"}


def test_keys_of_preferences(reference):
    keys = reference["keys"]
    patterns = [preference.keys for preference in load().preferences]
    wanted = [key for names in keys.values() for name in names for key in KEYS.get(name, (name,))]
    assert (
        not_taken(wanted, [key for key in wanted if any(re.search(one, key, re.IGNORECASE) for one in patterns)]) == []
    )


def test_calls_by_which_an_app_tells_an_sdk(reference):
    ours = {(call.cls, call.method) for call in load().sdk_calls}
    same = {"com.appsflyer.AppsFlyerLib": "com.appsflyer.AppsFlyerConsent"}
    missing, cls = [], ""
    for owner_named, called in reference["calls"]:
        cls = cls if owner_named == "same" else owner_named
        methods = re.findall(r"\b([a-z]\w+)(?=\(| /|$| \+)", re.sub(r"\([^)]*\)", "()", called))
        ours_of = {method for owner, method in ours if owner == same.get(cls, cls)}
        if cls not in LEFT_OUT and not ours_of:
            missing.append(cls)
        missing += [f"{cls}.{m}" for m in methods if ours_of and m not in ours_of | LEFT_OUT.keys() | {"commit"}]
    assert missing == []


def test_platforms_that_ask_for_consent(reference):
    ours = [call.cls for call in load().sdk_calls]
    packages = reference["platforms"]
    assert not_taken(packages, [name for name in packages if any(cls.startswith(name) for cls in ours)]) == []


def test_states_and_scopes(reference):
    named = {call.scope for call in load().sdk_calls} | {entry.scope for entry in load().scopes}
    assert named <= set(reference["scopes"])


def test_what_is_left_out_is_in_the_reference_and_not_in_the_catalog(reference):
    text = REFERENCE.read_text("utf-8")
    assert [entry for entry in LEFT_OUT if entry not in text] == []
    assert {call.cls for call in load().sdk_calls} & LEFT_OUT.keys() == set()
