"""Tests of first looks: what they say must be there is there wherever an expression matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.match import decode
from monitor.match.decode.walk import pieces
from monitor.match.decode.walk.first_looks import ALL, MOST, Choice, Wants, heads, wants
from tests import fuzz

LOOKS = [one for one in decode.DECODERS if one.look is not None]


@pytest.mark.parametrize(
    ("pattern", "heads", "marks"),
    [
        (rb"abc", b"a", []),
        (rb"(?i)ab", b"aA", []),
        (rb"(?i:a)b", b"aA", []),
        (rb"a*b+", b"ab", []),
        (rb"a*", None, []),
        (rb"(?:a|[0-2])x", b"a012", []),
        (rb"(?=[a-c]+\Z)(?:b|x|c)", b"bc", []),
        (rb"a?(?=b)[ab]", b"ab", []),
        (rb"(?!b)[bc]", b"bc", []),
        (rb"(?<=:)[bc]", b"bc", [b":"]),
        (rb"\d@", b"0123456789", [b"@"]),
        (rb"(?:@|#x)y", b"@#", [b"@#"]),
        (rb"(?:@|x)y", b"@x", []),
        (rb"x(?:-y)?(?:=z)+(?>%)", b"x", [b"=", b"%"]),
        (rb"x([-+])\1", b"x", [b"-+"]),
        (rb"x[^-]", b"x", []),
        (rb"[_a]x", b"_a", []),
    ],
)
def test_what_an_expression_wants(pattern, heads, marks):
    found = wants(re.compile(pattern, re.DOTALL), anywhere=False)
    assert found.heads == (ALL if heads is None else frozenset(heads))
    assert found.marks == tuple(map(frozenset, marks))
    assert wants(re.compile(pattern, re.DOTALL), anywhere=True) == Wants(ALL, found.marks)


def test_most_decoders_of_text_want_a_sign_or_a_beginning():
    known = [one for one in LOOKS if one.wants.marks or one.wants.heads != ALL]
    assert len(known) > len(LOOKS) * 3 / 4


@pytest.mark.parametrize("number", range(len(LOOKS)), ids=[f"{n}-{one.name}" for n, one in enumerate(LOOKS)])
def test_each_look_sees_only_what_it_wants(number):
    one = LOOKS[number]

    @settings(max_examples=60, deadline=None)
    @given(st.from_regex(one.look.__self__))
    def holds(data):
        if data and one.look(data):
            assert data[0] in one.wants.heads
            assert all(marks & set(data) for marks in one.wants.marks)

    holds()


def test_nothing_that_would_be_seen_is_left_out():
    samples = fuzz.corpus()
    texts, binaries = pieces._choices()
    seen = 0
    for number in range(3000):
        data = fuzz.mutated(samples, 12, number).body[:2000]
        if not data:
            continue
        for row, choice in ((texts, texts.by_marks), (binaries, binaries.by_head)):
            chosen = choice(data)
            looking = [one for one, _ in row._row if one.look is None or one.look(data)]
            assert [one for one in chosen if one in looking] == looking
            seen += len(looking)
    assert seen > 10_000


def test_what_is_remembered_does_not_grow_without_end():
    choice = Choice([("dot", Wants(ALL, (frozenset(b"."),)))])
    for number in range(3 * MOST):
        data = bytes(b for b in number.to_bytes(4) if b) or b"a"
        assert choice.by_marks(data) == (["dot"] if b"." in data else [])
    assert len(choice._known) <= MOST + 1
    assert choice.by_marks(b"a" * (MOST + 1)) == ["dot"]  # too long to be looked through


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
