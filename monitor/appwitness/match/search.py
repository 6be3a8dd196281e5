"""The interface of finders, the values to search for, and one search in an upload."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Hashable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol, Unpack

from appwitness.events import Ref, Value
from appwitness.match.decode.walk.pieces import Leaf
from appwitness.match.hits import Hit, HitFields, Spot, hit_at
from appwitness.match.look import JoinedLeaves
from appwitness.match.reads import Key
from appwitness.match.variants import Variant
from appwitness.match.variants.entering import Forms

REMEMBERED = 16
"""Number of values whose forms are cached; the forms of others are made again when one of them is found. The forms of
a value are hundreds of objects, which the garbage collector scans while all threads wait."""

HITS = 2000
"""Maximum number of hits of one value examined in one upload; more add nothing."""

Slot = tuple[Hashable, str, str, int | None]
"""Key, type, text and row of a value: unlike a `Value`, nothing that the garbage collector must scan."""


class Finder[Name](Protocol):
    """One way to find values."""

    def add(self, key: Name, value: Value) -> None:
        """Look for a value from now on; `find` reports it by this key."""

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Every place in the leaves of one upload where one of the values may occur."""


class KnownValues:
    """Values by slot: a small number that the tables store for each."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []
        self._forms: dict[int, Forms] = {}

    def value(self, slot: int) -> Value:
        """The value of a slot."""
        _, type_, text, row = self.slots[slot]
        return Value(type=type_, text=text, row=row)

    def forms_of(self, slot: int) -> Forms:
        """The forms of a value, made again if they are not cached."""
        forms = self._forms.get(slot)
        if forms is None:
            if len(self._forms) >= REMEMBERED:
                self._forms.clear()
            forms = self._forms[slot] = Forms(self.value(slot))
        return forms


class LeafOrigin(NamedTuple):
    """How a leaf that is not in the upload itself came to be sent: the app's own transforms took it as input."""

    evidence: tuple[Ref, ...]
    forms: tuple[str, ...]
    whole: bool
    cut: bool
    """Whether digits or letters that may be a salt were cut off."""


class Search:
    """One search in one upload."""

    def __init__(
        self,
        known: KnownValues,
        leaves: Sequence[Leaf],
        size: int,
        origin_of: Callable[[Leaf], LeafOrigin | None] | None = None,
        *,
        unread: Container[Key] = frozenset(),
        apps: Sequence[str] = (),
    ) -> None:
        """`size`: bytes in which a value may match by chance; `origin_of`: how a leaf that is not in the upload came
        to be sent; `unread`: values that cannot be in the upload; `apps`: the apps that may have sent it."""
        self.known = known
        self.unread = unread
        self.apps = apps
        self.hits: list[Hit] = []
        """What other finders have found."""
        self._leaves = leaves
        self._size = size
        self._origin_of = origin_of
        self._counts: Counter[int] = Counter()

    def hit(self, slot: int, variant: Variant, spot: Spot, **said: Unpack[HitFields]) -> Iterator[Hit]:
        """The hit of a form at a place, unless its value has enough hits or the leaf's origin rules it out."""
        self._counts[slot] += 1
        if self._counts[slot] > HITS:
            return
        if self._origin_of is not None:
            origin = self._origin_of(spot.leaf)
            if origin is None or (origin.cut and variant.unchecked):
                return
            said = {**said, "evidence": origin.evidence, "forms": origin.forms, "whole": origin.whole}
        if variant.how == "leaf" and (text := self._as_written(spot)):
            said = {**said, "found": text}
        yield hit_at(self.known.slots[slot][0], self.known.value(slot), variant, spot, self._size, **said)

    def _as_written(self, spot: Spot) -> str:
        """A digest as it was sent, from the text that it was decoded from; empty if there is no such text."""
        leaf = spot.leaf
        if leaf.decoding[-1:] not in (("base64",), ("hex",)):
            return ""
        start, end = spot.stored
        for text in self._texts.get((leaf.path, leaf.decoding[:-1]), ()):
            if text.start <= start and end <= text.end:
                return text.data[start - text.start : end - text.start].decode()
        return ""

    @cached_property
    def _texts(self) -> dict[tuple[str, tuple[str, ...]], list[Leaf]]:
        texts: dict[tuple[str, tuple[str, ...]], list[Leaf]] = defaultdict(list)
        for leaf in self._leaves:
            if leaf.exact and leaf.text is not None:
                texts[leaf.path, leaf.decoding].append(leaf)
        return texts
