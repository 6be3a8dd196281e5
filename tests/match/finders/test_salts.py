"""Tests of digests whose salt or key is in the upload, or is another value: proven without the app's own calls."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import cache

import pytest

from appwitness.findings import Why, because
from appwitness.match import decode
from appwitness.match.look import JoinedLeaves
from appwitness.match.search import KnownValues, Search
from tests.match.test_linking import access, linker, matches

IMEI, ANDROID_ID, MAC, PHONE = "867530029921507", "64f051c20ca1dc00", "a4:c1:38:15:81:d1", "+8613800138000"
APP = "com.example.shop"
ALONE = {"device_id_imei": IMEI, "android_id": ANDROID_ID, "mac_address": MAC, "phone_number": PHONE}
FRIENDS = [f"+1310555{number:04d}" for number in range(1000, 1300)]


@cache
def everybody():
    return linker(
        *(access(n, (type_, text, None), data=type_, app=APP) for n, (type_, text) in enumerate(ALONE.items())),
        access(9, *(("phone_number", number, row) for row, number in enumerate(FRIENDS)), data="contacts", app=APP),
    )


def found(body, seconds=60, known=None):
    by = {"url": "https://collect.example/x", "host": "collect.example"}
    sent = matches(
        known or everybody(), seconds, body, narrow=True, headers=(("x-app-key", "5916613922352332d5a2c444"),), **by
    )
    return {(match.value, match.variant) for match in sent}


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


SALTED = {
    "behind it": ({"salt": "2dc4f251", "h": md5(IMEI + "2dc4f251")}, IMEI, "salted_md5"),
    "before it": ({"nonce": "2269d440ee68", "h": sha256("2269d440ee68" + ANDROID_ID)}, ANDROID_ID, "salted_sha256"),
    "on both sides": ({"salt": "2dc4f251", "h": md5("2dc4f251" + MAC + "2dc4f251")}, MAC, "salted_md5"),
    "a sign between": ({"ts": 1770962886043, "sign": md5(f"{IMEI}_1770962886043")}, IMEI, "salted_md5"),
    "digest and salt": ({"salt": "5147a082", "h": md5(md5(IMEI) + "5147a082")}, IMEI, "salted_md5"),
    "a header": ({"device_id": md5("5916613922352332d5a2c444" + ANDROID_ID)}, ANDROID_ID, "salted_md5"),
    "the app's name": ({"device": md5(ANDROID_ID + APP)}, ANDROID_ID, "salted_md5"),
    "national, in base64": (
        {"salt": "aa55", "p": base64.b64encode(hashlib.sha1(b"aa5513800138000").digest()).decode()},
        PHONE,
        "salted_sha1",
    ),
    "a key": (
        {"key": "s3cr3t", "mac": hmac.new(b"s3cr3t", IMEI.encode(), "sha256").hexdigest()},
        IMEI,
        "hmac_sha256",
    ),
    "one of a list": ({"salt": "2dc4f251", "l": [md5(FRIENDS[200] + "2dc4f251")]}, FRIENDS[200], "salted_md5"),
}


@pytest.mark.parametrize("name", SALTED)
def test_a_digest_with_a_salt_that_is_sent_is_found(name):
    body, value, variant = SALTED[name]
    assert (value, variant) in found(body)


@pytest.mark.parametrize("name", SALTED)
def test_a_digest_of_another_value_or_with_another_salt_is_not(name):
    body, *_ = SALTED[name]
    other = {
        key: value[:-2] + "zz" if isinstance(value, str) and len(value) < 20 else value for key, value in body.items()
    }
    if other != body:
        assert not found(other)
    digits = next(key for key, value in body.items() if (not isinstance(value, int) and len(value) > 20) or key == "l")
    assert not found(body | {digits: md5("35" + IMEI[2:] + "2dc4f251")})


def test_two_values_that_were_hashed_together_are_both_found():
    assert found({"did": md5(IMEI + MAC)}) == {(IMEI, "salted_md5"), (MAC, "salted_md5")}
    assert {value for value, _ in found({"did": sha256(f"{ANDROID_ID}|{IMEI}")})} == {IMEI, ANDROID_ID}
    assert {value for value, _ in found({"did": md5(IMEI + ANDROID_ID + MAC)})} == {IMEI, ANDROID_ID, MAC}


def test_before_it_was_read_a_value_is_in_no_digest():
    body, value, variant = SALTED["behind it"]
    assert not found(body, seconds=-5)
    assert (value, variant) in found(body, seconds=1)


def test_why_says_what_it_was_hashed_with():
    data = json.dumps(SALTED["behind it"][0]).encode()
    decoded = decode.leaves_of(data, narrow=everybody().narrow)
    (hit,) = everybody().sought.salts.find(
        JoinedLeaves(decoded.leaves), Search(KnownValues(), decoded.leaves, len(data), apps=[APP])
    )
    assert hit.reasons[-1] == because(Why.TAKEN_WITH_FIELD, path="$.salt")


@pytest.mark.slow
def test_the_order_in_which_values_became_known_changes_nothing():
    many = [("phone_number", f"+1310555{number:04d}", number) for number in range(300)]
    orders = []
    for values in (many, many[::-1]):
        known = linker(access(1, *values, data="contacts", app=APP))
        bodies = [{"salt": f"s{n}", "p": md5(f"{text}s{n}")} for n, (_, text, _) in enumerate(many)]
        orders.append([found(body, known=known) for body in bodies])
    assert orders[0] == orders[1]
    assert sum(map(bool, orders[0])) > 100


def test_a_value_that_is_no_valid_text_is_no_obstacle():
    known = linker(persona=[("device_id_serial", "R58VT2\ud800LH3BT"), ("device_id_imei", IMEI)])
    assert found(SALTED["behind it"][0], known=known)
