"""What is looked for in the uploads of one recording, and every way in which one may hold it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime

from monitor.events import Transform, Value
from monitor.findings import Why, because
from monitor.match import variants
from monitor.match.belief.support import without_parts
from monitor.match.decode import Decoded, Leaf
from monitor.match.finders.digests import INSIDE, find_digests, find_digests_inside, find_unpadded
from monitor.match.finders.found import Found, Known
from monitor.match.finders.masked import Masked
from monitor.match.finders.numbers import find_split_numbers
from monitor.match.finders.parts import SHORT_PART, Splits, cuts_of, rarest
from monitor.match.finders.salts import Salts
from monitor.match.finders.sets import Sets
from monitor.match.finders.texts import find_before_salts, find_texts
from monitor.match.hits import (
    STRONG_BITS,
    Hit,
    as_written,
    best,
    longest_of_glued,
    root_of,
    whole_or_cut,
    without_halves,
)
from monitor.match.look import Look
from monitor.match.native.sieve import Sieve
from monitor.match.native.tables import Grams, Table
from monitor.match.places.coordinates import Places
from monitor.match.reads import Key
from monitor.match.transforms import Transforms
from monitor.match.transforms.sent import as_sent
from monitor.match.variants.entering import enter
from monitor.seen import Seen

LONGEST_WORD = 64
"""Bytes of a word of `Sieve.add_words`; it has two at least."""


class Index:
    """Values to look for; more may be added between any two searches, and are found from then on.

    A value takes about 6 kB. Not for several threads at once.
    """

    def __init__(self, outputs: Grams | None = None) -> None:
        """`outputs`: what else makes a leaf of a large text matter."""
        self._known = Known()
        self._keys: set[Hashable] = set()
        self._raw = Grams()
        self._texts = Grams(self._raw)
        self._digests = Table()
        self._digits = Table()
        self._splits = Splits(lambda slot: self._known.slots[slot][1:3])
        self._masked = Masked(lambda slot: self._known.slots[slot][1:3])
        self.patterns = 0
        """Texts and digests that are looked for."""
        self.narrow = Sieve(self._texts, self._raw, self._digests, self._digits, outputs or Grams())
        """For `decode.leaves`: what of a large text may hold anything of these values."""
        self._places = Places(self.narrow)

    def __len__(self) -> int:
        return len(self._known.slots)

    def add(self, key: Hashable, value: Value) -> None:
        """Look for `value` from now on; hits name it by `key`. A key that is known already is left as it is."""
        if key in self._keys:
            return
        self._keys.add(key)
        slot = len(self._known.slots)
        kind = variants.kind_of(value)
        self._known.slots.append((key, kind, value.text, value.type, value.row))
        self.patterns += enter(kind, value, slot, self._texts, self._raw, self._digests, self._digits)
        cuts = list(cuts_of(kind, value.text))
        self._splits.add(slot, kind, value.text, cuts)
        self._masked.add(slot, kind, value.text)
        self.narrow.add_words(rarest(cuts))
        if value.type == "name" and variants.bits_of(value.text) < STRONG_BITS:
            word = value.text.strip().encode("utf-8", "replace")
            if word[LONGEST_WORD:] == b"" != word[1:]:
                self.narrow.add_words([word])  # whose it is, what stands beside it tells
        once = {part for _, parts in cuts for part in parts}
        self.narrow.add_shorts([part.encode() for part in once if SHORT_PART.fullmatch(part)])
        if kind == "location":
            self._places.add(slot, value)

    def find(self, leaves: Sequence[Leaf], passed_over: int = 0) -> list[Hit]:
        """All hits in the leaves of one upload, overlapping ones of one value reduced to the best, in a fixed order.

        `passed_over`: bytes of it that were read and are in no leaf; they had their chance to hold a value too.
        """
        if not self._known.slots or not leaves:
            return []
        look = Look(leaves)
        found = Found(self._known, look.size + passed_over)
        find_texts(self._texts, look, found)
        find_before_salts(self._texts, leaves, found)
        if binary := [leaf for leaf in leaves if leaf.text is None]:
            find_texts(self._raw, Look(binary), found)
        find_digests(self._digests, look, found)
        find_unpadded(self._digests, leaves, found)
        if inside := [leaf for leaf in binary if INSIDE.start < len(leaf.data) < INSIDE.stop]:
            find_digests_inside(self._digests, Look(inside), found)
        if self._digits:
            find_split_numbers(self._digits, look.numeric(), found)
        for part in self._splits.find(look):
            leaf = leaves[part.leaf]
            hit = found.add(part.slot, part.variant, leaf, 0, len(leaf.data), "utf-8")
            if hit is not None:
                found.hits[-1] = hit._replace(strong=part.strong, telling=part.telling, reasons=part.reasons)
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
                        reasons=place.reasons,
                        error_m=place.error_m,
                        fits=place.fits,
                    )
        return as_written(best(whole_or_cut(without_halves(longest_of_glued(found.hits)), leaves)), leaves)


class Sought:
    """Values, and what the app turned into what."""

    def __init__(self, bodies: Callable[[str], bytes | None] | None = None) -> None:
        """`bodies` reads a stored body by its digest: what transforms took in and gave out, where it is long."""
        self._transforms = Transforms(bodies)
        self._index = Index(self._transforms.outputs)
        self._sets = Sets()
        self._salts = Salts()
        self.narrow = self._sets.narrowed(self._index.narrow)
        """For `decode.leaves`: which parts of a large text may hold anything that is known by now."""
        self._transforms.narrow = self.narrow

    def add(self, key: Key, *, alone: bool) -> None:
        """Find a value from now on; whether it was read alone, not in a row."""
        self._index.add(key, Value(type=key[0], text=key[1]))
        self._sets.add(key)
        self._salts.add(key, alone=alone)

    def add_transform(self, seen: Seen[Transform]) -> None:
        """Learn of one call of the app's."""
        self._transforms.add(seen)

    def find(self, decoded: Decoded, at: datetime, apps: Iterable[str], wanted: Callable[[Key], bool]) -> list[Hit]:
        """Hits in the leaves of an upload, in what the app's own transforms turned into it by then, and of what was
        hashed with other parts of it. `apps`: whose it may be; `wanted`: whether a value may be in it at all."""
        hits = self._found(decoded, at, wanted)
        return hits + self._salts.find(decoded.leaves, hits, apps, wanted)

    def _found(self, decoded: Decoded, at: datetime, wanted: Callable[[Key], bool]) -> list[Hit]:
        hits = self._index.find(decoded.leaves, decoded.passed_over)
        hits += self._sets.find(decoded.leaves, wanted)
        hits = self._sets.together(without_parts(hits, decoded.leaves), decoded.leaves)
        inner = list(self._transforms.follow(decoded.leaves, at))
        if not inner:
            return hits
        spots = {_spot(one.leaf): one for one in reversed(inner)}
        own = {id(one.leaf): one for one in inner}
        plain = {(hit.key, root_of(hit.leaf.path), hit.start, hit.end) for hit in hits}
        for hit in self._index.find([one.leaf for one in inner]):
            # a form inside base64 at an odd place is in a leaf of its own, one step further in
            near = (spots.get(_spot(hit.leaf, dropped)) for dropped in range(3))
            one = own.get(id(hit.leaf)) or next(filter(None, near), None)
            if one is None or (one.cut and one.leaf is hit.leaf and hit.variant.unchecked):
                continue
            if (hit.key, root_of(hit.leaf.path), hit.start, hit.end) not in plain:
                said = because(Why.APP_TURNED_IT, lines=", ".join(one.refs))
                form = as_sent(hit, one.forms, whole=one.whole)
                hits.append(hit._replace(reasons=(*hit.reasons, said), evidence=one.refs, form=form))
        return hits


def _spot(leaf: Leaf, dropped: int = 0) -> tuple[str, int, int, tuple[str, ...]]:
    """Where a leaf is, without the last `dropped` steps."""
    return leaf.path, leaf.start, leaf.end, leaf.decoding[: len(leaf.decoding) - dropped]
