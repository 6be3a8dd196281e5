"""The report for a code host: SARIF 2.1.0, results at lines of the recording, code flows from read to upload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from appwitness.events import Access, Connection, Consent, Event, Ref, Upload, format_time
from appwitness.events.seen import number_of
from appwitness.findings import Confidence, Finding, Flow, JudgedRule, Level, Report
from appwitness.reports.frames import StackLine, caller, frames
from appwitness.reports.phrases import cited, country, data_of, edition, gap_line, received_by
from appwitness.reports.time_axis import still_counts
from appwitness.reports.verdict import verdict, worst_first
from appwitness.reports.watched import assumption, consent, files, integrity
from appwitness.reports.watched import seal_state as state
from appwitness.reports.words import Words, plain
from appwitness.support import escape, site

LEVELS: dict[Level, str] = {"high": "error", "medium": "warning", "low": "note", "info": "note"}
SEVERITY: dict[Level, str] = {"high": "8.0", "medium": "5.5", "low": "3.0", "info": "1.0"}
"""`security-severity`, by which code hosts sort."""
RANK: dict[Confidence, float] = {"proven": 95.0, "corroborated": 75.0, "indicated": 50.0, "declared": 25.0}
CODE_FLOWS = 20
"""Maximum number of code flows of a result; the JSON report has all of them."""
LARGEST = 9_900_000
"""Maximum size of a file in bytes: less than the 10 MB that code hosts accept."""
DEEP = 8
"""Maximum number of spaces by which a log indents the contents of a run."""
RESULTS, TAGS, CONSENTS = 25_000, 20, 400
"""Maximum number of results of a run, of tags of a rule, and of answers in one code flow. GitHub refuses more than
25,000 results, 20 tags, and 10,000 steps in all code flows of a result."""
BASE = "RECORDING"
Tree = dict[str, Any]


def render(report: Report, *, lang: str = "en", reveal: bool = False) -> str:
    """The report as one SARIF log with one run."""
    words = Words(lang)
    return document([run_of(report, words, reveal)], words)


def document(runs: Sequence[Tree], words: Words) -> str:
    """A SARIF log of several runs. A run that is too large is split into several, each with its own category: code
    hosts refuse two runs with the same category, and an upload leaves the alerts of other categories as they are."""
    text = _log(_inert(runs))
    if _fits(text) and all(len(run["results"]) <= RESULTS for run in runs):
        return text
    del text  # it may be large, and so is the next
    return _log(_inert([part for run in runs for part in _parts(run, words)]))


def _fits(text: str) -> bool:
    """Whether code hosts accept a file with this text."""
    return len(text) <= LARGEST and len(text.encode()) <= LARGEST


def _log(runs: Sequence[Tree]) -> str:
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": list(runs)}
    return escape.document(log)


def _parts(run: Tree, words: Words) -> list[Tree]:
    """A run split into several, each with no more results and bytes than code hosts accept; the gaps are in the
    first."""
    results = run["results"]
    sheets = _sheets(results, LARGEST - _size({**run, "results": []}))
    if len(sheets) == 1:
        return [run]
    parts = []
    for number, sheet in enumerate(sheets, 1):
        first = sum(map(len, sheets[: number - 1])) + 1
        said = words(
            "sarif_part", part=number, parts=len(sheets), first=f"{first:,}", last=f"{first + len(sheet) - 1:,}",
            count=f"{len(results):,}",
        )  # fmt: skip
        note = {"level": "note", "message": {"text": said}}
        about, *others = run["invocations"]
        told = about["toolExecutionNotifications"] if number == 1 else []
        part = {
            **run,
            "invocations": [{**about, "toolExecutionNotifications": [note, *told]}, *(others if number == 1 else ())],
            "results": sheet,
        }
        if number > 1:
            part["automationDetails"] = {"id": f"{run['automationDetails']['id']}part-{number}/"}
        parts.append(part)
    return parts


def _sheets(trees: Iterable[Tree], room: int) -> list[list[Tree]]:
    """The trees in order, divided into sheets: each as many as fit into `room` bytes, and at most RESULTS; at least
    one sheet."""
    sheets: list[list[Tree]] = [[]]
    filled = 0
    for tree in trees:
        size = _size(tree)
        if sheets[-1] and (filled + size > room or len(sheets[-1]) == RESULTS):
            sheets.append([])
            filled = 0
        sheets[-1].append(tree)
        filled += size
    return sheets


def _size(tree: Tree) -> int:
    """The size in bytes of a result, or of a run without results, at its place in a log."""
    text = json.dumps(tree, ensure_ascii=False, indent=2)
    return len(text.encode()) + DEEP * (text.count("\n") + 1)


def files_of(text: str, file: Path) -> list[tuple[Path, str]]:
    """A log as files that code hosts accept: one file, or, if the log is too large, `file` and others beside it
    (`gate.sarif`, `gate-2.sarif`), each with as many of its runs as fit."""
    if _fits(text):
        return [(file, text)]
    sheets = _sheets(json.loads(text)["runs"], LARGEST)
    names = [file, *(file.with_stem(f"{file.stem}-{number}") for number in range(2, len(sheets) + 1))]
    return [(name, _log(sheet)) for name, sheet in zip(names, sheets, strict=True)]


def run_of(report: Report, words: Words, reveal: bool) -> Tree:
    """One report as a run, with its results in the order of `worst_first`."""
    rules = _rules(report)
    index = {rule.id: number for number, rule in enumerate(rules)}
    flows = {flow.id: flow for flow in report.flows}
    run = report.run
    return {
        "tool": {
            "driver": {
                "name": "appwitness",
                "fullName": "appwitness: which personal data left the device, and whether the user had agreed",
                **_given(version=run.versions.get("appwitness")),
                "language": words.tag if words.tag != "en" else "en-US",
                "rules": [_rule(rule, words) for rule in rules],
                "notifications": [
                    {"id": why, "shortDescription": {"text": words(f"why_{why}")}}
                    for why in sorted({gap.why for gap in report.gaps})
                ],
            }
        },
        "automationDetails": {"id": f"appwitness/{run.app.package}/{run.plan}/"},
        "invocations": [
            {
                "executionSuccessful": True,
                "startTimeUtc": format_time(run.started),
                **_given(endTimeUtc=format_time(run.ended) if run.ended else None),
                "toolExecutionNotifications": [
                    {
                        "level": "warning",
                        "descriptor": {"id": gap.why},
                        "message": {"text": plain(gap_line(gap, words))},
                        "timeUtc": format_time(gap.at),
                        **({"locations": [_place(gap.ref)]} if gap.ref else {}),
                    }
                    for gap in report.gaps
                ],
            }
        ],
        "originalUriBaseIds": {
            BASE: {"description": {"text": f"The folder of the recording {plain(report.recording)}."}}
        },
        "columnKind": "utf16CodeUnits",
        "results": [_result(finding, report, flows, index, words) for finding in worst_first(report)],
        "properties": {
            "recording": report.recording,
            "package": run.app.package,
            "plan": run.plan,
            "device": run.device.kind,
            "observers": report.observers.model_dump(mode="json"),
            **_given(assumedConsent=assumption(report, words) or None),
            **({"imported": files(report, words)} if run.source else {}),
            "verdict": verdict(report, words).line,
            "gaps": len(report.gaps),
            "verified": state(report),
            "verifiedDetail": integrity(report, words),
            "catalog": edition(report, words),
            "masked": not reveal,
        },
    }


def _inert(tree: Any) -> Any:
    """The same log without anything in its texts that a viewer would act on. Markdown was escaped where it was made."""
    if isinstance(tree, dict):
        return {name: text if name == "markdown" else _inert(text) for name, text in tree.items()}
    if isinstance(tree, list):
        return [_inert(each) for each in tree]
    return escape.sarif(tree) if isinstance(tree, str) else tree


def _rules(report: Report) -> list[JudgedRule]:
    """The rules that were applied, and any others that a finding names."""
    rules = {rule.id: rule for rule in report.rules}
    for finding in report.findings:
        rules.setdefault(
            finding.rule,
            JudgedRule(id=finding.rule, level=finding.level, title=finding.title, references=finding.references),
        )
    return [rules[name] for name in sorted(rules)]


def _rule(rule: JudgedRule, words: Words) -> Tree:
    title = words.of(rule.title)
    about = words.of(rule.help) or title
    rests = f"{words('references')}: {'; '.join(rule.references)}" if rule.references else ""
    check = words("verdict_findings_more")
    parts = [part for part in (about, check, rests) if part]
    marked = "\n\n".join(escape.markdown(part) for part in parts)
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.id.split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": about},
        **_given(helpUri=None if rule.own else site.rule_page(rule.id, words.lang)),
        "help": {"text": "\n\n".join(parts), "markdown": f"**{escape.markdown(title)}**\n\n{marked}"},
        "defaultConfiguration": {"level": LEVELS[rule.level]},
        "properties": {
            "tags": ["privacy", "personal-data", *rule.kinds][:TAGS],
            "security-severity": SEVERITY[rule.level],
        },
    }


def _result(finding: Finding, report: Report, flows: dict[str, Flow], index: dict[str, int], words: Words) -> Tree:
    of = [flows[name] for name in finding.flows if name in flows]
    told = _told(finding, words)
    first = _first(finding, report)
    others = [ref for ref in finding.evidence if ref != first]
    stacks = list(_stacks(finding, of, report, words))
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "kind": "fail",
        "level": LEVELS[finding.level],
        "rank": RANK[finding.confidence],
        "message": {"text": told},
        "locations": [_place(first, code=_code(finding, report))] if first else [],
        "relatedLocations": [
            _place(ref, number, _event_text(report.evidence.get(ref), words)) for number, ref in enumerate(others, 1)
        ],
        "partialFingerprints": {
            "appwitness/v1": _fingerprint(finding, report),
            "appwitness/v2": finding.id,
        },
        "occurrenceCount": finding.count,
        **({"codeFlows": [_code_flow(flow, report, words) for flow in of[:CODE_FLOWS]]} if of else {}),
        **({"stacks": stacks} if stacks else {}),
        "properties": {
            "confidence": finding.confidence,
            "level": finding.level,
            "flows": list(finding.flows),
            **_given(
                data=finding.data,
                consent=finding.consent,
                consentAssumed=True if finding.consent_assumed else None,
                consentUnordered=True if finding.consent_unordered else None,
                recipient=finding.recipient.host if finding.recipient else None,
                party=finding.recipient.party if finding.recipient else None,
                country=(country(finding.recipient, words) or None) if finding.recipient else None,
            ),
            "references": list(finding.references),
            **({"kinds": list(finding.kinds)} if finding.kinds else {}),
            **({"articles": _articles(finding, words)} if finding.articles else {}),
        },
    }


def _articles(finding: Finding, words: Words) -> list[Tree]:
    return [
        {
            "law": article.law,
            "article": article.article,
            "jurisdiction": article.jurisdiction,
            "citation": plain(cited(article, words)),
            "verify": article.verify,
        }
        for article in finding.articles
    ]


def _told(finding: Finding, words: Words) -> str:
    parts = [words.of(finding.title)]
    about = [data_of(finding, words)] if finding.data else []
    if finding.recipient:
        about.append(received_by(finding.recipient, words))
    if finding.consent:
        about.append(f"{words('consent_then')}: {consent(finding, words)}")
    about.append(words(f"confidence_{finding.confidence}"))
    parts.append(", ".join(about))
    if finding.detail:
        parts.append(words.of(finding.detail).rstrip(".。"))
    return plain(". ".join(parts) + ".")


def _first(finding: Finding, report: Report) -> Ref | None:
    """The location of the result: the upload if there is one, otherwise the first line of evidence."""
    sent = [ref for ref in finding.evidence if isinstance(report.evidence.get(ref), Upload)]
    return next(iter((*sent, *finding.evidence)), None)


def _place(ref: Ref, number: int | None = None, message: str | None = None, code: str | None = None) -> Tree:
    """A line of the recording as a location."""
    name = ref.rpartition(":")[0]
    return {
        **_given(id=number),
        "physicalLocation": {
            "artifactLocation": {"uri": quote(name or ref), "uriBaseId": BASE},
            "region": {"startLine": number_of(ref) or 1},
        },
        **({"message": {"text": message}} if message else {}),
        **({"logicalLocations": [{"fullyQualifiedName": code, "kind": "function"}]} if code else {}),
    }


def _code(finding: Finding, report: Report) -> str | None:
    """The code of the app or of an SDK that the finding is about."""
    for ref in finding.evidence:
        found = caller(*_stack_of(report.evidence.get(ref)))
        if found:
            return plain(found.name)
    return None


def _stack_of(event: Event | None) -> tuple[Sequence[str], Sequence[str | None]]:
    """The frames of an event's stack, and their owners."""
    if isinstance(event, Access | Connection | Upload):
        return event.stack, event.owners
    return (event.stack if isinstance(event, Consent) else ()), ()


def _fingerprint(finding: Finding, report: Report) -> str:
    """A fingerprint that is the same for the same behaviour in another run: it contains no line numbers, times,
    values or ids."""
    source = next(
        (event.source for ref in finding.evidence if isinstance(event := report.evidence.get(ref), Access)), ""
    )
    parts = (
        finding.rule,
        report.run.app.package,
        finding.data or "",
        finding.recipient.host if finding.recipient else "",
        source,
        _code(finding, report) or "",
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _code_flow(flow: Flow, report: Report, words: Words) -> Tree:
    """Read, question or answer, socket and upload in order of time; lines of two clocks that nobody compared go into
    separate thread flows."""
    compared = report.run.clocks_compared
    steps: list[tuple[datetime, str, Ref, str]] = []
    if flow.access and (access := report.evidence.get(flow.access)):
        steps.append((flow.access_at or report.host_time(access), "essential", flow.access, _event_text(access, words)))
    answers = [
        (at, "important", ref, _event_text(event, words))
        for ref, _, at, event in report.consents
        if (at <= flow.at or not compared)
        and isinstance(event, Consent)
        and event.scope == "general_policy"
        and still_counts(ref, event, report)
    ]
    steps += answers[-CONSENTS:]
    if flow.connection and (connection := report.evidence.get(flow.connection)):
        steps.append(
            (min(report.host_time(connection), flow.at), "important", flow.connection, _event_text(connection, words))
        )
    upload = report.evidence.get(flow.upload)
    steps.sort(key=lambda step: step[0])
    steps.append((flow.at, "essential", flow.upload, _upload_text(flow, upload, words)))
    clocks: dict[bool, list[Tree]] = {}
    for order, (at, importance, ref, text) in enumerate(steps, start=1):
        line = report.evidence.get(ref)
        locations = clocks.setdefault(compared or line is None or line.on_host_clock, [])
        found = caller(*_stack_of(line))
        locations.append(
            {
                "location": _place(ref, message=text, code=plain(found.name) if found else None),
                **({"executionOrder": order} if compared else {}),
                "executionTimeUtc": format_time(at),
                "importance": importance,
                **({"stack": stack} if (stack := _stack(_stack_of(line), text)) else {}),
            }
        )
    message = f"{flow.id}: {data_of(flow, words)} > {flow.recipient.host}"
    return {"message": {"text": plain(message)}, "threadFlows": [{"locations": each} for each in clocks.values()]}


def _event_text(event: Event | None, words: Words) -> str:
    match event:
        case Access():
            return plain(f"{words('read')}: {event.source}")
        case Upload():
            return plain(f"{words('sent')}: {event.method or event.via} {event.url or event.host or ''}".rstrip())
        case Connection():
            return plain(f"{words('socket')}: {event.host or event.remote.ip}:{event.remote.port}")
        case Consent():
            text = f" “{event.text}”" if event.text else ""
            return plain(f"{words('consent')}: {words(f'consent_{event.status}')}{text}")
        case _:
            return words("evidence")


def _upload_text(flow: Flow, event: Event | None, words: Words) -> str:
    found = "; ".join(f"{match.value} {words('form')} {match.variant} @ {match.path}" for match in flow.matches[:3]) + (
        "" if len(flow.matches) <= 3 else " " + words("and_more", count=len(flow.matches) - 3)
    )
    return plain(f"{_event_text(event, words)}. {found}")


def _stacks(finding: Finding, flows: Iterable[Flow], report: Report, words: Words) -> Iterable[Tree]:
    """The stacks of the read and of the upload: those of the first flow, otherwise of the evidence."""
    flow = next(iter(flows), None)
    refs = [flow.access, flow.connection, flow.upload] if flow else list(finding.evidence[:2])
    for ref in refs:
        event = report.evidence.get(ref) if ref else None
        stack = _stack(
            _stack_of(event), f"{words('where_read' if isinstance(event, Access) else 'where_sent')} ({ref})"
        )
        if stack:
            yield stack


def _where(frame: StackLine) -> str:
    """File and line, and the package if it is not the app's."""
    return plain(f"{frame.place} ({frame.package})".strip() if frame.package else frame.place)


def _stack(called: tuple[Sequence[str], Sequence[str | None]], message: str) -> Tree | None:
    if not called[0]:
        return None
    return {
        "message": {"text": message},
        "frames": [
            {
                "location": {
                    "logicalLocations": [{"fullyQualifiedName": plain(frame.name), "kind": "function"}],
                    **({"message": {"text": text}} if (text := _where(frame)) else {}),
                }
            }
            for frame in frames(*called)
        ],
    }


def _given(**fields: Any) -> Tree:
    return {name: value for name, value in fields.items() if value is not None}
