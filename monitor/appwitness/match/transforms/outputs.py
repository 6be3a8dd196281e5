"""How the output of one of the app's own calls is recognized, and where it ends."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from appwitness.events import Ref
from appwitness.match.decode import Leaf
from appwitness.match.transforms import renderings
from appwitness.match.variants.digests import SHORTENED

SHORTEST = 8
"""Minimum bytes of an output that are still proof."""
BEGINNING = 48
"""First bytes of an output that are searched for; the rest is compared."""
TAG = 16
"""Bytes at the end of an authenticated cipher's output, which some apps send separately."""
UUID_BYTES = 16
LETTERS = 16
"""First hex digits of a digest that are searched for inside a text, where other digits may stand beside them."""


class Stream(NamedTuple):
    """What all calls on one object that is fed piece by piece have in common."""

    cut: bool
    algorithm: str
    thread: str | None
    pid: int | None


class TransformCall(NamedTuple):
    """One call of the app: its input and its output."""

    ref: Ref
    at: datetime
    name: str
    source: bytes
    outcome: bytes
    cut: bool
    """Whether its first bytes alone are proof: those of a digest are, while two ciphertexts or texts may begin
    alike."""
    stream: Stream
    opaque: bool
    """Whether its output looks random, unlike that of an encoder or compressor."""
    key: bytes
    """The key of a MAC: an app that keys a constant with an ID sends the ID."""
    refs: tuple[Ref, ...] = ()
    """All calls, if several of them transformed a part each."""


WAYS: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: data.hex().encode(),
    lambda data: data.hex().upper().encode(),
    base64.b64encode,
    base64.urlsafe_b64encode,
)
"""How an output is written before it is cut into several fields."""


def beginnings_of(step: TransformCall) -> set[bytes]:
    """The bytes that are searched for to find the output of one call: its beginning, as it is and, for a digest, in
    hex; for an MD5, also the middle half, which some apps send alone."""
    outcome = step.outcome
    found = {outcome[:SHORTEST], outcome[:BEGINNING]}
    if step.cut:
        word = outcome.hex().lstrip("0")[:LETTERS].encode()
        found |= {word, word.upper(), outcome[-SHORTEST:]}
        if len(outcome) == 16:
            half = outcome[4:12].hex().encode()
            found |= {half, half.upper()}
        found |= {uuid[:SHORTEST]} if (uuid := _as_uuid(outcome)) else set()
    elif len(outcome) > TAG + SHORTEST:
        found.add(outcome[:-TAG][:BEGINNING])
    if step.opaque:
        found.update(renderings.beginnings(outcome, cut=step.cut))
    if step.opaque and not step.cut and len(outcome) > TAG:
        found |= {way(outcome[:BEGINNING])[:LETTERS] for way in WAYS}  # cut into several fields
    return found


def _as_uuid(digest: bytes) -> bytes:
    """The UUID that is made from an MD5 or SHA-1 of a name, marked as such in six bits (RFC 9562); empty for other
    digests."""
    version = {UUID_BYTES: 0x30, 20: 0x50}.get(len(digest))
    if version is None:
        return b""
    sixth, eighth = digest[6] & 0x0F | version, digest[8] & 0x3F | 0x80
    return digest[:6] + bytes((sixth, digest[7], eighth)) + digest[9:UUID_BYTES]


def end_of(step: TransformCall, pattern: bytes, leaf: Leaf, begin: int) -> int:
    """The end of a call's output that begins at this place with this pattern; 0 if the output does not stand
    there."""
    outcome, data = step.outcome, leaf.data
    if data.startswith(outcome, begin):
        return begin + len(outcome)
    if leaf.decoding[-1:] == ("digests",):  # not cut by the app: half of another digest may be half of this one
        return 0
    if step.cut:
        return _end_of_digest(outcome, pattern, leaf, begin)
    return _end_of_ciphertext(step, pattern, data, begin)


def _end_of_digest(outcome: bytes, pattern: bytes, leaf: Leaf, begin: int) -> int:
    """`end_of` for a digest that is not there in its raw form."""
    data = leaf.data
    if begin == 0 and outcome.startswith(data):  # truncated, as digests often are
        return len(data)
    if pattern == outcome[-SHORTEST:] and begin + SHORTEST == len(data) and outcome.endswith(data):
        return len(data)
    several = len(data) >= 3 * SHORTENED and not (len(data) % SHORTENED or begin % SHORTENED)
    if several and data.startswith(outcome[:SHORTENED], begin):
        return begin + SHORTENED  # one in a row
    if (uuid := _as_uuid(outcome)) and data.startswith(uuid, begin):
        return begin + UUID_BYTES
    word = outcome.hex().lstrip("0").encode()
    if data[begin : begin + len(word)].lower() == word:
        return begin + len(word)
    if leaf.glued and _is_half(outcome, data[begin : begin + LETTERS]):
        return begin + LETTERS  # a truncated digest and a salt: 64 bits
    return renderings.end_of(outcome, data, begin, cut=True)


def _end_of_ciphertext(step: TransformCall, pattern: bytes, data: bytes, begin: int) -> int:
    """`end_of` for the output of a cipher or a compressor."""
    outcome = step.outcome
    if "GCM" in step.name or "Poly1305" in step.name or "CCM" in step.name:
        text = outcome[:-TAG]
        if len(text) >= SHORTEST and data.startswith(text, begin):
            return begin + len(text)
    if end := _end_of_frames(outcome, data, begin):
        return end
    # sent in chunks that are far apart: its beginning and its end are there
    if len(outcome) >= 2 * BEGINNING and data.startswith(outcome[:BEGINNING], begin):
        at = data.find(outcome[-TAG:], begin + BEGINNING)
        if begin + len(outcome) - TAG <= at <= begin + 2 * len(outcome):
            return at + TAG
    if outcome.startswith(pattern):  # only its raw beginning is there, which many outputs may share
        return 0
    return renderings.end_of(outcome, data, begin, cut=False) if step.opaque else 0


def _is_half(digest: bytes, text: bytes) -> bool:
    """Whether these are the 16 hex digits to which digests are truncated: the first, or the middle ones of an MD5."""
    halves = [digest[:8], digest[4:12]] if len(digest) == UUID_BYTES else [digest[:8]]
    return text.lower() in [half.hex().encode() for half in halves]


def _end_of_frames(outcome: bytes, data: bytes, begin: int) -> int:
    """The end of an output that is complete, but in pieces with something short between them, such as their lengths;
    0 if there is none."""
    if len(data) - begin <= len(outcome):
        return 0
    done, at = 0, begin
    while True:
        same = _alike(outcome, done, data, at)
        done, at = done + same, at + same
        if done == len(outcome):
            return at
        if same < SHORTEST:
            return 0
        for back, gap in GAPS:  # the first byte between two pieces may equal that of the next piece
            piece = outcome[done - back : done - back + SHORTEST]
            if data.startswith(piece, at - back + gap):
                done, at = done - back, at - back + gap
                break
        else:
            return 0


GAPS = [(back, gap) for back in range(3) for gap in range(1, 17)]
"""Bytes of a piece to take back, and bytes between it and the next."""


def _alike(outcome: bytes, done: int, data: bytes, at: int) -> int:
    """How many bytes are equal from two positions on."""
    low, high = 0, min(len(outcome) - done, len(data) - at)
    while low < high:
        middle = (low + high + 1) // 2
        if data.startswith(outcome[done : done + middle], at):
            low = middle
        else:
            high = middle - 1
    return low
