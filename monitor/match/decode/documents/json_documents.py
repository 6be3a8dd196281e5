"""Decoder of JSON in any shape that is really sent: one document, many, cut short, wrapped, or inside other text."""

from __future__ import annotations

import json
import re

from monitor.match.decode.letters.backslashes import unescape
from monitor.match.decode.walk.paths import child_path
from monitor.match.decode.walk.pieces import Found, Piece, Room, begins, decoder, holds

TOKEN = re.compile(
    rb"""[\s,:]*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"|([{}\[\]])|'([^'\\]*+(?:\\.[^'\\]*+)*+)'(?=\s*[,:\]}])|"""
    rb"""([^\s,:\[\]{}"]++)|("))""",
    re.DOTALL,
)
"""A string's inside, a bracket, the inside of a string in single quotes, a number or word, or the quote of a string
that never ends."""
TELLING_KEY = re.compile(rb"[^\x00-\x7f]|\d{5}|[@+%{=: ]|[0-9a-fA-F]{8}|.{33}")
"""Keys that may themselves be data: a map from phone number to name, a form whose key is a document."""
STRINGS = (1, 3)
REAL = re.compile(rb"[0-9]{7,}\.0+\Z|[eE]\+?[0-9]{1,2}\Z|^-?[0-9]{17,}\Z")
"""Numbers that stand for others, such as 1.3800138E10, or for a digest."""
ASSIGNED = re.compile(rb"\{\s*[\w-]+\s*=")
"""How a map is printed by Java, or by Objective-C, whose values would be taken for keys."""
DOCUMENT = re.compile(rb"\s*(?:\)\]\}'?,?\s*)?(?:\{\s*[\"}\w]|\[\s*(?:[\"{\[\]\d-]|true|false|null))", re.DOTALL)
"""How a document begins."""
PREFIX = re.compile(rb"\s*(?:\)\]\}'?,?\s*)?")
BYTE_MAP = re.compile(rb'\{\s*"0"\s*:\s*-?\d{1,3}(?:\s*,\s*"\d{1,4}"\s*:\s*-?\d{1,3}){5,}\s*\}')
BYTE_ARRAY = re.compile(rb"\[(\s*-?\d{1,3}(?:\s*,\s*-?\d{1,3}){5,})\s*\]")
NEXT = re.compile(rb"[\s,\x00\x1e]*")
CLOSING = frozenset((b"}", b"]"))
WORDS = frozenset((b"null", b"undefined", b"NaN"))
"""Words that say nothing; true and false are leaves: an app's claim of consent may be one."""
ANYWHERE = re.compile(rb'\{\s*"|\[\s*[{"]')


def _key(raw: bytes) -> str:
    return (unescape(raw) if b"\\" in raw else raw).decode("utf-8", "replace")


def _document(piece: Piece, pos: int, root: str, room: Room, found: list[Piece]) -> tuple[int, bool]:
    """Take apart the document at `pos`, append its pieces; the position after it, and whether it was whole."""
    data, decoding = piece.data, (*piece.decoding, "json")
    exact, base, base_end = piece.exact, piece.start, piece.end
    outer: list[tuple[bool, str, int]] = []
    is_object, prefix, index = False, root, -1
    member: str | None = None
    suffixes: dict[bytes, str] = {}
    end = pos
    for token in TOKEN.finditer(data, pos):
        kind = token.lastindex
        end = token.end()
        mark = token[2]
        if mark in CLOSING:
            if not outer:
                return end, False
            is_object, prefix, index = outer.pop()
            member = None
            if not outer:
                return end, True
            continue
        if is_object and member is None and mark is None:
            raw = token[kind] if kind in STRINGS else token[4] or b""
            suffix = suffixes.get(raw)
            if suffix is None:
                suffix = suffixes[raw] = child_path("", _key(raw))
                if TELLING_KEY.search(raw):
                    found.append(piece.part("json", *token.span(kind or 0), path=prefix + suffix))
            member = suffix
            continue
        if not outer:
            path = root
        elif is_object:
            path = prefix + (member if member is not None else ".?")
            member = None
        else:
            index += 1
            path = f"{prefix}[{index}]"
        if kind == 2:
            if len(outer) >= room.limits.nesting:
                room.stop(f"json at {piece.path}: nested deeper than {room.limits.nesting}")
                return len(data), True
            if mark == b"[" and (array := BYTE_ARRAY.match(data, end - 1)):
                found.extend(_bytes_of(piece._replace(decoding=decoding), array, path, room))
            outer.append((is_object, prefix, index))
            is_object, prefix, index = mark == b"{", path, -1
            continue
        if kind == 5:
            start, end = end, len(data)
            raw = data[start:]
        else:
            start = token.start(kind or 0)
            raw = token[kind or 0]
            if kind == 4 and raw in WORDS:
                raw = b""
        if raw:
            stop = start + len(raw)
            if kind != 4 and b"\\" in raw:
                if room.take(len(raw), piece, "json"):
                    found.append(piece.turned("json", unescape(raw), start, stop, path))
            elif exact:
                found.append(
                    Piece(raw, path, decoding, base + start, base + stop, True, "", kind == 4 and not REAL.search(raw))
                )
            else:
                found.append(Piece(raw, path, decoding, base, base_end, False, "", kind == 4 and not REAL.search(raw)))
            if len(found) > room.leaves_left:
                return len(data), True
        if kind == 5:  # all that follows is in it
            return end, not outer
        if not outer:
            return end, True
    return end, not outer


def _bytes_of(piece: Piece, array: re.Match[bytes], path: str, room: Room) -> list[Piece]:
    numbers = [int(number) for number in array[1].split(b",")]
    if min(numbers) < -128 or max(numbers) > 255 or not room.take(len(numbers), piece, "byte array"):
        return []
    return [piece.turned("byte array", bytes(n & 255 for n in numbers), *array.span(), path)]


def lists_of_bytes(piece: Piece, room: Room) -> list[Piece]:
    """Bytes as lists of numbers, signed as Java writes them or not, wherever they stand."""
    return [one for array in BYTE_ARRAY.finditer(piece.data) for one in _bytes_of(piece, array, piece.path, room)]


@decoder("byte array", "text", order=290, guess=False, sieve="covered", seen_in="Gson, of a byte[]")
@holds(rb"\[\s*-?\d{1,3}(?:\s*,\s*-?\d{1,3}){5}")
def byte_array(piece: Piece, room: Room) -> Found:
    """The same in what is no document, whose lists are read with it, each where it is."""
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
def byte_map(piece: Piece, room: Room) -> Found:
    """Bytes as an object of numbers, as JSON.stringify writes a typed array."""
    found: list[Piece] = []
    for made in BYTE_MAP.finditer(piece.data):
        numbers = [int(number) for number in re.findall(rb":\s*(-?\d{1,3})", made[0])]
        if min(numbers) >= -128 and max(numbers) <= 255 and room.take(len(numbers), piece, "byte map"):
            found.append(piece.turned("byte map", bytes(n & 255 for n in numbers), *made.span()))
    return found or None


def _begins_at(data: bytes) -> int | None:
    """Where a document begins in what looks like one; None where it has no key at all, or is a map of another kind."""
    if data[:1] == b"{" and b'"' not in data and b":" not in data and b"'" not in data:
        return None
    start = PREFIX.match(data).end()  # type: ignore[union-attr]  # it matches nothing as well
    return None if ASSIGNED.match(data, start) else start


@decoder("json", "text", order=310, guess=False, sieve="covered", seen_in="nearly all SDKs", alone=True)
@begins(DOCUMENT.pattern)
def document(piece: Piece, room: Room) -> Found:
    """JSON: one document, several (NDJSON or glued), cut short, behind the guard `)]}'`."""
    data = piece.data
    start = _begins_at(data)
    if start is None:
        return None
    found: list[Piece] = []
    end, _ = _document(piece, start, piece.path, room, found)
    if len(data) < 100 and b'"' not in data:  # `[2001:db8::1]:80` is no list
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
            end, _ = _document(piece, next_one, f"{piece.path}[{number}]", room, found)
        number += 1
        next_one = NEXT.match(data, end).end()  # type: ignore[union-attr]
        if len(found) > room.leaves_left:
            break
    return found or None


@decoder("json string", "text", order=320, guess=False, sieve="covered", seen_in="Retrofit, of a String", alone=True)
@begins(rb'\s*"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*$')
def string(piece: Piece, room: Room) -> Found:
    """A document that is one JSON string."""
    found: list[Piece] = []
    _document(piece, 0, piece.path, room, found)
    return found or None


@decoder("json inside", "text", order=330, guess=False, sieve="covered", seen_in="callbacks of JSONP; Android's log")
@holds(rb"\{\s*\"|\[\s*[{\"]")
def inside(piece: Piece, room: Room) -> Found:
    """Documents inside other text: log lines, callbacks, fragments glued together."""
    found: list[Piece] = []
    at = ANYWHERE.search(piece.data, 1)
    while at and len(found) < room.leaves_left:
        end, whole = _document(piece, at.start(), piece.path, room, found)
        if not whole:
            break
        at = ANYWHERE.search(piece.data, max(end, at.end()))
    return found or None


def is_document(data: bytes) -> bool:
    """Whether bytes are JSON, all of them, and an object or a list."""
    try:
        return isinstance(json.loads(data), dict | list)
    except (ValueError, RecursionError):
        return False
