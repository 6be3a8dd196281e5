"""Flow files of every kind of flow, by the mitmproxy that is installed; old ones, broken ones."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import httpx
import pytest
from aioquic.asyncio.client import connect as quic
from mitmproxy.http import HTTPFlow
from mitmproxy.io import tnetstring
from mitmproxy.test import tflow
from mitmproxy.websocket import WebSocketMessage
from websockets.sync.client import connect as websocket

from addons import replay
from appwitness.events import Gap, Upload
from appwitness.exchange import Origin, guess, imported
from appwitness.support.errors import UserError
from tests.lab import upstream as servers
from tests.lab.proxy.clients import Http3, free_ports, http3
from tests.lab.upstream import Upstream

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

APP = "com.example.circle"
NUMBER = b"+8613800138000"


def place(upstream: Upstream, name: str) -> str:
    address, port = upstream.hosts[name]
    return f"{address}:{port}"


def talk(upstream: Upstream, ports: dict[str, int]) -> None:
    """One request of each kind."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    proxy = f"http://127.0.0.1:{ports['regular']}"
    with httpx.Client(proxy=proxy, verify=tls) as one, httpx.Client(proxy=proxy, verify=tls, http2=True) as two:
        one.post(f"http://{place(upstream, 'plain.test')}/one", content=NUMBER)
        one.post(f"https://{place(upstream, 'secure.test')}/pieces", content=iter([NUMBER, b" in pieces"]))
        two.post(f"https://{place(upstream, 'h2.test:443')}/two", content=NUMBER)
        with pytest.raises(httpx.HTTPError):
            one.post("http://127.0.0.1:9/nobody", content=NUMBER).raise_for_status()

    def tunnel(name: str) -> socket.socket:
        raw = socket.create_connection(("127.0.0.1", ports["regular"]), timeout=20)
        raw.sendall(f"CONNECT {place(upstream, name)} HTTP/1.1\r\n\r\n".encode())
        assert b" 200 " in raw.recv(4096)
        return raw

    with websocket("wss://ws.test/chat", sock=tunnel("ws.test"), ssl=tls, server_hostname="ws.test") as chat:
        chat.send(NUMBER.decode())
        chat.recv()
    with tunnel("raw.test") as raw:
        raw.sendall(b"\1" + NUMBER)
        assert raw.recv(100)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(20)
        datagrams.sendto(NUMBER, ("127.0.0.1", ports["udp"]))
        assert datagrams.recv(100) == NUMBER
    dns.query.udp(dns.message.make_query("13800138000.exmail.test", "A"), "127.0.0.1", 20, ports["dns"])

    async def three() -> None:
        careless = http3()
        careless.verify_mode = ssl.CERT_NONE
        where = ("127.0.0.1", ports["http3"])
        async with quic(*where, configuration=careless, create_protocol=Http3) as client:
            assert isinstance(client, Http3)
            assert (await client.post("/three", NUMBER))[0] == 203

    asyncio.run(three())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flow file by stock mitmdump."""
    folder = tmp_path_factory.mktemp("kinds")
    with servers.running(folder) as upstream:
        servers_of = {"udp": "datagrams.test", "dns": "names.test", "http3": "h3.test"}
        ports = dict(zip(servers_of, free_ports(3), strict=True))
        command = [str(Path(sys.executable).with_name("mitmdump")), "-w", str(folder / "out"), "--ssl-insecure"]
        command += ["--set", f"confdir={folder}/conf", "--set", "listen_host=127.0.0.1", "--mode", "regular@0"]
        for kind, name in servers_of.items():
            command += ["--mode", f"reverse:{kind}://{place(upstream, name)}@{ports[kind]}"]
        said_at_once = {**os.environ, "PYTHONUNBUFFERED": "1"}
        proxy = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=said_at_once, text=True)
        try:
            assert proxy.stdout is not None
            listening = (line for line in proxy.stdout if "listening at" in line)
            for _ in range(4):
                line = next(listening)
                if "HTTP(S)" in line:
                    ports["regular"] = int(line.rstrip(".\n").rpartition(":")[2])
            talk(upstream, ports)
        finally:
            proxy.terminate()
            proxy.communicate()
    return folder / "out"


def test_every_kind_of_flow(file: Path, tmp_path: Path) -> None:
    assert guess(file) == "flows"
    recording = imported([file], tmp_path / "r", Origin(APP))
    assert list(recording.events(Gap)) == []
    found = {(one.via, (one.url or "").rpartition("/")[2], one.status) for one in recording.events(Upload)}
    assert found == {
        ("http", "one", 201),
        ("http", "pieces", 201),
        ("http", "two", 202),
        ("http", "three", 203),
        ("http", "nobody", None),
        ("http", "chat", 101),
        ("websocket", "chat", None),
        ("tcp", "", None),
        ("udp", "", None),
        ("dns", "dns:13800138000.exmail.test?type=A", None),
    }
    bodies = [recording.body(one.body) for one in recording.events(Upload) if one.body]
    assert sum(NUMBER in (body or b"") for body in bodies) == 8


@pytest.mark.slow
def test_a_file_that_is_broken_off(file: Path, tmp_path: Path) -> None:
    whole = imported([file], tmp_path / "whole", Origin(APP))
    (tmp_path / "cut").write_bytes(file.read_bytes()[:-100])
    cut = imported([tmp_path / "cut"], tmp_path / "r", Origin(APP))
    (gap,) = cut.events(Gap)
    assert (gap.why, "broken off" in (gap.detail or "")) == ("protocol_unsupported", True)
    assert len(list(cut.events(Upload))) == len(list(whole.events(Upload))) - 1


ODD: dict[str, Any] = {
    "a time beyond all": {"request": {"timestamp_start": 1e300}},
    "a time before all": {"request": {"timestamp_start": -5.0}},
    "no time at all": {"request": {"timestamp_start": float("nan")}},
    "a time in the year 9999": {"response": {"timestamp_start": 253402300800.0}},
    "a time as text": {"request": {"timestamp_start": "x"}},
    "request null": {"request": None},
    "headers null": {"request": {"headers": None}},
    "half a header": {"request": {"headers": [[b"a"]]}},
    "no client": {"client_conn": None},
    "a version to come": {"version": 999},
    "a version of long ago": {"version": (0, 10)},
}


def odd_flows() -> list[bytes]:
    made = []
    for changes in ODD.values():
        state: Any = tflow.tflow(resp=True).get_state()
        for key, fields in changes.items():
            state[key] = {**state[key], **fields} if isinstance(fields, dict) else fields
        made.append(tnetstring.dumps(state))
    nested = b"0:~"
    for _ in range(3000):
        nested = b"%d:%s]" % (len(nested), nested)
    return [*made, b"0:~", b"5:hello,", b"5:hello}", nested]


def test_an_odd_flow_costs_itself(tmp_path: Path) -> None:
    """One file of all of them, with a good flow before and after each: mitmproxy starts once."""
    good = tnetstring.dumps(tflow.tflow(resp=True).get_state())
    odd = odd_flows()
    (tmp_path / "a.flows").write_bytes(good + b"".join(each + good for each in odd))
    recording = imported([tmp_path / "a.flows"], tmp_path / "r", Origin(APP))
    assert len(list(recording.events(Upload))) == len(odd) + 1
    assert [gap.subject for gap in recording.events(Gap)] == [f"a.flows flow {2 * at + 2}" for at in range(len(odd))]


def test_a_flow_of_version_0_11(tmp_path: Path) -> None:
    times = {b"timestamp_start": 1612375499.0, b"timestamp_end": 1612375499.5}
    message = {b"httpversion": [1, 1], b"headers": [[b"Host", b"x.test"]], b"content": b"tel=1", **times}
    where = {b"scheme": b"http", b"host": b"x.test", b"port": 80, b"path": b"/s", b"form_in": b"relative"}
    ends: dict[bytes, Any] = {b"timestamp_start": 1612375499.0, b"timestamp_end": None}
    ends |= {b"timestamp_ssl_setup": None, b"sni": None}
    ends |= {b"address": {b"address": [b"192.0.2.1", 80], b"use_ipv6": False}, b"ssl_established": False}
    flow: dict[Any, Any] = {
        b"version": [0, 11],
        b"type": b"http",
        b"id": b"a",
        b"error": None,
        b"intercepted": False,
        b"request": {**message, **where, b"method": b"POST", b"form_out": b"relative", b"is_replay": False},
        b"response": {**message, b"code": 200, b"msg": b"OK"},
        b"client_conn": {**ends, b"clientcert": None},
        b"server_conn": {
            **ends,
            b"cert": None,
            b"source_address": ends[b"address"],
            b"timestamp_tcp_setup": None,
            b"state": [],
        },
    }
    (tmp_path / "old").write_bytes(tnetstring.dumps(flow))
    recording = imported([tmp_path / "old"], tmp_path / "r", Origin(APP))
    assert list(recording.events(Gap)) == []
    assert [(one.url, one.status, one.size) for one in recording.events(Upload)] == [("http://x.test/s", 200, 5)]


@pytest.mark.slow
def test_a_flow_that_nobody_can_read_is_a_gap_and_the_next_is_read(file: Path, tmp_path: Path) -> None:
    strange = tnetstring.dumps({"version": 21, "type": "smoke signal"})
    (tmp_path / "two").write_bytes(strange + file.read_bytes())
    recording = imported([tmp_path / "two"], tmp_path / "r", Origin(APP))
    (gap,) = recording.events(Gap)
    assert gap.subject == "two flow 1"
    assert len(list(recording.events(Upload))) == 10
    (tmp_path / "one").write_bytes(strange)
    with pytest.raises(UserError, match="cannot be read as a mitmproxy flow file"):
        imported([tmp_path / "one"], tmp_path / "nothing", Origin(APP))
    assert not (tmp_path / "nothing").exists()


def test_a_large_flow_is_read_without_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is large all the same, or whose entries have no sizes, costs itself."""
    monkeypatch.setattr(replay, "LARGEST", 5000)

    def made(sent: int, answered: int, messages: int = 0) -> bytes:
        one = tflow.tflow(resp=True)
        one.request.content, one.metadata["x"] = b"s" * sent, "m" * messages
        assert one.response is not None
        one.response.content = b"r" * answered
        return tnetstring.dumps(one.get_state())

    unanswered = tnetstring.dumps({**tflow.tflow().get_state(), "comment": "c" * 9000, "response": None})
    lying = made(1, 9000).replace(b"8:response;", b"9:response;")
    no_name = made(1, 9000).replace(b"8:response;", b"x:response;")
    name = made(1, 9000).replace(b"8:response;", b"99999999:;;")
    files = [made(10, 9000), made(2000, 10), made(9000, 10), made(10, 9000, 9000), unanswered, lying, no_name, name]
    (tmp_path / "a").write_bytes(b"".join((*files, made(3, 3))))
    with (tmp_path / "a").open("rb") as file:
        found = list(replay.flows(file))
    read = [
        (len(one.request.content or b""), one.response and one.response.content)
        for one in found
        if isinstance(one, HTTPFlow)
    ]
    assert read == [(10, None), (2000, b"r" * 10), (3, b"rrr")]
    problems = [one.partition(": ")[2] for one in found if isinstance(one, str)]
    assert problems[:3] == ["it has more than 0 MiB"] * 3
    assert problems[4:] == ["it is damaged: an entry has no length", "it is damaged: a name is too long"]
    assert len(problems) == 6


def old(type_: str, **more: Any) -> dict[str, Any]:
    """A flow as mitmproxy 5 and 6 wrote it (version 7 of the format)."""
    common = {"timestamp_start": 1612375499.0, "timestamp_end": None, "timestamp_tls_setup": None, "tls_version": None}
    ends = {"tls_established": False, "alpn_proto_negotiated": None, "sni": None, **common}
    client = {"id": "c", "address": ["127.0.0.1", 52473], "mitmcert": None, "clientcert": None, "cipher_name": None}
    server = {"id": "s", "address": ["push.test", 80], "ip_address": ["192.0.2.1", 80], "source_address": ["", 0]}
    return {
        "version": 7,
        "type": type_,
        "id": type_,
        "error": None,
        "intercepted": False,
        "marked": False,
        "client_conn": {**client, "tls_extensions": None, **ends},
        "server_conn": {**server, "cert": None, "via": None, "timestamp_tcp_setup": 1612375499.0, **ends},
        **more,
    }


def test_websocket_messages_of_old_versions(tmp_path: Path) -> None:
    times = {"timestamp_start": 1612375499.0, "timestamp_end": 1612375499.5}
    whole = {"http_version": b"HTTP/1.1", "headers": [[b"Host", b"push.test"]], "content": b"", **times}
    where = {"scheme": b"http", "host": b"push.test", "port": 80, "path": b"/s", "first_line_format": "relative"}
    request = {"method": b"GET", "is_replay": False, **where, **whole}
    response = {"status_code": 101, "reason": b"Switching", **whole}
    handshake = old("http", request=request, response=response, mode="regular", metadata={})
    messages = [[1, True, "tel=+8613800138000 王", 1612375501, False], [2, True, b"\0\1", 1612375502, False]]
    closed = {"close_sender": "client", "close_code": 1000, "close_message": "", "close_reason": ""}
    negotiated = dict.fromkeys(f"{side}_{what}" for side in ("client", "server") for what in ("protocol", "extensions"))
    keys = {"client_key": "", "server_accept": "", **negotiated}
    spoken = old("websocket", messages=messages, metadata={"websocket_handshake": "http"}, **closed, **keys)
    (tmp_path / "old").write_bytes(tnetstring.dumps(handshake) + tnetstring.dumps(spoken))
    recording = imported([tmp_path / "old"], tmp_path / "r", Origin(APP))
    assert list(recording.events(Gap)) == []
    assert [(one.via, one.url, one.status) for one in recording.events(Upload)] == [
        ("http", "http://push.test/s", 101),
        ("websocket", "ws://push.test/s", None),
        ("websocket", "ws://push.test/s", None),
    ]
    bodies = [recording.body(one.body) for one in recording.events(Upload) if one.body]
    assert bodies == ["tel=+8613800138000 王".encode(), b"\0\1"]


def edited(what: str) -> Any:
    """A flow of which somebody edited something in mitmproxy before it went on."""
    one: Any = tflow.tflow(resp=True) if what != "a message" else tflow.twebsocketflow()
    if what == "a message of TCP":
        one = tflow.ttcpflow()
    one.backup()
    if what == "the body":
        one.request.content = b"phone=13800138000"
    elif what == "the address":
        one.request.host, one.request.path = "other.test", "/13800138000"
    elif what == "the answer":
        one.response.content = b"phone=13800138000"
    elif what == "a message":
        one.websocket.messages[0].content = b"13800138000"
        one.websocket.messages.append(WebSocketMessage(1, True, b"later", one.websocket.messages[-1].timestamp))
    elif what == "a message of TCP":
        one.messages[0].content = b"13800138000"
    return one


EDITED = ("the body", "the address", "the answer", "a message", "a message of TCP")


def test_of_an_edited_flow_what_the_client_had_sent_is_recorded(tmp_path: Path) -> None:
    """And what a server pushed is no upload. One file of all of them: mitmproxy starts once."""
    pushed: Any = tflow.tflow(resp=True)
    pushed.metadata["h2-pushed-stream"] = True
    path = tmp_path / "a.flows"
    path.write_bytes(b"".join(tnetstring.dumps(one.get_state()) for one in (*map(edited, EDITED), pushed)))
    recording = imported([path], tmp_path / "r", Origin(APP))
    sent = [(one.via, one.url, one.body and recording.body(one.body)) for one in recording.events(Upload)]
    socket_ = "example.com/ws"
    assert sent == [
        *[("http", "http://address:22/path", b"content")] * 3,
        ("http", f"http://{socket_}", None),
        *(("websocket", f"ws://{socket_}", said) for said in (b"hello binary", b"hello text", b"later")),
        ("tcp", None, b"hello"),
    ]
    assert recording.run.notes == (
        "a.flows: 4 flows had been edited in mitmproxy; what is recorded of them is what the client had sent",
        "a.flows: 1 requests that the server pushed are not uploads",
    )
    assert list(recording.events(Gap)) == []
