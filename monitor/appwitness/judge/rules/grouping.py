"""What is one finding: sightings of one kind of data and one recipient, API, permission or caller, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from appwitness.catalog.entries import known_names
from appwitness.events.stacks import Frame
from appwitness.judge.code import foreign_frame
from appwitness.judge.phases import PhaseStatus
from appwitness.judge.recipients import RecipientTable
from appwitness.judge.rules.condition_registry import condition
from appwitness.judge.rules.facts import RunFacts
from appwitness.judge.rules.frequency import CallStretch, Preset, longest, spread
from appwitness.judge.rules.sightings import Sighting, in_time
from appwitness.judge.rules.sightings import rows as count_rows

if TYPE_CHECKING:  # its fields are the conditions, those below among them
    from appwitness.judge.rules.model import When


@dataclass(frozen=True)
class FindingGroup:
    """Sightings that make one finding."""

    members: list[Sighting]
    caller: CallingCode | None = None
    preset: Preset | None = None
    stretch: CallStretch | None = None
    state: str | None = None
    """Where a rule asks how often: whose calls these are, which of them exceed the preset, and the phase of the app."""

    @property
    def count(self) -> int:
        """How often it happened."""
        return self.stretch.calls if self.stretch else sum(each.count for each in self.members)


@dataclass(frozen=True, order=True)
class CallingCode:
    """Whose code called: prefix of its classes, and its name where it is a known SDK."""

    code: str
    name: str | None = field(default=None, compare=False)


@condition(
    on=("access", "flow"),
    description="entries of this many different people were read, or went to one recipient in all its uploads",
    says=("entries of at least {} different people went to one recipient", "至少 {} 人的条目发送至同一接收方"),
    of_groups=True,
)
def rows(least: Annotated[int, Field(ge=1)], group: FindingGroup) -> bool:
    return count_rows(group.members)[0] >= least


@condition(
    on=("access", "consent"),
    description="a group has at least this many",
    says=("it happened at least {} times", "至少发生 {} 次"),
    of_groups=True,
)
def times(least: Annotated[int, Field(ge=1)], group: FindingGroup) -> bool:
    return group.count >= least


@condition(
    on=("access",),
    description="one caller, in one phase of the app, exceeded this preset",
    says=("one caller read more often than this preset allows: {}", "同一调用方的读取频率超过预设：{}"),
    of_groups=True,
)
def often(preset: Annotated[str, known_names("presets", "catalog/frequency.yml")], group: FindingGroup) -> bool:
    return group.preset is not None and group.preset.id == preset


def grouped(when: When, seen: Iterable[Sighting], facts: RunFacts) -> Iterator[tuple[tuple[str, str], FindingGroup]]:
    """The groups that are as large, or as frequent, as the rule asks, each with its kind of data and its name."""
    groups = _by_name(seen) if when.often is None else _by_caller(when.often, seen, facts)
    asked = [(declared.test, value) for declared, value in when.asked if declared.of_groups]
    for key, group in groups:
        if all(holds(value, group) for holds, value in asked):
            yield key, group


def _by_name(seen: Iterable[Sighting]) -> Iterator[tuple[tuple[str, str], FindingGroup]]:
    groups: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in seen:
        groups.setdefault((sighting.data or "", sighting.what), []).append(sighting)
    for key, members in groups.items():
        yield key, FindingGroup(members)


def _by_caller(name: str, seen: Iterable[Sighting], facts: RunFacts) -> Iterator[tuple[tuple[str, str], FindingGroup]]:
    """Sightings that exceed a preset together, by kind of data, caller and phase of the app."""
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
    """The SDK that a frame belongs to, by its longest known prefix; else the package of its class."""
    if frame is None:
        return CallingCode("")
    name = frame.partition("(")[0]
    owner = known.of_frame(frame) if known else None
    if owner is not None:
        prefix = max((code for code in owner.code if name == code or name.startswith(f"{code}.")), key=len)
        return CallingCode(prefix, owner.name)
    return CallingCode(".".join(name.split(".")[:-2]) or name)
