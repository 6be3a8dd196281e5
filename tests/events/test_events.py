"""The contract: every kind parses, dumps and parses again; what is not of the contract says why."""

import json
from typing import Any

import pytest

from appwitness import events
from tests.recordings.written import RECORDINGS

AT = "2026-03-14T01:20:05.250000Z"
LINES: list[dict[str, Any]] = [
    {
        "kind": "access",
        "source": "a.B.c",
        "data": "phone_number",
        "outcome": "returned",
        "values": [{"type": "phone_number", "text": "1", "row": 0}],
    },
    {
        "kind": "access",
        "source": "libc.so!open",
        "target": "/proc",
        "data": "mac_address",
        "outcome": "denied",
        "count": 3,
        "until": AT,
    },
    {
        "kind": "transform",
        "op": "digest",
        "algorithm": "SHA-256",
        "input": {"b64": "YQ=="},
        "output": {"body": "0" * 64, "size": 300},
    },
    {
        "kind": "connection",
        "op": "connect",
        "local": {"ip": "10.0.2.16", "port": 1},
        "remote": {"ip": "::1", "port": 443},
        "host": None,
        "transport": "tcp",
    },
    {
        "kind": "upload",
        "via": "http",
        "method": "POST",
        "url": "https://a/",
        "host": "a",
        "headers": [["a", "b"]],
        "body": None,
        "size": 0,
    },
    {"kind": "consent", "signal": "tap", "status": "given", "scope": "general_policy", "by": "user", "text": "Agree"},
    {"kind": "phase", "state": "foreground"},
    {"kind": "screen", "package": "a", "tree": "0" * 64, "image": None, "why": "consent", "by": "host"},
    {"kind": "witness", "by": "appops", "subject": "CAMERA", "count": 1, "from": AT, "until": AT, "raw": {"b64": ""}},
    {"kind": "gap", "where": "proxy", "subject": "pinned.example", "why": "tls_refused"},
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["kind"])
def test_a_line_is_read_and_written_back(line):
    text = json.dumps({"v": 1, "at": AT, "app": "com.example", "pid": 7, **line})
    event = events.parse(text)
    again = json.loads(events.dump(event))
    assert again["at"] == AT
    assert {key: again[key] for key in line} == line
    assert events.parse(events.dump(event)) == event


def test_there_is_a_file_for_each_kind():
    assert {events.kind_of(kind) for kind in events.KINDS} == set(events.FILES) == {line["kind"] for line in LINES}


def test_a_field_of_a_later_version_is_passed_over():
    line = {"at": AT, "kind": "phase", "state": "mark"}
    assert events.parse(json.dumps({**line, "screenshot": "x.png"})) == events.parse(json.dumps(line))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"kind":"access","at":"2026-', "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[]", "object"),
        (b'{"kind":"session"}', "session"),
        (b'{"v":2,"kind":"phase","at":"2026-03-14T01:20:05Z","state":"mark"}', "v"),
        (b'{"kind":"phase","at":"2026-03-14T01:20:05","state":"mark"}', "timezone"),
        (b'{"kind":"phase","at":"2026-03-14T01:20:05Z","state":"asleep"}', "state"),
        (b'{"kind":"upload","at":"2026-03-14T01:20:05Z","via":"http","body":"../../etc/passwd"}', "body"),
    ],
)
def test_a_bad_line_says_what_was_expected(line, says):
    with pytest.raises(events.BadLine, match="(?i)" + says):
        events.parse(line)


def test_other_time_zones_and_fewer_digits_are_understood():
    event = events.parse('{"kind":"phase","at":"2026-03-14T09:20:05+08:00","state":"mark"}')
    assert events.format_time(event.at) == "2026-03-14T01:20:05.000000Z"


def test_a_blob_is_inline_up_to_256_bytes():
    assert events.blob(b"a" * 256).b64 is not None
    stored = events.blob(b"a" * 257)
    assert (stored.b64, stored.size) == (None, 257)


@pytest.mark.parametrize("kind", ["access", "transform", "connection", "upload", "consent"])
def test_a_stack_of_null_is_none(kind):
    line = next(line for line in LINES if line["kind"] == kind)
    event = events.parse(json.dumps({"v": 1, "at": AT, "stack": None} | line))
    assert getattr(event, "stack", None) == ()


def test_a_clock_that_nobody_measured_may_be_null():
    run = json.loads((RECORDINGS / "clean-shop/run.json").read_text("utf-8"))
    read = events.Run(**run | {"clock_offset_ms": None, "clock_uncertainty_ms": None})
    assert (read.clock_offset_ms, read.clock_uncertainty_ms, read.clocks_compared) == (None, None, False)


@pytest.mark.parametrize(
    ("runs", "has", "translated"),
    [
        ("x86_64,x86,arm64-v8a,armeabi-v7a", ["arm64-v8a", "armeabi-v7a"], ("arm64-v8a", "x86_64")),
        ("x86_64,arm64-v8a", ["armeabi"], None),  # it does not run there
        ("x86,armeabi-v7a", ["armeabi-v7a"], ("armeabi-v7a", "x86")),
        ("x86_64,arm64-v8a", ["arm64-v8a", "x86_64"], None),
        ("x86_64,arm64-v8a,x86", ["x86"], None),
        ("arm64-v8a,armeabi-v7a", ["armeabi-v7a"], None),
        ("x86_64,arm64-v8a", [], None),
        ("", ["arm64-v8a"], None),
        (None, None, None),
    ],
)
def test_native_code_is_translated_where_apk_and_device_say_so(runs, has, translated):
    run = json.loads((RECORDINGS / "clean-shop/run.json").read_text("utf-8"))
    device = run["device"] | ({} if runs is None else {"facts": {"abis": runs}})
    app = run["app"] | ({} if has is None else {"facts": {"abis": has}})
    assert events.Run(**run | {"device": device, "app": app}).translated == translated


@pytest.mark.parametrize(
    ("field", "at"), [("at", "1969-12-31T23:59:59Z"), ("at", "2500-01-01T00:00:00Z"), ("until", "9999-12-31T23:59:59Z")]
)
def test_a_time_that_no_clock_shows_makes_a_bad_line(field, at):
    """Moved to another clock, it would leave the calendar."""
    line = {"kind": "gap", "at": "2026-03-14T09:00:00Z", "where": "hook", "subject": "x", "why": "overflow", field: at}
    with pytest.raises(events.BadLine, match="outside the years 1970 to 2500"):
        events.parse(json.dumps(line))


def test_an_unknown_field_is_not_taken_for_a_time():
    line = {"kind": "phase", "at": "2026-03-14T09:00:00Z", "state": "started", "until": ["x"]}
    assert isinstance(events.parse(json.dumps(line)), events.Phase)
