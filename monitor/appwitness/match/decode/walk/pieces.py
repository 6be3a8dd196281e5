"""The walk from the bytes of an upload to its leaves: pieces, the registry of decoders, and the limits of both."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

from appwitness.match.decode.walk.first_looks import ALL, first_bytes, heads


@dataclass(frozen=True)
class DecodeLimits:
    """How far decoding goes; anything beyond is named in `Decoded.cut`, never passed over in silence."""

    depth: int = 20
    """Maximum number of steps from the stored bytes to a leaf."""
    output_bytes: int = 48 << 20
    """Maximum bytes that all steps together may put out for one upload, beyond what the body itself holds."""
    leaves: int = 200_000
    nesting: int = 300
    """Maximum nesting depth of arrays and objects inside one document."""
    work: int = 16 << 20
    """Maximum bytes that decoders look at in one upload, beyond four times its body: a piece counts each time it is
    decoded. About a million bytes take a second."""
    at_once: int = 8 << 20
    """Maximum bytes of a body that is decoded as a whole; a larger one is read in stretches."""
    kept_bytes: int = 12 << 20
    """Maximum bytes of such a body that are decoded because something may be in them."""
    spooled_bytes: int = 4 << 30
    """Maximum bytes that are unpacked from such a body, if there is somewhere to put them."""


class Leaf(NamedTuple):
    """One decoded piece of an upload that is not decoded further."""

    path: str
    """Where it stands: `$.u.h[3]` in a body, `url.query.lat`, `headers.cookie.uid`."""
    text: str | None
    """The leaf as text; None if it is not text."""
    data: bytes
    """The leaf as bytes; text as UTF-8."""
    decoding: tuple[str, ...]
    """Steps from the stored bytes to the leaf."""
    start: int
    """Offset of the first byte in the stored body; for url.* in the URL, for headers.* in the header's value."""
    end: int
    exact: bool
    """Whether byte i of `data` is byte start+i of what is stored; otherwise start and end enclose where the leaf
    came from."""
    glued: bool = False
    """Whether characters directly beside a value may be something else: the input of a digest is a value and a salt."""


class Decoded(NamedTuple):
    """The result of decoding an upload."""

    leaves: tuple[Leaf, ...]
    cut: tuple[str, ...]
    """What was not decoded, because of a limit or because it could not be read; one sentence each."""
    passed_over: int = 0
    """Number of bytes of large texts that were read but hold nothing that is looked for, and are in no leaf. When more
    values are looked for, these bytes must be read again."""


class UploadPiece(NamedTuple):
    """Bytes on the way to leaves."""

    data: bytes
    path: str
    decoding: tuple[str, ...]
    start: int
    end: int
    exact: bool
    hint: str = ""
    """The declared type of the bytes (a Content-Type, `text`), which may be wrong; empty if none is declared."""
    done: bool = False
    """Whether the bytes are only to be searched, not decoded."""

    def part(self, step: str, start: int, end: int, path: str = "", hint: str = "") -> UploadPiece:
        """The bytes from start to end, or to the end of the piece, as a piece of their own, unchanged."""
        exact = self.exact
        end = min(end, len(self.data))
        return UploadPiece(
            self.data[start:end],
            path or self.path,
            (*self.decoding, step) if step else self.decoding,
            self.start + start if exact else self.start,
            self.start + end if exact else self.end,
            exact,
            hint,
        )

    def turned(self, step: str, data: bytes, start: int, end: int, path: str = "", hint: str = "") -> UploadPiece:
        """What the bytes from start to end, or to the end of the piece, decode to."""
        exact = self.exact
        end = min(end, len(self.data))
        return UploadPiece(
            data,
            path or self.path,
            (*self.decoding, step),
            self.start + start if exact else self.start,
            self.start + end if exact else self.end,
            False,
            hint,
        )

    def whole(self, step: str, data: bytes, hint: str = "") -> UploadPiece:
        """What all of the bytes decode to."""
        return UploadPiece(data, self.path, (*self.decoding, step), self.start, self.end, False, hint)


@dataclass
class Room:
    """What is left of the limits for one upload, and what had to be cut."""

    limits: DecodeLimits
    bytes_left: int = 0
    leaves_left: int = 0
    cut: list[str] = field(default_factory=list)
    narrow: Narrow | None = None
    doubts: list[tuple[str, str, int, int, str]] = field(default_factory=list)
    """Streams that could not be read: format, path, range, and the sentence about them."""
    whole: list[tuple[str, str, int, int]] = field(default_factory=list)
    """Streams that were whole: format, path, range."""
    passed_over: int = 0
    spool: Callable[[Iterable[bytes]], Any] | None = None
    """Stores the unpacked blocks of a large body, and returns them as one body; None if they must stay in memory."""

    def __post_init__(self) -> None:
        self.bytes_left = self.limits.output_bytes
        self.leaves_left = self.limits.leaves
        self.work_left = self.limits.work
        self.kept_left = self.limits.kept_bytes
        self.spool_left = self.limits.spooled_bytes if self.spool else self.limits.output_bytes

    def spooled(self, blocks: Iterable[bytes]) -> Any:
        """Blocks as one body."""
        return self.spool(blocks) if self.spool else b"".join(blocks)

    def stop(self, what: str) -> None:
        """Note something that was cut; repetitions are dropped. One note more than are named shows that there are."""
        if what not in self.cut and len(self.cut) <= MOST_NAMED:
            self.cut.append(what)

    def doubt(self, name: str, piece: UploadPiece, what: str) -> None:
        """Note a stream that could not be read, unless a guess yielded it. It is not reported if it was whole when read
        in another way."""
        if len(self.doubts) < MOST_DOUBTS and not GUESSES.intersection(piece.decoding):
            self.doubts.append((name, piece.path, piece.start, piece.end, what))

    def sure(self, name: str, piece: UploadPiece) -> None:
        """Record that a stream was whole."""
        if len(self.whole) < MOST_DOUBTS:
            self.whole.append((name, piece.path, piece.start, piece.end))

    def named(self) -> tuple[str, ...]:
        """What was cut or could not be read: up to MOST_NAMED notes, and one that says so if there is more."""
        unread = [
            what
            for name, path, start, end, what in self.doubts
            if not any((name, path) == whole[:2] and start < whole[3] and whole[2] < end for whole in self.whole)
        ]
        notes = tuple(dict.fromkeys((*self.cut, *unread)))
        return notes if len(notes) <= MOST_NAMED else (*notes[:MOST_NAMED], FURTHER)

    def may_look(self, piece: UploadPiece) -> bool:
        """Whether a piece may be decoded, given its depth and what decoders have looked at so far."""
        if len(piece.decoding) >= self.limits.depth:
            self.stop(f"more than {self.limits.depth} steps of decoding at {piece.path}")
            return False
        self.work_left -= len(piece.data) + FIXED
        if self.work_left < 0:
            self.stop(f"more than {self.limits.work} bytes to look at; not taken apart further from {piece.path}")
            return False
        return True

    def take(self, size: int, piece: UploadPiece, step: str) -> bool:
        """Whether `size` more bytes may be put out; they are then taken off the limit."""
        if size > self.bytes_left:
            self.stop(f"{step} at {piece.path}: more than {self.limits.output_bytes} bytes of decoded data")
            return False
        self.bytes_left -= size
        return True


MOST_NAMED = 20
"""Maximum number of notes on what was cut from one upload."""
FURTHER = "further parts were cut or could not be read"
MOST_DOUBTS = 200
"""Maximum number of streams of one upload that are remembered."""
Narrow = Callable[[UploadPiece, Room], list[UploadPiece] | None]
"""Selects the pieces of a large text that may matter; returns None if it cannot tell: the text is then decoded like
any other."""
Family = Literal["text", "binary", "any"]
Sifted = Literal["covered", "guess", "header"]
"""What the sieve knows of a decoder. covered: `native/sieve` sees whether the decoder may find something in a leaf;
guess: the decoder is tried only in leaves that matter for another reason; header: it depends on a header, or on
several leaves, so that a single leaf does not show whether it may find something."""
Found = Iterable[UploadPiece] | None
"""None if the decoder does not apply to the piece."""
Decode = Callable[[UploadPiece, Room], Found]


class FirstLook(NamedTuple):
    """A decoder function with a quick look at the bytes that tells whether to try it."""

    decode: Decode
    look: Callable[[bytes], object]
    """If it returns something falsy, the decoder is not tried."""
    first: frozenset[int]
    """The bytes with which a match of the look may begin."""
    heads: list[bytes]
    """Signatures: beginnings that tell what the bytes are."""


def begins(pattern: bytes) -> Callable[[Decode], FirstLook]:
    """Try a decoder only on bytes that begin with a match of a regular expression."""
    compiled = re.compile(pattern, re.DOTALL)
    return lambda function: FirstLook(function, compiled.match, first_bytes(compiled), heads(compiled))


def holds(pattern: bytes) -> Callable[[Decode], FirstLook]:
    """Try a decoder only on bytes that contain a match of a regular expression."""
    compiled = re.compile(pattern, re.DOTALL)
    return lambda function: FirstLook(function, compiled.search, ALL, [])


@dataclass
class Decoder:
    """One registered way to decode a piece; as a decorator, it registers a function.

    Raises TypeError if an argument without a default is missing, and ValueError for what is not allowed, such as two
    decoders with the same order.
    """

    name: str
    family: Family
    _: KW_ONLY
    order: int
    """Decoders with a lower order are tried first."""
    guess: bool
    """Whether it tries ways until its output is readable: a match in that output is a candidate, never proof, and
    finding nothing readable is no gap. The steps of a decoder that guesses must have its name."""
    sieve: Sifted
    """What the sieve of large texts may assume about it."""
    seen_in: str
    """An app, SDK or library that sends it."""
    alone: bool = False
    """Whether, if it finds something, the piece itself is no leaf and nothing else is tried."""
    structured: bool = False
    """Whether it reads fields and knows where each begins and ends: a text that stands alone in none of them is only
    part of a longer one. The steps of such a decoder must have its name, as with the next two flags."""
    another_reading: bool = False
    """Whether its output is a second reading of bytes that are already a leaf: it contradicts no name."""
    no_salt: bool = False
    """Whether its output is never taken for a salt, because no app wrote it in this form."""
    decode: Decode = field(init=False)
    look: Callable[[bytes], object] | None = field(init=False, default=None)
    first: frozenset[int] = field(init=False, default=ALL)
    heads: list[bytes] = field(init=False, default_factory=list)
    """Signatures of two to four bytes: the sieve passes on what begins with one."""

    def __call__(self, function: Decode | FirstLook) -> Decode:
        """Register a function."""
        if self.sieve not in get_args(Sifted) or not self.seen_in.strip():
            raise ValueError(f"{self.name}: sieve {self.sieve!r}, seen in {self.seen_in!r}")
        if any(other.order == self.order for other in DECODERS):
            raise ValueError(f"{self.name}: another decoder has the order {self.order}")
        if isinstance(function, FirstLook):
            function, self.look, self.first, self.heads = function
        self.decode = function
        insort(DECODERS, self, key=lambda one: one.order)
        if self.guess:
            GUESSES.add(self.name)
        decoders_by_byte.cache_clear()
        return function


decoder = Decoder
DECODERS: list[Decoder] = []
"""In the order in which they are tried."""
GUESSES: set[str] = set()
"""Names of steps that guess."""


CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
PLAIN = re.compile(
    rb"(?![a-z]{22}|[a-z_.-]++(?:\(at\)| at | \(at\) ))[a-z_ ,.()!?'-]{0,64}|"
    rb"[\d.+ -]{1,9}|[A-Z]?[a-z]*|[A-Za-z0-9 .,:;/_-]{0,6}|[A-Za-z .,:;/_-]{7}|"
    rb"[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}"
)
"""Texts in which nothing can be decoded further: short words that are no address, small numbers, UUIDs."""
TELLING = 24
"""Minimum bytes of a piece for which it is worth remembering that it was decoded before."""
FIXED = 64
"""What a piece costs besides its bytes."""
WAYS = 4
"""How many ways to the same bytes are followed. With only one, the reported steps might not be those of the app:
text that LZ4 left unchanged is also found in the frame itself."""


def as_text(data: bytes) -> str | None:
    """Bytes as text, if they are UTF-8 without control characters; else None."""
    if CONTROL.search(data):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


@cache
def decoders_by_byte() -> dict[bool, list[list[Decoder]]]:
    """For text, and for binary data: the decoders to try, by first byte."""
    fitting = {
        text: [one for one in DECODERS if one.family != ("binary" if text else "text")] for text in (True, False)
    }
    return {text: [[one for one in fit if byte in one.first] for byte in range(256)] for text, fit in fitting.items()}


def walk(roots: Iterable[UploadPiece], room: Room) -> Iterable[Leaf]:
    """All leaves of the pieces, in the order in which they stand."""
    waiting = iter(roots)
    stack: list[UploadPiece] = []
    choices = decoders_by_byte()
    seen: dict[int, int] = {}
    while True:
        if not stack:
            root = next(waiting, None)
            if root is None:
                return
            room.work_left += 4 * len(root.data)
            stack.append(root)
        piece = stack.pop()
        if not piece.data or _often(piece, seen):
            continue
        if room.leaves_left <= 0:
            room.stop(f"more than {room.limits.leaves} leaves; left off at {piece.path}")
            return
        narrowed = room.narrow(piece, room) if room.narrow is not None and not piece.done else None
        if narrowed is not None:
            stack.extend(reversed(narrowed))
            continue
        text = as_text(piece.data)
        room.leaves_left -= 1
        inner: list[UploadPiece] = []
        alone = False
        if not piece.done and not PLAIN.fullmatch(piece.data) and room.may_look(piece):
            alone = _taken_apart(piece, choices[text is not None][piece.data[0]], room, inner)
        if not alone:
            yield Leaf(piece.path, text, piece.data, piece.decoding, piece.start, piece.end, piece.exact)
        if inner:
            inner.reverse()
            stack.extend(inner)


def way_to(leaf: Leaf, roots: Iterable[UploadPiece], room: Room) -> tuple[UploadPiece, ...]:
    """The pieces through which the walk reaches a leaf, its root first; empty if it does not within the limits."""
    choices = decoders_by_byte()
    stack: list[tuple[UploadPiece, ...]] = [(root,) for root in roots if root.data]
    room.work_left += 4 * sum(len(way[0].data) for way in stack)
    while stack:
        pieces = stack.pop()
        piece = pieces[-1]
        if (piece.path, piece.decoding, piece.start, piece.data) == (leaf.path, leaf.decoding, leaf.start, leaf.data):
            return pieces
        there = piece.start <= leaf.start and leaf.end <= piece.end
        if not there or piece.done or piece.decoding != leaf.decoding[: len(piece.decoding)]:
            continue
        inner: list[UploadPiece] = []
        if room.may_look(piece):
            _taken_apart(piece, choices[as_text(piece.data) is not None][piece.data[0]], room, inner)
        stack.extend((*pieces, each) for each in reversed(inner) if each.data)
    return ()


def _often(piece: UploadPiece, seen: dict[int, int]) -> bool:
    """Whether the same bytes have come out in enough ways: escapes can be undone in any order, with the same result."""
    if piece.exact or len(piece.data) < TELLING:
        return False
    same = hash((piece.data, piece.path, piece.start, piece.end, piece.done))
    times = seen[same] = seen.get(same, 0) + 1
    return times > WAYS


def _taken_apart(piece: UploadPiece, choice: Iterable[Decoder], room: Room, inner: list[UploadPiece]) -> bool:
    """Append what decoders find in a piece; returns whether the piece itself is then no leaf."""
    for one in choice:
        if one.look is not None and not one.look(piece.data):
            continue
        try:
            found = one.decode(piece, room)
        except Exception as error:  # one decoder's mistake must not cost the other leaves
            room.stop(f"{one.name} at {piece.path}: failed with {type(error).__name__}")
            continue
        if found is None:
            continue
        inner.extend(found)
        if one.alone:
            return True
    return False
