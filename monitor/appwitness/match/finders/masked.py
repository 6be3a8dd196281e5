"""Finds values that are all of a leaf, XORed with a key of one byte: the difference between adjacent bytes does not
depend on the key, so one lookup covers all keys."""

from __future__ import annotations

from collections.abc import Iterator

from appwitness.events import Value
from appwitness.match.hits import Hit, all_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.tables import WordTable, hashes_of
from appwitness.match.search import Search
from appwitness.match.variants import FORMS, Variant, bits_of, kind_of

SIZES = range(6, 65)
"""Sizes of a value in bytes."""
BITS = 30.0
"""Minimum bits of a value."""


class Masked:
    """Finds values in the form as given; only a hash of each value is stored."""

    def __init__(self) -> None:
        self._differences = WordTable()
        self._sizes: set[int] = set()

    def add(self, slot: int, value: Value) -> None:
        """Look for a value from now on."""
        if data := _given(value):
            self._differences.put(hashes_of([_differences(data)]), slot)
            self._sizes.add(len(data))

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Every value that a whole leaf may be."""
        leaves = [leaf for leaf in look.leaves if len(leaf.data) in self._sizes]
        found = self._differences.find(hashes_of(_differences(leaf.data) for leaf in leaves)) if leaves else ()
        for slot, at in sorted({(row.slot, row.start) for row in found}):
            data, leaf = _given(search.known.value(slot)), leaves[at]
            if _differences(leaf.data) == _differences(data) and leaf.data != data:
                variant = Variant("xor", "as_given", "leaf", data, "none", bits_of(data.decode()))
                yield from search.hit(slot, variant, all_of(leaf), decoding=(*leaf.decoding, "xor"))


def _given(value: Value) -> bytes:
    """The form of a value that is looked for; empty if it has too few bits."""
    forms = FORMS[kind_of(value)](value.text)
    data = forms[0][1].encode("utf-8", "ignore") if forms and bits_of(forms[0][1]) >= BITS else b""
    return data if len(data) in SIZES and len(set(data)) > 1 else b""


def _differences(data: bytes) -> tuple[int, int]:
    """The size of data, and the XOR of its adjacent bytes."""
    number, size = int.from_bytes(data), len(data)
    return size, (number ^ number >> 8) & (1 << 8 * (size - 1)) - 1
