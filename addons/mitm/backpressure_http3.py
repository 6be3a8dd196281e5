"""Bounds the memory used for HTTP/3, as backpressure_http2.py does for HTTP/2.

Replaces `tls_interact` of mitmproxy's `QuicLayer`, and in each of its connections aioquic's `_local_max_data`.

aioquic grants each sender twice what it has used, whether the other side took it or not, so a phone that uploads a
video to a slow server fills our memory with it. Here a sender is granted `WINDOW_BYTES` at a time, and only while less
than `ROOM_BYTES` wait for the other side. The replaced parts are private to mitmproxy and aioquic, so `bound` first
checks that they exist.
"""

from __future__ import annotations

import logging
import weakref

from aioquic.quic.connection import Limit, QuicConnection
from mitmproxy.proxy import commands, layer
from mitmproxy.proxy.layers.quic._stream_layers import QuicLayer

from addons.mitm.backpressure_http2 import AGAIN_S, ROOM_BYTES

WINDOW_BYTES = 2 * 1024 * 1024
"""Bytes that a sender may send on a connection before it is granted more."""
EARLY_BYTES = 4 * WINDOW_BYTES
"""Maximum number of bytes granted in total while there is no other side yet: requests wait in mitmproxy until it has
connected."""

_sides: weakref.WeakValueDictionary[str, weakref.WeakSet[QuicLayer]] = weakref.WeakValueDictionary()
_interact = QuicLayer.tls_interact


class Grant:
    """The bytes that one side may send on its connection: aioquic's `Limit`, raised only while there is room."""

    def __init__(self, limit: Limit, side: QuicLayer) -> None:
        self.frame_type, self.name, self.sent, self.used = limit.frame_type, limit.name, limit.sent, limit.used
        self.granted = limit.value
        self.withheld = False
        """Whether the limit was not raised for lack of room."""
        self.side = weakref.ref(side)
        self.sides = _sides.setdefault(side.context.client.id, weakref.WeakSet())
        self.sides.add(side)
        self.alarm: commands.RequestWakeup | None = None

    @property
    def value(self) -> int:
        """Total bytes that may be sent."""
        return self.granted

    @value.setter
    def value(self, _: int) -> None:
        """Called by aioquic to double the limit when more than half of it is used; raises it only if there is room."""
        self.withheld = False
        if self.granted - self.used < WINDOW_BYTES // 2:
            if self._room():
                self.granted = self.used + WINDOW_BYTES
            else:
                self.withheld = True

    def _room(self) -> bool:
        others = [one for one in self.sides if one is not self.side() and one.quic and one.conn.connected]
        if not others:
            return self.used < EARLY_BYTES
        return sum(held(one.quic) for one in others if one.quic) < ROOM_BYTES


def held(connection: QuicConnection) -> int:
    """Bytes that wait on one side to be sent or to be acknowledged."""
    senders = [stream.sender for stream in connection._streams.values()]
    return sum(sender._buffer_stop - sender._buffer_start for sender in senders)


def interact(side: QuicLayer) -> layer.CommandGenerator[None]:
    """mitmproxy's `tls_interact`, which sends pending data; runs again later while a grant is withheld."""
    assert side.quic
    limit: Limit | Grant = side.quic._local_max_data
    grant = limit if isinstance(limit, Grant) else Grant(limit, side)
    side.quic._local_max_data = grant  # type: ignore[assignment]
    yield from _interact(side)
    if grant.withheld and grant.alarm not in side._wakeup_commands:
        grant.alarm = commands.RequestWakeup(AGAIN_S)
        side._wakeup_commands[grant.alarm] = side._time() + AGAIN_S
        yield grant.alarm


def bound() -> None:
    """Make all proxies of this process use `Grant` for the limits of HTTP/3 connections."""
    limited = getattr(QuicConnection, "_write_connection_limits", None)
    if limited is None or "_local_max_data" not in limited.__code__.co_names:
        logging.error(
            "This version of aioquic is not supported: memory for HTTP/3 uploads to slow servers is not bounded."
        )
        return
    QuicLayer.tls_interact = interact  # type: ignore[method-assign,assignment]
