"""Packet captures: what each protocol's reader makes of bytes, and a real capture of real clients."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import pytest
from click.testing import CliRunner
from pylsqpack import Encoder

from appwitness.cli.verbs import main
from appwitness.events import Gap, Upload
from appwitness.exchange import Origin, guess, imported
from appwitness.exchange.pcap import capture_parts, captured_http1, captured_http2, captured_http3, tshark
from appwitness.recording import Recording
from appwitness.support.errors import UserError

GET = b"GET /a?b=c HTTP/1.1\r\nHost: x.test\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: x.test\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (GET + POST + CHUNKED + GET, [(b"", True), (b"hello", True), (b"hello world", True), (b"", True)]),
        (POST[:-2], [(b"hel", False)]),
        (CHUNKED[:-20], [(b"hello", False)]),
        (GET[:-4], [(b"", False)]),
        (GET + b"\x16\x03\x01", [(b"", True)]),
        (b"\x00\x01", []),
    ],
)
def test_http1_requests(data: bytes, expected: list[tuple[bytes, bool]]) -> None:
    assert [(message.body, message.whole) for message in captured_http1.requests(data)] == expected


def test_http1_responses() -> None:
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
        b"HTTP/1.0 404 Not Found\r\n\r\nuntil the end"
    )
    methods = [b"POST", b"HEAD", b"DELETE", b"GET"]
    assert list(captured_http1.responses(data, methods)) == [201, 200, 204, 404]


def masked(first: int, payload: bytes) -> bytes:
    mask = b"\x11\x22\x33\x44"
    size = len(payload)
    head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0xFE]) + size.to_bytes(2, "big")
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def test_websocket_messages() -> None:
    deflate = zlib.compressobj(wbits=-15)
    packed = [(deflate.compress(b"squeezed" * 40) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4] for _ in range(2)]
    data = b"head" + b"".join(
        (
            masked(0x81, b"whole"),
            masked(0x01, b"in "),
            masked(0x89, b"ping"),
            masked(0x80, b"pieces"),
            masked(0x82, b"x" * 300),
            masked(0xC2, packed[0]),
            masked(0xC2, packed[1]),
            masked(0x81, b"broken off")[:-4],
        )
    )
    found = [(message.body, message.whole) for message in captured_http1.websocket(data, 4, deflated=True)]
    long = b"squeezed" * 40
    assert [body for body, _ in found[:-1]] == [b"whole", b"in pieces", b"x" * 300, long, long]
    assert found[-1] == (b"broken", False)


def test_http2_requests_and_statuses() -> None:
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    client.initiate_connection()
    server.initiate_connection()
    head = [(":method", "POST"), (":scheme", "https"), (":authority", "x.test"), (":path", "/" + "p" * 20_000)]
    for stream in (1, 3, 5):
        client.send_headers(stream, [*head, ("x-number", str(stream))])
        client.send_data(stream, b"body %d" % stream, end_stream=stream != 5, pad_length=stream)
    sent = client.data_to_send()
    server.receive_data(sent)
    server.send_headers(3, [(":status", "103")])
    server.send_headers(3, [(":status", "201")])
    server.send_headers(1, [(":status", "404")], end_stream=True)
    requests = captured_http2.requests(sent)
    assert {stream: (bytes(one.body), one.whole) for stream, one in requests.items()} == {
        1: (b"body 1", True),
        3: (b"body 3", True),
        5: (b"body 5", False),
    }
    assert requests[3].pseudo(":path") == "/" + "p" * 20_000, "in several frames"
    assert captured_http2.statuses(server.data_to_send()) == {3: 201, 1: 404}


def test_a_stream_of_quic_is_put_together_up_to_its_first_hole() -> None:
    pieces = [(3.0, 4, b"efgh", False), (1.0, 0, b"abcd", False), (4.0, 2, b"cdef", False), (9.0, 10, b"k", True)]
    broken = tshark.put_together(pieces)
    assert (bytes(broken.data), broken.whole(8)) == (b"abcdefgh", False)
    whole = tshark.put_together([*pieces, (8.0, 8, b"ij", False)])
    assert (bytes(whole.data), whole.whole(11), whole.whole(8)) == (b"abcdefghijk", True, False)
    assert whole.at(11).timestamp() == 9.0


def side(*pieces: tuple[float, bytes], ended: bool = True) -> tshark.ConversationSide:
    made = tshark.ConversationSide(ended=ended)
    for at, data in pieces:
        made.add(data, at)
    return made


def frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + (len(payload) | 0x4000).to_bytes(2, "big") + payload


def test_http3_requests_and_statuses() -> None:
    """With headers that refer to the table, one before what they refer to has come."""
    encoder = Encoder()
    settings = encoder.apply_settings(4096, 16)
    head = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"x.test"), (b":path", b"/"), (b"x", b"y")]
    table, blocks = [settings], []
    for stream in (0, 4, 8):
        entries, block = encoder.encode(stream, head)
        table.append(entries)
        blocks.append(block)
    assert any(table[1:]), "the table is used"
    answers = {0: b"\x00\x00\xd9", 4: b"\x00\x00\xdb"}  # 200, 404: both are in the table that everybody has
    streams = {
        2: (side((0.0, b"\x00" + frame(4, b"\x01\x50\x00"))), side()),
        3: (side(), side((0.0, b"\x00" + frame(4, b"\x01\x50\x00")))),
        6: (side((0.0, b"\x02"), (5.0, b"".join(table))), side()),
    }
    for number, (stream, block) in enumerate(zip((0, 4, 8), blocks, strict=True)):
        said = frame(1, block) + frame(0, b"body") + frame(0, b" %d" % stream)
        client = side((float(number), said), ended=stream != 8)
        streams[stream] = (client, side((6.0, frame(1, answers[stream]))) if stream in answers else side())
    assert captured_http3.is_http3(streams)
    found = captured_http3.requests(streams)
    assert {stream: (bytes(one.body), one.whole, one.pseudo(":authority")) for stream, one in found.items()} == {
        0: (b"body 0", True, "x.test"),
        4: (b"body 4", True, "x.test"),
        8: (b"body 8", False, "x.test"),
    }
    assert captured_http3.statuses(streams) == {0: 200, 4: 404}
    assert not captured_http3.is_http3({0: streams[0]})


# -- a real capture


def missing() -> str | None:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "a network of its own to capture in needs root on Linux"
    absent = [program for program in ("tshark", "ip", "unshare") if not shutil.which(program)]
    return f"not installed: {', '.join(absent)}" if absent else None


TALK = """
import asyncio, os, socket, ssl, subprocess, sys, time
from pathlib import Path
import httpx
from aioquic.asyncio.client import connect as quic
from websockets.sync.client import connect
from tests.lab import upstream as servers
from tests.lab.proxy.clients import Http3, http3

room = Path(sys.argv[1])
os.unshare(os.CLONE_NEWNET)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
capture = subprocess.Popen(["tshark", "-q", "-i", "lo", "-w", room / "a.pcapng"], stderr=subprocess.PIPE)
while b"apturing" not in capture.stderr.readline():
    pass
time.sleep(1)
with servers.running(room) as up:
    tls = ssl.create_default_context(cafile=up.ca)
    tls.keylog_filename = str(room / "keys")
    unknown = ssl.create_default_context(cafile=up.ca)
    tls.check_hostname = unknown.check_hostname = False
    with httpx.Client(verify=tls, http2=True) as client:
        for name in ("h2.test:443", "secure.test"):
            for size in (0, 70_000):
                host = {"Host": name.partition(":")[0]}
                body = b"+8613800138000" + b"y" * size
                client.post(f"https://localhost:{up.hosts[name][1]}/{size}", content=body, headers=host)
        client.post(f"http://127.0.0.1:{up.hosts['plain.test'][1]}/plain", content=iter([b"in ", b"pieces"]))
    raw = socket.create_connection(up.hosts["ws.test"])
    with connect("wss://ws.test/chat", sock=raw, ssl=tls, server_hostname="ws.test") as chat:
        chat.send("squeezed" * 40)
        chat.recv()
    with socket.create_connection(up.hosts["raw.test"]) as raw:
        raw.sendall(b"\\1raw")
        raw.recv(10)
    with unknown.wrap_socket(socket.create_connection(up.hosts["rawtls.test"]), server_hostname="rawtls.test") as raw:
        raw.sendall(b"secret")
        raw.recv(10)
    query = bytes.fromhex("123401000001000000000000") + b"\\x0513800\\x04test\\0" + bytes.fromhex("00010001")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(query, ("127.0.0.1", 53))

    async def three(keys):
        trusting = http3(secrets_log_file=keys)
        trusting.load_verify_locations(str(up.ca))
        async with quic(*up.hosts["h3.test"], configuration=trusting, create_protocol=Http3) as client:
            assert (await client.post("/first", b"+8613800138000"))[0] == 203
            await asyncio.gather(client.post("/second", b"+8613800138000" + b"y" * 70_000), client.post("/none", b""))

    with (room / "keys").open("a") as keys:
        asyncio.run(three(keys))
    asyncio.run(three(None))
time.sleep(1)
capture.terminate()
capture.wait()
"""


@pytest.mark.lab
def test_a_real_capture(tmp_path: Path) -> None:
    reason = missing()
    if reason:
        pytest.skip(reason)
    done = subprocess.run([sys.executable, "-c", TALK, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert guess(tmp_path / "a.pcapng") == "pcap"
    command = ["import", str(tmp_path / "a.pcapng"), "--app", "com.example.circle", "--keys", str(tmp_path / "keys")]
    told = CliRunner().invoke(main, [*command, "--output", str(tmp_path / "r")])
    assert told.exit_code == 0, told.output
    recording = Recording.open(tmp_path / "r")
    uploads = list(recording.events(Upload))
    assert [(one.via, one.host, one.size, one.status) for one in uploads] == [
        ("http", "h2.test", 14, 202),
        ("http", "h2.test", 70_014, 202),
        ("http", "secure.test", 14, 201),
        ("http", "secure.test", 70_014, 201),
        ("http", "127.0.0.1", 9, 201),
        ("http", "ws.test", 0, 101),
        ("websocket", "ws.test", 320, None),
        ("tcp", "127.0.0.1", 4, None),
        ("dns", "13800.test", 28, None),
        *(("http", "h3.test", size, 203) for size in (14, 0, 70_014)),
    ]
    bodies = [recording.body(one.body or "") for one in uploads]
    assert bodies[1] == bodies[3] == b"+8613800138000" + b"y" * 70_000
    assert (bodies[4], bodies[6], bodies[7]) == (b"in pieces", b"squeezed" * 40, b"\1raw")
    assert bodies[-1] == b"+8613800138000" + b"y" * 70_000
    assert uploads[-1].tls
    assert uploads[-1].tls.alpn == "h3"
    gaps = [(gap.subject, gap.why) for gap in recording.events(Gap)]
    assert gaps == [("rawtls.test", "not_decrypted"), ("h3.test", "not_decrypted")]
    without = imported([tmp_path / "a.pcapng"], tmp_path / "r2", Origin("com.example.circle"))
    closed = sorted(gap.subject for gap in without.events(Gap))
    each = ["h3.test", "h3.test", "localhost", "localhost", "rawtls.test", "ws.test"]
    assert closed == each, "each connection that nobody can read"


def packet(port: int, flags: int, data: bytes = b"", at: int = 0) -> bytes:
    """An IPv4 packet from a client's port to port 80; `at`: where in what the client says its data stand."""
    tcp = struct.pack(">HHIIBBHHH", port, 80, bool(data) + at, bool(data), 5 << 4, flags, 65535, 0, 0) + data
    return ip(6, tcp)


def ip(protocol: int, data: bytes, fragment: int = 0) -> bytes:
    """An IPv4 packet; `fragment`: whether more follow, and where its data stand."""
    ends = bytes([10, 0, 0, 1, 10, 0, 0, 2])
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, fragment, 64, protocol, 0) + ends + data


def pcap(packets: Iterable[bytes], order: str = "<") -> Iterator[bytes]:
    yield struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
    for number, one in enumerate(packets):
        yield struct.pack(f"{order}IIII", 1777622400 + number, 0, len(one), len(one)) + one


def pcapng(packets: Iterable[bytes], order: str = "<") -> Iterator[bytes]:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(f"{order}I", len(body) + 12)
        return struct.pack(f"{order}I", kind) + size + body + size

    yield block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    yield block(1, struct.pack(f"{order}HHI", 101, 0, 262144))
    for number, one in enumerate(packets):
        at = (1777622400 + number) * 1_000_000
        yield block(5, bytes(12))  # statistics
        yield block(6, struct.pack(f"{order}5I", 0, at >> 32, at & 0xFFFFFFFF, len(one), len(one)) + one)


TSHARK = pytest.mark.skipif(not shutil.which("tshark"), reason="not installed: tshark")


def many() -> Iterator[bytes]:
    """Ten connections that go on side by side, one of them long; a datagram in two pieces; what belongs to none."""
    body = b"x" * 1000
    head = b"POST /%d HTTP/1.1\r\nHost: x.test\r\nContent-Length: 2000\r\n\r\n"
    for port in range(2000, 2010):
        yield packet(port, 2)
    datagram = struct.pack(">HHHH", 3000, 9999, 8 + 1600, 0) + b"y" * 1600
    yield ip(17, datagram[:800], 0x2000)
    for port in range(2000, 2010):
        yield packet(port, 0x18, head % port + body)
    yield ip(1, b"\x08\0\0\0\0\0\0\0")
    yield ip(17, datagram[800:], 100)
    for port in range(2000, 2010):
        yield packet(port, 0x18, body, len(head % port + body))
    for number in range(20):
        yield packet(2005, 0x18, body, len(head % 2005) + 2000 + number * 1000)


def seen(recording: Recording) -> list[tuple[Any, ...]]:
    return [(one.at, one.via, one.url, one.body, one.truncated, one.client) for one in recording.events(Upload)]


@TSHARK
@pytest.mark.parametrize(("form", "order"), [(pcap, ">"), (pcapng, "<"), (pcapng, ">")])
def test_a_capture_in_parts_gives_what_it_gives_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Callable[..., Iterator[bytes]], order: str
) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(b"".join(form(many(), order)))
    at_once = imported([path], tmp_path / "r1", Origin("a.b"))
    monkeypatch.setattr(capture_parts, "PART", 12_000)
    monkeypatch.setattr(capture_parts, "OPEN", 2)
    with capture_parts.in_parts(path) as divided:
        assert len(divided.paths) == 3, "more than may be open"
    in_parts = imported([path], tmp_path / "r2", Origin("a.b"))
    assert seen(in_parts) == seen(at_once)
    assert len(seen(at_once)) == 11
    (left,) = [gap.detail or "" for gap in at_once.events(Gap)]
    assert left.startswith("20000 bytes after 1 requests"), "of the long one"
    gaps = [(gap.why, gap.detail or "") for gap in in_parts.events(Gap)]
    assert [why for why, _ in gaps] == ["protocol_unsupported", "overflow"], gaps
    read, lost = (int(detail.split()[0]) for _, detail in gaps)
    assert read + lost - 40 * (lost // 1040) == 20_000, "40 bytes are the head of a packet"
    assert not [each.name for each in (tmp_path / "r2").iterdir() if each.name.startswith("parts-")]


def trailed(packet: bytes, uid: int, name: str) -> bytes:
    """A packet as PCAPdroid has it in PCAP: a made up header of Ethernet before it, and whose it is behind it."""
    head = bytes(12) + b"\x08\x00" + packet + bytes(-(14 + len(packet)) % 4)
    return head + struct.pack(">Ii20sI", 0x01072021, uid, name.encode(), 0)


def with_uids(form: str, of: Mapping[int, tuple[int, str]]) -> bytes:
    """A capture of one request from each of these ports, with the uid and the name of whose it is."""
    said = b"POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 4\r\n\r\nbody"
    found = [(packet(port, *what), *owner) for port, owner in of.items() for what in ((2,), (0x18, said))]
    if form == "pcap":
        ethernet = b"".join(pcap(trailed(*each) for each in found))
        return ethernet[:20] + struct.pack("<I", 1) + ethernet[24:]
    blocks = list(pcapng(raw for raw, _, _ in found))
    out = blocks[:2]
    for (_, uid, _), block in zip(found, blocks[3::2], strict=True):
        comment = f"u-{uid}".encode()
        option = struct.pack("<HH", 1, len(comment)) + comment + bytes(-len(comment) % 4) + bytes(4)
        size = struct.pack("<I", len(block) + len(option))
        out.append(block[:4] + size + block[8:-4] + option + size)
    return b"".join(out)


@TSHARK
@pytest.mark.parametrize(
    ("form", "of", "its"),
    [
        ("pcap", {2000: (10123, "Pages"), 2001: (1051, "netd"), 2002: (-1, "")}, ["a.b", "uid 1051", None]),
        ("pcapng", {2000: (10123, "Pages"), 2001: (1051, "netd"), 2002: (-1, "")}, ["a.b", "uid 1051", None]),
        ("pcap", {2000: (10123, "Pages"), 2001: (10200, "Chrome")}, [None, None]),
        ("pcapng", {2000: (1010123, "Pages"), 2001: (0, "root")}, ["a.b", "uid 0"]),
        ("pcap", {2000: (10123, "页面"), 2001: (10123, "页面")}, ["a.b", "a.b"]),
        ("pcap", {2000: (1000, "Android")}, ["a.b"]),
    ],
)
def test_packets_of_other_uids_are_not_taken_for_the_apps(
    tmp_path: Path, form: str, of: dict[int, tuple[int, str]], its: list[str | None]
) -> None:
    path = tmp_path / f"a.{form}"
    path.write_bytes(with_uids(form, of))
    recording = imported([path], tmp_path / "r", Origin("a.b"))
    found = {one.client.port: one.app for one in recording.events(Upload) if one.client}
    assert found == dict(zip(of, its, strict=True))
    told = "; ".join(recording.run.notes)
    uids = {uid for uid, _ in of.values()}
    assert ("several uids" in told) == (len(uids) > 1)
    assert all(str(uid) in told for uid in uids) or len(uids) == 1


@TSHARK
def test_a_message_of_a_connection_that_is_too_long_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = (packet(2000, 0x18, b"\x01" * 1000, number * 1000) for number in range(30))
    (tmp_path / "a.pcap").write_bytes(b"".join(pcap([packet(2000, 2), *said])))
    monkeypatch.setattr(capture_parts, "PART", 12_000)
    recording = imported([tmp_path / "a.pcap"], tmp_path / "r", Origin("a.b"))
    assert [(one.size, one.truncated) for one in recording.events(Upload)] == [(11_000, True)]
    assert [gap.why for gap in recording.events(Gap)] == ["overflow"]


@TSHARK
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ALL": 5}, "has more than 5 connections.*editcap"),
        ({"PCAP": {}}, "neither PCAP nor PCAPNG.*editcap -F"),
        ({"BLOCK": 100}, "packet 11 has no known format.*editcap -F"),
    ],
)
def test_a_capture_that_cannot_be_divided_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    (tmp_path / "a.pcap").write_bytes(b"".join(pcap(many())))
    for name, value in {"PART": 12_000, **change}.items():
        monkeypatch.setattr(capture_parts, name, value)
    with pytest.raises(UserError, match=said):
        imported([tmp_path / "a.pcap"], tmp_path / "r", Origin("a.b"))


MEASURED = """
import resource, sys
from pathlib import Path
from appwitness.exchange import Origin, imported
imported([Path(sys.argv[1])], Path(sys.argv[2]), Origin("a.b"))
# Not getrusage for this process: that is what the tests' own process had when it made this one.
own = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@TSHARK
@pytest.mark.slow
def test_a_large_capture_is_read_in_little_memory(tmp_path: Path) -> None:
    """400 MB: 60 connections of 4 MB, one of 100 MB, and 2000 of one packet."""
    piece = os.urandom(60_000)
    post = b"POST /%d HTTP/1.1\r\nHost: x.test\r\nContent-Length: %d\r\n\r\n"

    def talk(port: int, count: int) -> Iterator[bytes]:
        head = post % (port, count * len(piece))
        yield packet(port, 2)
        yield packet(port, 0x18, head)
        for number in range(count):
            yield packet(port, 0x18, piece, len(head) + number * len(piece))

    def all_of_it() -> Iterator[bytes]:
        for port in range(3000, 5000):
            yield packet(port, 2)
        for port in range(5000, 5060):
            yield from talk(port, 80)
        yield from talk(6000, 1700)

    with (tmp_path / "a.pcap").open("wb") as file:
        file.writelines(pcap(all_of_it()))
    assert (tmp_path / "a.pcap").stat().st_size > 390_000_000
    command = [sys.executable, "-c", MEASURED, str(tmp_path / "a.pcap"), str(tmp_path / "r")]
    done = subprocess.run(command, capture_output=True, check=True)
    ours, tsharks = map(int, done.stdout.split())
    assert max(ours, tsharks) < 400_000, "kB"
    uploads = list(Recording.open(tmp_path / "r").events(Upload))
    assert [one.truncated for one in uploads] == [False] * 60 + [True]
    assert {one.size for one in uploads[:60]} == {80 * len(piece)}
    assert uploads[60].size > 45_000_000
    assert sorted(gap.why for gap in Recording.open(tmp_path / "r").events(Gap)) == ["body_truncated", "overflow"]


@TSHARK
@pytest.mark.parametrize(("lost", "bodies"), [(0, 2), (3, 1), (130, 0)])
def test_a_capture_that_is_cut_short_keeps_what_came_before(tmp_path: Path, lost: int, bodies: int) -> None:
    packets = [one for port in (1000, 1001) for one in (packet(port, 2), packet(port, 0x18, POST))]
    capture = b"".join(pcap(packets))
    (tmp_path / "a.pcap").write_bytes(capture[: -lost or None])
    if lost == 130:
        (tmp_path / "a.pcap").write_bytes(capture[:30])
    recording = imported([tmp_path / "a.pcap"], tmp_path / "r", Origin("a.b"))
    assert [recording.body(one.body or "") for one in recording.events(Upload)] == [b"hello"] * bodies
    assert ["cut short" in (gap.detail or "") for gap in recording.events(Gap)] == [True] * (lost > 0)


def test_what_is_no_capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(b"nothing that tshark knows\0" * 40)
    if shutil.which("tshark"):
        with pytest.raises(UserError, match="cannot be read as a packet capture"):
            tshark.conversations(path, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="tshark, which is not installed"):
        tshark.conversations(path, None)
