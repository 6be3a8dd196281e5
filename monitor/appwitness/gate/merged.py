"""What gates decided on several runs of one app, each alone, as one decision: new if in any, gone if in none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appwitness.findings.gate_decision import Behaviour, Gated, GateReport, Made, Remark, Unobserved
from appwitness.gate.behaviours import joined
from appwitness.gate.changes import ranked

SEEN = ("new", "worse", "new_rule", "same", "better")
"""Of what several runs show: what counts before what does not."""


def merged(gates: Sequence[GateReport], was: Mapping[str, Behaviour]) -> GateReport:
    """One decision of several on the same `was` (id -> behaviour), in their order; at least one."""
    groups: dict[str, list[Gated]] = {name: [] for name in was}
    for gate in gates:
        for one in gate.changes:
            groups.setdefault((one.was or one.behaviour).id, []).append(one)
    made = _made([gate.made for gate in gates])
    changes = ranked(_one(of, was.get(name)) for name, of in groups.items())
    unseen = any(each.unobserved for each in changes)
    outcomes = {gate.outcome for gate in gates} - (set() if unseen else {"not_observable"})
    return gates[0].model_copy(
        update={
            "recordings": tuple(name for gate in gates for name in gate.recordings),
            "made": made,
            "changes": tuple(changes),
            "flows": tuple(flow for gate in gates for flow in gate.flows),
            "remarks": tuple(_remarks(gates)),
            "gaps": sum(gate.gaps for gate in gates),
            "outcome": next((each for each in ("failed", "not_observable") if each in outcomes), "passed"),
        }
    )


def _one(of: Sequence[Gated], was: Behaviour | None) -> Gated:
    """What became of one behaviour in all of the runs; `of` is empty where none of them had its plan."""
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


def _made(of: Sequence[Made]) -> Made:
    last = max(of, key=lambda made: str(made.at or ""))
    return last.model_copy(
        update={
            "plans": tuple(sorted({plan for made in of for plan in made.plans})),
            "rule_ids": tuple(sorted({name for made in of for name in made.rule_ids})),
        }
    )


def _remarks(gates: Sequence[GateReport]) -> list[Remark]:
    """Each once; that nothing uses an entry, only where no run did."""
    every = dict.fromkeys(remark for gate in gates for remark in gate.remarks)
    return [
        remark
        for remark in every
        if not remark.what.endswith("_unused") or all(remark in gate.remarks for gate in gates)
    ]
