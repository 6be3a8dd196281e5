"""The app under test shares the agent's process: what it sends through the agent's channel is checked."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appwitness.agent import agent_listener
from appwitness.agent.agent_listener import Listener
from appwitness.agent.agent_messages import bounded, is_small
from appwitness.agent.device_clock import DeviceClock
from appwitness.agent.hooked import Hooked
from appwitness.agent.process_recorder import ProcessRecorder
from appwitness.events import FILES, AppIdentity, BadLine, DeviceIdentity, Gap, Run, Screen, Upload, format_time, parse
from appwitness.recording import Recording, verify
from appwitness.recording.quota import Limited, Quota
from tests.strategies import examples

PID = 4711
APP = "com.example.hostile"


def now(**offset):
    return format_time(datetime.now(UTC) + timedelta(**offset))


@pytest.fixture
def recording(tmp_path):
    run = Run(
        id="r", app=AppIdentity(package=APP), device=DeviceIdentity(serial="x", kind="lab"), started=datetime.now(UTC)
    )
    with Recording.create(tmp_path / "r", run) as recording:
        yield recording


def day_behind(number):
    CLOCK.told(number, int((datetime.now(UTC).timestamp() - 86_400) * 1e6))


CLOCK = DeviceClock(day_behind)


def listener(records, clock=None):
    """What hears an agent, and has nobody to ask back."""
    clock = clock or DeviceClock(lambda number: None)
    record = ProcessRecorder(records, APP, PID, clock)
    hooked = Hooked([], None, partial=False)
    return Listener(record, hooked, clock, {}, post=lambda said: None, child=lambda pid, how, line: None)


@pytest.fixture
def agent(recording):
    return listener(recording)


def send(agent, type_, data=None, **payload):
    agent.on_message({"type": "send", "payload": {"type": type_, **payload}}, data)


def send_lines(agent, *lines):
    send(agent, "lines", "\n".join(lines).encode("utf-8", "surrogatepass"))


def line(kind, **fields):
    return {"v": 1, "kind": kind, "at": now(), "app": APP, "pid": PID, **fields}


def access(**fields):
    return line("access", **{"source": "s", "data": "location", "outcome": "returned", **fields})


def consent(**fields):
    return line("consent", **{"signal": "tap", "status": "given", "by": "user", **fields})


def screen(**fields):
    return line("screen", **{"by": "agent", "why": "change", **fields})


def upload(**fields):
    return line("upload", **{"via": "sms", "host": "+100", **fields})


def gap(**fields):
    return line("gap", **{"where": "hook", "subject": "s", "why": "install_failed", **fields})


def phase(**fields):
    return line("phase", **{"state": "foreground", **fields})


def transform(**fields):
    blob = {"b64": "eA=="}
    return line("transform", **{"op": "digest", "algorithm": "MD5", "input": blob, "output": blob, **fields})


END = {"ip": "10.0.0.1", "port": 1}
DEEP = json.loads("[" * 50 + "]" * 50)
NAMED = {"body": "0" * 64, "size": 999}

# Made when they are tried, for their time must be that of the run.
ALLOWED = {
    "a field of its own, which is passed over": lambda: access(unknown=DEEP),
    "a read": access,
    "values": lambda: access(values=[{"type": "name", "text": "x" * 60_000, "row": 1}] * 100),
    "a digest": transform,
    "a connection": lambda: line("connection", local=END, remote=END),
    "a tap of the user": consent,
    "a claim of the app": lambda: consent(signal="sdk_call", by="app"),
    "a permission": lambda: consent(signal="permission_result"),
    "a text message": upload,
    "a touch": lambda: screen(what="touch", touched={"label": "Agree", "by": "user"}),
    "a phase": phase,
    "what started it": lambda: phase(state="mark", text="started by a broadcast: x"),
    "a hook that failed": gap,
    "of the device": lambda: gap(where="device"),
    "a little late": lambda: access(at=now(seconds=-1)),
    "a little early": lambda: access(at=now(seconds=5)),
}
REFUSED = {
    "an operator's word": lambda: consent(signal="operator", by="operator"),
    "an operator's signal": lambda: consent(signal="operator", by="user"),
    "by an operator": lambda: consent(by="operator"),
    "a claim as the user's": lambda: consent(signal="sdk_call", by="user"),
    "a correction": lambda: consent(corrects="consents.jsonl:1"),
    "a retraction": lambda: consent(retracts="consents.jsonl:1"),
    "a look from outside": lambda: screen(by="host", what="look"),
    "a touch of the plan": lambda: screen(what="touch", touched={"label": "Agree", "by": "plan"}),
    "a picture that never came": lambda: screen(image="0" * 64),
    "the proxy's upload": lambda: upload(via="http", url="https://rival.test/"),
    "another's name lookup": lambda: upload(via="dns"),
    "a phase in a person's name": lambda: phase(by="operator"),
    "an answer to a checklist": lambda: phase(answered={"checklist": "cn-164", "item": "1.4.3", "answer": "pass"}),
    "a person's mark": lambda: phase(state="mark", text="observation ended"),
    "the proxy's gap": lambda: gap(where="proxy"),
    "the clock's gap": lambda: gap(where="clock", why="no_clock"),
    "the correlator's gap": lambda: gap(where="correlate"),
    "another app": lambda: access(app="com.example.rival"),
    "no app": lambda: access(app=None),
    "another process": lambda: access(pid=1),
    "no process": lambda: access(pid=None),
    "before the run": lambda: access(at=now(hours=-1)),
    "after now": lambda: access(at=now(hours=1)),
    "the first year": lambda: access(at="0001-01-01T00:00:00Z"),
    "before the first year": lambda: access(at="0001-01-01T00:00:00+10:00"),
    "the last year": lambda: access(at="9999-12-31T23:59:59.999999Z"),
    "repeats after now": lambda: access(count=2, until=now(hours=1)),
    "repeats before it": lambda: access(count=2, until=now(hours=-1)),
    "a long text": lambda: access(target="x" * (2 << 20)),
    "deep arguments": lambda: access(args={"a": DEEP}),
    "a huge number": lambda: access(count=10**30),
    "an infinite number": lambda: access(args={"a": float("inf")}),
    "not a number": lambda: access(args={"a": float("nan")}),
    "a body that never came": lambda: upload(body="0" * 64, size=3),
    "a digest of what never came": lambda: transform(input=NAMED),
    "a kind that is not there": lambda: line("verdict"),
    "no kind": lambda: {},
    "an upload that is a list": lambda: [],
    "a surrogate": lambda: access(source="\ud800"),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_the_agent_says_is_recorded_with_the_time_it_came(agent, recording, what):
    send_lines(agent, json.dumps(case := ALLOWED[what]()))
    kind = case["kind"]
    [read] = recording.read(kind, finished=True)
    assert read.event is not None
    assert read.event.arrived is not None
    assert (kind == "gap") == bool(list(recording.read("gap")))


@pytest.mark.parametrize("what", REFUSED)
def test_what_it_may_not_say_is_a_gap_and_costs_nothing_else(agent, recording, what):
    good = json.dumps(access())
    send_lines(agent, good, json.dumps(REFUSED[what]()), good)
    agent.record.raise_failure()
    assert len(list(recording.read("access"))) == 2
    [refused] = recording.events(Gap)
    assert (refused.where, refused.why) == ("hook", "refused")
    assert all(not list(recording.read(kind)) for kind in FILES if kind not in ("access", "gap"))


def test_refusals_are_counted_and_told_twice(agent, recording):
    for _ in range(500):
        send_lines(agent, json.dumps(access(pid=1)), "{")
    agent.record.close()
    told = [gap.detail for gap in recording.events(Gap)]
    assert told == [
        "a line of another process", "not a line of the contract",
        "a line of another process: 500 in all", "not a line of the contract: 500 in all",
    ]  # fmt: skip


def test_times_are_held_against_the_clock_of_the_device(recording):
    agent = listener(recording, CLOCK)
    CLOCK.measure()
    send_lines(agent, json.dumps(access(at=now(days=-1))), json.dumps(access()))
    assert len(list(recording.read("access"))) == 1
    assert [gap.detail for gap in recording.events(Gap)] == ["a time outside the run"]


def test_a_body_that_came_may_be_named_and_the_recording_verifies(agent, recording):
    data = b"x" * 999
    sha256 = hashlib.sha256(data).hexdigest()
    send(agent, "body", data, sha256="anything")
    send_lines(agent, json.dumps(upload(body=sha256, size=999)), json.dumps(transform(input=NAMED)))
    assert len(list(recording.read("upload"))) == 1
    assert not list(recording.read("transform"))
    recording.stamp(final=True)
    assert verify(recording.path).ok


ASKED = {"fact": "permissions_asked", "permissions": ["android.permission.CAMERA"]}
FACTS: dict[str, Any] = {
    "a question of another app": {**ASKED, "app": "com.example.rival"},
    "a question of another process": {**ASKED, "pid": 1},
    "a question of yesterday": {**ASKED, "at": now(days=-1)},
    "a question at no time": {**ASKED, "at": float("nan")},
    "a deep question": {**ASKED, "permissions": DEEP},
    "a surrogate": {**ASKED, "permissions": ["\ud800"]},
    "no question": {"fact": "confession"},
    "a list": [1],
    "nothing": None,
}


@pytest.mark.parametrize("what", FACTS)
def test_a_fact_that_cannot_be_costs_itself(agent, recording, what):
    about = {"at": now(), "app": APP, "pid": PID}
    fact = {**about, **FACTS[what]} if isinstance(FACTS[what], dict) else FACTS[what]
    send(agent, "facts", facts=[fact, {**about, **ASKED, "permissions": ["android.permission.READ_SMS"]}])
    agent.record.raise_failure()
    assert len(list(recording.read("consent"))) == 1
    assert [gap.why for gap in recording.events(Gap)] == ["refused"]


PLAIN = {"id": 1, "at": 0, "way": "out"}
MESSAGES: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a number": 7,
    "no type": {},
    "a type that is a list": {"type": []},
    "an unknown type": {"type": "\x1b[2J"},
    "lines that are none": {"type": "lines"},
    "facts that are none": {"type": "facts", "facts": "x"},
    "statuses that are none": {"type": "statuses", "statuses": [{"source": 1}]},
    "a clock without a number": {"type": "clock"},
    "a clock of nan": {"type": "clock", "number": 1, "at": float("nan")},
    "a clock of the far future": {"type": "clock", "number": 0, "at": 10**300},
    "a check that is a list": {"type": "unpinned", "check": [], "state": "met"},
    "an end of some kind": {"type": "exit", "how": {}, "inside": 3},
    "a child that is none": {"type": "child", "pid": "1", "how": "own", "line": "x"},
    "a child of a negative number": {"type": "child", "pid": -1, "how": "own", "line": "x"},
    "a fault without words": {"type": "fault"},
    "plaintext of no time": {"type": "plain", **PLAIN, "at": float("inf")},
    "plaintext of the far future": {"type": "plain", **PLAIN, "at": 10**40},
    "plaintext of no way": {"type": "plain", **PLAIN, "way": "up"},
    "plaintext of a port too high": {"type": "plain", **PLAIN, "about": {"local": {"ip": "x", "port": 10**9}}},
    "plaintext of a strange stack": {"type": "plain", **PLAIN, "stack": [1, 2]},
}


@pytest.mark.parametrize("what", MESSAGES)
def test_a_message_that_cannot_be_is_a_gap(agent, recording, what):
    agent.on_message({"type": "send", "payload": MESSAGES[what]}, b"x")
    agent.on_message({"type": "send"}, None)
    agent.record.raise_failure()
    gaps = list(recording.events(Gap))
    assert gaps
    assert {gap.why for gap in gaps} == {"refused"}
    assert "\x1b" not in "".join(gap.detail or "" for gap in gaps)


def test_a_message_of_too_many_lines_costs_itself(agent, recording):
    send_lines(agent, *["{}"] * 10_001)
    send_lines(agent, json.dumps(access()))
    agent.record.raise_failure()
    assert [gap.detail for gap in recording.events(Gap)] == ["a message with too many lines"]
    assert len(list(recording.read("access"))) == 1


def test_a_run_is_no_larger_than_its_quota(recording):
    limited = Limited(recording, Quota(recording.path, max_bytes=8000, free_bytes=0))
    agent = listener(limited)
    for number in range(20):
        data = bytes([number]) * 1000
        send(agent, "body", data)
        send_lines(agent, json.dumps(upload(body=hashlib.sha256(data).hexdigest(), size=1000)))
    kept = [upload.body is not None for upload in recording.events(Upload)]
    assert kept == sorted(kept, reverse=True)
    assert {True, False} == set(kept)
    for _ in range(20):
        send_lines(agent, *[json.dumps(access())] * 5)
    agent.record.raise_failure()
    limited.close()
    written = sum(path.stat().st_size for path in recording.path.rglob("*") if path.is_file())
    assert written < 20_000
    assert len(list(recording.read("access"))) < 100
    whys = {(gap.why, gap.subject) for gap in recording.events(Gap)}
    assert {("quota", "bodies"), ("quota", "lines")} <= whys
    assert any(gap.until is not None for gap in recording.events(Gap) if gap.why == "quota")
    recording.stamp(final=True)
    assert verify(recording.path).ok


def test_nothing_of_the_app_is_stored_while_the_disk_is_nearly_full(recording):
    agent = listener(Limited(recording, Quota(recording.path, free_bytes=1 << 60)))
    send(agent, "body", b"x" * 1000)
    send_lines(agent, *[json.dumps(access())] * 10)
    agent.record.raise_failure()
    assert not list(recording.read("access"))
    assert not list((recording.path / "bodies").iterdir())
    assert [gap.why for gap in recording.events(Gap)] == ["quota", "quota"]


def test_plaintext_of_another_time_is_refused(agent, recording):
    request = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
    for number, at in enumerate((datetime.now(UTC), datetime.now(UTC) - timedelta(days=9))):
        send(agent, "plain", request, id=number, at=int(at.timestamp() * 1e6), way="out", about={"host": "a.test"})
        send(agent, "plain", id=number, at=int(at.timestamp() * 1e6), way="end")
    assert len(list(recording.read("upload"))) == 1
    assert [gap.detail for gap in recording.events(Gap)] == ["a time outside the run"]


def test_a_flood_of_faults_is_bounded(agent, recording):
    for number in range(1000):
        send(agent, "fault", detail=f"fault {number} \ud800" + "x" * 10_000)
    agent.record.raise_failure()
    gaps = list(recording.events(Gap))
    assert len(gaps) <= 201
    assert all(len(gap.detail or "") <= 2100 for gap in gaps)
    assert len(agent.record.faults) <= 20


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5)
    | st.sampled_from(["\ud800", "\x00", "\x1b[2J", 10**400, "9" * 5000, APP, PID]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = [
    "id", "at", "way", "about", "stack", "facts", "statuses", "number", "check", "state", "how", "inside",
    "pid", "line", "detail",
]  # fmt: skip
GOOD = (access(), consent(), upload(), gap(), phase(), transform())


@st.composite
def payloads(draw):
    """A message of the agent's with something in it that is not."""
    type_ = draw(
        st.sampled_from(
            ["body", "plain", "lines", "facts", "statuses", "clock", "unpinned", "exit", "child", "fault", "x"]
        )
    )
    fields = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, odd)))
    if type_ == "facts" and draw(st.booleans()):
        fields["facts"] = [{**ASKED, "at": now(), "app": APP, "pid": PID, draw(st.sampled_from([*ASKED])): draw(odd)}]
    return {"type": type_, **fields}


@st.composite
def mutants(draw):
    """Bytes beside a message: odd ones, or a line of the agent's with something in it that is not."""
    mutant = dict(draw(st.sampled_from(GOOD)))
    mutant[draw(st.sampled_from([*mutant, "extra"]))] = draw(odd)
    try:
        return json.dumps(mutant).encode()
    except (TypeError, ValueError):
        return draw(st.binary(max_size=40))


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(payloads() | odd, max_size=5), st.none() | st.binary(max_size=40) | mutants())
def test_nothing_that_the_app_sends_ends_the_run(agent, recording, sent, data):
    for payload in sent:
        if isinstance(payload, dict) and payload.get("type") == "exit":
            continue  # answered through Frida
        agent.on_message({"type": "send", "payload": payload}, data)
    agent.record.raise_failure()
    assert all(read.event is not None for kind in FILES for read in recording.read(kind))


numbers = st.integers(0, 2**60) | st.sampled_from([2**53, 2**53 + 1])
texts = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=5)


@settings(max_examples=examples(300))
@given(numbers, texts, st.booleans())
def test_whatever_has_a_small_line_is_bounded(number, text, ascii_only):
    line = json.dumps(access(boot_ms=number, thread=text), ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        event = parse(line)
    except BadLine:
        return  # half a letter that is not escaped
    if is_small(line):
        bounded(event)


def test_the_usual_line_is_small_and_one_with_a_value_that_is_not_bounded_is_not():
    usual = access(values=[{"type": "imei", "text": "356938035643809"}], stack=["a.B.c(B.java:12)"], args={"key": "x"})
    assert is_small(json.dumps(usual).encode())
    for text in (str(2**53 + 1), "1e300", "1E9", '"\\ud800"', f'"{"x" * (1 << 20)}"'):
        assert not is_small(json.dumps(usual).replace('"x"', text).encode())


PICTURE = b"a picture"


def numbered_screen(agent, number):
    body = hashlib.sha256(PICTURE).hexdigest()
    send(agent, "lines", json.dumps(screen(image=body)).encode(), n=number)


@pytest.mark.parametrize("end", ["lost", "exit", "the run ends"])
@pytest.mark.parametrize("again", [True, False])
def test_a_line_waits_for_a_body_that_was_lost_before_it(recording, end, again):
    agent = listener(recording)
    send(agent, "facts", facts=[], n=1)
    agent.numbering.returned = True
    numbered_screen(agent, 3)  # 2 was lost with the connection
    numbered_screen(agent, 4)
    assert list(recording.events(Screen)) == []
    if again:
        send(agent, "body", PICTURE, n=2)
    match end:
        case "lost":
            send(agent, "lost", count=0)
        case "exit":
            send(agent, "exit", how="exit", inside=None, n=5)
        case _:
            agent.close()
    assert len(list(recording.events(Screen))) == (2 if again else 0)
    assert len(list(recording.events(Gap))) == (0 if again else 1)
    send(agent, "body", PICTURE, n=6)
    numbered_screen(agent, 7)
    assert len(list(recording.events(Screen))) == (3 if again else 1)  # nothing waits any more


def test_what_waits_is_bounded(recording, monkeypatch):
    monkeypatch.setattr(agent_listener, "MOST_HELD", 3)
    agent = listener(recording)
    send(agent, "body", PICTURE, n=1)
    agent.numbering.returned = True
    for number in range(3, 8):
        numbered_screen(agent, number)
    assert len(list(recording.events(Screen))) == 5
