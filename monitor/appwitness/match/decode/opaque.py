"""Finds parts of an upload that could not be decoded: bytes that look random, or text that encodes such bytes."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from appwitness.match.decode.walk.pieces import Decoded, Leaf

LEAST = 256
"""Minimum bytes of a leaf whose randomness can be measured."""
CHANCE = 0.93
"""Minimum entropy of a leaf that looks random, relative to the most that its length allows: it is encrypted, or
packed in a way that no decoder knows."""
MOST = 100
"""Maximum number of random-looking leaves of one upload that are examined: a hostile upload may have thousands."""
READ = 0.1
"""A leaf counts as decoded if at least this share of it was made readable."""
COVERED = 0.9
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~-]+")
_MEDIA = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....(?:WEBP|WAVE|AVI )|....ftyp|OggS|ID3|fLaC|wOF[F2]|"
    rb"\x1aE\xdf\xa3|II\*\x00|MM\x00\*",
    re.DOTALL,
)
"""How images, sound, video and fonts begin: their content is no value, and no gap."""


class OpaquePart(NamedTuple):
    """A part of a body that could not be decoded."""

    size: int
    """Bytes."""
    path: str
    start: int
    """Its position in the stored body."""
    end: int
    sha256: str
    """SHA-256 of its bytes, in hex: bytes that a recorded transform produced are no secret."""


def opaque(decoded: Decoded) -> tuple[OpaquePart, ...]:
    """The parts of a body that could not be decoded, none inside another."""
    leaves = [leaf for leaf in decoded.leaves if leaf.path.startswith("$")]
    like_chance = filter(_looks_like_chance, leaves)
    found: list[OpaquePart] = []
    for leaf in sorted(islice(like_chance, MOST), key=lambda each: (each.text is not None, -len(each.decoding))):
        if not any(map(partial(_overlap, leaf), found)) and not _was_read(leaf, leaves):
            digest = hashlib.sha256(leaf.data).hexdigest()
            found.append(OpaquePart(len(leaf.data), leaf.path, leaf.start, leaf.end, digest))
    return tuple(found)


def _overlap(leaf: Leaf, part: OpaquePart) -> bool:
    """Whether one was made from the other: their paths must overlap too, because everything in one archive has the same
    position in the stored body."""
    beside = not (leaf.path.startswith(part.path) or part.path.startswith(leaf.path))
    return not beside and leaf.start < part.end and part.start < leaf.end


def _looks_like_chance(leaf: Leaf) -> bool:
    data = leaf.data
    if len(data) < LEAST or (leaf.text is None and _MEDIA.match(data)):
        return False
    if leaf.text is not None and not _TOKEN.fullmatch(leaf.text):
        return False
    kinds = 256 if leaf.text is None else len(set(data))
    if leaf.text is not None and kinds < len("0123456789abcdef"):
        return False
    sample = data[: 1 << 16]
    most = math.log2(kinds) - (kinds - 1) / (2 * len(sample) * math.log(2))  # a few random bytes show less entropy
    return _entropy(sample) >= CHANCE * most


def _entropy(data: bytes) -> float:
    """Bits per byte."""
    return -sum(count / len(data) * math.log2(count / len(data)) for count in Counter(data).values())


def _was_read(leaf: Leaf, leaves: Sequence[Leaf]) -> bool:
    """Whether something readable was made of a leaf, or its contents are in leaves of their own."""
    deeper = [
        each
        for each in leaves
        if len(each.decoding) > len(leaf.decoding) and leaf.start <= each.start and each.end <= leaf.end
    ]
    readable = sum(len(each.data) for each in deeper if each.text is not None and " " in each.text.strip())
    readable += sum(len(each.data) for each in deeper if each.path != leaf.path and each.text is not None)
    within = sum(len(each.data) for each in deeper if each.path != leaf.path)
    return readable >= READ * len(leaf.data) or within >= COVERED * len(leaf.data)
