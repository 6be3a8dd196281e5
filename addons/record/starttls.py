"""Follows a connection that switches to TLS midway (STARTTLS of mail and chat, SSLRequest of databases)."""

from __future__ import annotations

from typing import Any

from mitmproxy.proxy import context, events, layer, layers
from mitmproxy.proxy.layers.tcp import TcpEndHook
from mitmproxy.proxy.layers.tls import parse_client_hello

from addons.record.framing import begins_tls


class Changing(layers.TCPLayer):
    """Raw TCP until the client sends a ClientHello; from there on, TLS."""

    def __init__(self, context: context.Context) -> None:
        super().__init__(context)
        self.answered = False
        """Whether the server has sent something: no client switches to TLS before the server agrees."""

    def relay_messages(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Like mitmproxy's, until the switch to TLS."""
        if isinstance(event, events.DataReceived):
            if event.connection is not self.context.client:
                self.answered = True
            elif self.answered and greets(event.data):
                yield from self._change(event)
                return
        yield from super().relay_messages(event)

    def _change(self, event: events.Event) -> layer.CommandGenerator[None]:
        assert self.flow
        yield TcpEndHook(self.flow)
        self.flow.live = False
        server = layers.ServerTLSLayer(self.context)
        server.child_layer = client = layers.ClientTLSLayer(self.context)
        client.child_layer = layers.TCPLayer(self.context)
        # Both, as in mitmproxy's NextLayer: waiting events go through the first, later ones through the second.
        self._handle_event: Any = server.handle_event
        self.handle_event: Any = server.handle_event
        yield from server.handle_event(events.Start())
        yield from server.handle_event(event)


def greets(data: bytes) -> bool:
    """Whether these bytes are a ClientHello or its beginning."""
    if not begins_tls(data):
        return False
    try:
        parse_client_hello(data)
    except ValueError:
        return False
    return True


class StartTls:
    """Uses the layer `Changing` for each raw connection that is recorded."""

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        chosen, about = nextlayer.layer, nextlayer.context
        if isinstance(chosen, layers.TCPLayer) and chosen.flow is not None and not about.client.tls:
            nextlayer.layer = Changing(about)
