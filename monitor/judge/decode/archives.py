"""Decoders of archives: the members of ZIP and tar files, and their names."""

from __future__ import annotations

import struct
import zlib

from monitor.judge.decode.compressed import CODINGS, unpack
from monitor.judge.decode.documents import child_path
from monitor.judge.decode.pieces import Found, Piece, Room, decoder

MEMBERS = 10_000
"""Members that are read of one archive."""

LZMA = 14
PACKED = {12: "bz2", LZMA: "xz", 93: "zstd", 95: "xz"}
"""Method of a member, other than deflate -> its codec."""


def _as_alone(data: bytes) -> bytes:
    """A member packed by LZMA as the file that xz's predecessor would have written."""
    size = int.from_bytes(data[2:4], "little")
    return data[4 : 4 + size] + b"\xff" * 8 + data[4 + size :]


@decoder("zip", "binary", rb"PK\x03\x04", alone=False)
def archive(piece: Piece, room: Room) -> Found:
    """Members of a ZIP file, read from their local headers."""
    found: list[Piece] = []
    data = piece.data
    at = 0
    while at >= 0 and data.startswith(b"PK\x03\x04", at) and at + 30 <= len(data) and len(found) < MEMBERS:
        method, packed, name_size, extra = struct.unpack("<H8xI4xHH", data[at + 8 : at + 30])
        begin = at + 30 + name_size + extra
        name = data[at + 30 : at + 30 + name_size].decode("utf-8", "replace")
        path = child_path(piece.path, name)
        found.append(piece.part("zip", at + 30, at + 30 + name_size, f"{path}.filename"))
        end = begin + packed
        if method == 8:
            inflater = zlib.decompressobj(-15)
            try:
                out = inflater.decompress(data[begin:], max(1, room.bytes_left))
            except zlib.error:
                out = b""
            if inflater.eof:
                end = len(data) - len(inflater.unused_data)
            elif out:
                room.stop(f"zip at {path}: the member is broken or too large")
            if out and room.take(len(out), piece, "zip"):
                found.append(piece.turned("zip", out, begin, end, path))
        elif method == 0 and packed:
            found.append(piece.part("zip", begin, end, path))
        elif method in PACKED and packed:
            member = piece.part("zip", begin, end, path)
            if method == LZMA:  # a version, the length of the properties and they themselves stand before the stream
                member = member.whole("zip", _as_alone(member.data))
            for name_, how in CODINGS[PACKED[method]]:
                found += unpack(name_, how, member, room) or ()
        at = data.find(b"PK\x03\x04", max(end, at + 4))
    return found or None


def _octal(field: bytes) -> int:
    """A number of a tar header: octal digits, or binary behind a set first bit."""
    if field[0] & 0x80:
        return int.from_bytes(field) & ((1 << (8 * len(field) - 1)) - 1)
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return -1


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


@decoder("tar", "binary", rb"[^\x00].{256}ustar", alone=False)
def tar(piece: Piece, room: Room) -> Found:
    """Members of a tar file (ustar, GNU, pax), as long as the sums of their headers are right."""
    found: list[Piece] = []
    data = piece.data
    at = 0
    long_name: tuple[int, int] | None = None
    while at + 512 <= len(data) and data[at] and len(found) < MEMBERS:
        head = data[at : at + 512]
        size = _octal(head[124:136])
        if size < 0 or _octal(head[148:156]) != sum(head) - sum(head[148:156]) + 8 * 32:
            room.stop(f"tar at {piece.path}: the header at byte {at} is broken")
            break
        begin, end = at + 512, min(at + 512 + size, len(data))
        at = begin + -(-size // 512) * 512
        kind = head[156:157]
        if kind == b"L":  # GNU: the next member's name, too long for its header
            long_name = begin, begin + len(_text(data[begin:end]))
            continue
        start, stop = long_name or (begin - 512, begin - 512 + len(_text(head[:100])))
        long_name = None
        path = child_path(piece.path, data[start:stop].decode("utf-8", "replace"))
        found.append(piece.part("tar", start, stop, f"{path}.filename"))
        if end > begin:
            found.append(piece.part("tar", begin, end, path))
    return found or None
