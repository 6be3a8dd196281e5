"""Servers for tests of mode redirect: on loopback, known to the app by addresses of nobody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

ABROAD = ("198.18.0.1", "fd00::198:18", "::ffff:198.18.0.1")
"""Addresses of nobody, by which the app knows the servers; at home they are this machine's own."""


@contextmanager
def echo() -> Iterator[int]:
    """A server on loopback, of both families, that says again what it is told."""
    with ExitStack() as up:
        server = up.enter_context(socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True))

        def talk(client: socket.socket) -> None:
            with client:
                while data := client.recv(4096):
                    client.sendall(data)

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(client,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        up.callback(server.shutdown, socket.SHUT_RDWR)
        yield server.getsockname()[1]


@contextmanager
def silent() -> Iterator[int]:
    """A port of loopback where a connection is never answered: all places in its queue are taken."""
    with ExitStack() as up:
        server = up.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = up.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def nobody() -> int:
    """A port of loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
