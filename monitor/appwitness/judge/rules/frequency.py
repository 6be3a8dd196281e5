"""Frequency presets, each with its author, and the longest stretch of calls that exceeds one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, NamedTuple

from pydantic import Field

from appwitness.catalog.entries import CatalogEntry
from appwitness.judge.rules.translations import Words

POINTS = 1000
"""Maximum number of moments that a folded line is spread over; each may then stand for several calls."""


class Preset(CatalogEntry):
    """One answer to how often is too often; never a legal limit."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    of: Words = Field(description="whose it is, by language: en, zh")
    source: str = Field(description="where it stands")
    allows: int = Field(ge=1, description="calls in any window")
    window_s: float = Field(gt=0, description="length of the window, seconds")


class Frequency(CatalogEntry):
    """catalog/frequency.yml."""

    presets: tuple[Preset, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Preset]:
        """Id -> preset."""
        return {preset.id: preset for preset in self.presets}


class CallStretch(NamedTuple):
    """A stretch of calls that consists of overlapping windows, each of which exceeds a preset."""

    calls: int
    first: datetime
    last: datetime


def spread(at: datetime, until: datetime | None, count: int) -> list[tuple[datetime, int]]:
    """The moments of a line that stands for `count` calls, spread evenly from its first to its last, each with its
    number of calls."""
    if count <= 1 or until is None or until <= at:
        return [(at, count)]
    points = min(count, POINTS)
    calls = [count * (point + 1) // points - count * point // points for point in range(points)]
    return [(at + (until - at) * point / (points - 1), calls[point]) for point in range(points)]


def longest(preset: Preset, moments: Iterable[tuple[datetime, int]]) -> CallStretch | None:
    """The stretch with the most calls that exceeds the preset, the first of several; None if there is none."""
    ordered = sorted(moments)
    window = timedelta(seconds=preset.window_s)
    best: CallStretch | None = None
    begin: int | None = None
    oldest = 0
    inside = 0
    for index, (at, calls) in enumerate(ordered):
        inside += calls
        while at - ordered[oldest][0] > window:
            inside -= ordered[oldest][1]
            oldest += 1
        if inside <= preset.allows:
            best, begin = _better(best, ordered, begin, index), None
        elif begin is None:
            begin = oldest
    return _better(best, ordered, begin, len(ordered))


def _better(
    best: CallStretch | None, ordered: Sequence[tuple[datetime, int]], begin: int | None, end: int
) -> CallStretch | None:
    if begin is None:
        return best
    stretch = CallStretch(sum(calls for _, calls in ordered[begin:end]), ordered[begin][0], ordered[end - 1][0])
    return stretch if best is None or stretch.calls > best.calls else best
