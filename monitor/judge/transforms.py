"""Follows what the app itself turned into what: an upload that holds an output of its digest, MAC or cipher is read on
in the input."""

from __future__ import annotations

import base64
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
STEPS = 6
"""Transforms that are followed one behind the other."""

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


class Inner(NamedTuple):
    """A leaf of an input whose output is in the upload, and the calls that lie between."""

    leaf: Leaf
    refs: tuple[Ref, ...]


class Transforms:
    """The transforms of one recording."""

    def __init__(self, bodies: Bodies | None = None) -> None:
        self._bodies = bodies
        self._known: set[Ref] = set()
        self._by_beginning: dict[bytes, list[_Step]] = {}
        self._levels = Levels()

    def add(self, ref: Ref, transform: Transform, at: datetime) -> None:
        """Learn of one call; `at` is its time on the host's clock. A known line changes nothing."""
        if ref in self._known:
            return
        self._known.add(ref)
        source, outcome = self._bytes(transform.input), self._bytes(transform.output)
        if transform.op == "decrypt":
            source, outcome = outcome, source
        if not source or not outcome or len(outcome) < SHORTEST or source == outcome:
            return
        step = _Step(ref, at, transform.algorithm, source, outcome, transform.op in ("digest", "mac"))
        for beginning in {outcome[:SHORTEST], outcome[:BEGINNING]}:
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
        open_leaves = [Inner(leaf, ()) for leaf in leaves]
        for _ in range(STEPS):
            found = list(self._once(open_leaves, before, done))
            if not found:
                return
            yield from found
            open_leaves = found

    def _once(self, outer: Sequence[Inner], before: datetime, done: set[Ref]) -> Iterator[Inner]:
        look = Look([inner.leaf for inner in outer])
        hits: dict[Ref, tuple[_Step, int, int, int]] = {}
        for pattern, start, _ in self._levels.find(look.joined):
            number = look.leaf_at(start)
            begin = start - look.starts[number]
            data = look.leaves[number].data
            for step in self._by_beginning[pattern]:
                if step.at > before or step.ref in done:
                    continue
                if step.ref in hits and len(look.leaves[number].path) <= len(look.leaves[hits[step.ref][1]].path):
                    continue  # the innermost place of it is known
                if data.startswith(step.outcome, begin):
                    hits[step.ref] = (step, number, begin, begin + len(step.outcome))
                elif begin == 0 and step.cut and step.outcome.startswith(data):  # cut short, as digests often are
                    hits[step.ref] = (step, number, 0, len(data))
        done.update(hits)
        # of calls that turned the same into the same, the last
        last = {(hit[0].source, hit[0].outcome): hit for hit in sorted(hits.values(), key=lambda hit: _order(hit[0]))}
        for step, number, start, end in sorted(last.values(), key=lambda hit: _order(hit[0])):
            leaf, refs = outer[number]
            if leaf.exact:
                start, end = leaf.start + start, leaf.start + end
            else:
                start, end = leaf.start, leaf.end
            decoding = (*leaf.decoding, step.name)
            for inside in leaves_of(step.source).leaves:
                path = leaf.path + inside.path[1:]
                steps = (*decoding, *inside.decoding)
                yield Inner(Leaf(path, inside.text, inside.data, steps, start, end, False), (*refs, step.ref))


def _order(step: _Step) -> tuple[datetime, int]:
    line = step.ref.rpartition(":")[2]
    return step.at, int(line) if line.isdecimal() else 0
