"""The servers that the sample apps talk to: one loopback port that accepts HTTP and HTTPS for every host."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from appwitness.support.errors import extra

with extra("lab"):
    import trustme

CLIENT_HELLO = b"\x16"
"""First byte of a TLS connection; no HTTP request begins with it."""
ANSWER = b'{"ok":true}\n'


class _Answers(BaseHTTPRequestHandler):
    """Reads a whole request and answers 200 with a little JSON."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        connection: socket.socket = self.request
        connection.settimeout(30)
        if connection.recv(1, socket.MSG_PEEK) == CLIENT_HELLO:
            # Done here, not when the connection is accepted: one slow handshake must not delay the others.
            self.request = self.server.tls.wrap_socket(connection, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        if isinstance(self.request, ssl.SSLSocket):
            self.request.close()

    def do_GET(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.count_one()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    do_POST = do_GET  # noqa: N815 the base class asks for a method of this name

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: the evidence is in the recording."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self.requests = 0
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Answers)

    def count_one(self) -> None:
        with self._lock:
            self.requests += 1

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores a client that disconnects in the middle of a request."""


class LabServers(AbstractContextManager["LabServers"]):
    """Answers for `hosts` while the context lasts, with a separate HTTPS certificate for each."""

    def __init__(self, hosts: Iterable[str], ca_pem: Path) -> None:
        self._names = tuple(hosts)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.ca_pem = ca_pem
        """File with the CA that signed the certificates, written when the servers start."""

    def __enter__(self) -> Self:
        authority = trustme.CA(organization_name="appwitness lab")
        authority.cert_pem.write_to_path(self.ca_pem)
        contexts = {name: _context(authority, name) for name in self._names}
        front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
            if name not in contexts:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = contexts[name]
            return None

        front.sni_callback = choose
        self._server = _Server(front)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="lab-servers", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = self._thread = None

    @property
    def hosts(self) -> dict[str, tuple[str, int]]:
        """The real address of each host; empty while nothing listens."""
        if self._server is None:
            return {}
        return dict.fromkeys(self._names, ("127.0.0.1", self._server.server_port))

    @property
    def count(self) -> int:
        """Number of requests answered so far."""
        return self._server.requests if self._server else 0


def _context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
