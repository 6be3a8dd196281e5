"""Recognises HTTP/2 without TLS from clients that know in advance that the server supports it (gRPC)."""

from __future__ import annotations

import re

from mitmproxy.proxy import layer, layers
from mitmproxy.proxy.layers.http import HTTPMode

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""How such a connection begins (RFC 9113, 3.4)."""

_SETTINGS = re.compile(rb"\x00..\x04\x00\x00\x00\x00\x00", re.DOTALL)
"""How the server's side begins: a SETTINGS frame."""


class Cleartext:
    """mitmproxy takes the version of HTTP from the TLS handshake; where there is none, we say it."""

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        about = nextlayer.context
        begin = nextlayer.data_client()[: len(PREFACE)]
        chosen = nextlayer.layer
        raw = isinstance(chosen, layers.TCPLayer) and chosen.flow is not None
        if about.client.tls or not (raw or isinstance(chosen, layers.HttpLayer)):
            return
        if raw and not begin and _SETTINGS.match(nextlayer.data_server()):
            nextlayer.layer = None  # the server was quicker; the client is about to begin
            return
        if begin[:4] != PREFACE[:4]:
            return
        if begin == PREFACE:
            about.client.alpn = about.server.alpn = b"h2"
            if raw:
                # A server that spoke first made mitmproxy think that this is not HTTP.
                nextlayer.layer = layers.HttpLayer(about, HTTPMode.transparent)
        elif PREFACE.startswith(begin):
            nextlayer.layer = None  # asked again with the next bytes
