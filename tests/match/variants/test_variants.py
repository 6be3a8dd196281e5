"""Tests of the forms of a value: normal forms by type, digests, places in other systems."""

from __future__ import annotations

import hashlib
import math
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.events import Value
from appwitness.match import variants
from appwitness.match.geo import systems
from appwitness.match.variants import composed, digests


def texts(type_, text):
    return {
        variant.pattern.decode(): variant
        for variant in variants.of(Value(type=type_, text=text))
        if variant.how in ("text", "utf-8")
    }


@pytest.mark.parametrize(
    ("type_", "text", "kind"),
    [
        ("phone_number", "+8613800138000", "phone"),
        ("phone_number", "unknown", "text"),
        ("name", "李华", "name"),
        ("email", "Ann@x.test", "email"),
        ("account", "Ann@x.test", "email"),
        ("location", "31.2,121.4", "location"),
        ("location", "Shanghai", "text"),
        ("device_id_imei", "867530029921507", "imei"),
        ("device_id_imei", "A1000049D1F1B7", "id"),
        ("phone_number", "015178537787", "phone"),  # twelve digits are no MAC address here
        ("birthday", "1991-08-23", "date"),
        ("birthday", "--08-23", "text"),
        ("mac_address", "a4:c1:38:15:81:d1", "mac"),
        ("android_id", "64f051c20ca1dc00", "id"),
        ("advertising_id", "38400000-8cf0-11bd-b23e-10b96e40000d", "id"),
        ("sms_content", "your code is 1234", "text"),
    ],
)
def test_kind_is_told_by_type_then_by_shape(type_, text, kind):
    assert variants.kind_of(Value(type=type_, text=text)) == kind


@pytest.mark.parametrize(
    ("type_", "text", "forms"),
    [
        (
            "phone_number",
            "13800138000",
            {"13800138000": "plain", "+8613800138000": "e164", "8613800138000": "international"},
        ),
        (
            "phone_number",
            "+447700900079",
            {"+447700900079": "plain", "07700900079": "national", "7700900079": "significant"},
        ),
        ("phone_number", "(310) 555-0123", {"3105550123": "digits", "+13105550123": "e164"}),
        ("phone_number", "00491701234567", {"+491701234567": "e164", "01701234567": "national"}),
        ("email", "Ann.Lee+x@Gmail.com", {"Ann.Lee+x@Gmail.com": "plain", "annlee@gmail.com": "bare"}),
        ("mac_address", "a4:c1:38:15:81:d1", {"a4c1381581d1": "bare", "a4-c1-38-15-81-d1": "hyphens"}),
        ("device_id_imei", "867530029921507", {"867530029921507": "plain", "86753002992150": "without_check_digit"}),
        ("device_id_imei", "013327004081255", {"013327004081255": "plain", "13327004081255": "integer"}),
        (
            "android_id",
            "f4f051c20ca1dc00",
            {"17649696833542413312": "integer", "-797047240167138304": "signed_integer"},
        ),
        ("name", "Anna Kowalska", {"Anna Kowalska": "plain", "Kowalska Anna": "swapped", "AnnaKowalska": "joined"}),
        ("name", "诸葛强浩", {"诸葛强浩": "plain", "诸葛 强浩": "spaced", "强浩诸葛": "swapped"}),
        ("name", "Ａｎｎ Lee", {"Ａｎｎ Lee": "plain", "Ann Lee": "narrow"}),
        ("name", "Łukasz Wójcik", {"WÓJCIK ŁUKASZ": "swapped", "Wójcik^Łukasz": "swapped"}),
        ("name", "Tomás Ibáñez Ferreira", {"IBÁÑEZ FERREIRA TOMÁS": "swapped", "Ibáñez Ferreira, Tomás": "swapped"}),
        ("name", "Jürgen Großmann", {"Juergen Grossmann": "latin"}),
        ("name", "Ольга Смирнова", {"Olga Smirnova": "latin", "Smirnova Olga": "latin"}),
        ("name", "Андрей Щукин", {"Andrey Shchukin": "latin"}),
        ("name", "Γεωργία Παπαδοπούλου", {"Georgia Papadopoulou": "latin"}),
        ("name", "Aoife O'Brien", {"Aoife O''Brien": "apostrophe", "Aoife O\u2019Brien": "apostrophe"}),
        ("name", "Aoife O\u2019Brien", {"Aoife O'Brien": "apostrophe"}),
        (
            "address",
            "上海市徐汇区漕溪北路398号",
            {
                "上海市 徐汇区漕溪北路398号": "separated",
                "上海市 徐汇区 漕溪北路398号": "separated",
                "上海市-徐汇区-漕溪北路398号": "separated",
            },
        ),
        ("phone_number", "010-4827-1936", {"+821048271936": "e164_elsewhere"}),
        ("phone_number", "89162845319", {"+79162845319": "e164_elsewhere", "9162845319": "significant"}),
        ("phone_number", "0664123456", {"+43664123456": "e164_elsewhere", "664123456": "significant"}),
        ("phone_number", "06201234567", {"+36201234567": "e164_elsewhere", "201234567": "significant"}),
        ("phone_number", "011 15-2345-6789", {"+5491123456789": "e164_elsewhere"}),
        ("phone_number", "015178537787", {"+4915178537787": "e164", "15178537787": "national"}),
        ("msisdn", "011931695282", {"+5511931695282": "e164"}),
        ("device_id_imei", "A1000049D1F1B7", {"A1000049D1F1B7": "plain", "270113184913758903": "decimal"}),
        (
            "birthday",
            "1991-08-23",
            {
                "1991-08-23": "plain",
                "1991/08/23": "year_first",
                "1991年8月23日": "year_first",
                "23.08.1991": "day_first",
                "08/23/1991": "month_first",
                "682905600000": "milliseconds",
                "682876800000": "milliseconds",
            },
        ),
    ],
)
def test_normal_forms(type_, text, forms):
    have = texts(type_, text)
    assert forms == {form: have[form].name for form in forms if form in have}


def test_each_normal_form_has_each_digest():
    of = {
        (variant.name, variant.of): variant.pattern
        for variant in variants.of(Value(type="phone_number", text="13800138000"))
        if variant.how == "leaf"
    }
    for name, form in (("as_given", b"13800138000"), ("e164", b"+8613800138000"), ("international", b"8613800138000")):
        for digest in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"):
            assert of[digest, name] == hashlib.new(digest, form).digest()
        assert of["md5_16", name] == hashlib.md5(form).digest()[4:12]
        assert of["sha1_of_md5", name] == hashlib.sha1(hashlib.md5(form).hexdigest().encode()).digest()


def test_sizes_of_digests_are_all_searched():
    made = {len(raw) for _, raw in digests.of(b"x", "doubled")}
    assert made <= digests.SIZES


@pytest.mark.parametrize(("data", "sum32"), [(b"", 0), (b"hello", 0x248BFA47), (b"hello, world", 0x149BBB7F)])
def test_murmur3(data, sum32):
    assert digests.CHECKSUMS["murmur3"](data) == sum32


def test_murmur3_of_128_bits_is_the_one_that_guava_has():
    assert dict(composed.of("hello"))["murmur3_128"].hex() == "029bbd41b3a7d8cb191dae486a901e5b"


@pytest.mark.parametrize(("make", "version"), [(uuid.uuid3, 3), (uuid.uuid5, 5)])
def test_uuids_of_names(make, version):
    made = dict(composed.given("example.org"))[f"uuid_v{version}_dns"]
    assert made == make(uuid.NAMESPACE_DNS, "example.org").bytes


# points of the People's Square in Shanghai and of Tiananmen, as public converters give them
@pytest.mark.parametrize(
    ("lat", "lon", "system", "there"),
    [
        (39.908692, 116.397477, "gcj02", (39.910095, 116.403719)),
        (39.908692, 116.397477, "bd09", (39.916435, 116.410097)),
    ],
)
def test_chinese_systems_within_two_metres(lat, lon, system, there):
    place = next(place for place in systems.systems(lat, lon) if place.system == system)
    assert math.hypot(place.lat - there[0], place.lon - there[1]) * systems.METRES_PER_DEGREE < 2


@pytest.mark.parametrize(
    ("lat", "lon", "text"),
    [(57.64911, 10.40744, "u4pruydqqvj"), (31.238361, 121.435598, "wtw3"), (-25.382708, -49.265506, "6gkzwgjzn820")],
)
def test_geohash(lat, lon, text):
    assert systems.geohash(lat, lon, len(text)) == text


@given(
    st.sampled_from(["phone_number", "name", "email", "location", "mac_address", "imei", "text"]), st.text(max_size=30)
)
def test_any_text_has_forms_and_the_same_ones_each_time(type_, text):
    value = Value(type=type_, text=text)
    first = variants.of(value)
    assert variants.of(value) == first
    assert all(variant.pattern or variant.how == "place" for variant in first)
