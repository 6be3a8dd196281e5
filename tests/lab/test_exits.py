"""What leaves an app without a connection is an upload, with what it holds and the code that sent it."""

from __future__ import annotations

import pytest

from appwitness.events import Upload

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def test_messages_bluetooth_and_nfc(play):
    played = play("Main", files=["exits"])
    recording = played.recording
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
    assert played.gaps == []
