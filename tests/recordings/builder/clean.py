"""Lawful behaviour: nothing at level medium or above may be found in it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import HOUR, Case
from tests.recordings.builder.kinds import PASTE
from tests.recordings.builder.permissions import CONTACTS as CONTACTS_PERMISSION
from tests.recordings.builder.permissions import LOCATION, MICROPHONE
from tests.recordings.builder.reads import (
    AD,
    CARD,
    CLIPBOARD,
    CONTACTS,
    FILLED,
    GAID,
    NUMBER,
    OAID,
    OPEN,
    PEOPLE,
    PHONE,
    PLACE,
    POSITION,
)
from tests.recordings.builder.tcf import consent_string

EVERYTHING_DECLARED = """\
first_party: [shop.test]
territory: CN
audience: general
app_type: 6
data:
  - {type: phone_number, purposes: [signing in, delivery]}
  - {type: location, purposes: [shops nearby]}
  - {type: oaid, purposes: [statistics]}
recipients:
  - {name: Shop, hosts: [shop.test], purposes: [signing in, shops nearby], data: [phone_number, location]}
  - {name: Umeng, hosts: [umeng.com], party: third, country: CN, purposes: [statistics], data: [oaid]}
sdks:
  - {name: Umeng, packages: [com.umeng]}
"""
CHILDREN = """\
first_party: [stories.test]
audience: children
data:
  - {type: phone_number, purposes: [a parent's account]}
recipients:
  - {name: Stories, hosts: [stories.test], purposes: [a parent's account], data: [phone_number]}
"""


def answers() -> Iterator[Case]:
    """Whatever the user answers, the app keeps to it."""
    yield (
        Case("clean-consent-first", "Asked first, agreed, then read and sent to the app's own server under TLS.")
        .launched()
        .agreed()
        .read(4, NUMBER, "com.example.shop.Login.prefill(Login.java:31)")
        .sent(
            5,
            "https://api.shop.test/v1/login",
            {"phone": PHONE},
            how="gzip",
            by="com.example.shop.Api.post(Api.java:52)",
        )
        .sent(9, "https://cdn.shop.test/img/7781.webp?w=640")
    )
    yield (
        Case(
            "clean-refused-and-quiet",
            "The user disagrees; the app goes on without: it reads nothing and says so to its SDK.",
            plan="refuse",
        )
        .launched()
        .asked(0.6, "用户协议和隐私政策")
        .tapped(3, "refused", "不同意")
        .claimed(
            3.1,
            "sdk_call",
            "refused",
            "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult",
            "com.example.shop.Policy.no(Policy.java:44)",
        )
        .sent(5, "https://api.shop.test/v1/catalogue?page=1")
        .phase(40, "background")
    )
    yield (
        Case(
            "clean-untouched",
            "Nobody touches anything: the dialog stays open, and the app waits with reading and with its SDKs.",
            plan="silent",
        )
        .launched()
        .asked(0.6)
        .sent(0.9, "https://api.shop.test/v1/config?v=1.0")
        .phase(30, "screen_off")
    )
    yield (
        Case(
            "clean-withdrawn-and-quiet",
            "Agreed, used, withdrawn; from then on nothing is read or sent, and the app is opened once more.",
            plan="withdraw",
            ends=HOUR,
        )
        .launched()
        .agreed()
        .read(4, POSITION, "com.example.shop.Stores.nearby(Stores.java:12)")
        .sent(5, "https://api.shop.test/stores?lat=31.230416&lon=121.473701")
        .tapped(30, "withdrawn", "撤回同意")
        .sent(31, "https://api.shop.test/v1/withdraw", {"ok": True})
        .phase(60, "background")
        .phase(900, "foreground")
        .sent(905, "https://api.shop.test/v1/catalogue?page=1")
    )
    yield (
        Case(
            "clean-basic-mode",
            "A map in its basic mode, without an account: it needs to know where it is, and reads that while it "
            "is on the "
            "screen.",
            app="com.example.wander",
            app_type=1,
            plan="refuse",
        )
        .launched()
        .asked(0.6, "服务协议和隐私政策")
        .tapped(3, "refused", "仅使用基本功能", note="basic function only")
        .read(8, POSITION, "com.example.wander.Map.locate(Map.java:90)")
        .sent(9, "https://tiles.wander.test/12/3431/1673.pbf")
    )
    yield (
        Case(
            "clean-consent-string",
            "The user allows measurement and refuses personalised ads; the TC string says exactly that, and the "
            "request "
            "carries nothing of the user.",
        )
        .launched()
        .asked(0.6, "We value your privacy")
        .tapped(4, "given", "Accept", note="privacy policy")
        .asked(4.5, "Personalised ads", scope="ads_tracking")
        .tapped(6, "refused", "Decline", scope="ads_tracking")
        .claimed(
            6.2,
            "iab_tcf",
            "refused",
            f"IABTCF_TCString={consent_string([1, 7, 8, 10])}",
            "com.example.shop.Choice.save(Choice.java:70)",
            scope="ads_tracking",
        )
        .sent(8, f"https://bid.adnet.test/v2/request?gdpr=1&gdpr_consent={consent_string([1, 7, 8, 10])}&npa=1")
    )
    yield (
        Case(
            "clean-all-accepted",
            "The user accepts all, ads too; the string says so, and the advertising identifier goes where the "
            "user was told.",
        )
        .launched()
        .asked(0.6, "We value your privacy")
        .tapped(4, "given", "Accept all")
        .asked(4.5, "Personalised ads", scope="ads_tracking")
        .tapped(6, "given", "Accept", scope="ads_tracking")
        .separately(7, "third_party_separate", "given", "We share your advertising ID with AdNet", ["advertising_id"])
        .claimed(
            8.2, "iab_tcf", "given", f"IABTCF_TCString={consent_string(range(1, 11), [755])}", scope="ads_tracking"
        )
        .read(10, AD, "com.adnet.sdk.Banner.load(Banner.java:77)")
        .sent(
            11,
            "https://bid.adnet.test/v2/request",
            {"user": {"consent": consent_string(range(1, 11), [755])}, "device": {"ifa": GAID}},
            by="com.adnet.sdk.Net.post(Net.java:31)",
        )
    )

    yield (
        Case(
            "clean-marked-by-hand",
            "An app whose screens no hook can read: the operator notes the question and the yes. The device's clock is "
            "half a minute ahead of the operator's.",
            plan="free",
            offset_ms=30_000,
        )
        .phase(30.1, "started")
        .phase(30.4, "foreground")
        .marked(1, "requested", "privacy policy on the whole screen")
        .marked(4, "given", "tapped the blue button", text="Agree and continue")
        .prompted(35, *LOCATION)
        .answered(37, *LOCATION, granted=True)
        .read(38, POSITION, "com.example.shop.Stores.nearby(Stores.java:12)")
        .sent(8.5, "https://api.shop.test/stores?lat=31.230416&lon=121.473701")
    )
    yield (
        Case(
            "clean-typed-by-the-user",
            "The user types the planted number to sign in: it is in a request, and no API gave it.",
            app_type=4,
            persona=(("phone_number", PHONE),),
        )
        .launched()
        .agreed()
        .sent(20, "https://api.shop.test/v1/login", {"tel": "13800138000", "code": "4471"}, how="form")
    )


def apps() -> Iterator[Case]:
    """Apps that take what they need."""
    yield (
        Case(
            "clean-messenger",
            "A messenger within its scope: a phone number to register, under consent; a friend is picked in the "
            "system's "
            "list, one row, and invited by the user's own text message.",
            app="com.example.parley",
            app_type=3,
        )
        .launched()
        .agreed()
        .read(6, NUMBER, "com.example.parley.Register.prefill(Register.java:40)")
        .sent(7, "https://api.parley.test/v1/register", {"phone": PHONE}, by="com.example.parley.Api.post(Api.java:31)")
        .read(
            20,
            CONTACTS,
            "com.example.parley.Invite.picked(Invite.java:22)",
            values=PEOPLE[4:6],
            target="content://com.android.contacts/data/12",
        )
        .sent(30, "wss://chat.parley.test/socket", {"to": "u/771", "text": "hello"}, via="websocket")
        .finds("read-outside-scope", "low", "indicated", "device_contacts")
    )
    located = Case(
        "clean-map",
        "A map on the screen: the position every ten seconds while the user walks, and nothing when the user leaves.",
        app="com.example.wander",
        app_type=1,
        ends=300,
    ).launched()
    located.asked(0.6, "用户协议和隐私政策").tapped(3, "given", "同意并继续")
    located.prompted(5, *LOCATION).answered(7, *LOCATION, granted=True)
    for step in range(6):
        place = f"31.23{step}416,121.47{step}701"
        located.read(
            10 + 10 * step, POSITION, "com.example.wander.Map.onLocation(Map.java:90)", values=(("location", place),)
        )
        located.sent(
            10.4 + 10 * step,
            "https://route.wander.test/v1/next",
            {"ll": place},
            by="com.example.wander.Route.ask(Route.java:12)",
        )
    yield located.phase(90, "background").phase(95, "screen_off")
    yield (
        Case(
            "clean-permission-after-notice",
            "First the notice, then, when the user taps the microphone, a permission; denied once, and never "
            "asked for again.",
        )
        .launched()
        .agreed()
        .prompted(20, *MICROPHONE)
        .answered(22, *MICROPHONE, granted=False)
        .sent(30, "https://api.shop.test/v1/search?q=shoes")
        .prompted(40, *CONTACTS_PERMISSION)
        .answered(42, *CONTACTS_PERMISSION, granted=True)
        .phase(55, "background")
    )
    yield (
        Case("clean-paste", "The clipboard is read when the user pastes, and at no other time; the coupon is sent.")
        .launched()
        .agreed()
        .read(20, CLIPBOARD, *PASTE, values=(("clipboard", "SPRING-7716-4420-ABKX"),))
        .sent(22, "https://api.shop.test/v1/coupon", {"code": "SPRING-7716-4420-ABKX"}, how="form")
    )
    yield (
        Case(
            "clean-shop",
            "A shop that hashes nothing and sends nothing of the user: pictures, a catalogue, a basket of its "
            "own numbers.",
            persona=(("phone_number", PHONE), ("location", PLACE)),
        )
        .launched()
        .agreed()
        .sent(
            5,
            "https://api.shop.test/v1/catalogue",
            {"page": 1, "basket": "9f86d081884c7d659a2feaa0c55ad015"},
            how="gzip",
        )
        .sent(6, "https://cdn.shop.test/img/13800138001.webp")
        .sent(7, "https://api.shop.test/v1/basket", {"items": [13800138, 8000], "area": [31.2, 121.4]}, how="form")
    )
    yield (
        Case(
            "clean-bank",
            "A payment app: the card number after a question of its own, under TLS, to the bank.",
            app="com.example.harbourbank",
            app_type=5,
        )
        .launched()
        .agreed()
        .separately(10, "sensitive_separate", "given", "敏感个人信息：银行卡号用于绑定", ["bank_card"])
        .read(20, FILLED, "com.example.harbourbank.Bind.fill(Bind.java:15)")
        .sent(
            22,
            "https://api.harbourbank.test/v1/bind",
            {"card": CARD},
            how="base64",
            by="com.example.harbourbank.Api.post(Api.java:31)",
        )
    )
    yield (
        Case(
            "clean-game",
            "A game that needs nothing: it shows its notice, reads nothing, and fetches levels.",
            app="com.example.marbles",
            persona=(("phone_number", PHONE),),
        )
        .launched()
        .agreed()
        .sent(5, "https://levels.marbles.test/v1/next?level=12")
        .sent(9, "https://levels.marbles.test/v1/score", {"level": 12, "points": 88_000}, how="gzip")
        .phase(40, "background")
    )
    yield (
        Case(
            "clean-declared",
            "A shop for China that does what its policy says: the number and the position to itself, the OAID to an "
            "analytics company that the user was asked about.",
            policy=EVERYTHING_DECLARED,
        )
        .launched()
        .agreed()
        .separately(5, "third_party_separate", "given", "向第三方提供设备标识（友盟）", ["oaid"])
        .read(8, NUMBER, "com.example.shop.Login.prefill(Login.java:31)")
        .read(9, OPEN, "com.umeng.commonsdk.Idfa.read(Idfa.java:40)")
        .read(10, POSITION, "com.example.shop.Stores.nearby(Stores.java:12)")
        .sent(11, "https://api.shop.test/v1/login", {"phone": PHONE}, how="gzip")
        .sent(12, "https://api.shop.test/stores?lat=31.230416&lon=121.473701")
        .sent(
            13,
            "https://ulogs.umeng.com/unify_logs",
            {"appkey": "5f2a", "oaid": OAID},
            how="form",
            by="com.umeng.analytics.Sender.post(Sender.java:61)",
        )
        .finds("read-outside-scope", "low", "proven", "location")
        .finds("read-outside-scope", "low", "proven", "oaid")
        .finds("sent-outside-scope", "low", "proven", "location", "api.shop.test")
        .finds("sent-outside-scope", "low", "proven", "oaid", "ulogs.umeng.com")
    )
    yield (
        Case(
            "clean-children",
            "Stories for children: a parent is asked, agrees, and gives the number for the parent's account.",
            app="com.example.stories",
            policy=CHILDREN,
        )
        .launched()
        .agreed()
        .separately(5, "minor_guardian", "given", "儿童个人信息：监护人同意")
        .read(20, NUMBER, "com.example.stories.Parent.prefill(Parent.java:9)")
        .sent(22, "https://api.stories.test/v1/parent", {"phone": PHONE})
    )


def surroundings() -> Iterator[Case]:
    """What looks like more than it is."""
    yield (
        Case(
            "clean-two-processes",
            "The app keeps its push service in a process of its own, which never shows anything; it works while "
            "the user "
            "looks at the app.",
        )
        .launched()
        .agreed()
        .phase(5, "started")
        .read(6, NUMBER, "com.example.shop.push.Register.run(Register.java:17)")
        .within(4711)
        .sent(
            7,
            "https://push.shop.test/v1/register",
            {"tel": PHONE},
            by="com.example.shop.push.Register.run(Register.java:21)",
        )
        .phase(40, "background")
    )
    yield (
        Case(
            "clean-within-the-union",
            "For users of the EU: a German company counts installs, under the advertising identifier, after a "
            "question of "
            "its own; that is not abroad.",
            territory="EU",
        )
        .launched()
        .agreed()
        .separately(4, "third_party_separate", "given", "Share with our partners: Adjust GmbH", ["advertising_id"])
        .read(8, AD, "com.adjust.sdk.Util.getPlayAdId(Util.java:120)")
        .sent(
            9,
            "https://app.adjust.com/session",
            {"gps_adid": GAID, "environment": "production"},
            how="form",
            by="com.adjust.sdk.Sender.send(Sender.java:40)",
        )
    )
    yield (
        Case(
            "clean-crash-report",
            "Before anybody agreed the app crashes; the report tells a third party what happened and on what kind of "
            "device, and nothing of the user.",
            plan="silent",
            persona=(("phone_number", PHONE), ("location", PLACE)),
        )
        .launched()
        .asked(0.6)
        .sent(
            3,
            "https://o4471.ingest.sentry.io/api/1/envelope/",
            {
                "exception": "NullPointerException",
                "os": "Android 13",
                "model": "Pixel 7",
                "event_id": "9ec79c33ec9942ab8353589fcb2e04dc",
            },
            how="gzip",
            by="io.sentry.transport.HttpConnection.send(HttpConnection.java:147)",
        )
        .phase(3.2, "exited")
    )


def cases() -> Iterator[Case]:
    """All of this module."""
    yield from answers()
    yield from apps()
    yield from surroundings()
