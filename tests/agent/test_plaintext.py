"""What the agent saw at a TLS library becomes the uploads that a proxy would have recorded."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime

import h2.config
import h2.connection
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appwitness.agent.agent_messages import PlainSent, message
from appwitness.agent.plaintext import WAIT_S, Plaintext
from appwitness.events import Endpoint, Event, Gap, Upload
from tests.strategies import examples

AT = 1_773_478_800_000_000
ABOUT = {
    "library": "JSSE",
    "local": {"ip": "192.168.1.7", "port": 40112},
    "remote": {"ip": "93.184.216.34", "port": 443},
    "host": "api.bank.test",
    "version": "TLSv1.3",
    "alpn": "h2",
}
CALLER = ["com.example.bank.Api.send(Api.java:12)"]
JSON = b'{"phone":"+8613800138000"}'
POST = (
    b"POST /login HTTP/1.1\r\nHost: api.bank.test\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n"
    + JSON
)
CHUNKED = (
    b"PUT /log?x=1 HTTP/1.1\r\nhost: api.bank.test:8443\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-End: 1\r\n\r\n"
)
GET = b"GET /rates HTTP/1.1\r\nHost: api.bank.test\r\n\r\n"
ANSWER = b"HTTP/1.1 201 Created\r\n"


class Wire:
    """A connection as the agent tells of it."""

    def __init__(self, **options):
        self.now = 0.0
        self.bodies: list[bytes] = []
        self.plaintext = Plaintext("com.example.bank", self._stored, lambda: self.now, **options)
        self.events: list[Event] = []
        self.at = AT
        self.told = False

    def _stored(self, body):
        self.bodies.append(body)
        return hashlib.sha256(body).hexdigest()

    def feed(self, way, data=b"", **more):
        self.at += 1000
        told = message({"type": "plain", "id": 1, "at": self.at, "way": way, **more})
        assert isinstance(told, PlainSent)
        self.events += self.plaintext.feed(told, data, 4711)

    def out(self, data, stack=CALLER):
        about = {} if self.told else {"about": ABOUT}
        self.told = True
        self.feed("out", data, stack=stack, **about)
        return self

    def answer(self, data=ANSWER):
        self.feed("in", data)
        return self

    def end(self):
        self.feed("end")
        return self

    @property
    def uploads(self) -> list[Upload]:
        return [event for event in self.events if isinstance(event, Upload)]

    @property
    def gaps(self) -> list[Gap]:
        return [event for event in self.events if isinstance(event, Gap)]


def told(upload: Upload):
    return upload.via, upload.method, upload.url, upload.status, upload.size


def test_a_request_with_its_answer():
    (upload,) = Wire().out(POST).answer().uploads
    assert told(upload) == ("http", "POST", "https://api.bank.test/login", 201, 26)
    assert (upload.app, upload.pid, upload.by_agent) == ("com.example.bank", 4711, True)
    assert upload.stack == tuple(CALLER)
    assert upload.client == Endpoint(ip="192.168.1.7", port=40112)
    assert upload.server == Endpoint(ip="93.184.216.34", port=443)
    assert upload.tls is not None
    assert (upload.tls.version, upload.tls.sni) == ("TLSv1.3", "api.bank.test")
    assert upload.at == datetime.fromtimestamp((AT + 1000) / 1_000_000, UTC)
    assert upload.type == "application/json"


def test_the_address_of_the_proxy_is_no_recipient():
    wire = Wire()
    about = {**ABOUT, "remote": {"ip": "127.0.0.1", "port": 8080}}
    wire.feed("out", POST, stack=CALLER, about=about)
    assert wire.answer().uploads[0].server is None


def test_requests_on_one_connection_keep_their_own_code():
    wire = Wire().out(POST).answer().out(CHUNKED, ["com.adnet.sdk.AdNet.send(AdNet.java:1)"]).answer(b"HTTP/1.0 404 x")
    assert [told(upload) for upload in wire.uploads] == [
        ("http", "POST", "https://api.bank.test/login", 201, 26),
        ("http", "PUT", "https://api.bank.test:8443/log?x=1", 404, 11),
    ]
    assert wire.bodies == [JSON, b"hello world"]
    assert wire.uploads[1].stack == ("com.adnet.sdk.AdNet.send(AdNet.java:1)",)
    assert wire.uploads[1].host == "api.bank.test"


def test_a_body_that_is_sent_on_continue():
    head, body = POST.split(b"\r\n\r\n")
    wire = (
        Wire().out(head + b"\r\nExpect: 100-continue\r\n\r\n").answer(b"HTTP/1.1 100 Continue\r\n").out(body).answer()
    )
    assert [told(upload) for upload in wire.uploads] == [("http", "POST", "https://api.bank.test/login", 201, 26)]


def test_a_chunk_is_not_awaited_whole():
    wire = Wire(most_bytes=100).out(CHUNKED[: CHUNKED.index(b"5;a=b")] + b"fffffff\r\n" + b"x" * 1000)
    for _ in range(50):
        wire.out(b"y" * 1000)
    assert len(wire.plaintext.links[1].speaks.held) < 10
    assert wire.end().uploads[0].size == 100
    assert "100 of 51000 bytes" in (wire.gaps[0].detail or "")


def test_an_answer_that_does_not_come_is_not_awaited_for_ever():
    wire = Wire().out(GET)
    assert wire.plaintext.due(4711) == []
    wire.now = WAIT_S
    (upload,) = wire.plaintext.due(4711)
    assert told(upload) == ("http", "GET", "https://api.bank.test/rates", None, 0)
    assert upload.body is None


def test_what_breaks_off_is_kept_and_said():
    wire = Wire().out(POST[:-6]).end()
    assert told(wire.uploads[0]) == ("http", "POST", "https://api.bank.test/login", None, 20)
    assert wire.uploads[0].truncated
    assert [gap.why for gap in wire.gaps] == ["body_truncated"]


def test_a_body_beyond_the_limit_is_cut_and_said():
    wire = Wire(most_bytes=10).out(POST).answer()
    assert wire.bodies == [JSON[:10]]
    assert wire.uploads[0].truncated
    assert "10 of 26 bytes: limit of 10 bytes" in (wire.gaps[0].detail or "")


def test_what_is_left_is_written_at_the_end_of_the_run():
    wire = Wire().out(GET)
    assert [told(event) for event in wire.plaintext.close(4711)] == [
        ("http", "GET", "https://api.bank.test/rates", None, 0)
    ]
    assert wire.plaintext.close(4711) == []


@pytest.mark.parametrize("first", [b"\x10\x25\0\x04MQTT\x04", b"GETTING ON WITH IT", b"\0"])
def test_what_is_no_http_is_a_message_up_to_its_answer(first):
    wire = Wire().out(first).out(b" more of it, so much").answer(b"\x20\x02").out(b"next").end()
    assert [(upload.via, upload.host, upload.url) for upload in wire.uploads] == [("tcp", "api.bank.test", None)] * 2
    assert wire.bodies == [first + b" more of it, so much", b"next"]


def test_what_only_begins_like_a_request_is_kept_at_the_end():
    wire = Wire().out(b"POST").out(b" me a letter").end()
    assert [upload.via for upload in wire.uploads] == ["tcp"]
    assert wire.bodies == [b"POST me a letter"]


def test_what_follows_an_upgrade_is_a_message_of_its_own():
    upgrade = b"GET /push HTTP/1.1\r\nHost: api.bank.test\r\nUpgrade: websocket\r\n\r\n"
    wire = Wire().out(upgrade).answer(b"HTTP/1.1 101 Switching").out(b"\x81\x85\0\0\0\0hello").end()
    assert [upload.via for upload in wire.uploads] == ["http", "tcp"]
    assert wire.bodies == [b"\x81\x85\0\0\0\0hello"]


@settings(deadline=None, max_examples=examples(40))
@given(st.data())
def test_however_the_bytes_are_cut_it_is_the_same(data):
    stream = POST + CHUNKED + GET
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    wire = Wire()
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        if begin < end:
            wire.out(stream[begin:end])
    wire.events += wire.plaintext.close(4711)
    assert [told(upload) for upload in wire.uploads] == [
        ("http", "POST", "https://api.bank.test/login", None, 26),
        ("http", "PUT", "https://api.bank.test:8443/log?x=1", None, 11),
        ("http", "GET", "https://api.bank.test/rates", None, 0),
    ]
    assert wire.bodies == [JSON, b"hello world"]


def http2(*requests) -> bytes:
    """What a real client writes for requests side by side."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    streams = []
    for method, path, headers, body in requests:
        stream = client.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "api.bank.test"), (":path", path)]
        client.send_headers(stream, [*pseudo, *headers], end_stream=not body)
        streams.append((stream, body))
    for stream, body in streams:
        if body:
            client.send_data(stream, body[: len(body) // 2], pad_length=7)
    for stream, body in reversed(streams):
        if body:
            client.send_data(stream, body[len(body) // 2 :], end_stream=True)
    return client.data_to_send()


@settings(deadline=None, max_examples=examples(40))
@given(st.data())
def test_http2_streams_side_by_side_however_cut(data):
    body = gzip.compress(JSON)
    stream = http2(
        ("POST", "/a", [("content-type", "application/json"), ("content-encoding", "gzip")], body),
        ("GET", "/b", [("cookie", "uid=" + "7" * 5000)], b""),
        ("POST", "/c", [("content-type", "application/grpc"), ("x-long", "y" * 20_000)], b"\0\0\0\0\x02hi" * 900),
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    wire = Wire()
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        if begin < end:
            wire.out(stream[begin:end])
    found = {upload.url: upload for upload in wire.uploads}
    assert [url.rpartition("/")[2] for url in found if url] == ["b", "c", "a"]
    a = found["https://api.bank.test/a"]
    assert (a.method, a.host, a.type, a.status) == ("POST", "api.bank.test", "application/json", None)
    assert ("content-encoding", "gzip") in a.headers
    assert wire.bodies == [b"\0\0\0\0\x02hi" * 900, body]


def test_an_http2_request_that_does_not_end_is_kept_at_the_end():
    wire = Wire().out(http2(("POST", "/stream", [], b"beginning"))[:-12]).end()
    assert told(wire.uploads[0])[:3] == ("http", "POST", "https://api.bank.test/stream")
    assert wire.uploads[0].truncated


@settings(deadline=None, max_examples=examples(40))
@given(st.binary(max_size=300), st.sampled_from([b"", GET, POST[:40], http2(("GET", "/", [], b""))]))
def test_no_bytes_stop_it(junk, before):
    wire = Wire().out(before + junk) if before + junk else Wire()
    wire.answer(junk).out(b"x").end()
    assert all(isinstance(event, Upload | Gap) for event in wire.events)
