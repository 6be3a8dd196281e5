"""Rare digests of a value: of another digest, of its base64 or percent encoding, or truncated in unusual ways."""

from __future__ import annotations

import base64
import hashlib
import urllib.parse
import uuid
from collections.abc import Iterator

import mmh3

from appwitness.match.variants.digests import COMMON, DIGESTS, as_uuid


def of(text: str) -> Iterator[tuple[str, bytes]]:
    """(name of the variant, raw digest) of each rare digest."""
    data = text.encode("utf-8", "replace")
    md5, sha256 = DIGESTS["md5"], DIGESTS["sha256"]
    once = md5(data)
    yield "md5_last_8", once[8:]
    yield "sha256_last_8", sha256(data)[-8:]
    yield "md5_of_md5_of_md5", md5(md5(once.hex().encode()).hex().encode())
    yield from _doubled(data)
    for size in (16, 20):
        yield f"blake2b_{8 * size}", hashlib.blake2b(data, digest_size=size).digest()
    yield "shake128", hashlib.shake_128(data).digest(64)
    yield "shake256", hashlib.shake_256(data).digest(64)
    yield "murmur3_128", mmh3.mmh3_x64_128_digest(data)
    coded = base64.b64encode(data)
    escaped = urllib.parse.quote(text, safe="", errors="replace").encode()
    for digest in COMMON:
        yield f"{digest}_of_base64", DIGESTS[digest](coded)
        if escaped != data:
            yield f"{digest}_of_percent", DIGESTS[digest](escaped)


NAMESPACES = {"dns": uuid.NAMESPACE_DNS.bytes, "url": uuid.NAMESPACE_URL.bytes}


def given(text: str) -> Iterator[tuple[str, bytes]]:
    """The same for digests that are computed only from the value as given: UUIDs of names."""
    data = text.encode("utf-8", "replace")
    for name, space in NAMESPACES.items():
        yield f"uuid_v3_{name}", as_uuid(DIGESTS["md5"](space + data), 3)
        yield f"uuid_v5_{name}", as_uuid(DIGESTS["sha1"](space + data), 5)


def _doubled(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Digests of digests that are rarer than those in `digests.of`: of the raw bytes, of base64, of longer digests."""
    for inner in COMMON:
        raw = DIGESTS[inner](data)
        coded = base64.b64encode(raw)
        for outer in COMMON:
            yield f"{outer}_of_{inner}_base64", DIGESTS[outer](coded)
            if outer != inner:
                yield f"{outer}_of_{inner}_raw", DIGESTS[outer](raw)
    long = DIGESTS["sha512"](data).hex().encode()
    for outer in (*COMMON, "sha512"):
        yield f"{outer}_of_sha512", DIGESTS[outer](long)
    for same in SAME:
        yield f"{same}_of_{same}", DIGESTS[same](DIGESTS[same](data).hex().encode())


SAME = tuple(name for name in ("sm3", "sha3_256") if name in DIGESTS)


def hash_code(data: bytes) -> int:
    """java.lang.String.hashCode as an unsigned number."""
    units = data.decode("utf-8", "replace").encode("utf-16be", "replace")
    state = 0
    for at in range(0, len(units), 2):
        state = (state * 31 + int.from_bytes(units[at : at + 2])) & 0xFFFFFFFF
    return state
