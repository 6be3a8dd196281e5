"""HAR in and out: what browsers write is read, and what we write is read again the same."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.events import Endpoint, Gap, Tls, Upload
from appwitness.exchange import Origin, har, imported
from appwitness.recording import verify
from appwitness.support.errors import FileError

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
    "binary data of HTTP Toolkit": (
        {
            "postData": None,
            "bodySize": 20,
            "headers": [{"name": "content-encoding", "value": "gzip"}],
            "_content": {"text": base64.b64encode(b"\x0a\xff").decode(), "size": 2, "encoding": "base64"},
            "_requestBodyStatus": "discarded:not-representable",
        },
        b"\x0a\xff",
        False,
    ),
    "left out by HTTP Toolkit": (
        {"postData": None, "bodySize": 9_000_000, "_requestBodyStatus": "discarded:too-large"},
        b"",
        True,
    ),
    "half characters for bytes (mitmproxy)": (
        {"postData": {"text": "{\udcff\udc80}"}, "bodySize": 4},
        b"{\xff\x80}",
        False,
    ),
    "half a character": ({"postData": {"text": "a\ud83d"}, "bodySize": -1}, b"a\xed\xa0\xbd", False),
    "a character a byte, length unknown": (
        {"postData": {"text": "\x0a\x03\x1f\xff"}, "bodySize": -1},
        b"\x0a\x03\x1f\xff",
        False,
    ),
    "UTF-8, a character a byte, length unknown": (
        {"postData": {"text": "å\x90\x8d"}, "bodySize": -1},
        "名".encode(),
        False,
    ),
    "text of few letters, length unknown": ({"postData": {"text": "é"}, "bodySize": -1}, "é".encode(), False),
    "bytes replaced (Chrome)": (
        {"postData": {"text": "\x0a\ufffd\ufffd"}, "bodySize": 3},
        "\x0a\ufffd\ufffd".encode(),
        True,
    ),
    "replacement characters that were sent": (
        {"postData": {"text": "\ufffd"}, "bodySize": 3},
        "\ufffd".encode(),
        False,
    ),
    "base64 in lines": (
        {"postData": {"text": "H4v\r\n/\n", "encoding": "base64"}, "bodySize": 3},
        b"\x1f\x8b\xff",
        False,
    ),
    "parameters without values": (
        {
            "postData": {
                "mimeType": "multipart/form-data; boundary=x",
                "text": "",
                "params": [{"name": "a"}, {"name": "b", "value": None, "fileName": "x.jpg"}, {"name": "c", "value": 0}],
            },
            "bodySize": 900,
        },
        b"a=&b=x.jpg&c=0",
        True,
    ),
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


GOOD = entry()
DEEP = "[" * 100_000 + "]" * 100_000


def with_(**fields):
    """An entry with other fields, as JSON."""
    return json.dumps({**GOOD, **fields})


def with_request(**fields):
    return json.dumps(entry(**fields))


DAMAGED = {
    "null": "null",
    "a list": "[]",
    "a number": "7",
    "nothing": "{}",
    "request null": with_(request=None),
    "headers null": with_request(headers=[None]),
    "a header without a name": with_request(headers=[{"value": "x"}]),
    "a URL that is none": with_request(url="https://[::1/x"),
    "a port that is none": with_request(url="https://x.test:99999/"),
    "URL null": with_request(url=None),
    "half a character in the URL": with_request(url="https://x.test/\ud800"),
    "no method": with_request(method=None),
    "base64 that is none": with_request(postData={"text": "a*b", "encoding": "base64"}),
    "text that is none": with_request(postData={"text": {"a": 1}}),
    "time null": with_(startedDateTime=None),
    "year 0": with_(startedDateTime="0000-01-01T00:00:00Z"),
    "year 1": with_(startedDateTime="0001-01-01T00:00:00+14:00"),
    "year 9999": with_(startedDateTime="9999-12-31T23:59:59.999999-12:00"),
    "a time as a number": with_(startedDateTime=1e300),
    "a phase of ages": with_(timings={"blocked": 1e300}),
    "a phase without end": with_(timings={"blocked": float("inf")}),
    "phases null": with_(timings={"blocked": "x"}),
    "nested deeply": with_(x=0).replace('"x": 0', f'"x": {DEEP}'),
    "a number of five thousand digits": with_(x=0).replace('"x": 0', f'"x": {"9" * 5000}'),
    "an escape that is none": with_(x="?").replace('"?"', '"\\q"'),
    "half an escape": with_(x="?").replace('"?"', '"\\u12"'),
    "no JSON": '{"startedDateTime": }',
    "the response no object": with_(response=[1]),
}


def test_a_damaged_entry_costs_itself_and_is_named(tmp_path) -> None:
    """One file of all of them, with a good entry before and after each."""
    path = tmp_path / "a.har"
    entries = [json.dumps(GOOD), *(text for damaged in DAMAGED.values() for text in (damaged, json.dumps(GOOD)))]
    path.write_text(f'{{"log": {{"entries": [{", ".join(entries)}]}}}}', "utf-8")
    recording = imported([path], tmp_path / "r", Origin(APP))
    assert len(list(recording.events(Upload))) == len(DAMAGED) + 1
    assert [gap.subject for gap in recording.events(Gap)] == [f"a.har entry {2 * at + 1}" for at in range(len(DAMAGED))]
    assert recording.run.started.year == 2026
    assert verify(recording.path).ok


def test_bytes_that_are_no_utf8_are_kept(tmp_path) -> None:
    path = tmp_path / "a.har"
    sent = entry(postData={"text": "?"}, bodySize=1)
    path.write_bytes(json.dumps({"log": {"entries": [sent]}}).encode().replace(b'"?"', b'"\xff"'))
    assert har.read(path, APP).bodies == [b"\xff"]


@given(st.lists(st.one_of(st.just(json.dumps(GOOD)), st.sampled_from(sorted(DAMAGED.values())))), st.integers(0, 10**6))
def test_requests_in_are_requests_imported_and_gaps(tmp_path_factory, entries, cut) -> None:
    folder = tmp_path_factory.mktemp("har")
    whole = '{"log": {"entries": [' + ",".join(entries) + "]}}"
    (folder / "a.har").write_text(whole, "utf-8")
    events = har.read(folder / "a.har", APP).events
    assert len(events) == len(entries)
    assert sum(isinstance(event, Upload) for event in events) == entries.count(json.dumps(GOOD))
    begin = whole.index("[") + 1
    (folder / "a.har").write_text(whole[: begin + cut % (len(whole) - begin)], "utf-8")
    before = har.read(folder / "a.har", APP).events
    assert before[:-1] == events[: len(before) - 1] or isinstance(before[-1], Gap)


def test_one_bad_message_of_a_websocket_costs_itself(tmp_path) -> None:
    one = entry(url="wss://push.circle.test/s", method="GET", postData=None, bodySize=0)
    good = {"type": "send", "time": 1777622400.25, "opcode": 1, "data": "hello"}
    one["_webSocketMessages"] = [{**good, "time": 1e300}, None, {**good, "data": {"a": 1}}, {"type": "send"}, good]
    events = har.read(save(tmp_path / "a.har", one), APP).events
    assert [event.subject[-9:] for event in events if isinstance(event, Gap)] == [f"message {n}" for n in range(4)]
    assert [event.via for event in events if isinstance(event, Upload)] == ["http", "websocket"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say how much memory there was")
def test_a_large_file_is_read_in_little_memory(tmp_path) -> None:
    path = tmp_path / "large.har"
    answer = (
        json.dumps(entry())[:-1]
        + f', "x": 1, "response": {{"status": 200, "content": {{"text": "{"x" * 30_000_000}"}}}}}}'
    )
    many = json.dumps(entry(postData={"text": "y" * 50_000}, bodySize=50_000))
    with path.open("w") as file:
        file.write('{"log": {"entries": [')
        for _ in range(4):
            file.write(f"{answer},\n" + f"{many},\n" * 400)
        file.write(f"{many}]}}}}")
    assert path.stat().st_size > 200_000_000
    program = (
        "import sys\nfrom pathlib import Path\nfrom appwitness.exchange import Origin, imported\n"
        "imported([Path(sys.argv[1])], Path(sys.argv[2]), Origin('a.b'))\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", program, path, tmp_path / "r"], capture_output=True, check=True)
    assert int(done.stdout) < 200_000, "kB; a fifth of it is Python and what is imported"
    assert sum(1 for _ in (tmp_path / "r" / "uploads.jsonl").open()) == 1605


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
