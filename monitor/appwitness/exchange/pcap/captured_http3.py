"""Parses HTTP/3 from the streams of one QUIC connection (RFC 9114): requests by stream, with response status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pylsqpack import Decoder, DecompressionFailed, EncoderStreamError, StreamBlocked

from appwitness.exchange.pcap.captured_http2 import HeaderFields, Request
from appwitness.exchange.pcap.tshark import ConversationSide

DATA, HEADERS, SETTINGS = 0, 1, 4
CONTROL, ENCODER = 0, 2
"""Types of unidirectional streams: control, and QPACK encoder."""
CAPACITY = 1
"""The setting for the capacity of the reader's QPACK table."""
BLOCKED = 1000
"""Maximum number of streams that may wait for an entry of the table."""
UNREADABLE = (DecompressionFailed, EncoderStreamError, ValueError)

Streams = Mapping[int, tuple[ConversationSide, ConversationSide]]
"""Stream id -> the client's and the server's side."""


@dataclass
class _Frames:
    """The frames of one side of a request's stream."""

    headers: list[tuple[float, bytes]] = field(default_factory=list)
    """Time and encoded fields of each header block."""
    body: bytearray = field(default_factory=bytearray)
    end: int = 0
    """Where its last frame ends."""


def is_http3(streams: Streams) -> bool:
    """Whether the client opened HTTP/3 on this connection."""
    return _of_kind(streams, 0, CONTROL) is not None


def requests(streams: Streams) -> dict[int, Request]:
    """Stream -> request. Raises UNREADABLE for data that is not HTTP/3."""
    found = {number: _frames(sides[0]) for number, sides in streams.items() if number % 4 == 0}
    fields = _decoded(streams, 0, {number: frames.headers for number, frames in found.items()})
    return {
        number: Request(fields.get(number, []), frames.body, frames.end, streams[number][0].whole(frames.end))
        for number, frames in found.items()
    }


def statuses(streams: Streams) -> dict[int, int]:
    """Stream -> status of its response. Raises UNREADABLE, too."""
    found = {number: _frames(sides[1]).headers for number, sides in streams.items() if number % 4 == 0}
    said = {
        number: [int(value) for name, value in fields if name == ":status" and value.isdecimal() and int(value) >= 200]
        for number, fields in _decoded(streams, 1, found).items()
    }
    return {number: statuses[0] for number, statuses in said.items() if statuses}


def _decoded(
    streams: Streams, side: int, blocks: Mapping[int, list[tuple[float, bytes]]]
) -> dict[int, list[tuple[str, str]]]:
    """The fields of each stream. Header blocks and table entries are read in the order in which they were sent."""
    decoder = Decoder(_capacity(streams, 1 - side), BLOCKED)
    table = _of_kind(streams, side, ENCODER)
    steps = [(at, number, block) for number, several in blocks.items() for at, block in several]
    steps += [(at, -1, piece) for at, piece in (table.pieces() if table else ())]
    fields: dict[int, list[tuple[str, str]]] = {}
    text = HeaderFields()

    def add(number: int, pairs: list[tuple[bytes, bytes]]) -> None:
        fields.setdefault(number, []).extend(text.of(pairs))

    skip = 1  # the byte with the type of the stream
    for _, number, data in sorted(steps, key=lambda step: step[0]):
        if number < 0:
            data, skip = data[skip:], max(0, skip - len(data))
            for ready in decoder.feed_encoder(data) if data else ():
                add(ready, decoder.resume_header(ready)[1])
        else:
            try:
                add(number, decoder.feed_header(number, data)[1])
            except StreamBlocked:
                continue  # until the table has the entries that it refers to
    return fields


def _capacity(streams: Streams, side: int) -> int:
    control = _of_kind(streams, side, CONTROL)
    for kind, payload, _ in _split(bytes(control.data), 1) if control else ():
        if kind == SETTINGS:
            at = 0
            while at < len(payload):
                name, at = _number(payload, at)
                value, at = _number(payload, at)
                if name == CAPACITY:
                    return value
    return 0


def _of_kind(streams: Streams, side: int, kind: int) -> ConversationSide | None:
    """A side's unidirectional stream of a type; None if it has none."""
    for number, sides in streams.items():
        if number % 4 == 2 + side and sides[side].data[:1] == bytes([kind]):
            return sides[side]
    return None


def _frames(side: ConversationSide) -> _Frames:
    found = _Frames()
    for kind, payload, end in _split(bytes(side.data), 0):
        if kind == HEADERS:
            found.headers.append((side.at(end).timestamp(), payload))
        elif kind == DATA:
            found.body += payload
        found.end = end
    return found


def _split(data: bytes, at: int) -> Iterator[tuple[int, bytes, int]]:
    """Type, payload and end of each frame; the last one may be incomplete."""
    while at < len(data):
        try:
            kind, at = _number(data, at)
            size, at = _number(data, at)
        except IndexError:
            return
        yield kind, data[at : at + size], min(at + size, len(data))
        at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A QUIC integer (RFC 9000, 16), and its end."""
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        raise IndexError("the number is broken off")
    return int.from_bytes(data[at : at + size], "big") & ((1 << (8 * size - 2)) - 1), at + size
