"""Reduces the reports of a release's runs to its behaviours, each once and at its worst."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from appwitness.events import Access
from appwitness.findings import CONFIDENCES, LEVELS, Confidence, ConsentName, Report
from appwitness.findings.gate_decision import Behaviour, Made
from appwitness.findings.identity import Identity, identity
from appwitness.findings.people import weight

AGAINST: dict[ConsentName, int] = {
    "given": 0,
    "partial": 1,
    "not_shown": 2,
    "requested": 2,
    "dismissed": 2,
    "expired": 2,
    "basic_only": 3,
    "refused": 3,
    "withdrawn": 3,
}
"""How incriminating each consent state is for what the app does in it. States that are not listed were not observed
and have no weight."""


class ShownBehaviour(NamedTuple):
    """A behaviour, and the finding that shows it at its worst."""

    behaviour: Behaviour
    identity: Identity
    recording: str
    number: int
    """Index of the finding in the run's report, from 0."""


@dataclass(frozen=True)
class ReleaseSide:
    """Some runs of one release: their behaviours, and what was observed."""

    made: Made
    shown: Mapping[Identity, ShownBehaviour] = field(default_factory=dict)
    reports: tuple[Report, ...] = ()


def side(reports: Sequence[Report], aliases: Mapping[str, str]) -> ReleaseSide:
    """The behaviours of these runs. If several runs show a behaviour, their plans and sources are joined, and the worst
    values count.

    `aliases`: package -> the package that it stands for (`com.example.debug` -> `com.example`).
    """
    shown: dict[Identity, ShownBehaviour] = {}
    for report in reports:
        for number, finding in enumerate(report.findings):
            package = report.run.app.package
            one = _shown(number, report, identity(finding, aliases.get(package, package)))
            before = shown.get(one.identity)
            shown[one.identity] = _joined(before, one) if before else one
    return ReleaseSide(made=_made(reports), shown=dict(sorted(shown.items())), reports=tuple(reports))


def worse_consent(one: ConsentName | None, other: ConsentName | None) -> bool:
    """Whether `one` incriminates the app more than `other`; False if either of them was not observed."""
    return one in AGAINST and other in AGAINST and AGAINST[one] > AGAINST[other]


def _shown(number: int, report: Report, of: Identity) -> ShownBehaviour:
    finding = report.findings[number]
    read = {
        event.source
        for ref in (finding.all_evidence or finding.evidence)
        if isinstance(event := report.evidence.get(ref), Access)
    }
    behaviour = Behaviour(
        id=of.id,
        rule=of.rule,
        data=finding.data,
        recipient=of.recipient or None,
        actor=of.actor,
        plans=(report.run.plan,),
        level=finding.level,
        confidence=finding.confidence,
        consent=finding.consent,
        sources=tuple(sorted(read)),
        people=finding.people,
    )
    return ShownBehaviour(behaviour, of, report.recording, number)


def _joined(one: ShownBehaviour, other: ShownBehaviour) -> ShownBehaviour:
    worst = min((one, other), key=lambda each: (LEVELS.index(each.behaviour.level), _surest(each.behaviour.confidence)))
    return worst._replace(behaviour=joined(one.behaviour, other.behaviour))


def joined(one: Behaviour, other: Behaviour) -> Behaviour:
    """A behaviour as two runs show it: plans and sources of both, and the worse value of everything else."""
    consents = [consent for consent in (one.consent, other.consent) if consent in AGAINST]
    return one.model_copy(
        update={
            "plans": tuple(sorted({*one.plans, *other.plans})),
            "level": min(one.level, other.level, key=LEVELS.index),
            "confidence": min(one.confidence, other.confidence, key=_surest),
            "consent": max(consents, key=AGAINST.__getitem__) if consents else one.consent or other.consent,
            "sources": tuple(sorted({*one.sources, *other.sources})),
            "people": max(filter(None, (one.people, other.people)), key=weight, default=None),
        }
    )


def _surest(confidence: Confidence) -> int:
    return CONFIDENCES.index(confidence)


def _made(reports: Sequence[Report]) -> Made:
    last = max(reports, key=lambda report: report.run.started)
    app = last.run.app
    release = f"{app.version} ({app.version_code})" if app.version and app.version_code else app.version
    rules = {rule.id: rule for report in reports for rule in report.rules}
    said = json.dumps([rules[name].model_dump(mode="json") for name in sorted(rules)], sort_keys=True)
    return Made(
        release=release,
        appwitness=last.run.versions.get("appwitness"),
        rules=f"sha256:{hashlib.sha256(said.encode()).hexdigest()}" if rules else None,
        rule_ids=tuple(sorted(rules)),
        plans=tuple(sorted({report.run.plan for report in reports})),
        at=last.run.started.date(),
    )
