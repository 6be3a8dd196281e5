"""Prepares a recording for a letter's template: facts worst first, their evidence, and what was not observed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pydantic import BaseModel

from appwitness.events import Access, Connection, Consent, Event, Phase, Ref, Upload
from appwitness.findings import Article, Finding, Flow, Report
from appwitness.findings.audit import audit
from appwitness.findings.chain import ORDERS, Chains
from appwitness.reports.frames import caller
from appwitness.reports.page import sections
from appwitness.reports.phrases import all_said, cited, data_of, edition, said, who
from appwitness.reports.time_axis import clock, consent_steps, step_for
from appwitness.reports.verdict import worst_first
from appwitness.reports.watched import assumption, case, copied, plan, signature
from appwitness.reports.words import Words

ZONES = {"cn": timezone(timedelta(hours=8))}
"""Law -> the time zone that its authorities use; otherwise UTC."""
WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC")
"""A time as findings write it."""
VALUES = 3
ROWS = 200
"""Maximum number of lines in the list of evidence; the JSON report has all of them."""


def in_zone(text: str, law: str) -> str:
    """A sentence of a finding with its times converted to the zone of the letter, which names the zone once."""
    if law not in ZONES:
        return text
    return WRITTEN.sub(lambda found: moment(datetime.fromisoformat(f"{found[1]}+00:00"), law), text)


def moment(at: datetime, law: str) -> str:
    """A time as the law's authorities write it, to the millisecond."""
    local = at.astimezone(ZONES.get(law, UTC))
    return f"{local:%Y-%m-%d} {clock(local)}"


def plain_data(value: object) -> Any:
    """The value as plain JSON data. Raises TypeError for anything else: a template gets no object that can do
    something."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case BaseModel():
            return value.model_dump(mode="json")
        case dict():
            return {str(key): plain_data(held) for key, held in value.items()}
        case list() | tuple():
            return [plain_data(held) for held in value]
        case _:
            raise TypeError(f"{type(value).__name__} is no plain data")


class Letter:
    """Prepares the fields that a template may use; docs/templates.md describes each of them."""

    def __init__(self, report: Report, words: Words, law: str, reveal: bool) -> None:
        self.report = report
        self.words = words
        self.law = law
        self.reveal = reveal
        self._steps = consent_steps(report)
        self._chains = Chains(report)
        self._flows = {flow.id: flow for flow in report.flows}
        findings = [finding for finding in worst_first(report) if finding.level != "info"]
        self.grounds = list(self._grounds(findings))
        self.facts = [self._fact(number, finding) for number, finding in enumerate(findings, start=1)]
        self._named: dict[Ref, list[int]] = {}
        """Line of evidence -> the facts that name it."""
        for number, finding in enumerate(findings, start=1):
            for ref in finding.evidence:
                self._named.setdefault(ref, []).append(number)

    def moment(self, at: datetime) -> str:
        """A time as the law's authorities write it, to the millisecond."""
        return moment(at, self.law)

    def fields(self) -> dict[str, Any]:
        """All fields as plain data for a template: texts, numbers, and lists and mappings of them."""
        report, words, run, seal = self.report, self.words, self.report.run, self.report.verified
        fields: dict[str, Any] = plain_data(
            {
                "law": self.law,
                "law_name": words(f"law_{self.law}"),
                "reveal": self.reveal,
                "run": run,
                "plan": plan(report, words),
                "kind": words(f"device_{run.device.kind}"),
                "seal": seal,
                "signature": signature(seal, words) if seal else "",
                "copied": copied(run, words),
                "observers": report.observers,
                "case": case(run, words),
                "imported": run.imported,
                "files": run.source,
                "assumption": assumption(report, words),
                "audit": all_said(audit(report), words),
                "catalog": edition(report, words),
                "facts": self.facts,
                "grounds": self.grounds,
                "proofs": [self._proof(ref, facts) for ref, facts in list(self._named.items())[:ROWS]],
                "more_proofs": max(0, len(self._named) - ROWS),
                "answers": [
                    (self.moment(step.at), words(f"consent_{step.state}"), step.event.text or "", step.ref)
                    for step in self._steps
                ],
                "gaps": sections.gaps(report.gaps, words),
                "recipients": list(dict.fromkeys(fact["recipient"] for fact in self.facts if fact["recipient"])),
                "kinds_of_data": list(dict.fromkeys(fact["data"] for fact in self.facts if fact["data"])),
            }
        )
        return fields

    def _fact(self, number: int, finding: Finding) -> dict[str, Any]:
        """One finding as a letter states it."""
        words = self.words
        # A finding without a recipient is about a read: its flows show where values went, but are not the fact.
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
        return {
            "number": number,
            "title": words.of(finding.title),
            "detail": in_zone(words.of(finding.detail), self.law),
            "rule": finding.rule,
            "kinds": finding.kinds,
            "data": data_of(finding, words),
            "count": finding.count,
            "first": self.moment(min(times)) if times else "",
            "last": self.moment(max(times)) if len(times) > 1 else "",
            "recipient": finding.recipient.host if finding.recipient else "",
            "who": who(finding.recipient, words) if finding.recipient else "",
            "values": tuple(values[:VALUES]),
            "more_values": max(0, len(values) - VALUES),
            "forms": tuple(dict.fromkeys(self._form(match.variant) for flow in flows for match in flow.matches)),
            "source": access.source if access else "",
            "caller": asked.name if asked else "",
            "cleartext": any(flow.cleartext for flow in flows),
            "consent": self._consent(finding, min(times)) if times else "",
            "confidence": words(f"confidence_{finding.confidence}"),
            "confidence_means": words(f"confidence_{finding.confidence}_means"),
            "evidence": finding.evidence,
            "more_evidence": max(0, len(finding.all_evidence) - len(finding.evidence)),
            "uncovered": finding.uncovered[:24],
            "articles": tuple(cited(article, words) for article in self._articles(finding)),
            "grounds": tuple(ground["number"] for ground in self.grounds if number in ground["facts"]),
            "order": tuple(said(each.says, words) for each in chain if each.says.code in ORDERS),
            "refuted": tuple(dict.fromkeys(said(one, words) for each in chain for one in each.unless)),
        }

    def _form(self, variant: str) -> str:
        return self.words("as_it_was") if variant == "plain" else variant.replace("_", " ")

    @staticmethod
    def _read(finding: Finding, flows: list[Flow]) -> Iterator[Ref]:
        yield from (flow.access for flow in flows if flow.access)
        yield from finding.evidence

    def _consent(self, finding: Finding, at: datetime) -> str:
        """What was known about consent at that moment, and which line shows it."""
        if finding.consent is None:
            return ""
        if finding.consent_assumed:
            return assumption(self.report, self.words)
        if finding.consent_unordered:
            return self.words("clocks_uncompared_more")
        text = self.words(f"moment_{finding.consent}")
        step = step_for(self._steps, at, finding.consent)
        return f"{text}{self.words('moment_line', time=self.moment(step.at), ref=step.ref)}" if step else text

    def _articles(self, finding: Finding) -> list[Article]:
        return [article for article in finding.articles if article.jurisdiction == self.law]

    def _grounds(self, findings: list[Finding]) -> Iterator[dict[str, Any]]:
        """The articles, each with the facts that touch it."""
        touched: dict[tuple[str, str], tuple[Article, list[int]]] = {}
        for number, finding in enumerate(findings, start=1):
            for article in self._articles(finding):
                touched.setdefault((article.law, article.article), (article, []))[1].append(number)
        for position, (article, numbers) in enumerate(touched.values(), start=1):
            says = self.words.of(article.says)
            yield {"number": position, "citation": cited(article, self.words), "says": says, "facts": tuple(numbers)}

    def _proof(self, ref: Ref, facts: list[int]) -> dict[str, Any]:
        """A line of the recording as an entry in the list of evidence."""
        event = self.report.evidence.get(ref)
        return {
            "ref": ref,
            "what": self._what(event),
            "time": self.moment(self.report.host_time(event)) if event else "",
            "body": event.body or "" if isinstance(event, Upload) else "",
            "facts": facts,
        }

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
