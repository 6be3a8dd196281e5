"""MQTT by paho's client and XMPP by hand, over TCP and TLS: each message of the app is an upload of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from appwitness.events import Upload
from tests.lab.proxy.clients import Mqtt
from tests.lab.proxy.observed import Observed, wait_for

pytestmark = pytest.mark.lab

LONG = os.urandom(3_000_000)


@pytest.fixture(params=[1883, 8883], ids=["tcp", "tls"])
def client(request: pytest.FixtureRequest, shared: Observed) -> Iterator[Mqtt]:
    client = Mqtt(shared.tunnel)
    if request.param == 8883:
        client.tls_set_context(shared.tls)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("mqtt.test", request.param, keepalive=60)
    client.loop_start()
    assert connected.wait(20)
    yield client
    client.disconnect()
    client.loop_stop()


def of(observed: Observed, host: str, tls: bool) -> list[Upload]:
    return [one for one in observed.uploads() if one.host == host and (one.tls is not None) == tls]


def test_mqtt(shared: Observed, client: Mqtt) -> None:
    tls = client.port == 8883
    for topic, payload in (("contacts/1", b"+8613800138000"), ("photo", LONG), ("contacts/2", b"+8613800138001")):
        client.publish(topic, payload, qos=1).wait_for_publish(20)
        last = [one for one in of(shared, "mqtt.test", tls) if one.size > len(payload)][-1]
        assert shared.body(last).endswith(topic.encode() + last_id(last, shared, topic) + payload)
    client.publish("one", b"1")
    client.publish("two", b"22")
    client.disconnect()
    wait_for(lambda: len(of(shared, "mqtt.test", tls)) == 7)
    bodies = [shared.body(one) for one in of(shared, "mqtt.test", tls)]
    assert [body[0] >> 4 for body in bodies] == [1, 3, 3, 3, 3, 3, 14], "CONNECT, PUBLISH ..., DISCONNECT"
    assert bodies[4:6] == [b"0\x06\x00\x03one1", b"0\x07\x00\x03two22"]
    assert b"phone-1" in bodies[0]
    assert {one.via for one in of(shared, "mqtt.test", tls)} == {"tcp"}


def last_id(upload: Upload, observed: Observed, topic: str) -> bytes:
    """The two bytes by which a packet that wants an answer is known, behind its topic."""
    body = observed.body(upload)
    at = body.index(topic.encode()) + len(topic)
    return body[at : at + 2]


def test_xmpp(shared: Observed) -> None:
    raw = shared.tunnel("xmpp.test", 5222)
    stream = b"<?xml version='1.0'?><stream:stream to='xmpp.test' xmlns='jabber:client'>"
    raw.sendall(stream)
    assert b"features" in raw.recv(4096)
    message = "<message to='x@xmpp.test'><body>五 &gt; '3' +8613800138000</body><a b=\">\"/></message>".encode()
    for piece in (message[:20], message[20:50], message[50:] + b"<presence/> <iq id='1'/>" + message):
        raw.sendall(piece)
    raw.sendall(b"</stream:stream>")
    wait_for(lambda: len(of(shared, "xmpp.test", False)) == 6)
    bodies = [shared.body(one) for one in of(shared, "xmpp.test", False)]
    assert bodies == [stream, message, b"<presence/>", b" <iq id='1'/>", message, b"</stream:stream>"]
    raw.close()
