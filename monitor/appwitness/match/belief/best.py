"""Chooses among competing hits: the longest of those that begin alike, and the best of those that overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

from appwitness.match.decode import Leaf
from appwitness.match.hits import Hit, root_of


def kept(hits: list[Hit], leaves: Sequence[Leaf]) -> list[Hit]:
    """The hits of one search that are worth examining, in a fixed order."""
    return best(whole_or_cut(without_halves(longest_of_glued(hits)), leaves))


def longest_of_glued(hits: list[Hit]) -> list[Hit]:
    """Hits without those in the input of a digest that are part of a longer value of their type."""
    glued = [hit for hit in hits if hit.leaf.glued]
    if len({hit.key for hit in glued}) < 2:
        return hits
    dropped = {
        id(hit)
        for hit in glued
        for other in glued
        if other.key != hit.key and other.value.type == hit.value.type and other.leaf is hit.leaf
        if len(other.found) > len(hit.found) and hit.found in other.found
    }
    return [hit for hit in hits if id(hit) not in dropped]


def without_halves(hits: list[Hit]) -> list[Hit]:
    """Hits without halves of an id whose other half is missing: they may belong to another id."""
    halves: dict[Hashable, set[bool]] = defaultdict(set)
    for hit in hits:
        if hit.variant.of == "half":
            halves[hit.key].add(_is_first_half(hit))
    lone = {key for key, of_key in halves.items() if len(of_key) < 2}
    return [hit for hit in hits if hit.variant.of != "half" or hit.key not in lone] if lone else hits


def whole_or_cut(hits: list[Hit], leaves: Sequence[Leaf]) -> list[Hit]:
    """Hits without beginnings of texts, except those that are all of a leaf and that no other reading continues. A
    beginning must have some digits of the text, or most of it."""
    return [hit for hit in hits if hit.variant.of != "beginning" or (_is_cut(hit) and not _goes_on(hit, leaves))]


def _goes_on(hit: Hit, leaves: Sequence[Leaf]) -> bool:
    """Whether a text was cut here, but not by the app: digests may stand there, or another reading has more."""
    if hit.leaf.decoding[-1:] == ("digests",):
        return True
    text, root = (hit.leaf.text or "").rstrip(), root_of(hit.leaf.path)
    longer = (leaf.text for leaf in leaves if leaf.text is not None and root_of(leaf.path) == root)
    return any(len(other) > len(text) and other.startswith(text) for other in longer)


def _is_cut(hit: Hit) -> bool:
    text, whole = (hit.leaf.text or "").strip().rstrip("….").rstrip(), hit.value.text.strip()
    enough = sum(map(str.isdecimal, text)) >= FEW_DIGITS or len(text) >= MOST_OF_IT * len(whole)
    return enough and len(text) < len(whole) and whole.startswith(text)


FEW_DIGITS, MOST_OF_IT = 3, 0.6


def _is_first_half(hit: Hit) -> bool:
    half, text = hit.value.text.replace("-", "").lower()[:16], hit.variant.pattern.decode()
    return text == half or (text.lstrip("-").isdecimal() and int(text) % (1 << 64) == int(half, 16))


def best(hits: list[Hit]) -> list[Hit]:
    """The best among overlapping hits of one value: the longest text, the innermost path, the fewest steps. It gets
    the narrowest range that any of them had for the same text."""

    def rank(hit: Hit) -> tuple[object, ...]:
        return (
            hit.variant.how == "place",
            hit.variant.name in ("gcj02", "bd09"),
            -_length(hit),
            hit.error_m,
            -len(hit.leaf.path),
            hit.leaf.text is None,
            len(hit.decoding),
            hit.end - hit.start,
            hit.leaf.path,
            hit.start,
            hit.variant.how not in ("text", "utf-8"),
            hit.variant.name,
            hit.variant.of,
        )

    kept: list[Hit] = []
    taken: dict[tuple[Hashable, str], list[int]] = defaultdict(list)
    for hit in sorted(hits, key=rank):
        numbers = taken[hit.key, root_of(hit.leaf.path)]
        overlapping = [number for number in numbers if kept[number].start < hit.end and hit.start < kept[number].end]
        if overlapping and not _elsewhere(hit, [kept[number] for number in overlapping]):
            for number in overlapping:
                other = kept[number]
                if other.found == hit.found and other.start <= hit.start and hit.end <= other.end and hit.leaf.exact:
                    kept[number] = other._replace(start=hit.start, end=hit.end)
        elif len(numbers) < MOST:
            numbers.append(len(kept))
            kept.append(hit)
    return sorted(kept, key=lambda hit: (hit.leaf.path, hit.start, hit.end, hit.value.type, hit.value.text))


def _length(hit: Hit) -> int:
    """Number of characters found; for a digest that is all of a leaf, the number of its hex digits that are there."""
    if hit.variant.how == "leaf":
        return 2 * min(len(hit.variant.pattern), len(hit.leaf.data))
    return len(hit.found)


MOST = 256
"""Maximum number of places kept for one value; more add nothing."""


def _elsewhere(hit: Hit, others: list[Hit]) -> bool:
    """Whether a hit without an exact position has another path than those it overlaps: the same compressed body may
    hold one value in many places."""
    if hit.leaf.exact:
        return False
    own = hit.leaf.path
    return not any(other.leaf.path.startswith(own) or own.startswith(other.leaf.path) for other in others)
