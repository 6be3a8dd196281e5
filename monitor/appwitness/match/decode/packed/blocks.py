"""Decoders of LZ4 and Snappy: their frames, the streams that Java libraries write, and bare blocks."""

from __future__ import annotations

import cramjam
import lz4.block
import lz4.frame

from appwitness.match.decode.packed.compressed import CODINGS, SMALLEST, unpack
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, as_text, begins, decoder

LZ4_MARK = b"\x04\x22\x4d\x18"
CHUNK = 1 << 20
LITERAL = b"[" + b"".join(b"\\x%02x" % tag for tag in range(0, 256, 4)) + b"]"
LARGEST = 1 << 20
"""Maximum bytes of a bare block that is tried."""


def _lz4_block(data: bytes, size: int) -> bytes:
    """Unpack one block, to at most `size` bytes."""
    try:
        out: bytes = lz4.block.decompress(data, uncompressed_size=size)
    except lz4.block.LZ4BlockError as error:
        raise ValueError(str(error)) from error
    return out


def snappy_block(data: bytes, most: int) -> bytes:
    """Unpack one block. It begins with its unpacked size, and no block grows more than 22-fold."""
    size = shift = 0
    for byte in data[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if not 0 < size <= min(most, 24 * len(data)):
        raise ValueError("not the length of a Snappy block")
    try:
        return bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError as error:
        raise ValueError(str(error)) from error


def _lz4_frames(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    limit = room.bytes_left + 1
    chunks: list[bytes] = []
    size = 0
    rest = data
    while rest.startswith(LZ4_MARK) and size < limit:
        machine = lz4.frame.LZ4FrameDecompressor()
        given = rest
        try:
            while not machine.eof and size < limit:
                chunk = machine.decompress(given, max_length=min(CHUNK, limit - size))
                given = b""
                chunks.append(chunk)
                size += len(chunk)
                if not chunk and not machine.eof:
                    return b"".join(chunks), False, b""
        except RuntimeError:
            return b"".join(chunks), False, b""
        rest = machine.unused_data or b"" if machine.eof else b""
    return b"".join(chunks), True, rest


def _lz4_java(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    """lz4-java's LZ4BlockOutputStream: `LZ4Block`, a token, two lengths, a checksum, the block."""
    chunks: list[bytes] = []
    size = at = 0
    while data.startswith(b"LZ4Block", at) and at + 21 <= len(data) and size <= room.bytes_left:
        packed, plain = (
            int.from_bytes(data[at + 9 : at + 13], "little"),
            int.from_bytes(data[at + 13 : at + 17], "little"),
        )
        block = data[at + 21 : at + 21 + packed]
        at += 21 + packed
        if not plain:
            return b"".join(chunks), True, data[at:]
        if len(block) < packed or plain > 1 << 25:
            return b"".join(chunks), False, b""
        chunks.append(block if data[at - packed - 13] & 0xF0 == 0x10 else _lz4_block(block, min(plain, 255 * packed)))
        size += len(chunks[-1])
    return b"".join(chunks), at == len(data), b""


def _snappy_frames(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    """The framing format: chunks, each with a kind, a length of three bytes, a checksum and a block."""
    chunks: list[bytes] = []
    size = at = 0
    while at + 4 <= len(data) and size <= room.bytes_left:
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 4], "little")
        block = data[at + 8 : at + 4 + length]
        at += 4 + length
        if at > len(data) or 2 <= kind < 0x80:
            return b"".join(chunks), False, b""
        if kind < 2 and block:
            chunks.append(block if kind else snappy_block(block, 1 << 16))
            size += len(chunks[-1])
    return b"".join(chunks), at == len(data), b""


def _snappy_java(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    """snappy-java's SnappyOutputStream: a header of 16 bytes, then blocks, each after its length."""
    chunks: list[bytes] = []
    size, at = 0, 16
    while at + 4 <= len(data) and size <= room.bytes_left:
        length = int.from_bytes(data[at : at + 4])
        block = data[at + 4 : at + 4 + length]
        if len(block) < length:
            return b"".join(chunks), False, b""
        at += 4 + length
        chunks.append(snappy_block(block, room.bytes_left))
        size += len(chunks[-1])
    return b"".join(chunks), at == len(data), b""


def _snappy_said(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    """Data that a header declares as Snappy: framed, or a bare block."""
    if data.startswith(b"\xff\x06\x00\x00sNaPpY"):
        return _snappy_frames(data, room)
    if data.startswith(b"\x82SNAPPY\x00"):
        return _snappy_java(data, room)
    return snappy_block(data, room.bytes_left), True, b""


CODINGS["lz4"] = (("lz4", _lz4_frames),)
CODINGS["snappy"] = CODINGS["x-snappy-framed"] = (("snappy", _snappy_said),)


@decoder("lz4", "binary", order=230, guess=False, sieve="covered", seen_in="lz4-java; Apache Kafka", alone=True)
@begins(rb"\x04\x22\x4d\x18")
def lz4_frame(piece: UploadPiece, room: Room) -> Found:
    """LZ4's frame format, with one frame or several."""
    return unpack("lz4", _lz4_frames, piece, room)


@decoder("lz4", "binary", order=240, guess=False, sieve="covered", seen_in="lz4-java", alone=True)
@begins(rb"LZ4Block[\x10-\x2f]")
def lz4_java(piece: UploadPiece, room: Room) -> Found:
    """The stream that lz4-java writes."""
    return unpack("lz4", _lz4_java, piece, room)


@decoder("snappy", "binary", order=250, guess=False, sieve="covered", seen_in="snappy-java; Apache Kafka", alone=True)
@begins(rb"\xff\x06\x00\x00sNaPpY")
def snappy_frame(piece: UploadPiece, room: Room) -> Found:
    """Snappy's framing format."""
    return unpack("snappy", _snappy_frames, piece, room)


@decoder("snappy", "binary", order=260, guess=False, sieve="covered", seen_in="snappy-java", alone=True)
@begins(rb"\x82SNAPPY\x00")
def snappy_java(piece: UploadPiece, room: Room) -> Found:
    """The stream that snappy-java writes."""
    return unpack("snappy", _snappy_java, piece, room)


@decoder("lz4 block", "binary", order=270, guess=False, sieve="covered", seen_in="lz4-java")
def lz4_bare(piece: UploadPiece, room: Room) -> Found:
    """A bare block has no signature: it must unpack to text, or to the size that the four bytes before it state."""
    data = piece.data
    if not SMALLEST <= len(data) <= LARGEST:
        return None
    said = int.from_bytes(data[:4], "little")
    if SMALLEST <= said <= min(255 * len(data), room.bytes_left, 1 << 24):
        try:
            out = _lz4_block(data[4:], said)
        except ValueError:
            out = b""
        if len(out) == said and room.take(said, piece, "lz4"):
            return [piece.turned("lz4 block", out, 4, len(data))]
    if data[0] < 0x10:  # a block begins with literals, because there is nothing yet to repeat
        return None
    behind = 1 + (data[0] >> 4)  # then it ends, or repeats some of them
    back = int.from_bytes(data[behind : behind + 2], "little")
    if data[0] < 0xF0 and (len(data) == behind + 1 or not (len(data) == behind or 0 < back < behind)):
        return None
    try:
        out = _lz4_block(data, min(255 * len(data), room.bytes_left, 1 << 22))
    except ValueError:
        return None
    if len(out) < SMALLEST or as_text(out) is None or not room.take(len(out), piece, "lz4"):
        return None
    return [piece.whole("lz4 block", out)]


# a small length may be a letter, so this is tried on text too; a block always begins with a literal
@decoder("snappy block", "any", order=280, guess=False, sieve="covered", seen_in="Prometheus, by remote write")
@begins(rb"[\x80-\xff]{0,4}[\x00-\x7f]" + LITERAL)
def snappy_bare(piece: UploadPiece, room: Room) -> Found:
    """A bare block begins with its unpacked size; the result must be text, or the packing must have been worthwhile."""
    data = piece.data
    if not SMALLEST <= len(data) <= LARGEST:
        return None
    try:
        out = snappy_block(data, room.bytes_left)
    except ValueError:
        return None
    if as_text(out) is None and (len(out) < 32 or len(data) * 10 > len(out) * 9):
        return None
    return [piece.whole("snappy block", out)] if room.take(len(out), piece, "snappy") else None
