"""Rules as data, and what they make of accesses and flows: one finding for each rule, kind of data and recipient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from monitor.events import Access, DataType, Ref
from monitor.findings import LEVELS, Confidence, ConsentStatus, Finding, Flow, Level
from monitor.judge.consent import Timeline
from monitor.judge.data_types import DataTypes
from monitor.judge.recipients import RecipientTable, is_device
from monitor.judge.rules import sentences
from monitor.judge.rules.model import Condition, Rule, SeparateScope
from monitor.judge.rules.sentences import LANGUAGES, Language

__all__ = ["Facts", "Rule", "judge"]

EVIDENCE = 20
"""A finding names at most this many lines; its count says how many accesses or flows there are."""
CERTAIN = 0.95
"""A match at least this certain makes a flow an observation of the wire; below it the value may be there by chance."""
GRADES: tuple[Confidence, ...] = ("proven", "corroborated", "indicated", "declared")
"""Best first."""


@dataclass(frozen=True)
class Facts:
    """What is known of a recording, for rules to judge."""

    flows: Sequence[Flow]
    accesses: Sequence[tuple[Ref, Access]]
    timeline: Timeline
    clock_offset_ms: float = 0
    """Device minus host, for the times of accesses."""
    data_types: DataTypes | None = None
    """Names of kinds of data; without it sentences use the codes."""
    recipients: RecipientTable | None = None
    """Whose code a stack frame is; without it sentences name only the code."""


def judge(rules: Iterable[Rule], facts: Facts) -> tuple[Finding, ...]:
    """What the rules find: ordered by level, rule, kind of data and host; the same facts give the same findings.

    Of several rules with one id the last counts, so that an organisation can replace one of ours.
    """
    bench = _Bench(facts)
    found: list[tuple[tuple[int, str, str, str], Finding]] = []
    for rule in {rule.id: rule for rule in rules}.values():
        groups: dict[tuple[str, str], list[_Sighting]] = {}
        for sighting in bench.flows if rule.on == "flow" else bench.accesses:
            if bench.holds(rule.when, sighting):
                groups.setdefault((sighting.data, sighting.what), []).append(sighting)
        for (data, what), group in groups.items():
            if rule.when.rows is None or _rows(group)[0] >= rule.when.rows:
                finding = bench.finding(rule, group)
                found.append(((LEVELS.index(finding.level), rule.id, data, what), finding))
    found.sort(key=lambda each: each[0])
    return tuple(finding for _, finding in found)


@dataclass(frozen=True, slots=True)
class _Sighting:
    """One access or one flow at one moment, as rules look at it."""

    at: datetime
    ref: Ref
    line: int
    data: DataType
    what: str
    """Host of a flow, source of an access: findings are grouped by it."""
    status: ConsentStatus
    count: int = 1
    flow: Flow | None = None
    access: Access | None = None
    certainty: float = 0
    """Of a flow: its best match."""
    flows: tuple[_Sighting, ...] = field(default=(), compare=False)
    """Of an access: the flows that carried its values."""


class _Bench:
    """The facts laid out for all rules at once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._timeline = facts.timeline

    @cached_property
    def flows(self) -> list[_Sighting]:
        """Every flow that left the device: what is sent to the device itself did not."""
        return [self._flow(flow) for flow in self._facts.flows if not is_device(flow.recipient.host)]

    @cached_property
    def accesses(self) -> list[_Sighting]:
        """Every access that gave a value. A call that was denied, threw, gave nothing, or only registered a listener
        read nothing; what is delivered to the listener is an access of its own."""
        carried: dict[Ref, list[_Sighting]] = {}
        for sighting in self.flows:
            if sighting.flow and sighting.flow.access:
                carried.setdefault(sighting.flow.access, []).append(sighting)
        for flows in carried.values():
            flows.sort(key=lambda each: (each.certainty < CERTAIN, each.at, each.line))
        return [
            sighting
            for ref, access in self._facts.accesses
            if access.outcome == "returned" and access.values
            for sighting in self._access(ref, access, tuple(carried.get(ref, ())))
        ]

    def _flow(self, flow: Flow) -> _Sighting:
        return _Sighting(
            at=flow.at,
            ref=flow.upload,
            line=_line(flow.upload),
            data=flow.data,
            what=flow.recipient.host,
            status=self._timeline.at(flow.at, flow.data),
            flow=flow,
            certainty=max((match.confidence for match in flow.matches), default=0),
        )

    def _access(self, ref: Ref, access: Access, flows: tuple[_Sighting, ...]) -> list[_Sighting]:
        """An access, at its moment; a folded line stands for several calls, of which the first and the last have a
        known time: where the user decided in between, they are two sightings of one call each."""
        offset = timedelta(milliseconds=self._facts.clock_offset_ms)

        def at(time: datetime, count: int) -> _Sighting:
            status = self._timeline.at(time - offset, access.data)
            return _Sighting(
                at=time - offset,
                ref=ref,
                line=_line(ref),
                data=access.data,
                what=access.source,
                status=status,
                count=count,
                access=access,
                flows=flows,
            )

        first = at(access.at, access.count)
        if access.until is None or access.count == 1:
            return [first]
        last = at(access.until, 1)
        return [first] if last.status == first.status else [at(access.at, 1), last]

    def holds(self, condition: Condition, sighting: _Sighting) -> bool:
        """Whether a condition holds for what was seen."""
        if condition.consent is not None and sighting.status.state not in condition.consent:
            return False
        if condition.data is not None and sighting.data not in condition.data:
            return False
        flow = sighting.flow
        if flow is not None:
            if condition.party is not None and flow.recipient.party not in condition.party:
                return False
            if condition.cleartext is not None and flow.cleartext != condition.cleartext:
                return False
            if condition.confidence is not None and sighting.certainty < condition.confidence:
                return False
        return condition.separate is None or self._separate(condition.separate.scope, sighting).state in (
            condition.separate.consent
        )

    def _separate(self, scope: SeparateScope, sighting: _Sighting) -> ConsentStatus:
        return self._timeline.at(sighting.at, sighting.data, scope)

    def finding(self, rule: Rule, group: list[_Sighting]) -> Finding:
        """One finding on everything in a group, led by the sighting that proves most."""
        grades = {id(sighting): self._grade(rule, sighting) for sighting in group}
        group = sorted(group, key=lambda each: (GRADES.index(grades[id(each)]), each.at, each.line))
        lead = group[0]
        count = sum(sighting.count for sighting in group)
        return Finding(
            rule=rule.id,
            level=min((self._level(rule, each) for each in group), key=LEVELS.index),
            confidence=grades[id(lead)],
            title=rule.title,
            detail={language: self._detail(rule, group, count, language) for language in LANGUAGES},
            data=lead.data,
            recipient=lead.flow.recipient if lead.flow else None,
            consent=lead.status.state,
            count=count,
            flows=tuple(sighting.flow.id for sighting in sorted(group, key=_in_time) if sighting.flow),
            evidence=self._evidence(rule, group),
            references=rule.references,
        )

    def _level(self, rule: Rule, sighting: _Sighting) -> Level:
        return next((each.level for each in rule.levels if self.holds(each.when, sighting)), rule.level)

    def _grade(self, rule: Rule, sighting: _Sighting) -> Confidence:
        """How well it is supported: two independent observers, the hook and the wire, make it proven.

        A flow is proven when the hook saw the read and the match is no coincidence; corroborated when both saw it but
        the match could be one; indicated when only the wire saw it (a value of the persona). A read is proven when its
        value was on the wire while the same rule's consent condition still held (so it must have been read by then);
        corroborated when it was on the wire at any time; indicated when only the hook saw it.
        """
        grade: Confidence = "indicated"
        if sighting.flow is not None:
            if sighting.flow.access is not None:
                grade = "proven" if sighting.certainty >= CERTAIN else "corroborated"
        elif certain := [flow for flow in sighting.flows if flow.certainty >= CERTAIN]:
            consent = rule.when.consent
            in_time = any(consent is None or flow.status.state in consent for flow in certain)
            grade = "proven" if in_time else "corroborated"
        return max(grade, rule.at_most, key=GRADES.index)

    def _evidence(self, rule: Rule, group: list[_Sighting]) -> tuple[Ref, ...]:
        """Lines to check by hand: of the first sighting all there is, then the others in turn."""
        refs: dict[Ref, None] = {}
        for sighting in group:
            for ref in self._lines(rule, sighting):
                refs.setdefault(ref)
            if len(refs) >= EVIDENCE:
                break
        return tuple(refs)[:EVIDENCE]

    def _lines(self, rule: Rule, sighting: _Sighting) -> Iterable[Ref]:
        if sighting.flow is not None:
            yield from (ref for ref in (sighting.flow.access, sighting.flow.upload) if ref)
        else:
            yield sighting.ref
            for flow in sighting.flows[:1]:
                yield flow.ref
        if sighting.status.ref:
            yield sighting.status.ref
        if rule.when.separate and (ref := self._separate(rule.when.separate.scope, sighting).ref):
            yield ref
        later = self._later(rule, sighting)
        if later is not None and later.ref:
            yield later.ref
        if sighting.flow is not None and sighting.flow.connection:
            yield sighting.flow.connection

    def _later(self, rule: Rule, sighting: _Sighting) -> ConsentStatus | None:
        """The consent that came too late, where a rule is about the time before it."""
        if rule.when.consent is None or sighting.status.state in ("given", "refused", "withdrawn"):
            return None
        return self._timeline.given_after(sighting.at, sighting.data)

    def _detail(self, rule: Rule, group: list[_Sighting], count: int, language: Language) -> str:
        lead = group[0]
        types = self._facts.data_types or _NO_TYPES
        words = {
            "data": types.label(lead.data, language),
            "when": sentences.when(lead.at, count, language),
            "consent": sentences.consent(lead.status, self._later(rule, lead), lead.at, language),
        }
        if rule.when.separate:
            scope = rule.when.separate.scope
            words["separate"] = sentences.separate(self._separate(scope, lead), scope, language)
        if lead.flow is not None:
            words |= {
                "recipient": sentences.recipient(lead.flow.recipient, language),
                "rows": sentences.rows(*_rows(group), language),
                "forms": sentences.forms(
                    (match.variant for each in group if each.flow for match in each.flow.matches), language
                ),
            }
        elif lead.access is not None:
            people = {value.row for value in lead.access.values if value.row is not None}
            words |= {
                "source": lead.what,
                "entries": sentences.entries(len(people), language),
                "caller": sentences.caller(lead.access.stack, self._facts.recipients, language),
            }
        return rule.detail[language].format_map(words)


_NO_TYPES = DataTypes(items=())


def _rows(group: Sequence[_Sighting]) -> tuple[int, int | None]:
    """How many entries of an address book went out in all uploads of a group, and how many were read.

    An app may send one entry an upload, so rows are counted over the group. Rows of two cursors with one number count
    once: rather too few than too many.
    """
    flows = [sighting.flow for sighting in group if sighting.flow]
    rows = {match.row for flow in flows for match in flow.matches if match.row is not None}
    sent = max(len(rows), max((flow.rows or 0 for flow in flows), default=0))
    read = max((flow.rows_read or 0 for flow in flows), default=0)
    return sent, read or None


def _in_time(sighting: _Sighting) -> tuple[datetime, int]:
    return (sighting.at, sighting.line)


def _line(ref: Ref) -> int:
    number = ref.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0
