"""What every report says first: how many findings, how bad, and that gaps are not a clean bill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from monitor.findings import CONFIDENCES, LEVELS, Finding, Level, Report
from monitor.reports.watched import assumption, missing
from monitor.reports.words import Words


class Verdict(NamedTuple):
    """One line, one sentence, and the word for its colour."""

    line: str
    more: str
    tone: str
    """`high`, `medium`, `low` or `info` for findings, `gaps` or `none` without."""


def verdict(report: Report, words: Words) -> Verdict:
    """What the recording comes to. Gaps without findings are never called clean, nor what nobody watched."""
    lacking = missing(report, words)
    levels = Counter(finding.level for finding in report.findings)
    failed = report.observers.hooks_failed and report.run.probe is not None
    line, tone = headline(levels, bool(report.gaps or lacking), words, failed=failed)
    if report.findings:
        parts = [words("verdict_findings_more")]
        if report.gaps:
            parts.append(words.count("and_gaps", len(report.gaps)))
    elif tone == "gaps":
        parts = [words.count("verdict_gaps_more", len(report.gaps))] if report.gaps else []
        parts.append(lacking)
    else:
        parts = [words("verdict_none_more")]
    parts.append(assumption(report, words))
    if report.observers.hooks_failed and report.run.probe is not None:
        probe = report.run.probe
        parts.insert(0, words("verdict_hooks_failed_more", called=str(probe.called), seen=str(probe.seen)))
    return Verdict(line, words("space").join(filter(None, parts)), tone)


def headline(
    levels: Mapping[Level, int], unclean: bool, words: Words, *, failed: bool = False, so_far: bool = False
) -> tuple[str, str]:
    """The line, and the word for its colour, of a run with so many findings of each level.

    `unclean`: something could not be observed; `failed`: the hooks, by the agent's check of itself; `so_far`: it is not
    judged to its end.
    """
    if found := sum(levels.values()):
        tone: str = next(level for level in LEVELS if levels.get(level))
        parts = [f"{levels[level]} {words(f'level_{level}')}" for level in LEVELS if levels.get(level)]
        line = f"{words.count('verdict_findings', found)}{words('colon')}{words('comma').join(parts)}"
    elif so_far:
        line, tone = words("verdict_so_far"), "plain"
    else:
        line, tone = (words("verdict_gaps_only"), "gaps") if unclean else (words("verdict_none"), "none")
    return (words("verdict_hooks_failed", line=line) if failed else line), tone


def worst_first(report: Report) -> list[Finding]:
    """Findings by level, then by how sure they are; otherwise in the order in which they were judged."""
    return sorted(
        report.findings, key=lambda finding: (LEVELS.index(finding.level), CONFIDENCES.index(finding.confidence))
    )
