"""Tests of calls that turn the same into the same: heartbeats and retries, each a line and an upload of its own."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from appwitness.events.seen import see
from tests.match.test_linking import linker, matches, read, turned

NUMBER = "+8613800138000"
PLAIN = json.dumps({"phone": NUMBER, "beat": "heartbeat"}).encode()
KEY = b"0123456789abcdef"


def ecb(data):
    size = 16 - len(data) % 16
    return Cipher(algorithms.AES(KEY), modes.ECB()).encryptor().update(data + bytes([size]) * size)


def ctr(data, nonce=bytes(16)):
    return Cipher(algorithms.AES(KEY), modes.CTR(nonce)).encryptor().update(data)


SALTED = b"salt:" + NUMBER.encode()
CALLS = {
    "encrypt": ("encrypt", "AES/ECB/PKCS5Padding", PLAIN, ecb(PLAIN)),
    "digest": ("digest", "SHA-256", SALTED, hashlib.sha256(SALTED).digest()),
}


def known(calls):
    """A linker that knows a number, and calls: (second, op, algorithm, source, outcome)."""
    made = linker(read(0, NUMBER))
    for number, (second, *call) in calls:
        made.add_transform(see(f"transforms.jsonl:{number}", turned(second, *call), 0))
    return made


def found(known, second, document):
    return matches(known, second, document, narrow=True)


@pytest.mark.parametrize("name", CALLS)
def test_of_calls_that_are_alike_the_last_before_the_upload_is_named(name):
    calls = [(number, (number, *CALLS[name])) for number in range(1, 41)]
    for order in (calls, calls[::-1], calls[1::2] + calls[::2]):
        linker = known(order)
        for second in (1.5, 2.5, 20.5, 60):
            (match,) = found(linker, second, {"d": base64.b64encode(CALLS[name][3]).decode()})
            assert match.evidence == (f"transforms.jsonl:{min(40, int(second))}",)
            assert match.path in ("$.d", "$.d.phone")
        assert not found(linker, 0.5, {"d": base64.b64encode(CALLS[name][3]).decode()})


def test_a_payload_that_is_in_an_upload_twice_is_no_longer_text():
    calls = [(number, (number, *CALLS["encrypt"])) for number in range(1, 9)]
    sent = base64.b64encode(CALLS["encrypt"][3]).decode()
    seen = found(known(calls), 60, {"a": sent, "b": [sent, sent]})
    assert {match.path for match in seen} == {"$.b[0].phone"}
    assert {match.evidence for match in seen} == {("transforms.jsonl:8",)}


def test_digests_that_are_fed_in_pieces_again_and_again_are_followed_as_the_last():
    outcome = CALLS["digest"][3]
    lines = [("digest", "SHA-256", SALTED[:7], b""), ("digest", "SHA-256", SALTED[7:], outcome)]
    calls = [(number, (number, *call)) for number, call in enumerate(lines * 20, 1)]
    for order in (calls, calls[::-1]):
        (match,) = found(known(order), 60, {"h": outcome.hex()})
        assert match.evidence == ("transforms.jsonl:39", "transforms.jsonl:40")


@pytest.mark.parametrize("size", [5, 9, 16])
@pytest.mark.parametrize("listed", [False, True])
def test_a_stream_that_is_begun_anew_again_and_again_is_read_once(size, listed):
    pieces = [PLAIN[begin : begin + size] for begin in range(0, len(PLAIN), size)]
    outcome = ctr(PLAIN)
    parts = [outcome[begin : begin + size] for begin in range(0, len(PLAIN), size)]
    pairs = list(zip(pieces, parts, strict=True))
    calls = [
        (number, (number / 100, "encrypt", "AES/CTR/NoPadding", *pair)) for number, pair in enumerate(pairs * 10, 1)
    ]
    if listed and size < 9:
        return  # bytes that say too little where each stands alone
    sent = [base64.b64encode(part).decode() for part in parts] if listed else base64.b64encode(outcome).decode()
    # the app is at the next round already
    before = (9 * len(parts) + 1.5) / 100
    seen = found(known(calls), before, {"d": sent})
    whole = [match for match in seen if len(match.evidence) >= 40 // size]
    assert whole
    assert {match.path.rpartition(".")[2] for match in whole} == {"phone"}
    numbers = [int(line.rpartition(":")[2]) for line in whole[0].evidence]
    assert numbers == list(range(8 * len(parts) + 1, 9 * len(parts) + 1))


def test_blocks_that_are_alike_within_one_stream_are_all_read():
    text = b" " * 48 + json.dumps({"phone": NUMBER}).ljust(32).encode()
    blocks = [text[begin : begin + 16] for begin in range(0, len(text), 16)]
    coder = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    calls = [
        (number, (number, "encrypt", "AES/ECB/NoPadding", block, coder.update(block)))
        for number, block in enumerate(blocks, 1)
    ]
    sent = b"".join(call[4] for _, call in calls)
    (match,) = found(known(calls), 60, {"d": sent.hex()})
    assert match.evidence == tuple(f"transforms.jsonl:{number}" for number in range(1, 6))


@pytest.mark.parametrize("size", [8, 16, 24])
def test_two_ciphers_that_are_fed_by_turns_are_told_apart(size):
    texts = [PLAIN, json.dumps({"beat": "something else", "of": "nobody", "n": 1}).encode()]
    nonces = [bytes(16), bytes(15) + b"\x77"]
    sealed = [ctr(text, nonce) for text, nonce in zip(texts, nonces, strict=True)]
    cut = [
        [(text[at_ : at_ + size], out[at_ : at_ + size]) for at_ in range(0, len(text), size)]
        for text, out in zip(texts, sealed, strict=True)
    ]
    turns = [pair for both in itertools.zip_longest(*cut) for pair in both if pair]
    calls = [(number, (number, "encrypt", "AES/CTR/NoPadding", *pair)) for number, pair in enumerate(turns, 1)]
    (match,) = found(known(calls), 60, {"d": base64.b64encode(sealed[0]).decode()})
    assert match.path == "$.d.phone"
    assert not found(known(calls), 60, {"d": base64.b64encode(sealed[1]).decode()})
