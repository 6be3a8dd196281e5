"""Parses HTTP/1 and WebSocket from the bytes of one connection."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

REQUEST = re.compile(rb"([A-Z]{3,20}) (\S+) HTTP/1\.[01]\r\n")
INFLATED = 64 << 20
"""Maximum number of bytes of a decompressed message that are kept."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")


@dataclass
class CapturedMessage:
    """One request, response or WebSocket message, and where in the bytes it ends."""

    start: tuple[bytes, bytes]
    """Method and target; for a response its status and nothing; for a WebSocket message nothing."""
    headers: tuple[tuple[str, str], ...]
    body: bytes
    end: int
    whole: bool = True

    def header(self, name: str) -> str:
        """The value of a header, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def requests(data: bytes) -> Iterator[CapturedMessage]:
    """The requests, up to the end or to the first data that is not HTTP."""
    at = 0
    while at < len(data):
        head = REQUEST.match(data, at)
        if head is None:
            return
        message = _message(data, at, head.end(), (head[1], head[2]), has_body=True)
        yield message
        at = message.end


def responses(data: bytes, methods: Iterable[bytes]) -> Iterator[int]:
    """The status of each response, in the order of the requests, whose methods tell which have no body."""
    at, asked = 0, iter(methods)
    method = next(asked, None)
    while at < len(data) and method is not None:
        head = _STATUS.match(data, at)
        if head is None:
            return
        line = data.find(b"\r\n", at) + 2
        status = int(head[1])
        bodiless = method == b"HEAD" or status in (101, 204, 304) or 100 <= status < 200
        message = _message(data, at, line, (head[1], b""), has_body=not bodiless)
        at = message.end
        if status >= 200 or status == 101:
            yield status
            method = next(asked, None)


def _message(data: bytes, at: int, line: int, start: tuple[bytes, bytes], has_body: bool) -> CapturedMessage:
    close = data.find(b"\r\n\r\n", line - 2)
    if close < 0:
        return CapturedMessage(start, (), b"", len(data), whole=False)
    fields = [field.partition(b":") for field in data[line:close].split(b"\r\n") if field]
    headers = tuple((name.decode("latin-1"), value.strip().decode("utf-8", "replace")) for name, _, value in fields)
    message = CapturedMessage(start, headers, b"", close + 4)
    if not has_body:
        return message
    if "chunked" in message.header("transfer-encoding").lower():
        _dechunk(data, message)
    elif message.header("content-length").isdecimal():
        message.end = close + 4 + int(message.header("content-length"))
        message.body = data[close + 4 : message.end]
        message.whole = len(data) >= message.end
    elif not start[1]:
        message.body, message.end = data[close + 4 :], len(data)  # a response that ends with its connection
    return message


def _dechunk(data: bytes, message: CapturedMessage) -> None:
    at, pieces = message.end, []
    message.whole = False
    while (line := data.find(b"\r\n", at)) >= 0:
        try:
            size = int(data[at:line].partition(b";")[0], 16)
        except ValueError:
            break
        if size == 0:
            close = data.find(b"\r\n", line + 2)
            while close > line + 2:  # trailers
                line, close = close, data.find(b"\r\n", close + 2)
            message.whole, at = True, line + 4
            break
        pieces.append(data[line + 2 : line + 2 + size])
        at = line + 2 + size + 2
    message.body = b"".join(pieces)
    message.end = at if message.whole else len(data)


def websocket(data: bytes, at: int, deflated: bool) -> Iterator[CapturedMessage]:
    """The messages that a client sent from offset `at` on; decompressed if permessage-deflate was used."""
    parts: list[bytes] = []
    compressed = False
    inflate = zlib.decompressobj(-15)
    while len(data) - at >= 2:
        first, second = data[at], data[at + 1]
        size, head = second & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, head = int.from_bytes(data[at + 2 : at + 2 + width], "big"), 2 + width
        mask = data[at + head : at + head + 4] if second & 0x80 else b""
        begin = at + head + len(mask)
        payload = data[begin : begin + size]
        whole = len(payload) == size
        if mask:
            long = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (size // 4 + 1))[: len(payload)], "big")
            payload = long.to_bytes(len(payload), "big")
        at = begin + size
        if first & 0x0F > 2:
            continue  # ping, pong, close
        if first & 0x0F:
            compressed = bool(first & 0x40) and deflated
        parts.append(payload)
        if first & 0x80 or not whole:
            body = b"".join(parts)
            parts.clear()
            if compressed:
                body = inflate.decompress(body + b"\0\0\xff\xff", INFLATED)
                whole = whole and not inflate.unconsumed_tail
            yield CapturedMessage((b"", b""), (), body, min(at, len(data)), whole)
            if compressed and inflate.unconsumed_tail:
                return  # what comes next refers to what was not inflated
