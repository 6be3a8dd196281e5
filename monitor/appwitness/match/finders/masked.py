"""Finds values that are all of a leaf under a key of one byte (XOR): what a byte differs in from the next is the same
without it, so one lookup does for all keys."""

from __future__ import annotations

from collections.abc import Iterator

from appwitness.events import Value
from appwitness.match.hits import Hit, all_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.tables import WordTable, hashes_of
from appwitness.match.search import Search
from appwitness.match.variants import FORMS, Variant, bits_of, kind_of

SIZES = range(6, 65)
"""Bytes of a value."""
BITS = 30.0
"""What a value must say."""


class Masked:
    """Values in the form in which they were given; of each only a number is kept by which it is found."""

    def __init__(self) -> None:
        self._differences = WordTable()
        self._sizes: set[int] = set()

    def add(self, slot: int, value: Value) -> None:
        """Look for a value from now on."""
        if data := _given(value):
            self._differences.put(hashes_of([_differences(data)]), slot)
            self._sizes.add(len(data))

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Every value that all of a leaf may be."""
        leaves = [leaf for leaf in look.leaves if len(leaf.data) in self._sizes]
        found = self._differences.find(hashes_of(_differences(leaf.data) for leaf in leaves)) if leaves else ()
        for slot, at in sorted({(row.slot, row.start) for row in found}):
            data, leaf = _given(search.known.value(slot)), leaves[at]
            if _differences(leaf.data) == _differences(data) and leaf.data != data:
                variant = Variant("xor", "as_given", "leaf", data, "none", bits_of(data.decode()))
                yield from search.hit(slot, variant, all_of(leaf), decoding=(*leaf.decoding, "xor"))


def _given(value: Value) -> bytes:
    """What is looked for of a value; nothing when it says too little."""
    forms = FORMS[kind_of(value)](value.text)
    data = forms[0][1].encode("utf-8", "ignore") if forms and bits_of(forms[0][1]) >= BITS else b""
    return data if len(data) in SIZES and len(set(data)) > 1 else b""


def _differences(data: bytes) -> tuple[int, int]:
    """The size of data, and what its bytes differ in from their neighbours."""
    number, size = int.from_bytes(data), len(data)
    return size, (number ^ number >> 8) & (1 << 8 * (size - 1)) - 1
