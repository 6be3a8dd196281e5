"""Digests that apps make of personal data, one row of a table each; truncated and doubled ones too."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Literal

import mmh3

try:  # on short data, CPython's own functions take a third of the time of OpenSSL's, which hashlib prefers
    from _md5 import md5  # type: ignore[import-not-found]
    from _sha1 import sha1  # type: ignore[import-not-found]
except ImportError:  # a build of Python may leave them out
    from hashlib import md5, sha1

Digest = Callable[[bytes], bytes]


def _of(name: str) -> Digest:
    return lambda data: hashlib.new(name, data, usedforsecurity=False).digest()


def as_uuid(digest: bytes, version: int) -> bytes:
    """The UUID of a name, made from its digest (RFC 9562, 5.3 and 5.5)."""
    return digest[:6] + bytes((digest[6] & 0x0F | version << 4, digest[7], digest[8] & 0x3F | 0x80)) + digest[9:16]


def _uuid_v3(data: bytes) -> bytes:
    """java.util.UUID.nameUUIDFromBytes."""
    return as_uuid(DIGESTS["md5"](data), 3)


DIGESTS: dict[str, Digest] = {
    "md5": lambda data: md5(data, usedforsecurity=False).digest(),
    "sha1": lambda data: sha1(data, usedforsecurity=False).digest(),
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
"""Name of the variant -> function that computes the digest."""

COMMON = ("md5", "sha1", "sha256")
"""Digests that are also looked for doubled, and for texts in other charsets."""
_USUAL = {name: DIGESTS[name] for name in (*COMMON, "sha512")}
"""The only digests that are computed for normal forms that hardly anybody would hash."""

SIZES = frozenset({8, 10, 12, 16, 20, 24, 28, 32, 48, 64})
"""Sizes in bytes of a digest that is all of a leaf: whole, or its first bytes."""
SHORTENED = 10
"""Bytes to which messengers truncate digests of phone numbers, which they send one after the other."""
SHORTEST = 8
"""Minimum leading bytes of a digest that are still proof."""


CHECKSUMS: dict[str, Callable[[bytes], int]] = {
    "crc32": zlib.crc32,
    "adler32": zlib.adler32,
    "murmur3": lambda data: mmh3.hash(data, signed=False),
}
"""32 bits are not much: these are believed only with support."""


Depth = Literal["usual", "all", "doubled"]
"""Which digests of a form are looked for: the most usual ones, all, or digests of digests as well."""


def of(data: bytes, depth: Depth) -> list[tuple[str, bytes]]:
    """(name of the variant, raw digest) of one normal form.

    `md5_16` is the middle half of an MD5, which many Chinese SDKs send; the first bytes of any digest need no entry.
    """
    found = [(name, digest(data)) for name, digest in (_USUAL if depth == "usual" else DIGESTS).items()]
    plain = dict(found)
    found.append(("md5_16", plain["md5"][4:12]))
    for inner in COMMON if depth == "doubled" else ():
        lower = plain[inner].hex().encode()
        for outer in COMMON:
            found.append((f"{outer}_of_{inner}", DIGESTS[outer](lower)))
            found.append((f"{outer}_of_{inner}_upper", DIGESTS[outer](lower.upper())))
        found.append((f"{inner}_of_{inner}_raw", DIGESTS[inner](plain[inner])))
    return found
