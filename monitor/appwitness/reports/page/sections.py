"""The tables around the findings: consent, gaps, rules, coverage, the run, and a glossary."""

from __future__ import annotations

import base64
import itertools
import mmap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.events import Consent, Phase, Ref, Screen, count_sources
from appwitness.events.refs import Refs
from appwitness.findings import CONFIDENCES, Report, ReportedGap
from appwitness.findings.audit import audit
from appwitness.recording import Recording
from appwitness.reports.phrases import besides, edition, named_gap, said
from appwitness.reports.time_axis import clock, clock_offset
from appwitness.reports.watched import missing, not_watched
from appwitness.reports.words import Words, capital, cut, plain
from appwitness.support import site
from appwitness.support.errors import UserError

ROWS = 200
"""Maximum number of rows in a table; the JSON report has all of them."""
SUBJECTS = 12
KINDS_OF_LINES = ("access", "transform", "connection", "upload", "consent", "phase", "screen", "witness", "gap")
DIALOGS = 3
TEXTS, LABELS = 4, 6
"""Maximum number of texts, and of buttons, shown for a dialog."""
NEAR_S = 3
"""A picture taken within this many seconds shows the dialog."""
PICTURE_BYTES = 400_000
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""First bytes of a picture -> its type."""


def picture_type(data: bytes | mmap.mmap) -> str | None:
    """The type of a picture by its first bytes; None: not a picture that a page shows."""
    return next((kind for head, kind in PICTURES.items() if data[: len(head)] == head), None)


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
    """What a consent line says, and the corrections that involve it."""
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
    """The consent lines, and the changes of the app's state, among these lines."""
    for ref in refs:
        event = report.line(ref, Consent, Phase)
        if isinstance(event, Consent):
            status = words("consent_taken_back" if event.retracts else f"consent_{event.status}")
            said = f"{words(f'signal_{event.signal}')}{words('colon')}{status}"
            about = f"{words(f'scope_{event.scope}')}{words('comma')}{words(f'by_{event.by}')}"
            yield {"ref": ref, "time": clock(report.host_time(event)), "said": said, "about": about,
                   "text": _text(report, ref, event, words)}  # fmt: skip
        elif isinstance(event, Phase):
            yield {"ref": ref, "time": clock(report.host_time(event)), "said": words(f"phase_{event.state}"),
                   "about": "", "text": cut(event.text or "")}  # fmt: skip


def gaps(found: Iterable[ReportedGap], words: Words) -> list[dict[str, Any]]:
    """What could not be observed, from gaps or limits, one row for each kind."""
    kinds: dict[tuple[str, str], list[tuple[str, str | None, Ref | None]]] = defaultdict(list)
    for gap in found:
        kinds[gap.where, gap.why].append((named_gap(gap, words), besides(gap, words), gap.ref))
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
    """Every rule, and how often it objected."""
    found = Counter(finding.rule for finding in report.findings)
    return [
        {
            "id": rule.id,
            "title": words.of(rule.title),
            "level": rule.level,
            "count": found[rule.id],
            "unjudged": _unjudged(report, rule.id, words),
            "references": "; ".join(rule.references),
            "page": None if rule.own else site.rule_page(rule.id, words.lang),
        }
        for rule in report.rules
    ]


def _unjudged(report: Report, rule: str, words: Words) -> str:
    """Why a rule was not applied; empty if it was."""
    lacking = report.not_judged.get(rule, ())
    return words("not_judged", what=not_watched(lacking, words)) if lacking else ""


def ranges(refs: Sequence[Ref]) -> Iterator[str]:
    """Lines by file and in order of number, consecutive ones as a range: `accesses.jsonl:17-36`."""
    for name, ordered in Refs.of(refs).by_file().items():
        first = ordered[0]
        for last, following in itertools.pairwise([*ordered, 0]):
            if following != last + 1:
                yield f"{name}:{first}" if first == last else f"{name}:{first}-{last}"
                first = following


def coverage(report: Report, words: Words) -> list[tuple[str, list[str]]]:
    """Counts: lines of each kind, calls of each API, uploads to each host."""
    rows = []
    for name in ("lines", "sources_read", "hosts"):
        counts = report.coverage.get(name)
        if not isinstance(counts, dict):
            continue
        items = [f"{_counted(name, str(key), words)}: {item}" for key, item in sorted(counts.items()) if item]
        if len(items) > SUBJECTS * 2:
            items = [*items[: SUBJECTS * 2], words("more_subjects", count=len(items) - SUBJECTS * 2)]
        rows.append((words(f"coverage_{name}"), items or [words("none")]))
    return rows


def _counted(name: str, key: str, words: Words) -> str:
    return words(f"kind_{key}") if name == "lines" and key in KINDS_OF_LINES else cut(key)


def dialogs(report: Report, words: Words, reveal: bool) -> Iterator[dict[str, Any]]:
    """What the user was shown and what was touched, each dialog once; with a picture only if values are revealed."""
    seen: dict[tuple[str, ...], dict[str, Any]] = {}
    images: list[tuple[datetime, str]] = []
    for ref, _, at, event in report.screens:
        if not isinstance(event, Screen):
            continue
        if event.image:
            images.append((at, event.image))
        window = next((each for each in event.windows if each.labels), None)
        if window is None:
            continue
        texts = tuple(map(cut, window.texts[:TEXTS]))
        first = {"ref": ref, "at": at, "time": clock(at), "texts": texts, "labels": [], "touched": ""}
        shown = seen.setdefault(texts, first)
        shown["labels"] = list(dict.fromkeys([*shown["labels"], *map(cut, window.labels[:LABELS])]))
        if event.touched and event.touched.label in window.labels:
            shown["touched"] = cut(event.touched.label)
    for shown in list(seen.values())[:DIALOGS]:
        image = min(images, key=lambda each: abs(each[0] - shown["at"]), default=None)
        near = image is not None and abs(image[0] - shown["at"]).total_seconds() < NEAR_S
        name = image[1] if image and near else None
        yield {**shown, "file": f"bodies/{name}" if name else "", "image": _picture(report, name) if reveal else ""}


def _picture(report: Report, name: str | None) -> str:
    """A picture of the recording as a data: URL; empty if there is none, or it is too large or not a picture."""
    if name is None or not report.path:
        return ""
    try:
        data = Recording.open(Path(report.path)).body_view(name)
    except UserError:  # known only from the index; its folder is gone
        return ""
    if data is None or len(data) > PICTURE_BYTES:
        return ""
    kind = picture_type(data)
    return f"data:{kind};base64,{base64.b64encode(bytes(data)).decode()}" if kind else ""


def audited(report: Report, words: Words) -> list[str]:
    """What the monitor itself changed and caused, one sentence each."""
    return [plain(capital(said(each, words))) for each in audit(report)]


def changes(report: Report, words: Words) -> list[tuple[str, str, str]]:
    """Each change to the device: when, what, and when it was undone; run.json has the state before."""
    never = words("not_recorded")
    return [
        (clock(each.at), cut(each.what), clock(each.undone) if each.undone else never)
        for each in report.run.changes[:ROWS]
    ]


def run_facts(report: Report, words: Words) -> list[tuple[str, str]]:
    """Versions, digests and the clock: what a second expert needs to repeat the run."""
    run = report.run
    facts = [
        (words("recording"), report.recording),
        *([] if run.imported else [(words("serial"), run.device.serial)]),
        *([] if run.imported else [(words("clock_offset"), clock_offset(run, words))]),
    ]
    if run.app.apk_sha256:
        facts.append((words("apk"), run.app.apk_sha256))
    if run.app.certificate_sha256:
        facts.append((words("certificate"), run.app.certificate_sha256))
    facts.append((words("catalog_label"), edition(report, words)))
    facts += [(name, version or words("unknown")) for name, version in sorted(run.versions.items())]
    return [(plain(name), plain(text)) for name, text in facts]


def persona(report: Report, words: Words) -> list[tuple[str, list[str]]]:
    """The values to look for, by data type."""
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


# what was watched and what was not, as bars: sources of personal data, hosts, bytes that the system counted

UNREAD = ("tls_refused", "not_decrypted", "protocol_unsupported")
"""Gaps of the proxy which say that a host's traffic was there but could not be read."""
BAR_WIDTH = 400


class BarPart(NamedTuple):
    """A part of a bar."""

    kind: str
    """`seen`, `waiting`, `unseen` or `absent`: determines its colour."""
    x: float
    width: float


class Bar(NamedTuple):
    """One bar: how many out of how many, drawn and in words."""

    name: str
    said: str
    parts: tuple[BarPart, ...]


def bars(report: Report, words: Words) -> list[Bar]:
    """One bar for each thing that can be counted; only a sentence for what nobody watched."""
    return [*_sources(report, words), *_hosts(report, words), *_bytes(report, words), *_unwatched(report, words)]


def _sources(report: Report, words: Words) -> Iterator[Bar]:
    if not report.observers.hooks or not report.run.hooks:
        return
    count = count_sources(report.run.hooks)
    numbers = {"seen": count.installed, "waiting": count.waiting, "unseen": count.failed, "absent": count.absent}
    said = words("bar_sources", **{name: f"{number:,}" for name, number in count.model_dump().items()}) + (
        words("bar_failed", count=f"{count.failed:,}") if count.failed else ""
    )
    yield Bar(words("bar_sources_name"), said, _parts(numbers))


def _hosts(report: Report, words: Words) -> Iterator[Bar]:
    if not report.observers.proxy:
        return
    read = set(report.coverage.get("hosts", ()))
    unread = {gap.subject.partition(":")[0] for gap in report.gaps if gap.where == "proxy" and gap.why in UNREAD}
    numbers = {"seen": len(read - unread), "waiting": len(read & unread), "unseen": len(unread - read)}
    said = words("bar_hosts", read=f"{len(read):,}", unread=f"{len(unread):,}")
    yield Bar(words("bar_hosts_name"), said, _parts(numbers))


def _bytes(report: Report, words: Words) -> Iterator[Bar]:
    for gap in report.gaps:
        if (counted := gap.counted) and counted.what == "bytes":
            numbers = {"seen": counted.counted - counted.unseen, "unseen": counted.unseen}
            said = words("bar_bytes", unseen=f"{counted.unseen:,}", counted=f"{counted.counted:,}")
            yield Bar(words("bar_bytes_name"), said, _parts(numbers))


def _unwatched(report: Report, words: Words) -> Iterator[Bar]:
    observers = report.observers
    lacking = [name for name in ("hooks", "proxy", "consent") if not getattr(observers, name)]
    if lacking:
        yield Bar("", not_watched(lacking, words), ())  # type: ignore[arg-type]
    if not report.findings and (said := missing(report, words)):
        yield Bar("", said, ())


def _parts(numbers: dict[str, int]) -> tuple[BarPart, ...]:
    total = sum(numbers.values())
    parts, at = [], 0.0
    for kind, number in numbers.items():
        if number:
            width = BAR_WIDTH * number / total
            parts.append(BarPart(kind, round(at, 1), round(width, 1)))
            at += width
    return tuple(parts)
