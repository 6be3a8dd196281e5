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
    """Values to look for; more may be added between any two searches, and are found from then on.

    A value takes about 6 kB. Not for several threads at once.
    """

    def __init__(self, outputs: Grams | None = None) -> None:
        """`outputs`: what else makes a leaf of a large text matter."""
        self.known = KnownValues()
        self._keys: set[Hashable] = set()
        raw = Grams()
        texts, digests, digits = Grams(raw), WordTable(), WordTable()
        packed = Packed()
        self.narrow = Sieve(texts, raw, digests, digits, outputs or Grams(), packed)
        """For `decode.leaves`: what of a large text may hold anything of these values."""
        self._counting = ValueTexts(texts, raw, self.narrow), Digests(digests), SplitNumbers(digits)
        self._finders: tuple[Finder[int], ...] = (
            *self._counting,
            Splits(self.narrow),
            Masked(),
            Places(self.narrow, packed),
        )

    def __len__(self) -> int:
        return len(self.known.slots)

    @property
    def patterns(self) -> int:
        """Texts and digests that are looked for."""
        return sum(finder.patterns for finder in self._counting)

    def add(self, key: Hashable, value: Value) -> None:
        """Look for `value` from now on; hits name it by `key`. A key that is known already is left as it is."""
        if key in self._keys:
            return
        self._keys.add(key)
        slot = len(self.known.slots)
        self.known.slots.append((key, value.type, value.text, value.row))
        for finder in self._finders:
            finder.add(slot, value)

    def find(
        self,
        leaves: Sequence[Leaf],
        passed_over: int = 0,
        origin_of: Callable[[Leaf], LeafOrigin | None] | None = None,
    ) -> list[Hit]:
        """All hits in the leaves of one upload, overlapping ones of one value reduced to the best, in a fixed order.

        `passed_over`: bytes of it that were read and are in no leaf; they had their chance to hold a value too.
        `origin_of`: of leaves that are not in the upload itself, how they came to be sent.
        """
        if not self.known.slots or not leaves:
            return []
        look = JoinedLeaves(leaves)
        search = Search(self.known, leaves, look.size + passed_over, origin_of)
        return best.kept([hit for finder in self._finders for hit in finder.find(look, search)], leaves)


class Sought:
    """Values, and what the app turned into what."""

    def __init__(self, bodies: Callable[[str], bytes | None] | None = None) -> None:
        """`bodies` reads a stored body by its digest: what transforms took in and gave out, where it is long."""
        self._transforms = Transforms(bodies)
        self._index = ValueIndex(self._transforms.outputs)
        self._sets = Sets()
        self._salts = Salts()
        self._finders: tuple[Finder[Key], ...] = (self._sets, self._salts)
        """Those that look at an upload as a whole, besides what the index finds in its leaves."""
        self.narrow = self._sets.narrowed(self._index.narrow)
        """For `decode.leaves`: which parts of a large text may hold anything that is known by now."""
        self._transforms.narrow = self.narrow

    def add(self, key: Key, *, alone: bool) -> None:
        """Find a value from now on; whether it was read alone, not in a row."""
        value = Value(type=key[0], text=key[1], row=None if alone else 0)
        self._index.add(key, value)
        for finder in self._finders:
            finder.add(key, value)

    def add_transform(self, seen: Seen[Transform]) -> None:
        """Learn of one call of the app's."""
        self._transforms.add(seen)

    def find(self, decoded: Decoded, at: datetime, apps: Sequence[str], unread: Container[Key]) -> list[Hit]:
        """Hits in the leaves of an upload, in what the app's own transforms turned into it by then, and of what was
        hashed with other parts of it. `apps`: whose it may be; `unread`: values that cannot be in it."""
        look = JoinedLeaves(decoded.leaves)
        search = Search(self._index.known, decoded.leaves, look.size, unread=unread, apps=apps)
        hits = self._index.find(decoded.leaves, decoded.passed_over)
        hits += self._sets.find(look, search)
        hits = together(without_parts(hits, decoded.leaves), decoded.leaves, len(self._sets))
        hits += self._turned(hits, decoded, at)
        search.hits = hits
        return hits + list(self._salts.find(look, search))

    def _turned(self, hits: Sequence[Hit], decoded: Decoded, at: datetime) -> list[Hit]:
        """Hits in what the app's own transforms took in, but for what is found in the upload as it is."""
        inner = list(self._transforms.follow(decoded.leaves, at))
        if not inner:
            return []
        spots = {_spot(one.leaf): one for one in reversed(inner)}
        own = {id(one.leaf): one for one in inner}

        def origin_of(leaf: Leaf) -> LeafOrigin | None:
            # a form inside base64 at an odd place is in a leaf of its own, one step further in
            near = (spots.get(_spot(leaf, dropped)) for dropped in range(3))
            one: Inner | None = own.get(id(leaf)) or next(filter(None, near), None)
            return LeafOrigin(one.refs, one.forms, one.whole, one.cut and one.leaf is leaf) if one else None

        plain = {(hit.key, root_of(hit.leaf.path), hit.start, hit.end) for hit in hits}
        found = self._index.find([one.leaf for one in inner], origin_of=origin_of)
        return [hit for hit in found if (hit.key, root_of(hit.leaf.path), hit.start, hit.end) not in plain]


def _spot(leaf: Leaf, dropped: int = 0) -> tuple[str, int, int, tuple[str, ...]]:
    """Where a leaf is, without the last `dropped` steps."""
    return leaf.path, leaf.start, leaf.end, leaf.decoding[: len(leaf.decoding) - dropped]
