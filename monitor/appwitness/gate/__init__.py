"""The gate of a build: does this release send anything that the last one did not and that nobody has accepted?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from appwitness.findings import Confidence, Level, Report, Threshold
from appwitness.findings.gate_decision import Behaviour, Gated, GatedFlow, GateReport, Made, Remark
from appwitness.gate.allowed import FlowList
from appwitness.gate.behaviours import ReleaseSide, side
from appwitness.gate.changes import changes
from appwitness.gate.observable import name_of
from appwitness.gate.waivers import Waivers
from appwitness.judge.recipients import RecipientTable


@dataclass(frozen=True)
class GatePolicy(Threshold):
    """What fails a build."""

    fail_on: Level | Literal["never"] = "medium"
    min_confidence: Confidence = "corroborated"
    on_new: bool = True
    on_worse: bool = True
    on_new_rules: bool = False
    on_stale: bool = False
    """Fail if an entry in the list of waivers or of flows is unused or has expired."""
    strict: bool = False
    """Fail if a part of the baseline could not be observed."""
    allowed_gaps: tuple[str, ...] = ()
    """`WHERE:WHY:SUBJECT`; `*` stands for any text."""
    other_plans: bool = True
    """Whether to report behaviours that are known only from plans that none of these runs had."""

    def allows(self, gap: str | None) -> bool:
        """Whether a gap with this name is accepted."""
        return gap is not None and any(fnmatchcase(gap, pattern) for pattern in self.allowed_gaps)


@dataclass(frozen=True)
class Held:
    """What the runs are compared with."""

    made: Made
    behaviours: Mapping[str, Behaviour]
    """Behaviours by id."""
    name: str
    """The baseline's file, or the ids of the runs."""


@dataclass(frozen=True)
class Accepted:
    """What people have accepted besides the baseline."""

    waivers: Waivers | None = None
    flows: FlowList | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)


def gate(
    reports: Sequence[Report], against: Held | None, accepted: Accepted, policy: GatePolicy, known: RecipientTable
) -> GateReport:
    """Decide how each finding of these runs of one app changed, and whether the build fails."""
    now = side(reports, accepted.aliases)
    made = against.made if against else Made()
    found = changes(now, made, against.behaviours if against else {}, known)
    judged = [_judged(each, accepted.waivers, policy) for each in found if policy.other_plans or not _of_plan(each)]
    flows = [each for report in reports for each in accepted.flows.against(report)] if accepted.flows else []
    remarks = [*_remarks(now, against), *_unused(judged, reports, accepted)]
    return GateReport(
        package=accepted.aliases.get(reports[0].run.app.package, reports[0].run.app.package),
        recordings=tuple(report.recording for report in reports),
        verified={report.recording: report.verified for report in reports},
        made=now.made,
        against=against.made if against else None,
        against_what=against.name if against else None,
        changes=tuple(judged),
        flows=tuple(flows),
        remarks=tuple(remarks),
        gaps=sum(not policy.allows(name_of(gap)) for report in reports for gap in report.gaps),
        fail_on=policy.fail_on,
        min_confidence=policy.min_confidence,
        outcome=_outcome(judged, flows, remarks, policy),
    )


def release(reports: Sequence[Report], aliases: Mapping[str, str]) -> Held:
    """Runs of another release, to compare with."""
    other = side(reports, aliases)
    behaviours = {shown.behaviour.id: shown.behaviour for shown in other.shown.values()}
    return Held(other.made, behaviours, ", ".join(report.recording for report in reports))


def _of_plan(one: Gated) -> bool:
    """Whether a behaviour is not observable only because no run had its plan."""
    return bool(one.unobserved) and all(reason.why == "plan" for reason in one.unobserved)


def _judged(one: Gated, waivers: Waivers | None, policy: GatePolicy) -> Gated:
    mute = waivers.of(one.behaviour) if waivers and one.now else None
    counts = (
        (one.change == "new" and policy.on_new)
        or (one.change == "worse" and policy.on_worse)
        or (one.change == "new_rule" and policy.on_new_rules)
        # A finding whose waiver has expired counts even if a baseline lists it: the waiver set the end date.
        or (mute is not None and mute.state == "expired")
    )
    at_level = one.now is not None and policy.counts(one.now.level, one.now.confidence)
    fails = counts and at_level and not (mute and mute.state == "active")
    return one.model_copy(update={"waiver": mute, "fails": fails})


def _remarks(now: ReleaseSide, against: Held | None) -> Iterator[Remark]:
    if against and against.made.rules and now.made.rules and against.made.rules != now.made.rules:
        yield Remark(what="rules_changed", subject=against.name)
    versions = (against.made.appwitness, now.made.appwitness) if against else (None, None)
    if all(versions) and versions[0] != versions[1]:
        yield Remark(what="tool_changed", subject=f"{versions[0]} > {versions[1]}")


def _unused(judged: Sequence[Gated], reports: Sequence[Report], accepted: Accepted) -> Iterator[Remark]:
    if accepted.waivers:
        yield from accepted.waivers.remarks(each.now for each in judged if each.now)
    if accepted.flows:
        for place in accepted.flows.unused(reports):
            yield Remark(what="entry_unused", subject=place.rpartition("/")[2], place=place)


def _outcome(
    judged: Sequence[Gated], flows: Sequence[GatedFlow], remarks: Sequence[Remark], policy: GatePolicy
) -> Literal["passed", "failed", "not_observable"]:
    stale = policy.on_stale and any(
        remark.what in {"waiver_expired", "waiver_unused", "entry_unused"} for remark in remarks
    )
    if policy.fail_on != "never" and (stale or flows or any(each.fails for each in judged)):
        return "failed"
    unseen = any(not policy.allows(reason.gap) for each in judged for reason in each.unobserved)
    return "not_observable" if policy.strict and unseen else "passed"
