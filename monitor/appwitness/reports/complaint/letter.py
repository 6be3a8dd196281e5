"""What a letter says of a recording, ready for its template: facts worst first, their evidence, and what was unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pydantic import BaseModel

from appwitness.events import Access, Connection, Consent, Event, Phase, Ref, Upload
from appwitness.findings import Article, Finding, Flow, Report
from appwitness.findings.audit import audit
from appwitness.findings.chain import ORDERS, Chains
from appwitness.reports.frames import caller
from appwitness.reports.integrity import copied, signature
from appwitness.reports.page import sections
from appwitness.reports.phrases import cited, data_of, who
from appwitness.reports.reasons import all_said, said
from appwitness.reports.time_axis import clock, consent_steps, step_for
from appwitness.reports.verdict import worst_first
from appwitness.reports.watched import assumption, case, plan
from appwitness.reports.words import Words

ZONES = {"cn": timezone(timedelta(hours=8))}
"""Law -> the time that its authorities use; UTC otherwise."""
WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC")
"""A time as findings write it."""
VALUES = 3
ROWS = 200
"""Lines of the list of evidence; the JSON report has all."""


@dataclass(frozen=True)
class Fact:
    """One finding as a letter states it."""

    number: int
    title: str
    detail: str
    rule: str
    kinds: tuple[str, ...]
    data: str
    count: int
    first: str
    last: str
    recipient: str
    who: str
    values: tuple[str, ...]
    more_values: int
    forms: tuple[str, ...]
    source: str
    caller: str
    cleartext: bool
    consent: str
    confidence: str
    confidence_means: str
    evidence: tuple[Ref, ...]
    more_evidence: int
    uncovered: tuple[Ref, ...]
    """Lines of these that no intact stamp covers."""
    articles: tuple[str, ...]
    """How they are cited."""
    grounds: tuple[int, ...]
    """Their numbers among the grounds."""
    order: tuple[str, ...]
    """Which of its lines came first, and how certain that is."""
    refuted: tuple[str, ...]
    """What would refute it."""


@dataclass(frozen=True)
class Ground:
    """One article with the facts that touch it."""

    number: int
    citation: str
    says: str
    facts: tuple[int, ...]


@dataclass(frozen=True)
class Proof:
    """One line of the recording, in the list of evidence."""

    ref: Ref
    what: str
    time: str
    body: str
    """sha256 of the body that was sent; empty where there is none."""
    facts: tuple[int, ...]


def in_zone(text: str, law: str) -> str:
    """A sentence of a finding with its times in the zone of the letter, which says once which that is."""
    if law not in ZONES:
        return text
    return WRITTEN.sub(lambda found: moment(datetime.fromisoformat(f"{found[1]}+00:00"), law), text)


def moment(at: datetime, law: str) -> str:
    """A time as the law's authorities write it, to the millisecond."""
    local = at.astimezone(ZONES.get(law, UTC))
    return f"{local:%Y-%m-%d} {clock(local)}"


def plain_data(value: object) -> Any:
    """What JSON has. Raises TypeError for anything else: a template gets no object that can do something."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case BaseModel():
            return value.model_dump(mode="json")
        case dict():
            return {str(key): plain_data(held) for key, held in value.items()}
        case list() | tuple():
            return [plain_data(held) for held in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain_data(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} is no plain data")


class Letter:
    """Everything that a template may ask for."""

    def __init__(self, report: Report, words: Words, law: str, reveal: bool) -> None:
        self.report = report
        self.words = words
        self.law = law
        self.reveal = reveal
        self.run = report.run
        self.seal = report.verified
        self.signature = signature(self.seal, words) if self.seal else ""
        self.copied = copied(self.run, words)
        self.observers = report.observers
        self.imported = report.run.imported
        self.files = report.run.source
        self.assumption = assumption(report, words)
        self.audit = all_said(audit(report), words)
        self.case = case(self.run, words)
        self._steps = consent_steps(report)
        self._chains = Chains(report)
        self._flows = {flow.id: flow for flow in report.flows}
        findings = [finding for finding in worst_first(report) if finding.level != "info"]
        self.grounds = list(self._grounds(findings))
        self.facts = [self._fact(number, finding) for number, finding in enumerate(findings, start=1)]
        self.proofs = list(self._proofs(findings))
        self.gaps = sections.gaps(report.gaps, words)
        self.plan = plan(report, words)
        self.kind = words(f"device_{self.run.device.kind}")

    @property
    def law_name(self) -> str:
        """The jurisdiction in words."""
        return self.words(f"law_{self.law}")

    @property
    def recipients(self) -> list[str]:
        """Every host that the facts name, once."""
        return list(dict.fromkeys(fact.recipient for fact in self.facts if fact.recipient))

    @property
    def kinds_of_data(self) -> list[str]:
        """Every kind of data that the facts name, once."""
        return list(dict.fromkeys(fact.data for fact in self.facts if fact.data))

    @property
    def answers(self) -> list[tuple[str, str, str, Ref]]:
        """What the user was asked and answered: time, what, label, line."""
        return [
            (self.moment(step.at), self.words(f"consent_{step.state}"), step.event.text or "", step.ref)
            for step in self._steps
        ]

    def moment(self, at: datetime) -> str:
        """A time as the law's authorities write it, to the millisecond."""
        return moment(at, self.law)

    def fields(self) -> dict[str, Any]:
        """All of it as plain data, for a template: texts, numbers, lists and mappings of them."""
        own = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        asked = {name: getattr(self, name) for name, of in vars(Letter).items() if isinstance(of, property)}
        return {name: plain_data(value) for name, value in (own | asked).items() if name not in ("report", "words")}

    def _fact(self, number: int, finding: Finding) -> Fact:
        words = self.words
        # The flows of a read are what became of it; the fact is the read.
        flows = [self._flows[name] for name in finding.flows if name in self._flows] if finding.recipient else []
        times = [flow.at for flow in flows] or [
            self.report.host_time(event)
            for ref in finding.evidence
            if isinstance(event := self.report.evidence.get(ref), Access | Upload | Consent | Phase)
        ][:1]
        values = list(dict.fromkeys(match.value for flow in flows for match in flow.matches))
        access = next(
            (event for ref in self._read(finding, flows) if isinstance(event := self.report.evidence.get(ref), Access)),
            None,
        )
        if access and not values:
            values = list(dict.fromkeys(value.text for value in access.values))
        asked = caller(access.stack, access.owners) if access else None
        chain = self._chains.of(finding)
        return Fact(
            number=number,
            title=words.of(finding.title),
            detail=in_zone(words.of(finding.detail), self.law),
            rule=finding.rule,
            kinds=finding.kinds,
            data=data_of(finding, words),
            count=finding.count,
            first=self.moment(min(times)) if times else "",
            last=self.moment(max(times)) if len(times) > 1 else "",
            recipient=finding.recipient.host if finding.recipient else "",
            who=who(finding.recipient, words) if finding.recipient else "",
            values=tuple(values[:VALUES]),
            more_values=max(0, len(values) - VALUES),
            forms=tuple(dict.fromkeys(self._form(match.variant) for flow in flows for match in flow.matches)),
            source=access.source if access else "",
            caller=asked.name if asked else "",
            cleartext=any(flow.cleartext for flow in flows),
            consent=self._consent(finding, min(times)) if times else "",
            confidence=words(f"confidence_{finding.confidence}"),
            confidence_means=words(f"confidence_{finding.confidence}_means"),
            evidence=finding.evidence,
            more_evidence=max(0, len(finding.all_evidence) - len(finding.evidence)),
            uncovered=finding.uncovered[:24],
            articles=tuple(cited(article, words) for article in self._articles(finding)),
            grounds=tuple(ground.number for ground in self.grounds if number in ground.facts),
            order=tuple(said(each.says, words) for each in chain if each.says.code in ORDERS),
            refuted=tuple(dict.fromkeys(said(one, words) for each in chain for one in each.unless)),
        )

    def _form(self, variant: str) -> str:
        return self.words("as_it_was") if variant == "plain" else variant.replace("_", " ")

    @staticmethod
    def _read(finding: Finding, flows: list[Flow]) -> Iterator[Ref]:
        yield from (flow.access for flow in flows if flow.access)
        yield from finding.evidence

    def _consent(self, finding: Finding, at: datetime) -> str:
        """What was known of consent at that moment, and which line says so."""
        if finding.consent is None:
            return ""
        if finding.consent_assumed:
            return self.assumption
        if finding.consent_unordered:
            return self.words("clocks_uncompared_more")
        text = self.words(f"moment_{finding.consent}")
        step = step_for(self._steps, at, finding.consent)
        return f"{text}{self.words('moment_line', time=self.moment(step.at), ref=step.ref)}" if step else text

    def _articles(self, finding: Finding) -> list[Article]:
        return [article for article in finding.articles if article.jurisdiction == self.law]

    def _grounds(self, findings: list[Finding]) -> Iterator[Ground]:
        touched: dict[tuple[str, str], tuple[Article, list[int]]] = {}
        for number, finding in enumerate(findings, start=1):
            for article in self._articles(finding):
                touched.setdefault((article.law, article.article), (article, []))[1].append(number)
        for position, (article, numbers) in enumerate(touched.values(), start=1):
            yield Ground(position, cited(article, self.words), self.words.of(article.says), tuple(numbers))

    def _proofs(self, findings: list[Finding]) -> Iterator[Proof]:
        named: dict[Ref, list[int]] = {}
        for number, finding in enumerate(findings, start=1):
            for ref in finding.evidence:
                named.setdefault(ref, []).append(number)
        self._named = len(named)
        for ref, numbers in list(named.items())[:ROWS]:
            event = self.report.evidence.get(ref)
            yield Proof(
                ref=ref,
                what=self._what(event),
                time=self.moment(self.report.host_time(event)) if event else "",
                body=event.body or "" if isinstance(event, Upload) else "",
                facts=tuple(numbers),
            )

    @property
    def more_proofs(self) -> int:
        """Lines of evidence that the list leaves out."""
        return self._named - len(self.proofs)

    def _what(self, event: Event | None) -> str:
        words = self.words
        match event:
            case Access():
                return f"{words('read')}{words('colon')}{event.source}"
            case Upload():
                return f"{words('sent')}{words('colon')}{event.method or event.via} {event.host or ''}"
            case Connection():
                return f"{words('socket')}{words('colon')}{event.host or event.remote.ip}:{event.remote.port}"
            case Consent():
                text = f" “{event.text}”" if event.text else ""
                return f"{words(f'signal_{event.signal}')}{words('colon')}{words(f'consent_{event.status}')}{text}"
            case Phase():
                return words(f"phase_{event.state}")
            case _:
                return words("evidence")
