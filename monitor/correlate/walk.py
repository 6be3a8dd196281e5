"""What is known of one recording so far: learns from its lines, links its uploads, judges and saves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.correlate.currency import basis, place_of
from monitor.events import (
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
)
from monitor.findings import Carrier, Finding, Flow, ReportedGap
from monitor.judge import observers
from monitor.judge.claims import Claim
from monitor.judge.connections import bypass_gap, connections_of, foreign_gaps, found_at
from monitor.judge.consent import Clock, Observed, Reader, Timeline, of_app
from monitor.judge.order import decided
from monitor.judge.phases import Phases
from monitor.judge.rules import Facts, judge
from monitor.judge.witnesses import missed
from monitor.knowledge import Knowledge
from monitor.match import decode
from monitor.match.linking import Joined, Linker
from monitor.recording import Read, Recording
from monitor.recording.state import run_digest
from monitor.store import Store

RECENT = timedelta(seconds=5)
"""Following: an access that is reported later than an upload it precedes (the agent sends in batches) is still linked
to uploads of this long before it."""
RECENT_UPLOADS = 512
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


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""


class Walk:
    """What is known of one recording so far."""

    def __init__(self, recording: Recording, store: Store, known: Knowledge) -> None:
        self.recording = recording
        self.store = store
        self.known = known
        self.basis: str | None = None
        """Digest of all that is concluded here comes from; None until the index was recalled."""
        self._run_digest = run_digest(recording.path)
        self.run = recording.run
        self.id = self.run.id
        self.positions = store.positions(self.id)
        self.linker = Linker(self.run.persona, self.run.clock_offset_ms, recording.body, self.run.clock_uncertainty_ms)
        self.connections = connections_of(self.run)
        self.recipients = known.recipients_of(self.run)
        self.controllers = frozenset(known.labels.permission_controllers)
        self.accesses: list[tuple[Ref, Access]] = []
        self.screens = Reader(known.labels, self.run.app.package)
        self.consents: list[tuple[Ref, Consent]] = []
        self.phases: list[tuple[Ref, Phase]] = []
        self.witnesses: list[tuple[Ref, Witness]] = []
        self.gaps: list[Gap] = []
        self.joined: dict[Ref, tuple[Upload, list[Joined]]] = {}
        self.cuts: dict[Ref, ReportedGap] = {}
        self.claims: dict[Ref, tuple[Claim, ...]] = {}
        self.recent: dict[Ref, tuple[Upload, decode.Decoded]] = {}

    def run_moved(self) -> bool:
        """Whether run.json says by now how the clocks stand, or another thing that all that is known here hangs on."""
        now = self.recording.run
        return any(getattr(now, name) != getattr(self.run, name) for name in CLOCKS)

    def recall(self, progress: Progress = lambda *_: None) -> None:
        """Learn from all that the index has, and link its uploads."""
        # before anything is read: what changes meanwhile is not in the basis, so it will not be taken for current
        if held := self.store.held(self.id):
            self.basis = basis(self.recording, held, self.known, self._run_digest)
        for kind in ("access", "connection", "transform", "consent", "screen", "phase", "witness", "gap"):
            for ref, event in self.store.events(self.id, kind):
                self.learn(ref, event)
        uploads = list(self.store.events(self.id, "upload"))
        for number, (ref, upload) in enumerate(uploads):
            progress("matching uploads", number, len(uploads))
            if isinstance(upload, Upload):
                self.link(ref, self.on_host_clock(upload))
        progress("matching uploads", len(uploads), len(uploads))

    def learn(self, ref: Ref, event: Event) -> None:
        """Take in one line that is no upload; what another app did says nothing of this one."""
        if not isinstance(event, Connection | Gap) and not of_app(event, self.run.app.package, self.controllers):
            return
        match event:
            case Access():
                self.accesses.append((ref, event))
                self.linker.add_access(ref, event)
            case Connection():
                self.connections.add(ref, event)
            case Transform():
                self.linker.add_transform(ref, event)
            case Consent():
                self.consents.append((ref, event))
                claim = self.known.claims.of_line(ref, event, self.run.clock_offset_ms)
                if claim:
                    self.claims[ref] = (claim,)
            case Screen():
                self.consents += [(ref, consent) for consent in self.screens.read(ref, event)]
            case Phase():
                self.phases.append((ref, event))
            case Witness():
                self.witnesses.append((ref, event))
            case Gap():
                self.gaps.append(event)
            case _:
                pass

    def take(self, reads: Iterable[Read]) -> bool:
        """Learn from new lines and link the uploads they concern; whether anything may have changed."""
        changed = False
        uploads: list[tuple[Ref, Upload]] = []
        earliest: datetime | None = None
        for read in reads:
            if read.event is None:
                continue
            if isinstance(read.event, Upload):
                uploads.append((read.ref, self.on_host_clock(read.event)))
                continue
            self.learn(read.ref, read.event)
            changed = changed or isinstance(read.event, Access | Connection | Consent | Screen | Phase | Witness | Gap)
            if isinstance(read.event, Access | Transform):
                at = self.host_time(read.event.at)
                earliest = at if earliest is None else min(earliest, at)
        if earliest is not None:
            for ref, (upload, decoded) in self.recent.items():
                if upload.at < earliest:
                    continue
                if decoded.passed_over:  # what was passed over may hold what is known only now
                    self.recent[ref] = (upload, self.link(ref, upload))
                else:
                    self.joined[ref] = (upload, self.linker.link(ref, upload, decoded))
        for ref, upload in uploads:
            self.recent[ref] = (upload, self.link(ref, upload))
        self._forget()
        return changed or bool(uploads)

    def link(self, ref: Ref, upload: Upload) -> decode.Decoded:
        """Take an upload apart, and join to it what was read before it."""
        body = self.recording.body_view(upload.body) if upload.body else None
        decoded = decode.leaves(upload, body, narrow=self.linker.narrow, spool=self.recording.scratch)
        for cut in decoded.cut:
            self.cuts[ref] = ReportedGap(
                at=upload.at, app=upload.app, where="correlate", subject=ref, why="decode_limit", detail=cut
            )
        if upload.body and body is None:
            self.cuts[ref] = ReportedGap(
                at=upload.at,
                app=upload.app,
                where="correlate",
                subject=ref,
                why="body_truncated",
                detail=f"bodies/{upload.body} is missing or no regular file",
            )
        if claims := self.known.claims.of_upload(ref, upload, decoded.leaves):
            self.claims[ref] = claims
        self.joined[ref] = (upload, self.linker.link(ref, upload, decoded))
        return decoded

    def host_time(self, at: datetime) -> datetime:
        """A time of the device's clock on the host's."""
        return at - timedelta(milliseconds=self.run.clock_offset_ms)

    def on_host_clock(self, upload: Upload) -> Upload:
        """The upload at its time on the host; one that the agent wrote carries the device's clock."""
        if not upload.by_agent:
            return upload
        return upload.model_copy(update={"at": self.host_time(upload.at)})

    def conclude(self, new_lines: int, *, going_on: bool = False) -> Outcome:
        """Judge what is linked and save it, in one transaction; nothing final is said of a run that is `going_on`."""
        phases = Phases(self.phases, self.run.clock_offset_ms, self._last())
        consents = [*self.consents, *self.screens.unproven(self._last())]
        timeline = timeline_of(consents, phases, self.run, self.known)
        watched = observers.watched(self.run, len(self.accesses), len(self.joined), timeline, len(self.witnesses))
        uploads = {ref: upload for ref, (upload, _) in self.joined.items()}
        carriers = self.connections.carriers(uploads, self.known.recipients)
        foreign = self.connections.foreign(uploads, carriers) if self.run.sockets_watched else frozenset[Ref]()
        foreign |= self._of_others(uploads, carriers)
        flows: list[Flow] = []
        for ref in sorted(self.joined, key=_line):
            upload, joins = self.joined[ref]
            for joined in joins:
                flow = self._flow(f"f{len(flows) + 1}", upload, joined, timeline, carriers.get(ref), ref in foreign)
                flows.append(flow)
        gaps = (
            *(self.cuts[ref] for ref in sorted(self.cuts, key=_line)),
            *_dangling(timeline, self.run),
            *foreign_gaps(uploads[ref] for ref in sorted(foreign, key=_line)),
            *(() if going_on else self._bypassing(uploads.values())),
            *(() if going_on else observers.gaps(self.run, watched, timeline)),
            *(() if going_on else self._missed(watched, uploads.values())),
        )
        facts = Facts(
            flows=tuple(flows),
            accesses=tuple(self.accesses),
            timeline=timeline,
            observers=watched,
            clock_offset_ms=self.run.clock_offset_ms,
            clock_uncertainty_ms=self.run.clock_uncertainty_ms,
            data_types=self.known.data_types,
            recipients=self.known.recipients,
            consents=tuple(each for each in consents if each[0] not in timeline.echoes),
            phases=phases,
            claims=tuple(claim for ref in self._claiming(timeline, foreign) for claim in self.claims[ref]),
            gaps=(*self.gaps, *gaps),
            uploads=len(self.joined),
            app_type=self.known.type_of(self.run),
            policy=self.known.policy,
            territory=self.known.territory,
            laws=self.known.laws,
            jurisdictions=self.known.jurisdictions,
            recipient_of=self.recipients.of,
            labels=self.known.labels,
            frequency=self.known.frequency,
        )
        findings = judge(self.known.rules, facts, going_on=going_on)
        judged_by = None if going_on else self.basis
        self.store.save(self.id, flows, findings, gaps=gaps, judged_by=judged_by, path=place_of(self.recording))
        return Outcome(self.id, tuple(flows), findings, new_lines, gaps)

    def _bypassing(self, uploads: Iterable[Upload]) -> Iterator[ReportedGap]:
        """What the agent saw go out and no proxy saw."""
        if self.run.sockets_watched:
            past = self.connections.bypassing(uploads, self.gaps, self.run.proxy, found_at(self.run))
            if gap := bypass_gap(past, self.host_time(past[0].at) if past else self.run.started):
                yield gap

    def _missed(self, watched: Observers, uploads: Iterable[Upload]) -> Iterator[ReportedGap]:
        """What the system counted, and hooks or proxy did not record."""
        return missed(
            self.run,
            watched,
            self.witnesses,
            self.accesses,
            uploads,
            self.connections.opened,
            self.known.app_ops,
            phases=[phase for _, phase in self.phases],
            gaps=self.gaps,
        )

    def _claiming(self, timeline: Timeline, foreign: frozenset[Ref]) -> Iterator[Ref]:
        """Lines and uploads of the app that claim consent; what an operator has taken back claims nothing."""
        replaced = timeline.replaced()
        return (ref for ref in self.claims if ref not in replaced and ref not in foreign)

    def _of_others(self, uploads: Mapping[Ref, Upload], carriers: Mapping[Ref, Carrier]) -> frozenset[Ref]:
        """Uploads that are written in the name of another app, or that a connection of one carried."""
        own = {None, self.run.app.package}
        return frozenset(
            ref
            for ref, upload in uploads.items()
            if upload.app not in own or (ref in carriers and carriers[ref].app not in own)
        )

    def _last(self) -> datetime | None:
        """Up to when the run was observed, on the host's clock."""
        read = (self.host_time(access.until or access.at) for _, access in self.accesses)
        sent = (upload.at for upload, _ in self.joined.values())
        return max((*read, *sent, *([self.run.ended] if self.run.ended else ())), default=None)

    def _flow(
        self,
        name: str,
        upload: Upload,
        joined: Joined,
        timeline: Timeline,
        carrier: Carrier | None,
        other_app: bool,
    ) -> Flow:
        uncertainty = self.run.clock_uncertainty_ms
        clock: Clock = "device" if upload.by_agent else "host"
        status = decided(timeline, upload.at, clock, uncertainty, joined.data)
        return Flow(
            id=name,
            access=joined.access,
            access_at=joined.access_at,
            upload=joined.upload,
            connection=carrier.ref if carrier else None,
            data=joined.data,
            consent=status.state,
            consent_assumed=status.assumed,
            recipient=self.recipients.of(upload.host or "", upload.server.ip if upload.server else None),
            matches=joined.matches,
            at=upload.at,
            earlier=joined.earlier,
            rows=joined.rows,
            rows_read=joined.rows_read,
            cleartext=upload.via in ("http", "websocket", "tcp") and upload.tls is None,
            carrier=carrier,
            other_app=other_app,
            uncertainty_ms=0.0 if upload.by_agent else uncertainty,
            clock=clock,
            simultaneous=joined.simultaneous,
        )

    def _forget(self) -> None:
        """Keep only the decoded uploads that a late access may still concern."""
        if not self.recent:
            return
        newest = max(upload.at for upload, _ in self.recent.values())
        keep = [ref for ref, (upload, _) in self.recent.items() if newest - upload.at <= RECENT][-RECENT_UPLOADS:]
        self.recent = {ref: self.recent[ref] for ref in keep}


def _dangling(timeline: Timeline, run: Run) -> Iterator[ReportedGap]:
    """Corrections that correct nothing."""
    for ref, named in timeline.dangling().items():
        detail = f"names {named} as the line that it corrects, and there is no such line before it"
        yield ReportedGap(at=run.started, where="correlate", subject=ref, why="protocol_unsupported", detail=detail)


def timeline_of(lines: Iterable[tuple[Ref, Event]], phases: Phases | None, run: Run, known: Knowledge) -> Timeline:
    """Consent of a run, out of the lines that are about it."""
    consents = [(ref, event) for ref, event in lines if isinstance(event, Consent)]
    return Timeline(
        consents,
        run.clock_offset_ms,
        None if run.imported else run.started,  # a foreign file begins with its first line, not with a run
        known.labels,
        phases,
        Observed(run.app.package, run.observers.consent, known.assume_consent),
    )


def _line(ref: Ref) -> int:
    return int(ref.rsplit(":", 1)[1])
