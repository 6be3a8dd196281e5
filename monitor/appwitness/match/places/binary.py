"""Finds places in binary data: latitude and longitude as floats, doubles or integers, in either order, adjacent or
with one more field between them."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from appwitness.match.geo import systems
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.library import library, owned, rows
from appwitness.match.native.tables import MOST_SLOTS
from appwitness.match.places.notations import SEMICIRCLES

TOLERANCE_M = 15.0
GAPS = (0, 1, 2, 4, 8)
"""Bytes that may stand between latitude and longitude: a tag, a flag, an altitude, a time."""
GAP_BITS = 4.0
"""Bits deducted for a gap."""
COARSEST = 3
"""Minimum decimals that a rounded coordinate must have kept."""
ROUNDINGS = range(COARSEST, 6)
ROUNDED = len(ROUNDINGS)
NEAR_DEGREES = TOLERANCE_M / systems.METRES_PER_DEGREE


class _Kind(NamedTuple):
    """One way to encode a coordinate in bytes."""

    name: str
    code: str
    scale: float
    bits: float
    """Bits of one coordinate within the tolerance."""

    def pack(self, number: float) -> bytes:
        """Encode a coordinate."""
        return struct.pack(self.code, number)


KINDS = tuple(
    _Kind(f"{name}, {order} endian", end + code, scale, bits)
    for end, order in (("<", "little"), (">", "big"))
    for name, code, scale, bits in (
        ("double", "d", 1, 28.0),
        ("float", "f", 1, 22.0),
        ("int32 x 10000000", "i", 10**7, 20.0),
        ("int32 x 1000000", "i", 10**6, 23.0),
        ("int32 x 100000", "i", 10**5, 26.0),
        ("int32 semicircles", "i", SEMICIRCLES, 20.0),
    )
)
NUMBER_KINDS = len(KINDS) // 2
"""Number of kinds in one byte order."""


class Pair(NamedTuple):
    """Both coordinates of a place, side by side in the bytes of a leaf."""

    place: int
    start: int
    end: int
    kind: str
    bits: float
    swapped: bool
    decimals: int
    error_m: float
    gap: int
    """Bytes between latitude and longitude."""


class Packed:
    """Places to look for: by the three most significant bytes of a latitude, then by what stands beside it."""

    def __init__(self) -> None:
        self._places: list[tuple[int, float, float]] = []
        self.handle: int = owned(self, library.packed_new(), library.packed_free)

    def add(self, number: int, place: systems.GeoPoint) -> None:
        """Look for a place from now on; results name it by `number`."""
        if any(abs(degrees - round(degrees, 2)) < 1e-9 for degrees in (place.lat, place.lon)):
            return  # such round numbers are in binary data for many reasons
        own = len(self._places)
        if own > MOST_SLOTS:
            raise ValueError("too many places")
        self._places.append((number, place.lat, place.lon))
        rounded = array("d", [round(place.lat, decimals) for decimals in ROUNDINGS])
        reach = 1.001 * NEAR_DEGREES / max(1e-9, math.cos(math.radians(place.lat)))
        where = (place.lat, place.lon, NEAR_DEGREES, reach, rounded.buffer_info()[0])
        if not library.packed_add(self.handle, *where):
            raise MemoryError

    def find(self, look: JoinedLeaves) -> Iterator[tuple[int, Pair]]:
        """Every place in the leaves, which are all binary data, with the number of its leaf."""
        for at, own, number_of_kind, begin in self.latitudes(look.joined):
            number, kind = look.leaf_at(at), KINDS[number_of_kind]
            data, start = look.leaves[number].data, begin - look.starts[number]
            size = struct.calcsize(kind.code)
            of, true_lat, true_lon = self._places[own]
            lat = _read(kind, data, start, true_lat, 1.0)
            if lat is None:
                continue
            narrow = math.cos(math.radians(true_lat))
            for beside, swapped in _besides(start, size):
                lon = _read(kind, data, beside, true_lon, narrow)
                if lon is not None:
                    first = min(start, beside)
                    decimals, error = min(lat[0], lon[0]), math.hypot(lat[1], lon[1])
                    gap = abs(beside - start) - size
                    bits = 2 * kind.bits - (GAP_BITS if gap else 0)
                    end = max(start, beside) + size
                    yield number, Pair(of, first, end, kind.name, bits, swapped, decimals, error, gap)
                    break

    def latitudes(self, data: bytes) -> list[tuple[int, int, int, int]]:
        """(where the three bytes are, place, index of its kind, where the number begins) for possible latitudes with
        their longitudes beside them, in order."""
        if not self._places:
            return []
        placed = []
        for own, start, kind in rows(lambda out, most: library.packed_find(self.handle, data, len(data), out, most)):
            little = KINDS[kind].code[0] == "<"
            placed.append((start + struct.calcsize(KINDS[kind].code) - 3 if little else start, own, kind, start))
        return sorted(placed)


def _besides(start: int, size: int) -> Iterator[tuple[int, bool]]:
    """Where a longitude may begin, and whether that is before the latitude; the nearest first."""
    for gap in GAPS:
        yield start + size + gap, False
        yield start - size - gap, True


def _read(kind: _Kind, data: bytes, start: int, true: float, narrow: float) -> tuple[int, float] | None:
    """(decimals, metres off) of the number that stands there; None if it is not the coordinate."""
    if start < 0 or start + struct.calcsize(kind.code) > len(data):
        return None
    degrees: float = struct.unpack_from(kind.code, data, start)[0] / kind.scale
    if not abs(degrees) <= 180:  # NaN, too
        return None
    metres = abs(degrees - true) * systems.METRES_PER_DEGREE * narrow
    sure = {"f": 5e-6, "d": 1e-9}.get(kind.code[1], 0.6 / kind.scale)
    decimals = next((d for d in range(COARSEST, 7) if abs(degrees - round(degrees, d)) < sure), 7)
    if metres <= TOLERANCE_M or abs(degrees - round(true, decimals)) < sure:
        return decimals, metres
    return None
