"""HTTP/3 and QUIC: read where mitmproxy can, refused where it cannot, so that apps fall back to what can be read."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import Callable

import pytest
from aioquic.asyncio.client import connect
from aioquic.quic.packet import QuicProtocolVersion

from tests.lab.proxy.clients import Http3, http3
from tests.lab.proxy.observed import MB, Observed, wait_for
from tests.lab.upstream import Upstream

pytestmark = pytest.mark.lab


def test_http3_is_recorded(start: Callable[..., Observed]) -> None:
    observed = start(mode="reverse:http3://h3.test:443")
    trusting = http3()
    trusting.load_verify_locations(str(observed.proxy.ca_pem))
    bodies = [b'{"tel":"+8613800138000"}', os.urandom(300_000)]

    async def talk() -> None:
        async with connect(
            observed.proxy.host, observed.proxy.port, configuration=trusting, create_protocol=Http3
        ) as client:
            assert isinstance(client, Http3)
            answers = await asyncio.gather(*(client.post(f"/three/{i}", body) for i, body in enumerate(bodies)))
        assert answers == [(203, hashlib.sha256(body).hexdigest().encode()) for body in bodies]

    asyncio.run(talk())
    for number, body in enumerate(bodies):
        upload = observed.upload(f"https://h3.test/three/{number}")
        assert observed.body(upload) == body
        assert (upload.status, upload.host, upload.via) == (203, "h3.test", "http")
        assert upload.tls
        assert (upload.tls.version, upload.tls.alpn, upload.tls.sni) == ("QUICv1", "h3", "h3.test")


@pytest.mark.slow
def test_an_upload_to_a_slow_server_waits_at_the_client(start: Callable[..., Observed], upstream: Upstream) -> None:
    observed = start(mode="reverse:http3://h3.test:443")
    trusting = http3()
    trusting.load_verify_locations(str(observed.proxy.ca_pem))
    trusting.idle_timeout = 120
    body = os.urandom(MB) * 8
    upstream.release.clear()

    async def talk() -> tuple[int, bytes]:
        async with connect(
            observed.proxy.host, observed.proxy.port, configuration=trusting, create_protocol=Http3
        ) as client:
            assert isinstance(client, Http3)
            answer = asyncio.create_task(client.post("/slow", body, 120))
            quic = client._quic
            end = time.monotonic() + 120
            while quic._remote_max_data_used < quic._remote_max_data and quic._remote_max_data_used < len(body):
                assert time.monotonic() < end
                await asyncio.sleep(0.05)
            assert 1 * MB < quic._remote_max_data_used < 5 * MB, "it would hold all of it"
            upstream.release.set()
            return await answer

    assert asyncio.run(talk()) == (203, hashlib.sha256(body).hexdigest().encode())
    assert observed.body(observed.upload("/slow")) == body


def test_a_client_of_http3_that_refuses_our_certificate(start: Callable[..., Observed]) -> None:
    observed = start(mode="reverse:http3://h3.test:443")

    async def talk() -> None:
        with pytest.raises(ConnectionError):
            async with connect(observed.proxy.host, observed.proxy.port, configuration=http3()):
                pass

    asyncio.run(talk())
    gap = observed.gap(lambda gap: gap.why == "tls_refused")
    assert gap.subject == "h3.test"


def test_a_connection_that_began_before_the_proxy_did_refuses_nothing(start: Callable[..., Observed]) -> None:
    observed = start(mode="reverse:http3://h3.test:443")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for first in (b"\x60" + os.urandom(40), b"\x41" + os.urandom(1300)):
            client.sendto(first, (observed.proxy.host, observed.proxy.port))
    gap = observed.gap(lambda gap: gap.subject == "h3.test")
    observed.proxy.stop()
    assert (gap.why, gap.detail) == ("not_decrypted", "QUIC of a connection that began before the proxy")
    assert {one.why for one in observed.gaps()} == {"not_decrypted"}


def test_quic_that_cannot_be_read_is_refused_at_once_and_counted(start: Callable[..., Observed]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.3)
        observed = start(mode=f"reverse:udp://127.0.0.1:{server.getsockname()[1]}")

        async def talk() -> None:
            for _ in range(3):
                begun = asyncio.get_running_loop().time()
                with pytest.raises(ConnectionError):
                    async with connect(observed.proxy.host, observed.proxy.port, configuration=http3()):
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
