"""What the proxy says of what it could not observe."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable

import pytest

from tests.lab.proxy.observed import Observed, wait_for
from tests.lab.upstream import Upstream

pytestmark = [pytest.mark.lab, pytest.mark.skipif(sys.platform == "win32", reason="limits, /proc and signals")]


def test_a_client_that_refuses_our_certificate(shared: Observed) -> None:
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(shared.tunnel("secure.test"), server_hostname="secure.test")
    gap = shared.gap(lambda gap: gap.why == "tls_refused")
    assert (gap.where, gap.subject) == ("proxy", "secure.test")
    assert gap.detail
    assert "does not trust" in gap.detail


def test_a_client_that_finds_another_key_than_the_one_it_pins(shared: Observed) -> None:
    tls = shared.tls
    tls.set_alpn_protocols(["h2", "http/1.1"])
    tls.wrap_socket(shared.tunnel("h2.test"), server_hostname="h2.test").close()
    gap = shared.gap(lambda gap: gap.subject == "h2.test")
    assert (gap.why, gap.detail) == ("tls_refused", "closed after the handshake, no request")


@pytest.mark.parametrize("mode", ["regular", "redirect"])
def test_a_server_that_is_not_reached(start: Callable[..., Observed], mode: str) -> None:
    observed = start(**({} if mode == "regular" else {"mode": "socks5", "proxyauth": "true"}))
    with socket.create_server(("127.0.0.1", 0)) as left:
        port = left.getsockname()[1]
    with socket.create_connection((observed.proxy.host, observed.proxy.port), timeout=10) as client:
        if mode == "regular":
            client.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 502 ")
        else:  # RFC 1928 and 1929
            for said in (b"\5\1\2", b"\1\0034.1\0", b"\5\1\0\1\x7f\0\0\1" + port.to_bytes(2, "big")):
                client.sendall(said)
                answer = client.recv(100)
            assert answer.startswith(b"\5\5")
        gap = observed.gap(lambda gap: gap.why == "not_observed")
    assert (gap.where, gap.subject) == ("proxy", "127.0.0.1")
    assert gap.detail
    assert "did not reach the server" in gap.detail
    assert gap.client
    assert gap.announced == (None if mode == "regular" else "4.1")
    assert not observed.uploads()


def test_repeats_of_a_gap_are_told_in_one_line(start: Callable[..., Observed]) -> None:
    observed = start()
    for _ in range(5):
        with pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(observed.tunnel("secure.test"), server_hostname="secure.test")
    wait_for(observed.gaps)
    observed.proxy.stop()
    first, rest = observed.gaps()
    assert first.until is None
    assert rest.until
    assert rest.until > rest.at
    assert rest.detail
    assert rest.detail.endswith("(4 times)")


def test_a_host_that_the_user_told_us_to_ignore(start: Callable[..., Observed], upstream: Upstream) -> None:
    observed = start(ignore_hosts="secure.test")
    trusting = ssl.create_default_context(cafile=upstream.ca)
    with observed.client(verify=trusting) as client:
        assert client.post("https://secure.test/ignored", content=b"x").status_code == 201
    gap = observed.gap(lambda gap: gap.why == "not_decrypted")
    assert gap.subject == "secure.test"
    assert not observed.uploads()
