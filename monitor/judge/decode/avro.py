"""Decoder of Avro's object files: their blocks, whatever packs them."""

from __future__ import annotations

from monitor.judge.decode.compressed import CODINGS, unpack
from monitor.judge.decode.pieces import Found, Piece, Room, decoder
from monitor.judge.decode.reader import Broken

CODECS = {b"deflate": "raw deflate", b"snappy": "snappy", b"zstandard": "zstd"}
SYNC = 16


def _long(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Broken
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value >> 1 ^ -(value & 1), at
    raise Broken


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _long(data, at)
    if not 0 <= size <= len(data) - at:
        raise Broken
    return data[at : at + size], at + size


def _head(data: bytes) -> tuple[bytes, int]:
    """The codec's name, and where the blocks begin."""
    codec, at = b"", 4
    while True:
        count, at = _long(data, at)
        if count < 0:
            count = -count
            _, at = _long(data, at)
        if not count:
            return codec, at + SYNC
        if count > len(data):
            raise Broken
        for _ in range(count):
            key, at = _bytes(data, at)
            value, at = _bytes(data, at)
            if key == b"avro.codec":
                codec = value


@decoder("avro", "binary", rb"Obj\x01", alone=False)
def avro(piece: Piece, room: Room) -> Found:
    """Each block of an object file, unpacked; records are not told apart, for that needs the schema's types."""
    data = piece.data
    found: list[Piece] = []
    try:
        codec, at = _head(data)
        ways = CODINGS.get(CODECS.get(codec, ""), ())
        while at < len(data):
            _, at = _long(data, at)
            size, at = _long(data, at)
            if not 0 <= size <= len(data) - at:
                raise Broken
            end = at + size - (4 if codec == b"snappy" else 0)  # a checksum
            block = piece.part("avro", at, end, f"{piece.path}[{len(found)}]")
            inner = next((got for name, how in ways if (got := unpack(name, how, block, room))), None)
            found += inner or [block]
            at += size + SYNC
    except Broken:
        room.stop(f"avro at {piece.path}: the file is broken")
    return found or None
