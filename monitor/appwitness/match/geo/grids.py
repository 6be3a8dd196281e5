"""Grids that name the cell which holds a place (S2, H3, tiles of web maps), and the metres that web maps count in."""

from __future__ import annotations

import math
from collections.abc import Iterator

from h3.api import basic_int as h3

S2_LEVELS = (*range(14, 25), 30)
"""S2 levels from cells of about 500 m to half a metre, and the finest, whose cells stand for points."""
FINEST = 30
SWAP, INVERT = 1, 2
POSITIONS = ((0, 1, 3, 2), (0, 3, 1, 2), (2, 3, 1, 0), (2, 1, 3, 0))
"""Orientation of the Hilbert curve, then 2 * i + j of a quarter -> its position on the curve."""
TURNS = (SWAP, 0, 0, SWAP | INVERT)
"""Position on the curve -> how the curve is turned inside that quarter."""
H3_RESOLUTIONS = (*range(8, 13), 15)
"""H3 resolutions from cells of about a kilometre across to twenty metres, and the finest, whose cells stand for
points."""
ZOOMS = range(15, 23)
"""Zooms of map tiles from about 1 km to 10 m."""


def s2_cell(lat: float, lon: float) -> int:
    """The id of the finest S2 cell that holds a point: a face of the cube, then the position on its Hilbert curve."""
    phi, theta = math.radians(lat), math.radians(lon)
    point = (math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi))
    axis = max(range(3), key=lambda one: abs(point[one]))
    face = axis + 3 * (point[axis] < 0)
    u, v = (sign * point[of] / point[axis] for sign, of in _SIDES[face])
    i, j = (min((1 << FINEST) - 1, max(0, int(_curved(side) * (1 << FINEST)))) for side in (u, v))
    found, turn = face, face & SWAP
    for bit in (28, 24, 20, 16, 12, 8, 4, 0):  # the first group is two zero bits and two others
        wide = 2 if bit == 28 else 4
        part, turn = _STEPS[wide, turn, i >> bit & 15, j >> bit & 15]
        found = found << 2 * wide | part
    return found << 1 | 1


def _step(bits: int, turn: int, i: int, j: int) -> tuple[int, int]:
    """The position on the curve after this many bits, and how the curve is turned there."""
    found = 0
    for bit in reversed(range(bits)):
        place = POSITIONS[turn][2 * (i >> bit & 1) + (j >> bit & 1)]
        found = found << 2 | place
        turn ^= TURNS[place]
    return found, turn


_STEPS = {
    (bits, turn, i, j): _step(bits, turn, i, j)
    for bits in (2, 4)
    for turn in range(4)
    for i in range(1 << bits)
    for j in range(1 << bits)
}


_SIDES = (
    *(((1, 1), (1, 2)), ((-1, 0), (1, 2)), ((-1, 0), (-1, 1))),
    *(((1, 2), (1, 1)), ((1, 2), (-1, 0)), ((-1, 1), (-1, 0))),
)
"""The two sides of each face: a sign, and which coordinate of a point."""


def _curved(side: float) -> float:
    """A side of the cube, curved so that its cells have about the same size."""
    return 0.5 * math.sqrt(1 + 3 * side) if side >= 0 else 1 - 0.5 * math.sqrt(1 - 3 * side)


def s2_names(lat: float, lon: float) -> Iterator[tuple[int, int, str]]:
    """(level, id, token) of the S2 cells that hold a point."""
    finest = s2_cell(lat, lon)
    for level in S2_LEVELS:
        last = 1 << 2 * (FINEST - level)
        cell = finest & -last | last
        yield level, cell, f"{cell:016x}".rstrip("0")


def h3_cells(lat: float, lon: float) -> Iterator[tuple[int, int]]:
    """(resolution, id) of the H3 hexagons that hold a point."""
    for resolution in H3_RESOLUTIONS:
        yield resolution, h3.latlng_to_cell(lat, lon, resolution)


def h3_resolution(cell: int) -> int:
    """The resolution of an H3 id."""
    return cell >> 52 & 15


def tile(lat: float, lon: float, zoom: int) -> tuple[int, int]:
    """Column and row, from the north, of the map tile that holds a point."""
    across = (lon + 180) / 360
    north = math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / math.pi
    x, y = (min((1 << zoom) - 1, int(part * (1 << zoom))) for part in (across, (1 - north) / 2))
    return x, y


def interleaved(lat: float, lon: float, bits: int) -> int:
    """Which half of the world, and of that half and so on, holds a point: bits of longitude and latitude in turn."""
    size = 1 << bits
    return woven(*(min(size - 1, int(part * size)) for part in ((lat + 90) / 180, (lon + 180) / 360)))


def woven(even: int, odd: int) -> int:
    """Interleave the bits of two numbers."""
    # in base 4, each bit leaves room for another beside it
    return 2 * int(f"{odd:b}", 4) + int(f"{even:b}", 4)


def baidu_metres(lat: float, lon: float) -> tuple[float, float]:
    """x and y of a BD-09 point in the metres of Baidu's maps (BD09MC): a polynomial for each band of latitude."""
    _, *factors, y_unit = next(band for band in BAIDU_BANDS if abs(lat) >= band[0])
    x = factors[0] + factors[1] * abs(lon)
    y = sum(factor * (abs(lat) / y_unit) ** power for power, factor in enumerate(factors[2:]))
    return math.copysign(x, lon), math.copysign(y, lat)


# fmt: off
BAIDU_BANDS = (
    (75, -0.0015702102444, 111320.7020616939, 1704480524535203, -10338987376042340, 26112667856603880,
     -35149669176653700, 26595700718403920, -10725012454188240, 1800819912950474, 82.5),
    (60, 0.0008277824516172526, 111320.7020463578, 647795574.6671607, -4082003173.641316, 10774905663.51142,
     -15171875531.51559, 12053065338.62167, -5124939663.577472, 913311935.9512032, 67.5),
    (45, 0.00337398766765, 111320.7020202162, 4481351.045890365, -23393751.19931662, 79682215.47186455,
     -115964993.2797253, 97236711.15602145, -43661946.33752821, 8477230.501135234, 52.5),
    (30, 0.00220636496208, 111320.7020209128, 51751.86112841131, 3796837.749470245, 992013.7397791013,
     -1221952.21711287, 1340652.697009075, -620943.6990984312, 144416.9293806241, 37.5),
    (15, -0.0003441963504368392, 111320.7020576856, 278.2353980772752, 2485758.690035394, 6070.750963243378,
     54821.18345352118, 9540.606633304236, -2710.55326746645, 1405.483844121726, 22.5),
    (0, -0.0003218135878613132, 111320.7020701615, 0.00369383431289, 823725.6402795718, 0.46104986909093,
     2351.343141331292, 1.58060784298199, 8.77738589078284, 0.37238884252424, 7.45),
)
# fmt: on
"""Minimum latitude of a band; two factors for x, seven for y, and the divisor of the latitude."""


def of_mercator(x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude from Web Mercator metres."""
    return math.degrees(2 * math.atan(math.exp(y / EARTH_M)) - math.pi / 2), math.degrees(x / EARTH_M)


EARTH_M = 6378137.0
"""The radius of the earth in metres."""
