"""Before consent, after a refusal, in a basic mode, after a withdrawal."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import Case, sha256
from tests.recordings.builder.reads import APPS, NUMBER, PHONE, PLACE, POSITION, Read

SHOP = "https://api.shop.test/v1/device"
LOG = "https://log.shop.test/v2/events"
NEARBY = "https://api.shop.test/stores?lat=31.230416&lon=121.473701"
LOGIN = "com.example.shop.Login.prefill(Login.java:31)"
STORES = "com.example.shop.Stores.nearby(Stores.java:12)"
COLLECT = (
    "com.adnet.sdk.Identity.collect(Identity.java:40)",
    "com.adnet.sdk.InitProvider.onCreate(InitProvider.java:9)",
)
UPDATES = Read("android.location.LocationManager.requestLocationUpdates", "location")
DELIVERED = Read("android.location.LocationListener.onLocationChanged", "location", ("location", PLACE))


def before() -> Iterator[Case]:
    """Nobody had agreed yet."""
    yield (
        Case(
            "read-before-consent",
            "An SDK's content provider reads the number before the dialog is up; nothing is sent.",
        )
        .asked(0.8)
        .read(0.2, NUMBER, *COLLECT)
        .tapped(3, "given", "Agree")
        .finds("read-before-consent", "medium", "indicated", "phone_number")
    )
    yield (
        Case(
            "read-before-consent-nearly",
            "Before consent a call is denied, one gives nothing, and a listener is registered; its first delivery and "
            "the first number come after the tap.",
            nearly="read-before-consent",
        )
        .read(0.2, NUMBER, LOGIN, outcome="denied", values=())
        .read(0.3, POSITION, STORES, outcome="empty", values=())
        .read(0.4, UPDATES, STORES, outcome="requested")
        .asked(0.8)
        .tapped(3, "given", "Agree")
        .read(3.2, DELIVERED, STORES)
        .read(4, NUMBER, LOGIN)
    )
    yield (
        Case(
            "sent-before-consent",
            "The sha256 of the number is sent while the question is open; the user agrees 1.5 s later.",
        )
        .asked(0.5)
        .read(1, NUMBER, LOGIN)
        .sent(1.5, SHOP, {"os": "13", "ph": sha256(PHONE)}, by=LOGIN)
        .tapped(3, "given", "Agree")
        .finds("read-before-consent", "medium", "proven", "phone_number")
        .finds("sent-before-consent", "high", "proven", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "sent-before-consent-nearly",
            "The number is read too early, but it leaves only a millisecond after the tap; what is sent before "
            "it is the "
            "hash of another number.",
            nearly="sent-before-consent",
        )
        .asked(0.5)
        .read(1, NUMBER, LOGIN)
        .sent(1.5, SHOP, {"os": "13", "ph": sha256("+8613800138001")})
        .tapped(3, "given", "Agree")
        .sent(3.001, SHOP, {"os": "13", "ph": PHONE})
        .finds("read-before-consent", "medium", "corroborated", "phone_number")
    )
    yield (
        Case(
            "planted-value-without-access",
            "The planted number is on the wire in its national form, and no hook saw it being read: indicated, "
            "not proven.",
            plan="silent",
            persona=(("phone_number", PHONE), ("location", PLACE)),
        )
        .asked(0.5)
        .sent(2, SHOP, {"tel": "13800138000"})
        .finds("sent-before-consent", "high", "indicated", "phone_number", "api.shop.test")
    )


POLICY = {
    "package": "com.example.shop",
    "texts": ["Privacy policy", "We use your phone number as our privacy policy says."],
    "labels": ["Agree", "Disagree"],
}
"""As it is seen from outside: in Compose no hook sees it, nor the touch that answers it."""
HOME = {"package": "com.example.shop", "texts": ["Shop"], "labels": ["Search", "Basket"]}


def seen_from_outside() -> Iterator[Case]:
    """What is on the screen tells that a question stands, or that it has gone; not what a hand answered."""
    yield (
        Case("question-stands", "The number is sent while the question, drawn in Compose, is on the screen.")
        .looked(0.5, POLICY)
        .read(1, NUMBER, LOGIN)
        .sent(1.5, SHOP, {"ph": PHONE}, by=LOGIN)
        .looked(5.5, POLICY)
        .looked(9, HOME, since=8.8)
        .finds("read-before-consent", "medium", "proven", "phone_number", evidence=["screens.jsonl:1"])
        .finds("sent-before-consent", "high", "proven", "phone_number", "api.shop.test", evidence=["screens.jsonl:1"])
    )
    yield (
        Case(
            "clean-answer-not-seen",
            "The question, drawn in Compose, is gone after a touch that nobody saw, which may have been a yes.",
        )
        .looked(0.5, POLICY)
        .looked(5.5, POLICY)
        .looked(9, HOME, since=8.8)
        .read(9.2, NUMBER, LOGIN)
        .sent(9.5, SHOP, {"ph": PHONE}, by=LOGIN)
    )
    yield (
        Case(
            "answer-marked-that-was-not-seen",
            "The same, and the operator, who touched Disagree, marks it.",
            plan="refuse",
        )
        .looked(0.5, POLICY)
        .looked(9, HOME, since=8.8)
        .marked(8.9, "refused", "touched Disagree")
        .read(19.2, NUMBER, LOGIN)
        .sent(19.5, SHOP, {"ph": PHONE}, by=LOGIN)
        .finds("read-after-refusal", "high", "proven", "phone_number", evidence=["consents.jsonl:1"])
        .finds("sent-after-refusal", "high", "proven", "phone_number", "api.shop.test")
    )


def after_refusal() -> Iterator[Case]:
    """The user had said no."""
    yield (
        Case(
            "read-after-refusal",
            "The user refuses and is asked again; the number is read while the second question is open, which does not "
            "lift the refusal.",
            plan="refuse",
        )
        .asked(0.5)
        .tapped(2, "refused", "Disagree")
        .asked(4)
        .read(5, NUMBER, LOGIN)
        .finds("read-after-refusal", "high", "indicated", "phone_number")
    )
    yield (
        Case(
            "read-after-refusal-nearly",
            "The operator marked a refusal by mistake and corrected it with a later line of the same time.",
            nearly="read-after-refusal",
            plan="free",
        )
        .marked(2, "refused", "tapped the left button")
        .marked(2, "given", "corrected: the left button is Agree, see the video")
        .read(5, NUMBER, LOGIN)
    )
    yield (
        Case(
            "sent-after-refusal",
            "The user declines in German; the position read meanwhile waits in a queue and leaves in a query a "
            "second later.",
            plan="refuse",
        )
        .asked(0.5, "Wir respektieren Ihre Privatsphäre")
        .read(1.2, POSITION, STORES)
        .tapped(2, "refused", "Alle ablehnen")
        .sent(3, NEARBY, by=STORES)
        .finds("read-before-consent", "high", "corroborated", "location")
        .finds("sent-after-refusal", "high", "proven", "location", "api.shop.test")
    )
    yield (
        Case(
            "sent-after-refusal-nearly",
            "After the refusal the app still talks to its server, with what is not personal and with a coordinate of "
            "somewhere else; the closed dialog and a second question change nothing.",
            nearly="sent-after-refusal",
            plan="refuse",
            persona=(("phone_number", PHONE), ("location", PLACE)),
        )
        .asked(0.5)
        .tapped(2, "refused", "不同意")
        .tapped(2.05, "dismissed", "Privacy policy", signal="dialog", by="app")
        .sent(3, "https://api.shop.test/stores?lat=39.904211&lon=116.407395")
        .asked(4)
        .sent(5, LOG, {"events": [{"name": "refused", "os": "13", "sdk": 33}]}, how="gzip")
    )
    yield (
        Case(
            "basic-only",
            "The user enters the basic mode of a women's health app, whose basic function needs no personal "
            "data at all; "
            "the position is read and sent all the same.",
            plan="refuse",
            app_type=21,
        )
        .asked(0.5, "用户协议和隐私政策")
        .tapped(2, "refused", "进入基本功能模式", note="basic function only")
        .read(4, POSITION, STORES)
        .sent(5, NEARBY, by=STORES)
        .finds("read-after-refusal", "high", "proven", "location")
        .finds("read-outside-scope", "medium", "proven", "location")
        .finds("sent-after-refusal", "high", "proven", "location", "api.shop.test")
        .finds("sent-outside-scope", "medium", "proven", "location", "api.shop.test")
    )


def in_guest_mode() -> Iterator[Case]:
    """Nobody said what type of app it is."""
    yield (
        Case(
            "basic-only-of-no-known-type",
            "Guest mode of an app of which nobody said the type. It may be a map, so of the position little can "
            "be said; "
            "but no type of app needs the list of what is installed.",
            plan="refuse",
        )
        .asked(0.5, "Terms and privacy")
        .tapped(2, "refused", "Continue as guest", note="basic function only")
        .read(4, POSITION, STORES)
        .sent(5, NEARBY, by=STORES)
        .read(8, APPS, "com.example.shop.Risk.score(Risk.java:80)")
        .finds("installed-apps-read", "low", "indicated", "installed_apps")
        .finds("read-after-refusal", "low", "indicated", "location")
        .finds("read-after-refusal", "high", "indicated", "installed_apps")
        .finds("sent-after-refusal", "low", "indicated", "location", "api.shop.test")
    )


def after_withdrawal() -> Iterator[Case]:
    """The user had agreed and took it back."""
    yield (
        Case(
            "read-after-withdrawal",
            "Consent is withdrawn in the settings; five seconds later the position is read.",
            plan="withdraw",
        )
        .agreed()
        .tapped(20, "withdrawn", "撤回同意")
        .read(25, POSITION, STORES)
        .finds("read-after-withdrawal", "high", "indicated", "location")
    )
    yield (
        Case(
            "read-after-withdrawal-nearly",
            "The position is read just before consent is withdrawn (the device's clock is 4 s behind, the mark is the "
            "host's), and again only after the user agreed anew.",
            nearly="read-after-withdrawal",
            plan="withdraw",
            offset_ms=-4000,
        )
        .agreed()
        .read(15.9, POSITION, STORES)
        .marked(20, "withdrawn", "switched it off in the settings, account page")
        .asked(26)
        .tapped(28, "given", "同意并继续")
        .read(30, POSITION, STORES)
    )
    yield (
        Case(
            "sent-after-withdrawal",
            "Read with consent; the queue is sent 0.1 s after consent was withdrawn. The device's clock is 1.5 "
            "s ahead.",
            plan="withdraw",
            offset_ms=1500,
        )
        .asked(2)
        .tapped(3.5, "given", "Agree")
        .read(4.5, NUMBER, LOGIN)
        .tapped(11.5, "withdrawn", "Withdraw consent")
        .sent(10.1, LOG, {"events": [{"name": "login", "phone": PHONE}]}, how="base64")
        .finds("sent-after-withdrawal", "high", "proven", "phone_number", "log.shop.test")
    )
    yield (
        Case(
            "sent-after-withdrawal-nearly",
            "The number leaves 0.1 s before consent is withdrawn (the device's clock is 1.5 s ahead), and "
            "nothing of it "
            "afterwards.",
            nearly="sent-after-withdrawal",
            plan="withdraw",
            offset_ms=1500,
        )
        .asked(2)
        .tapped(3.5, "given", "Agree")
        .read(4.5, NUMBER, LOGIN)
        .tapped(11.5, "withdrawn", "Withdraw consent")
        .sent(9.9, LOG, {"events": [{"name": "login", "phone": PHONE}]})
        .sent(10.1, LOG, {"events": [{"name": "bye"}]})
    )


def cases() -> Iterator[Case]:
    """All of this module."""
    yield from before()
    yield from seen_from_outside()
    yield from after_refusal()
    yield from in_guest_mode()
    yield from after_withdrawal()
