"""A writer that hangs, is killed or cannot be started, alone or with its proxy: traffic flows on, and what was answered
is in the recording or in a gap."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from addons.disk import ring, to_writer
from appwitness import proxy as observe
from tests.lab.proxy.observed import MB, Observed, peak_mb, wait_for
from tests.lab.proxy.writers import pid_of, waiting

pytestmark = [pytest.mark.lab, pytest.mark.skipif(sys.platform != "linux", reason="/proc, and signals")]


@contextmanager
def hanging(observed: Observed) -> Iterator[None]:
    """A disk that hangs, as the proxy sees it: the writer does nothing at all."""
    pid = pid_of(observed.proxy)
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def post(client: httpx.Client, url: str, body: bytes) -> None:
    answer = client.post(url, content=body)
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest(), "it passed unaltered"


def test_traffic_of_all_kinds_flows_on_while_the_disk_hangs(start: Callable[..., Observed]) -> None:
    observed = start()
    short, long = os.urandom(1000), os.urandom(2 * MB)
    with hanging(observed):
        with observed.client() as client:
            for size, body in (("short", short), ("big", long)):
                post(client, f"http://plain.test/{size}", body)
                post(client, f"https://secure.test/{size}", body)
        with observed.client(http2=True) as client:
            post(client, "https://h2.test/short", short)
        with observed.websocket(
            "wss://ws.test/chat",
        ) as chat:
            chat.send(short)
            assert chat.recv() == short
        with observed.tunnel("raw.test", 9000) as raw:
            raw.sendall(b"\x01" + short)
            assert raw.recv(1) == b"\x01"
        assert not (observed.path / "uploads.jsonl").read_bytes()
        assert waiting(observed.proxy.pid)
    bodies = {one.url or one.via: observed.body(one) for one in observed.uploads() if one.body}
    assert bodies == {
        "http://plain.test/short": short,
        "https://secure.test/short": short,
        "https://h2.test/short": short,
        "wss://ws.test/chat": short,
        "http://plain.test/big": long,
        "https://secure.test/big": long,
        "tcp": b"\x01" + short,
    }
    assert not observed.gaps()


@pytest.mark.parametrize("host", ["http://plain.test", "https://h2.test"], ids=["http1", "http2"])
def test_more_than_can_be_held_passes_and_is_said_to_be_cut(start: Callable[..., Observed], host: str) -> None:
    observed = start()
    long = os.urandom(ring.RING_BYTES + 3 * MB)
    with observed.client(http2=True, timeout=120) as client:
        post(client, f"{host}/before", b"before")
        before = peak_mb(observed.proxy)
        with hanging(observed):
            post(client, f"{host}/big", long)
            assert waiting(observed.proxy.pid) > to_writer.WAIT_BYTES
            post(client, f"{host}/after", b"after")
            post(client, f"{host}/bigger", long)
            assert waiting(observed.proxy.pid) <= ring.RING_BYTES
        assert peak_mb(observed.proxy) - before < 48
        cut = [one for one in observed.uploads() if one.truncated]
        assert {one.url for one in cut} == {f"{host}/big", f"{host}/bigger"}
        for one in cut:
            assert one.body is None or observed.body(one) == long[: one.size]
        assert observed.body(observed.upload("/after")) == b"after"
        gaps = [gap.detail or "" for gap in observed.gaps()]
        assert len(gaps) == 2
        assert all(gap.endswith(f"of {len(long)} bytes: {to_writer.TOO_SLOW}") for gap in gaps)
        post(client, f"{host}/again", long)
        assert observed.body(observed.upload("/again")) == long, "it has caught up: all is kept again"


@pytest.mark.slow
def test_lines_that_there_is_no_room_for_are_counted(start: Callable[..., Observed]) -> None:
    observed = start()
    sent = 0
    with hanging(observed), observed.client() as client:
        while ring.RING_BYTES - waiting(observed.proxy.pid) > 100_000 or sent % 10:
            client.get("http://plain.test/lost", headers={"x-long": "x" * 60_000})
            sent += 1
            assert sent < 1000
        for _ in range(7):
            client.get("http://plain.test/lost", headers={"x-long": "x" * 60_000})
            sent += 1
    gap = observed.gap(lambda gap: gap.why == "overflow")
    lost = re.match(r"(\d+) lines are lost", gap.detail or "")
    assert lost
    assert int(lost[1]) >= 5
    assert len(observed.uploads()) + int(lost[1]) == sent


def test_a_slow_disk_slows_long_uploads_down_and_loses_nothing(start: Callable[..., Observed]) -> None:
    observed = start()
    pid = pid_of(observed.proxy)
    assert pid
    done = threading.Event()

    def stutter() -> None:
        while not done.is_set():
            for number, seconds in ((signal.SIGSTOP, 0.2), (signal.SIGCONT, 0.2)):
                os.kill(pid, number)
                done.wait(seconds)
        os.kill(pid, signal.SIGCONT)

    long = os.urandom(6 * ring.RING_BYTES)
    slow = threading.Thread(target=stutter)
    slow.start()
    try:
        with observed.client(timeout=120) as client:
            post(client, "http://plain.test/big", long)
    finally:
        done.set()
        slow.join()
    assert observed.body(observed.upload("/big")) == long
    assert not observed.gaps()


@pytest.mark.slow
def test_a_long_message_of_a_websocket_does_not_overrun_the_writer(start: Callable[..., Observed]) -> None:
    observed = start()
    long = os.urandom(ring.RING_BYTES + 3 * MB)
    with observed.websocket(
        "wss://ws.test/long",
        max_size=None,
        ping_timeout=None,
    ) as chat:
        chat.send(long)
        assert chat.recv() == long
        chat.send(b"and on")
        assert chat.recv() == b"and on"
    messages = [one for one in observed.uploads() if one.via == "websocket"]
    assert [observed.body(one) for one in messages] == [long, b"and on"]


def test_a_restart_waits_until_the_old_writer_has_written_all(start: Callable[..., Observed]) -> None:
    observed = start()
    writer = pid_of(observed.proxy)
    assert writer
    with observed.client() as client, hanging(observed):
        for number in range(5):
            post(client, f"http://plain.test/{number}.", os.urandom(100_000))
        assert observed.proxy.pid
        os.kill(observed.proxy.pid, signal.SIGKILL)
        again = threading.Thread(target=observed.proxy.restart)
        again.start()
        again.join(1)
        assert again.is_alive()
        assert not (observed.path / "uploads.jsonl").read_bytes()
    again.join()
    assert len((observed.path / "uploads.jsonl").read_bytes().splitlines()) == 5
    assert observed.proxy.alive()


def test_a_writer_that_is_killed_while_the_proxy_stops_is_replaced(start: Callable[..., Observed]) -> None:
    observed = start()
    writer = pid_of(observed.proxy)
    assert writer
    bodies = {f"http://plain.test/{number}.": os.urandom(100_000 * number) for number in range(5)}
    with observed.client() as client:
        os.kill(writer, signal.SIGSTOP)
        for url, body in bodies.items():
            post(client, url, body)
    with socket.create_connection((observed.proxy.host, observed.proxy.port)) as idle:
        stopping = threading.Thread(target=observed.proxy.stop)
        stopping.start()
        assert idle.recv(1) == b"", "it has closed all connections, and waits for its writer"
    os.kill(writer, signal.SIGKILL)
    stopping.join()
    uploads = {one.url: one for one in observed.uploads()}
    assert {url: observed.body(uploads[url]) for url, body in bodies.items() if body} == {
        url: body for url, body in bodies.items() if body
    }
    assert len(uploads) == len(bodies)


@pytest.mark.slow
def test_a_disk_that_hangs_at_the_end_is_said_and_not_waited_for_forever(
    start: Callable[..., Observed], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    observed = start()
    monkeypatch.setattr(observe, "WRITE_S", 0.5)
    with observed.client() as client, hanging(observed):
        post(client, "http://plain.test/last", b"last")
        observed.proxy.stop()
        assert f"{observed.path} is not complete yet" in capfd.readouterr().err
    wait_for((observed.path / "uploads.jsonl").read_bytes)
    assert observed.body(observed.upload("/last")) == b"last"


def test_a_writer_that_cannot_be_started_is_tried_again(start: Callable[..., Observed]) -> None:
    observed = start()
    lines, aside = observed.path / "uploads.jsonl", observed.path / "aside"
    writer = pid_of(observed.proxy)
    assert writer
    lines.rename(aside)
    lines.mkdir()
    os.kill(writer, signal.SIGKILL)
    wait_for(lambda: "cannot be written" in observed.proxy.words(), 60)
    with observed.client() as client:
        for number in range(5):
            post(client, f"http://plain.test/{number}.", os.urandom(100_000))
    lines.rmdir()
    aside.rename(lines)
    assert len(observed.uploads()) == 5
    assert not observed.gaps()


def test_broken_off_while_the_disk_hangs(start: Callable[..., Observed]) -> None:
    observed = start()
    data = os.urandom(200_000)
    with hanging(observed), socket.create_connection((observed.proxy.host, observed.proxy.port)) as raw:
        raw.sendall(b"POST http://plain.test/cut HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 900000\r\n\r\n")
        raw.sendall(data)
        wait_for(lambda: waiting(observed.proxy.pid) >= len(data))
    upload = observed.upload("/cut")
    assert observed.body(upload) == data
    assert upload.truncated
