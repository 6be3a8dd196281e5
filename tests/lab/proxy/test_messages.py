"""Real clients of protocols without requests through the real proxy: WebSocket, TCP, UDP, DNS."""

from __future__ import annotations

import random
import socket
import sys
import threading
import time
from collections.abc import Callable

import pytest

from tests.lab.proxy.observed import MB, Observed, of_host, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.skipif(sys.platform == "win32", reason="limits, /proc and signals")]


def test_websocket_messages_of_the_client_are_uploads(shared: Observed) -> None:
    with shared.websocket(
        "wss://ws.test/chat?room=1",
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


def test_messages_of_a_protocol_that_is_not_http(shared: Observed) -> None:
    raw = shared.tunnel("raw.test", 9000)
    port = raw.getsockname()[1]
    raw.sendall(b"\x01\x02\x03first")
    assert raw.recv(100) == b"\x01\x02\x03first", "it passes all the same"
    first = of_host(shared, "raw.test", 1)[0]
    assert shared.body(first) == b"\x01\x02\x03first", "written before it was answered"
    raw.sendall(b"second, ")
    raw.sendall(b"in two pieces")
    raw.shutdown(socket.SHUT_WR)
    while raw.recv(100):
        pass  # closed with an answer unread, a connection is reset, and what was sent last may be lost
    raw.close()

    def rest() -> bytes:
        return b"".join(shared.body(one) for one in of_host(shared, "raw.test", 2)[1:])

    wait_for(lambda: rest() == b"second, in two pieces")  # in one message or, on a loaded machine, in two
    uploads = of_host(shared, "raw.test", 2)
    assert {(one.via, one.client.port if one.client else None, one.tls) for one in uploads} == {("tcp", port, None)}


def test_a_long_stream_is_cut_and_whole(shared: Observed) -> None:
    raw = shared.tunnel("raw.test", 9000)
    raw.settimeout(60)
    sent = random.Random(1).randbytes(3 * MB)
    reader = threading.Thread(target=lambda: [None for _ in iter(lambda: raw.recv(65536), b"")], daemon=True)
    reader.start()
    before = len(shared.uploads())
    raw.sendall(sent)
    raw.shutdown(socket.SHUT_WR)
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
        upload = wait_for(observed.uploads)[0]
    assert (upload.via, upload.host, upload.type) == ("dns", "13800138000.exmail.test", "application/dns-message")
    assert upload.url == "dns:13800138000.exmail.test?type=A"
    assert observed.body(upload) == query


def test_datagrams(start: Callable[..., Observed]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        observed = start(mode=f"reverse:udp://127.0.0.1:{server.getsockname()[1]}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for sent in (b"one +8613800138000", b"two"):
                client.sendto(sent, (observed.proxy.host, observed.proxy.port))
                assert server.recvfrom(2000)[0] == sent
        wait_for(lambda: len(observed.uploads()) == 2)
        uploads = observed.uploads()
        assert [observed.body(one) for one in uploads] == [b"one +8613800138000", b"two"]
        assert {one.via for one in uploads} == {"udp"}
