"""Places: a location in the coordinate systems and notations in which it may be sent."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from appwitness.match.geo import grids

METRES_PER_DEGREE = 111_320.0
BASE20 = "23456789CFGHJMPQRVWX"
BASE32 = "0123456789bcdefghjkmnpqrstuvwxyz"
PAIRS32 = [one + other for one in BASE32 for other in BASE32]
QUARTERS = {ord(f"{digit:x}"): f"{digit >> 2}{digit & 3}" for digit in range(16)}
"""Hex digits -> two digits of base 4."""


METRES_ONLY = "bd09mc"
"""A system whose numbers are metres; they are looked for like those of Web Mercator."""
SYSTEMS = ("wgs84", "gcj02", "bd09", METRES_ONLY)
"""Coordinate systems: of the earth; with the offsets of Chinese map services; Baidu's metres."""


class GeoPoint(NamedTuple):
    """A point, and the system of its numbers. For METRES_ONLY, it is where Web Mercator has the same metres."""

    system: str
    lat: float
    lon: float


@lru_cache(maxsize=64)
def parse(text: str) -> tuple[float, float] | None:
    """`lat,lon` in decimal degrees; None if it is no point on earth, or is 0,0."""
    first, comma, second = text.partition(",")
    try:
        lat, lon = float(first), float(second)
    except ValueError:
        return None
    if not comma or not abs(lat) <= 90 or not abs(lon) <= 180 or (lat == 0 and lon == 0):
        return None
    return lat, lon


def systems(lat: float, lon: float) -> tuple[GeoPoint, ...]:
    """The point in WGS-84, and in every other system that differs from it there."""
    found = [GeoPoint("wgs84", lat, lon)]
    if 0.8 < lat < 55.9 and 72.0 < lon < 137.9:
        gcj = _gcj02(lat, lon)
        baidu = _bd09(*gcj)
        found += [GeoPoint("gcj02", *gcj), GeoPoint("bd09", *baidu)]
        found += [GeoPoint(METRES_ONLY, *grids.of_mercator(*grids.baidu_metres(*baidu)))]
    return tuple(found)


def _gcj02(lat: float, lon: float) -> tuple[float, float]:
    """The point with the offset of Chinese maps; constants of the Krasovsky ellipsoid."""
    axis, eccentricity = 6378245.0, 0.00669342162296594323
    x, y = lon - 105.0, lat - 35.0
    wave = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    d_lat += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    d_lat += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    d_lon += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    d_lon += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    angle = lat / 180.0 * math.pi
    magic = 1 - eccentricity * math.sin(angle) ** 2
    root = math.sqrt(magic)
    d_lat = d_lat * 180.0 / ((axis * (1 - eccentricity)) / (magic * root) * math.pi)
    d_lon = d_lon * 180.0 / (axis / root * math.cos(angle) * math.pi)
    return lat + d_lat, lon + d_lon


def _bd09(lat: float, lon: float) -> tuple[float, float]:
    """A GCJ-02 point with Baidu's further offset."""
    turn = math.pi * 3000.0 / 180.0
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * turn)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * turn)
    return radius * math.sin(angle) + 0.006, radius * math.cos(angle) + 0.0065


def geohash(lat: float, lon: float, size: int) -> str:
    """The geohash of a point, `size` characters long."""
    bits = grids.interleaved(lat, lon, 30)
    return "".join([PAIRS32[bits >> at & 1023] for at in (50, 40, 30, 20, 10, 0)])[:size]


def quadkey(lat: float, lon: float, size: int) -> str:
    """The name of the map tile that holds a point: `size` digits, one for each zoom."""
    return f"{grids.woven(*grids.tile(lat, lon, size)):0{(size + 1) // 2}x}".translate(QUARTERS)[size % 2 :]


def plus_code(lat: float, lon: float, size: int) -> str:
    """The Open Location Code of a point, 10 or 11 letters long."""
    # in whole cells of the finest size that can be written; floats would put some points into the previous cell
    south, west = int(round((lat + 90) * 2.5e7, 6)), int(round((lon + 180) * 8.192e6, 6))
    tail = BASE20[south % 3125 // 625 * 4 + west % 1024 // 256] if size > 10 else ""
    south, west = south // 3125, west // 1024
    letters = ""
    for _ in range(5):
        letters = BASE20[south % 20] + BASE20[west % 20] + letters
        south, west = south // 20, west // 20
    return f"{letters[:8]}+{letters[8:]}{tail}"


LONGEST_CELL = 22


GEOHASHES = tuple((size, 5.0 * size - 6) for size in range(6, 13))
QUADKEYS = tuple((size, 2.0 * size - 2) for size in range(16, LONGEST_CELL + 1))
PLUS_CODES = tuple((size, 4.3 * (size - 1) - 6) for size in (9, 11, 12))


def cells(place: GeoPoint) -> list[tuple[str, bytes, float]]:
    """The names of the grid cells that hold a place: (grid, name in lower case, bits)."""
    system, lat, lon = place
    if system == METRES_ONLY:
        return []
    finest = geohash(lat, lon, 12).encode()  # the name of a larger cell is the beginning of a smaller one's
    found = [("geohash", finest[:size], bits) for size, bits in GEOHASHES]
    if abs(lat) < 85:
        key = quadkey(lat, lon, LONGEST_CELL).encode()
        found += [("quadkey", key[:size], bits) for size, bits in QUADKEYS]
    code = plus_code(lat, lon, 11).lower().encode()
    found += [("plus code", code[:size], bits) for size, bits in PLUS_CODES]
    if place.system == "bd09":
        return found  # its maps have tiles of their own
    found += [("s2 cell", token.encode(), 2.0 * level - 3.4) for level, _, token in grids.s2_names(lat, lon)]
    if place.system == "wgs84":
        for resolution, cell in grids.h3_cells(lat, lon):
            found += [("h3 cell", name, 2.81 * resolution + 0.95) for name in (b"%x" % cell, b"%d" % cell)]
    return found


def s2_numbers(place: GeoPoint) -> Iterator[bytes]:
    """The ids of the S2 cells that hold a place, as written other than by their tokens: all sixteen hex digits, and
    decimal, also signed if the highest bit is set."""
    if not place.system.startswith("bd09"):
        for _, cell, _ in grids.s2_names(place.lat, place.lon):
            yield from (b"%016x" % cell, b"%d" % cell)
            if cell >> 63:
                yield b"%d" % (cell - (1 << 64))


def columns(place: GeoPoint) -> Iterator[tuple[bytes, int]]:
    """The columns of the map tiles that hold a place, with their zooms."""
    if abs(place.lat) < 85 and not place.system.startswith("bd09"):
        finest, _ = grids.tile(place.lat, place.lon, grids.ZOOMS[-1])
        for zoom in grids.ZOOMS:
            yield b"%d" % (finest >> grids.ZOOMS[-1] - zoom), zoom


@lru_cache(maxsize=16)  # called three times for each value that is added
def forms(text: str) -> tuple[tuple[str, str], ...]:
    """(name of the form, the location as text in it): the texts that are hashed."""
    found: dict[str, str] = {text.strip(): "as_given"}
    point = parse(text)
    if point is not None:
        first, _, second = (part.strip() for part in text.partition(","))
        for between in (",", ", ", " ", ";", "|", "_"):
            found.setdefault(f"{first}{between}{second}", "lat_lon")
            found.setdefault(f"{second}{between}{first}", "lon_lat")
        for decimals in range(2, 7):
            lat, lon = f"{point[0]:.{decimals}f}", f"{point[1]:.{decimals}f}"
            found.setdefault(f"{lat},{lon}", f"rounded_{decimals}")
            found.setdefault(f"{lon},{lat}", f"rounded_{decimals}_lon_lat")
        finest = geohash(*point, 10)
        for size in range(6, 11):
            found.setdefault(finest[:size], f"geohash_{size}")
    return tuple((name, form) for form, name in found.items())
