"""A disk that is full, read-only or slow, and a proxy that is killed: what is kept, and that traffic goes on."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appwitness.events import BadLine, Gap, dump, parse
from tests.lab.proxy.observed import Observed, make, wait_for
from tests.lab.proxy.writers import caught_up, limit_files
from tests.lab.upstream import Upstream

pytestmark = [pytest.mark.lab, pytest.mark.skipif(sys.platform == "win32", reason="limits, /proc and signals")]


def test_a_body_that_the_disk_has_no_room_for_passes_whole(start: Callable[..., Observed]) -> None:
    observed = start()
    data = os.urandom(500_000)
    limit_files(observed.proxy, 200_000)
    with observed.client() as client:
        answer = client.post("http://plain.test/full", content=data)
    assert answer.json()["sha256"] == hashlib.sha256(data).hexdigest()
    upload = observed.upload("/full")
    assert observed.body(upload) == data[:200_000]
    assert upload.truncated
    gap = observed.gap(lambda gap: gap.why == "body_truncated")
    assert gap.detail
    assert "File too large" in gap.detail


@pytest.mark.parametrize("full", [("uploads.jsonl",), ("uploads.jsonl", "gaps.jsonl")], ids=["lines", "gaps-too"])
def test_a_line_that_the_disk_has_no_room_for_waits(room: Path, upstream: Upstream, full: tuple[str, ...]) -> None:
    observed = make(room, upstream)
    uploads = observed.path / "uploads.jsonl"
    long = Gap(at=datetime.now(UTC), where="proxy", subject="x" * 3000, why="no_clock")
    for name in full:
        (observed.path / name).write_text(dump(long) + "\n")
    with observed.proxy, observed.client() as client:
        limit_files(observed.proxy, 2000)
        assert client.post("http://plain.test/waits", content=b"kept").status_code == 201
        if len(full) == 1:
            wait_for(lambda: b'"overflow"' in (observed.path / "gaps.jsonl").read_bytes())
        else:
            wait_for(lambda: "overflow" in observed.proxy.words())
        assert b"/waits" not in uploads.read_bytes()
        limit_files(observed.proxy, resource.RLIM_INFINITY)
        assert client.post("http://plain.test/room-again", content=b"x").status_code == 201
        observed.upload("/room-again")
        assert observed.body(observed.upload("/waits")) == b"kept"


def test_after_a_torn_line_the_next_is_whole(room: Path, upstream: Upstream) -> None:
    observed = make(room, upstream)
    (observed.path / "uploads.jsonl").write_bytes(b'{"v":1,"kind":"upl')
    with observed.proxy, observed.client() as client:
        client.get("http://plain.test/torn")
        caught_up(observed.proxy)
        torn, line = (observed.path / "uploads.jsonl").read_bytes().splitlines()
    with pytest.raises(BadLine):
        parse(torn)
    assert parse(line).kind == "upload"


def test_what_waits_is_written_when_the_proxy_is_stopped(start: Callable[..., Observed], upstream: Upstream) -> None:
    observed = start(upload_wait="60")
    upstream.release.clear()
    raw = socket.create_connection((observed.proxy.host, observed.proxy.port))
    raw.sendall(b"POST http://plain.test/slow HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 4\r\n\r\nwait")
    half = socket.create_connection((observed.proxy.host, observed.proxy.port))
    half.sendall(b"POST http://plain.test/half HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 9\r\n\r\nhalf")
    time.sleep(0.5)
    assert not observed.uploads()
    observed.proxy.stop()
    upstream.release.set()
    assert observed.body(observed.upload("/slow")) == b"wait"
    assert observed.upload("/slow").status is None
    assert observed.body(observed.upload("/half")) == b"half"
    assert observed.upload("/half").truncated
    raw.close()
    half.close()


def test_what_was_being_sent_when_the_proxy_was_killed_is_named(room: Path, upstream: Upstream) -> None:
    observed = make(room, upstream)
    data = os.urandom(300_000)
    orphan = hashlib.sha256(b"stored, and killed before the line").hexdigest()
    with observed.proxy:
        with observed.client() as client:
            client.post("http://plain.test/before", content=b"before")
        raw = socket.create_connection((observed.proxy.host, observed.proxy.port))
        raw.sendall(b"POST http://plain.test/cut HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 900000\r\n\r\n" + data)
        wait_for(lambda: [p for p in (observed.path / "bodies").glob(".*.part") if p.stat().st_size == len(data)])
        assert observed.proxy.pid
        os.kill(observed.proxy.pid, signal.SIGKILL)
        raw.close()
        (observed.path / "bodies" / orphan).write_bytes(b"stored, and killed before the line")
        wait_for(lambda: not observed.proxy.alive())
        observed.proxy.restart()
        with observed.client() as client:
            client.post("http://plain.test/after", content=b"after")
    assert not list((observed.path / "bodies").glob(".*"))
    assert (observed.path / "bodies" / hashlib.sha256(data).hexdigest()).read_bytes() == data
    named = {gap.body for gap in observed.gaps()}
    assert named == {hashlib.sha256(data).hexdigest(), orphan}
    observed.upload("/after")
