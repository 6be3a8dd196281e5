"""HTTP/3 and QUIC: read where mitmproxy can, refused where it cannot, so that apps fall back to what can be read."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent
from aioquic.quic.packet import QuicProtocolVersion

from tests.lab.proxy.observed import Observed, wait_for

pytestmark = pytest.mark.lab


class Client(QuicConnectionProtocol):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.http = H3Connection(self._quic)
        self.answers: dict[int, tuple[list[Any], bytearray, asyncio.Future[None]]] = {}

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        stream = self._quic.get_next_available_stream_id()
        self.answers[stream] = ([], bytearray(), asyncio.get_running_loop().create_future())
        head = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"h3.test"), (b":path", path.encode())]
        self.http.send_headers(stream, [*head, (b"content-type", b"application/json")])
        for at in range(0, len(body), 100_000):
            self.http.send_data(stream, body[at : at + 100_000], at + 100_000 >= len(body))
        self.transmit()
        headers, answer, done = self.answers[stream]
        await asyncio.wait_for(done, 30)
        return int(dict(headers)[b":status"]), bytes(answer)

    def quic_event_received(self, event: QuicEvent) -> None:
        for happened in self.http.handle_event(event):
            if isinstance(happened, HeadersReceived | DataReceived):
                headers, answer, done = self.answers[happened.stream_id]
                if isinstance(happened, HeadersReceived):
                    headers += happened.headers
                else:
                    answer += happened.data
                if happened.stream_ended:
                    done.set_result(None)


def configuration(**options: Any) -> QuicConfiguration:
    return QuicConfiguration(is_client=True, alpn_protocols=["h3"], server_name="h3.test", idle_timeout=10, **options)


def test_http3_is_recorded(start: Callable[..., Observed]) -> None:
    observed = start(mode="reverse:http3://h3.test:443")
    trusting = configuration()
    trusting.load_verify_locations(str(observed.proxy.ca_pem))
    bodies = [b'{"tel":"+8613800138000"}', os.urandom(300_000)]

    async def talk() -> None:
        async with connect(
            observed.proxy.host, observed.proxy.port, configuration=trusting, create_protocol=Client
        ) as client:
            assert isinstance(client, Client)
            answers = await asyncio.gather(*(client.post(f"/three/{i}", body) for i, body in enumerate(bodies)))
        assert answers == [(203, hashlib.sha256(body).hexdigest().encode()) for body in bodies]

    asyncio.run(talk())
    for number, body in enumerate(bodies):
        upload = observed.upload(f"https://h3.test/three/{number}")
        assert observed.body(upload) == body
        assert (upload.status, upload.host, upload.via) == (203, "h3.test", "http")
        assert upload.tls
        assert (upload.tls.version, upload.tls.alpn, upload.tls.sni) == ("QUICv1", "h3", "h3.test")


def test_a_client_of_http3_that_refuses_our_certificate(start: Callable[..., Observed]) -> None:
    observed = start(mode="reverse:http3://h3.test:443")

    async def talk() -> None:
        with pytest.raises(ConnectionError):
            async with connect(observed.proxy.host, observed.proxy.port, configuration=configuration()):
                pass

    asyncio.run(talk())
    gap = observed.gap(lambda gap: gap.why == "tls_refused")
    assert gap.subject == "h3.test"


def test_quic_that_cannot_be_read_is_refused_at_once_and_counted(start: Callable[..., Observed]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.3)
        observed = start(mode=f"reverse:udp://127.0.0.1:{server.getsockname()[1]}")

        async def talk() -> None:
            for _ in range(3):
                begun = asyncio.get_running_loop().time()
                with pytest.raises(ConnectionError):
                    async with connect(observed.proxy.host, observed.proxy.port, configuration=configuration()):
                        pass
                assert asyncio.get_running_loop().time() - begun < 9, "told at once, not after the idle timeout"

        asyncio.run(talk())
        with pytest.raises(TimeoutError):
            server.recvfrom(2000)
    wait_for(observed.gaps)
    observed.proxy.stop()
    first, rest = observed.gaps()
    assert (first.subject, first.why) == ("h3.test", "not_decrypted"), "the host is named, not only its address"
    assert rest.detail
    assert rest.detail.endswith("(2 times)")
    assert observed.uploads() == []


def test_a_version_that_nobody_knows_is_offered_one_that_can_be_read(start: Callable[..., Observed]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        observed = start(mode=f"reverse:udp://127.0.0.1:{server.getsockname()[1]}")
        first = bytes([0xC3]) + b"\xfa\xce\xb0\x02" + b"\x08" + b"TOSERVER" + b"\x05" + b"FROMC" + bytes(1200)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.sendto(first, (observed.proxy.host, observed.proxy.port))
            answer = client.recv(2000)
    assert answer[0] & 0x80
    assert answer[1:5] == bytes(4), "version negotiation"
    assert answer[5:20] == b"\x05FROMC\x08TOSERVER"
    assert int.from_bytes(answer[20:24], "big") not in list(QuicProtocolVersion)
    assert observed.gap(lambda gap: gap.why == "not_decrypted").subject == "127.0.0.1"
