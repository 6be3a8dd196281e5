"""Compares the behaviours of two releases: new, worse, same, better, gone, or not observable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from appwitness.findings import CONFIDENCES, LEVELS
from appwitness.findings.gate_decision import Behaviour, Gated, GateReport, Made, Remark, Rose, Unobserved
from appwitness.findings.identity import APP, UNKNOWN
from appwitness.gate.behaviours import ReleaseSide, ShownBehaviour, joined, worse_consent
from appwitness.gate.observable import holes, unobserved
from appwitness.judge.recipients import RecipientTable

ORDER = ("new", "worse", "new_rule", "not_observable", "gone", "better", "same")


def changes(now: ReleaseSide, made: Made, was: Mapping[str, Behaviour], known: RecipientTable) -> list[Gated]:
    """How each behaviour changed, the most important first. `was`: id -> behaviour, in the runs that `made`
    describes."""
    partners = _partners(now, was)
    missing = tuple(dict.fromkeys(hole for report in now.reports for hole in holes(report)))
    found = [_one(shown, partners.get(shown.behaviour.id), now.made, made, missing) for shown in now.shown.values()]
    paired = {partner.id for partner in partners.values()}
    found += [_absent(each, now, known) for each in was.values() if each.id not in paired]
    return ranked(found)


def ranked(found: Iterable[Gated]) -> list[Gated]:
    """The most important first."""
    return sorted(
        found, key=lambda each: (ORDER.index(each.change), LEVELS.index(each.behaviour.level), each.behaviour.id)
    )


def _partners(now: ReleaseSide, was: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
    """Id of a behaviour now -> its counterpart in `was`. Behaviours match by id; the remaining ones match if they
    differ only in the code, and the code of one of them has no name.

    A release that is obfuscated differently, or a run without stacks, loses an SDK's name, not its behaviour.
    """
    ids = {shown.behaviour.id: shown.behaviour for shown in now.shown.values()}
    partners = {name: was[name] for name in ids if name in was}
    left: dict[tuple[str | None, ...], list[Behaviour]] = {}
    for each in was.values():
        if each.id not in partners:
            left.setdefault(_but_for_code(each), []).append(each)
    for name, behaviour in ids.items():
        if name not in partners and (like := left.get(_but_for_code(behaviour))):
            unnamed = behaviour.actor in UNNAMED
            number = next((number for number, each in enumerate(like) if unnamed or each.actor in UNNAMED), None)
            if number is not None:
                partners[name] = like.pop(number)
    return partners


UNNAMED = frozenset({APP, UNKNOWN})


def _but_for_code(behaviour: Behaviour) -> tuple[str | None, ...]:
    return behaviour.rule, behaviour.data, behaviour.recipient


def _one(
    shown: ShownBehaviour, was: Behaviour | None, now_made: Made, made: Made, missing: tuple[Unobserved, ...]
) -> Gated:
    now = shown.behaviour
    if was is None:
        known_rule = not made.rule_ids or now.rule in made.rule_ids
        return Gated(
            now=now, change="new" if known_rule else "new_rule", recording=shown.recording, number=shown.number
        )
    rose = tuple(_rose(now, was, made))
    fell = any(_rose(was, now, now_made))
    return Gated(
        now=now,
        was=was,
        change="worse" if rose else "same" if not fell else "not_observable" if missing else "better",
        rose=rose,
        unobserved=missing if fell and not rose else (),
        recording=shown.recording,
        number=shown.number,
    )


def _rose(now: Behaviour, was: Behaviour, made: Made) -> Iterator[Rose]:
    """The respects in which `now` is worse than `was`. A plan counts only if the runs that showed `was` included it."""
    if LEVELS.index(now.level) < LEVELS.index(was.level):
        yield "level"
    if CONFIDENCES.index(now.confidence) < CONFIDENCES.index(was.confidence):
        yield "confidence"
    if worse_consent(now.consent, was.consent):
        yield "consent"
    if (set(now.plans) - set(was.plans)) & set(made.plans):
        yield "plan"


def _absent(was: Behaviour, now: ReleaseSide, known: RecipientTable) -> Gated:
    reasons = unobserved(was, now.reports, known)
    return Gated(was=was, change="not_observable" if reasons else "gone", unobserved=reasons)


# several runs of one app, each compared with the same baseline separately, as one decision

SEEN = ("new", "worse", "new_rule", "same", "better")
"""Changes, the worst first: if several runs differ, the worst one counts."""


def merged(gates: Sequence[GateReport], was: Mapping[str, Behaviour]) -> GateReport:
    """Merge several decisions (at least one) on the same `was` (id -> behaviour), in their order."""
    groups: dict[str, list[Gated]] = {name: [] for name in was}
    for gate in gates:
        for one in gate.changes:
            groups.setdefault((one.was or one.behaviour).id, []).append(one)
    made = _made_of([gate.made for gate in gates])
    changes = ranked(_of_all(of, was.get(name)) for name, of in groups.items())
    unseen = any(each.unobserved for each in changes)
    outcomes = {gate.outcome for gate in gates} - (set() if unseen else {"not_observable"})
    return gates[0].model_copy(
        update={
            "recordings": tuple(name for gate in gates for name in gate.recordings),
            "made": made,
            "changes": tuple(changes),
            "flows": tuple(flow for gate in gates for flow in gate.flows),
            "remarks": tuple(_remarks_of(gates)),
            "gaps": sum(gate.gaps for gate in gates),
            "outcome": next((each for each in ("failed", "not_observable") if each in outcomes), "passed"),
        }
    )


def _of_all(of: Sequence[Gated], was: Behaviour | None) -> Gated:
    """How one behaviour changed over all the runs; `of` is empty if none of them had its plan."""
    shown = [one for one in of if one.now]
    if not shown:
        if any(one.change == "gone" for one in of):
            return next(one for one in of if one.change == "gone")
        reasons = dict.fromkeys(reason for one in of for reason in one.unobserved)
        if not reasons and was:
            reasons = dict.fromkeys(Unobserved(why="plan", subject=plan) for plan in was.plans)
        return Gated(was=was, change="not_observable", unobserved=tuple(reasons))
    worst = min(shown, key=lambda one: (not one.fails, SEEN.index(one.change)))
    now = worst.behaviour
    for one in shown:
        now = joined(now, one.behaviour)
    rose = tuple(dict.fromkeys(each for one in shown for each in one.rose))
    return worst.model_copy(update={"now": now, "rose": rose})


def _made_of(of: Sequence[Made]) -> Made:
    last = max(of, key=lambda made: str(made.at or ""))
    return last.model_copy(
        update={
            "plans": tuple(sorted({plan for made in of for plan in made.plans})),
            "rule_ids": tuple(sorted({name for made in of for name in made.rule_ids})),
        }
    )


def _remarks_of(gates: Sequence[GateReport]) -> list[Remark]:
    """Each remark once; an entry is reported as unused only if no run used it."""
    every = dict.fromkeys(remark for gate in gates for remark in gate.remarks)
    return [
        remark
        for remark in every
        if not remark.what.endswith("_unused") or all(remark in gate.remarks for gate in gates)
    ]
