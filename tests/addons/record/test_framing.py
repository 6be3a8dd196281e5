"""Message boundaries: however the bytes arrive, the messages are the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.record.framing import Framing, Grpc, Mqtt, Xmpp, begins_tls, of_connection, of_request

GRPC = [b"\0\0\0\0\0", b"\0\0\0\0\x03abc", b"\x01\0\0\x01\0" + b"x" * 256]
MQTT = [b"\xc0\x00", b"\x10\x03abc", b"\x32\x80\x02" + b"y" * 256, b"\xe0\x00"]
XMPP = [
    b"<?xml version='1.0'?><stream:stream to='a>b'>",
    b"<message><body>&lt;\xe4\xba\x94 > ' \"</body></message>",
    b"\n<presence/>",
    b"<iq><q a='/>'/><![CDATA[</iq> <a> ']]></iq>",
    b"<stream:stream>",
    b"<a><b><c/></b></a>",
    b"</stream:stream>",
]
CASES = [(Grpc, GRPC), (Mqtt, MQTT), (Xmpp, XMPP)]


def messages(framing: Framing, chunks: Sequence[bytes]) -> list[bytes]:
    found = [b""]
    for chunk in chunks:
        for piece, last in framing.cut(chunk):
            found[-1] += piece
            if last:
                found.append(b"")
    found[-1] += framing.rest()
    return found if found[-1] else found[:-1]


@pytest.mark.parametrize(("make", "sent"), CASES, ids=["grpc", "mqtt", "xmpp"])
@given(data=st.data())
def test_however_it_is_cut(make: Callable[[], Framing], sent: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=30)))
    edges = [0, *cuts, len(whole)]
    framing = make()
    assert messages(framing, [whole[a:b] for a, b in itertools.pairwise(edges)]) == sent
    assert not framing.broken


@pytest.mark.parametrize("make", [Grpc, Mqtt, Xmpp])
@given(chunks=st.lists(st.binary(max_size=200)))
def test_no_byte_is_lost_of_what_is_not_this_protocol(make: Callable[[], Framing], chunks: list[bytes]) -> None:
    assert b"".join(messages(make(), chunks)) == b"".join(chunks)


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (Grpc, b"{}"),
        (Mqtt, b"\x10\xff\xff\xff\xff\xff"),
        (Mqtt, b"\x00"),
        (Xmpp, b"</a>"),
        (Xmpp, b"<" + b"x" * 70_000),
    ],
)
def test_what_is_not_this_protocol_is_noticed(make: Callable[[], Framing], data: bytes) -> None:
    framing = make()
    assert b"".join(messages(framing, [data])) == data
    assert framing.broken


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b"\x10\x13\x00\x04MQTT\x04\x02", Mqtt),
        (b"\x10\x80\x02\x00\x04MQTT\x05", Mqtt),
        (b"\x10\x13\x00\x06MQIsdp\x03", Mqtt),
        (b"\x10\x13\x00\x04HTTP", type(None)),
        (b"<stream:stream to='x'>", Xmpp),
        (b"<?xml version='1.0'?>\n<stream:stream>", Xmpp),
        (b"<?xml version='1.0'?><html>", type(None)),
        (b"", type(None)),
    ],
)
def test_how_a_connection_begins(begin: bytes, kind: type) -> None:
    assert type(of_connection(begin)) is kind


def test_types_of_requests() -> None:
    assert isinstance(of_request("application/grpc+proto"), Grpc)
    assert of_request("application/grpc-web-text") is None
    assert of_request("application/json") is None
    assert of_request(None) is None


def test_how_tls_begins() -> None:
    assert begins_tls(b"\x16\x03\x01\x02\x00\x01\x00")
    assert not begins_tls(b"\x16\x03")
    assert not begins_tls(b"\x17\x03\x03\x02\x00\x01")
