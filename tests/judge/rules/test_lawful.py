"""Runs that look like something else: beside each lawful one the unlawful one from which it differs in one thing."""

from typing import Any

import pytest

from tests.judge.rules.test_each import CAMERA, OWN, PASTE, agreed, answered, apart, listed, reads, run, sends, together
from tests.judge.scenario import Scenario

MATTERS = ("high", "medium")


def asked(second, **more):
    return lambda scenario: scenario.asked(second, **more)


def says(second, status, **more):
    return lambda scenario: scenario.says(second, status, **more)


def phase(second, state, **more):
    return lambda scenario: scenario.phase(second, state, **more)


def claims(second, **more):
    return lambda scenario: scenario.claims(second, **more)


def uncertain(scenario):
    """The clocks of device and host may be 20 ms apart."""
    scenario.flows = [flow.model_copy(update={"uncertainty_ms": 20}) for flow in scenario.flows]


def denied(second):
    return lambda scenario: scenario.answered(second, CAMERA, "refused")


def stored(note):
    """The app's store says yes, as noted."""
    return lambda scenario: scenario.says(
        0.3, "given", signal="preference", by="app", text="privacy_agreed=1", note=note
    )


WOKEN = [phase(0, "started"), phase(0.1, "mark", text="started by a broadcast: BOOT_COMPLETED")]
MARK = {"by": "operator", "signal": "operator"}
AD_NETWORK = "bid.adnet.test"
PAIRS: list[tuple[str, str, list[Any], list[Any], dict[str, Any]]] = [
    (
        "read-before-consent",
        "a box that the user ticked, and one that nobody did",
        [asked(1, ticked=False), says(3, "requested", text="登录", ticked=True), reads()],
        [asked(1, ticked=True), says(3, "requested", text="登录", ticked=True), reads()],
        {"start": Scenario},
    ),
    (
        "read-before-consent",
        "what the user pastes, and what the app looks into",
        [asked(1), listed("clipboard", 1, stack=PASTE)],
        [asked(1), listed("clipboard", 1, stack=OWN)],
        {"start": Scenario},
    ),
    (
        "read-before-consent",
        "a yes that the store had, and one that the app wrote at once",
        [stored("present at start"), reads()],
        [stored(None), reads()],
        {"start": Scenario},
    ),
    (
        "sent-before-consent",
        "a yes that the store had, and one that the app wrote at once",
        [stored("present at start"), sends()],
        [stored(None), sends()],
        {"start": Scenario},
    ),
    (
        "sent-before-consent",
        "advertising that was asked about apart: its own identifier, and another",
        [apart("ads_tracking", "given"), sends("advertising_id", AD_NETWORK)],
        [apart("ads_tracking", "given"), sends("android_id", AD_NETWORK)],
        {"start": Scenario},
    ),
    (
        "sent-after-refusal",
        "advertising that was asked about apart, with a yes and with a no",
        [answered("refused"), apart("ads_tracking", "given"), sends("oaid", AD_NETWORK)],
        [answered("refused"), apart("ads_tracking", "refused"), sends("oaid", AD_NETWORK)],
        {"start": Scenario},
    ),
    (
        "read-after-refusal",
        "what the user pastes, and what the app looks into",
        [answered("refused"), listed("clipboard", 1, stack=PASTE)],
        [answered("refused"), listed("clipboard", 1, stack=OWN)],
        {"start": Scenario},
    ),
    (
        "read-after-withdrawal",
        "what the user pastes, and what the app looks into",
        [answered("withdrawn"), listed("clipboard", 1, stack=PASTE)],
        [answered("withdrawn"), listed("clipboard", 1, stack=OWN)],
        {},
    ),
    (
        "sent-after-withdrawal",
        "the message that says who withdrew, and one a minute later",
        [
            says(5, "withdrawn"),
            lambda scenario: scenario.sends(5.5, scenario.reads(1, "account_id"), data="account_id"),
        ],
        [says(5, "withdrawn"), lambda scenario: scenario.sends(65, scenario.reads(1, "account_id"), data="account_id")],
        {},
    ),
    (
        "sent-after-withdrawal",
        "the message that says who withdrew, to the maker and to an ad network",
        [
            says(5, "withdrawn"),
            lambda scenario: scenario.sends(5.5, scenario.reads(1, "account_id"), data="account_id"),
        ],
        [says(5, "withdrawn"), lambda s: s.sends(5.5, s.reads(1, "account_id"), AD_NETWORK, "account_id")],
        {},
    ),
    (
        "third-party-not-covered",
        "advertising that was asked about apart: its own identifier, and another",
        [apart("ads_tracking", "given"), sends("oaid", AD_NETWORK)],
        [apart("ads_tracking", "given"), sends("phone_number", AD_NETWORK)],
        {},
    ),
    (
        "third-party-not-covered",
        "a yes of the same moment, by clocks that may be apart, and one that came later",
        [sends(host=AD_NETWORK), says(6.015, "given", scope="third_party_separate"), uncertain],
        [sends(host=AD_NETWORK), says(6.025, "given", scope="third_party_separate"), uncertain],
        {},
    ),
    (
        "third-party-not-covered",
        "the basic function of a map, to its own server and to an ad network",
        [answered("refused", text="仅浏览"), sends("location")],
        [answered("refused", text="仅浏览"), sends("location", AD_NETWORK)],
        {"start": Scenario, "app_type": 1},
    ),
    (
        "ads-after-opt-out",
        "a no of the same moment, by clocks that may be apart, and one that came before",
        [says(5.985, "refused", scope="ads_tracking"), sends("oaid"), uncertain],
        [says(5.975, "refused", scope="ads_tracking"), sends("oaid"), uncertain],
        {},
    ),
    (
        "identifiers-bridged",
        "who signs in on which device, and the advertising identifier beside it",
        [together("android_id", "account_id")],
        [together("android_id", "advertising_id")],
        {},
    ),
    (
        "no-first-run-notice",
        "what every app sees of the device, and the number",
        [phase(0.4, "foreground"), reads("device_model_os")],
        [phase(0.4, "foreground"), reads()],
        {"start": Scenario},
    ),
    (
        "pre-ticked-consent",
        "the user's own choice shown again, and a choice of the app",
        [apart("ads_tracking", "given"), asked(9, scope="ads_tracking", ticked=True)],
        [apart("ads_tracking", "refused"), asked(9, scope="ads_tracking", ticked=True)],
        {},
    ),
    (
        "invalid-consent-button",
        "OK after a clear yes, and OK alone",
        [asked(1), says(2, "given", text="Agree"), says(4, "requested", text="OK")],
        [asked(1), says(4, "requested", text="OK")],
        {"start": Scenario},
    ),
    (
        "read-at-self-start",
        "what the app is there for, and what it is not",
        [*WOKEN, reads("location")],
        [*WOKEN, reads("device_contacts")],
        {"app_type": 1},
    ),
    (
        "forced-permission",
        "the user leaves, and the app goes by itself",
        [denied(5), phase(6, "background"), phase(9, "exited")],
        [denied(5), phase(8.9, "background"), phase(9, "exited")],
        {},
    ),
    (
        "consent-claimed-without-action",
        "marked a moment after the tap that nobody saw, and long after",
        [asked(1), claims(3), says(4.5, "given", **MARK)],
        [asked(1), claims(3), says(9, "given", **MARK)],
        {"start": Scenario},
    ),
    (
        "consent-claimed-without-action",
        "claimed while the question was open, and before it was asked",
        [asked(1), claims(3), says(4.5, "given", **MARK)],
        [claims(0.1), asked(1), says(4.5, "given", **MARK)],
        {"start": Scenario},
    ),
    (
        "consent-claimed-on-wire",
        "with a yes in the store from an earlier run, and without",
        [stored("present at start"), claims(3, kind="tcf", host=AD_NETWORK)],
        [claims(3, kind="tcf", host=AD_NETWORK)],
        {"start": Scenario},
    ),
]


@pytest.mark.parametrize(
    ("rule", "lawful", "unlawful", "known"),
    [pytest.param(case[0], *case[2:], id=f"{case[0]}: {case[1]}") for case in PAIRS],
)
def test_what_is_lawful_weighs_little_and_what_is_not_is_found(rule, lawful, unlawful, known):
    known = {"start": agreed} | known
    assert [each.level for each in run(*lawful, **known).of(rule) if each.level in MATTERS] == []
    assert [each.level in MATTERS for each in run(*unlawful, **known).of(rule)] == [True]
