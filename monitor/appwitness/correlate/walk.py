"""What is known of one recording so far: learns from its lines, links its uploads, judges and saves."""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from appwitness.correlate.collecting import uncollected
from appwitness.correlate.currency import basis, place_of
from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.events import (
    FILES,
    Access,
    Connection,
    Consent,
    Event,
    Gap,
    Observers,
    Phase,
    Ref,
    Run,
    Screen,
    Transform,
    Upload,
    Value,
    Witness,
    is_limit,
)
from appwitness.events.seen import Seen, holds, number_of
from appwitness.findings import Carrier, Finding, Flow, ReportedGap
from appwitness.judge import observers
from appwitness.judge.claims import Claim
from appwitness.judge.clock_order import decided
from appwitness.judge.code import method_of
from appwitness.judge.connections import bypass_gap, connections_of, foreign_gaps, found_at
from appwitness.judge.consent import Clock, Observed, ScreenReader, Timeline, by_operator, of_app, understood
from appwitness.judge.phases import Phases
from appwitness.judge.rules import Memory, RunFacts, judge
from appwitness.judge.witnesses import Recorded, missed
from appwitness.match import decode
from appwitness.match.decode.opaque import OpaquePart, opaque
from appwitness.match.linking import Joined, Linker
from appwitness.match.reads import Key
from appwitness.recording import ReadLine, Recording
from appwitness.recording.seal import first_stamp
from appwitness.recording.state import run_digest
from appwitness.store import Store
from appwitness.store.index import IndexedState, Saved, Sight

RECENT = timedelta(seconds=5)
"""Following: an access that is reported later than an upload it precedes (the agent sends in batches) is still linked
to uploads of this long before it."""
RECENT_UPLOADS = 512
OPAQUE = 1000
"""Bytes to one host that nobody could read, from which on that is a gap."""
CLOCKS = ("clock_offset_ms", "clock_uncertainty_ms", "sockets_watched", "proxy", "observers")
"""Fields of run.json that are known only when the app is up."""


@dataclass(frozen=True)
class Outcome:
    """The result of one walk."""

    recording: str
    flows: tuple[Flow, ...]
    findings: tuple[Finding, ...]
    new_lines: int
    gaps: tuple[ReportedGap, ...] = ()
    """Those that correlating came upon."""
    all_gaps: int = 0
    """How many gaps there are, lines that are gaps included; limits of the device are none."""


def concluded(store: Store, recording_id: str, held: IndexedState) -> Outcome:
    """What the index has of a recording that it has judged already."""
    flows, findings = tuple(store.flows(recording_id)), tuple(store.findings(recording_id))
    return Outcome(recording_id, flows, findings, 0, tuple(store.found_gaps(recording_id)), held.gaps)


class AskedSoFar(NamedTuple):
    """What is known of the app's phases and of what its user was asked."""

    lines: int
    """How many phase lines it rests on."""
    phases: Phases
    consents: list[Seen[Consent]]
    timeline: Timeline


class Whose(NamedTuple):
    """Whose an upload is, as far as that is known."""

    carrier: Carrier | None
    other_app: bool
    tied: bool
    """Something ties it to the app that is observed."""


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""


class Walk:
    """What is known of one recording so far."""

    def __init__(self, recording: Recording, store: Store, known: Knowledge, name: str | None = None) -> None:
        """`name` is that of the recording in the index; None: its id."""
        self.recording = recording
        self.store = store
        self.known = known
        self.basis: str | None = None
        """Digest of all that is concluded here comes from; None until the index was recalled."""
        self._run_digest = run_digest(recording.path)
        self._head = ""
        """Digest of the first stamp, once there is one."""
        self.run = recording.run
        self.id = name or self.run.id
        self.positions = store.positions(self.id)
        self.linker = Linker(self.run.persona, recording.body, self.run.clock_bound_ms)
        self.connections = connections_of(self.run)
        self.recipients = known.recipients_of(self.run)
        self.controllers = frozenset(known.labels.permission_controllers)
        self.accesses: list[Seen[Access]] = []
        self.readers: dict[Key, dict[str, datetime]] = {}
        """Which code read a value, and when first; reads whose stack does not tell are not there."""
        self.processes: set[int] = set()
        """Those that the agent was in."""
        self.screens = ScreenReader(known.labels, self.run.app.package)
        self.consents: list[Seen[Consent]] = []
        self.phases: list[Seen[Phase]] = []
        self.witnesses: list[Seen[Witness]] = []
        self.gaps: list[Gap] = []
        self.joined: dict[Ref, tuple[Seen[Upload], list[Joined]]] = {}
        self.cuts: dict[Ref, ReportedGap] = {}
        self.opaque: dict[Ref, tuple[Seen[Upload], tuple[OpaquePart, ...]]] = {}
        """Uploads with parts that nobody could read."""
        self.made: set[str] = set()
        """sha256 of what the hooks saw the app make: what is in it is known."""
        self.unreadable: dict[Ref, ReportedGap] = {}
        """Lines that are none of the contract."""
        self.claims: dict[Ref, tuple[Claim, ...]] = {}
        self.recent: dict[Ref, tuple[Seen[Upload], decode.Decoded]] = {}
        self.forgotten: dict[str, set[Ref]] = {}
        """Kind -> those of its lines that were forgotten."""
        self.until = self.run.ended
        """Up to when the run was observed, on the host's clock."""
        self.asked: AskedSoFar | None = None
        self.flows: dict[Ref, tuple[tuple[object, ...], list[Flow]]] = {}
        """Those of each upload, with what they were made of."""
        self.memory = Memory()
        self.saved: Saved | None = None

    def run_moved(self) -> bool:
        """Whether run.json has changed in a field on which everything here depends, such as the clock offset."""
        now = self.recording.run
        return any(getattr(now, name) != getattr(self.run, name) for name in CLOCKS)

    def ingest(self, reads: Iterable[ReadLine]) -> int:
        """Have the index take in lines; how many were new."""
        if not self._head:
            self._head = first_stamp(self.recording.path) or ""
        return self.store.ingest(self.id, self.recording.run, place_of(self.recording), reads, self._head)

    def recall(self, progress: Progress = lambda *_: None) -> None:
        """Learn from all that the index has, and link its uploads."""
        # before anything is read: what changes meanwhile is not in the basis, so it will not be taken for current
        held = self.store.held(self.id)
        there = held.prefixes if held else {}
        if held:
            self.basis = basis(self.recording, held, self.known, self._run_digest)
        for kind in ("access", "connection", "transform", "consent", "screen", "phase", "witness", "gap"):
            for seen in self._indexed(kind) if kind in there else ():
                self.learn(seen)
        uploads = list(self._indexed("upload"))
        for number, seen in enumerate(uploads):
            progress("matching uploads", number, len(uploads))
            if holds(seen, Upload):
                self.link(seen)
        progress("matching uploads", len(uploads), len(uploads))

    def _indexed(self, kind: str) -> Iterator[Seen[Event]]:
        reads = self.store.read(self.id, kind, recording=self.recording)
        return (seen for read in reads if (seen := self._seen(read)))

    def _seen(self, read: ReadLine) -> Seen[Event] | None:
        """A line on the host's clock; one that was forgotten, or is none of the contract, is remembered."""
        seen = read.seen(self.run.clock_offset_ms)
        if seen:
            self.unreadable.pop(read.ref, None)
            self._in_process(seen.event)
        elif read.forgotten:
            self.forgotten.setdefault(read.kind, set()).add(read.ref)
        else:
            detail = f"not a line of the contract: {read.error}"
            self.unreadable[read.ref] = ReportedGap(
                at=self.run.started, where="correlate", subject=read.ref, why="protocol_unsupported", detail=detail
            )
        return seen

    def _cut_short(self, seen: Seen[Screen]) -> None:
        """Remember that a screen has more on it than is read."""
        if self.screens.leaves_out(seen.event):
            detail = "more is on the screen than is read of one: what it asks may not be known"
            self.cuts[seen.ref] = ReportedGap(
                at=seen.at, app=seen.event.app, where="correlate", subject=seen.ref, why="decode_limit", detail=detail
            )

    def learn(self, seen: Seen[Event]) -> None:
        """Take in one line that is no upload; what another app did says nothing of this one."""
        if holds(seen, Connection):
            self.connections.add(seen)
        elif holds(seen, Gap):
            self.gaps.append(seen.event)
        elif not of_app(seen.event, self.run.app.package, self.controllers):
            return
        elif holds(seen, Access):
            self._read(seen)
            self.accesses.append(seen)
            self._observed(seen.on_host(seen.event.until or seen.event.at))
            self.linker.add_access(seen)
        elif holds(seen, Transform):
            self.linker.add_transform(seen)
            self.made |= _made(seen.event)
        elif holds(seen, Consent):
            if line := understood(seen, self.known.labels):
                self.consents.append(line)
                if claim := self.known.claims.of_line(line):
                    self.claims[seen.ref] = (claim,)
        elif holds(seen, Screen):
            self.consents += self.screens.read(seen)
            self._cut_short(seen)
        elif holds(seen, Phase):
            self.phases.append(seen)
        elif holds(seen, Witness):
            self.witnesses.append(seen)

    def take(self, reads: Iterable[ReadLine]) -> bool:
        """Learn from new lines and link the uploads they concern; whether anything may have changed."""
        changed = False
        uploads: list[Seen[Upload]] = []
        earliest: datetime | None = None
        for read in reads:
            if (seen := self._seen(read)) is None:
                continue
            if holds(seen, Upload):
                uploads.append(seen)
                continue
            self.learn(seen)
            changed = changed or isinstance(seen.event, Access | Connection | Consent | Screen | Phase | Witness | Gap)
            if isinstance(seen.event, Access | Transform):
                earliest = seen.at if earliest is None else min(earliest, seen.at)
        if earliest is not None:
            for ref, (upload, decoded) in self.recent.items():
                if upload.at < earliest:
                    continue
                if decoded.passed_over:  # what was passed over may hold what is known only now
                    self.recent[ref] = (upload, self.link(upload))
                else:
                    self.joined[ref] = (upload, self.linker.link(upload, decoded))
        for upload in uploads:
            self.recent[upload.ref] = (upload, self.link(upload))
        self._forget()
        return changed or bool(uploads)

    def link(self, seen: Seen[Upload]) -> decode.Decoded:
        """Take an upload apart, and join to it what was read before it."""
        ref, upload = seen.ref, seen.event
        self._observed(seen.at)
        body = self.recording.body_view(upload.body) if upload.body else None
        decoded = decode.leaves(upload, body, narrow=self.linker.narrow, spool=self.recording.scratch)
        for cut in decoded.cut:
            self.cuts[ref] = ReportedGap(
                at=seen.at, app=upload.app, where="correlate", subject=ref, why="decode_limit", detail=cut
            )
        if parts := opaque(decoded):
            self.opaque[ref] = (seen, parts)
        if upload.body and body is None:
            self.cuts[ref] = ReportedGap(
                at=seen.at,
                app=upload.app,
                where="correlate",
                subject=ref,
                why="body_truncated",
                detail=f"bodies/{upload.body} is missing or no regular file",
            )
        if claims := self.known.claims.of_upload(seen, decoded.leaves):
            self.claims[ref] = claims
        self.joined[ref] = (seen, self.linker.link(seen, decoded))
        return decoded

    def conclude(self, new_lines: int, *, going_on: bool = False) -> Outcome:
        """Judge what is linked and save it, in one transaction; nothing final is said of a run that is `going_on`.

        Nor is anything concluded from what is not there when lines were forgotten.
        """
        partial = going_on or bool(self.forgotten)
        connected = self.run.sockets_watched and "connection" not in self.forgotten
        _, phases, consents, timeline = self.asked = self._asked()
        watched = observers.watched(self.run, len(self.accesses), len(self.joined), timeline, len(self.witnesses))
        uploads = {ref: seen for ref, (seen, _) in self.joined.items()}
        sent = [seen.event for seen in uploads.values()]
        carriers = self.connections.carriers(uploads, self.known.recipients)
        foreign = self.connections.foreign(uploads, carriers) if connected else frozenset[Ref]()
        foreign |= self._of_others(uploads, carriers)
        flows = self._flows(timeline, carriers, foreign)
        gaps = (
            *(self.cuts[ref] for ref in sorted(self.cuts, key=number_of)),
            *self._opaque(foreign),
            *_dangling(timeline, self.run),
            *foreign_gaps(uploads[ref] for ref in sorted(foreign, key=number_of)),
            *(() if partial else self._bypassing(sent)),
            *(() if going_on else self._unobserved(watched, timeline)),
            *(() if partial else observers.unplayed(self.run, timeline, self.phases, self._told())),
            *(() if partial else self._missed(watched, sent)),
        )
        facts = RunFacts(
            flows=flows,
            accesses=tuple(self.accesses),
            timeline=timeline,
            observers=watched,
            clock_uncertainty_ms=self.run.clock_bound_ms,
            data_types=self.known.data_types,
            recipients=self.known.recipients,
            consents=tuple(each for each in consents if each.ref not in timeline.echoes),
            phases=phases,
            claims=tuple(claim for ref in self._claiming(timeline, foreign) for claim in self.claims[ref]),
            gaps=(*self.gaps, *gaps),
            uploads=len(self.joined),
            untied=frozenset(
                ref for ref in self.claims if ref in uploads and not self._ties(uploads[ref].event, carriers.get(ref))
            ),
            app_type=self.known.type_of(self.run),
            policy=self.known.policy,
            territory=self.known.territory,
            laws=self.known.laws,
            jurisdictions=self.known.jurisdictions,
            recipient_of=self.recipients.of,
            labels=self.known.labels,
            frequency=self.known.frequency,
        )
        with uncollected():
            findings = judge(self.known.rules, facts, going_on=partial, memory=self.memory)
        gaps += (*self._holes(), *(self.unreadable[ref] for ref in sorted(self.unreadable, key=_place)))
        all_gaps = sum(not is_limit(gap) for gap in (*self.gaps, *gaps))
        judged_by = None if going_on else self.basis
        self.saved = self.store.save(
            self.id,
            flows,
            findings,
            gaps=gaps,
            values=self._values(),
            judged_by=judged_by,
            path=place_of(self.recording),
            before=self.saved,
            sight=Sight(
                gaps=all_gaps,
                reads=len(self.accesses),
                uploads=len(self.joined) - len(foreign),
                sought=bool(self.accesses) or watched.persona is not None,
                asked=timeline.asked if timeline.watched else None,
            ),
        )
        return Outcome(self.id, flows, findings, new_lines, gaps, all_gaps)

    def _values(self) -> Iterator[Value]:
        """Every value that the recording names: planted or read."""
        yield from self.run.persona
        for access in self.accesses:
            yield from access.event.values

    def _holes(self) -> Iterator[ReportedGap]:
        """Where lines were forgotten."""
        for kind in (kind for kind in FILES if kind in self.forgotten):
            detail = f"{len(self.forgotten[kind]):,} lines"
            yield ReportedGap(
                at=self.run.started, where="correlate", subject=FILES[kind], why="forgotten", detail=detail
            )

    def _bypassing(self, uploads: Iterable[Upload]) -> Iterator[ReportedGap]:
        """What the agent saw go out and no proxy saw."""
        if self.run.sockets_watched:
            past = self.connections.bypassing(uploads, self.gaps, self.run.proxy, found_at(self.run))
            if gap := bypass_gap(past):
                yield gap

    def _missed(self, watched: Observers, uploads: Sequence[Upload]) -> Iterator[ReportedGap]:
        """What the system counted, and hooks or proxy did not record."""
        recorded = Recorded(
            self.accesses, uploads, self.connections.opened, [seen.event for seen in self.phases], self.gaps
        )
        return missed(self.run, watched, self.witnesses, recorded, self.known.app_ops)

    def _claiming(self, timeline: Timeline, foreign: frozenset[Ref]) -> Iterator[Ref]:
        """Lines and uploads of the app that claim consent; what an operator has taken back claims nothing."""
        replaced = timeline.replaced()
        return (ref for ref in self.claims if ref not in replaced and ref not in foreign)

    def _of_others(self, uploads: Mapping[Ref, Seen[Upload]], carriers: Mapping[Ref, Carrier]) -> frozenset[Ref]:
        """Uploads that are written in the name of another app, or that a connection of one carried."""
        own = {None, self.run.app.package}
        return frozenset(
            ref
            for ref, upload in uploads.items()
            if upload.event.app not in own or (ref in carriers and carriers[ref].app not in own)
        )

    def _asked(self) -> AskedSoFar:
        """Phases and consent as they are known by now; as they were at the last time, when no line says otherwise."""
        consents = [*self.consents, *self.screens.unproven(self.until)]
        before = self.asked
        if before and before.lines == len(self.phases) and before.phases.settled and before.consents == consents:
            return before
        until = self.until if self.run.clocks_compared else None  # that is on the host's clock, phases on the device's
        phases = Phases(() if "phase" in self.forgotten else self.phases, until)
        timeline = timeline_of(consents, phases, self.run, self.known, self.forgotten.keys())
        return AskedSoFar(len(self.phases), phases, consents, timeline)

    def _opaque(self, foreign: AbstractSet[Ref]) -> Iterator[ReportedGap]:
        """A gap for each host that got thousands of bytes that nobody could read: in none of them a value was found,
        and the hooks saw none of them made."""
        hosts: dict[str, list[tuple[Seen[Upload], int]]] = defaultdict(list)
        for ref, (seen, parts) in self.opaque.items():
            if ref not in foreign and (size := sum(part.size for part in parts if not self._is_known(ref, part))):
                hosts[seen.event.host or seen.event.via].append((seen, size))
        for host, uploads in hosts.items():
            first, total = min(uploads, key=lambda one: one[0].number)[0], sum(size for _, size in uploads)
            if total >= OPAQUE:
                said = f"{total:,} bytes in {len(uploads):,} {'message' if len(uploads) == 1 else 'messages'}"
                yield ReportedGap(
                    at=first.at,
                    app=first.event.app,
                    where="correlate",
                    subject=host,
                    why="not_decrypted",
                    detail=f"{said} could not be decoded: what is in them is not known",
                    ref=first.ref,
                )

    def _is_known(self, ref: Ref, part: OpaquePart) -> bool:
        joins = self.joined[ref][1] if ref in self.joined else []
        matches = (match for joined in joins for match in joined.matches if match.path.startswith("$"))
        places = ((match.start, match.end) for match in matches if match.evidence)  # the app was seen to make it
        return part.sha256 in self.made or any(start < part.end and part.start < end for start, end in places)

    def _told(self) -> int:
        """How many lines tell what the app did, or what was done with it."""
        return sum(map(len, (self.accesses, self.joined, self.phases, self.consents, self.witnesses)))

    def _observed(self, at: datetime) -> None:
        self.until = at if self.until is None else max(at, self.until)

    def _flows(self, timeline: Timeline, carriers: Mapping[Ref, Carrier], foreign: frozenset[Ref]) -> tuple[Flow, ...]:
        """All flows; those of an upload of which nothing new is known are the same objects as before."""
        flows: list[Flow] = []
        for seen, joins in sorted(self.joined.values(), key=lambda one: one[0].number):
            carrier = carriers.get(seen.ref)
            whose = Whose(carrier, seen.ref in foreign, self._ties(seen.event, carrier))
            others = [self._other_readers(joined, seen.at) for joined in joins]
            rest_on = (len(flows), joins, timeline, whose, others)
            made = self.flows.get(seen.ref)
            if made is None or made[0] != rest_on:
                own = [
                    self._flow(f"f{len(flows) + 1 + at}", seen, joined, timeline, whose, others[at])
                    for at, joined in enumerate(joins)
                ]
                made = self.flows[seen.ref] = (rest_on, own)
            flows += made[1]
        return tuple(flows)

    def _flow(
        self,
        name: str,
        seen: Seen[Upload],
        joined: Joined,
        timeline: Timeline,
        whose: Whose,
        other_readers: bool,
    ) -> Flow:
        upload, bound_ms = seen.event, self.run.clock_bound_ms
        clock: Clock = "device" if upload.by_agent else "host"
        status = decided(timeline, seen.at, clock, bound_ms, joined.data)
        uncertainty_ms = self.run.clock_uncertainty_ms if self.run.clocks_compared else None
        return Flow(
            id=name,
            access=joined.access,
            access_at=joined.access_at,
            upload=joined.upload,
            connection=whose.carrier.ref if whose.carrier else None,
            data=joined.data,
            consent=status.told,
            consent_assumed=status.assumed,
            consent_unordered=status.unordered,
            recipient=self.recipients.of(upload.host or "", upload.server.ip if upload.server else None),
            matches=joined.matches,
            at=seen.at,
            earlier=joined.earlier,
            rows=joined.rows,
            rows_read=joined.rows_read,
            entries=joined.entries,
            people=joined.people,
            via=upload.via,
            cleartext=upload.cleartext,
            other_readers=other_readers,
            unanswered=upload.unanswered,
            untied=not whose.tied and not any(match.evidence for match in joined.matches),
            carrier=whose.carrier,
            other_app=whose.other_app,
            uncertainty_ms=0.0 if upload.by_agent else uncertainty_ms,
            clock=clock,
            simultaneous=joined.simultaneous,
        )

    def _unobserved(self, watched: Observers, timeline: Timeline) -> Iterator[ReportedGap]:
        """What nobody observed; that the clocks were not compared, unless a line says so."""
        told = any(gap.why == "no_clock" for gap in self.gaps)
        return observers.gaps(self.run, watched, timeline, self.forgotten.keys(), recorded_no_clock=told)

    def _in_process(self, event: Event) -> None:
        """Remember the process of a line in the app's name."""
        if event.pid is not None and event.app == self.run.app.package:
            self.processes.add(event.pid)

    def _read(self, seen: Seen[Access]) -> None:
        """Remember which code read what."""
        if seen.event.values and (code := method_of(seen.event)):
            for value in seen.event.values:
                first = self.readers.setdefault((value.type, value.text), {})
                first[code] = min(first.get(code, seen.at), seen.at)

    def _other_readers(self, joined: Joined, at: datetime) -> bool:
        """Whether several pieces of code had read values that an upload carries, each of them the same one."""
        keys = {(match.type, match.value) for match in joined.matches} if joined.earlier else ()
        return any(sum(first <= at for first in self.readers.get(key, {}).values()) > 1 for key in keys)

    def _ties(self, upload: Upload, carrier: Carrier | None) -> bool:
        """Whether a socket ties an upload to the app, or its line does: who captured it knew the process or the app.
        Of an import, the app in a line is the word of whoever imported it."""
        named = upload.app == self.run.app.package and not self.run.imported
        return carrier is not None or upload.by_agent or named or upload.pid in self.processes

    def _forget(self) -> None:
        """Keep only the decoded uploads that a late access may still concern."""
        if not self.recent:
            return
        newest = max(upload.at for upload, _ in self.recent.values())
        keep = [ref for ref, (upload, _) in self.recent.items() if newest - upload.at <= RECENT][-RECENT_UPLOADS:]
        self.recent = {ref: self.recent[ref] for ref in keep}


def _place(ref: Ref) -> tuple[int, int]:
    """The place of a line in the order of files."""
    return list(FILES.values()).index(ref.rpartition(":")[0]), number_of(ref)


def _made(transform: Transform) -> set[str]:
    """sha256 of what it gave."""
    output = transform.output
    if output.body is not None:
        return {output.body}
    with suppress(ValueError):  # of a stranger's recording
        return {hashlib.sha256(base64.b64decode(output.b64 or "")).hexdigest()}
    return set()


def _dangling(timeline: Timeline, run: Run) -> Iterator[ReportedGap]:
    """Corrections that correct nothing."""
    for ref, named in timeline.dangling().items():
        detail = f"names {named} as the line that it corrects, and there is no such line before it"
        yield ReportedGap(at=run.started, where="correlate", subject=ref, why="protocol_unsupported", detail=detail)


def timeline_of(
    consents: Iterable[Seen[Consent]],
    phases: Phases | None,
    run: Run,
    known: Knowledge,
    forgotten: AbstractSet[str] = frozenset(),
) -> Timeline:
    """Consent of a run, out of the lines that are about it.

    Where such lines were forgotten, what is left of them may say the contrary: a person's marks alone count then.
    """
    hole = bool(forgotten & observers.OF_CONSENT)
    watched = run.observers.consent and not hole
    return Timeline(
        [each for each in consents if by_operator(each.event)] if hole else consents,
        run.started if run.clocks_compared and not run.imported else None,  # a foreign file begins with its first line
        known.labels,
        phases,
        Observed(run.app.package, watched, known.assume_consent),
    )
