"""The events that `observe --json` writes during a run: references to lines of the recording, without values."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appwitness.events import Access, Consent, Event, Gap, Ref, Upload, schema_of
from appwitness.support import vocabulary

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.findings import Finding, Report

Line = Annotated[Ref, Meta(description="the line of the recording: accesses.jsonl:17")]


class Told(msgspec.Struct, kw_only=True, frozen=True, tag_field="event"):
    """Fields of every event."""

    v: Literal[1] = 1
    at: Annotated[datetime, Meta(description="when it was, on the clock of whoever wrote the line; else the host's")]


class Started(Told, kw_only=True, frozen=True, tag="started"):
    """A run begins; with --repeat or --control there are several, each with its own verdict, except a control run."""

    recording: Annotated[str, Meta(description="folder of the new recording")]
    device: str
    plan: str


class LiveStage(Told, kw_only=True, frozen=True, tag="stage"):
    """The current activity."""

    what: str


class Warned(Told, kw_only=True, frozen=True, tag="warning"):
    """Something that the user should know."""

    what: str


class Read(Told, kw_only=True, frozen=True, tag="read"):
    """The app read personal data, or tried to."""

    ref: Line
    source: Annotated[str, Meta(description="the API")]
    data: Annotated[str, Meta(description="code of the kind of data")]
    outcome: str
    values: Annotated[int, Meta(description="how many values it gave")]


class Sent(Told, kw_only=True, frozen=True, tag="upload"):
    """A message left the device."""

    ref: Line
    via: str
    method: str | None
    host: Annotated[str | None, Meta(description="labels that may carry a value are left out: `*.adnet.test`")]
    size: Annotated[int, Meta(description="bytes of the body")]
    cleartext: bool


class Asked(Told, kw_only=True, frozen=True, tag="consent"):
    """What the user was asked or answered, or what the app claims about it."""

    ref: Line
    signal: str
    status: str
    by: str


class Missed(Told, kw_only=True, frozen=True, tag="gap"):
    """Something could not be observed."""

    ref: Line
    where: str
    why: str


class Found(Told, kw_only=True, frozen=True, tag="finding"):
    """A rule objects to something: the first time for this rule, data type and recipient."""

    id: Annotated[str, Meta(description="as in every report of the run: v2:3f9c01ab52de")]
    rule: str
    level: str
    confidence: str
    title: str
    data: str | None
    recipient: str | None
    consent: str | None
    evidence: Annotated[tuple[Ref, ...], Meta(description="lines to check by hand, the telling ones first")]


class Verdict(Told, kw_only=True, frozen=True, tag="verdict"):
    """The result of the run: the last line."""

    recording: str
    facts: Annotated[str, Meta(description="what left, to whom and when, in one sentence; empty: nothing")]
    findings: Annotated[dict[str, int], Meta(description="how many of each level")]
    reads: int
    uploads: int
    gaps: int
    exit_code: Annotated[int, Meta(description="that of this run: 0, 1 or 3")]


EVENTS = (Started, LiveStage, Warned, Read, Sent, Asked, Missed, Found, Verdict)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a line."""
    return schema_of(EVENTS, "A line of `appwitness observe --json`, version 1")


def of(event: Event, ref: Ref) -> Told | None:
    """A line of the recording as an event; None for kinds that are not reported."""
    match event:
        case Access():
            return Read(
                at=event.at,
                ref=ref,
                source=vocabulary.name(event.source, _hidden),
                data=vocabulary.sifted(event.data, _hidden),
                outcome=event.outcome,
                values=len(event.values),
            )
        case Upload():
            return Sent(
                at=event.at,
                ref=ref,
                via=event.via,
                method=event.method and vocabulary.method(event.method, _hidden),
                host=shown(event.host),
                size=event.size,
                cleartext=event.cleartext,
            )
        case Consent():
            return Asked(at=event.at, ref=ref, signal=event.signal, status=event.status, by=event.by)
        case Gap():
            return Missed(at=event.at, ref=ref, where=event.where, why=event.why)
    return None


def _hidden(_piece: str) -> str:
    return "*"


def shown(host: str | None) -> str | None:
    """A host without labels that may carry a value."""
    told = vocabulary.host(host, _hidden) if host else host
    return told if told is None or told == host else ".".join(("*", *told.split(".")[-2:]))


def found(finding: Finding, at: datetime) -> Found:
    """A finding as an event."""
    return Found(
        at=at,
        id=finding.id,
        rule=finding.rule,
        level=finding.level,
        confidence=finding.confidence,
        title=finding.title["en"],
        data=finding.data,
        recipient=shown(finding.recipient.host) if finding.recipient else None,
        consent=finding.consent,
        evidence=finding.evidence,
    )


def verdict(report: Report, code: int, at: datetime) -> Verdict:
    """The result of a run as an event."""
    from appwitness.findings.mask import masked
    from appwitness.reports.verdict import facts
    from appwitness.reports.words import Words

    return Verdict(
        at=at,
        recording=str(report.path or report.recording),
        facts=facts(masked(report), Words("en")),
        findings=dict(Counter(finding.level for finding in report.findings)),
        reads=len(report.accesses),
        uploads=len(report.uploads),
        gaps=len(report.gaps),
        exit_code=code,
    )
