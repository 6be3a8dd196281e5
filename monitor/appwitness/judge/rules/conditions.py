"""Whether what was seen meets a condition: one test for each name that a rule file may use."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, reduce
from typing import Any

from appwitness.catalog.labels import Labels
from appwitness.events import Gap
from appwitness.judge.clock_order import surely
from appwitness.judge.consent import Clock
from appwitness.judge.rules.facts import Facts
from appwitness.judge.rules.model import Condition, PhaseName, Separate
from appwitness.judge.rules.sightings import Sighting, Sightings

Test = Callable[[Sighting], bool]

EEA = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO EU EEA".split()  # noqa: SIM905
)
"""Countries that are not abroad to one another: GDPR art. 44 speaks of countries outside the area."""
_DIGEST = re.compile(r"(?:md\d|sha|sm3|ripemd|blake|uuid_v3|crc32|adler32|murmur|hash_code)", re.IGNORECASE)
_KEYED = re.compile(r"mac|salted|encrypted", re.IGNORECASE)
LABELLED = frozenset({"tap", "operator"})
"""Signals whose text is a label that somebody chose."""
ANSWERS = frozenset({"given", "refused", "basic_only", "withdrawn", "partial"})
_HIDING = frozenset(
    {
        "tls_refused",
        "not_decrypted",
        "protocol_unsupported",
        "body_truncated",
        "overflow",
        "quota",
        "decode_limit",
        "detached",
        "missed",
    }
)


def hides_uploads(gap: Gap) -> bool:
    """Whether something that was sent may be missing because of it."""
    return gap.where in ("proxy", "correlate") and gap.why in _HIDING


def holding(phase: PhaseName, sighting: Sighting) -> bool:
    """Whether app or screen were in this state; unknown never is."""
    match phase:
        case "before_start":
            return not sighting.phase.ever_foreground
        case "background":
            return sighting.phase.foreground is False
        case "screen_off":
            return sighting.phase.screen_on is False


class Conditions:
    """Makes tests out of conditions, for one recording."""

    def __init__(self, facts: Facts, sightings: Sightings) -> None:
        self._facts = facts
        self._sightings = sightings

    def test(self, condition: Condition) -> Test:
        """One test that holds when all that the condition names hold; the cheap and telling ones come first."""
        tests = [getattr(self, f"_{name.rstrip('_')}")(value) for name, value in condition.asked]
        return reduce(_both, reversed(tests)) if tests else _yes

    # What the user had decided.

    def _consent(self, states: tuple[str, ...]) -> Test:
        wanted = frozenset(states)
        return lambda each: each.is_in(wanted)

    def _separate(self, separate: Separate) -> Test:
        wanted = frozenset(separate.consent)
        timeline = self._facts.timeline
        return lambda each: surely(
            timeline.around(each.at, each.clock, each.uncertainty_ms, each.data, separate.scope), wanted
        )

    def _soon_s(self, seconds: float) -> Test:
        soon = timedelta(seconds=seconds)
        return lambda each: each.status.at is not None and each.at - each.status.at <= soon

    # What kind of data.

    def _data(self, data: tuple[str, ...]) -> Test:
        wanted = frozenset(data)
        return lambda each: each.data in wanted

    def _scope(self, where: str) -> Test:
        type_ = self._facts.app_type
        if type_ is None:
            return _no
        return lambda each: each.data is not None and type_.covers(each.data) == (where == "inside")

    def _declared(self, _: Any) -> Test:
        policy = self._facts.policy
        if policy is None:
            return _no
        codes = policy.codes
        return lambda each: each.data is not None and each.data not in codes

    def _recipient_declared(self, _: Any) -> Test:
        policy = self._facts.policy
        if policy is None:
            return _no
        codes = policy.codes
        to = cache(policy.declares)
        return lambda each: each.data is not None and each.data in codes and not to(each.data, each.what)

    def _sensitive(self, _: Any) -> Test:
        return self._kinds(lambda kind: kind.pipl_sensitive is True or kind.gdpr_art9 not in (False, "possible"))

    def _others(self, _: Any) -> Test:
        return self._kinds(lambda kind: kind.others)

    def _fixed(self, _: Any) -> Test:
        return self._kinds(lambda kind: kind.fixed)

    def _ordinary(self, _: Any) -> Test:
        return self._kinds(lambda kind: kind.ordinary)

    def _guessable(self, _: Any) -> Test:
        return self._kinds(lambda kind: kind.guessable)

    def _kinds(self, wanted: Callable[[Any], bool]) -> Test:
        types = self._facts.data_types
        codes = frozenset(kind.code for kind in types.items if wanted(kind)) if types else frozenset()
        return lambda each: each.data in codes

    def _audience(self, audience: str) -> Test:
        policy = self._facts.policy
        return _yes if policy is not None and policy.audience == audience else _no

    # Where and in what state.

    def _phase(self, phases: tuple[PhaseName, ...]) -> Test:
        return lambda each: any(holding(phase, each) for phase in phases)

    def _party(self, parties: tuple[str, ...]) -> Test:
        return lambda each: each.flow is not None and each.flow.recipient.party in parties

    def _cleartext(self, cleartext: bool) -> Test:
        return lambda each: each.flow is not None and each.flow.cleartext == cleartext

    def _confidence(self, least: float) -> Test:
        return lambda each: each.certainty >= least

    def _record(self, _: Any) -> Test:
        return lambda each: each.record is not None

    def _abroad(self, _: Any) -> Test:
        home = self._facts.territory
        if home is None:
            return _no
        inside = EEA if home in EEA else frozenset({home})
        return lambda each: (
            each.flow is not None
            and each.flow.recipient.country is not None
            and each.flow.recipient.country not in inside
        )

    def _hashed(self, _: Any) -> Test:
        return lambda each: (
            each.flow is not None
            and bool(each.flow.matches)
            and all(is_bare_digest(match.variant) for match in each.flow.matches)
        )

    def _with(self, kinds: tuple[str, ...]) -> Test:
        wanted = frozenset(kinds)
        together = self._sightings.together
        return lambda each: bool((together.get(each.ref, frozenset()) - {each.data}) & wanted)

    def _sent(self, _: Any) -> Test:
        if not self._facts.uploads or any(hides_uploads(gap) for gap in self._facts.gaps):
            return _no
        sent = self._sightings.sent
        type_ = self._facts.app_type
        return lambda each: (
            each.access is not None
            and each.data not in sent
            and not any(value.type in sent for value in each.access.values)
            and (type_ is None or not type_.covers(each.access.data))
        )

    def _without(self, frames: tuple[str, ...]) -> Test:
        # Of a stack from which frames are missing nobody knows what was not on it.
        return lambda each: (
            each.access is not None
            and each.access.stack_cut is None
            and not any(f.startswith(frames) for f in each.access.stack)
        )

    # Of consent lines.

    def _signal(self, signals: tuple[str, ...]) -> Test:
        return lambda each: each.consent is not None and each.consent.signal in signals

    def _status(self, states: tuple[str, ...]) -> Test:
        return lambda each: each.consent is not None and each.consent.status in states

    def _by(self, who: tuple[str, ...]) -> Test:
        return lambda each: each.consent is not None and each.consent.by in who

    def _label(self, kinds: tuple[str, ...]) -> Test:
        labels = self._facts.labels or Labels()
        return lambda each: (
            each.consent is not None
            and each.consent.signal in LABELLED
            and (each.why in kinds or labels.choice(each.consent.text or "") in kinds)
        )

    def _ticked(self, ticked: bool) -> Test:
        return lambda each: each.consent is not None and each.consent.ticked is ticked

    def _unasked(self, _: Any) -> Test:
        prompted = self._sightings.prompted

        def unasked(each: Sighting) -> bool:
            before = each.status.at
            if each.consent is None or each.consent.signal != "permission_result" or before is None:
                return False
            prompts = prompted.get(each.what, [])
            since = bisect_right(prompts, each.at, key=lambda prompt: prompt.at)
            return not since or prompts[since - 1].at <= before

        return unasked

    def _together(self, number: int) -> Test:
        return lambda each: len(self._sightings.asked_with(each)) >= number

    def _ended_within_s(self, seconds: float) -> Test:
        within = timedelta(seconds=seconds)
        return lambda each: self._facts.phases.exit_after(each.at, within) is not None

    def _purpose(self, _: Any) -> Test:
        notices = self._sightings.notices
        first: dict[Clock, datetime] = {}
        for notice in notices:
            first.setdefault(notice.clock, notice.at)
        slack = timedelta(milliseconds=self._facts.clock_uncertainty_ms)
        return lambda each: all(
            each.at + (timedelta() if clock == each.clock else slack) < at for clock, at in first.items()
        )

    def _answered(self, _: Any) -> Test:
        @cache
        def last(scope: str) -> datetime | None:
            steps = self._facts.timeline.steps(scope)
            return max((step.at for step in steps if step.state in ANSWERS and step.at), default=None)

        def unanswered(each: Sighting) -> bool:
            if each.consent is None:
                return False
            answer = last(each.consent.scope)
            return answer is None or answer < each.at

        return unanswered

    def _earlier_run(self, _: Any) -> Test:
        return lambda each: (
            each.earlier or (each.consent is None and each.status.state == "not_shown" and self._sightings.carried_over)
        )

    # Of claims.

    def _says(self, says: tuple[str, ...]) -> Test:
        return lambda each: each.claim is not None and each.claim.says in says

    def _kind(self, kinds: tuple[str, ...]) -> Test:
        return lambda each: each.claim is not None and each.claim.kind in kinds

    def _on_wire(self, wire: bool) -> Test:
        return lambda each: each.claim is not None and (each.claim.host is not None) == wire

    # Of the run.

    def _never(self, _: Any) -> Test:
        # Where nobody saw the app come to the front, nobody would have seen a dialog either.
        return _no if self._sightings.notices or not self._facts.phases.shown else _yes


def is_bare_digest(variant: str) -> bool:
    """Whether a form is a digest, or a digest of one, made without a key or a salt."""
    return bool(_DIGEST.match(variant)) and not _KEYED.search(variant)


def _both(second: Test, first: Test) -> Test:
    return lambda each: first(each) and second(each)


def _no(_: Sighting) -> bool:
    return False


def _yes(_: Sighting) -> bool:
    return True
