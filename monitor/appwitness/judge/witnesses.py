"""Compares the system's own counters with what hooks and proxy recorded: what they missed, and how much.

It compares in one direction only, and reports too little rather than too much: a use counts as explained by any
recorded read that may explain it, ops that the system also notes for harmless calls are ignored, and what another
package requested on the app's behalf is not the app's. Times of AppOps are accurate to about a second, those of its
history to a minute.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Literal

from appwitness.catalog.app_ops import AppOps
from appwitness.events import Access, DataType, Gap, Observers, Phase, Ref, Run, Upload, Witness
from appwitness.events.seen import Seen
from appwitness.findings import Counted, ReportedGap
from appwitness.judge import unhooked_run

SLACK = timedelta(seconds=2)
"""The system's time of a use and ours of the read behind it come from the same clock, but not from the same moment."""
PLACES: tuple[DataType, ...] = ("location", "location_coarse", "movement_track")
LEAST_BYTES = 65_536
"""Fewer missing bytes than this are no gap: name lookups, time synchronisation, retransmissions."""
PER_UPLOAD = 700
PER_CONNECTION = 8_000
"""Bytes that a message, and a connection (handshake, closing), need besides what is recorded."""
SHARE = 0.15
"""Overhead for each recorded byte: headers of packets and TLS records, retransmissions."""
STARTED = "am_proc_start"
"""Event in the system's log: a process was started."""
UNHOOKED: Literal["process_not_instrumented"] = "process_not_instrumented"
NETWORKS = "networks"
"""Subject of a byte count without loopback, over which an app also talks to itself."""
ANSWERED = 0.04
"""Bytes of acknowledgements for each byte received."""


@dataclass(frozen=True)
class _Use:
    """How many uses there were between two times."""

    ref: Ref
    since: datetime
    until: datetime
    count: int


class _Reads:
    """The reads of some data types, to be counted between two times."""

    def __init__(self, accesses: Iterable[Seen[Access]]) -> None:
        spans = [(each.at, each.on_host(each.event.until or each.event.at), each.event.count) for each in accesses]
        starts = sorted((begin, count) for begin, _, count in spans)
        ends = sorted((end, count) for _, end, count in spans)
        self._starts = [at for at, _ in starts]
        self._ends = [at for at, _ in ends]
        self._started = [0, *accumulate(count for _, count in starts)]
        self._ended = [0, *accumulate(count for _, count in ends)]

    def between(self, since: datetime, until: datetime) -> int:
        """How many reads may have happened in that time."""
        begun = self._started[bisect_right(self._starts, until + SLACK)]
        return begun - self._ended[bisect_left(self._ends, since - SLACK)]


@dataclass(frozen=True)
class Recorded:
    """What hooks and proxy recorded of a run."""

    accesses: Sequence[Seen[Access]] = ()
    uploads: Sequence[Upload] = ()
    """Everything that the proxy saw."""
    connections: int = 0
    phases: Sequence[Phase] = ()
    gaps: Sequence[Gap] = ()


def missed(
    run: Run, observers: Observers, witnesses: Sequence[Seen[Witness]], recorded: Recorded, ops: AppOps
) -> Iterator[ReportedGap]:
    """A gap, with its size, for everything that the system counted more often than it was recorded; for each process
    that ran without hooks, unless a recorded gap says so; and for what a run without hooks showed in addition.

    There are none if nobody watched: that is a gap of its own.
    """
    if not witnesses:
        return
    if observers.hooks:
        yield from _reads(run, witnesses, recorded.accesses, ops)
        hooked = {each.event.pid for each in recorded.accesses} | {each.pid for each in recorded.phases}
        yield from _processes(run, witnesses, hooked, recorded.gaps)
    if observers.proxy:
        yield from _bytes(run, witnesses, recorded.uploads, recorded.connections)
    lines = [each for each in witnesses if each.event.by == "control"]
    yield from unhooked_run.beyond(run, lines, recorded.uploads, recorded.phases, recorded.gaps)


def _reads(
    run: Run, witnesses: Sequence[Seen[Witness]], accesses: Sequence[Seen[Access]], ops: AppOps
) -> Iterator[ReportedGap]:
    """A gap for each data type, for the count with the most unseen reads: several ops, or two parts of the system, may
    count the same read."""
    uses: dict[tuple[tuple[DataType, ...], str, str], list[_Use]] = defaultdict(list)
    for seen in witnesses:
        witness = seen.event
        kinds = _kinds(witness, ops)
        since, until = (seen.on_host(at or witness.at) for at in (witness.since, witness.until))
        if kinds and witness.count and until >= run.started:
            uses[kinds, witness.by, witness.subject or ""].append(_Use(seen.ref, since, until, witness.count))
    reads: dict[tuple[DataType, ...], _Reads] = {}
    found: dict[DataType, tuple[Counted, list[_Use]]] = {}
    for (kinds, by, subject), each in uses.items():
        if kinds not in reads:
            reads[kinds] = _Reads(each for each in accesses if each.event.data in kinds)
        logged = [min(use.count, reads[kinds].between(use.since, use.until)) for use in each]
        unseen = [use for use, number in zip(each, logged, strict=True) if number < use.count]
        counted = Counted(
            by="location" if by == "location" else "appops",
            what="reads",
            subject=subject,
            data=kinds[0],
            counted=sum(use.count for use in each),
            recorded=sum(logged),
        )
        if unseen and (kinds[0] not in found or counted.unseen > found[kinds[0]][0].unseen):
            found[kinds[0]] = counted, unseen
    for counted, unseen in found.values():
        first = min(unseen, key=lambda use: (use.since, use.ref))
        yield ReportedGap(
            at=max(first.since, run.started),
            until=max(use.until for use in unseen),
            app=run.app.package,
            where="hook",
            subject=counted.data or counted.subject,
            why="missed",
            detail=f"the system counted {counted.counted} uses of {counted.subject} ({counted.by}), hooks saw "
            f"{counted.recorded} of them",
            counted=counted,
            ref=first.ref,
        )


def _kinds(witness: Witness, ops: AppOps) -> tuple[DataType, ...]:
    """The data types of reads that explain a line; empty if it says nothing about the app's own reads."""
    if witness.on_behalf is not None and not ops.is_provider(witness.on_behalf):
        return ()
    match witness.by:
        case "appops":
            op = ops.of(witness.subject)
            return () if op is None or op.wide else op.data
        case "location":
            return PLACES
        case _:
            return ()


def _bytes(
    run: Run, witnesses: Sequence[Seen[Witness]], uploads: Sequence[Upload], connections: int
) -> Iterator[ReportedGap]:
    counts = [each for each in witnesses if each.event.by == "netstats" and each.event.subject == NETWORKS]
    if not counts:
        return
    sent = sum(each.event.size or 0 for each in counts)
    received = sum(each.event.received or 0 for each in counts)
    recorded = sum(map(_size, uploads))
    allowed = int(len(uploads) * PER_UPLOAD + connections * PER_CONNECTION + received * ANSWERED + recorded * SHARE)
    if sent - recorded - allowed < LEAST_BYTES:
        return
    first = counts[0]
    counted = Counted(by="netstats", what="bytes", subject=NETWORKS, counted=sent, recorded=recorded, allowed=allowed)
    yield ReportedGap(
        at=first.on_host(first.event.since or first.event.at),
        until=max(each.on_host(each.event.until or each.event.at) for each in counts),
        app=run.app.package,
        where="proxy",
        subject=run.app.package,
        why="missed",
        detail=f"the system counted {sent:,} bytes sent, {recorded:,} were recorded: {counted.unseen:,} bytes unseen, "
        "what connections need for themselves left out",
        counted=counted,
        ref=first.ref,
    )


def _processes(
    run: Run, witnesses: Sequence[Seen[Witness]], hooked: set[int | None], gaps: Sequence[Gap]
) -> Iterator[ReportedGap]:
    """A gap for each process that the system ran for the app and that wrote no line of ours; not for a process
    started only while searching for the hook that kills the app, which is already a gap."""
    told = set(" ".join(f"{gap.subject} {gap.detail or ''} {gap.pid}" for gap in gaps if gap.why == UNHOOKED).split())
    searches = [(gap.at, gap.until) for gap in gaps if gap.why == "detached" and gap.where == "hook" and gap.until]
    for seen in witnesses:
        each = seen.event
        name = each.subject if each.by == "processes" else (each.detail or "").partition(": ")[0]
        if each.pid is None or each.pid in hooked or not (each.by == "processes" or each.subject == STARTED):
            continue
        hooked.add(each.pid)
        at = seen.on_host(each.since or each.at)
        if not {name, str(each.pid)} & told and not any(begin <= at <= end for begin, end in searches):
            yield ReportedGap(
                at=at,
                app=run.app.package,
                pid=each.pid,
                where="hook",
                subject=name or str(each.pid),
                why=UNHOOKED,
                detail=f"process {each.pid} of the app ran without hooks",
                ref=seen.ref,
            )


def _size(upload: Upload) -> int:
    head = sum(len(name) + len(value) + 4 for name, value in upload.headers)
    return upload.size + head + len(upload.url or "")
