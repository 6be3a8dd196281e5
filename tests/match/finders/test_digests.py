"""Tests of digests in hex of which each byte below 16 has one digit: found whole, in whichever text, and no others."""

from __future__ import annotations

import hashlib
import json
import random

import pytest

from appwitness.events import Value
from appwitness.match import decode
from appwitness.match.finders.hashes import UNPADDED, unpadded, unpadded_words
from appwitness.match.finding import ValueIndex

NOISE = [{"seq": number, "id": f"{number * 7919:08x}"} for number in range(400)]
CHANCE = random.Random(11)
NUMBERS = [f"138{CHANCE.randrange(10**8):08d}" for _ in range(40)]


def found(text, sent, *, large=False):
    index = ValueIndex()
    index.add("x", Value(type="phone_number", text=text))
    body = json.dumps([*NOISE, {"q": sent}] if large else {"q": sent}).encode()
    return index.find(decode.leaves_of(body, narrow=index.narrow).leaves)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
def test_a_digest_without_the_zeros_of_its_bytes_is_found(name, large):
    several = set()
    for number in NUMBERS:
        digest = hashlib.new(name, number.encode()).digest()
        text = unpadded(digest).decode()
        lost = 2 * len(digest) - len(text)
        if lost <= 5:
            several.add(lost)
            for sent in (text, text.upper()):
                assert [hit.variant.name for hit in found(number, sent, large=large)] == [name]
    assert len(several) > 3


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
def test_with_one_digit_changed_it_is_another(name):
    for number in NUMBERS[:10]:
        text = unpadded(hashlib.new(name, number.encode()).digest()).decode()
        if len(text) % 8 == 0:  # nothing is missing
            continue
        for at in range(17, len(text)):
            other = text[:at] + f"{int(text[at], 16) ^ 1:x}" + text[at + 1 :]
            assert found(number, other) == []


def test_the_words_that_a_text_may_begin_with_hold_that_of_its_digest():
    for seed in range(400):
        digest = random.Random(seed).randbytes(16)
        if len(text := unpadded(digest)) in UNPADDED:
            words = list(unpadded_words(text))
            assert digest[:8] in words
            assert len(words) <= 219
