"""Real clients through the real proxy: what the recording holds of each upload, and what it says of what it missed."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
import random
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect as websocket

from monitor.errors import SetupError
from monitor.events import BadLine, Gap, Upload, dump, parse
from monitor.observe.proxy import Proxy
from tests.lab import upstream as servers
from tests.lab.upstream import Upstream

pytestmark = [pytest.mark.lab, pytest.mark.skipif(sys.platform == "win32", reason="limits, /proc and signals")]

numbers = itertools.count(1)
MB = 1 << 20


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def upstream(room: Path) -> Iterator[Upstream]:
    with servers.running(room) as upstream:
        yield upstream


@dataclass
class Observed:
    """A proxy and the recording it writes."""

    proxy: Proxy
    path: Path

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
        assert b" 200 " in raw.recv(4096)
        return raw

    def uploads(self) -> list[Upload]:
        return [event for event in self._events("uploads.jsonl") if isinstance(event, Upload)]

    def gaps(self) -> list[Gap]:
        return [event for event in self._events("gaps.jsonl") if isinstance(event, Gap)]

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


@pytest.fixture(scope="module")
def shared(room: Path, upstream: Upstream) -> Iterator[Observed]:
    """One proxy for the tests that only look at lines of their own."""
    observed = make(room, upstream)
    with observed.proxy:
        yield observed
        assert observed.proxy.words() == ""


@pytest.fixture
def start(room: Path, upstream: Upstream) -> Iterator[Callable[..., Observed]]:
    """Starts a proxy with options of its own."""
    started: list[Observed] = []

    def start(**options: str) -> Observed:
        observed = make(room, upstream, **options)
        started.append(observed)
        observed.proxy.start()
        return observed

    yield start
    for observed in started:
        observed.proxy.stop()


# -- what an upload line says


def test_a_line_says_what_was_sent_where_and_how_it_was_answered(shared: Observed) -> None:
    sent = gzip.compress(b'{"phone":"+8613800138000"}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json; charset=utf-8", "X-Second": "2"}
    with shared.client() as client:
        answer = client.post("https://secure.test/line?lat=31.230416", content=sent, headers=headers)
        local = answer.extensions["network_stream"].get_extra_info("client_addr")
    upload = shared.upload("/line")
    assert answer.json() == {"sha256": hashlib.sha256(sent).hexdigest(), "size": len(sent)}
    assert shared.body(upload) == sent, "as it left the device: still compressed"
    assert (upload.via, upload.method, upload.status, upload.truncated) == ("http", "POST", 201, False)
    assert upload.url == "https://secure.test/line?lat=31.230416"
    assert (upload.host, upload.type) == ("secure.test", "application/json; charset=utf-8")
    names = [name.lower() for name, _ in upload.headers]
    assert names.index("content-encoding") < names.index("content-type") < names.index("x-second"), "in order"
    assert upload.client
    assert (upload.client.ip, upload.client.port) == local
    assert upload.server
    assert upload.server.ip == "127.0.0.1"
    assert upload.tls
    assert (upload.tls.version, upload.tls.sni) == ("TLSv1.3", "secure.test")
    assert upload.app is None
    assert upload.pid is None


def test_cleartext_and_an_empty_body(shared: Observed) -> None:
    with shared.client() as client:
        client.get("http://plain.test/empty?a=b")
    upload = shared.upload("/empty")
    assert (upload.url, upload.host) == ("http://plain.test/empty?a=b", "plain.test")
    assert (upload.tls, upload.body, upload.size, upload.type) == (None, None, 0, None)


def test_http2(shared: Observed) -> None:
    bodies = [os.urandom(size) for size in (10, 1000, 300_000)]
    with shared.client(http2=True) as client:
        for number, body in enumerate(bodies):
            answer = client.post(f"https://h2.test/two/{number}", content=body)
            assert answer.http_version == "HTTP/2"
            assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()
    for number, body in enumerate(bodies):
        upload = shared.upload(f"https://h2.test/two/{number}")
        assert shared.body(upload) == body
        assert (upload.host, upload.status) == ("h2.test", 202)
        assert upload.tls
        assert upload.tls.alpn == "h2"


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_curl_with_a_form_and_http2(shared: Observed) -> None:
    command = ["curl", "-sS", "--http2", "--proxy", shared.url, "--cacert", str(shared.proxy.ca_pem)]
    subprocess.run([*command, "-F", "name=王小明", "https://h2.test/curl"], check=True, capture_output=True)
    upload = shared.upload("/curl")
    assert "王小明".encode() in shared.body(upload)
    assert upload.type
    assert upload.type.startswith("multipart/form-data")


def test_websocket_messages_of_the_client_are_uploads(shared: Observed) -> None:
    with websocket(
        "wss://ws.test/chat?room=1", sock=shared.tunnel("ws.test"), ssl=shared.tls, server_hostname="ws.test"
    ) as chat:
        for message in ("hello +8613800138000", b"\x00\x01\x02", ""):
            chat.send(message)
            assert chat.recv() == message
    wait_for(lambda: len([one for one in shared.uploads() if one.via == "websocket"]) == 3)
    handshake = next(one for one in shared.uploads() if one.url == "https://ws.test/chat?room=1")
    messages = [one for one in shared.uploads() if one.via == "websocket"]
    assert (handshake.via, handshake.status) == ("http", 101)
    assert [shared.body(one) for one in messages[:2]] == [b"hello +8613800138000", b"\x00\x01\x02"]
    assert (messages[2].body, messages[2].size) == (None, 0)
    assert {one.url for one in messages} == {"wss://ws.test/chat?room=1"}
    assert {one.client for one in messages} == {handshake.client}
    assert {one.headers for one in messages} == {()}


def test_the_password_for_the_proxy_is_not_recorded(shared: Observed) -> None:
    with shared.client(proxy=httpx.Proxy(shared.url, auth=("operator", "hunter2hunter2"))) as client:
        client.post("http://plain.test/auth", content=b"x", headers={"Authorization": "Bearer of-the-app"})
        client.post("https://secure.test/auth-tls", content=b"x")
    shared.upload("/auth-tls")
    upload = next(one for one in shared.uploads() if one.url == "http://plain.test/auth")
    names = [name.lower() for name, _ in upload.headers]
    assert "authorization" in names
    assert "proxy-authorization" not in names


def test_connect_is_not_an_upload(shared: Observed) -> None:
    assert "CONNECT" not in {one.method for one in shared.uploads()}


def test_headers_that_are_not_text_keep_their_bytes(shared: Observed) -> None:
    raw = shared.tunnel("plain.test", 80)
    raw.sendall(b"GET /bytes?n=\xe9 HTTP/1.1\r\nHost: plain.test\r\nX-Name: Jos\xe9\r\n\r\n")
    assert b" 201 " in raw.recv(4096)
    raw.close()
    upload = shared.upload("/bytes")
    assert ("X-Name", "José") in upload.headers
    assert upload.url == "http://plain.test/bytes?n=é"


def test_a_server_that_cannot_be_reached_was_still_sent_the_body(shared: Observed) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with shared.client() as client:
        assert client.post(f"http://127.0.0.1:{port}/down", content=b"wanted to say").status_code == 502
    upload = shared.upload(f"http://127.0.0.1:{port}/down")
    assert shared.body(upload) == b"wanted to say"
    assert (upload.status, upload.server, upload.truncated) == (None, None, False)


def test_the_same_body_is_stored_once_and_privately(shared: Observed) -> None:
    body = os.urandom(100_000)
    with shared.client() as client:
        for number in range(3):
            client.post(f"http://plain.test/same/{number}", content=body)
    uploads = [shared.upload(f"/same/{number}") for number in range(3)]
    assert {one.body for one in uploads} == {hashlib.sha256(body).hexdigest()}
    bodies = shared.path / "bodies"
    assert (bodies / hashlib.sha256(body).hexdigest()).stat().st_mode & 0o777 == 0o600
    assert bodies.stat().st_mode & 0o777 == 0o700
    assert (shared.path / "uploads.jsonl").stat().st_mode & 0o777 == 0o600
    assert not list(bodies.glob(".*")), "nothing half-written stays"


@pytest.mark.parametrize("announced", [True, False], ids=["content-length", "chunked"])
def test_memory_stays_flat_under_a_long_upload(start: Callable[..., Observed], announced: bool) -> None:
    observed = start()
    block = os.urandom(MB)
    digest = hashlib.sha256(block * 64).hexdigest()
    headers = {"Content-Length": str(64 * MB)} if announced else {}
    with observed.client() as client:
        client.post("http://plain.test/warm", content=block)
        before = peak_mb(observed.proxy)
        answer = client.post("http://plain.test/64", content=(block for _ in range(64)), headers=headers)
        grown = peak_mb(observed.proxy) - before
    assert answer.json() == {"sha256": digest, "size": 64 * MB}
    upload = observed.upload("/64")
    assert (upload.body, upload.size, upload.truncated) == (digest, 64 * MB, False)
    assert (observed.path / "bodies" / digest).stat().st_size == 64 * MB
    assert grown < 32


def test_memory_stays_flat_under_a_long_download(shared: Observed) -> None:
    with shared.client() as client:
        client.get("http://plain.test/warm-too")
        before = peak_mb(shared.proxy)
        with client.stream("GET", "http://plain.test/long") as answer:
            assert sum(len(chunk) for chunk in answer.iter_raw()) == servers.LONG_BYTES
    assert peak_mb(shared.proxy) - before < 24


def peak_mb(proxy: Proxy) -> float:
    status = Path(f"/proc/{proxy.pid}/status")
    if not status.exists():
        pytest.skip("no /proc")
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024


# -- what could not be observed


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


def of_host(observed: Observed, host: str, count: int) -> list[Upload]:
    """The uploads to a host, waited for."""
    wait_for(lambda: sum(one.host == host for one in observed.uploads()) >= count)
    return [one for one in observed.uploads() if one.host == host]


def test_messages_of_a_protocol_that_is_not_http(shared: Observed) -> None:
    raw = shared.tunnel("raw.test", 9000)
    port = raw.getsockname()[1]
    raw.sendall(b"\x01\x02\x03first")
    assert raw.recv(100) == b"\x01\x02\x03first", "it passes all the same"
    first = of_host(shared, "raw.test", 1)[0]
    assert shared.body(first) == b"\x01\x02\x03first", "written before it was answered"
    raw.sendall(b"second, ")
    raw.sendall(b"in two pieces")
    raw.close()
    uploads = of_host(shared, "raw.test", 2)
    assert b"".join(shared.body(one) for one in uploads[1:]) == b"second, in two pieces"
    assert {(one.via, one.client.port if one.client else None, one.tls) for one in uploads} == {("tcp", port, None)}


def test_a_long_stream_is_cut_and_whole(shared: Observed) -> None:
    raw = shared.tunnel("raw.test", 9000)
    sent = random.Random(1).randbytes(3 * MB)
    reader = threading.Thread(target=lambda: [None for _ in iter(lambda: raw.recv(65536), b"")], daemon=True)
    reader.start()
    before = len(shared.uploads())
    raw.sendall(sent)
    raw.shutdown(socket.SHUT_WR)
    reader.join(10)
    wait_for(lambda: sum(one.size for one in shared.uploads()[before:]) >= len(sent))
    assert b"".join(shared.body(one) for one in shared.uploads()[before:]) == sent


def test_raw_tcp_inside_tls(shared: Observed) -> None:
    with shared.tls.wrap_socket(shared.tunnel("rawtls.test", 9001), server_hostname="rawtls.test") as raw:
        raw.sendall(b"\x10\x0c\x00\x04MQTT")
        assert raw.recv(100) == b"\x10\x0c\x00\x04MQTT"
    (upload,) = of_host(shared, "rawtls.test", 1)
    assert (shared.body(upload), upload.via) == (b"\x10\x0c\x00\x04MQTT", "tcp")
    assert upload.tls
    assert upload.tls.sni == "rawtls.test"


def test_a_name_that_is_looked_up_is_an_upload(start: Callable[..., Observed]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    observed = start(mode=f"dns@{port}")
    labels = b"".join(bytes([len(label)]) + label for label in (b"13800138000", b"exmail", b"test"))
    query = bytes.fromhex("123401000001000000000000") + labels + bytes.fromhex("0000010001")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(query, (observed.proxy.host, port))
        (upload,) = wait_for(observed.uploads)
    assert (upload.via, upload.host, upload.type) == ("dns", "13800138000.exmail.test", "application/dns-message")
    assert upload.url == "dns:13800138000.exmail.test?type=A"
    assert observed.body(upload) == query


def test_datagrams(start: Callable[..., Observed]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        observed = start(mode=f"reverse:udp://127.0.0.1:{server.getsockname()[1]}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for sent in (b"one +8613800138000", b"two", b"\xc3\0\0\0\1" + bytes(1250)):
                client.sendto(sent, (observed.proxy.host, observed.proxy.port))
                assert server.recvfrom(2000)[0] == sent
        wait_for(lambda: len(observed.uploads()) == 2)
        uploads = observed.uploads()
        assert [observed.body(one) for one in uploads] == [b"one +8613800138000", b"two"]
        assert {one.via for one in uploads} == {"udp"}
        assert observed.gap(lambda gap: gap.why == "not_decrypted").detail == "QUIC"


def test_http2_without_tls(shared: Observed) -> None:
    raw = shared.tunnel("plain.test", 80)
    raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    gap = shared.gap(lambda gap: gap.detail == "HTTP/2 without TLS")
    assert (gap.subject, gap.why) == ("plain.test", "protocol_unsupported")
    raw.close()


def test_a_host_that_the_user_told_us_to_ignore(start: Callable[..., Observed], upstream: Upstream) -> None:
    observed = start(ignore_hosts="secure.test")
    trusting = ssl.create_default_context(cafile=upstream.ca)
    with observed.client(verify=trusting) as client:
        assert client.post("https://secure.test/ignored", content=b"x").status_code == 201
    gap = observed.gap(lambda gap: gap.why == "not_decrypted")
    assert gap.subject == "secure.test"
    assert not observed.uploads()


@pytest.mark.parametrize(("announced", "sent"), [(1000, 400), (10 * MB, 3 * MB)], ids=["short", "streamed"])
def test_a_client_that_breaks_off_within_a_body(shared: Observed, announced: int, sent: int) -> None:
    data = os.urandom(sent)
    raw = socket.create_connection((shared.proxy.host, shared.proxy.port))
    head = (
        f"POST http://plain.test/abort/{announced} HTTP/1.1\r\nHost: plain.test\r\nContent-Length: {announced}\r\n\r\n"
    )
    raw.sendall(head.encode() + data)
    raw.close()
    upload = shared.upload(f"/abort/{announced}")
    assert (upload.truncated, upload.status) == (True, None)
    assert shared.body(upload) == data
    gap = shared.gap(lambda gap: bool(gap.detail and upload.body and upload.body in gap.detail))
    assert (gap.subject, gap.why, gap.at) == ("plain.test", "body_truncated", upload.at)
    assert gap.detail
    assert f"{sent} of {announced} bytes" in gap.detail


def test_a_websocket_message_that_breaks_off(shared: Observed) -> None:
    tls = shared.tls.wrap_socket(shared.tunnel("ws.test"), server_hostname="ws.test")
    tls.sendall(
        b"GET /half HTTP/1.1\r\nHost: ws.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b" 101 " in tls.recv(4096)
    tls.sendall(b"\x82\xfe\x01\x00\x00\x00\x00\x00" + b"half a message")  # of 256 bytes, masked with zeros
    time.sleep(0.2)
    tls.close()
    upload = wait_for(lambda: [one for one in shared.uploads() if one.url == "wss://ws.test/half"])[0]
    assert shared.body(upload) == b"half a message"
    assert upload.truncated


def test_an_answer_before_the_request_is_complete(shared: Observed) -> None:
    raw = socket.create_connection((shared.proxy.host, shared.proxy.port), timeout=10)
    raw.sendall(b"POST http://plain.test/early HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 1000000\r\n\r\nbegin")
    assert b" 413 " in raw.recv(4096)
    raw.close()
    upload = shared.upload("/early")
    assert (upload.status, upload.truncated) == (413, True)
    assert shared.body(upload) == b"begin"


def test_a_body_beyond_the_limit_passes_whole_and_is_kept_in_part(start: Callable[..., Observed]) -> None:
    observed = start(upload_limit="100k")
    data = os.urandom(300_000)
    with observed.client() as client:
        answer = client.post("http://plain.test/limit", content=data)
    assert answer.json()["sha256"] == hashlib.sha256(data).hexdigest()
    upload = observed.upload("/limit")
    assert observed.body(upload) == data[:102_400]
    assert upload.truncated
    gap = observed.gap(lambda gap: gap.why == "body_truncated")
    assert gap.detail
    assert "102400 of 300000 bytes" in gap.detail


# -- the disk, the clock, the end


def test_a_body_that_the_disk_has_no_room_for_passes_whole(start: Callable[..., Observed]) -> None:
    observed = start()
    data = os.urandom(500_000)
    limit_files(observed.proxy, 200_000)
    with observed.client() as client:
        answer = client.post("http://plain.test/full", content=data)
    assert answer.json()["sha256"] == hashlib.sha256(data).hexdigest()
    upload = observed.upload("/full")
    assert observed.body(upload) == data[:200_000]
    assert upload.truncated
    gap = observed.gap(lambda gap: gap.why == "body_truncated")
    assert gap.detail
    assert "File too large" in gap.detail


@pytest.mark.parametrize("full", [("uploads.jsonl",), ("uploads.jsonl", "gaps.jsonl")], ids=["lines", "gaps-too"])
def test_a_line_that_the_disk_has_no_room_for_waits(room: Path, upstream: Upstream, full: tuple[str, ...]) -> None:
    observed = make(room, upstream)
    long = Gap(at=datetime.now(UTC), where="proxy", subject="x" * 3000, why="no_clock")
    for name in full:
        (observed.path / name).write_text(dump(long) + "\n")
    with observed.proxy, observed.client() as client:
        limit_files(observed.proxy, 2000)
        assert client.post("http://plain.test/waits", content=b"kept").status_code == 201
        if len(full) == 1:
            observed.gap(lambda gap: gap.why == "overflow")
        else:
            wait_for(lambda: "overflow" in observed.proxy.words())
        assert not observed.uploads()
        limit_files(observed.proxy, resource.RLIM_INFINITY)
        assert client.post("http://plain.test/room-again", content=b"x").status_code == 201
        observed.upload("/room-again")
        assert observed.body(observed.upload("/waits")) == b"kept"


def limit_files(proxy: Proxy, size_bytes: int) -> None:
    """As if the disk were full: the system refuses the proxy to write a file beyond this size."""
    assert proxy.pid
    resource.prlimit(proxy.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def test_an_answer_that_does_not_come_is_not_waited_for(start: Callable[..., Observed], upstream: Upstream) -> None:
    observed = start(upload_wait="1")
    upstream.release.clear()
    with observed.client() as client:
        answers: list[int] = []
        thread = threading.Thread(
            target=lambda: answers.append(client.post("http://plain.test/slow", content=b"1").status_code)
        )
        thread.start()
        upload = observed.upload("/slow")
        assert not answers
        assert (upload.status, observed.body(upload)) == (None, b"1")
        upstream.release.set()
        thread.join()
        client.get("http://plain.test/after")
    observed.upload("/after")
    assert answers == [201]
    assert observed.upload("/slow") == upload, "no second line"


def test_what_waits_is_written_when_the_proxy_is_stopped(start: Callable[..., Observed], upstream: Upstream) -> None:
    observed = start(upload_wait="60")
    upstream.release.clear()
    raw = socket.create_connection((observed.proxy.host, observed.proxy.port))
    raw.sendall(b"POST http://plain.test/slow HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 4\r\n\r\nwait")
    half = socket.create_connection((observed.proxy.host, observed.proxy.port))
    half.sendall(b"POST http://plain.test/half HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 9\r\n\r\nhalf")
    time.sleep(0.5)
    assert not observed.uploads()
    observed.proxy.stop()
    upstream.release.set()
    assert observed.body(observed.upload("/slow")) == b"wait"
    assert observed.upload("/slow").status is None
    assert observed.body(observed.upload("/half")) == b"half"
    assert observed.upload("/half").truncated
    raw.close()
    half.close()


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(5))
def test_killed_at_any_moment_it_loses_nothing_that_was_answered(start: Callable[..., Observed], attempt: int) -> None:
    observed = start()
    dice = random.Random(attempt)
    answered: list[str] = []

    def post(worker: int) -> None:
        with suppress(httpx.HTTPError), observed.client() as client:
            for number in itertools.count():
                name = f"/kill/{worker}/{number}."
                body = dice.randbytes(dice.choice([0, 10, 1000, 100_000, 1_000_000]))
                assert client.post(f"http://plain.test{name}", content=body).status_code == 201
                answered.append(name)

    workers = [threading.Thread(target=post, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    wait_for(lambda: answered)
    time.sleep(dice.uniform(0, 0.7))
    assert observed.proxy.pid
    os.kill(observed.proxy.pid, signal.SIGKILL)
    for worker in workers:
        worker.join()
    uploads = observed.uploads()  # parses every whole line
    for upload in uploads:
        if upload.body:
            observed.body(upload)
    urls = {upload.url for upload in uploads}
    assert not [name for name in answered if f"http://plain.test{name}" not in urls]
    wait_for(lambda: not observed.proxy.alive())


def test_after_a_torn_line_the_next_is_whole(room: Path, upstream: Upstream) -> None:
    observed = make(room, upstream)
    (observed.path / "uploads.jsonl").write_bytes(b'{"v":1,"kind":"upl')
    with observed.proxy, observed.client() as client:
        client.get("http://plain.test/torn")
        torn, line = wait_for(lambda: (observed.path / "uploads.jsonl").read_bytes().splitlines()[:2][-2:])
    with pytest.raises(BadLine):
        parse(torn)
    assert parse(line).kind == "upload"


def test_it_ends_when_whoever_started_it_is_killed(room: Path, upstream: Upstream) -> None:
    observed = make(room, upstream)
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom monitor.observe.proxy import Proxy\n"
        "proxy = Proxy(Path(sys.argv[1]), confdir=Path(sys.argv[2]))\nproxy.start()\n"
        "print(proxy.port, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(observed.path), str(room / "ca")], stdout=subprocess.PIPE
    )
    assert parent.stdout
    with parent.stdout:
        port = int(parent.stdout.readline())
        assert listens(port)
        parent.kill()
        parent.wait()
    wait_for(lambda: not listens(port))


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_listens_on_loopback_only(shared: Observed) -> None:
    assert shared.proxy.host == "127.0.0.1"
    assert shared.proxy.alive()


def test_a_port_in_use_is_said_in_the_programs_own_words(room: Path, shared: Observed) -> None:
    second = Proxy(shared.path, confdir=room / "ca", port=shared.proxy.port)
    with pytest.raises(SetupError, match="address already in use") as error:
        second.start()
    assert error.value.next_step
    assert not second.alive()


def test_a_recording_that_is_not_there(room: Path) -> None:
    proxy = Proxy(room / "nowhere", confdir=room / "ca")
    with pytest.raises(SetupError, match="is not a folder"):
        proxy.start()


def test_two_proxies_that_start_at_once_agree_on_the_authority(room: Path, upstream: Upstream) -> None:
    confdir = room / "new-ca"
    proxies = []
    for name in ("left", "right"):
        (room / name).mkdir()
        proxies.append(Proxy(room / name, confdir=confdir, hosts=upstream.hosts, upstream_ca=upstream.ca))
    threads = [threading.Thread(target=proxy.start) for proxy in proxies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        for proxy in proxies:
            observed = Observed(proxy, room)
            with observed.client() as client:
                assert client.get("https://secure.test/agree").status_code == 201
    finally:
        for proxy in proxies:
            proxy.stop()


def test_stopping_twice_and_never_starting_are_fine(room: Path, upstream: Upstream) -> None:
    observed = make(room, upstream)
    observed.proxy.stop()
    with observed.proxy:
        assert json.loads(json.dumps(observed.proxy.port)) > 0
    observed.proxy.stop()
    assert not observed.proxy.alive()
