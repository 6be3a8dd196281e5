"""Decides which hits to believe: a short one needs support, a name alone may be a namesake's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from appwitness.events import Value
from appwitness.findings import Why
from appwitness.match.belief.common_values import weighed
from appwitness.match.belief.placeholders import is_everywhere, is_of_a_service
from appwitness.match.belief.support import KEYED_BITS, has_own_field, is_in_description, supports
from appwitness.match.hits import Hit, is_whole
from appwitness.match.reads import Key, Reads, UploadTime

MATCHES = 32
"""Maximum number of places reported for one value in one upload; more add nothing."""
NAMESAKE = 3e-5
"""Approximate share of people who have a given name: larger for a short name, smaller for a long one."""
MANY_NAMES = 100
MAYBE = 0.55
"""The chance that a bare number is something else, if only its neighbours say what it is: no proof."""
SURE_WITH_SALT = frozenset(("birthday",))
"""Types whose short values are believed if the app itself put them into a digest or cipher with little else."""
SALTED = 64
"""Maximum bytes of a value and its salt."""


def believed(reads: Reads, hits: Sequence[Hit], when: UploadTime) -> dict[Key, list[Hit]]:
    """Hits by value, without those that are too short to be proof and have no support in the upload."""
    by_key: dict[Key, list[Hit]] = defaultdict(list)
    for hit in hits:
        by_key[hit.key].append(hit)  # type: ignore[index]  # our keys are pairs of str
    everywhere = {key for key, of_key in by_key.items() if _is_everywhere(reads, of_key[0].value)}
    certain = {
        key: [hit for hit in of_key if hit.strong]
        for key, of_key in by_key.items()
        if any(hit.strong for hit in of_key) and key not in everywhere
    }
    believed: dict[Key, list[Hit]] = {}
    for key, of_key in sorted(by_key.items()):
        kept: list[Hit] = []
        short = key in everywhere or any(not hit.strong for hit in of_key)
        partners = reads.partners(key, certain.keys(), when.latest) if short else []
        for hit in of_key:
            if key in certain and hit.strong:
                kept.append(hit)
            elif partner := next((one for one, of_row in partners if supports(certain[one], hit, of_row)), None):
                kept.append(hit.because(Why.PARTNER, type=partner[0])._replace(chance=hit.chance / 10_000))
            elif hit.telling and hit.variant.bits >= KEYED_BITS and is_whole(hit) and key not in everywhere:
                kept.append(hit.because(Why.OWN_KEY))
            elif has_own_field(hit, certain.values()) and key not in everywhere:
                kept.append(hit.because(Why.OWN_FIELD))
            elif is_in_description(hit, by_key.values()) and key not in everywhere:
                kept.append(hit.because(Why.IN_DESCRIPTION)._replace(chance=max(hit.chance, MAYBE)))
            elif key[0] in SURE_WITH_SALT and hit.evidence and len(hit.leaf.data) <= SALTED:
                kept.append(hit.because(Why.ALL_BUT_SALT))
        if kept:
            kept = [weighed(hit) for hit in kept]
            kept.sort(key=lambda hit: (hit.chance, hit.leaf.path, hit.start))
            believed[key] = kept[:MATCHES]
    return _with_namesakes(reads, believed, certain, when.latest)


def _is_everywhere(reads: Reads, value: Value) -> bool:
    """Whether a value counts only beside others; among installed apps, that includes the app itself."""
    if is_of_a_service(value):
        return reads.in_rows((value.type, value.text))
    return is_everywhere(value) or (value.type == "installed_apps" and value.text in reads.apps)


def _with_namesakes(
    reads: Reads, believed: dict[Key, list[Hit]], certain: dict[Key, list[Hit]], at: datetime
) -> dict[Key, list[Hit]]:
    """Where many names are known, lower the confidence in a name if nothing else of its row is in the upload: it may
    be a namesake's. The more such names there are, the less likely they are all namesakes'."""
    names = len(reads.names)
    if names < MANY_NAMES:
        return believed
    others = {key: of_key for key, of_key in certain.items() if key[0] != "name"}
    alone = [key for key in believed if key[0] == "name" and not reads.partners(key, others.keys(), at)]
    chance = min(0.5, NAMESAKE * names) ** max(1, len(alone))
    for key in alone:
        believed[key] = [
            hit.because(Why.MANY_NAMES, count=names)._replace(chance=chance) if hit.chance < chance else hit
            for hit in believed[key]
        ]
    return believed


def one_place(reads: Reads, hits: list[Hit], when: UploadTime) -> list[Hit]:
    """Where the same numbers may be several places, keep one: the place that has exactly these numbers, else the
    last read."""
    spots: dict[tuple[str, int, int], list[Hit]] = defaultdict(list)
    for hit in hits:
        if hit.value.type.startswith("location"):
            spots[hit.leaf.path, hit.start, hit.end].append(hit)
    dropped: set[int] = set()
    for rivals in spots.values():
        if len({hit.key for hit in rivals}) < 2:
            continue

        def rank(hit: Hit) -> tuple[bool, bool, datetime, int]:
            read = reads.last(hit.key, when)  # type: ignore[arg-type]  # our keys are pairs of str
            return (hit.fits, read is not None, read.at if read else when.at, read.line if read else 0)

        best = max(rivals, key=rank)
        dropped |= {id(hit) for hit in rivals if hit.key != best.key}
    return [hit for hit in hits if id(hit) not in dropped]
