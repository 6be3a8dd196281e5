"""What the user had been asked and had decided at a moment, computed from the consent lines of a recording.

Times. Lines of the device carry the device's clock and are corrected (host = device - offset). What an operator notes
is typed on the host and already carries the host's clock: such a line (`by` or `signal` is `operator`) is not shifted.

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
- one touch that says yes to several questions at once (tap lines of one moment and label in several scopes) is no
  answer to one that must be asked apart: `sensitive_separate`, `third_party_separate`, `cross_border_separate`,
  `minor_guardian`; unless it had a box of its own, which the user ticked, or the touch kept choices (`choices`);
- a touch on "Disagree" or "Not now" (`refuse`) is a no and one on "Manage options" (`options`) no answer, whatever
  the line says: what was touched is what was seen, and its status is what somebody made of it;
- "Browse only" and its like (`basic`) is a no to all but the basic function: `basic_only`, whatever status it has;
- a question whose text says that the policy has changed (`changed`) takes the force from an earlier yes: `expired`.

The states, and what a line makes of them (`=`: it stays, with the line that made it so first):

| state      | requested | changed   | dismissed | given | refused | basic_only | withdrawn |
|------------|-----------|-----------|-----------|-------|---------|------------|-----------|
| not_shown  | requested | requested | dismissed | given | refused | basic_only | withdrawn |
| requested  | =         | =         | dismissed | given | refused | basic_only | withdrawn |
| dismissed  | requested | requested | =         | given | refused | basic_only | withdrawn |
| given      | =         | expired   | =         | =     | refused | basic_only | withdrawn |
| refused    | =         | =         | =         | given | =       | basic_only | withdrawn |
| basic_only | =         | =         | =         | given | refused | =          | withdrawn |
| withdrawn  | =         | =         | =         | given | refused | basic_only | =         |
| expired    | =         | =         | =         | given | refused | basic_only | withdrawn |

So only an answer changes an answer. A dialog shown once more does not take consent back, and closing the dialog is
what the tap on "Agree" itself does a moment later. A no stands until the user says otherwise; else an app could lift it
by asking again and acting before the answer.

A question that the user left without an answer (the app went to the background, or its process ended) is `dismissed`
from then on; it is `requested` again when the app comes back with it. Phase lines say so.

Lines that another app wrote say nothing of this one, but for the system's answers about permissions.

Kinds of data. A line without `data` speaks of every kind, one with `data` of those alone, and the last answer that
covers a kind counts for it: "no location" after "yes" is a no to location; "no" to everything after "yes to location"
is a no to location, too; "yes" to everything after either is a yes. Of the whole (no kind asked for) the lines without
`data` tell, but where something has been given and something has not, it is `partial`.

Order. Lines count in the order of their times, those of the same time in the order of the file, so that a new mark with
the old time has the last word. A line with `corrects` stands in for the line it names, whatever the time of either, and
one with `retracts` says that the line it names never was: see `corrections`. A status says which such lines bear on it
(`ConsentStatus.corrected`), for evidence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.events import Consent, DataType, Ref
from monitor.findings import Assumption, ConsentName, ConsentStatus
from monitor.judge.consent.corrections import Corrections
from monitor.judge.consent.history import History, Step
from monitor.judge.consent.machine import (
    PERMISSION,
    Reading,
    Says,
    Why,
    by_operator,
    counts,
    host_time,
    in_context,
    in_file,
    of_app,
    read,
    said,
    scope_of,
)
from monitor.labels import Labels

if TYPE_CHECKING:
    from monitor.judge.phases import Phases

__all__ = ["Reading", "Says", "Timeline", "Why", "host_time", "of_app", "said", "scope_of"]

EARLIER = timedelta(seconds=5)
"""A line this long before the run began is of an earlier run: clocks are set right to well under that."""
FIRST_MOMENTS = timedelta(seconds=10)
"""What an app finds in its own store, it reads this soon."""
NOT_OBSERVED = ConsentStatus(state="not_observed")
_STORED = frozenset({"preference", "iab_tcf", "iab_gpp"})


class Timeline:
    """Consent over a run. Pure: the same lines in any order give the same answers.

    For findings: `ConsentStatus.ref` is the line that made a state so; `ConsentStatus.corrected` are lines that an
    operator has since replaced or taken back and the lines that did so, as far as the state would be another without
    them. Both belong into the evidence.
    """

    def __init__(
        self,
        consents: Iterable[tuple[Ref, Consent]],
        clock_offset_ms: float = 0,
        run_started: datetime | None = None,
        labels: Labels | None = None,
        phases: Phases | None = None,
        package: str | None = None,
        *,
        watched: bool = True,
        assumed: Assumption | None = None,
    ) -> None:
        """`run_started` on the host's clock; `labels` from catalog/consent.yml, without them no label is read;
        `package` of the app, without it every app's lines count; `watched`: whether somebody saw what the user was
        asked, and if not, what is `assumed`."""
        lines = [(ref, line) for ref, line in consents if package is None or of_app(line, package)]
        self._offset_ms = clock_offset_ms
        self._started = run_started
        self._corrections = Corrections(lines)
        self._lines = lines
        labels = labels or Labels()
        readings = sorted(
            (read(ref, line, clock_offset_ms, labels) for ref, line in lines if counts(line) and not line.retracts),
            key=lambda each: (each.at, each.line, each.ref),
        )
        self._readings = tuple(in_context([each for each in readings if self._corrections.stands(each.ref)], labels))
        says = {reading.ref: reading.says for reading in self._readings}
        self._steps: dict[str, list[Step]] = {}
        for reading in in_context(readings, labels):
            step = Step(reading, says.get(reading.ref), self._corrections.around(reading.ref))
            self._steps.setdefault(reading.scope, []).append(step)
        self._kinds = {
            scope: tuple(sorted({kind for step in steps for kind in step.reading.data or ()}))
            for scope, steps in self._steps.items()
        }
        self._histories: dict[tuple[str, DataType | None], History] = {}
        self._phases = phases
        self._pids = {ref: line.pid for ref, line in lines}
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

    def at(self, time: datetime, data: DataType | None = None, scope: str = "general_policy") -> ConsentStatus:
        """The status at `time` (host's clock, inclusive) for one kind of data; None asks for the whole."""
        if unwatched := self._unwatched(scope):
            return unwatched
        status = self._history(data, scope).at(time)
        return self._left(status, time, data, scope) if status.state == "requested" and scope != PERMISSION else status

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

    def readings(self) -> tuple[Reading, ...]:
        """Every line that counts, in order of time: what it says, and why where that is not its status."""
        return self._readings

    def carried(self) -> tuple[Ref, ...]:
        """Lines that show consent of an earlier run, so that this was no clean install: the user's answers from before
        the run (they count), and a yes that the app's store had at its start, before anything was shown (it gives no
        consent). None when it is not known when the run started."""
        if self._started is None:
            return ()
        started = self._started
        before = [reading.ref for reading in self._readings if reading.at < started - EARLIER]
        shown = min((reading.at for reading in self._readings if reading.at >= started - EARLIER), default=None)
        until = min(started + FIRST_MOMENTS, shown) if shown else started + FIRST_MOMENTS
        stored = [
            ref
            for ref, line in self._lines
            if line.signal in _STORED
            and line.status == "given"
            and not counts(line)
            and self._corrections.stands(ref)
            and (_was_there(line) or host_time(line, self._offset_ms) < until)
        ]
        return tuple(sorted(dict.fromkeys([*before, *stored]), key=in_file))

    def replaced(self) -> dict[Ref, tuple[Ref, ...]]:
        """Lines that an operator has since replaced or taken back, each with the lines that did so, the last word
        last."""
        return self._corrections.replaced()

    def dangling(self) -> dict[Ref, Ref]:
        """Lines that correct or take back a line that there is not before them, with its name. Such a correction
        counts as an ordinary line."""
        return dict(self._corrections.unknown)

    def _left(self, status: ConsentStatus, time: datetime, data: DataType | None, scope: str) -> ConsentStatus:
        """The status of an open question, which the user may have left since it was last asked."""
        if self._phases is None:
            return status
        asked = self._asked(data, scope)
        at, ref = asked[bisect_right(asked, time, key=lambda each: each[0]) - 1]
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
                if each.scope == scope and each.covers(data) and each.says in ("requested", "changed")
            ]
        return self._questions[key]

    def _history(self, data: DataType | None, scope: str) -> History:
        kinds = self._kinds.get(scope, ())
        # What no line names by itself has the history of the lines that speak of every kind.
        key = (scope, data if data in kinds else None if data is None else "")
        if key not in self._histories:
            steps = self._steps.get(scope, ())
            self._histories[key] = History(steps, key[1], kinds if data is None else ())
        return self._histories[key]


def _was_there(line: Consent) -> bool:
    """Whether the store had it before this run wrote to it, as the agent notes it."""
    return line.note is not None and line.note.startswith("present at start")
