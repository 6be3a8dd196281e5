"""Parses a large JSON text only where a value may stand: the fast path of `json_documents`.

Compiled code examines each leaf of the text: a scan of all its bytes would miss whatever is encoded, and decoding all
of them takes a hundred times as long as a scan.
"""

from __future__ import annotations

import ctypes
import re
from array import array
from collections.abc import Iterable
from typing import Protocol

from appwitness.match.decode import large
from appwitness.match.decode.documents import json_documents
from appwitness.match.decode.letters import spelled_out
from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import DECODERS, Room, UploadPiece
from appwitness.match.native.library import library, owned
from appwitness.match.native.tables import Grams, WordTable

LARGE = 8 << 10
"""Minimum bytes of a text that is sifted; a smaller one is read just as fast without sifting."""
MATTERS, BESIDE = 1, 2
KEY, ARRAY = 1, 2
INDEX, KEYLESS = -2, -1
"""Flags of a leaf; what a leaf is, if it is no value; what a step is, if it is no key."""


class _Page(ctypes.Structure):
    """Where the compiled part writes the leaves that matter, and the ways to them."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("leaves", "steps", "spots")),
        *((name, ctypes.c_int64) for name in ("most_leaves", "most_steps", "most_spots")),
        *((name, ctypes.c_int64) for name in ("leaves_found", "steps_found", "spots_found")),
        *((name, ctypes.c_int64) for name in ("end", "documents", "too_many")),
    )


PAGE_BYTES = ctypes.sizeof(_Page)

MOST_LEAVES = 1 << 18
"""Maximum number of leaves of one text that may matter; a text with more is read in full."""
MOST_OF_A_FILE = 1 << 16
"""The same for a text that is too large for memory; any further leaves are cut."""
OFTEN = 32
"""Number of leaves after which the pages of a mapped file that were read are released."""
LEAF_FIELDS, STEP_FIELDS, SPOT_FIELDS = 9, 2, 3
"""Numbers of fields. A leaf: start, end, what, first step, steps, said, because (the start of the leaf that made it
matter), token, document; a step: start, end; a spot: place, axis, leaf."""
STEPS = 8
"""Number of steps per leaf for which there is room."""


class Compiled(Protocol):
    """An object of the compiled part."""

    handle: int


class Sieve:
    """Selects the leaves of a JSON text that may hold one of the values, as it is or in any encoding."""

    def __init__(
        self, texts: Grams, raw: Grams, digests: WordTable, digits: WordTable, outputs: Grams, packed: Compiled
    ) -> None:
        """`raw`: texts that occur only in data that is not text; `packed`: places in such data."""
        self.kept = (texts, raw, digests, digits, outputs, packed)
        handles = (texts.handle, raw.handle, outputs.handle, digests.handle, digits.handle, packed.handle)
        self._handle = owned(self, library.sieve_new(*handles), library.sieve_free)
        if not all(library.sieve_add_head(head, len(head)) for head in sorted(heads_to_see())):
            raise MemoryError
        self.least = LARGE
        self._room = 0
        self._grow()

    def _grow(self) -> None:
        """Make room for more leaves that matter, and the ways to them."""
        self._room = 4 * self._room or 4096
        self._leaves, self._steps, self._spots = (
            array("q", bytes(8 * n * self._room)) for n in (LEAF_FIELDS, STEPS * STEP_FIELDS, SPOT_FIELDS)
        )

    def add_words(self, words: Iterable[bytes]) -> None:
        """If one of these words is all of a leaf, the leaf and those beside it matter from now on; case does not
        count."""
        given = list(words)
        sizes = array("i", map(len, given))
        if not library.sieve_add_words(self._handle, b"".join(given).lower(), sizes.buffer_info()[0], len(given)):
            raise MemoryError

    def add_shorts(self, numbers: Iterable[bytes]) -> None:
        """Add numbers of up to four digits that are parts of values; two of them are looked up as one word."""
        for number in numbers:
            library.sieve_add_short(self._handle, number, len(number))

    def add_place(self, lat: float, lon: float) -> None:
        """From now on, numbers that may be a coordinate of a place matter, if the other coordinate may be there too."""
        if not library.sieve_add_place(self._handle, lat, lon):
            raise MemoryError

    def __call__(self, piece: UploadPiece, room: Room) -> list[UploadPiece] | None:
        """The pieces of a large JSON text that may hold something; None if it is no JSON, or must be read in full."""
        data = piece.data
        if len(data) < self.least:
            return None
        start = json_documents.PREFIX.match(data).end()  # type: ignore[union-attr]  # the match may be empty
        mapped = not isinstance(data, bytes)  # a file that is known to be text
        if not _begins(data) or (_has_soft_breaks(data) if mapped else not library.plain_lines(data, len(data))):
            return None
        page = self.read_page(data, start)
        if page is None:
            return None
        if page.too_many:
            room.stop(f"json at {piece.path}: more than {MOST_OF_A_FILE} leaves that may matter")
        rest = json_documents.NEXT.match(data, page.end).end()  # type: ignore[union-attr]
        if rest < len(data) and page.documents > 1:
            return None
        rows = _rows(self._leaves, LEAF_FIELDS, page.leaves_found)
        ways = _rows(self._steps, STEP_FIELDS, page.steps_found)
        whole = _whole(_rows(self._spots, SPOT_FIELDS, page.spots_found))
        pieces = self._pieces(piece, rows, ways, whole, room, several=page.documents > 1)
        if rest < len(data):
            pieces.append(piece.part("", page.end, len(data)))
        room.passed_over += max(0, len(data) - sum(len(one.data) for one in pieces))
        return pieces

    def stretch(self, data: bytes, *, text: bool) -> bool:
        """Whether anything may stand in a stretch of a large body."""
        return bool(library.sieve_stretch(self._handle, data, len(data), text))

    def read_page(self, data: bytes, start: int) -> _Page | None:
        """Read a document from `start`, as far as there is room for leaves; None if it is not JSON or has too many."""
        mapped = not isinstance(data, bytes)
        held = (ctypes.c_char * len(data)).from_buffer(data) if mapped else data
        address = ctypes.addressof(held) if mapped else ctypes.cast(held, ctypes.c_void_p)  # type: ignore[arg-type]
        while True:
            leaves, steps, spots = (one.buffer_info()[0] for one in (self._leaves, self._steps, self._spots))
            page = _Page(leaves, steps, spots, self._room, STEPS * self._room, self._room)
            if library.sieve_read(self._handle, address, len(data), start, mapped, ctypes.byref(page)):
                return page
            if page.too_many and mapped and self._room >= MOST_OF_A_FILE:
                return page
            if not page.too_many or self._room > MOST_LEAVES:
                return None
            self._grow()

    @staticmethod
    def _pieces(
        piece: UploadPiece,
        leaves: list[tuple[int, ...]],
        ways: list[tuple[int, ...]],
        whole: set[int],
        room: Room,
        *,
        several: bool,
    ) -> list[UploadPiece]:
        pieces: list[UploadPiece] = []
        done: set[tuple[int, int]] = set()
        keys: set[tuple[int, bytes]] = set()
        for start, end, what, first, depth, said, because, token, number in sorted(leaves):
            if (start, what) in done or (not said & (MATTERS | BESIDE) and because not in whole):
                continue
            done.add((start, what))
            if len(done) % OFTEN == 0:
                large.let_go(piece.data, start)
            path = f"{piece.path}[{number}]" if several else piece.path
            for at, other in ways[first : first + depth]:
                path += f"[{other}]" if at == INDEX else ".?" if at == KEYLESS else _suffix(piece.data[at:other])
            if what == ARRAY:
                pieces += json_documents.lists_of_bytes(piece.part("json", start, end, path), room)
            if what == ARRAY or b"[" in piece.data[start:end]:  # it also reads lists inside strings
                pieces += spelled_out.characters(piece.part("", start, end), room) or ()
            if what == ARRAY:
                continue
            if what == KEY:
                raw = piece.data[start:end]
                if (number, raw) not in keys:  # a document's keys are taken once
                    keys.add((number, raw))
                    pieces.append(piece.part("json", start, end, path=path))
                continue
            json_documents.read_document(piece, token, path, room, pieces)
        return pieces


def heads_to_see() -> set[bytes]:
    """Signatures of binary formats that the sieve must see."""
    return {head for one in DECODERS if one.sieve == "covered" and one.family != "text" for head in one.heads}


def _rows(numbers: array[int], fields: int, count: int) -> list[tuple[int, ...]]:
    return list(zip(*[iter(numbers[: fields * count])] * fields, strict=True))


def _whole(found: list[tuple[int, ...]]) -> set[int]:
    """The leaves with numbers that may be a coordinate of a place, if this text may hold both coordinates of it."""
    lats, lons = ({place for place, axis, _ in found if axis == wanted} for wanted in (0, 1))
    return {leaf for place, _, leaf in found if place in lats & lons}


def _begins(data: bytes) -> bool:
    """Whether the full parser also takes the data for a document: `[&quot;a&quot;]` is none."""
    return json_documents.DOCUMENT.match(data) is not None


def _has_soft_breaks(data: bytes) -> bool:
    """Whether a line ends with a soft line break of quoted-printable, which continues on the next line."""
    last = b""
    for block in large.blocks(data):
        breaks = b"\n" in block and (b"=\n" in block or b"=\r\n" in block)  # most documents are one line
        if breaks or (last and SOFT.search(last + block[:2])):
            return True
        last = block[-2:]
    return False


SOFT = re.compile(rb"=\r?\n")


def _suffix(raw: bytes) -> str:
    return child_path("", json_documents.text_of_key(raw))
