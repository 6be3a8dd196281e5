"""Consent that is none, that somebody merely claims, that is of an earlier run; and a no to advertising."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import HOUR, Case
from tests.recordings.builder.reads import AD, GAID, NUMBER, PHONE, POSITION

SHOP = "https://api.shop.test/v1/device"
LOG = "https://log.shop.test/v2/events"
NEARBY = "https://api.shop.test/stores?lat=31.230416&lon=121.473701"
LOGIN = "com.example.shop.Login.prefill(Login.java:31)"
STORES = "com.example.shop.Stores.nearby(Stores.java:12)"
GRANT = "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult"


def of_no_worth() -> Iterator[Case]:
    """Consent that is none, and consent that somebody merely claims."""
    yield (
        Case(
            "invalid-consent-button",
            "The only button says that the user has read it; the app takes it for a yes and sends the number.",
            plan="accept",
        )
        .asked(0.5, "温馨提示：用户协议和隐私政策")
        .tapped(2, "requested", "我知道了", note="not a clear yes or no")
        .read(3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE}, how="form", by=LOGIN)
        .finds("invalid-consent-button", "medium", "indicated")
        .finds("read-before-consent", "medium", "proven", "phone_number")
        .finds("sent-before-consent", "high", "proven", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "invalid-consent-button-nearly",
            "A first screen is closed with Continue, the next one asks in clear words and is answered with a "
            "clear yes.",
            nearly="invalid-consent-button",
        )
        .asked(0.5, "Welcome. Our privacy policy")
        .tapped(1, "requested", "Continue", note="not a clear yes or no")
        .asked(1.2, "Privacy policy")
        .tapped(3, "given", "I agree")
        .read(4, NUMBER, LOGIN)
        .sent(5, SHOP, {"tel": PHONE}, by=LOGIN)
    )
    yield (
        Case(
            "pre-ticked-consent",
            "The box beside 我已阅读并同意 was ticked when the dialog came up; the user taps the button under it.",
        )
        .asked(0.5, "用户协议和隐私政策", ticked=True)
        .tapped(2, "given", "同意并登录", ticked=True)
        .read(3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE}, by=LOGIN)
        .finds("pre-ticked-consent", "medium", "indicated")
        .finds("read-before-consent", "medium", "proven", "phone_number")
        .finds("sent-before-consent", "high", "proven", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "pre-ticked-consent-nearly",
            "The box was empty when the dialog came up, and ticked by the time the user tapped the button.",
            nearly="pre-ticked-consent",
        )
        .asked(0.5, "用户协议和隐私政策", ticked=False)
        .tapped(4, "given", "同意并登录", ticked=True)
        .read(5, NUMBER, LOGIN)
        .sent(6, SHOP, {"tel": PHONE}, by=LOGIN)
    )
    yield (
        Case(
            "no-first-run-notice",
            "A clean install is opened and used for a minute; nothing ever tells the user of a privacy policy, and the "
            "number is read. A permission prompt is no notice.",
            plan="silent",
        )
        .launched()
        .prompted(2, "READ_PHONE_NUMBERS", ["phone_number"])
        .answered(4, "READ_PHONE_NUMBERS", ["phone_number"], True)
        .read(5, NUMBER, LOGIN)
        .finds("no-first-run-notice", "medium", "indicated")
        .finds("permission-before-purpose", "low", "indicated", "phone_number")
        .finds("read-before-consent", "medium", "indicated", "phone_number")
    )
    yield (
        Case(
            "no-first-run-notice-nearly",
            "The notice comes up late, after the first read: too early a read, but there is a notice.",
            nearly="no-first-run-notice",
            plan="silent",
        )
        .launched()
        .read(1, NUMBER, LOGIN)
        .asked(6)
        .finds("read-before-consent", "medium", "indicated", "phone_number")
    )
    yield (
        Case(
            "consent-claimed-without-action",
            "The app tells an SDK in Application.onCreate that the user agreed, before anybody was asked; the "
            "SDK waits "
            "for the real answer and reads nothing.",
        )
        .claimed(
            0.2,
            "sdk_call",
            "given",
            GRANT,
            "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult(UMConfigure.java)",
            "com.example.shop.App.onCreate(App.java:22)",
        )
        .agreed()
        .finds("consent-claimed-without-action", "medium", "indicated")
    )
    yield (
        Case(
            "consent-claimed-without-action-nearly",
            "The SDK is told 'not agreed' at start, and 'agreed' 20 ms after the tap; the preference is written "
            "then too.",
            nearly="consent-claimed-without-action",
        )
        .claimed(0.2, "sdk_call", "refused", GRANT, "com.example.shop.App.onCreate(App.java:22)")
        .agreed()
        .claimed(2.02, "sdk_call", "given", GRANT, "com.example.shop.Policy.yes(Policy.java:40)")
        .claimed(2.03, "preference", "given", "privacy_agreed=true", "com.example.shop.Policy.yes(Policy.java:41)")
    )
    yield (
        Case(
            "claimed-consent",
            "The app tells an SDK and its own store that the user agreed, and the system grants a permission; "
            "the user was "
            "never asked.",
            plan="silent",
        )
        .launched()
        .claimed(0.1, "sdk_call", "requested", GRANT, "com.example.shop.App.onCreate(App.java:22)", value="true")
        .claimed(0.2, "preference", "requested", "privacy_agreed=true", "com.example.shop.App.onCreate(App.java:23)")
        .answered(0.3, "ACCESS_FINE_LOCATION", ["location"], True)
        .read(1, POSITION, STORES)
        .sent(2, NEARBY, by=STORES)
        .finds("consent-claimed-without-action", "medium", "indicated")
        .finds("no-first-run-notice", "medium", "indicated")
        .finds("read-before-consent", "high", "proven", "location")
        .finds("sent-before-consent", "high", "proven", "location", "api.shop.test")
    )
    yield (
        Case(
            "consent-from-earlier-run",
            "Nothing is asked in this run: the user agreed a day before, in an earlier run of an install that "
            "was not clean.",
        )
        .asked(-24 * HOUR)
        .tapped(-24 * HOUR + 3, "given", "Agree")
        .launched()
        .sent(4, LOG, {"events": [{"name": "open"}]})
        .finds("consent-from-earlier-run", "info", "indicated")
    )
    yield (
        Case(
            "consent-in-the-store",
            "The app's store said yes when the run began: the install was not clean, and what was asked back "
            "then nobody "
            "saw. What is read and sent now is no proof of its being too early.",
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
            "consent-from-earlier-run-nearly",
            "The device's clock is an hour behind: its lines seem to be of before the run, and are not.",
            nearly="consent-from-earlier-run",
            offset_ms=-HOUR * 1000,
        )
        .asked(-HOUR + 0.5)
        .tapped(-HOUR + 2, "given", "Agree")
        .read(-HOUR + 3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE})
    )


def opted_out() -> Iterator[Case]:
    """Personalised advertising was switched off."""
    ads = "https://bid.adnet.test/v2/request"
    load = "com.adnet.sdk.Banner.load(Banner.java:77)"
    shared = "We share your advertising ID with AdNet"
    yield (
        Case(
            "ads-after-opt-out",
            "The user agrees in general and to the sharing, then switches personalised ads off; the advertising "
            "identifier "
            "still goes to the ad network.",
        )
        .agreed()
        .separately(2.5, "third_party_separate", "given", shared, ["advertising_id"])
        .tapped(10, "withdrawn", "个性化广告", scope="ads_tracking")
        .read(12, AD, load)
        .sent(13, ads, {"app": "shop", "device": {"ifa": GAID}}, how="gzip", by=load)
        .finds("ads-after-opt-out", "high", "corroborated", "advertising_id", "bid.adnet.test")
    )
    yield (
        Case(
            "ads-after-opt-out-nearly",
            "The identifier goes to the ad network before the opt-out; afterwards requests carry zeros in its place.",
            nearly="ads-after-opt-out",
        )
        .agreed()
        .separately(2.5, "third_party_separate", "given", shared, ["advertising_id"])
        .read(5, AD, load)
        .sent(6, ads, {"app": "shop", "device": {"ifa": GAID}}, how="gzip", by=load)
        .tapped(10, "withdrawn", "个性化广告", scope="ads_tracking")
        .sent(13, ads, {"app": "shop", "device": {"ifa": "00000000-0000-0000-0000-000000000000", "lmt": 1}}, by=load)
    )


def by_itself() -> Iterator[Case]:
    """What the app says of the answer while it sends, presses by itself, or leaves no choice about."""
    ads = "https://bid.adnet.test/v2/request"
    load = "com.adnet.sdk.Banner.load(Banner.java:77)"
    yield (
        Case(
            "sent-against-own-record",
            "The user agrees; later the app writes down that the policy is not accepted any more, by a screen of its "
            "own that nobody saw, and goes on sending the number.",
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE}, by=LOGIN)
        .claimed(20, "preference", "refused", "privacy_accepted=false", "com.example.shop.Privacy.off(Privacy.java:9)")
        .sent(25, SHOP, {"tel": PHONE}, by=LOGIN)
        .finds("sent-against-own-record", "medium", "indicated", "phone_number", "api.shop.test", ["consents.jsonl:3"])
    )
    yield (
        Case(
            "sent-against-own-record-nearly",
            "The app's store says no at its start, the user agrees in this run, and the key of a dialog that need not "
            "be shown any more is false: none of them is a no that still stands.",
            nearly="sent-against-own-record",
        )
        .claimed(0.2, "preference", "refused", "privacy_accepted=false", at_start=True)
        .agreed()
        .claimed(2.1, "preference", "refused", "need_show_user_agreement=false")
        .read(3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE}, by=LOGIN)
    )
    yield (
        Case(
            "advertising-against-own-record",
            "The user agrees in general and to the sharing; the request that carries the advertising identifier says "
            "itself that ads are not to be personalised. The number for the app's own server is another matter.",
        )
        .agreed()
        .separately(2.5, "third_party_separate", "given", "We share your advertising ID", ["advertising_id"])
        .read(5, AD, load)
        .sent(6, f"{ads}?npa=1", {"app": "shop", "device": {"ifa": GAID}}, by=load)
        .read(7, NUMBER, LOGIN)
        .sent(8, SHOP, {"tel": PHONE}, by=LOGIN)
        .finds("sent-against-own-record", "medium", "indicated", "advertising_id", "bid.adnet.test")
    )
    yield (
        Case(
            "agreed-by-itself",
            "The dialog is up, and the app's own code presses Agree; the number is read and sent.",
            plan="silent",
        )
        .asked(0.5)
        .tapped(0.7, "given", "Agree", by="app", stack=["com.example.shop.Policy.skip(Policy.java:12)"])
        .read(3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE}, by=LOGIN)
        .finds("agreed-by-itself", "medium", "indicated")
        .finds("read-before-consent", "medium", "proven", "phone_number")
        .finds("sent-before-consent", "high", "proven", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "agreed-by-itself-nearly",
            "The user touches a row, whose handler presses the button inside it: the touch is there.",
            nearly="agreed-by-itself",
        )
        .asked(0.5)
        .tapped(2, "given", "Agree", by="app")
        .tapped(2.001, "given", "Agree")
        .read(3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE}, by=LOGIN)
    )
    yield (
        Case("forced-consent", "The only button says: agree, and whoever does not, leave. The yes counts.")
        .asked(0.5, "用户协议和隐私政策")
        .tapped(2, "given", "同意(不同意请退出)")
        .read(3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE}, by=LOGIN)
        .finds("forced-consent", "medium", "indicated")
    )
    yield (
        Case(
            "forced-consent-nearly",
            "The button for a yes says no more than that; the one beside it leaves the app, and is not touched.",
            nearly="forced-consent",
        )
        .asked(0.5, "用户协议和隐私政策")
        .tapped(2, "given", "同意并继续")
        .read(3, NUMBER, LOGIN)
        .sent(4, SHOP, {"tel": PHONE}, by=LOGIN)
    )
    yield (
        Case(
            "tap-against-mark",
            "The agent sees a touch on Agree, and a second later the operator marks a no: the last word counts, and "
            "what rests on it is not proven.",
        )
        .asked(0.5)
        .tapped(2, "given", "Agree")
        .marked(3, "refused", "tapped Disagree")
        .read(4, NUMBER, LOGIN)
        .sent(5, SHOP, {"tel": PHONE}, by=LOGIN)
        .finds("read-after-refusal", "high", "corroborated", "phone_number", None, ["consents.jsonl:2"])
        .finds("sent-after-refusal", "high", "corroborated", "phone_number", "api.shop.test", ["consents.jsonl:2"])
    )


def cases() -> Iterator[Case]:
    """All of this module."""
    yield from of_no_worth()
    yield from by_itself()
    yield from opted_out()
