"""Decides whether a latitude and a longitude of one upload are one place. They are not if either belongs to another
place, whose other coordinate stands beside it: lists of places near somebody hold that person's latitude in one row
and the longitude in another."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from appwitness.match.hits import TELLING, last_key, parent_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.places.notations import DegreesReading, decimals_of

AROUND = 5.0
"""Degrees within which another place counts as listed beside somebody's own; without a limit, any number might be a
coordinate."""
SIDE_BY_SIDE = 24
"""Maximum letters between two numbers of one text that count as side by side."""
FEWEST = 3
"""Minimum decimals of a number that may be a coordinate of another place; `FEWEST_UNDER_KEYS` if its key says so."""
FEWEST_UNDER_KEYS = 2
MANY = 3
"""With at least this many other places in an upload, a place that is merely near may be a different one."""
FIELDS = 24
"""Maximum number of leaves between two fields of one object that are compared."""
NEAR = 2
"""Maximum number of leaves between two numbers of one object or list that count as side by side."""
BREAK = re.compile(rb"[\n\r\])}]")
"""Where a row of a text ends."""
AXIS = re.compile(r"latitude|lat|longitude|long|lng|lon")
LISTED = re.compile(r"(.*)\[(\d+)\]$")
MEMBER = re.compile(r"\[\d+\]|\.\d+")
"""An entry of a list, or of an object whose keys are numbers."""


class NumberSpot(NamedTuple):
    """Where a number stands."""

    leaf: int
    start: int
    end: int
    notation: str
    degrees: float
    """The coordinate of the place that the number is near."""


class _Number(NamedTuple):
    start: int
    end: int
    decimals: int
    notation: str
    degrees: tuple[float, ...]
    """What it may stand for, on either axis."""


_Way = tuple[str, tuple[str, ...]]
"""The path of a leaf, and how it was read."""


class Partners:
    """The numbers of one upload that may be coordinates of any place, by where they stand."""

    def __init__(self, look: JoinedLeaves, readings: Sequence[DegreesReading]) -> None:
        self._look = look
        self._readings = readings
        self._ordered: dict[tuple[_Way, _Way, frozenset[str]], tuple[dict[int, int], int]] = {}

    def apart(self, lat: NumberSpot, lon: NumberSpot, lats: set[tuple[int, int]], lons: set[tuple[int, int]]) -> bool:
        """Whether one of two numbers is nearer to a third that forms a place with it. `lats`, `lons`: (leaf, start)
        of coordinates of the same place, as in the track of somebody who stands still."""
        for of_one_place in (self._in_columns(lat, lon), self._in_elements(lat, lon)):
            if of_one_place is not None:
                return not of_one_place
        if self._is_taken(lat, lon, lon.degrees, lons, "lat", "lon"):
            return True
        return self._is_taken(lon, lat, lat.degrees, lats, "lon", "lat")

    def _in_columns(self, lat: NumberSpot, lon: NumberSpot) -> bool | None:
        """Whether two numbers have the same index in two lists or objects beside each other; None if they are not in
        such lists."""
        paths = [self._look.leaves[one.leaf].path for one in (lat, lon)]
        parents = [parent_of(path) for path in paths]
        if parents[0] == parents[1] or parent_of(parents[0]) != parent_of(parents[1]):
            return None
        if any(LISTED.match(parent) for parent in parents):  # rows, each with columns of its own
            return None
        members = [path[len(parent) :] for path, parent in zip(paths, parents, strict=True)]
        return members[0] == members[1] if all(map(MEMBER.fullmatch, members)) else None

    def _in_elements(self, lat: NumberSpot, lon: NumberSpot) -> bool | None:
        """Whether two numbers belong to one of several elements with the same path, as in XML; None if they are not
        in such elements."""
        leaves = self._look.leaves
        first, second = leaves[lat.leaf], leaves[lon.leaf]
        if first.path == second.path or parent_of(first.path) != parent_of(second.path):
            return None
        notations = frozenset((lat.notation, lon.notation))
        groups, number = self._elements((first.path, first.decoding), (second.path, second.decoding), notations)
        if number <= 2 or lat.leaf not in groups or lon.leaf not in groups:
            return None
        one, other = sorted((groups[lat.leaf], groups[lon.leaf]))
        return other == one + 1 and (one % 2 == 1 or number % 2 == 1)

    def _elements(self, one: _Way, other: _Way, notations: frozenset[str]) -> tuple[dict[int, int], int]:
        """For two kinds of adjacent leaves with such numbers, the position of each leaf, and how many positions
        there are."""
        first, second = sorted((one, other))
        key = (first, second, notations)
        if key not in self._ordered:
            leaves, order, last, number = self._look.leaves, dict[int, int](), "", 0
            for at in self._siblings[parent_of(one[0])]:
                leaf = leaves[at]
                if (leaf.path, leaf.decoding) not in (one, other):
                    continue
                if any(row.notation in notations for row in self._rows[at]):
                    number += leaf.path != last  # else the same bytes, read in another way
                    last, order[at] = leaf.path, number
            self._ordered[key] = order, number
        return self._ordered[key]

    def are_many(self, notation: str, place: tuple[float, float], near: int) -> bool:
        """Whether an upload has so many numbers around a place, besides those of the place itself, that some may be
        near it by chance."""
        known = self._degrees[notation]
        others = sum(bisect_right(known, degrees + AROUND) - bisect_left(known, degrees - AROUND) for degrees in place)
        return others >= 2 * (near + MANY)

    def mates(
        self, lats: Sequence[NumberSpot], lons: Sequence[NumberSpot], own: Sequence[set[tuple[int, int]]]
    ) -> Iterator[tuple[int, Iterable[int]]]:
        """For each latitude of one place, by index, the longitudes that it may go with: those beside it and, unless it
        forms a place with a third number, all that form no other place. Trying every pair would take too long in a
        list. `own`: for either axis, as in `apart`."""
        columns: dict[str, list[int]] = defaultdict(list)
        for number, lon in enumerate(lons):
            columns[self._column(lon)].append(number)
        order = sorted(range(len(lons)), key=lambda number: lons[number][:2])
        places = [lons[number][:2] for number in order]
        free = [
            number
            for number, lon in enumerate(lons)
            if not self._is_taken(lon, None, lats[0].degrees, own[0], "lon", "lat")
        ]
        for number, lat in enumerate(lats):
            first = bisect_left(places, (lat.leaf - FIELDS, 0))
            last = bisect_right(places, (lat.leaf + FIELDS + 1, 0))
            near = {one for one in order[first:last] if self._is_beside(lat, lons[one])}
            near.update(columns[self._column(lat)] if self._column(lat) else ())
            if not self._is_taken(lat, None, lons[0].degrees, own[1], "lat", "lon"):
                near.update(free)
            yield number, sorted(near)

    def _is_beside(self, lat: NumberSpot, lon: NumberSpot) -> bool:
        """Whether two numbers are in one object or list, or side by side in one text."""
        if lat.leaf == lon.leaf:
            return max(lat.start, lon.start) - min(lat.end, lon.end) <= 2 * SIDE_BY_SIDE
        leaves = self._look.leaves
        return parent_of(leaves[lat.leaf].path) == parent_of(leaves[lon.leaf].path)

    def _column(self, spot: NumberSpot) -> str:
        """The key of a number's position in one of several columns; empty if it is in none."""
        path = self._look.leaves[spot.leaf].path
        parent = parent_of(path)
        member = path[len(parent) :]
        return f"{parent_of(parent)}\0{member}" if MEMBER.fullmatch(member) else ""

    def _is_taken(
        self,
        one: NumberSpot,
        other: NumberSpot | None,
        towards: float,
        own: set[tuple[int, int]],
        axis: str,
        wanted: str,
    ) -> bool:
        """Whether a number belongs to a third one rather than to `other` (None: any number that is not near it).
        `towards`: the other coordinate of the place."""
        within = other if other is not None and other.leaf == one.leaf else None
        row = self._fine[one.leaf, one.notation]
        if coarse := [spot.start for spot in (one, within) if spot and _place_in(row, spot.start) is None]:
            coarser = [number for number in self._rows[one.leaf] if number.start in coarse]
            row = sorted((*row, *(number for number in coarser if number.notation == one.notation)))
        at = _place_in(row, one.start)
        if at is None:
            return False
        if len(row) > 1 and self._is_taken_in_text(one, within, towards, own, row, at):
            return True
        return within is None and self._is_taken_beside(one, other, towards, own, axis, wanted)

    def _is_taken_in_text(
        self,
        one: NumberSpot,
        other: NumberSpot | None,
        towards: float,
        own: set[tuple[int, int]],
        row: list[_Number],
        at: int,
    ) -> bool:
        """`_is_taken` among the numbers of one text."""
        data = self._look.leaves[one.leaf].data
        to = _place_in(row, other.start) if other is not None else None
        for beside in (at - 1, at + 1):
            if not 0 <= beside < len(row) or beside == to or (one.leaf, row[beside].start) in own:
                continue
            if not _is_around(row[beside], towards):
                continue
            between = _between(data, row, at, beside)
            if len(between) > SIDE_BY_SIDE:
                continue
            if to is None or abs(to - at) > 1:
                return True
            breaks, breaks_to = BREAK.search(between), BREAK.search(_between(data, row, at, to))
            if (breaks_to and not breaks) or (bool(breaks_to) == bool(breaks) and _is_odd(data, row, min(at, to))):
                return True
        return False

    def _is_taken_beside(
        self,
        one: NumberSpot,
        other: NumberSpot | None,
        towards: float,
        own: set[tuple[int, int]],
        axis: str,
        wanted: str,
    ) -> bool:
        """`_is_taken` among the fields of one object or list."""
        leaves = self._look.leaves
        path_of_one = leaves[one.leaf].path
        parent, key = parent_of(path_of_one), last_key(path_of_one)
        keyed = TELLING[axis].match(key) is not None
        sibling = other if other is not None and parent_of(leaves[other.leaf].path) == parent else None
        far = abs(sibling.leaf - one.leaf) if sibling else NEAR + 1
        siblings = self._siblings[parent]
        first, last = bisect_left(siblings, one.leaf - FIELDS), bisect_right(siblings, one.leaf + FIELDS)
        for leaf in siblings[first:last]:
            path = leaves[leaf].path
            if path == path_of_one or (sibling and path == leaves[sibling.leaf].path):
                continue  # the same bytes, perhaps read in another way
            numbers = [number for number in self._rows[leaf] if number.notation == one.notation]
            if len(numbers) != 1 or (leaf, numbers[0].start) in own:
                continue
            beside = last_key(path)
            if keyed and TELLING[wanted].match(beside):
                if not sibling or _stem(key) == _stem(beside) != _stem(last_key(leaves[sibling.leaf].path)):
                    return True
                continue
            if not _is_around(numbers[0], towards):
                continue
            if keyed or numbers[0].decimals < FEWEST or TELLING[wanted].match(beside) or abs(leaf - one.leaf) > NEAR:
                continue
            if abs(leaf - one.leaf) < far:
                return True
            if sibling and abs(leaf - one.leaf) == far and _is_odd_in_list(path_of_one, leaves[sibling.leaf].path):
                return True
        return False

    @cached_property
    def _rows(self) -> dict[int, list[_Number]]:
        """The numbers in each leaf, in order."""
        found: dict[int, dict[tuple[int, str], _Number]] = defaultdict(dict)
        look = self._look
        for reading in self._readings:
            decimals = decimals_of(reading.unit)
            if decimals >= FEWEST_UNDER_KEYS:
                leaf = look.leaf_at(reading.start)
                begin = look.starts[leaf]
                start, end, notation = reading.start - begin, reading.end - begin, reading.notation
                same = found[leaf].get((start, notation))  # a letter may seem to belong to it
                degrees = (*(same.degrees if same else ()), reading.degrees)
                end = min(end, same.end) if same else end
                found[leaf][start, notation] = _Number(start, end, decimals, notation, degrees)
        return defaultdict(list, {leaf: sorted(numbers.values()) for leaf, numbers in found.items()})

    @cached_property
    def _fine(self) -> dict[tuple[int, str], list[_Number]]:
        """For each leaf and notation, the numbers with enough decimals, in order."""
        found: dict[tuple[int, str], list[_Number]] = defaultdict(list)
        for leaf, numbers in self._rows.items():
            for number in numbers:
                if number.decimals >= FEWEST:
                    found[leaf, number.notation].append(number)
        return found

    @cached_property
    def _degrees(self) -> dict[str, list[float]]:
        """For each notation, the degrees that its numbers may stand for, in order."""
        found: dict[str, list[float]] = defaultdict(list)
        for number in chain.from_iterable(self._rows.values()):
            if number.decimals >= FEWEST:
                found[number.notation] += number.degrees
        return defaultdict(list, {notation: sorted(degrees) for notation, degrees in found.items()})

    @cached_property
    def _siblings(self) -> dict[str, list[int]]:
        """The leaves of each object and list."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, leaf in enumerate(self._look.leaves):
            found[parent_of(leaf.path)].append(number)
        return found


def _place_in(row: list[_Number], start: int) -> int | None:
    at = bisect_left(row, start, key=lambda number: number.start)
    return at if at < len(row) and row[at].start == start else None


def _between(data: bytes, row: list[_Number], one: int, other: int) -> bytes:
    first, second = sorted((row[one], row[other]))
    return data[first.end : second.start]


def _is_around(number: _Number, degrees: float) -> bool:
    return any(abs(one - degrees) <= AROUND for one in number.degrees)


def _stem(key: str) -> str:
    """A key without its axis: `start_lat` and `start_lng` are of one place."""
    return AXIS.sub("", key)


def _is_odd(data: bytes, row: list[_Number], at: int) -> bool:
    """Whether an odd number of coordinates precede this one in its row of a text: they come in pairs."""
    before = 0
    while at and row[at - 1].decimals >= FEWEST:
        between = _between(data, row, at - 1, at)
        if len(between) > SIDE_BY_SIDE or BREAK.search(between):
            break
        at, before = at - 1, before + 1
    return before % 2 == 1


def _is_odd_in_list(one: str, other: str) -> bool:
    """The same for entries of a list."""
    found = [LISTED.match(path) for path in (one, other)]
    return all(found) and min(int(entry[2]) for entry in found if entry) % 2 == 1
