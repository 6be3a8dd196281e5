"""Applies rules, which are data, to a recording: one finding for each rule, data type and recipient."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from appwitness.findings import LEVELS, Finding
from appwitness.judge.rules.composing import EVIDENCE, One, Reporter
from appwitness.judge.rules.condition_registry import JudgedRun, Test
from appwitness.judge.rules.facts import RunFacts
from appwitness.judge.rules.frequency import Frequency
from appwitness.judge.rules.grouping import FindingGroup, grouped
from appwitness.judge.rules.model import Rule
from appwitness.judge.rules.sightings import Sighting, Sightings

__all__ = ["EVIDENCE", "Frequency", "Memory", "Rule", "RunFacts", "judge"]


class Memory:
    """The results of rules on a run so far. When the run has grown and is judged again, only new sightings are
    tested."""

    def __init__(self, *, again: bool = True) -> None:
        """`again`: whether the run will be judged again."""
        self._again = again
        self._ground: tuple[object, ...] = ()
        self._forget()

    def _forget(self) -> None:
        self._sightings: Sightings | None = None
        self._held: dict[str, tuple[list[Sighting], array[int]]] = {}
        self._ones: dict[tuple[str, str, str], dict[Sighting, One]] = {}

    def sightings(self, rules: Iterable[Rule], facts: RunFacts) -> Sightings:
        """The sightings of these facts. Everything remembered is dropped if the rules, or facts other than GROWING,
        have changed."""
        ground = (*rules, *facts.ground)
        if self._sightings is None or ground != self._ground:
            self._forget()
            self._ground = ground
            self._sightings = Sightings(facts)
        self._sightings.grow(facts)
        return self._sightings

    def holding(self, rule: Rule, seen: list[Sighting], holds: Test) -> list[Sighting]:
        """The sightings that meet the rule's conditions. The leading ones that are unchanged since the last call are
        not tested again."""
        if not self._again:
            return list(filter(holds, seen))
        before, held = self._held.get(rule.id, ([], array("I")))
        same = 0 if rule.needs_others else _alike(before, seen)
        held = held[: bisect_left(held, same)]
        held.extend(number for number in range(same, len(seen)) if holds(seen[number]))
        self._held[rule.id] = (seen, held)
        return [seen[number] for number in held]

    def ones(self, reporter: Reporter, rule: Rule, key: tuple[str, str], group: FindingGroup) -> list[One]:
        """The rule's result for each sighting in a group, in their order."""
        ones = reporter.ones(rule, group, self._ones.get((rule.id, *key), {}))
        if self._again:
            self._ones[rule.id, *key] = dict(zip(group.members, ones, strict=True))
        return ones


def judge(
    rules: Iterable[Rule], facts: RunFacts, *, going_on: bool = False, memory: Memory | None = None
) -> tuple[Finding, ...]:
    """The findings of the rules, ordered by level, rule, data type and host; the same facts give the same findings.

    If several rules have the same id, the last one counts, so that an organisation can replace one of ours. While a run
    is still `going_on`, rules that look for what did not happen wait for its end. `memory` saves work when a growing
    run is judged repeatedly; the findings are the same without it.
    """
    memory = memory or Memory(again=False)
    own = {rule.id: rule for rule in rules}
    sightings = memory.sightings(own.values(), facts)
    run = JudgedRun(facts, sightings)
    reporter = Reporter(run)
    found: list[tuple[tuple[int, str, str, str], Finding]] = []
    for rule in own.values():
        if (going_on and rule.needs_whole_run) or rule.lacks(facts.observers, facts.timeline.assumed is not None):
            continue
        seen = memory.holding(rule, sightings.of(rule.on), rule.when.test(run))
        for key, group in grouped(rule.when.often, seen, facts):
            if not rule.when.holds_for(group):
                continue
            finding = reporter.finding(rule, group, memory.ones(reporter, rule, key, group))
            found.append(((LEVELS.index(finding.level), rule.id, *key), finding))
    found.sort(key=lambda each: each[0])
    return tuple(finding for _, finding in found)


def _alike(before: list[Sighting], now: list[Sighting]) -> int:
    """How many leading elements of two lists are the same objects."""
    if before == now[: len(before)]:
        return len(before)
    return next(
        (number for number, (old, new) in enumerate(zip(before, now, strict=False)) if old is not new), len(now)
    )
