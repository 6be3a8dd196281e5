"""What the proxy says of what it could not observe."""

from __future__ import annotations

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
