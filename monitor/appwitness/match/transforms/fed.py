"""Digests and MACs that were fed piece by piece: finds which pieces produced which output by recomputing it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from appwitness.events import Ref

MOST = 4096
"""Maximum number of lines that are joined."""
STARTS = 64
"""Maximum number of lines before an output that are tried as the start of its digest."""
NAMES = {"sha": "sha1", "sha-1": "sha1"}
SIZED = re.compile(r"^sha(3?)-?(\d{3})")


class Fed(NamedTuple):
    """One line: its input, and its output, if there is any yet."""

    ref: Ref
    source: bytes
    outcome: bytes
    algorithm: str
    key: bytes


class Whole(NamedTuple):
    """The whole input of one output, from several lines."""

    source: bytes
    refs: tuple[Ref, ...]


def whole(output: Fed, before: Iterable[Fed]) -> Whole | None:
    """The whole input of an output, if it is more than the output's own line says; else None.

    `before`: the lines of the same algorithm and thread, last first. If several objects are fed at once, lines are
    joined only if recomputing them yields the output; where that is impossible (a key that never left its hardware),
    all lines are taken as one object's.
    """
    compute = computed(output.algorithm, output.key)
    if _stands_alone(output):
        return None
    parts: list[Fed] = []
    others = 0
    for line in before:
        if line.outcome:
            others += 1
            if others > STARTS or not _stands_alone(line):
                break
        elif len(parts) < MOST:
            parts.insert(0, line)
    for start in range(min(len(parts), STARTS if compute else 1)):
        source = b"".join(part.source for part in parts[start:]) + output.source
        if compute is None or compute(source) == output.outcome:
            return Whole(source, (*(part.ref for part in parts[start:]), output.ref))
    return None


def _stands_alone(line: Fed) -> bool:
    """Whether the line of an output holds its whole input."""
    compute = computed(line.algorithm, line.key)
    return compute is not None and compute(line.source) == line.outcome


def computed(algorithm: str, key: bytes) -> Callable[[bytes], bytes] | None:
    """The digest or MAC with this name in Java; None if it cannot be computed here."""
    name = algorithm.lower()
    keyed = name.startswith("hmac")
    name = name.removeprefix("hmac")
    name = NAMES.get(name) or SIZED.sub(lambda found: f"sha{'3_' if found[1] else ''}{found[2]}", name).replace(
        "/", "_"
    )
    if name not in hashlib.algorithms_available or "shake" in name or (keyed and not key):
        return None
    if keyed:
        return lambda data: hmac.digest(key, data, name)
    return lambda data: hashlib.new(name, data, usedforsecurity=False).digest()
