"""What of an upload nobody could read, against what was put into it."""

import base64
import gzip
import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.match import decode
from appwitness.match.decode.opaque import opaque

SECRET = random.Random(3).randbytes(5000)
READABLE = json.dumps(
    {"lines": [f"the place of person {n}" for n in range(300)], "ids": [f"{n:032x}" for n in range(50)]}
)


def sizes(data, hint=""):
    return [part.size for part in opaque(decode.leaves_of(data, hint))]


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (SECRET, ""),
        (zlib.compress(SECRET), ""),
        (gzip.compress(SECRET), ""),
        (b"\x0a\x88\x27" + SECRET, ""),
        (SECRET.hex().encode(), ""),
        (base64.b64encode(SECRET), ""),
        (json.dumps({"d": base64.b64encode(SECRET).decode()}).encode(), "application/json"),
        (json.dumps({"d": base64.urlsafe_b64encode(SECRET).decode()}).encode(), "application/json"),
    ],
)
def test_bytes_that_look_like_chance_are_told_once_by_their_size(data, hint):
    assert sizes(data, hint) == [len(SECRET)]


@pytest.mark.parametrize(
    "data",
    [
        READABLE.encode(),
        gzip.compress(READABLE.encode()),
        base64.b64encode(READABLE.encode()),
        base64.b64encode(gzip.compress(READABLE.encode())),
        json.dumps({"p": base64.urlsafe_b64encode(READABLE.encode()).decode()}).encode(),
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + SECRET,
        b"\x0a\x88\x27" + (b"\xff\xd8\xff\xe0" + SECRET)[:5000],
        b"".join(number.to_bytes(4, "little") for number in range(2000)),
        ("今天天气很好我们去公园玩吧" * 100).encode(),
        b"",
        b"short",
    ],
)
def test_what_was_read_and_pictures_are_not_opaque(data):
    assert sizes(data) == []


@given(st.lists(st.tuples(st.sampled_from("rt"), st.integers(600, 3000)), max_size=4), st.integers(0, 2**32))
def test_of_fields_of_a_document_those_of_chance_are_told(fields, seed):
    chance = random.Random(seed)
    made = {
        f"f{number}": base64.b64encode(chance.randbytes(size)).decode()
        if kind == "r"
        else "plain words " * (size // 12)
        for number, (kind, size) in enumerate(fields)
    }
    found = sizes(json.dumps(made).encode(), "application/json")
    wanted = sorted(size for kind, size in fields if kind == "r")
    assert len(found) == len(wanted)
    # A letter that chance has put at an end may be taken for another field's.
    assert all(0.9 * size <= seen <= 1.4 * size for seen, size in zip(sorted(found), wanted, strict=True))


@given(st.binary(max_size=4000))
def test_no_bytes_stop_it(data):
    assert sum(sizes(data)) <= len(data) * 2
