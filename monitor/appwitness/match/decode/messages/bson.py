"""Decoder of BSON, MongoDB's documents."""

from __future__ import annotations

import struct

from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder
from appwitness.match.decode.walk.reader import Broken, MessageReader, format_real

SKIPPED = {0x06: 0, 0x0A: 0, 0xFF: 0, 0x7F: 0, 0x08: 1, 0x13: 16}
"""Types that carry nothing to search -> the size of their values in bytes."""

OLD_UUID = b"\x03"
"""A UUID as each language's driver once wrote it: in Java's, the bytes of each half are reversed."""


class _Bson(MessageReader):
    def little(self, size: int, *, signed: bool = True) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def word(self) -> str:
        end = self.data.find(b"\0", self.pos)
        if end < 0:
            raise Broken
        raw = self.take(end - self.pos)
        self.pos += 1
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Broken from None

    def text(self, path: str) -> None:
        size = self.little(4)
        if size < 1:
            raise Broken
        self.chunk(size - 1, path, text=False)
        if self.take(1) != b"\0":
            raise Broken

    def document(self, path: str, level: int, *, is_list: bool = False) -> None:
        """Read one document; an array is a document with the keys 0, 1, 2 ..."""
        start = self.pos
        end = start + self.little(4)
        if level > 200 or not start + 5 <= end <= len(self.data):
            raise Broken
        while self.pos < end - 1:
            if len(self.found) > self.room.leaves_left:
                self.pos = end - 1
                break
            kind = self.integer(1)
            begin = self.pos
            key = self.word()
            here = f"{path}[{key}]" if is_list else child_path(path, key)
            if not is_list and (len(key) > 32 or not key.isascii() or any(char.isdigit() for char in key)):
                self.found.append(self.piece.part(self.step, begin, self.pos - 1, here))
            self.element(kind, here, level)
        if self.pos != end - 1 or self.take(1) != b"\0":
            raise Broken

    def element(self, kind: int, path: str, level: int) -> None:
        start = self.pos
        match kind:
            case 0x01:
                self.number(format_real(struct.unpack("<d", self.take(8))[0], wide=True), start, path)
            case 0x02 | 0x0D | 0x0E:
                self.text(path)
            case 0x03 | 0x04:
                self.document(path, level + 1, is_list=kind == 0x04)
            case 0x05:
                size = self.little(4, signed=False)
                kind_of_bytes = self.take(1)
                start = self.pos
                self.chunk(size, path, text=False)
                if kind_of_bytes == OLD_UUID and size == 16:
                    halves = (self.data[at : at + 8][::-1] for at in (start, start + 8))
                    turned = self.piece.turned(self.step, b"".join(halves), start, self.pos, path)
                    self.found.append(turned._replace(done=True))
            case 0x07:
                self.chunk(12, path, text=False)
            case 0x09 | 0x10 | 0x11 | 0x12:
                self.number(str(self.little(4 if kind == 0x10 else 8)), start, path)
            case 0x0B:
                self.word()
                self.word()
            case 0x0C:
                self.text(path)
                self.take(12)
            case 0x0F:
                self.take(4)
                self.text(path)
                self.document(path, level + 1)
            case _ if kind in SKIPPED:
                self.take(SKIPPED[kind])
            case _:
                raise Broken


@decoder(
    "bson",
    "binary",
    order=1000,
    guess=False,
    sieve="covered",
    seen_in="Realm; MongoDB's drivers",
    alone=True,
    structured=True,
)
@begins(rb".{3}[\x00-\x02][\x01-\x13\x7f\xff].*\x00\Z")
def bson(piece: UploadPiece, room: Room) -> Found:
    """BSON: one document, or several after each other, with nothing left over."""
    reader = _Bson(piece, "bson", room)
    documents = 0
    try:
        while reader.pos < len(reader.data):
            reader.document(f"{piece.path}[{documents}]" if documents or _follow(piece.data) else piece.path, 0)
            documents += 1
    except Broken:
        return None
    return reader.found or None


def _follow(data: bytes) -> bool:
    """Whether more follows the first document."""
    return int.from_bytes(data[:4], "little") < len(data)
