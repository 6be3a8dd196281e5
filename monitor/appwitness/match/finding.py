"""What to search for in the uploads of one recording, and all the ways to find it."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Sequence
from datetime import datetime

from appwitness.events import Transform, Value
from appwitness.events.seen import Seen
from appwitness.match.belief import best
from appwitness.match.belief.support import without_parts
from appwitness.match.belief.together import together
from appwitness.match.decode import Decoded, Leaf
from appwitness.match.finders.hashes import Digests
from appwitness.match.finders.masked import Masked
from appwitness.match.finders.numbers import SplitNumbers
from appwitness.match.finders.salts import Salts
from appwitness.match.finders.sets import Sets
from appwitness.match.finders.split_values import Splits
from appwitness.match.finders.texts import ValueTexts
from appwitness.match.hits import Hit, root_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.sieve import Sieve
from appwitness.match.native.tables import Grams, WordTable
from appwitness.match.places.binary import Packed
from appwitness.match.places.coordinates import Places
from appwitness.match.reads import Key
from appwitness.match.search import Finder, KnownValues, LeafOrigin, Search
from appwitness.match.transforms import Inner, Transforms


class ValueIndex:
    """Values to look for. More may be added between two searches and are found from then on.

    A value takes about 6 kB. Not thread-safe.
    """

    def __init__(self, outputs: Grams | None = None) -> None:
        """`outputs`: outputs of transforms, which also make a leaf of a large text worth reading."""
        self.known = KnownValues()
        self._keys: set[Hashable] = set()
        raw = Grams()
        texts, digests, digits = Grams(raw), WordTable(), WordTable()
        packed = Packed()
        self.narrow = Sieve(texts, raw, digests, digits, outputs or Grams(), packed)
        """For `decode.leaves`: selects the parts of a large text that may hold any of these values."""
        self._counting = ValueTexts(texts, raw, self.narrow), Digests(digests), SplitNumbers(digits)
        self.finders: tuple[Finder[int], ...] = (
            *self._counting,
            Splits(self.narrow),
            Masked(),
            Places(self.narrow, packed),
        )

    def __len__(self) -> int:
        return len(self.known.slots)

    @property
    def patterns(self) -> int:
        """Number of texts and digests that are searched for."""
        return sum(finder.patterns for finder in self._counting)

    def add(self, key: Hashable, value: Value) -> None:
        """Look for `value` from now on; its hits carry `key`. A known key is ignored."""
        if key in self._keys:
            return
        self._keys.add(key)
        slot = len(self.known.slots)
        self.known.slots.append((key, value.type, value.text, value.row))
        for finder in self.finders:
            finder.add(slot, value)

    def find(
        self,
        leaves: Sequence[Leaf],
        passed_over: int = 0,
        origin_of: Callable[[Leaf], LeafOrigin | None] | None = None,
    ) -> list[Hit]:
        """All hits in the leaves of one upload, in a fixed order; of overlapping hits of one value, only the best.

        `passed_over`: bytes of the upload that were read but are in no leaf; a value may match there by chance as well.
        `origin_of`: for leaves that are not in the upload itself, how they came to be sent.
        """
        if not self.known.slots or not leaves:
            return []
        look = JoinedLeaves(leaves)
        search = Search(self.known, leaves, look.size + passed_over, origin_of)
        return best.kept([hit for finder in self.finders for hit in finder.find(look, search)], leaves)


class Sought:
    """Values to look for, and the transforms of the app."""

    def __init__(self, bodies: Callable[[str], bytes | None] | None = None) -> None:
        """`bodies` reads a stored body by its digest: long inputs and outputs of transforms."""
        self._transforms = Transforms(bodies)
        self._index = ValueIndex(self._transforms.outputs)
        self._sets = Sets()
        self.salts = Salts()
        self.finders: tuple[Finder[Key], ...] = (self._sets, self.salts)
        """Finders that examine an upload as a whole, in addition to what the index finds in its leaves."""
        self.narrow = self._sets.narrowed(self._index.narrow)
        """For `decode.leaves`: selects the parts of a large text that may hold anything known by now."""
        self._transforms.narrow = self.narrow

    def add(self, key: Key, *, alone: bool) -> None:
        """Look for a value from now on; `alone`: it was read on its own, not in a row."""
        value = Value(type=key[0], text=key[1], row=None if alone else 0)
        self._index.add(key, value)
        for finder in self.finders:
            finder.add(key, value)

    def add_transform(self, seen: Seen[Transform]) -> None:
        """Record a transform call of the app."""
        self._transforms.add(seen)

    def find(self, decoded: Decoded, at: datetime, apps: Sequence[str], unread: Container[Key]) -> list[Hit]:
        """Hits in the leaves of an upload, in inputs that the app's own transforms turned into it by then, and of
        values hashed together with other parts of it. `apps`: the apps that may have sent it; `unread`: values that
        cannot be in it."""
        look = JoinedLeaves(decoded.leaves)
        search = Search(self._index.known, decoded.leaves, look.size, unread=unread, apps=apps)
        hits = self._index.find(decoded.leaves, decoded.passed_over)
        hits += self._sets.find(look, search)
        hits = together(without_parts(hits, decoded.leaves), decoded.leaves, len(self._sets))
        hits += self._turned(hits, decoded, at)
        search.hits = hits
        return hits + list(self.salts.find(look, search))

    def _turned(self, hits: Sequence[Hit], decoded: Decoded, at: datetime) -> list[Hit]:
        """Hits in inputs of the app's own transforms, except those that are also found in the upload as it is."""
        inner = list(self._transforms.follow(decoded.leaves, at))
        if not inner:
            return []
        spots = {_spot(one.leaf): one for one in reversed(inner)}
        own = {id(one.leaf): one for one in inner}

        def origin_of(leaf: Leaf) -> LeafOrigin | None:
            # a form inside base64 at an odd offset is in its own leaf, one step further in
            near = (spots.get(_spot(leaf, dropped)) for dropped in range(3))
            one: Inner | None = own.get(id(leaf)) or next(filter(None, near), None)
            return LeafOrigin(one.refs, one.forms, one.whole, one.cut and one.leaf is leaf) if one else None

        plain = {(hit.key, root_of(hit.leaf.path), hit.start, hit.end) for hit in hits}
        found = self._index.find([one.leaf for one in inner], origin_of=origin_of)
        return [hit for hit in found if (hit.key, root_of(hit.leaf.path), hit.start, hit.end) not in plain]


def _spot(leaf: Leaf, dropped: int = 0) -> tuple[str, int, int, tuple[str, ...]]:
    """The position of a leaf, without its last `dropped` decoding steps."""
    return leaf.path, leaf.start, leaf.end, leaf.decoding[: len(leaf.decoding) - dropped]
