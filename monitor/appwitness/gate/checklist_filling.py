"""Fills a checklist from the runs of one app: what fails an item, and whether everything that it needs was observed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, get_args

from appwitness.events import WHOLE_RUN, Consent, Phase
from appwitness.events.seen import Seen, holds
from appwitness.findings import Finding, Need, Report
from appwitness.findings.filled_checklist import (
    ChecklistOrigin,
    FilledChecklist,
    FilledGroup,
    FilledItem,
    FillingRun,
    HandAnswer,
    ItemEvidence,
    ItemState,
    Unfilled,
)
from appwitness.gate.observable import UNWATCHED, holes, name_of
from appwitness.judge.checklist_items import Checklist, ChecklistItem, GivenOption, Situation, SoughtFinding
from appwitness.judge.observers import PLAYED, observed_for

GAPS_OF: dict[Need, frozenset[str]] = {
    "hooks": frozenset({"hook"}),
    "proxy": frozenset({"proxy", "correlate"}),
    "consent": frozenset({"device", "clock"}),
}
"""Observer -> places whose gaps limit what it shows."""
QUESTIONS = frozenset({"dialog", "operator"})
"""Signals of a question that the app itself asked."""


class _Found(NamedTuple):
    """What the runs show of an item."""

    failing: list[ItemEvidence]
    doubtful: list[ItemEvidence]


def fill(checklist: Checklist, reports: Sequence[Report], given: Iterable[GivenOption] = ()) -> FilledChecklist:
    """The list, filled from reports on one version of one app; `given`: what the tester supplied about the app."""
    said, first = frozenset(given), reports[0].run
    last = max(reports, key=lambda report: report.run.started)
    return FilledChecklist(
        checklist=checklist.id,
        title=checklist.title,
        source=ChecklistOrigin.model_validate(checklist.source.model_dump()),
        package=first.app.package,
        version=first.app.version,
        apk_sha256=first.app.apk_sha256,
        made_by=last.run.versions.get("appwitness"),
        runs=tuple(map(_run, reports)),
        groups=tuple(
            FilledGroup(
                group=group.group,
                name=group.name,
                items=tuple(_item(item, group.group, checklist, reports, said) for item in group.items),
            )
            for group in checklist.groups
        ),
    )


def _run(report: Report) -> FillingRun:
    return FillingRun(
        recording=report.recording,
        plan=report.run.plan,
        started=report.run.started,
        seconds=_seconds(report),
        observers=tuple(name for name in get_args(Need) if getattr(report.observers, name)),
        answered=report.answered,
        gaps=len(report.gaps),
        verified=report.verified,
    )


def _seconds(report: Report) -> float | None:
    length = observed_for(report.run, _phases(report))
    return None if length is None else length.total_seconds()


def _item(
    item: ChecklistItem, group: str, checklist: Checklist, reports: Sequence[Report], given: frozenset[GivenOption]
) -> FilledItem:
    for_s = item.for_s or checklist.for_s
    found = _found(item, reports)
    reasons, watched = _watched(item, for_s, reports, given) if item.fails else ([], [])
    reasons = [*(_doubt(each) for each in found.doubtful), *reasons]
    state: ItemState = (
        "fail" if found.failing else "by_hand" if item.by_hand else "not_observed" if reasons else "nothing_seen"
    )
    return FilledItem(
        item=item.item,
        group=group,
        says=item.says,
        state=state,
        plans=item.plans,
        seconds=for_s if item.fails else None,
        watched=tuple(watched),
        needs=_needs(item, reports) if item.fails else (),
        failing=tuple(found.failing),
        doubtful=tuple(found.doubtful),
        reasons=tuple(dict.fromkeys(reasons)) if item.fails else (),
        by_hand=item.by_hand,
        answers=tuple(_answers(item.item, checklist.id, reports)),
    )


def _doubt(each: ItemEvidence) -> Unfilled:
    return Unfilled(why="doubtful", subject=each.rule, recording=each.recording, ref=next(iter(each.evidence), None))


# what was found


def _found(item: ChecklistItem, reports: Sequence[Report]) -> _Found:
    found = _Found([], [])
    for report in reports:
        rules = frozenset(each.rule for each in report.findings)
        for finding in report.findings:
            if of_code := _fitting(item.fails, finding, rules):
                sure = any(of_code) and not _is_doubtful(finding)
                (found.failing if sure else found.doubtful).append(_evidence(finding, report))
            elif _fitting(item.doubts, finding, rules):
                found.doubtful.append(_evidence(finding, report))
    return found


def _fitting(sought: Iterable[SoughtFinding], finding: Finding, rules: frozenset[str]) -> list[bool | None]:
    """For each sought finding that `finding` fits, True if the code fits, too; None if it is unknown whose code it
    was. Sought findings of other code are left out."""
    fitting = (each.of_code(finding) for each in sought if each.matches(finding, rules))
    return [of_code for of_code in fitting if of_code is not False]


def _is_doubtful(finding: Finding) -> bool:
    """Whether a finding is only a remark, or rests on an assumption or on clocks that nobody compared."""
    assumed = finding.consent_assumed or finding.confidence == "declared"
    return finding.level == "info" or assumed or finding.consent_unordered


def _evidence(finding: Finding, report: Report) -> ItemEvidence:
    return ItemEvidence(
        recording=report.recording,
        plan=report.run.plan,
        rule=finding.rule,
        level=finding.level,
        confidence=finding.confidence,
        title=finding.title,
        detail=finding.detail,
        consent=finding.consent,
        evidence=finding.evidence,
    )


# what was watched


def _needs(item: ChecklistItem, reports: Sequence[Report]) -> tuple[Need, ...]:
    """The observers that an item needs. Uploads are searched for values that hooks recorded, so the proxy needs the
    hooks."""
    rules = {rule.id: rule for report in reports for rule in report.rules}
    needs = {need for name in item.rules if name in rules for need in rules[name].needs} | {*item.watched}
    if "proxy" in needs:
        needs.add("hooks")
    return tuple(name for name in get_args(Need) if name in needs)


def _watched(
    item: ChecklistItem, for_s: float, reports: Sequence[Report], given: frozenset[GivenOption]
) -> tuple[list[Unfilled], list[str]]:
    """Why an item was not observed, and the recordings in which everything it needs was observed. One complete run
    of each plan is enough."""
    needs = _needs(item, reports)
    reasons: list[Unfilled] = [Unfilled(why="given", subject=each) for each in item.given if each not in given]
    whole: list[Report] = []
    for plan in item.plans:
        ran = [report for report in reports if report.run.plan == plan]
        missing = [list(_missing(item, for_s, needs, report)) for report in ran]
        whole += [report for report, each in zip(ran, missing, strict=True) if not each]
        if not ran:
            reasons.append(Unfilled(why="plan", subject=plan))
        elif all(missing):
            reasons += (reason for each in missing for reason in each)
    reasons += (
        Unfilled(why="situation", subject=name) for name in item.seen if not any(_came_to(name, each) for each in whole)
    )
    return reasons, [report.recording for report in whole]


def _missing(item: ChecklistItem, for_s: float, needs: Sequence[Need], report: Report) -> Iterator[Unfilled]:
    """What was not observed in a run, or may be missing from it."""
    recording = report.recording
    for hole in holes(report):
        if hole.why in ("forgotten", "altered", "unfinished"):
            yield Unfilled(why=hole.why, subject=hole.subject, recording=recording, ref=hole.ref)
    seconds = _seconds(report)
    if seconds is None or report.run.ended is None:
        yield Unfilled(why="unended", subject=recording, recording=recording)
    elif seconds < for_s:
        yield Unfilled(why="short", subject=f"{seconds:g}", recording=recording)
    yield from _unwatched(item, needs, report)
    wanted = PLAYED.get(report.run.plan, ())
    if wanted and not {*wanted} & {*report.answered}:
        yield Unfilled(why="answer", subject=report.run.plan, recording=recording)
    places = frozenset[str]().union(*(GAPS_OF[need] for need in needs))
    for gap in report.gaps:
        if gap.where in places or gap.why in UNWATCHED or (gap.where, gap.subject) == ("device", WHOLE_RUN):
            yield Unfilled(why="gap", subject=name_of(gap), recording=recording, ref=gap.ref)


def _unwatched(item: ChecklistItem, needs: Sequence[Need], report: Report) -> Iterator[Unfilled]:
    """Missing observers, and rules that were not applied."""
    judged = {rule.id for rule in report.rules} - report.not_judged.keys()
    lacking: list[tuple[Literal["observer", "rule"], str]] = [
        *(("observer", need) for need in needs if not getattr(report.observers, need)),
        *(("rule", rule) for rule in item.rules if rule not in judged),
    ]
    yield from (Unfilled(why=why, subject=name, recording=report.recording) for why, name in lacking)
    if "hooks" in needs and report.observers.hooks_failed:
        yield Unfilled(why="hooks_failed", subject=report.recording, recording=report.recording)


def _came_to(situation: Situation, report: Report) -> bool:
    if situation == "background":
        return any(each.event.state == "background" for each in _phases(report))
    lines = [each.event for each in report.consents if isinstance(each.event, Consent)]
    if situation == "question":
        return any(each.signal in QUESTIONS and each.status == "requested" for each in lines) or bool(report.answered)
    if situation == "permission":
        return any(each.signal == "permission_prompt" for each in lines)
    return any(each.signal == "permission_result" and each.status == "refused" for each in lines)


# what people answered


def _answers(item: str, checklist: str, reports: Sequence[Report]) -> list[HandAnswer]:
    """People's answers, the last one first."""
    found = [
        HandAnswer(
            answer=said.answer, at=seen.at, who=said.who, note=said.note, recording=report.recording, ref=seen.ref
        )
        for report in reports
        for seen in _phases(report)
        if seen.event.by == "operator"
        and (said := seen.event.answered)
        and (said.checklist, said.item) == (checklist, item)
    ]
    return sorted(found, key=lambda each: each.at)[::-1]  # at the same moment, the later line comes first


def _phases(report: Report) -> list[Seen[Phase]]:
    return [seen for seen in report.phases if holds(seen, Phase)]
