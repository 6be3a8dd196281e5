"""The addon by itself: its options; and that stock mitmdump runs it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appwitness.events import Upload, parse
from appwitness.proxy import capture_py
from tests.lab import upstream as servers
from tests.lab.upstream import Upstream

# -- options


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ([], "recording is not set"),
        (["recording={room}/none"], "is not a folder"),
        (["recording=/proc"], "cannot be written"),
        (["recording={room}", "upload_limit=much"], "upload_limit is not a size"),
        (["recording={room}", "hosts=x"], "is not name=address:port"),
        (["recording={room}", "no_such_option=1"], "Unknown option: no_such_option"),
    ],
)
def test_a_wrong_option_ends_the_program_with_one_clear_line(tmp_path: Path, settings: list[str], words: str) -> None:
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
