"""Compares runs of one app with different answers: what is read and sent whatever the user says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from appwitness.catalog.labels import Labels
from appwitness.catalog.withheld import was_withheld
from appwitness.events import Access, Consent, DataType, Phase, Ref, Value
from appwitness.events.seen import holds
from appwitness.findings import (
    MOMENTS,
    Answer,
    Candidate,
    ComparedRow,
    ComparedRun,
    Comparison,
    ConsentName,
    Moment,
    Occurrence,
    Pattern,
    Recipient,
    Report,
)
from appwitness.judge.clock_order import decided
from appwitness.judge.consent import Observed, Timeline, of_app
from appwitness.judge.phases import Phases
from appwitness.judge.recipients import is_device

ANSWERS: dict[Moment, Answer] = {
    "after_yes": "yes",
    "after_refusal": "no",
    "after_withdrawal": "withdrawn",
    "not_observed": "not_observed",
}
PLANNED: dict[str, Answer] = {"accept": "yes", "refuse": "no", "withdraw": "withdrawn"}
ORDER: tuple[Pattern, ...] = (
    "after_withdrawal",
    "after_refusal",
    "before_answer",
    "not_observed",
    "regardless",
    "after_yes",
    "only_after_yes",
)
"""The most incriminating first."""

Slot = tuple[DataType, str | int | None]
"""What identifies a value across runs: its type, and its text. For a planted value the number in the persona
replaces the text, since runs may have different personas; None stands for an unplanted value that occurs in one run
only, such as a position that never repeats."""


class _Seen(NamedTuple):
    """One access or flow of one run."""

    what: Literal["read", "sent"]
    data: DataType
    source: str | None
    recipient: Recipient | None
    values: tuple[Value, ...]
    run: int
    consent: ConsentName
    at: datetime
    ref: Ref
    calls: int


class _Subject(NamedTuple):
    """What a row is about."""

    what: Literal["read", "sent"]
    data: DataType
    source: str | None
    host: str | None


def compare(
    reports: Sequence[Report], candidates: Sequence[Candidate] = (), labels: Labels | None = None
) -> Comparison:
    """The comparison of several runs of one app, in the order given; the same reports give the same rows.

    `labels`: those by which the reports were judged (catalog/consent.yml).
    """
    runs = tuple(_runs(reports))
    seen = [each for number, report in enumerate(reports) for each in _sightings(number, report, labels)]
    slots = _Slots(reports, seen)
    subjects: dict[_Subject, Recipient | None] = {}
    cells: dict[_Subject, dict[Slot | None, list[_Seen]]] = {}
    values: dict[_Subject, dict[Slot | None, dict[tuple[str, str], Value]]] = {}
    for each in seen:
        subject = _Subject(each.what, each.data, each.source, each.recipient.host if each.recipient else None)
        subjects.setdefault(subject, each.recipient)
        of_slots: dict[Slot | None, list[Value]] = {}
        for value in each.values:
            of_slots.setdefault(slots.of(value, each.run), []).append(value)
        for slot, members in (of_slots or {None: []}).items():
            cells.setdefault(subject, {}).setdefault(slot, []).append(each)
            known = values.setdefault(subject, {}).setdefault(slot, {})
            for value in members:
                known.setdefault((value.type, value.text), Value(type=value.type, text=value.text))
    rows: list[ComparedRow] = []
    for subject, members_of in cells.items():
        # Values seen in the same runs under the same consent states share one row.
        alike: dict[frozenset[tuple[int, ConsentName]], list[Slot | None]] = {}
        for slot, sightings in members_of.items():
            alike.setdefault(frozenset((each.run, each.consent) for each in sightings), []).append(slot)
        for slots_of in alike.values():
            occurrences = _occurrences((each for slot in slots_of for each in members_of[slot]), reports)
            rows.append(
                ComparedRow(
                    what=subject.what,
                    data=subject.data,
                    values=tuple(value for slot in slots_of for value in values[subject][slot].values()),
                    source=subject.source,
                    recipient=subjects[subject],
                    seen=occurrences,
                    patterns=_patterns(occurrences, runs),
                )
            )
    rows.sort(key=_order)
    return Comparison(
        package=reports[0].run.app.package,
        runs=runs,
        differ=tuple(_differ(reports)),
        rows=tuple(rows),
        candidates=tuple(candidates),
        assumed_consent=next((report.assumed_consent for report in reports if report.assumed_consent), None),
    )


def _runs(reports: Sequence[Report]) -> Iterator[ComparedRun]:
    personas: list[frozenset[tuple[str, str]]] = []
    for report in reports:
        persona = frozenset((value.type, value.text) for value in report.run.persona)
        if persona not in personas:
            personas.append(persona)
        answers = [status.state for status in report.answers]
        yield ComparedRun(
            recording=report.recording,
            run=report.run,
            answers=tuple(answers),
            answer=_answer(answers, report.run.plan) if report.observers.consent else "not_observed",
            persona=personas.index(persona) + 1,
            findings=len(report.findings),
            gaps=len(report.gaps),
            verified=report.verified,
        )


def _answer(answers: Sequence[ConsentName], plan: str) -> Answer:
    """The user's last answer; if none was observed, the answer that the plan stands for."""
    given = (ANSWERS[moment] for state in reversed(answers) if (moment := MOMENTS[state]) in ANSWERS)
    return next(given, PLANNED.get(plan, "none"))


def _differ(reports: Sequence[Report]) -> Iterator[Literal["version", "apk", "device", "persona"]]:
    runs = [report.run for report in reports]
    if len({(run.app.version, run.app.version_code) for run in runs}) > 1:
        yield "version"
    if len({run.app.apk_sha256 for run in runs}) > 1:
        yield "apk"
    if len({(run.device.serial, run.device.model, run.device.release) for run in runs}) > 1:
        yield "device"
    if len({frozenset((value.type, value.text) for value in run.persona) for run in runs}) > 1:
        yield "persona"


def _sightings(number: int, report: Report, labels: Labels | None) -> Iterator[_Seen]:
    """Every access that returned a value and every flow of one run, each with the consent at its moment."""
    package = report.run.app.package
    bound_ms = report.run.clock_bound_ms
    phases = Phases(each for each in report.phases if holds(each, Phase))
    timeline = Timeline(
        [each for each in report.consents if holds(each, Consent)],
        report.run.started if report.run.clocks_compared else None,
        labels,
        phases,
        Observed(package, report.run.observers.consent, report.assumed_consent),
    )
    sources: dict[Ref, str] = {}
    for seen in report.accesses:
        ref, event = seen.ref, seen.event
        if not isinstance(event, Access) or not of_app(event, package):
            continue
        sources[ref] = event.source
        if event.outcome != "returned" or not event.values or was_withheld(event):
            continue
        until = seen.on_host(event.until or event.at)
        first, last = (decided(timeline, at, "device", bound_ms, event.data).told for at in (seen.at, until))
        # A folded line stands for many calls; only the first and the last have a known time.
        moments = [(seen.at, first, event.count)]
        if last != first:
            moments = [(seen.at, first, 1), (until, last, 1)]
        for at, state, count in moments:
            yield _Seen("read", event.data, event.source, None, event.values, number, state, at, ref, count)
    for flow in report.flows:
        if is_device(flow.recipient.host):
            continue  # what is sent to the device itself does not leave it
        found = tuple(Value(type=match.type, text=match.value) for match in flow.matches)
        source = sources.get(flow.access) if flow.access else None
        yield _Seen("sent", flow.data, source, flow.recipient, found, number, flow.consent, flow.at, flow.upload, 1)


class _Slots:
    """Tells which values of different runs are the same."""

    def __init__(self, reports: Sequence[Report], seen: Iterable[_Seen]) -> None:
        self._planted: list[dict[tuple[str, str], int]] = []
        for report in reports:
            numbers: dict[str, int] = {}
            planted: dict[tuple[str, str], int] = {}
            for value in report.run.persona:
                if (value.type, value.text) not in planted:
                    planted[value.type, value.text] = numbers[value.type] = numbers.get(value.type, 0) + 1
            self._planted.append(planted)
        self._runs: dict[tuple[str, str], set[int]] = {}
        for each in seen:
            for value in each.values:
                self._runs.setdefault((value.type, value.text), set()).add(each.run)

    def of(self, value: Value, run: int) -> Slot:
        key = (value.type, value.text)
        number = self._planted[run].get(key)
        if number is not None:
            return value.type, number
        return value.type, value.text if len(self._runs[key]) > 1 else None


def _occurrences(seen: Iterable[_Seen], reports: Sequence[Report]) -> tuple[Occurrence, ...]:
    groups: dict[tuple[int, ConsentName], dict[Ref, _Seen]] = {}
    for each in seen:
        groups.setdefault((each.run, each.consent), {}).setdefault(each.ref, each)
    found = []
    for (run, consent), members in groups.items():
        first = min(members.values(), key=lambda each: each.at)
        count = sum(each.calls for each in members.values())
        found.append(
            (
                (run, first.at),
                Occurrence(recording=reports[run].recording, consent=consent, count=count, at=first.at, ref=first.ref),
            )
        )
    return tuple(occurrence for _, occurrence in sorted(found, key=lambda each: each[0]))


def _patterns(seen: Sequence[Occurrence], runs: Sequence[ComparedRun]) -> tuple[Pattern, ...]:
    moments = {MOMENTS[occurrence.consent] for occurrence in seen}
    showing = {occurrence.recording for occurrence in seen}
    found: set[Pattern] = {moment for moment in moments if moment != "after_yes"}
    answers = {run.answer for run in runs} - {"not_observed"}
    if moments == {"after_yes"}:
        # A run whose last answer is not a yes shows that the value is not read or sent without a yes, or no longer.
        found.add("only_after_yes" if answers - {"yes"} else "after_yes")
    elif all(run.recording in showing for run in runs) and len(answers) > 1:
        found.add("regardless")
    return tuple(pattern for pattern in ORDER if pattern in found)


def _order(row: ComparedRow) -> tuple[int, str, str, str, str, str]:
    """Worst first, then by data type, reads before uploads."""
    return (
        ORDER.index(row.patterns[0]),
        row.data,
        row.what,
        row.source or "",
        row.recipient.host if row.recipient else "",
        row.values[0].text if row.values else "",
    )
