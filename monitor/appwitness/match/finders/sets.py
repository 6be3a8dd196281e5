"""Finds an address book that was sent as a list of short digests: one alone is no proof, many together are."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from appwitness.events import Value
from appwitness.findings import Why, because
from appwitness.match import variants
from appwitness.match.decode.letters.binary_to_text import from_base64
from appwitness.match.decode.walk.pieces import Leaf, Narrow, Room, UploadPiece
from appwitness.match.hits import Hit, all_of, hit_at
from appwitness.match.look import JoinedLeaves
from appwitness.match.reads import Key
from appwitness.match.search import Search
from appwitness.match.variants import Variant, digests

SHORTEST, LONGEST = 4, 7
"""Bytes of a digest so short that it is evidence only beside others; longer ones are found alone."""
LEAST_LISTED, LEAST_KNOWN = 5, 3
"""Minimum entries of a list, and minimum entries that belong to known values."""
CHANCE = 1e-9
"""The chance of coincidence for a whole set, below which the set is believed."""
MOST = 20_000
"""Maximum number of values that may be in a set; if there are more, only the first are looked for."""
KINDS = frozenset(("phone", "email"))
FORMS = frozenset(("as_given", "e164", "international", "digits", "national", "significant", "lower", "bare"))
LISTED = re.compile(r"\[\d+\]$")
"""The end of a path of an entry in a list."""
IN_JSON = re.compile(rb'\["[0-9a-fA-F]{8,14}", ?"[0-9a-fA-F]{8,14}", ?"')
"""How a list of short digests begins in a document; such a document is read in full."""
LARGEST = 256 << 10
"""Maximum bytes of such a document; in a larger one, only whole digests are looked for."""


class Member(NamedTuple):
    """A value that may be in a set, in one normal form."""

    key: Key
    form: str
    text: bytes


class Sets:
    """Values that may be sent as a set."""

    def __init__(self) -> None:
        self._values: dict[Key, str] = {}
        self._known = 0

    def add(self, key: Key, value: Value) -> None:
        """Look for a value in sets from now on."""
        self._known += 1
        if len(self._values) < MOST and key not in self._values:
            kind = variants.kind_of(value)
            if kind in KINDS or key[0] == "installed_apps":
                self._values[key] = kind

    def narrowed(self, narrow: Narrow) -> Narrow:
        """A filter like `narrow` that does not narrow a document with a list of short digests: the whole list must be
        seen."""
        return _InFull(self, narrow)

    def __bool__(self) -> bool:
        return len(self._values) >= LEAST_KNOWN

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """The values in all sets of one upload."""
        if not self:
            return
        lists: dict[tuple[str, int], dict[bytes, Leaf]] = defaultdict(dict)
        for leaf in look.leaves:
            data, size = leaf.data, len(leaf.data)
            if size == 8 and data.endswith(b"=") and (short := from_base64(data)):  # too short for a decoder
                leaf = leaf._replace(data=short, text=None, decoding=(*leaf.decoding, "base64"), exact=False)
                data, size = short, len(short)
            if SHORTEST <= size <= LONGEST and leaf.decoding[-1:] in (("hex",), ("base64",)):
                parent = LISTED.sub("", leaf.path)
                if parent != leaf.path:
                    lists[parent, size].setdefault(data, leaf)
        for (parent, _), listed in sorted(lists.items(), key=str):
            if len(listed) >= LEAST_LISTED:
                yield from self._in_list(parent, listed, search.unread)

    def __len__(self) -> int:
        return self._known

    def _members(self, unread: Container[Key]) -> Iterator[Member]:
        for key, kind in self._values.items():
            if key not in unread:
                for name, text in variants.FORMS[kind](key[1]):
                    if name in FORMS:
                        yield Member(key, name, text.encode("utf-8", "replace"))

    def _in_list(self, parent: str, listed: dict[bytes, Leaf], unread: Container[Key]) -> Iterator[Hit]:
        """The values whose digests begin like entries of a list, for the digest and the form that fit most entries."""
        size = len(next(iter(listed)))
        ways: dict[tuple[str, str], dict[bytes, Key]] = defaultdict(dict)
        members: dict[str, set[Key]] = defaultdict(set)
        for key, form, text in self._members(unread):
            members[form].add(key)
            for digest in digests.COMMON:
                begins = digests.DIGESTS[digest](text)[:size]
                if begins in listed:
                    ways[digest, form][begins] = key
        if not ways:
            return
        tried = len(digests.COMMON) * len(members)
        known: dict[bytes, tuple[str, str, Key]] = {}
        for (digest, form), of_way in sorted(ways.items(), key=lambda way: (len(way[1]), way[0])):
            chance = tried * tail(len(of_way), len(listed), len(members[form]) / 256**size)
            if len(of_way) >= LEAST_KNOWN and chance < CHANCE:
                known |= {begins: (digest, form, key) for begins, key in of_way.items()}
        for begins, (digest, form, key) in sorted(known.items()):
            chance = tried * tail(len(known), len(listed), len(members[form]) / 256**size)
            counts = {"count": len(known), "many": len(listed), "size": size}
            why = because(Why.SHORT_DIGESTS, variant=digest, of=form, path=parent, **counts)
            variant = _variant(f"{digest}_first_{size}", form, begins, chance)
            yield hit_at(
                key, _value(key), variant, all_of(listed[begins]), 4, chance=chance, strong=True, reasons=(why,)
            )


class _InFull:
    """Narrows a text as another filter does, unless it contains a list of short digests."""

    def __init__(self, sets: Sets, narrow: Any) -> None:
        self._sets, self._narrow = sets, narrow
        self.stretch = narrow.stretch

    def __call__(self, piece: UploadPiece, room: Room) -> list[UploadPiece] | None:
        found: list[UploadPiece] | None = self._narrow(piece, room)
        if found is None or not self._sets or len(piece.data) > LARGEST or not IN_JSON.search(piece.data):
            return found
        return None


def tail(found: int, of: int, chance: float) -> float:
    """Upper bound on the probability that at least `found` of `of` events happen, each with this chance (Chernoff's
    bound)."""
    share = found / of
    if share <= chance:
        return 1.0
    rest = (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return math.exp(-of * (share * math.log(share / chance) + rest))


def _variant(name: str, form: str, pattern: bytes, chance: float) -> Variant:
    return Variant(name, form, "leaf", pattern, "none", -math.log2(max(chance, 1e-300)))


def _value(key: Key) -> Value:
    return Value(type=key[0], text=key[1])
