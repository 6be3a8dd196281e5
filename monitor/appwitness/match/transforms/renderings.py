"""How apps write an output that no decoder reads: hex without zeros, truncated, as a number, in a custom alphabet."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

FIRST = 16
"""Letters of a spelling that are searched for; the rest is compared."""
HEAD = 48
"""Bytes of an output that its first letters are made of."""
FEWEST = 12
"""Hex digits of a digest that are proof where they are all of a text: 48 bits, against some 2**30 pairs of an output
and a text in the largest recording."""
LARGE = 256
"""Bytes from which on an output is not written as one number; turning it into one takes the square of its size."""
CERTAIN = 72.0
"""Bits that the pattern of repeated letters must say: 10,000 outputs in two spellings and 100,000 texts are 2**31
pairs, of which one would be alike by a chance of 2**-41."""
PATTERN = 32
"""Letters whose pattern is looked up."""
COUNTED = {16: 32, 64: 64}
"""Letters of the alphabet -> letters of a text that are counted as bits; what follows may repeat block for block."""
DIFFERENT = {16: 10, 64: 20}
"""Letters that must differ among the first ones, or it is no output but zeros."""


def _unpadded(data: bytes) -> bytes:
    """Integer.toHexString(b & 0xff)."""
    return "".join([f"{byte:x}" for byte in data]).encode()


def _signed(data: bytes) -> bytes:
    """Integer.toHexString(b), of a byte that has a sign."""
    return "".join([f"{byte:x}" if byte < 128 else f"ffffff{byte:x}" for byte in data]).encode()


SPELLINGS: tuple[Callable[[bytes], bytes], ...] = (
    _unpadded,
    _signed,
    lambda data: data.decode("latin-1").encode(),
)


def beginnings(outcome: bytes, *, cut: bool) -> Iterator[bytes]:
    """First letters of every spelling of an output; `cut`: of a digest, of which a part is proof as well."""
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
    """Ways to write all of an output, each with the letters that it begins with: those of its first bytes, for many
    outputs begin alike."""
    return tuple((spell, spell(head)[:FIRST]) for spell in SPELLINGS)


def end_of(outcome: bytes, data: bytes, begin: int, *, cut: bool) -> int:
    """Where a spelling of an output ends that begins at a place; 0 when none does."""
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
    """An output, or its beginning, as one number that is all of a text."""
    if not cut:
        number = int.from_bytes(outcome)
        return [str(number).encode()] if number and len(outcome) <= LARGE else []
    first = [abs(int.from_bytes(outcome[:8], order, signed=True)) for order in ("big", "little")]
    first += [int(outcome.hex()[:digits], 16) for digits in range(FEWEST, 16)]
    return [text for number in first if len(text := str(number).encode()) >= FEWEST]


def _parts(digest: bytes) -> list[bytes]:
    """Parts from the middle of a digest, or from its end, that apps send for the whole: 64 bits at least."""
    return [digest[4:12], *([digest[8:24]] if len(digest) >= 24 else []), digest[-16:]]


class Own(NamedTuple):
    """An output in the spelling whose letters an app may have exchanged."""

    outcome: bytes
    alphabet: int

    def text(self) -> bytes:
        """All of it, without padding."""
        return self.outcome.hex().encode() if self.alphabet == 16 else base64.b64encode(self.outcome).rstrip(b"=")


def pattern_of(text: bytes) -> bytes:
    """Which letters are the same: for each, which of the different ones it is. Equal for two texts of which one is the
    other in exchanged letters."""
    seen: dict[int, int] = {}
    return bytes([seen.setdefault(letter, len(seen)) for letter in text])


def patterns(outcome: bytes) -> Iterator[tuple[bytes, Own]]:
    """How an output may be looked up in letters that are not known; nothing where it is too short or even."""
    for alphabet, size in ((16, 16), (64, 24)):
        if len(outcome) < size:
            continue
        one = Own(outcome[:size], alphabet)
        pattern = pattern_of(one.text()[:PATTERN])
        if max(pattern) + 1 >= DIFFERENT[alphabet]:
            yield pattern, Own(outcome, alphabet)


def is_exchanged(own: Own, data: bytes) -> bool:
    """Whether a text is an output in exchanged letters: one to one over its whole length, and no chance."""
    text = own.text()
    if data.startswith(text[:PATTERN]):  # as it is: of what begins alike, there may be much
        return False
    padding = data[len(text) :]
    if not len(text) <= len(data) <= len(text) + 2 or len(set(padding)) > 1:
        return False
    pairs = set(zip(text, data, strict=False))
    if not len(pairs) == len({letter for letter, _ in pairs}) == len({letter for _, letter in pairs}):
        return False
    if 2 * sum(letter != other for letter, other in pairs) < len(pairs):  # with a letter or two changed, it is another
        return False
    bits, seen = 0.0, 0
    for number in pattern_of(text[: COUNTED[own.alphabet]]):
        bits += math.log2(own.alphabet) if number < seen else -math.log2(1 - seen / own.alphabet)
        seen = max(seen, number + 1)
    return bits >= CERTAIN
