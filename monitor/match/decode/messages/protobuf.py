"""Decoders of Protocol Buffers without a schema, and of the frames in which gRPC sends them."""

from __future__ import annotations

import re
import struct

from monitor.match.decode.walk.pieces import Found, Piece, Room, as_text, begins, decoder
from monitor.match.decode.walk.reader import Broken, format_real, number

SIGNATURE = re.compile(
    rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|BZh[1-9]1AY&SY|\xfd7zXZ\x00|PK\x03\x04|\x78[\x01\x5e\x9c\xda]|"
    rb"\x04\x22\x4d\x18|LZ4Block|\xff\x06\x00\x00sNaPpY|\x82SNAPPY\x00|bplist00|SQLite format 3\x00"
)
"""Beginnings of other formats, which may look like a message by chance."""
HIGHEST_FIELD = 1000
"""What begins with a field of a higher number may be something else: maps of CBOR look like that."""


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


@decoder("grpc", "binary", order=1030, guess=False, sieve="covered", seen_in="gRPC", alone=True)
@begins(rb"[\x00\x01]\x00?.{3}.")
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


@decoder("protobuf", "binary", order=1040, guess=False, sieve="covered", seen_in="Firebase Analytics")
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
