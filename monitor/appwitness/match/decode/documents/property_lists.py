"""Decoders of Apple's property lists, binary and XML, which cross-platform SDKs send from Android too."""

from __future__ import annotations

import binascii
import re
import struct

from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder
from appwitness.match.decode.walk.reader import Broken, format_real, number

TOKEN = re.compile(
    rb"<key>([^<]*)</key>|<(string|integer|real|date|data)>([^<]*)</\2>|<(/)?(?:dict|array)\s*(/)?>|<(?:true|false)\s*/>"
)
DATE_EPOCH_S = 978_307_200
"""2001-01-01, the epoch of property lists."""


class _BinaryList:
    """The objects of one binary property list."""

    def __init__(self, piece: UploadPiece, room: Room) -> None:
        self.piece = piece
        self.room = room
        data = self.data = piece.data
        if len(data) < 40:
            raise Broken
        width, self.ref, count, self.top, table = struct.unpack(">6xBBQQQ", data[-32:])
        if not 1 <= width <= 8 or not 1 <= self.ref <= 8 or not 8 <= table <= len(data) - 32:
            raise Broken
        if count * width > len(data) - 32 - table:
            raise Broken
        self.places = [int.from_bytes(data[table + i * width : table + (i + 1) * width]) for i in range(count)]
        self.end = table
        self.found: list[UploadPiece] = []
        self.left = 4 * len(data)  # visits: a list may name one object many times

    def span(self, which: int) -> tuple[int, int, int, int]:
        """Kind, count, first byte of the content and first byte of the object."""
        if which >= len(self.places) or not 8 <= self.places[which] < self.end:
            raise Broken
        start = at = self.places[which]
        kind, count = self.data[at] >> 4, self.data[at] & 15
        at += 1
        if count == 15 and kind > 3:
            width = 1 << (self.data[at] & 15)
            if self.data[at] >> 4 != 1 or width > 8:
                raise Broken
            count = int.from_bytes(self.data[at + 1 : at + 1 + width])
            at += 1 + width
        if count > self.end - at and kind > 3:
            raise Broken
        return kind, count, at, start

    def text(self, which: int) -> str:
        kind, count, at, _ = self.span(which)
        if kind == 5:
            return self.data[at : at + count].decode("latin-1")
        return self.data[at : at + 2 * count].decode("utf-16be", "replace") if kind == 6 else ""

    def refs(self, at: int, count: int) -> list[int]:
        if at + count * self.ref > self.end:
            raise Broken
        return [int.from_bytes(self.data[i : i + self.ref]) for i in range(at, at + count * self.ref, self.ref)]

    def value(self, which: int, path: str, level: int) -> None:
        if not self.goes_on(path, level):
            return
        kind, count, at, start = self.span(which)
        match kind:
            case 1 | 2 | 3:
                self.number(kind, self.data[at : at + (1 << count)], at + (1 << count), start, path)
            case 4 | 5 | 7:
                if count:
                    self.found.append(self.piece.part("plist", at, at + count, path))
            case 6:
                text = self.data[at : at + 2 * count].decode("utf-16be", "replace").encode("utf-8", "replace")
                if text and self.room.take(len(text), self.piece, "plist"):
                    self.found.append(self.piece.turned("plist", text, at, min(at + 2 * count, self.end), path))
            case 10 | 11 | 12:
                for index, ref in enumerate(self.refs(at, count)):
                    self.value(ref, f"{path}[{index}]", level + 1)
            case 13:
                refs = self.refs(at, 2 * count)
                for key, ref in zip(refs[:count], refs[count:], strict=True):
                    name = self.text(key)
                    if len(name) > 32 or not name.isascii() or any(char.isdigit() for char in name):
                        self.value(key, child_path(path, name), level + 1)
                    self.value(ref, child_path(path, name), level + 1)
            case _:
                pass

    def goes_on(self, path: str, level: int) -> bool:
        """Whether one more object may be read at this depth."""
        self.left -= 1
        if self.left < 0 or len(self.found) > self.room.leaves_left:
            self.room.stop(f"plist at {path}: more objects than the list is long")
            return False
        if level > self.room.limits.nesting // 2:
            self.room.stop(f"plist at {path}: nested deeper than {self.room.limits.nesting // 2}")
            return False
        return True

    def number(self, kind: int, raw: bytes, end: int, start: int, path: str) -> None:
        if kind == 1 and len(raw) <= WIDEST:
            text = str(int.from_bytes(raw, signed=len(raw) >= 8))
        elif kind != 1 and len(raw) in (4, 8):
            wide = len(raw) == 8
            real = struct.unpack(">d" if wide else ">f", raw)[0]
            text = format_real(real + DATE_EPOCH_S if kind == 3 else real, wide=wide)
        else:
            raise Broken
        if len(text) > 4:
            self.found.append(number(self.piece, "plist", text, start, end, path))


WIDEST = 16
"""Maximum bytes of an integer."""


@decoder(
    "plist",
    "binary",
    order=430,
    guess=False,
    sieve="covered",
    seen_in="Apple Music for Android",
    alone=True,
    structured=True,
)
@begins(rb"bplist0")
def binary_list(piece: UploadPiece, room: Room) -> Found:
    """Binary property lists, including those that NSKeyedArchiver writes."""
    try:
        reader = _BinaryList(piece, room)
        reader.value(reader.top, piece.path, 0)
    except (Broken, IndexError):
        return None
    return reader.found or None


@decoder(
    "plist",
    "text",
    order=440,
    guess=False,
    sieve="covered",
    seen_in="Apple Music for Android",
    alone=True,
    structured=True,
)
@begins(rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!DOCTYPE\s+plist[^>]{0,300}>\s*)?<plist\b[^>]{0,100}>")
def xml_list(piece: UploadPiece, room: Room) -> Found:
    """XML property lists: each value is under its key instead of the names of its elements."""
    if b"<![CDATA[" in piece.data:  # leave it to the decoder of XML
        return None
    found: list[UploadPiece] = []
    outer: list[tuple[str, int]] = []
    path, index, key = piece.path, -1, ""
    for token in TOKEN.finditer(piece.data):
        if token[1] is not None:
            key = token[1].decode("utf-8", "replace")
            if len(key) > 32 or not key.isascii() or any(char.isdigit() for char in key):
                found.append(piece.part("plist", *token.span(1), child_path(path, key)))
            continue
        if token[4]:
            if not outer:
                break
            path, index = outer.pop()
            key = ""
            continue
        index += 1
        here = child_path(path, key) if key else f"{path}[{index}]" if outer else path
        key = ""
        kind, raw = token[2], token[3]
        if kind is None:
            if token[5] or (b"dict" not in token[0] and b"array" not in token[0]):
                continue
            if len(outer) >= room.limits.nesting:
                room.stop(f"plist at {here}: nested deeper than {room.limits.nesting}")
                break
            outer.append((path, index))
            path, index = here, -1
        elif raw:
            found += _held(piece, token, here, room)
        if len(found) > room.leaves_left:
            break
    return found or None


def _held(piece: UploadPiece, token: re.Match[bytes], path: str, room: Room) -> list[UploadPiece]:
    """The piece of an XML value, with bytes decoded from base64."""
    if token[2] != b"data":
        return [piece.part("plist", *token.span(3), path)]
    try:
        data = binascii.a2b_base64(token[3])
    except binascii.Error:
        return []
    return [piece.turned("plist", data, *token.span(3), path)] if data and room.take(len(data), piece, "plist") else []
