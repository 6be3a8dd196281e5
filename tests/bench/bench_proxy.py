"""What capture costs: lean proxy with our addon against stock mitmdump with none, and memory under a huge upload.

    python -m tests.bench.bench_proxy [--requests 300] [--rounds 7] [--upload-mb 1024] [--dir /dev/shm]

Requests are POSTs of 1 kB and of 100 kB, each body different, on keep-alive connections; latency is that of one
connection that has the proxy to itself; the yardstick of the huge upload is mitmdump that streams it. Client and server
share one process, the proxy has another core; programs take turns, so that a busy machine hits all of them. CPU time a
request is the steadier figure of the two; it is that of the proxy and of its writer, which is also said by itself.
Ratios travel, absolute figures do not. Each body becomes a file, in memory where the machine has a folder for that:
where a disk has just had to forget many files (ext4, within five minutes, say of the benchmark before), one takes
0.2 ms to make instead of 0.01, and the verdict would be about that. `--dir /tmp` is with it.
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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from appwitness.proxy import Proxy
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk
from tests.lab.proxy import writers

HOST = "localhost"
MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""
CONNECTIONS = 8
SIZES = (1024, 102_400)
"""Of a body."""
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
    writer: int | None = None
    """The process that writes for it, whose CPU time counts too."""
    bodies: Path | None = None
    """Where it stores them."""
    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)
    writer_ms: dict[str, list[float]] = field(default_factory=dict)
    latency_ms: dict[str, list[float]] = field(default_factory=dict)

    def cpu_s(self) -> tuple[float, float]:
        """Seconds of CPU so far, of all of it and of its writer alone, once that has caught up."""
        end = time.monotonic() + 60
        while self.writer and writers.waiting(self.pid):
            assert time.monotonic() < end, "the writer does not catch up"
            time.sleep(0.001)
        writing = cpu_s(self.writer) if self.writer else 0.0
        return cpu_s(self.pid) + writing, writing


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
    # a session of its own, as ours has: the scheduler shares out the processor by sessions
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True)
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
            yield Program(name, proxy.port, proxy.pid, writers.pid_of(proxy), Path(recording) / "bodies")
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


async def post_many(count: int, size: int, program: Program, url_port: int, tls: ssl.SSLContext | None) -> list[float]:
    """Send `count` requests on one connection; how many seconds each took."""
    reader, writer = await connect(program, url_port, tls)
    target = "/x" if tls else f"http://{HOST}:{url_port}/x"
    head = post(target, url_port, size)
    took = []
    for _ in range(count):
        body = os.urandom(size)
        begun = time.perf_counter()
        writer.write(head + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in answer, answer
        await reader.readexactly(2)
        took.append(time.perf_counter() - begun)
    writer.close()
    return took


async def take_turn(
    kind: str, count: int, size: int, program: Program, url_port: int, tls: ssl.SSLContext | None
) -> None:
    await post_many(5, size, program, url_port, tls)
    (cpu, writing), begun = program.cpu_s(), time.perf_counter()
    await asyncio.gather(*(post_many(count, size, program, url_port, tls) for _ in range(CONNECTIONS)))
    done = count * CONNECTIONS
    program.rates.setdefault(kind, []).append(done / (time.perf_counter() - begun))
    cpu_after, writing_after = program.cpu_s()
    program.cpu_ms.setdefault(kind, []).append((cpu_after - cpu) * 1000 / done)
    program.writer_ms.setdefault(kind, []).append((writing_after - writing) * 1000 / done)
    alone = await post_many(count, size, program, url_port, tls)
    program.latency_ms.setdefault(kind, []).append(statistics.median(alone) * 1000)


async def upload(megabytes: int, program: Program, url_port: int) -> tuple[float, float, float, float]:
    """Megabytes a second, seconds of CPU, those of the writer, and by how many MB the program's peak memory grew."""
    reader, writer = await connect(program, url_port, None)
    size = megabytes << 20
    before, begun, (cpu, writing) = peak_mb(program.pid), time.perf_counter(), program.cpu_s()
    writer.write(post(f"http://{HOST}:{url_port}/x", url_port, size))
    for number in range(megabytes):
        writer.write(number.to_bytes(4, "big") * (1 << 18))
        await writer.drain()
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    seconds = time.perf_counter() - begun
    writer.close()
    cpu_after, writing_after = program.cpu_s()
    # Taken back, so that the next one is written into memory that the machine has used before: in a virtual machine,
    # memory that it has never used yet costs its host several times as much as all of the rest.
    for body in program.bodies.iterdir() if program.bodies else ():
        body.unlink()
    return megabytes / seconds, cpu_after - cpu, writing_after - writing, peak_mb(program.pid) - before


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def run(options: argparse.Namespace, room: Path) -> list[Given]:
    """The figures of all programs, which take turns."""
    authority = trustme.CA()
    upstream_ca = room / "upstream.pem"
    authority.cert_pem.write_to_path(upstream_ca)
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(server_tls)
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(Server, "127.0.0.1", 0)
    secure = await loop.create_server(Server, "127.0.0.1", 0, ssl=server_tls)
    http, https = plain.sockets[0].getsockname()[1], secure.sockets[0].getsockname()[1]
    with ExitStack() as up:
        programs = [
            up.enter_context(lean("lean + addon", room, upstream_ca)),
            up.enter_context(stock("mitmdump", room, upstream_ca)),
        ]
        client_tls = ssl.create_default_context(cafile=room / "ca" / "mitmproxy-ca-cert.pem")
        for _ in range(options.rounds):
            for size in SIZES:
                count = options.requests if size < 10_000 else max(20, options.requests // 5)
                for program in programs:
                    await take_turn(f"HTTP {size >> 10} kB", count, size, program, http, None)
                    await take_turn(f"HTTPS {size >> 10} kB", count, size, program, https, client_tls)
        talk(f"POST, keep-alive, {CONNECTIONS} connections (median of {options.rounds})")
        given: list[Given] = []
        for size in SIZES:
            for kind in (f"HTTP {size >> 10} kB", f"HTTPS {size >> 10} kB"):
                given += compare(kind, *programs)
        if options.upload_mb:
            streaming = up.enter_context(
                stock("mitmdump, streaming", room, upstream_ca, "-q", "--set", "stream_large_bodies=1m")
            )
            ours, theirs = [], []
            for _ in range(options.rounds):
                ours.append(await upload(options.upload_mb, programs[0], http))
                theirs.append(await upload(options.upload_mb, streaming, http))
            speed, cpu, writing, _ = (statistics.median(figures) for figures in zip(*ours, strict=True))
            grown, through = sum(one[3] for one in ours), statistics.median(one[1] for one in theirs)
            talk(
                f"Uploads of {options.upload_mb} MB: {speed:.0f} MB/s; CPU {cpu:.2f} s ({writing:.2f} of it the "
                f"writer's), {through:.2f} s of mitmdump that streams them"
            )
            given += [
                Figure("huge upload, peak memory", grown),
                Figure("huge upload, CPU", cpu / through),
            ]
    return given


def compare(kind: str, ours: Program, *others: Program) -> Iterator[Given]:
    """Tell what each program took; the ratios, each the median of those of a round."""
    for program in (ours, *others):
        rate, cpu, latency = (statistics.median(of[kind]) for of in (program.rates, program.cpu_ms, program.latency_ms))
        of_it = f", {statistics.median(program.writer_ms[kind]):.3f} of it the writer's" if program.writer else ""
        talk(f"  {kind:12} {program.name:12} {rate:6.0f} requests/s  {cpu:.3f} ms CPU{of_it}  p50 {latency:.2f} ms")
    for other in others:
        rate, latency = (
            statistics.median(mine / its for mine, its in zip(*of_kind, strict=True))
            for of_kind in ((ours.rates[kind], other.rates[kind]), (ours.latency_ms[kind], other.latency_ms[kind]))
        )
        yield Figure(f"{kind} beside {other.name}, requests/s", rate)
        yield Figure(f"{kind} beside {other.name}, latency", latency)


def measure(arguments: Sequence[str] = ()) -> Iterator[Given]:
    """What capture costs; the arguments are those of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=300, help="of 1 kB, a connection and measurement")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--upload-mb", type=int, default=1024)
    parser.add_argument("--dir", default=MEMORY if MEMORY.is_dir() else None, help="where the recording is written")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.dir) as room:
        yield from asyncio.run(run(options, Path(room)))


if __name__ == "__main__":
    sys.exit(alone("proxy", measure(sys.argv[1:])))
