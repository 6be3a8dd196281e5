"""Finds the texts of values by a window of their letters, in tables that grow in place.

Automata such as Hyperscan's are no alternative: a scan for 250,000 patterns runs at 92 MB/s there, but a pattern cannot
be added to a database without a build (13 s for all), and each form costs memory (2 kB a pattern).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from appwitness.events import Value
from appwitness.match.decode.walk.pieces import Leaf
from appwitness.match.edges import LONGER_BY, in_other_half, stands_alone
from appwitness.match.hits import STRONG_BITS, Hit, Spot
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.sieve import Sieve
from appwitness.match.native.tables import Grams, window_of
from appwitness.match.search import Search
from appwitness.match.variants import Variant, bits_of
from appwitness.match.variants.entering import enter

LONGEST_ID = 64
"""Maximum bytes of an id or digest."""
NO_DIGIT_HERE = 0xF
LONG_NUMBER = re.compile(rb"\+?(?<![0-9])([0-9]{12,64})(?![0-9])")
SALTED_DIGITS = 9
"""Minimum digits of a number that is believed directly before a salt."""
STANDARD = bytes.maketrans(b"-_", b"+/")


class ValueTexts:
    """Finds values by their texts."""

    def __init__(self, texts: Grams, raw: Grams, narrow: Sieve) -> None:
        """`raw`: texts that occur only in leaves that are not text; `narrow`: the sieve, to which short names are added
        as well."""
        self._texts, self._raw, self._narrow = texts, raw, narrow
        self.patterns = 0

    def add(self, slot: int, value: Value) -> None:
        """Look for the texts of a value from now on."""
        self.patterns += enter(value, slot, self._texts, self._raw)
        if value.type == "name" and bits_of(value.text) < STRONG_BITS:
            word = value.text.strip().encode("utf-8", "replace")
            if word[LONGEST_WORD:] == b"" != word[1:]:
                self._narrow.add_words([word])  # what stands beside it tells whose name it is

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Every text of a value that stands where it can be believed."""
        lower = look.joined.lower()
        yield from _texts_in(self._texts, look, lower, search)
        if salted := [number for leaf in look.leaves if leaf.glued for number in _before_salt(leaf)]:
            before = JoinedLeaves(salted)
            found = _texts_in(self._texts, before, before.joined.lower(), search)
            yield from (hit for hit in found if not hit.variant.unchecked)
        if 2 * sum(len(leaf.data) for leaf in look.binary) > look.size:  # a copy of most of it would double the memory
            yield from _texts_in(self._raw, look, lower, search, only_binary=True)
        elif look.binary:
            binary = JoinedLeaves(look.binary)
            yield from _texts_in(self._raw, binary, binary.joined.lower(), search)


LONGEST_WORD = 64
"""Maximum bytes of a word for `Sieve.add_words`; the minimum is two."""


def _texts_in(
    texts: Grams, look: JoinedLeaves, lower: bytes, search: Search, *, only_binary: bool = False
) -> Iterator[Hit]:
    seen: set[tuple[int, bytes, int]] = set()
    for slot, at, size in texts.find(lower):
        for text in search.known.forms_of(slot).texts.get(lower[at : at + size], ()):
            start = at - text.offset
            if start < 0 or not lower.startswith(text.lower, start) or (slot, text.lower, start) in seen:
                continue
            seen.add((slot, text.lower, start))
            if only_binary and look.leaves[look.leaf_at(start)].text is not None:
                continue
            yield from _text_found(look, slot, text.lower, start, search)


def _text_found(look: JoinedLeaves, slot: int, lower: bytes, start: int, search: Search) -> Iterator[Hit]:
    number = look.leaf_at(start)
    leaf = look.leaves[number]
    begin = start - look.starts[number]
    stop = begin + len(lower)
    if stop > len(leaf.data):
        return
    for text in search.known.forms_of(slot).texts[lower[: window_of(len(lower))]]:
        if text.lower != lower or text.offset:
            continue
        variant, charset = text.variant, text.charset
        if charset == "bytes":
            in_id = leaf.decoding[-1:] == ("hex",) and _is_in_id(leaf.data, begin, stop, variant)
            if leaf.text is None and leaf.data[begin:stop] == variant.pattern and not in_id:
                yield from search.hit(slot, variant, Spot(leaf, begin, stop, ""))
        elif charset.startswith("base64"):
            if (spot := _in_base64(look, number, variant, int(charset[-1]), (begin, stop))) is not None:
                yield from search.hit(slot, variant, spot)
        elif charset.startswith("utf-16") and in_other_half(leaf.data, begin, stop, charset):
            continue
        elif (charset == "utf-8" or leaf.text is None) and stands_alone(leaf, begin, stop, variant, charset):
            yield from search.hit(slot, variant, Spot(leaf, begin, stop, charset))


def _is_in_id(data: bytes, start: int, end: int, variant: Variant) -> bool:
    """Whether bytes that were written in hex may be a single id or number, whose parts mean nothing. A packed number
    (two digits per byte) that ends with a filler digit is a field of something larger."""
    packed = variant.name == "packed_digits"
    if packed and variant.of == "in_order":  # what stands beside its digits in the text decides
        return True
    if end - start == len(data) or (data[0] == len(data) - 1 and end == len(data)):  # all of it, or after its length
        return False
    ended = packed and data[end - 1] >> 4 == NO_DIGIT_HERE
    return (len(data) <= LONGEST_ID and not ended) or data.hex().isdecimal()


def _before_salt(leaf: Leaf) -> Iterator[Leaf]:
    """Beginnings of long numbers in a digest's input that may be a number before a salt of digits: the tables find
    numbers only where digits end."""
    for run in LONG_NUMBER.finditer(leaf.data):
        for end in range(run.start(1) + SALTED_DIGITS, run.end() - LONGER_BY + 1):
            data = leaf.data[run.start() : end]
            yield leaf._replace(data=data, text=data.decode("ascii"), glued=False)


def _in_base64(
    look: JoinedLeaves, number: int, variant: Variant, alignment: int, letters: tuple[int, int]
) -> Spot | None:
    """A form inside base64 whose beginning no decoder can know, because other letters of its alphabet precede it."""
    leaf, (start, end) = look.leaves[number], letters
    first, last = look.run_around(number, start)
    begin = start - (0, 2, 3)[alignment]
    if begin < first or (begin - first) % 4 == 0 or end > last:
        return None
    origin = max(first + (begin - first) % 4, begin - 8)
    run = leaf.data[origin : min(last, end + 12)].translate(STANDARD)
    run = run[: len(run) - (len(run) % 4 == 1)]
    data = binascii.a2b_base64(run + b"=" * (-len(run) % 4))
    at = (begin - origin) // 4 * 3 + alignment
    size = len(variant.pattern)
    if data[at : at + size].lower() != variant.pattern.lower():
        return None
    inner = Leaf(leaf.path, "", data, (*leaf.decoding, "base64"), leaf.start, leaf.end, False)
    if leaf.exact:
        inner = inner._replace(start=leaf.start + begin, end=leaf.start + min(last, end + 3))
    return Spot(inner, at, at + size) if stands_alone(inner, at, at + size, variant, "utf-8") else None
