"""What a fingerprint stands for: its parts, and the findings and lines of a baseline that have it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from appwitness.events import Ref
from appwitness.findings import Confidence, Level, Report
from appwitness.findings.chain import Chain, Chains
from appwitness.findings.gate_decision import Behaviour
from appwitness.findings.identity import Identity, identity
from appwitness.findings.mask import Mask, mask_of, masked
from appwitness.findings.places import subject
from appwitness.reports.reasons import steps
from appwitness.reports.verdict import worst_first
from appwitness.reports.words import Words, plain
from appwitness.support import escape
from appwitness.support.errors import UserError


class FingerprintPlace(NamedTuple):
    """A place from which a fingerprint is known."""

    identity: Identity
    """Its parts as reports show them."""
    where: str
    digest: str
    level: Level
    confidence: Confidence
    plans: tuple[str, ...]
    evidence: tuple[Ref, ...] = ()
    chain: Chain = ()
    """How the finding was concluded, masked; none of a line of a baseline."""


def shown(report: Report, which: str, aliases: Mapping[str, str], where: str) -> Iterator[FingerprintPlace]:
    """The findings of a recording that have it."""
    package, plans = report.run.app.package, (report.run.plan,)
    mask = mask_of(report)
    hidden = masked(report, mask)
    chains = Chains(hidden)
    both = zip(worst_first(report), worst_first(hidden), strict=True)
    for number, (finding, shown_as) in enumerate(both, start=1):
        of = identity(finding, aliases.get(package, package))
        if of.id == which:
            told = (finding.level, finding.confidence, plans, finding.evidence)
            yield FingerprintPlace(_shown(of, mask), f"{where}:{number}", of.digest, *told, chains.of(shown_as))


def _shown(of: Identity, mask: Mask) -> Identity:
    """Its parts as reports show them."""
    actor = mask.by(subject, of.actor, code=True)
    return of._replace(package=mask.name(of.package), recipient=mask.host(of.recipient), actor=actor)


def listed(behaviour: Behaviour, package: str, where: str) -> FingerprintPlace:
    """A line of a baseline."""
    parts = (behaviour.rule, package, behaviour.data or "", behaviour.recipient or "", behaviour.actor)
    of = Identity(*parts)
    return FingerprintPlace(
        _shown(of, Mask(())), where, of.digest, behaviour.level, behaviour.confidence, behaviour.plans
    )


def told(which: str, known: Sequence[FingerprintPlace], *, lang: str = "en", as_json: bool = False) -> str:
    """The parts of a fingerprint and where it is known from, as text or as JSON.

    Raises UserError when nothing has it: the parts cannot be computed back from it.
    """
    if not known:
        raise UserError(
            f"Nothing has the fingerprint {which} there.",
            "Name the recording or the --baseline that it comes from: its parts cannot be read out of it.",
        )
    of, words = known[0].identity, Words(lang)
    if as_json:
        places = [
            {name: value for name, value in each._asdict().items() if name not in ("identity", "digest")}
            | {"chain": [step.model_dump(mode="json") for step in each.chain]}
            for each in known
        ]
        tree = {"id": which, "sha256": known[0].digest, **of._asdict(), "known_from": places}
        return escape.json(json.dumps(tree, ensure_ascii=False, indent=2)) + "\n"
    return "\n".join(plain(line) for line in _lines(which, known, words)) + "\n"


def _lines(which: str, known: Sequence[FingerprintPlace], words: Words) -> Iterator[str]:
    of, colon = known[0].identity, words("colon")
    actor = {"app": words("actor_app"), "unknown": words("actor_unknown")}.get(of.actor, of.actor)
    yield which
    yield f"  {words('rule')}{colon}{of.rule}"
    yield f"  {words('app')}{colon}{of.package}"
    if of.data:
        yield f"  {words('data')}{colon}{words.data(of.data)}"
    if of.recipient:
        yield f"  {words('recipient')}{colon}{of.recipient}"
    yield f"  {words('whose_code')}{colon}{actor}"
    yield words("known_from")
    for each in known:
        sure = f"{words(f'level_{each.level}')}, {words(f'confidence_{each.confidence}')}"
        yield f"  {each.where}{colon}{sure}; {', '.join((*each.plans, *each.evidence))}"
        for number, step in enumerate(steps(each.chain, words), 1):
            yield f"    {number}. {step.says}"
            if step.unless:
                yield f"       {step.unless}"
