"""What every report says first: how many findings, how bad, and that gaps are not a clean bill."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from monitor.findings import CONFIDENCES, LEVELS, Finding, Report
from monitor.reports.watched import assumption, missing
from monitor.reports.words import Words, plain


class Verdict(NamedTuple):
    """One line, one sentence, and the word for its colour."""

    line: str
    more: str
    tone: str
    """`high`, `medium`, `low` or `info` for findings, `gaps` or `none` without."""


def verdict(report: Report, words: Words) -> Verdict:
    """What the recording comes to. Gaps without findings are never called clean, nor what nobody watched."""
    lacking = missing(report, words)
    if report.findings:
        levels = Counter(finding.level for finding in report.findings)
        tone: str = next(level for level in LEVELS if levels[level])
        parts = [f"{levels[level]} {words(f'level_{level}')}" for level in LEVELS if levels[level]]
        line = f"{words.count('verdict_findings', len(report.findings))}{words('colon')}{words('comma').join(parts)}"
        parts = [words("verdict_findings_more")]
        if report.gaps:
            parts.append(words.count("and_gaps", len(report.gaps)))
    elif report.gaps or lacking:
        line, tone = words("verdict_gaps_only"), "gaps"
        parts = [words.count("verdict_gaps_more", len(report.gaps))] if report.gaps else []
        parts.append(lacking)
    else:
        line, tone = words("verdict_none"), "none"
        parts = [words("verdict_none_more")]
    parts.append(assumption(report, words))
    if report.run.unhooked is not None:
        line = words("verdict_unhooked", line=line)
        parts.insert(0, words("verdict_unhooked_more", why=plain(report.run.unhooked)))
    elif report.observers.hooks_failed and report.run.probe is not None:
        probe = report.run.probe
        line = words("verdict_hooks_failed", line=line)
        parts.insert(0, words("verdict_hooks_failed_more", called=str(probe.called), seen=str(probe.seen)))
    return Verdict(line, words("space").join(filter(None, parts)), tone)


def worst_first(report: Report) -> list[Finding]:
    """Findings by level, then by how sure they are; otherwise in the order in which they were judged."""
    return sorted(
        report.findings, key=lambda finding: (LEVELS.index(finding.level), CONFIDENCES.index(finding.confidence))
    )
