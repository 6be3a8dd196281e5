"""Tests of what is nearly a value that was read, or longer: it is somebody else's; and of what is one."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import uuid

import pytest

from appwitness.events import Value
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from tests.match.test_linking import NUMBER, link, told

PHONE = Value(type="phone_number", text="13858517812")
IMEI = Value(type="device_id_imei", text="860798683078487")
ANDROID = Value(type="android_id", text="ad15ed4aba51289f")
EMAIL = Value(type="email", text="nadia.baxter046@uni.example")
UUID = Value(type="advertising_id", text="9211a8d8-47f4-49f3-a568-d623ada219c6")
APP = Value(type="installed_apps", text="com.quark.fitx19")
SMS = Value(type="sms_content", text="Your parcel 3796459658 arrives tomorrow, code 616836")
NOTE = Value(type="clipboard", text="meet me at the old harbour, pier 29, 3:45pm")
MAC = Value(type="mac_address", text="a4:c1:38:15:81:d1")
SALT = b"salt-of-the-app:"


def js(**fields):
    return json.dumps(fields).encode()


def nearly(digest):
    """The same with its last bit turned."""
    return digest[:-1] + bytes((digest[-1] ^ 1,))


def halves(text):
    raw = uuid.UUID(text).bytes
    return js(**dict(zip(("msb", "lsb"), struct.unpack(">qq", raw), strict=True)))


def parcel(text):
    return b"\x07\0\0\0" + struct.pack("<i", len(text)) + text.encode("utf-16le") + b"\0\0\1\0\0\0"


def tlv(text):
    return b"\x02" + bytes((len(text),)) + text.encode() + b"\x03\x01\xff"


OTHERS = {
    **{
        f"{name} with its last bit turned": (PHONE, js(h=nearly(hashlib.new(name, PHONE.text.encode()).digest()).hex()))
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_384", "sha3_512", "blake2b")
    },
    "bytes of such a digest": (PHONE, b"\xfe" + nearly(hashlib.sha512(PHONE.text.encode()).digest()) + b"\xfd"),
    "a digit more before an id": (ANDROID, js(aid="2ad15ed4aba51289f")),
    "a digit more behind an id": (ANDROID, js(aid="ad15ed4aba51289fa")),
    "another check digit in bytes": (IMEI, tlv("860798683078485")),
    "another check digit in utf-16": (IMEI, parcel("860798683078485")),
    "another check digit in utf-16 with the high byte first": (IMEI, js(i="860798683078485".encode("utf-16be").hex())),
    "another check digit in a real number": (IMEI, b'{"imei":860798683078485.0}'),
    "another check digit behind a blank": (IMEI, js(imei="86 079868 307848 5")),
    "another check digit in a field": (IMEI, js(tac="86079868", snr="307848", cd="5")),
    "a digit more in bytes": (PHONE, tlv("138585178129")),
    "a number with a fraction": (Value(type="phone_number", text="+447911123456"), js(id="447911123456.513")),
    "a digit more in utf-16": (PHONE, parcel("138585178129")),
    "a digit more in hex of utf-16": (PHONE, js(tel="138585178129".encode("utf-16be").hex())),
    "a digit more in a list": (PHONE, js(phone=[*map(int, "1385851781239")])),
    "a letter more": (EMAIL, b"\0\0\0\x1cx" + EMAIL.text.encode() + b"\0"),
    "a byte more of an address": (
        MAC,
        js(m="a4:c1:38:15:81:d1:0e", n=base64.b64encode(b"a4:c1:38:15:81:d1:0e").decode()),
    ),
    "a zero of a MAC that is another digit": (
        Value(type="mac_address", text="f4:80:42:d8:ec:00"),
        b'\xf0M{"macAddr":"f4:80:42:d8:ec:01","ver":"6.13.7","seq":661}',
    ),
    "one half of an id": (UUID, halves("9211a8d8-47f4-89f3-a568-d623ada219c6")),
    "the digit before": (EMAIL, js(email="nadia.baxter047@uni.example")),
    "how texts begin": (SMS, js(sms="Your parcel 37")),
    "the same beginning": (NOTE, js(note="meet me at the old")),
    "the same beginning of another text": (SMS, js(sms="Your parcel 3796459 was lost")),
    "the same beginning where a digest may stand": (
        Value(type="sms_content", text="Seu código 9171 é 479829 vikomita"),
        b'{"protocol":"json","version":1}\x1e{"type":1,"target":"r","arguments":[{"content":"'
        + "Seu código 9171 é 470829 vikomita".encode()
        + b'"}]}\x1e',
    ),
    "the next app": (APP, js(pkg="com.quark.fitx20")),
    "an app with a digit more, in letters": (
        Value(type="installed_apps", text="com.quark.paypro56"),
        js(app="KCpHbjzAdLAFbVTMTaHDqfUCzk"),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_nearly_a_value_is_another(name):
    value, body = OTHERS[name]
    index = ValueIndex()
    index.add("it", value)
    assert not [hit for hit in index.find(decode.leaves_of(body).leaves) if hit.strong]


THEIRS = {
    "in bytes behind its length": (IMEI, tlv(IMEI.text)),
    "behind a letter that is its length": (EMAIL, b"\x07\x1b" + EMAIL.text.encode() + b"Z"),
    "in a parcel": (IMEI, parcel(IMEI.text)),
    "digest among other bytes": (
        PHONE,
        b"\xfe\x01\xf3" * 9 + hashlib.sha1(PHONE.text.encode()).digest() + b"\xfd\x02" * 30,
    ),
    "digest in utf-16 among other bytes": (
        PHONE,
        b"\xfe\xf3\x01" + hashlib.md5(PHONE.text.encode()).hexdigest().encode("utf-16le") + b"\xfd\xfc\xfb",
    ),
    "both halves": (UUID, halves(UUID.text)),
    "words of an id": (UUID, js(id=[*struct.unpack(">4i", uuid.UUID(UUID.text).bytes)])),
    "maker and rest": (MAC, js(oui="a4:c1:38", nic="15:81:d1")),
    "a netstring": (MAC, js(a="17:a4:c1:38:15:81:d1,")),
    "as files are named": (EMAIL, js(file="nadia.baxter046_at_uni.example")),
    "for people": (EMAIL, js(a="nadia.baxter046 [at] uni [dot] example")),
    "hex number": (PHONE, js(p=hex(int(PHONE.text)))),
    "a text that was cut": (SMS, js(sms="Your parcel 37964596")),
    "a text that was cut before an ellipsis": (SMS, js(sms="Your parcel 3796459658 arr…")),
    "most of a text": (NOTE, js(paste="meet me at the old harbour, pier")),
    "folders": (APP, js(a="com/quark/fitx19")),
    "the mobile identity of a network": (
        IMEI,
        js(imei="8a" + "".join(IMEI.text[at + 1] + IMEI.text[at] for at in range(1, 15, 2))),
    ),
}


@pytest.mark.parametrize("name", THEIRS)
def test_what_is_a_value_is_found(name):
    value, body = THEIRS[name]
    index = ValueIndex()
    index.add("it", value)
    assert index.find(decode.leaves_of(body).leaves)


def output(op, algorithm, source, result, sent):
    return link(told([(op, algorithm, source, result)]), 20, {"more": {"q": sent}})


@pytest.mark.parametrize("at", [10, 15, 19])
def test_a_digest_that_the_app_made_is_not_one_that_is_nearly_it(at):
    source = SALT + NUMBER.encode()
    made = bytearray(hashlib.sha1(source).digest())
    assert output("digest", "SHA-1", source, bytes(made), made.hex())
    made[at] ^= 1
    assert not output("digest", "SHA-1", source, hashlib.sha1(source).digest(), made.hex())


def test_one_letter_that_is_another_is_no_alphabet():
    source = SALT + NUMBER.encode()
    made = hashlib.sha384(source).digest()
    sent = base64.b64encode(made).decode()
    lone = next(letter for letter in sent if sent.count(letter) == 1)
    other = next(letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789" if letter not in sent)
    assert output("digest", "SHA-384", source, made, sent)
    assert not output("digest", "SHA-384", source, made, sent.replace(lone, other))


@pytest.mark.parametrize("read_", ["salt:860798683078485", "8607986830784851710379330123"])
def test_another_check_digit_in_what_was_digested_is_another_phone(read_):
    index = ValueIndex()
    index.add("it", IMEI)
    leaf = decode.leaves_of(read_.encode()).leaves[0]._replace(glued=True, decoding=("json", "MD5"))
    assert not index.find([leaf])
