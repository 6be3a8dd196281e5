"""Which observers watched a run, as run.json and the lines show, and which ones a clean result would have needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, Literal

from appwitness.events import WHOLE_RUN, Missing, Observers, Phase, Run
from appwitness.events.seen import Seen
from appwitness.findings import ConsentName, ReportedGap
from appwitness.judge.consent import ConsentReading, Timeline, clock_of

_GAPS: dict[Missing, tuple[Literal["hook", "proxy", "device"], str, str]] = {
    "values": (
        "hook",
        "reads",
        "no hook logged what the app read, and no values to look for were given (import --value)",
    ),
    "uploads": ("proxy", "uploads", "no message that left the device was seen"),
    "consent": ("device", "consent", "nobody watched what the user was asked and decided (appwitness mark notes it)"),
}


def watched(run: Run, accesses: int, uploads: int, timeline: Timeline, witnesses: int = 0) -> Observers:
    """The observers of a run. A live observer counts even if nothing happened; for a foreign file, hooks and proxy
    count only if there are lines of theirs."""
    said = run.observers
    return said.model_copy(
        update={
            "hooks": bool(accesses) or (said.hooks and not run.imported),
            "proxy": bool(uploads) or (said.proxy and not run.imported),
            "consent": timeline.watched,
            "hooks_failed": run.probe is not None and run.probe.failed,
            "witnesses": bool(witnesses) or said.witnesses,
        }
    )


OF_CONSENT = frozenset(("consent", "screen"))
"""Kinds of lines that say what the user was asked and decided."""


def gaps(
    run: Run,
    observers: Observers,
    timeline: Timeline,
    forgotten: AbstractSet[str] = frozenset(),
    *,
    recorded_no_clock: bool = False,
) -> Iterator[ReportedGap]:
    """A gap for each observation that a clean result would need and nobody made, for each question whose answer was
    not seen or is contradicted, and for clocks that nobody compared (unless such a gap is recorded:
    `recorded_no_clock`). For kinds whose lines were `forgotten`, another gap says so."""
    for name in observers.missing:
        if name not in _GAPS:
            continue  # the agent has reported it
        if name == "consent" and forgotten & OF_CONSENT:
            continue
        where, subject, detail = _GAPS[name]
        yield ReportedGap(
            at=run.started, where=where, subject=subject, why="not_observed", detail=detail, until=run.ended
        )
    yield from _unseen_answers(timeline)
    yield from _contradictions(timeline)
    if run.imported and observers.hooks and observers.proxy:
        detail = (
            "the files do not say how the clocks of hook log and capture stood: a read and an upload may be in another"
        )
        yield ReportedGap(
            at=run.started, where="clock", subject="imported files", why="no_clock", detail=f"{detail} order"
        )
    elif not run.imported and not run.clocks_compared and not recorded_no_clock and _by_device(observers, timeline):
        what = "their offset" if run.clock_offset_ms is None else "how exact their offset is"
        yield ReportedGap(
            at=run.started,
            where="clock",
            subject="device",
            why="no_clock",
            detail=f"run.json does not say {what}: accesses and uploads may be in another order",
        )


def _by_device(observers: Observers, timeline: Timeline) -> bool:
    """Whether there are lines timed by the device's clock, which would have to be ordered."""
    return observers.hooks or any(clock_of(each.consent) == "device" for each in timeline.readings())


PLAYED: Mapping[str, tuple[ConsentName, ...]] = {
    "accept": ("given",),
    "refuse": ("refused", "basic_only"),
    "withdraw": ("withdrawn",),
}
"""Plan -> the answers that carry it out."""
SHORTEST = timedelta(seconds=2)
"""No app shows what it does in less time than this."""


def unplayed(run: Run, timeline: Timeline, phases: Sequence[Seen[Phase]], lines: int) -> Iterator[ReportedGap]:
    """A gap for a run that ended before the app could show what it does, for a run without lines (`lines`: how many
    are about the app), and for a plan whose answer was not seen. An imported file had no plan."""
    if run.imported:
        return
    about: dict[str, Any] = {"at": run.started, "where": "device", "why": "not_observed", "until": run.ended}
    length = observed_for(run, phases)
    if not lines:
        yield ReportedGap(**about, subject=WHOLE_RUN, detail="no line of the recording tells anything of the app")
    elif length is not None and length < SHORTEST:
        detail = f"the app was observed for {length.total_seconds():.1f} s: what it does later was not"
        yield ReportedGap(**about, subject=WHOLE_RUN, detail=detail)
    wanted = PLAYED.get(run.plan, ())
    if wanted and timeline.watched and not set(wanted) & set(timeline.answered):
        asked = "a question to the user was seen, and no" if timeline.asked else "neither a question to the user nor an"
        yield ReportedGap(
            **about,
            subject=f"plan {run.plan}",
            detail=f"{asked} answer as the plan has it ({' or '.join(wanted)}): what the app does after one was not"
            " observed",
        )


def observed_for(run: Run, phases: Sequence[Seen[Phase]]) -> timedelta | None:
    """How long the app ran while it was observed; None: not known."""
    started = min((each.at for each in phases if each.event.state == "started"), default=run.started)
    ended = max((each.at for each in phases if each.event.state == "exited"), default=run.ended)
    return None if ended is None else max(ended - started, timedelta())


def _unseen_answers(timeline: Timeline) -> Iterator[ReportedGap]:
    for reading in timeline.readings():
        if reading.says == "gone":
            yield ReportedGap(
                at=reading.at,
                app=reading.consent.app,
                where="device",
                subject=reading.consent.text or "a question to the user",
                why="not_observed",
                detail=f"the question was no longer seen, and neither was its answer ({_where(reading)}): what "
                "follows is not held against the app (appwitness mark notes what was answered)",
                ref=reading.ref,
            )


def _contradictions(timeline: Timeline) -> Iterator[ReportedGap]:
    for reading, other in timeline.contradictions():
        yield ReportedGap(
            at=reading.at,
            app=reading.consent.app,
            where="device",
            subject=f"the answer to {reading.scope}",
            why="not_observed",
            detail=f"two observers tell it differently within seconds ({reading.ref}: {reading.says}; {other}): which"
            " of them is right was not observed (appwitness mark corrects a line)",
            ref=reading.ref,
        )


def _where(reading: ConsentReading) -> str:
    note = reading.consent.note
    return f"{reading.ref}, {note}" if note else reading.ref
