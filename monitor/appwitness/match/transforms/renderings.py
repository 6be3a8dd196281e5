"""How apps write an output that no decoder can read: hex without zeros, truncated, as a number, in a custom
alphabet."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

FIRST = 16
"""First letters of a spelling that are searched for; the rest is compared."""
HEAD = 48
"""First bytes of an output, from which the first letters of its spellings are made."""
FEWEST = 12
"""Minimum hex digits of a digest that are proof if they are all of a text: 48 bits, against some 2**30 pairs of an
output and a text in the largest recording."""
LARGE = 256
"""Maximum bytes of an output that may be written as one number; the conversion takes quadratic time."""
CERTAIN = 72.0
"""Minimum bits in the pattern of repeated letters: 10,000 outputs in two spellings and 100,000 texts are 2**31
pairs, one of which is alike by chance with probability 2**-41."""
PATTERN = 32
"""First letters whose pattern is looked up."""
COUNTED = {16: 32, 64: 64}
"""Letters of the alphabet -> letters of a text that count towards the bits; what follows may repeat block by block."""
DIFFERENT = {16: 10, 64: 20}
"""Letters of the alphabet -> minimum distinct letters at the beginning of an output; with fewer, it is only zeros."""


def _unpadded(data: bytes) -> bytes:
    """Integer.toHexString(b & 0xff)."""
    return "".join([f"{byte:x}" for byte in data]).encode()


def _signed(data: bytes) -> bytes:
    """Integer.toHexString(b) for a signed byte."""
    return "".join([f"{byte:x}" if byte < 128 else f"ffffff{byte:x}" for byte in data]).encode()


SPELLINGS: tuple[Callable[[bytes], bytes], ...] = (
    _unpadded,
    _signed,
    lambda data: data.decode("latin-1").encode(),
)


def beginnings(outcome: bytes, *, cut: bool) -> Iterator[bytes]:
    """First letters of every spelling of an output; `cut`: it is a digest, of which a part is proof as well."""
    if len(outcome) < FIRST:
        return
    yield from (first for _, first in _firsts(outcome[:HEAD]))
    yield from (number[:FIRST] for number in _numbers(outcome, cut=cut))
    if cut:
        word = outcome.hex()[:FEWEST].encode()
        yield from (word, word.upper())
        yield from (part[:8] for part in _parts(outcome))


@lru_cache(maxsize=4096)
def _firsts(head: bytes) -> tuple[tuple[Callable[[bytes], bytes], bytes], ...]:
    """Ways to write all of an output, each with its first letters, made from the first bytes only: many outputs
    share them."""
    return tuple((spell, spell(head)[:FIRST]) for spell in SPELLINGS)


def end_of(outcome: bytes, data: bytes, begin: int, *, cut: bool) -> int:
    """The end of a spelling of an output that begins at a place; 0 if there is none."""
    if len(outcome) < FIRST:
        return 0
    for spell, first in _firsts(outcome[:HEAD]):
        if data.startswith(first, begin) and data.startswith(text := spell(outcome), begin):
            return begin + len(text)
    if begin:
        return 0
    if data.isdigit() and data in _numbers(outcome, cut=cut):
        return len(data)
    if cut and (data in _parts(outcome) or (len(data) >= FEWEST and outcome.hex().encode().startswith(data.lower()))):
        return len(data)
    return 0


def _numbers(outcome: bytes, *, cut: bool) -> list[bytes]:
    """The numbers as which an output, or its beginning, may be written if that is all of a text."""
    if not cut:
        number = int.from_bytes(outcome)
        return [str(number).encode()] if number and len(outcome) <= LARGE else []
    first = [abs(int.from_bytes(outcome[:8], order, signed=True)) for order in ("big", "little")]
    first += [int(outcome.hex()[:digits], 16) for digits in range(FEWEST, 16)]
    return [text for number in first if len(text := str(number).encode()) >= FEWEST]


def _parts(digest: bytes) -> list[bytes]:
    """Parts from the middle or the end of a digest that apps send instead of the whole, at least 64 bits each."""
    return [digest[4:12], *([digest[8:24]] if len(digest) >= 24 else []), digest[-16:]]


class Own(NamedTuple):
    """An output, and the size of the alphabet whose letters an app may have exchanged."""

    outcome: bytes
    alphabet: int

    def text(self) -> bytes:
        """The whole output in this alphabet, without padding."""
        return self.outcome.hex().encode() if self.alphabet == 16 else base64.b64encode(self.outcome).rstrip(b"=")


def pattern_of(text: bytes) -> bytes:
    """Which letters are equal: for each letter, its number among the distinct ones. Two texts have the same pattern
    if one is the other in exchanged letters."""
    seen: dict[int, int] = {}
    return bytes([seen.setdefault(letter, len(seen)) for letter in text])


def patterns(outcome: bytes) -> Iterator[tuple[bytes, Own]]:
    """How an output can be looked up when its letters are unknown; nothing if it is too short or too uniform."""
    for alphabet, size in ((16, 16), (64, 24)):
        if len(outcome) < size:
            continue
        one = Own(outcome[:size], alphabet)
        pattern = pattern_of(one.text()[:PATTERN])
        if max(pattern) + 1 >= DIFFERENT[alphabet]:
            yield pattern, Own(outcome, alphabet)


def is_exchanged(own: Own, data: bytes) -> bool:
    """Whether a text is an output in exchanged letters: one to one over its whole length, and not by coincidence."""
    text = own.text()
    if data.startswith(text[:PATTERN]):  # not exchanged; much may begin alike
        return False
    padding = data[len(text) :]
    if not len(text) <= len(data) <= len(text) + 2 or len(set(padding)) > 1:
        return False
    pairs = set(zip(text, data, strict=False))
    if not len(pairs) == len({letter for letter, _ in pairs}) == len({letter for _, letter in pairs}):
        return False
    if 2 * sum(letter != other for letter, other in pairs) < len(pairs):  # few letters differ: it is another text
        return False
    bits, seen = 0.0, 0
    for number in pattern_of(text[: COUNTED[own.alphabet]]):
        bits += math.log2(own.alphabet) if number < seen else -math.log2(1 - seen / own.alphabet)
        seen = max(seen, number + 1)
    return bits >= CERTAIN
