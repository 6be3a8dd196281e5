"""Tests of places in their notations: found where both coordinates fit the same one, and nowhere else."""

from __future__ import annotations

import json

import pytest

from appwitness.events import Value
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from appwitness.match.geo import grids, systems

SHANGHAI, SYDNEY, RIO = (31.238361, 121.435598), (-33.880626, 151.134528), (-22.951916, -43.210487)


def index_of(*points):
    index = ValueIndex()
    for point in points:
        index.add(point, Value(type="location", text=f"{point[0]:.6f},{point[1]:.6f}"))
    return index


INDEX = index_of(SHANGHAI, SYDNEY, RIO)


def find(body, index=INDEX):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    decoded = decode.leaves_of(data, narrow=index.narrow)
    return index.find(decoded.leaves, decoded.passed_over)


def both(write, lat="lat", lon="lon"):
    return lambda point: {lat: write(point[0]), lon: write(point[1])}


def parts(degrees, letters):
    size = round(abs(degrees) * 360_000)
    return size // 360_000, size % 360_000 // 6000, size % 6000 / 100, letters[degrees < 0]


def named(point, *names):
    return {
        "lat": dict(zip(names, parts(point[0], "NS"), strict=True)),
        "lon": dict(zip(names, parts(point[1], "EW"), strict=True)),
    }


def flat(point, before, *names):
    axes = (("lat", point[0], "NS"), ("lon", point[1], "EW"))
    return {
        f"{before}{axis}{name}": part
        for axis, degrees, letters in axes
        for name, part in zip(names, parts(degrees, letters), strict=True)
    }


def aprs(point):
    def one(degrees, wide, letters):
        return f"{int(abs(degrees)):0{wide}d}{abs(degrees) % 1 * 60:05.2f}{letters[degrees < 0]}"

    return {"packet": f"!{one(point[0], 2, 'NS')}/{one(point[1], 3, 'EW')}>test"}


IN_LARGE_TOO = {
    "degrees minutes": aprs,
}
ONLY_IN_SMALL = {
    "degrees minutes seconds": lambda point: named(point, *"dmsh"),
    "degrees minutes seconds (words)": lambda point: named(point, "degrees", "minutes", "seconds", "ref"),
    "degrees minutes seconds (Chinese)": lambda point: named(point, "度", "分", "秒", "ref"),
    "degrees minutes seconds (flat)": lambda point: flat(point, "gps_", "_deg", "_min", "_sec", "_ref"),
    "degrees minutes seconds (camel)": lambda point: flat(point, "", "Deg", "Min", "Sec", "Hemisphere"),
    "degrees minutes seconds (lists)": lambda point: {
        "latitude": parts(point[0], "NS"),
        "longitude": parts(point[1], "EW"),
    },
    "degrees minutes": lambda point: {
        "lat": [int(abs(point[0])), round(abs(point[0]) % 1 * 60, 4)],
        "lon": [int(abs(point[1])), round(abs(point[1]) % 1 * 60, 4)],
        "h": "NS"[point[0] < 0] + "EW"[point[1] < 0],
    },
}
FILLING = [
    {"seq": n, "event": "open_list", "at": 1_700_000_000_000 + n * 37, "id": f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}"}
    for n in range(200)
]


@pytest.mark.parametrize("point", [SHANGHAI, SYDNEY, RIO])
@pytest.mark.parametrize(("name", "write"), [*IN_LARGE_TOO.items(), *ONLY_IN_SMALL.items()])
def test_a_place_is_found_in_every_notation(name, write, point):
    hits = [hit for hit in find({"seq": 1, "fix": write(point), "ok": True}) if hit.strong]
    assert {hit.key for hit in hits} == {point}
    of = name.partition(" (")[0]
    assert of in {hit.variant.of for hit in hits}


@pytest.mark.parametrize("point", [SHANGHAI, SYDNEY, RIO])
@pytest.mark.parametrize("name", IN_LARGE_TOO)
def test_so_it_is_in_a_large_document(name, point):
    body = json.dumps([*FILLING, {"fix": IN_LARGE_TOO[name](point)}, *FILLING]).encode()
    decoded = decode.leaves_of(body, narrow=INDEX.narrow)
    assert decoded.passed_over > 10_000
    assert {hit.key for hit in INDEX.find(decoded.leaves, decoded.passed_over)} == {point}


NOT_FOUND = (
    {"lat": {"d": 31, "m": 14, "s": 18.1}},
    {"lat": {"d": 31, "m": 14, "s": 18.1}, "lon": {"d": 121, "m": 26, "s": 18.15}},
    {"lat": {"d": 31, "m": 14}, "lon": {"d": 121, "m": 26}},  # two kilometres
    {"lat": {"d": 31, "m": 14.3017}, "lon": {"d": 121, "m": 26, "s": 8.15}},
    {"lat": {"d": 31, "m": 74, "s": 18.1}, "lon": {"d": 121, "m": 26, "s": 8.15}},
    {"late": {"d": 31, "m": 14, "s": 18.1}, "alone": {"d": 121, "m": 26, "s": 8.15}},
    {"start": {"d": 31, "m": 14, "s": 18.1}, "end": {"d": 121, "m": 26, "s": 8.15}},
    {"lat": {"d": 31, "m": 14, "s": 18.1, "h": "S"}, "lon": {"d": 121, "m": 26, "s": 8.15, "h": "E"}},
    {"call": "!3114.30S/12126.14E>test"},
    {"gh": "wtw3e4"},  # the cell beside it
)


@pytest.mark.parametrize("fields", NOT_FOUND)
def test_what_only_looks_like_a_place_is_none(fields):
    assert [hit for hit in find(fields) if hit.strong] == []


def test_a_short_geohash_is_found_under_its_key():
    six = systems.geohash(*SHANGHAI, 6)
    assert [hit.strong for hit in find({"geohash": six})] == [True]
    assert [hit.strong for hit in find({"user_gh6": six})] == [True]
    for key in ("code", "hash", "high", "v"):
        assert not any(hit.strong for hit in find({key: six})), key


BEIJING = (39.9081726, 116.3974799)
IN_BAIDU_METRES = {
    "keys": {"x": 12958853.71, "y": 4826056.12},
    "text": {"loc": "12958853.71,4826056.12"},
    "whole metres": {"point": {"x": 12958854, "y": 4826056}},
    "in a list": {"ll": [12958853.7, 4826056.1]},
}


@pytest.mark.parametrize("name", IN_BAIDU_METRES)
def test_the_metres_of_baidus_maps_are_found(name):
    index = index_of(BEIJING)
    document = IN_BAIDU_METRES[name]
    assert {hit.variant.name for hit in find(document, index) if hit.strong} == {"bd09mc"}
    rows = [{"n": n, "name": "x" * 40} for n in range(300)]
    assert {hit.variant.name for hit in find([*rows, document, *rows], index)} == {"bd09mc"}
    assert not find({"x": 12958853.71 + 40, "y": 4826056.12}, index)
    assert not find({"x": 12958853.71, "y": 4826056.12}, index_of((39.9085726, 116.3974799)))


def test_baidus_metres_are_those_that_its_maps_name():
    x, y = grids.baidu_metres(39.915, 116.404)
    assert (round(x, 2), round(y, 2)) == (12958175.0, 4825923.77)


UNDER_KEYS = {
    "a tile": (RIO, {"ll": "18/99607/148250"}, "map tile"),
    "a cell of H3": ((51.5180239, -0.1744926), {"h3_index": "89195da486fffff"}, "h3 cell"),
    "a cell of H3 as a number": ((52.4752745, 13.4525571), {"h3": 617540203972919295}, "h3 cell"),
    "a point as a line": ((31.2951996, 121.4755287), {"ll": "_j_~DauldV"}, "coordinates"),
    "a line": ((37.7859609, -122.466419), {"gps": "wbqeFrdpjVo}@o}@o}@?"}, "coordinates"),
}


@pytest.mark.parametrize("name", UNDER_KEYS)
def test_what_a_key_says_to_be_a_place_is_read_as_one(name):
    point, document, variant = UNDER_KEYS[name]
    assert variant in {hit.variant.name for hit in find(document, index_of(point)) if hit.strong}
    moved = (point[0] + 0.02, point[1])
    assert not find(document, index_of(moved))
