"""Rules as data, and what they make of a recording: one finding for each rule, kind of data and recipient."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.findings import LEVELS, Finding
from monitor.judge.rules.composing import EVIDENCE, Reporter
from monitor.judge.rules.conditions import Conditions
from monitor.judge.rules.facts import Facts
from monitor.judge.rules.frequency import Frequency
from monitor.judge.rules.groups import grouped
from monitor.judge.rules.model import Rule
from monitor.judge.rules.sightings import Sightings

__all__ = ["EVIDENCE", "Facts", "Frequency", "Rule", "judge"]


def judge(rules: Iterable[Rule], facts: Facts, *, going_on: bool = False) -> tuple[Finding, ...]:
    """What the rules find: ordered by level, rule, kind of data and host; the same facts give the same findings.

    Of several rules with one id the last counts, so that an organisation can replace one of ours. While a run is still
    `going_on`, rules that look for what did not happen are left for its end.
    """
    sightings = Sightings(facts)
    conditions = Conditions(facts, sightings)
    reporter = Reporter(facts, sightings, conditions)
    found: list[tuple[tuple[int, str, str, str], Finding]] = []
    for rule in {rule.id: rule for rule in rules}.values():
        if (going_on and rule.needs_whole_run) or rule.lacks(facts.observers, facts.timeline.assumed is not None):
            continue
        holds = conditions.test(rule.when)
        seen = [sighting for sighting in sightings.of(rule.on) if holds(sighting)]
        for (data, what), group in grouped(rule.when, seen, facts):
            finding = reporter.finding(rule, group)
            found.append(((LEVELS.index(finding.level), rule.id, data, what), finding))
    found.sort(key=lambda each: each[0])
    return tuple(finding for _, finding in found)
