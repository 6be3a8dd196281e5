"""Decoder of JSON in every shape that is really sent: one document, many, truncated, wrapped, or inside other text."""

from __future__ import annotations

import json
import re

from appwitness.match.decode.letters.backslashes import unescape
from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder, holds

TOKEN = re.compile(
    rb"""[\s,:]*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"|([{}\[\]])|'([^'\\]*+(?:\\.[^'\\]*+)*+)'(?=\s*[,:\]}])|"""
    rb"""([^\s,:\[\]{}"]++)|("))""",
    re.DOTALL,
)
"""The inside of a string, a bracket, the inside of a string in single quotes, a number or word, or the quote of a
string that never ends."""
TELLING_KEY = re.compile(rb"[^\x00-\x7f]|\d{5}|[@+%{=: ]|[0-9a-fA-F]{8}|.{33}")
"""Keys that may themselves be data: a map from phone number to name, a form whose key is a document."""
STRINGS, BARE, UNENDED = (1, 3), 4, 5
"""The groups of TOKEN for strings, for numbers and words, and for the quote of a string that never ends."""
REAL = re.compile(rb"[0-9]{7,}\.0+\Z|[eE]\+?[0-9]{1,2}\Z|^-?[0-9]{17,}\Z")
"""Numbers that may be another notation of an integer, such as 1.3800138E10, or a digest."""
ASSIGNED = re.compile(rb"\{\s*[\w-]+\s*=")
"""The beginning of a map printed by Java or Objective-C, whose values would be taken for keys."""
DOCUMENT = re.compile(rb"\s*(?:\)\]\}'?,?\s*)?(?:\{\s*[\"}\w]|\[\s*(?:[\"{\[\]\d-]|true|false|null))", re.DOTALL)
"""How a document begins."""
PREFIX = re.compile(rb"\s*(?:\)\]\}'?,?\s*)?")
BYTE_MAP = re.compile(rb'\{\s*"0"\s*:\s*-?\d{1,3}(?:\s*,\s*"\d{1,4}"\s*:\s*-?\d{1,3}){5,}\s*\}')
BYTE_ARRAY = re.compile(rb"\[(\s*-?\d{1,3}(?:\s*,\s*-?\d{1,3}){5,})\s*\]")
NEXT = re.compile(rb"[\s,\x00\x1e]*")
CLOSING = frozenset((b"}", b"]"))
WORDS = frozenset((b"null", b"undefined", b"NaN"))
"""Words that carry nothing; true and false are leaves, because they may be an app's claim of consent."""
ANYWHERE = re.compile(rb'\{\s*"|\[\s*[{"]')


def text_of_key(raw: bytes) -> str:
    """The key of an object, without its quotation marks, as text."""
    return (unescape(raw) if b"\\" in raw else raw).decode("utf-8", "replace")


class _Document:
    """One document, parsed token by token."""

    def __init__(self, piece: UploadPiece, root: str, room: Room, found: list[UploadPiece]) -> None:
        self.piece = piece
        self.decoding = (*piece.decoding, "json")
        self.root = root
        self.room = room
        self.found = found
        self.outer: list[tuple[bool, str, int]] = []
        self.is_object, self.prefix, self.index = False, root, -1
        self.member: str | None = None
        self.suffixes: dict[bytes, str] = {}

    def read(self, pos: int) -> tuple[int, bool]:
        """Append the document's pieces; returns the position after it, and whether it was whole."""
        data = self.piece.data
        end = pos
        for token in TOKEN.finditer(data, pos):
            end = token.end()
            mark = token[2]
            if mark in CLOSING:
                if not self.outer:
                    return end, False
                self.is_object, self.prefix, self.index = self.outer.pop()
                self.member = None
            elif mark is not None:
                if not self.open(mark, end):
                    return len(data), True
                continue
            elif self.is_object and self.member is None:
                self.key(token)
                continue
            else:
                self.value(token)
                if len(self.found) > self.room.leaves_left:
                    return len(data), True
                if token.lastindex == UNENDED:  # everything after it is inside the string
                    return len(data), not self.outer
            if not self.outer:
                return end, True
        return end, not self.outer

    def path(self) -> str:
        """The path of the next value."""
        if not self.outer:
            return self.root
        if self.is_object:
            member, self.member = self.member, None
            return self.prefix + (member if member is not None else ".?")
        self.index += 1
        return f"{self.prefix}[{self.index}]"

    def open(self, mark: bytes, end: int) -> bool:
        """Begin an object or a list; False if it is nested too deep."""
        path = self.path()
        if len(self.outer) >= self.room.limits.nesting:
            self.room.stop(f"json at {self.piece.path}: nested deeper than {self.room.limits.nesting}")
            return False
        if mark == b"[" and (array := BYTE_ARRAY.match(self.piece.data, end - 1)):
            self.found.extend(_bytes_of(self.piece._replace(decoding=self.decoding), array, path, self.room))
        self.outer.append((self.is_object, self.prefix, self.index))
        self.is_object, self.prefix, self.index = mark == b"{", path, -1
        return True

    def key(self, token: re.Match[bytes]) -> None:
        """Take a key, which is a leaf too if it may be data itself."""
        kind = token.lastindex
        raw = token[kind] if kind in STRINGS else token[4] or b""
        suffix = self.suffixes.get(raw)
        if suffix is None:
            suffix = self.suffixes[raw] = child_path("", text_of_key(raw))
            if TELLING_KEY.search(raw):
                self.found.append(self.piece.part("json", *token.span(kind or 0), path=self.prefix + suffix))
        self.member = suffix

    def value(self, token: re.Match[bytes]) -> None:
        """Take a string, a number or a word."""
        path = self.path()
        piece, kind = self.piece, token.lastindex or 0
        start, stop = token.span(kind) if kind != UNENDED else (token.end(), len(piece.data))
        raw = piece.data[start:stop]
        if not raw or (kind == BARE and raw in WORDS):
            return
        if kind != BARE and b"\\" in raw:
            if self.room.take(len(raw), piece, "json"):
                self.found.append(piece.turned("json", unescape(raw), start, stop, path))
            return
        if piece.exact:
            start, stop = piece.start + start, piece.start + stop
        else:
            start, stop = piece.start, piece.end
        done = kind == BARE and not REAL.search(raw)
        self.found.append(UploadPiece(raw, path, self.decoding, start, stop, piece.exact, "", done))


def read_document(piece: UploadPiece, pos: int, root: str, room: Room, found: list[UploadPiece]) -> tuple[int, bool]:
    """Parse the document at `pos` and append its pieces; returns the position after it, and whether it was whole."""
    return _Document(piece, root, room, found).read(pos)


def _bytes_of(piece: UploadPiece, array: re.Match[bytes], path: str, room: Room) -> list[UploadPiece]:
    numbers = [int(number) for number in array[1].split(b",")]
    if min(numbers) < -128 or max(numbers) > 255 or not room.take(len(numbers), piece, "byte array"):
        return []
    return [piece.turned("byte array", bytes(n & 255 for n in numbers), *array.span(), path)]


def lists_of_bytes(piece: UploadPiece, room: Room) -> list[UploadPiece]:
    """Bytes written as lists of numbers, signed as in Java or not, anywhere in a text."""
    return [one for array in BYTE_ARRAY.finditer(piece.data) for one in _bytes_of(piece, array, piece.path, room)]


@decoder("byte array", "text", order=290, guess=False, sieve="covered", seen_in="Gson, of a byte[]")
@holds(rb"\[\s*-?\d{1,3}(?:\s*,\s*-?\d{1,3}){5}")
def byte_array(piece: UploadPiece, room: Room) -> Found:
    """Lists of bytes in text that is not a document; those in a document are read with it, each at its own path."""
    if DOCUMENT.match(piece.data) and _begins_at(piece.data) is not None:
        return None
    return lists_of_bytes(piece, room) or None


@decoder(
    "byte map",
    "text",
    order=300,
    guess=False,
    sieve="guess",
    seen_in="React Native apps: JSON.stringify of a Uint8Array",
)
@holds(rb"\{\s*\"0\"\s*:\s*-?\d{1,3}\s*,\s*\"1\"\s*:")
def byte_map(piece: UploadPiece, room: Room) -> Found:
    """Bytes as an object of numbers, as JSON.stringify writes a typed array."""
    found: list[UploadPiece] = []
    for made in BYTE_MAP.finditer(piece.data):
        numbers = [int(number) for number in re.findall(rb":\s*(-?\d{1,3})", made[0])]
        if min(numbers) >= -128 and max(numbers) <= 255 and room.take(len(numbers), piece, "byte map"):
            found.append(piece.turned("byte map", bytes(n & 255 for n in numbers), *made.span()))
    return found or None


def _begins_at(data: bytes) -> int | None:
    """Where a document begins in what looks like one; None if it has no key at all, or is another kind of map."""
    if data[:1] == b"{" and b'"' not in data and b":" not in data and b"'" not in data:
        return None
    start = PREFIX.match(data).end()  # type: ignore[union-attr]  # the match may be empty
    return None if ASSIGNED.match(data, start) else start


@decoder("json", "text", order=310, guess=False, sieve="covered", seen_in="nearly all SDKs", alone=True)
@begins(DOCUMENT.pattern)
def document(piece: UploadPiece, room: Room) -> Found:
    """JSON: one document, several (NDJSON or concatenated), truncated, or after the guard `)]}'`."""
    data = piece.data
    start = _begins_at(data)
    if start is None:
        return None
    found: list[UploadPiece] = []
    end, _ = read_document(piece, start, piece.path, room, found)
    if len(data) < 100 and b'"' not in data:  # `[2001:db8::1]:80` is not a list
        found.append(piece._replace(done=True))
    next_one = NEXT.match(data, end).end()  # type: ignore[union-attr]
    if next_one >= len(data):
        return found or None
    if data[next_one : next_one + 1] not in (b"{", b"["):
        return [*found, piece.part("", end, len(data))]
    found = [one for one in found if one.done and one.start == piece.start and one.end == piece.end]
    number = 0
    end = next_one = start
    while next_one < len(data):
        if data[next_one : next_one + 1] not in (b"{", b"["):
            line = data.find(b"\n", next_one)
            line = len(data) if line < 0 else line + 1
            found.append(piece.part("", next_one, line, f"{piece.path}[{number}]"))
            end = line
        else:
            end, _ = read_document(piece, next_one, f"{piece.path}[{number}]", room, found)
        number += 1
        next_one = NEXT.match(data, end).end()  # type: ignore[union-attr]
        if len(found) > room.leaves_left:
            break
    return found or None


@decoder("json string", "text", order=320, guess=False, sieve="covered", seen_in="Retrofit, of a String", alone=True)
@begins(rb'\s*"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*$')
def string(piece: UploadPiece, room: Room) -> Found:
    """A document that is one JSON string."""
    found: list[UploadPiece] = []
    read_document(piece, 0, piece.path, room, found)
    return found or None


@decoder("json inside", "text", order=330, guess=False, sieve="covered", seen_in="callbacks of JSONP; Android's log")
@holds(rb"\{\s*\"|\[\s*[{\"]")
def inside(piece: UploadPiece, room: Room) -> Found:
    """Documents inside other text: log lines, callbacks, concatenated fragments."""
    found: list[UploadPiece] = []
    at = ANYWHERE.search(piece.data, 1)
    while at and len(found) < room.leaves_left:
        end, whole = read_document(piece, at.start(), piece.path, room, found)
        if not whole:
            break
        at = ANYWHERE.search(piece.data, max(end, at.end()))
    return found or None


def is_document(data: bytes) -> bool:
    """Whether all of the bytes are one JSON object or list."""
    try:
        return isinstance(json.loads(data), dict | list)
    except (ValueError, RecursionError):
        return False
