"""gRPC through the proxy: one call, a stream that goes on, a conversation; with TLS and without."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from appwitness.events import Upload
from tests.lab.proxy.observed import Observed, wait_for

pytestmark = pytest.mark.lab

SECURE = pytest.mark.parametrize("secure", [True, False], ids=["tls", "cleartext"])


@pytest.fixture
def channel(shared: Observed, secure: bool) -> Iterator[grpc.Channel]:
    options = [("grpc.http_proxy", shared.url)]
    if secure:
        credentials = grpc.ssl_channel_credentials(shared.proxy.ca_pem.read_bytes())
        made = grpc.secure_channel("grpc.test:443", credentials, options)
    else:
        made = grpc.insecure_channel("grpc.test:80", options)
    with made:
        yield made


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def of(observed: Observed, method: str, secure: bool) -> list[Upload]:
    url = f"{'https' if secure else 'http'}://grpc.test/sync.Contacts/{method}"
    return [one for one in observed.uploads() if one.url == url]


@SECURE
def test_a_call(shared: Observed, channel: grpc.Channel, secure: bool) -> None:
    call: Callable[..., Any] = channel.unary_unary("/sync.Contacts/Once")
    for message in (b"+8613800138000", b"x" * 300_000):
        before = len(of(shared, "Once", secure))
        assert call(message, timeout=20) == hashlib.sha256(message).digest()
        (upload,) = of(shared, "Once", secure)[before:]
        assert shared.body(upload) == framed(message)
        assert (upload.method, upload.status, upload.type, upload.truncated) == ("POST", 200, "application/grpc", False)
        assert (upload.tls is not None) == secure


@SECURE
def test_messages_of_a_stream_are_recorded_as_they_come(shared: Observed, channel: grpc.Channel, secure: bool) -> None:
    to_send: queue.Queue[bytes | None] = queue.Queue()
    answer = channel.stream_unary("/sync.Contacts/Gather").future(iter(to_send.get, None), timeout=60)
    sent = [b"first +8613800138000", b"second" * 50_000, b"third"]
    for number, message in enumerate(sent, 1):
        to_send.put(message)
        wait_for(lambda: len(of(shared, "Gather", secure)) == number)  # noqa: B023 called at once
        assert not answer.done()
    to_send.put(None)
    assert answer.result() == b"".join(hashlib.sha256(message).digest() for message in sent)
    uploads = of(shared, "Gather", secure)
    assert [shared.body(one) for one in uploads] == [framed(message) for message in sent]
    assert uploads[0].headers
    assert [one.headers for one in uploads[1:]] == [(), ()], "they were sent once"
    assert {one.client for one in uploads} == {uploads[0].client}


@SECURE
def test_what_was_answered_in_a_conversation_is_recorded(shared: Observed, channel: grpc.Channel, secure: bool) -> None:
    to_send: queue.Queue[bytes | None] = queue.Queue()
    answers = channel.stream_stream("/sync.Contacts/Talk")(iter(to_send.get, None), timeout=60)
    for number in range(5):
        message = f"message {number}".encode()
        to_send.put(message)
        assert next(answers) == hashlib.sha256(message).digest()
        # Not waited for: the answer is there, so the message was written before.
        assert shared.body(of(shared, "Talk", secure)[-1]) == framed(message)
    to_send.put(None)
    assert list(answers) == []
    assert len(of(shared, "Talk", secure)) == 5
