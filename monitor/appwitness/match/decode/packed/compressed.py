"""Decoders of compressed bytes: gzip, zlib, raw deflate, brotli, Zstandard, bzip2, xz; all with limits."""

from __future__ import annotations

import bz2 as bzip2
import lzma
import re
import zlib
from collections.abc import Callable

import brotli
import zstandard

from appwitness.match.decode.walk.pieces import FIXED, Found, Room, UploadPiece, as_text, begins, decoder, holds

TRAILERS = (0, 4, 8)
"""Bytes that may follow a stream without a header: zlib's checksum, or gzip's checksum and a length."""
SMALLEST = 8
"""Minimum bytes that a format without a signature must yield to be believed."""


def _inflate(data: bytes, room: Room, wbits: int) -> tuple[bytes, bool, bytes]:
    """The bytes, whether the stream was whole, and what follows it. Raises zlib.error if it is no stream at all."""
    inflater = zlib.decompressobj(wbits)
    limit = max(1, room.bytes_left + 1)
    out = inflater.decompress(data, limit)
    if len(out) < limit:
        out += inflater.flush() if not inflater.unconsumed_tail else b""
    # a stream may be left open after a flush
    whole = inflater.eof or (data.endswith(FLUSHED) and len(out) < limit)
    return out, whole, inflater.unused_data


EXTRA_FIELD, NAMED = 4, 8
"""Flags of gzip: an extra field, or a name, stands before the stream."""
FLUSHED = b"\x00\x00\xff\xff"
"""The end of a deflate stream that is flushed but left open; permessage-deflate omits it."""


def inflated_from(data: bytes, at: int, limit: int, wbits: int) -> tuple[bytes, bool, int]:
    """The contents of the stream that begins at byte `at`, up to `limit` bytes; whether the stream ended; and where.

    Reads at most twice the stream's length plus a kilobyte, because thousands of streams may follow each other. Raises
    zlib.error.
    """
    inflater = zlib.decompressobj(wbits)
    parts: list[bytes] = []
    size, step = 0, WINDOW
    view = memoryview(data)
    while at < len(data) and size < limit and not inflater.eof:
        window = view[at : at + step]
        parts.append(inflater.decompress(window, limit - size))
        size += len(parts[-1])
        at += len(window) - len(inflater.unused_data)
        step = min(2 * step, MOST_WINDOW)
    return b"".join(parts), inflater.eof, at


WINDOW, MOST_WINDOW = 1 << 10, 1 << 20
"""Bytes of a stream that are given to zlib at a time, at first and at most."""


def _gunzip(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    limit = room.bytes_left + 1
    out, whole, at = inflated_from(data, 0, limit, 31)
    parts, size = [out], len(out)
    while whole and data.startswith(b"\x1f\x8b", at) and size < limit and room.work_left > 0:
        try:
            out, whole, end = inflated_from(data, at, limit - size, 31)
        except zlib.error:
            break
        room.work_left -= end - at + FIXED
        at = end
        parts.append(out)
        size += len(out)
    whole = whole or (data.endswith(FLUSHED) and size < limit)
    return b"".join(parts), whole, data[at:] if whole else b""


def _zlib(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    return _inflate(data, room, 15)


def _raw_deflate(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    return _inflate(data, room, -15)


def _zstd(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    limit = room.bytes_left + 1
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data, read_across_frames=True)
    chunks: list[bytes] = []
    size = 0
    whole = True
    try:
        while size < limit and (chunk := reader.read(min(1 << 20, limit - size))):
            chunks.append(chunk)
            size += len(chunk)
    except zstandard.ZstdError:
        if not chunks:
            raise
        whole = False
    return b"".join(chunks), whole, b""


def _brotli(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    machine = brotli.Decompressor()
    limit = room.bytes_left + 1
    out = machine.process(data, output_buffer_limit=limit)
    while len(out) < limit and not machine.is_finished():
        more = machine.process(b"", output_buffer_limit=limit - len(out))
        if not more:
            break
        out += more
    return out, machine.is_finished(), b""


def _bz2(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    machine = bzip2.BZ2Decompressor()
    out = machine.decompress(data, room.bytes_left + 1)
    return out, machine.eof, machine.unused_data


def _xz(data: bytes, room: Room) -> tuple[bytes, bool, bytes]:
    machine = lzma.LZMADecompressor(memlimit=1 << 27)
    out = machine.decompress(data, room.bytes_left + 1)
    return out, machine.eof, machine.unused_data


Unpack = Callable[[bytes, Room], tuple[bytes, bool, bytes]]
ERRORS = (zlib.error, zstandard.ZstdError, brotli.error, lzma.LZMAError, OSError, ValueError, MemoryError)


def unpack(name: str, how: Unpack, piece: UploadPiece, room: Room, *, sure: bool = True) -> list[UploadPiece] | None:
    """The one piece that a compressed piece holds, and what follows the stream; None if it is not compressed in this
    way.

    `sure`: the bytes have, or are said to have, this format, so the beginning of a broken stream is taken as well.
    """
    try:
        out, whole, rest = how(piece.data, room)
    except ERRORS:
        return None
    if not out or not (whole or sure or len(out) > room.bytes_left):
        return None
    size = len(out)
    if size > room.bytes_left:
        out = out[: room.bytes_left]
        whole = True
        room.take(size, piece, name)
    if whole:
        room.sure(name, piece)
    else:
        room.doubt(name, piece, f"{name} at {piece.path}: the stream is broken after {size} bytes")
    room.take(len(out), piece, name)
    found = [piece.whole(name, out, piece.hint)]
    if rest:
        found.append(piece.part("", len(piece.data) - len(rest), len(piece.data)))
    return found


def _nameless(name: str, how: Unpack, piece: UploadPiece, room: Room) -> Found:
    """A format without a signature is believed only if the whole stream unpacks to text."""
    if len(piece.data) < 6 or len(piece.data) > 1 << 20:
        return None
    try:
        out, whole, rest = how(piece.data, room)
    except ERRORS:
        return None
    if (
        not whole
        or len(rest) not in TRAILERS
        or len(out) < SMALLEST
        or as_text(out) is None
        or not room.take(len(out), piece, name)
    ):
        return None
    return [piece.whole(name, out)]


def _signed(name: str, how: Unpack, piece: UploadPiece, room: Room) -> Found:
    """A format with a unique signature: if it cannot be read, that is reported."""
    found = unpack(name, how, piece, room)
    if found is None and len(piece.data) > SIGNED:
        what = f"{len(piece.data)} bytes that cannot be read; broken, or a dictionary is missing"
        room.doubt(name, piece, f"{name} at {piece.path}: {what}")
    return found


SIGNED = 24
"""Up to this many bytes, a stream with a signature cannot hold anything."""


@decoder("gzip", "binary", order=150, guess=False, sieve="covered", seen_in="Firebase Analytics", alone=True)
@begins(rb"\x1f\x8b\x08")
def gzip(piece: UploadPiece, room: Room) -> Found:
    """RFC 1952, with one member or several; also the name of the file, if it is given."""
    found = _signed("gzip", _gunzip, piece, room)
    if not found or not piece.data[3] & NAMED:
        return found
    begin = 10 + (2 + int.from_bytes(piece.data[10:12], "little") if piece.data[3] & EXTRA_FIELD else 0)
    end = piece.data.find(b"\0", begin)
    return [*found, piece.part("gzip", begin, end, f"{piece.path}.name")] if end > begin else found


@decoder("zstd", "binary", order=160, guess=False, sieve="covered", seen_in="zstd-jni", alone=True)
@begins(rb"\x28\xb5\x2f\xfd")
def zstd(piece: UploadPiece, room: Room) -> Found:
    """RFC 8878, with one frame or several."""
    return _signed("zstd", _zstd, piece, room)


@decoder("bz2", "binary", order=170, guess=False, sieve="covered", seen_in="Apache Commons Compress", alone=True)
@begins(rb"BZh[1-9]1AY&SY")
def bz2(piece: UploadPiece, room: Room) -> Found:
    """bzip2."""
    return _signed("bz2", _bz2, piece, room)


@decoder("xz", "binary", order=180, guess=False, sieve="covered", seen_in="XZ for Java", alone=True)
@begins(rb"\xfd7zXZ\x00|\x5d\x00\x00")
def xz(piece: UploadPiece, room: Room) -> Found:
    """xz, and its predecessor LZMA."""
    return _signed("xz", _xz, piece, room) if piece.data[0] == 0xFD else unpack("xz", _xz, piece, room, sure=False)


@decoder("deflate", "any", order=190, guess=False, sieve="covered", seen_in="Umeng Analytics", alone=True)
@begins(rb"[\x08-\x78][\x01\x5e\x9c\xda\x3f\x7d\xbb\xf9\x09\x15\x19\x1d\x38\x34\x30\x3c]")
def deflate(piece: UploadPiece, room: Room) -> Found:
    """RFC 1950 (zlib)."""
    if piece.data[0] & 0x0F != 8 or int.from_bytes(piece.data[:2]) % 31:
        return None
    return unpack("deflate", _zlib, piece, room, sure=False)


EMBEDDED = 8
"""Maximum number of streams of one kind that are tried inside other bytes."""


@decoder("embedded", "binary", order=200, guess=False, sieve="covered", seen_in="PDF and PNG files")
@holds(rb".\x1f\x8b\x08|.\x28\xb5\x2f\xfd|.\x78[\x01\x5e\x9c\xda]")
def embedded(piece: UploadPiece, room: Room) -> Found:
    """Streams that begin inside other bytes."""
    found: list[UploadPiece] = []
    for mark, name, how in (
        (b"\x1f\x8b\x08", "gzip", _gunzip),
        (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
        (b"\x78\x9c", "deflate", _zlib),
        (b"\x78\x01", "deflate", _zlib),
        (b"\x78\xda", "deflate", _zlib),
        (b"\x78\x5e", "deflate", _zlib),
    ):
        at = piece.data.find(mark, 1)
        for _ in range(EMBEDDED):
            if at < 0:
                break
            try:
                out, whole, rest = how(piece.data[at:], room)
            except ERRORS:
                out, whole, rest = b"", False, b""
            if out and (whole or (name == "gzip" and as_text(out[:64]))) and room.take(len(out), piece, name):
                end = len(piece.data) - len(rest)
                found.append(piece.turned(name, out, at, end))
                at = end - 1
            else:
                room.work_left -= len(out)
            at = piece.data.find(mark, at + 1)
        if at >= 0 and len(mark) > 2:  # two bytes are found anywhere
            room.stop(f"{name} at {piece.path}: more than {EMBEDDED} streams inside other bytes")
    return found or None


@decoder("br", "binary", order=210, guess=False, sieve="covered", seen_in="Brotli4j")
def br(piece: UploadPiece, room: Room) -> Found:
    """RFC 7932; it has no signature."""
    return _nameless("br", _brotli, piece, room)


@decoder(
    "raw deflate",
    "binary",
    order=220,
    guess=False,
    sieve="covered",
    seen_in="Tencent's Mars; SAML's redirect; permessage-deflate",
)
def raw_deflate(piece: UploadPiece, room: Room) -> Found:
    """RFC 1951 without a header; it has no signature."""
    data = piece.data
    if len(data) >= 6:
        kind = data[0] >> 1 & 3
        if kind == 3 or (kind == 2 and (data[0] >> 3 > 29 or data[1] & 31 > 29)):
            return None
        if kind == 0 and (data[1] ^ data[3]) & (data[2] ^ data[4]) != 0xFF:
            return None  # a length, and its complement
    return _nameless("raw deflate", _raw_deflate, piece, room) or _left_open(piece, room)


def _left_open(piece: UploadPiece, room: Room) -> Found:
    """A message of WebSocket's permessage-deflate, which omits the end; it must unpack to a document."""
    if len(piece.data) > 1 << 20:
        return None
    found = unpack("raw deflate", _raw_deflate, piece._replace(data=piece.data + FLUSHED), room, sure=False)
    return found if found and len(found) == 1 and DOCUMENT.fullmatch(found[0].data) else None


DOCUMENT = re.compile(rb"\s*(?:\{\s*[\"}].*\}|\[.*\]|<[?!A-Za-z].*>)\s*", re.DOTALL)
CODINGS: dict[str, tuple[tuple[str, Unpack], ...]] = {
    "gzip": (("gzip", _gunzip),),
    "x-gzip": (("gzip", _gunzip),),
    "deflate": (("deflate", _zlib), ("raw deflate", _raw_deflate)),
    "br": (("br", _brotli),),
    "zstd": (("zstd", _zstd),),
    "raw deflate": (("raw deflate", _raw_deflate),),
    "bz2": (("bz2", _bz2),),
    "xz": (("xz", _xz),),
}
"""Content-Encoding, or an archive's name of a codec -> what to try."""


PLAIN = frozenset(("", "identity", "none", "utf-8", "binary", "aws-chunked"))
"""Content encodings in name only, which leave the bytes as they are."""


def content(piece: UploadPiece, codings: list[str], room: Room) -> list[UploadPiece]:
    """A body with the content encodings of its headers undone, last first; one that does not apply is skipped."""
    pieces = [piece]
    for coding in reversed(codings):
        if coding not in CODINGS and coding not in PLAIN and as_text(pieces[0].data) is None:
            room.stop(f"content encoding {coding[:40]!r} of {len(pieces[0].data)} bytes: not read")
        for name, how in CODINGS.get(coding, ()):
            found = unpack(name, how, pieces[0], room)
            if found:
                pieces = found + pieces[1:]
                break
    return pieces
