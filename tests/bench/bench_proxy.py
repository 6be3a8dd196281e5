"""What capture costs: lean proxy with our addon against stock mitmdump with none, and memory under a huge upload.

    python -m tests.bench.bench_proxy [--seconds 1.5] [--rounds 3] [--upload-mb 1024] [--dir /tmp]

Requests are POSTs of 1 kB, each body different, on keep-alive connections. Client and server share one process, the
proxy has another core; programs take turns, so that a busy machine hits all of them. CPU time a request is the steadier
figure of the two. Ratios travel, absolute figures do not. Each body becomes a file: where the disk has just had to
forget many files (ext4, within five minutes, say of the run before), making one takes 0.2 ms instead of 0.01, and it
shows; `--dir /dev/shm` is without that.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from monitor.observe.proxy import Proxy

HOST = "localhost"
CONNECTIONS = 8
BODY_BYTES = 1024
GOAL = 1.25
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server(asyncio.Protocol):
    """Answers each request once its body is complete."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.head = b""
        self.missing = 0

    def data_received(self, data: bytes) -> None:
        while data:
            if not self.missing:
                self.head += data
                end = self.head.find(b"\r\n\r\n")
                if end < 0:
                    return
                head, data = self.head[:end].lower(), self.head[end + 4 :]
                self.head = b""
                self.missing = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            taken = min(self.missing, len(data))
            self.missing -= taken
            data = data[taken:]
            if not self.missing:
                self.transport.write(ANSWER)  # type: ignore[attr-defined]


@dataclass
class Program:
    """One proxy under test."""

    name: str
    port: int
    pid: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)


@contextmanager
def stock(name: str, room: Path, upstream_ca: Path, *flags: str) -> Iterator[Program]:
    """mitmdump as it comes, without any addon."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(Path(sys.executable).parent / "mitmdump"),
        *flags,
        *("--listen-host", "127.0.0.1", "--listen-port", str(port)),
        *("--set", f"confdir={room / 'ca'}", "--set", f"ssl_verify_upstream_trusted_ca={upstream_ca}"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            sys.exit(f"{name} did not listen")
        yield Program(name, port, process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def lean(name: str, room: Path, upstream_ca: Path) -> Iterator[Program]:
    """Our program, recording."""
    with tempfile.TemporaryDirectory(dir=room) as recording:
        with Proxy(Path(recording), confdir=room / "ca", upstream_ca=upstream_ca) as proxy:
            assert proxy.pid
            yield Program(name, proxy.port, proxy.pid)
        assert (Path(recording) / "uploads.jsonl").stat().st_size, "nothing was recorded"


async def connect(
    program: Program, url_port: int, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
    if tls:
        writer.write(f"CONNECT {HOST}:{url_port} HTTP/1.1\r\nHost: {HOST}:{url_port}\r\n\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in answer, answer
        await writer.start_tls(tls, server_hostname=HOST)
    return reader, writer


def post(target: str, url_port: int, size: int) -> bytes:
    """The head of a request."""
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {HOST}:{url_port}",
        "Content-Type: application/json",
        "User-Agent: bench",
        f"Content-Length: {size}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def post_for(seconds: float, program: Program, url_port: int, tls: ssl.SSLContext | None) -> int:
    """Requests answered on one connection."""
    reader, writer = await connect(program, url_port, tls)
    target = "/x" if tls else f"http://{HOST}:{url_port}/x"
    head = post(target, url_port, BODY_BYTES)
    end = time.perf_counter() + seconds
    answered = 0
    while time.perf_counter() < end:
        writer.write(head + os.urandom(BODY_BYTES))
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in answer, answer
        await reader.readexactly(2)
        answered += 1
    writer.close()
    return answered


async def measure(kind: str, seconds: float, program: Program, url_port: int, tls: ssl.SSLContext | None) -> None:
    await post_for(0.2, program, url_port, tls)
    cpu, begun = cpu_s(program.pid), time.perf_counter()
    done = sum(await asyncio.gather(*(post_for(seconds, program, url_port, tls) for _ in range(CONNECTIONS))))
    program.rates.setdefault(kind, []).append(done / (time.perf_counter() - begun))
    program.cpu_ms.setdefault(kind, []).append((cpu_s(program.pid) - cpu) * 1000 / done)


async def upload(megabytes: int, program: Program, url_port: int) -> tuple[float, float]:
    """Megabytes a second, and by how many MB the program's peak memory grew."""
    reader, writer = await connect(program, url_port, None)
    size = megabytes << 20
    before, begun = peak_mb(program.pid), time.perf_counter()
    writer.write(post(f"http://{HOST}:{url_port}/x", url_port, size))
    for number in range(megabytes):
        writer.write(number.to_bytes(4, "big") * (1 << 18))
        await writer.drain()
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    seconds = time.perf_counter() - begun
    writer.close()
    return megabytes / seconds, peak_mb(program.pid) - before


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def run(options: argparse.Namespace, room: Path) -> None:
    authority = trustme.CA()
    upstream_ca = room / "upstream.pem"
    authority.cert_pem.write_to_path(upstream_ca)
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(server_tls)
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(Server, "127.0.0.1", 0)
    secure = await loop.create_server(Server, "127.0.0.1", 0, ssl=server_tls)
    with ExitStack() as up:
        programs = [
            up.enter_context(lean("lean + addon", room, upstream_ca)),
            up.enter_context(stock("mitmdump", room, upstream_ca)),
            up.enter_context(stock("mitmdump -q", room, upstream_ca, "-q")),
        ]
        client_tls = ssl.create_default_context(cafile=room / "ca" / "mitmproxy-ca-cert.pem")
        for _ in range(options.rounds):
            for program in programs:
                await measure("HTTP", options.seconds, program, plain.sockets[0].getsockname()[1], None)
                await measure("HTTPS", options.seconds, program, secure.sockets[0].getsockname()[1], client_tls)
        print(f"1 kB POST, keep-alive, {CONNECTIONS} connections (median of {options.rounds})")
        ours, *others = programs
        for kind in ("HTTP", "HTTPS"):
            for program in programs:
                rate, cpu = statistics.median(program.rates[kind]), statistics.median(program.cpu_ms[kind])
                print(f"  {kind:5} {program.name:13} {rate:7.0f} requests/s  {cpu:.3f} ms CPU a request")
            for other in others:
                rate = statistics.median(ours.rates[kind]) / statistics.median(other.rates[kind])
                cpu = statistics.median(other.cpu_ms[kind]) / statistics.median(ours.cpu_ms[kind])
                note = (
                    ""
                    if other.name != "mitmdump"
                    else f"  (goal {GOAL}: {'met' if min(rate, cpu) >= GOAL else 'NOT met'})"
                )
                print(
                    f"  {kind:5} lean + addon against {other.name}: {rate:.2f} x requests/s, {cpu:.2f} x by CPU{note}"
                )
        if options.upload_mb:
            speed, grown = await upload(options.upload_mb, ours, plain.sockets[0].getsockname()[1])
            print(f"One upload of {options.upload_mb} MB: {speed:.0f} MB/s, peak memory of the proxy + {grown:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--upload-mb", type=int, default=1024)
    parser.add_argument("--dir", default=tempfile.gettempdir(), help="where the recording is written")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as room:
        asyncio.run(run(options, Path(room)))


if __name__ == "__main__":
    main()
