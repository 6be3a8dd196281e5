"""Lawful behaviour that looks like something else: nothing at level medium or above may be found in it either."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import Case
from tests.recordings.builder.kinds import PASTE
from tests.recordings.builder.reads import AD, CLIPBOARD, GAID, NUMBER, PHONE, POSITION, Read
from tests.recordings.builder.tcf import consent_string

SHOP = "https://api.shop.test/v1/login"
LOGIN = "com.example.shop.Login.prefill(Login.java:31)"
ANDROID_ID = Read("android.provider.Settings$Secure.getString", "android_id", ("android_id", "5f0c2a91d3b7e846"))
ACCOUNT = Read("android.accounts.Account.getName", "account_id", ("account_id", "mei.lin.wang.77120"))
MODEL = Read("android.os.Build.MODEL", "device_model_os", ("device_model_os", "Pixel 7 Pro (cheetah)"))
MICROPHONE = ("RECORD_AUDIO", ["audio_recording"])


def ways_to_agree() -> Iterator[Case]:
    """A yes that is one, though it does not look like the others."""
    yield (
        Case(
            "clean-signed-in-with-a-tick",
            "The box beside the policy comes up empty; the user ticks it and touches the button, which says no more "
            "than 'sign in'.",
        )
        .launched()
        .asked(0.6, "登录", ticked=False)
        .tapped(4, "requested", "登录", ticked=True, note="not a clear yes or no")
        .read(4.2, NUMBER, LOGIN)
        .sent(5, SHOP, {"tel": PHONE})
    )
    yield (
        Case(
            "clean-second-run",
            "The app was used before: its store says yes when the run begins, and nothing is asked. Whether that yes "
            "came in time this run cannot show.",
            persona=(("phone_number", PHONE),),
        )
        .launched()
        .claimed(0.3, "preference", "given", "privacy_agreed=true", at_start=True)
        .read(4, NUMBER, LOGIN)
        .sent(5, SHOP, {"tel": PHONE})
        .finds("consent-from-earlier-run", "info", "indicated")
        .finds("read-before-consent", "info", "indicated", "phone_number")
        .finds("sent-before-consent", "info", "indicated", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "clean-marked-late",
            "No hook can read this app's buttons: the operator notes the yes a second and a half after the tap, which "
            "the app has answered at once by telling its SDK.",
        )
        .launched()
        .asked(0.6)
        .claimed(3, "sdk_call", "given", "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult")
        .marked(4.5, "given", "tapped Agree")
        .read(6, NUMBER, LOGIN)
        .sent(7, SHOP, {"tel": PHONE})
    )
    yield (
        Case(
            "clean-choices-shown-again",
            "The user agreed to personalised ads; when the choices are opened again, the box shows that.",
        )
        .launched()
        .agreed()
        .separately(4, "ads_tracking", "given", "Personalised ads")
        .asked(20, "Personalised ads", scope="ads_tracking", ticked=True)
        .asked(20, "Privacy policy", ticked=True)
        .tapped(22, "requested", "OK")
    )
    yield (
        Case(
            "clean-ads-agreed",
            "Personalised ads are asked about apart and agreed to; the ad network then knows the user by the "
            "advertising identifier.",
        )
        .launched()
        .agreed()
        .separately(4, "ads_tracking", "given", "Personalised ads")
        .read(8, AD, "com.adnet.sdk.Ids.read(Ids.java:17)")
        .sent(9, f"https://bid.adnet.test/v2/request?ifa={GAID}", by="com.adnet.sdk.Net.call(Net.java:60)")
        .finds("third-party-not-covered", "low", "corroborated", "advertising_id", "bid.adnet.test")
    )
    yield (
        Case(
            "clean-just-in-time",
            "The identifier goes out 4 ms before the yes to it, by clocks that may be 20 ms apart.",
        )
        .clocks_agree_to(20)
        .launched()
        .agreed()
        .asked(4, "Share with our partners", scope="third_party_separate")
        .read(4.5, AD, "com.adnet.sdk.Ids.read(Ids.java:17)")
        .tapped(6, "given", "Agree", scope="third_party_separate")
        .sent(5.996, f"https://bid.adnet.test/v2/request?ifa={GAID}", by="com.adnet.sdk.Net.call(Net.java:60)")
    )


def without_a_yes() -> Iterator[Case]:
    """What needs none."""
    yield (
        Case(
            "clean-nothing-of-the-user",
            "A calculator asks nothing: it reads what kind of device this is, and that is all.",
        )
        .launched()
        .read(1, MODEL, "com.example.shop.Layout.choose(Layout.java:12)")
        .finds("read-before-consent", "low", "indicated", "device_model_os")
    )
    yield (
        Case(
            "clean-pasted-before-agreeing",
            "While the question is open the user pastes a text: it is the user who hands it over.",
            plan="silent",
        )
        .launched()
        .asked(0.6)
        .read(4, CLIPBOARD, *PASTE)
        .finds("read-before-consent", "low", "indicated", "clipboard")
    )
    yield (
        Case(
            "clean-no-gdpr-here",
            "The request says that the GDPR does not apply, and fills in the flag of consent as a matter of form.",
            plan="silent",
        )
        .launched()
        .asked(0.6)
        .sent(2, f"https://bid.adnet.test/v2/request?gdpr=0&gdpr_consent={consent_string([1, 2, 3, 4])}")
        .sent(3, "https://bid.adnet.test/v2/init?gdpr=0&gdpr_consent=1")
    )


def in_its_place() -> Iterator[Case]:
    """With consent, where and when the user wants it."""
    yield (
        Case(
            "clean-signed-in-on-this-device",
            "The app's own server is told who signs in, and on which device.",
        )
        .launched()
        .agreed()
        .read(4, ANDROID_ID, LOGIN)
        .read(4, ACCOUNT, LOGIN)
        .sent(5, SHOP, {"user": "mei.lin.wang.77120", "device": "5f0c2a91d3b7e846"})
        .finds("identifiers-bridged", "low", "proven", "android_id", "api.shop.test")
    )
    yield (
        Case(
            "clean-woken-map",
            "A map with consent is woken by a broadcast and looks where it is, which is what it is there for.",
            app="com.example.wander",
            app_type=1,
        )
        .launched()
        .agreed()
        .phase(10, "background")
        .phase(12, "exited")
        .phase(40, "started")
        .phase(40.1, "mark", "started by a broadcast: android.intent.action.MY_PACKAGE_REPLACED")
        .read(41, POSITION, "com.example.wander.Widget.update(Widget.java:20)")
        .finds("read-at-self-start", "low", "indicated", "location")
    )
    yield (
        Case(
            "clean-left-after-denying",
            "The user denies the microphone, goes on for a while, leaves the app, and the system ends its process.",
        )
        .launched()
        .agreed()
        .prompted(4, *MICROPHONE)
        .answered(5, *MICROPHONE, granted=False)
        .phase(7, "background")
        .phase(9.6, "exited")
    )
    yield (
        Case(
            "clean-withdrawal-sent",
            "The app's own server is told who has taken consent back; nothing follows.",
            plan="withdraw",
        )
        .launched()
        .agreed()
        .read(4, ACCOUNT, LOGIN)
        .sent(5, SHOP, {"user": "mei.lin.wang.77120"})
        .tapped(20, "withdrawn", "撤回同意")
        .sent(20.4, "https://api.shop.test/v1/withdraw", {"user": "mei.lin.wang.77120"})
        .finds("sent-after-withdrawal", "low", "proven", "account_id", "api.shop.test")
    )


def cases() -> Iterator[Case]:
    """All of this module."""
    yield from ways_to_agree()
    yield from without_a_yes()
    yield from in_its_place()
