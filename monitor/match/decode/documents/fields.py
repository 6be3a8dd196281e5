"""Decoder of what was cut into pieces that stand in fields of a document one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.match.decode.documents.json_documents import is_document
from monitor.match.decode.letters.backslashes import unescape
from monitor.match.decode.walk.pieces import Found, Piece, Room, decoder, holds

MEMBER = re.compile(rb'"((?:[^"\\]|\\.){0,64})"\s*:\s*"((?:[^"\\]|\\.)*)"')
LIST = re.compile(rb'\[\s*"[^"\\]{8,}"(?:\s*,\s*"[^"\\]+")+\s*\]')
ENTRY = re.compile(rb'"([^"\\]+)"')
NEXT = re.compile(rb"\s*,\s*")
NUMBERED = re.compile(rb"(.*?)_?([0-9]{1,3})")
OPENED = re.compile(rb"\s*(?:\{\s*\"|\[\s*[{\[\"])")
LETTERS = re.compile(rb"(?=[A-Za-z+/_-]*[0-9])[A-Za-z0-9+/_-]+={0,2}")
LEAST = 24
"""Letters of base64 or hex that say something together."""
PIECES = 64
"""Pieces of which a whole is put together at most."""

_Part = tuple[bytes, bytes, int, int]
"""Key, text, where it begins, where it ends."""


# before documents, which are not looked at any further
@decoder("fields", "text", order=60, guess=False, sieve="header", seen_in="ASP.NET's cookies, cut at 4 kB")
@holds(rb"\"[A-Za-z_.-]*[0-9]{1,3}\"\s*:\s*\"|:\s*\"\s*[{\[]|\[\s*\"[A-Za-z0-9+/_-]{8}")
def joined(piece: Piece, room: Room) -> Found:
    """A document or letters of base64 or hex, cut into fields with numbers, or into the entries of a list."""
    found = []
    for text, start, end in (*_members(piece.data), *_lists(piece.data)):
        if room.take(len(text), piece, "fields"):
            found.append(piece.turned("fields", text, start, end))
    return found or None


def _members(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    row: list[_Part] = []
    for member in MEMBER.finditer(data):
        if row and not NEXT.fullmatch(data, row[-1][3], member.start()):
            yield from _wholes(row)
            row = []
        row.append((member[1], unescape(member[2]), *member.span()))
    yield from _wholes(row)


def _wholes(row: list[_Part]) -> Iterator[tuple[bytes, int, int]]:
    """What members of an object that stand side by side may be together."""
    at = 0
    while at < len(row) - 1:
        end = _end_of_document(row, at) if OPENED.match(row[at][1]) else _end_of_numbers(row, at)
        if end:
            yield b"".join(text for _, text, _, _ in row[at:end]), row[at][2], row[end - 1][3]
        at = end or at + 1


def _end_of_document(row: list[_Part], first: int) -> int:
    whole = row[first][1]
    if is_document(whole):
        return 0
    for at in range(first + 1, min(len(row), first + PIECES)):
        whole += row[at][1]
        if whole[-1:] in (b"}", b"]") and is_document(whole):
            return at + 1
    return 0


def _end_of_numbers(row: list[_Part], first: int) -> int:
    """Behind the last of fields whose keys differ in a number only, where all are letters of base64 or hex."""
    key = NUMBERED.fullmatch(row[first][0])
    if not key:
        return 0
    at = first + 1
    while at < len(row) and (other := NUMBERED.fullmatch(row[at][0])) and other[1] == key[1]:
        if int(other[2]) != int(key[2]) + at - first:
            break
        at += 1
    whole = b"".join(text for _, text, _, _ in row[first:at])
    return at if at > first + 1 and len(whole) >= LEAST and LETTERS.fullmatch(whole) else 0


def _lists(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    for one in LIST.finditer(data):
        entries = ENTRY.findall(one[0])
        whole, sizes = b"".join(entries), {len(entry) for entry in entries[:-1]}
        if len(sizes) == 1 and len(entries[-1]) <= max(sizes) and len(whole) >= LEAST and LETTERS.fullmatch(whole):
            yield whole, *one.span()
