"""Runs that look like something else: beside each lawful one the unlawful one from which it differs in one thing."""

from typing import Any

import pytest

from tests.judge.rules.test_each import (
    BASIC,
    CAMERA,
    FRESH,
    MAPS,
    OWN,
    PASTE,
    answered,
    apart,
    it,
    listed,
    reads,
    run,
    sends,
    together,
)

MATTERS = ("high", "medium")


def uncertain(scenario):
    """The clocks of device and host may be 20 ms apart."""
    scenario.flows = [flow.model_copy(update={"uncertainty_ms": 20}) for flow in scenario.flows]


def tells(second, host="api.shop.test"):
    """Who is signed in, read before, is sent."""
    return lambda scenario: scenario.sends(second, scenario.reads(1, "account_id"), host, "account_id")


def stored(note):
    """The app's store says yes, as noted."""
    return it.says(0.3, "given", signal="preference", by="app", text="privacy_agreed=1", note=note)


DENIED = it.answered(5, CAMERA, "refused")
WOKEN = [it.phase(0, "started"), it.phase(0.1, "mark", text="started by a broadcast: BOOT_COMPLETED")]
MARK = {"by": "operator", "signal": "operator"}
AD_NETWORK = "bid.adnet.test"
PAIRS: dict[str, list[tuple[Any, ...]]] = {
    "read-before-consent": [
        (
            "a box that the user ticked, and one that nobody did",
            [it.asked(1, ticked=False), it.says(3, "requested", text="登录", ticked=True), reads()],
            [it.asked(1, ticked=True), it.says(3, "requested", text="登录", ticked=True), reads()],
            FRESH,
        ),
        (
            "what the user pastes, and what the app looks into",
            [it.asked(1), listed("clipboard", 1, stack=PASTE)],
            [it.asked(1), listed("clipboard", 1, stack=OWN)],
            FRESH,
        ),
        (
            "a yes that the store had, and one that the app wrote at once",
            [stored("present at start"), reads()],
            [stored(None), reads()],
            FRESH,
        ),
    ],
    "sent-before-consent": [
        (
            "a yes that the store had, and one that the app wrote at once",
            [stored("present at start"), sends()],
            [stored(None), sends()],
            FRESH,
        ),
        (
            "advertising that was asked about apart: its own identifier, and another",
            [apart("ads_tracking", "given"), sends("advertising_id", AD_NETWORK)],
            [apart("ads_tracking", "given"), sends("android_id", AD_NETWORK)],
            FRESH,
        ),
    ],
    "sent-after-refusal": [
        (
            "advertising that was asked about apart, with a yes and with a no",
            [answered("refused"), apart("ads_tracking", "given"), sends("oaid", AD_NETWORK)],
            [answered("refused"), apart("ads_tracking", "refused"), sends("oaid", AD_NETWORK)],
            FRESH,
        )
    ],
    "read-after-refusal": [
        (
            "what the user pastes, and what the app looks into",
            [answered("refused"), listed("clipboard", 1, stack=PASTE)],
            [answered("refused"), listed("clipboard", 1, stack=OWN)],
            FRESH,
        )
    ],
    "read-after-withdrawal": [
        (
            "what the user pastes, and what the app looks into",
            [answered("withdrawn"), listed("clipboard", 1, stack=PASTE)],
            [answered("withdrawn"), listed("clipboard", 1, stack=OWN)],
        )
    ],
    "sent-after-withdrawal": [
        (
            "the message that says who withdrew, and one a minute later",
            [it.says(5, "withdrawn"), tells(5.5)],
            [it.says(5, "withdrawn"), tells(65)],
        ),
        (
            "the message that says who withdrew, to the maker and to an ad network",
            [it.says(5, "withdrawn"), tells(5.5)],
            [it.says(5, "withdrawn"), tells(5.5, AD_NETWORK)],
        ),
    ],
    "third-party-not-covered": [
        (
            "advertising that was asked about apart: its own identifier, and another",
            [apart("ads_tracking", "given"), sends("oaid", AD_NETWORK)],
            [apart("ads_tracking", "given"), sends("phone_number", AD_NETWORK)],
        ),
        (
            "a yes of the same moment, by clocks that may be apart, and one that came later",
            [sends(host=AD_NETWORK), it.says(6.015, "given", scope="third_party_separate"), uncertain],
            [sends(host=AD_NETWORK), it.says(6.025, "given", scope="third_party_separate"), uncertain],
        ),
        (
            "the basic function of a map, to its own server and to an ad network",
            [BASIC, sends("location")],
            [BASIC, sends("location", AD_NETWORK)],
            FRESH | MAPS,
        ),
    ],
    "ads-after-opt-out": [
        (
            "a no of the same moment, by clocks that may be apart, and one that came before",
            [it.says(5.985, "refused", scope="ads_tracking"), sends("oaid"), uncertain],
            [it.says(5.975, "refused", scope="ads_tracking"), sends("oaid"), uncertain],
        )
    ],
    "identifiers-bridged": [
        (
            "who signs in on which device, and the advertising identifier beside it",
            [together("android_id", "account_id")],
            [together("android_id", "advertising_id")],
        )
    ],
    "no-first-run-notice": [
        (
            "what every app sees of the device, and the number",
            [it.phase(0.4, "foreground"), reads("device_model_os")],
            [it.phase(0.4, "foreground"), reads()],
            FRESH,
        )
    ],
    "pre-ticked-consent": [
        (
            "the user's own choice shown again, and a choice of the app",
            [apart("ads_tracking", "given"), it.asked(9, scope="ads_tracking", ticked=True)],
            [apart("ads_tracking", "refused"), it.asked(9, scope="ads_tracking", ticked=True)],
        )
    ],
    "invalid-consent-button": [
        (
            "OK after a clear yes, and OK alone",
            [it.asked(1), it.says(2, "given", text="Agree"), it.says(4, "requested", text="OK")],
            [it.asked(1), it.says(4, "requested", text="OK")],
            FRESH,
        )
    ],
    "read-at-self-start": [
        (
            "what the app is there for, and what it is not",
            [*WOKEN, reads("location")],
            [*WOKEN, reads("device_contacts")],
            MAPS,
        )
    ],
    "forced-permission": [
        (
            "the user leaves, and the app goes by itself",
            [DENIED, it.phase(6, "background"), it.phase(9, "exited")],
            [DENIED, it.phase(8.9, "background"), it.phase(9, "exited")],
        )
    ],
    "consent-claimed-without-action": [
        (
            "marked a moment after the tap that nobody saw, and long after",
            [it.asked(1), it.claims(3), it.says(4.5, "given", **MARK)],
            [it.asked(1), it.claims(3), it.says(9, "given", **MARK)],
            FRESH,
        ),
        (
            "claimed while the question was open, and before it was asked",
            [it.asked(1), it.claims(3), it.says(4.5, "given", **MARK)],
            [it.claims(0.1), it.asked(1), it.says(4.5, "given", **MARK)],
            FRESH,
        ),
    ],
    "consent-claimed-on-wire": [
        (
            "with a yes in the store from an earlier run, and without",
            [stored("present at start"), it.claims(3, kind="tcf", host=AD_NETWORK)],
            [it.claims(3, kind="tcf", host=AD_NETWORK)],
            FRESH,
        )
    ],
}


@pytest.mark.parametrize(
    ("rule", "lawful", "unlawful", "known"),
    [
        pytest.param(rule, lawful, unlawful, *known or [{}], id=f"{rule}: {name}")
        for rule, pairs in PAIRS.items()
        for name, lawful, unlawful, *known in pairs
    ],
)
def test_what_is_lawful_weighs_little_and_what_is_not_is_found(rule, lawful, unlawful, known):
    assert [each.level for each in run(*lawful, **known).of(rule) if each.level in MATTERS] == []
    assert [each.level in MATTERS for each in run(*unlawful, **known).of(rule)] == [True]
