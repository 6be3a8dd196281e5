"""Tests of what stands under a key that repeats (XOR): documents, whose letters give it away, and single values."""

from __future__ import annotations

import base64
import json
import random
import string
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Value
from monitor.match import decode
from monitor.match.finders.masked import STRANGE
from monitor.match.finding import Index
from tests.bench.bench_matching import document

SIZES = (2, 3, 4, 5, 6, 7, 8, 12, 16)
LETTERS = string.ascii_letters + string.digits
VALUES = [
    Value(type="phone_number", text="+8613800138000"),
    Value(type="imei", text="867530029921507"),
    Value(type="name", text="司马相如与卓文君"),
    Value(type="email", text="zhao.liu@example.org"),
    Value(type="mac_address", text="a4:c1:38:15:81:d1"),
]


def hidden(data: bytes, key: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, cycle(key), strict=False))


def keys(size: int) -> list[bytes]:
    """Random bytes, and passwords."""
    chance = random.Random(size)
    return [chance.randbytes(size) for _ in range(5)] + [
        "".join(chance.choices(LETTERS, k=size)).encode() for _ in "12345"
    ]


@pytest.mark.parametrize("coded", [False, True], ids=["as it is", "base64"])
@pytest.mark.parametrize("size", SIZES)
def test_a_document_is_read(size, coded):
    """Of 600 bytes: the fewer, the likelier it is that some byte of the key may as well be another."""
    body = json.dumps(
        {"user": {"phone": "13800138000"}, "name": "李华", "rest": json.loads(document(500, []))}
    ).encode()
    for key in keys(size):
        sent = hidden(body, key)
        sent = json.dumps({"d": base64.b64encode(sent).decode()}).encode() if coded else sent
        leaves = decode.leaves_of(sent).leaves
        assert [leaf.path for leaf in leaves if leaf.text == "13800138000" and "xor" in leaf.decoding], key


def test_a_form_is_read():
    body = "&".join(
        f"{key}={value}" for key, value in json.loads(document(600, []))["events"][0].items() for _ in "1234"
    )
    leaves = decode.leaves_of(hidden(f"phone=13800138000&{body}".encode(), b"k3y#")).leaves
    assert any(leaf.text == "13800138000" and "xor" in leaf.decoding for leaf in leaves)


@given(data=st.binary(min_size=48, max_size=2_000))
def test_of_what_is_no_document_nothing_is_made(data):
    assert not any("xor" in leaf.decoding and len(leaf.data) >= 48 for leaf in decode.leaves_of(data).leaves)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.type)
@pytest.mark.parametrize("size", SIZES[:7])
def test_a_value_that_is_all_of_a_leaf_is_found_under_any_key(value, size):
    index = Index()
    index.add("it", value)
    for key in keys(size):
        sent = hidden(value.text.encode(), key)
        if not STRANGE.search(sent.decode("ascii", "replace")) or size > len(sent) // 2:
            continue  # it reads as another value, or another may be under the key
        hits = index.find(decode.leaves_of(json.dumps({"d": base64.b64encode(sent).decode()}).encode()).leaves)
        assert [hit for hit in hits if hit.strong and "xor" in hit.decoding], key


@pytest.mark.parametrize("other", ["+8613800138001", "+8613801138000", "+9613800138000"])
@pytest.mark.parametrize("key", [b"\x91", b"\x91\xa2\xb3\xc4", b"\x91\xa2\xb3\xc4\xd5\xe6\xf7\x88"])
def test_another_value_is_not(other, key):
    """As long, and with one digit that differs."""
    index = Index()
    index.add("it", VALUES[0])
    sent = hidden(other.encode(), key)
    assert not index.find(decode.leaves_of(json.dumps({"d": base64.b64encode(sent).decode()}).encode()).leaves)
