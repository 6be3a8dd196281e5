"""Who received it, and in what form."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from tests.recordings.builder.case import Case, md5
from tests.recordings.builder.reads import AD, DEVICE, GAID, IMEI, NUMBER, OAID, OPEN, PHONE, PLACE, POSITION
from tests.recordings.builder.tcf import consent_string

OWN = "https://api.shop.test/v1/device"
UMENG = "https://ulogs.umeng.com/unify_logs"
GOOGLE = "https://app-measurement.com/a"
LOGIN = "com.example.shop.Login.prefill(Login.java:31)"
STORES = "com.example.shop.Stores.nearby(Stores.java:12)"
SHARE = "Share your number with our partners"
KEY = bytes(range(32))
IV = bytes(range(16))


def _encrypted(plain: bytes) -> bytes:
    padding = PKCS7(128).padder()
    cipher = Cipher(AES(KEY), CBC(IV)).encryptor()
    return cipher.update(padding.update(plain) + padding.finalize()) + cipher.finalize()


def transport() -> Iterator[Case]:
    """In cleartext, and as a hash."""
    yield (
        Case(
            "sent-in-cleartext",
            "With consent and to the app's own server, but without TLS: the position, rounded to four decimals, "
            "in the query.",
        )
        .agreed()
        .read(3, POSITION, STORES)
        .sent(4, "http://api.shop.test/stores?lat=31.2304&lon=121.4737", by=STORES)
        .finds("sent-in-cleartext", "high", "proven", "location", "api.shop.test")
    )
    yield (
        Case(
            "sent-in-cleartext-nearly",
            "The position leaves under TLS; in cleartext go only map tiles, and the position to the device itself.",
            nearly="sent-in-cleartext",
        )
        .agreed()
        .read(3, POSITION, STORES)
        .sent(4, "https://api.shop.test/stores?lat=31.2304&lon=121.4737", by=STORES)
        .sent(5, "http://cdn.shop.test/tiles?x=31&y=121&z=12")
        .sent(6, "http://127.0.0.1:8123/stores?lat=31.2304&lon=121.4737")
    )
    yield (
        Case(
            "weakly-hashed",
            "The md5 of the number without its country code goes to the app's own server, with consent.",
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .turned(3.5, "digest", "MD5", b"13800138000", hashlib.md5(b"13800138000").digest())
        .sent(4, OWN, {"u": md5("13800138000"), "os": "13"}, how="form", by=LOGIN)
        .finds("weakly-hashed", "low", "proven", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "weakly-hashed-nearly",
            "What leaves is an HMAC under a key of 32 bytes; the hook saw it being made. In another request the "
            "number goes "
            "as it is: no hash at all.",
            nearly="weakly-hashed",
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .turned(3.5, "mac", "HmacSHA256", PHONE.encode(), hmac.digest(KEY, PHONE.encode(), "sha256"), key=KEY)
        .sent(4, OWN, {"u": hmac.new(KEY, PHONE.encode(), "sha256").hexdigest(), "os": "13"}, by=LOGIN)
        .sent(5, "https://api.shop.test/v1/login", {"phone": PHONE}, by=LOGIN)
    )


def others() -> Iterator[Case]:
    """To another company, to another country."""
    yield (
        Case(
            "third-party-not-covered",
            "The user agreed in general; the number goes to the app's own server and, in a form, to an "
            "analytics company.",
        )
        .agreed()
        .read(3, NUMBER, LOGIN)
        .sent(
            4,
            UMENG,
            {"appkey": "5f2a", "phone": PHONE},
            how="form",
            by="com.umeng.analytics.Sender.post(Sender.java:61)",
        )
        .sent(5, "https://api.shop.test/order", {"phone": PHONE}, by=LOGIN)
        .finds("third-party-not-covered", "medium", "corroborated", "phone_number", "ulogs.umeng.com")
    )
    yield (
        Case(
            "third-party-not-covered-nearly",
            "The same, but the user was asked about the third party and agreed to it separately.",
            nearly="third-party-not-covered",
        )
        .agreed()
        .separately(2.5, "third_party_separate", "given", SHARE, ["phone_number"])
        .read(3.6, NUMBER, LOGIN)
        .sent(
            4,
            UMENG,
            {"appkey": "5f2a", "phone": PHONE},
            how="form",
            by="com.umeng.analytics.Sender.post(Sender.java:61)",
        )
        .sent(5, "https://api.shop.test/order", {"phone": PHONE}, by=LOGIN)
    )
    yield (
        Case(
            "sent-abroad",
            "An app for China: the user agreed to the sharing, but nobody asked about sending the position to a "
            "company "
            "seated in the United States.",
            territory="CN",
            law=["cn"],
        )
        .agreed()
        .separately(2.5, "third_party_separate", "given", "向第三方提供位置信息", ["location"])
        .read(4, POSITION, STORES)
        .sent(
            5,
            GOOGLE,
            {"user_location": PLACE, "v": 12},
            how="gzip",
            by="com.google.android.gms.measurement.Upload.run(Upload.java:12)",
        )
        .finds("sent-abroad", "medium", "corroborated", "location", "app-measurement.com")
    )
    yield (
        Case(
            "sent-abroad-nearly",
            "The user was asked about the transfer as well and agreed; a Chinese company gets it too, and a "
            "host of which "
            "no country is known.",
            nearly="sent-abroad",
            territory="CN",
        )
        .agreed()
        .separately(2.5, "third_party_separate", "given", "向第三方提供位置信息", ["location"])
        .separately(4, "cross_border_separate", "given", "个人信息出境告知", ["location"])
        .read(6, POSITION, STORES)
        .sent(
            7,
            GOOGLE,
            {"user_location": PLACE, "v": 12},
            how="gzip",
            by="com.google.android.gms.measurement.Upload.run(Upload.java:12)",
        )
        .sent(8, UMENG, {"appkey": "5f2a", "ll": PLACE}, how="form")
        .sent(9, OWN, {"ll": PLACE})
    )


def identifiers() -> Iterator[Case]:
    """Numbers that cannot be reset, and what they are joined with."""
    plain = json.dumps({"did": IMEI, "os": "13"}).encode()
    hidden = _encrypted(plain)
    yield (
        Case(
            "fixed-identifier-sent",
            "The IMEI goes to the app's own server, encrypted by the app itself; the user agreed, and can never "
            "change the "
            "number.",
        )
        .agreed()
        .read(3, DEVICE)
        .turned(3.8, "encrypt", "AES/CBC/PKCS5Padding", plain, hidden, key=KEY, iv=IV)
        .sent(4, OWN, hidden)
        .finds("fixed-identifier-sent", "low", "proven", "device_id_imei", "api.shop.test")
    )
    yield (
        Case(
            "fixed-identifier-sent-nearly",
            "The OAID goes out, which the user can reset; the IMEI is read and stays on the device, and the "
            "request carries "
            "another number of 15 digits.",
            nearly="fixed-identifier-sent",
        )
        .agreed()
        .read(3, OPEN)
        .read(3.2, DEVICE)
        .sent(4, OWN, {"oaid": OAID, "order": "869731046032899"})
        .finds("read-never-sent", "info", "indicated", "device_id_imei")
    )
    yield (
        Case(
            "identifiers-bridged",
            "One request carries the IMEI beside the advertising identifier: resetting the latter no longer helps.",
        )
        .agreed()
        .read(3, DEVICE)
        .read(3.2, AD)
        .sent(4, OWN, {"device": {"imei": IMEI, "gaid": GAID}}, how="gzip")
        .finds("fixed-identifier-sent", "low", "proven", "device_id_imei", "api.shop.test")
        .finds("identifiers-bridged", "medium", "proven", "device_id_imei", "api.shop.test")
    )
    yield (
        Case(
            "identifiers-bridged-nearly",
            "The two go out in two requests, ten seconds apart.",
            nearly="identifiers-bridged",
        )
        .agreed()
        .read(3, DEVICE)
        .read(3.2, AD)
        .sent(4, OWN, {"device": {"imei": IMEI}})
        .sent(14, "https://api.shop.test/v1/banner", {"device": {"gaid": GAID}})
        .finds("fixed-identifier-sent", "low", "proven", "device_id_imei", "api.shop.test")
    )


def claims() -> Iterator[Case]:
    """What requests say of consent."""
    bid = "https://bid.adnet.test/v2/request"
    all_ten = consent_string(range(1, 11), [755, 793])
    yield (
        Case(
            "consent-claimed-on-wire",
            "The user rejects all; the bid request carries a TC string in which all ten purposes are agreed to, and no "
            "personal data.",
            plan="refuse",
        )
        .asked(0.5, "We value your privacy")
        .tapped(2, "refused", "Reject all")
        .sent(4, bid, {"imp": 1, "regs": {"gdpr": 1}, "user": {"consent": all_ten}}, how="gzip")
        .finds("consent-claimed-on-wire", "high", "proven", to="bid.adnet.test")
    )
    yield (
        Case(
            "consent-claimed-on-wire-nearly",
            "The user rejects all, and requests say so: no purpose in the TC string, gcs=G100, npa=1. A request before "
            "that says nothing but the version of the library.",
            nearly="consent-claimed-on-wire",
            plan="refuse",
        )
        .sent(0.3, "https://bid.adnet.test/v2/config?sdk=7.1")
        .asked(0.5, "We value your privacy")
        .tapped(2, "refused", "Reject all")
        .sent(4, f"{bid}?gdpr=1&gdpr_consent={consent_string()}&npa=1")
        .sent(5, f"{GOOGLE}?gcs=G100&v=2")
    )


def cases() -> Iterator[Case]:
    """All of this module."""
    yield from transport()
    yield from others()
    yield from identifiers()
    yield from claims()
