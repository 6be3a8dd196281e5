"""The single pass over a recording: read, link, judge, save; once, or continuously while it is being made."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from appwitness.correlate.currency import current, is_current, renew
from appwitness.correlate.prior_knowledge import Knowledge, knowledge
from appwitness.correlate.reporting import current_report, fresh_report, indexed_report, report
from appwitness.correlate.verified import with_coverage
from appwitness.correlate.walk import Outcome, Progress, Walk, concluded
from appwitness.events import FILES, Upload
from appwitness.findings import Candidate, Finding, Flow, Report
from appwitness.judge.differences import DecodedUpload, changed
from appwitness.match import decode
from appwitness.recording import ReadLine, Recording
from appwitness.store import Store
from appwitness.support.collecting import settling

__all__ = [
    "Knowledge",
    "Outcome",
    "Progress",
    "correlate",
    "differences",
    "follow",
    "indexed_report",
    "is_current",
    "knowledge",
    "report",
    "report_on",
    "uploaded",
    "with_coverage",
]

UPLOAD_WAIT_S = 0.05
"""Following: how long lines without an upload wait to be judged. A read often comes just before its upload, which
would otherwise have to wait while the read alone is judged."""
JUDGE_SHARE = 0.2
"""Following: judging takes at most about this share of the time, however long the recording grows."""
JUDGE_CREDIT_S = 0.2
"""Maximum judging time that is saved up while nothing is judged: judging within this credit does not wait."""


def correlate(recording: Recording, store: Store, known: Knowledge, progress: Progress = lambda *_: None) -> Outcome:
    """Bring the index up to date with the recording, link and judge all of it, and save the result.

    If the index is up to date, nothing is judged again; a deleted database is rebuilt to the same flows and findings.
    Lines in the index that are not, or no longer, from this recording are dropped first: two recordings are never
    mixed.
    """
    if held := current(recording, store, known):
        with store.snapshot():
            if store.judged_by(held.name) == held.judged_by:
                return concluded(store, held.name, held)
    return _correlate(recording, store, known, progress)


def _correlate(recording: Recording, store: Store, known: Knowledge, progress: Progress = lambda *_: None) -> Outcome:
    walk = Walk(recording, store, known, renew(recording, store))
    # A line that a killed writer left unfinished is read too; if its writer is still alive, it is replaced next time.
    files = (recording.read(kind, walk.positions.get(kind), finished=True) for kind in FILES)
    new_lines = walk.ingest(chain.from_iterable(files))
    walk.recall(progress)
    return walk.conclude(new_lines)


def report_on(recording: Recording, store: Store, known: Knowledge, progress: Progress = lambda *_: None) -> Report:
    """The report of a recording, which is correlated first unless the index is current."""
    report = current_report(recording, store, known)
    return report or fresh_report(recording, store, known, _correlate(recording, store, known, progress))


def follow(
    recording: Recording,
    store: Store,
    known: Knowledge,
    stop: Callable[[], bool],
    on_change: Callable[[Outcome], object] = lambda _: None,
    on_lines: Callable[[Sequence[ReadLine]], object] = lambda _: None,
) -> Outcome:
    """Correlate a recording while it is being made; findings are committed as soon as their upload is complete.

    `on_change` is called whenever flows or findings change, `on_lines` with new lines. Ends after `stop()` with a final
    full pass, so that a followed recording and one correlated later give the same report.
    """
    name = renew(recording, store)
    walk = Walk(recording, store, known, name)
    walk.ingest(())
    walk.recall()
    before: tuple[tuple[Flow, ...], tuple[Finding, ...]] = ((), ())
    credit, counted = JUDGE_CREDIT_S, time.monotonic()
    due = 0.0
    with settling() as settle:
        for reads in recording.follow(walk.positions, stop):
            on_lines(reads)
            if reads:
                walk.ingest(reads)
                if walk.take(reads):
                    wait_s = 0 if any(read.kind == "upload" for read in reads) else UPLOAD_WAIT_S
                    due = min(due, time.monotonic() + wait_s)
                settle(len(reads))
            begun = time.monotonic()
            credit = min(JUDGE_CREDIT_S, credit + (begun - counted) * JUDGE_SHARE)
            counted = begun
            if due <= begun and credit > 0:
                if walk.run_moved():
                    walk = Walk(recording, store, known, name)
                    walk.recall()
                outcome = walk.conclude(len(reads), going_on=True)
                credit -= time.monotonic() - begun
                due = math.inf
                if (outcome.flows, outcome.findings) != before:
                    before = (outcome.flows, outcome.findings)
                    on_change(outcome)
    return _correlate(recording, store, known)


def uploaded(recording: Recording) -> Iterator[DecodedUpload]:
    """Every upload of a recording, decoded."""
    for ref, _, _, upload in recording.seen(Upload):
        body = recording.body_view(upload.body) if upload.body else None
        yield DecodedUpload(ref, upload, decode.leaves(upload, body).leaves)


def differences(paths: Sequence[Path], reports: Sequence[Report]) -> tuple[Candidate, ...]:
    """The fields that changed with the persona between runs; nothing is read if all runs had the same persona."""
    if len({report.run.persona for report in reports}) < 2:
        return ()
    return changed([(report, uploaded(Recording.open(path))) for path, report in zip(paths, reports, strict=True)])
