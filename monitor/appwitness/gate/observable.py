"""Determines whether the runs could have shown a behaviour; if not, its absence does not mean that it is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from appwitness.events import WHOLE_RUN
from appwitness.findings import ConsentName, Report, ReportedGap
from appwitness.findings.gate_decision import Behaviour, Unobserved
from appwitness.judge.recipients import RecipientTable, clean_host, recipient_key

UNWATCHED = frozenset({"detached", "process_not_instrumented"})
"""Hook gaps that affect a whole process, and so every source."""


ANSWERS: Mapping[ConsentName, frozenset[ConsentName]] = {
    "refused": frozenset({"refused", "basic_only"}),
    "basic_only": frozenset({"refused", "basic_only"}),
    "withdrawn": frozenset({"withdrawn"}),
    "given": frozenset({"given"}),
    "partial": frozenset({"given"}),
    "expired": frozenset({"given"}),
}
"""Consent state -> the user's answers that can lead to it."""


def unobserved(was: Behaviour, reports: Sequence[Report], known: RecipientTable) -> tuple[Unobserved, ...]:
    """Why none of these runs could have shown `was`; empty if one could have shown it, but did not. One run that
    observed everything the behaviour needs is enough."""
    ran = [report for report in reports if report.run.plan in was.plans]
    if not ran:
        return tuple(Unobserved(why="plan", subject=plan) for plan in was.plans)
    reasons = [tuple(_of_run(was, report, known)) for report in ran]
    return () if not all(reasons) else tuple(dict.fromkeys(reason for each in reasons for reason in each))


def holes(report: Report) -> Iterator[Unobserved]:
    """The parts of a run that are or may be missing because somebody removed or changed lines: nothing can be
    concluded from their absence. For a recording that was never stamped this is unknown; the report says so, and the
    recording is judged as it is."""
    seal = report.verified
    gaps = [gap for gap in report.gaps if gap.why == "forgotten"]
    for gap in gaps:
        yield Unobserved(why="forgotten", subject=f"{report.recording}/{gap.subject}", ref=gap.ref, gap=name_of(gap))
    if seal is None:
        return
    if seal.forgotten and not gaps:
        yield Unobserved(why="forgotten", subject=report.recording)
    if seal.outcome in _DOUBT:
        yield Unobserved(why=_DOUBT[seal.outcome], subject=report.recording)


_DOUBT: dict[str, Literal["altered", "unfinished"]] = {
    "altered": "altered",
    "intact_up_to": "unfinished",
}


def _of_run(was: Behaviour, report: Report, known: RecipientTable) -> Iterator[Unobserved]:
    yield from holes(report)
    if missing := _unanswered(was, report):
        yield Unobserved(why="answer", subject=missing)
    for need in report.not_judged.get(was.rule, ()):
        yield Unobserved(why="observer", subject=need)
    if was.recipient and not report.observers.proxy:
        yield Unobserved(why="observer", subject="proxy")
    for gap in (*report.gaps, *report.limits):
        named = {"ref": gap.ref, "gap": name_of(gap)}
        if (gap.where, gap.subject) == ("device", WHOLE_RUN):
            yield Unobserved(why="run", subject=report.recording, **named)
        if gap.where == "hook" and gap.subject in was.sources:
            yield Unobserved(why="source", subject=gap.subject, **named)
        elif gap.why in UNWATCHED:
            yield Unobserved(why="process", subject=gap.subject, **named)
        elif was.recipient and was.recipient in _recipients(gap, known):
            yield Unobserved(why="recipient", subject=gap.sni or gap.subject, **named)


def _unanswered(was: Behaviour, report: Report) -> str | None:
    """The consent state under which the behaviour appeared, if the run has not seen an answer that leads to it;
    None: nothing is missing."""
    if was.consent is None or was.consent not in ANSWERS or not report.observers.consent:
        return None
    return None if ANSWERS[was.consent] & set(report.answered) else was.consent


def name_of(gap: ReportedGap) -> str:
    """A gap as people name it to allow it: `WHERE:WHY:SUBJECT`."""
    return f"{gap.where}:{gap.why}:{gap.subject}"


def _recipients(gap: ReportedGap, known: RecipientTable) -> set[str]:
    """The recipients that a network gap affects: by the name that the client requested, otherwise by the subject."""
    if gap.where not in {"proxy", "correlate"}:
        return set()
    names = [gap.sni] if gap.sni else re.findall(r"[\w.:-]*[.:][\w.:-]+", gap.subject)
    return {recipient_key(host, known.of_host(host)) for host in map(clean_host, names)}
