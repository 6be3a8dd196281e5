"""Explains a flow: its read, what was found where, and what supports or weakens the match; looks up fingerprints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from appwitness.events import Access, Ref
from appwitness.findings import AGAINST, Confidence, Flow, Level, Match, Reason, Report, Why, because
from appwitness.findings.chain import Chain, Chains
from appwitness.findings.gate_decision import Behaviour
from appwitness.findings.identity import Identity, identity
from appwitness.findings.mask import Mask, mask_of, masked
from appwitness.findings.places import subject
from appwitness.reports.phrases import data_of, has_forgotten, said, steps
from appwitness.reports.time_axis import clock
from appwitness.reports.verdict import worst_first
from appwitness.reports.words import Words, plain
from appwitness.support import escape
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken


class FlowRead(NamedTuple):
    """An access that returned a value of the flow."""

    ref: Ref
    at: str
    source: str
    chosen: bool
    reason: Reason


def explain(report: Report, flow: str, *, lang: str = "en", reveal: bool = False, as_json: bool = False) -> str:
    """The chain of one flow as text or JSON. Values are masked unless `reveal`.

    Raises UserError if the report has no such flow.
    """
    one = next((each for each in report.flows if each.id == flow), None)
    if one is None:
        raise UserError(Spoken("The recording has no flow {flow}.", flow=flow), _there_are(report))
    reads = list(_reads(report, one))  # compares unmasked values: masked ones may look the same
    shown = report
    if not reveal:
        mask = mask_of(report)
        shown = masked(report, mask)
        reads = [read._replace(source=mask.name(read.source)) for read in reads]
    one = next(each for each in shown.flows if each.id == flow)
    rules = [finding.rule for finding in shown.findings if flow in finding.flows]
    words = Words(lang)
    if as_json:
        tree = _tree(one, reads, rules, words) | {
            "chain": [
                {"says": _told(each.says, words), "unless": [_told(why, words) for why in each.unless]}
                for each in Chains(shown).of_flow(one)
            ]
        }
        return escape.document(tree)
    no_access = "no_access_forgotten" if has_forgotten(shown, "access") else "no_access"
    lines = [*_lines(one, reads, rules, words, no_access), *_chain(shown, one, words)]
    return "\n".join(plain(line) for line in lines) + "\n"


def _there_are(report: Report) -> str:
    mask = mask_of(report)
    few = ", ".join(
        f"{flow.id} ({flow.data} to {plain(mask.host(flow.recipient.host))})" for flow in report.flows[:FLOWS]
    )
    more = f" and {len(report.flows) - FLOWS} more" if len(report.flows) > FLOWS else ""
    return f"There are {few}{more}." if few else "It has none: nothing that was read was found in an upload."


FLOWS = 12
"""Maximum number of flows named when an unknown one was requested."""


def _reads(report: Report, flow: Flow) -> Iterator[FlowRead]:
    """Every access that returned a value of a flow, and why the flow names it as its read, or why not."""
    values = {(match.type, match.value) for match in flow.matches}
    for seen in report.accesses:
        event = seen.event
        if not isinstance(event, Access) or values.isdisjoint((value.type, value.text) for value in event.values):
            continue
        chosen = seen.ref == flow.access
        if chosen:
            reason = because(Why.READ_SIMULTANEOUS if flow.simultaneous else Why.READ_LAST)
        elif flow.uncertainty_ms is None and flow.clock == "host":
            reason = because(Why.READ_UNORDERED)
        elif seen.at <= flow.at:
            reason = because(Why.READ_OTHER)
        else:
            reason = because(Why.READ_LATER)
        yield FlowRead(seen.ref, clock(seen.at), event.source, chosen, reason)


def _tree(flow: Flow, reads: list[FlowRead], rules: list[str], words: Words) -> dict[str, Any]:
    return {
        "flow": flow.id,
        "data": flow.data,
        "recipient": flow.recipient.host,
        "upload": flow.upload,
        "access": flow.access,
        "rules": rules,
        "reads": [read._asdict() | {"reason": _told(read.reason, words)} for read in reads],
        "matches": [
            match.model_dump(mode="json") | {"reasons": [_told(reason, words) for reason in match.reasons]}
            for match in flow.matches
        ],
    }


def _told(reason: Reason, words: Words) -> dict[str, Any]:
    against = reason.code in AGAINST
    return {**reason.model_dump(mode="json"), "against": against, "text": said(reason, words)}


def _chain(report: Report, flow: Flow, words: Words) -> Iterator[str]:
    """Each step from the read to the user's answer, and what would refute it."""
    yield words("chain")
    for number, step in enumerate(steps(Chains(report).of_flow(flow), words), 1):
        yield f"  {number}. {step.says}"
        if step.unless:
            yield f"     {step.unless}"


def _lines(flow: Flow, reads: list[FlowRead], rules: list[str], words: Words, no_access: str) -> Iterator[str]:
    yield f"{flow.id}{words('colon')}{data_of(flow, words)} > {flow.recipient.host}"
    yield f"  {words('explain_sent', ref=flow.upload, at=clock(flow.at))}"
    if rules:
        yield f"  {words('explain_rules', rules=words('comma').join(rules))}"
    yield words("explain_reads")
    if flow.access is None:
        yield f"  {words(no_access)}"
    for read in reads:
        mark = ">" if read.chosen else " "
        yield f"{mark} {read.ref}  {read.at}  {read.source}{words('colon')}{said(read.reason, words)}"
    for number, match in enumerate(flow.matches, 1):
        yield words("explain_match", number=number, many=len(flow.matches))
        yield from _of_match(match, words)


def _of_match(match: Match, words: Words) -> Iterator[str]:
    row = f" ({words('row', row=match.row)})" if match.row is not None else ""
    yield f"  {words('value')}{words('colon')}{words.data(match.type)} {match.value}{row}"
    form = match.variant if match.of in (None, match.variant, "as_given") else f"{match.variant} < {match.of}"
    yield f"  {words('form')}{words('colon')}{form.replace('_', ' ')}"
    yield f"  {words('path')}{words('colon')}{' > '.join((*match.decoding, match.path))}  {match.start}-{match.end}"
    yield f"  {match.before}[{match.found}]{match.after}"
    for reason in match.reasons:
        yield f"    {'-' if reason.code in AGAINST else '+'} {said(reason, words)}"
    yield f"  {words('confidence')}{words('colon')}{match.confidence:.2%}"


# what a fingerprint stands for: its parts, and the findings and baseline lines that have it


class FingerprintPlace(NamedTuple):
    """A place where a fingerprint was found."""

    identity: Identity
    """Its parts as reports show them."""
    where: str
    digest: str
    level: Level
    confidence: Confidence
    plans: tuple[str, ...]
    evidence: tuple[Ref, ...] = ()
    chain: Chain = ()
    """How the finding was concluded, masked; empty for a line of a baseline."""


def shown(report: Report, which: str, aliases: Mapping[str, str], where: str) -> Iterator[FingerprintPlace]:
    """The findings of a recording that have this fingerprint."""
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
    """The parts of an identity as reports show them."""
    actor = mask.by(subject, of.actor, code=True)
    return of._replace(package=mask.name(of.package), recipient=mask.host(of.recipient), actor=actor)


def listed(behaviour: Behaviour, package: str, where: str) -> FingerprintPlace:
    """A line of a baseline, as a place where its fingerprint was found."""
    parts = (behaviour.rule, package, behaviour.data or "", behaviour.recipient or "", behaviour.actor)
    of = Identity(*parts)
    return FingerprintPlace(
        _shown(of, Mask(())), where, of.digest, behaviour.level, behaviour.confidence, behaviour.plans
    )


def told(which: str, known: Sequence[FingerprintPlace], *, lang: str = "en", as_json: bool = False) -> str:
    """The parts of a fingerprint and where it was found, as text or JSON.

    Raises UserError if nothing has it: the parts cannot be computed from the fingerprint.
    """
    if not known:
        raise UserError(
            Spoken("Nothing has the fingerprint {which} there.", which=which),
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
        return escape.document(tree)
    return "\n".join(plain(line) for line in _lines_of_fingerprint(which, known, words)) + "\n"


def _lines_of_fingerprint(which: str, known: Sequence[FingerprintPlace], words: Words) -> Iterator[str]:
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
