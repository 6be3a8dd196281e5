"""Hands the bytes of long bodies on as they came from the socket; asyncio, mitmproxy and h11 copy them six times.

Replaces `ReceiveBuffer` in mitmproxy's `_http1` (it is h11's, from `h11._receivebuffer`), `feed_data` and `read` of
asyncio's `StreamReader`, whose private fields it uses, and `mode_servers.ProxyConnectionHandler`, which also makes apps
wait for a slow disk. mitmproxy asks for 64 kB at a time; asyncio and h11 each copy what came into a buffer of their
own, and out of it: without this, a huge upload costs 60 % more CPU time, one of 100 kB 6 to 11 % (`python -m
tests.bench proxy`). All of this is private, so `able` says first whether it is as expected.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from h11._receivebuffer import ReceiveBuffer
from mitmproxy.connection import Connection
from mitmproxy.proxy import mode_servers
from mitmproxy.proxy.layers.http import _http1

WIDE_BYTES = 256 * 1024
"""What asyncio takes from a socket at a time,"""
WIDEST_BYTES = 1024 * 1024
"""and where more than that is there."""

_READER = ("_buffer", "_eof", "_exception", "_paused", "_transport", "_wait_for_data", "_wakeup_waiter")
_BUFFER = ("_data", "_extract", "maybe_extract_at_most", "maybe_extract_next_line", "maybe_extract_lines")


def able() -> bool:
    """Whether asyncio, h11 and mitmproxy are those that we know."""
    reader = asyncio.StreamReader(loop=asyncio.get_running_loop())
    return (
        all(hasattr(reader, name) for name in _READER)
        and all(hasattr(ReceiveBuffer(), name) for name in _BUFFER)
        and _http1.__dict__.get("ReceiveBuffer") in (ReceiveBuffer, Received)
    )


class Gated:
    """Stands before any reader: what was read is passed on once there is room."""

    def __init__(self, reader: Any, room: Callable[[], Awaitable[None]]) -> None:
        self.reader = reader
        self.room = room

    async def read(self, size: int) -> bytes:
        """As a reader's."""
        data: bytes = await self.reader.read(size)
        await self.room()
        return data


class Wide:
    """Stands before a StreamReader: reads as much at a time as is there, and passes on the very bytes that were read.

    mitmproxy asks for 64 kB at a time, and does all of its work for each.
    """

    def __init__(self, reader: Any, room: Callable[[], Awaitable[None]] | None) -> None:
        self.reader = reader
        self.room = room
        """Returns when what was read may be passed on."""
        self.pieces: deque[bytes] = deque()
        self.size = 0
        if reader._buffer:
            self._keep(bytes(reader._buffer))
            reader._buffer.clear()
        reader.feed_data = self._feed

    def _keep(self, data: bytes) -> None:
        self.pieces.append(data)
        self.size += len(data)

    def _feed(self, data: bytes) -> None:
        """As a StreamReader's `feed_data`, which asyncio calls with what came."""
        if not data:
            return
        reader = self.reader
        self._keep(data)
        reader._wakeup_waiter()
        transport = reader._transport
        if transport is None:
            return
        if len(data) >= WIDE_BYTES and getattr(transport, "max_size", WIDEST_BYTES) < WIDEST_BYTES:
            transport.max_size = WIDEST_BYTES
        if self.size > WIDEST_BYTES and not reader._paused:
            transport.pause_reading()
            reader._paused = True

    async def read(self, _: int) -> bytes:
        """As a reader's: the next bytes, b"" at the end. Raises OSError when the connection broke off."""
        reader = self.reader
        if reader._exception is not None:
            raise reader._exception
        if not self.pieces and not reader._eof:
            await reader._wait_for_data("read")
        data = self.pieces.popleft() if self.pieces else b""
        self.size -= len(data)
        if reader._paused and self.size <= WIDEST_BYTES:
            reader._paused = False
            reader._transport.resume_reading()
        if self.room is not None and data:
            # After reading, so that those who waited go on one by one, and each sees what the one before has taken.
            await self.room()
        return data


class Received(ReceiveBuffer):
    """h11's buffer; bytes that are asked for as they came do not pass through it."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = b""
        """What came while the buffer was empty."""

    def __iadd__(self, data: bytes | bytearray) -> Received:
        if self.whole or self._data or not isinstance(data, bytes):
            self._fill()
            self._data += data
        else:
            self.whole = data
        return self

    def _fill(self) -> None:
        if self.whole:
            self._data += self.whole
            self.whole = b""

    def __len__(self) -> int:
        return len(self._data) + len(self.whole)

    def __bytes__(self) -> bytes:
        return bytes(self._data) + self.whole

    def maybe_extract_at_most(self, count: int) -> Any:
        if 0 < len(self.whole) <= count:
            data, self.whole = self.whole, b""
            return data
        self._fill()
        return super().maybe_extract_at_most(count)

    def maybe_extract_next_line(self) -> bytearray | None:
        self._fill()
        return super().maybe_extract_next_line()

    def maybe_extract_lines(self) -> list[bytearray] | None:
        self._fill()
        return super().maybe_extract_lines()

    def is_next_line_obviously_invalid_request_line(self) -> bool:
        self._fill()
        return super().is_next_line_obviously_invalid_request_line()


class Handler(mode_servers.ProxyConnectionHandler):
    """mitmproxy's handler of one connection, which reads in the ways above."""

    room: Callable[[], Awaitable[None]]
    """What apps are made to wait for."""
    wide = False
    """asyncio and h11 are those that we know."""

    async def handle_connection(self, connection: Connection) -> None:
        """As mitmproxy's."""
        transport = self.transports[connection]
        room = Handler.room if connection is self.client else None
        if Handler.wide and type(transport.reader) is asyncio.StreamReader:
            transport.reader = Wide(transport.reader, room)  # type: ignore[assignment]
        elif room is not None:
            transport.reader = Gated(transport.reader, room)  # type: ignore[assignment]
        await super().handle_connection(connection)


def bound(room: Callable[[], Awaitable[None]]) -> None:
    """Have every proxy of this process use the handler above; `room` is what apps are made to wait for."""
    if not hasattr(getattr(mode_servers, "ProxyConnectionHandler", None), "handle_connection"):
        logging.error("This mitmproxy is not the one we know: the proxy does not wait for slow disks.")
        return
    Handler.room = staticmethod(room)
    Handler.wide = able()
    if Handler.wide:
        vars(_http1)["ReceiveBuffer"] = Received
    else:
        logging.error("This Python or h11 is not the one we know: long uploads cost more.")
    mode_servers.ProxyConnectionHandler = Handler  # type: ignore[misc]
