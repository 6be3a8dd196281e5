"""Tests of which latitude goes with which longitude: many places near somebody are in an upload, and he is at none."""

from __future__ import annotations

import json
import math
import random
import sqlite3
import struct

import pytest

from appwitness.events import Value
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from appwitness.match.geo import systems
from appwitness.match.places.pairs import Partners

HOME = (48.1371, 11.5754)
FIRST, SECOND = (48.13706, 11.60112), (48.16023, 11.57548)
"""Two places far from home: one has its latitude, the other its longitude."""


def index_of(point):
    index = ValueIndex()
    index.add("home", Value(type="location", text=f"{point[0]},{point[1]}"))
    return index


INDEX = index_of(HOME)


def found(body, index=INDEX):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    decoded = decode.leaves_of(data, narrow=index.narrow)
    return [hit for hit in index.find(decoded.leaves, decoded.passed_over) if hit.strong]


def double(number):
    return struct.pack("<d", number)


def varint(number):
    out = b""
    while number > 0x7F:
        out, number = out + bytes((number & 0x7F | 0x80,)), number >> 7
    return out + bytes((number,))


def message(*fields):
    body = b"".join(fields)
    return b"\x0a" + bytes((len(body),)) + body


def of_doubles(*points):
    return b"".join(message(b"\x09" + double(lat), b"\x11" + double(lon), b"\x1a\x01x") for lat, lon in points)


def of_integers(*points):
    return b"".join(
        message(b"\x08" + varint(round(lat * 2e7)), b"\x10" + varint(round(lon * 2e7))) for lat, lon in points
    )


def table(*points):
    base = sqlite3.connect(":memory:")
    base.execute("create table p(a real, o real)")
    base.executemany("insert into p values(?, ?)", points)
    base.commit()
    return base.serialize()


def tracks(*points):
    rows = "".join(f'<trkpt lat="{lat:.6f}" lon="{lon:.6f}"/>' for lat, lon in points)
    return f"<gpx>{rows}</gpx>".encode()


ROWS = {
    "objects": lambda *points: {"pois": [{"name": "A", "lat": lat, "lng": lon} for lat, lon in points]},
    "objects, other fields between": lambda *points: [
        {"lat": lat, "name": "cafe", "open": True, "lng": lon} for lat, lon in points
    ],
    "keys that say nothing": lambda *points: [{"a": lat, "b": lon} for lat, lon in points],
    "pairs": lambda *points: {"c": [list(point) for point in points]},
    "pairs, longitude first": lambda *points: {"c": [[lon, lat] for lat, lon in points]},
    "flat": lambda *points: [degrees for point in points for degrees in point],
    "flat, longitude first": lambda *points: [degrees for lat, lon in points for degrees in (lon, lat)],
    "columns": lambda *points: {"lats": [lat for lat, _ in points], "lons": [lon for _, lon in points]},
    "texts": lambda *points: [f"{lat},{lon}" for lat, lon in points],
    "one text": lambda *points: {"path": ";".join(f"{lat:.6f},{lon:.6f}" for lat, lon in points)},
    "polygon": lambda *points: {"path": ", ".join(f"{lon:.6f} {lat:.6f}" for lat, lon in points)},
    "rows": lambda *points: "\n".join(f"{n},{lat:.6f},{lon:.6f}" for n, (lat, lon) in enumerate(points)).encode(),
    "rows, longitude first": lambda *points: "\n".join(f"{lon:.6f}\t{lat:.6f}" for lat, lon in points).encode(),
    "start and end": lambda one, other, *_: {
        "start_lat": one[0],
        "start_lng": one[1],
        "end_lat": other[0],
        "end_lng": other[1],
    },
    "attributes": tracks,
    "doubles": of_doubles,
    "integers": of_integers,
    "a database": table,
}


@pytest.mark.parametrize("name", ROWS)
def test_a_latitude_of_one_place_and_a_longitude_of_another_are_no_place(name):
    for points in ((FIRST, SECOND), (SECOND, FIRST)):
        assert not found(ROWS[name](*points)), points


@pytest.mark.parametrize("name", [name for name in ROWS if name != "integers"])
def test_a_place_among_others_is_found(name):
    written = ROWS[name]
    for points in ((HOME, FIRST, SECOND), (FIRST, HOME, SECOND), (SECOND, HOME, FIRST)):
        if name != "start and end" or points[0] == HOME:
            assert found(written(*points)), points


@pytest.mark.parametrize("name", [name for name in ROWS if name not in ("integers", "start and end")])
def test_a_track_of_somebody_who_stands_still_is_found(name):
    near = [(HOME[0] + n * 1e-5, HOME[1] - n * 1e-5) for n in range(6)]
    assert found(ROWS[name](*near))


def test_a_latitude_far_from_its_longitude_is_found_where_no_other_is_beside_it():
    assert found({"a": {"lat": HOME[0], "speed": 3.4567}, "list": ["x"] * 20, "b": {"lon": HOME[1], "n": 7}})
    assert found({"sensors": {"y": HOME[0]}, "more": {"deep": [{"x": HOME[1]}]}})
    assert found({"lat": {"value": HOME[0], "at": 1}, "lon": {"value": HOME[1], "at": 1}})
    assert found({"lat": HOME[0], "accuracy": 12.345, "lon": HOME[1], "altitude": 99.1234})


@pytest.mark.parametrize("name", ["objects", "pairs, longitude first", "rows", "attributes", "doubles", "a database"])
def test_of_many_places_near_somebody_none_is_taken_for_his(name):
    chance, wrong = random.Random(name), []
    for _ in range(40):
        points: list[tuple[float, float]] = []
        while len(points) < 60:
            point = (HOME[0] + chance.uniform(-0.03, 0.03), HOME[1] + chance.uniform(-0.05, 0.05))
            north, east = point[0] - HOME[0], (point[1] - HOME[1]) * math.cos(math.radians(HOME[0]))
            if math.hypot(north, east) * systems.METRES_PER_DEGREE > 350:
                points.append((round(point[0], 6), round(point[1], 6)))
        wrong += found(ROWS[name](*points))
    assert not wrong
    assert found(ROWS[name](*points[:30], HOME, *points[30:]))


def test_one_of_many_cells_that_holds_somebody_says_nothing_but_a_fine_one_does():
    index = index_of((31.2304, 121.4737))
    beside = [systems.geohash(31.2304 + n * 0.01, 121.4737 - n * 0.01, 9) for n in range(1, 8)]
    own = systems.geohash(31.2304, 121.4737, 9)
    assert not found({"gh": [*(cell[:7] for cell in beside), own[:7]]}, index)
    assert not found([{"id": n, "gh": cell[:7]} for n, cell in enumerate((*beside, own))], index)
    assert found({"gh": own[:7]}, index)
    assert found({"gh": [*beside, own]}, index)


def test_a_zero_that_was_dropped_is_a_decimal():
    assert not found({"lat": 48.13, "lng": 11.575})  # 48.130 is 790 m away
    assert found({"lat": 48.14, "lng": 11.575}, index_of((48.1401, 11.5754)))


@pytest.mark.parametrize("name", ["flat", "attributes", "one text", "rows", "columns", "pairs"])
def test_a_long_track_is_read_number_by_number_not_each_with_each(name, monkeypatch):
    asked = 0
    apart = Partners.apart

    def counted(*spots):
        nonlocal asked
        asked += 1
        return apart(*spots)

    monkeypatch.setattr(Partners, "apart", counted)
    chance = random.Random(name)
    points = [(HOME[0] + chance.uniform(-0.03, 0.03), HOME[1] + chance.uniform(-0.05, 0.05)) for _ in range(3000)]
    body = ROWS[name](*((round(lat, 6), round(lon, 6)) for lat, lon in points))
    found(body)
    assert asked < 20_000
