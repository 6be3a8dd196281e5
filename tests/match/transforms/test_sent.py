"""Tests of how a value is said to have been sent that the app digested or encrypted first."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from appwitness.judge.rules.conditions import is_bare_digest
from tests.match.test_linking import NUMBER, PLAIN, cbc, link, told

SALTED = b"salt:" + NUMBER.encode()
KEY = b"0123456789abcdef"


def digest(source, name="SHA-256"):
    return "digest", name, source, hashlib.new(name.replace("-", ""), source).digest()


def mac(source):
    return "mac", "HmacSHA256", source, hmac.digest(KEY, source, "sha256")


def sealed(source):
    return "encrypt", "AES/CBC/PKCS5Padding", source, cbc(source)


def of(call, way=bytes.hex):
    return way(call[3]).encode() if way is bytes.hex else way(call[3])


SENT = {
    "a digest of a salt and it": ([digest(SALTED)], "salted_sha256", False),
    "a digest with digits of a salt": ([digest(b"abcde7" + NUMBER.encode())], "salted_sha256", False),
    "a digest of a document": ([digest(PLAIN, "SHA-1")], "salted_sha1", False),
    "a digest under an older name": ([digest(SALTED, "MD5")], "salted_md5", False),
    "a mac": ([mac(NUMBER.encode())], "hmac_sha256", False),
    "a mac of more": ([mac(SALTED)], "hmac_sha256", False),
    "a digest of a digest": ([digest(SALTED, "MD5"), digest(of(digest(SALTED, "MD5")))], "sha256_of_salted_md5", False),
    "a digest of a digest and a salt": (
        [digest(SALTED, "MD5"), digest(b"x" + of(digest(SALTED, "MD5")))],
        "salted_sha256_of_salted_md5",
        False,
    ),
    "a digest of a known digest and a salt": (
        [digest(hashlib.md5(NUMBER.encode()).hexdigest().encode() + b"|x")],
        "salted_sha256_of_md5",
        False,
    ),
    "encrypted": ([sealed(PLAIN)], "encrypted", False),
    "a digest that was encrypted": ([digest(SALTED), sealed(of(digest(SALTED)))], "salted_sha256", False),
    "a known digest that was encrypted": ([sealed(hashlib.md5(NUMBER.encode()).hexdigest().encode())], "md5", True),
    "a digest of what was encrypted": (
        [sealed(PLAIN), digest(of(sealed(PLAIN), base64.b64encode))],
        "sha256_of_encrypted",
        False,
    ),
    "only compressed": ([("compress", "odd", PLAIN, hashlib.shake_128(PLAIN).digest(64))], "plain", False),
}


@pytest.mark.parametrize("name", SENT)
def test_the_form_says_what_the_app_made_of_it(name):
    calls, form, bare = SENT[name]
    known = told(calls)
    (flow,) = link(known, 20, {"more": {"q": base64.b64encode(calls[-1][3]).decode()}})
    assert {match.variant for match in flow.matches} == {form}
    assert is_bare_digest(form) == bare
    assert all(call[1] in match.decoding for match in flow.matches for call in calls)
