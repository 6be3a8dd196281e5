"""Records what could not be observed: refused certificates, unreachable servers, ignored connections, unreadable QUIC.

QUIC that mitmproxy cannot decrypt (an unknown version, or a mode without our certificate) does not pass unseen. The
client is told at once, by QUIC's version negotiation (RFC 9000, 6), that it cannot be used here, and falls back to TCP,
which can be read. A gap names each host that this happened to, and how often.
"""

from __future__ import annotations

import asyncio
import os
import re
import time

from mitmproxy import connection, ctx, dns, http, tcp, tls
from mitmproxy.net.dns import types as dns_types
from mitmproxy.proxy import commands, context, events, layer, layers, mode_specs, server_hooks
from mitmproxy.proxy.layers.quic import quic_parse_client_hello_from_datagrams

from addons.disk.storage import Line
from addons.record.recorder import Recorder
from addons.record.upload_line import asked, end_of, whose

ALERT = re.compile(r"alert ([a-z][a-z ]*[a-z])")
"""The alert in OpenSSL's description of a handshake: `tls alert certificate unknown`."""
SILENT_S = 5.0
"""A client that closes within this many seconds after its TLS handshake without a request most likely pins a
certificate."""
NAMES = 10_000
"""Maximum number of addresses whose names are remembered from answers to DNS queries."""
QUIC_PORTS = frozenset({80, 443, 8443})
VERSION_1 = b"\x00\x00\x00\x01"
READABLE = frozenset({VERSION_1, b"\x6b\x33\x43\xcf"})
"""The QUIC versions that mitmproxy can read: 1 and 2."""
NO_VERSION = b"\x0a\x1a\x2a\x3a"
"""A reserved version (RFC 9000, 15): a client that is offered only this one gives up at once."""


class RefuseQuic(layer.Layer):
    """Answers each initial packet of QUIC with the versions that can be read here, and passes nothing on."""

    def __init__(self, context: context.Context, versions: bytes) -> None:
        super().__init__(context)
        self.versions = versions

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.DataReceived) and event.connection is self.context.client:
            answer = negotiation(event.data, self.versions)
            if answer:
                yield commands.SendData(self.context.client, answer)
        elif isinstance(event, events.ConnectionClosed):
            yield commands.CloseConnection(event.connection)


def is_quic(data: bytes) -> bool:
    """Whether it is an initial packet of QUIC (RFC 9000, 17.2): long header, minimum length, version not 0."""
    return len(data) >= 1200 and data[0] & 0xC0 == 0xC0 and data[1:5] != b"\0\0\0\0"


def negotiation(data: bytes, versions: bytes) -> bytes | None:
    """A version negotiation packet (RFC 9000, 17.2.1) in answer to an initial packet; None if `data` is not one."""
    if not is_quic(data):
        return None
    to, rest = data[6 : 6 + data[5]], data[6 + data[5] :]
    if not rest or len(to) > 20:
        return None
    from_ = rest[1 : 1 + rest[0]]
    if len(from_) != rest[0]:
        return None
    return (
        bytes([0x80 | os.urandom(1)[0] & 0x7F])
        + b"\0\0\0\0"
        + bytes([len(from_)])
        + from_
        + bytes([len(to)])
        + to
        + versions
    )


class Unseen:
    """Writes the gaps of the proxy."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.silent: dict[str, tuple[float, str, Line]] = {}
        self.refusing: set[str] = set()
        """Hosts for which the app refused our certificate; with `pass_refused`, later connections pass undecrypted."""
        self.names: dict[str, str] = {}

    # -- TLS

    def tls_established_client(self, data: tls.TlsData) -> None:
        self.silent[data.conn.id] = (time.monotonic(), asked(data.context), whose(data.context))

    def tls_failed_client(self, data: tls.TlsData) -> None:
        words = data.conn.error or ""
        host, about = self._named(asked(data.context)), whose(data.context)
        if words.startswith(("Cannot parse QUIC header", "Invalid handshake received")):
            self.recorder.gap(host, "not_decrypted", "QUIC of a connection that began before the proxy", about=about)
        elif words.startswith("Cannot parse ClientHello"):
            self.recorder.gap(host, "protocol_unsupported", "not a TLS ClientHello", about=about)
        elif "closed early" in words or "unsupported protocol" in words or "no shared cipher" in words:
            self.recorder.gap(host, "not_decrypted", words, about=about)
        else:
            alert = ALERT.search(words)
            self.refusing.add(asked(data.context))
            self.recorder.gap(host, "tls_refused", words, about={**about, "alert": alert[1] if alert else None})

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        host, about = self._named(asked(data.context)), whose(data.context)
        if ctx.options.pass_refused and asked(data.context) in self.refusing:
            data.ignore_connection = True
            self.recorder.gap(host, "not_decrypted", "passed on: the app refuses our certificate", about=about)
            return

        def look() -> None:
            if data.ignore_connection:
                self.recorder.gap(host, "not_decrypted", "connection ignored", about=about)

        asyncio.get_running_loop().call_soon(look)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        self.silent.pop(flow.client_conn.id, None)

    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        self.silent.pop(flow.client_conn.id, None)

    def client_disconnected(self, client: connection.Client) -> None:
        begun, host, about = self.silent.pop(client.id, (0.0, "", {}))
        if time.monotonic() - begun < SILENT_S and host:
            self.refusing.add(host)
            self.recorder.gap(host, "tls_refused", "closed after the handshake, no request", about=about)

    # -- servers that are not reached

    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        self._not_reached(flow.request.host, flow.client_conn, flow.server_conn)

    def server_connect_error(self, data: server_hooks.ServerConnectionHookData) -> None:
        # In other modes, the request is still read, and recorded without an answer.
        if isinstance(data.client.proxy_mode, mode_specs.Socks5Mode) and data.server.address:
            self._not_reached(str(data.server.address[0]), data.client, data.server)

    def _not_reached(self, host: str, client: connection.Client, server: connection.Server) -> None:
        why = f"the proxy did not reach the server, so the app sent it nothing: {server.error or 'no reason given'}"
        self.recorder.gap(self._named(host), "not_observed", why, about=end_of(client))

    # -- what nobody decrypts

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        self._refuse_quic(nextlayer)

        # The addon that decides may run after us, but it decides in this turn of the event loop.
        def look() -> None:
            chosen = nextlayer.layer
            if isinstance(chosen, layers.TCPLayer | layers.UDPLayer) and chosen.flow is None:
                self.recorder.gap(self._named(asked(nextlayer.context)), "not_decrypted", "connection ignored")

        asyncio.get_running_loop().call_soon(look)

    def _refuse_quic(self, nextlayer: layer.NextLayer) -> None:
        chosen, about = nextlayer.layer, nextlayer.context
        if about.client.transport_protocol != "udp":
            return
        data = nextlayer.data_client()
        port = about.server.address[1] if about.server.address else 0
        if isinstance(chosen, layers.UDPLayer):
            late = port in QUIC_PORTS and data[:1] and data[0] & 0xC0 == 0x40  # its initial packet came earlier
            refuse = chosen.flow is not None and (is_quic(data) or late)
        else:
            quic = isinstance(chosen, layers.ServerQuicLayer | layers.ClientQuicLayer)
            refuse = quic and is_quic(data) and data[1:5] not in READABLE
        if refuse:
            # mitmproxy only relays UDP to a fixed server; otherwise it reads version 1.
            relays = isinstance(about.client.proxy_mode, mode_specs.ReverseMode)
            nextlayer.layer = RefuseQuic(about, NO_VERSION if relays else VERSION_1)
            host = _sni(data) or self._named(asked(about))
            self.recorder.gap(host, "not_decrypted", "QUIC, refused so that the app uses TCP")

    # -- names

    def dns_response(self, flow: dns.DNSFlow) -> None:
        if not flow.response or not flow.request.questions:
            return
        for answer in flow.response.answers:
            if answer.type in (dns_types.A, dns_types.AAAA):
                if len(self.names) >= NAMES:
                    del self.names[next(iter(self.names))]
                try:
                    address = answer.ipv4_address if answer.type == dns_types.A else answer.ipv6_address
                except ValueError:
                    continue
                self.names[str(address)] = flow.request.questions[0].name

    def _named(self, host: str) -> str:
        """The name that was looked up for an address; the host itself if there was no such lookup."""
        return self.names.get(host, host)


def _sni(data: bytes) -> str | None:
    """The server name in an initial packet of QUIC version 1 or 2; None when there is none."""
    try:
        hello = quic_parse_client_hello_from_datagrams([data])
    except Exception:
        return None
    return hello.sni if hello else None
