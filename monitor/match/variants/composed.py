"""Digests that are composed of others or cut in an unusual way, each of the value as it was given."""

from __future__ import annotations

import base64
import hashlib
import urllib.parse
import uuid
from collections.abc import Iterator

from monitor.match.variants.digests import COMMON, DIGESTS

MASK = (1 << 64) - 1


def of(text: str) -> Iterator[tuple[str, bytes]]:
    """(name of the variant, raw digest)."""
    data = text.encode("utf-8", "replace")
    md5, sha256 = DIGESTS["md5"], DIGESTS["sha256"]
    once = md5(data)
    yield "md5_last_8", once[8:]
    yield "sha256_last_8", sha256(data)[-8:]
    yield "md5_of_md5_of_md5", md5(md5(once.hex().encode()).hex().encode())
    yield from _doubled(data)
    for size in (16, 20, 28, 48):
        yield f"blake2b_{8 * size}", hashlib.blake2b(data, digest_size=size).digest()
    for size in (16, 20):
        yield f"blake2s_{8 * size}", hashlib.blake2s(data, digest_size=size).digest()
    yield "shake128", hashlib.shake_128(data).digest(64)
    yield "shake256", hashlib.shake_256(data).digest(64)
    yield "murmur3_128", murmur3_128(data)
    coded = base64.b64encode(data)
    escaped = urllib.parse.quote(text, safe="", errors="replace").encode()
    for digest in COMMON:
        yield f"{digest}_of_base64", DIGESTS[digest](coded)
        if escaped != data:
            yield f"{digest}_of_percent", DIGESTS[digest](escaped)


NAMESPACES = {"dns": uuid.NAMESPACE_DNS.bytes, "url": uuid.NAMESPACE_URL.bytes, "oid": uuid.NAMESPACE_OID.bytes}


def given(text: str) -> Iterator[tuple[str, bytes]]:
    """The same for what is only taken of the value as it was given: UUIDs of names, FNV-1a, and digests of it in
    quotes, as JSON has it, or as a line."""
    data = text.encode("utf-8", "replace")
    for name, space in NAMESPACES.items():
        yield f"uuid_v3_{name}", uuid.UUID(bytes=DIGESTS["md5"](space + data), version=3).bytes
        yield f"uuid_v5_{name}", uuid.UUID(bytes=DIGESTS["sha1"](space + data)[:16], version=5).bytes
    yield "fnv1a_64", fnv1a(data).to_bytes(8)
    for digest in COMMON:
        yield f"{digest}_quoted", DIGESTS[digest](b'"' + data + b'"')
        yield f"{digest}_line", DIGESTS[digest](data + b"\n")


def fnv1a(data: bytes) -> int:
    """Fowler, Noll and Vo's hash of 64 bits."""
    state = 0xCBF29CE484222325
    for byte in data:
        state = (state ^ byte) * 0x100000001B3 & MASK
    return state


def _doubled(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Digests of digests that are rarer than those of `digests.of`: of the bytes, of base64, of longer ones."""
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
    """java.lang.String.hashCode, without its sign."""
    units = data.decode("utf-8", "replace").encode("utf-16be", "replace")
    state = 0
    for at in range(0, len(units), 2):
        state = (state * 31 + int.from_bytes(units[at : at + 2])) & 0xFFFFFFFF
    return state


def murmur3_128(data: bytes) -> bytes:
    """MurmurHash3 x64 128, seed 0."""
    first, second = 0x87C37B91114253D5, 0x4CF5AD432745937F
    low = high = 0
    whole = len(data) & ~15
    for at in range(0, whole, 16):
        low ^= _mixed(int.from_bytes(data[at : at + 8], "little"), first, 31, second)
        low = (_turned(low, 27) + high) * 5 + 0x52DCE729 & MASK
        high ^= _mixed(int.from_bytes(data[at + 8 : at + 16], "little"), second, 33, first)
        high = (_turned(high, 31) + low) * 5 + 0x38495AB5 & MASK
    high ^= _mixed(int.from_bytes(data[whole + 8 :], "little"), second, 33, first)
    low ^= _mixed(int.from_bytes(data[whole : whole + 8], "little"), first, 31, second)
    low, high = low ^ len(data), high ^ len(data)
    low = low + high & MASK
    high = high + low & MASK
    low, high = _finished(low), _finished(high)
    low = low + high & MASK
    high = high + low & MASK
    return low.to_bytes(8, "little") + high.to_bytes(8, "little")


def _turned(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) & MASK


def _mixed(word: int, factor: int, by: int, other: int) -> int:
    return _turned(word * factor & MASK, by) * other & MASK


def _finished(word: int) -> int:
    word = (word ^ word >> 33) * 0xFF51AFD7ED558CCD & MASK
    word = (word ^ word >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return word ^ word >> 33
