"""Builds the report of one recording from the index."""

from __future__ import annotations

import base64
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from appwitness.correlate.currency import current, is_of
from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.correlate.report_context import with_context
from appwitness.correlate.verified import checked
from appwitness.correlate.walk import Outcome, timeline_of
from appwitness.events import (
    FILES,
    Access,
    Connection,
    Event,
    Gap,
    Observers,
    Ref,
    Run,
    Screen,
    Transform,
    Upload,
    Witness,
    count_sources,
    is_limit,
)
from appwitness.events.packed_lines import PackedLines
from appwitness.events.seen import Seen, holds, moment
from appwitness.events.shared_parts import SharedParts
from appwitness.findings import (
    Assumption,
    DataEdition,
    Declared,
    Finding,
    Flow,
    JudgedRule,
    Match,
    Need,
    Report,
    ReportedGap,
)
from appwitness.findings.identity import identified
from appwitness.findings.lanes import counts_of, named, times_of
from appwitness.judge import observers
from appwitness.judge.connections import connections_of
from appwitness.judge.consent import consents
from appwitness.judge.policy import declared
from appwitness.judge.rules import Rule
from appwitness.recording import Recording
from appwitness.recording.seal import RUN
from appwitness.store import Store
from appwitness.support.collecting import uncollected
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

Lines = dict[str, Sequence[Seen[Event]]]
"""Kind -> the lines of that kind."""
_PACKED: dict[str, type[Access | Upload]] = {"access": Access, "upload": Upload}
"""Kinds of line that are so numerous in a long run that they are kept as columns."""


def report(store: Store, recording_id: str, known: Knowledge) -> Report:
    """The report of everything that the index has on one recording, judged by what is `known`; the same index always
    yields the same report."""
    with store.snapshot():
        return _report(store, recording_id, known)


def current_report(recording: Recording, store: Store, known: Knowledge) -> Report | None:
    """The report of this recording, with what its stamps vouch for. None if the recording must be correlated first:
    the index does not have all of it as it is now, judged by what is `known`."""
    held = current(recording, store, known)
    if held is None or not held.lines:  # what was masked cannot be recovered from the index
        return None
    with store.snapshot():
        if store.judged_by(held.name) != held.judged_by:  # another process was faster
            return None
        report = _report(store, held.name, known, recording=recording)
    return _of(recording, report)


def fresh_report(recording: Recording, store: Store, known: Knowledge, outcome: Outcome) -> Report:
    """The report of what correlating has just concluded, whoever else writes to the index meanwhile: a recording in
    progress may also be followed by another program, which judges it by its own rules.

    Raises UserError if the index has lines of another recording by now.
    """
    with store.snapshot():
        held = store.held(outcome.recording)
        report = _report(store, outcome.recording, known, outcome, recording) if held else None
    if held is None or report is None or not is_of(recording, held):
        raise UserError(
            Spoken(
                "{path} was changed while it was read, or another recording with its id was read.", path=recording.path
            ),
            "Try again when that is done, or name another database with --db.",
        )
    return _of(recording, report)


def indexed_report(store: Store, recording_id: str, known: Knowledge) -> Report:
    """The report of what the index has, correlated or not: also for a recording in progress, or one whose folder is
    gone.

    If the folder is there, the report says what its stamps vouch for. Raises UserError if the lines in it are not those
    in the index, and if the index has no recording with that id.
    """
    with store.snapshot():
        report = _report(store, recording_id, known)
        held = store.held(recording_id)
    folder = Path(report.path or "")
    if held is None or not (folder.is_file() or (folder / RUN).is_file()):
        return report
    recording = Recording.open(folder)
    if not is_of(recording, held):
        raise UserError(
            Spoken("The recording in {folder} is not the one that was read into the index.", folder=folder),
            Spoken("Run `appwitness index correlate {folder}`.", folder=shlex.quote(str(folder))),
        )
    return checked(with_context(report, recording), recording.path)


def _of(recording: Recording, report: Report) -> Report:
    report = with_context(report.model_copy(update={"path": recording.place}), recording)
    return checked(report, recording.path)


@uncollected()
def _report(
    store: Store,
    recording_id: str,
    known: Knowledge,
    outcome: Outcome | None = None,
    recording: Recording | None = None,
) -> Report:
    run = store.run(recording_id, recording)
    saved = outcome.findings if outcome else store.findings(recording_id)
    findings = tuple(identified(each, run.app.package) for each in saved)
    lines, forgotten = _lines(store, recording_id, run, recording)
    flows = tuple(_with_digests(outcome.flows if outcome else store.flows(recording_id), lines["transform"]))
    gaps = [ReportedGap(**msgspec.structs.asdict(event), ref=ref) for ref, event in _owned(lines, run)]
    gaps += outcome.gaps if outcome else store.found_gaps(recording_id)
    refs = {ref for finding in findings for ref in finding.evidence}
    for flow in flows:
        refs |= {ref for ref in (flow.access, flow.upload, flow.connection) if ref}
        refs |= {ref for match in flow.matches for ref in match.evidence}
    evidence = {each.ref: each.event for kind in FILES for each in named(lines[kind], refs)}
    until = run.ended or (moment(max(sent)) if (sent := times_of(lines["upload"])) else None)
    asked = consents([*lines["consent"], *lines["screen"]], known.labels, run.app.package, until)
    evidence |= {each.ref: each.event for each in reversed(asked) if each.ref in refs}
    timeline = timeline_of(asked, None, run, known, forgotten)
    watched = observers.watched(run, len(lines["access"]), len(lines["upload"]), timeline, len(lines["witness"]))
    assumed = timeline.assumed or _assumed((*flows, *findings))
    return Report(
        recording=recording_id,
        run=run,
        observers=watched,
        assumed_consent=assumed,
        flows=flows,
        findings=findings,
        gaps=tuple(gap for gap in gaps if not is_limit(gap)),
        limits=tuple(filter(is_limit, gaps)),
        answered=timeline.answered,
        coverage=_coverage(run, lines, gaps),
        rules=tuple(_judged(rule, known) for rule in known.rules),
        not_judged=_not_judged(known.rules, watched, assumed is not None),
        catalog=_edition(known),
        laws=known.jurisdictions,
        app_type=type_.number if (type_ := known.type_of(run)) else None,
        territory=known.territory,
        declared=_declared(known, lines["access"], flows),
        path=store.address(recording_id),
        consents=asked,
        answers=timeline.steps(),
        replaced=timeline.replaced(),
        phases=lines["phase"],
        evidence=evidence,
        accesses=lines["access"],
        uploads=lines["upload"],
        screens=tuple(_asking(lines["screen"], {each.ref for each in asked})),
    )


def _edition(known: Knowledge) -> DataEdition | None:
    edition = known.edition
    if edition is None:
        return None
    return DataEdition(edition=edition.edition, date=edition.date, source=edition.source, key=edition.key)


def _with_digests(flows: Iterable[Flow], transforms: Iterable[Seen[Event]]) -> Iterator[Flow]:
    """The flows, with the lines that show the app computing a digest that matching had found by recomputing it."""
    made: dict[bytes, Ref] = {}
    for ref, _, _, event in transforms:
        if isinstance(event, Transform) and event.op in ("digest", "mac") and event.output.b64:
            with suppress(ValueError):  # in a stranger's recording
                made.setdefault(base64.b64decode(event.output.b64), ref)
    for flow in flows:
        refs = {at: line for at, each in enumerate(flow.matches) if made and (line := _shown(each, made))}
        if refs:
            matches = (
                each.model_copy(update={"evidence": (refs[number],)}) if number in refs else each
                for number, each in enumerate(flow.matches)
            )
            flow = flow.model_copy(update={"matches": tuple(matches)})
        yield flow


def _shown(match: Match, made: Mapping[bytes, Ref]) -> Ref | None:
    if match.evidence or match.variant == "plain":
        return None
    with suppress(ValueError):
        return made.get(bytes.fromhex(match.found))
    with suppress(ValueError):
        return made.get(base64.b64decode(match.found + "=" * (-len(match.found) % 4), validate=True))
    return None


def _asking(screens: Iterable[Seen[Event]], asked: set[Ref]) -> Iterator[Seen[Event]]:
    """The screens from which consent was read, and the pictures of a question."""
    for each in screens:
        screen = each.event
        if isinstance(screen, Screen) and (each.ref in asked or (screen.image and screen.why == "consent")):
            yield each


def _lines(store: Store, name: str, run: Run, recording: Recording | None) -> tuple[Lines, frozenset[str]]:
    """The lines in the index, except those that do not follow the contract; and the kinds with forgotten lines."""
    lines: Lines = {}
    forgotten = set()
    sharing = SharedParts()
    for kind in FILES:
        found: list[Seen[Event]] | PackedLines[Any] = PackedLines(_PACKED[kind]) if kind in _PACKED else []
        for read in store.read(name, kind, recording=recording):
            if seen := read.seen(run.clock_offset_ms):
                if isinstance(found, list):
                    sharing.of(seen.event)
                found.append(seen)
            elif read.forgotten:
                forgotten.add(kind)
        lines[kind] = tuple(found) if isinstance(found, list) else found
    return lines, frozenset(forgotten)


def _owned(lines: Lines, run: Run) -> Iterator[tuple[Ref, Event]]:
    """The gaps; one about a connection that the app is known to have opened gets the app's name."""
    connections = connections_of(run)
    for each in lines["connection"]:
        if holds(each, Connection):
            connections.add(each)
    for ref, _, _, event in lines["gap"]:
        app = connections.app_of(event) if isinstance(event, Gap) and event.app is None else None
        yield ref, event.model_copy(update={"app": app}) if app else event


def _not_judged(rules: Iterable[Rule], watched: Observers, assumed: bool) -> dict[str, tuple[Need, ...]]:
    lacking = {rule.id: rule.lacks(watched, assumed) for rule in rules}
    return {id_: lacks for id_, lacks in lacking.items() if lacks}


def _assumed(judged: Iterable[Flow | Finding]) -> Assumption | None:
    """What was assumed when the index was judged, in case it differs from now."""
    states = {each.consent for each in judged if each.consent_assumed}
    return None if not states else "given" if states == {"given"} else "none"


def _declared(known: Knowledge, accesses: Iterable[Seen[Event]], flows: Iterable[Flow]) -> tuple[Declared, ...]:
    if known.policy is None:
        return ()
    return declared(known.policy, [each for each in accesses if holds(each, Access)], flows)


def _judged(rule: Rule, known: Knowledge) -> JudgedRule:
    articles = known.laws.articles(rule.kinds, known.jurisdictions)
    return JudgedRule(
        id=rule.id,
        level=rule.level,
        title=rule.title,
        help={language: f"{why}\n\n{rule.remedy.get(language, '')}".strip() for language, why in rule.why.items()},
        needs=rule.needs,
        separate=rule.when.separate.scope if rule.when.separate else None,
        kinds=rule.kinds,
        references=(*known.laws.references(articles), *rule.references),
        own=rule.id in known.own_rules,
    )


def _coverage(run: Run, lines: Lines, gaps: Sequence[ReportedGap]) -> dict[str, Any]:
    hosts = {host: count for host, count in counts_of(lines["upload"], "host").items() if host}
    sources = counts_of(lines["access"], "source")
    return {
        "lines": {kind: len(of_kind) for kind, of_kind in lines.items()},
        "control": sum(each.event.by == "control" for each in lines["witness"] if holds(each, Witness)),
        "unreadable_lines": sum(gap.where == "correlate" and gap.why == "protocol_unsupported" for gap in gaps),
        "gaps": dict(sorted(Counter(f"{gap.where}: {gap.why}" for gap in gaps).items())),
        "sources": count_sources(run.hooks).model_dump() if run.hooks else {},
        "sources_read": dict(sorted(sources.items())),
        "hosts": dict(sorted(hosts.items())),
    }
