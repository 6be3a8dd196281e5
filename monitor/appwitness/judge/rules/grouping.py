"""Groups sightings into findings: those of one data type and one recipient, API, permission or caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from appwitness.events.stacks import Frame
from appwitness.judge.code import foreign_frame
from appwitness.judge.phases import PhaseStatus
from appwitness.judge.recipients import RecipientTable
from appwitness.judge.rules.facts import RunFacts
from appwitness.judge.rules.frequency import CallStretch, Preset, longest, spread
from appwitness.judge.rules.sightings import Sighting, in_time


@dataclass(frozen=True)
class FindingGroup:
    """Sightings that make one finding."""

    members: list[Sighting]
    caller: CallingCode | None = None
    preset: Preset | None = None
    stretch: CallStretch | None = None
    state: str | None = None
    """The last four are for a rule on frequency: whose calls these are, the preset, the calls that exceed it, and the
    phase of the app."""

    @property
    def count(self) -> int:
        """How many times it happened."""
        return self.stretch.calls if self.stretch else sum(each.count for each in self.members)


@dataclass(frozen=True, order=True)
class CallingCode:
    """The code that made calls: the prefix of its classes, and its name if it is a known SDK."""

    code: str
    name: str | None = field(default=None, compare=False)


def grouped(
    often: str | None, seen: Iterable[Sighting], facts: RunFacts
) -> Iterator[tuple[tuple[str, str], FindingGroup]]:
    """The groups of sightings, each with its data type and name; `often`: the preset that each must exceed."""
    yield from _by_name(seen) if often is None else _by_caller(often, seen, facts)


def _by_name(seen: Iterable[Sighting]) -> Iterator[tuple[tuple[str, str], FindingGroup]]:
    groups: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in seen:
        # Data that the user picked forms a group of its own, sorted after data that the app read.
        what = f"{sighting.what} (picked)" if sighting.picked else sighting.what
        groups.setdefault((sighting.data or "", what), []).append(sighting)
    for key, members in groups.items():
        yield key, FindingGroup(members)


def _by_caller(name: str, seen: Iterable[Sighting], facts: RunFacts) -> Iterator[tuple[tuple[str, str], FindingGroup]]:
    """Sightings that together exceed a preset, by data type, caller and phase of the app."""
    preset = facts.frequency.by_id.get(name)
    if preset is None:
        return
    known: dict[Frame | None, CallingCode] = {}
    groups: dict[tuple[str, CallingCode, str | None], list[Sighting]] = {}
    for sighting in seen:
        frame = foreign_frame(sighting.access) if sighting.access else None
        if frame not in known:
            known[frame] = caller_of(frame.text if frame else None, facts.recipients)
        state = state_of(sighting.phase)
        groups.setdefault((sighting.data or "", known[frame], state), []).append(sighting)
    for (data, caller, state), members in groups.items():
        moments = [moment for each in members for moment in _moments(each)]
        stretch = longest(preset, moments)
        if stretch is None:
            continue
        inside = sorted((each for each in members if stretch.first <= each.at <= stretch.last), key=in_time)
        yield (data, f"{caller.code} {state}"), FindingGroup(inside or members, caller, preset, stretch, state)


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


def caller_of(frame: str | None, known: RecipientTable | None) -> CallingCode:
    """The SDK that a frame belongs to, by its longest known prefix; otherwise the package of its class."""
    if frame is None:
        return CallingCode("")
    name = frame.partition("(")[0]
    owner = known.of_frame(frame) if known else None
    if owner is not None:
        prefix = max((code for code in owner.code if name == code or name.startswith(f"{code}.")), key=len)
        return CallingCode(prefix, owner.name)
    return CallingCode(".".join(name.split(".")[:-2]) or name)
