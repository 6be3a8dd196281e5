"""What was read and sent: other people's data, more than the app needs, what was not declared."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import Case, sha256
from tests.recordings.builder.reads import (
    APPS,
    CALLS,
    CARD,
    CHANNEL,
    CLIPBOARD,
    CONTACTS,
    FILLED,
    NUMBER,
    PEOPLE,
    PHONE,
    PLACE,
    POSITION,
)

OWN = "https://api.shop.test/v1/device"
NEARBY = "https://api.shop.test/stores?lat=31.230416&lon=121.473701"
UMENG = "https://ulogs.umeng.com/unify_logs"
LOGIN = "com.example.shop.Login.prefill(Login.java:31)"
STORES = "com.example.shop.Stores.nearby(Stores.java:12)"
FRIENDS = "com.example.shop.Friends.load(Friends.java:20)"
PAY = "com.example.shop.Checkout.fill(Checkout.java:58)"
LISTENS = "com.example.shop.ads.Bridge.open(Bridge.java:44)"
PASTE = (
    "android.widget.TextView.paste(TextView.java:13402)",
    "android.widget.TextView.onTextContextMenuItem(TextView.java:13100)",
    "android.widget.Editor$TextActionModeCallback.onActionItemClicked(Editor.java:4562)",
)
POLICY = """\
first_party: [shop.test]
audience: general
data:
  - {type: phone_number, purposes: [signing in]}
recipients:
  - {name: Shop, hosts: [shop.test], purposes: [signing in], data: [phone_number]}
"""
CHILDREN = """\
first_party: [shop.test]
audience: children
data:
  - {type: phone_number, purposes: [signing in]}
recipients:
  - {name: Shop, hosts: [shop.test], purposes: [signing in], data: [phone_number]}
"""


def people() -> Iterator[Case]:
    """Of people who were not asked."""
    names = [value[1] for value in PEOPLE if value[0] == "name"]
    numbers = [value[1] for value in PEOPLE if value[0] == "phone_number"]
    book = [{"name": name, "phone_sha256": sha256(number)} for name, number in zip(names, numbers, strict=True)]
    yield (
        Case(
            "address-book-upload",
            "All five people of the address book go to the app's own server, names plain and numbers as sha256, "
            "after the user agreed.",
        )
        .agreed()
        .read(3, CONTACTS, FRIENDS)
        .sent(4, "https://api.shop.test/contacts/sync", {"people": book}, how="gzip", by=FRIENDS)
        .finds("address-book-upload", "medium", "proven", "device_contacts", "api.shop.test")
        .finds("others-data-read", "low", "proven", "device_contacts")
    )
    yield (
        Case(
            "address-book-upload-nearly",
            "The address book is read with consent, and one person, picked by the user, is sent.",
            nearly="address-book-upload",
        )
        .agreed()
        .read(3, CONTACTS, FRIENDS)
        .sent(6, "https://api.shop.test/invite", {"to": "+48601234567", "name": "Anna Kowalska"})
        .finds("others-data-read", "low", "proven", "device_contacts")
    )
    yield (
        Case(
            "others-data-read",
            "With consent and the permission, the whole call log is read; nothing of it is seen to leave.",
        )
        .agreed()
        .prompted(5, "READ_CALL_LOG", ["call_log", "phone_number"])
        .answered(6, "READ_CALL_LOG", ["call_log", "phone_number"], granted=True)
        .read(8, CALLS, "com.example.shop.Risk.score(Risk.java:71)")
        .finds("others-data-read", "low", "indicated", "call_log")
    )
    yield (
        Case(
            "others-data-read-nearly",
            "The user picks one person in the system's list, and only that row is read; the call log has "
            "nothing in it.",
            nearly="others-data-read",
        )
        .agreed()
        .read(8, CONTACTS, FRIENDS, values=PEOPLE[4:6], target="content://com.android.contacts/data/12")
        .read(9, CALLS, FRIENDS, outcome="empty", values=())
    )
    yield (
        Case(
            "clipboard-read",
            "Each time the app comes to the front it looks into the clipboard, where a message of another app "
            "lies; the user agreed to the policy.",
        )
        .launched()
        .agreed()
        .phase(20, "background")
        .phase(40, "foreground")
        .read(
            40.3,
            CLIPBOARD,
            "com.example.shop.Deeplink.check(Deeplink.java:27)",
            "com.example.shop.Main.onResume(Main.java:61)",
        )
        .finds("clipboard-read", "low", "indicated", "clipboard")
    )
    yield (
        Case(
            "clipboard-read-nearly",
            "The user holds a finger on the coupon field and pastes.",
            nearly="clipboard-read",
        )
        .launched()
        .agreed()
        .read(30, CLIPBOARD, *PASTE)
    )
    yield (
        Case(
            "local-channel",
            "The app listens on localhost, and a page in the browser hands it the identifier in a cookie of its site.",
        )
        .agreed()
        .read(4, CHANNEL, LISTENS, outcome="requested", values=())
        .read(20, CHANNEL, LISTENS)
        .finds("local-channel", "medium", "indicated", "local_channel")
    )
    yield (
        Case(
            "local-channel-nearly",
            "The app's player fetches its film through a proxy of the app's own on localhost; nobody else comes there.",
            nearly="local-channel",
        )
        .agreed()
        .read(4, CHANNEL, LISTENS, outcome="requested", values=())
    )
    yield (
        Case(
            "installed-apps-read",
            "With general consent the app lists everything that is installed; some of it tells of faith and health.",
        )
        .agreed()
        .read(5, APPS, "com.example.shop.Risk.score(Risk.java:80)")
        .finds("installed-apps-read", "low", "indicated", "installed_apps")
    )
    yield (
        Case(
            "installed-apps-read-nearly",
            "The app asks for one package only: can the user pay with Alipay?",
            nearly="installed-apps-read",
        )
        .agreed()
        .read(
            5,
            APPS,
            PAY,
            values=(("installed_apps", "com.eg.android.AlipayGphone"),),
            target="com.eg.android.AlipayGphone",
        )
    )


def needed() -> Iterator[Case]:
    """More than the basic function needs."""
    yield (
        Case(
            "read-outside-scope",
            "A community app, which may ask for a phone number to register: the number is within its scope, the "
            "position is not.",
            app_type=4,
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .read(5, POSITION, STORES)
        .finds("read-outside-scope", "low", "indicated", "location")
    )
    yield (
        Case(
            "read-outside-scope-nearly",
            "The same reads by a ride-hailing app, which needs both.",
            nearly="read-outside-scope",
            app_type=2,
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .read(5, POSITION, STORES)
    )
    yield (
        Case(
            "sent-outside-scope",
            "A flashlight, of the type of utilities that need nothing; the planted number is in a request, and "
            "no hook saw "
            "it being read.",
            app_type=38,
            persona=(("phone_number", PHONE),),
        )
        .agreed()
        .sent(6, OWN, {"tel": PHONE}, how="gzip")
        .finds("sent-outside-scope", "low", "indicated", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "sent-outside-scope-nearly",
            "A map sends the position, which is what a map is for; the type is named in words.",
            nearly="sent-outside-scope",
            app_type="地图导航类",
        )
        .agreed()
        .read(5, POSITION, STORES)
        .sent(6, NEARBY, by=STORES)
    )
    yield (
        Case(
            "read-never-sent",
            "With consent, the number and the position are read; only the number is ever in a request, all of "
            "which were read.",
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .read(4, POSITION, STORES)
        .sent(5, OWN, {"tel": PHONE}, how="gzip", by=LOGIN)
        .sent(6, OWN, {"ping": 1})
        .finds("read-never-sent", "info", "indicated", "location")
    )
    yield (
        Case(
            "read-never-sent-nearly",
            "The position was not seen in a request, but the TLS handshake with one host failed: nobody can say "
            "that it was not sent.",
            nearly="read-never-sent",
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .read(4, POSITION, STORES)
        .sent(5, OWN, {"tel": PHONE}, how="gzip", by=LOGIN)
        .gap(6, "proxy", "pinned.shop.test", "tls_refused", "the app closed the connection: unknown CA")
    )
    yield (
        Case(
            "sensitive-without-separate-consent",
            "The card number that the system filled in goes to the shop; the user agreed to the policy as a "
            "whole, and was asked nothing else.",
        )
        .agreed()
        .read(20, FILLED, PAY)
        .sent(22, "https://api.shop.test/pay", {"card": CARD}, by=PAY)
        .finds("sensitive-without-separate-consent", "medium", "corroborated", "bank_card", "api.shop.test")
    )
    yield (
        Case(
            "sensitive-without-separate-consent-nearly",
            "The same after a question of its own; the position, read once, is no track.",
            nearly="sensitive-without-separate-consent",
        )
        .agreed()
        .separately(18, "sensitive_separate", "given", "敏感个人信息：银行卡号", ["bank_card"])
        .read(20, FILLED, PAY)
        .read(21, POSITION, STORES)
        .sent(22, "https://api.shop.test/pay", {"card": CARD, "ll": PLACE}, by=PAY)
    )


def declared() -> Iterator[Case]:
    """What the maker's policy says, as the tester wrote it down."""
    yield (
        Case(
            "undeclared-data",
            "The policy names the phone number only; the position goes to the maker's own server as well.",
            policy=POLICY,
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .read(4, POSITION, STORES)
        .sent(5, "https://api.shop.test/v1/login", {"tel": PHONE, "ll": PLACE}, how="gzip", by=LOGIN)
        .finds("undeclared-data", "medium", "corroborated", "location", "api.shop.test")
    )
    yield (
        Case(
            "undeclared-data-nearly",
            "Only what is declared, to whom it is declared.",
            nearly="undeclared-data",
            policy=POLICY,
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .sent(5, "https://api.shop.test/v1/login", {"tel": PHONE}, how="gzip", by=LOGIN)
    )
    yield (
        Case(
            "declared-not-seen",
            "The policy names the phone number and the calendar; only the number was read and sent.",
            policy=POLICY.replace("recipients:", "  - {type: calendar_events, purposes: [meetings]}\nrecipients:"),
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .sent(5, "https://api.shop.test/v1/login", {"tel": PHONE}, how="gzip", by=LOGIN)
        .finds("declared-not-seen", "info", "indicated")
    )
    yield (
        Case(
            "declared-not-seen-nearly",
            "The calendar was not read either, but one process was without hooks: nobody can say what it read.",
            nearly="declared-not-seen",
            policy=POLICY.replace("recipients:", "  - {type: calendar_events, purposes: [meetings]}\nrecipients:"),
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .sent(5, "https://api.shop.test/v1/login", {"tel": PHONE}, how="gzip", by=LOGIN)
        .gap(6, "device", "com.example.shop:push", "process_not_instrumented", "no hooks in this process")
    )
    yield (
        Case(
            "undeclared-recipient",
            "The number is declared, but only for the maker's own server; an analytics company, to which the "
            "user agreed, gets it too.",
            policy=POLICY,
        )
        .agreed()
        .separately(2.5, "third_party_separate", "given", "Share your number with our partners", ["phone_number"])
        .read(4, NUMBER, LOGIN)
        .sent(
            5,
            UMENG,
            {"appkey": "5f2a", "phone": PHONE},
            how="form",
            by="com.umeng.analytics.Sender.post(Sender.java:61)",
        )
        .finds("undeclared-recipient", "medium", "corroborated", "phone_number", "ulogs.umeng.com")
    )
    yield (
        Case(
            "undeclared-recipient-nearly",
            "The analytics company is named in the policy, with the kind of data that it gets.",
            nearly="undeclared-recipient",
            policy=POLICY
            + "  - {name: Umeng, hosts: [umeng.com], party: third, country: CN, purposes: [statistics], data: "
            "[phone_number]}\n",
        )
        .agreed()
        .separately(2.5, "third_party_separate", "given", "Share your number with our partners", ["phone_number"])
        .read(4, NUMBER, LOGIN)
        .sent(
            5,
            UMENG,
            {"appkey": "5f2a", "phone": PHONE},
            how="form",
            by="com.umeng.analytics.Sender.post(Sender.java:61)",
        )
    )
    yield (
        Case(
            "minors-data",
            "An app for children: somebody tapped Agree, and no guardian was asked before the number was sent.",
            policy=CHILDREN,
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .sent(4, OWN, {"tel": PHONE}, by=LOGIN)
        .finds("minors-data", "medium", "corroborated", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "minors-data-nearly",
            "The same after a parent agreed in a question of its own.",
            nearly="minors-data",
            policy=CHILDREN,
        )
        .agreed()
        .separately(2.2, "minor_guardian", "given", "儿童个人信息：监护人同意")
        .read(4, NUMBER, LOGIN)
        .sent(5, OWN, {"tel": PHONE}, by=LOGIN)
    )


def cases() -> Iterator[Case]:
    """All of this module."""
    yield from people()
    yield from needed()
    yield from declared()
