"""What a line says of an upload: host and URL as the app asked for them, both ends of the connection."""

from __future__ import annotations

import pytest
from mitmproxy.test import tflow, tutils

from addons.record import upload_line


@pytest.mark.parametrize(
    ("asked", "header", "sni", "scheme", "host", "url"),
    [
        (("api.test", 443), "api.test", "api.test", "https", "api.test", "https://api.test/p?q=1"),
        (("api.test", 443), "api.test:443", None, "https", "api.test", "https://api.test/p?q=1"),
        (("api.test", 8443), "api.test:8443", None, "https", "api.test", "https://api.test:8443/p?q=1"),
        (("api.test", 80), "api.test:80", None, "http", "api.test", "http://api.test/p?q=1"),
        (("198.51.100.7", 443), "api.test", None, "https", "api.test", "https://api.test/p?q=1"),
        (("198.51.100.7", 443), "", "api.test", "https", "api.test", "https://api.test/p?q=1"),
        (("198.51.100.7", 8443), "198.51.100.7:8443", "api.test", "https", "api.test", "https://api.test:8443/p?q=1"),
        (("198.51.100.7", 80), "198.51.100.7", None, "http", "198.51.100.7", "http://198.51.100.7/p?q=1"),
        (("2001:db8::1", 8080), "[2001:db8::1]:8080", None, "http", "2001:db8::1", "http://[2001:db8::1]:8080/p?q=1"),
        (("2001:db8::1", 443), "[2001:db8::1]", None, "https", "2001:db8::1", "https://[2001:db8::1]/p?q=1"),
        (("front.test", 443), "behind.test", "front.test", "https", "behind.test", "https://behind.test/p?q=1"),
        (("api.test", 443), "me:secret@api.test:443", None, "https", "api.test", "https://api.test/p?q=1"),
        (("api.test", 443), "api.test", "api.test", "wss", "api.test", "wss://api.test/p?q=1"),
    ],
)
def test_host_and_url_are_what_the_app_asked_for(
    asked: tuple[str, int], header: str, sni: str | None, scheme: str, host: str, url: str
) -> None:
    flow = tflow.tflow(req=tutils.treq(host=asked[0], port=asked[1], authority=b"", path=b"/p?q=1"))
    flow.client_conn.sni = sni
    assert upload_line.where(flow, scheme, header) == (host, url)


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        (("10.0.2.16", 34001), {"ip": "10.0.2.16", "port": 34001}),
        (("::ffff:10.0.2.16", 1, 0, 0), {"ip": "10.0.2.16", "port": 1}),
        (("fe80::1", 2, 0, 0), {"ip": "fe80::1", "port": 2}),
        (None, None),
    ],
)
def test_endpoints(address: tuple[str, int] | None, endpoint: dict[str, object] | None) -> None:
    assert upload_line.endpoint(address) == endpoint
