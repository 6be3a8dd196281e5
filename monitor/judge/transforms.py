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
from monitor.judge import fed, spellings
from monitor.judge.decode import Leaf, leaves_of
from monitor.judge.decode.pieces import Narrow, as_text
from monitor.judge.search.hits import parent_of
from monitor.judge.search.levels import Levels
from monitor.judge.search.look import Look
from monitor.judge.variants.digests import SHORTENED

SHORTEST = 8
"""Bytes of an output that are still proof."""
BEGINNING = 48
"""Bytes of an output that are searched for; the rest is compared."""
TAG = 16
"""Bytes at the end of what an authenticated cipher gives, which some apps send apart."""
UUID_BYTES = 16
LETTERS = 16
"""Hex digits of a digest that are searched for where they stand in a text, glued to others."""
STEPS = 64
"""Transforms that are followed one behind the other: a digest may be taken of a digest many times."""
CALLS = 4096
"""Calls that are read as one, when a stream was encrypted piece by piece."""

Bodies = Callable[[str], bytes | None]
"""sha256 -> the bytes of a stored blob, None when they are missing."""


class _Stream(NamedTuple):
    """What calls of one object that is fed piece by piece share."""

    cut: bool
    algorithm: str
    thread: str | None
    pid: int | None


class _Step(NamedTuple):
    """One call of the app: what went in, what came out."""

    ref: Ref
    at: datetime
    name: str
    source: bytes
    outcome: bytes
    cut: bool
    """Whether its first bytes alone are proof: those of a digest are; two ciphertexts or texts may begin alike."""
    stream: _Stream
    opaque: bool
    """Whether its output has no order of its own, as what was only encoded or compressed has."""
    key: bytes
    """Of a MAC only: who keys a constant with an id sends the id."""
    refs: tuple[Ref, ...] = ()
    """All calls, where there are several that turned a part each."""


class Inner(NamedTuple):
    """A leaf of an input whose output is in the upload, and the calls that lie between."""

    leaf: Leaf
    refs: tuple[Ref, ...]
    cut: bool = False
    """Whether digits or letters that may be a salt were taken off."""


class _Place(NamedTuple):
    """Where an output stands: the number of the leaf, and which of its bytes."""

    leaf: int
    start: int
    end: int
    how: tuple[str, ...] = ()
    """Steps from the leaf to the output, where it is not written there as it is."""


class Transforms:
    """The transforms of one recording."""

    def __init__(self, bodies: Bodies | None = None) -> None:
        self._bodies = bodies
        self._known: set[Ref] = set()
        self._steps: dict[Ref, _Step] = {}
        self._by_beginning: dict[bytes, list[Ref]] = {}
        self._streams: dict[_Stream, list[tuple[datetime, int, _Step]]] = defaultdict(list)
        self._by_window: dict[bytes, list[_Step]] = defaultdict(list)
        """By what several calls of a stream gave that is long enough only together, the first of them."""
        self._in_pieces: set[_Stream] = set()
        """Streams with calls that gave too little to be known by."""
        self._exchanged: dict[bytes, list[tuple[Ref, spellings.Own]]] = defaultdict(list)
        """By the pattern of repeated letters, outputs in spellings whose letters may be exchanged."""
        self._masked: dict[bytes, list[Ref]] = defaultdict(list)
        """By what a mask of one byte leaves as it is."""
        self._levels = Levels()
        self.outputs = self._levels.grams
        """The beginnings of all outputs, for sifting."""
        self.narrow: Narrow | None = None
        """Which parts of large inputs matter; None: all."""

    def add(self, ref: Ref, transform: Transform, at: datetime) -> None:
        """Learn of one call; `at` is its time on the host's clock. A known line changes nothing."""
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
        stream = _Stream(cut, transform.algorithm, transform.thread, transform.pid)
        key = self._bytes(transform.key) if transform.op == "mac" and transform.key is not None else None
        step = _Step(ref, at, transform.algorithm, source, outcome, cut, stream, opaque, key or b"")
        calls = self._streams[stream]
        place = bisect_right(calls, _order(step), key=lambda call: call[:2])
        calls.insert(place, (*_order(step), step))
        if len(outcome) >= SHORTEST:
            self._know(step)
        else:
            self._in_pieces.add(stream)
        if stream in self._in_pieces:
            self._join(stream, place)

    def _know(self, step: _Step) -> None:
        """Search for the output of a call from now on."""
        known = step.ref in self._steps
        self._steps[step.ref] = step
        for beginning in () if known else _beginnings(step):
            refs = self._by_beginning.get(beginning)
            if refs is None:
                self._by_beginning[beginning] = [step.ref]
                self._levels.add(beginning)
            else:
                refs.append(step.ref)
        if not known and step.opaque and len(step.outcome) >= UUID_BYTES:
            for pattern, own in spellings.patterns(step.outcome):
                self._exchanged[pattern].append((step.ref, own))
            self._masked[spellings.differences_of(step.outcome)].append(step.ref)

    def _join(self, stream: _Stream, place: int) -> None:
        """Join the calls around the one at a place with those before and behind it: what goes into a digest comes out
        with the last of them; what a cipher gives in pieces comes out one behind the other."""
        calls = self._streams[stream]
        if stream.cut:
            end = next((at for at in range(place, len(calls)) if calls[at][2].outcome), None)
            if end is not None and (step := calls[end][2]).ref in self._steps:
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
            if 0 < len(step.outcome) < SHORTEST <= len(window) and step not in self._by_window[window]:
                self._by_window[window].append(step)
                self._levels.add_all({window} - self._by_beginning.keys())
                self._by_beginning.setdefault(window, [])

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
        pieces: list[tuple[_Step, _Place]] = []
        for pattern, start, _ in self._levels.find(look.joined):
            number = look.leaf_at(start)
            begin = start - look.starts[number]
            data = look.leaves[number].data
            for first in self._by_window.get(pattern, ()):
                if first.ref not in done:
                    pieces.append((first, _Place(number, begin, 0)))
            for step in (self._steps[ref] for ref in self._by_beginning[pattern]):
                if step.at > before or step.ref in done:
                    continue
                if step.ref in hits and len(look.leaves[number].path) <= len(look.leaves[hits[step.ref][1].leaf].path):
                    continue  # the innermost place of it is known
                end = _end(step, pattern, look.leaves[number], begin)
                if end:
                    hits[step.ref] = (step, _Place(number, begin, end))
                elif not begin and not step.cut and self._in_parts(step, look.leaves, number):
                    hits[step.ref] = (step, _Place(number, begin, len(data), ("joined parts",)))
        self._guess(look.leaves, hits, before, done)
        done.update(hits)
        # of calls that turned the same into the same, the last
        last = {(hit[0].source, hit[0].outcome): hit for hit in sorted(hits.values(), key=lambda hit: _order(hit[0]))}
        together = self._streamed([step for step, _ in hits.values() if not step.cut])
        for step, place in sorted(last.values(), key=lambda hit: _order(hit[0])):
            for source in (step.source, step.key):
                yield from self._read(outer[place.leaf], place, source, step, step.refs or (step.ref,))
        for first, place in sorted(pieces, key=lambda piece: _order(piece[0])):
            run = self._run(first, look.leaves[place.leaf].data, place.start, before)
            if run and done.isdisjoint(call.ref for call in run):
                done.update(call.ref for call in run)
                place = place._replace(end=place.start + sum(len(call.outcome) for call in run))
                source = b"".join(call.source for call in run)
                yield from self._read(outer[place.leaf], place, source, first, tuple(call.ref for call in run))
        for calls in together:
            step, place = hits[next(call.ref for call in calls if call.ref in hits)]
            source = b"".join(call.source for call in calls)
            yield from self._read(outer[place.leaf], place, source, step, tuple(call.ref for call in calls))

    def _read(self, outer: Inner, place: _Place, source: bytes, step: _Step, refs: tuple[Ref, ...]) -> Iterator[Inner]:
        """The leaves of what went into calls whose output stands at a place."""
        leaf = outer.leaf
        start, end = (leaf.start + place.start, leaf.start + place.end) if leaf.exact else (leaf.start, leaf.end)
        decoding = (*leaf.decoding, *place.how, step.name)
        narrow = self.narrow if len(source) > IN_FULL else None
        for inside in leaves_of(source, narrow=narrow).leaves:
            path = leaf.path + inside.path[1:]
            steps = (*decoding, *inside.decoding)
            # what goes into a digest is a value and a salt, one directly behind the other; into a cipher, seldom
            glued = (step.cut or len(source) <= SHORT_INPUT) and inside.start == 0 and inside.end == len(source)
            made = Leaf(path, inside.text, inside.data, steps, start, end, False, glued)
            yield Inner(made, (*outer.refs, *refs))
            if glued and made.text is not None:
                for part in (*_beside_salt(made.data), *_cells_beside_salt(made.data)):
                    one = made._replace(data=part, text=part.decode("ascii"), glued=False)
                    yield Inner(one, (*outer.refs, *refs), cut=True)

    def _guess(
        self, leaves: Sequence[Leaf], hits: dict[Ref, tuple[_Step, _Place]], before: datetime, done: set[Ref]
    ) -> None:
        """Add what stands under exchanged letters or a mask of one byte: one look for each leaf."""
        if not self._masked:
            return
        for number, leaf in enumerate(leaves):
            data = leaf.data
            if leaf.decoding[-1:] == ("digests",) or len(data) < UUID_BYTES:
                continue
            found: list[Ref] = []
            if leaf.text is None:
                refs = self._masked.get(spellings.differences_of(data), ())
                found = [ref for ref in refs if ref not in hits and spellings.is_masked(self._steps[ref].outcome, data)]
            elif len(data) >= spellings.PATTERN and b" " not in data[: spellings.PATTERN]:
                known = self._exchanged.get(spellings.pattern_of(data[: spellings.PATTERN]), ())
                found = [ref for ref, own in known if ref not in hits and spellings.is_exchanged(own, data)]
            for step in (self._steps[ref] for ref in found):
                if step.at <= before and step.ref not in done:
                    how = "mask of one byte" if leaf.text is None else "exchanged letters"
                    hits[step.ref] = (step, _Place(number, 0, len(data), (how,)))

    def _in_parts(self, step: _Step, leaves: Sequence[Leaf], number: int) -> bool:
        """Whether a leaf begins the output of a cipher, and those beside it go on with it to its end: letters that were
        cut, or bytes that were, and then written each for itself."""
        first = leaves[number]
        size = len(first.data)
        if not LETTERS <= size < 2 * len(step.outcome):
            return False
        for spell in _WAYS if first.text is not None else (bytes,):
            if not first.data.startswith(spell(step.outcome[:BEGINNING])[:LETTERS]):
                continue
            text = spell(step.outcome)
            if size >= len(text) or not text.startswith(first.data):
                continue
            at, beside = size, parent_of(first.path)
            for leaf in leaves[number + 1 : number + 1 + FURTHER]:
                if leaf.decoding != first.decoding or not leaf.data:
                    continue  # what a decoder made of a part
                if parent_of(leaf.path) != beside or not text.startswith(leaf.data, at):
                    break
                at += len(leaf.data)
                if len(text) - at <= 2 and not text[at:].strip(b"="):
                    return True
        return False

    def _run(self, first: _Step, data: bytes, begin: int, before: datetime) -> list[_Step]:
        """The calls of a stream, from one on, whose outputs stand in these bytes one behind the other."""
        calls = self._streams[first.stream]
        place = bisect_right(calls, _order(first), key=lambda call: call[:2]) - 1
        run: list[_Step] = []
        for _, _, call in calls[place : place + CALLS]:
            if call.at > before or not data.startswith(call.outcome, begin):
                break
            run.append(call)
            begin += len(call.outcome)
        while run and not run[-1].outcome:  # what it took may have come out later
            run.pop()
        while place and len(run) < CALLS and not calls[place - 1][2].outcome:
            place -= 1
            run.insert(0, calls[place][2])
        return run if len(run) > 1 else []

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
                found.append(_given(run))
                run = []
            found.append(_given(run))
        return [run[:CALLS] for run in found if len(run) > 1 and any(call.ref in wanted for call in run)]


def _line(step: _Step) -> fed.Fed:
    return fed.Fed(step.ref, step.source, step.outcome, step.name, step.key)


def _given(run: list[_Step]) -> list[_Step]:
    """Calls without those at the end that gave nothing: what they took came out later, if at all."""
    end = next((at + 1 for at in reversed(range(len(run))) if run[at].outcome), 0)
    return run[:end]


FURTHER = 4096
"""Leaves behind the first part of an output among which the others are looked for."""
_WAYS: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: data.hex().encode(),
    lambda data: data.hex().upper().encode(),
    base64.b64encode,
    base64.urlsafe_b64encode,
)
"""How an output is written before it is cut over several fields."""


def _is_misused(source: bytes | None, outcome: bytes | None) -> bool:
    """Whether a cipher was told to decrypt so as to encrypt: what it took is a text, and what it gave is none. No
    ciphertext of sixteen bytes is a text by chance."""
    if source is None or outcome is None or len(source) < UUID_BYTES:
        return False
    return as_text(source) is not None and as_text(outcome) is None


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
            half = outcome[4:12].hex().encode()
            found |= {half, half.upper()}
        found |= {uuid[:SHORTEST]} if (uuid := _as_uuid(outcome)) else set()
    elif len(outcome) > TAG + SHORTEST:
        found.add(outcome[:-TAG][:BEGINNING])
    if step.opaque:
        found.update(spellings.beginnings(outcome, cut=step.cut))
    if step.opaque and not step.cut and len(outcome) > TAG:
        found |= {way(outcome[:BEGINNING])[:LETTERS] for way in _WAYS}  # cut over several fields
    return found


def _as_uuid(digest: bytes) -> bytes:
    """The UUID of a name that is made of an MD5 or a SHA-1, in which six bits say so (RFC 9562); nothing of others."""
    version = {UUID_BYTES: 0x30, 20: 0x50}.get(len(digest))
    if version is None:
        return b""
    sixth, eighth = digest[6] & 0x0F | version, digest[8] & 0x3F | 0x80
    return digest[:6] + bytes((sixth, digest[7], eighth)) + digest[9:UUID_BYTES]


def _end(step: _Step, pattern: bytes, leaf: Leaf, begin: int) -> int:
    """Where the output of a call ends that begins in these bytes with this pattern; 0 when it does not stand there."""
    outcome, data = step.outcome, leaf.data
    if data.startswith(outcome, begin):
        return begin + len(outcome)
    if leaf.decoding[-1:] == ("digests",):  # cut here, not by the app: half of another may be half of this one
        return 0
    if step.cut:
        if begin == 0 and outcome.startswith(data):  # cut short, as digests often are
            return len(data)
        if pattern == outcome[-SHORTEST:] and begin + SHORTEST == len(data) and outcome.endswith(data):
            return len(data)
        several = len(data) >= 3 * SHORTENED and not (len(data) % SHORTENED or begin % SHORTENED)
        if several and data.startswith(outcome[:SHORTENED], begin):
            return begin + SHORTENED  # one of a row
        if (uuid := _as_uuid(outcome)) and data.startswith(uuid, begin):
            return begin + UUID_BYTES
        word = outcome.hex().lstrip("0").encode()
        if data[begin : begin + len(word)].lower() == word and pattern.lower() == word[:LETTERS]:
            return begin + len(word)
        if leaf.glued and _is_half(outcome, data[begin : begin + LETTERS]):
            return begin + LETTERS  # a cut digest and a salt: 64 bits
        return spellings.end_of(outcome, data, begin, cut=True)
    if "GCM" in step.name or "Poly1305" in step.name or "CCM" in step.name:
        text = outcome[:-TAG]
        if len(text) >= SHORTEST and data.startswith(text, begin):
            return begin + len(text)
    # sent in chunks, each behind its length: its beginning and its end are there
    if len(outcome) >= 2 * BEGINNING and data.startswith(outcome[:BEGINNING], begin):
        at = data.find(outcome[-TAG:], begin + BEGINNING)
        if begin + len(outcome) - TAG <= at <= begin + 2 * len(outcome):
            return at + TAG
    return spellings.end_of(outcome, data, begin, cut=False) if step.opaque else 0


def _is_half(digest: bytes, text: bytes) -> bool:
    """Whether these are 16 hex digits that digests are cut to: the first, or those in the middle of an MD5."""
    halves = [digest[:8], digest[4:12]] if len(digest) == UUID_BYTES else [digest[:8]]
    return text.lower() in [half.hex().encode() for half in halves]


def _beside_salt(data: bytes) -> Iterator[bytes]:
    """What may be a number in the input of a digest, without the digits with which a salt ends before it, or begins
    behind it: those are a salt when it goes on in letters. Nine digits and more, which say enough beside it."""
    for run in SALTED.finditer(data):
        for digits in DIGITS.finditer(run[0]):
            before, after = run[0][: digits.start()], run[0][digits.end() :]
            fronts = SALT_DIGITS if _is_salt(before) else 3 if before.lower() in VERSION else 1
            backs = SALT_DIGITS if _is_salt(after) else 1
            for front in range(fronts):
                for back in range(backs):
                    number = digits[0][front : len(digits[0]) - back]
                    if (front or back) and len(number) >= FEWEST_DIGITS:
                        yield number


def _cells_beside_salt(data: bytes) -> Iterator[bytes]:
    """What may be the name of a cell in the input of a digest, directly behind a salt or before it."""
    if CELL_AND_SALT.fullmatch(data):
        for size in CELL:
            if size < len(data) <= size + MOST_SALT:
                yield from (
                    part
                    for part, cut in ((data[-size:], len(data) - size), (data[:size], size))
                    if NO_HEX.search(part)
                    and not data[cut - 1 : cut + 1].isdigit()  # else it is part of something else
                )


IN_FULL = 1 << 16
"""Bytes of an input that is read in full; of a larger one, what of it may matter."""
SHORT_INPUT = 128
"""Bytes of what goes into a cipher and may be nothing but values, one directly behind the other."""
CELL_AND_SALT = re.compile(rb"[0-9a-z]{8,20}")
NO_HEX = re.compile(rb"[g-z]")
CELL = range(7, 13)
"""Letters of a geohash that are some hundred metres or less."""
MOST_SALT = 8
VERSION = frozenset((b"v", b"ver", b"version"))
"""What a digit or two stand behind that are a version, and no part of the number."""


def _is_salt(letters: bytes) -> bool:
    """Whether letters and digits are no word, such as stands before the code of a country: hex, or mixed."""
    if len(letters) >= 5 and not letters.strip(b"0123456789abcdefABCDEF"):
        return True
    return len(letters) >= 6 and sum(letter in b"0123456789" for letter in letters) >= 2


SALTED = re.compile(rb"[0-9A-Za-z]{11,200}")
DIGITS = re.compile(rb"[0-9]{10,40}")
FEWEST_DIGITS = 9
SALT_DIGITS = 6
"""Digits of a salt that are taken off, and one."""


def _order(step: _Step) -> tuple[datetime, int]:
    line = step.ref.rpartition(":")[2]
    return step.at, int(line) if line.isdecimal() else 0
