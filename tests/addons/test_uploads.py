"""The addon by itself: its files, its names for hosts, its options; and that stock mitmdump runs it."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mitmproxy import exceptions
from mitmproxy.test import tflow, tutils

from addons.disk import ring, storage, to_writer
from addons.record import hosts, lines, recorder
from monitor.events import Upload, parse
from monitor.observe.proxy import capture_py
from tests.lab import upstream as servers
from tests.lab.upstream import Upstream

# -- lines


def append_many(path: Path, writer: int) -> None:
    file = storage.Lines(path)
    for number in range(300):
        line = {"writer": writer, "number": number, "padding": "x" * (number * 7 % 5000)}
        file.append(storage.coded(line))
    file.close()


def test_several_processes_append_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "gaps.jsonl"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=append_many, args=(path, writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    read = [json.loads(line) for line in path.read_bytes().splitlines()]
    for number in range(3):
        assert [line["number"] for line in read if line["writer"] == number] == list(range(300)), "all, in order"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b'{"a":1}\n'),
        (b'{"b":2}\n', b'{"b":2}\n{"a":1}\n'),
        (b'{"b":2}\n{"to', b'{"b":2}\n{"to\n{"a":1}\n'),
    ],
    ids=["new", "whole", "torn"],
)
def test_a_torn_tail_stays_a_line_of_its_own(tmp_path: Path, before: bytes, after: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(before)
    file = storage.Lines(path)
    file.append(b'{"a":1}')
    file.close()
    assert path.read_bytes() == after


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        (b"", None),
        (b'{"a":1,"b":2}\n', b',"b":2}'),
        (b'{"a":1,"b":2}\n{"c":3}\n', b',"b":2}'),
        (b'{"a":1,"b"', None),
        (b'{"a":1,"b"\n{"a":1,"b":2}\n', b',"b":2}'),
        (b'{"x":1}\n', None),
        (b'[{"a":1,"b":2}]\n', None),
    ],
)
def test_how_the_last_line_goes_on_that_begins_so(tmp_path: Path, content: bytes, rest: bytes | None) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(content)
    file = storage.Lines(path)
    assert file.rest(b'{"a":1') == rest
    file.close()


# -- bodies

SMALL = to_writer.HELD_BYTES
PIECES = [[1], [10, 20], [SMALL], [SMALL + 1], [SMALL, 1, SMALL * 3], [1000] * 200]


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[tuple[recorder.Recorder, Path]]:
    """What the addons share, with a writer that is a thread."""
    mine = recorder.Recorder()
    mine.limit = 1 << 30
    mine.open(str(tmp_path), live=False)
    yield mine, tmp_path
    mine.finish()


def record(
    recording: tuple[recorder.Recorder, Path], pieces: list[bytes], problem: str | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The line and the gaps of an upload."""
    mine, path = recording
    body = mine.body()
    for piece in pieces:
        body.add(piece)
    body.problem = problem or body.problem
    mine.upload({**storage.head("upload", storage.time_of(1)), "host": "a.test"}, body)
    mine.finish()
    mine.channel = None
    (line,) = (path / "uploads.jsonl").read_bytes().splitlines()
    return json.loads(line), [json.loads(gap) for gap in (path / "gaps.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("chunks", PIECES, ids=lambda chunks: f"{len(chunks)}-{sum(chunks)}")
def test_a_body_is_stored_under_its_digest(recording: tuple[recorder.Recorder, Path], chunks: list[int]) -> None:
    parts = [os.urandom(size) for size in chunks]
    data = b"".join(parts)
    line, gaps = record(recording, parts)
    assert (line["body"], line["size"], line["truncated"]) == (hashlib.sha256(data).hexdigest(), len(data), False)
    assert not gaps
    (body,) = (recording[1] / "bodies").iterdir()
    assert (body.name, body.read_bytes()) == (line["body"], data)


def test_an_empty_body_is_none(recording: tuple[recorder.Recorder, Path]) -> None:
    line, gaps = record(recording, [])
    assert (line["body"], line["size"], line["truncated"], gaps) == (None, 0, False, [])
    assert not list((recording[1] / "bodies").iterdir())


@pytest.mark.parametrize(("chunks", "limit"), [([10], 4), ([4, 4], 4), ([SMALL, SMALL], SMALL + 10), ([5], 0)])
def test_a_body_beyond_the_limit_is_stored_in_part(
    recording: tuple[recorder.Recorder, Path], chunks: list[int], limit: int
) -> None:
    data = os.urandom(sum(chunks))
    recording[0].limit = limit
    at = [sum(chunks[:number]) for number in range(len(chunks))]
    line, (gap,) = record(recording, [data[begin : begin + size] for begin, size in zip(at, chunks, strict=True)])
    assert line["body"] == (hashlib.sha256(data[:limit]).hexdigest() if limit else None)
    assert (line["size"], line["truncated"]) == (limit, True)
    assert gap["detail"] == f"body {line['body'] or '-'}, {limit} of {len(data)} bytes: limit of {limit} bytes"
    assert [path.read_bytes() for path in (recording[1] / "bodies").iterdir()] == ([data[:limit]] if limit else [])


@pytest.mark.parametrize("size", [10, SMALL * 2])
def test_a_body_that_cannot_be_written_is_said(recording: tuple[recorder.Recorder, Path], size: int) -> None:
    (recording[1] / "bodies").rename(recording[1] / "gone")
    (recording[1] / "bodies").touch()
    line, gaps = record(recording, [b"x" * size])
    (recording[1] / "bodies").unlink()
    (recording[1] / "gone").rename(recording[1] / "bodies")
    assert (line["body"], line["size"], line["truncated"]) == (None, 0, True)
    assert [(gap["why"], "Not a directory" in gap["detail"]) for gap in gaps if gap["subject"] == "a.test"] == [
        ("body_truncated", True)
    ]


def test_what_comes_faster_than_the_disk_waits_where_nobodys_traffic_does(
    recording: tuple[recorder.Recorder, Path],
) -> None:
    data = os.urandom(3 * ring.RING_BYTES)
    line, gaps = record(recording, [data])
    assert (line["body"], line["size"], gaps) == (hashlib.sha256(data).hexdigest(), len(data), [])


# -- names


@pytest.mark.parametrize(
    ("asked", "header", "sni", "scheme", "host", "url"),
    [
        (("api.test", 443), "api.test", "api.test", "https", "api.test", "https://api.test/p?q=1"),
        (("api.test", 443), "api.test:443", None, "https", "api.test", "https://api.test/p?q=1"),
        (("api.test", 8443), "api.test:8443", None, "https", "api.test", "https://api.test:8443/p?q=1"),
        (("api.test", 80), "api.test:80", None, "http", "api.test", "http://api.test/p?q=1"),
        (("198.51.100.7", 443), "api.test", None, "https", "api.test", "https://api.test/p?q=1"),
        (("198.51.100.7", 443), "", "api.test", "https", "api.test", "https://api.test/p?q=1"),
        (("198.51.100.7", 8443), "198.51.100.7:8443", "api.test", "https", "api.test", "https://api.test:8443/p?q=1"),
        (("198.51.100.7", 80), "198.51.100.7", None, "http", "198.51.100.7", "http://198.51.100.7/p?q=1"),
        (("2001:db8::1", 8080), "[2001:db8::1]:8080", None, "http", "2001:db8::1", "http://[2001:db8::1]:8080/p?q=1"),
        (("2001:db8::1", 443), "[2001:db8::1]", None, "https", "2001:db8::1", "https://[2001:db8::1]/p?q=1"),
        (("front.test", 443), "behind.test", "front.test", "https", "behind.test", "https://behind.test/p?q=1"),
        (("api.test", 443), "me:secret@api.test:443", None, "https", "api.test", "https://api.test/p?q=1"),
        (("api.test", 443), "api.test", "api.test", "wss", "api.test", "wss://api.test/p?q=1"),
    ],
)
def test_host_and_url_are_what_the_app_asked_for(
    asked: tuple[str, int], header: str, sni: str | None, scheme: str, host: str, url: str
) -> None:
    flow = tflow.tflow(req=tutils.treq(host=asked[0], port=asked[1], authority=b"", path=b"/p?q=1"))
    flow.client_conn.sni = sni
    assert lines.where(flow, scheme, header) == (host, url)


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        (("10.0.2.16", 34001), {"ip": "10.0.2.16", "port": 34001}),
        (("::ffff:10.0.2.16", 1, 0, 0), {"ip": "10.0.2.16", "port": 1}),
        (("fe80::1", 2, 0, 0), {"ip": "fe80::1", "port": 2}),
        (None, None),
    ],
)
def test_endpoints(address: tuple[str, int] | None, endpoint: dict[str, object] | None) -> None:
    assert lines.endpoint(address) == endpoint


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("circle.test=127.0.0.1:8443", ("circle.test", ("127.0.0.1", 8443))),
        ("Circle.test:443=[::1]:1", ("circle.test:443", ("::1", 1))),
    ],
)
def test_places_of_hosts(entry: str, place: tuple[str, tuple[str, int]]) -> None:
    assert hosts._place(entry) == place


@pytest.mark.parametrize("entry", ["circle.test", "circle.test=", "=127.0.0.1:1", "a=b", "a=b:c", "a=b:70000"])
def test_places_that_are_none(entry: str) -> None:
    with pytest.raises(exceptions.OptionsError, match="is not name=address:port"):
        hosts._place(entry)


# -- options


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ([], "recording is not set"),
        (["recording={room}/none"], "is not a folder"),
        (["recording={room}/file"], "is not a folder"),
        (["recording=/proc"], "cannot be written"),
        (["recording={room}", "upload_limit=much"], "upload_limit is not a size"),
        (["recording={room}", "hosts=x"], "is not name=address:port"),
        (["recording={room}", "no_such_option=1"], "Unknown option: no_such_option"),
    ],
)
def test_a_wrong_option_ends_the_program_with_one_clear_line(tmp_path: Path, settings: list[str], words: str) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, str(capture_py()), "--set", f"confdir={tmp_path / 'ca'}"]
    for setting in settings:
        command += ["--set", setting.format(room=tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


# -- stock mitmdump


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    with servers.running(tmp_path) as upstream:
        yield upstream


@pytest.mark.lab
def test_stock_mitmdump_records(tmp_path: Path, upstream: Upstream) -> None:
    recording = tmp_path / "recording"
    recording.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "mitmdump"), "--listen-host", "127.0.0.1", "--listen-port", str(port)]
    for script in ("uploads.py", "record/hosts.py"):
        command += ["-s", str(capture_py().parent / script)]
    places = ",".join(f"{name}={address}:{at}" for name, (address, at) in upstream.hosts.items())
    for setting in (
        f"recording={recording}",
        f"confdir={tmp_path / 'ca'}",
        f"hosts={places}",
        f"ssl_verify_upstream_trusted_ca={upstream.ca}",
    ):
        command += ["--set", setting]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        end = time.monotonic() + 60
        while not listens(port):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
        trusting = ssl.create_default_context(cafile=tmp_path / "ca" / "mitmproxy-ca-cert.pem")
        with httpx.Client(proxy=f"http://127.0.0.1:{port}", verify=trusting, timeout=30) as client:
            assert client.post("https://secure.test/small", content=b"small").status_code == 201
            assert client.post("http://plain.test/large", content=b"large" * 100_000).status_code == 201
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    small, large = (parse(line) for line in (recording / "uploads.jsonl").read_bytes().splitlines())
    assert isinstance(small, Upload)
    assert isinstance(large, Upload)
    assert (small.url, small.status, small.size) == ("https://secure.test/small", 201, 5)
    assert (large.url, large.status, large.size) == ("http://plain.test/large", 201, 500_000)
    assert (recording / "bodies" / str(large.body)).read_bytes() == b"large" * 100_000
    assert "error" not in said.lower(), said


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.lab
def test_stock_mitmdump_says_what_is_missing(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "mitmdump"), "-s", str(capture_py().with_name("uploads.py"))]
    ended = subprocess.run(
        [*command, "--set", f"confdir={tmp_path}", "--set", "recording=/nowhere", "--listen-port", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "/nowhere is not a folder" in ended.stdout + ended.stderr
