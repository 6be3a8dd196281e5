"""Turns believed hits into matches, with the likelihood of coincidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from appwitness.findings import Match, Reason, Why, because
from appwitness.match.decode import GUESSES, Decoded
from appwitness.match.finders.sets import LISTED
from appwitness.match.hits import Hit
from appwitness.match.reads import Key
from appwitness.match.transforms.sent import as_sent
from appwitness.match.variants.disguises import DISGUISES


def in_lists(hits: dict[Key, list[Hit]], decoded: Decoded) -> dict[Key, list[Hit]]:
    """Hits of digests with a note on their list: how many digests it has, and for how many of them the value is known.

    A hashed address book is a list of digests, some of them of values that no access returned.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for of_key in hits.values():
        for hit in of_key:
            if hit.variant.how == "leaf" and LISTED.search(hit.leaf.path):
                known[LISTED.sub("", hit.leaf.path)].add(hit.leaf.path)
    if not known:
        return hits
    listed: dict[str, set[str]] = defaultdict(set)
    for leaf in decoded.leaves:
        parent = LISTED.sub("", leaf.path)
        if parent in known and len(leaf.data) >= SHORTEST_LISTED:
            listed[parent].add(leaf.path)

    def told(hit: Hit) -> Hit:
        parent = LISTED.sub("", hit.leaf.path)
        many = len(listed[parent])
        if hit.variant.how != "leaf" or parent == hit.leaf.path or many < 2:
            return hit
        return hit.because(Why.LISTED, count=len(known[parent]), many=many, path=parent)

    return {key: [told(hit) for hit in of_key] for key, of_key in hits.items()}


SHORTEST_LISTED = 8


def _chance(hit: Hit) -> float:
    """The chance of coincidence; at least 0.5 for a guess, which is a candidate that no rule takes for proof."""
    return max(hit.chance, 0.5) if _guess(hit) else hit.chance


def _turned(hit: Hit) -> tuple[Reason, ...]:
    return (because(Why.APP_TURNED_IT, lines=", ".join(hit.evidence)),) if hit.evidence else ()


def _odds(hit: Hit) -> Reason:
    """The reason that states the chance of coincidence."""
    if guess := _guess(hit):
        return because(Why.GUESSED, step=guess)
    if hit.chance > 0.1 or hit.namesake:
        return because(Why.NO_PROOF)
    if any(reason.code == Why.SHARED for reason in hit.reasons):
        return because(Why.NO_CHANCE)
    if hit.chance < 1e-9:
        return because(Why.CHANCE_TINY)
    return because(Why.CHANCE, many=int(round(1 / hit.chance, 1 - len(str(int(1 / hit.chance))))))


def _guess(hit: Hit) -> str:
    """The guessed step on the way to a hit; empty if nothing was guessed."""
    if hit.variant.name in DISGUISES:
        return hit.variant.name
    return next((step for step in hit.decoding if step in GUESSES), "")


def matches_of(
    of_access: dict[Key, list[Hit]],
    row_of: Mapping[Key, int],
    person_of: Mapping[Key, int],
    detail_of: Mapping[Key, int],
) -> tuple[Match, ...]:
    """The matches of one access, by place. `row_of`: the row of each value in what the access returned; `person_of`:
    whose value it is, among the people whom the upload identifies; `detail_of`: a number that equal values share."""
    found = [
        Match(
            type=hit.value.type,
            value=hit.value.text,
            variant=as_sent(hit),
            of=hit.variant.of,
            decoding=hit.decoding,
            path=hit.leaf.path,
            start=hit.start,
            end=hit.end,
            confidence=round(1 - min(0.9, max(0.001, _chance(hit))), 4),
            row=row_of.get(key),
            person=person_of.get(key),
            detail=detail_of.get(key),
            before=hit.before,
            found=hit.found,
            after=hit.after,
            reasons=(*hit.reasons, *_turned(hit), _odds(hit)),
            namesake=hit.namesake,
            evidence=hit.evidence,
        )
        for key, of_key in of_access.items()
        for hit in of_key
    ]
    found.sort(key=lambda one: (one.path, one.start, one.end, one.type, one.value, one.variant, one.decoding))
    return tuple(found)
