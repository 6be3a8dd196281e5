"""Reads everything that a socket has in one go, and passes it on without a copy; slows apps down for a slow disk.

Replaces `mode_servers.ProxyConnectionHandler`, and `feed_data` and `read` of asyncio's `StreamReader`, whose private
fields it uses; `able` first checks that they exist. mitmproxy requests 64 kB at a time and does all of its work for
each such piece, and asyncio copies data into its own buffer and out of it again. Without this, a huge upload costs 40 %
more CPU time, and one of 100 kB 10 to 14 % (`python -m tests.bench proxy`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from mitmproxy.connection import Connection
from mitmproxy.proxy import mode_servers

WIDE_BYTES = 256 * 1024
"""Bytes that asyncio reads from a socket at a time; once a read returns that many, it reads up to WIDEST_BYTES."""
WIDEST_BYTES = 1024 * 1024
"""Maximum number of bytes that asyncio reads at a time, and that are held before reading pauses."""

_READER = ("_buffer", "_eof", "_exception", "_paused", "_transport", "_wait_for_data", "_wakeup_waiter")


def able() -> bool:
    """Whether asyncio's reader has the private fields that we use."""
    reader = asyncio.StreamReader(loop=asyncio.get_running_loop())
    return all(hasattr(reader, name) for name in _READER)


class Gated:
    """Wraps any reader: data is passed on once there is room."""

    def __init__(self, reader: Any, room: Callable[[], Awaitable[None]]) -> None:
        self.reader = reader
        self.room = room

    async def read(self, size: int) -> bytes:
        """Like a reader's."""
        data: bytes = await self.reader.read(size)
        await self.room()
        return data


class Wide:
    """Wraps a StreamReader: reads everything that is there in one go, and passes it on without a copy."""

    def __init__(self, reader: Any, room: Callable[[], Awaitable[None]] | None) -> None:
        self.reader = reader
        self.room = room
        """Awaited before data is passed on; it returns once there is room."""
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
        """Replaces a StreamReader's `feed_data`, which asyncio calls with new data."""
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
        """Like a reader's: the next bytes, b"" at the end. Raises OSError when the connection broke off."""
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
            # After reading, so that waiting readers continue one by one, and each sees what the one before has taken.
            await self.room()
        return data


class Handler(mode_servers.ProxyConnectionHandler):
    """mitmproxy's handler of one connection, with the readers above."""

    room: Callable[[], Awaitable[None]]
    """Apps wait until this returns."""
    wide = False
    """Whether asyncio's reader is as we know it."""

    async def handle_connection(self, connection: Connection) -> None:
        """Like mitmproxy's, with its reader replaced."""
        transport = self.transports[connection]
        room = Handler.room if connection is self.client else None
        if Handler.wide and type(transport.reader) is asyncio.StreamReader:
            transport.reader = Wide(transport.reader, room)  # type: ignore[assignment]
        elif room is not None:
            transport.reader = Gated(transport.reader, room)  # type: ignore[assignment]
        await super().handle_connection(connection)


def bound(room: Callable[[], Awaitable[None]]) -> None:
    """Make all proxies of this process use the handler above; apps are made to wait for `room`."""
    if not hasattr(getattr(mode_servers, "ProxyConnectionHandler", None), "handle_connection"):
        logging.error("This version of mitmproxy is not supported: the proxy does not wait for slow disks.")
        return
    Handler.room = staticmethod(room)
    Handler.wide = able()
    if not Handler.wide:
        logging.error("This version of Python is not supported: long uploads take more CPU time.")
    mode_servers.ProxyConnectionHandler = Handler  # type: ignore[misc]
