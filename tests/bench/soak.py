"""A long run with everything killed at random: what the clients saw answered is in the recording, or a gap says so.

    python -m tests.bench soak [--requests 200000] [--kills 100] [--minutes 600] [--dir /tmp] [--seed 1]

Clients send HTTP and HTTPS (keep-alive, short, long and chunked), HTTP/2, WebSocket and raw TCP, each request with a
number of its own, while the proxy, the recorder (who stamps) or the correlator is killed (kill -9) and started again.
Then each number that was answered is looked up in the recording, the recording is verified, and no body may be without
a line that names it. Ends with 1 when anything is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import signal
import socket
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from websockets.asyncio.client import connect as websocket
from websockets.exceptions import WebSocketException

from monitor.events import AppIdentity, DeviceIdentity, Gap, Run, Upload
from monitor.observe.proxy import Proxy
from monitor.recording import Recording, verify
from tests.lab import upstream as servers

NUMBER = re.compile(rb"soak-(\d+)\.")
SIZES = (0, 20, 300, 1000, 1000, 4000, 20_000, 100_000)
MIX = {"http": 0.62, "https": 0.15, "chunked": 0.05, "h2": 0.06, "websocket": 0.07, "tcp": 0.05}
WORKERS = 12
CONTEXT = multiprocessing.get_context("spawn")


@dataclass
class Traffic:
    """What the clients know."""

    proxy: Proxy
    tls: ssl.SSLContext
    dice: random.Random
    total: int
    seconds: float
    begun: float = field(default_factory=time.monotonic)
    sent: int = 0
    answered: set[int] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def progress(self) -> float:
        """How far it is, of 1: by requests or, where there is a limit, by time."""
        return max(self.sent / self.total, (time.monotonic() - self.begun) / self.seconds)

    def next(self) -> int | None:
        if self.progress() >= 1:
            return None
        self.sent += 1
        return self.sent

    def done(self, number: int, kind: str) -> None:
        self.answered.add(number)
        self.kinds[kind] += 1


def body(run: Traffic, number: int) -> bytes:
    return f"soak-{number}. +8613800138000 ".encode() + run.dice.randbytes(run.dice.choice(SIZES))


async def tunnel(run: Traffic, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", run.proxy.port, limit=1 << 22)
    writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def plain_tunnel(run: Traffic, host: str) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", run.proxy.port), timeout=20)
    raw.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    assert b" 200 " in raw.recv(4096)
    raw.setblocking(False)
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
            data = body(run, number)
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
            answer = await client.post(f"https://h2.test/soak-{number}.", content=body(run, number))
            if answer.status_code == 202:
                run.done(number, kind)

    async with httpx.AsyncClient(http2=True, proxy=f"http://127.0.0.1:{run.proxy.port}", verify=run.tls) as client:
        for _ in range(count // 10):
            await asyncio.gather(*(one(client) for _ in range(10)))


async def talk(run: Traffic, count: int, kind: str) -> None:
    raw = await asyncio.to_thread(plain_tunnel, run, "ws.test")
    async with websocket("wss://ws.test/soak", sock=raw, ssl=run.tls, server_hostname="ws.test", max_size=None) as chat:
        for _ in range(count):
            number = run.next()
            if number is None:
                return
            data = body(run, number)
            await chat.send(data)
            assert await chat.recv() == data
            run.done(number, kind)


async def tcp(run: Traffic, count: int, kind: str) -> None:
    reader, writer = await tunnel(run, "raw.test", 9000)
    try:
        for _ in range(count):
            number = run.next()
            if number is None:
                return
            data = b"\x01" + body(run, number)
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
            run.done(number, kind)
    finally:
        writer.close()


CLIENTS: dict[str, Callable[[Traffic, int, str], Awaitable[None]]] = {
    "http": http1,
    "https": http1,
    "chunked": http1,
    "h2": h2,
    "websocket": talk,
    "tcp": tcp,
}
PER_CONNECTION = 60


async def worker(run: Traffic) -> None:
    while run.progress() < 1:
        kind = run.dice.choices(list(MIX), list(MIX.values()))[0]
        try:
            await asyncio.wait_for(CLIENTS[kind](run, PER_CONNECTION, kind), 60)
        except (OSError, EOFError, AssertionError, TimeoutError, httpx.HTTPError, WebSocketException) as error:
            run.broken[f"{kind}: {type(error).__name__}"] += 1
            await asyncio.sleep(0.1)


def record(path: Path) -> None:
    """The recorder: stamps until it is killed or told to end."""
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    with Recording.open(path).sealing(every_s=1):
        while not ended:
            time.sleep(0.1)


def follow(path: Path, db: Path) -> None:
    """The correlator: follows the recording until it is killed or told to end."""
    from monitor.correlate import follow as correlate
    from monitor.correlate import knowledge
    from monitor.store import Store

    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    correlate(Recording.open(path), Store(db), knowledge(), lambda: bool(ended))


class Helpers:
    """The processes beside the proxy."""

    def __init__(self, path: Path, with_correlator: bool) -> None:
        self.tasks = {"recorder": (record, (path,))}
        if with_correlator:
            self.tasks["correlator"] = (follow, (path, path.with_suffix(".sqlite")))  # type: ignore[assignment]
        self.running = {name: self._start(name) for name in self.tasks}

    def _start(self, name: str) -> multiprocessing.process.BaseProcess:
        target, arguments = self.tasks[name]
        process = CONTEXT.Process(target=target, args=arguments, daemon=True)
        process.start()
        return process

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].join()
        self.running[name] = self._start(name)

    def stop(self, seconds: float) -> None:
        for name in ("correlator", "recorder"):
            if name in self.running:
                self.running[name].terminate()
                self.running[name].join(seconds)
                self.running[name].kill()


async def killing(run: Traffic, helpers: Helpers, kills: int) -> Counter[str]:
    """Kill one of them at each of so many random moments."""
    killed: Counter[str] = Counter()
    moments = sorted(run.dice.uniform(0.02, 0.98) for _ in range(kills))
    names = ["proxy", "proxy", *helpers.running]
    for moment in moments:
        while run.progress() < moment:
            await asyncio.sleep(0.01)
        name = run.dice.choice(names)
        killed[name] += 1
        if name == "proxy":
            assert run.proxy.pid
            os.kill(run.proxy.pid, signal.SIGKILL)
            await asyncio.to_thread(run.proxy.restart)
        else:
            await asyncio.to_thread(helpers.kill, name)
    return killed


def soak(
    room: Path, requests: int, kills: int, seed: int, *, minutes: float = 600, with_correlator: bool = True
) -> list[str]:
    """Run it in a new folder; what was not as it must be, each in a sentence."""
    path = room / "recording"
    begun = time.monotonic()
    recording = Recording.create(
        path,
        Run(
            id="soak",
            app=AppIdentity(package="com.example.soak"),
            device=DeviceIdentity(serial="lab", kind="lab"),
            started=datetime.now(UTC),
        ),
    )
    with servers.running(room) as upstream:
        proxy = Proxy(path, confdir=room / "ca", hosts=upstream.hosts, upstream_ca=upstream.ca)
        proxy.start()
        helpers = Helpers(path, with_correlator)
        run = Traffic(
            proxy, ssl.create_default_context(cafile=proxy.ca_pem), random.Random(seed), requests, minutes * 60
        )

        async def all_of_it() -> Counter[str]:
            killer = asyncio.create_task(killing(run, helpers, kills))
            await asyncio.gather(*(worker(run) for _ in range(WORKERS)))
            return await killer

        try:
            killed = asyncio.run(all_of_it())
            took = time.monotonic() - begun
        finally:
            proxy.stop()
            helpers.stop(60)
    recording.update_run(ended=datetime.now(UTC))
    recording.stamp(final=True)
    print(f"{run.sent} requests sent, {len(run.answered)} answered: {dict(run.kinds)}")
    print(f"{run.broken.total()} connections broke: {dict(run.broken.most_common(12))}")
    print(f"killed: {dict(killed)}; {took:.0f} s, {run.sent / took:.0f} requests/s")
    return check(recording, run)


def check(recording: Recording, run: Traffic) -> list[str]:
    """What is missing or wrong in the recording."""
    found: Counter[int] = Counter()
    wrong = []
    named = set()
    for upload in recording.events(Upload):
        text = (upload.url or "").encode()
        if upload.body:
            named.add(upload.body)
            with recording.body_path(upload.body).open("rb") as file:
                begin = file.read(64)
            if not NUMBER.search(text):
                text = begin
        number = NUMBER.search(text)
        if number:
            found[int(number[1])] += 1
    gaps = list(recording.events(Gap))
    named |= {str((gap.model_extra or {}).get("body")) for gap in gaps}
    missing = sorted(run.answered - found.keys())
    if missing:
        wrong.append(f"{len(missing)} answered requests are not in the recording: {missing[:5]} ...")
    twice = [number for number, count in found.items() if count > 1]
    if twice:
        wrong.append(f"{len(twice)} requests are in the recording more than once: {twice[:5]} ...")
    here = {entry.name for entry in os.scandir(recording.path / "bodies")}
    if here - named:
        wrong.append(f"{len(here - named)} bodies are named by no line: {sorted(here - named)[:2]} ...")
    checked = verify(recording.path)
    if not checked.ok:
        wrong.append(f"verify: {checked.problems[:3]}")
    torn = sum(read.event is None for kind in ("upload", "gap") for read in recording.read(kind))
    reasons = Counter(gap.why for gap in gaps)
    print(f"{sum(found.values())} uploads found, {len(named)} bodies, {torn} torn lines")
    print(f"gaps: {json.dumps(reasons)}")
    print(f"verify: {'ok' if checked.ok else 'NOT ok'}, {checked.stamps} stamps, remarks: {len(checked.remarks)}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--minutes", type=float, default=600, help="stop sending after so long")
    parser.add_argument("--dir", default=tempfile.gettempdir())
    parser.add_argument("--no-correlator", action="store_true", help="only the proxy and the recorder")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(dir=options.dir) as room:
        wrong = soak(
            Path(room),
            options.requests,
            options.kills,
            options.seed,
            minutes=options.minutes,
            with_correlator=not options.no_correlator,
        )
    for what in wrong:
        print(f"WRONG: {what}")
    print("every answered request is recorded" if not wrong else "FAILED")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
