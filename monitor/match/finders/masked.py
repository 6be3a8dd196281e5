"""Finds values that are all of a leaf under a key of some bytes that repeats (XOR): what two bytes of it differ in that
are under the same byte of the key is the same without it, so one lookup does for all keys of a length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.events import Value
from monitor.match.decode.walk.pieces import Leaf
from monitor.match.hits import Hit, all_of
from monitor.match.look import Look
from monitor.match.native.tables import Table, hashes_of
from monitor.match.search import Search
from monitor.match.variants import FORMS, Variant, bits_of, kind_of

KEYS = range(1, 9)
"""Bytes of a key."""
LEAST, LONGEST = 5, 64
"""Bytes that must be under the key for a second time, at least; bytes of a value."""
BITS = 30.0
"""What a value must say."""


class Masked:
    """Values in the form in which they were given; of each only numbers are kept by which it is found."""

    def __init__(self) -> None:
        self._differences = Table()
        self._sizes: set[int] = set()

    def add(self, slot: int, value: Value) -> None:
        """Look for a value from now on."""
        if data := _given(value):
            self._differences.put(hashes_of(_differences(data)), slot)
            self._sizes.add(len(data))

    def find(self, look: Look, search: Search) -> Iterator[Hit]:
        """Every value that all of a leaf may be which nobody could read, or under one byte only."""
        numbers: list[int] = []
        differences: list[tuple[int, int, int]] = []
        for number, leaf in enumerate(look.leaves):
            if len(leaf.data) in self._sizes:
                found = list(_differences(leaf.data, KEYS if _is_unreadable(leaf) else KEYS[:1]))
                differences += found
                numbers += [number] * len(found)
        if not differences:
            return
        for slot, at in sorted({(row.slot, row.start) for row in self._differences.find(hashes_of(differences))}):
            data, leaf = _given(search.known.value(slot)), look.leaves[numbers[at]]
            if differences[at] in _differences(data) and leaf.data != data:
                variant = Variant("xor", "as_given", "leaf", data, "none", bits_of(data.decode()))
                yield from search.hit(slot, variant, all_of(leaf), decoding=(*leaf.decoding, "xor"))


def _is_unreadable(leaf: Leaf) -> bool:
    """Whether it is no text, or one that was base64 or hex and reads as none: two numbers often differ as if there were
    a key of several bytes."""
    if leaf.text is None:
        return True
    return leaf.decoding[-1:] in (("base64",), ("hex",)) and STRANGE.search(leaf.text) is not None


STRANGE = re.compile(r"[^\w .,:;@+/-]|\d[:;]\D")


def _given(value: Value) -> bytes:
    """What is looked for of a value; nothing when it says too little."""
    forms = FORMS[kind_of(value)](value.text)
    data = forms[0][1].encode("utf-8", "ignore") if forms and bits_of(forms[0][1]) >= BITS else b""
    return data if len(data) <= LONGEST else b""


def _differences(data: bytes, keys: range = KEYS) -> Iterator[tuple[int, int, int]]:
    """Size of a key, size of all, and what the bytes differ in that are so far from each other."""
    number, size = int.from_bytes(data), len(data)
    for key in keys[: max(0, min(size // 2, size - LEAST))]:  # no byte is under the key only once
        different = (number ^ number >> 8 * key) & (1 << 8 * (size - key)) - 1
        if different:
            yield key, size, different
