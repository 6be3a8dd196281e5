"""Compares a run without hooks with the main run: what the app did only while it was not hooked.

An app may behave differently from one run to the next without our doing. So each sentence says what was seen in both
runs, and usual differences (names below one domain, fewer bytes, a few seconds) are not reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Literal

from appwitness.events import Gap, Phase, Ref, Run, Upload, Witness
from appwitness.events.seen import Seen
from appwitness.findings import Counted, ReportedGap
from appwitness.judge.recipients import clean_host, registrable

ITSELF = "run"
"""Subject of the line that says how long the app ran in the control run; the subjects of other lines are hosts."""
SOONER = timedelta(seconds=10)
"""An app may end this much earlier in one run than in another without any reason."""
LESS_BYTES = 65_536
TIMES = 2
"""A factor up to this, plus LESS_BYTES, is a usual difference between the bytes of two runs."""

ENDED = "observation ended"
"""Text of the mark at the end of a run that the app did not end itself."""
Where = Literal["proxy", "device"]
Lines = Sequence[Seen[Witness]]


def beyond(
    run: Run, control: Lines, uploads: Sequence[Upload], phases: Sequence[Phase], gaps: Sequence[Gap]
) -> Iterator[ReportedGap]:
    """A gap for each domain that only the control run contacted, for much more data sent in it, and for an app that
    ended by itself when hooked but kept running when not."""
    if not control:
        return
    if run.observers.proxy:
        yield from _hosts(run, control, uploads, gaps)
        yield from _more(run, control, uploads)
    yield from _early(run, control, phases)


def _hosts(run: Run, control: Lines, uploads: Sequence[Upload], gaps: Sequence[Gap]) -> Iterator[ReportedGap]:
    contacted = {_domain(upload.host) for upload in uploads if upload.host}
    contacted |= {_domain(gap.sni or gap.subject) for gap in gaps if gap.where == "proxy"}
    alone: dict[str, tuple[Ref, str, int]] = {}
    for ref, _, _, each in control:
        if each.subject and each.subject != ITSELF and (domain := _domain(each.subject)) not in contacted:
            first = alone.get(domain, (ref, each.subject, 0))
            alone[domain] = (first[0], first[1], first[2] + (each.size or 0))
    for ref, host, size in alone.values():
        detail = f"{host} was contacted only in the run without hooks: {size:,} bytes"
        counted = Counted(by="control", what="host", subject=host, counted=size, recorded=0)
        yield _gap(run, ref, "proxy", host, detail, counted)


def _more(run: Run, control: Lines, uploads: Sequence[Upload]) -> Iterator[ReportedGap]:
    """The gap for more bytes in the control run; none if that run was longer and had more time to send."""
    lasted = [
        each.until - each.since for _, _, _, each in control if each.subject == ITSELF and each.until and each.since
    ]
    if not lasted or run.ended is None or lasted[0] > run.ended - run.started + SOONER:
        return
    alone = sum(each.event.size or 0 for each in control)
    watched = sum(upload.size for upload in uploads)
    if alone > watched * TIMES + LESS_BYTES:
        detail = f"{alone:,} bytes were sent in the run without hooks, {watched:,} in this one"
        counted = Counted(by="control", what="less", subject=ITSELF, counted=alone, recorded=watched)
        yield _gap(run, control[0].ref, "proxy", run.app.package, detail, counted)


def _early(run: Run, control: Lines, phases: Sequence[Phase]) -> Iterator[ReportedGap]:
    starts = [each.at for each in phases if each.state == "started"]
    exits = [each.at for each in phases if each.state == "exited"]
    if not starts or not exits or max(exits) < max(starts) or any(each.text == ENDED for each in phases):
        return
    ran = max(exits) - min(starts)
    for ref, _, _, each in control:
        if each.subject == ITSELF and each.since and each.until and (alone := each.until - each.since) > ran + SOONER:
            longer, shorter = int(alone.total_seconds()), int(ran.total_seconds())
            detail = f"the app ended {shorter} s after it started; in the run without hooks it ran for {longer} s"
            counted = Counted(by="control", what="seconds", subject=ITSELF, counted=longer, recorded=shorter)
            yield _gap(run, ref, "device", run.app.package, detail, counted)


def _gap(run: Run, ref: Ref, where: Where, subject: str, detail: str, counted: Counted) -> ReportedGap:
    return ReportedGap(
        at=run.started,
        app=run.app.package,
        where=where,
        subject=subject,
        why="missed",
        detail=detail,
        counted=counted,
        ref=ref,
    )


def _domain(host: str) -> str:
    name = clean_host(host)
    return registrable(name) or name
