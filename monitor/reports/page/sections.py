"""The tables around the findings: consent lines, gaps, rules, coverage, the run, and what the words mean."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from monitor.events import Consent, Phase, Ref
from monitor.findings import CONFIDENCES, Report
from monitor.reports.gaps import besides, named
from monitor.reports.page.flows import cut
from monitor.reports.time_axis import clock
from monitor.reports.watched import not_watched, sources
from monitor.reports.words import Words, plain
from monitor.seen import number_of

ROWS = 200
"""Rows of a table; what is beyond is in the JSON report."""
SUBJECTS = 12


def consents(report: Report, words: Words) -> list[dict[str, Any]]:
    """What the user was asked and answered, line by line."""
    return [
        {
            "ref": ref,
            "time": clock(at),
            "signal": words(f"signal_{event.signal}"),
            "status": words("consent_taken_back" if event.retracts else f"consent_{event.status}"),
            "name": "not_shown" if event.retracts else event.status,
            "by": words(f"by_{event.by}"),
            "scope": words(f"scope_{event.scope}"),
            "text": _text(report, ref, event, words),
        }
        for ref, _, at, event in report.consents[:ROWS]
        if isinstance(event, Consent)
    ]


def _text(report: Report, ref: Ref, event: Consent, words: Words) -> str:
    """What a consent line carries, and the corrections that it has to do with."""
    said = [part for part in (event.text, event.note) if part]
    if event.at_start:
        said.append(words("consent_at_start"))
    if event.retracts:
        said.append(words("consent_retracts", ref=event.retracts))
    if event.corrects:
        said.append(words("consent_corrects", ref=event.corrects))
    if ref in report.replaced:
        said.append(words("consent_replaced", refs=words("comma").join(report.replaced[ref])))
    return cut(" · ".join(said))


def lines(report: Report, refs: Iterable[Ref], words: Words) -> Iterator[dict[str, str]]:
    """Those of some lines that are consent lines or changes of the app's state."""
    for ref in refs:
        event = report.evidence.get(ref)
        if isinstance(event, Consent):
            status = words("consent_taken_back" if event.retracts else f"consent_{event.status}")
            said = f"{words(f'signal_{event.signal}')}{words('colon')}{status}"
            about = f"{words(f'scope_{event.scope}')}{words('comma')}{words(f'by_{event.by}')}"
            yield {"ref": ref, "time": clock(report.host_time(event)), "said": said, "about": about,
                   "text": _text(report, ref, event, words)}  # fmt: skip
        elif isinstance(event, Phase):
            yield {"ref": ref, "time": clock(report.host_time(event)), "said": words(f"phase_{event.state}"),
                   "about": "", "text": cut(event.text or "")}  # fmt: skip


def gaps(report: Report, words: Words) -> list[dict[str, Any]]:
    """What could not be observed, one row a kind of gap."""
    kinds: dict[tuple[str, str], list[tuple[str, str | None, Ref | None]]] = defaultdict(list)
    for gap in report.gaps:
        kinds[gap.where, gap.why].append((named(gap, words), besides(gap), gap.ref))
    rows = []
    for (where, why), lines in kinds.items():
        subjects: dict[str, list[str]] = defaultdict(list)
        for subject, detail, ref in lines:
            subjects[subject] += [part for part in (detail, ref) if part]
        rows.append(
            {
                "where": words(f"where_{where}"),
                "why": words(f"why_{why}"),
                "count": len(lines),
                "subjects": [
                    (cut(subject), cut(", ".join(dict.fromkeys(about))))
                    for subject, about in list(subjects.items())[:SUBJECTS]
                ],
                "more": max(0, len(subjects) - SUBJECTS),
            }
        )
    return rows


def rules(report: Report, words: Words) -> list[dict[str, Any]]:
    """Every rule and how often it objected."""
    found = Counter(finding.rule for finding in report.findings)
    return [
        {
            "id": rule.id,
            "title": words.of(rule.title),
            "level": rule.level,
            "count": found[rule.id],
            "unjudged": _unjudged(report, rule.id, words),
            "references": "; ".join(rule.references),
        }
        for rule in report.rules
    ]


def _unjudged(report: Report, rule: str, words: Words) -> str:
    """Why a rule did not judge; empty where it did."""
    lacking = report.not_judged.get(rule, ())
    return words("not_judged", what=not_watched(lacking, words)) if lacking else ""


def ranges(refs: Iterable[Ref]) -> Iterator[str]:
    """Lines file by file in order of number, neighbours as one: `accesses.jsonl:17-36`."""
    files: dict[str, set[int]] = defaultdict(set)
    for ref in refs:
        files[ref.rpartition(":")[0]].add(number_of(ref))
    for name, numbers in files.items():
        ordered = sorted(numbers)
        first = ordered[0]
        for last, following in itertools.pairwise([*ordered, 0]):
            if following != last + 1:
                yield f"{name}:{first}" if first == last else f"{name}:{first}-{last}"
                first = following


def coverage(report: Report, words: Words) -> list[tuple[str, list[str]]]:
    """Counts, whatever they are called."""
    rows = []
    for name, value in sorted(report.coverage.items()):
        if name == "sources" and value:
            rows.append((words("sources"), [words("sources_counted", **sources(report))]))
            continue
        if isinstance(value, dict):
            items = [f"{cut(str(key))}: {item}" for key, item in sorted(value.items()) if item not in (0, None)]
            if len(items) > SUBJECTS * 2:
                items = [*items[: SUBJECTS * 2], words("more_subjects", count=len(items) - SUBJECTS * 2)]
        else:
            items = [cut(str(value))]
        rows.append((plain(name).replace("_", " "), items or [words("none")]))
    return rows


def run_facts(report: Report, words: Words) -> list[tuple[str, str]]:
    """Versions, digests and the clock: what a second expert needs to do it again."""
    run = report.run
    facts = [
        (words("recording"), report.recording),
        *([] if run.imported else [(words("serial"), run.device.serial)]),
        *([] if run.imported else [(words("clock_offset"), f"{run.clock_offset_ms:+.1f} ms")]),
    ]
    if run.app.apk_sha256:
        facts.append((words("apk"), run.app.apk_sha256))
    if run.app.certificate_sha256:
        facts.append((words("certificate"), run.app.certificate_sha256))
    facts += [(name, version or words("unknown")) for name, version in sorted(run.versions.items())]
    return [(plain(name), plain(text)) for name, text in facts]


def persona(report: Report, words: Words) -> list[tuple[str, list[str]]]:
    """The values to look for by kind."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for value in report.run.persona:
        kinds[value.type].append(cut(value.text))
    return [
        (
            words.data(kind),
            texts[:ROWS] + ([words("more_subjects", count=len(texts) - ROWS)] if len(texts) > ROWS else []),
        )
        for kind, texts in kinds.items()
    ]


def meanings(words: Words) -> list[tuple[str, str]]:
    """What each confidence means."""
    return [(words(f"confidence_{name}"), words(f"confidence_{name}_means")) for name in CONFIDENCES]
