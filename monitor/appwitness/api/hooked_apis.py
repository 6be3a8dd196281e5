"""Lists the hooked APIs, and how they cover the APIs that other tools hook."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.agent import native_routes
from appwitness.agent import sources as java_sources
from appwitness.agent import yardstick as coverage
from appwitness.agent.native_routes import Binder as Binder
from appwitness.agent.native_routes import NativeRoute as NativeRoute
from appwitness.agent.sources import FollowSpec as FollowSpec
from appwitness.agent.sources import Source as Source
from appwitness.agent.sources import ValueSpec as ValueSpec
from appwitness.agent.yardstick import Cover as Cover
from appwitness.support.errors import UserError
from appwitness.support.spoken import OR, Spoken, listed

HookedEntry = Source | NativeRoute | Binder
"""A catalog entry: a Java method, a function of a native library, or the calls to system services."""


class HookedApi(NamedTuple):
    """One API and one data type that is read through it."""

    data: str
    """Code of the data type."""
    name: str
    permission: str
    """The permission that it needs; empty: none, or unknown."""


@dataclass(frozen=True)
class HookedPage:
    """All catalog entries with one name."""

    name: str
    entries: tuple[HookedEntry, ...]
    covers: tuple[Cover, ...]
    """APIs hooked by other tools that are seen through this one."""


@dataclass(frozen=True)
class FoundApis:
    """The APIs that a name matches."""

    pages: tuple[HookedPage, ...]
    """Pages of the matching hooked APIs; several if the end of a name matches several."""
    others: tuple[Cover, ...]
    """APIs that other tools hook and that have no entry here, with what sees them, or why nothing does."""


def entries(extra: Path | None = None) -> list[HookedEntry]:
    """All entries of the catalog and of the user's own file or folder. Raises FileError with file and line."""
    below = native_routes.load()
    return [*java_sources.load(extra), *below.routes, below.binder]


def hooked_apis(extra: Path | None = None) -> list[HookedApi]:
    """The hooked APIs, and what is read through each. Raises FileError with file and line."""
    below = native_routes.load()
    rows = [HookedApi(each.data, each.name, each.permission or "") for each in java_sources.load(extra)]
    rows += sorted({HookedApi(ask.data, route.name, "") for route in below.routes for ask in route.asks})
    rows += sorted({HookedApi(data, below.binder.source, "") for data in below.binder.interfaces.values()})
    return rows


def find(name: str, extra: Path | None = None) -> FoundApis:
    """The API with that name, or the APIs whose names end in it. Raises UserError with similar names if there is
    none."""
    known, covers = _by_name(extra), _covers(extra)
    found = {name: known[name]} if name in known else {full: known[full] for full in known if _ends(full, name)}
    pages = tuple(
        HookedPage(full, tuple(those), tuple(cover for cover in covers if (cover.by or "").split(" ")[0] == full))
        for full, those in found.items()
    )
    others = () if pages else tuple(cover for cover in covers if _ends(cover.yard.name.split(" ")[0], name))
    if not pages and not others:
        raise _unknown(name, known)
    return FoundApis(pages, others)


def covered(extra: Path | None = None) -> dict[str, Any]:
    """How the APIs that other tools hook are covered: counts by `levels` and by `categories`, and names `missing`.

    Each count has `total`, `hooked`, `lower_layer`, `not_here` and `missing`.
    """
    return coverage.table(_covers(extra))


def _by_name(extra: Path | None) -> dict[str, list[HookedEntry]]:
    """The entries by name; several may share one."""
    named: dict[str, list[HookedEntry]] = {}
    for each in entries(extra):
        named.setdefault(each.source if isinstance(each, Binder) else each.name, []).append(each)
    return named


def _covers(extra: Path | None) -> Sequence[Cover]:
    return coverage.covered(coverage.yardstick(), java_sources.load(extra), native_routes.load(), coverage.beside())


def _ends(full: str, name: str) -> bool:
    """Whether a full name equals `name` or ends in it."""
    return full == name or full.endswith((f".{name}", f"${name}", f"!{name}"))


def _unknown(name: str, known: Mapping[str, Iterable[HookedEntry]]) -> UserError:
    ends = {full.replace("!", ".").rpartition(".")[2]: full for full in known}
    near = [*difflib.get_close_matches(name, known, n=2), *difflib.get_close_matches(name, ends, n=2)]
    hint = Spoken("Did you mean {near}? ", near=listed(near, OR)) if near else ""
    return UserError(
        Spoken("There is no source {name!r}.", name=name),
        Spoken("{hint}`appwitness list sources` lists them.", hint=hint),
    )
