"""Real HTTP clients through the real proxy: what the recording holds of each upload."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import httpx
import pytest

from tests.lab import upstream as servers
from tests.lab.proxy.observed import MB, Observed, peak_mb, wait_for
from tests.lab.upstream import Upstream

pytestmark = [pytest.mark.lab, pytest.mark.skipif(sys.platform == "win32", reason="limits, /proc and signals")]


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


def test_name_and_password_in_a_url_are_not_recorded(shared: Observed) -> None:
    raw = socket.create_connection((shared.proxy.host, shared.proxy.port), timeout=20)
    raw.sendall(b"GET http://operator:hunter2hunter2@plain.test/userinfo HTTP/1.1\r\nHost: plain.test\r\n\r\n")
    assert b" 400 " in raw.recv(4096), "mitmproxy passes on none of these"
    raw.close()
    with shared.client() as client:
        client.get("http://operator:hunter2hunter2@plain.test/userinfo")
    assert shared.upload("/userinfo").url == "http://plain.test/userinfo"
    for name in ("uploads.jsonl", "gaps.jsonl"):
        assert b"operator:hunter2hunter2" not in (shared.path / name).read_bytes()


def test_the_password_for_a_server_that_the_tester_adds_is_not_recorded(start: Callable[..., Observed]) -> None:
    observed = start(mode="reverse:http://plain.test:80", upstream_auth="operator:hunter2hunter2")
    with observed.client(proxy=None) as client:
        assert client.post(f"{observed.url}/added", content=b"x").status_code == 201
    upload = observed.upload("/added")
    assert "authorization" not in {name.lower() for name, _ in upload.headers}
    assert (observed.path / "uploads.jsonl").read_bytes().count(b"b3BlcmF0b3I6") == 0, "nor as base64"


def test_what_comes_after_a_chunked_body(shared: Observed) -> None:
    """Both ways, and on a connection that is then used again."""
    end = b"\r\n0\r\nX-Sum: +8613800138000\r\nX-More: 2\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/trailers"
        heard: list[bytes] = []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(2):
                    said = b""
                    while not said.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in said:
                        said += connection.recv(65536)
                    heard.append(said)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok" + end)

        thread = threading.Thread(target=serve)
        thread.start()
        with socket.create_connection((shared.proxy.host, shared.proxy.port), timeout=20) as client:
            for _ in range(2):
                head = f"POST {url} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                client.sendall(head.encode() + b"4\r\nbody" + end)
                answer = b""
                while not answer.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in answer:
                    answer += client.recv(65536)
                assert answer.endswith(b"2\r\nok" + end)
        thread.join(20)
    assert [said.endswith(b"4\r\nbody" + end) for said in heard] == [True, True]
    wait_for(lambda: sum("/trailers" in (one.url or "") for one in shared.uploads()) == 2)
    for upload in (one for one in shared.uploads() if "/trailers" in (one.url or "")):
        assert shared.body(upload) == b"body"
        assert upload.headers[-2:] == (("X-Sum", "+8613800138000"), ("X-More", "2"))
        assert (upload.status, upload.truncated) == (200, False)
