"""Finds many forms of many values in the leaves of an upload, in one pass over all of them.

Texts are looked up by a window of their letters in tables that grow in place, not by automata such as Hyperscan's: a
scan for 250,000 patterns runs at 92 MB/s there, but no pattern can be added to a database without a build (13 s for
all), and each form costs memory (2 kB a pattern). What a large JSON text holds is asked leaf by leaf in compiled code
(`sieve`), for a scan of all of its bytes still finds nothing of what is encoded, and to decode all of them takes a
hundred times as long as a scan.
"""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

from monitor.events import Value
from monitor.match import variants
from monitor.match.decode.walk.pieces import Leaf
from monitor.match.edges import LONGER_BY, in_other_half, stands_alone
from monitor.match.finders.masked import Masked
from monitor.match.finders.parts import SHORT_PART, Splits, cuts_of, rarest
from monitor.match.finders.unpadded import HEX_DIGITS, MOST_UNPADDED, UNPADDED, unpadded, unpadded_words
from monitor.match.hits import (
    Hit,
    as_written,
    best,
    hit_at,
    last_key,
    longest_of_glued,
    root_of,
    whole_or_cut,
    without_halves,
)
from monitor.match.look import Look
from monitor.match.native.sieve import Sieve
from monitor.match.native.tables import Grams, Table, window_of
from monitor.match.places.coordinates import Places
from monitor.match.variants import Variant, digests
from monitor.match.variants.entering import Forms, enter, words_of

__all__ = ["Hit", "Index", "last_key", "root_of"]


REMEMBERED = 16
"""Values whose forms are kept; those of others are made again when something of them is found. More would be hundreds
of objects each, through which a collector of garbage looks while all threads wait."""


_Slot = tuple[Hashable, str, str, str, int | None]
"""Key, kind, text, type and row of a value: what a collector of garbage needs not look into, unlike a `Value`."""


def _value(slot: _Slot) -> Value:
    _, _, text, type_, row = slot
    return Value(type=type_, text=text, row=row)


class Index:
    """Values to look for; more may be added between any two searches, and are found from then on.

    A value takes about 6 kB. Not for several threads at once.
    """

    def __init__(self, outputs: Grams | None = None) -> None:
        """`outputs`: what else makes a leaf of a large text matter."""
        self._slots: list[_Slot] = []
        self._known: set[Hashable] = set()
        self._forms: dict[int, Forms] = {}
        self._raw = Grams()
        self._texts = Grams(self._raw)
        self._digests = Table()
        self._digits = Table()
        self._splits = Splits(lambda slot: self._slots[slot][1:3])
        self._masked = Masked(lambda slot: self._slots[slot][1:3])
        self.patterns = 0
        """Texts and digests that are looked for."""
        self.narrow = Sieve(self._texts, self._raw, self._digests, self._digits, outputs or Grams())
        """For `decode.leaves`: what of a large text may hold anything of these values."""
        self._places = Places(self.narrow)

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, key: Hashable, value: Value) -> None:
        """Look for `value` from now on; hits name it by `key`. A key that is known already is left as it is."""
        if key in self._known:
            return
        self._known.add(key)
        slot = len(self._slots)
        kind = variants.kind_of(value)
        self._slots.append((key, kind, value.text, value.type, value.row))
        self.patterns += enter(kind, value, slot, self._texts, self._raw, self._digests, self._digits)
        cuts = list(cuts_of(kind, value.text))
        self._splits.add(slot, kind, value.text, cuts)
        self._masked.add(slot, kind, value.text)
        self.narrow.add_words(rarest(cuts))
        once = {part for _, parts in cuts for part in parts}
        self.narrow.add_shorts([part.encode() for part in once if SHORT_PART.fullmatch(part)])
        if kind == "location":
            self._places.add(slot, value)

    def _forms_of(self, slot: int) -> Forms:
        forms = self._forms.get(slot)
        if forms is None:
            if len(self._forms) >= REMEMBERED:
                self._forms.clear()
            forms = self._forms[slot] = Forms(_value(self._slots[slot]))
        return forms

    def find(self, leaves: Sequence[Leaf], passed_over: int = 0) -> list[Hit]:
        """All hits in the leaves of one upload, overlapping ones of one value reduced to the best, in a fixed order.

        `passed_over`: bytes of it that were read and are in no leaf; they had their chance to hold a value too.
        """
        if not self._slots or not leaves:
            return []
        look = Look(leaves)
        found = _Found(self._slots, look.size + passed_over)
        self._find_texts(self._texts, look, found)
        if salted := [number for leaf in leaves if leaf.glued for number in _before_salt(leaf)]:
            before = len(found.hits)
            self._find_texts(self._texts, Look(salted), found)
            found.hits[before:] = [hit for hit in found.hits[before:] if not hit.variant.unchecked]
        if binary := [leaf for leaf in leaves if leaf.text is None]:
            self._find_texts(self._raw, Look(binary), found)
        self._find_digests(look, found)
        self._find_unpadded(leaves, found)
        if inside := [leaf for leaf in binary if INSIDE.start < len(leaf.data) < INSIDE.stop]:
            self._find_digests_inside(Look(inside), found)
        if self._digits:
            self._find_split_numbers(look.numeric(), found)
        for part in self._splits.find(look):
            leaf = leaves[part.leaf]
            hit = found.add(part.slot, part.variant, leaf, 0, len(leaf.data), "utf-8")
            if hit is not None:
                found.hits[-1] = hit._replace(strong=part.strong, telling=part.telling, why=part.why)
        for masked in self._masked.find(leaves):
            leaf = leaves[masked.leaf]
            hit = found.add(masked.slot, masked.variant, leaf, 0, len(leaf.data), "")
            if hit is not None:
                found.hits[-1] = hit._replace(decoding=(*leaf.decoding, "xor"))
        if self._places:
            for place in self._places.find(look):
                hit = found.add(place.slot, place.variant, leaves[place.leaf], place.start, place.end, "utf-8")
                if hit is not None:
                    in_binary = hit.leaf.text is None
                    found.hits[-1] = hit._replace(
                        found=hit.leaf.data[place.start : place.end].hex() if in_binary else hit.found,
                        decoding=hit.leaf.decoding,
                        strong=place.strong,
                        why=place.why,
                        error_m=place.error_m,
                        fits=place.fits,
                    )
        return as_written(best(whole_or_cut(without_halves(longest_of_glued(found.hits)), leaves)), leaves)

    def _find_texts(self, texts: Grams, look: Look, found: _Found) -> None:
        lower = look.joined.lower()
        seen: set[tuple[int, bytes, int]] = set()
        for slot, at, size in texts.find(lower):
            for text in self._forms_of(slot).texts.get(lower[at : at + size], ()):
                start = at - text.offset
                if start < 0 or not lower.startswith(text.lower, start) or (slot, text.lower, start) in seen:
                    continue
                seen.add((slot, text.lower, start))
                self._text_found(look, slot, text.lower, start, found)

    def _text_found(self, look: Look, slot: int, lower: bytes, start: int, found: _Found) -> None:
        number = look.leaf_at(start)
        leaf = look.leaves[number]
        begin = start - look.starts[number]
        stop = begin + len(lower)
        if stop > len(leaf.data):
            return
        for text in self._forms_of(slot).texts[lower[: window_of(len(lower))]]:
            if text.lower != lower or text.offset:
                continue
            variant, charset = text.variant, text.charset
            if charset == "bytes":
                in_id = leaf.decoding[-1:] == ("hex",) and _is_in_id(leaf.data, begin, stop, variant)
                if leaf.text is None and leaf.data[begin:stop] == variant.pattern and not in_id:
                    found.add(slot, variant, leaf, begin, stop, "")
            elif charset.startswith("base64"):
                _in_base64(look, number, slot, variant, int(charset[-1]), begin, stop, found)
            elif charset.startswith("utf-16") and in_other_half(leaf.data, begin, stop, charset):
                continue
            elif (charset == "utf-8" or leaf.text is None) and stands_alone(leaf, begin, stop, variant, charset):
                found.add(slot, variant, leaf, begin, stop, charset)

    def _find_digests(self, look: Look, found: _Found) -> None:
        sizes = digests.SIZES
        candidates: list[tuple[Leaf, bytes]] = []
        for leaf in look.leaves:
            data = leaf.data
            size = len(data)
            if size == 36 and UUID.fullmatch(data):
                data = bytes.fromhex(data.replace(b"-", b"").decode())
            elif size in NOUGHTS_LOST and leaf.text is not None and NUMBER_IN_HEX.fullmatch(data):
                data = bytes.fromhex(data.decode().zfill(NOUGHTS_LOST[size]))
            elif leaf.text is None and size % digests.SHORTENED == 0 and 3 * digests.SHORTENED <= size <= LONGEST_ROW:
                row = [_part(leaf, at, at + digests.SHORTENED) for at in range(0, size, digests.SHORTENED)]
                candidates += [(part, part.data) for part in row]
                continue
            elif size not in sizes and size != 4:
                continue
            candidates.append((leaf, data))
        for slot, number, _ in self._digests.find(words_of(data for _, data in candidates)):
            leaf, data = candidates[number]
            # what was cut out of more bytes may be a whole digest, but is none that was cut: it may be half of another
            whole = leaf.decoding[-1:] == ("digests",) and len(data) != digests.SHORTENED
            for digest in self._forms_of(slot).digests:
                if digest[2] == data or (not whole and digest[2].startswith(data)):
                    variant = variants.digested(digest)
                    if len(data) < len(variant.pattern):
                        variant = variant._replace(name=f"{variant.name}_first_{len(data)}")
                    found.add(slot, variant, leaf, 0, len(leaf.data), "")

    def _find_unpadded(self, leaves: Sequence[Leaf], found: _Found) -> None:
        """Digests in hex of which each byte below 16 has one digit: all of a text, in which fewer digits are missing
        than bytes of a digest are that small."""
        candidates = [leaf for leaf in leaves if len(leaf.data) in UNPADDED and HEX_DIGITS.fullmatch(leaf.data)]
        words = [(leaf, word) for leaf in candidates[:MOST_UNPADDED] for word in unpadded_words(leaf.data)]
        for slot, number in sorted(
            {(row.slot, row.start) for row in self._digests.find(b"".join(w for _, w in words))}
        ):
            leaf = words[number][0]
            for digest in self._forms_of(slot).digests:
                if len(digest[2]) == UNPADDED[len(leaf.data)][0] and leaf.data.lower() == unpadded(digest[2]):
                    found.add(slot, variants.digested(digest), leaf, 0, len(leaf.data), "")

    def _find_digests_inside(self, look: Look, found: _Found) -> None:
        """Whole digests among other bytes."""
        for slot, at, _ in self._digests.find_anywhere(look.joined):
            number = look.leaf_at(at)
            leaf, start = look.leaves[number], at - look.starts[number]
            for digest in self._forms_of(slot).digests:
                end = start + len(digest[2])
                if (
                    len(digest[2]) >= INSIDE.start
                    and end - start < len(leaf.data)
                    and leaf.data[start:end] == digest[2]
                ):
                    found.add(slot, variants.digested(digest), leaf, start, end, "")

    def _find_split_numbers(self, look: Look, found: _Found) -> None:
        """Numbers whose digits something stands between: `+86 138-0013-8000`, `(310) 555 0123`, `+44 (0)7700 ...`."""
        for run, groups, last in self._ends(look):
            leaf_number = look.leaf_at(run.start())
            leaf = look.leaves[leaf_number]
            base = run.start() - look.starts[leaf_number]
            for first in _firsts(run[0], groups, last):
                start = groups[first].start() - (
                    run[0][groups[first].start() - 1 : groups[first].start()] in (b"+", b"(")
                )
                text = run[0][max(0, start) : groups[last].end()]
                numbers = sorted({NO_DIGIT.sub(b"", text), NO_DIGIT.sub(b"", text.replace(b"(0)", b""))})
                for slot, which, _ in self._digits.find(words_of(number[-8:] for number in numbers)):
                    variant = self._forms_of(slot).digits.get(numbers[which])
                    one_more = last + 1 < len(groups) and len(groups[last + 1][0]) == 1
                    if variant is not None and not (variant.unchecked and one_more):
                        split = variant._replace(name="separated")
                        found.add(slot, split, leaf, base + max(0, start), base + groups[last].end(), "utf-8")

    def _ends(self, look: Look) -> Iterator[_End]:
        """Groups of digits that a number which is looked for may end with, by the last eight digits up to there: one
        search for all of them."""
        ends: list[_End] = []
        words: list[bytes] = []
        sure: list[_End] = []
        for run in SPLIT_NUMBER.finditer(look.joined):
            if look.leaves[look.leaf_at(run.start())].text is None:
                continue
            groups = list(GROUP.finditer(run[0]))
            digits, size = NO_DIGIT.sub(b"", run[0]), 0
            for last, group in enumerate(groups):
                size += len(group[0])
                if not last or size < DIGITS_OF_A_NUMBER.start or run[0][group.end() : group.end() + 1].strip():
                    continue
                if b"(0)" in run[0]:
                    sure.append((run, groups, last))
                    continue
                ends.append((run, groups, last))
                words += (digits[max(0, size - 8) : size], digits[size - DIGITS_OF_A_NUMBER.start : size])
        hit = {start // 2 for _, start, _ in self._digits.find(words_of(words))}
        yield from (ends[number] for number in sorted(hit))
        yield from sure


_End = tuple[re.Match[bytes], list[re.Match[bytes]], int]
"""A run of digits and separators, its groups of digits, and the last of them that may belong to a number."""
INSIDE = range(16, 1 << 16)
"""Bytes of data in which a digest may stand anywhere."""
LONGEST_ROW = 1000
"""Bytes of all that are cut and stand one behind the other."""
LONGEST_ID = 64
"""Bytes of the longest id or digest."""
SPLIT_NUMBER = re.compile(rb"[+(0-9](?:[0-9() .\-/]|\xc2\xa0){6,60}[0-9]")
GROUP = re.compile(rb"[0-9]+")
NO_DIGIT = re.compile(rb"[^0-9]")
UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NOUGHTS_LOST = {size - lost: size for size in (32, 40, 64) for lost in (1, 2)}
"""Hex digits of a digest that was written as a number, as `new BigInteger(1, digest).toString(16)` does -> of all."""
NUMBER_IN_HEX = re.compile(rb"[1-9a-fA-F][0-9a-fA-F]*")
DIGITS_OF_A_NUMBER = range(7, 18)
HITS = 2000
"""Hits of one value in one upload that are looked at; more add nothing."""


def _part(leaf: Leaf, start: int, end: int) -> Leaf:
    """One digest of a row of them."""
    first, last = (leaf.start + start, leaf.start + end) if leaf.exact else (leaf.start, leaf.end)
    decoding = (*leaf.decoding, "digests")
    return leaf._replace(data=leaf.data[start:end], decoding=decoding, start=first, end=last)


def _is_in_id(data: bytes, start: int, end: int, variant: Variant) -> bool:
    """Whether bytes that were written in hex may be one id or number, of which no part is another; a number two digits
    in a byte that ends with the sign for none is a part of something else."""
    packed = variant.name == "packed_digits"
    if packed and variant.of == "in_order":  # what stands beside its digits in the text says whether it is the number
        return True
    if end - start == len(data) or (data[0] == len(data) - 1 and end == len(data)):  # all of it, or behind its length
        return False
    ended = packed and data[end - 1] >> 4 == NO_DIGIT_HERE
    return (len(data) <= LONGEST_ID and not ended) or data.hex().isdecimal()


NO_DIGIT_HERE = 0xF


def _firsts(run: bytes, groups: list[re.Match[bytes]], last: int) -> Iterator[int]:
    """The groups of digits with which a number may begin that ends with the last. What stands beside the number must
    be blank, for a hyphen or a stroke makes it part of something longer."""
    digits = len(groups[last][0])
    for first in range(last - 1, max(-1, last - 9), -1):
        digits += len(groups[first][0])
        if digits >= DIGITS_OF_A_NUMBER.stop:
            return
        if first and not run[groups[first - 1].end() : groups[first].start()].startswith(b" "):
            continue
        if digits in DIGITS_OF_A_NUMBER:
            yield first


def _before_salt(leaf: Leaf) -> Iterator[Leaf]:
    """Of long numbers in the input of a digest, what may be a number before a salt of digits: tables look for numbers
    where digits end."""
    for run in LONG_NUMBER.finditer(leaf.data):
        for end in range(run.start(1) + SALTED_DIGITS, run.end() - LONGER_BY + 1):
            data = leaf.data[run.start() : end]
            yield leaf._replace(data=data, text=data.decode("ascii"), glued=False)


LONG_NUMBER = re.compile(rb"\+?(?<![0-9])([0-9]{12,64})(?![0-9])")
SALTED_DIGITS = 9
"""Digits of a number that says enough to be believed directly before a salt."""


class _Found:
    """Hits of one search."""

    def __init__(self, slots: list[_Slot], size: int) -> None:
        self.hits: list[Hit] = []
        self._slots = slots
        self._size = size
        self._counts: Counter[int] = Counter()

    def add(self, slot: int, variant: Variant, leaf: Leaf, start: int, end: int, charset: str) -> Hit | None:
        """A hit at the bytes from start to end of a leaf, unless there are enough of its value."""
        self._counts[slot] += 1
        if self._counts[slot] > HITS:
            return None
        key, kind, *_ = self._slots[slot]
        value = _value(self._slots[slot])
        self.hits.append(hit_at(key, value, kind, variant, leaf, start, end, charset, self._size))
        return self.hits[-1]


STANDARD = bytes.maketrans(b"-_", b"+/")


def _in_base64(
    look: Look, number: int, slot: int, variant: Variant, alignment: int, start: int, end: int, found: _Found
) -> None:
    """A form inside base64 that begins where no decoder could know: behind other letters of its alphabet."""
    leaf = look.leaves[number]
    first, last = look.run_around(number, start)
    begin = start - (0, 2, 3)[alignment]
    if begin < first or (begin - first) % 4 == 0 or end > last:
        return
    origin = max(first + (begin - first) % 4, begin - 8)
    run = leaf.data[origin : min(last, end + 12)].translate(STANDARD)
    run = run[: len(run) - (len(run) % 4 == 1)]
    data = binascii.a2b_base64(run + b"=" * (-len(run) % 4))
    at = (begin - origin) // 4 * 3 + alignment
    size = len(variant.pattern)
    if data[at : at + size].lower() != variant.pattern.lower():
        return
    inner = Leaf(leaf.path, "", data, (*leaf.decoding, "base64"), leaf.start, leaf.end, False)
    if leaf.exact:
        inner = inner._replace(start=leaf.start + begin, end=leaf.start + min(last, end + 3))
    if stands_alone(inner, at, at + size, variant, "utf-8"):
        found.add(slot, variant, inner, at, at + size, "utf-8")
