"""A proxy with the recording that it writes, for tests that send real traffic through it."""

from __future__ import annotations

import hashlib
import itertools
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from appwitness.events import Gap, Upload, parse
from appwitness.proxy import Proxy
from tests.lab.proxy.writers import caught_up
from tests.lab.upstream import Upstream

numbers = itertools.count(1)
MB = 1 << 20
TRIES = 5


@dataclass
class Observed:
    """A proxy and the recording it writes."""

    proxy: Proxy
    path: Path
    given_up: set[int] = field(default_factory=set)
    """Local ports of connections that `websocket` left, which are rightly gaps."""

    @property
    def url(self) -> str:
        return f"http://{self.proxy.host}:{self.proxy.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        """A client that trusts the proxy, as a prepared device does."""
        return ssl.create_default_context(cafile=self.proxy.ca_pem)

    def client(self, **options: Any) -> httpx.Client:
        options = {"proxy": self.url, "verify": self.tls, "timeout": 30, **options}
        return httpx.Client(**options)

    def tunnel(self, host: str, port: int = 443) -> socket.socket:
        raw = socket.create_connection((self.proxy.host, self.proxy.port), timeout=10)
        raw.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = raw.recv(1)  # no more: what follows is said by the server
            assert byte, answer
            answer += byte
        assert b" 200 " in answer
        return raw

    def websocket(self, url: str, **options: Any) -> ClientConnection:
        """A WebSocket through the proxy.

        Where one thread reads a TLS socket and another writes, as websockets does, Python 3.13.5 now and then lets both
        wait for ever (without any proxy, in 1 of 20 to 60 handshakes): then another connection is made.
        """
        host = str(urlsplit(url).hostname)
        for left in reversed(range(TRIES)):
            raw = self.tunnel(host)
            port = raw.getsockname()[1]
            try:
                return connect(url, sock=raw, ssl=self.tls, server_hostname=host, open_timeout=5, **options)
            except (TimeoutError, AssertionError):  # the latter is websockets' own, when it gives up
                self.given_up.add(port)
                if not left:
                    raise
        raise AssertionError

    def uploads(self) -> list[Upload]:
        return [event for event in self._events("uploads.jsonl") if isinstance(event, Upload)]

    def gaps(self) -> list[Gap]:
        gaps = [event for event in self._events("gaps.jsonl") if isinstance(event, Gap)]
        return [gap for gap in gaps if gap.client is None or gap.client.port not in self.given_up]

    def upload(self, part_of_url: str) -> Upload:
        """The one upload to that URL, waited for."""
        found = wait_for(lambda: [one for one in self.uploads() if one.url and part_of_url in one.url])
        assert len(found) == 1
        return found[0]

    def gap(self, fits: Callable[[Gap], bool]) -> Gap:
        return wait_for(lambda: [one for one in self.gaps() if fits(one)])[0]

    def body(self, upload: Upload) -> bytes:
        assert upload.body
        data = (self.path / "bodies" / upload.body).read_bytes()
        assert hashlib.sha256(data).hexdigest() == upload.body
        assert len(data) == upload.size
        return data

    def _events(self, name: str) -> list[Any]:
        caught_up(self.proxy)
        text = (self.path / name).read_bytes()
        return [parse(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]


def wait_for[T](look: Callable[[], T], seconds: float = 15) -> T:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)


def make(room: Path, upstream: Upstream, **options: str) -> Observed:
    path = room / f"recording{next(numbers)}"
    path.mkdir()
    proxy = Proxy(path, confdir=room / "ca", hosts=upstream.hosts, upstream_ca=upstream.ca, options=options)
    return Observed(proxy, path)


def peak_mb(proxy: Proxy) -> float:
    status = Path(f"/proc/{proxy.pid}/status")
    if not status.exists():
        pytest.skip("no /proc")
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024


def of_host(observed: Observed, host: str, count: int) -> list[Upload]:
    """The uploads to a host, waited for."""
    wait_for(lambda: sum(one.host == host for one in observed.uploads()) >= count)
    return [one for one in observed.uploads() if one.host == host]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
