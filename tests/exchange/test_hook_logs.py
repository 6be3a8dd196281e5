"""Hook logs of other tools as accesses."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appwitness.events import Access, Gap, Value
from appwitness.exchange import Origin, hook_logs, imported
from appwitness.support.errors import FileError

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


SECURE, PROPERTIES, RESOLVER = (
    "android.provider.Settings$Secure",
    "android.os.SystemProperties",
    "android.content.ContentResolver",
)


def asked(cls, method, *arguments, **fields):
    parameters = [{"declaredType": "java.lang.String", "value": one} for one in arguments]
    return call(cls=cls, method=method, inputParameters=parameters, **fields)


CURSOR = "<instance: android.database.Cursor, $className: android.content.ContentResolver$CursorWrapperInner>"
TOLD_APART: dict[str, tuple[str, str, list[Any], str, str]] = {
    "a setting": (SECURE, "getString", ["<instance: R>", "android_id"], "3f2a9c81d04b6e57", "android_id"),
    "another": (SECURE, "getString", ["<instance: R>", "advertising_id"], "38400000-8cf0", "advertising_id"),
    "a dot for the inner class": (SECURE.replace("$", "."), "getString", [None, "android_id"], "3f2a", "android_id"),
    "a property": (PROPERTIES, "get", ["ro.serialno"], "R58N12ABCDE", "device_id_serial"),
    "another property": (PROPERTIES, "get", ["gsm.operator.alpha"], "Vodafone", "carrier"),
    "contacts": (RESOLVER, "query", ["content://com.android.contacts/data/phones"], CURSOR, "device_contacts"),
    "messages": (RESOLVER, "query", ["content://sms/inbox"], CURSOR, "sms_content"),
    "the log of calls": (RESOLVER, "query", ["content://call_log/calls"], CURSOR, "call_log"),
}


@pytest.mark.parametrize("name", TOLD_APART)
def test_calls_are_told_apart_by_what_they_ask_for(tmp_path, name) -> None:
    cls, method, arguments, returned, data = TOLD_APART[name]
    line = asked(cls, method, *arguments, returned=returned)
    (access,) = hook_logs.read(save(tmp_path / "a.jsonl", line), APP).events
    assert isinstance(access, Access)
    assert (access.data, access.target) == (data, arguments[-1])
    assert [value.text for value in access.values] == ([] if returned == CURSOR else [returned])
    assert access.outcome == "returned"


def test_what_a_call_asks_for_and_no_source_names_is_counted(tmp_path) -> None:
    settings = [asked(SECURE, "getString", None, key) for key in ("adb_enabled", "adb_enabled", "location_mode")]
    unknown = asked(RESOLVER, "query", "<instance: android.net.Uri>")
    events = hook_logs.read(save(tmp_path / "a.jsonl", *settings, unknown, {"type": "native"}), APP).events
    assert [(event.subject, event.detail) for event in events if isinstance(event, Gap)] == [
        ("a.jsonl", "1 line with type 'native', which the mapping does not know as calls"),
        (f"{RESOLVER}.query", "1 call; the log does not have the argument that says what they asked for"),
        (f"{SECURE}.getString", "3 calls; no source names what they asked for: adb_enabled (2), location_mode (1)"),
    ]
    assert len(events) == 3


def test_what_is_counted_has_a_bound(tmp_path, monkeypatch) -> None:
    for name in ("KINDS", "WAITING"):
        monkeypatch.setattr(hook_logs, name, 3)
    monkeypatch.setattr(hook_logs, "LONG", 60)
    lines = [call(cls=f"a.b.C{number}", method="m") for number in range(5)] + [call(cls="a" * 99, method="m")]
    lines += [asked(SECURE, "getString", None, f"key{number}" + "x" * 99) for number in range(5)]
    lines += [half(LAT, 31.25, 0, number) for number in range(4)] + [half(LON, 121.5, 0, 3)]
    events = hook_logs.read(save(tmp_path / "a.jsonl", *lines), APP).events
    gaps = {event.subject: event.detail or "" for event in events if isinstance(event, Gap)}
    assert [subject for subject in gaps if "C" in subject] == ["a.b.C0.m", "a.b.C1.m", "a.b.C2.m"]
    assert gaps["others"].startswith("3 calls")
    assert gaps[f"{SECURE}.getString"].startswith("5 calls; no source names what they asked for: others (2), key0xxx")
    assert len(gaps) == 5
    places = [[value.text for value in one.values] for one in events if isinstance(one, Access)]
    assert sorted(places) == [[], [], [], ["31.25,121.5"]]


def test_overloads_are_told_apart_by_their_types(tmp_path) -> None:
    parameters = [{"declaredType": type_, "value": 1} for type_ in ("double", "double", "int")]
    line = call(cls="android.location.Geocoder", method="getFromLocation", inputParameters=parameters)
    (access,) = hook_logs.read(save(tmp_path / "a.jsonl", line), APP).events
    assert isinstance(access, Access)
    line["inputParameters"] = parameters[:1]
    (gap,) = hook_logs.read(save(tmp_path / "b.jsonl", line), APP).events
    assert isinstance(gap, Gap)


def half(method, returned, at=0, object_=None):
    """A call for half of a place."""
    time = f"2026-05-01T08:00:{at:02}Z"
    return call(cls="android.location.Location", method=method, returned=returned, time=time, instanceId=object_)


LAT, LON = "getLatitude", "getLongitude"
HALVES: dict[str, tuple[list[Any], list[str | None]]] = {
    "one after the other": ([half(LAT, 31.25), half(LON, "121.5")], ["31.25,121.5"]),
    "the other way round": ([half(LON, 121.5), half(LAT, 31.25)], ["31.25,121.5"]),
    "of two objects": (
        [half(LAT, 31.25, 0, 1), half(LAT, 52.5, 0, 2), half(LON, 13.4, 1, 2), half(LON, 121.5, 9, 1)],
        ["52.5,13.4", "31.25,121.5"],
    ),
    "each twice": ([half(LAT, 1), half(LAT, 1), half(LON, 2), half(LON, 2)], ["1,2", "1,2"]),
    "too far apart": ([half(LAT, 31.25), half(LON, 121.5, 5)], [None, None]),
    "only one": ([half(LAT, 31.25)], [None]),
    "no degrees": ([half(LAT, 131.25), half(LON, "?")], [None, None]),
}


@pytest.mark.parametrize("name", HALVES)
def test_latitude_and_longitude_are_one_place(tmp_path, name) -> None:
    lines, wanted = HALVES[name]
    accesses = hook_logs.read(save(tmp_path / "a.jsonl", *lines), APP).events
    found = [[value.text for value in one.values] for one in accesses if isinstance(one, Access)]
    assert found == [[] if one is None else [one] for one in wanted]
    assert len(accesses) == len(wanted)


def test_what_a_call_threw(tmp_path) -> None:
    lines = [call(exception=f"java.lang.{name}: no", returnValue=[]) for name in ("SecurityException", "Error")]
    found = hook_logs.read(save(tmp_path / "a.jsonl", *lines), APP).events
    assert [one.outcome for one in found if isinstance(one, Access)] == ["denied", "threw"]


LINES = [call(), call(returned="+8613900139000"), call(cls="java.io.File", method="exists")]
WRITTEN = {
    "a list": json.dumps(LINES).encode(),
    "a pretty-printed list": json.dumps(LINES, indent=2).encode(),
    "lines in UTF-16 in gzip": gzip.compress("".join(json.dumps(line) + "\r\n" for line in LINES).encode("utf-16")),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_logs_however_they_are_written(tmp_path, name) -> None:
    (tmp_path / "a.log").write_bytes(WRITTEN[name])
    recording = imported([tmp_path / "a.log"], tmp_path / "r", Origin(APP))
    assert [one.values[0].text for one in recording.events(Access)] == ["+8613800138000", "+8613900139000"]
    assert [gap.detail for gap in recording.events(Gap)] == ["1 call; no source names this API"]


ODD = {
    "a time of another age": call(time="0001-01-01T00:00:00+14:00"),
    "a time beyond all": call(time=1e300),
    "a time in the year 9999": call(time="9999-12-31T23:59:59-12:00"),
    "null": "null\n",
    "half a character": '{"type": "hook", "time": "2026-05-01T08:00:00Z", "class": "\\ud800", "method": null}\n',
    "a list for a name": call(cls=["x"]),
    "nested deeply": "[" * 100_000 + "]" * 100_000 + "\n",
    "no number that Python reads": f'{{"n": {"9" * 5000}}}\n',
    "broken off": '{"type": "hook", "cla\n',
    "bytes that are no UTF-8": call(returned="\udcff\udcfe"),
}


def test_an_odd_line_costs_itself(tmp_path) -> None:
    """One log of all of them, with a good line before and after each."""
    lines = [call(), *(line for odd in ODD.values() for line in (odd, call()))]
    recording = imported([save(tmp_path / "a.jsonl", *lines)], tmp_path / "r", Origin(APP))
    accesses = [one.values[0].text for one in recording.events(Access)]
    assert accesses.count("+8613800138000") == len(ODD) + 1
    assert len(accesses) + len(list(recording.events(Gap))) == len(lines)


def test_the_example_of_the_documentation(tmp_path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "hook-logs.md").read_text("utf-8")
    (mapping,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (log,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.yml").write_text(mapping)
    (tmp_path / "log.jsonl").write_text(log)
    found = hook_logs.read(tmp_path / "log.jsonl", APP, tmp_path / "mine.yml").events
    assert [(one.data, [value.text for value in one.values]) for one in found if isinstance(one, Access)] == [
        ("android_id", ["3f2a9c81d04b6e57"]),
        ("location", ["52.520008,13.404954"]),
    ]
    assert [(gap.subject, gap.detail) for gap in found if isinstance(gap, Gap)] == [
        ("java.io.File.exists", "1 call; no source names this API"),
    ]
    for field in hook_logs.Fields.model_fields.values():
        assert (
            f"`{field.alias or next(name for name, one in hook_logs.Fields.model_fields.items() if one is field)}`"
            in page
        )
