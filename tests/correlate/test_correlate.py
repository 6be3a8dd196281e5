"""The walk: following comes to the same as once, late lines still count, and what is cut off becomes a gap."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appwitness import events
from appwitness.correlate import Outcome, correlate, follow, is_current, knowledge, report
from appwitness.recording import Recording
from appwitness.store import Store

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
NUMBER = "+8613800138000"


@pytest.fixture
def recording(tmp_path):
    return Recording.create(
        tmp_path / "r",
        events.Run(
            id="r",
            app=events.AppIdentity(package="com.example.pages"),
            device=events.DeviceIdentity(serial="lab", kind="lab"),
            started=START,
            clock_offset_ms=0,
        ),
    )


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "i.sqlite")


def access(second: float, text: str = NUMBER) -> events.Access:
    return events.Access(
        at=START + timedelta(seconds=second),
        app="com.example.pages",
        source="android.telephony.TelephonyManager.getLine1Number",
        data="phone_number",
        values=(events.Value(type="phone_number", text=text),),
        outcome="returned",
    )


def upload(recording: Recording, second: float, text: str = NUMBER, **more: Any) -> events.Upload:
    body = json.dumps({"n": text}).encode()
    fields = {
        "via": "http",
        "method": "POST",
        "url": "https://api.pages.test/",
        "host": "api.pages.test",
        "body": recording.put_body(body),
        "size": len(body),
        "type": "application/json",
        "tls": events.Tls(version="TLSv1.3"),
        **more,
    }
    return events.Upload(at=START + timedelta(seconds=second), **fields)


def wait_for(condition, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_following_finds_an_access_that_is_reported_after_its_upload(recording, store):
    done = threading.Event()
    seen: list[Outcome] = []
    thread = threading.Thread(target=follow, args=(recording, store, knowledge(), done.is_set, seen.append))
    thread.start()
    try:
        recording.append(upload(recording, 2))
        assert wait_for(lambda: list(store.read("r", "upload")))
        recording.append(access(1))
        assert wait_for(lambda: any(outcome.findings for outcome in seen))
    finally:
        done.set()
        thread.join()
    (flow,) = store.flows("r")
    assert (flow.access, flow.upload) == ("accesses.jsonl:1", "uploads.jsonl:1")


def test_what_did_not_happen_is_said_at_the_end_of_the_run_only(recording, store):
    done = threading.Event()
    seen: list[Outcome] = []
    last: list[Outcome] = []
    thread = threading.Thread(
        target=lambda: last.append(follow(recording, store, knowledge(), done.is_set, seen.append))
    )
    thread.start()
    try:
        recording.append(events.Phase(at=START, app="com.example.pages", state="foreground"))
        recording.append(access(1))
        recording.append(upload(recording, 2))
        assert wait_for(lambda: any(outcome.flows for outcome in seen))
        assert not is_current(recording, store, knowledge())
    finally:
        done.set()
        thread.join()
    assert all("no-first-run-notice" not in {finding.rule for finding in outcome.findings} for outcome in seen)
    assert "no-first-run-notice" in {finding.rule for finding in last[0].findings}
    assert is_current(recording, store, knowledge())


def test_the_clock_of_the_device_is_corrected(recording, store):
    recording.update_run(clock_offset_ms=5000)
    recording.append(access(6))
    recording.append(upload(recording, 2))
    (flow,) = correlate(recording, store, knowledge()).flows
    assert flow.access_at == START + timedelta(seconds=1)


def test_the_socket_that_carried_the_upload_is_named(recording, store):
    recording.append(access(1))
    recording.append(
        events.Connection(
            at=START + timedelta(seconds=1.5),
            local=events.Endpoint(ip="127.0.0.1", port=40000),
            remote=events.Endpoint(ip="127.0.0.1", port=8080),
            stack=("java.net.Socket.connect(Socket.java:1)", "com.example.Sender.send(Sender.java:2)"),
        )
    )
    recording.append(upload(recording, 2, client=events.Endpoint(ip="127.0.0.1", port=40000)))
    (flow,) = correlate(recording, store, knowledge()).flows
    assert flow.connection == "connections.jsonl:1"
    assert "connections.jsonl:1" in report(store, "r", knowledge()).evidence


def test_a_body_that_is_missing_is_a_gap(recording, store):
    recording.append(upload(recording, 2, body="0" * 64))
    correlate(recording, store, knowledge())
    gaps = [gap for gap in report(store, "r", knowledge()).gaps if gap.subject == "uploads.jsonl:1"]
    assert [gap.why for gap in gaps] == ["body_truncated"]


@pytest.mark.slow
def test_a_zip_bomb_is_a_gap_and_not_a_crash(recording, store):
    import gzip

    bomb = gzip.compress(gzip.compress(bytes(1 << 28)))
    recording.append(access(1))
    recording.append(
        upload(
            recording,
            2,
            body=recording.put_body(bomb),
            size=len(bomb),
            headers=(("content-encoding", "gzip, gzip"),),
        )
    )
    correlate(recording, store, knowledge())
    assert "decode_limit" in {gap.why for gap in report(store, "r", knowledge()).gaps}
