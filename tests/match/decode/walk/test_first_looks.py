"""Tests of first looks: what they say must be there is there wherever an expression matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appwitness.match import decode
from appwitness.match.decode.walk import pieces
from appwitness.match.decode.walk.first_looks import ALL, first_bytes, heads
from tests import fuzz
from tests.strategies import examples

LOOKS = [one for one in decode.DECODERS if one.look is not None]


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        (rb"abc", b"a"),
        (rb"(?i)ab", b"aA"),
        (rb"(?i:a)b", b"aA"),
        (rb"a*b+", b"ab"),
        (rb"a*", None),
        (rb"(?:a|[0-2])x", b"a012"),
        (rb"(?=[a-c]+\Z)(?:b|x|c)", b"bc"),
        (rb"a?(?=b)[ab]", b"ab"),
        (rb"(?!b)[bc]", b"bc"),
        (rb"(?<=:)[bc]", b"bc"),
        (rb"\d@", b"0123456789"),
        (rb"(?:@|#x)y", b"@#"),
        (rb"[_a]x", b"_a"),
    ],
)
def test_how_what_an_expression_matches_begins(pattern, first):
    assert first_bytes(re.compile(pattern, re.DOTALL)) == (ALL if first is None else frozenset(first))


def test_most_decoders_that_look_at_the_beginning_want_a_certain_byte():
    looking = [one for one in LOOKS if getattr(one.look, "__name__", None) == "match"]
    assert len([one for one in looking if one.first != ALL]) > len(looking) * 2 / 3


@pytest.mark.parametrize("number", range(len(LOOKS)), ids=[f"{n}-{one.name}" for n, one in enumerate(LOOKS)])
def test_each_look_sees_only_what_begins_so(number):
    one = LOOKS[number]

    @settings(max_examples=examples(40), deadline=None)
    @given(st.from_regex(one.look.__self__))
    def holds(data):
        if data and one.look(data):
            assert data[0] in one.first

    holds()


def test_nothing_that_would_be_seen_is_left_out():
    samples = fuzz.corpus()
    seen = 0
    for number in range(1500):
        data = fuzz.mutated(samples, 12, number).body[:2000]
        for text, other in ((True, "binary"), (False, "text")):
            chosen = pieces.decoders_by_byte()[text][data[0]] if data else []
            row = [one for one in decode.DECODERS if one.family != other]
            looking = [one for one in row if data and (one.look is None or one.look(data))]
            assert [one for one in chosen if one in looking] == looking
            seen += len(looking)
    assert seen > 5_000


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (rb"\x1f\x8b\x08", [b"\x1f\x8b\x08"]),
        (rb"abcdef", [b"abcd"]),
        (rb"BZh[1-9]1AY&SY", [b"BZh"]),
        (rb"ab[\x00-\xff]", [b"ab"]),
        (rb"\xff\xfe|\xfe\xff|x", [b"\xfe\xff", b"\xff\xfe"]),
        (rb"\x37\x7f\x06[\x82\x83].{4}", [b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"]),
        (rb"(?:.{4})?\x82\x21", []),
        (rb"[\x00\x01]\x00?.{3}", []),
        (rb"(?!a)bc", []),
    ],
)
def test_beginnings_that_say_what_something_is(pattern, found):
    assert heads(re.compile(pattern, re.DOTALL)) == found
