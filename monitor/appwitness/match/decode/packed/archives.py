"""Decoders of archives: the members of ZIP and tar files, and their names; unreadable members are reported."""

from __future__ import annotations

import re
import struct
import zlib

from appwitness.match.decode.packed.compressed import CODINGS, inflated_from, unpack
from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import FIXED, Found, Room, UploadPiece, begins, decoder

MEMBER = b"PK\x03\x04"
"""How a member begins."""
MEMBERS = 10_000
"""Maximum number of names and members that are read from one archive."""

LZMA, ENCRYPTED_AES = 14, 99
STORED, DEFLATED = 0, 8
ENCRYPTED, LENGTHS_BEHIND = 1, 8
"""Flags of a member: it is encrypted with a password; its sizes follow it."""
UNKNOWN_SIZE = 0xFFFFFFFF
"""Stands for a size that is in an extra field."""
PACKED = {12: "bz2", LZMA: "xz", 93: "zstd", 95: "xz"}
"""Method of a member, other than deflate -> its codec."""


BEHIND = (b"PK\x07\x08", MEMBER, b"PK\x01\x02")
"""What may follow a member: its sizes, the next member, the directory."""


def _as_alone(data: bytes) -> bytes:
    """A member packed by LZMA, as the file that xz's predecessor would have written."""
    size = int.from_bytes(data[2:4], "little")
    return data[4 : 4 + size] + b"\xff" * 8 + data[4 + size :]


@decoder("zip", "binary", order=950, guess=False, sieve="covered", seen_in="java.util.zip; Bugly, of its logs")
@begins(rb"PK\x03\x04")
def archive(piece: UploadPiece, room: Room) -> Found:
    """Members of a ZIP file, read from their local headers."""
    found: list[UploadPiece] = []
    data = piece.data
    at = 0
    while at >= 0 and data.startswith(MEMBER, at) and at + 30 <= len(data) and len(found) < MEMBERS:
        flags, method, packed, name_size, extra = struct.unpack("<HH8xI4xHH", data[at + 6 : at + 30])
        begin = at + 30 + name_size + extra
        name = data[at + 30 : at + 30 + name_size].decode("utf-8", "replace")
        path = child_path(piece.path, name)
        found.append(piece.part("zip", at + 30, at + 30 + name_size, f"{path}.filename"))
        if packed == UNKNOWN_SIZE:
            packed = long_size(data[begin - extra : begin])
        elif flags & LENGTHS_BEHIND and not packed and method != DEFLATED:
            packed = max(0, next((end for mark in BEHIND if (end := data.find(mark, begin)) >= 0), len(data)) - begin)
        end = begin + packed
        if flags & ENCRYPTED or method == ENCRYPTED_AES:
            room.stop(f"zip at {path}: the member is encrypted; not read")
        elif method == DEFLATED:
            end, inflated = _inflated(piece, begin, end, path, room)
            found += inflated
        elif method == STORED and packed:
            found.append(piece.part("zip", begin, end, path))
        elif method in PACKED and packed:
            found += _unpacked(piece.part("zip", begin, end, path), method, room)
        elif method not in (STORED, *PACKED):
            room.stop(f"zip at {path}: packed by method {method}, which is not read")
        at = data.find(MEMBER, max(end, at + 4))
    if at >= 0 and len(found) >= MEMBERS:
        room.stop(f"zip at {piece.path}: more than {MEMBERS} names and members")
    return found or None


def _inflated(piece: UploadPiece, begin: int, end: int, path: str, room: Room) -> tuple[int, list[UploadPiece]]:
    """Where a deflated member ends, and what it holds. `end`: where it ends according to its header."""
    room.work_left -= FIXED
    try:
        out, whole, stopped = inflated_from(piece.data, begin, max(1, room.bytes_left), -15)
    except zlib.error:
        out, whole, stopped = b"", False, end
    if whole:
        end = stopped
    elif out:
        room.work_left -= len(out)
        room.stop(f"zip at {path}: the member is broken or too large")
    if not out or not room.take(len(out), piece._replace(path=path), "zip"):
        return end, []
    return end, [piece.part("zip", begin, end, path)._replace(data=out, exact=False)]


def _unpacked(member: UploadPiece, method: int, room: Room) -> list[UploadPiece]:
    """The contents of a member that was packed by another codec than deflate."""
    if method == LZMA:  # before the stream: a version, the length of the properties, the properties
        member = member.whole("zip", _as_alone(member.data))
    return [one for name, how in CODINGS[PACKED[method]] for one in unpack(name, how, member, room) or ()]


def long_size(extra: bytes) -> int:
    """The packed size in the ZIP64 extra field of a large member, after its unpacked size; 0 if there is none."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1 and size >= 16 and at + 20 <= len(extra):
            return int.from_bytes(extra[at + 12 : at + 20], "little")
        at += 4 + size
    return 0


UNREAD = {
    rb"7z\xbc\xaf\x27\x1c": "7z",
    rb"Rar!\x1a\x07": "RAR",
    rb"MSCF\0{4}": "a cabinet",
    rb"LZIP\x01": "lzip",
    rb"\x89LZO\0\r\n\x1a\n": "lzop",
    rb"\x1f\x9d[\x89-\x90]": "compress (LZW)",
    rb"bvx[-12n].{3}\0": "LZFSE",
    rb"Salted__": "OpenSSL, encrypted",
    rb"age-encryption\.org/v": "age, encrypted",
}
"""Beginnings of formats that are known but not read -> their names."""


def unread_name(head: bytes) -> str:
    """The name of a format that begins like this and is not read; empty if it is none of them."""
    return next((name for mark, name in UNREAD.items() if re.match(mark, head, re.DOTALL)), "")


@decoder("zip", "binary", order=960, guess=False, sieve="covered", seen_in="7-Zip; OpenSSL")
@begins(b"|".join(UNREAD))
def unread(piece: UploadPiece, room: Room) -> Found:
    """Archives, streams and envelopes of which only the beginning is understood; a gap says so."""
    if len(piece.data) > SMALLEST_UNREAD:
        size = len(piece.data)
        name = unread_name(piece.data)
        room.doubt(name, piece, f"{name} at {piece.path}: {size} bytes in a format that is not read")
    return None


SMALLEST_UNREAD = 32
"""Up to this many bytes, a file in such a format cannot hold anything."""


def _octal(field: bytes) -> int:
    """A number in a tar header: octal digits, or binary if the first bit is set; -1 if it is neither."""
    if field[0] & 0x80:
        return int.from_bytes(field) & ((1 << (8 * len(field) - 1)) - 1)
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return -1


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


@decoder("tar", "binary", order=970, guess=False, sieve="covered", seen_in="Apache Commons Compress")
@begins(rb"[^\x00].{256}ustar")
def tar(piece: UploadPiece, room: Room) -> Found:
    """Members of a tar file (ustar, GNU, pax), as long as the checksums of their headers are right."""
    found: list[UploadPiece] = []
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
    if len(found) >= MEMBERS and at + 512 <= len(data) and data[at]:
        room.stop(f"tar at {piece.path}: more than {MEMBERS} names and members")
    return found or None
