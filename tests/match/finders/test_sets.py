"""Tests of address books that were sent as lists of short digests."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import zlib
from datetime import timedelta

import pytest

from appwitness.events import Access, Upload, Value
from appwitness.events.seen import see
from appwitness.match import decode
from appwitness.match.finders import sets
from appwitness.match.linking import Linker
from tests.match.wording import words
from tests.unseen import START

CHANCE = random.Random("sets")
NUMBERS = [f"13{CHANCE.randrange(10**9):09d}" for _ in range(60)]
STRANGERS = [f"15{CHANCE.randrange(10**9):09d}" for _ in range(400)]
SENT = START + timedelta(seconds=60)


def linked(body, at=START, numbers=NUMBERS):
    known = Linker(())
    values = tuple(Value(type="phone_number", text=text, row=row) for row, text in enumerate(numbers))
    read = Access(at=at, source="s", data="device_contacts", outcome="returned", values=values)
    known.add_access(see("accesses.jsonl:1", read, 0))
    upload = Upload(at=SENT, via="http", method="POST", size=len(body))
    return known.link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, body, narrow=known.narrow))


def listed(numbers, size, write=bytes.hex, digest="sha256", form="+86{}".format, **more):
    short = [hashlib.new(digest, form(number).encode()).digest()[:size] for number in numbers]
    return json.dumps({"app": "x", **more, "h": [write(one) for one in short]}).encode()


def b64(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("size", [4, 7])
@pytest.mark.parametrize("write", [bytes.hex, b64])
def test_a_list_of_short_digests_is_found(size, write):
    (flow,) = linked(listed(NUMBERS[:40] + STRANGERS[:100], size, write))
    found = {match.value for match in flow.matches}
    # a digest of which eight hex digits are all decimal is not taken for hex
    assert len(found) >= 39 if write is b64 or size > 4 else len(found) >= 36
    assert found <= set(NUMBERS[:40])
    assert flow.rows == len(found)
    assert flow.rows_read == 60
    match = flow.matches[0]
    assert (match.variant, match.of) == (f"sha256_first_{size}", "e164")
    assert match.path.startswith("$.h[")
    assert "are of known values, which alone none of them would prove" in words(match)
    assert match.confidence > 0.99


@pytest.mark.parametrize("known", [3, 12])
@pytest.mark.parametrize("write", [zlib.crc32, lambda data: f"{zlib.crc32(data):08x}"])
def test_checksums_in_one_list_are_proof_together(known, write):
    numbers = [write(number.encode()) for number in NUMBERS[:known] + STRANGERS[:20]]
    found = {match.value for flow in linked(json.dumps({"h": numbers}).encode()) for match in flow.matches}
    assert found <= set(NUMBERS[:known])
    assert len(found) >= known - 2  # of what is all digits, or small, no checksum is looked for


def test_a_checksum_or_two_are_none():
    body = json.dumps({"h": [zlib.crc32(number.encode()) for number in NUMBERS[:2] + STRANGERS[:20]]}).encode()
    assert not linked(body)


def test_a_list_that_is_larger_than_what_is_read_in_full_is_found_too():
    body = listed(NUMBERS[:20] + STRANGERS * 3, 5)
    assert len(body) > 8 << 10
    assert len({match.value for match in linked(body)[0].matches}) >= 19


@pytest.mark.parametrize(("digest", "form"), [("md5", str), ("sha1", "86{}".format)])
def test_the_digest_and_the_form_may_be_others(digest, form):
    assert linked(listed(NUMBERS[:8] + STRANGERS, 4, bytes.hex, digest, form))


def test_a_few_are_proof_only_together():
    assert linked(listed(NUMBERS[:4] + STRANGERS[:50], 5))
    assert linked(listed(NUMBERS[:2] + STRANGERS[:50], 5)) == []
    assert linked(listed(NUMBERS[:2], 5)) == []


def test_of_others_or_in_several_ways_nothing_is_found():
    assert linked(listed(STRANGERS, 4)) == []
    mixed = [
        hashlib.new(digest, number.encode()).hexdigest()[:8]
        for number, digest in zip(NUMBERS, ("md5", "sha1", "sha256"), strict=False)
    ]
    others = [hashlib.sha256(number.encode()).hexdigest()[:8] for number in STRANGERS[:30]]
    assert linked(json.dumps({"h": mixed + others}).encode()) == []  # one in each way


def test_what_was_read_later_is_not_in_it():
    assert linked(listed(NUMBERS, 5), at=SENT + timedelta(seconds=1)) == []


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_short_ids_are_no_digests(seed):
    chance = random.Random(seed)
    many = [f"13{chance.randrange(10**9):09d}" for _ in range(400)]
    body = json.dumps({"ids": [f"{chance.getrandbits(32):08x}" for _ in range(600)]}).encode()
    assert linked(body, numbers=many) == []


@pytest.mark.parametrize(
    ("found", "of", "chance"), [(3, 500, 7e-8), (1, 1, 0.5), (5, 10, 0.1), (0, 9, 0.1), (4, 4, 0.2)]
)
def test_the_chance_of_coincidence_is_never_said_to_be_smaller_than_it_is(found, of, chance):
    exact = sum(math.comb(of, n) * chance**n * (1 - chance) ** (of - n) for n in range(found, of + 1))
    assert sets.tail(found, of, chance) >= exact * 0.999999
