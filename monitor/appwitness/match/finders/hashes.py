"""Finds digests of values: all of a leaf, in hex without padding, in rows, or among other bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from appwitness.events import Value
from appwitness.match import variants
from appwitness.match.decode.walk.pieces import Leaf
from appwitness.match.hits import Hit, Spot, all_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.tables import WordTable
from appwitness.match.search import Search
from appwitness.match.variants import digests
from appwitness.match.variants.entering import words_of

INSIDE = range(16, 1 << 16)
"""Sizes in bytes of data that may contain a digest at any offset."""
LONGEST_ROW = 1000
"""Maximum bytes of a row of shortened digests."""
UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ZEROS_LOST = {size - lost: size for size in (32, 40, 64) for lost in (1, 2)}
"""Hex digits of a digest that was written as a number, as by `new BigInteger(1, digest).toString(16)` -> hex digits
of the whole digest."""
NUMBER_IN_HEX = re.compile(rb"[1-9a-fA-F][0-9a-fA-F]*")
UNPADDED = {2 * size - lost: (size, lost) for size, most in ((16, 5), (20, 5), (32, 6)) for lost in range(1, most + 1)}
"""Digits of an unpadded digest -> its bytes, and the number of missing digits; few digests lack more."""
HEX_DIGITS = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
MOST_UNPADDED = 256
"""Maximum number of texts of one upload that are looked up; each may begin in up to 247 ways."""
KNOWN_BY = 8
"""Leading bytes of a digest by which it is looked up."""


class Digests:
    """Finds values by their digests."""

    def __init__(self, table: WordTable) -> None:
        self._table = table
        self.patterns = 0

    def add(self, slot: int, value: Value) -> None:
        """Look for the digests of a value from now on."""
        words = [digest[2] for digest in variants.digests_of(value)]
        self._table.put(words_of(words), slot)
        self.patterns += len(words)

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Every digest, wherever it stands."""
        yield from _all_of_leaves(self._table, look, search)
        yield from _unpadded(self._table, look.leaves, search)
        if inside := [leaf for leaf in look.binary if INSIDE.start < len(leaf.data) < INSIDE.stop]:
            yield from _inside(self._table, JoinedLeaves(inside), search)


def _all_of_leaves(table: WordTable, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
    """Digests that are all of a leaf, or entries of a row, whole or shortened."""
    sizes = digests.SIZES
    candidates: list[tuple[Leaf, bytes]] = []
    for leaf in look.leaves:
        data = leaf.data
        size = len(data)
        if size == 36 and UUID.fullmatch(data):
            data = bytes.fromhex(data.replace(b"-", b"").decode())
        elif size in ZEROS_LOST and leaf.text is not None and NUMBER_IN_HEX.fullmatch(data):
            data = bytes.fromhex(data.decode().zfill(ZEROS_LOST[size]))
        elif leaf.text is None and size % digests.SHORTENED == 0 and 3 * digests.SHORTENED <= size <= LONGEST_ROW:
            row = [_part(leaf, at, at + digests.SHORTENED) for at in range(0, size, digests.SHORTENED)]
            candidates += [(part, part.data) for part in row]
            continue
        elif size not in sizes and size != 4:
            continue
        candidates.append((leaf, data))
    for slot, number, _ in table.find(words_of(data for _, data in candidates)):
        leaf, data = candidates[number]
        # bytes cut from a longer run may be a whole digest, but not a shortened one: they may be half of another
        whole = leaf.decoding[-1:] == ("digests",) and len(data) != digests.SHORTENED
        for digest in search.known.forms_of(slot).digests:
            if digest[2] == data or (not whole and digest[2].startswith(data)):
                variant = variants.digested(digest)
                if len(data) < len(variant.pattern):
                    variant = variant._replace(name=f"{variant.name}_first_{len(data)}")
                yield from search.hit(slot, variant, all_of(leaf))


def _unpadded(table: WordTable, leaves: Sequence[Leaf], search: Search) -> Iterator[Hit]:
    """Unpadded digests in hex, in which each byte below 16 is a single digit: the digest is the whole text, and few
    digits are missing (UNPADDED)."""
    candidates = [leaf for leaf in leaves if len(leaf.data) in UNPADDED and HEX_DIGITS.fullmatch(leaf.data)]
    words = [(leaf, word) for leaf in candidates[:MOST_UNPADDED] for word in unpadded_words(leaf.data)]
    for slot, number in sorted({(row.slot, row.start) for row in table.find(b"".join(w for _, w in words))}):
        leaf = words[number][0]
        for digest in search.known.forms_of(slot).digests:
            if len(digest[2]) == UNPADDED[len(leaf.data)][0] and leaf.data.lower() == unpadded(digest[2]):
                yield from search.hit(slot, variants.digested(digest), all_of(leaf))


def _inside(table: WordTable, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
    """Whole digests among other bytes."""
    for slot, at, _ in table.find_anywhere(look.joined):
        number = look.leaf_at(at)
        leaf, start = look.leaves[number], at - look.starts[number]
        for digest in search.known.forms_of(slot).digests:
            end = start + len(digest[2])
            if len(digest[2]) >= INSIDE.start and end - start < len(leaf.data) and leaf.data[start:end] == digest[2]:
                yield from search.hit(slot, variants.digested(digest), Spot(leaf, start, end, ""))


def _part(leaf: Leaf, start: int, end: int) -> Leaf:
    """One digest in a row."""
    first, last = (leaf.start + start, leaf.start + end) if leaf.exact else (leaf.start, leaf.end)
    decoding = (*leaf.decoding, "digests")
    return leaf._replace(data=leaf.data[start:end], decoding=decoding, start=first, end=last)


def unpadded(digest: bytes) -> bytes:
    """A digest in unpadded hex."""
    return "".join([f"{byte:x}" for byte in digest]).encode()


def unpadded_words(text: bytes) -> Iterator[bytes]:
    """The first eight bytes that an unpadded text may stand for."""
    return _words(text[: 2 * KNOWN_BY].decode(), UNPADDED[len(text)][1], b"")


def _words(digits: str, lost: int, made: bytes) -> Iterator[bytes]:
    if len(made) == KNOWN_BY:
        yield made
        return
    if lost:
        yield from _words(digits[1:], lost - 1, made + bytes((int(digits[0], 16),)))
    if digits[0] != "0":
        yield from _words(digits[2:], lost, made + bytes((int(digits[:2], 16),)))
