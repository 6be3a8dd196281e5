"""Bytes that are read in the wide way: the same, in the same order, as with asyncio's own reader."""

from __future__ import annotations

import asyncio
import os
import socket
import struct

import pytest

from addons.mitm import wide_reads


async def pair(size: int) -> tuple[wide_reads.Wide, asyncio.StreamWriter, socket.socket]:
    """A connection that is read in the wide way, with its writer; and the other end of it, with little room."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    reader, writer = await asyncio.open_connection(sock=ours)
    return wide_reads.Wide(reader, None), writer, theirs


def test_all_that_was_sent_is_read_in_order_and_then_the_end() -> None:
    data = os.urandom(9 * 1024 * 1024)

    async def read() -> bytes:
        wide, writer, theirs = await pair(1 << 20)

        def send() -> None:
            theirs.sendall(data)
            theirs.close()

        sending = asyncio.get_running_loop().run_in_executor(None, send)
        pieces = []
        while piece := await wide.read(1):
            pieces.append(piece)
            assert wide.size <= 2 * wide_reads.WIDEST_BYTES, "it stops reading while nobody asks"
        assert await wide.read(1) == b""
        await sending
        writer.close()
        return b"".join(pieces)

    assert wide_reads_are_able()
    assert asyncio.run(read()) == data


def wide_reads_are_able() -> bool:
    async def able() -> bool:
        return wide_reads.able()

    return asyncio.run(able())


def test_who_does_not_read_is_not_sent_more_than_the_bound() -> None:
    async def sent() -> int:
        wide, writer, theirs = await pair(1 << 16)
        theirs.setblocking(False)
        count = quiet = 0
        while quiet < 50:
            try:
                count += theirs.send(b"x" * 65536)
                quiet = 0
            except BlockingIOError:
                quiet += 1
            await asyncio.sleep(0.001)
        held = wide.size
        total = 0
        while total < count:
            total += len(await wide.read(1))
        theirs.close()
        writer.close()
        assert held < count
        return held

    assert asyncio.run(sent()) <= 2 * wide_reads.WIDEST_BYTES


def test_a_connection_that_breaks_off_raises_as_asyncios_does() -> None:
    async def broken() -> None:
        server = socket.create_server(("127.0.0.1", 0))
        reader, writer = await asyncio.open_connection(*server.getsockname())
        peer, _ = server.accept()
        wide = wide_reads.Wide(reader, None)
        peer.send(b"last words")
        assert await wide.read(1) == b"last words"
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        with pytest.raises(ConnectionResetError):
            await wide.read(1)
        writer.close()
        server.close()

    asyncio.run(broken())


def test_it_waits_for_room_before_it_passes_on() -> None:
    async def waits() -> list[str]:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        order = []

        async def room() -> None:
            order.append("asked")
            await asyncio.sleep(0)
            order.append("granted")

        wide = wide_reads.Wide(reader, room)
        theirs.send(b"x")
        order.append((await wide.read(1)).decode())
        theirs.close()
        order.append((await wide.read(1)).decode())
        writer.close()
        return order

    assert asyncio.run(waits()) == ["asked", "granted", "x", ""]
