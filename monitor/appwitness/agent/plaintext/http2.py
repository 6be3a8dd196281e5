"""Parses HTTP/2 requests, gRPC included, from a client's stream of bytes (RFC 9113)."""

from __future__ import annotations

import hpack

from appwitness.agent.plaintext.message import PlaintextMessage, WrittenPart

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _CONTINUATION = 0, 1, 3, 9
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x4, 0x8, 0x20


class Http2:
    """Concurrent requests of one connection. Responses are not read, so statuses stay unknown."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = b""
        self._preface = len(PREFACE)
        self._headers = hpack.Decoder()
        self._block = b""
        self._ends = False
        self._streams: dict[int, PlaintextMessage] = {}
        self._broken = False

    def out(self, part: WrittenPart) -> list[PlaintextMessage]:
        """The requests that these bytes complete."""
        done: list[PlaintextMessage] = []
        self.held += part.data
        if self._preface:
            skipped = min(self._preface, len(self.held))
            self.held, self._preface = self.held[skipped:], self._preface - skipped
        while len(self.held) >= 9:
            length = int.from_bytes(self.held[:3], "big")
            if len(self.held) < 9 + length:
                break
            kind, flags = self.held[3], self.held[4]
            stream = int.from_bytes(self.held[5:9], "big") & 0x7FFFFFFF
            payload, self.held = self.held[9 : 9 + length], self.held[9 + length :]
            done += self._frame(part, kind, flags, stream, payload)
        return done

    def answered(self) -> list[PlaintextMessage]:
        """Nothing: responses are not matched with requests."""
        return []

    def ended(self) -> list[PlaintextMessage]:
        """The requests that were not completed."""
        messages, self._streams = list(self._streams.values()), {}
        for message in messages:
            message.cut = message.cut or "not at its end when the connection or the run was"
        return messages

    def _frame(self, part: WrittenPart, kind: int, flags: int, stream: int, payload: bytes) -> list[PlaintextMessage]:
        if kind in (_DATA, _HEADERS) and flags & _PADDED and payload:
            payload = payload[1 : len(payload) - payload[0]]
        if kind == _HEADERS:
            self._block = payload[5:] if flags & _PRIORITY else payload
            self._ends = bool(flags & _END_STREAM)
        elif kind == _CONTINUATION:
            self._block += payload
        if kind in (_HEADERS, _CONTINUATION):
            if flags & _END_HEADERS:
                self._opened(part, stream)
                return self._closed(stream) if self._ends else []
        elif kind == _DATA and stream in self._streams:
            message = self._streams[stream]
            message.at = part.at
            message.add(payload, self._most)
            return self._closed(stream) if flags & _END_STREAM else []
        elif kind == _RST_STREAM and stream in self._streams:
            self._streams[stream].cut = "reset by the client"
            return self._closed(stream)
        return []

    def _opened(self, part: WrittenPart, stream: int) -> None:
        headers = self._decoded()
        message = self._streams.get(stream)
        if message is not None:  # trailers
            message.headers += headers
            return
        named = dict(headers)
        self._streams[stream] = PlaintextMessage(
            at=part.at,
            caller=part.caller,
            method=named.get(":method"),
            target=named.get(":path", "/"),
            authority=named.get(":authority") or named.get("host"),
            headers=[(name, value) for name, value in headers if not name.startswith(":")],
        )

    def _decoded(self) -> list[tuple[str, str]]:
        if self._broken:
            return []
        try:
            pairs = self._headers.decode(self._block, raw=True)
        except hpack.HPACKError:
            self._broken = True  # after one unreadable block, none that follows can be decoded
            return []
        return [(_text(name), _text(value)) for name, value in pairs]

    def _closed(self, stream: int) -> list[PlaintextMessage]:
        message = self._streams.pop(stream, None)
        return [message] if message is not None else []


def _text(data: bytes) -> str:
    return bytes(data).decode("utf-8", "replace")
