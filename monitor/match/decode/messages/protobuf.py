"""Decoders of binary messages: protobuf without a schema, MessagePack, CBOR, gRPC frames."""

from __future__ import annotations

import re
import struct

from monitor.match.decode.walk.pieces import Found, Piece, Room, as_text, decoder
from monitor.match.decode.walk.reader import Broken, Reader, format_real, number

SIGNATURE = re.compile(
    rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|BZh[1-9]1AY&SY|\xfd7zXZ\x00|PK\x03\x04|\x78[\x01\x5e\x9c\xda]|"
    rb"\x04\x22\x4d\x18|LZ4Block|\xff\x06\x00\x00sNaPpY|\x82SNAPPY\x00|bplist00|SQLite format 3\x00"
)
"""Beginnings of other formats, which may look like a message by chance."""
HIGHEST_FIELD = 1000
"""What begins with a field of a higher number may be something else: maps of CBOR look like that."""


# --- protobuf ---


def _varint(data: bytes, pos: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while pos < end and shift < 70:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7
    raise Broken


def _message(piece: Piece, start: int, end: int, path: str, level: int, room: Room, found: list[Piece]) -> None:
    """The fields of one message; raises Broken when the bytes are none."""
    data = piece.data
    pos = start
    seen: dict[int, int] = {}
    groups: list[tuple[int, str]] = []
    while pos < end:
        tag, pos = _varint(data, pos, end)
        field, wire = tag >> 3, tag & 7
        if not 0 < field < 1 << 21:
            raise Broken
        if wire == 4:
            number_, path = groups.pop() if groups else (0, path)
            if number_ != field:
                raise Broken
            continue
        times = seen[field] = seen.get(field, -1) + 1
        here = f"{path}.{field}" if not times else f"{path}.{field}[{times}]"
        begin = pos
        if wire == 0:
            value, pos = _varint(data, pos, end)
            if value >= 1 << 64:
                raise Broken
            _integers(piece, value, begin, pos, here, found)
        elif wire == 1:
            pos += 8
            if pos > end:
                raise Broken
            _fixed(piece, data[begin:pos], begin, pos, here, found)
        elif wire == 5:
            pos += 4
            if pos > end:
                raise Broken
            _fixed(piece, data[begin:pos], begin, pos, here, found)
        elif wire == 2:
            size, pos = _varint(data, pos, end)
            begin, pos = pos, pos + size
            if pos > end:
                raise Broken
            _bytes(piece, begin, pos, here, level, room, found)
        elif wire == 3 and len(groups) < 60:
            groups.append((field, path))
            path = here
        else:
            raise Broken
        if len(found) > room.leaves_left:
            return
    if groups:
        raise Broken


def _integers(piece: Piece, value: int, start: int, end: int, path: str, found: list[Piece]) -> None:
    if value >= 1 << 63:
        found.append(number(piece, "protobuf", str(value - (1 << 64)), start, end, path))
    elif value >= 10_000:
        found.append(number(piece, "protobuf", str(value), start, end, path))
        found.append(number(piece, "protobuf", str((value >> 1) ^ -(value & 1)), start, end, path))


def _fixed(piece: Piece, raw: bytes, start: int, end: int, path: str, found: list[Piece]) -> None:
    wide = len(raw) == 8
    real = struct.unpack("<d" if wide else "<f", raw)[0]
    whole = int.from_bytes(raw, "little")
    if real == real and 1e-6 < abs(real) < 1e15:  # noqa: PLR0124  (NaN)
        found.append(number(piece, "protobuf", format_real(real, wide=wide), start, end, path))
    if whole >= 10_000:
        found.append(number(piece, "protobuf", str(whole), start, end, path))
        if whole >> (8 * len(raw) - 1):
            found.append(number(piece, "protobuf", str(whole - (1 << 8 * len(raw))), start, end, path))


def _bytes(piece: Piece, start: int, end: int, path: str, level: int, room: Room, found: list[Piece]) -> None:
    if start == end:
        return
    raw = piece.data[start:end]
    text = as_text(raw)
    inner: list[Piece] = []
    if level < 60 and (text is None or raw[0] < 0x20) and not SIGNATURE.match(raw) and not _is_bson(raw):
        try:
            _message(piece, start, end, path, level + 1, room, inner)
        except Broken:
            inner = []
    elif level >= 60:
        room.stop(f"protobuf at {path}: nested deeper than 60")
    if inner:
        found.extend(inner)
        if _varint(raw, 0, len(raw))[0] >> 3 > HIGHEST_FIELD:
            found.append(piece.part("protobuf", start, end, path))
        elif text is None and len(raw) <= 64:  # a digest or an id may look like a message
            found.append(piece.part("protobuf", start, end, path)._replace(done=True))
        return
    found.append(piece.part("protobuf", start, end, path))
    if text is None:
        _packed(piece, raw, start, end, path, found)


def _is_bson(raw: bytes) -> bool:
    return len(raw) > 8 and raw[-1] == 0 and int.from_bytes(raw[:4], "little") == len(raw)


def _packed(piece: Piece, raw: bytes, start: int, end: int, path: str, found: list[Piece]) -> None:
    """Repeated numbers without tags: doubles, floats, varints."""
    size = len(raw)
    if size <= 256:
        _varints(piece, raw, start, path, found)
    for form, width in (("d", 8), ("f", 4)):
        if size % width or not width < size <= 4096:
            continue
        reals = struct.unpack(f"<{size // width}{form}", raw)
        if all(real == real and 1e-3 < abs(real) < 1e7 for real in reals):  # noqa: PLR0124
            for i, real in enumerate(reals):
                text = format_real(real, wide=width == 8)
                at = start + i * width
                found.append(number(piece, "protobuf", text, at, at + width, f"{path}[{i}]"))


def _varints(piece: Piece, raw: bytes, start: int, path: str, found: list[Piece]) -> None:
    """Large numbers, all of them: small ones are in bytes of any kind."""
    numbers: list[tuple[int, int, int]] = []
    at = 0
    while at < len(raw):
        begin = at
        try:
            value, at = _varint(raw, at, len(raw))
        except Broken:
            return
        if not 10_000 <= value < 1 << 64:
            return
        numbers.append((value, begin, at))
    if len(numbers) < 2:
        return
    for i, (value, begin, end) in enumerate(numbers):
        _integers(piece, value, start + begin, start + end, f"{path}[{i}]", found)


@decoder("grpc", "binary", rb"[\x00\x01]\x00?.{3}.")
def grpc(piece: Piece, room: Room) -> Found:
    """gRPC's length-prefixed messages."""
    data = piece.data
    found: list[Piece] = []
    pos = 0
    while pos < len(data):
        if pos + 5 > len(data) or data[pos] > 1:
            return None
        size = int.from_bytes(data[pos + 1 : pos + 5])
        if not size or pos + 5 + size > len(data):
            return None
        found.append(piece.part("grpc", pos + 5, pos + 5 + size, f"{piece.path}[{len(found)}]"))
        pos += 5 + size
    return found if len(found) > 1 else [found[0]._replace(path=piece.path)]


@decoder("protobuf", "binary", alone=False)
def protobuf(piece: Piece, room: Room) -> Found:
    """Protocol Buffers' wire format, fields under their numbers: `$.2.1`."""
    if len(piece.data) < 2:
        return None
    found: list[Piece] = []
    try:
        _message(piece, 0, len(piece.data), piece.path, 0, room, found)
    except Broken:
        return _beginning(piece, room) if len(piece.data) > 8 else None
    return found or None


def _beginning(piece: Piece, room: Room) -> Found:
    """A message of which the first bytes are something else: a length, a frame's head."""
    for skip in (1, 2, 4, 8):
        found: list[Piece] = []
        size = piece.data[:skip]
        if len(piece.data) - skip not in (int.from_bytes(size), int.from_bytes(size, "little")):
            continue
        try:
            _message(piece, skip, len(piece.data), piece.path, 0, room, found)
        except Broken:
            continue
        return found or None
    return None


# --- MessagePack and CBOR ---


class _MessagePack(Reader):
    def value(self, path: str, level: int) -> bytes | int | float | None:
        start = self.pos
        head = self.integer(1)
        if head <= 0x7F:
            return head
        if head <= 0x8F:
            return self.many(head & 15, path, level, pairs=True)
        if head <= 0x9F:
            return self.many(head & 15, path, level, pairs=False)
        if head <= 0xBF:
            return self.chunk(head & 31, path, text=True)
        if head >= 0xE0:
            return head - 256
        match head:
            case 0xC0 | 0xC2 | 0xC3:
                return None
            case 0xC4 | 0xC5 | 0xC6:
                return self.chunk(self.integer(1 << (head - 0xC4)), path, text=False)
            case 0xC7 | 0xC8 | 0xC9:
                size = self.integer(1 << (head - 0xC7))
                self.take(1)
                return self.chunk(size, path, text=False)
            case 0xCA | 0xCB:
                wide = head == 0xCB
                real: float = struct.unpack(">d" if wide else ">f", self.take(8 if wide else 4))[0]
                self.number(format_real(real, wide=wide), start, path)
                return real
            case 0xCC | 0xCD | 0xCE | 0xCF:
                whole = self.integer(1 << (head - 0xCC))
                self.number(str(whole), start, path)
                return whole
            case 0xD0 | 0xD1 | 0xD2 | 0xD3:
                whole = int.from_bytes(self.take(1 << (head - 0xD0)), signed=True)
                self.number(str(whole), start, path)
                return whole
            case 0xD4 | 0xD5 | 0xD6 | 0xD7 | 0xD8:
                self.take(1)
                return self.chunk(1 << (head - 0xD4), path, text=False)
            case 0xD9 | 0xDA | 0xDB:
                return self.chunk(self.integer(1 << (head - 0xD9)), path, text=True)
            case 0xDC | 0xDD:
                return self.many(self.integer(2 << (head - 0xDC)), path, level, pairs=False)
            case 0xDE | 0xDF:
                return self.many(self.integer(2 << (head - 0xDE)), path, level, pairs=True)
            case _:
                raise Broken


EMBEDDED = 24
"""The tag of bytes that are CBOR themselves."""


class _Cbor(Reader):
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
        """A decimal fraction: an array of the power of ten and the digits."""
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
        """A string in several chunks."""
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


def _self_describing(reader: Reader) -> Found:
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


# --- digests in a row ---

DIGEST_SIZES = (32, 20, 16)
WHOLE_DIGESTS = frozenset((16, 20, 24, 28, 32, 48, 64))
"""Sizes that one digest has; three or four of MD5 are as long as some."""
LONGEST_ROW = 1024
HEADS = 8
"""Bytes that may stand before a digest or behind it: a version, a length, a flag."""


@decoder("digests", "binary", rb".{17,1024}\Z", alone=False)
def row(piece: Piece, room: Room) -> Found:
    """Bytes that may be digests one behind the other, or one with a few bytes before or behind it."""
    size = len(piece.data)
    if size > LONGEST_ROW:
        return None
    spans: list[tuple[int, int]] = []
    for one in DIGEST_SIZES if size not in WHOLE_DIGESTS else (16,) if size in (48, 64) else ():
        if size % one == 0:
            spans += [(at, at + one) for at in range(0, size, one)]
        elif one < size <= one + HEADS:
            spans += [(0, one), (size - one, size)]
        spans += [(0, one), (one, size)] if size - one in DIGEST_SIZES else []
    return [piece.part("digests", *span)._replace(done=True) for span in dict.fromkeys(spans)] or None


@decoder("msgpack", "binary", rb"[\x80-\x9f\xdc-\xdf]", alone=False)
def msgpack(piece: Piece, room: Room) -> Found:
    """MessagePack; the outermost value must be a map or an array, and nothing may be left over."""
    return _self_describing(_MessagePack(piece, "msgpack", room))


@decoder("cbor", "binary", rb"[\x80-\xbf\xc6-\xdb]", alone=False)
def cbor(piece: Piece, room: Room) -> Found:
    """CBOR; the outermost value must be a map or an array, tagged or not, and nothing may be left over."""
    return _self_describing(_Cbor(piece, "cbor", room))
