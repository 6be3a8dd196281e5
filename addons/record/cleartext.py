"""Recognises HTTP/2 without TLS from clients that know in advance that the server supports it (gRPC)."""

from __future__ import annotations

import re

from mitmproxy.proxy import layer, layers
from mitmproxy.proxy.layers.http import HTTPMode

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The beginning of such a connection (RFC 9113, 3.4)."""

_SETTINGS = re.compile(rb"\x00..\x04\x00\x00\x00\x00\x00", re.DOTALL)
"""The beginning of the server's side: a SETTINGS frame."""


class Cleartext:
    """Sets the HTTP version of connections without TLS, because mitmproxy takes it from the TLS handshake."""

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        about = nextlayer.context
        begin = nextlayer.data_client()[: len(PREFACE)]
        chosen = nextlayer.layer
        raw = isinstance(chosen, layers.TCPLayer) and chosen.flow is not None
        if about.client.tls or not (raw or isinstance(chosen, layers.HttpLayer)):
            return
        if raw and not begin and _SETTINGS.match(nextlayer.data_server()):
            nextlayer.layer = None  # the server was faster; the client is about to send
            return
        if begin[:4] != PREFACE[:4]:
            return
        if begin == PREFACE:
            about.client.alpn = about.server.alpn = b"h2"
            if raw:
                # A server that spoke first made mitmproxy assume that this is not HTTP.
                nextlayer.layer = layers.HttpLayer(about, HTTPMode.transparent)
        elif PREFACE.startswith(begin):
            nextlayer.layer = None  # asked again with the next bytes
