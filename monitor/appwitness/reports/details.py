"""All of a report for a terminal: each finding with its evidence, what was declared, every gap; under --verbose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from appwitness.findings import Article, Finding, Report
from appwitness.findings.audit import audit
from appwitness.reports.declared import rows as declared_rows
from appwitness.reports.integrity import integrity, is_sound
from appwitness.reports.phrases import citations, data_of, ends, named_gap
from appwitness.reports.printed import TONES
from appwitness.reports.reasons import all_said
from appwitness.reports.time_axis import clocks
from appwitness.reports.verdict import worst_first
from appwitness.reports.watched import consent, device, files, plan, sources, watched
from appwitness.reports.words import Words, plain

EVIDENCE_LINES = 3
SUBJECTS = 4
ROWS = 15
"""More findings than this are told together where only the recipient differs."""
HOSTS = 3
FLOWS = 4
"""Flows that are named under a finding."""
ARTICLES = 2
"""Articles of one jurisdiction that are named under a finding; the page has all of them."""


def details(report: Report, words: Words) -> Iterable[RenderableType]:
    """Who watched, then the findings worst first, then observed against declared, then the gaps."""
    yield _about(report, words)
    yield ""
    yield Text(_counts(report, words), style="dim")
    if report.findings:
        yield ""
        yield _findings(report, words)
    if report.declared:
        yield _declared(report, words)
    if report.gaps:
        yield _gaps(report, words)
    yield ""


def _about(report: Report, words: Words) -> RenderableType:
    run = report.run
    app = plain(run.app.package) + (f" {plain(run.app.version)}" if run.app.version else "")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(words("recording"), Text(plain(report.recording), style="bold"))
    table.add_row(words("app"), Text(app))
    table.add_row(words("device"), Text(device(report.run, words)))
    for file in files(report, words):
        table.add_row(words("imported_file"), Text(file))
    if not run.imported:
        table.add_row(words("plan"), Text(plan(report, words)))
    table.add_row(words("watched"), Text(watched(report, words)))
    if run.hooks:
        table.add_row(words("sources"), Text(words("sources_counted", **sources(report))))
    table.add_row(words("audit"), Text(plain(all_said(audit(report), words))))
    tone = "" if is_sound(report) else TONES["high"]
    table.add_row(words("verified"), Text(integrity(report, words), style=tone))
    if run.clock or not run.clocks_compared:
        table.add_row(words("clocks"), Text(clocks(run, words)))
    return table


def _counts(report: Report, words: Words) -> str:
    return f"{words('accesses')}: {len(report.accesses)}   {words('uploads')}: {len(report.uploads)}   " + (
        f"{words('flows')}: {len(report.flows)}"
    )


def _findings(report: Report, words: Words) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), expand=False, leading=1)
    table.add_column(words("level"), no_wrap=True)
    table.add_column(words("finding"), overflow="fold", ratio=1)
    table.add_column(words("consent"), overflow="fold", max_width=13)
    table.add_column(words("evidence"), overflow="fold", min_width=19, max_width=22)
    for group in _groups(worst_first(report)):
        finding = group[0]
        table.add_row(
            Text(words(f"level_{finding.level}").upper(), style=TONES[finding.level]),
            _what(group, words, chosen=bool(report.laws)),
            Group(
                Text(consent(finding, words) or "-"),
                Text(words(f"confidence_{finding.confidence}"), style="dim"),
            ),
            _evidence(group, words),
        )
    return table


def _groups(findings: list[Finding]) -> list[list[Finding]]:
    if len(findings) <= ROWS:
        return [[finding] for finding in findings]
    groups: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.level, finding.confidence, finding.rule, finding.data, finding.consent].append(finding)
    return list(groups.values())


def _what(group: list[Finding], words: Words, chosen: bool) -> RenderableType:
    finding = group[0]
    count = sum(one.count for one in group)
    lines = [Text(words.of(finding.title), style="bold")]
    about = [data_of(finding, words)] if finding.data else []
    if count > 1:
        about.append(words("times_seen", count=f"{count:,}"))
    if about:
        lines.append(Text(words("comma").join(about)))
    recipients = [one.recipient for one in group if one.recipient]
    for recipient in recipients[:HOSTS]:
        lines.append(Text(f"> {plain(recipient.host)} ({words(f'party_{recipient.party}')})"))
    if len(recipients) > HOSTS:
        lines.append(Text(f"> {words('and_more', count=len(recipients) - HOSTS)}"))
    if sides := ends(finding, words):
        lines.append(Text(sides))
    if chosen:
        lines += laws(finding.articles, words)
    elif finding.articles:
        lines.append(Text(words("articles_few", count=len(finding.articles)), style="dim"))
    if refs := tuple(dict.fromkeys(ref for one in group for ref in one.uncovered)):
        more = f" {words('and_more', count=len(refs) - EVIDENCE_LINES)}" if len(refs) > EVIDENCE_LINES else ""
        named = words("comma").join(map(plain, refs[:EVIDENCE_LINES]))
        lines.append(Text(f"{words('uncovered')}{words('colon')}{named}{more}", style=TONES["high"]))
    kinds = f" ({', '.join(finding.kinds)})" if finding.kinds else ""
    flows = list(dict.fromkeys(id_ for one in group for id_ in one.flows))
    ids = ", ".join(flows[:FLOWS]) + (" ..." if len(flows) > FLOWS else "")
    return Group(*lines, Text(f"{finding.rule}{kinds}{f': {ids}' if ids else ''}", style="dim"))


def laws(articles: Iterable[Article], words: Words) -> Iterable[Text]:
    """The first articles of each jurisdiction, one line each."""
    for place, texts in citations(articles, words):
        more = f" {words('and_more', count=len(texts) - ARTICLES)}" if len(texts) > ARTICLES else ""
        yield Text(f"{place}{words('colon')}{'; '.join(map(plain, texts[:ARTICLES]))}{more}", style="dim")


def _evidence(group: list[Finding], words: Words) -> RenderableType:
    lines = [Text(plain(ref)) for ref in group[0].evidence[:EVIDENCE_LINES]]
    more = len({ref for finding in group for ref in finding.all_evidence or finding.evidence}) - len(lines)
    if more > 0:
        lines.append(Text(words("and_more", count=more), style="dim"))
    return Group(*lines)


def _declared(report: Report, words: Words) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), expand=False)
    for name in ("data", "recipient", "times_observed", "declaration", "evidence"):
        table.add_column(words(name), overflow="fold")
    for row in declared_rows(report, words):
        style = TONES["high"] if row.state == "no" else ""
        table.add_row(row.data, row.recipient, row.observed, Text(row.declaration, style=style), row.evidence)
    return Group("", Text(words("declared_title"), style="bold"), table)


def _gaps(report: Report, words: Words) -> RenderableType:
    kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
    for gap in report.gaps:
        kinds[gap.where, gap.why].append(named_gap(gap, words))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for (where, why), subjects in kinds.items():
        different = list(dict.fromkeys(subjects))
        shown = ", ".join(plain(subject) for subject in different[:SUBJECTS])
        if len(different) > SUBJECTS:
            shown += " " + words("more_subjects", count=len(different) - SUBJECTS)
        what = f"{words(f'where_{where}')}: {words(f'why_{why}')}"
        table.add_row(f"{len(subjects)}", Group(Text(what), Text(shown, style="dim")))
    return Group("", Text(f"{words('gaps_title')} ({len(report.gaps)})", style="bold"), table)
