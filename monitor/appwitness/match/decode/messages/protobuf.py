"""Decoders of Protocol Buffers without a schema, and of the frames in which gRPC sends them."""

from __future__ import annotations

import re
import struct

from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, as_text, begins, decoder
from appwitness.match.decode.walk.reader import Broken, format_real, number

SIGNATURE = re.compile(
    rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|BZh[1-9]1AY&SY|\xfd7zXZ\x00|PK\x03\x04|\x78[\x01\x5e\x9c\xda]|"
    rb"\x04\x22\x4d\x18|LZ4Block|\xff\x06\x00\x00sNaPpY|\x82SNAPPY\x00|bplist00|SQLite format 3\x00"
)
"""Beginnings of other formats, which may look like a message by chance."""
FIXED = {1: 8, 5: 4}
"""Wire type of a field -> size of its number in bytes."""
DEEPEST = 60
"""Maximum nesting depth of messages."""
HIGHEST_FIELD = 1000
"""A message that begins with a higher field number may be something else: CBOR maps look like that."""


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


class _Fields:
    """The fields of messages in one piece."""

    def __init__(self, piece: UploadPiece, room: Room) -> None:
        self.piece = piece
        self.room = room
        self.found: list[UploadPiece] = []

    def message(self, start: int, end: int, path: str, level: int = 0) -> None:
        """Append the fields of one message; raises Broken if the bytes are no message."""
        data = self.piece.data
        pos = start
        seen: dict[int, int] = {}
        groups: list[tuple[int, str]] = []
        while pos < end and len(self.found) <= self.room.leaves_left:
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
            if wire == 3 and len(groups) < 60:
                groups.append((field, path))
                path = here
            else:
                pos = self.field(wire, pos, end, here, level)
        if groups and pos >= end:
            raise Broken

    def field(self, wire: int, start: int, end: int, path: str, level: int) -> int:
        """Append the value of a field; returns where it ends."""
        data = self.piece.data
        if wire == 0:
            value, stop = _varint(data, start, end)
            if value >= 1 << 64:
                raise Broken
            self.integers(value, start, stop, path)
            return stop
        if wire == 2:
            size, start = _varint(data, start, end)
        elif wire in FIXED:
            size = FIXED[wire]
        else:
            raise Broken
        stop = start + size
        if stop > end:
            raise Broken
        if wire == 2:
            self.content(start, stop, path, level)
        else:
            self.fixed(start, stop, path)
        return stop

    def number(self, text: str, start: int, end: int, path: str) -> None:
        self.found.append(number(self.piece, "protobuf", text, start, end, path))

    def integers(self, value: int, start: int, end: int, path: str) -> None:
        if value >= 1 << 63:
            self.number(str(value - (1 << 64)), start, end, path)
        elif value >= 10_000:
            self.number(str(value), start, end, path)
            self.number(str((value >> 1) ^ -(value & 1)), start, end, path)

    def fixed(self, start: int, end: int, path: str) -> None:
        raw = self.piece.data[start:end]
        wide = len(raw) == 8
        real = struct.unpack("<d" if wide else "<f", raw)[0]
        whole = int.from_bytes(raw, "little")
        if 1e-6 < abs(real) < 1e15:
            self.number(format_real(real, wide=wide), start, end, path)
        if whole >= 10_000:
            self.number(str(whole), start, end, path)
            if whole >> (8 * len(raw) - 1):
                self.number(str(whole - (1 << 8 * len(raw))), start, end, path)

    def content(self, start: int, end: int, path: str, level: int) -> None:
        """Append a text, a nested message, packed numbers, or other bytes."""
        if start == end:
            return
        raw = self.piece.data[start:end]
        text = as_text(raw)
        before = len(self.found)
        if level < DEEPEST and (text is None or raw[0] < 0x20) and not SIGNATURE.match(raw) and not _is_bson(raw):
            try:
                self.message(start, end, path, level + 1)
            except Broken:
                del self.found[before:]
        elif level >= DEEPEST:
            self.room.stop(f"protobuf at {path}: nested deeper than {DEEPEST}")
        whole = self.piece.part("protobuf", start, end, path)
        if len(self.found) > before:
            if _varint(raw, 0, len(raw))[0] >> 3 > HIGHEST_FIELD:
                self.found.append(whole)
            elif text is None and len(raw) <= 64:  # a digest or an id may look like a message
                self.found.append(whole._replace(done=True))
            return
        self.found.append(whole)
        if text is None:
            self.packed(raw, start, path)

    def packed(self, raw: bytes, start: int, path: str) -> None:
        """Append repeated numbers without tags: doubles, floats, varints."""
        size = len(raw)
        if size <= 256:
            self.varints(raw, start, path)
        for form, width in (("d", 8), ("f", 4)):
            if size % width or not width < size <= 4096:
                continue
            reals = struct.unpack(f"<{size // width}{form}", raw)
            if all(1e-3 < abs(real) < 1e7 for real in reals):
                for i, real in enumerate(reals):
                    at = start + i * width
                    self.number(format_real(real, wide=width == 8), at, at + width, f"{path}[{i}]")

    def varints(self, raw: bytes, start: int, path: str) -> None:
        """Append varints if all of them are large: small ones are found in bytes of any kind."""
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
        for i, (value, begin, end) in enumerate(numbers if len(numbers) > 1 else ()):
            self.integers(value, start + begin, start + end, f"{path}[{i}]")


def _is_bson(raw: bytes) -> bool:
    return len(raw) > 8 and raw[-1] == 0 and int.from_bytes(raw[:4], "little") == len(raw)


@decoder("grpc", "binary", order=1030, guess=False, sieve="covered", seen_in="gRPC", alone=True)
@begins(rb"[\x00\x01]\x00?.{3}.")
def grpc(piece: UploadPiece, room: Room) -> Found:
    """gRPC's length-prefixed messages."""
    data = piece.data
    found: list[UploadPiece] = []
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


@decoder("protobuf", "binary", order=1040, guess=False, sieve="covered", seen_in="Firebase Analytics", structured=True)
def protobuf(piece: UploadPiece, room: Room) -> Found:
    """Protocol Buffers' wire format, with fields under their numbers: `$.2.1`."""
    size = len(piece.data)
    if size < 2:
        return None
    lengths = {skip: piece.data[:skip] for skip in (1, 2, 4, 8)} if size > 8 else {}
    for skip in (0, *lengths):  # a length or the header of a frame may precede the message
        if skip and size - skip not in (int.from_bytes(lengths[skip]), int.from_bytes(lengths[skip], "little")):
            continue
        fields = _Fields(piece, room)
        try:
            fields.message(skip, size, piece.path)
        except Broken:
            continue
        return fields.found or None
    return None
