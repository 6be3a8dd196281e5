"""The clients of the soak: one function a protocol; each sends numbered requests on a connection of its own."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import dns.asyncquery
import dns.exception
import dns.message
import grpc
import httpx
from aioquic.asyncio.client import connect as quic
from websockets.asyncio.client import connect as websocket
from websockets.exceptions import WebSocketException

from appwitness.proxy import Proxy
from tests.lab.proxy.clients import Http3, Mqtt, http3

SIZES = (0, 20, 300, 1000, 1000, 4000, 20_000, 100_000)
DATAGRAM = 1100
"""Longest datagram; nothing has to put its pieces together."""
WORKERS = 12
PER_CONNECTION = 60
ANSWER_S = 20


@dataclass
class Traffic:
    """What the clients know."""

    proxy: Proxy
    ports: dict[str, int]
    """Where the proxy listens beside its own port, by protocol."""
    tls: ssl.SSLContext
    dice: random.Random
    total: int
    seconds: float
    begun: float = field(default_factory=time.monotonic)
    sent: int = 0
    answered: dict[int, tuple[str, float]] = field(default_factory=dict)
    """Kind and time (monotonic) of each request that was answered."""
    kinds: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def progress(self) -> float:
        """How far it is, of 1: by requests or, where there is a limit, by time."""
        return max(self.sent / self.total, (time.monotonic() - self.begun) / self.seconds)

    def next(self) -> int | None:
        """The number of the next request; None when there shall be no more."""
        if self.progress() >= 1:
            return None
        self.sent += 1
        return self.sent

    def done(self, number: int, kind: str) -> None:
        """Its answer has come."""
        self.answered[number] = kind, time.monotonic()
        self.kinds[kind] += 1

    def body(self, number: int, longest: int = 1 << 30) -> bytes:
        """Something to send."""
        return f"soak-{number}. +8613800138000 ".encode() + self.dice.randbytes(min(self.dice.choice(SIZES), longest))


async def tunnel(run: Traffic, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", run.proxy.port, limit=1 << 22)
    writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def plain_tunnel(run: Traffic, host: str, port: int) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", run.proxy.port), timeout=ANSWER_S)
    raw.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    assert b" 200 " in raw.recv(4096)
    return raw


async def http1(run: Traffic, count: int, kind: str) -> None:
    """Requests on one connection that is kept alive."""
    if kind == "https":
        reader, writer = await tunnel(run, "secure.test", 443)
        await writer.start_tls(run.tls, server_hostname="secure.test")
        base, host = "", "secure.test"
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", run.proxy.port, limit=1 << 22)
        base, host = "http://plain.test", "plain.test"
    try:
        for _ in range(count):
            number = run.next()
            if number is None:
                return
            data = run.body(number)
            head = f"POST {base}/soak-{number}. HTTP/1.1\r\nHost: {host}\r\n"
            if kind == "chunked":
                pieces = [data[at : at + 30_000] for at in range(0, len(data), 30_000)]
                writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
                writer.writelines(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
                writer.write(b"0\r\n\r\n")
            else:
                writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if b" 201 " in answer.split(b"\r\n")[0] + b" ":
                run.done(number, kind)
    finally:
        writer.close()


async def h2(run: Traffic, count: int, kind: str) -> None:
    async def one(client: httpx.AsyncClient) -> None:
        number = run.next()
        if number is not None:
            answer = await client.post(f"https://h2.test/soak-{number}.", content=run.body(number))
            if answer.status_code == 202:
                run.done(number, kind)

    async with httpx.AsyncClient(http2=True, proxy=f"http://127.0.0.1:{run.proxy.port}", verify=run.tls) as client:
        for _ in range(count // 10):
            await asyncio.gather(*(one(client) for _ in range(10)))


async def h3(run: Traffic, count: int, kind: str) -> None:
    async def one(client: Http3) -> None:
        number = run.next()
        if number is not None and (await client.post(f"/soak-{number}.", run.body(number), ANSWER_S))[0] == 203:
            run.done(number, kind)

    trusting = http3()
    trusting.load_verify_locations(str(run.proxy.ca_pem))
    async with quic("127.0.0.1", run.ports[kind], configuration=trusting, create_protocol=Http3) as client:
        assert isinstance(client, Http3)
        for _ in range(count // 5):
            await asyncio.gather(*(one(client) for _ in range(5)))


async def calls(run: Traffic, count: int, kind: str) -> None:
    """gRPC: one call after the other, then a conversation."""
    credentials = grpc.ssl_channel_credentials(run.proxy.ca_pem.read_bytes())
    # What gRPC sends again by itself would be in the recording twice.
    options = [("grpc.http_proxy", f"http://127.0.0.1:{run.proxy.port}"), ("grpc.enable_retries", 0)]
    async with grpc.aio.secure_channel("grpc.test:443", credentials, options) as channel:
        once = channel.unary_unary("/sync.Contacts/Once")
        for _ in range(count // 2):
            number = run.next()
            if number is None:
                return
            data = run.body(number)
            if await once(data, timeout=ANSWER_S) == hashlib.sha256(data).digest():
                run.done(number, kind)
        talk = channel.stream_stream("/sync.Contacts/Talk")(timeout=60)
        for _ in range(count // 2):
            number = run.next()
            if number is None:
                break
            data = run.body(number)
            await talk.write(data)
            if await talk.read() == hashlib.sha256(data).digest():
                run.done(number, kind)
        await talk.done_writing()
        assert await talk.read() is grpc.aio.EOF


async def websockets(run: Traffic, count: int, kind: str) -> None:
    raw = await asyncio.to_thread(plain_tunnel, run, "ws.test", 443)
    raw.setblocking(False)
    async with websocket("wss://ws.test/soak", sock=raw, ssl=run.tls, server_hostname="ws.test", max_size=None) as chat:
        for _ in range(count):
            number = run.next()
            if number is None:
                return
            data = run.body(number)
            await chat.send(data)
            assert await chat.recv() == data
            run.done(number, kind)


async def mqtt(run: Traffic, count: int, kind: str) -> None:
    """Messages that are confirmed (QoS 1)."""
    client = Mqtt(lambda host, port: plain_tunnel(run, host, port))
    await asyncio.to_thread(client.connect, "mqtt.test", 1883)
    client.loop_start()
    try:
        for _ in range(count):
            number = run.next()
            if number is None:
                return
            message = client.publish("soak", run.body(number), qos=1)
            await asyncio.to_thread(message.wait_for_publish, ANSWER_S)
            if not message.is_published():
                raise ConnectionError("not confirmed")
            run.done(number, kind)
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


async def tcp(run: Traffic, count: int, kind: str) -> None:
    reader, writer = await tunnel(run, "raw.test", 9000)
    try:
        for _ in range(count):
            number = run.next()
            if number is None:
                return
            data = b"\x01" + run.body(number)
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
            run.done(number, kind)
    finally:
        writer.close()


class Datagrams(asyncio.DatagramProtocol):
    """Where answers come in."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, _: object) -> None:
        self.came.put_nowait(data)


async def udp(run: Traffic, count: int, kind: str) -> None:
    loop = asyncio.get_running_loop()
    place = ("127.0.0.1", run.ports[kind])
    transport, answers = await loop.create_datagram_endpoint(Datagrams, remote_addr=place)
    try:
        for _ in range(count):
            number = run.next()
            if number is None:
                return
            data = run.body(number, DATAGRAM)
            transport.sendto(data)
            assert await asyncio.wait_for(answers.came.get(), 2) == data
            run.done(number, kind)
    finally:
        transport.close()


async def look_up(run: Traffic, count: int, kind: str) -> None:
    """DNS: the name is what is sent."""
    for _ in range(count):
        number = run.next()
        if number is None:
            return
        query = dns.message.make_query(f"soak-{number}.exmail.test", "A")
        answer = await dns.asyncquery.udp(query, "127.0.0.1", timeout=2, port=run.ports[kind])
        assert answer.answer
        run.done(number, kind)


@dataclass(frozen=True)
class Kind:
    """One of the protocols."""

    client: Callable[[Traffic, int, str], Awaitable[None]]
    share: float
    """How many of the connections speak it."""
    mode: str | None = None
    """How the proxy is to listen for it, on a port of its own; None where the proxy's own does."""


KINDS = {
    "http": Kind(http1, 0.45),
    "https": Kind(http1, 0.13),
    "chunked": Kind(http1, 0.05),
    "h2": Kind(h2, 0.06),
    "h3": Kind(h3, 0.03, "reverse:http3://h3.test"),
    "grpc": Kind(calls, 0.05),
    "websocket": Kind(websockets, 0.07),
    "mqtt": Kind(mqtt, 0.04),
    "tcp": Kind(tcp, 0.05),
    "udp": Kind(udp, 0.03, "reverse:udp://datagrams.test:9001"),
    "dns": Kind(look_up, 0.04, "reverse:dns://names.test"),
}
BROKEN = (
    *(OSError, EOFError, AssertionError, TimeoutError, RuntimeError),
    *(httpx.HTTPError, WebSocketException, grpc.RpcError, dns.exception.DNSException),
)
"""What a client may say of a proxy that was killed. (RuntimeError: paho's, of a connection that is gone.)"""


async def worker(run: Traffic) -> None:
    """Open one connection after the other until all is sent."""
    shares = [kind.share for kind in KINDS.values()]
    while run.progress() < 1:
        kind = run.dice.choices(list(KINDS), shares)[0]
        try:
            await asyncio.wait_for(KINDS[kind].client(run, PER_CONNECTION, kind), 60)
        except BROKEN as error:
            run.broken[f"{kind}: {type(error).__name__}"] += 1
            await asyncio.sleep(0.1)
