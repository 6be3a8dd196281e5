"""Forwards the trailers of chunked HTTP/1 bodies (RFC 9112, 7.1.2); mitmproxy aborts such exchanges.

Replaces `ChunkedReader` in mitmproxy's `_http1` (it is h11's, from `h11._readers`), and the layers `Http1Server` and
`Http1Client`, which raise "HTTP trailers are not implemented yet" (mitmproxy#2474). As in backpressure_http2.py, the
replaced parts are private, so `bound` first checks that all of them exist.
"""

from __future__ import annotations

from typing import Any

import h11
from h11._readers import ChunkedReader
from mitmproxy.http import Headers
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._base import HttpEvent, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    RequestEndOfMessage,
    RequestTrailers,
    ResponseEndOfMessage,
    ResponseTrailers,
)
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Server

from addons.mitm.replacing import replace

LAST = b"0\r\n\r\n"
"""The end of a chunked body without trailers."""


class Reader(ChunkedReader):
    """h11's reader, which also stores the trailers."""

    def __call__(self, buf: Any) -> Any:
        event = super().__call__(buf)
        if isinstance(event, h11.EndOfMessage) and event.headers:
            self.trailers = Headers([(bytes(name), bytes(value)) for name, value in event.headers.raw_items()])
            return h11.EndOfMessage()
        return event


class Trailing:
    """The common part of both sides."""

    to_send: Headers | None = None

    def read_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Like mitmproxy's, but reports the trailers before the end of the message."""
        for command in super().read_body(event):  # type: ignore[misc]
            trailers = getattr(self.body_reader, "trailers", None)  # type: ignore[attr-defined]
            if trailers and isinstance(command, ReceiveHttp):
                if isinstance(command.event, RequestEndOfMessage):
                    yield ReceiveHttp(RequestTrailers(command.event.stream_id, trailers))
                elif isinstance(command.event, ResponseEndOfMessage):
                    yield ReceiveHttp(ResponseTrailers(command.event.stream_id, trailers))
            yield command

    def send(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """Like mitmproxy's, but ends a chunked body with the trailers. (Other bodies cannot have any.)"""
        if isinstance(event, RequestTrailers | ResponseTrailers):
            self.to_send = event.trailers
            return
        for command in super().send(event):  # type: ignore[misc]
            if self.to_send is not None and isinstance(command, commands.SendData) and command.data == LAST:
                lines = [b"%s: %s\r\n" % field for field in self.to_send.fields]
                command.data = LAST[:3] + b"".join(lines) + LAST[3:]
                self.to_send = None
            yield command


class FromClient(Trailing, Http1Server):
    """The app's side."""


class ToServer(Trailing, Http1Client):
    """The server's side."""


def bound() -> None:
    """Make all proxies of this process use the sides above."""
    replace(
        [(_http1, "ChunkedReader", Reader), (http, "Http1Server", FromClient), (http, "Http1Client", ToServer)],
        "HTTP/1 uploads with trailers break.",
    )
