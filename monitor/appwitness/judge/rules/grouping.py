"""What is one finding: sightings of one kind of data and one recipient, API, permission or caller, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from appwitness.events.stacks import Frame
from appwitness.judge.code import foreign_frame
from appwitness.judge.phases import PhaseStatus
from appwitness.judge.recipients import RecipientTable
from appwitness.judge.rules.facts import Facts
from appwitness.judge.rules.frequency import Preset, Stretch, longest, spread
from appwitness.judge.rules.model import When
from appwitness.judge.rules.sightings import Sighting, in_time, rows


@dataclass(frozen=True)
class Group:
    """Sightings that make one finding."""

    members: list[Sighting]
    caller: Caller | None = None
    preset: Preset | None = None
    stretch: Stretch | None = None
    state: str | None = None
    """Where a rule asks how often: whose calls these are, which of them exceed the preset, and the phase of the app."""


@dataclass(frozen=True, order=True)
class Caller:
    """Whose code called: prefix of its classes, and its name where it is a known SDK."""

    code: str
    name: str | None = field(default=None, compare=False)


def grouped(when: When, seen: Iterable[Sighting], facts: Facts) -> Iterator[tuple[tuple[str, str], Group]]:
    """The groups that are as large, or as frequent, as the rule asks, each with its kind of data and its name."""
    if when.often is not None:
        yield from _frequent(when, seen, facts)
        return
    groups: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in seen:
        groups.setdefault((sighting.data or "", sighting.what), []).append(sighting)
    for key, members in groups.items():
        if when.rows is not None and rows(members)[0] < when.rows:
            continue
        if when.times is not None and sum(each.count for each in members) < when.times:
            continue
        yield key, Group(members)


def _frequent(when: When, seen: Iterable[Sighting], facts: Facts) -> Iterator[tuple[tuple[str, str], Group]]:
    """By kind of data, caller and phase of the app."""
    preset = facts.frequency.by_id.get(when.often or "")
    if preset is None:
        return
    known: dict[Frame | None, Caller] = {}
    groups: dict[tuple[str, Caller, str | None], list[Sighting]] = {}
    for sighting in seen:
        frame = foreign_frame(sighting.access) if sighting.access else None
        if frame not in known:
            known[frame] = caller_of(frame.text if frame else None, facts.recipients)
        state = state_of(sighting.phase)
        groups.setdefault((sighting.data or "", known[frame], state), []).append(sighting)
    for (data, caller, state), members in groups.items():
        moments = [moment for each in members for moment in _moments(each)]
        stretch = longest(preset, moments)
        if stretch is None or stretch.calls < (when.times or 1):
            continue
        inside = sorted((each for each in members if stretch.first <= each.at <= stretch.last), key=in_time)
        yield (data, f"{caller.code} {state}"), Group(inside or members, caller, preset, stretch, state)


def _moments(sighting: Sighting) -> list[tuple[datetime, int]]:
    access = sighting.access
    if access is None or access.until is None or sighting.count == 1:
        return [(sighting.at, sighting.count)]
    return spread(sighting.at, sighting.at + (access.until - access.at), sighting.count)


def state_of(phase: PhaseStatus) -> str | None:
    """The phase in which calls are counted together; None: not known."""
    if not phase.ever_foreground:
        return "before_start"
    if phase.screen_on is False:
        return "screen_off"
    return {True: "foreground", False: "background", None: None}[phase.foreground]


def caller_of(frame: str | None, known: RecipientTable | None) -> Caller:
    """The SDK that a frame belongs to, by its longest known prefix; else the package of its class."""
    if frame is None:
        return Caller("")
    name = frame.partition("(")[0]
    owner = known.of_frame(frame) if known else None
    if owner is not None:
        prefix = max((code for code in owner.code if name == code or name.startswith(f"{code}.")), key=len)
        return Caller(prefix, owner.name)
    return Caller(".".join(name.split(".")[:-2]) or name)
