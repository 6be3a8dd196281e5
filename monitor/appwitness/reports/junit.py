"""The report for a build server: JUnit XML, a test case for each rule, failed if the rule found something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, get_args
from xml.etree import ElementTree as ET

from appwitness.events import format_time
from appwitness.findings import Finding, JudgedRule, Need, Report
from appwitness.reports.phrases import citations, data_of, edition, gap_line, received_by
from appwitness.reports.verdict import verdict, worst_first
from appwitness.reports.watched import consent, integrity, not_watched
from appwitness.reports.watched import seal_state as state
from appwitness.reports.words import Words, plain
from appwitness.support.escape import xml


class JunitCase(NamedTuple):
    """One test case."""

    classname: str
    name: str
    seconds: float = 0.0
    failure: tuple[str, str, str] | None = None
    """Type, message and text; None: it did not fail."""
    skipped: str | None = None
    """Why it neither passed nor failed."""
    attached: Sequence[str] = ()
    """Files, relative to the root of the project: Jenkins and GitLab find them by their lines in system-out."""


def junit_document(
    root: Mapping[str, str],
    suite: Mapping[str, str],
    cases: Iterable[JunitCase],
    properties: Mapping[str, str] = MappingProxyType({}),
    out: str = "",
) -> str:
    """JUnit XML for one suite (the xunit2 dialect, which Jenkins, GitLab and pytest share), with these attributes."""

    def add(parent: ET.Element, tag: str, text: str = "", /, **attributes: str) -> ET.Element:
        made = ET.SubElement(parent, tag, {name: xml(value) for name, value in attributes.items()})
        made.text = xml(text) if text else None
        return made

    top = ET.Element("testsuites", {name: xml(value) for name, value in root.items()})
    inside = add(top, "testsuite", **suite)
    if properties:
        described = add(inside, "properties")
        for name, value in properties.items():
            add(described, "property", name=name, value=value)
    for case in cases:
        of = add(inside, "testcase", classname=case.classname, name=case.name, time=f"{case.seconds:.3f}")
        if case.failure is not None:
            type_, message, text = case.failure
            add(of, "failure", text, type=type_, message=message)
        elif case.skipped is not None:
            add(of, "skipped", message=case.skipped)
        if case.attached:  # a file's name must not end the line or the marker that contains it
            names = (xml(plain(name.replace("]", "_"))) for name in case.attached)
            add(of, "system-out").text = "\n".join(f"[[ATTACHMENT|{name}]]" for name in names)
    if out:
        add(inside, "system-out", out)
    ET.indent(top)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(top, encoding="unicode") + "\n"


def render(report: Report, *, lang: str = "en", reveal: bool = False) -> str:
    """The report as JUnit XML."""
    words, run = Words(lang), report.run
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in worst_first(report):
        found[finding.rule].append(finding)
    rules = {rule.id: rule for rule in report.rules}
    cases = []
    for name in sorted({*rules, *found}):
        case = JunitCase(f"appwitness.{run.app.package}", name)
        if found[name]:
            case = case._replace(failure=_failure(found[name], rules.get(name), words))
        elif lacks := report.not_judged.get(name):
            case = case._replace(skipped=not_watched(lacks, words))
        cases.append(case)
    seconds = (run.ended - run.started).total_seconds() if run.ended else 0.0
    suite = {
        "name": f"appwitness {run.app.package}",
        "errors": "0",
        "failures": str(sum(case.failure is not None for case in cases)),
        "skipped": str(sum(case.skipped is not None for case in cases)),
        "tests": str(len(cases)),
        "time": f"{max(seconds, 0):.3f}",
        "timestamp": run.started.strftime("%Y-%m-%dT%H:%M:%S"),
        "hostname": run.device.serial,
    }
    return junit_document({"name": "appwitness"}, suite, cases, _facts(report, words), _said(report, words, reveal))


def _failure(findings: Sequence[Finding], rule: JudgedRule | None, words: Words) -> tuple[str, str, str]:
    title = words.of(rule.title if rule else findings[0].title)
    message = f"{title} ({words.count('verdict_findings', len(findings))})" if len(findings) > 1 else title
    return findings[0].level, message, "\n\n".join(_told(finding, words) for finding in findings)


def _told(finding: Finding, words: Words) -> str:
    lines = [f"{words(f'level_{finding.level}').upper()} {words.of(finding.title)}"]
    if finding.detail:
        lines.append(words.of(finding.detail))
    if finding.data:
        lines.append(f"{words('data')}: {data_of(finding, words)}")
    if finding.recipient:
        lines.append(f"{words('recipient')}: {received_by(finding.recipient, words)}")
    if finding.consent:
        lines.append(f"{words('consent_then')}: {consent(finding, words)}")
    lines.append(f"{words('confidence')}: {words(f'confidence_{finding.confidence}')}")
    lines.append(f"{words('evidence')}: {', '.join(finding.evidence)}")
    if more := len(finding.all_evidence) - len(finding.evidence):
        lines[-1] += f" {words('and_more', count=more)}"
    if finding.id:
        lines.append(f"{words('finding')}: {finding.id}")
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
        "catalog": edition(report, words),
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
            lines.append(f"- {gap_line(gap, words)}{f' [{gap.ref}]' if gap.ref else ''}")
    return "\n".join(map(plain, lines))
