"""Rates checksums of values in one list: together they prove what none proves alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from appwitness.findings import Why
from appwitness.match.decode import Leaf
from appwitness.match.finders.sets import CHANCE, LEAST_KNOWN, LISTED, tail
from appwitness.match.hits import Hit
from appwitness.match.variants import digests

CHECKSUMS = frozenset((*digests.CHECKSUMS, "hash_code"))
FORMS_EACH = 16
"""Maximum number of normal forms of a value whose checksums are looked for."""


def together(hits: list[Hit], leaves: Sequence[Leaf], known: int) -> list[Hit]:
    """The same hits; checksums in one list are rated by what they prove together. `known`: how many values are looked
    for."""
    ways: dict[tuple[str, str], list[Hit]] = defaultdict(list)
    for hit in hits:
        parent = LISTED.sub("", hit.leaf.path)
        if hit.variant.name in CHECKSUMS and not hit.strong and parent != hit.leaf.path:
            ways[parent, hit.variant.name].append(hit)
    for (parent, name), of_way in ways.items():
        found = len({hit.key for hit in of_way})
        if found < LEAST_KNOWN:
            continue
        listed = len({leaf.path for leaf in leaves if LISTED.sub("", leaf.path) == parent})
        chance = tail(found, max(found, listed), min(0.5, known * FORMS_EACH / 2**32))
        if chance < CHANCE:
            better = {
                id(hit): hit.because(Why.TOGETHER, count=found, many=listed, path=parent, variant=name)._replace(
                    strong=True, chance=chance
                )
                for hit in of_way
            }
            hits = [better.get(id(hit), hit) for hit in hits]
    return hits
