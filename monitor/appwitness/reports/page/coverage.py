"""What was watched and what was not, as bars: sources of personal data, hosts, bytes that the system counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from appwitness.events import count_sources
from appwitness.findings import Report
from appwitness.reports.watched import missing, not_watched
from appwitness.reports.words import Words

UNREAD = ("tls_refused", "not_decrypted", "protocol_unsupported")
"""Gaps of the proxy that say that a host's traffic was there and could not be read."""
WIDTH = 400


class BarPart(NamedTuple):
    """A stretch of a bar."""

    kind: str
    """`seen`, `waiting`, `unseen` or `absent`: its colour."""
    x: float
    width: float


class Bar(NamedTuple):
    """One line: what of how many, drawn and said."""

    name: str
    said: str
    parts: tuple[BarPart, ...]


def bars(report: Report, words: Words) -> list[Bar]:
    """One bar for each thing that can be counted; a sentence without parts where nobody watched."""
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
            width = WIDTH * number / total
            parts.append(BarPart(kind, round(at, 1), round(width, 1)))
            at += width
    return tuple(parts)
