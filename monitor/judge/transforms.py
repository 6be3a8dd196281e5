"""Follows what the app itself turned into what: an upload that holds an output of its digest, MAC or cipher is read on
in the input."""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from monitor.events import Blob, InlineBlob, Ref, Transform
from monitor.judge.decode import Leaf, leaves_of
from monitor.judge.search.levels import Levels
from monitor.judge.search.look import Look

SHORTEST = 8
"""Bytes of an output that are still proof."""
BEGINNING = 48
"""Bytes of an output that are searched for; the rest is compared."""
TAG = 16
"""Bytes at the end of what an authenticated cipher gives, which some apps send apart."""
LETTERS = 16
"""Hex digits of a digest that are searched for where they stand in a text, glued to others."""
STEPS = 64
"""Transforms that are followed one behind the other: a digest may be taken of a digest many times."""
CALLS = 4096
"""Calls that are read as one, when a stream was encrypted piece by piece."""

Bodies = Callable[[str], bytes | None]
"""sha256 -> the bytes of a stored blob, None when they are missing."""


class _Step(NamedTuple):
    """One call of the app: what went in, what came out."""

    ref: Ref
    at: datetime
    name: str
    source: bytes
    outcome: bytes
    cut: bool
    """Whether its first bytes alone are proof: those of a digest are; two ciphertexts or texts may begin alike."""
    stream: tuple[str, str | None, int | None]
    """Algorithm, thread and process: calls of one cipher that is fed piece by piece share all three."""
    key: bytes
    """Of a MAC only: who keys a constant with an id sends the id."""


class Inner(NamedTuple):
    """A leaf of an input whose output is in the upload, and the calls that lie between."""

    leaf: Leaf
    refs: tuple[Ref, ...]


class _Place(NamedTuple):
    """Where an output stands: the number of the leaf, and which of its bytes."""

    leaf: int
    start: int
    end: int


class Transforms:
    """The transforms of one recording."""

    def __init__(self, bodies: Bodies | None = None) -> None:
        self._bodies = bodies
        self._known: set[Ref] = set()
        self._by_beginning: dict[bytes, list[_Step]] = {}
        self._streams: dict[tuple[str, str | None, int | None], list[tuple[datetime, int, _Step]]] = defaultdict(list)
        self._levels = Levels()
        self.outputs = self._levels.grams
        """The beginnings of all outputs, for sifting."""

    def add(self, ref: Ref, transform: Transform, at: datetime) -> None:
        """Learn of one call; `at` is its time on the host's clock. A known line changes nothing."""
        if ref in self._known:
            return
        self._known.add(ref)
        source, outcome = self._bytes(transform.input), self._bytes(transform.output)
        if transform.op == "decrypt":
            source, outcome = outcome, source
        if not source or outcome is None or source == outcome:
            return
        cut = transform.op in ("digest", "mac")
        stream = (transform.algorithm, transform.thread, transform.pid)
        key = self._bytes(transform.key) if transform.op == "mac" and transform.key is not None else None
        step = _Step(ref, at, transform.algorithm, source, outcome, cut, stream, key or b"")
        if not cut:
            calls = self._streams[stream]
            place = bisect_right(calls, _order(step), key=lambda call: call[:2])
            calls.insert(place, (*_order(step), step))
        if len(outcome) < SHORTEST:
            return
        for beginning in _beginnings(step):
            steps = self._by_beginning.get(beginning)
            if steps is None:
                self._by_beginning[beginning] = [step]
                self._levels.add(beginning)
            else:
                steps.append(step)

    def _bytes(self, blob: Blob) -> bytes | None:
        if isinstance(blob, InlineBlob):
            try:
                return base64.b64decode(blob.b64)
            except ValueError:
                return None
        return self._bodies(blob.body) if self._bodies else None

    def follow(self, leaves: Sequence[Leaf], before: datetime) -> Iterator[Inner]:
        """Leaves of the inputs whose outputs are in these leaves, over several calls, made before a moment."""
        if not self._known:
            return
        done: set[Ref] = set()
        open_leaves = [Inner(leaf, ()) for leaf in (*leaves, *_as_bytes(leaves))]
        for _ in range(STEPS):
            found = list(self._once(open_leaves, before, done))
            if not found:
                return
            yield from found
            open_leaves = found

    def _once(self, outer: Sequence[Inner], before: datetime, done: set[Ref]) -> Iterator[Inner]:
        look = Look([inner.leaf for inner in outer])
        hits: dict[Ref, tuple[_Step, _Place]] = {}
        for pattern, start, _ in self._levels.find(look.joined):
            number = look.leaf_at(start)
            begin = start - look.starts[number]
            data = look.leaves[number].data
            for step in self._by_beginning[pattern]:
                if step.at > before or step.ref in done:
                    continue
                if step.ref in hits and len(look.leaves[number].path) <= len(look.leaves[hits[step.ref][1].leaf].path):
                    continue  # the innermost place of it is known
                end = _end(step, pattern, data, begin)
                if end:
                    hits[step.ref] = (step, _Place(number, begin, end))
        done.update(hits)
        # of calls that turned the same into the same, the last
        last = {(hit[0].source, hit[0].outcome): hit for hit in sorted(hits.values(), key=lambda hit: _order(hit[0]))}
        together = self._streamed([step for step, _ in hits.values() if not step.cut])
        for step, place in sorted(last.values(), key=lambda hit: _order(hit[0])):
            for source in (step.source, step.key):
                yield from _read(outer[place.leaf], place, source, step, (step.ref,))
        for calls in together:
            step, place = hits[next(call.ref for call in calls if call.ref in hits)]
            source = b"".join(call.source for call in calls)
            yield from _read(outer[place.leaf], place, source, step, tuple(call.ref for call in calls))

    def _streamed(self, steps: Sequence[_Step]) -> list[list[_Step]]:
        """Calls that follow each other in one stream, with those between that gave nothing yet; two at least."""
        found: list[list[_Step]] = []
        wanted = {step.ref for step in steps}
        for stream in sorted({step.stream for step in steps}, key=str):
            run: list[_Step] = []
            for _, _, call in self._streams[stream]:
                if call.ref in wanted or len(call.outcome) < SHORTEST:
                    run.append(call)
                    continue
                found.append(run)
                run = []
            found.append(run)
        return [run[:CALLS] for run in found if len(run) > 1 and any(call.ref in wanted for call in run)]


UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _as_bytes(leaves: Sequence[Leaf]) -> Iterator[Leaf]:
    """The bytes of what is written like a UUID, as half a digest often is; no decoder takes those apart."""
    for leaf in leaves:
        if len(leaf.data) == 36 and UUID.fullmatch(leaf.data):
            data = bytes.fromhex(leaf.data.replace(b"-", b"").decode())
            yield leaf._replace(text=None, data=data, decoding=(*leaf.decoding, "hex"), exact=False)


def _beginnings(step: _Step) -> set[bytes]:
    """What is searched for, for one call: how its output begins, as it is and, of a digest, in hex; where half of an
    MD5 is sent, that is the middle one."""
    outcome = step.outcome
    found = {outcome[:SHORTEST], outcome[:BEGINNING]}
    if step.cut:
        word = outcome.hex().lstrip("0")[:LETTERS].encode()
        found |= {word, word.upper(), outcome[-SHORTEST:]}
        if len(outcome) == 16:
            found.add(outcome[4:12])
    elif len(outcome) > TAG + SHORTEST:
        found.add(outcome[:-TAG][:BEGINNING])
    return found


def _end(step: _Step, pattern: bytes, data: bytes, begin: int) -> int:
    """Where the output of a call ends that begins in these bytes with this pattern; 0 when it does not stand there."""
    outcome = step.outcome
    if data.startswith(outcome, begin):
        return begin + len(outcome)
    if step.cut:
        if begin == 0 and outcome.startswith(data):  # cut short, as digests often are
            return len(data)
        if pattern == outcome[-SHORTEST:] and begin + SHORTEST == len(data) and outcome.endswith(data):
            return len(data)
        if len(outcome) == 16 and data == outcome[4:12]:
            return len(data)
        word = outcome.hex().lstrip("0").encode()
        if data[begin : begin + len(word)].lower() == word and pattern.lower() == word[:LETTERS]:
            return begin + len(word)
        return 0
    if "GCM" in step.name or "Poly1305" in step.name or "CCM" in step.name:
        text = outcome[:-TAG]
        if len(text) >= SHORTEST and data.startswith(text, begin):
            return begin + len(text)
    # sent in chunks, each behind its length: its beginning and its end are there
    if len(outcome) >= 2 * BEGINNING and data.startswith(outcome[:BEGINNING], begin):
        at = data.find(outcome[-TAG:], begin + BEGINNING)
        if begin + len(outcome) - TAG <= at <= begin + 2 * len(outcome):
            return at + TAG
    return 0


def _read(outer: Inner, place: _Place, source: bytes, step: _Step, refs: tuple[Ref, ...]) -> Iterator[Inner]:
    """The leaves of what went into calls whose output stands at a place."""
    leaf = outer.leaf
    start, end = (leaf.start + place.start, leaf.start + place.end) if leaf.exact else (leaf.start, leaf.end)
    decoding = (*leaf.decoding, step.name)
    for inside in leaves_of(source).leaves:
        path = leaf.path + inside.path[1:]
        steps = (*decoding, *inside.decoding)
        # what goes into a digest is a value and a salt, one directly behind the other
        glued = step.cut and inside.start == 0 and inside.end == len(source)
        yield Inner(Leaf(path, inside.text, inside.data, steps, start, end, False, glued), (*outer.refs, *refs))


def _order(step: _Step) -> tuple[datetime, int]:
    line = step.ref.rpartition(":")[2]
    return step.at, int(line) if line.isdecimal() else 0
