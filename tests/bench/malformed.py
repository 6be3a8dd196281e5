"""Broken input: requests, frames, messages, datagrams and TLS hellos that are not what they should be, to the proxy.

    python -m tests.bench.malformed [--count 10000] [--seed 1]

Each case is a valid conversation with some of its bytes changed, cut, doubled or moved, on a connection of its own.
In between, a valid request must be answered. In the end the proxy must run, have logged no error of ours, and every
line that it wrote must parse.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import dns.message
import h2.config
import h2.connection
import httpx
from aioquic.asyncio.client import connect
from aioquic.quic.connection import QuicConnection
from pylsqpack import Encoder

from appwitness import proxy as seen
from appwitness.events import Gap, Upload, parse
from appwitness.proxy import Proxy, capture_py
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk
from tests.bench.soak import Mixed
from tests.bench.soak_clients import Datagrams
from tests.lab import upstream as servers
from tests.lab.proxy.clients import Http3, free_ports, http3

AT_ONCE = 16
ANSWER_S = 0.15
"""How long to wait for what the proxy says to a broken input."""


def http1() -> bytes:
    return (
        b"POST http://plain.test/broken?a=b HTTP/1.1\r\nHost: plain.test\r\nContent-Type: application/json\r\n"
        b'X-Name: value\r\nContent-Length: 24\r\n\r\n{"tel":"+8613800138000"}'
        b"GET http://plain.test/next HTTP/1.1\r\nHost: plain.test\r\n\r\n"
    )


def chunked() -> bytes:
    return (
        b"POST http://plain.test/broken HTTP/1.1\r\nHost: plain.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"e\r\n+8613800138000\r\n5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"
    )


def http2() -> bytes:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    connection.initiate_connection()
    head = [(":method", "POST"), (":scheme", "http"), (":authority", "plain.test"), (":path", "/broken")]
    for stream, kind in ((1, "application/json"), (3, "application/grpc")):
        connection.send_headers(stream, [*head, ("content-type", kind)])
        connection.send_data(stream, b"\0\0\0\0\x0e+8613800138000", end_stream=True)
    connection.ping(b"12345678")
    return connection.data_to_send()


def hello() -> bytes:
    """The first flight of a TLS client."""
    out = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="secure.test")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


def frames() -> bytes:
    """What a WebSocket client sends: the handshake, then a message in two pieces, a ping, a close."""
    return (
        b"GET /broken HTTP/1.1\r\nHost: ws.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        b"\x01\x87\0\0\0\0+861380\x80\x87\0\0\0\x000138000\x89\x81\0\0\0\0p\xc2\x85\0\0\0\0\x01\x02\x03\x04\x05"
        b"\x88\x82\0\0\0\0\x03\xe8"
    )


def mqtt() -> bytes:
    return b"\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07phone-1" + b"\x32\x15\x00\x05topic\x00\x01+8613800138000" * 3


def mail() -> bytes:
    """A client that changes to TLS in the middle."""
    return b"EHLO phone\r\nMAIL FROM:<+8613800138000@x>\r\nSTARTTLS\r\n" + hello()


def quic() -> bytes:
    """The first packet of a QUIC client."""
    client = QuicConnection(configuration=http3())
    client.connect(("127.0.0.1", 1), now=0.0)
    return client.datagrams_to_send(now=0.0)[0][0]


def query() -> bytes:
    return dns.message.make_query("13800138000.exmail.test", "A").to_wire()


def http3_frames() -> bytes:
    """What a client sends on the stream of a request."""
    _, block = Encoder().encode(
        0, [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"h3.test"), (b":path", b"/broken")]
    )
    return bytes([1, len(block)]) + block + b"\x00\x0e+8613800138000" + b"\x21\x01x"


def xmpp() -> bytes:
    return b"<?xml version='1.0'?><stream:stream to='x'><message><body a=\"b\">+8613800138000</body></message><p/>"


DATAGRAMS = {"QUIC hello": (quic, "reverse:http3://h3.test"), "DNS": (query, "reverse:dns://names.test")}
"""What -> a valid one, and how the proxy listens for it."""
IN_QUIC = "HTTP/3"
KINDS: dict[str, tuple[Callable[[], bytes], str | None, bool]] = {
    # what -> a valid one, where CONNECT goes first, whether it goes inside TLS
    "HTTP/1": (http1, None, False),
    "chunked": (chunked, None, False),
    "HTTP/1 in TLS": (http1, "secure.test:443", True),
    "HTTP/2": (http2, "plain.test:80", False),
    "HTTP/2 in TLS": (http2, "h2.test:443", True),
    "TLS hello": (hello, "secure.test:443", False),
    "WebSocket": (frames, "ws.test:443", True),
    "MQTT": (mqtt, "mqtt.test:1883", False),
    "XMPP": (xmpp, "xmpp.test:5222", False),
    "STARTTLS": (mail, "mail.test:587", False),
    "CONNECT": (lambda: b"CONNECT secure.test:443 HTTP/1.1\r\nHost: secure.test:443\r\n\r\n", None, False),
}
ODD = (b"\0", b"\xff" * 8, b"\r\n", b"\r\n\r\n", b"%s%n", b"99999999999999999999", b"-1", b"\xed\xa0\x80", b" " * 5000)


def broken(valid: bytes, dice: random.Random) -> bytes:
    """The bytes with one to four things done to them."""
    data = bytearray(valid)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(7):
            case 0 if at < len(data):
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                del data[at : at + dice.randint(1, 20)]
            case 2:
                data[at:at] = dice.choice(ODD)
            case 3:
                data[at:at] = data[at : at + dice.randint(1, 100)]
            case 4:
                del data[at:]
            case 5:
                data[at : at + 4] = dice.randbytes(4)
            case _:
                data[at:at] = dice.randbytes(dice.randint(1, 2000))
    return bytes(data)


async def send(proxy: Proxy, tls: ssl.SSLContext, kind: str, data: bytes) -> None:
    _, target, inside = KINDS[kind]
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        if target:
            writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        if inside:
            await asyncio.wait_for(writer.start_tls(tls, server_hostname=target and target.partition(":")[0]), 30)
        writer.write(data)
        await writer.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(100_000), ANSWER_S)
    finally:
        writer.close()


async def send_datagram(port: int, data: bytes) -> None:
    loop = asyncio.get_running_loop()
    place = ("127.0.0.1", port)
    transport, answers = await loop.create_datagram_endpoint(Datagrams, remote_addr=place)
    try:
        transport.sendto(data)
        with suppress(TimeoutError):
            await asyncio.wait_for(answers.came.get(), ANSWER_S)
    finally:
        transport.close()


async def send_in_quic(proxy: Proxy, port: int, data: bytes) -> None:
    trusting = http3()
    trusting.load_verify_locations(str(proxy.ca_pem))
    async with connect("127.0.0.1", port, configuration=trusting, create_protocol=Http3) as client:
        client._quic.send_stream_data(client._quic.get_next_available_stream_id(), data, True)
        client.transmit()
        await asyncio.sleep(ANSWER_S)


def client_tls(proxy: Proxy, kind: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=proxy.ca_pem)
    if kind == "HTTP/2 in TLS":
        context.set_alpn_protocols(["h2"])
    return context


async def run(proxy: Proxy, ports: dict[str, int], count: int, dice: random.Random) -> tuple[Counter[str], int]:
    """Send so many broken inputs; how many of each kind, and how many valid requests in between were answered."""
    sent: Counter[str] = Counter()
    tls = {kind: client_tls(proxy, kind) for kind in KINDS}
    valid = {kind: make() for kind, (make, _, _) in KINDS.items()}
    valid |= {kind: make() for kind, (make, _) in DATAGRAMS.items()} | {IN_QUIC: http3_frames()}
    left = iter(range(count))
    healthy = 0

    async def worker() -> None:
        for _ in left:
            kind = dice.choice(list(valid))
            data = broken(valid[kind], dice)
            with suppress(OSError, EOFError, ssl.SSLError):
                if kind == IN_QUIC:
                    await send_in_quic(proxy, ports["QUIC hello"], data)
                elif kind in ports:
                    await send_datagram(ports[kind], data)
                else:
                    await send(proxy, tls[kind], kind, data)
            sent[kind] += 1

    async def health() -> None:
        nonlocal healthy
        while True:
            async with httpx.AsyncClient(
                proxy=f"http://127.0.0.1:{proxy.port}", verify=tls["TLS hello"], timeout=60
            ) as client:
                answer = await client.post(f"https://secure.test/healthy/{healthy}.", content=b"+8613800138000")
                assert answer.status_code == 201
            healthy += 1
            await asyncio.sleep(1)

    checking = asyncio.create_task(health())
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    if checking.done():
        checking.result()
    checking.cancel()
    with suppress(asyncio.CancelledError):
        await checking
    return sent, healthy


class Outcome(NamedTuple):
    """What the proxy came to."""

    ended: str | None
    """What it said when it ended; None: it lives."""
    ours: list[str]
    """Where errors of ours happened."""
    healthy: int
    """Valid requests that were answered in between."""
    recorded: int
    """Those that are in the recording."""
    not_told: list[str]
    """Gaps that must be told of and are not."""

    def wrong(self) -> list[str]:
        """What was not as it must be, each in a sentence."""
        told = [] if self.ended is None else [f"the proxy ended: {self.ended}"]
        if self.ours:
            told.append(f"errors of ours: {self.ours}")
        if not self.healthy or self.recorded < self.healthy:
            told.append(f"{self.healthy} valid requests were answered in between, {self.recorded} are recorded")
        return told + [f"no gap says {why}" for why in self.not_told]


def attack(room: Path, count: int, seed: int) -> Outcome:
    """Run it."""
    path = room / "recording"
    path.mkdir()
    seen.WORDS = 1_000_000
    for name in ("websockets", "asyncio"):  # what the servers say of it
        logging.getLogger(name).setLevel(logging.CRITICAL)
    begun = time.monotonic()
    with servers.running(room) as upstream:
        ports = dict(zip(DATAGRAMS, free_ports(len(DATAGRAMS)), strict=True))
        modes = [f"{mode}@{ports[kind]}" for kind, (_, mode) in DATAGRAMS.items()]
        proxy = Mixed(modes, path, confdir=room / "ca", hosts=upstream.hosts, upstream_ca=upstream.ca)
        with proxy:
            sent, healthy = asyncio.run(run(proxy, ports, count, random.Random(seed)))
            alive, words = proxy.alive(), proxy.words()
    talk(f"{sent.total()} broken inputs in {time.monotonic() - begun:.0f} s: {dict(sent)}")
    ours = [place for place in innermost(words) if f"{capture_py().parent}/" in place]
    lines = {name: (path / name).read_bytes().splitlines() for name in ("uploads.jsonl", "gaps.jsonl")}
    events = [parse(line) for part in lines.values() for line in part]  # raises for a line that is none
    uploads = [event for event in events if isinstance(event, Upload)]
    gaps = [event for event in events if isinstance(event, Gap)]
    recorded = sum("/healthy/" in (upload.url or "") for upload in uploads)
    talk(f"{healthy} valid requests in between, all answered; {len(uploads)} uploads")
    talk(f"gaps: {dict(Counter(gap.why for gap in gaps))}")
    if words:
        last = Counter(line for line in words.splitlines() if line and not line.startswith((" ", "Traceback")))
        talk(f"errors of mitmproxy's own: {dict(last.most_common(8))}")
    told = {gap.why for gap in gaps}
    not_told = [why for why in ("protocol_unsupported", "body_truncated") if why not in told]
    return Outcome(None if alive else words, ours, healthy, recorded, not_told)


def innermost(words: str) -> list[str]:
    """Where each error that was logged happened."""
    places, last = [], ""
    for line in words.splitlines():
        if line.startswith("  File "):
            last = line
        elif last and not line.startswith(" "):
            places.append(last)
            last = ""
    return places


def measure(arguments: Sequence[str] = ()) -> Iterator[Given]:
    """Run it, and count what is wrong; the arguments are those of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(arguments)
    talk(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as room:
        outcome = attack(Path(room), options.count, options.seed)
    for what in outcome.wrong():
        talk(f"WRONG: {what}")
    yield Figure("ends of the proxy", int(outcome.ended is not None))
    yield Figure("errors of ours", len(outcome.ours))
    yield Figure("valid requests answered in between", outcome.healthy)
    yield Figure("valid requests not recorded", max(0, outcome.healthy - outcome.recorded))
    yield Figure("gaps not told of", len(outcome.not_told))


if __name__ == "__main__":
    sys.exit(alone("malformed", measure(sys.argv[1:])))
