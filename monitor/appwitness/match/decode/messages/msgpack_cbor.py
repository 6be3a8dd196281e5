"""Decoders of the self-describing binary formats MessagePack and CBOR."""

from __future__ import annotations

import struct

from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder
from appwitness.match.decode.walk.reader import Broken, MessageReader, format_real


class _MessagePack(MessageReader):
    def value(self, path: str, level: int) -> bytes | int | float | None:
        start = self.pos
        head = self.integer(1)
        if head <= 0x7F or head >= 0xE0:
            return head if head <= 0x7F else head - 256
        if head <= 0x9F:
            return self.many(head & 15, path, level, pairs=head <= 0x8F)
        if head <= 0xBF:
            return self.chunk(head & 31, path, text=True)
        match head:
            case 0xC0 | 0xC2 | 0xC3:
                return None
            case 0xC4 | 0xC5 | 0xC6:
                return self.chunk(self.integer(1 << (head - 0xC4)), path, text=False)
            case 0xC7 | 0xC8 | 0xC9 | 0xD4 | 0xD5 | 0xD6 | 0xD7 | 0xD8:
                size = self.integer(1 << (head - 0xC7)) if head <= 0xC9 else 1 << (head - 0xD4)
                self.take(1)
                return self.chunk(size, path, text=False)
            case 0xCA | 0xCB:
                wide = head == 0xCB
                real: float = struct.unpack(">d" if wide else ">f", self.take(8 if wide else 4))[0]
                self.number(format_real(real, wide=wide), start, path)
                return real
            case 0xCC | 0xCD | 0xCE | 0xCF | 0xD0 | 0xD1 | 0xD2 | 0xD3:
                whole = int.from_bytes(self.take(1 << (head & 3)), signed=head >= 0xD0)
                self.number(str(whole), start, path)
                return whole
            case 0xD9 | 0xDA | 0xDB:
                return self.chunk(self.integer(1 << (head - 0xD9)), path, text=True)
            case 0xDC | 0xDD | 0xDE | 0xDF:
                return self.many(self.integer(2 << (head & 1)), path, level, pairs=head >= 0xDE)
            case _:
                raise Broken


EMBEDDED = 24
"""The tag of bytes that are CBOR themselves."""


class _Cbor(MessageReader):
    def value(self, path: str, level: int) -> bytes | int | float | None:
        start = self.pos
        head = self.integer(1)
        major, info = head >> 5, head & 31
        self.enter(level, path)
        if info == 31 and major in (2, 3, 4, 5):
            return self.open_ended(major, path, level)
        if info < 24:
            argument = info
        elif info < 28:
            argument = self.integer(1 << (info - 24))
        else:
            raise Broken
        match major:
            case 0 | 1:
                whole = argument if major == 0 else -1 - argument
                self.number(str(whole), start, path)
                return whole
            case 2 | 3:
                return self.chunk(argument, path, text=major == 3)
            case 4 | 5:
                return self.many(argument, path, level, pairs=major == 5)
            case 6:
                self.containers += argument == EMBEDDED
                return self.fraction(path) if argument == 4 else self.value(path, level + 1)
            case _:
                return self.simple(info, argument, start, path)

    def fraction(self, path: str) -> float:
        """Read a decimal fraction: an array of the exponent and the digits."""
        start, before = self.pos, len(self.found)
        if self.integer(1) != 0x82:
            raise Broken
        power, digits = self.value(path, 0), self.value(path, 0)
        if not isinstance(power, int) or not isinstance(digits, int) or not -20 < power < 20:
            raise Broken
        del self.found[before:]
        real = float(f"{digits}e{power}")
        self.number(f"{real:.{max(0, -power)}f}", start, path)
        return real

    def simple(self, info: int, argument: int, start: int, path: str) -> float | None:
        if info < 25:
            if info < 20:
                raise Broken
            return None
        raw = argument.to_bytes(1 << (info - 24))
        real: float = struct.unpack({25: ">e", 26: ">f", 27: ">d"}[info], raw)[0]
        self.number(format_real(real, wide=info == 27), start, path)
        return real

    def open_ended(self, major: int, path: str, level: int) -> bytes | int | float | None:
        if major < 4:
            return self.joined(major, path, level)
        self.containers += 1
        index = 0
        while self.data[self.pos : self.pos + 1] != b"\xff":
            if self.pos >= len(self.data):
                raise Broken
            self.member(index, path, level, pairs=major == 5)
            index += 1
        self.pos += 1
        return None

    def joined(self, major: int, path: str, level: int) -> bytes:
        """Read a string in several chunks."""
        start, before = self.pos, len(self.found)
        chunks: list[bytes] = []
        while self.data[self.pos : self.pos + 1] != b"\xff":
            chunk = self.value(path, level + 1)
            if not isinstance(chunk, bytes):
                raise Broken
            chunks.append(chunk)
        self.pos += 1
        del self.found[before:]
        whole = b"".join(chunks)
        if whole and self.room.take(len(whole), self.piece, self.step):
            self.found.append(self.piece.turned(self.step, whole, start, self.pos, path))
        return whole


def _self_describing(reader: MessageReader) -> Found:
    data = reader.data
    documents = 0
    try:
        while reader.pos < len(data):
            path = reader.piece.path if not documents else f"{reader.piece.path}[{documents}]"
            reader.value(path, 0)
            documents += 1
            if len(reader.found) > reader.room.leaves_left:
                return reader.found
    except (Broken, RecursionError, OverflowError):
        return None
    return reader.found if reader.containers and documents < 1 + reader.containers * 2 else None


@decoder(
    "msgpack", "binary", order=1060, guess=False, sieve="covered", seen_in="Ably; Fluentd's loggers", structured=True
)
@begins(rb"[\x80-\x9f\xdc-\xdf]")
def msgpack(piece: UploadPiece, room: Room) -> Found:
    """MessagePack; the outermost value must be a map or an array, and nothing may be left over."""
    return _self_describing(_MessagePack(piece, "msgpack", room))


@decoder("cbor", "binary", order=1070, guess=False, sieve="covered", seen_in="FIDO2 for Android", structured=True)
@begins(rb"[\x80-\xbf\xc6-\xdb]")
def cbor(piece: UploadPiece, room: Room) -> Found:
    """CBOR; the outermost value must be a map or an array, tagged or not, and nothing may be left over."""
    return _self_describing(_Cbor(piece, "cbor", room))
