"""Finds places by the names of the cells that hold them: geohash, quadkey, plus code, S2, H3, map tiles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from appwitness.findings import Reason, Why, because
from appwitness.match.decode.walk.pieces import Leaf
from appwitness.match.geo import grids, systems
from appwitness.match.hits import Hit, Spot, all_of, last_key, parent_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.sieve import Sieve
from appwitness.match.native.tables import WordTable
from appwitness.match.search import Search
from appwitness.match.variants import Variant

CELL_KEY = re.compile(r"gh|hash|geo|loc|pos|cell|quad|tile|plus|olc|code|s2|h3|grid")
"""Keys that suggest the name of a cell."""
GRID_KEYS = {
    "geohash": re.compile(r"^(?:.*[._-])?(?:gh|geo[._-]?hash)[._-]?[0-9]?$"),
    "h3 cell": re.compile(r"(?:^|[._-])h3|hexagon"),
}
COARSE_CELL = 24.0
"""Keys that name the grid, and the minimum bits of a cell under them: 6 letters of a geohash, about 1.2 by 0.6 km."""
SURE_CELL, TELLING_CELL = 34.0, 29.0
"""Minimum bits of a cell name without support, and under a telling key: 8 letters of a geohash, and 7."""
LEAST_CELL, LONGEST_WITH_CELL, IN_TEXT = 9, 64, 38.0
"""Minimum letters of a cell name in a longer text, maximum letters of that text, and minimum bits of the name."""
CELL = re.compile(rb"(?<![0-9A-Za-z])[0-9a-zA-Z]{9,12}(?![0-9A-Za-z])")
IN_LIST, MANY, BESIDE = 38.0, 4, 12
"""Minimum bits of a cell in a list, the entries that make a list, and the leaves per entry among which they are
counted: among many places, some are in the same cell by chance."""
SHORTEST = 4
"""Minimum digits of a column of map tiles."""
STEM = 10
"""Leading letters by which a name is indexed (digits need more); all names that begin alike are compared."""
S2_NUMBER = re.compile(rb"-?[0-9]{17,20}")
TILE = re.compile(rb"(?<![0-9A-Za-z.])(1[5-9]|2[0-2])/([0-9]{4,7})/([0-9]{4,7})(?![0-9])")
"""The path of a map tile: zoom, column and row, or the row first."""
SURE_TILE = 17
"""Minimum zoom of a map tile that is believed without support: about 300 m."""
NEAR = 6
"""Maximum number of leaves between the column of a tile and its row or zoom."""
S2_WHOLE_M = 8.5e6
"""The side of an S2 face, in metres; those of cells vary."""
H3_EDGE_M = 1.28e6
"""The side of an H3 hexagon of the coarsest resolution, in metres."""
H3_DIGITS = 15
"""Hex digits of an H3 id; in decimal it has eighteen."""
EQUATOR_M = 40_075_017
ZOOM_KEY = re.compile(r"^z$|zoom|level|matrix|^l$")


class Cells:
    """Places to look for by the cells that contain them."""

    def __init__(self, narrow: Sieve) -> None:
        """`narrow`: the sieve, to which the places are added as well."""
        self._places: list[tuple[int, str, float, float]] = []
        self._narrow = narrow
        self._names = WordTable()
        """Stems of names and columns of map tiles -> places."""

    def add(self, slot: int, place: systems.GeoPoint) -> None:
        """Look for a place from now on."""
        number = len(self._places)
        self._places.append((slot, *place))
        names = [name for _, name, _ in systems.cells(place)]
        columns = [column for column, _ in systems.columns(place)]
        self._names.put_texts(dict.fromkeys([*map(_stem, names), *columns]), number)
        self._narrow.add_words([*names, *columns, *systems.s2_numbers(place)])
        self._narrow.add_place(place.lat, place.lon)

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """The names of cells in the leaves of one upload."""
        asked = [(number, leaf, _stems(leaf)) for number, leaf in enumerate(look.leaves) if _may_name(leaf)]
        tiles = list(TILE.finditer(look.joined))
        known = self._known({b"%d" % int(part) for found in tiles for part in found.groups()[1:]}, asked)
        for number, leaf, stems in asked:
            if stems.isdisjoint(known):
                continue
            data = leaf.data
            size = len(data)
            if size <= systems.LONGEST_CELL:
                text = data.lower()
                yield from self._named(look, number, text, known, search)
                if size >= 16 and (token := _token(text)) is not None:
                    yield from self._named(look, number, token, known, search)
                if data in known:
                    yield from self._tile_in_fields(look, number, known, search)
            if size > LEAST_CELL and leaf.text is not None:
                for word in CELL.finditer(data):
                    if word.end() - word.start() == size:
                        continue
                    for slot, variant in self._in_cell(word[0].lower(), known):
                        why = because(Why.CELL_IN_TEXT, grid=variant.name, count=len(word[0]))
                        strong = variant.bits >= IN_TEXT
                        spot = Spot(leaf, *word.span())
                        yield from search.hit(slot, variant, spot, strong=strong, reasons=(why,))
        for found in tiles:
            yield from self._tile_in_path(look, found, known, search)

    def _known(self, columns: set[bytes], asked: list[tuple[int, Leaf, set[bytes]]]) -> _Known:
        """Stems and columns of map tiles -> the known places that they may belong to, found with one lookup."""
        stems = list(columns.union(*(stems for _, _, stems in asked)))
        known: _Known = {}
        for row in self._names.find_texts(stems):
            known.setdefault(stems[row.start], []).append(row.slot)
        return {stem: sorted(numbers) for stem, numbers in known.items()}

    def _place(self, number: int) -> tuple[int, systems.GeoPoint]:
        slot, system, lat, lon = self._places[number]
        return slot, systems.GeoPoint(system, lat, lon)

    def _named(self, look: JoinedLeaves, number: int, text: bytes, known: _Known, search: Search) -> Iterator[Hit]:
        """Places whose cell name is all of a leaf."""
        leaf = look.leaves[number]
        key = last_key(leaf.path)
        telling = CELL_KEY.search(key) is not None
        for slot, variant in self._in_cell(text, known):
            if variant.bits < IN_LIST and _is_listed(look, number):
                continue
            reasons = (_size(variant, text), *((because(Why.KEY, key=key),) if telling else ()))
            grid_key = GRID_KEYS.get(variant.name)
            enough = COARSE_CELL if grid_key and grid_key.search(key) else TELLING_CELL
            strong = variant.bits >= SURE_CELL or (telling and variant.bits >= enough)
            yield from search.hit(slot, variant, all_of(leaf, "utf-8"), strong=strong, reasons=reasons)

    def _in_cell(self, name: bytes, known: _Known) -> Iterator[tuple[int, Variant]]:
        """The places in a cell of this name, with the variant that the name is."""
        for number in known.get(_stem(name), ()):
            slot, place = self._place(number)
            for grid, text, bits in systems.cells(place):
                if text == name:
                    yield slot, Variant(grid, _system(place), "leaf", text, "word", bits)
                    break

    # --- tiles of web maps ---

    def _tile_in_path(self, look: JoinedLeaves, found: re.Match[bytes], known: _Known, search: Search) -> Iterator[Hit]:
        zoom, one, other = (int(part) for part in found.groups())
        number = look.leaf_at(found.start())
        base = look.starts[number]
        for column, row in ((one, other), (other, one)):
            for slot, variant in self._in_tile(b"%d" % column, row, zoom, known):
                if variant.bits < IN_LIST and _is_listed(look, number):
                    continue
                why = because(Why.TILE, level=zoom, metres=EQUATOR_M / 2**zoom)
                spot = Spot(look.leaves[number], found.start(1) - base, found.end() - base)
                yield from search.hit(slot, variant, spot, strong=zoom >= SURE_TILE, reasons=(why,))

    def _tile_in_fields(self, look: JoinedLeaves, number: int, known: _Known, search: Search) -> Iterator[Hit]:
        """The column of a tile whose row and zoom are in fields beside it."""
        leaf = look.leaves[number]
        own = parent_of(leaf.path)
        beside = [one for one in look.leaves[max(0, number - NEAR) : number + NEAR + 1] if parent_of(one.path) == own]
        zooms = [one for one in beside if len(one.data) == 2 and ZOOM_KEY.search(last_key(one.path))]
        rows = [one for one in beside if one is not leaf and SHORTEST <= len(one.data) <= 7 and one.data.isdigit()]
        for zoom in {int(one.data) for one in zooms if one.data.isdigit()}:
            for row in rows:
                for slot, variant in self._in_tile(leaf.data, int(row.data), zoom, known):
                    why = because(Why.TILE_COLUMN, level=zoom, metres=EQUATOR_M / 2**zoom, path=row.path)
                    spot = all_of(leaf, "utf-8")
                    yield from search.hit(slot, variant, spot, strong=zoom >= SURE_TILE, reasons=(why,))

    def _in_tile(self, column: bytes, row: int, zoom: int, known: _Known) -> Iterator[tuple[int, Variant]]:
        """The places in a tile; its row may be counted from the south."""
        for number in known.get(column, ()):
            slot, place = self._place(number)
            if (column, zoom) in systems.columns(place):
                x, y = grids.tile(place.lat, place.lon, zoom)
                if row in (y, (1 << zoom) - 1 - y):
                    name = b"%d/%d/%d" % (zoom, x, y)
                    yield slot, Variant("map tile", _system(place), "leaf", name, "word", 2.0 * zoom - 2)


_Known = dict[bytes, list[int]]
"""Stems of names and columns of map tiles that are looked up and known -> places."""


def _is_listed(look: JoinedLeaves, number: int) -> bool:
    """Whether a leaf is an entry of a list, or a field in one of several rows, among others of the same length."""
    leaf = look.leaves[number]
    way = LISTED.sub("[]", leaf.path)
    if way == leaf.path:
        return False
    beside = look.leaves[max(0, number - BESIDE * MANY) : number + BESIDE * MANY + 1]
    alike = {one.path for one in beside if len(one.data) == len(leaf.data) and one.decoding == leaf.decoding}
    return sum(LISTED.sub("[]", path) == way for path in alike) >= MANY


LISTED = re.compile(r"\[\d+\]")


def _may_name(leaf: Leaf) -> bool:
    return SHORTEST <= len(leaf.data) <= LONGEST_WITH_CELL and (
        leaf.text is not None or len(leaf.data) <= systems.LONGEST_CELL
    )


def _stems(leaf: Leaf) -> set[bytes]:
    """The stems of possible cell names in a leaf, and the leaf itself, which may be a column of tiles."""
    data = leaf.data
    found: set[bytes] = set()
    if len(data) <= systems.LONGEST_CELL:
        text = data.lower()
        found = {data, _stem(text)}
        if len(data) >= 16 and (token := _token(text)) is not None:
            found.add(_stem(token))
    if len(data) > LEAST_CELL and leaf.text is not None:
        found.update([_stem(word.lower()) for word in CELL.findall(data)])
    return found


def _system(place: systems.GeoPoint) -> str:
    return "as_given" if place.system == "wgs84" else place.system


def _stem(name: bytes) -> bytes:
    """What a name is indexed by."""
    return name[: 16 if name.isdigit() else STEM]


def _token(text: bytes) -> bytes | None:
    """The token of an S2 cell id that is written as a number or in full; None for anything else."""
    if S2_NUMBER.fullmatch(text):
        number = int(text)
        return (b"%016x" % (number & (1 << 64) - 1)).rstrip(b"0") if -(1 << 63) <= number < 1 << 64 else None
    return text.rstrip(b"0") if len(text) == 16 and text.endswith(b"0") else None


def _size(variant: Variant, text: bytes) -> Reason:
    """Which cell it is and how large, as its grid measures it."""
    if variant.name == "s2 cell":
        cell = int(text.ljust(16, b"0"), 16)
        level = grids.FINEST - ((cell & -cell).bit_length() - 1) // 2
        return because(Why.CELL_OF_LEVEL, grid=variant.name, level=level, metres=S2_WHOLE_M / 2**level)
    if variant.name == "h3 cell":
        resolution = grids.h3_resolution(int(text, 10 if len(text) > H3_DIGITS else 16))
        side_m = H3_EDGE_M / 7 ** (resolution / 2)
        return because(Why.CELL_OF_RESOLUTION, grid=variant.name, level=resolution, metres=side_m)
    width_m = _width_m(variant, len(text))
    return because(Why.CELL, grid=variant.name, count=len(text), metres=round(width_m, 0 if width_m > 10 else 1))


def _width_m(variant: Variant, size: int) -> float:
    """Width in metres, at the equator, of a cell whose name has this many characters."""
    match variant.name:
        case "geohash":
            return EQUATOR_M / 2.0 ** ((5 * size + 1) // 2)
        case "quadkey":
            return EQUATOR_M / 2.0**size
        case _:
            return WIDTHS_M.get((variant.name, size), 1.0)


WIDTHS_M = {("plus code", 9): 278.0, ("plus code", 11): 14.0, ("plus code", 12): 3.5}
"""Width of a cell in metres, by grid and length of its name; any other is a few metres wide at most."""
