"""The chain of inference behind a flow or finding: what each step rests on, and what would refute it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from appwitness.events import Access, Consent, Ref, Scope, Transform, Upload, count_sources
from appwitness.events.seen import shifted
from appwitness.events.stacks import Called, caller, owned
from appwitness.findings import ConsentName, Finding, Flow, Inference, Match, Reason, Report, Why, because

Chain = tuple[Inference, ...]
Moment = tuple[Ref, datetime, bool]
"""A line, its time on the host's clock, and whether the line's own timestamp is on that clock."""
CERTAIN = 0.999999
"""A higher confidence is reported as this one."""
LINES = 3
"""Maximum number of consent lines that are listed for a finding about consent lines alone."""
REFUTED = {
    "operator": Why.MARK_WRONG,
    "assistant": Why.ASSISTANT_WRONG,
    "app": Why.CLAIM_FALSE,
    "user": Why.TOUCH_MISREAD,
}
"""Who decided -> how that may be wrong."""
ORDERS = (
    Why.ORDER_CERTAIN,
    Why.ORDER_ONE_CLOCK,
    Why.ORDER_OPEN,
    Why.ORDER_SAME_TIME,
    Why.ORDER_UNMEASURED,
    Why.ORDER_UNCOMPARED,
)
"""The statements about which of two lines came first."""
OPEN: tuple[ConsentName, ...] = ("not_shown", "requested", "dismissed", "unseen_answer")
"""States in which a later answer shows that there was none before."""


class Chains:
    """The chains of one report; masked if the report is."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._flows = {flow.id: flow for flow in report.flows}
        self._rules = {rule.id: rule for rule in report.rules}
        self._asked = {seen.ref: seen.event for seen in report.consents if isinstance(seen.event, Consent)}

    def of_flow(self, flow: Flow) -> Chain:
        """The chain from the read of a value to the user's answer at the time it was sent, and to the separate consent
        that a rule requires, if any."""
        consent = self._consent(flow, flow.consent, (), self._sent(flow))
        return (*self._of_flow(flow), *consent, *self._separately(flow))

    def of(self, finding: Finding) -> Chain:
        """The chain for the first sighting in the finding's evidence; it applies equally to the other sightings."""
        flow, evidence = self._lead(finding), finding.evidence
        first = self._report.evidence.get(evidence[0]) if evidence else None
        read = self._moment(evidence[0]) if isinstance(first, Access) else None
        moment = read if read and finding.recipient is None else self._sent(flow) if flow else None
        steps: list[Inference] = []
        if flow is not None:
            steps += self._of_flow(flow)
        elif isinstance(first, Access):
            steps += self._read(evidence[0], first, 0, because(Why.READ_FORGED))
        else:
            says = because(Why.RESTS_ON, lines=list(evidence))
            steps.append(_inference(says, because(Why.LINE_MISREAD), *self._in_a_gap()))
            steps += self._lines(evidence)
        rule = self._rules.get(finding.rule)
        if moment and finding.consent and rule and "consent" in rule.needs:
            steps += self._consent(finding, finding.consent, evidence, moment)
        if rule and rule.separate:
            steps += self._separate(rule.separate, evidence)
        return tuple(steps)

    def _lines(self, evidence: tuple[Ref, ...], scope: Scope | None = None) -> Iterator[Inference]:
        """The first consent lines of the evidence; with `scope`, only lines of that scope."""
        lines = [(ref, self._report.line(ref, Consent)) for ref in evidence]
        asked = [(ref, line) for ref, line in lines if isinstance(line, Consent) and scope in (None, line.scope)]
        for ref, line in asked[:LINES]:
            label = line.text or ""
            says = because(Why.LINE_SAYS, ref=ref, signal=line.signal, state=line.status, label=label)
            yield _inference(says, because(REFUTED[line.by]))

    def _separately(self, flow: Flow) -> Iterator[Inference]:
        told: dict[Scope, Finding] = {}
        for finding in self._report.findings:
            rule = self._rules.get(finding.rule)
            if rule and rule.separate and flow.id in finding.flows:
                told.setdefault(rule.separate, finding)
        for scope, finding in told.items():
            yield from self._separate(scope, finding.evidence)

    def _separate(self, scope: Scope, evidence: tuple[Ref, ...]) -> Iterator[Inference]:
        """What was seen of a consent that a rule requires separately."""
        lines = list(self._lines(evidence, scope))
        yield from lines or [_inference(because(Why.SEPARATE_UNSEEN, scope=scope), *self._unseen())]

    def _lead(self, finding: Finding) -> Flow | None:
        """The flow whose lines the evidence begins with; None if there is none."""
        flows = [self._flows[id_] for id_ in finding.flows if id_ in self._flows]
        named = finding.evidence[:2]
        return next((flow for flow in flows if flow.upload in named and flow.access in (None, named[0])), None)

    def _moment(self, ref: Ref) -> Moment | None:
        event = self._report.evidence.get(ref)
        return (ref, self._report.host_time(event), event.on_host_clock) if event else None

    def _sent(self, flow: Flow) -> Moment:
        return flow.upload, flow.at, flow.clock == "host"

    def _of_flow(self, flow: Flow) -> Iterator[Inference]:
        event = self._report.evidence.get(flow.access or "")
        if flow.access and isinstance(event, Access):
            yield from self._read(flow.access, event, flow.earlier)
        elif flow.access:
            yield _inference(because(Why.RESTS_ON, lines=[flow.access]), because(Why.LINE_MISREAD))
        else:
            yield self._unread()
        match = max(flow.matches, key=lambda each: (each.confidence, each.type != "name"), default=None)
        if match is not None:
            yield self._form(match)
            yield self._found(flow, match)
        if (people := flow.people) is not None:
            if people.sent and people.read > 1 and people.told_apart:
                yield _inference(because(Why.PEOPLE_FOUND, count=people.sent, many=people.read))
        elif flow.entries and (flow.rows_read or 0) > 1:
            yield _inference(because(Why.ROWS_FOUND, count=flow.entries, many=flow.rows_read or 0))
        yield self._carried(flow)
        if flow.unanswered:
            yield _inference(because(Why.UNANSWERED, ref=flow.upload), because(Why.ARRIVED))
        if flow.cleartext:
            yield _inference(because(Why.IN_CLEARTEXT, ref=flow.upload), because(Why.TUNNELLED))
        if flow.access and flow.access_at:
            yield self._order((flow.access, flow.access_at, False), self._sent(flow), open_=flow.simultaneous)

    # Steps: read, turned into a form, found.

    def _read(self, ref: Ref, access: Access, others: int, *more: Reason) -> Iterator[Inference]:
        count = count_sources(self._report.run.hooks)
        unhooked = count.known - count.installed
        yield _inference(
            because(Why.READ_BY, ref=ref, who=_code(access), source=access.source),
            *([because(Why.ANOTHER_READ, count=others)] if others else []),
            because(Why.SOURCE_UNHOOKED, count=unhooked, many=count.known)
            if unhooked
            else because(Why.SOURCE_ELSEWHERE),
            *more,
        )

    def _unread(self) -> Inference:
        """The step for a value whose read was not seen: how we knew the value that was searched for."""
        observers = self._report.observers
        if observers.persona == "planted":
            return _inference(because(Why.PLANTED_NOT_READ), because(Why.SENT_TO_APP))
        code = Why.DECLARED_NOT_READ if observers.hooks else Why.READS_UNWATCHED
        return _inference(because(code), because(Why.NOT_OF_DEVICE))

    def _form(self, match: Match) -> Inference:
        of = match.of or "as_given"
        if match.evidence:
            lines = [self._report.evidence.get(ref) for ref in match.evidence]
            algorithms = [line.algorithm for line in lines if isinstance(line, Transform)]
            shown = {"lines": list(match.evidence), "algorithms": algorithms}
            says = because(Why.TURNED_BY_APP, variant=match.variant, **shown)
            return _inference(says, because(Why.TURNED_OTHERWISE, lines=list(match.evidence)))
        if of in ("as_given", "plain"):
            says = because(Why.AS_READ) if match.variant == "plain" else because(Why.AS_VARIANT, variant=match.variant)
        elif match.variant in ("plain", of):
            says = because(Why.AS_FORM, of=of)
        else:
            says = because(Why.TURNED, variant=match.variant, of=of)
        return _inference(says, because(Why.SAME_TEXT if match.variant == "plain" else Why.RECOMPUTED))

    def _found(self, flow: Flow, match: Match) -> Inference:
        event = self._report.evidence.get(flow.upload)
        part = match.path.partition(".")[0]
        chance = {} if match.shared else {"many": round(1 / (1 - min(match.confidence, CERTAIN)))}
        body = isinstance(event, Upload) and event.body if part not in ("url", "headers") else None
        return _inference(
            because(
                Why.FOUND_SHARED if match.shared else Why.FOUND,
                ref=flow.upload,
                path=match.path,
                start=match.start,
                end=match.end,
                part=part if part in ("url", "headers") else "body",
                steps=list(match.decoding),
                **chance,
            ),
            because(Why.BODY_DIFFERS, sha256=body) if body else because(Why.BYTES_DIFFER),
            *([because(Why.SAME_NAME)] if match.namesake else []),
            *(each for each in match.reasons if each.code in (Why.GUESSED, Why.NO_PROOF)),
        )

    # Steps: sent by whom, and in which order.

    def _carried(self, flow: Flow) -> Inference:
        carrier = flow.carrier
        if carrier is None:
            code = Why.CARRIER_UNKNOWN if self._report.observers.hooks else Why.CARRIER_UNWATCHED
            return _inference(because(code, ref=flow.upload), because(Why.ANOTHER_PROCESS))
        who = carrier.code.code if carrier.code else ""
        if carrier.ref is None:
            says = because(Why.WRITTEN_BY, ref=flow.upload, who=who, host=flow.recipient.host)
            return _inference(says, because(Why.READ_FORGED))
        refuted = {
            "name": because(Why.ANOTHER_NAMED),
            "port": because(Why.ANOTHER_PORT),
            "host": because(Why.ANOTHER_SOCKET, confidence=round(carrier.confidence * 100)),
            "agent": because(Why.READ_FORGED),
        }[carrier.by]
        says = because(Why.CARRIED_BY, ref=carrier.ref, who=who, host=flow.recipient.host, joined=carrier.by)
        return _inference(says, refuted)

    def _order(self, first: Moment, second: Moment, *, open_: bool = False) -> Inference:
        """Which of two lines came first, as far as clocks can tell; `open_`: matching has found that the order is not
        known."""
        run = self._report.run
        gap_ms = (second[1] - first[1]).total_seconds() * 1000
        if gap_ms < 0:
            first, second, gap_ms = second, first, -gap_ms
        lines: dict[str, Any] = {"first": first[0], "second": second[0], "gap_ms": round(gap_ms, 3)}
        bound_ms = run.clock_bound_ms
        if first[2] != second[2] and not run.clocks_compared:
            return _inference(because(Why.ORDER_UNCOMPARED, first=first[0], second=second[0]))
        if gap_ms == 0:
            return _inference(because(Why.ORDER_SAME_TIME, first=first[0], second=second[0]))
        if open_ or (first[2] != second[2] and gap_ms <= bound_ms and bound_ms):
            return _inference(because(Why.ORDER_OPEN, **lines, bound_ms=bound_ms))
        if run.imported or (first[2] != second[2] and not bound_ms):
            return _inference(because(Why.ORDER_UNMEASURED, **lines), because(Why.CLOCKS_APART, gap_ms=lines["gap_ms"]))
        if first[2] == second[2]:
            return _inference(because(Why.ORDER_ONE_CLOCK, **lines), because(Why.CLOCK_SET))
        return _inference(
            because(Why.ORDER_CERTAIN, **lines, bound_ms=bound_ms),
            because(Why.CLOCKS_FURTHER, gap_ms=lines["gap_ms"], count=len(run.clock)),
        )

    # Steps: what the user had been asked and had answered.

    def _consent(self, of: Flow | Finding, state: ConsentName, evidence: tuple[Ref, ...], then: Moment) -> Chain:
        if of.consent_unordered:
            return (_inference(because(Why.CONSENT_UNORDERED)),)
        if of.consent_assumed:
            return (_inference(because(Why.CONSENT_ASSUMED), because(Why.ANSWERED_BEFORE)),)
        if state == "not_observed":
            return (_inference(because(Why.CONSENT_UNWATCHED)),)
        made = self._made(state, evidence, then[1])
        if made is None:
            return self._unasked(state, then)
        ref, event = made
        said = {"ref": ref, "signal": event.signal, "state": state, "label": event.text or ""}
        says = because(Why.ASKED, **said) if state == "requested" else because(Why.ANSWERED, by=event.by, **said)
        answer = _inference(says, because(REFUTED[event.by]), *self._unseen())
        later = self._later(then) if state in OPEN else ()
        order = () if later else (self._order((ref, self._report.host_time(event), event.on_host_clock), then),)
        return answer, *order, *later

    def _made(self, state: ConsentName, evidence: tuple[Ref, ...], at: datetime) -> tuple[Ref, Consent] | None:
        """The line that caused the state: one that the finding names, otherwise the last that changed the answer."""
        lines = self._asked
        latest = shifted(at, self._report.run.clock_bound_ms)  # within this bound, a later line may have come before
        answers = {each.ref: each for each in self._report.answers if each.ref and each.at and each.at <= latest}
        named = [ref for ref in evidence if ref in answers and answers[ref].state == state]
        other = [ref for ref in evidence if ref in lines and lines[ref].status == state and ref not in named]
        last = [ref for ref, each in reversed(answers.items()) if each.state == state]
        for ref in (*named, *other, *last):
            if ref in lines and self._report.host_time(lines[ref]) <= latest:
                return ref, lines[ref]
        return None

    def _unasked(self, state: ConsentName, then: Moment) -> Chain:
        """The steps for a state that no line caused: nothing had been asked, as far as was seen, and when it was
        asked later."""
        code = because(Why.UNASKED) if state == "not_shown" else because(Why.STATE_ONLY, state=state)
        return _inference(code, *self._unseen(), because(Why.ANSWERED_BEFORE)), *self._later(then)

    def _later(self, then: Moment) -> Chain:
        """What was asked or answered only after a moment, and how certain that order is."""
        later = next((each for each in self._report.answers if each.ref and each.at and each.at > then[1]), None)
        event = self._asked.get(later.ref or "") if later else None
        if later is None or later.ref is None or event is None:
            return ()
        told = because(Why.ASKED_LATER, ref=later.ref, signal=event.signal, state=later.state, label=event.text or "")
        return (
            _inference(told, because(REFUTED[event.by])),
            self._order(then, (later.ref, self._report.host_time(event), event.on_host_clock)),
        )

    def _unseen(self) -> Iterator[Reason]:
        """The possible refutations by a question or answer that nobody saw."""
        screens = self._report.coverage.get("lines", {}).get("screen", 0)
        yield because(Why.ANSWER_UNSEEN, count=screens)
        yield from self._in_a_gap()

    def _in_a_gap(self) -> Iterator[Reason]:
        if self._report.gaps:
            yield because(Why.IN_A_GAP, count=len(self._report.gaps))


def _inference(says: Reason, *unless: Reason) -> Inference:
    return Inference(says=says, unless=unless)


def _code(line: Called) -> str:
    """The innermost code of the app; empty if the stack does not show it."""
    frame = caller(list(owned(line.stack, line.owners)))
    return frame.method if frame else ""
