"""Compares the sources with the yardstick, the APIs that other tools hook: hooked, hooked at a lower layer, absent
here, missing."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field

from appwitness.agent.native_routes import Native
from appwitness.agent.sources import FollowSpec, Source
from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry

LEVELS = ("must", "full", "wide", "gaps")
"""must: hooked by at least two tools; full: by one; wide: by one or in bulk; gaps: by none. Each of the first three
includes the ones before it."""
State = Literal["hooked", "lower_layer", "not_here", "missing"]
STATES: tuple[State, ...] = ("hooked", "lower_layer", "not_here", "missing")


class Yard(NamedTuple):
    """One API of the yardstick (catalog/yardstick.csv)."""

    category: str
    cls: str
    method: str
    what: str
    """Content URI, settings key or binder interface of a general API; otherwise empty."""
    level: str
    """The narrowest level that it belongs to."""

    @property
    def name(self) -> str:
        """The name that reports use."""
        dot = "!" if self.cls.endswith(".so") else "."
        return f"{self.cls}{dot}{self.method}{f' {self.what}' if self.what else ''}"

    @property
    def levels(self) -> tuple[str, ...]:
        """Every level that it counts for."""
        return ("gaps",) if self.level == "gaps" else LEVELS[LEVELS.index(self.level) : 3]


class _Group(CatalogEntry):
    cls: str = Field(alias="class", description="regular expression over the whole name of the class")
    methods: tuple[str, ...] | None = Field(default=None, description="None: all of its methods")
    why: str

    def holds(self, yard: Yard) -> bool:
        """Whether the entry covers this API."""
        return bool(re.fullmatch(self.cls, yard.cls)) and (self.methods is None or yard.method in self.methods)


class Lower(_Group):
    """APIs whose calls pass through a hooked one."""

    by: str = Field(
        description="name of the source that sees them; `Class.*` is the method of the same name of another class, and "
        "the source of the binder takes the interface after a space"
    )

    def seen_by(self, yard: Yard) -> str:
        """Name of the source that sees this API."""
        return f"{self.by.removesuffix('*')}{yard.method}" if self.by.endswith(".*") else self.by


class Absent(_Group):
    """APIs that no app can call on current Android versions, or that cannot be hooked."""


class Beside(CatalogEntry):
    """catalog/coverage.yml: what covers an API that has no source of its own."""

    lower_layer: tuple[Lower, ...] = ()
    not_here: tuple[Absent, ...] = ()


class Cover(NamedTuple):
    """How one API is covered."""

    yard: Yard
    state: State
    by: str | None = None
    """The source that sees it."""
    why: str | None = None


def yardstick() -> list[Yard]:
    """Every API of the yardstick, in order of category and name."""
    (path,) = yaml_files.files("yardstick.csv")
    with path.open(newline="", encoding="utf-8") as file:
        return [Yard(*row) for row in list(csv.reader(file))[1:]]


def beside() -> Beside:
    """Load the catalog's coverage.yml. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "coverage.yml", Beside)


def covered(yards: Iterable[Yard], sources: Sequence[Source], native: Native, known: Beside) -> list[Cover]:
    """How each API is covered: by a source of its own, else by a lower layer whose source is there, else not."""
    by_api: dict[tuple[str, str], list[Source]] = {}
    for source in sources:
        for api in ((source.cls, source.method), *_followed(source.follow)):
            by_api.setdefault(api, []).append(source)
    below = native.sees()
    names = seeing(sources, native)
    return [_cover(yard, by_api.get((yard.cls, yard.method), ()), below, names, known) for yard in yards]


def seeing(sources: Iterable[Source], native: Native) -> set[str]:
    """Names of everything that observes calls: sources, native routes, the binder and its interfaces."""
    binder = native.binder
    interfaces = (f"{binder.source} {interface}" for interface in binder.interfaces)
    return {source.name for source in sources} | {route.name for route in native.routes} | {binder.source, *interfaces}


def _followed(follows: Iterable[FollowSpec]) -> Iterator[tuple[str, str]]:
    """Methods of listeners and callbacks that are wrapped when they are registered: each delivery is an access."""
    for follow in follows:
        for method, step in follow.methods.items():
            if follow.type is not None and step.values:
                yield follow.type, method
            yield from _followed(step.follow)


def _cover(
    yard: Yard, own: Sequence[Source], below: Mapping[tuple[str, str, str], str], names: set[str], known: Beside
) -> Cover:
    if route := below.get((yard.cls, yard.method, yard.what)):
        return Cover(yard, "hooked", route)
    for source in own:
        if _sees(source, yard.what):
            return Cover(yard, "hooked", source.name)
    for lower in known.lower_layer:
        if lower.holds(yard) and (by := lower.seen_by(yard)) in names:
            return Cover(yard, "lower_layer", by, lower.why)
    for absent in known.not_here:
        if absent.holds(yard):
            return Cover(yard, "not_here", None, absent.why)
    return Cover(yard, "missing")


def _sees(source: Source, what: str) -> bool:
    """Whether a source of a general API covers this URI, key or interface."""
    if not what or source.when is None:
        return True
    return any(re.search(pattern, what) for pattern in source.when.matches)


def table(covers: Sequence[Cover]) -> dict[str, Any]:
    """Counts by level and by category, and the names of the missing APIs, as `list sources --coverage --format json`
    prints them."""

    def counts(of: Iterable[Cover]) -> dict[str, int]:
        states = Counter(cover.state for cover in of)
        return {"total": states.total(), **{state: states[state] for state in STATES}}

    categories = sorted({cover.yard.category for cover in covers})
    return {
        "levels": {level: counts(cover for cover in covers if level in cover.yard.levels) for level in LEVELS},
        "categories": {name: counts(cover for cover in covers if cover.yard.category == name) for name in categories},
        "missing": sorted(cover.yard.name for cover in covers if cover.state == "missing"),
    }
