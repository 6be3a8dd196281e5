"""Digests in hex with one digit for each byte below 16, as `Integer.toHexString(b & 0xff)` gives it: which bytes such a
text may begin with, so that it is looked up like any other digest."""

from __future__ import annotations

import re
from collections.abc import Iterator

UNPADDED = {2 * size - lost: (size, lost) for size, most in ((16, 5), (20, 5), (32, 6)) for lost in range(1, most + 1)}
"""Digits of such a text -> bytes of the digest, and digits that are missing; few digests lack more."""
HEX_DIGITS = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
MOST_UNPADDED = 256
"""Texts of one upload that are looked up; each may begin in up to 247 ways."""
KNOWN_BY = 8
"""Bytes of a digest by which it is looked up."""


def unpadded(digest: bytes) -> bytes:
    """A digest so written."""
    return "".join([f"{byte:x}" for byte in digest]).encode()


def unpadded_words(text: bytes) -> Iterator[bytes]:
    """The first eight bytes that a text may stand for."""
    return _words(text[: 2 * KNOWN_BY].decode(), UNPADDED[len(text)][1], b"")


def _words(digits: str, lost: int, made: bytes) -> Iterator[bytes]:
    if len(made) == KNOWN_BY:
        yield made
        return
    if lost:
        yield from _words(digits[1:], lost - 1, made + bytes((int(digits[0], 16),)))
    if digits[0] != "0":
        yield from _words(digits[2:], lost, made + bytes((int(digits[:2], 16),)))
