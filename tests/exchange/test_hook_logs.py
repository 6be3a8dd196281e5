"""Hook logs of other tools as accesses."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from monitor.errors import FileError, UserError
from monitor.events import Access, Gap, Value
from monitor.exchange import hook_logs, planted

APP = "com.example.circle"
STACK = [
    "android.telephony.TelephonyManager.getLine1Number(Native Method)",
    "com.friendgraph.sdk.Sync.run(Sync.java:12)",
]


def call(cls="android.telephony.TelephonyManager", method="getLine1Number", returned="+8613800138000", **fields):
    """A line of frooky."""
    return {
        "id": "14535033-08ea-4063-897c-eacd4a885d8b",
        "type": "hook",
        "category": "PRIVACY",
        "time": "2026-05-01T08:00:00.250Z",
        "class": cls,
        "method": method,
        "stackTrace": STACK,
        "inputParameters": [{"declaredType": "java.lang.String", "value": "gps"}],
        "returnValue": [{"declaredType": "java.lang.String", "value": returned}],
        **fields,
    }


def save(path, *lines):
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def test_a_call_of_frooky(tmp_path) -> None:
    (access,) = hook_logs.read(save(tmp_path / "a.jsonl", call()), APP).events
    assert access == Access(
        at=datetime(2026, 5, 1, 8, 0, 0, 250_000, UTC),
        app=APP,
        source="android.telephony.TelephonyManager.getLine1Number",
        data="phone_number",
        values=(Value(type="phone_number", text="+8613800138000"),),
        outcome="returned",
        args={"subscription": "gps"},
        stack=("com.friendgraph.sdk.Sync.run(Sync.java:12)",),
    )


PLACE = {"cls": "android.location.LocationManager", "method": "getLastKnownLocation"}
CASES = {
    "a place as Android prints it": (
        call(**PLACE, returned="Location[gps 31.230416,121.473701 hAcc=5.0 et=+1d]"),
        "returned",
        [("location", "31.230416,121.473701")],
    ),
    "only an object": (call(**PLACE, returned="<instance: android.location.Location>"), "returned", []),
    "an object by its hash": (call(returned="java.lang.Object@ffdab67"), "returned", []),
    "null": (call(returned=None), "empty", []),
    "nested": (call(returned={"a": 1}), "returned", []),
    "no return value": (call(returnValue=[]), "empty", []),
}


@pytest.mark.parametrize("name", CASES)
def test_values(tmp_path, name) -> None:
    line, outcome, values = CASES[name]
    (access,) = hook_logs.read(save(tmp_path / "a.jsonl", line), APP).events
    assert isinstance(access, Access)
    assert access.outcome == outcome
    assert [(value.type, value.text) for value in access.values] == values


def test_what_no_source_names_is_counted_and_what_is_no_call_is_a_gap(tmp_path) -> None:
    other = call(cls="java.io.File", method="exists")
    lines = [other, other, {"type": "summary"}, "not json\n", "[1]\n", call(time="yesterday"), call()]
    events = hook_logs.read(save(tmp_path / "a.jsonl", *lines), APP).events
    gaps = [(event.subject, event.detail) for event in events if isinstance(event, Gap)]
    assert [subject for subject, _ in gaps] == ["a.jsonl:4", "a.jsonl:5", "a.jsonl:6", "java.io.File.exists"]
    assert gaps[-1][1] == "2 calls; no source names this API"
    assert sum(isinstance(event, Access) for event in events) == 1


MAPPING = """
time: [ts]
class: [api, 0]
method: [api, 1]
returned: [ret]
argument: [args, "*"]
stack: [bt]
"""


@pytest.mark.parametrize("ts", [1777622400.25, 1777622400250, "1777622400.25", "2026-05-01T08:00:00.25"])
def test_another_tool_by_a_mapping(tmp_path, ts) -> None:
    mapping = tmp_path / "mine.yml"
    mapping.write_text(MAPPING)
    line = {
        "ts": ts,
        "api": ["android.telephony.TelephonyManager", "getLine1Number"],
        "ret": "1",
        "bt": "a.B.c(D.java:1)\n",
    }
    (access,) = hook_logs.read(save(tmp_path / "a.jsonl", line), APP, mapping).events
    assert isinstance(access, Access)
    assert access.at == datetime(2026, 5, 1, 8, 0, 0, 250_000, UTC)
    assert access.stack == ("a.B.c(D.java:1)",)


def test_a_mapping_with_a_mistake_names_the_line(tmp_path) -> None:
    mapping = tmp_path / "mine.yml"
    mapping.write_text(MAPPING + "klass: [x]\n")
    with pytest.raises(FileError, match=r"mine\.yml:8"):
        hook_logs.read(save(tmp_path / "a.jsonl", call()), APP, mapping)


@pytest.mark.parametrize("word", ["phone_number", "=1", "phone_number="])
def test_a_value_that_is_none(word) -> None:
    with pytest.raises(UserError, match="is not TYPE=VALUE"):
        planted.persona([word])
