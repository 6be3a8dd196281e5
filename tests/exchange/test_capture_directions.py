"""Packet captures: what the device received is no upload, and what may have been decrypted is not told as cleartext."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.events import Endpoint, Gap, Upload
from appwitness.exchange import Origin, imported
from appwitness.exchange.pcap.tshark import Conversation, find_device
from appwitness.recording import Recording

PHONE, NEIGHBOUR = "192.168.1.5", "192.168.1.1"
SERVER = "93.184.216.34"
GET = b"GET /p?phone=13800138000 HTTP/1.1\r\nHost: a.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SYN, ACK, DATA = 2, 18, 24
TSHARK = pytest.mark.skipif(not shutil.which("tshark"), reason="not installed: tshark")


def ip(source: str, target: str, protocol: int, data: bytes) -> bytes:
    ends = ip_address(source).packed + ip_address(target).packed
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0) + ends + data


def tcp(source: str, target: str, ports: tuple[int, int], flags: int, data: bytes = b"", at: int = 0) -> bytes:
    head = struct.pack(">HHIIBBHHH", *ports, at, int(flags != SYN), 5 << 4, flags, 65535, 0, 0)
    return ip(source, target, 6, head + data)


def udp(source: str, target: str, ports: tuple[int, int], data: bytes) -> bytes:
    return ip(source, target, 17, struct.pack(">HHHH", *ports, 8 + len(data), 0) + data)


def talk(client: str, server: str, port: int, asked: bytes, answer: bytes = OK, own: int = 40001) -> Iterable[bytes]:
    """One connection: what was asked, and what was answered."""
    yield tcp(client, server, (own, port), SYN)
    yield tcp(server, client, (port, own), ACK)
    yield tcp(client, server, (own, port), DATA, asked, 1)
    if answer:
        yield tcp(server, client, (port, own), DATA, answer, 1)


def read(folder: Path, *packets: Iterable[bytes], link: int = 101) -> Recording:
    path = folder / "a.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
        for number, one in enumerate(packet for each in packets for packet in each):
            file.write(struct.pack("<IIII", 1777622400 + number, 0, len(one), len(one)) + one)
    return imported([path], folder / "r", Origin("com.example.circle"))


def uploads(recording: Recording) -> list[tuple[str, str | None, bytes]]:
    return [
        (one.via, one.host, recording.body(one.body) or b"" if one.body else b"") for one in recording.events(Upload)
    ]


@TSHARK
def test_what_came_to_the_device_is_no_upload_and_what_it_answered_is(tmp_path: Path) -> None:
    recording = read(
        tmp_path, talk(NEIGHBOUR, PHONE, 8080, GET, b"HTTP/1.1 200 OK\r\n\r\nhers"), talk(PHONE, SERVER, 80, GET)
    )
    assert uploads(recording) == [("tcp", NEIGHBOUR, b"HTTP/1.1 200 OK\r\n\r\nhers"), ("http", "a.test", b"")]
    (note,) = recording.run.notes
    assert note == "a.pcap: 1 connections came to the device; what it received on them is not an upload"


@TSHARK
def test_datagrams_that_begin_with_an_answer(tmp_path: Path) -> None:
    said = [udp(SERVER, PHONE, (5000, 40000), b"to the phone"), udp(PHONE, SERVER, (40000, 5000), b"from the phone")]
    assert uploads(read(tmp_path, said)) == [("udp", SERVER, b"from the phone")]


@TSHARK
def test_the_capture_itself_says_what_was_sent(tmp_path: Path) -> None:
    def cooked(kind: int, packet: bytes) -> bytes:
        return struct.pack(">HHH8sH", kind, 1, 6, bytes(8), 0x0800) + packet

    one, other = "10.9.8.7", "10.9.8.6"  # nothing but the capture tells which of them is the device
    said = [cooked(0, udp(one, other, (6000, 6001), b"in")), cooked(4, udp(other, one, (6001, 6000), b"out"))]
    assert uploads(read(tmp_path, said, link=113)) == [("udp", one, b"out")]


@TSHARK
def test_plain_text_on_the_port_of_tls_is_of_unknown_scheme(tmp_path: Path) -> None:
    recording = read(tmp_path, talk(PHONE, SERVER, 443, GET), talk(PHONE, SERVER, 80, GET, own=40002))
    told = [(one.url, one.cleartext, one.tls_unknown) for one in recording.events(Upload)]
    assert told == [
        ("//a.test/p?phone=13800138000", False, True),
        ("http://a.test/p?phone=13800138000", True, False),
    ]


@TSHARK
def test_no_answer(tmp_path: Path) -> None:
    recording = read(
        tmp_path,
        talk(PHONE, SERVER, 80, GET, b""),
        [tcp(PHONE, SERVER, (40009, 9000), SYN), tcp(PHONE, SERVER, (40009, 9000), DATA, b"raw", 1)],
        [udp(PHONE, SERVER, (40010, 9001), b"datagram")],
        [udp(PHONE, SERVER, (40011, 9001), b"asked"), udp(SERVER, PHONE, (9001, 40011), b"told")],
    )
    assert [one.unanswered for one in recording.events(Upload)] == [True, True, True, False]
    assert list(recording.events(Gap)) == []


TALKS = st.lists(
    st.tuples(
        st.sampled_from(
            ["asks the internet", "asks the network", "is asked by the internet", "is asked by the network"]
        ),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
)


@given(TALKS, st.data())
def test_what_the_device_received_is_told_from_what_it_sent(talks: list[tuple[str, int]], data: st.DataObject) -> None:
    made = []
    for what, number in talks:
        other = f"8.8.{number}.1" if "internet" in what else f"192.168.1.{20 + number}"
        ends = (PHONE, other) if what.startswith("asks") else (other, PHONE)
        made.append(Conversation(Endpoint(ip=ends[0], port=4000), Endpoint(ip=ends[1], port=80), 0.0, "tcp"))
    find_device(data.draw(st.permutations(made)))
    others = {one.client.ip for one in made} | {one.server.ip for one in made}
    told = len(others) > 2 or any("internet" in what for what, _ in talks)  # else nothing tells two neighbours apart
    for one, (what, _) in zip(made, talks, strict=True):
        if told:
            assert one.received == what.startswith("is asked"), (what, talks)
