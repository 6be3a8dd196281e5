"""The report for a terminal: one screen with what was sent to whom, how sure, and the gaps; or everything."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from appwitness.findings import CONFIDENCES, Article, Finding, Flow, Report
from appwitness.findings.audit import SHORT, audit
from appwitness.reports.phrases import all_said, citations, data_of, edition, ends, named_gap
from appwitness.reports.printed import TONES, CopiedLines, printed
from appwitness.reports.time_axis import clocks
from appwitness.reports.verdict import (
    CLEARTEXT,
    OBJECTION,
    SentData,
    facts,
    objection,
    rests_on_answer,
    sent,
    unnamed,
    verdict,
    what,
    when,
    worst_first,
)
from appwitness.reports.watched import (
    case,
    consent,
    declared_rows,
    device,
    files,
    integrity,
    is_sound,
    plan,
    sources,
    unwatched,
    watched,
)
from appwitness.reports.words import Words, capital, plain

SHOWN = 5
"""Maximum number of entries of each kind, so that the report fits one screen."""
MOMENTS = 3
INDENT = (0, 0, 0, 2)


def render(
    report: Report,
    *,
    lang: str = "en",
    reveal: bool = False,
    verbose: bool = False,
    width: int | None = None,
    colour: bool | None = None,
) -> str:
    """The report as text: all of it if `verbose`, otherwise what fits on one screen.

    `width` and `colour` default to those of standard output; without colours if that is not a terminal.
    """
    words = Words(lang)
    return printed(_parts(report, words, reveal, verbose), width, colour)


def _parts(report: Report, words: Words, reveal: bool, verbose: bool) -> Iterator[RenderableType]:
    yield _head(report, words)
    if said := case(report.run, words):
        operator = [(words("operator"), plain(report.run.operator))] if report.run.operator else []
        yield Text(words("semicolon").join(f"{name}{words('colon')}{text}" for name, text in said + operator))
    yield ""
    yield from _verdict(report, words)
    groups = sent(report)
    told = [group for group in groups if group.findings]
    of_groups = {id(finding) for group in told for finding in group.findings}
    others = [finding for finding in worst_first(report) if id(finding) not in of_groups]
    for entry in [_sent(report, group, words) for group in told[:SHOWN]] + [
        _other(report, each, words) for each in others[:SHOWN]
    ]:
        yield ""
        yield entry
    yield ""
    if more := len(told[SHOWN:]) + len(others[SHOWN:]):
        yield Text(words.count("more_entries", more))
    if not groups and (hosts := report.coverage.get("hosts")):
        most = sorted(hosts.items(), key=lambda each: (-each[1], each[0]))
        yield Text(_listed(words("uploads_to"), [f"{plain(host)} ({count:,})" for host, count in most], words))
    if quiet := [group for group in groups if not group.findings]:
        yield Text(_listed(words("unobjected"), [_to(group, words) for group in quiet], words), style="dim")
    yield from _unseen(report, words)
    yield ""
    if verbose:
        yield from details(report, words)
    yield _next(report, words, reveal, verbose)


def _head(report: Report, words: Words) -> Text:
    run = report.run
    app = plain(run.app.package) + (f" {plain(run.app.version)}" if run.app.version else "")
    about = [plain(file.name) for file in run.source] or [device(report.run, words), plan(report, words)]
    return Text.assemble((app, "bold"), f"  {words('semicolon').join(about)}")


def _verdict(report: Report, words: Words) -> Iterator[Text]:
    said = verdict(report, words)
    if report.flows:
        yield Text(facts(report, words), style="bold")
    yield Text(said.line, style=TONES[said.tone])
    if said.more:
        yield Text(said.more)
    sound = "dim" if is_sound(report) else TONES["high"]
    yield Text(f"{words('verified')}{words('colon')}{integrity(report, words)}", style=sound)
    for confidence in CONFIDENCES:
        if any(finding.confidence == confidence for finding in report.findings):
            meaning = words(f"confidence_{confidence}_means")
            yield Text(f"{words(f'confidence_{confidence}')}{words('colon')}{meaning}", style="dim")


def _to(group: SentData, words: Words) -> str:
    recipient = group.recipient
    known = words("comma").join(filter(None, (plain(recipient.name or ""), words(f"party_{recipient.party}"))))
    known += f"{words('semicolon')}{words('attempted')}" if group.attempted else ""
    host = plain(recipient.host) or unnamed(group.flows, words)
    return f"{what(group, words)} -> {host}{words('open')}{known}{words('close')}"


def _sent(report: Report, group: SentData, words: Words) -> RenderableType:
    worst = group.findings[0]
    forms = dict.fromkeys(plain(match.variant).replace("_", " ") for flow in group.flows for match in flow.matches)
    moments = Table.grid(padding=(0, 2, 0, 0))
    moments.add_column(overflow="fold")
    moments.add_column(no_wrap=True)
    answered = rests_on_answer(report, group, words)
    if answered and CLEARTEXT in group.rules:
        moments.add_row(words(f"{OBJECTION}{CLEARTEXT}"), "")
    for flows in group.moments[:MOMENTS] if answered else group.moments[:1]:
        said = when(report, flows, words) if answered else objection(report, group, words)
        moments.add_row(said, _by_hand(flows[0]))
    how = [
        words(f"confidence_{worst.confidence}"),
        words("sent_as", forms=words("comma").join(forms)),
        ends(worst, words),
    ]
    return Group(
        _headline(worst, _to(group, words), words),
        Padding(
            Group(moments, Text(words("semicolon").join(filter(None, how))), *_rules(report, group.findings, words)),
            INDENT,
        ),
    )


def _other(report: Report, finding: Finding, words: Words) -> RenderableType:
    about = [words(f"confidence_{finding.confidence}"), ", ".join(map(plain, finding.evidence[:2]))]
    if finding.data:
        about.insert(0, data_of(finding, words))
    return Group(
        _headline(finding, words.of(finding.title), words),
        Padding(Group(Text(words("semicolon").join(about)), *_rules(report, (finding,), words)), INDENT),
    )


def _headline(finding: Finding, text: str, words: Words) -> Text:
    level = words(f"level_{finding.level}").upper()
    return Text.assemble((level, TONES[finding.level]), "  ", (text, "bold"))


def _by_hand(flow: Flow) -> str:
    return plain(f"{flow.access} -> {flow.upload}  {flow.id}" if flow.access else f"{flow.upload}  {flow.id}")


def _rules(report: Report, findings: Iterable[Finding], words: Words) -> Iterator[Text]:
    """The rules as tags, a warning if stamps do not cover their lines, and the articles of the chosen laws."""
    tags = Text("  ".join(dict.fromkeys(finding.rule for finding in findings)), style="cyan")
    if any(finding.uncovered for finding in findings):
        tags.append(f"  {words('uncovered')}", style=TONES["high"])
    yield tags
    if report.laws:
        yield from laws({each.model_dump_json(): each for one in findings for each in one.articles}.values(), words)


def _listed(name: str, entries: list[str], words: Words) -> str:
    more = f" {words('and_more', count=len(entries) - SHOWN)}" if len(entries) > SHOWN else ""
    return f"{name}{words('colon')}{words('semicolon').join(entries[:SHOWN])}{more}"


def _unseen(report: Report, words: Words) -> Iterator[Text]:
    kinds = Counter((gap.where, gap.why) for gap in report.gaps)
    entries = [
        f"{words(f'where_{where}')}, {words(f'why_{why}')} ({count:,})" for (where, why), count in kinds.most_common()
    ]
    if entries:
        yield Text(_listed(f"{words('gaps_title')} ({len(report.gaps):,})", entries, words), style=TONES["gaps"])
    for gap in [gap for gap in report.gaps if gap.counted][:SHOWN]:
        yield Text(plain(named_gap(gap, words)), style=TONES["gaps"])
    if limits := dict.fromkeys(named_gap(gap, words) for gap in report.limits):
        of_device = _listed(f"{words('limits_title')} ({len(report.limits):,})", list(map(plain, limits)), words)
        yield Text(of_device, style="dim")
    if lacking := unwatched(report, words):
        yield Text(capital(lacking), style=TONES["gaps"])
    changed = [each for each in audit(report) if each.code in SHORT]
    yield Text(f"{words('audit')}{words('colon')}{plain(all_said(changed, words))}", style="dim")
    if report.run.hooks:
        yield Text(f"{words('sources')}{words('colon')}{words('sources_counted', **sources(report))}", style="dim")
    yield Text(f"{words('catalog_label')}{words('colon')}{edition(report, words)}", style="dim")


def _next(report: Report, words: Words, reveal: bool, verbose: bool) -> RenderableType:
    recording = shlex.quote(plain(report.path or report.recording))
    steps = [f"appwitness report {recording} --format html --output report.html", f"appwitness verify {recording}"]
    more = [] if verbose else [words("next_verbose")]
    if report.flows and not reveal:
        more.append(words("next_reveal"))
    title = words("next") + (f" ({words('semicolon').join(more)})" if more else "")
    lines = (Text(f"  {step}", no_wrap=True, overflow="ignore") for step in steps)  # to be copied: on one line
    return CopiedLines(Text(title, style="dim"), *lines)


# the complete report for a terminal, under --verbose: each finding with its evidence, what was declared, every gap

EVIDENCE_LINES = 3
SUBJECTS = 4
TOGETHER = 15
"""More findings than this are grouped if they differ only in the recipient."""
HOSTS = 3
FLOWS = 4
"""Maximum number of flows named under a finding."""
ARTICLES = 2
"""Maximum number of articles of one jurisdiction named under a finding; the page has all of them."""


def details(report: Report, words: Words) -> Iterable[RenderableType]:
    """The facts of the run, the findings, worst first, observed compared with declared, and the gaps."""
    yield _about(report, words)
    yield ""
    counts = {"accesses": report.accesses, "uploads": report.uploads, "flows": report.flows}
    yield Text("   ".join(f"{words(name)}: {len(of)}" for name, of in counts.items()), style="dim")
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
    table.add_row(words("catalog_label"), Text(edition(report, words)))
    if run.clock or not run.clocks_compared:
        table.add_row(words("clocks"), Text(clocks(run, words)))
    return table


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
    if len(findings) <= TOGETHER:
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
    lines.append(Text(f"{finding.rule}{kinds}{f': {ids}' if ids else ''}", style="dim"))
    return Group(*lines, Text(" ".join(dict.fromkeys(one.id for one in group if one.id)), style="dim"))


def laws(articles: Iterable[Article], words: Words) -> Iterable[Text]:
    """The first articles of each jurisdiction, one line for each jurisdiction."""
    for place, texts in citations(articles, words):
        more = f" {words('and_more', count=len(texts) - ARTICLES)}" if len(texts) > ARTICLES else ""
        yield Text(f"{place}{words('colon')}{'; '.join(map(plain, texts[:ARTICLES]))}{more}", style="dim")


def _evidence(group: list[Finding], words: Words) -> RenderableType:
    lines = [Text(plain(ref)) for ref in group[0].evidence[:EVIDENCE_LINES]]
    resting = [finding.all_evidence or finding.evidence for finding in group]
    more = (len(resting[0]) if len(resting) == 1 else len(set(chain.from_iterable(resting)))) - len(lines)
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
