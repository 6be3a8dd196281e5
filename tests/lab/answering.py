"""A server on loopback that answers every request on a connection, with an authority that nobody knows."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trustme

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
END = b"\r\n\r\nbody"
"""How each request ends."""


@contextmanager
def answering(*, tls: bool = True) -> Iterator[int]:
    """Its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = listening.accept()
                    with context.wrap_socket(plain, server_side=True) if tls else plain as peer:
                        seen = b""
                        while got := peer.recv(4096):
                            seen += got
                            if seen.endswith(END):
                                peer.sendall(ANSWER)
                                seen = b""

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
