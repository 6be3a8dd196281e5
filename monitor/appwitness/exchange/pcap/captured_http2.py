"""Parses HTTP/2 from the bytes of one connection (RFC 9113): requests by stream, and the status of their responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hpack import Decoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, CONTINUATION = 0, 1, 9
HEADER_BYTES = 64 << 20
"""Maximum number of bytes of decoded headers in one connection, where each header block counts as 1 KiB more; only a
decompression bomb exceeds this."""
END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 4, 8, 32


@dataclass
class Request:
    """One stream's data from the client."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    end: int = 0
    """Offset in the client's bytes where its last frame ends."""
    whole: bool = False

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The fields without pseudo-headers."""
        return [(name, value) for name, value in self.fields if not name.startswith(":")]

    def pseudo(self, name: str) -> str:
        """`:method`, `:path` and the like."""
        return next((value for key, value in self.fields if key == name), "")


class HeaderFields:
    """The header fields of one connection, up to HEADER_BYTES."""

    def __init__(self) -> None:
        self.held = 0

    def of(self, pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
        """A header block as text. Raises ValueError once the connection exceeds HEADER_BYTES."""
        pairs = list(pairs)
        self.held += 1024 + sum(len(name) + len(value) for name, value in pairs)
        if self.held > HEADER_BYTES:
            raise ValueError(f"its headers have more than {HEADER_BYTES >> 20} MiB")
        return [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in pairs]


def requests(data: bytes) -> dict[int, Request]:
    """Stream -> request. Raises hpack's errors, and ValueError for data that is not HTTP/2."""
    streams: dict[int, Request] = {}
    for kind, flags, stream, fields, payload, end in _frames(data, len(PREFACE)):
        one = streams.setdefault(stream, Request())
        if kind == HEADERS:
            one.fields += fields
        else:
            one.body += payload
        one.end = end
        one.whole = one.whole or bool(flags & END_STREAM)
    return streams


def statuses(data: bytes) -> dict[int, int]:
    """Stream -> status of its response."""
    found: dict[int, int] = {}
    for kind, _, stream, fields, _, _ in _frames(data, 0):
        status = dict(fields).get(":status", "") if kind == HEADERS else ""
        if status.isdecimal() and int(status) >= 200:
            found.setdefault(stream, int(status))
    return found


def _frames(data: bytes, at: int) -> Iterator[tuple[int, int, int, list[tuple[str, str]], bytes, int]]:
    """Kind, flags, stream, header fields, data and end of each frame that carries headers or data."""
    decoder = Decoder()
    decoder.max_allowed_table_size = 1 << 20
    block, opened = bytearray(), (0, 0)
    fields = HeaderFields()
    while len(data) - at >= 9:
        size, kind, flags = int.from_bytes(data[at : at + 3], "big"), data[at + 3], data[at + 4]
        stream = int.from_bytes(data[at + 5 : at + 9], "big") & 0x7FFFFFFF
        payload = data[at + 9 : at + 9 + size]
        at += 9 + size
        if len(payload) < size:
            return
        if kind in (DATA, HEADERS):
            if flags & PADDED:
                payload = payload[1 : len(payload) - payload[0]]
            if kind == HEADERS and flags & PRIORITY:
                payload = payload[5:]
        if kind == DATA:
            yield kind, flags, stream, [], payload, at
        elif kind in (HEADERS, CONTINUATION):
            if kind == HEADERS:
                block, opened = bytearray(), (stream, flags)
            block += payload
            if flags & END_HEADERS:
                pairs = decoder.decode(bytes(block), raw=True)
                yield HEADERS, opened[1], opened[0], fields.of(pairs), b"", at
