"""Decoders of Thrift's protocols, compact and binary, with a message header or as a bare structure."""

from __future__ import annotations

import re
import struct

from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, as_text, begins, decoder
from appwitness.match.decode.walk.reader import Broken, MessageReader, format_real

NAME = re.compile(r"[A-Za-z_][A-Za-z_.-]{0,31}")
KINDS = {2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8, 16: 16}
"""Types of the binary protocol that have a fixed size -> that size in bytes."""
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(1, 14)


class _Compact(MessageReader):
    fields = 0
    words = 0
    """Number of strings of four bytes or more that are text."""

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.integer(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Broken

    def zigzag(self) -> int:
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def structure(self, path: str, level: int) -> None:
        """Read fields up to the stop byte, under their numbers."""
        field = 0
        while head := self.integer(1):
            delta, kind = head >> 4, head & 15
            field = field + delta if delta else self.zigzag()
            if not 0 < field < 1 << 15 or len(self.found) > self.room.leaves_left:
                raise Broken
            self.fields += 1
            if kind not in (TRUE, FALSE):  # for these two, the type is the value
                self.item(kind, f"{path}.{field}", level)

    def item(self, kind: int, path: str, level: int) -> None:
        """Read one value of a known type."""
        self.enter(level, path)
        start = self.pos
        if kind in (TRUE, FALSE, BYTE):
            self.take(1)
        elif kind in (I16, I32, I64):
            self.number(str(self.zigzag()), start, path)
        elif kind == DOUBLE:
            self.number(format_real(struct.unpack("<d", self.take(8))[0], wide=True), start, path)
        elif kind == BINARY:
            raw = self.chunk(self.varint(), path, text=False)
            self.words += len(raw) >= 4 and as_text(raw) is not None
        elif kind in (LIST, SET):
            head = self.integer(1)
            self.items(head >> 4 if head < 0xF0 else self.varint(), head & 15, path, level)
        elif kind == MAP:
            count = self.varint()
            kinds = self.integer(1) if count else 0
            for index in range(self.possible(count)):
                name = self.key(kinds >> 4, f"{path}[{index}].key", level)
                self.item(kinds & 15, child_path(path, name) if name else f"{path}[{index}]", level + 1)
        elif kind == STRUCT:
            self.structure(path, level + 1)
        elif kind == UUID:
            self.chunk(16, path, text=False)
        else:
            raise Broken

    def key(self, kind: int, path: str, level: int) -> str:
        """Read a key of a map; returns it if it is a name and not data itself, else an empty string."""
        before = len(self.found)
        self.item(kind, path, level + 1)
        text = self.found[-1].data.decode("utf-8", "replace") if kind == BINARY and len(self.found) > before else ""
        if not NAME.fullmatch(text):
            return ""
        del self.found[before:]
        return text

    def items(self, count: int, kind: int, path: str, level: int) -> None:
        """Read the members of a list or a set."""
        for index in range(self.possible(count)):
            self.item(kind, f"{path}[{index}]", level + 1)

    def possible(self, count: int) -> int:
        """The count, if there is at least a byte for each member; else raises Broken."""
        if count > len(self.data) - self.pos:
            raise Broken
        return count


@decoder("thrift", "binary", order=1080, guess=False, sieve="covered", seen_in="LINE; Umeng Analytics", structured=True)
@begins(rb"(?:.{4})?\x82[\x21\x41\x61\x81]|[\x15-\x1c].*\x00\Z")
def compact(piece: UploadPiece, room: Room) -> Found:
    """Thrift compact: a message, framed or not; or a bare structure, if it ends where the bytes end and holds text."""
    data = piece.data
    reader = _Compact(piece, "thrift", room)
    framed = len(data) > 6 and data[4] == 0x82 and int.from_bytes(data[:4]) == len(data) - 4
    reader.pos = 4 if framed else 0
    named = data.startswith(b"\x82", reader.pos)
    try:
        if named:
            reader.take(2)
            reader.varint()
            if as_text(reader.take(reader.varint())) is None:
                return None
        reader.structure(piece.path, 0)
    except Broken:
        return None
    if reader.pos != len(data) or not (named or (reader.words and reader.fields > 1)):
        return None
    return reader.found or None


class _ThriftBinary(MessageReader):
    fields = 0
    words = 0
    """Number of strings of four bytes or more that are text."""
    reals = 0
    """Number of floating-point numbers of a usual magnitude."""

    def structure(self, path: str, level: int) -> None:
        """Read fields up to the stop byte, under their numbers."""
        while kind := self.integer(1):
            field = self.integer(2)
            if not 0 < field < 1 << 15 or len(self.found) > self.room.leaves_left:
                raise Broken
            self.fields += 1
            self.item(kind, f"{path}.{field}", level)

    def item(self, kind: int, path: str, level: int) -> bytes:
        """Read one value of a known type; returns its bytes if it is a string."""
        self.enter(level, path)
        start = self.pos
        if kind in KINDS:
            raw = self.take(KINDS[kind])
            if kind == 4:
                real = struct.unpack(">d", raw)[0]
                self.reals += 1e-6 < abs(real) < 1e9
                self.number(format_real(real, wide=True), start, path)
            elif kind == 16:
                self.found.append(self.piece.part(self.step, start, self.pos, path))
            elif kind > 4:
                self.number(str(int.from_bytes(raw, signed=True)), start, path)
        elif kind == 11:
            raw = self.chunk(self.integer(4), path, text=False)
            self.words += len(raw) >= 4 and as_text(raw) is not None
            return raw
        elif kind == 12:
            self.structure(path, level + 1)
        elif kind == 13:
            self.pairs(path, level)
        elif kind in (14, 15):
            of = self.integer(1)
            for index in range(self.possible(self.integer(4))):
                self.item(of, f"{path}[{index}]", level + 1)
        else:
            raise Broken
        return b""

    def pairs(self, path: str, level: int) -> None:
        """Read the members of a map, under their keys if those are names."""
        of_keys, of_values = self.integer(1), self.integer(1)
        for index in range(self.possible(self.integer(4))):
            before = len(self.found)
            name = self.item(of_keys, f"{path}[{index}].key", level + 1).decode("utf-8", "replace")
            if NAME.fullmatch(name):
                del self.found[before:]
            self.item(of_values, child_path(path, name) if NAME.fullmatch(name) else f"{path}[{index}]", level + 1)

    def possible(self, count: int) -> int:
        """The count, if there is at least a byte for each member; else raises Broken."""
        if count > len(self.data) - self.pos:
            raise Broken
        return count


@decoder("thrift", "binary", order=1090, guess=False, sieve="covered", seen_in="Evernote", structured=True)
@begins(rb"(?:.{4})?\x80\x01\x00[\x01-\x04]|[\x02-\x04\x06\x08\x0a-\x0f]\x00.*\x00\Z")
def binary(piece: UploadPiece, room: Room) -> Found:
    """Thrift's binary protocol: a message, framed or not; or a bare structure, if it ends where the bytes end and
    holds text, or two floating-point numbers."""
    data = piece.data
    reader = _ThriftBinary(piece, "thrift", room)
    framed = len(data) > 8 and data[4:7] == b"\x80\x01\x00" and int.from_bytes(data[:4]) == len(data) - 4
    reader.pos = 4 if framed else 0
    named = data.startswith(b"\x80\x01\x00", reader.pos)
    try:
        if named:
            reader.take(4)
            if as_text(reader.take(reader.integer(4))) is None:
                return None
            reader.take(4)
        reader.structure(piece.path, 0)
    except Broken:
        return None
    if reader.pos != len(data) or not (named or (reader.words and reader.fields > 1) or reader.reals > 1):
        return None
    return reader.found or None
