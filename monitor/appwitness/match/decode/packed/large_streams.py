"""Unpacks streams that are too large for memory, a block at a time."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, cast

import brotli
import lz4.frame
import zstandard

BLOCK = 1 << 20
"""Bytes that are read, and put out, at a time."""
WINDOW = 1 << 10
"""Bytes that are read first of a new stream; each further read is twice as large, so that thousands of streams cost
only what they hold."""
MEMORY = 24 << 20
"""Maximum bytes that the dictionary of a stream may take."""


def _gunzipped(packed: Iterable[bytes], wbits: int) -> Iterator[bytes]:
    machine = zlib.decompressobj(wbits)
    step, held = WINDOW, b""
    for one in packed:
        block, at = held + one, 0
        while at < len(block):
            if machine.eof:
                held = block[at : at + 2]
                if len(held) < 2:
                    break
                if held != b"\x1f\x8b":
                    return
                machine, step = zlib.decompressobj(wbits), WINDOW
            window = data = block[at : at + step]
            while data:
                yield machine.decompress(data, BLOCK)
                data = machine.unconsumed_tail
            at += len(window) - len(machine.unused_data)
            step = min(2 * step, BLOCK)
        else:
            held = b""


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    """zlib streams, with or without their header."""
    first = next(iter(packed), b"")
    wbits = 15 if first[:1] and first[0] & 15 == 8 and int.from_bytes(first[:2]) % 31 == 0 else -15
    yield from _gunzipped((block for many in ((first,), packed) for block in many), wbits)


def _brotli(packed: Iterable[bytes]) -> Iterator[bytes]:
    machine = brotli.Decompressor()
    for block in packed:
        out = machine.process(block, output_buffer_limit=BLOCK)
        yield out
        while not machine.can_accept_more_data():
            yield machine.process(b"", output_buffer_limit=BLOCK)


class _Source:
    """Blocks as a readable file."""

    def __init__(self, packed: Iterator[bytes]) -> None:
        self._packed = packed
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most this many."""
        data = self._rest or next(self._packed, b"")
        cut = len(data) if size < 0 else size
        self._rest = data[cut:]
        return data[:cut]


def _zstd(packed: Iterator[bytes]) -> Iterator[bytes]:
    machine = zstandard.ZstdDecompressor(max_window_size=1 << 23)
    reader = machine.stream_reader(cast("IO[bytes]", _Source(packed)), read_across_frames=True)
    while block := reader.read(BLOCK):
        yield block


def _fed(packed: Iterable[bytes], fresh: Callable[[], Any]) -> Iterator[bytes]:
    """Unpacks one stream, or several in sequence; `fresh` makes a decompressor like `bz2.BZ2Decompressor`."""
    machine = fresh()
    step = WINDOW
    for block in packed:
        at = 0
        while at < len(block):
            if machine.eof:
                machine, step = fresh(), WINDOW
            window = data = block[at : at + step]
            while data or not (machine.needs_input or machine.eof):
                yield machine.decompress(data, max_length=BLOCK)
                data = b""
            at += len(window) - len(machine.unused_data or b"")
            step = min(2 * step, BLOCK)


def inflated(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Raw deflate, as in members of archives, up to its end; what follows is not read."""
    machine = zlib.decompressobj(-15)
    for block in packed:
        data = block
        while data:
            yield machine.decompress(data, BLOCK)
            data = machine.unconsumed_tail
            if machine.eof:
                return


UNPACK: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    "gzip": lambda packed: _gunzipped(packed, 31),
    "x-gzip": lambda packed: _gunzipped(packed, 31),
    "deflate": _inflated,
    "br": _brotli,
    "zstd": _zstd,
    "bz2": lambda packed: _fed(packed, bz2.BZ2Decompressor),
    "xz": lambda packed: _fed(packed, lambda: lzma.LZMADecompressor(memlimit=MEMORY)),
    "lz4": lambda packed: _fed(packed, lz4.frame.LZ4FrameDecompressor),
}
"""Content-Encoding, or the name of a stream -> how its blocks are unpacked."""
MARKS = {
    b"\x1f\x8b\x08": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{b"BZh%d1AY&SY" % level: "bz2" for level in range(1, 10)},
    b"\xfd7zXZ\0": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x78\x01": "deflate",
    b"\x78\x5e": "deflate",
    b"\x78\x9c": "deflate",
    b"\x78\xda": "deflate",
}
ERRORS = (zlib.error, brotli.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError, RuntimeError)
UNREAD = {
    b"LZ4Block": "the stream of lz4-java",
    b"\xff\x06\0\0sNaPpY": "Snappy",
    b"\x82SNAPPY\0": "the stream of snappy-java",
}
"""Beginnings of streams that are read only in smaller bodies -> their names."""
