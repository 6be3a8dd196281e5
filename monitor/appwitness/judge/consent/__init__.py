"""The consent at a moment, what the user had been asked and had decided, computed from a recording's consent lines.

Times are on the host's clock (`Seen.at`). The clocks of device and host agree only to within a bound, so lines of one
clock are in order with what was seen on the same clock, and not with what was seen on the other: see `Timeline.around`.

Who watched. Where nobody did (a foreign capture), a scope of which no line speaks is `not_observed`, or what the
operator has taken for granted (`assumed`); never `not_shown`, which says that somebody watched and saw no question.

Whose word counts. Consent is an act: a tap of the user, or an operator's mark of one. A preference that is set, an SDK
that is told "agreed", a TCF string in the store are claims of the app; they change nothing here, in neither direction
(many apps tell their SDKs "not agreed" at start before anybody was asked: no refusal either). That a dialog was shown,
or closed, is an observation and counts whoever wrote it.

Scopes are kept apart. A system permission is not consent: whatever scope its line names, it goes to
`system_permission`, where the system's own answer is the act.

What a line says is its status, but:

- a touch on "Got it", "OK", "Continue" (catalog/consent.yml, `ambiguous`) is no yes: the user has only been asked;
  unless the box beside "I have read and agree" was ticked: then the tick is the yes, and "Sign in" only goes on;
- a touch on "Agree" while the box beside it was not ticked is no yes either (the app shows a toast, and waits);
- nor is it where the dialog came up with its box already ticked: what the user did not tick is a default, and consent
  by default is what regulators call no consent (App collection rules of 2019, 3.4; EU Court, C-673/17). A user who had
  unticked it meanwhile chose freely, and an operator who saw it may mark what it was;
- one touch that says yes to several questions at once (tap lines of one label within 0.3 s in several scopes, whether
  those were asked for or not) is no answer to one that must be asked apart: `sensitive_separate`,
  `third_party_separate`, `cross_border_separate`, `minor_guardian`; unless it had a box of its own, which the user
  ticked, or the touch kept choices (`choices`);
- a touch on "Disagree" (`refuse`) is a no and one on "Manage options" (`options`) no answer, whatever the line says:
  what was touched is what was seen, and its status is what somebody made of it;
- a touch on "Not now", "Agree later" (`later`), "Skip" or "Close" (`closing`) is no answer either: `dismissed`;
- a touch on what takes consent back (`withdraw`) that only asks whether to do so, in a dialog of its own, takes nothing
  back; a touch on "OK" there does, one on "Cancel" does not (`confirms`, `cancels`);
- a touch on what turns off a use of data of its own, "Do Not Sell My Personal Information" (`inverts`, `scopes`), is a
  no to that, and takes no consent to the policy back;
- a touch on "Agree or exit" (`forced`) is a yes, under pressure: `given`, and a rule says so;
- "Browse only" and its like (`basic`) is a no to all but the basic function: `basic_only`, whatever status it has;
- a question whose text says that the policy has changed (`changed`) takes the force from an earlier yes: `expired`.

The states, and what a line makes of them (`=`: it stays, with the line that made it so first):

`taking_back`, the question whether to take consent back, is in no column: it changes nothing.

| state         | requested | changed   | dismissed | gone          | given | refused | basic_only | withdrawn |
|---------------|-----------|-----------|-----------|---------------|-------|---------|------------|-----------|
| not_shown     | requested | requested | dismissed | unseen_answer | given | refused | basic_only | withdrawn |
| requested     | =         | =         | dismissed | unseen_answer | given | refused | basic_only | withdrawn |
| dismissed     | requested | requested | =         | =             | given | refused | basic_only | withdrawn |
| unseen_answer | =         | =         | =         | =             | given | refused | basic_only | withdrawn |
| given         | =         | expired   | =         | =             | =     | refused | basic_only | withdrawn |
| refused       | =         | =         | =         | unseen_answer | given | =       | basic_only | withdrawn |
| basic_only    | =         | =         | =         | unseen_answer | given | refused | =          | withdrawn |
| withdrawn     | =         | =         | =         | unseen_answer | given | refused | basic_only | =         |
| expired       | =         | =         | =         | unseen_answer | given | refused | basic_only | withdrawn |

A question that nobody saw any more, nor its answer (`gone`: a touch in Compose, Flutter or a web
page), may have been answered with a yes, also after an earlier no: nothing is held against the app until an answer is
seen. Where an act was seen since the question was shown, or within seconds, the question went by that act, and its
going says no more; where the same question is back within minutes, it had not been answered, and is `requested` again.

So only an answer changes an answer. A dialog shown once more does not take consent back, and closing the dialog is
what the tap on "Agree" itself does a moment later. A no stands until the user says otherwise; else an app could lift it
by asking again and acting before the answer.

A question that the user left without an answer (the app went to the background, or its process ended) is `dismissed`
from then on; it is `requested` again when the app comes back with it. Phase lines say so.

What was seen on the device's screen from outside (`clock` is `host`) and told by the hooks as well is one act: see
`echoes`.

Lines that another app wrote say nothing of this one, but for the system's answers about permissions.

Kinds of data. A line without `data` speaks of every kind, one with `data` of those alone, and the last answer that
covers a kind counts for it: "no location" after "yes" is a no to location; "no" to everything after "yes to location"
is a no to location, too; "yes" to everything after either is a yes. Of the whole (no kind asked for) the lines without
`data` tell, but where something has been given and something has not, it is `partial`.

Order. Lines count in the order of their times, those of the same time in the order of the file, so that a new mark with
the old time has the last word. A line with `corrects` stands in for the line it names, whatever the time of either, and
one with `retracts` says that the line it names never was: see `corrections`. A status says which such lines concern it
(`ConsentStatus.corrected`), for evidence.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from appwitness.catalog.labels import Labels
from appwitness.events import Consent, DataType, Ref
from appwitness.events.seen import Seen
from appwitness.findings import Assumption, ConsentName, ConsentStatus
from appwitness.judge.consent.by_catalog import understood
from appwitness.judge.consent.corrections import Corrections
from appwitness.judge.consent.echoes import echoes
from appwitness.judge.consent.history import History, HistoryLine
from appwitness.judge.consent.machine import (
    GESTURE,
    PERMISSION,
    REDRAW,
    STORED,
    TAKING_BACK,
    Clock,
    ConsentReading,
    Says,
    Why,
    by_operator,
    clock_of,
    counts,
    in_context,
    in_file,
    of_app,
    read,
    said,
    scope_of,
    was_there,
)
from appwitness.judge.consent.screens import ScreenReader, consents

if TYPE_CHECKING:
    from appwitness.judge.phases import Phases

__all__ = [
    "GESTURE",
    "REDRAW",
    "TAKING_BACK",
    "Clock",
    "ConsentReading",
    "Observed",
    "Says",
    "ScreenReader",
    "Timeline",
    "Why",
    "by_operator",
    "clock_of",
    "consents",
    "of_app",
    "said",
    "scope_of",
    "understood",
    "was_there",
]

EARLIER = timedelta(seconds=5)
"""A line this long before the run began is of an earlier run: clocks are set right to well under that."""
FIRST_MOMENTS = timedelta(seconds=10)
"""What an app finds in its own store, it reads this soon."""
ASKED_AT_START = timedelta(seconds=60)
"""A question this soon after the start is the app's own doing; later the user may have gone to look for it."""
CONFLICT = timedelta(seconds=5)
"""What two observers tell this close together is of one act."""
TICK = timedelta(microseconds=1)
MOST_NEAR = 4
"""Lines of each clock, around one moment, whose orders are tried; nobody touches more often within the bound."""
MOST_OTHERS = 16
"""Lines of a clock that nobody compared which are tried with all before them; of later ones each is tried alone."""
_LAST = datetime.max.replace(tzinfo=UTC)
MOST_SHIFTS = 64
"""Histories with the clocks apart that are kept: what happens together asks for the same ones."""
_ANSWERS: dict[str, ConsentName] = {
    "given": "given",
    "refused": "refused",
    "basic_only": "basic_only",
    "withdrawn": "withdrawn",
}
_YES_OR_NO = frozenset(_ANSWERS)
NOT_OBSERVED = ConsentStatus(state="not_observed")
_STORED = frozenset({"preference", "iab_tcf", "iab_gpp"})


class Observed(NamedTuple):
    """Whom a timeline is about, and whether somebody watched."""

    package: str | None = None
    """The app's package; without it every app's lines count."""
    watched: bool = True
    """Whether somebody saw what the user was asked."""
    assumed: Assumption | None = None
    """What is taken for granted where nobody did."""


class Timeline:
    """Consent over a run. Pure: the same lines in any order give the same answers.

    For findings: `ConsentStatus.ref` is the line that made a state so; `ConsentStatus.corrected` are lines that an
    operator has since replaced or taken back and the lines that did so, as far as the state would be another without
    them. Both belong into the evidence.
    """

    def __init__(
        self,
        consents: Iterable[Seen[Consent]],
        run_started: datetime | None = None,
        labels: Labels | None = None,
        phases: Phases | None = None,
        observed: Observed | None = None,
    ) -> None:
        """`run_started` on the host's clock; `labels` from catalog/consent.yml, without them no label is read."""
        package, watched, assumed = observed or Observed()
        labels = labels or Labels()
        controllers = frozenset(labels.permission_controllers)
        lines = [each for each in consents if package is None or of_app(each.event, package, controllers)]
        self.echoes = echoes(lines)
        """Lines that tell once more, from outside, what the hooks have told."""
        lines = [each for each in lines if each.ref not in self.echoes]
        self._started = run_started
        self._corrections = Corrections(lines)
        self._lines = lines
        readings = sorted(
            (read(each, labels) for each in lines if counts(each.event) and not each.event.retracts),
            key=lambda each: (each.at, each.line, each.ref),
        )
        self._readings = tuple(in_context([each for each in readings if self._corrections.stands(each.ref)], labels))
        says = {_one(reading): reading.says for reading in self._readings}
        self._steps: dict[str, list[HistoryLine]] = {}
        for reading in in_context(readings, labels):
            step = HistoryLine(reading, says.get(_one(reading)), self._corrections.around(reading.ref))
            self._steps.setdefault(reading.scope, []).append(step)
        self._by_ref = {(reading.ref, reading.scope): reading for reading in self._readings}
        self._shifts: dict[tuple[str, DataType | None, Clock, timedelta], History] = {}
        self._orders: dict[tuple[str, DataType | None, Clock, int], tuple[ConsentStatus, ...]] = {}
        self._kinds = {
            scope: tuple(sorted({kind for step in steps for kind in step.reading.data or ()}))
            for scope, steps in self._steps.items()
        }
        self._histories: dict[tuple[str, DataType | None], History] = {}
        self._phases = phases and phases.of_app(package)
        self._pids = {each.ref: each.event.pid for each in lines}
        self._questions: dict[tuple[str, DataType | None], list[tuple[datetime, Ref]]] = {}
        # What hooks logged is from one who sees every question; an operator's mark speaks of its own scope alone.
        spoken = [each for each in self._readings if each.scope != PERMISSION]
        self._watched = watched or not all(by_operator(each.consent) for each in spoken)
        self._spoken = {each.scope for each in spoken}
        self.assumed: Assumption | None = assumed if not self.watched else None
        """What is taken for granted, where nobody observed what the user was asked of the privacy policy."""

    @property
    def watched(self) -> bool:
        """Whether anybody observed what the user was asked of the privacy policy."""
        return self._watched or "general_policy" in self._spoken

    @property
    def asked(self) -> bool:
        """Whether anything was seen that the user was asked or answered, apart from the system's permissions."""
        return bool(self._spoken)

    def at(self, time: datetime, data: DataType | None = None, scope: str = "general_policy") -> ConsentStatus:
        """The status at `time` (host's clock, inclusive) for one kind of data; None asks for the whole."""
        if unwatched := self._unwatched(scope):
            return unwatched
        status = self._history(data, scope).at(time)
        return self._open(status, time, data, scope)

    def around(
        self,
        time: datetime,
        clock: Clock,
        uncertainty_ms: float,
        data: DataType | None = None,
        scope: str = "general_policy",
    ) -> tuple[ConsentStatus, ...]:
        """Every status that may have held at `time`, in order, where the clocks may be `uncertainty_ms` apart: any time
        where that is infinite, and then each is `unordered` unless they agree.

        Lines of the same `clock` are before or after it, but for those of the same microsecond; lines of the other
        clock within the bound may be either.
        """
        if unwatched := self._unwatched(scope):
            return (unwatched,)
        if math.isinf(uncertainty_ms):
            return self._unordered(time, clock, data, scope)
        slack = timedelta(milliseconds=uncertainty_ms)
        first, last = _shifted(time, -slack - slack), _shifted(time, slack)
        near = [step for step in self._between(scope, first, last) if step.says]
        other = [step.reading.at for step in near if clock_of(step.reading.consent) != clock]
        other = sorted((at for at in other if abs(at - time) <= slack), key=lambda at: abs(at - time))[:MOST_NEAR]
        own = [step.reading.at for step in near if clock_of(step.reading.consent) == clock and step.reading.at <= time]
        if not other and time not in own:
            return (self.at(time, data, scope),)
        # Where the other clock's lines stand against this moment, and against those of this clock before it, changes
        # only where two of them meet.
        meet = {anchor - at for at in other for anchor in (time, *own[-MOST_NEAR:])}
        shifts = {by + tick for by in (timedelta(), *meet) for tick in (timedelta(), -TICK, TICK)} | {slack, -slack}
        found: dict[ConsentStatus, None] = {}
        for by in sorted(each for each in shifts if abs(each) <= slack):
            history = self._shifted_history(data, scope, clock, by)
            just_before = _shifted(time, -TICK)
            found |= dict.fromkeys([history.at(just_before), *history.between(just_before, time)])
        told = (self._as_timed(each, scope) for each in found)
        return tuple(dict.fromkeys(self._open(each, time, data, scope) for each in told))

    def _unordered(self, time: datetime, clock: Clock, data: DataType | None, scope: str) -> tuple[ConsentStatus, ...]:
        """Every status that may have held at a moment of one clock, when lines of the other stand in no order with it:
        what this clock's lines say comes first."""
        steps = self._steps.get(scope, ())
        own = [step for step in steps if clock_of(step.reading.consent) == clock]
        own_before = bisect_right(own, time, key=lambda step: step.reading.at)
        same = bisect_left(own, time, key=lambda step: step.reading.at)
        found: dict[ConsentStatus, None] = {}
        for number in range(own_before, same - 1, -1):  # lines of the same microsecond may be before or after
            found |= dict.fromkeys(self._interleaved(data, scope, clock, number))
        found = dict.fromkeys(self._as_timed(each, scope) for each in found)
        if clock == "device":  # whether the user left a question, the device says
            found = dict.fromkeys(self._open(each, time, data, scope) for each in found)
        if len({each.state for each in found}) == 1:
            return (next(iter(found)),)
        return tuple(each.model_copy(update={"unordered": True}) for each in found)

    def _interleaved(self, data: DataType | None, scope: str, clock: Clock, number: int) -> tuple[ConsentStatus, ...]:
        """The statuses after the first `number` lines of one clock, with none, some or all lines of the other: these
        before or after them. The last answer counts, so that finer orders come to the same."""
        kinds = self._kinds.get(scope, ())
        key = (scope, data if data in kinds else None if data is None else "", clock, number)
        if key not in self._orders:
            if len(self._orders) >= MOST_SHIFTS:
                self._orders.clear()
            steps = self._steps.get(scope, ())
            own = [step for step in steps if clock_of(step.reading.consent) == clock][:number]
            other = [step for step in steps if clock_of(step.reading.consent) != clock]

            def after(lines: list[HistoryLine]) -> ConsentStatus:
                first = datetime.min.replace(tzinfo=UTC)
                placed = [
                    step._replace(reading=step.reading._replace(at=first + at * TICK)) for at, step in enumerate(lines)
                ]
                return History(placed, key[1], kinds if data is None else ()).at(_LAST)

            found = {after(own): None}
            for many in [*range(1, min(len(other), MOST_OTHERS) + 1), len(other)]:
                found |= dict.fromkeys((after([*own, *other[:many]]), after([*other[:many], *own])))
            for each in other[MOST_OTHERS:]:
                found |= dict.fromkeys((after([*own, each]), after([each, *own])))
            self._orders[key] = tuple(found)
        return self._orders[key]

    def agreed(self, since: datetime, until: datetime, data: DataType | None, scopes: Container[str]) -> bool:
        """Whether a yes to this kind of data was seen in one of these scopes in between, both inclusive."""
        return any(
            each.says == "given" and each.scope in scopes and each.covers(data)
            for each in self._read_between(since, until)
        )

    def against(self, ref: Ref | None, state: ConsentName, scope: str = "general_policy") -> tuple[Ref, ...]:
        """Lines by which another observer says the contrary of the one that made it so (`ref`, a `state`), within
        seconds of it: a tap against an operator's mark, or what was read from the screen against what the hooks saw."""
        made = self._by_ref.get((ref or "", scope))
        return () if made is None or state not in _YES_OR_NO else self._contrary(made)

    def contradictions(self) -> tuple[tuple[ConsentReading, Ref], ...]:
        """Each answer that another observer tells otherwise within seconds, and the line of that; each pair once."""
        found: dict[frozenset[Ref], tuple[ConsentReading, Ref]] = {}
        for reading in self._readings:
            for ref in self._contrary(reading) if reading.says in _YES_OR_NO and reading.scope != PERMISSION else ():
                found.setdefault(frozenset((reading.ref, ref)), (reading, ref))
        return tuple(found.values())

    def _contrary(self, made: ConsentReading) -> tuple[Ref, ...]:
        return tuple(
            each.ref
            for each in self._read_between(_shifted(made.at, -CONFLICT), _shifted(made.at, CONFLICT))
            if each.scope == made.scope
            and _observer(each.consent) != _observer(made.consent)
            and each.says in _YES_OR_NO
            and (each.says == "given") != (made.says == "given")
            and _overlap(each.data, made.data)
        )

    def _read_between(self, since: datetime, until: datetime) -> tuple[ConsentReading, ...]:
        first = bisect_left(self._readings, since, key=lambda each: each.at)
        return self._readings[first : bisect_right(self._readings, until, first, key=lambda each: each.at)]

    def _unwatched(self, scope: str) -> ConsentStatus | None:
        """The status of a scope that nobody watched, and of which no line speaks."""
        if self._watched or scope in self._spoken or scope == PERMISSION:
            return None
        if self.assumed == "none" or (self.assumed == "given" and scope == "general_policy"):
            state: ConsentName = "given" if self.assumed == "given" else "not_shown"
            return ConsentStatus(state=state, by="operator", assumed=True)
        return NOT_OBSERVED

    def given_after(
        self, time: datetime, data: DataType | None = None, scope: str = "general_policy"
    ) -> ConsentStatus | None:
        """The first consent given later than `time`, or None: how late the question was answered."""
        return self._history(data, scope).given_after(time)

    def steps(self, scope: str = "general_policy") -> tuple[ConsentStatus, ...]:
        """How the status of the whole changed, each with the line that made it so; none when nothing was shown."""
        return self._history(None, scope).changes

    @cached_property
    def answered(self) -> tuple[ConsentName, ...]:
        """What the user was seen to answer, each once, in order of time; permissions of the system aside."""
        spoken = (_ANSWERS.get(each.says) for each in self._readings if each.scope != PERMISSION)
        return tuple(dict.fromkeys(filter(None, spoken)))

    def readings(self) -> tuple[ConsentReading, ...]:
        """Every line that counts, in order of time: what it says, and why where that is not its status."""
        return self._readings

    def knows(self, ref: Ref) -> bool:
        """Whether the line is about this app."""
        return ref in self._pids or ref in self.echoes

    def carried(self) -> tuple[Ref, ...]:
        """Lines that show consent of an earlier run, so that this was no clean install: the user's answers from before
        the run (they count), and a yes that the app's store had at its start, before anything was shown (it gives no
        consent), unless the app asks as this run begins and is told no: then the dialog tells, not the store. When it
        is not known when the run started, only lines that are marked as older."""
        known = self._started is not None
        started = self._started or min((at for _, _, at, _ in self._lines), default=None)
        if started is None:
            return ()
        before = [reading.ref for reading in self._readings if known and reading.at < started - EARLIER]
        shown = min((reading.at for reading in self._readings if reading.at >= started - EARLIER), default=None)
        until = min(started + FIRST_MOMENTS, shown) if shown else started + FIRST_MOMENTS
        denied = self._denied(started)
        stored = [
            ref
            for ref, _, at, line in self._lines
            if line.signal in STORED
            and line.status == "given"
            and not counts(line)
            and self._corrections.stands(ref)
            and (was_there(line) or (known and line.at_start is None and at < until))
            and not denied & {line.scope, "general_policy"}
        ]
        return tuple(sorted(dict.fromkeys([*before, *stored]), key=in_file))

    def _denied(self, started: datetime) -> set[str]:
        """Scopes in which this run began by asking, and the first answer was a no."""
        asked: set[str] = set()
        answers: dict[str, Says] = {}
        for each in self._readings:
            if each.at < started - EARLIER or each.scope == PERMISSION:
                continue
            if each.says == "requested" and each.at <= started + ASKED_AT_START:
                asked.add(each.scope)
            elif each.says in _YES_OR_NO and each.scope in asked:
                answers.setdefault(each.scope, each.says)
        return {scope for scope, answer in answers.items() if answer != "given"}

    def replaced(self) -> dict[Ref, tuple[Ref, ...]]:
        """Lines that an operator has since replaced or taken back, each with the lines that did so, the last word
        last."""
        return self._corrections.replaced()

    def dangling(self) -> dict[Ref, Ref]:
        """Lines that correct or take back a line that there is not before them, with its name. Such a correction
        counts as an ordinary line."""
        return dict(self._corrections.unknown)

    def _open(self, status: ConsentStatus, time: datetime, data: DataType | None, scope: str) -> ConsentStatus:
        """The same, but of an open question, which the user may have left since it was last asked."""
        if status.state != "requested" or self._phases is None or scope == PERMISSION:
            return status
        asked = self._asked(data, scope)
        at, ref = asked[max(0, bisect_right(asked, time, key=lambda each: each[0]) - 1)]
        left = self._phases.left(at, time, self._pids[ref])
        if left is None:
            return status
        return status.model_copy(update={"state": "dismissed", "by": "user", "at": left[0], "ref": left[1]})

    def _asked(self, data: DataType | None, scope: str) -> list[tuple[datetime, Ref]]:
        """When this was asked, each with its line, in order of time."""
        key = (scope, data)
        if key not in self._questions:
            self._questions[key] = [
                (each.at, each.ref)
                for each in self._readings
                if each.scope == scope and each.covers(data) and each.says in ("requested", "again", "changed")
            ]
        return self._questions[key]

    def _between(self, scope: str, first: datetime, last: datetime) -> list[HistoryLine]:
        """Lines that speak of a scope in a stretch of time, both ends inclusive."""
        steps, times = self._steps.get(scope, []), self._times_of.get(scope, [])
        return steps[bisect_left(times, first) : bisect_right(times, last)]

    @cached_property
    def _times_of(self) -> dict[str, list[datetime]]:
        """Scope -> when its lines were, in order."""
        return {scope: [step.reading.at for step in steps] for scope, steps in self._steps.items()}

    def _shifted_history(self, data: DataType | None, scope: str, clock: Clock, by: timedelta) -> History:
        """The history as it is when the lines of the other clock are shifted by this much."""
        if not by:
            return self._history(data, scope)
        kinds = self._kinds.get(scope, ())
        key = (scope, data if data in kinds else None if data is None else "", clock, by)
        if key not in self._shifts:
            if len(self._shifts) >= MOST_SHIFTS:
                self._shifts.clear()
            moved = [
                step
                if clock_of(step.reading.consent) == clock
                else step._replace(reading=step.reading._replace(at=_shifted(step.reading.at, by)))
                for step in self._steps.get(scope, ())
            ]
            moved.sort(key=lambda step: (step.reading.at, step.reading.line, step.reading.ref))
            self._shifts[key] = History(moved, key[1], kinds if data is None else ())
        return self._shifts[key]

    def _as_timed(self, status: ConsentStatus, scope: str) -> ConsentStatus:
        """The status with the time of its line as it was, not shifted."""
        made = self._by_ref.get((status.ref or "", scope))
        return status if made is None else status.model_copy(update={"at": made.at})

    def _history(self, data: DataType | None, scope: str) -> History:
        kinds = self._kinds.get(scope, ())
        # What no line names by itself has the history of the lines that speak of every kind.
        key = (scope, data if data in kinds else None if data is None else "")
        if key not in self._histories:
            steps = self._steps.get(scope, ())
            self._histories[key] = History(steps, key[1], kinds if data is None else ())
        return self._histories[key]


def _one(reading: ConsentReading) -> tuple[Ref, str, str | None, str]:
    """What tells a reading from the others of its line: a screen may ask several things."""
    return reading.ref, reading.scope, reading.consent.text, reading.consent.status


def _observer(consent: Consent) -> str:
    """Who tells it: the operator; else whoever looks from outside (`host`), or the hooks (`device`)."""
    return "operator" if by_operator(consent) else clock_of(consent)


def _overlap(one: tuple[DataType, ...] | None, other: tuple[DataType, ...] | None) -> bool:
    return one is None or other is None or not set(one).isdisjoint(other)


def _shifted(time: datetime, by: timedelta) -> datetime:
    try:
        return time + by
    except OverflowError:  # a line of the first or last year
        return time
