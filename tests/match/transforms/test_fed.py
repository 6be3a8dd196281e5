"""Tests of transforms that are fed in small pieces, a line each: what went into one output is read together."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import random
import uuid
import zlib
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from appwitness.events import Transform, blob
from appwitness.events.seen import see
from appwitness.match.transforms import fed
from tests.match.test_linking import START, access, link, linker, matches, read
from tests.unseen.rarer import in_base

NUMBER = "+8613800138000"
SALTED = b"pepper:" + NUMBER.encode() + b":salt"
KEY = b"0123456789abcdef"


def line(number, op, algorithm, source, outcome, **more):
    at = START + timedelta(seconds=5, milliseconds=number)
    return Transform(at=at, op=op, algorithm=algorithm, input=blob(source), output=blob(outcome), **more)


def linked(lines, sent, order=None, more=()):
    """The matches in an upload that was made after these calls, of a number that was read before them."""
    known = linker(read(0, NUMBER))
    numbered = list(enumerate(lines, 1))
    for number, one in order(numbered) if order else numbered:
        known.add_transform(see(f"transforms.jsonl:{number}", one, 0))
    return matches(known, 60, {"n": 1, "h": sent, "more": list(more)}, narrow=True)


def pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def digest(parts, algorithm="SHA-256", last=b"", **more):
    """`update` for each part, then `digest`, each a line of its own."""
    name = algorithm.lower().replace("-", "")
    whole = b"".join(parts) + last
    outcome = hashlib.new(name, whole).digest()
    fed_lines = [line(number, "digest", algorithm, part, b"", **more) for number, part in enumerate(parts)]
    return [*fed_lines, line(len(parts), "digest", algorithm, last, outcome, **more)], outcome


@pytest.mark.parametrize("size", [1, 5, 8])
@pytest.mark.parametrize("last", [b"", b"end"])
def test_a_digest_that_is_fed_in_pieces_is_one(size, last):
    lines, outcome = digest(pieces(SALTED, size), last=last)
    (match,) = linked(lines, outcome.hex())
    assert match.decoding == ("json", "SHA-256")
    assert match.evidence == tuple(f"transforms.jsonl:{number}" for number in range(1, len(lines) + 1))


def test_lines_may_come_in_any_order():
    lines, outcome = digest(pieces(SALTED, 5))
    for shuffled in (reversed, lambda all_: random.Random(1).sample(all_, len(all_))):
        assert linked(lines, outcome.hex(), shuffled)


def test_pieces_of_an_abandoned_digest_are_not_taken_for_its_own():
    lost = [line(0, "digest", "SHA-256", NUMBER.encode(), b"")]
    lines, outcome = digest(pieces(b"nothing of anybody's", 5))
    assert linked([*lost, *lines], outcome.hex()) == []
    lines, outcome = digest(pieces(SALTED, 5))
    assert linked([*lost, *lines], outcome.hex())[0].evidence[0] == "transforms.jsonl:2"


def test_what_other_threads_and_algorithms_do_meanwhile_is_apart():
    ours, outcome = digest(pieces(SALTED, 5), thread="ours")
    other, _ = digest(pieces(b"something else", 3), thread="other")
    between, _ = digest([], last=b"in one call", thread="ours")
    mixed = [*ours[:2], *other[:3], *between, *ours[2:], *other[3:]]
    assert linked(mixed, outcome.hex())
    theirs, outcome = digest(pieces(b"nothing of anybody's", 5), thread="ours")
    secret, _ = digest(pieces(SALTED, 5), thread="other")
    assert linked([*theirs[:2], *secret, *theirs[2:]], outcome.hex()) == []


@pytest.mark.parametrize("key", [KEY, None])
def test_a_mac_that_is_fed_in_pieces_is_one(key):
    outcome = hmac.digest(KEY, SALTED, "sha256")
    more = {"key": blob(key)} if key else {}  # one that never left its hardware
    lines = [line(number, "mac", "HmacSHA256", part, b"", **more) for number, part in enumerate(pieces(SALTED, 5))]
    lines.append(line(len(lines), "mac", "HmacSHA256", b"", outcome, **more))
    assert linked(lines, outcome.hex())


def sealed(size):
    """A text through a stream cipher, whose every call gives as many bytes as it took."""
    machine = Cipher(algorithms.AES(KEY), modes.CTR(bytes(16))).encryptor()
    text = json.dumps({"mobile": NUMBER}).encode()
    calls = [(part, machine.update(part)) for part in pieces(text, size)]
    lines = [line(number, "encrypt", "AES/CTR/NoPadding", *call) for number, call in enumerate(calls)]
    return lines, b"".join(outcome for _, outcome in calls)


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_a_cipher_that_gives_less_than_is_proof_is_followed_over_its_calls(size):
    lines, outcome = sealed(size)
    (match,) = linked(lines, base64.b64encode(b"iv" + outcome).decode())
    assert match.decoding == ("json", "base64", "AES/CTR/NoPadding", "json")
    assert len(match.evidence) > 64 // size // 4
    assert linked(lines, base64.b64encode(outcome).decode(), reversed)


def test_one_small_output_is_no_proof():
    lines, outcome = sealed(5)
    assert linked(lines[:1], base64.b64encode(outcome).decode()) == []
    other = outcome[:5] + bytes(len(outcome) - 5)
    assert linked(lines, base64.b64encode(other).decode()) == []


def test_a_compressor_that_gives_all_at_its_end_has_what_it_took():
    text = json.dumps({"mobile": NUMBER, "more": list(range(50))}).encode()
    packed = zlib.compress(text)
    sealed_by_others = bytes(byte ^ 0x5A for byte in packed)  # natively, so that only the transform tells
    lines = [line(number, "compress", "deflate", part, b"") for number, part in enumerate(pieces(text, 5))]
    lines.append(line(len(lines), "compress", "deflate", b"", packed))
    lines.append(line(len(lines), "encrypt", "ChaCha20", packed, sealed_by_others))
    later = [line(1000, "compress", "deflate", NUMBER.encode(), b"")]
    assert linked(lines, base64.b64encode(sealed_by_others).decode())
    empty = gzip.compress(b"nothing of anybody's" * 3, mtime=0)
    clean = [line(0, "compress", "deflate", b"nothing of anybody's" * 3, empty), *later]
    assert linked(clean, base64.b64encode(bytes(byte ^ 0x5A for byte in empty)).decode()) == []
    assert linked(clean, base64.b64encode(empty[:-1]).decode()) == []


@pytest.mark.parametrize("name", ["MD5", "SHA-1", "SHA1", "SHA", "SHA-256", "SHA-512", "SHA3-256", "SHA-512/256"])
def test_digests_are_computed_by_the_names_that_java_gives_them(name):
    python = {"SHA": "sha1", "SHA3-256": "sha3_256", "SHA-512/256": "sha512_256"}.get(name, name.replace("-", ""))
    compute = fed.computed(name, b"")
    assert compute is not None
    assert compute(b"x") == hashlib.new(python, b"x").digest()


def test_what_cannot_be_computed_is_not():
    assert fed.computed("HmacSHA256", b"") is None
    assert fed.computed("Whirlpool-T", b"") is None


@pytest.mark.parametrize(("algorithm", "version"), [("MD5", 3), ("SHA-1", 5)])
def test_a_uuid_of_a_name_is_the_digest_that_it_was_made_of(algorithm, version):
    outcome = hashlib.new(algorithm.lower().replace("-", ""), SALTED).digest()
    sent = uuid.UUID(bytes=outcome[:16], version=version)
    for form in (str(sent), sent.hex, base64.b64encode(sent.bytes).decode()):
        (match,) = linked([line(1, "digest", algorithm, SALTED, outcome)], form)
        assert match.evidence == ("transforms.jsonl:1",)
    other = uuid.UUID(bytes=outcome[:16], version=4)
    assert linked([line(1, "digest", algorithm, SALTED, outcome)], str(other)) == []


@pytest.mark.parametrize("salted", ["app1{}", "{}9", "k1{}k2"])
def test_one_letter_or_digit_of_salt_beside_a_long_id_is_a_salt(salted):
    for text in ("3f8b1c52-7d4e-4a9b-b1c6-0e5f92d7a834", "867530029921507", "64f051c20ca1dc00"):
        known = linker(access(0, ("device_id", text, None), data="device_id"))
        source = salted.format(text).encode()
        known.add_transform(
            see("transforms.jsonl:1", line(1, "digest", "SHA-1", source, hashlib.sha1(source).digest()), 0)
        )
        assert link(known, 60, {"h": hashlib.sha1(source).hexdigest()}), source


OUTCOME = hashlib.md5(SALTED).digest()
WRITTEN = {
    "uuid": str(uuid.UUID(bytes=OUTCOME)),
    "uuid of a name": str(uuid.UUID(bytes=OUTCOME, version=3)),
    "36 digits": in_base(int.from_bytes(OUTCOME), "0123456789abcdefghijklmnopqrstuvwxyz"),
    "a long": int.from_bytes(OUTCOME[:8], signed=True),
    "a long as text": str(int.from_bytes(OUTCOME[:8], signed=True)),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_an_output_is_found_as_whatever_number_it_is_written_in_a_large_document(name):
    more = [{"seq": n, "event": "open list", "ok": True, "value": n * 37 % 1000} for n in range(400)]
    (match,) = linked([line(1, "digest", "MD5", SALTED, OUTCOME)], WRITTEN[name], more=more)
    assert match.evidence == ("transforms.jsonl:1",)
