"""The values that are looked for, and the hits of one search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from monitor.events import Value
from monitor.match.decode.walk.pieces import Leaf
from monitor.match.hits import Hit, hit_at
from monitor.match.variants import Variant
from monitor.match.variants.entering import Forms

REMEMBERED = 16
"""Values whose forms are kept; those of others are made again when something of them is found. More would be hundreds
of objects each, through which a collector of garbage looks while all threads wait."""

HITS = 2000
"""Hits of one value in one upload that are looked at; more add nothing."""

Slot = tuple[Hashable, str, str, str, int | None]
"""Key, kind, text, type and row of a value: what a collector of garbage needs not look into, unlike a `Value`."""


def _value(slot: Slot) -> Value:
    _, _, text, type_, row = slot
    return Value(type=type_, text=text, row=row)


class Known:
    """Values by slot, a small number that the tables hold for each."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []
        self._forms: dict[int, Forms] = {}

    def forms_of(self, slot: int) -> Forms:
        """The forms of a value, made again where they are not remembered."""
        forms = self._forms.get(slot)
        if forms is None:
            if len(self._forms) >= REMEMBERED:
                self._forms.clear()
            forms = self._forms[slot] = Forms(_value(self.slots[slot]))
        return forms


class Found:
    """Hits of one search."""

    def __init__(self, known: Known, size: int) -> None:
        self.hits: list[Hit] = []
        self.known = known
        self._size = size
        self._counts: Counter[int] = Counter()

    def add(self, slot: int, variant: Variant, leaf: Leaf, start: int, end: int, charset: str) -> Hit | None:
        """A hit at the bytes from start to end of a leaf, unless there are enough of its value."""
        self._counts[slot] += 1
        if self._counts[slot] > HITS:
            return None
        key, kind, *_ = self.known.slots[slot]
        value = _value(self.known.slots[slot])
        self.hits.append(hit_at(key, value, kind, variant, leaf, start, end, charset, self._size))
        return self.hits[-1]
