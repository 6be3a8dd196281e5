"""Tests of outputs of the app's own digests and ciphers: cut, salted, turned round, in letters of their own."""

from __future__ import annotations

import base64
import codecs
import hashlib
import json
import string
import struct

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from appwitness.events import Upload, Value
from appwitness.events.seen import see
from appwitness.match import decode
from appwitness.match.geo.systems import geohash
from appwitness.match.linking import Linker
from tests.match.test_linking import NUMBER, PLAIN, at, cbc, link, told, turned

SALT = b"5f0c9d1be"
SOURCE = SALT + b":" + NUMBER.encode()
LONE = b"0a9b2c3d4e5f6a7b"
CIPHERTEXT = cbc(PLAIN + b" " * 48)
BASE64 = base64.b64encode(CIPHERTEXT).decode()
LETTERS = string.ascii_letters + string.digits + "+/"
BCRYPT = "./" + string.ascii_uppercase + string.ascii_lowercase + string.digits


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).digest()


def sha256(data):
    return hashlib.sha256(data).digest()


def digest(source, of=sha256):
    return "digest", "SHA-256" if of is sha256 else "MD5", source, of(source)


def joined(calls, sent):
    return link(told(calls), 20, {"more": sent if isinstance(sent, dict) else {"q": sent}})


def padded(number):
    """A source whose digest begins with a byte below 16 in each of both halves, so that zeros are lost."""
    found = (b"%d:" % n + NUMBER.encode() for n in range(number))
    return next(source for source in found if md5(source)[0] < 16 and any(byte > 127 for byte in md5(source)))


ZERO = padded(10_000)
CUT = {
    "half of a digest and a salt": [digest(SOURCE), digest(sha256(SOURCE).hex()[:16].encode() + LONE)],
    "a salt and half of a digest": [digest(SOURCE), digest(b"zz" + sha256(SOURCE).hex()[:16].upper().encode())],
    "half that begins with a zero": [digest(ZERO, md5), digest(md5(ZERO).hex()[:16].encode() + b"salt")],
    "middle half and a salt": [digest(SOURCE, md5), digest(md5(SOURCE).hex()[8:24].encode() + LONE)],
    "upper middle half": [digest(SOURCE, md5), digest(LONE + md5(SOURCE).hex()[8:24].upper().encode())],
}


@pytest.mark.parametrize("name", CUT)
def test_a_cut_digest_and_a_salt_are_followed(name):
    (flow,) = joined(CUT[name], CUT[name][-1][3].hex())
    assert flow.matches[0].evidence == ("transforms.jsonl:2", "transforms.jsonl:1")


@pytest.mark.parametrize(
    "inner",
    [sha256(SOURCE).hex()[:14] + "zz", sha256(SOURCE).hex()[8:24] + "zz", sha256(SOURCE).hex()[2:18] + "zz"],
    ids=["too little", "middle of another digest", "no beginning"],
)
def test_less_of_a_digest_and_a_salt_are_nothing(inner):
    calls = [digest(SOURCE), digest(inner.encode())]
    assert not joined(calls, calls[1][3].hex())


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("abcde7", ""),
        ("5f0c9d1b42", ""),
        ("k9x2qw1", ""),
        ("", "7abcde"),
        ("", "42d9f0c1"),
        ("abcde7", "9fedcb"),
        ("", "8f3k"),
        ("", "8f3k9x"),
        ("", "8f3kD!sEcr3t"),
        ("", "42f3k"),
        ("salt9", ""),
        ("Pepper5", "x"),
        ("x9k5", ""),
        ("u:", "8f3k"),
    ],
)
def test_digits_of_a_salt_beside_a_number_do_not_hide_it(before, behind):
    call = digest(f"{before}{NUMBER}{behind}".encode())
    (flow,) = joined([call], call[3].hex())
    assert flow.matches[0].value == NUMBER


@pytest.mark.parametrize(
    "before", ["7", "9", "tel49", "phone49", "de49", "12", "abcde-7", "tel9", "u9", "salt1", "salt49", "x9k7", "x9k49"]
)
def test_digits_that_may_belong_to_a_number_do(before):
    call = digest(f"{before}{NUMBER}x".encode())
    assert not joined([call], call[3].hex())


@pytest.mark.parametrize("behind", ["8", "12", "8x", "8 f3k", "8v2", "8.5", "8salt", "8kD!", "8:f3k9"])
def test_digits_behind_a_number_that_may_belong_to_it_do(behind):
    call = digest(f"x{NUMBER}{behind}".encode())
    assert not joined([call], call[3].hex())


@pytest.mark.parametrize(
    ("text", "behind", "found"),
    [
        ("RF8XG6T1N09", "8f3kD!sEcr3t", True),
        ("RF8XG6T1N09", "_8f3k", True),
        ("RF8XG6T1N09", "8", False),
        ("RF8XG6T1N09", "8x", False),
    ],
)
def test_what_a_salt_stands_behind_may_be_a_serial_number(text, behind, found):
    call = digest((text + behind).encode())
    known = given(Value(type="device_id_serial", text=text), call)
    assert bool(link(known, 20, {"q": call[3].hex()})) == found


def test_digits_of_a_salt_hide_a_number_in_an_upload():
    assert not joined([digest(SOURCE)], f"abcde7{NUMBER}")


MD5, SHA = md5(ZERO), sha256(SOURCE)
SPELLED = {
    "hex without zeros": (digest(ZERO, md5), "".join(f"{byte:x}" for byte in MD5)),
    "hex of signed bytes": (digest(ZERO, md5), "".join(f"{b:x}" if b < 128 else f"ffffff{b:x}" for b in MD5)),
    "12 digits": (digest(SOURCE), SHA.hex()[:12]),
    "14 digits, upper": (digest(SOURCE), SHA.hex()[:14].upper()),
    "15 digits": (digest(SOURCE), SHA.hex()[:15]),
    "17 digits": (digest(SOURCE), SHA.hex()[:17]),
    "25 digits": (digest(SOURCE), SHA.hex()[:25]),
    "8 to 24": (digest(SOURCE), SHA.hex()[8:24]),
    "16 to 48": (digest(SOURCE), SHA.hex()[16:48]),
    "last 32": (digest(SOURCE), SHA.hex()[-32:]),
    "12 digits as a number": (digest(SOURCE), int(SHA.hex()[:12], 16)),
    "15 digits as a number": (digest(SOURCE), str(int(SHA.hex()[:15], 16))),
    "8 bytes as a long without its sign": (digest(SOURCE), abs(int.from_bytes(SHA[:8], signed=True))),
    "letters for hex digits": (
        digest(ZERO, md5),
        MD5.hex().translate(str.maketrans("0123456789abcdef", LETTERS[6:22])),
    ),
}
ENCRYPTED = {
    "hex without zeros": "".join(f"{byte:x}" for byte in CIPHERTEXT),
    "hex of signed bytes": "".join(f"{byte:x}" if byte < 128 else f"ffffff{byte:x}" for byte in CIPHERTEXT),
    "swapcase": BASE64.swapcase(),
    "rot13": codecs.encode(BASE64, "rot13"),
    "bcrypt": BASE64.rstrip("=").translate(
        str.maketrans(string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/", BCRYPT)
    ),
    "any alphabet": BASE64.translate(str.maketrans(LETTERS, LETTERS[::-1])),
    "letters for hex digits": "".join(chr(97 + int(digit, 16)) for digit in CIPHERTEXT.hex()),
    "latin-1": CIPHERTEXT.decode("latin-1"),
    "a long number": str(int.from_bytes(CIPHERTEXT)),
    "two fields": {"p1": BASE64[: len(BASE64) // 2], "p2": BASE64[len(BASE64) // 2 :]},
    "a list": {"parts": [CIPHERTEXT.hex()[at : at + 32] for at in range(0, 2 * len(CIPHERTEXT), 32)]},
}


@pytest.mark.parametrize("name", SPELLED)
def test_a_digest_in_an_odd_spelling_is_known(name):
    call, sent = SPELLED[name]
    (flow,) = joined([call], sent)
    assert flow.matches[0].evidence == ("transforms.jsonl:1",)


@pytest.mark.parametrize("name", ENCRYPTED)
def test_a_ciphertext_in_an_odd_spelling_is_known(name):
    (flow,) = joined([("encrypt", "AES/CBC/PKCS5Padding", PLAIN, CIPHERTEXT)], ENCRYPTED[name])
    assert flow.matches[0].evidence == ("transforms.jsonl:1",)


OTHER = BASE64.swapcase()
NEARLY = {
    "8 digits": (digest(SOURCE), SHA.hex()[:8]),
    "8 digits as a number": (digest(SOURCE), int(SHA.hex()[:8], 16)),
    "12 digits from elsewhere": (digest(SOURCE), SHA.hex()[3:15]),
    "a digit is another": (digest(SOURCE), SHA.hex()[:24] + ("0" if SHA.hex()[24] != "0" else "1")),
    "12 digits in a text": (digest(SOURCE), SHA.hex()[:12] + "xyz"),
}
NEARLY_ENCRYPTED = {
    "one letter is another": OTHER[:70] + ("A" if OTHER[70] != "A" else "B") + OTHER[71:],
    "a part in other letters": OTHER[:64],
    "two letters are one": BASE64.translate(str.maketrans("ab", "cc")),
    "a mask that changes": base64.b64encode(bytes(byte ^ at & 1 for at, byte in enumerate(CIPHERTEXT, 1))).decode(),
    "the second part is another's": {"p1": BASE64[:90], "p2": OTHER[90:]},
    "the last part is missing": {"parts": [CIPHERTEXT.hex()[at : at + 32] for at in range(0, 96, 32)]},
    "parts in another order": {"a": BASE64[90:], "b": BASE64[:90]},
}


@pytest.mark.parametrize("name", NEARLY)
def test_what_is_nearly_a_digest_proves_nothing(name):
    call, sent = NEARLY[name]
    assert not joined([call], sent)


@pytest.mark.parametrize("name", NEARLY_ENCRYPTED)
def test_what_is_nearly_a_ciphertext_proves_nothing(name):
    assert not joined([("encrypt", "AES/CBC/PKCS5Padding", PLAIN, CIPHERTEXT)], NEARLY_ENCRYPTED[name])


def test_an_output_of_zeros_has_no_pattern():
    assert not joined([("encrypt", "XOR", PLAIN[:48], bytes(48))], "a" * 64)


def test_decrypting_that_encrypts_is_known():
    assert joined([("decrypt", "AES/ECB/NoPadding", PLAIN, CIPHERTEXT)], BASE64)
    assert not joined([("decrypt", "AES/ECB/NoPadding", PLAIN, CIPHERTEXT)], sha256(CIPHERTEXT).hex())


def test_a_match_says_how_the_output_was_written():
    (flow,) = joined([("encrypt", "AES/CBC/PKCS5Padding", PLAIN, CIPHERTEXT)], BASE64.swapcase())
    assert "exchanged letters" in flow.matches[0].decoding


BORN = Value(type="birthday", text="1991-04-23")
PLACE = Value(type="location", text="31.238361,121.435598")


def given(value, *calls):
    """A linker that knows a value, and what the app made of it."""
    known = Linker((value,))
    for number, call in enumerate(calls, 1):
        known.add_transform(see(f"transforms.jsonl:{number}", turned(10, *call), 0))
    return known


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (BORN, b"zz2/a1991-04-23"),
        (BORN, b"u=" + base64.b64encode(b"1991-04-23")),
        (PLACE, b"x" + geohash(31.238361, 121.435598, 9).encode()),
        (PLACE, geohash(31.238361, 121.435598, 9).encode() + b"salt"),
        (Value(type="phone_number", text=NUMBER), b"v1" + NUMBER.encode()),
    ],
    ids=[
        "a birthday",
        "a birthday in base64",
        "a cell behind a salt",
        "a cell before one",
        "a version before a number",
    ],
)
def test_what_a_salt_stands_beside_is_followed(value, source):
    call = digest(source)
    (flow,) = link(given(value, call), 20, {"q": call[3].hex()})
    assert flow.matches[0].value == value.text


@pytest.mark.parametrize(
    "source", [b"on 1991-04-23 there were other things that this line, which is long, speaks of, too"]
)
def test_a_date_in_a_line_is_no_birthday(source):
    call = digest(source)
    assert not link(given(BORN, call), 20, {"q": call[3].hex()})


def test_parts_of_a_ciphertext_that_are_written_each_for_itself_are_joined():
    call = ("encrypt", "AES/CBC/PKCS5Padding", PLAIN + b" " * 48, CIPHERTEXT)
    parts = [base64.b64encode(part).decode() for part in (CIPHERTEXT[:43], CIPHERTEXT[43:])]
    (flow,) = joined([call], {"p1": parts[0], "p2": parts[1]})
    assert flow.matches[0].evidence == ("transforms.jsonl:1",)
    assert not joined([call], {"p1": parts[0], "p2": parts[1][:-8]})


def test_values_glued_together_are_found_in_what_was_encrypted():
    source = b"860798683078487" + NUMBER.encode() + b"zz"
    call = ("encrypt", "AES/CBC/PKCS5Padding", source, cbc(source))
    (flow,) = link(given(Value(type="device_id_imei", text="860798683078487"), call), 20, {"q": cbc(source).hex()})
    assert flow.matches[0].value == "860798683078487"


def stream(text):
    return Cipher(algorithms.AES(bytes(16)), modes.CTR(bytes(16))).encryptor().update(text)


def multipart(parts, name="p{}"):
    heads = [
        f'--zz\r\nContent-Disposition: form-data; name="{name.format(at)}"; filename="p.bin"\r\n'.encode()
        for at in range(len(parts))
    ]
    kind = b"Content-Type: application/octet-stream\r\n\r\n"
    return b"".join(head + kind + part + b"\r\n" for head, part in zip(heads, parts, strict=True)) + b"--zz--\r\n"


def varint(number):
    return bytes((number,)) if number < 128 else bytes((number & 127 | 128, number >> 7))


CONTAINERS = {
    "parts": multipart,
    "parts of one name": lambda parts: multipart(parts, "file"),
    "lengths": lambda parts: b"".join(struct.pack(">I", len(part)) + part for part in parts),
    "short lengths": lambda parts: b"".join(struct.pack("<H", len(part)) + part for part in parts),
    "a repeated field": lambda parts: b"".join(b"\x0a" + varint(len(part)) + part for part in parts),
    "numbered": lambda parts: json.dumps(
        {"all": [{"n": at, "d": base64.b64encode(part).decode()} for at, part in enumerate(parts)]}
    ).encode(),
}


def cut_in_three(outcome):
    third = len(outcome) // 3
    return [outcome[:third], outcome[third : 2 * third], outcome[2 * third :]]


def joined_body(call, body):
    kind = (("content-type", "multipart/form-data; boundary=zz"),) if body.startswith(b"--zz") else ()
    upload = Upload(at=at(20), via="http", method="POST", size=len(body), headers=kind)
    return told([call]).link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, body))


@pytest.mark.parametrize("size", [0, 60, 130])
@pytest.mark.parametrize("seal", [cbc, stream])
@pytest.mark.parametrize("name", CONTAINERS)
def test_parts_of_a_ciphertext_in_binary_containers_are_joined(name, seal, size):
    text = PLAIN + b" " * size
    call = ("encrypt", "AES", text, seal(text))
    parts = cut_in_three(call[3])
    (flow,) = joined_body(call, CONTAINERS[name](parts))
    assert flow.matches[0].evidence == ("transforms.jsonl:1",)
    other = bytes(byte ^ 1 for byte in parts[1])
    assert not joined_body(call, CONTAINERS[name](parts[:2]))
    if len(parts[0]) >= 48:
        return  # which together with the end say enough
    assert not joined_body(call, CONTAINERS[name]([parts[0], other, parts[2]]))
    assert not joined_body(call, CONTAINERS[name]([parts[0], parts[2], parts[1]]))
