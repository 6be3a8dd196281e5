"""Checks that a hit has support: a short text needs the rest of its row, a word must be whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from appwitness.match.decode import DECODERS, Leaf
from appwitness.match.edges import stands_alone
from appwitness.match.hits import SAID_OF_EVERYTHING, TELLING, Hit, is_whole, last_key, parent_of, root_of, tells

KEYED_BITS = 12.0
"""Minimum bits for a short text to be believed under a telling key alone."""
ROW_BITS = 9.0
"""Minimum bits for a short text to be believed if the rest of its row is elsewhere in the upload."""
FIELD_BITS = 16.0
"""Minimum bits for a word to be believed as a whole field whose key tells nothing."""
WORDS = frozenset(
    ("gender", "marital_status", "religion_politics", "race", "sexual_orientation", "network_state", "location_coarse")
)
"""Types whose values are everyday words: only a key says what they mean."""
NAMES = frozenset(("carrier", "device_model_os", "device_name", "device_state", "wifi_ssid_bssid"))
"""Types whose values are names of things, short and shared by many."""
VERSION = re.compile(r"os_?ver|os_?release|android_?(?:ver|release)|api_?level|sdk_?int")
"""Keys under which a bare number is the OS version."""
NEAR = 200
"""Maximum bytes between a short text and another value of its row, in one text, for both to belong together."""
INDEX = re.compile(r"\[\d+\]")


def supports(partners: list[Hit], hit: Hit, of_row: bool) -> bool:
    """Whether a short value has support: one of `partners`, the hits of a value that was read together with it, stands
    where both form one piece of data.

    A whole field says more than a word inside a text: the word must stand near the other value.
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


def has_own_field(hit: Hit, certain: Iterable[list[Hit]]) -> bool:
    """Whether a common word as given is a whole field: under a key of its type, or without one if it is long enough,
    or in a list beside a certain value of the device."""
    type_, path = hit.value.type, hit.leaf.path
    if type_ not in WORDS | NAMES or hit.variant.name != "plain" or hit.before or hit.after:
        return False
    if hit.variant.pattern.isdigit():
        return type_ == "device_model_os" and VERSION.search(last_key(path)) is not None
    if type_ in TELLING and tells(type_, path):
        return True
    if type_ not in NAMES or SAID_OF_EVERYTHING.match(path):
        return False
    if hit.variant.bits >= FIELD_BITS and not (hit.found.isalpha() and hit.found.islower()):  # (like an identifier)
        return True
    others = (other for of_key in certain for other in of_key if other.value.type in NAMES)
    return (
        path.endswith("]")
        and hit.variant.bits >= ROW_BITS
        and any(parent_of(other.leaf.path) == parent_of(path) for other in others)
    )


def is_in_description(hit: Hit, found: Iterable[list[Hit]]) -> bool:
    """Whether a bare OS version number is an element of a list without keys that describes the device: the list also
    holds another value of the same type, such as the model, and one more value of the device."""
    type_, path, pattern = hit.value.type, hit.leaf.path, hit.variant.pattern
    if type_ != "device_model_os" or not (pattern.isdigit() and len(pattern) > 1) or not _is_element(hit):
        return False
    beside = {
        other.key: other.value.type
        for of_key in found
        for other in of_key
        if other.key != hit.key
        and other.value.type in NAMES
        and _is_element(other)
        and parent_of(other.leaf.path) == parent_of(path)
        and (other.strong or other.variant.bits >= ROW_BITS)
        and not other.variant.pattern.isdigit()
        and not (other.found.isalpha() and other.found.islower())  # (like an identifier)
    }
    return len(beside) > 1 and type_ in beside.values()


def _is_element(hit: Hit) -> bool:
    """Whether a text as given is a whole element of a list."""
    return hit.variant.name == "plain" and not hit.before and not hit.after and hit.leaf.path.endswith("]")


def _are_near(hit: Hit, other: Hit) -> bool:
    """Whether two hits in one text are near each other and do not overlap."""
    if hit.leaf.exact and other.leaf.exact:
        between = max(hit.start, other.start) - min(hit.end, other.end)
        return 0 <= between <= NEAR
    return bool(other.found) and (other.found in hit.before or other.found in hit.after)


STRUCTURED = frozenset(one.name for one in DECODERS if one.structured)
"""Decoding steps that tell where a text begins and ends."""


def without_parts(hits: list[Hit], leaves: Sequence[Leaf]) -> list[Hit]:
    """Hits without those in raw bytes that are part of a longer word once the bytes are read in their format."""
    if not any(map(_is_raw, hits)):
        return hits
    told = [leaf for leaf in leaves if leaf.text and leaf.exact and STRUCTURED.intersection(leaf.decoding[-1:])]
    return [hit for hit in hits if not (_is_raw(hit) and _is_part(hit, told))]


def _is_raw(hit: Hit) -> bool:
    """Whether a text was found in bytes that nothing delimits, or that were read in a guessed charset."""
    return hit.variant.how in ("text", "utf-8") and (hit.leaf.text is None or hit.leaf.decoding[-1:] == ("gb18030",))


def _is_part(hit: Hit, told: list[Leaf]) -> bool:
    """Whether the text occurs in fields at this position, but stands alone in none of them."""
    form, seen = hit.variant.pattern.lower(), False
    for leaf in told:
        if leaf.end <= hit.start or hit.end <= leaf.start or root_of(leaf.path) != root_of(hit.leaf.path):
            continue
        for found in re.finditer(re.escape(form), leaf.data.lower()):
            if stands_alone(leaf, found.start(), found.end(), hit.variant, "utf-8"):
                return False
            seen = True
    return seen
