"""Tests of digests whose salt or key is in the upload, or is another value: proven without the app's own calls."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from appwitness.events import Access, Upload, Value
from appwitness.events.seen import see
from appwitness.findings import Why, because
from appwitness.match import decode
from appwitness.match.linking import Linker
from appwitness.match.look import JoinedLeaves
from appwitness.match.search import KnownValues, Search
from tests.unseen import START

IMEI, ANDROID_ID, MAC, PHONE = "867530029921507", "64f051c20ca1dc00", "a4:c1:38:15:81:d1", "+8613800138000"
APP = "com.example.shop"
ALONE = {"device_id_imei": IMEI, "android_id": ANDROID_ID, "mac_address": MAC, "phone_number": PHONE}
FRIENDS = [f"+1310555{number:04d}" for number in range(1000, 1300)]


def access(n, data, values):
    return Access(
        v=1,
        at=START + timedelta(seconds=n),
        app=APP,
        pid=1,
        source=f"test.{data}",
        data=data,
        values=values,
        outcome="returned",
    )


def linker():
    known = Linker(())
    for n, (type_, text) in enumerate(ALONE.items()):
        known.add_access(see(f"accesses.jsonl:{n + 1}", access(n, type_, [Value(type=type_, text=text)]), 0))
    rows = [Value(type="phone_number", text=number, row=row) for row, number in enumerate(FRIENDS)]
    known.add_access(see("accesses.jsonl:9", access(9, "contacts", rows), 0))
    return known


KNOWN = linker()


def matches(body, seconds=60, known=KNOWN):
    data = json.dumps(body).encode()
    upload = Upload(
        v=1,
        at=START + timedelta(seconds=seconds),
        via="http",
        method="POST",
        url="https://collect.example/x",
        host="collect.example",
        headers=(("x-app-key", "5916613922352332d5a2c444"),),
        body="0" * 64,
        size=len(data),
    )
    flows = known.link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, data, narrow=known.narrow))
    return {(match.value, match.variant) for flow in flows for match in flow.matches}


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
    assert (value, variant) in matches(body)


@pytest.mark.parametrize("name", SALTED)
def test_a_digest_of_another_value_or_with_another_salt_is_not(name):
    body, *_ = SALTED[name]
    other = {
        key: value[:-2] + "zz" if isinstance(value, str) and len(value) < 20 else value for key, value in body.items()
    }
    if other != body:
        assert not matches(other)
    digits = next(key for key, value in body.items() if (not isinstance(value, int) and len(value) > 20) or key == "l")
    assert not matches(body | {digits: md5("35" + IMEI[2:] + "2dc4f251")})


def test_two_values_that_were_hashed_together_are_both_found():
    assert matches({"did": md5(IMEI + MAC)}) == {(IMEI, "salted_md5"), (MAC, "salted_md5")}
    assert {value for value, _ in matches({"did": sha256(f"{ANDROID_ID}|{IMEI}")})} == {IMEI, ANDROID_ID}
    assert {value for value, _ in matches({"did": md5(IMEI + ANDROID_ID + MAC)})} == {IMEI, ANDROID_ID, MAC}


def test_before_it_was_read_a_value_is_in_no_digest():
    body, value, variant = SALTED["behind it"]
    assert not matches(body, seconds=-5)
    assert (value, variant) in matches(body, seconds=1)


def test_why_says_what_it_was_hashed_with():
    known = linker()
    data = json.dumps(SALTED["behind it"][0]).encode()
    decoded = decode.leaves_of(data, narrow=known.narrow)
    (hit,) = known._sought._salts.find(
        JoinedLeaves(decoded.leaves), Search(KnownValues(), decoded.leaves, len(data), apps=[APP])
    )
    assert hit.reasons[-1] == because(Why.TAKEN_WITH_FIELD, path="$.salt")


@pytest.mark.slow
def test_the_order_in_which_values_became_known_changes_nothing():
    many = [Value(type="phone_number", text=f"+1310555{number:04d}", row=row) for row, number in enumerate(range(300))]
    found = []
    for values in (many, many[::-1]):
        known = Linker(())
        known.add_access(see("accesses.jsonl:1", access(1, "contacts", values), 0))
        bodies = [{"salt": f"s{n}", "p": md5(f"{one.text}s{n}")} for n, one in enumerate(many)]
        found.append([matches(body, known=known) for body in bodies])
    assert found[0] == found[1]
    assert sum(map(bool, found[0])) > 100


def test_a_value_that_is_no_valid_text_is_no_obstacle():
    known = Linker((Value(type="device_id_serial", text="R58VT2\ud800LH3BT"), Value(type="device_id_imei", text=IMEI)))
    assert matches(SALTED["behind it"][0], known=known)
