"""Servers that an app under observation might talk to, on loopback: HTTP/1 and 2, TLS or not, WebSocket, raw TCP.

Those of other protocols are in peers.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import trustme
from websockets.sync.server import ServerConnection, serve

from tests.lab import peers

LONG_BYTES = 48 << 20
"""Size of the answer to /long."""


@dataclass
class Upstream:
    """Where the servers are, by the names that apps ask for."""

    hosts: dict[str, tuple[str, int]]
    ca: Path
    release: threading.Event = field(default_factory=threading.Event)
    """/slow is answered once this is set."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: Upstream

    def do_POST(self) -> None:
        if self.path.startswith("/early"):
            self.close_connection = True
            self.send_response(413)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        digest, size = hashlib.sha256(), 0
        for chunk in self._body():
            digest.update(chunk)
            size += len(chunk)
        if self.path.startswith("/slow"):
            self.upstream.release.wait(30)
        answer = b"x" * LONG_BYTES if self.path.startswith("/long") else _json(digest.hexdigest(), size)
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 the names are http.server's

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        missing = int(self.headers.get("Content-Length", 0))
        while missing and (chunk := self.rfile.read(min(missing, 1 << 16))):
            missing -= len(chunk)
            yield chunk

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # tests break connections on purpose


class _Http2(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.h2.initiate_connection()
        self.bodies: dict[int, bytearray] = {}
        self._send()

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                self.bodies[event.stream_id] = bytearray()
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                body = self.bodies.pop(event.stream_id)
                self.h2.send_headers(event.stream_id, [(":status", "202")])
                self.h2.send_data(event.stream_id, _json(hashlib.sha256(body).hexdigest(), len(body)), end_stream=True)
        self._send()

    def _send(self) -> None:
        self.transport.write(self.h2.data_to_send())  # type: ignore[attr-defined]


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(4096):
            self.request.sendall(data)


class _EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # as above


def _json(digest: str, size: int) -> bytes:
    return json.dumps({"sha256": digest, "size": size}).encode()


def _websocket(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@contextmanager
def running(room: Path) -> Iterator[Upstream]:
    """The servers, until the end of the block."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(room / "upstream.pem")
    certificate = authority.issue_cert("secure.test", "h2.test", "ws.test", "rawtls.test", *peers.NAMES)
    with ExitStack() as up:
        upstream = Upstream({}, room / "upstream.pem")
        answer = type("Answer", (_Answer,), {"upstream": upstream})

        plain = _Quiet(("127.0.0.1", 0), answer)
        secure = _Quiet(("127.0.0.1", 0), answer)
        secure.socket = _tls(certificate).wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
        echo = _EchoServer(("127.0.0.1", 0), _Echo)
        echo_tls = _EchoServer(("127.0.0.1", 0), _Echo)
        echo_tls.socket = _tls(certificate).wrap_socket(echo_tls.socket, server_side=True)
        for server in (plain, secure, echo, echo_tls):
            up.callback(server.server_close)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            up.callback(server.shutdown)

        for_websocket = up.enter_context(serve(_websocket, "127.0.0.1", 0, ssl=_tls(certificate), max_size=None))
        threading.Thread(target=for_websocket.serve_forever, daemon=True).start()
        up.callback(for_websocket.shutdown)

        loop = asyncio.new_event_loop()
        http2 = loop.run_until_complete(loop.create_server(_Http2, "127.0.0.1", 0, ssl=_tls(certificate, "h2")))
        http3 = loop.run_until_complete(peers.http3(certificate, room, upstream.release))
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        up.callback(loop.close)
        up.callback(thread.join)
        up.callback(loop.call_soon_threadsafe, loop.stop)

        upstream.hosts.update(
            {
                "plain.test": ("127.0.0.1", plain.server_address[1]),
                "secure.test": ("127.0.0.1", secure.server_address[1]),
                "raw.test": ("127.0.0.1", echo.server_address[1]),
                "rawtls.test": ("127.0.0.1", echo_tls.server_address[1]),
                "ws.test": ("127.0.0.1", for_websocket.socket.getsockname()[1]),
                "h2.test:443": ("127.0.0.1", http2.sockets[0].getsockname()[1]),
                "h3.test": ("127.0.0.1", http3),
                **peers.start(up, certificate, _tls(certificate)),
            }
        )
        up.callback(upstream.release.set)
        yield upstream


def _tls(certificate: trustme.LeafCert, *alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
