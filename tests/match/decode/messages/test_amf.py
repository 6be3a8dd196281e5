"""Tests of the decoder of AMF: objects, commands and envelopes are read, what does not fit to its end is not."""

from __future__ import annotations

import struct

import pytest

from monitor.events import Value
from monitor.match import decode
from monitor.match.finding import Index


def word(text):
    return struct.pack(">H", len(text.encode())) + text.encode()


def value(given):
    match given:
        case None:
            return b"\x05"
        case bool():
            return b"\x01" + bytes([given])
        case int() | float():
            return b"\x00" + struct.pack(">d", given)
        case str():
            return b"\x02" + word(given)
        case list():
            return b"\x0a" + struct.pack(">I", len(given)) + b"".join(map(value, given))
        case dict():
            return b"\x03" + b"".join(word(key) + value(one) for key, one in given.items()) + b"\0\0\x09"


def word3(text):
    return bytes([len(text.encode()) * 2 + 1]) + text.encode()


def value3(given):
    match given:
        case None:
            return b"\x01"
        case bool():
            return b"\x03" if given else b"\x02"
        case int() if 0 <= given < 1 << 28:
            return b"\x04" + bytes(
                [given >> 22 | 0x80, given >> 15 & 0x7F | 0x80, given >> 8 & 0x7F | 0x80, given & 0xFF]
            )
        case int() | float():
            return b"\x05" + struct.pack(">d", given)
        case str():
            return b"\x06" + word3(given)
        case list():
            return b"\x09" + bytes([len(given) * 2 + 1]) + b"\x01" + b"".join(map(value3, given))
        case dict():
            return b"\x0a\x0b\x01" + b"".join(word3(key) + value3(one) for key, one in given.items()) + b"\x01"


def envelope(*messages, size=None):
    parts = [word(f"svc.{n}") + word(f"/{n}") + struct.pack(">I", size or len(one)) for n, one in enumerate(messages)]
    whole = b"".join(head + one for head, one in zip(parts, messages, strict=True))
    return b"\0\0\0\0" + struct.pack(">H", len(messages)) + whole


def leaves(body):
    return {leaf.path: leaf.data.decode() for leaf in decode.leaves_of(body).leaves if leaf.decoding == ("amf",)}


FIX = {"lat": 31.238361, "lon": 121.435598, "tel": 13800138000, "on": True, "none": None, "who": "李小明"}
READ = {"lat": "31.238361", "lon": "121.435598", "tel": "13800138000", "who": "李小明"}
# byte for byte what a client that begins to stream sends
CONNECT = (
    b"\x02\x00\x07connect\x00\x3f\xf0\x00\x00\x00\x00\x00\x00\x03\x00\x03app\x02\x00\x04live"
    b"\x00\x08flashVer\x02\x00\x0cLNX 20,0,0,0\x00\x05tcUrl\x02\x00\x15rtmp://192.0.2.7/live\x00\x00\x09"
)


def test_an_object_is_read_under_its_keys():
    assert leaves(value(FIX)) == {f"$.{key}": text for key, text in READ.items()}


def test_an_array_of_names_and_a_typed_object_are_read_as_objects_are():
    for head in (b"\x08\0\0\0\x06", b"\x08\0\0\0\0", b"\x10" + word("org.example.Fix")):
        assert leaves(head + value(FIX)[1:]) == {f"$.{key}": text for key, text in READ.items()}


def test_a_command_is_its_name_and_what_follows():
    assert leaves(value("setUser") + value(2) + value(None) + value(FIX))["$[3].tel"] == "13800138000"
    assert leaves(CONNECT) == {
        "$[0]": "connect",
        "$[2].app": "live",
        "$[2].flashVer": "LNX 20,0,0,0",
        "$[2].tcUrl": "rtmp://192.0.2.7/live",
    }


def test_an_envelope_is_opened():
    for body in (envelope(value([FIX])), envelope(value([FIX]), size=0xFFFFFFFF)):
        assert leaves(body)["$.messages[0][0].who"] == "李小明"
    read = leaves(envelope(b"\x11" + value3(FIX), value([FIX])))
    assert read["$.messages[0].lat"] == read["$.messages[1][0].lat"] == "31.238361"


def test_amf3_is_read_under_its_keys():
    small = {"imsi_part": 138001380, "at": 31.238361}
    assert leaves(value3({**FIX, "more": [small]})) == {
        **{f"$.{key}": text for key, text in READ.items()},
        "$.more[0].imsi_part": "138001380",
        "$.more[0].at": "31.238361",
    }


def test_amf3_names_texts_and_classes_that_came_before():
    mail, named = "tomas.baxter092@uni.example", word3("mail") + word3("tel")
    first = b"\x0a\x23" + word3("Contact") + named + value3(mail) + value3(13800138000)
    second = b"\x0a\x01" + b"\x06\x06" + b"\x05" + struct.pack(">d", 13900139000)
    read = leaves(b"\x09\x05\x01" + first + second)
    assert read == {"$[0].mail": mail, "$[0].tel": "13800138000", "$[1].mail": mail, "$[1].tel": "13900139000"}


def test_dates_and_long_texts_are_read():
    date = b"\x0b" + struct.pack(">d", 1_773_478_800_123) + b"\0\0"
    text = b"\x0c" + struct.pack(">I", 70_000) + b"x" * 69_989 + b"13800138000"
    body = b"\x03" + word("at") + date + word("log") + text + b"\0\0\x09"
    read = leaves(body)
    assert read["$.at"] == "1773478800123"
    assert read["$.log"].endswith("13800138000")


def test_keys_that_are_data_are_leaves():
    assert list(leaves(value({"13800138000": 1})).values()) == ["13800138000"]


def test_where_a_number_stood_is_said():
    index = Index()
    index.add("phone", Value(type="phone_number", text="+8613800138000"))
    body = value(FIX)
    hit = next(hit for hit in index.find(decode.leaves_of(body).leaves) if hit.leaf.path == "$.tel")
    assert body[hit.start : hit.end] == struct.pack(">d", 13800138000)
    assert hit.decoding == ("amf",)


@pytest.mark.parametrize(
    "body",
    [
        value(FIX)[:-1],  # cut
        value(FIX)[:-3] + b"\0\0\x08",  # no end
        value3(FIX)[:-1],
        value3(FIX) + b"\x01",
        b"\x0a\x0b\x01" + word3("mail") + b"\x06\x42\x01",  # a text that did not come before
        b"\x0a\x05" + value3(31.238361),  # a class that did not
        b"\x0a\x07" + word3("Own") + value3("13800138000"),  # written in its own way
        value(FIX) + b"\x04",  # a marker that is reserved
        b"\x03" + word("lat") + b"\0" + struct.pack(">d", float("nan")) + b"\0\0\x09",
        b"\x03" + b"\0\x02\xff\xfe" + value(31.238361) + b"\0\0\x09",  # no name
        b"\x02" + word("hello there"),  # a text behind its length, no more
        b"\x0a\x7f\xff\xff\xff" + value(31.238361),  # more than there are bytes
        envelope(value(FIX))[:-1] + b"\x05",
        envelope(value(FIX), size=7),
        envelope(value(FIX)) + b"\0",
    ],
)
def test_what_does_not_fit_to_its_end_is_not_read(body):
    assert leaves(body) == {}


def test_deep_and_endless_ones_are_left_alone():
    deep = b"".join(b"\x03" + word("a") for _ in range(5_000)) + value(1) + b"\0\0\x09" * 5_000
    endless = b"\x0a\0\x07\xa1\x20" + b"\x05" * 500_000
    assert leaves(deep) == leaves(endless) == {}
