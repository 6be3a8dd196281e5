"""Tests of the search: whatever can be encoded is found, look-alikes are not, values may be added at any time."""

from __future__ import annotations

import base64
import codecs
import hashlib
import json
import random
import re
import struct
import uuid
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from appwitness.events import Value
from appwitness.match import decode
from appwitness.match.decode.walk import pieces
from appwitness.match.finding import ValueIndex
from appwitness.match.hits import last_key
from appwitness.match.native.tables import Grams, WordTable
from appwitness.match.variants import digests, entering
from tests.match.encoders import ENCODERS, dumps
from tests.match.wording import words
from tests.strategies import examples, personal

PHONE = Value(type="phone_number", text="13800138000")
INVALID = Value(type="phone_number", text="+4915479380927")
ACCENTS = Value(type="name", text="Jürgen Weißbach-Moreau")
STREET = Value(type="address", text="3777 Evergreen Terrace, Apt 58, Springfield, OR 97475")
CHINESE_STREET = Value(type="address", text="上海市浦东新区世纪大道429号12栋")
TEXT = Value(type="sms_content", text="Your parcel 3796459658 arrives, code 616836")
APP = Value(type="installed_apps", text="com.tencent.mm")
ABROAD = Value(type="phone_number", text="+447700900079")
NAME = Value(type="name", text="Anna-Maria Kowalska")
SHORT = Value(type="name", text="李华霞")
EMAIL = Value(type="email", text="Zhao.Liu_13@Example.org")
PLACE = Value(type="location", text="31.238361,121.435598")
IMEI = Value(type="device_id_imei", text="867530029921507")
ANDROID = Value(type="android_id", text="64f051c20ca1dc00")
MAC = Value(type="mac_address", text="a4:c1:38:15:81:d1")
SMS = Value(type="sms_content", text="您的验证码是 052494，请勿泄露")
LONG = Value(type="sms_content", text="【中中中中中中中中中中中中中中中中中丽京伟】 code 7731-XK")
GAID = Value(type="advertising_id", text="38400000-8cf0-11bd-b23e-10b96e40000d")
STRONG = (PHONE, ABROAD, NAME, EMAIL, PLACE, IMEI, ANDROID, MAC, SMS, GAID)


def find(body, *values, hint=""):
    index = ValueIndex()
    for value in values:
        index.add(value.text, value)
    return index.find(decode.leaves_of(body, hint).leaves)


def strong(body, *values):
    return [hit for hit in find(body, *values) if hit.strong]


BOUNDARY = b"--b0u"
CHINESE = re.compile("[\x20-\x7e\u3000-\u303f\u4e00-\u9fff]*")
LONGEST = {"base58": 700, "base85": 3_000, "base45": 5_000}
"""Bytes that are written in letters which are tried where they are all of a text only."""
AMBIGUOUS = frozenset(("percent", "quoted-printable", "escapes", "entities", "width"))
"""Steps that may be taken earlier or later, or not at all where there is nothing left to undo."""


def sent_through(data, chain):
    """The bytes after each encoder, in turn; what no app would do is not assumed."""
    for name in chain:
        encoder = ENCODERS[name]
        assume(not encoder.text_only or pieces.as_text(data) is not None)
        assume(len(data) < LONGEST.get(name, 8_000))
        assume(name != "gb18030" or CHINESE.fullmatch(data.decode()))
        assume(name != "multipart" or BOUNDARY not in data)  # no client takes a boundary that the content holds
        data = encoder.encode(data)
    return data


def names_the_chain(decoding, chain):
    """Whether the steps of the chain are all there, the last that was taken first."""
    steps = iter(decoding)
    wanted = [step for name in reversed(chain) for step in ENCODERS[name].steps if step not in AMBIGUOUS]
    # a message in a message is one step
    wanted = [step for at, step in enumerate(wanted) if step != "protobuf" or wanted[at - 1 : at] != ["protobuf"]]
    return all(step in steps for step in wanted)


@given(personal, st.lists(st.sampled_from(sorted(ENCODERS)), max_size=4))
@example(Value(type="device_id_serial", text="11A11A12B43"), ["base64url"])  # capitals only, as a word may be
@example(LONG, ["protobuf", "protobuf", "cbor", "protobuf"])  # this map of CBOR is a message of protobuf, too
@settings(max_examples=examples(400), deadline=None, suppress_health_check=list(HealthCheck))
def test_any_value_through_any_chain_of_encoders_is_found(value, chain):
    data = sent_through(value.text.encode(), chain)
    assert strong(data, value), (chain, data[:200])
    holding = [leaf for leaf in decode.leaves_of(data).leaves if value.text.encode() in leaf.data]
    assert any(names_the_chain(leaf.decoding, chain) for leaf in holding), (chain, data[:200])


@given(
    personal,
    st.sampled_from(sorted(digests.DIGESTS)),
    st.sampled_from(["hex", "HEX", "base64", "base64url", "raw"]),
    st.lists(st.sampled_from(sorted(ENCODERS)), max_size=3),
)
@example(Value(type="account_id", text="wxid_000000123456"), "blake2b", "base64", ["base64", "base64, short lines"])
@settings(max_examples=examples(300), deadline=None, suppress_health_check=list(HealthCheck))
def test_any_digest_through_any_chain_is_found(value, digest, writing, chain):
    raw = digests.DIGESTS[digest](value.text.encode())
    data = sent_through(raw if writing == "raw" else ENCODERS[writing].encode(raw), chain)
    same = {
        name for name, of in digests.DIGESTS.items() if of(value.text.encode()) == raw
    }  # an MD5 may look like a UUID
    assert same & {hit.variant.name for hit in strong(data, value)}, (chain, data[:200])
    holding = [leaf.decoding for leaf in decode.leaves_of(data).leaves if leaf.data == raw]
    assert any(names_the_chain(decoding, chain) for decoding in holding), (chain, holding)


@pytest.mark.parametrize(
    ("value", "sent", "variant"),
    [
        (PHONE, "+86 138 0013 8000", "separated"),
        (PHONE, "138-0013-8000", "separated"),
        (PHONE, "(86) 13800138000", "separated"),
        (PHONE, "008613800138000", "international_00"),
        (ABROAD, "+44 (0)7700 900 079", "separated"),
        (ABROAD, "07700 900079", "separated"),
        (NAME, "KOWALSKA, ANNA-MARIA", "swapped"),
        (NAME, "Ａｎｎａ-Ｍａｒｉａ Ｋｏｗａｌｓｋａ", "plain"),
        (EMAIL, "ZHAO.LIU_13@EXAMPLE.ORG", "plain"),
        (GAID, f"7:{GAID.text}:1773478800", "plain"),
        (MAC, "A4-C1-38-15-81-D1", "hyphens"),
        (MAC, "a4c1381581d1", "bare"),
        (IMEI, "86753002992150", "without_check_digit"),
        (IMEI, "86-753002-992150-7", "separated"),
        (IMEI, "8675300299215012", "with_software_version"),
        (MAC, "181149776576977", "integer"),
        (MAC, "a4c1.3815.81d1", "dotted"),
        (ANDROID, "7273403292080790528", "integer"),
        (GAID, "384000008CF011BDB23E10B96E40000D", "bare"),
        (ABROAD, "07700900079", "national"),
        (INVALID, "015479380927", "trunk_0"),
        (PHONE, "013800138000", "trunk_0"),
        (ACCENTS, "Jurgen Weibach-Moreau", "without_accents"),
        (ACCENTS, "jurgen-weibach-moreau", "slug"),
        (NAME, "Anna-Maria    Kowalska", "plain"),
        (EMAIL, "zhao.liu_13_at_example.org", "for_files"),
        (EMAIL, "zhao_liu_13_example_org", "for_files"),
        (EMAIL, "zhao.liu_13 (at) example (dot) org", "in_words"),
        (EMAIL, "zhaoliu_13@example.org", "undotted"),
        (STREET, "3777 Evergreen Terrace", "street"),
        (CHINESE_STREET, "浦东新区世纪大道429号12栋", "without_town"),
        (TEXT, "Yourparcel3796459658arrives,code616836", "unspaced"),
        (APP, "com/tencent/mm", "slashes"),
        (EMAIL, EMAIL.text[::-1], "reversed"),
        (NAME, codecs.encode(NAME.text, "rot13"), "rot13"),
        (EMAIL, "+92@]{:F0`botI2>A=6]@C8", "rot47"),
        (NAME, "Boob.Nbsjb!Lpxbmtlb", "next_letters"),
        (EMAIL, hashlib.md5(EMAIL.text.lower().encode()).hexdigest()[8:24], "md5_16"),
        (EMAIL, hashlib.sha256(EMAIL.text.upper().encode()).hexdigest()[:40], "sha256_first_20"),
        (PHONE, hashlib.md5(b"+8613800138000").hexdigest().upper(), "md5"),
        (PLACE, hashlib.sha256(b"31.2384,121.4356").hexdigest(), "sha256"),
        (EMAIL, str(uuid.uuid5(uuid.NAMESPACE_URL, EMAIL.text)), "uuid_v5_url"),
    ],
)
def test_forms_are_found_and_named(value, sent, variant):
    hits = strong(dumps({"n": 1, "q": sent}), value)
    assert [hit.variant.name for hit in hits] == [variant]
    assert hits[0].leaf.path == "$.q"


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256"])
def test_a_digest_that_lost_its_zeros_is_found(digest):
    """`new BigInteger(1, digest).toString(16)` is one digit short for every 16th value."""
    for number in range(60):
        value = Value(type="email", text=f"anna{number}@uczelnia.example")
        written = f"{int.from_bytes(hashlib.new(digest, value.text.encode()).digest()):x}"
        hits = strong(dumps({"q": written}), value)
        assert [(hit.variant.name, hit.found) for hit in hits] == [(digest, written)]
    assert strong(dumps({"q": written[:-1] + "z"}), value) == []


@pytest.mark.parametrize("number", ["+4915123456789", "+8615656300309", "+447911123456", "+14155550100"])
@pytest.mark.parametrize("salt", ["867000000000001", "123"])
def test_a_number_before_a_salt_of_digits_is_found_in_the_input_of_a_digest(number, salt):
    for sent in (number, number[1:]):
        (leaf,) = [leaf for leaf in decode.leaves_of((sent + salt).encode()).leaves if leaf.decoding == ()]
        index = ValueIndex()
        index.add(number, Value(type="phone_number", text=number))
        assert [hit.found for hit in index.find([leaf._replace(glued=True)])] == [sent]
        assert index.find([leaf]) == []


RAW = {
    "mac": (MAC, "a4c1381581d1"),
    "id": (ANDROID, "64f051c20ca1dc00"),
    "uuid": (GAID, "384000008cf011bdb23e10b96e40000d"),
    "uuid, both halves turned": (GAID, "bd11f08c000040380d00406eb9103eb2"),
    "imei, zero before": (IMEI, "0867530029921507"),
    "imei, f behind": (IMEI, "867530029921507f"),
    "imei, digits turned": (IMEI, "68570320991205f7"),
}


@pytest.mark.parametrize("name", RAW)
def test_ids_are_found_as_bytes(name):
    value, coded = RAW[name]
    raw = bytes.fromhex(coded)
    (hit,) = strong(b"\xff\x00\x91" + raw + b"\x99\xfe", value)
    assert (hit.start, hit.end, hit.found) == (3, 3 + len(raw), coded)
    assert "bytes as they are" in words(hit)
    assert strong(dumps({"q": base64.b64encode(raw).decode()}), value)
    assert strong(b"\xff\x00\x91" + raw[:-1] + b"\x98\x99\xfe", value) == []
    in_longer_id = strong(dumps({"q": "00112233" + coded + "00112233"}), value)
    assert bool(in_longer_id) == ("turned" in name and value is IMEI)  # of which the last digit says that it ends there


@pytest.mark.parametrize(
    ("type_", "text", "sent"),
    [
        ("mac_address", "02:00:00:00:00:00", b"\xff\x81\x02\0\0\0\0\0\0\xfe\x9c"),
        ("android_id", "0a0a0a0a0a0a0a0a", b"\xff\x81" + b"\x0a" * 8 + b"\xfe\x9c"),
        ("device_id_imei", "000000000000000", b"\xff\x81" + b"\0" * 16 + b"\xfe\x9c"),
        ("location", "31.5,121.5", b"\xff\x81" + struct.pack("<2d", 31.5, 121.5) + b"\xfe\x9c"),
    ],
)
def test_bytes_that_say_little_are_not_looked_for(type_, text, sent):
    assert strong(sent, Value(type=type_, text=text)) == []


SPLIT: dict[str, tuple[Value, dict[str, Any]]] = {
    "given and family": (NAME, {"given": "Anna-Maria", "family": "Kowalska"}),
    "upper case": (NAME, {"u": {"last_name": "KOWALSKA", "first_name": "ANNA-MARIA"}}),
    "three words": (Value(type="name", text="Ana Maria Kowalska"), {"firstName": "Ana Maria", "lastName": "Kowalska"}),
    "area code": (Value(type="phone_number", text="+13105550123"), {"area": "310", "number": "5550123"}),
    "three parts": (PHONE, {"tel1": "138", "tel2": "0013", "tel3": "8000"}),
    "type code and serial": (IMEI, {"tac": 86753002, "snr": 992150}),
    "with check digit": (IMEI, {"tac": "86753002", "snr": "992150", "check": "7"}),
}


@pytest.mark.parametrize("name", SPLIT)
def test_values_in_neighbouring_fields_are_found(name):
    value, document = SPLIT[name]
    hits = strong(dumps(document), value)
    fields = document.get("u", document)
    assert sorted(last_key(hit.leaf.path) for hit in hits) == sorted(key.lower() for key in fields)
    assert all(hit.variant.name == "split" and "the rest at $." in words(hit) for hit in hits)
    parts = list(fields.items())
    assert strong(dumps({"a": dict(parts[:1]), "b": dict(parts[1:])}), value) == []  # not beside each other
    unsaid = strong(dumps({f"q{at}": part for at, (_, part) in enumerate(parts)}), value)  # no key says so
    assert all(hit.chance >= 0.5 and "a candidate" in words(hit) for hit in unsaid)
    assert strong(dumps(fields | {parts[0][0]: "777"}), value) == []


def test_country_code_and_number_in_two_fields():
    assert "7700900079" in [hit.found for hit in strong(dumps({"cc": "44", "number": "7700900079"}), ABROAD)]


def test_a_short_name_in_two_fields_stays_weak():
    hits = find(dumps({"family": "李", "given": "华霞"}), SHORT)
    assert [(hit.strong, hit.telling) for hit in hits] == [(False, True)] * 2


PLACES = {
    "one text": ({"q": "31.238361,121.435598"}, 6),
    "text reversed": ({"q": "121.435598 31.238361"}, 6),
    "url": ({"q": "https://maps.test/@31.23836,121.43560,15z"}, 5),
    "siblings": ({"g": {"lat": 31.238361, "lon": 121.435598}}, 6),
    "strings": ({"latitude": "31.2384", "longitude": "121.4356"}, 4),
    "three decimals": ({"lat": 31.238, "lng": 121.436}, 3),
    "cut not rounded": ({"lat": 31.238, "lng": 121.435}, 3),
    "two decimals": ({"lat": 31.24, "lng": 121.44}, 2),
    "list": ({"gps": [121.435598, 31.238361]}, 6),
    "far apart": ({"a": {"lat": 31.238361}, "b": [1, 2, {"c": {"lon": 121.435598}}]}, 6),
    "micro-degrees": ({"la": 31238361, "lo": 121435598}, 6),
    "E7": ({"latE7": 312383610, "lngE7": 1214355980}, 7),
    "float": ({"lat": 31.238361358642578, "lon": 121.43559265136719}, 14),
    "wkt": ({"q": "POINT(121.435598 31.238361)"}, 6),
}


NOTATIONS = {
    "degrees, minutes, seconds": ({"q": "31°14'18.1\"N 121°26'08.2\"E"}, "degrees minutes seconds"),
    "whole seconds": ({"q": "31°14'18\"N 121°26'08\"E"}, "degrees minutes seconds"),
    "with primes": ({"q": "31°14′18.1″N, 121°26′08.2″E"}, "degrees minutes seconds"),
    "two keys": ({"lat": "31°14'18.10\"N", "lon": "121°26'08.15\"E"}, "degrees minutes seconds"),
    "letters in front": ({"q": "N31 14 18.1 E121 26 08.2"}, "degrees minutes seconds"),
    "exif": ({"GPSLatitude": "31/1,14/1,1810/100", "GPSLongitude": "121/1,26/1,815/100"}, "degrees minutes seconds"),
    "Location.convert": ({"lat": "31:14:18.0996", "lon": "121:26:8.1528"}, "degrees:minutes:seconds"),
    "degrees and minutes": ({"q": "31°14.3017'N 121°26.1359'E"}, "degrees minutes"),
    "nmea": ({"q": "$GPGGA,092725.00,3114.30166,N,12126.13588,E,1,08"}, "degrees minutes"),
    "radians": ({"lat": 0.5452122523765884, "lon": 2.119451014228241}, "radians"),
    "radians, six decimals": ({"p": [0.545212, 2.119451]}, "radians"),
    "web mercator": ({"x": 13518148.93, "y": 3663743.7}, "web mercator"),
    "web mercator, whole metres": ({"p": [13518149, 3663744]}, "web mercator"),
    "powers of ten": ({"lat": 3.1238361e-7 * 1e8, "q": "3.1238361e1 1.21435598E2"}, "as_given"),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_places_are_found_in_other_notations(name):
    document, notation = NOTATIONS[name]
    hits = strong(dumps(document), PLACE)
    assert notation in {hit.variant.of for hit in hits}
    assert all(hit.variant.name == "coordinates" and hit.error_m < 30 for hit in hits)
    assert all(notation == "as_given" or f"in {notation}" in words(hit) for hit in hits)


def test_south_and_west_are_told_by_a_letter_or_a_sign():
    rio = Value(type="location", text="-22.951916,-43.210487")
    for sent in ("22°57'06.9\"S 43°12'37.8\"W", "-22°57'06.9\" -43°12'37.8\"", "2257.1150,S,04312.6292,W"):
        assert strong(dumps({"q": sent}), rio)
    assert not strong(dumps({"q": "22°57'06.9\"N 43°12'37.8\"E"}), rio)


def test_each_under_the_others_key_is_said():
    hits = strong(dumps({"lat": 121.435598, "lon": 31.238361}), PLACE)
    assert hits
    assert all("each under the other's key" in words(hit) for hit in hits)


@pytest.mark.parametrize("first", ["latitude", "longitude"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("code", "scale", "name"),
    [
        *(("d", 1, "double"), ("f", 1, "float"), ("i", 2**31 / 180, "int32 semicircles")),
        *(("i", 10**7, "int32 x 10000000"), ("i", 10**6, "int32 x 1000000")),
    ],
)
@pytest.mark.parametrize("decimals", [6, 3])
def test_places_are_found_in_binary_pairs(code, scale, name, order, first, decimals):
    pair = [round(number, decimals) * scale for number in (31.238361, 121.435598)]
    pair = [round(number) for number in pair] if code == "i" else pair
    coded = struct.pack(f"{order}2{code}", *(pair if first == "latitude" else pair[::-1]))
    body = b"\x01\x93\xff\x00" + coded + b"\xee\xfd"
    hits = [hit for hit in strong(body, PLACE) if hit.variant.of.startswith(name)]
    assert [(hit.start, hit.end, hit.found) for hit in hits] == [(4, 4 + len(coded), coded.hex())]
    assert f"{first} first" in words(hits[0])
    assert strong(b"\x01\x93\xff\x00" + coded[: len(coded) // 2] * 2 + b"\xee\xfd", PLACE) == []  # half of it


@pytest.mark.parametrize("name", PLACES)
def test_places_are_found_as_numbers(name):
    document, decimals = PLACES[name]
    hits = strong(dumps(document), PLACE)
    assert hits
    assert all(hit.variant.name in ("coordinates", "plain") for hit in hits)
    if hits[0].variant.name == "coordinates":
        assert f"{decimals} decimals" in words(hits[0])


@pytest.mark.parametrize(
    "document", [{"g": [31.23, 121.474]}, {"lat": "31.23", "lon": "121.474"}, {"q": "31.23,121.474"}]
)
def test_zeros_that_were_dropped_count_as_decimals(document):
    hits = strong(dumps(document), Value(type="location", text="31.230416,121.473701"))
    assert hits
    assert all("3 decimals" in words(hit) for hit in hits)


def test_places_in_binary_numbers_and_other_systems():
    body = b"\x09" + struct.pack("<d", 31.238361) + b"\x11" + struct.pack("<d", 121.435598)
    assert [hit.leaf.path for hit in strong(body, PLACE)] == ["$.1", "$.2"]
    from appwitness.match.geo import systems

    for system in ("gcj02", "bd09"):
        there = next(place for place in systems.systems(31.238361, 121.435598) if place.system == system)
        assert {hit.variant.name for hit in strong(dumps({"lat": there.lat, "lng": there.lon}), PLACE)} == {system}
    assert strong(dumps({"gh": systems.geohash(31.238361, 121.435598, 9)}), PLACE)


@pytest.mark.parametrize(
    "sent",
    [
        {"t": "138001380001"},  # a longer number
        {"t": "913800138000"},
        {"t": 0.13800138000},
        {"t": "1.13800138000"},
        {"t": "+13800138000"},  # a number in another country
        {"t": 1380013800099},
        {"t": "13800138001"},
        {"m": "a4:c1:38:15:81:d1:00:11"},
        {"m": "00:a4:c1:38:15:81:d1"},
        {"m": "ba4c1381581d1f"},
        {"i": "64f051c20ca1dc001"},
        {"i": "8675300299215071"},
        {"e": "xzhao.liu_13@example.org"},
        {"e": "zhao.liu_13@example.organic"},
        {"e": "zhao.liu_13@example.org.cn"},
        {"lat": 31.238361, "x": 12.5},  # only half of the place
        {"lat": 31.338361, "lon": 121.435598},
        {"lat": 31.2, "lon": 121.4},  # too coarse to say
        {"v": [31, 121, 24, 44]},
        {"a": 0.545212, "b": [1, 2, 3, {"c": 2.119451}]},  # radians, but nothing says that they belong together
        {"a": 13518149, "b": [1, 2, 3, {"c": 3663744}]},
        {"from": "31:14:18", "to": "21:26:08"},
        {"q": "31°14'18\"N"},
        {"q": "31°15'18\"N 121°26'08\"E"},
        {"a": 31.24, "b": [1, 2, 3, {"c": 121.44}]},
        {"h": hashlib.sha256(b"13800138001").hexdigest()},
        {"n": "Joanna-Maria Kowalska"},
    ],
)
def test_lookalikes_are_not_found(sent):
    assert strong(dumps(sent), *STRONG) == []


def test_a_short_name_is_weak_and_a_telling_key_is_seen():
    (plain,) = find(dumps({"q": SHORT.text}), SHORT)
    (keyed,) = find(dumps({"contact": SHORT.text}), SHORT)
    assert (plain.strong, plain.telling, keyed.strong, keyed.telling) == (False, False, False, True)
    assert find(dumps({"q": "看李华霞飞"}), SHORT) == []


def test_excerpts_and_places_point_at_the_value():
    text = "x" * 100 + " call 13800138000 now " + "y" * 100
    body = dumps({"q": text})
    (hit,) = strong(body, PHONE)
    assert (hit.found, len(hit.before), len(hit.after)) == ("13800138000", 60, 60)
    assert body[hit.start : hit.end] == b"13800138000"
    assert hit.before.endswith(" call ")
    assert hit.after.startswith(" now ")


@pytest.mark.parametrize("prefix", ["", "k", "id", "id_", "abc="])
@pytest.mark.parametrize("value", [PHONE, EMAIL, SMS], ids=["phone", "email", "sms"])
def test_base64_is_found_at_any_alignment(prefix, value):
    for before in (b"", b"\x01", b"\xff\x02"):
        coded = base64.b64encode(before + value.text.encode() + b"\x80").decode()
        assert strong(dumps({"q": prefix + coded}), value), (prefix, before)


def test_base64_of_a_longer_number_is_not_found():
    for before in ("1", "12", "123"):
        for prefix in ("", "k", "kk", "kkk"):
            coded = prefix + base64.b64encode(f"{before}{PHONE.text}4".encode()).decode()
            assert strong(dumps({"q": coded}), PHONE) == []


@pytest.mark.parametrize("charset", ["utf-16le", "utf-16be", "gb18030"])
def test_other_charsets_inside_binary_data(charset):
    body = bytes(range(255, 128, -1)) + SMS.text.encode(charset) + bytes(range(200, 255))
    (hit,) = strong(body, SMS)
    assert hit.decoding[-1] == charset
    assert body[hit.start : hit.end] == SMS.text.encode(charset)


def test_values_added_between_searches_are_found_at_once():
    index = ValueIndex()
    for number in range(300):
        value = Value(type="phone_number", text=f"138{number:08d}")
        index.add(number, value)
        leaves = decode.leaves_of(dumps({"a": value.text, "b": "13800000000"})).leaves
        assert {hit.key for hit in index.find(leaves)} == {number, 0}
    index.add(0, PHONE)  # a known key stays what it is
    assert len(index) == 300


@given(personal)
@example(Value(type="sms_content", text="😀 a/b+c?d e% é" * 20))
@example(Value(type="device_id_imei", text="867530029921507"))
@settings(max_examples=examples(200), deadline=None)
def test_whatever_a_find_is_explained_by_is_entered(value):
    texts, raw = Grams(), Grams()
    entered = entering.enter(value, 7, texts, raw)
    by_table: dict[Grams, set[bytes]] = {texts: set(), raw: set()}
    for one in (text for found in entering.Forms(value).texts.values() for text in found):
        anywhere = one.charset == "utf-8" or one.charset.startswith("base64")
        by_table[texts if anywhere else raw].add(one.lower)
    for table, wanted in by_table.items():
        for text in wanted:
            assert {row.slot for row in table.find(text)} == {7}, text
    assert entered == len(by_table[texts]) + len(by_table[raw])


def test_tables_lose_nothing_as_they_grow():
    chance, table, entered = random.Random(3), WordTable(), defaultdict(set)
    words = [chance.randbytes(8) for _ in range(30_000)]
    for slot in range(1_500):
        some = chance.choices(words, k=60)
        table.put(b"".join(some), slot)
        for word in some:
            entered[word].add(slot)
    found = defaultdict(list)
    for row in table.find(b"".join(words)):
        found[words[row.start]].append(row.slot)
    assert {word: sorted(slots) for word, slots in entered.items()} == {word: sorted(of) for word, of in found.items()}
    assert list(table.find(chance.randbytes(80_000))) == []


def test_texts_are_found_when_there_are_more_than_their_first_look_keeps():
    chance, texts = random.Random(4), Grams()
    some = [chance.randbytes(6).hex().encode() for _ in range(300_000)]
    for slot in range(300):
        texts.add_all([(text, False) for text in some[1_000 * slot : 1_000 * slot + 1_000]], slot)
    for at in range(0, 300_000, 997):
        assert at // 1_000 in {row.slot for row in texts.find(b"<" + some[at] + b">")}


def test_the_order_of_adding_changes_nothing():
    body = dumps({"to": [value.text for value in STRONG], "h": hashlib.md5(PHONE.text.encode()).hexdigest()})
    assert find(body, *STRONG) == find(body, *reversed(STRONG))


@pytest.mark.parametrize(
    ("path", "key"),
    [("$.user.phones[3]", "phones"), ('$["First Name"]', "first name"), ("url.query.lat", "lat"), ("$[0][1]", "$")],
)
def test_last_key(path, key):
    assert last_key(path) == key


@given(st.binary(max_size=400))
@settings(max_examples=examples(150), deadline=None)
def test_random_bytes_hold_nothing(data):
    assert strong(data, *STRONG) == []
    assert strong(json.dumps({"v": base64.b64encode(data).decode()}).encode(), *STRONG) == []


def test_digests_cut_to_ten_bytes_are_found_in_a_row():
    values = [Value(type="phone_number", text=f"+4915112345{last:03d}") for last in range(200, 206)]
    row = b"".join(hashlib.sha1(value.text.encode()).digest()[:10] for value in values)
    for body in (row, dumps({"q": base64.b64encode(row).decode()})):
        assert {hit.key for hit in strong(body, *values)} == {value.text for value in values}
    assert strong(row[1:] + b"\0", *values) == []


@pytest.mark.parametrize("size", [3, 4])
def test_as_many_digests_as_are_as_long_as_one_other_are_found(size):
    values = [Value(type="phone_number", text=f"+4915112345{last:03d}") for last in range(200, 200 + size)]
    row = b"".join(hashlib.md5(value.text.encode()).digest() for value in values)
    assert {hit.key for hit in strong(row, *values)} == {value.text for value in values}


def test_a_birthday_needs_a_key_that_says_so():
    birthday = Value(type="birthday", text="1991-08-23")
    for form in ("1991-08-23", "19910823", "08/23/1991", "23.08.1991", "1991-08-23T00:00:00.000Z"):
        assert find(dumps({"birth": form}), birthday)[0].telling, form
        assert strong(dumps({"modified": form, "size": 3}), birthday) == [], form


@pytest.mark.parametrize("beside", ["31.2384_121.4356_salt", "k_31.2384_121.4356", "31.2384_121.4356"])
def test_places_are_found_with_underscores_beside_them(beside):
    assert find(beside.encode(), PLACE)
    assert find(b"id_" + beside.replace("_121", "x_121").encode() + b"_x", PLACE) == []


LARGE = [{"seq": n, "event": "open list", "ok": True, "value": n * 37 % 1000} for n in range(400)]
"""More than is read in full."""
RARE = {
    "digits of india": (PHONE, "".join(chr(0x966 + int(digit)) for digit in PHONE.text)),
    "thai digits": (PHONE, "".join(chr(0xE50 + int(digit)) for digit in PHONE.text)),
    "bold digits": (PHONE, "".join(chr(0x1D7CE + int(digit)) for digit in PHONE.text)),
    "keycaps": (PHONE, "".join(digit + "\ufe0f\u20e3" for digit in PHONE.text)),
    "chinese degrees": (PLACE, "北纬31度14分18.1秒 东经121度26分8.2秒"),
    "a letter before": (PLACE, "N31.238361 E121.435598"),
}


@pytest.mark.parametrize("name", RARE)
def test_what_is_written_rarely_is_found_in_a_large_document(name):
    value, written = RARE[name]
    document = [*LARGE, {"extra": written}, *LARGE]
    index = ValueIndex()
    index.add("value", value)
    decoded = decode.leaves_of(json.dumps(document, ensure_ascii=False).encode(), narrow=index.narrow)
    assert decoded.passed_over
    assert [hit for hit in index.find(decoded.leaves, decoded.passed_over) if hit.strong], decoded.leaves


TYPES = sorted({value.type for value in STRONG} | {"ip_address", "contact", "imsi", "url", "unknown_to_us"})
NUMBERS = st.sampled_from(
    ("0", "-0.0", "90", "-90", "180", "-180", "1e-300", "1e400", "nan", "inf", "31.2", "-179.9999999")
)
ANY_TEXT = st.one_of(
    st.text(st.characters(), max_size=60),  # lone surrogates too, as JSON may bring them
    st.builds("{},{}".format, NUMBERS, NUMBERS),
    st.builds("{},{}".format, st.floats(-91, 91), st.floats(-181, 181)),
    st.text("0123456789+- ().:abcdefABCDEF", max_size=70),
    st.builds(lambda letter, times: letter * times, st.characters(), st.integers(0, 2000)),
)


@given(st.sampled_from(TYPES), ANY_TEXT)
@example("name", "")
@example("name", "\ud800")
@settings(max_examples=examples(300), deadline=None)
def test_any_value_can_be_looked_for(type_, text):
    index = ValueIndex()
    index.add("any", Value(type=type_, text=text))
    index.find(decode.leaves_of(json.dumps({"v": text}).encode(), narrow=index.narrow).leaves)
    assert len(index) == 1


@pytest.mark.parametrize("beside", ["n", "n" * 5_000])
def test_bytes_are_searched_alike_whether_they_are_most_of_an_upload_or_not(beside):
    index = ValueIndex()
    index.add("id", Value(type="android_id", text="9774d56d682e549c"))
    index.add("number", Value(type="phone_number", text="+8613800138000"))
    packed = b"\x00\xfe" * 90 + bytes.fromhex("9774d56d682e549c") + b"\xff\x00" * 90
    wide = b"\x00\xfe" * 90 + "+8613800138000".encode("utf-16-le") + b"\xff\xd8" * 90
    leaves = [
        decode.Leaf("$.text", beside, beside.encode(), (), 0, 1, True),
        decode.Leaf("$.packed", None, packed, ("base64",), 2, 3, False),
        decode.Leaf("$.wide", None, wide, ("base64",), 4, 5, False),
    ]
    assert {(hit.key, hit.leaf.path) for hit in index.find(leaves)} == {("id", "$.packed"), ("number", "$.wide")}
