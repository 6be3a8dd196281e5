"""The report for a build server: JUnit XML, one test case a rule, failed where the rule found something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import get_args
from xml.etree import ElementTree as ET

from appwitness.events import format_time
from appwitness.findings import Finding, JudgedRule, Need, Report
from appwitness.reports.integrity import integrity, state
from appwitness.reports.phrases import besides, citations, data_of, named_gap
from appwitness.reports.verdict import verdict, worst_first
from appwitness.reports.watched import consent, not_watched
from appwitness.reports.words import Words, plain
from appwitness.support.escape import xml


def render(report: Report, *, lang: str = "en", reveal: bool = False) -> str:
    """The report as JUnit XML (the dialect of xunit2, which Jenkins, GitLab and pytest share)."""
    words = Words(lang)
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in worst_first(report):
        found[finding.rule].append(finding)
    rules = {rule.id: rule for rule in report.rules}
    names = sorted({*rules, *found})
    run = report.run
    seconds = (run.ended - run.started).total_seconds() if run.ended else 0.0
    numbers = {
        "errors": "0",
        "failures": str(len(found)),
        "skipped": str(sum(name in report.not_judged and not found[name] for name in names)),
        "tests": str(len(names)),
        "time": f"{max(seconds, 0):.3f}",
    }
    root = ET.Element("testsuites", {"name": "appwitness"})
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": xml(f"appwitness {run.app.package}"),
            **numbers,
            "timestamp": run.started.strftime("%Y-%m-%dT%H:%M:%S"),
            "hostname": xml(run.device.serial),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _facts(report, words).items():
        ET.SubElement(properties, "property", {"name": xml(name), "value": xml(value)})
    for name in names:
        case = ET.SubElement(
            suite, "testcase", {"classname": xml(f"appwitness.{run.app.package}"), "name": xml(name), "time": "0.000"}
        )
        if found[name]:
            _fail(case, found[name], rules.get(name), words)
        elif lacks := report.not_judged.get(name):
            ET.SubElement(case, "skipped", {"message": xml(not_watched(lacks, words))})
    out = ET.SubElement(suite, "system-out")
    out.text = xml(_said(report, words, reveal))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _fail(case: ET.Element, findings: Sequence[Finding], rule: JudgedRule | None, words: Words) -> None:
    title = words.of(rule.title if rule else findings[0].title)
    message = f"{title} ({words.count('verdict_findings', len(findings))})" if len(findings) > 1 else title
    failure = ET.SubElement(case, "failure", {"type": xml(findings[0].level), "message": xml(message)})
    failure.text = xml("\n\n".join(_told(finding, words) for finding in findings))


def _told(finding: Finding, words: Words) -> str:
    lines = [f"{words(f'level_{finding.level}').upper()} {words.of(finding.title)}"]
    if finding.detail:
        lines.append(words.of(finding.detail))
    if finding.data:
        lines.append(f"{words('data')}: {data_of(finding, words)}")
    if finding.recipient:
        lines.append(
            f"{words('recipient')}: {finding.recipient.host} ({words(f'party_{finding.recipient.party}')})",
        )
    if finding.consent:
        lines.append(f"{words('consent_then')}: {consent(finding, words)}")
    lines.append(f"{words('confidence')}: {words(f'confidence_{finding.confidence}')}")
    lines.append(f"{words('evidence')}: {', '.join(finding.evidence)}")
    if more := len(finding.all_evidence) - len(finding.evidence):
        lines[-1] += f" {words('and_more', count=more)}"
    if finding.kinds:
        lines.append(f"{words('finding_types')}: {', '.join(finding.kinds)}")
    for place, texts in citations(finding.articles, words):
        lines.append(f"{words('articles')}, {place}: {'; '.join(texts)}")
    return "\n".join(map(plain, lines))


def _facts(report: Report, words: Words) -> dict[str, str]:
    run = report.run
    facts = {
        "recording": report.recording,
        "plan": run.plan,
        "app.package": run.app.package,
        "app.version": run.app.version,
        "app.apk_sha256": run.app.apk_sha256,
        "device.kind": run.device.kind,
        "device.model": run.device.model,
        "observers": ", ".join(name for name in get_args(Need) if getattr(report.observers, name)),
        "stamped": report.observers.stamped,
        "assumed_consent": report.assumed_consent,
        "started": format_time(run.started),
        "gaps": str(len(report.gaps)),
        "flows": str(len(report.flows)),
        "verified": state(report),
        "verified.detail": integrity(report, words),
    }
    facts |= {f"versions.{name}": version for name, version in sorted(run.versions.items())}
    facts |= {f"source.{number}": f"{each.name} sha256:{each.sha256}" for number, each in enumerate(run.source, 1)}
    return {name: value for name, value in facts.items() if value is not None}


def _said(report: Report, words: Words, reveal: bool) -> str:
    said = verdict(report, words)
    lines = [said.line, said.more, words("revealed_note" if reveal else "masked_note")]
    if report.gaps:
        lines += ["", f"{words('gaps_title')}:"]
        for gap in report.gaps:
            where = f"{named_gap(gap, words)} ({words(f'where_{gap.where}')}): {words(f'why_{gap.why}')}"
            lines.append(
                f"- {where}{f'; {more}' if (more := besides(gap)) else ''}{f' [{gap.ref}]' if gap.ref else ''}"
            )
    return "\n".join(map(plain, lines))
