"""Texts that lz-string packed are unpacked in both of its alphabets, bounded; broken ones give nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.match import decode
from appwitness.match.decode.packed import lz_string
from appwitness.match.decode.walk.pieces import DecodeLimits, Room
from tests.unseen.language_dumps import lz_string as packed

DOCUMENT = json.dumps({"phone": "+8613800138000", "name": "李华", "more": ["a", "a", "a", 7]}, ensure_ascii=False)


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=99)).map(lambda one: json.dumps({**one, "n": "0" * 20})))
def test_both_alphabets(text):
    letters = "".join(map(chr, lz_string.STANDARD)) + "="
    for_urls = "".join(map(chr, lz_string.FOR_URLS)) + "$"
    for made in (packed(text, letters=letters), packed(text, letters=for_urls)):
        assert lz_string.unpacked(made.encode().rstrip(b"$"), Room(DecodeLimits())) == text.encode()


@pytest.mark.parametrize("body", [packed(DOCUMENT).encode(), json.dumps({"d": packed(DOCUMENT)}).encode()])
def test_it_is_decoded_as_a_body_and_in_a_field(body):
    leaves = decode.leaves_of(body).leaves
    assert [leaf.text for leaf in leaves if "lz-string" in leaf.decoding and leaf.path.endswith("phone")] == [
        "+8613800138000"
    ]


def test_it_is_bounded_and_broken_ones_are_none():
    small = Room(DecodeLimits(output_bytes=1000))
    assert lz_string.unpacked(packed('{"a":"' + "b" * 5000 + '"}').encode(), small) is None
    whole = packed(DOCUMENT).encode()
    for cut in range(len(whole) - 2):
        assert lz_string.unpacked(whole[:cut] + b"A" * (len(whole) - cut), Room(DecodeLimits())) != DOCUMENT.encode()
    assert not [
        leaf for leaf in decode.leaves_of(b"N4rthwindTradersLimitedCompany").leaves if "lz-string" in leaf.decoding
    ]
