"""Bytes that are handed on without copies: they are the same, in the same order, as with asyncio's and h11's own."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable

import pytest
from h11._receivebuffer import ReceiveBuffer
from hypothesis import given
from hypothesis import strategies as st

from addons.mitm import zero_copy

LOOKS: dict[str, Callable[[ReceiveBuffer], object]] = {
    "line": lambda buffer: buffer.maybe_extract_next_line(),
    "lines": lambda buffer: buffer.maybe_extract_lines(),
    "bytes": bytes,
    "length": len,
    "invalid": lambda buffer: buffer.is_next_line_obviously_invalid_request_line(),
}
STEPS = st.one_of(
    st.tuples(
        st.just("add"), st.lists(st.sampled_from([b"a", b"\r\n", b"\n", b"head: x\r\n", b"body" * 10])).map(b"".join)
    ),
    st.tuples(st.just("most"), st.integers(1, 60)),
    st.tuples(st.sampled_from(list(LOOKS)), st.none()),
)


@given(st.lists(STEPS, max_size=30))
def test_the_buffer_gives_what_h11s_gives(steps: list[tuple[str, object]]) -> None:
    theirs, ours = ReceiveBuffer(), zero_copy.Received()
    for step, argument in steps:
        if step == "add":
            theirs += argument  # type: ignore[arg-type]
            ours += argument  # type: ignore[arg-type]
            continue
        if step == "most":
            assert ours.maybe_extract_at_most(argument) == theirs.maybe_extract_at_most(argument)  # type: ignore[arg-type]
        else:
            assert LOOKS[step](ours) == LOOKS[step](theirs)
    assert bytes(ours) == bytes(theirs)


def test_a_body_is_not_copied() -> None:
    buffer, body = zero_copy.Received(), os.urandom(1000)
    buffer += body
    assert buffer.maybe_extract_at_most(1 << 40) is body
    assert not buffer


async def pair(size: int) -> tuple[zero_copy.Wide, asyncio.StreamWriter, socket.socket]:
    """A connection that is read in the wide way, with its writer; and the other end of it, with little room."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    reader, writer = await asyncio.open_connection(sock=ours)
    return zero_copy.Wide(reader, None), writer, theirs


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
            assert wide.size <= 2 * zero_copy.WIDEST_BYTES, "it stops reading while nobody asks"
        assert await wide.read(1) == b""
        await sending
        writer.close()
        return b"".join(pieces)

    assert zero_copy_is_able()
    assert asyncio.run(read()) == data


def zero_copy_is_able() -> bool:
    async def able() -> bool:
        return zero_copy.able()

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

    assert asyncio.run(sent()) <= 2 * zero_copy.WIDEST_BYTES


def test_a_connection_that_breaks_off_raises_as_asyncios_does() -> None:
    async def broken() -> None:
        server = socket.create_server(("127.0.0.1", 0))
        reader, writer = await asyncio.open_connection(*server.getsockname())
        peer, _ = server.accept()
        wide = zero_copy.Wide(reader, None)
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

        wide = zero_copy.Wide(reader, room)
        theirs.send(b"x")
        order.append((await wide.read(1)).decode())
        theirs.close()
        order.append((await wide.read(1)).decode())
        writer.close()
        return order

    assert asyncio.run(waits()) == ["asked", "granted", "x", ""]
