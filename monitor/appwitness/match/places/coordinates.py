"""Finds places by their numbers: latitude and longitude at any rounding, together or apart, and their cells."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from appwitness.events import Value
from appwitness.findings import Reason, Why, because
from appwitness.match.geo import systems
from appwitness.match.hits import TELLING, Hit, HitFields, Spot, last_key, parent_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.sieve import Sieve
from appwitness.match.places.binary import Packed
from appwitness.match.places.cells import Cells
from appwitness.match.places.degrees import SOME_PART, Parted, in_parts
from appwitness.match.places.listed import Numbers
from appwitness.match.places.notations import DegreesReading, decimals_of, readings
from appwitness.match.places.pairs import NumberSpot, Partners
from appwitness.match.search import Search
from appwitness.match.variants import Variant, kind_of

TOLERANCE_M = 15.0
"""Numbers within this many metres of a place are that place, unless they are rounded more coarsely."""
EXACT_M = 2.0
"""Metres within which numbers are a place itself, if many other places are in the upload."""
CELLS, FINE = 20, 500
"""Cells of the coarse and of the fine grid in one degree."""
POLAR = 80.0
MOST = 200
"""Maximum number of latitudes, and of longitudes, of one place in one upload that are paired."""
HEMISPHERES = frozenset((b"S", b"W", b"s", b"w", b"South", b"West", b"south", b"west"))


class Places:
    """Places to look for."""

    def __init__(self, narrow: Sieve, packed: Packed) -> None:
        """`narrow`: the sieve, to which the places are added as well; `packed`: finds them in binary data."""
        self._places: list[tuple[int, systems.GeoPoint]] = []
        self._grid: Numbers[tuple[bool, int]] = Numbers()
        self._fine: Numbers[tuple[bool, int]] = Numbers()
        """By axis and cell of a degree: the coarse grid for coarse numbers, and the fine one."""
        self._polar = False
        """Whether a place is so close to a pole that a few metres span a large angle of longitude."""
        self.packed = packed
        self._cells = Cells(narrow)

    def add(self, slot: int, value: Value) -> None:
        """Look for a place from now on, in every coordinate system; a value that is not a place is ignored."""
        point = systems.parse(value.text) if kind_of(value) == "location" else None
        for place in systems.systems(*point) if point else ():
            number = len(self._places)
            self._places.append((slot, place))
            if place.system != systems.METRES_ONLY:
                self.packed.add(number, place)
            for axis, degrees in ((False, place.lat), (True, place.lon)):
                self._grid.add((axis, math.floor(degrees * CELLS)), number)
                self._fine.add((axis, math.floor(degrees * FINE)), number)
            self._polar = self._polar or abs(place.lat) > POLAR
            self._cells.add(slot, place)

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """All places in the leaves of one upload."""
        if not self._places:
            return
        yield from self._cells.find(look, search)
        known: set[Hashable] = set()
        paths = "\n".join([leaf.path for leaf in look.leaves]).lower()
        in_parts = self._in_parts(look, search) if "lat" in paths and SOME_PART.search(paths) else ()
        for hit in chain(self._in_numbers(look, search), in_parts):
            known.add(hit.key)
            yield hit
        yield from self._in_binary(look, search, known)

    def _in_numbers(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        numeric = look.numeric
        apart = any(leaf.data in HEMISPHERES for leaf in look.leaves)
        read = list(readings(numeric, apart=apart))
        axes = self._coordinates(numeric, read)
        partners = Partners(numeric, read)
        for number in sorted({number for number, _ in axes}):
            place = self._places[number][1]
            lats, lons = axes.get((number, False), []), axes.get((number, True), [])
            pairs = list(_pairs(numeric, lats, lons, place, partners))
            for lat, lon, relation in pairs:
                exact = (lat.fits and lon.fits) or math.hypot(lat.error, lon.error) <= EXACT_M
                if not exact and partners.are_many(lat.notation, (place.lat, place.lon), len(pairs)):
                    continue
                if place.system != "wgs84" and _decimals(lat, lon) < 3:
                    continue
                yield from self._pair(numeric, number, (lat, lon), relation, search)

    def _in_parts(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Places whose degrees, minutes and seconds are in separate fields, under keys that say so."""
        for parted in in_parts(look.leaves):
            axes: list[dict[int, _Coordinate]] = [{}, {}]
            for axis, one in enumerate(parted):
                for degrees in one.degrees:
                    for number in self._near(degrees, one.unit, one.notation, lon=bool(axis)):
                        off = _error(degrees, one.unit, self._places[number][1], lon=bool(axis))
                        if off is not None:
                            axes[axis][number] = _of_parts(one, look, off)
            for number in sorted(axes[0].keys() & axes[1].keys()):
                lat, lon = axes[0][number], axes[1][number]
                if _decimals(lat, lon) >= 3:
                    yield from self._pair(look, number, (lat, lon), Why.AXES_BY_KEYS_OF_PARTS, search)

    def _near(self, degrees: float, unit: float, notation: str, *, lon: bool) -> set[int]:
        """The places that have such a coordinate in this notation, or one in an adjacent cell."""
        wide = unit > 1.001 / FINE or self._polar
        cell, grid = math.floor(degrees * (CELLS if wide else FINE)), self._grid if wide else self._fine
        near = {one for at in (cell - 1, cell, cell + 1) for one in grid.get((lon, at))}
        if notation == "web mercator":
            return near
        return {one for one in near if self._places[one][1].system != systems.METRES_ONLY}

    def _in_binary(self, look: JoinedLeaves, search: Search, known: set[Hashable]) -> Iterator[Hit]:
        """Places whose bytes stand together; with a field between them only if the place was not found in another
        way."""
        leaves = [leaf for leaf in look.binary if len(leaf.data) >= 8]
        if not leaves:
            return
        for number, pair in self.packed.find(JoinedLeaves(leaves)):
            slot, place = self._places[pair.place]
            if pair.gap and search.known.slots[slot][0] in known:
                continue
            name = "coordinates" if place.system == "wgs84" else place.system
            variant = Variant(name, pair.kind, "place", b"", "none", pair.bits)
            reasons = (
                _place(Why.PLACE_IN_BYTES, pair.decimals, pair.error_m, notation=pair.kind),
                because(Why.BYTES_APART, count=pair.gap) if pair.gap else because(Why.BYTES_BESIDE),
                because(Why.LONGITUDE_FIRST if pair.swapped else Why.LATITUDE_FIRST),
            )
            said: HitFields = {"strong": True, "reasons": reasons, "error_m": pair.error_m}
            yield from _hit(search, slot, variant, Spot(leaves[number], pair.start, pair.end), said)

    def _coordinates(
        self, look: JoinedLeaves, read: Sequence[DegreesReading]
    ) -> dict[tuple[int, bool], list[_Coordinate]]:
        """By place and axis, the numbers that may be its coordinates."""
        axes: dict[tuple[int, bool], list[_Coordinate]] = defaultdict(list)
        for start, end, degrees, unit, notation, only in read:
            for axis in (False, True) if only is None else (only,):
                for place_number in self._near(degrees, unit, notation, lon=axis):
                    off = _error(degrees, unit, self._places[place_number][1], lon=axis)
                    known = axes[place_number, axis]
                    if off is not None and len(known) < MOST:
                        leaf = look.leaf_at(start)
                        offset = look.starts[leaf]
                        decimals = decimals_of(unit)
                        known.append(_Coordinate(leaf, start - offset, end - offset, decimals, notation, *off))
        return axes

    def _pair(
        self, look: JoinedLeaves, number: int, pair: tuple[_Coordinate, _Coordinate], relation: Why, search: Search
    ) -> Iterator[Hit]:
        (slot, place), (lat, lon) = self._places[number], pair
        decimals = _decimals(lat, lon)
        error = math.hypot(lat.error, lon.error)
        name = "coordinates" if place.system == "wgs84" else place.system
        of = "as_given" if place.system == systems.METRES_ONLY else lat.notation
        bits = max(1.0, (min(lat.decimals, 6) + min(lon.decimals, 6)) * 3.3 - 4)
        variant = Variant(name, of, "place", b"", "digit", bits)
        if of == "as_given":
            place_said = _place(Why.PLACE, decimals, error)
        else:
            place_said = _place(Why.PLACE_IN_NOTATION, decimals, error, notation=of)
        reasons = (place_said, because(relation))
        said: HitFields = {"strong": True, "error_m": error, "fits": lat.fits and lon.fits, "reasons": reasons}
        if lat.leaf == lon.leaf:
            spot = Spot(look.leaves[lat.leaf], min(lat.start, lon.start), max(lat.end, lon.end))
            yield from _hit(search, slot, variant, spot, said)
            return
        for one, other, axis in ((lat, lon, Why.LATITUDE), (lon, lat, Why.LONGITUDE)):
            said["reasons"] = (because(axis, path=look.leaves[other.leaf].path), *reasons)
            yield from _hit(search, slot, variant, Spot(look.leaves[one.leaf], one.start, one.end), said)


def _hit(search: Search, slot: int, variant: Variant, spot: Spot, said: HitFields) -> Iterator[Hit]:
    if spot.leaf.text is None:
        said["found"] = spot.leaf.data[spot.start : spot.end].hex()
    return search.hit(slot, variant, spot, **said)


UNUSUAL = frozenset(
    (
        *("radians", "web mercator", "degrees:minutes:seconds", "milliseconds of arc", "semicircles"),
        *("degrees x 10000", "degrees x 100000000", "degrees x 1000000000", "bits of a real number"),
    )
)
"""Notations that many other numbers would fit: both coordinates must stand together, or under telling keys."""
PRECISION = ("region", "city", "town", "coarse", "street", "precise")
"""How precisely the decimals of a degree locate somebody, by their number."""


def _place(code: Why, decimals: int, error_m: float, **fields: str | float) -> Reason:
    return because(code, count=decimals, precision=PRECISION[min(decimals, 5)], metres=error_m, **fields)


class _Coordinate(NamedTuple):
    """A number that may be one coordinate of a place."""

    leaf: int
    start: int
    end: int
    decimals: int
    notation: str
    """as_given, or the notation; the other coordinate must have the same."""
    off: float
    """Degrees from the place's coordinate."""
    error: float
    """The same in metres."""
    fits: bool
    """Whether it is that coordinate, rounded or truncated, and not merely near it."""


def _error(degrees: float, unit: float, place: systems.GeoPoint, *, lon: bool) -> tuple[float, float, bool] | None:
    """Degrees and metres between a number and a place's coordinate, and whether it is that coordinate, rounded or
    truncated; None if it is not even near."""
    true = place.lon if lon else place.lat
    metres = systems.METRES_PER_DEGREE * (math.cos(math.radians(place.lat)) if lon else 1.0)
    off = abs(degrees - true)
    rounded = off <= unit / 2 * 1.000001
    cut = abs(degrees) <= abs(true) and off < unit * 1.000001
    if rounded or cut or off * metres <= TOLERANCE_M:
        return off, off * metres, rounded or cut
    return None


def _of_parts(one: Parted, look: JoinedLeaves, off: tuple[float, float, bool]) -> _Coordinate:
    decimals = decimals_of(one.unit)
    return _Coordinate(one.leaf, 0, len(look.leaves[one.leaf].data), decimals, one.notation, *off)


def _pairs(
    look: JoinedLeaves, lats: list[_Coordinate], lons: list[_Coordinate], place: systems.GeoPoint, partners: Partners
) -> Iterator[tuple[_Coordinate, _Coordinate, Why]]:
    """Latitudes and longitudes that belong together, with how we know."""
    if not lats or not lons:
        return
    spots = [_spot(lat, place.lat) for lat in lats], [_spot(lon, place.lon) for lon in lons]
    own = [{(one.leaf, one.start) for one in of_axis} for of_axis in spots]
    few = len(lats) * len(lons) <= FEW
    mates = ((number, range(len(lons))) for number in range(len(lats))) if few else partners.mates(*spots, own)
    used: set[tuple[int, int]] = set()
    for number, candidates in mates:
        lat, best = lats[number], None
        for other in candidates:
            lon = lons[other]
            relation = _relation(look, lat, lon)
            if relation is None:
                continue
            rank, how = relation
            distance = abs(look.starts[lat.leaf] + lat.start - look.starts[lon.leaf] - lon.start)
            order = (float(rank), lat.error + lon.error, float(distance))
            if (best is None or order < best[0]) and not partners.apart(spots[0][number], spots[1][other], *own):
                best = order, lon, how
        if best is not None and (lat.leaf, lat.start) not in used:
            used.add((lat.leaf, lat.start))
            yield lat, best[1], best[2]


FEW = 64
"""Up to this many pairs of a latitude and a longitude, every pair is tried."""


def _spot(one: _Coordinate, degrees: float) -> NumberSpot:
    return NumberSpot(one.leaf, one.start, one.end, one.notation, degrees)


def _decimals(lat: _Coordinate, lon: _Coordinate) -> int:
    """The number of decimals of a pair; trailing zeros of one may have been dropped, as many languages do."""
    few, many = sorted((lat, lon), key=lambda one: one.decimals)
    return many.decimals if few.off <= 10.0**-many.decimals * 1.000001 else few.decimals


def _relation(look: JoinedLeaves, lat: _Coordinate, lon: _Coordinate) -> tuple[int, Why] | None:
    """How closely two numbers stand together, 0 closest, and how we know; None if not closely enough for their
    precision."""
    if lon.notation != lat.notation:
        return None
    decimals = _decimals(lat, lon)
    if decimals < 3 and max(lat.decimals, lon.decimals) == 3 and lat.error + lon.error > TOLERANCE_M:
        return None  # the one with fewer decimals lost a trailing zero: it is precise to three, and thus not this place
    first, second = look.leaves[lat.leaf], look.leaves[lon.leaf]
    if lat.leaf == lon.leaf:
        return _relation_in_text(lat, lon, decimals)
    return _relation_of_fields(lat, lon, first.path, second.path, decimals)


def _relation_in_text(lat: _Coordinate, lon: _Coordinate, decimals: int) -> tuple[int, Why] | None:
    if lat.start == lon.start:
        return None
    gap = max(lat.start, lon.start) - min(lat.end, lon.end)
    if gap <= 24 and decimals >= 2:
        return 0, Why.AXES_BESIDE
    return (3, Why.AXES_IN_TEXT) if decimals >= 4 and lat.notation not in UNUSUAL else None


def _relation_of_fields(
    lat: _Coordinate, lon: _Coordinate, first: str, second: str, decimals: int
) -> tuple[int, Why] | None:
    keys = TELLING["lat"].match(last_key(first)), TELLING["lon"].match(last_key(second))
    siblings = parent_of(first) == parent_of(second)
    if all(keys) and decimals >= (2 if siblings else 3):
        return (0 if siblings else 1), Why.AXES_BY_KEY
    if siblings and decimals >= 2 and _swapped(first, second):
        return 0, Why.AXES_SWAPPED
    if siblings and decimals >= 3 and abs(lat.leaf - lon.leaf) <= 2:
        return 1, Why.FIELDS_BESIDE
    if decimals >= 4 and lat.notation not in UNUSUAL:
        return 3, Why.AXES_IN_UPLOAD
    return None


def _swapped(lat: str, lon: str) -> bool:
    return bool(TELLING["lon"].match(last_key(lat)) and TELLING["lat"].match(last_key(lon)))
