"""The report for a terminal, on one screen: what left and when, to whom, how sure, by which lines, and the gaps."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from appwitness.findings import CONFIDENCES, Finding, Flow, Report
from appwitness.findings.audit import SHORT, audit
from appwitness.reports.details import details, laws
from appwitness.reports.integrity import integrity, is_sound
from appwitness.reports.phrases import data_of, ends, named_gap
from appwitness.reports.printed import TONES, printed
from appwitness.reports.reasons import all_said
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
from appwitness.reports.watched import case, device, plan, sources, unwatched
from appwitness.reports.words import Words, capital, plain

SHOWN = 5
"""Of each kind of entry: how many there are room for."""
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
    """The report as text: all of it when `verbose`, else what one screen has room for.

    `width` and `colour` are those of standard output unless given; no colour when it is not a terminal.
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
    """The rules as tags, whether stamps cover their lines, and the articles of a law that was chosen."""
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


def _next(report: Report, words: Words, reveal: bool, verbose: bool) -> RenderableType:
    recording = shlex.quote(plain(report.path or report.recording))
    steps = [f"appwitness report {recording} --format html --output report.html", f"appwitness verify {recording}"]
    more = [] if verbose else [words("next_verbose")]
    if report.flows and not reveal:
        more.append(words("next_reveal"))
    title = words("next") + (f" ({words('semicolon').join(more)})" if more else "")
    return Group(Text(title, style="dim"), *(Padding(Text(step, overflow="fold"), INDENT) for step in steps))
