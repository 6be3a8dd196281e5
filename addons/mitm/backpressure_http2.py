"""Bounds the memory used for HTTP/2: a sender that is faster than the receiver has to wait.

Replaces `BufferedH2Connection` in mitmproxy's `_http2`, and the layers `Http2Server` and `Http2Client`.

mitmproxy grants each sender 2 GiB (mitmproxy#7317) and acknowledges each byte on arrival, so a phone that uploads a
video to a slow server fills our memory with it. Here a sender is granted `STREAM_BYTES`, and bytes are acknowledged
only while less than `ROOM_BYTES` wait for the other side. (HTTP/1 does not need this: mitmproxy stops reading.) The
replaced parts are private to mitmproxy, so `bound` first checks that all of them exist.
"""

from __future__ import annotations

import weakref
from collections import defaultdict
from typing import Any

from h2.connection import H2Connection
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import _http2
from mitmproxy.proxy.layers.http._http2 import Http2Client, Http2Server
from mitmproxy.proxy.layers.http._http_h2 import BufferedH2Connection

from addons.mitm.replacing import replace

STREAM_BYTES = 4 * 1024 * 1024
"""Bytes of one message that a sender may send before we have acknowledged any."""
CONNECTION_BYTES = 2 * STREAM_BYTES
"""The same for all messages of a connection."""
ROOM_BYTES = 1024 * 1024
"""Bytes that may wait for the other side while bytes are still acknowledged."""
AGAIN_S = 0.02
"""Seconds between checks whether the other side has taken what waits."""


class Windows(BufferedH2Connection):
    """One side of an HTTP/2 connection, with small receive windows."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.local_settings.initial_window_size = STREAM_BYTES
        self.local_settings.acknowledge()

    def initiate_connection(self) -> None:
        """Like mitmproxy's, but with a small window; mitmproxy grants the largest that HTTP/2 allows."""
        H2Connection.initiate_connection(self)
        self.increment_flow_control_window(CONNECTION_BYTES - self.inbound_flow_control_window)

    def waiting(self) -> int:
        """Bytes that the other side does not allow us to send yet."""
        return sum(len(piece.data) for pieces in self.stream_buffers.values() for piece in pieces)


class Patience:
    """The common part of both sides: bytes that arrived and are not acknowledged yet."""

    def wait_for(self, client: str, windows: Any) -> None:
        """Set up this side; all sides of one client's connections know each other."""
        self.windows: Windows = windows
        self.sides = _sides.setdefault(client, weakref.WeakSet())
        self.sides.add(self)
        self.owed: defaultdict[int, int] = defaultdict(int)
        self.alarm: commands.RequestWakeup | None = None
        self.confirm = self.windows.acknowledge_received_data
        self.windows.acknowledge_received_data = self._arrived

    def _arrived(self, acknowledged_size: int, stream_id: int) -> None:
        if self.owed or not self._room():
            self.owed[stream_id] += acknowledged_size
        else:
            self.confirm(acknowledged_size, stream_id)

    def _room(self) -> bool:
        return sum(side.held() for side in self.sides if side is not self) < ROOM_BYTES

    def held(self) -> int:
        """Bytes that wait to be sent on this side."""
        return self.windows.waiting()

    def look_again(self) -> layer.CommandGenerator[None]:
        """Ask to be woken while bytes are unacknowledged."""
        if self.owed and self.alarm is None:
            self.alarm = commands.RequestWakeup(AGAIN_S)
            yield self.alarm

    def woken(self) -> layer.CommandGenerator[None]:
        """Acknowledge all unacknowledged bytes if there is room now."""
        self.alarm = None
        if self._room():
            for stream_id, size in self.owed.items():
                self.confirm(size, stream_id)
            self.owed.clear()
            data = self.windows.data_to_send()
            if data:
                yield commands.SendData(self.conn, data)  # type: ignore[attr-defined]
        yield from self.look_again()


_sides: weakref.WeakValueDictionary[str, weakref.WeakSet[Patience]] = weakref.WeakValueDictionary()


class FromClient(Patience, Http2Server):
    """The app's side."""

    def __init__(self, context: context.Context) -> None:
        Http2Server.__init__(self, context)
        self.wait_for(context.client.id, self.h2_conn)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Wakeup):
            yield from self.woken()
        else:
            yield from Http2Server._handle_event(self, event)
            yield from self.look_again()


class ToServer(Patience, Http2Client):
    """The server's side."""

    def __init__(self, context: context.Context) -> None:
        Http2Client.__init__(self, context)
        self.wait_for(context.client.id, self.h2_conn)

    def held(self) -> int:
        """Also counts what waits for a free stream to the server."""
        queued = (event for waiting in self.stream_queue.values() for event in waiting)
        return super().held() + sum(len(getattr(event, "data", b"")) for event in queued)

    def _handle_event2(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Wakeup) and event.command is self.alarm:
            yield from self.woken()
        else:
            yield from Http2Client._handle_event2(self, event)
            yield from self.look_again()


def bound() -> None:
    """Make all proxies of this process use the sides above."""
    replace(
        [(_http2, "BufferedH2Connection", Windows), (http, "Http2Server", FromClient), (http, "Http2Client", ToServer)],
        "memory for HTTP/2 uploads to slow servers is not bounded.",
    )
