"""Which hits stand so that they may be believed: short texts beside the rest of their row, and whole words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.match.decode import Leaf
from monitor.match.edges import stands_alone
from monitor.match.hits import Hit, is_whole, parent_of, root_of

KEYED_BITS = 12.0
"""What a short text must say to be believed under a telling key alone."""
ROW_BITS = 9.0
"""What a short text must say to be believed though the rest of its row stands elsewhere in the upload."""
NEAR = 200
"""Bytes between a short text and another value of its row, in one text, that still belong together."""
INDEX = re.compile(r"\[\d+\]")


def supports(partners: list[Hit], hit: Hit, of_row: bool) -> bool:
    """Whether another value that was read together with a short one stands so that both are one piece of data.

    What is a whole field says more than a word of a text: that must stand near the other value.
    """
    if not of_row and hit.variant.bits < ROW_BITS:
        return False
    whole = is_whole(hit)
    if whole and of_row and hit.variant.bits >= ROW_BITS:
        return True
    of_field = whole or (of_row and hit.value.type != "installed_apps")
    own = parent_of(INDEX.sub("", hit.leaf.path))
    for other in partners:
        if root_of(hit.leaf.path) != root_of(other.leaf.path):
            continue
        if of_field and hit.leaf.path != other.leaf.path:
            beside = parent_of(INDEX.sub("", other.leaf.path))
            if own == beside or own.startswith(f"{beside}.") or beside.startswith(f"{own}."):
                return True
        if hit.leaf.path == other.leaf.path and _are_near(hit, other):
            return True
    return False


def _are_near(hit: Hit, other: Hit) -> bool:
    """Whether two hits in one text are beside each other, and none is in the other."""
    if hit.leaf.exact and other.leaf.exact:
        between = max(hit.start, other.start) - min(hit.end, other.end)
        return 0 <= between <= NEAR
    return bool(other.found) and (other.found in hit.before or other.found in hit.after)


STRUCTURED = frozenset(("msgpack", "cbor", "bson", "protobuf", "thrift", "plist"))
"""Steps that say where a text begins and ends."""


def without_parts(hits: list[Hit], leaves: Sequence[Leaf]) -> list[Hit]:
    """Hits, without those in raw bytes which, read as the format that they are, hold a longer word."""
    if not any(map(_is_raw, hits)):
        return hits
    told = [leaf for leaf in leaves if leaf.text and leaf.exact and STRUCTURED.intersection(leaf.decoding[-1:])]
    return [hit for hit in hits if not (_is_raw(hit) and _is_part(hit, told))]


def _is_raw(hit: Hit) -> bool:
    """Whether a text was found in bytes that nothing delimits, or that were taken for another charset."""
    return hit.variant.how in ("text", "utf-8") and (hit.leaf.text is None or hit.leaf.decoding[-1:] == ("gb18030",))


def _is_part(hit: Hit, told: list[Leaf]) -> bool:
    """Whether the text stands in fields at this place, and in none of them alone."""
    form, seen = hit.variant.pattern.lower(), False
    for leaf in told:
        if leaf.end <= hit.start or hit.end <= leaf.start or root_of(leaf.path) != root_of(hit.leaf.path):
            continue
        for found in re.finditer(re.escape(form), leaf.data.lower()):
            if stands_alone(leaf, found.start(), found.end(), hit.variant, "utf-8"):
                return False
            seen = True
    return seen
