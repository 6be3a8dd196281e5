"""The state of one recording's analysis: learns from its lines, links its uploads, judges and saves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from appwitness.correlate.currency import basis, head_of, place_of
from appwitness.correlate.learned import Holes, Learned
from appwitness.correlate.linked import Linked
from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.events import (
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
    Witness,
    is_limit,
)
from appwitness.events.packed_lines import ByRef
from appwitness.events.seen import Seen, holds, number_of
from appwitness.events.shared_parts import SharedParts
from appwitness.findings import Carrier, Finding, Flow, ReportedGap
from appwitness.findings.identity import identified
from appwitness.judge import observers
from appwitness.judge.clock_order import decided
from appwitness.judge.connections import bypass_gap, foreign_gaps, found_at
from appwitness.judge.consent import Clock, Observed, Timeline, by_operator
from appwitness.judge.phases import Phases
from appwitness.judge.rules import Memory, RunFacts, judge
from appwitness.judge.witnesses import Recorded, missed
from appwitness.match.linking import Joined
from appwitness.recording import ReadLine, Recording
from appwitness.recording.state import run_digest
from appwitness.store import Store
from appwitness.store.index import IndexedState, Saved, Sight
from appwitness.support.collecting import uncollected

CLOCKS = ("clock_offset_ms", "clock_uncertainty_ms", "sockets_watched", "proxy", "observers")
"""Fields of run.json that are known only once the app is up."""


@dataclass(frozen=True)
class Outcome:
    """The result of one walk."""

    recording: str
    flows: tuple[Flow, ...]
    findings: tuple[Finding, ...]
    new_lines: int
    gaps: tuple[ReportedGap, ...] = ()
    """The gaps that correlating found."""
    all_gaps: int = 0
    """The number of all gaps, including those recorded as lines, but without limits of the device."""


def concluded(store: Store, recording_id: str, held: IndexedState) -> Outcome:
    """The outcome of a recording that is judged already, from the index."""
    flows, findings = tuple(store.flows(recording_id)), tuple(store.findings(recording_id))
    return Outcome(recording_id, flows, findings, 0, tuple(store.found_gaps(recording_id)), held.gaps)


class AskedSoFar(NamedTuple):
    """What is known about the app's phases and what its user was asked."""

    lines: int
    """How many phase lines it is based on."""
    phases: Phases
    consents: list[Seen[Consent]]
    timeline: Timeline


class Whose(NamedTuple):
    """Which app an upload belongs to, as far as that is known."""

    carrier: Carrier | None
    other_app: bool
    tied: bool
    """Whether something ties it to the observed app."""


Progress = Callable[[str, int, int], None]
"""Called with the name of the activity, how much of it is done, and the total."""


class MadeBefore:
    """The results of the last conclusion: whatever depends on unchanged input is not computed again."""

    def __init__(self) -> None:
        self.asked: AskedSoFar | None = None
        self.flows: dict[Ref, tuple[tuple[object, ...], list[Flow]]] = {}
        """The flows of each upload, with what they were made from."""
        self.memory = Memory()
        self.saved: Saved | None = None


class Walk:
    """What is known about one recording so far."""

    def __init__(self, recording: Recording, store: Store, known: Knowledge, name: str | None = None) -> None:
        """`name` is the recording's name in the index; None: its id."""
        self.recording = recording
        self.store = store
        self.known = known
        self.basis: str | None = None
        """Digest of everything that conclusions here depend on; None until the index has been recalled."""
        self._run_digest = run_digest(recording.path)
        self._head = ""
        """Digest of the first stamp, once there is one."""
        self.run = recording.run
        self.id = name or self.run.id
        self.positions = store.positions(self.id)
        self.learned = Learned(self.run, known)
        self.linked = Linked(recording, self.run, known)
        self.holes = Holes(self.run)
        self._recipients = known.recipients_of(self.run)
        self.processes: set[int] = set()
        """Processes that the agent was in."""
        self.until = self.run.ended
        """The end of observation, on the host's clock."""
        self.made = MadeBefore()
        self._sharing = SharedParts()

    def run_moved(self) -> bool:
        """Whether run.json has changed in a field that everything here depends on, such as the clock offset."""
        now = self.recording.run
        return any(getattr(now, name) != getattr(self.run, name) for name in CLOCKS)

    def ingest(self, reads: Iterable[ReadLine]) -> int:
        """Add lines to the index; returns how many were new."""
        if not self._head:
            self._head = head_of(self.recording)
        return self.store.ingest(self.id, self.recording.run, place_of(self.recording), reads, self._head)

    def recall(self, progress: Progress = lambda *_: None) -> None:
        """Learn from everything in the index, and link its uploads."""
        # first of all, so that the basis lacks later changes, and the result is not mistaken for current
        held = self.store.held(self.id)
        there = held.prefixes if held else {}
        if held:
            self.basis = basis(self.recording, held, self.known, self._run_digest)
        for kind in ("access", "connection", "transform", "consent", "screen", "phase", "witness", "gap"):
            for seen in self._indexed(kind) if kind in there else ():
                self.learn(seen)
        uploads = there["upload"][0].line if "upload" in there else 0
        for number, seen in enumerate(self._indexed("upload")):
            progress("matching uploads", number, uploads)
            if holds(seen, Upload):
                self._observed(seen.at)
                self.linked.link(seen)
        progress("matching uploads", uploads, uploads)

    def _indexed(self, kind: str) -> Iterator[Seen[Event]]:
        reads = self.store.read(self.id, kind, recording=self.recording)
        return (seen for read in reads if (seen := self._seen(read)))

    def _seen(self, read: ReadLine) -> Seen[Event] | None:
        """A line on the host's clock; None if it was forgotten, or does not follow the contract."""
        seen = read.seen(self.run.clock_offset_ms)
        self.holes.note(read, there=seen is not None)
        if seen:
            self._sharing.of(seen.event)
        if seen and seen.event.pid is not None and seen.event.app == self.run.app.package:
            self.processes.add(seen.event.pid)
        return seen

    def learn(self, seen: Seen[Event]) -> None:
        """Take in one line other than an upload."""
        self.learned.add(seen)
        if isinstance(seen.event, Access | Transform) and self.learned.is_own(seen.event):
            self.linked.learn(seen)
            if holds(seen, Access):
                self._observed(seen.on_host(seen.event.until or seen.event.at))

    def take(self, reads: Iterable[ReadLine]) -> bool:
        """Learn from new lines and link the uploads that they concern; returns whether anything may have changed."""
        changed = False
        uploads: list[Seen[Upload]] = []
        earliest: datetime | None = None
        for read in reads:
            if (seen := self._seen(read)) is None:
                continue
            if holds(seen, Upload):
                self._observed(seen.at)
                uploads.append(seen)
                continue
            self.learn(seen)
            changed = changed or isinstance(seen.event, Access | Connection | Consent | Screen | Phase | Witness | Gap)
            if isinstance(seen.event, Access | Transform):
                earliest = seen.at if earliest is None else min(earliest, seen.at)
        self.linked.follow(uploads, earliest)
        return changed or bool(uploads)

    def conclude(self, new_lines: int, *, going_on: bool = False) -> Outcome:
        """Judge what is linked and save it, in one transaction; no final statements are made about a run that is
        `going_on`.

        If lines were forgotten, nothing is concluded from the absence of lines either.
        """
        learned, linked = self.learned, self.linked
        partial = going_on or bool(self.holes.forgotten)
        connected = self.run.sockets_watched and "connection" not in self.holes.forgotten
        _, phases, consents, timeline = self.made.asked = self._asked()
        reads, messages, counts = len(learned.accesses), len(linked.uploads), len(learned.witnesses)
        watched = observers.watched(self.run, reads, messages, timeline, counts)
        uploads = ByRef(linked.uploads)
        carriers = learned.connections.carriers(uploads, self.known.recipients)
        foreign = learned.connections.foreign(uploads, carriers) if connected else frozenset[Ref]()
        foreign |= self._of_others(uploads, carriers)
        flows = self._flows(timeline, carriers, foreign)
        claims, cuts = learned.claims | linked.claims, learned.cuts | linked.cuts
        gaps = (
            *(cuts[ref] for ref in sorted(cuts, key=number_of)),
            *linked.opaque(foreign, learned.made),
            *_dangling(timeline, self.run),
            *foreign_gaps(uploads[ref] for ref in sorted(foreign, key=number_of)),
            *(() if partial else self._bypassing(seen.event for seen in linked.uploads)),
            *(() if going_on else self._unobserved(watched, timeline)),
            *(() if partial else observers.unplayed(self.run, timeline, learned.phases, self._told())),
            *(() if partial else self._missed(watched)),
        )
        facts = RunFacts(
            flows=flows,
            accesses=learned.accesses,
            timeline=timeline,
            observers=watched,
            clock_uncertainty_ms=self.run.clock_bound_ms,
            data_types=self.known.data_types,
            recipients=self.known.recipients,
            consents=tuple(each for each in consents if each.ref not in timeline.echoes),
            phases=phases,
            claims=tuple(claim for ref in _claiming(claims, timeline, foreign) for claim in claims[ref]),
            gaps=(*learned.gaps, *gaps),
            uploads=messages,
            untied=frozenset(
                ref for ref in claims if ref in uploads and not self._ties(uploads[ref].event, carriers.get(ref))
            ),
            app_type=self.known.type_of(self.run),
            policy=self.known.policy,
            territory=self.known.territory,
            laws=self.known.laws,
            jurisdictions=self.known.jurisdictions,
            recipient_of=self._recipients.of,
            labels=self.known.labels,
            frequency=self.known.frequency,
        )
        if not going_on:
            linked.end()
        with uncollected():
            judged = judge(self.known.rules, facts, going_on=partial, memory=self.made.memory if going_on else None)
        findings = tuple(identified(each, self.run.app.package) for each in judged)
        gaps += tuple(self.holes.gaps())
        all_gaps = sum(not is_limit(gap) for gap in (*learned.gaps, *gaps))
        judged_by = None if going_on else self.basis
        self.made.saved = self.store.save(
            self.id,
            flows,
            findings,
            gaps=gaps,
            values=(*self.run.persona, *learned.values()),
            judged_by=judged_by,
            path=place_of(self.recording),
            before=self.made.saved,
            sight=Sight(
                gaps=all_gaps,
                reads=reads,
                uploads=messages - len(foreign),
                sought=bool(learned.accesses) or watched.persona is not None,
                asked=timeline.asked if timeline.watched else None,
            ),
        )
        return Outcome(self.id, flows, findings, new_lines, gaps, all_gaps)

    def _bypassing(self, uploads: Iterable[Upload]) -> Iterator[ReportedGap]:
        """The gap for traffic that the agent saw leave the app, and no proxy saw."""
        if self.run.sockets_watched:
            past = self.learned.connections.bypassing(uploads, self.learned.gaps, self.run.proxy, found_at(self.run))
            if gap := bypass_gap(past):
                yield gap

    def _missed(self, watched: Observers) -> Iterator[ReportedGap]:
        """Gaps for what the system counted and hooks or proxy did not record."""
        learned = self.learned
        phases = [seen.event for seen in learned.phases]
        uploads = [seen.event for seen in self.linked.uploads]
        recorded = Recorded(learned.accesses, uploads, learned.connections.opened, phases, learned.gaps)
        return missed(self.run, watched, learned.witnesses, recorded, self.known.app_ops)

    def _of_others(self, uploads: Mapping[Ref, Seen[Upload]], carriers: Mapping[Ref, Carrier]) -> frozenset[Ref]:
        """Uploads recorded under another app's name, or carried by another app's connection."""
        own = {None, self.run.app.package}
        return frozenset(
            ref
            for ref, upload in uploads.items()
            if upload.event.app not in own or (ref in carriers and carriers[ref].app not in own)
        )

    def _asked(self) -> AskedSoFar:
        """Phases and consent as known by now; the previous result if no line has changed it."""
        learned, before = self.learned, self.made.asked
        consents = [*learned.consents, *learned.screens.unproven(self.until)]
        if before and before.lines == len(learned.phases) and before.phases.settled and before.consents == consents:
            return before
        until = self.until if self.run.clocks_compared else None  # this is on the host's clock, phases on the device's
        phases = Phases(() if "phase" in self.holes.forgotten else learned.phases, until)
        timeline = timeline_of(consents, phases, self.run, self.known, self.holes.forgotten.keys())
        return AskedSoFar(len(learned.phases), phases, consents, timeline)

    def _told(self) -> int:
        """How many lines say what the app did, or what was done with it."""
        learned = self.learned
        said = len(learned.phases) + len(learned.consents) + len(learned.witnesses)
        return len(learned.accesses) + len(self.linked.uploads) + said

    def _observed(self, at: datetime) -> None:
        self.until = at if self.until is None else max(at, self.until)

    def _flows(self, timeline: Timeline, carriers: Mapping[Ref, Carrier], foreign: frozenset[Ref]) -> tuple[Flow, ...]:
        """All flows; those of an upload about which nothing new is known are the same objects as before."""
        flows: list[Flow] = []
        for seen, joins in self.linked.joined():
            carrier = carriers.get(seen.ref)
            whose = Whose(carrier, seen.ref in foreign, self._ties(seen.event, carrier))
            others = [self.learned.readers.are_several(joined, seen.at) for joined in joins]
            rest_on = (len(flows), joins, timeline, whose, others)
            made = self.made.flows.get(seen.ref)
            if made is None or made[0] != rest_on:
                own = [
                    self._flow(f"f{len(flows) + 1 + at}", seen, joined, timeline, whose, others[at])
                    for at, joined in enumerate(joins)
                ]
                made = self.made.flows[seen.ref] = (rest_on, own)
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
            recipient=self._recipients.of(upload.host or "", upload.server.ip if upload.server else None),
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
        """Gaps for what nobody observed; also that the clocks were not compared, unless a line says so already."""
        told = any(gap.why == "no_clock" for gap in self.learned.gaps)
        return observers.gaps(self.run, watched, timeline, self.holes.forgotten.keys(), recorded_no_clock=told)

    def _ties(self, upload: Upload, carrier: Carrier | None) -> bool:
        """Whether an upload is tied to the app by a socket or by its own line: whoever captured it knew the process
        or the app. In an import, the app named in a line is only the importer's word."""
        named = upload.app == self.run.app.package and not self.run.imported
        return carrier is not None or upload.by_agent or named or upload.pid in self.processes


def _claiming(claims: Iterable[Ref], timeline: Timeline, foreign: frozenset[Ref]) -> Iterator[Ref]:
    """Lines and uploads of the app that claim consent; what an operator has retracted claims nothing."""
    replaced = timeline.replaced()
    return (ref for ref in claims if ref not in replaced and ref not in foreign)


def _dangling(timeline: Timeline, run: Run) -> Iterator[ReportedGap]:
    """Gaps for corrections that correct nothing."""
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
    """Consent over a run, from the lines about it.

    If such lines were forgotten, the remaining ones may suggest the opposite: then only a person's marks count.
    """
    hole = bool(forgotten & observers.OF_CONSENT)
    watched = run.observers.consent and not hole
    return Timeline(
        [each for each in consents if by_operator(each.event)] if hole else consents,
        run.started if run.clocks_compared and not run.imported else None,  # an import begins with its first line
        known.labels,
        phases,
        Observed(run.app.package, watched, known.assume_consent),
    )
