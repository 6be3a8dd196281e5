"""The consent at a moment: what the user had been asked and had decided, computed from a recording's consent lines.

Times are on the host's clock (`Seen.at`). The clocks of device and host agree only to within a bound, so the order of
two lines is certain only on the same clock, or if they are farther apart than the bound: see `Timeline.around`.

Who watched. If nobody did (a foreign capture), a scope that no line mentions is `not_observed`, or whatever the
operator assumed (`assumed`). It is never `not_shown`, which means that somebody watched and saw no question.

Whose word counts. Consent is an act: a tap by the user, or an operator's mark of one. A stored preference, an SDK that
is told "agreed", a TCF string in the store are claims by the app; they change nothing here, in either direction (many
apps tell their SDKs "not agreed" at start, before anybody was asked: that is no refusal either). That a dialog was
shown or closed is an observation and counts, whoever wrote it.

Scopes are kept apart. A system permission is not consent: whatever scope its line names, it goes to
`system_permission`, where the system's own answer is the act.

A line says what its status says, except:

- a touch on "Got it", "OK", "Continue" (catalog/consent.yml, `ambiguous`) is not a yes: the user has only been asked.
  If the box beside "I have read and agree" was ticked, however, the tick is the yes, and "Sign in" only continues;
- a touch on "Agree" while the box beside it was not ticked is not a yes either (the app shows a toast, and waits);
- nor is it a yes if the dialog came up with its box already ticked: what the user did not tick is a default, and
  regulators do not accept consent by default (App collection rules of 2019, 3.4; EU Court, C-673/17). A user who
  unticked it in between chose freely, and an operator who saw that may mark the choice;
- one touch that says yes to several questions at once (tap lines of one label within 0.3 s in several scopes, whether
  these were asked about or not) is no answer to one that must be asked separately: `sensitive_separate`,
  `third_party_separate`, `cross_border_separate`, `minor_guardian`. It is one if that question had its own box, which
  the user ticked, or if the touch saved choices (`choices`);
- a touch on "Disagree" (`refuse`) is a no, and one on "Manage options" (`options`) is no answer, whatever the line
  says: the label was seen, while the status is somebody's interpretation;
- a touch on "Not now", "Agree later" (`later`), "Skip" or "Close" (`closing`) is no answer either: `dismissed`;
- a touch on what withdraws consent (`withdraw`) withdraws nothing if it only leads to a dialog that asks whether to do
  so; a touch on "OK" there does, one on "Cancel" does not (`confirms`, `cancels`);
- a touch on what turns off one particular use of data, "Do Not Sell My Personal Information" (`inverts`, `scopes`), is
  a no to that use, and does not withdraw consent to the policy;
- a touch on "Agree or exit" (`forced`) is a yes under pressure: `given`, and a rule reports it;
- "Browse only" and the like (`basic`) is a no to everything but the basic function: `basic_only`, whatever its status;
- a question whose text says that the policy has changed (`changed`) invalidates an earlier yes: `expired`.

The states, and how a line changes them (`=`: unchanged, still with the line that first caused it):

`taking_back`, the question whether to withdraw consent, has no column: it changes nothing.

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

A question that disappeared without a visible answer (`gone`: a touch in Compose, Flutter or a web page) may have been
answered with a yes, even after an earlier no: it gives the app the benefit of the doubt until an answer is seen. If an
act was seen since the question was shown, or within seconds of its disappearance, that act is the reason, and `gone`
adds nothing; if the same question is back within minutes, it had not been answered and is `requested` again.

So only an answer changes an answer. A dialog that is shown again does not withdraw consent, and the tap on "Agree"
itself closes the dialog a moment later. A no stands until the user says something else; otherwise an app could lift it
by asking again and acting before the answer.

A question that the user left without an answer (the app went to the background, or its process ended) is `dismissed`
from then on; it is `requested` again when the app comes back with it. Phase lines show this.

An act that an outside observer of the screen (`clock` is `host`) and the hooks both report counts once: see `echoes`.

Lines written by another app say nothing about this one, except the system's answers about permissions.

Data types. A line without `data` covers every type, one with `data` covers only those, and the last answer that covers
a type counts for it: "no location" after "yes" is a no to location; "no" to everything after "yes to location" is a no
to location, too; "yes" to everything after either is a yes. In general (no type asked for), the lines without `data`
decide, but if some types have consent and others do not, the state is `partial`.

Order. Lines count in the order of their times, those with the same time in the order of the file, so that a new mark
with the old time has the last word. A line with `corrects` replaces the line that it names, whatever their times, and
one with `retracts` says that the line it names never existed: see `corrections`. A status says which such lines affect
it (`ConsentStatus.corrected`), for evidence.
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
"""A line this long before the start of the run belongs to an earlier run: clock corrections are well below that."""
FIRST_MOMENTS = timedelta(seconds=10)
"""An app reads its own store within this time after the start."""
ASKED_AT_START = timedelta(seconds=60)
"""A question within this time after the start comes from the app itself; the user may have looked for a later one."""
CONFLICT = timedelta(seconds=5)
"""Reports of two observers this close together are about the same act."""
TICK = timedelta(microseconds=1)
MOST_NEAR = 4
"""Maximum number of lines of each clock that are reordered around a moment; nobody taps more often within the bound."""
MOST_OTHERS = 16
"""Up to this number, lines of the other clock are tried with all that precede them; later ones are tried alone."""
_LAST = datetime.max.replace(tzinfo=UTC)
MOST_SHIFTS = 64
"""Maximum number of cached histories with shifted clocks: events close together need the same ones."""
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
    """Which app a timeline is about, and whether somebody watched."""

    package: str | None = None
    """The app's package; None: the lines of every app count."""
    watched: bool = True
    """Whether somebody saw what the user was asked."""
    assumed: Assumption | None = None
    """What is assumed if nobody did."""


class Timeline:
    """Consent over a run. Pure: the same lines in any order give the same answers.

    For findings: `ConsentStatus.ref` is the line that caused a state; `ConsentStatus.corrected` are the lines that an
    operator has since replaced or retracted, and the lines that did so, if the state would be different without them.
    Both belong in the evidence.
    """

    def __init__(
        self,
        consents: Iterable[Seen[Consent]],
        run_started: datetime | None = None,
        labels: Labels | None = None,
        phases: Phases | None = None,
        observed: Observed | None = None,
    ) -> None:
        """`run_started` is on the host's clock; `labels` come from catalog/consent.yml, and without them no label is
        interpreted."""
        package, watched, assumed = observed or Observed()
        labels = labels or Labels()
        controllers = frozenset(labels.permission_controllers)
        lines = [each for each in consents if package is None or of_app(each.event, package, controllers)]
        self.echoes = echoes(lines)
        """Lines in which an outside observer repeats what the hooks reported."""
        lines = [each for each in lines if each.ref not in self.echoes]
        self._started = run_started
        self._corrections = Corrections(lines)
        self._lines = lines
        readings = sorted(
            (read(each, labels) for each in lines if counts(each.event) and not each.event.retracts),
            key=lambda each: (each.at, each.line, each.ref),
        )
        as_written = in_context(readings, labels)
        standing = [each for each in readings if self._corrections.stands(each.ref)]
        self._readings = tuple(as_written if standing == readings else in_context(standing, labels))
        says = {_one(reading): reading.says for reading in self._readings}
        self._steps: dict[str, list[HistoryLine]] = {}
        for reading in as_written:
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
        # Hooks that log consent lines see every question; an operator's mark speaks only for its own scope.
        spoken = [each for each in self._readings if each.scope != PERMISSION]
        self._watched = watched or not all(by_operator(each.consent) for each in spoken)
        self._spoken = {each.scope for each in spoken}
        self.assumed: Assumption | None = assumed if not self.watched else None
        """What is assumed if nobody observed whether the user was asked about the privacy policy."""

    @property
    def watched(self) -> bool:
        """Whether anybody observed what the user was asked about the privacy policy."""
        return self._watched or "general_policy" in self._spoken

    @property
    def asked(self) -> bool:
        """Whether the user was seen to be asked or to answer anything, apart from the system's permissions."""
        return bool(self._spoken)

    def at(self, time: datetime, data: DataType | None = None, scope: str = "general_policy") -> ConsentStatus:
        """The status at `time` (host's clock, inclusive) for one data type; None: in general."""
        return self._unwatched(scope) or self._timed(time, data, scope)

    def _timed(self, time: datetime, data: DataType | None, scope: str) -> ConsentStatus:
        return self._open(self._history(data, scope).at(time), time, data, scope)

    def around(
        self,
        time: datetime,
        clock: Clock,
        uncertainty_ms: float,
        data: DataType | None = None,
        scope: str = "general_policy",
    ) -> tuple[ConsentStatus, ...]:
        """Every status that may have held at `time`, in order, if the clocks may be `uncertainty_ms` apart. With an
        infinite bound, lines of the other clock may have come at any time, and each status is `unordered` unless all of
        them agree.

        Lines of the same `clock` come before or after `time`, except those of the same microsecond; lines of the other
        clock within the bound may come on either side.
        """
        if unwatched := self._unwatched(scope):
            return (unwatched,)
        if math.isinf(uncertainty_ms):
            return self._unordered(time, clock, data, scope)
        slack = timedelta(milliseconds=uncertainty_ms)
        between = self._between(scope, _shifted(time, -slack - slack), _shifted(time, slack))
        if not between:
            return (self._timed(time, data, scope),)
        near = [step for step in between if step.says]
        other = [step.reading.at for step in near if clock_of(step.reading.consent) != clock]
        other = sorted((at for at in other if abs(at - time) <= slack), key=lambda at: abs(at - time))[:MOST_NEAR]
        own = [step.reading.at for step in near if clock_of(step.reading.consent) == clock and step.reading.at <= time]
        if not other and time not in own:
            return (self._timed(time, data, scope),)
        # The order of the other clock's lines, relative to this moment and to the earlier lines of this clock, changes
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
        """Every status that may have held at a moment of one clock, if lines of the other have no known order
        relative to it; statuses based on this clock's lines come first."""
        steps = self._steps.get(scope, ())
        own = [step for step in steps if clock_of(step.reading.consent) == clock]
        own_before = bisect_right(own, time, key=lambda step: step.reading.at)
        same = bisect_left(own, time, key=lambda step: step.reading.at)
        found: dict[ConsentStatus, None] = {}
        for number in range(own_before, same - 1, -1):  # lines of the same microsecond may be before or after
            found |= dict.fromkeys(self._interleaved(data, scope, clock, number))
        found = dict.fromkeys(self._as_timed(each, scope) for each in found)
        if clock == "device":  # only the device tells whether the user left a question
            found = dict.fromkeys(self._open(each, time, data, scope) for each in found)
        if len({each.state for each in found}) == 1:
            return (next(iter(found)),)
        return tuple(each.model_copy(update={"unordered": True}) for each in found)

    def _interleaved(self, data: DataType | None, scope: str, clock: Clock, number: int) -> tuple[ConsentStatus, ...]:
        """The statuses after the first `number` lines of one clock, combined with none, some or all lines of the
        other, placed before or after them. Only the last answer counts, so finer orders give the same results."""
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
        """Whether a yes to this data type was seen in one of these scopes between the two times, both inclusive."""
        return any(
            each.says == "given" and each.scope in scopes and each.covers(data)
            for each in self._read_between(since, until)
        )

    def against(self, ref: Ref | None, state: ConsentName, scope: str = "general_policy") -> tuple[Ref, ...]:
        """Lines in which another observer contradicts the line `ref` that caused `state`, within seconds of it: a
        tap against an operator's mark, or what was read from the screen against what the hooks saw."""
        made = self._by_ref.get((ref or "", scope))
        return () if made is None or state not in _YES_OR_NO else self._contrary(made)

    def contradictions(self) -> tuple[tuple[ConsentReading, Ref], ...]:
        """Each answer that another observer contradicts within seconds, with the contradicting line; each pair once."""
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
        """The status of a scope that nobody watched and no line mentions; None for any other scope."""
        if self._watched or scope in self._spoken or scope == PERMISSION:
            return None
        if self.assumed == "none" or (self.assumed == "given" and scope == "general_policy"):
            state: ConsentName = "given" if self.assumed == "given" else "not_shown"
            return ConsentStatus(state=state, by="operator", assumed=True)
        return NOT_OBSERVED

    def given_after(
        self, time: datetime, data: DataType | None = None, scope: str = "general_policy"
    ) -> ConsentStatus | None:
        """The first consent given later than `time`, or None: it shows how late the question was answered."""
        return self._history(data, scope).given_after(time)

    def steps(self, scope: str = "general_policy") -> tuple[ConsentStatus, ...]:
        """How the general status changed, each time with the line that caused it; empty if nothing was shown."""
        return self._history(None, scope).changes

    @cached_property
    def answered(self) -> tuple[ConsentName, ...]:
        """The answers that the user was seen to give, each once, in order of time; permissions of the system
        excluded."""
        spoken = (_ANSWERS.get(each.says) for each in self._readings if each.scope != PERMISSION)
        return tuple(dict.fromkeys(filter(None, spoken)))

    def readings(self) -> tuple[ConsentReading, ...]:
        """Every line that counts, in order of time: what it says, and why if that differs from its status."""
        return self._readings

    def knows(self, ref: Ref) -> bool:
        """Whether the line is about this app."""
        return ref in self._pids or ref in self.echoes

    def carried(self) -> tuple[Ref, ...]:
        """Lines that show consent from an earlier run, so that this was no clean install. These are the user's
        answers from before the run (they count), and a yes that the app's store held at the start, before anything
        was shown (it is no consent). The stored yes is left out if the app asks at the start of this run and is told
        no: the dialog then decides, not the store. If the start of the run is unknown, only lines marked as older."""
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
        """Scopes that this run asked about at its start and whose first answer was a no."""
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
        """Lines that an operator has since replaced or retracted, each with the lines that did so, the latest last."""
        return self._corrections.replaced()

    def dangling(self) -> dict[Ref, Ref]:
        """Lines that correct or retract a line that does not exist before them, with the name of that line. Such a
        correction counts as an ordinary line."""
        return dict(self._corrections.unknown)

    def _open(self, status: ConsentStatus, time: datetime, data: DataType | None, scope: str) -> ConsentStatus:
        """The same status; but `dismissed` for an open question that the user may have left since it was last asked."""
        if status.state != "requested" or self._phases is None or scope == PERMISSION:
            return status
        asked = self._asked(data, scope)
        at, ref = asked[max(0, bisect_right(asked, time, key=lambda each: each[0]) - 1)]
        left = self._phases.left(at, time, self._pids[ref])
        if left is None:
            return status
        return status.model_copy(update={"state": "dismissed", "by": "user", "at": left[0], "ref": left[1]})

    def _asked(self, data: DataType | None, scope: str) -> list[tuple[datetime, Ref]]:
        """When this was asked, each time with its line, in order of time."""
        key = (scope, data)
        if key not in self._questions:
            self._questions[key] = [
                (each.at, each.ref)
                for each in self._readings
                if each.scope == scope and each.covers(data) and each.says in ("requested", "again", "changed")
            ]
        return self._questions[key]

    def _between(self, scope: str, first: datetime, last: datetime) -> list[HistoryLine]:
        """Lines about a scope within a span of time, both ends inclusive."""
        if scope not in self._steps:
            return []
        times = self._times_of[scope]
        start = bisect_left(times, first)
        return self._steps[scope][start : bisect_right(times, last, start)]

    @cached_property
    def _times_of(self) -> dict[str, list[datetime]]:
        """Scope -> the times of its lines, in order."""
        return {scope: [step.reading.at for step in steps] for scope, steps in self._steps.items()}

    def _shifted_history(self, data: DataType | None, scope: str, clock: Clock, by: timedelta) -> History:
        """The history that results when the lines of the other clock are shifted by this much."""
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
        """The status with its line's original time instead of the shifted one."""
        made = self._by_ref.get((status.ref or "", scope))
        return status if made is None else status.model_copy(update={"at": made.at})

    def _history(self, data: DataType | None, scope: str) -> History:
        kinds = self._kinds.get(scope, ())
        # A data type that no line names shares the history of the lines that cover every type.
        key = (scope, data if data in kinds else None if data is None else "")
        if key not in self._histories:
            steps = self._steps.get(scope, ())
            self._histories[key] = History(steps, key[1], kinds if data is None else ())
        return self._histories[key]


def _one(reading: ConsentReading) -> tuple[Ref, str, str | None, str]:
    """What distinguishes a reading from the others of its line: one screen may ask several things."""
    return reading.ref, reading.scope, reading.consent.text, reading.consent.status


def _observer(consent: Consent) -> str:
    """Who reports it: the operator; otherwise an outside observer (`host`) or the hooks (`device`)."""
    return "operator" if by_operator(consent) else clock_of(consent)


def _overlap(one: tuple[DataType, ...] | None, other: tuple[DataType, ...] | None) -> bool:
    return one is None or other is None or not set(one).isdisjoint(other)


def _shifted(time: datetime, by: timedelta) -> datetime:
    try:
        return time + by
    except OverflowError:  # a line of the first or last year
        return time
