"""Rejects names of other people: the number or address of a namesake stands beside them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from appwitness.findings import Why
from appwitness.match.belief.beside import ACROSS, LEVELS, ROW_BYTES, ContactText, HitNeighbours, Rows
from appwitness.match.belief.contacts import is_same, kind_of
from appwitness.match.belief.steps import Tokens
from appwitness.match.belief.support import INDEX
from appwitness.match.decode import Decoded, Leaf
from appwitness.match.hits import STRONG_BITS, Hit
from appwitness.match.reads import Key, Reads


def is_of_many(key: Key, hit: Hit) -> bool:
    """Whether a value is a name that many people have, in the form in which it was found."""
    return key[0] == "name" and hit.variant.bits < STRONG_BITS


def without_others(reads: Reads, hits: list[Hit], decoded: Decoded, at: datetime) -> list[Hit]:
    """Hits without short names that have somebody else's number or address beside them and nothing of their own row. A
    longer name in such a place is kept and marked as possibly a namesake's.

    What cannot be read (a digest, a masked number) contradicts nothing. A number that is the user's, or nobody's in
    particular, is not somebody else's. If parts of an upload were passed over, a short name with nothing of its own row
    beside it is marked as well.
    """
    named = [hit for hit in hits if hit.key[0] == "name"]  # type: ignore[index]  # our keys are pairs of str
    if not named:
        return hits
    rows = Rows(decoded.leaves, named)
    if not rows.told and not decoded.passed_over:
        return hits
    by_path: dict[str, list[Hit]] = defaultdict(list)
    spots: dict[Tokens, set[Key]] = defaultdict(set)
    for hit in hits:
        by_path[hit.leaf.path].append(hit)
        tokens = rows.tokens_of(hit.leaf)
        for end in range(max(1, len(tokens) - LEVELS), len(tokens) + 1):
            spots[tokens[:end]].add(hit.key)  # type: ignore[arg-type]  # our keys are pairs of str
        if len(tokens) > 2:
            spots[*tokens[:-2], ACROSS, tokens[-1]].add(hit.key)  # type: ignore[arg-type]
    own: dict[Key, frozenset[Key]] = {}
    kept: list[Hit] = []
    for hit in hits:
        key: Key = hit.key  # type: ignore[assignment]
        if key[0] != "name":
            kept.append(hit)
            continue
        if key not in own:
            own[key] = reads.borne_with(key, at)
        place = rows.place_of(hit)
        if _is_hers(hit, own[key], place, spots, by_path):
            kept.append(hit)
        elif not _is_contradicted(reads, own[key], place, by_path):
            unseen = decoded.passed_over and is_of_many(key, hit)
            kept.append(as_namesake(hit, Why.PASSED_OVER) if unseen else hit)
        elif not is_of_many(key, hit):
            kept.append(as_namesake(hit, Why.ANOTHER_BESIDE))
    return kept


def as_namesake(hit: Hit, why: Why) -> Hit:
    """The hit, marked as saying only that somebody of this name was meant."""
    return hit.because(why)._replace(namesake=True, chance=max(hit.chance, CHANCE))


CHANCE = 0.1
"""Minimum chance for a name alone: it is never rated as certain, however unlikely its letters are as a coincidence."""


def alone(reads: Reads, hits: dict[Key, list[Hit]], leaves: Sequence[Leaf], at: datetime) -> dict[Key, list[Hit]]:
    """Hits, with short names marked if nothing else of their row is in the upload. A list that consists mostly of
    such names is a list of these people; a single one might be somebody else."""
    lone = {
        key: of_key
        for key, of_key in hits.items()
        if key[0] == "name" and hits.keys().isdisjoint(reads.borne_with(key, at))
    }
    marked = [hit for key, of_key in lone.items() for hit in of_key if is_of_many(key, hit)]
    if not marked:
        return hits
    people: dict[str, set[Key]] = defaultdict(set)
    for key, of_key in lone.items():
        for hit in of_key:
            people[_list_of(hit.leaf)].add(key)
    several = {place for place, keys in people.items() if len(keys) >= SEVERAL}
    entries: Counter[str] = Counter()
    for leaf in leaves if several else ():
        if (place := _list_of(leaf)) in several and leaf.text:
            entries[place] += len(BETWEEN.split(leaf.text[:ROW_BYTES]))
    known = {place for place in several if len(people[place]) >= MOSTLY * entries[place]}
    single = {id(hit) for hit in marked if _list_of(hit.leaf) not in known}
    return {
        key: [as_namesake(hit, Why.NAME_ALONE) if id(hit) in single else hit for hit in of_key]
        for key, of_key in hits.items()
    }


SEVERAL, MOSTLY = 3, 0.5
BETWEEN = re.compile(r"\s*[,;|、，；\n]\s*")


def _list_of(leaf: Leaf) -> str:
    """The list that a leaf is an entry of: its path without indexes."""
    return INDEX.sub("", leaf.path)


def _is_hers(
    hit: Hit, own: frozenset[Key], place: HitNeighbours, spots: dict[Tokens, set[Key]], by_path: dict[str, list[Hit]]
) -> bool:
    """Whether something else of a name's row stands beside it."""
    return (
        any(not own.isdisjoint(spots.get(root, ())) for root in place.roots)
        or any(is_same(told.kind, told.text, other) for told in place.told for other in own)
        or any(place.region and other.key in own and other.found in place.region for other in by_path[hit.leaf.path])
    )


def _is_contradicted(reads: Reads, own: frozenset[Key], place: HitNeighbours, by_path: dict[str, list[Hit]]) -> bool:
    """Whether a number or address beside a name is somebody else's. In a line of text, where no key says what
    belongs to whom, only kinds that the name's own row has count."""
    kinds = {kind_of(other) for other in own}
    return any(
        not _is_nobodys(reads, told, kinds, by_path) for told in place.told if not place.region or told.kind in kinds
    )


def _is_nobodys(reads: Reads, told: ContactText, kinds: set[str], by_path: dict[str, list[Hit]]) -> bool:
    """Whether a number may belong to the name beside it: it is the user's own, was read apart from any name, or the
    name's row has none of its kind."""
    for hit in by_path.get(told.path, ()):
        key: Key = hit.key  # type: ignore[assignment]
        if key[0] == "name" or kind_of(key) != told.kind:
            continue
        if told.kind not in kinds or key in reads.persona or not reads.in_rows(key):
            return True
    return False
