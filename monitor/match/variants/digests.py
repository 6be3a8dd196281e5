"""Digests that apps turn personal data into: one line of the table each, truncated and doubled ones too."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Callable, Iterator
from typing import Literal

Digest = Callable[[bytes], bytes]


def _of(name: str) -> Digest:
    return lambda data: hashlib.new(name, data, usedforsecurity=False).digest()


def _uuid_v3(data: bytes) -> bytes:
    """java.util.UUID.nameUUIDFromBytes."""
    return uuid.UUID(bytes=_of("md5")(data), version=3).bytes


DIGESTS: dict[str, Digest] = {
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha224": lambda data: hashlib.sha224(data).digest(),
    "sha384": lambda data: hashlib.sha384(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
    "sha3_224": lambda data: hashlib.sha3_224(data).digest(),
    "sha3_256": lambda data: hashlib.sha3_256(data).digest(),
    "sha3_384": lambda data: hashlib.sha3_384(data).digest(),
    "sha3_512": lambda data: hashlib.sha3_512(data).digest(),
    "blake2b": lambda data: hashlib.blake2b(data).digest(),
    "blake2b_256": lambda data: hashlib.blake2b(data, digest_size=32).digest(),
    "blake2s": lambda data: hashlib.blake2s(data).digest(),
    "uuid_v3": _uuid_v3,
} | {name: _of(name) for name in ("sm3", "ripemd160", "sha512_256") if name in hashlib.algorithms_available}
"""Name of the variant -> the digest."""

COMMON = ("md5", "sha1", "sha256")
"""Digests that are also looked for doubled, and of texts in other charsets."""
USUAL = ("md5", "sha1", "sha256", "sha512")
"""Digests of normal forms that nobody would choose to take a digest of."""

SIZES = frozenset({8, 10, 12, 16, 20, 24, 28, 32, 48, 64})
"""Bytes of which a digest may be all of a leaf: whole, or its first bytes."""
SHORTENED = 10
"""Bytes that messengers cut digests of numbers to, which they send one behind the other."""
SHORTEST = 8
"""First bytes of a digest that are still proof."""


def murmur3(data: bytes) -> int:
    """MurmurHash3 x86 32, seed 0."""
    state = 0
    mask = 0xFFFFFFFF
    whole = len(data) & ~3
    for at in range(0, len(data), 4):
        word = int.from_bytes(data[at : at + 4], "little") * 0xCC9E2D51 & mask
        word = (word << 15 | word >> 17) * 0x1B873593 & mask
        state ^= word
        if at < whole:
            state = ((state << 13 | state >> 19) * 5 + 0xE6546B64) & mask
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & mask
    state = (state ^ state >> 13) * 0xC2B2AE35 & mask
    return state ^ state >> 16


CHECKSUMS: dict[str, Callable[[bytes], int]] = {"crc32": zlib.crc32, "adler32": zlib.adler32, "murmur3": murmur3}
"""32 bits are little: these are believed only with support."""


Depth = Literal["usual", "all", "doubled"]
"""How many digests of a form are looked for: those that are in use everywhere, all, or digests of digests as well."""


def of(data: bytes, depth: Depth) -> Iterator[tuple[str, bytes]]:
    """(name of the variant, raw digest) of one normal form.

    `md5_16` is the middle half of an MD5, as many Chinese SDKs write it; the first bytes of any digest need no entry.
    """
    plain: dict[str, bytes] = {}
    for name in USUAL if depth == "usual" else DIGESTS:
        plain[name] = DIGESTS[name](data)
        yield name, plain[name]
    yield "md5_16", plain["md5"][4:12]
    if depth != "doubled":
        return
    for inner in COMMON:
        lower = plain[inner].hex().encode()
        for outer in COMMON:
            yield f"{outer}_of_{inner}", DIGESTS[outer](lower)
            yield f"{outer}_of_{inner}_upper", DIGESTS[outer](lower.upper())
        yield f"{inner}_of_{inner}_raw", DIGESTS[inner](plain[inner])
