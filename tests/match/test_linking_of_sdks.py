"""Tests of linking with what apps and their SDKs really send: forms that are found, and what names a value for other
reasons; each in a small body and inside a large one."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from appwitness.events import Upload
from appwitness.events.seen import see
from appwitness.match import decode
from tests.match.test_linking import access, at, link, linker

NOISE = [
    {"seq": n, "event": "open_list", "at": 1_700_000_000_000 + n * 37, "id": f"{n * 7919:08x}"} for n in range(200)
]
BIRTHDAY = ("birthday", "1984-04-26")
ADDRESS = ("address", "3982 Elm Street, Apt 5, Springfield, IL 62704")
GERMAN_NAME = "Jürgen Großkreutz"
IN_ASCII = ("jurgen grosskreutz", "jurgen-grosskreutz", "Jurgen_Grosskreutz", "Grosskreutz, Jurgen")
ON_CARD = ("FN:王建军", "N:王;建军;;;", "N:王建军;;;;", "N;CHARSET=UTF-8:王;建军", "N:王;建军;;;\r\nFN:王建军")
GERMAN = ("address", "Schönhauser Straße 12, 10435 Berlin")


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


FOUND = (
    *((BIRTHDAY, {"birth": f"1984-04-26{end}"}) for end in (" 00:00:00", "T00:00:00+08:00", "T00:00:00.000+0000")),
    *((BIRTHDAY, {"dob": text}) for text in ("26 Apr 1984", "April 26, 1984", "26-Apr-1984", "4/26/1984", "26.4.1984")),
    (BIRTHDAY, {"birthday": 451785600}),
    (BIRTHDAY, {"birthday": {"year": 1984, "month": 4, "day": 26}}),
    *((BIRTHDAY, {"birthday": text}) for text in ("1984-4-26", "1984/4/26", "1984.4.26", "19840426")),
    *((BIRTHDAY, {"dob": f"Apr 26, 1984{end}"}) for end in (" 12:00:00 AM", ", 12:00:00 AM")),
    *((BIRTHDAY, {"dob": f"Thu Apr 26 00:00:00 {zone} 1984"}) for zone in ("GMT", "GMT+08:00", "CST")),
    (BIRTHDAY, {"bYear": "1984", "bMonth": "04", "bDay": "26"}),
    (BIRTHDAY, {"u[b_year]": 1984, "u[b_month]": 4, "u[b_day]": 26}),
    (BIRTHDAY, {"birthday": {"year": "1984", "month": "4", "day": "26"}}),
    (BIRTHDAY, {"birthday": {"year": 1984, "month": 3, "dayOfMonth": 26, "hourOfDay": 0}}),
    (BIRTHDAY, {"birth_year": "1984", "birth_month": "04", "birth_day": "26"}),
    (("name", "Anna Kowalska"), {"ud": {"fn": sha256("anna"), "ln": sha256("kowalska")}}),
    (("name", "Anna Kowalska"), {"sha256_first_name": sha256("anna"), "sha256_last_name": sha256("kowalska").upper()}),
    (("name", "Anna Kowalska"), {"ud[fn]": sha256("anna"), "ud[ln]": sha256("kowalska")}),
    *(
        (("name", GERMAN_NAME), {"n": text})
        for text in ("jurgen grosskreutz", "jurgen-grosskreutz", "Jurgen_Grosskreutz")
    ),
    *((("name", GERMAN_NAME), {"n": text}) for text in ("Grosskreutz, Jurgen", "Juergen Grosskreutz")),
    *((("name", GERMAN_NAME), {"h": sha256(text)}) for text in ("jurgen grosskreutz", "Jurgen Grosskreutz")),
    *((("name", GERMAN_NAME), {"fn": sha256(first), "ln": sha256("grosskreutz")}) for first in ("jurgen", "juergen")),
    (("name", GERMAN_NAME), {"first_name": "Jurgen", "last_name": "Grosskreutz"}),
    *((("name", "王建军"), {"v": f"BEGIN:VCARD\r\nVERSION:3.0\r\n{name}\r\nEND:VCARD"}) for name in ON_CARD),
    (("name", "王秀英"), {"user[xm][]": "王秀英"}),
    (("name", "王秀英"), {"consignee": "王秀英"}),
    (("name", "王秀英"), {"收货人": "王秀英"}),
    (("android_id", "0f8b1c527d4e4a9b"), {"aid": "f8b1c527d4e4a9b"}),
    (("android_id", "3f8b1c527d4e4a9b"), {"u": "00000000-0000-0000-3f8b-1c527d4e4a9b"}),
    (ADDRESS, {"street": "3982 Elm Street", "line2": "Apt 5", "city": "Springfield", "state": "IL", "zip": "62704"}),
    (GERMAN, {"street": "Schönhauser Straße", "addressLine2": "12", "zip": "10435", "city": "Berlin"}),
    (("installed_apps", "com.example.diary"), {"x": "com.example.diary"}),
    (("phone_number", "13800138000"), {"n": "13800138000"}),
)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize(("value", "sent"), FOUND)
def test_what_apps_make_of_a_value_is_found(value, sent, large):
    known = linker(access(10, (*value, 0), data=value[0], app="com.example.reader"))
    assert [one.access for one in link(known, 20, [*NOISE, sent] if large else sent)] == ["accesses.jsonl:1"]


UNSAID = (
    (("installed_apps", "com.example.reader"), {"pkg": "com.example.reader"}),  # the app itself
    (("installed_apps", "com.tencent.mm"), {"share": "com.tencent.mm"}),
    (("installed_apps", "com.miui.home"), {"launcher": "com.miui.home"}),
    (("name", "Office"), {"section_name": "Office"}),
    (("name", "Jordan"), {"tab_name": "Jordan", "group_name": "Jordan"}),
    (BIRTHDAY, {"released": {"year": 1984, "month": 4, "day": 26}}),
    (BIRTHDAY, {"birthday": {"year": 1984, "month": 4, "day": 25}}),
    (BIRTHDAY, {"birthday": {"year": 1984, "month": 3, "day": 26}}),  # of somebody else
    (BIRTHDAY, {"released": {"year": 1984, "month": 3, "dayOfMonth": 26}}),
    (BIRTHDAY, {"released": "1984-4-26", "seen": "Thu Apr 26 00:00:00 GMT 1984"}),
    (BIRTHDAY, {"webYear": "1984", "webMonth": "04", "webDay": "26"}),
    (BIRTHDAY, {"date": "26 Apr 1984"}),
    (BIRTHDAY, {"installed": 451785600}),
    (("name", "Anna Kowalska"), {"fn": sha256("anna"), "ln": sha256("nowak")}),
    (("name", GERMAN_NAME), {"fn": sha256("jurgen"), "ln": sha256("grosskreuz")}),
    (("name", "王建军"), {"v": "BEGIN:VCARD\nFN:王建军事\nN:王;建国;;;\nNOTE:王建军\nEND:VCARD"}),
    (ADDRESS, {"city": "Springfield", "state": "IL", "zip": "62704"}),
)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize(("value", "sent"), UNSAID)
def test_what_is_named_for_other_reasons_is_no_flow(value, sent, large):
    known = linker(access(10, (*value, 0), data=value[0], app="com.example.reader"))
    assert link(known, 20, [*NOISE, sent] if large else sent) == []


def test_packages_that_everybody_names_count_beside_others():
    packages = ("com.example.reader", "com.tencent.mm", "com.example.diary", "org.example.chess")
    rows = [("installed_apps", package, number) for number, package in enumerate(packages)]
    known = linker(access(10, *rows, data="installed_apps", app="com.example.reader"))
    assert link(known, 20, {"apps": list(packages)})[0].rows == 4


def test_the_number_of_a_service_counts_beside_its_contact():
    known = linker(access(10, ("name", "中国移动客服热线", 0), ("phone_number", "10086", 0), data="contacts"))
    assert link(known, 20, {"phone": "10086"}) == []
    (flow,) = link(known, 20, {"list": [{"n": "中国移动客服热线", "p": "10086"}]})
    assert {match.value for match in flow.matches} == {"中国移动客服热线", "10086"}


def sent_as(body, value, **more):
    """What is found of a value in a body of bytes, each with the steps to it."""
    known = linker(access(10, (*value, 0), data=value[0]))
    sent = Upload(at=at(20), via="http", **more)
    joins = known.link(see("uploads.jsonl:1", sent, 0), decode.leaves(sent, body, narrow=known.narrow))
    return [one for joined in joins for one in joined.matches]


def test_a_birthday_as_a_message_of_protobuf_counts_beside_the_rest_of_its_row():
    born = b"\x22\x07\x08\xc0\x0f\x10\x04\x18\x1a"
    rows = (("name", "Anna Kowalska", 0), ("birthday", "1984-04-26", 0))
    known = linker(access(10, *rows, data="contacts"))
    sent = Upload(at=at(20), via="http")
    for person, found in ((b"\x0a\x0dAnna Kowalska", {"Anna Kowalska", "1984-04-26"}), (b"\x0a\x04Anne", set())):
        joins = known.link(see("uploads.jsonl:1", sent, 0), decode.leaves(sent, person + born))
        assert {match.value for joined in joins for match in joined.matches} == found


def counted(text):
    """A text in a message of protobuf, between two numbers."""
    return b"\x08\x96\x01\x12%c%s\x18\x05" % (len(text), text.encode())


SHORT_ADDRESSES = ("kim@qq.com", "a@b.io", "Jo@gmx.de")


@pytest.mark.parametrize("address", SHORT_ADDRESSES)
def test_a_short_address_of_mail_that_stands_alone_is_found_wherever_it_is(address):
    value = ("email", address)
    coded = base64.b64encode(address.encode()).decode()
    for document in ({"q": address}, {"d": coded}, {"d": [1, f"<{address}>"]}, {"d": f"to {address}."}):
        for sent in (document, [*NOISE, document]):
            assert sent_as(json.dumps(sent).encode(), value), sent
    for body in (f"1,{address},9\n2,z,4\n", f"D/x: got {address} now\n", f"v=1&q={address.replace('@', '%40')}"):
        assert sent_as(body.encode(), value), body
    for body in (counted(address), b"\x01\x02\x00" + address.encode() + b"\x00\xff\x81"):
        assert sent_as(body, value), body
    assert sent_as(b"", value, headers=(("x-u", address),))


@pytest.mark.parametrize("address", [*SHORT_ADDRESSES, "zhao.liu_13@example.org"])
def test_an_address_inside_a_longer_one_is_another(address):
    value = ("email", address)
    for before in ("a", "x.", "x-", "x+", "1"):
        assert sent_as(json.dumps({"q": before + address}).encode(), value) == []
    for behind in (".cn", "n", "-x", "1"):
        assert sent_as(json.dumps({"q": address + behind}).encode(), value) == []


def test_a_long_address_behind_a_prefix_is_found():
    value = ("email", "zhao.liu_13@example.org")
    assert sent_as(json.dumps({"q": f"android_{value[1]}"}).encode(), value)


@pytest.mark.parametrize("address", SHORT_ADDRESSES)
def test_a_short_address_beside_other_signs_of_addresses_is_another(address):
    value = ("email", address)
    for text in (
        f"x_{address}",
        f"a!{address}",
        f"o'{address}",
        f"a/{address}",
        f"@{address}",
        f"{address}@x",
        f"a%{address}",
    ):
        assert sent_as(json.dumps({"q": text}).encode(), value) == [], text
    assert sent_as(b"\x01\xffx" + address.encode() + b"\x00\xfe\x81", value) == []


VERSIONED = ("862036190193350", "865733859824260")
"""IMEIs whose check digit is the first digit of the most frequent software versions."""


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("imei", VERSIONED)
def test_a_software_version_that_begins_with_the_check_digit_is_one_under_a_key_that_says_so(imei, large):
    version = f"{imei[:14]}03"
    known = linker(access(10, ("device_id_imei", imei, None)))
    for key, found in (("imeisv", 1), ("sv", 1), ("deviceSoftwareVersion", 1), ("imei", 1), ("q", 0), ("order", 0)):
        sent = {key: version}
        assert len(link(known, 20, [*NOISE, sent] if large else sent)) == found, key


SERIAL = ("device_id_serial", "R58M123ABCD")


@pytest.mark.parametrize("before", [b"\x01\x02\x03\x90\x91", b"\0\0", b"\xff\0\0\x01\0"])
@pytest.mark.parametrize("charset", ["utf-16le", "utf-16be"])
def test_text_in_utf_16_among_zeros_is_named_and_placed_rightly(charset, before):
    text = SERIAL[1].encode(charset)
    head = b"\x85\x13\0\0" + before
    (match,) = sent_as(head + text + b"\0\0\x81\xfe\x91\0\x22", SERIAL)
    assert (match.decoding, match.start, match.end) == ((charset,), len(head), len(head) + len(text))


@pytest.mark.parametrize(("charset", "order"), [("utf-16le", "little"), ("utf-16be", "big")])
def test_what_is_said_of_its_length_tells_the_order_of_utf_16(charset, order):
    text = SERIAL[1].encode(charset)
    head = b"\x85\x13\0\0" + len(SERIAL[1]).to_bytes(4, order)
    (match,) = sent_as(head + text + b"\0\0\0\0\x81\xfe\x91\0\x22", SERIAL)
    assert (match.decoding, match.start, match.end) == ((charset,), len(head), len(head) + len(text))


LISTED_MAC = ("mac_address", "a4:c1:38:15:81:d1")


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_bytes_in_a_list_are_found_where_the_list_is(signed, large):
    raw = bytes.fromhex(LISTED_MAC[1].replace(":", ""))
    numbers = [byte - 256 if signed and byte > 127 else byte for byte in raw]
    sent = [*(NOISE if large else ()), {"z": 1, "w": {"mac": numbers}}, {"v": [[0], numbers]}]
    matches = sent_as(json.dumps(sent).encode(), LISTED_MAC)
    at = len(sent) - 2
    assert {match.path for match in matches} == {f"$[{at}].w.mac", f"$[{at + 1}].v[1]"}
    assert {match.decoding for match in matches} == {("json", "byte array")}


def test_bytes_in_a_list_that_is_in_no_document_are_found_too():
    text = "got mac=[164, 193, 56, 21, 129, 209] and {1}"
    (match,) = sent_as(text.encode(), LISTED_MAC)
    assert text[match.start : match.end] == "[164, 193, 56, 21, 129, 209]"


@pytest.mark.parametrize("large", [False, True])
def test_a_digest_is_shown_in_the_letters_that_were_sent(large):
    digest = hashlib.sha256(b"kim.lee@example.org").digest()
    for sent in (
        base64.urlsafe_b64encode(digest).decode(),
        base64.urlsafe_b64encode(digest).decode().rstrip("="),
        base64.b64encode(digest).decode(),
        digest.hex().upper(),
    ):
        body = json.dumps([*(NOISE if large else ()), {"h": sent}]).encode()
        (match,) = sent_as(body, ("email", "kim.lee@example.org"))
        assert match.found == sent


@pytest.mark.parametrize("text", ["a4|c1|38|15|81|d1", "A4|C1|38|15|81|D1"])
def test_a_mac_with_strokes_between_its_bytes_is_found(text):
    assert sent_as(json.dumps({"q": text}).encode(), LISTED_MAC)
    assert sent_as(json.dumps({"q": text[:-1] + "2"}).encode(), LISTED_MAC) == []
