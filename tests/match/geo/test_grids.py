"""Tests of places in grids: cells are found at the precision they keep, what only looks like them is not."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appwitness.events import Upload, Value
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from appwitness.match.geo import grids, systems
from appwitness.match.look import JoinedLeaves
from appwitness.match.places.cells import Cells
from appwitness.match.search import KnownValues, Search
from tests.match.wording import words
from tests.unseen import START

# what s2sphere and mercantile, the libraries of others, say of three places
SHANGHAI, RIO, BERGEN = (31.238361, 121.435598), (-22.951916, -43.210487), (60.39299, 5.32415)
KNOWN = (
    (SHANGHAI, "35b26fe61", 3869278063845170103, (219498, 107106)),
    (RIO, "00997fd59", 43206226837363403, (99607, 148250)),
    (BERGEN, "463cfea83", 5061200079792686405, (134948, 75550)),
)
PLACE = Value(type="location", text="31.238361,121.435598")


def find(*leaves, url="", value=PLACE):
    index = ValueIndex()
    index.add("place", value)
    body = json.dumps(leaves[0]).encode() if leaves else b""
    upload = Upload(at=START, via="http", method="GET", url=url or None, size=len(body))
    decoded = decode.leaves(upload, body or None, narrow=index.narrow)
    return index.find(decoded.leaves)


@pytest.mark.parametrize(("point", "token", "finest", "tile"), KNOWN)
def test_cells_are_those_that_other_libraries_name(point, token, finest, tile):
    cells = {level: (cell, name) for level, cell, name in grids.s2_names(*point)}
    assert cells[16][1] == token
    assert cells[30][0] == finest
    assert grids.tile(point[0], point[1], 18) == tile


def test_hexagons_are_those_that_h3_documents():
    assert (9, 0x8928308280FFFFF) in grids.h3_cells(37.7752702151959, -122.418307270836)


FOUND = (
    ({"cell": "35b26fe61"}, "s2 cell", "of level 16", False),
    ({"cell": "35b26fe614"}, "s2 cell", "of level 17", True),
    ({"v": "35b26fe614b4"}, "s2 cell", "of level 21", True),
    ({"v": "35B26FE614B3DBB7"}, "s2 cell", "of level 30", True),
    ({"v": 3869278063845170103}, "s2 cell", "of level 30", True),
    ({"v": "3869278063845170103"}, "s2 cell", "of level 30", True),
    ({"s2": "35b26fe614c00000"}, "s2 cell", "of level 19", True),
    ({"hex": "8a30995820f7fff"}, "h3 cell", "of resolution 10, about 76 m", False),
    ({"h3": "8a30995820f7fff"}, "h3 cell", "of resolution 10", True),
    ({"v": "8C30995820F09FF"}, "h3 cell", "of resolution 12", True),
    ({"h3_index": 622351711244091391}, "h3 cell", "of resolution 10", True),
    ({"pluscode": "8Q336CQP+"}, "plus code", "of 9 characters", False),
    ({"url": "https://t.test/18/219498/107106.png"}, "map tile", "zoom 18, about 1.5e+02 m", True),
    ({"url": "https://t.test/17/53553/109749@2x.png"}, "map tile", "zoom 17", True),  # the row first
    ({"url": "https://t.test/15/27437/13388.png"}, "map tile", "zoom 15", False),
    ({"z": 18, "x": 219498, "y": 107106}, "map tile", "zoom 18", True),
    ({"TileMatrix": "18", "TileCol": "219498", "TileRow": "155037"}, "map tile", "zoom 18", True),  # from the south
)


@pytest.mark.parametrize(("fields", "variant", "said", "strong"), FOUND)
def test_a_place_is_found_in_every_grid(fields, variant, said, strong):
    hits = [hit for hit in find(fields) if hit.variant.name == variant]
    assert hits
    assert said in words(hits[0])
    assert hits[0].strong is strong


def test_what_is_found_in_a_large_document_is_the_same():
    noise = [{"n": number, "id": f"{number * 7919:08x}", "x": number * 31} for number in range(2_000)]
    for fields in ({"s2": "35b26fe614c"}, {"s2": 3869278063845170103}, {"z": 18, "x": 219498, "y": 107106}):
        assert {hit.variant.name for hit in find([*noise, fields])} & {"s2 cell", "map tile"}, fields


def test_tiles_are_found_in_the_path_and_the_query_of_a_url():
    for url in ("https://t.test/v1/18/219498/107106@2x.png?k=1", "https://t.test/wmts?z=18&x=219498&y=107106"):
        hit = next(hit for hit in find(url=url) if hit.variant.name == "map tile")
        assert hit.leaf.path.startswith("url.")
        assert url[hit.start : hit.end].strip("/") in ("18/219498/107106", "219498")


def test_a_place_as_china_shifts_it_has_cells_of_its_own():
    shifted = systems.systems(*SHANGHAI)[1]
    x, y = grids.tile(shifted.lat, shifted.lon, 18)
    found = [hit for hit in find({"url": f"https://t.test/18/{x}/{y}"}) if hit.variant.name == "map tile"]
    assert [hit.variant.of for hit in found] == ["gcj02"]


NOT_FOUND = (
    {"cell": "35b26fe60"},  # no cell
    {"cell": "35b26fe63"},  # the next one
    {"v": 3869278063845170105},
    {"url": "https://t.test/18/219499/107106.png"},
    {"url": "https://t.test/18/219498/107107.png"},
    {"url": "https://t.test/17/219498/107106.png"},
    {"url": "https://t.test/18/219498/1071061.png"},
    {"x": 219498, "y": 107106},  # of which zoom?
    {"z": 17, "x": 219498, "y": 107106},
    {"order": 219498, "z": 18},
    {"a": {"z": 18, "x": 219498}, "b": {"y": 107106}},
    {"pluscode": "8Q336CQQ+"},
)


@pytest.mark.parametrize("fields", NOT_FOUND)
def test_what_only_looks_like_a_cell_is_none(fields):
    assert find(fields) == []


@pytest.mark.parametrize("lat", [-90, -45, -0.0, 0, 45, 85, 90])
@pytest.mark.parametrize("lon", [-180, -90, 0, 45, 90, 135, 180])
def test_places_on_the_axes_of_the_earth_are_looked_for_as_all_others(lat, lon):
    text = f"{lat},{lon}"
    if (lat, lon) == (0, 0):
        pytest.skip("what devices give where they know no place")
    place = Value(type="location", text=text)
    assert "place" in {hit.key for hit in find({"at": text}, value=place)}
    if abs(lat) < 90:
        names = [name for level, _, name in grids.s2_names(lat, lon) if level == 30]
        assert "place" in {hit.key for hit in find({"cell": names[0]}, value=place)}


def axis(end):
    """Degrees: those of ordinary places, and the ends of cells of any grid."""
    return (
        st.floats(-end, end) | st.integers(-end, end).map(float) | st.integers(-end * 8, end * 8).map(lambda n: n / 8)
    )


def written_as(place):
    """All that the cells of a place may be written as: names, ids of S2 as numbers and to their end, columns."""
    names = {name: grid for grid, name, _ in systems.cells(place)}
    for token in [name for name, grid in names.items() if grid == "s2 cell"]:
        cell = int(token.ljust(16, b"0"), 16)
        signed = cell - (1 << 64) if cell >> 63 else cell
        numbers = {number for number in (b"%d" % cell, b"%d" % signed) if len(number) > 16}
        names |= dict.fromkeys({*numbers, b"%016x" % cell}, "s2 cell")  # a shorter number is read as the other
    return names


@given(axis(90), axis(180))
@example(31.238361, 121.435598)
@example(-22.951916, -43.210487)
@example(85.0512, 179.999999)
@example(23.9999999999, 114.0000000001)
def test_every_name_of_a_cell_is_found_and_explained(lat, lon):
    point = systems.parse(f"{lat!r},{lon!r}")
    for place in systems.systems(*point) if point else ():
        narrow = ValueIndex().narrow
        narrow.least = 0
        cells = Cells(narrow)
        cells.add(0, place)
        known = KnownValues()
        known.slots.append(("place", "location", f"{lat!r},{lon!r}", None))
        names = written_as(place)
        columns = {column: "column" for column, _ in systems.columns(place)}
        body = json.dumps({n: {"at": name.decode()} for n, name in enumerate((*names, *columns))}).encode()
        leaves = [leaf for leaf in decode.leaves_of(body).leaves if leaf.path.endswith(".at")]
        search = Search(known, leaves, len(body))
        found = {hit.leaf.data: hit.variant.name for hit in cells.find(JoinedLeaves(leaves), search)}
        assert found == names
        sifted = decode.leaves_of(body, narrow=narrow)
        assert set(names) | set(columns) <= {leaf.data for leaf in sifted.leaves}
        assert sifted.passed_over


def test_a_phone_that_lies_still_has_thousands_of_places():
    """What is entered for one name beyond the first few stands apart, and is found."""
    index = ValueIndex()
    for number in range(400):
        text = f"{31.2383 + number * 1e-6:.6f},{121.4355 + number % 7 * 1e-6:.6f}"
        index.add(text, Value(type="location", text=text))
    geohash = systems.geohash(31.2385, 121.4355, 8)
    inside = {
        f"{lat:.6f},{lon:.6f}"
        for number in range(400)
        for lat, lon in [(31.2383 + number * 1e-6, 121.4355 + number % 7 * 1e-6)]
        if systems.geohash(round(lat, 6), round(lon, 6), 8) == geohash
    }
    assert 100 < len(inside) < 400
    noise = [{"n": number, "id": f"{number * 7919:08x}"} for number in range(1_000)]
    for body in ({"geohash": geohash}, [*noise, {"geohash": geohash}]):
        decoded = decode.leaves_of(json.dumps(body).encode(), narrow=index.narrow)
        assert {hit.key for hit in index.find(decoded.leaves, decoded.passed_over)} == inside
    packed = struct.pack("<dd", 31.2385, 121.4355)
    assert len({hit.key for hit in index.find(decode.leaves_of(packed).leaves)}) > 200
