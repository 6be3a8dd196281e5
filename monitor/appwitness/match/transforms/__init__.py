"""Follows the app's own digests, MACs and ciphers: if an upload contains an output, the input is searched."""

from __future__ import annotations

import base64
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from appwitness.events import Blob, Ref, Transform
from appwitness.events.seen import Seen
from appwitness.match.decode import Leaf, leaves_of
from appwitness.match.decode.walk.pieces import Narrow, as_text
from appwitness.match.hits import parent_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.patterns import Patterns
from appwitness.match.transforms import fed, renderings, salted, sent
from appwitness.match.transforms.alike import Alike, What, order, what_of
from appwitness.match.transforms.outputs import (
    BEGINNING,
    LETTERS,
    SHORTEST,
    UUID_BYTES,
    WAYS,
    Stream,
    TransformCall,
    beginnings_of,
    end_of,
)
from appwitness.match.transforms.streams import CALLS, CallStreams, FoundOutput, OutputPlace

STEPS = 64
"""Maximum number of transforms that are followed one after the other: a digest may be taken of a digest many times."""

Bodies = Callable[[str], bytes | None]
"""sha256 -> the bytes of a stored blob; None if they are missing."""


class Inner(NamedTuple):
    """A leaf of an input whose output is in the upload, and the calls in between."""

    leaf: Leaf
    refs: tuple[Ref, ...]
    cut: bool = False
    """Whether digits or letters that may be a salt were cut off."""
    forms: tuple[str, ...] = ()
    """What the app's digests and ciphers produced (`sha256`, `encrypted`), outermost first."""
    whole: bool = False
    """Whether the leaf is the whole input of the innermost call."""


class Transforms:
    """The transforms of one recording."""

    def __init__(self, bodies: Bodies | None = None) -> None:
        self._bodies = bodies
        self._known: set[Ref] = set()
        self._alike: dict[What, Alike] = {}
        self._of: dict[Ref, Alike] = {}
        """The calls that are searched for, each with the group of calls like it."""
        self._by_beginning: dict[bytes, list[Alike]] = {}
        self._streams = CallStreams()
        self._by_window: dict[bytes, list[TransformCall]] = defaultdict(list)
        """The first of several calls of a stream, in order, by their joint output, which is long enough only
        together."""
        self._in_pieces: set[Stream] = set()
        """Streams with calls whose outputs are too short to be recognized."""
        self._exchanged: dict[bytes, list[tuple[Alike, renderings.Own]]] = defaultdict(list)
        """Outputs in spellings whose letters may be exchanged, by the pattern of repeated letters."""
        self._patterns = Patterns()
        self.outputs = self._patterns.grams
        """The beginnings of all outputs, for the sieve."""
        self.narrow: Narrow | None = None
        """Selects the parts of large inputs that matter; None: all."""

    def add(self, seen: Seen[Transform]) -> None:
        """Record one call. A line that is known already changes nothing."""
        ref, transform = seen.ref, seen.event
        if ref in self._known:
            return
        self._known.add(ref)
        source, outcome = self._bytes(transform.input), self._bytes(transform.output)
        if transform.op == "decrypt" and not _is_misused(source, outcome):
            source, outcome = outcome, source
        if source is None or outcome is None or source == outcome:
            return
        cut = transform.op in ("digest", "mac")
        opaque = cut or transform.op in ("encrypt", "decrypt")
        stream = Stream(cut, transform.algorithm, transform.thread, transform.pid)
        key = self._bytes(transform.key) if transform.op == "mac" and transform.key is not None else None
        step = TransformCall(ref, seen.at, transform.algorithm, source, outcome, cut, stream, opaque, key or b"")
        calls, place = self._streams.add(step)
        if len(outcome) >= SHORTEST:
            self._know(step)
        else:
            self._in_pieces.add(stream)
        if stream in self._in_pieces:
            self._join(calls, place)

    def _know(self, step: TransformCall) -> None:
        """Search for the output of a call from now on."""
        if step.ref in self._of:  # it was known with less of its input
            self._of[step.ref].remove(step)
        what = what_of(step)
        known = what in self._alike
        alike = self._of[step.ref] = self._alike.setdefault(what, Alike(what))
        alike.add(step)
        if known:
            return
        for beginning in beginnings_of(step):
            others = self._by_beginning.get(beginning)
            if others is None:
                self._by_beginning[beginning] = [alike]
                self._patterns.add(beginning)
            else:
                others.append(alike)
        if step.opaque and len(step.outcome) >= UUID_BYTES:
            for pattern, own in renderings.patterns(step.outcome):
                self._exchanged[pattern].append((alike, own))

    def _join(self, calls: Sequence[tuple[datetime, int, TransformCall]], place: int) -> None:
        """Join the call at a place with the calls before and after it: the last call of a digest returns all of its
        output, while a cipher returns its output piece by piece."""
        if calls[place][2].cut:
            end = next((at for at in range(place, len(calls)) if calls[at][2].outcome), None)
            if end is not None and (step := calls[end][2]).ref in self._of:
                whole = fed.whole(_line(step), (_line(calls[at][2]) for at in reversed(range(end))))
                if whole is not None:
                    self._know(step._replace(source=whole.source, refs=whole.refs))
            return
        for first in range(max(0, place - SHORTEST), place + 1):
            step = calls[first][2]
            window = b""
            for _, _, call in calls[first : first + 2 * SHORTEST]:
                window += call.outcome
                if len(window) >= SHORTEST:
                    break
            if 0 < len(step.outcome) < SHORTEST <= len(window):
                alike = self._by_window[window]
                at = bisect_left(alike, order(step), key=order)
                if at == len(alike) or alike[at].ref != step.ref:
                    alike.insert(at, step)
                self._patterns.add_all({window} - self._by_beginning.keys())
                self._by_beginning.setdefault(window, [])

    def _bytes(self, blob: Blob) -> bytes | None:
        if blob.b64 is None:
            return self._bodies(blob.body) if self._bodies and blob.body else None
        try:
            return base64.b64decode(blob.b64)
        except ValueError:
            return None

    def follow(self, leaves: Sequence[Leaf], before: datetime) -> Iterator[Inner]:
        """Leaves of the inputs whose outputs are in these leaves, possibly through several calls, all made before a
        moment."""
        if not self._known:
            return
        done: set[Alike | Ref] = set()
        open_leaves = [Inner(leaf, ()) for leaf in (*leaves, *_as_bytes(leaves))]
        for _ in range(STEPS):
            found = list(self._once(open_leaves, before, done))
            if not found:
                return
            yield from found
            open_leaves = found

    def _once(self, outer: Sequence[Inner], before: datetime, done: set[Alike | Ref]) -> Iterator[Inner]:
        """One step of `follow`. `done`: what was followed already: outputs, and calls with short outputs."""
        look = JoinedLeaves([inner.leaf for inner in outer])
        hits: dict[Alike, FoundOutput] = {}
        pieces: dict[tuple[int, int], list[TransformCall]] = {}
        for pattern, start, _ in self._patterns.find(look.joined):
            number = look.leaf_at(start)
            begin = start - look.starts[number]
            if pattern in self._by_window:
                pieces[number, begin] = self._by_window[pattern]
            for alike in self._by_beginning[pattern]:
                if alike not in done and (step := alike.last(before)) is not None:
                    self._at(alike, step, pattern, look.leaves, (number, begin), hits)
        self._guess(look.leaves, hits, before, done)
        done.update(hits)
        # only the last of the calls that have the same input and output under several names
        last = {(hit.step.source, hit.step.outcome): hit for hit in sorted(hits.values(), key=_by_order)}
        for step, place, _ in sorted(last.values(), key=_by_order):
            for source in (step.source, step.key):
                yield from self._read(outer[place.leaf], place, source, step, step.refs or (step.ref,))
        read = (-1, 0)
        for (number, begin), rivals in sorted(pieces.items()):
            if (number, begin) < read:  # within the last run
                continue
            run = self._streams.longest(rivals, look.leaves[number].data, begin, before)
            if run and done.isdisjoint(call.ref for call in run):
                done.update(call.ref for call in run)
                read = (number, begin + sum(len(call.outcome) for call in run))
                place = OutputPlace(number, begin, read[1])
                yield from self._read_all(outer[number], place, run)
        for run in self._streams.continued(hits, self._of, look.leaves, before):
            place = next(hits[self._of[call.ref]].place for call in run if self._of.get(call.ref) in hits)
            yield from self._read_all(outer[place.leaf], place, run)

    def _at(
        self,
        alike: Alike,
        step: TransformCall,
        pattern: bytes,
        leaves: Sequence[Leaf],
        at: tuple[int, int],
        hits: dict[Alike, FoundOutput],
    ) -> None:
        """Record that an output stands in a leaf, if all of it does and not only its beginning. `at`: number of the
        leaf, and the position in it."""
        number, begin = at
        leaf = leaves[number]
        known = hits.get(alike)
        if known is not None and len(leaf.path) <= len(leaves[known.place.leaf].path):
            # its innermost place is known
            if not step.cut and len(known.places) < CALLS and leaf.data.startswith(step.outcome, begin):
                known.places.append(OutputPlace(number, begin, begin + len(step.outcome)))
            return
        places = known.places if known is not None else []
        if end := end_of(step, pattern, leaf, begin):
            place = OutputPlace(number, begin, end)
        elif not begin and not step.cut and self._in_parts(step, leaves, number):
            place = OutputPlace(number, begin, len(leaf.data), ("joined parts",))
        else:
            return
        hits[alike] = FoundOutput(step, place, [*places, place])

    def _read_all(self, outer: Inner, place: OutputPlace, run: Sequence[TransformCall]) -> Iterator[Inner]:
        """The leaves of the inputs of several calls, one after the other."""
        source = b"".join(call.source for call in run)
        first = next(call for call in run if call.outcome)
        yield from self._read(outer, place, source, first, tuple(call.ref for call in run))

    def _read(
        self, outer: Inner, place: OutputPlace, source: bytes, step: TransformCall, refs: tuple[Ref, ...]
    ) -> Iterator[Inner]:
        """The leaves of the input of calls whose output stands at a place."""
        leaf = outer.leaf
        start, end = (leaf.start + place.start, leaf.start + place.end) if leaf.exact else (leaf.start, leaf.end)
        decoding = (*leaf.decoding, *place.how, step.name)
        all_of_it = outer.whole and (place.start, place.end) == (0, len(leaf.data))
        forms = sent.followed(outer.forms, step, whole=all_of_it)
        narrow = self.narrow if len(source) > IN_FULL else None
        for inside in leaves_of(source, narrow=narrow).leaves:
            path = leaf.path + inside.path[1:]
            steps = (*decoding, *inside.decoding)
            # the input of a digest is a value directly beside a salt; that of a cipher seldom is
            glued = (step.cut or len(source) <= SHORT_INPUT) and inside.start == 0 and inside.end == len(source)
            made = Leaf(path, inside.text, inside.data, steps, start, end, False, glued)
            whole = (inside.start, inside.end) == (0, len(source)) and sent.AS_BYTES.issuperset(inside.decoding)
            yield Inner(made, (*outer.refs, *refs), forms=forms, whole=whole)
            if glued and made.text is not None:
                for part in (*salted.beside_salt(made.data), *salted.cells_beside_salt(made.data)):
                    one = made._replace(data=part, text=part.decode("ascii"), glued=False)
                    yield Inner(one, (*outer.refs, *refs), cut=True, forms=forms)

    def _guess(
        self, leaves: Sequence[Leaf], hits: dict[Alike, FoundOutput], before: datetime, done: set[Alike | Ref]
    ) -> None:
        """Add outputs in exchanged letters, with one lookup for each leaf."""
        if not self._exchanged:
            return
        for number, leaf in enumerate(leaves):
            head = leaf.data[: renderings.PATTERN]
            if leaf.text is None or len(head) < renderings.PATTERN or b" " in head:
                continue
            for one, own in self._exchanged.get(renderings.pattern_of(head), ()):
                if one in hits or one in done or not renderings.is_exchanged(own, leaf.data):
                    continue
                if (step := one.last(before)) is not None:
                    place = OutputPlace(number, 0, len(leaf.data), ("exchanged letters",))
                    hits[one] = FoundOutput(step, place, [place])

    def _in_parts(self, step: TransformCall, leaves: Sequence[Leaf], number: int) -> bool:
        """Whether a leaf begins a cipher's output, and the leaves beside it continue it to its end: the text was cut
        into parts, or the bytes were and each part was encoded."""
        first = leaves[number]
        size = len(first.data)
        fewest = LETTERS if first.text is not None else SHORTEST
        if not fewest <= size < 2 * len(step.outcome):
            return False
        for spell in WAYS if first.text is not None else (bytes,):
            if not first.data.startswith(spell(step.outcome[:BEGINNING])[:fewest]):
                continue
            text = spell(step.outcome)
            if size >= len(text) or not text.startswith(first.data):
                continue
            at, beside, shape = size, parent_of(first.path), LISTED.sub("", first.path)
            for leaf in leaves[number + 1 : number + 1 + SEARCHED_LEAVES]:
                if leaf.decoding != first.decoding or not text.startswith(leaf.data, at):
                    continue  # a decoded part, or data about a part, such as its number or file name
                if parent_of(leaf.path) != beside and LISTED.sub("", leaf.path) != shape:
                    continue
                at += len(leaf.data)
                if len(text) - at <= 2 and not text[at:].strip(b"="):
                    return True
        return False


def _line(step: TransformCall) -> fed.Fed:
    return fed.Fed(step.ref, step.source, step.outcome, step.name, step.key)


LISTED = re.compile(r"\[\d+\]")
SEARCHED_LEAVES = 4096
"""Leaves after the first part of an output that are searched for the others."""


def _is_misused(source: bytes | None, outcome: bytes | None) -> bool:
    """Whether a cipher was told to decrypt in order to encrypt: its input is text, its output is not. No ciphertext
    of sixteen bytes is text by chance."""
    if source is None or outcome is None or len(source) < UUID_BYTES:
        return False
    return as_text(source) is not None and as_text(outcome) is None


UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _as_bytes(leaves: Sequence[Leaf]) -> Iterator[Leaf]:
    """The bytes of leaves that are written like a UUID, as half a digest often is; no decoder reads those."""
    for leaf in leaves:
        if len(leaf.data) == 36 and UUID.fullmatch(leaf.data):
            data = bytes.fromhex(leaf.data.replace(b"-", b"").decode())
            yield leaf._replace(text=None, data=data, decoding=(*leaf.decoding, "hex"), exact=False)


IN_FULL = 1 << 16
"""Maximum bytes of an input that is read in full; of a larger one, only the parts that may matter."""
SHORT_INPUT = 128
"""Maximum bytes of a cipher's input that may be nothing but values, one directly after the other."""


def _by_order(hit: FoundOutput) -> tuple[datetime, int]:
    return order(hit.step)
