"""Requests that do not end soon, very long ones, very many at once, and WebSocket messages in pieces."""

from __future__ import annotations

import hashlib
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from appwitness.events import Upload
from tests.lab.proxy.observed import MB, Observed, peak_mb, wait_for

pytestmark = pytest.mark.lab


def of(observed: Observed, path: str) -> list[Upload]:
    return [one for one in observed.uploads() if one.url and one.url.endswith(path)]


@pytest.mark.parametrize("host", ["http://plain.test", "https://h2.test"], ids=["http1-chunked", "http2"])
def test_what_came_before_a_pause_of_a_request_that_goes_on(shared: Observed, host: str) -> None:
    to_send: queue.Queue[bytes | None] = queue.Queue()
    answers: list[httpx.Response] = []

    def post() -> None:
        with shared.client(http2=True) as client:
            answers.append(client.post(f"{host}/events", content=iter(to_send.get, None), headers={"X-First": "1"}))

    thread = threading.Thread(target=post)
    thread.start()
    events = [b"data: +8613800138000\n\n", b"data: second\n\n"]
    before = len(of(shared, "/events"))
    for event in events:
        to_send.put(event)
    first = wait_for(lambda: of(shared, "/events")[before:])[0]
    assert not answers, "it goes on"
    assert shared.body(first) == b"".join(events)
    assert (first.status, first.truncated) == (None, False)
    to_send.put(b"data: third\n\n")
    to_send.put(None)
    thread.join()
    assert answers[0].json()["size"] == len(b"".join(events) + b"data: third\n\n"), "it passed whole"
    last = of(shared, "/events")[-1]
    assert shared.body(last) == b"data: third\n\n"
    assert last.status == answers[0].status_code
    assert dict(first.headers).get("X-First", dict(first.headers).get("x-first")) == "1"
    assert last.headers == ()


def test_many_streams_of_one_connection(shared: Observed) -> None:
    bodies = {number: os.urandom(number * 997 % 50_000) for number in range(150)}
    ports: set[int] = set()

    async def post(client: httpx.AsyncClient, number: int) -> None:
        answer = await client.post(f"https://h2.test/many/{number}.", content=bodies[number])
        assert answer.http_version == "HTTP/2"
        assert answer.json()["sha256"] == hashlib.sha256(bodies[number]).hexdigest()

    async def all_at_once() -> None:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(
            http2=True, proxy=shared.url, verify=shared.tls, timeout=60, limits=limits
        ) as client:
            await post(client, 0)
            async with anyio.create_task_group() as group:
                for number in range(1, len(bodies)):
                    group.start_soon(post, client, number)

    anyio.run(all_at_once)
    uploads = {one.url: one for one in shared.uploads()}
    for number, body in bodies.items():
        upload = uploads[f"https://h2.test/many/{number}."]
        assert upload.size == len(body)
        assert upload.body == (hashlib.sha256(body).hexdigest() if body else None)
        assert upload.client
        ports.add(upload.client.port)
    assert len(ports) == 1


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_form_of_hundreds_of_megabytes(start: Callable[..., Observed], tmp_path: Path, version: str) -> None:
    observed = start()
    size = 300 * MB
    photo = tmp_path / "photo"
    block = os.urandom(MB)
    with photo.open("wb") as file:
        for _ in range(size // MB):
            file.write(block)
    host = "https://h2.test" if version == "--http2" else "https://secure.test"
    command = ["curl", "-sS", version, "--proxy", observed.url, "--cacert", str(observed.proxy.ca_pem)]
    with observed.client() as client:
        client.post("https://secure.test/warm", content=block)
    before = peak_mb(observed.proxy)
    subprocess.run(
        [*command, "-F", "phone=+8613800138000", "-F", f"file=@{photo}", f"{host}/form"],
        check=True,
        capture_output=True,
        timeout=200,
    )
    grown = peak_mb(observed.proxy) - before
    upload = observed.upload("/form")
    assert upload.body
    stored = observed.path / "bodies" / upload.body
    with stored.open("rb") as file:
        assert b"+8613800138000" in file.read(10_000)
        assert hashlib.file_digest(stored.open("rb"), "sha256").hexdigest() == upload.body
    assert size < stored.stat().st_size == upload.size
    assert not upload.truncated
    assert grown < 32


@pytest.mark.parametrize("compressed", [True, False], ids=["deflate", "plain"])
def test_websocket_messages_in_pieces(shared: Observed, compressed: bool) -> None:
    extensions = [ClientPerMessageDeflateFactory(client_max_window_bits=True)] if compressed else None
    url = f"wss://ws.test/pieces/{compressed}"
    long = os.urandom(200_000) + b"+8613800138000" * 1000

    def pieces() -> Iterator[str]:
        yield from ("name=", "王小明", "", "&tel=+8613800138000")

    with shared.websocket(
        url,
        extensions=extensions,
        compression=None,
        max_size=None,
    ) as chat:
        assert bool(chat.protocol.extensions) == compressed
        chat.send(pieces())
        chat.ping()
        assert chat.recv() == "name=王小明&tel=+8613800138000"
        chat.send(long[i : i + 7_000] for i in range(0, len(long), 7_000))
        assert chat.recv() == long
    messages = [one for one in shared.uploads() if one.url == url and one.via == "websocket"]
    assert [shared.body(one) for one in messages] == ["name=王小明&tel=+8613800138000".encode(), long]
