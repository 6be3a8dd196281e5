"""Prepares the facts for rules: each access, flow, consent line, claim or run, with the state at its moment."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from appwitness.catalog.labels import Labels
from appwitness.catalog.picked import was_picked
from appwitness.catalog.withheld import was_withheld
from appwitness.events import MARKERS, Access, Consent, DataType, Ref
from appwitness.events.packed_lines import PackedLines
from appwitness.events.refs import Key, key_of
from appwitness.events.seen import Seen, moment, number_of, shifted
from appwitness.findings import ConsentName, ConsentStatus, Flow, Match
from appwitness.findings.people import combined
from appwitness.judge.clock_order import decided, told
from appwitness.judge.consent import GESTURE, REDRAW, Clock, Why, clock_of, said, was_there
from appwitness.judge.phases import UNKNOWN, PhaseStatus
from appwitness.judge.recipients import is_device
from appwitness.judge.rules.facts import RunFacts

if TYPE_CHECKING:
    from appwitness.judge.claims import Claim

CERTAIN = 0.95
"""A match at least this certain makes a flow an observation of the wire; below it the value may be there by chance."""
TOGETHER = timedelta(seconds=1)
"""Permissions that are prompted for within this time count as requested at once."""
BY_ITSELF = timedelta(milliseconds=250)
"""A denial this soon after its prompt is the system's: it remembers a "don't ask again", and nobody saw the prompt."""
MARKED = timedelta(seconds=5)
"""An operator marks a tap no later than this after it."""
TICK = timedelta(microseconds=1)
FIRST = datetime.min.replace(tzinfo=UTC) + TICK
PERSONALISED = frozenset({"3", "4", "ad_storage", "ad_user_data", "ad_personalization", "sale", "sharing"})
"""Purposes of a claim to which a no to personalised advertising is an answer: TCF's profiles and their use, and
names used by Google and by US laws."""
ADVERTISING = frozenset({"advertising_id", "oaid"})
"""Data types that a no to advertising covers."""
NOTICES = frozenset({"dialog", "tap", "operator"})
"""Signals of something that tells the user what will be done with the data, or of the user's answer to it."""
PERMISSION_SIGNALS = frozenset({"permission_prompt", "permission_result"})
PROMPT = "permission:"


@dataclass(slots=True, eq=False)
class OneSighting:
    """One thing seen at one moment, in the form that rules examine."""

    at: datetime
    ref: Ref
    line: int
    lines: tuple[Key, ...]
    """Its own lines, as keys of `Refs`: of a flow, those of access and upload."""
    what: str
    """Host of a flow, source of an access, permission or scope of a consent line: findings are grouped by it."""
    status: ConsentStatus
    decided: ConsentName
    """The state of the status, or what `basic_only` amounts to for this data type."""
    data: DataType | None = None
    count: int = 1
    phase: PhaseStatus = UNKNOWN
    flow: Flow | None = None
    access: Access | None = None
    read: Access | None = None
    """A line like that of the access whose values a flow carried: only its times may differ."""
    consent: Consent | None = None
    claim: Claim | None = None
    why: Why | None = None
    """Why a consent line says something other than its status."""
    earlier: bool = False
    """Whether it shows consent from an earlier run."""
    certainty: float = 0
    """Certainty of the best match of a flow."""
    clock: Clock = "device"
    """The clock that its time was taken on: its order relative to lines of the same clock is known."""
    namesake: bool = False
    """Whether a flow carried only names, which other people may have too, with nothing else from their rows beside
    them and not in a list of the same people."""
    uncertainty_ms: float = 0
    """How far `clock` and the other clock may be apart, in milliseconds; infinite if nobody compared them."""
    possible: frozenset[ConsentName] = frozenset()
    """Every state that may have held then: lines of the other clock, or of the same microsecond, may leave several."""
    flows: tuple[Sighting, ...] = ()
    """The flows that carried an access's values."""
    record: Claim | None = None
    """The app's own record, at the time of a flow, that there is no consent to it."""

    @property
    def picked(self) -> bool:
        """Whether it is a flow of what the user picked in a picker of the system."""
        return self.flow is not None and self.flow.picked

    def is_in(self, states: Container[str]) -> bool:
        """Whether the user's decision is one of these, either as it is or as what `basic_only` amounts to for this
        data type. A yes that may have come later does not count."""
        if self.status.state == "given" and not all(state in states for state in self.possible):
            return False
        return self.decided in states or self.status.state in states


class CallSighting:
    """A sighting of a call that differs from others only in its line and its time: a long run has a million."""

    __slots__ = ("_lane", "_like", "_place")

    def __init__(self, lane: PackedLines[Access], place: int, like: OneSighting) -> None:
        """`like` has everything else."""
        self._lane = lane
        self._place = place
        self._like = like

    @property
    def at(self) -> datetime:
        """When it was."""
        return moment(self._lane.at[self._place])

    @property
    def ref(self) -> Ref:
        """Its line."""
        return self._lane.ref_at(self._place)

    @property
    def line(self) -> int:
        """The number of its line."""
        return self._lane.number_at(self._place)

    @property
    def lines(self) -> tuple[Key, ...]:
        """Its line, as a key of `Refs`."""
        return (self._lane.key_at(self._place),)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


for _name in (*OneSighting.__slots__, "picked", "is_in"):
    if _name not in ("at", "ref", "line", "lines"):
        setattr(CallSighting, _name, property(attrgetter(f"_like.{_name}")))

Sighting = OneSighting | CallSighting


@dataclass(slots=True)
class _PermissionState:
    """How one permission has been prompted for and answered so far."""

    status: ConsentStatus = field(default_factory=ConsentStatus)
    prompt: tuple[datetime, Ref] | None = None
    """The last prompt, until it is answered."""

    def unseen(self, at: datetime, consent: Consent) -> Ref | None:
        """The prompt that the system denied automatically because of an earlier permanent denial: nobody saw it. None
        if there is none."""
        denied_again = consent.signal == "permission_result" and consent.status == self.status.state == "refused"
        return self.prompt[1] if denied_again and self.prompt and at - self.prompt[0] <= BY_ITSELF else None

    def take(self, at: datetime, ref: Ref, consent: Consent) -> None:
        """Take in another line; a prompt does not change an answer."""
        result = consent.signal == "permission_result"
        self.prompt = None if result else (at, ref)
        if result or self.status.ref is None:
            self.status = ConsentStatus(state=consent.status, by=consent.by, ref=ref, at=at)


class Sightings:
    """Makes the sightings from the facts, each kind once, when first asked for."""

    def __init__(self, facts: RunFacts) -> None:
        self._facts = facts
        self._known_flows: dict[str, OneSighting] = {}
        self._calls_at: list[Sighting | tuple[Sighting, ...]] = []
        """For each access, its sighting or sightings; empty for one that is no read."""
        self._statuses: dict[ConsentStatus, ConsentStatus] = {}
        """Equal statuses as one object."""
        self._like: dict[tuple[int, ...], OneSighting] = {}
        """The common part of calls that differ only in line and time. Key: ids of access, status, states and phase."""

    def grow(self, facts: RunFacts) -> None:
        """Continue with more facts of the same `ground`; sightings that the new facts do not change stay the same
        objects."""
        self._facts = facts
        for name in ("flows", "lane", "accesses", "run", "unseen", "together", "sent"):
            vars(self).pop(name, None)

    def of(self, on: str) -> list[Sighting]:
        """All sightings that a rule on `on` examines."""
        match on:
            case "flow":
                return self.flows
            case "access":
                return self.accesses
            case "consent":
                return self.consents
            case "claim":
                return self.claims
            case _:
                return self.run

    @cached_property
    def flows(self) -> list[Sighting]:
        """Every flow of the app that left the device. Data sent to the device itself did not leave it, and an upload
        that no socket of the app carried was not the app's."""
        made: list[Sighting] = []
        known = self._known_flows
        for flow in self._facts.flows:
            sighting = known.get(flow.id)
            if sighting is None or sighting.flow is not flow:
                if is_device(flow.recipient.host) or flow.other_app:
                    continue
                sighting = known[flow.id] = self._flow(flow)
            if sighting.read is None and flow.access is not None:
                sighting.read = self._read(flow.access)
            made.append(sighting)
        return made

    def _read(self, ref: Ref) -> Access | None:
        place = self.lane.place_of(ref)
        return None if place is None else self.lane.groups[self.lane.group_of(place)]

    @cached_property
    def lane(self) -> PackedLines[Access]:
        """All accesses, in order of their lines."""
        given = self._facts.accesses
        return (
            given
            if isinstance(given, PackedLines)
            else PackedLines(Access, sorted(given, key=lambda seen: seen.number))
        )

    @cached_property
    def accesses(self) -> list[Sighting]:
        """Every access that returned a value. A call that was denied, threw, returned nothing or only registered a
        listener read nothing, and a placeholder is no data; what a listener receives is an access of its own. Data
        that the user picked is left out, too: the user handed it over."""
        carried: dict[int, list[Sighting]] = {}
        for sighting in self.flows:
            if sighting.flow and sighting.flow.access:
                carried.setdefault(number_of(sighting.flow.access), []).append(sighting)
        for several in carried.values():
            several.sort(key=lambda each: (each.certainty < CERTAIN, each.at, each.line))
        lane = self.lane
        counts = [_counts(first) for first in lane.groups]
        found: list[Sighting] = []
        for place in range(len(lane)):
            if place == len(self._calls_at):
                self._calls_at.append(())
            if not counts[lane.group_of(place)]:
                continue
            line, made = lane.number_at(place), self._calls_at[place]
            flows = tuple(carried.get(line, ()))
            first = next(iter(made), None) if isinstance(made, tuple) else made
            if first is None or first.line != line or first.flows != flows:
                made = self._calls_at[place] = self._calls(lane, place, flows)
            found += made if isinstance(made, tuple) else (made,)
        return found

    @cached_property
    def consents(self) -> list[Sighting]:
        """Every consent line that counts, in order of time, with those left by an earlier run and those with which the
        app answered its own question. Lines that an operator has since replaced or retracted are left out, and a
        redrawn question appears once."""
        readings = {each.ref: each for each in self._facts.timeline.readings()}
        lines = [
            seen
            for seen in self._facts.consents
            if seen.ref in readings or seen.ref in self._earlier or self._pressed_itself(seen)
        ]
        lines.sort(key=lambda each: (each.at, each.number, each.ref))
        permissions: dict[str, _PermissionState] = {}
        drawn: dict[str, tuple[datetime, bool | None]] = {}
        found: dict[Ref, Sighting] = {}
        for ref, line, at, consent in lines:
            if self._is_redraw(at, consent, drawn) or (ref in readings and readings[ref].says == "taking_back"):
                continue
            if consent.signal in PERMISSION_SIGNALS:
                what = consent.text or ""
                permission = permissions.setdefault(what, _PermissionState())
                if unseen := permission.unseen(at, consent):
                    del found[unseen]
                status = permission.status
                permission.take(at, ref, consent)
            else:
                what = consent.scope
                status = self._before(at, clock_of(consent), consent.scope)
            found[ref] = OneSighting(
                at=at,
                ref=ref,
                line=line,
                lines=(key_of(ref),),
                what=what,
                status=status,
                decided=status.state,
                data=consent.data[0] if consent.data else None,
                consent=consent,
                clock=clock_of(consent),
                uncertainty_ms=self._facts.clock_uncertainty_ms,
                why=readings[ref].why if ref in readings else None,
                earlier=ref in self._earlier,
            )
        return list(found.values())

    def _before(self, at: datetime, clock: Clock, scope: str) -> ConsentStatus:
        """What had been decided just before a consent line."""
        before = max(at, FIRST) - TICK
        return decided(self._facts.timeline, before, clock, self._facts.clock_uncertainty_ms, None, scope)

    @staticmethod
    def _is_redraw(at: datetime, consent: Consent, drawn: dict[str, tuple[datetime, bool | None]]) -> bool:
        """Whether a question is the previous one, redrawn: nothing was answered in between, and its box is
        unchanged. `drawn`: what -> when it was last shown, and its box."""
        prompt = consent.signal == "permission_prompt"
        what = f"{PROMPT}{consent.text}" if consent.signal in PERMISSION_SIGNALS else consent.scope
        if not prompt and not (consent.signal == "dialog" and consent.status == "requested"):
            if consent.status != "dismissed" or consent.by != "app":  # the app closes what it redraws
                drawn.pop(what, None)
            return False
        last = drawn.get(what)
        drawn[what] = (at, consent.ticked)
        return last is not None and at - last[0] < REDRAW and last[1] == consent.ticked

    def _pressed_itself(self, seen: Seen[Consent]) -> bool:
        """Whether the app itself touched a label for a yes, and did not merely pass on the user's touch."""
        consent = seen.event
        if consent.signal != "tap" or consent.by != "app" or consent.status != "given":
            return False
        if seen.ref in self._facts.timeline.replaced() or not self._facts.timeline.knows(seen.ref):
            return False
        if said(consent, self._facts.labels or Labels())[0] != "given":
            return False
        return not any(abs(seen.at - touch) <= GESTURE for touch in self._touches)

    @cached_property
    def _touches(self) -> list[datetime]:
        """The times at which the user touched something."""
        readings = self._facts.timeline.readings()
        return [each.at for each in readings if each.consent.signal == "tap" and each.consent.by == "user"]

    @cached_property
    def _earlier(self) -> frozenset[Ref]:
        """Lines that certainly show consent from an earlier run: answers from before this one, and what the app's
        store held at its start. A flag set in the first moments of a run may have been set by this run."""
        counted = {each.ref for each in self._facts.timeline.readings()}
        kept = {seen.ref for seen in self._facts.consents if was_there(seen.event)}
        return frozenset(self._facts.timeline.carried()) & (counted | kept)

    @property
    def carried_over(self) -> bool:
        """Whether an earlier run left consent, so that this was no clean install."""
        return bool(self._earlier)

    @cached_property
    def notices(self) -> list[Sighting]:
        """Consent lines that show that the user was told something, or that are from an earlier run, in order of
        time."""
        return [each for each in self.consents if each.earlier or (each.consent and _tells(each.consent))]

    @cached_property
    def prompted(self) -> dict[str, list[Sighting]]:
        """Permission -> prompts for it, in order of time."""
        found: dict[str, list[Sighting]] = defaultdict(list)
        for each in self.consents:
            if each.consent and each.consent.signal == "permission_prompt":
                found[each.what].append(each)
        return found

    @cached_property
    def claims(self) -> list[Sighting]:
        """Every claim of consent in this run, with the real state at that moment; what an earlier run left is
        excluded."""
        found: list[Sighting] = []
        for claim in self._facts.claims:
            if claim.ref in self._earlier or claim.at_start:
                continue
            status = self._claimed(claim)
            found.append(
                OneSighting(
                    at=claim.at,
                    ref=claim.ref,
                    line=number_of(claim.ref),
                    lines=(key_of(claim.ref),),
                    what=claim.host or "",
                    status=status,
                    decided=status.state,
                    claim=claim,
                    clock=claim.clock,
                    uncertainty_ms=self._facts.clock_uncertainty_ms,
                )
            )
        return found

    def _claimed(self, claim: Claim) -> ConsentStatus:
        """The state that a claim is compared with: a decision on its own scope, otherwise what was decided in general.

        Apps ask one question for everything; a yes to it may well be what the claim means. A no to personalised
        advertising does not answer a claim about other purposes. An operator marks a yes that nobody else saw a moment
        after the tap, while the app reacts to the tap at once. It is better to miss a false claim than to accuse
        wrongly.
        """
        timeline = self._facts.timeline
        known = (claim.at, claim.clock, self._facts.clock_uncertainty_ms)
        own = decided(timeline, *known, None, claim.scope)
        other = claim.scope == "ads_tracking" and claim.purposes and not PERSONALISED.intersection(claim.purposes)
        if own.state == "given" or (own.state in ("refused", "withdrawn") and not other):
            return own
        general = decided(timeline, *known, None)
        marked = timeline.given_after(claim.at) if general.state == "requested" else None
        late = marked is not None and marked.by in MARKERS and marked.at and marked.at - claim.at <= MARKED
        return marked if marked is not None and late else general

    @cached_property
    def run(self) -> list[Sighting]:
        """The run as a whole, at its first access that returned a value; empty if only data was read that every app
        sees of the device, which alone identifies nobody."""
        types = self._facts.data_types
        ordinary = frozenset(kind.code for kind in types.items if kind.ordinary) if types else frozenset[str]()
        told = (each for each in self.accesses if each.data not in ordinary)
        first = min(told, key=in_time, default=None)
        if first is None:
            return []
        run = OneSighting(
            first.at, first.ref, first.line, first.lines, what="", status=first.status, decided=first.decided
        )
        return [run]

    @cached_property
    def unseen(self) -> tuple[DataType, ...]:
        """Data types that the policy names but no line mentions: no call for them, denied or not, and no upload. A
        store's form is about what is sent, so calls do not count for it."""
        policy = self._facts.policy
        if policy is None:
            return ()
        sent = {flow.data for flow in self._facts.flows}
        asked = set() if policy.only_sent else {each.data for each in self.lane.groups}
        return tuple(sorted({each.type for each in policy.data} - sent - asked))

    @cached_property
    def together(self) -> dict[Ref, frozenset[DataType]]:
        """Upload -> the data types in it."""
        found: dict[Ref, set[DataType]] = defaultdict(set)
        for each in self.flows:
            if each.flow:
                found[each.ref].add(each.flow.data)
                found[each.ref].update(match.type for match in each.flow.matches)
        return {ref: frozenset(kinds) for ref, kinds in found.items()}

    @cached_property
    def sent(self) -> frozenset[DataType]:
        """Data types that left the device at all."""
        return frozenset().union(*self.together.values())

    def asked_with(self, sighting: Sighting) -> list[Sighting]:
        """The prompts of the burst that begins with this one: one for each group of permissions, within a second;
        empty if it is no prompt, or if the burst began with an earlier one."""
        return self._bursts.get(sighting.ref, [])

    @cached_property
    def _bursts(self) -> dict[Ref, list[Sighting]]:
        found: dict[Ref, list[Sighting]] = {}
        first: Sighting | None = None
        groups: set[str] = set()
        for each in self.consents:
            if each.consent is None or each.consent.signal != "permission_prompt":
                continue
            if first is None or each.at - first.at > TOGETHER:
                first, groups = each, set()
                found[each.ref] = []
            if (group := permission_group(each.what)) not in groups:
                groups.add(group)
                found[first.ref].append(each)
        return found

    def _flow(self, flow: Flow) -> OneSighting:
        uncertainty_ms = bound_of(flow) if flow.clock == "host" else self._facts.clock_uncertainty_ms
        possible = self._facts.timeline.around(flow.at, flow.clock, uncertainty_ms, flow.data)
        status = told(possible, self._facts.timeline, flow.at, flow.data)
        return OneSighting(
            at=flow.at,
            ref=flow.upload,
            line=number_of(flow.upload),
            lines=tuple(key_of(ref) for ref in (flow.access, flow.upload) if ref),
            data=flow.data,
            what=flow.recipient.host,
            status=status,
            decided=self._decided(status, flow.data),
            phase=self._phase(flow),
            flow=flow,
            certainty=max((match.confidence for match in flow.matches), default=0),
            record=self._record(flow, status),
            clock=flow.clock,
            uncertainty_ms=uncertainty_ms,
            possible=_states(tuple(each.state for each in possible)),
            namesake=bool(flow.matches) and all(match.namesake or _is_lone_name(flow, match) for match in flow.matches),
        )

    def _record(self, flow: Flow, status: ConsentStatus) -> Claim | None:
        """The app's own statement, at the time of a flow, that the user has not agreed; None if another statement of
        the app says yes, or a yes was seen since. Also None if the user was seen to say no, which tells more."""
        if status.state in ("refused", "withdrawn", "basic_only"):
            return None
        scopes = ("general_policy", "ads_tracking") if flow.data in ADVERTISING else ("general_policy",)
        for scope in scopes:
            times, records = self._records.get(scope, ((), ()))
            number = bisect_right(times, flow.at)
            record = records[number - 1] if number else None
            if record is None:
                continue
            since = FIRST if record.at_start else shifted(record.at, -self._facts.clock_uncertainty_ms)
            if not self._facts.timeline.agreed(since, flow.at, flow.data, {scope, "general_policy"}):
                return record
        return None

    @cached_property
    def _records(self) -> dict[str, tuple[list[datetime], list[Claim | None]]]:
        """Scope -> the times at which the app's own record changed, and for each the statement that makes the record a
        no from then on; None if the record is not a no. If a statement was timed by the device's clock, a no counts
        from the latest time at which it may have been made, a yes from the earliest."""
        bound_ms = self._facts.clock_uncertainty_ms
        words: list[tuple[datetime, Ref, Claim]] = []
        for claim in self._facts.claims:
            if claim.record and claim.says != "unknown":
                late_ms = bound_ms if claim.clock == "device" else 0
                at = FIRST if claim.at_start else shifted(claim.at, late_ms if claim.says == "refused" else -late_ms)
                words.append((at, claim.ref, claim))
        found: dict[str, tuple[list[datetime], list[Claim | None]]] = {}
        yes: dict[str, set[tuple[str | None, str]]] = defaultdict(set)
        for at, _, claim in sorted(words, key=lambda each: (each[0], number_of(each[1]))):
            key = (claim.host, claim.path)
            if claim.says == "given":
                yes[claim.scope].add(key)
            elif key in yes[claim.scope]:  # a yes that becomes a no overrides every other yes
                yes[claim.scope].clear()
            times, records = found.setdefault(claim.scope, ([], []))
            times.append(at)
            records.append(claim if claim.says == "refused" and not yes[claim.scope] else None)
        return found

    def _phase(self, flow: Flow) -> PhaseStatus:
        """The phase in which it was sent; unknown if the clocks leave two possible."""
        phases = self._facts.phases
        bound_ms = bound_of(flow)
        phase = phases.at(flow.at)
        if bound_ms and any(phases.at(shifted(flow.at, by))[:3] != phase[:3] for by in (-bound_ms, bound_ms)):
            return UNKNOWN
        return phase

    def _calls(
        self, lane: PackedLines[Access], place: int, flows: tuple[Sighting, ...]
    ) -> Sighting | tuple[Sighting, ...]:
        """The sighting of an access, or two of them. A folded line stands for several calls, and only the first and the
        last have a known time: if the user decided, or the app changed its phase, in between, they become two
        sightings of one call each."""
        if not lane.has_until(place):
            return self._alike(lane, place, flows)
        seen = lane[place]
        access = seen.event
        first = self._call(seen, seen.at, access.count, flows)
        if access.until is None or access.count == 1:
            return first
        last = self._call(seen, seen.on_host(access.until), 1, flows)
        if last.status == first.status and last.phase[:3] == first.phase[:3]:
            return first
        first.count = 1
        return (first, last)

    def _alike(self, lane: PackedLines[Access], place: int, flows: tuple[Sighting, ...]) -> Sighting:
        """A call that no other is folded into."""
        at, access = moment(lane.at[place]), lane.groups[lane.group_of(place)]
        state = self._state_at(at, access.data)
        if flows:
            made = self._made(lane.ref_at(place), at, access, state)
            made.flows = flows
            return made
        key = (id(access), *map(id, state))
        like = self._like.get(key)
        if like is None:  # keeps the objects alive whose ids are in the key
            like = self._like[key] = self._made(lane.ref_at(place), at, access, state)
        return CallSighting(lane, place, like)

    def _call(self, seen: Seen[Access], at: datetime, count: int, flows: tuple[Sighting, ...]) -> OneSighting:
        made = self._made(seen.ref, at, seen.event, self._state_at(at, seen.event.data))
        made.count, made.flows = count, flows
        return made

    def _state_at(self, at: datetime, data: DataType) -> tuple[ConsentStatus, frozenset[ConsentName], PhaseStatus]:
        """What the user had decided at a moment, every state that may have held, and the phase of the app."""
        possible = self._facts.timeline.around(at, "device", self._facts.clock_uncertainty_ms, data)
        status = told(possible, self._facts.timeline, at, data)
        status = self._statuses.setdefault(status, status)
        return status, _states(tuple(each.state for each in possible)), self._facts.phases.at(at)

    def _made(
        self,
        ref: Ref,
        at: datetime,
        access: Access,
        state: tuple[ConsentStatus, frozenset[ConsentName], PhaseStatus],
    ) -> OneSighting:
        status, possible, phase = state
        return OneSighting(
            at=at,
            ref=ref,
            line=number_of(ref),
            lines=(key_of(ref),),
            data=access.data,
            what=access.source,
            status=status,
            decided=self._decided(status, access.data),
            count=access.count,
            phase=phase,
            access=access,
            uncertainty_ms=self._facts.clock_uncertainty_ms,
            possible=possible,
        )

    def _decided(self, status: ConsentStatus, data: DataType) -> ConsentName:
        """The decision for a data type. `basic_only` is a no to every data type that the necessary scope of the app's
        type does not cover, and to all of them if the type is not known."""
        if status.state != "basic_only":
            return status.state
        type_ = self._facts.app_type
        return "basic_only" if type_ is not None and type_.covers(data) else "refused"


_GROUPS: tuple[tuple[str, str], ...] = (
    ("LOCATION", "location"),
    ("CONTACTS", "contacts"),
    ("CALENDAR", "calendar"),
    ("CALL_LOG", "call log"),
    ("SMS", "sms"),
    ("PHONE", "phone"),
    ("MEDIA", "storage"),
    ("STORAGE", "storage"),
    ("BLUETOOTH", "nearby"),
    ("BODY_SENSORS", "sensors"),
)
"""Part of a permission's name -> the group that users are asked about together."""


@cache
def _states(states: tuple[ConsentName, ...]) -> frozenset[ConsentName]:
    """The states as a set, shared by all sightings with the same states."""
    return frozenset(states)


def _counts(access: Access) -> bool:
    """Whether an access is a read by the app."""
    if access.outcome != "returned" or not access.values:
        return False
    return not (was_withheld(access) or was_picked(access))


def _is_lone_name(flow: Flow, match: Match) -> bool:
    """Whether it is the name of somebody whom nothing in the upload identifies: anybody may have written it."""
    return flow.people is not None and match.type == "name" and match.person is None


def bound_of(flow: Flow) -> float:
    """How far the time of a flow may be off from what the agent saw, in milliseconds; infinite if nobody compared
    the clocks."""
    return math.inf if flow.uncertainty_ms is None else flow.uncertainty_ms


def permission_group(name: str) -> str:
    """The group that a permission belongs to; a permission of no known group is its own."""
    bare = name.rpartition(".")[2]
    return next((group for part, group in _GROUPS if part in bare), bare)


def _tells(consent: Consent) -> bool:
    return consent.signal in NOTICES and not (consent.signal == "tap" and consent.by == "app")


def in_time(sighting: Sighting) -> tuple[datetime, int]:
    """Sort key: by time, then by line."""
    return (sighting.at, sighting.line)


def rows(group: Iterable[Sighting]) -> tuple[int, int | None]:
    """How many entries of an address book were read, or sent in all uploads of a group; and out of how many.

    For flows whose rows are about people, people are counted: one person may have several rows. An app may send one
    entry per upload, so rows are counted over the whole group. Rows of two cursors with the same number count once:
    it is better to report too few than too many.
    """
    members = list(group)
    flows = [each.flow for each in members if each.flow]
    if (people := combined(flows)) is not None:
        return people.sent, people.read
    found: set[int | str] = {match.row for flow in flows for match in flow.matches if match.row is not None}
    for access in (each.access for each in members if each.access):
        found |= {value.row for value in access.values if value.row is not None}
        # In a list without rows, such as installed apps, each value of the access's own type is one entry.
        found |= {value.text for value in access.values if value.row is None and value.type == access.data}
    sent = max(len(found), max((flow.entries or flow.rows or 0 for flow in flows), default=0))
    read = max((flow.rows_read or 0 for flow in flows), default=0)
    return sent, read or None
