"""Whose an upload is: by port, by host, by the agent's own word; other apps; what bypassed the proxy."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from appwitness.events import Connection, Endpoint, Gap, Run, Upload
from appwitness.events.seen import see
from appwitness.judge.connections import Connections, bypass_gap, connections_of, foreign_gaps, found_at
from tests.judge.scenario import TABLE

START = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)
APP = "com.example.shop"
PROXY = Endpoint(ip="192.168.1.2", port=8080)
PHONE = "192.168.1.7"
API = ["java.net.Socket.connect(Socket.java:1)", "com.example.shop.Api.send(Api.java:7)"]
OTHER_LINE = ["java.net.Socket.connect(Socket.java:1)", "com.example.shop.Api.send(Api.java:9)"]
SDK = ["okhttp3.internal.X.connect(X.kt:1)", "com.adnet.sdk.AdNet.send(AdNet.java:9)"]
POOL = ["okhttp3.internal.X.connect(X.kt:1)", "java.lang.Thread.run(Thread.java:1)"]


def at(seconds):
    return START + timedelta(seconds=seconds)


def line(seconds, port, op="connect", stack=API, host=None, ip=PHONE, remote=PROXY, **more):
    return Connection(
        at=at(seconds), app=APP, pid=77, op=op, local=Endpoint(ip=ip, port=port), remote=remote, host=host,
        stack=() if op == "close" else tuple(stack), **more
    )  # fmt: skip


def upload(seconds, port=None, host="api.shop.test", ip=PHONE, via="http", **more):
    return Upload(
        at=at(seconds), via=via, host=host, client=Endpoint(ip=ip, port=port) if port else None, **more
    )  # fmt: skip


def known(*lines, offset_ms=0, **options):
    made = Connections(**options)
    for number, one in enumerate(lines, 1):
        made.add(see(f"connections.jsonl:{number}", one, offset_ms))
    return made


def seen(sent):
    return {ref: see(ref, each, 0) for ref, each in sent.items()}


def carrier(connections, sent):
    return connections.carriers(seen({"uploads.jsonl:1": sent}), TABLE).get("uploads.jsonl:1")


@pytest.mark.parametrize(
    ("lines", "port", "expected"),
    [
        ([(10, "connect", 5001)], 5001, 1),
        ([(10, "connect", 5001)], 5002, None),
        ([(10, "connect", 5001), (15, "connect", 5001)], 5001, 2),
        ([(10, "connect", 5001), (25, "connect", 5001)], 5001, 1),
        ([(10, "connect", 5001), (15, "write", 5001)], 5001, 2),
        ([(10, "connect", 5001), (15, "write", 5001), (22, "write", 5001)], 5001, 2),
        ([(10, "connect", 5001), (15, "write", 5001), (21, "close", 5001)], 5001, 2),
        ([(10, "connect", 5001), (15, "close", 5001)], 5001, None),  # the port is somebody else's by now
        ([(10, "connect", 5001), (19.9, "close", 5001)], 5001, 1),
        ([(10, "connect", 5001), (15, "close", 5001), (19, "connect", 5001)], 5001, 3),
        ([(20.1, "connect", 5001)], 5001, 1),  # clocks differ a little
        ([(30, "connect", 5001)], 5001, None),
        ([(10, "connect", 5001)], None, None),
    ],
)
def test_by_port_it_is_the_last_line_of_a_connection_that_is_open(lines, port, expected):
    made = [line(seconds, local, op) for seconds, op, local in lines]
    for order in itertools.permutations(enumerate(made, 1)):
        connections = Connections()
        for number, one in order:
            connections.add(see(f"connections.jsonl:{number}", one, 0))
        found = carrier(connections, upload(20, port, host=None))
        assert (found and found.ref) == (f"connections.jsonl:{expected}" if expected else None)


def test_device_times_are_put_on_the_clock_of_the_host():
    connections = known(line(10, 5001), line(15, 5001, "close"), offset_ms=10_000)
    assert carrier(connections, upload(3, 5001)) is not None
    assert carrier(connections, upload(13, 5001)) is None


def test_it_names_the_process_the_code_and_whose_that_is():
    found = carrier(known(line(10, 5001, stack=SDK)), upload(20, 5001))
    assert (found.by, found.confidence, found.app, found.pid) == ("port", 1.0, APP, 77)
    assert (found.code.code, found.code.owner, found.code.ref) == (
        "com.adnet.sdk.AdNet.send", "AdNet", "connections.jsonl:1",
    )  # fmt: skip


def test_on_a_connection_that_is_reused_it_is_the_code_that_writes():
    connections = known(line(10, 5001, stack=API), line(15, 5001, "write", SDK))
    assert carrier(connections, upload(12, 5001)).code.code == "com.example.shop.Api.send"
    assert carrier(connections, upload(16, 5001)).code.code == "com.adnet.sdk.AdNet.send"


def test_a_stack_of_the_platforms_own_threads_tells_nothing():
    found = carrier(known(line(10, 5001, stack=POOL)), upload(20, 5001))
    assert (found.ref, found.code) == ("connections.jsonl:1", None)


def test_what_the_agent_wrote_says_itself_which_code_it_was():
    sent = upload(20, 5001, app=APP, pid=77, stack=tuple(SDK))
    joined = carrier(known(line(10, 5001, stack=POOL)), sent)
    assert (joined.ref, joined.by, joined.code.ref) == ("connections.jsonl:1", "port", "uploads.jsonl:1")
    alone = carrier(known(), sent.model_copy(update={"client": None}))
    assert (alone.ref, alone.by, alone.code.owner) == (None, "agent", "AdNet")


# Where the agent led connections to the proxy, under names.


@pytest.mark.parametrize(
    ("lines", "name", "expected"),
    [
        ([line(10, 5001, announced="77.1")], "77.1", (1, "name")),
        ([line(10, 5001, announced="77.1"), line(15, 61_000, announced="77.2")], "77.1", (1, "name")),
        ([line(10, 5001, announced="77.1"), line(15, 5001, "write", SDK, announced="77.1")], "77.1", (2, "name")),
        ([line(10, 61_000, ip="127.0.0.1")], "77.1", None),  # its own line is lost: the same port is chance
        ([line(10, 5001, host="api.shop.test")], "77.1", None),
        ([line(10, 5001, announced="77.1")], None, None),
    ],
)  # fmt: skip
def test_by_name_it_is_certain_and_nothing_else_is_tried(lines, name, expected):
    connections = known(*lines, ports_kept=False)
    sent = behind(20).model_copy(update={"announced": name})
    found = carrier(connections, sent)
    assert (found and (found.ref, found.by)) == (expected and (f"connections.jsonl:{expected[0]}", expected[1]))
    sends = seen({"uploads.jsonl:1": sent})
    assert connections.foreign(sends, connections.carriers(sends, TABLE)) == frozenset()


def test_what_was_led_to_the_proxy_did_not_bypass_it_and_a_gap_knows_its_app():
    there = Endpoint(ip="203.0.113.9", port=443)
    connections = known(line(10, 5001, remote=there, announced="77.1"), line(11, 5002, remote=there))
    assert [one.event.local.port for one in connections.bypassing([], [], PROXY)] == [5002]
    gap = Gap(at=at(20), where="proxy", subject="a.test", why="tls_refused", client=Endpoint(ip="127.0.0.1", port=5002))
    assert connections.app_of(gap.model_copy(update={"announced": "77.1"})) == APP
    assert connections.app_of(gap.model_copy(update={"announced": "77.9"})) is None


# Where an emulator or a tunnel changes ports.


def test_where_ports_are_lost_one_that_is_the_same_is_chance():
    lost = Run.model_validate(
        {"id": "r", "app": {"package": APP}, "device": {"serial": "s", "kind": "phone"}, "started": START,
         "route": {"keeps_port": False, "host": "10.0.2.2", "port": 8080}}
    )  # fmt: skip
    connections = connections_of(lost)
    at_proxy = Endpoint(ip="10.0.2.2", port=8080)
    connections.add(see("connections.jsonl:1", line(10, 61_000, ip="127.0.0.1", host="other.test", remote=at_proxy), 0))
    connections.add(
        see("connections.jsonl:2", line(10, 61_001, ip="127.0.0.1", remote=Endpoint(ip="203.0.113.9", port=443)), 0)
    )
    assert carrier(connections, behind(20)) is None
    chance = upload(20, 61_001, ip="127.0.0.1")
    assert [one.event.local.port for one in connections.bypassing([chance], [], PROXY, found_at(lost))] == [61_001]


def behind(seconds, size=0, host="api.shop.test"):
    return upload(seconds, 61_000, ip="127.0.0.1", size=size, host=host)


@pytest.mark.parametrize(
    ("lines", "ref", "confidence"),
    [
        ([line(10, 5001, host="api.shop.test")], 1, 0.8),
        ([line(10, 5001, host="API.shop.test")], 1, 0.8),
        ([line(10, 5001, host="other.test")], None, None),
        ([line(10, 5001)], None, None),
        ([line(21, 5001, host="api.shop.test")], None, None),
        ([line(10, 5001, host="api.shop.test"), line(15, 5001, "close")], None, None),
        ([line(10, 5001, host="api.shop.test"), line(15, 5002, host="api.shop.test")], 2, 0.6),
        ([line(10, 5001, host="api.shop.test"), line(15, 5002, host="api.shop.test", stack=SDK)], None, None),
        (
            [line(10, 5001, host="api.shop.test"), line(15, 5002, host="api.shop.test", stack=OTHER_LINE)],
            2,
            0.6,
        ),  # a GET opens it in getInputStream, a POST in getOutputStream
        (
            [line(10, 5001, host="api.shop.test", stack=POOL), line(15, 5002, host="api.shop.test", stack=POOL)],
            None,
            None,
        ),
        ([line(10, 5001, host="api.shop.test"), line(15, 5001, "write", SDK, host="api.shop.test")], 2, 0.8),
        (
            [
                line(10, 5001, host="api.shop.test", stack=SDK),
                line(22, 5001, "close", sent=99),
                line(15, 5002, host="api.shop.test"),
                line(22, 5002, "close", sent=101),
            ],
            3,
            0.8,
        ),  # only one of them carried enough
    ],
)
def test_by_host_time_and_size_it_is_less_certain(lines, ref, confidence):
    found = carrier(known(*lines), behind(20, size=100))
    assert (found and found.ref) == (f"connections.jsonl:{ref}" if ref else None)
    if found:
        assert (found.by, found.confidence) == ("host", confidence)


def test_where_ports_are_kept_the_host_is_not_asked():
    connections = known(line(10, 5001, host="api.shop.test"))
    sent = seen({"uploads.jsonl:1": upload(20, 5001), "uploads.jsonl:2": upload(21, 5999)})
    assert list(connections.carriers(sent)) == ["uploads.jsonl:1"]


# Other apps, and what no proxy saw.


def test_uploads_of_no_socket_of_the_app_are_marked_where_ports_are_kept():
    connections = known(line(10, 5001))
    sent = {
        "uploads.jsonl:1": upload(20, 5001),
        "uploads.jsonl:2": upload(21, 5999, host="play.test"),
        "uploads.jsonl:3": upload(21, 5998, via="dns"),
        "uploads.jsonl:4": upload(21, 5999, app=APP, pid=77),
        "uploads.jsonl:5": upload(22, None),
        "uploads.jsonl:6": upload(23, 5999, host="play.test"),
    }
    sent = seen(sent)
    foreign = connections.foreign(sent, connections.carriers(sent))
    assert foreign == {"uploads.jsonl:2", "uploads.jsonl:6"}
    (gap,) = foreign_gaps(sent[ref] for ref in sorted(foreign))
    assert (gap.subject, gap.why, gap.at) == ("play.test", "process_not_instrumented", at(21))
    assert (gap.detail or "").startswith("2 uploads to play.test came from no socket of the app")


def test_nothing_is_called_another_apps_where_ports_are_not_kept():
    connections = known(line(10, 5001, host="api.shop.test"))
    sent = seen({"uploads.jsonl:1": behind(20), "uploads.jsonl:2": behind(20, host="play.test")})
    assert connections.foreign(sent, connections.carriers(sent)) == frozenset()


FAR = Endpoint(ip="198.51.100.9", port=443)


def test_connections_past_the_proxy_are_counted_by_host():
    lines = [
        line(10, 5001),  # to the proxy
        line(11, 5002, remote=FAR, host="b.test"),
        line(12, 5002, "close", remote=FAR, sent=900),
        line(13, 5003, remote=FAR, host="b.test"),
        line(14, 5004, remote=FAR),
        line(15, 5005, remote=FAR, host="seen.test"),  # transparent: the proxy has its upload
        line(16, 5006, remote=FAR, host="refused.test"),  # and of this one a gap
        line(17, 5007, remote=FAR, host="idle.test"),
        line(18, 5007, "close", remote=FAR, sent=0),
        line(19, 5008, remote=Endpoint(ip="127.0.0.1", port=9000)),  # stays on the device
        line(19, 5009, remote=Endpoint(ip="8.8.8.8", port=53), transport="udp"),
        line(19, 5010, "write", remote=FAR),
    ]
    gaps = [
        Gap(at=at(16), where="proxy", subject="refused.test", why="tls_refused", client=Endpoint(ip=PHONE, port=5006)),
        Gap(at=at(16), where="proxy", subject="proxy", why="detached"),
    ]
    past = known(*lines).bypassing([upload(15, 5005), upload(15, None)], gaps, PROXY)
    assert [one.event.local.port for one in past] == [5002, 5003, 5004, 5010]
    gap = bypass_gap(past[:3])
    assert gap is not None
    assert gap.detail == "3 connections to 2 hosts bypassed the proxy: b.test, 198.51.100.9"
    assert (gap.where, gap.why, gap.app) == ("correlate", "not_decrypted", APP)
    assert bypass_gap([]) is None


def test_a_gap_of_a_connection_is_the_apps_that_opened_it():
    connections = known(line(10, 5001))
    about = {"at": at(11), "where": "proxy", "subject": "a.test", "why": "tls_refused"}
    assert connections.app_of(Gap(**about, client=Endpoint(ip=PHONE, port=5001))) == APP
    assert connections.app_of(Gap(**about, client=Endpoint(ip=PHONE, port=5002))) is None
    assert connections.app_of(Gap(**about)) is None
