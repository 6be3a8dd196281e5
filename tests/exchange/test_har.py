"""HAR in and out: what browsers write is read, and what we write is read again the same."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.errors import FileError
from monitor.events import Endpoint, Gap, Tls, Upload
from monitor.exchange import Origin, har, imported

APP = "com.example.circle"


def entry(**request):
    """An exchange as Chrome saves it."""
    request = {
        "method": "POST",
        "url": "https://api.circle.test/sync?lat=31.2",
        "httpVersion": "http/2.0",
        "headers": [
            {"name": ":authority", "value": "api.circle.test"},
            {"name": "content-type", "value": "application/json"},
            {"name": "Proxy-Authorization", "value": "Basic c2VjcmV0"},
        ],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": 2,
        "postData": {"mimeType": "application/json", "text": "{}"},
        **request,
    }
    return {
        "startedDateTime": "2026-05-01T10:00:00.000+02:00",
        "time": 80.0,
        "request": request,
        "response": {"status": 200},
        "serverIPAddress": "[2001:db8::1]",
        "timings": {"blocked": 1.5, "dns": -1, "connect": 20, "ssl": 15, "send": 0.5, "wait": 50, "receive": 8},
    }


def save(path, *entries):
    path.write_text(
        "\ufeff" + json.dumps({"log": {"version": "1.2", "creator": {}, "entries": list(entries)}}), "utf-8"
    )
    return path


def uploads(path):
    return [event for event in har.read(path, APP).events if isinstance(event, Upload)]


def test_an_exchange_of_chrome(tmp_path) -> None:
    (upload,) = uploads(save(tmp_path / "a.har", entry()))
    assert upload == Upload(
        at=datetime(2026, 5, 1, 8, 0, 0, 22_000, UTC),
        app=APP,
        via="http",
        method="POST",
        url="https://api.circle.test/sync?lat=31.2",
        host="api.circle.test",
        headers=(("content-type", "application/json"),),
        body=hashlib.sha256(b"{}").hexdigest(),
        size=2,
        type="application/json",
        server=Endpoint(ip="2001:db8::1", port=443),
        tls=Tls(sni="api.circle.test", alpn="h2"),
        status=200,
    )


BODIES: dict[str, tuple[dict[str, Any], bytes, bool]] = {
    "text": ({"postData": {"text": "名=张三"}, "bodySize": -1}, "名=张三".encode(), False),
    "base64": (
        {"postData": {"text": base64.b64encode(b"\x1f\x8b\xff").decode(), "encoding": "base64"}},
        b"\x1f\x8b\xff",
        False,
    ),
    "a character a byte": ({"postData": {"text": "\x1f\x8b\xff"}, "bodySize": 3}, b"\x1f\x8b\xff", False),
    "form as parameters": (
        {
            "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "t", "value": "a b"}]},
            "bodySize": 5,
        },
        b"t=a+b",
        False,
    ),
    "multipart as parameters": (
        {
            "postData": {"mimeType": "multipart/form-data", "params": [{"name": "f", "fileName": "x.jpg"}]},
            "bodySize": 900,
        },
        b"f=x.jpg",
        True,
    ),
    "multipart, said to be empty (Playwright)": (
        {"postData": None, "bodySize": 0, "headers": [{"name": "Content-Type", "value": "multipart/form-data"}]},
        b"",
        True,
    ),
    "only a header says that there was one": (
        {"postData": None, "bodySize": 0, "headers": [{"name": "Content-Length", "value": "900"}]},
        b"",
        True,
    ),
    "decoded (mitmproxy)": (
        {"postData": {"text": "{}"}, "bodySize": 20, "headers": [{"name": "content-encoding", "value": "gzip"}]},
        b"{}",
        False,
    ),
    "a beginning": ({"postData": {"text": "{}"}, "bodySize": 900}, b"{}", True),
    "left out": ({"postData": {"mimeType": "image/png"}, "bodySize": 900}, b"", True),
    "none": ({"postData": None, "bodySize": 0}, b"", False),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(tmp_path, name) -> None:
    request, body, truncated = BODIES[name]
    conversion = har.read(save(tmp_path / "a.har", entry(**request)), APP)
    (upload,) = [event for event in conversion.events if isinstance(event, Upload)]
    assert (upload.size, upload.truncated) == (len(body), truncated)
    assert conversion.bodies == ([body] if body else [])
    gaps = [event.why for event in conversion.events if isinstance(event, Gap)]
    assert gaps == (["body_truncated"] if truncated else [])


def test_websocket_messages_that_were_sent(tmp_path) -> None:
    one = entry(url="wss://push.circle.test/s", method="GET", postData=None, bodySize=0)
    one["_webSocketMessages"] = [
        {"type": "send", "time": 1777622400.25, "opcode": 1, "data": "+8613800138000"},
        {"type": "receive", "time": 1777622400.5, "opcode": 1, "data": "ok"},
        {"type": "send", "time": 1777622401.0, "opcode": 2, "data": base64.b64encode(b"\x00\x01").decode()},
    ]
    conversion = har.read(save(tmp_path / "a.har", one), APP)
    sent = [event for event in conversion.events if isinstance(event, Upload) and event.via == "websocket"]
    assert conversion.bodies == [b"+8613800138000", b"\x00\x01"]
    assert [event.at.microsecond for event in sent] == [250_000, 0]
    assert {event.host for event in sent} == {"push.circle.test"}


@pytest.mark.parametrize("time", [1777622400.25, 1777622400250.0], ids=["seconds", "milliseconds (Playwright)"])
def test_websocket_messages_of_a_request_that_has_http_in_its_url(tmp_path, time) -> None:
    one = entry(url="https://push.circle.test/s", method="GET", postData=None, bodySize=0)
    one["_webSocketMessages"] = [{"type": "send", "time": time, "opcode": 1, "data": "+8613800138000"}]
    path = save(tmp_path / "a.har", one)
    opened, sent = uploads(path)
    assert (opened.url, sent.url) == ("https://push.circle.test/s", "wss://push.circle.test/s")
    assert sent.at == datetime(2026, 5, 1, 8, 0, 0, 250_000, UTC)
    written = json.loads(har.write(imported([path], tmp_path / "r", Origin(APP))))["log"]["entries"]
    assert [message["data"] for message in written[0]["_webSocketMessages"]] == ["+8613800138000"]
    assert len(written) == 1, "the request and its messages are one entry"


def test_an_entry_that_is_none_is_a_gap_and_costs_no_other(tmp_path) -> None:
    broken = {"startedDateTime": "2026-05-01T10:00:00Z", "request": {"method": "GET"}}
    events = har.read(save(tmp_path / "a.har", broken, {}, entry()), APP).events
    assert [event.subject for event in events if isinstance(event, Gap)] == ["a.har entry 0", "a.har entry 1"]
    assert sum(isinstance(event, Upload) for event in events) == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"log": {}}', '{"log": 1}', "not json"])
def test_what_is_no_har_is_refused(tmp_path, content) -> None:
    path = tmp_path / "a.har"
    path.write_text(content)
    with pytest.raises(FileError, match=r"a\.har: not HAR"):
        har.read(path, APP)


def test_what_is_written_is_read_again(tmp_path) -> None:
    one = entry(url="wss://push.circle.test/s", method="GET", postData=None, bodySize=0)
    one["_webSocketMessages"] = [{"type": "send", "time": 1777622400.25, "opcode": 1, "data": "hello"}]
    gz = entry(postData={"text": base64.b64encode(b"\x1f\x8b\xff").decode(), "encoding": "base64"})
    first = imported([save(tmp_path / "a.har", entry(), gz, one)], tmp_path / "one", Origin(APP))
    (tmp_path / "b.har").write_text(har.write(first))
    second = imported([tmp_path / "b.har"], tmp_path / "two", Origin(APP))
    fields = ("at", "via", "method", "url", "host", "headers", "body", "size", "type", "server", "status")
    plain = [[getattr(upload, name) for name in fields] for upload in first.events(Upload)]
    again = [[getattr(upload, name) for name in fields] for upload in second.events(Upload)]
    assert again == plain
    assert len(plain) == 4
