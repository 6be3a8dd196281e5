"""Clients of protocols whose libraries have to be told how to go through the proxy: MQTT, HTTP/3."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import paho.mqtt.client as mqtt
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent
from paho.mqtt.enums import CallbackAPIVersion


class Mqtt(mqtt.Client):
    """Reaches its server by a socket that it is given (CONNECT, say); paho's own way needs another library."""

    def __init__(self, tunnel: Callable[[str, int], socket.socket]) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, "phone-1", reconnect_on_failure=False)
        self.tunnel = tunnel

    def _create_socket_connection(self) -> socket.socket:
        return self.tunnel(self.host, self.port)


class Http3(QuicConnectionProtocol):
    """Sends requests over HTTP/3."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.http = H3Connection(self._quic)
        self.answers: dict[int, tuple[list[Any], bytearray, asyncio.Future[None]]] = {}

    async def post(self, path: str, body: bytes, seconds: float = 30) -> tuple[int, bytes]:
        """Status and body of the answer. Raises ConnectionError when the connection ends before."""
        stream = self._quic.get_next_available_stream_id()
        self.answers[stream] = ([], bytearray(), asyncio.get_running_loop().create_future())
        head = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"h3.test"), (b":path", path.encode())]
        length = (b"content-length", str(len(body)).encode())
        self.http.send_headers(stream, [*head, length, (b"content-type", b"application/json")])
        for at in range(0, len(body) or 1, 100_000):
            self.http.send_data(stream, body[at : at + 100_000], at + 100_000 >= len(body))
        self.transmit()
        headers, answer, done = self.answers[stream]
        await asyncio.wait_for(done, seconds)
        return int(dict(headers)[b":status"]), bytes(answer)

    def quic_event_received(self, event: QuicEvent) -> None:
        """Puts an answer together."""
        if isinstance(event, ConnectionTerminated):
            for _, _, done in self.answers.values():
                if not done.done():
                    done.set_exception(ConnectionError(event.reason_phrase))
        for happened in self.http.handle_event(event):
            if isinstance(happened, HeadersReceived | DataReceived) and happened.stream_id in self.answers:
                headers, answer, done = self.answers[happened.stream_id]
                if isinstance(happened, HeadersReceived):
                    headers += happened.headers
                else:
                    answer += happened.data
                if happened.stream_ended and not done.done():
                    done.set_result(None)


def http3(**options: Any) -> QuicConfiguration:
    """How such a client connects to h3.test."""
    return QuicConfiguration(is_client=True, alpn_protocols=["h3"], server_name="h3.test", idle_timeout=10, **options)


def free_ports(count: int) -> list[int]:
    """Ports for datagrams that nobody uses now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
