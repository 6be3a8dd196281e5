"""Whether a latitude and a longitude of one upload are one place: not where either belongs to another place, of which
the other number stands beside it. Lists of places near somebody hold his latitude in one row and his longitude in
another."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from monitor.judge.search.hits import TELLING, last_key, parent_of
from monitor.judge.search.look import Look
from monitor.judge.search.notations import Reading, decimals_of

AROUND = 5.0
"""Degrees within which another place is that a list has beside somebody's: else any number might be a coordinate."""
SIDE_BY_SIDE = 24
"""Letters between two numbers of one text that are said to stand side by side."""
FEWEST = 3
"""Decimals of a number that may be a coordinate of some other place; where its key says that it is one:"""
FEWEST_UNDER_KEYS = 2
MANY = 3
"""Other places in an upload from which on one that is merely near may be another."""
NEAR = 2
"""Leaves between two numbers of one object or list that are said to stand side by side."""
BREAK = re.compile(rb"[\n\r\])}]")
"""Where a row of a text ends."""
AXIS = re.compile(r"latitude|lat|longitude|long|lng|lon")
LISTED = re.compile(r"(.*)\[(\d+)\]$")
MEMBER = re.compile(r"\[\d+\]|\.\d+")
"""An entry of a list, or of an object whose keys are numbers."""


class Spot(NamedTuple):
    """Where a number stands."""

    leaf: int
    start: int
    end: int
    notation: str
    degrees: float
    """The coordinate of the place that it is near."""


class _Number(NamedTuple):
    start: int
    end: int
    decimals: int
    notation: str
    degrees: tuple[float, ...]
    """What it may stand for, on either axis."""


class Partners:
    """The numbers of one upload that may be coordinates, of whatever place, by where they stand."""

    def __init__(self, look: Look, readings: Sequence[Reading]) -> None:
        self._look = look
        self._readings = readings

    def apart(self, lat: Spot, lon: Spot, lats: set[tuple[int, int]], lons: set[tuple[int, int]]) -> bool:
        """Whether one of two numbers is nearer to a third that makes a place with it. `lats`, `lons`: (leaf, start) of
        those that are coordinates of the same place, as in a track of somebody who stands still."""
        for of_one_place in (self._in_columns(lat, lon), self._in_elements(lat, lon)):
            if of_one_place is not None:
                return not of_one_place
        if self._is_taken(lat, lon, lon.degrees, lons, "lat", "lon"):
            return True
        return self._is_taken(lon, lat, lat.degrees, lats, "lon", "lat")

    def _in_columns(self, lat: Spot, lon: Spot) -> bool | None:
        """Whether two numbers stand at the same place of two lists or objects that are beside each other; None where
        they are in no such."""
        paths = [self._look.leaves[one.leaf].path for one in (lat, lon)]
        parents = [parent_of(path) for path in paths]
        if parents[0] == parents[1] or parent_of(parents[0]) != parent_of(parents[1]):
            return None
        if any(LISTED.match(parent) for parent in parents):  # rows, each with columns of its own
            return None
        members = [path[len(parent) :] for path, parent in zip(paths, parents, strict=True)]
        return members[0] == members[1] if all(map(MEMBER.fullmatch, members)) else None

    def _in_elements(self, lat: Spot, lon: Spot) -> bool | None:
        """Whether two numbers are of one of several elements, of which all have the same path, as in XML; None where
        they are in no such."""
        leaves = self._look.leaves
        first, second = leaves[lat.leaf], leaves[lon.leaf]
        if first.path == second.path or parent_of(first.path) != parent_of(second.path):
            return None
        ways = ((first.path, first.decoding), (second.path, second.decoding))
        groups: list[set[int]] = []
        for at in self._siblings[parent_of(first.path)]:
            read = any(number.notation in (lat.notation, lon.notation) for number in self._rows[at])
            if at in (lat.leaf, lon.leaf) or (read and (leaves[at].path, leaves[at].decoding) in ways):
                if groups and leaves[max(groups[-1])].path == leaves[at].path:
                    groups[-1].add(at)  # the same bytes, read in another way
                else:
                    groups.append({at})
        if len(groups) <= 2:
            return None
        one, other = (n for n, group in enumerate(groups) if not group.isdisjoint((lat.leaf, lon.leaf)))
        return other == one + 1 and (one % 2 == 0 or len(groups) % 2 == 1)

    def are_many(self, notation: str, place: tuple[float, float], near: int) -> bool:
        """Whether the numbers of so many places around one are in the upload, besides those of the place itself, that
        some may be near it by chance."""
        known = self._degrees[notation]
        others = sum(bisect_right(known, degrees + AROUND) - bisect_left(known, degrees - AROUND) for degrees in place)
        return others >= 2 * (near + MANY)

    def mates(self, lats: Sequence[Spot], lons: Sequence[Spot]) -> Iterator[tuple[int, Iterable[int]]]:
        """Of each latitude of one place, by its number, the longitudes that it may go with: where it makes a place with
        a third number, those beside it; else also all that make none. Each with each would take long in a list."""
        own = [{(one.leaf, one.start) for one in spots} for spots in (lats, lons)]
        beside: dict[str, list[int]] = defaultdict(list)
        for number, lon in enumerate(lons):
            for row in self._rows_of(lon):
                beside[row].append(number)
        free = [
            number
            for number, lon in enumerate(lons)
            if not self._is_taken(lon, None, lats[0].degrees, own[0], "lon", "lat")
        ]
        for number, lat in enumerate(lats):
            near = {one for row in self._rows_of(lat) for one in beside[row]}
            if not self._is_taken(lat, None, lons[0].degrees, own[1], "lat", "lon"):
                near.update(free)
            yield number, sorted(near)

    def _rows_of(self, spot: Spot) -> Iterator[str]:
        """What names the object or list that a number is in, and its place in one of several columns."""
        path = self._look.leaves[spot.leaf].path
        parent = parent_of(path)
        yield parent
        if MEMBER.fullmatch(member := path[len(parent) :]):
            yield f"{parent_of(parent)}\0{member}"

    def _is_taken(
        self, one: Spot, other: Spot | None, towards: float, own: set[tuple[int, int]], axis: str, wanted: str
    ) -> bool:
        """Whether a number belongs to a third rather than to the other, or to one that is nowhere near it. `towards`:
        the other coordinate of the place."""
        ends = [(spot.leaf, spot.start) for spot in (one, other) if spot is not None]
        row = [
            number
            for number in self._rows[one.leaf]
            if number.notation == one.notation and (number.decimals >= FEWEST or (one.leaf, number.start) in ends)
        ]
        at = bisect_left(row, one.start, key=lambda number: number.start)
        if at == len(row) or row[at].start != one.start:
            return False
        within = other if other is not None and other.leaf == one.leaf else None
        if len(row) > 1 and self._is_taken_in_text(one, within, towards, own, row, at):
            return True
        return within is None and self._is_taken_beside(one, other, towards, own, axis, wanted)

    def _is_taken_in_text(
        self, one: Spot, other: Spot | None, towards: float, own: set[tuple[int, int]], row: list[_Number], at: int
    ) -> bool:
        """The same among the numbers of one text."""
        data = self._look.leaves[one.leaf].data
        to = next((n for n, number in enumerate(row) if other is not None and number.start == other.start), None)
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
        self, one: Spot, other: Spot | None, towards: float, own: set[tuple[int, int]], axis: str, wanted: str
    ) -> bool:
        """The same among the fields of one object or list."""
        leaves = self._look.leaves
        path_of_one = leaves[one.leaf].path
        parent, key = parent_of(path_of_one), last_key(path_of_one)
        keyed = TELLING[axis].match(key) is not None
        sibling = other if other is not None and parent_of(leaves[other.leaf].path) == parent else None
        far = abs(sibling.leaf - one.leaf) if sibling else NEAR + 1
        for leaf in self._siblings[parent]:
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
        """Of each leaf, the numbers in it, in order."""
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
    def _degrees(self) -> dict[str, list[float]]:
        """Of each notation, what its numbers may stand for, in order."""
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


def _between(data: bytes, row: list[_Number], one: int, other: int) -> bytes:
    first, second = sorted((row[one], row[other]))
    return data[first.end : second.start]


def _is_around(number: _Number, degrees: float) -> bool:
    return any(abs(one - degrees) <= AROUND for one in number.degrees)


def _stem(key: str) -> str:
    """A key without what says which axis it is: `start_lat` and `start_lng` are of one place."""
    return AXIS.sub("", key)


def _is_odd(data: bytes, row: list[_Number], at: int) -> bool:
    """Whether an odd number of coordinates stand before this one in its row of a text: two begin a place together."""
    before = 0
    while at and row[at - 1].decimals >= FEWEST:
        between = _between(data, row, at - 1, at)
        if len(between) > SIDE_BY_SIDE or BREAK.search(between):
            break
        at, before = at - 1, before + 1
    return before % 2 == 1


def _is_odd_in_list(one: str, other: str) -> bool:
    """The same of the entries of a list."""
    found = [LISTED.match(path) for path in (one, other)]
    return all(found) and min(int(entry[2]) for entry in found if entry) % 2 == 1
