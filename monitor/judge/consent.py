"""What the user had been asked and had decided at a moment, computed from the consent lines of a recording.

Times. Lines of the device carry the device's clock and are corrected (host = device - offset). What an operator notes
is typed on the host and already carries the host's clock: such a line (`by` or `signal` is `operator`) is not shifted.

Whose word counts. Consent is an act: a tap of the user, or an operator's mark of one. A preference that is set, an SDK
that is told "agreed", a TCF string in the store are claims of the app; they change nothing here, in neither direction
(many apps tell their SDKs "not agreed" at start before anybody was asked: no refusal either). That a dialog was shown,
or closed, is an observation and counts whoever wrote it.

Scopes are kept apart. A system permission is not consent: whatever scope its line names, it goes to
`system_permission`, where the system's own answer is the act.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.events import Consent, DataType, Ref
from monitor.findings import ConsentStatus

NOT_SHOWN = ConsentStatus()
PERMISSION = "system_permission"
DECISIONS = frozenset({"given", "refused", "withdrawn"})
_SEEN = frozenset({"dialog", "tap", "permission_prompt", "permission_result", "operator"})
"""Signals of something that happened before the user's eyes or by the user's hand; all others are claims."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A line that counts, on the host's clock."""

    at: datetime
    line: int
    ref: Ref
    status: ConsentStatus
    data: tuple[DataType, ...] | None


class Timeline:
    """Consent over a run. Pure: the same lines in any order give the same answers.

    Lines of the same time count in the order of the file, so that a mark corrected afterwards (a new line with the
    old time) replaces what it corrects.
    """

    def __init__(self, consents: Iterable[tuple[Ref, Consent]], clock_offset_ms: float = 0) -> None:
        self._steps: dict[str, list[_Step]] = {}
        for ref, consent in consents:
            scope = scope_of(consent)
            if _counts(consent, scope):
                self._steps.setdefault(scope, []).append(_step(ref, consent, clock_offset_ms))
        for steps in self._steps.values():
            steps.sort(key=lambda step: (step.at, step.line, step.ref))
        self._named = {
            scope: frozenset(data for step in steps for data in step.data or ()) for scope, steps in self._steps.items()
        }
        self._histories: dict[tuple[str, DataType | None], _History] = {}

    def at(self, time: datetime, data: DataType | None = None, scope: str = "general_policy") -> ConsentStatus:
        """The status at `time` (host's clock, inclusive) for one data type; None asks for what was said of all."""
        return self._history(data, scope).at(time)

    def given_after(
        self, time: datetime, data: DataType | None = None, scope: str = "general_policy"
    ) -> ConsentStatus | None:
        """The first consent given later than `time`, or None: how late the question was answered."""
        return self._history(data, scope).given_after(time)

    def steps(self, scope: str = "general_policy") -> tuple[ConsentStatus, ...]:
        """How what was said of all data changed, each with the line that made it so; none when nothing was shown."""
        return tuple(self._history(None, scope).changes())

    def _history(self, data: DataType | None, scope: str) -> _History:
        key = (scope, data if data in self._named.get(scope, ()) else None)
        if key not in self._histories:
            self._histories[key] = _History(self._steps.get(scope, ()), key[1])
        return self._histories[key]


def scope_of(consent: Consent) -> str:
    """The scope that a line speaks of; a line about a permission never speaks of consent."""
    return PERMISSION if consent.signal.startswith("permission_") else consent.scope


def _counts(consent: Consent, scope: str) -> bool:
    if consent.by == "operator" or consent.signal == "operator":
        return True
    if consent.signal not in _SEEN:
        return False
    if consent.status in DECISIONS and scope != PERMISSION:
        return consent.by == "user"
    return True


def _step(ref: Ref, consent: Consent, clock_offset_ms: float) -> _Step:
    operator = consent.by == "operator" or consent.signal == "operator"
    at = consent.at if operator else consent.at - timedelta(milliseconds=clock_offset_ms)
    status = ConsentStatus(state=consent.status, by=consent.by, ref=ref, at=at)
    return _Step(at=at, line=_line(ref), ref=ref, status=status, data=consent.data)


def _line(ref: Ref) -> int:
    number = ref.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


class _History:
    """How the status for one data type in one scope changed."""

    def __init__(self, steps: Iterable[_Step], data: DataType | None) -> None:
        self._times: list[datetime] = []
        self._states: list[ConsentStatus] = [NOT_SHOWN]
        general = specific = NOT_SHOWN
        for step in steps:
            if step.data is None:
                general = _next(general, step.status)
                if step.status.state == "withdrawn" and specific.state == "given":
                    # Taking back everything takes back what was given for one kind of data too.
                    specific = NOT_SHOWN
            elif data is not None and data in step.data:
                specific = _next(specific, step.status)
            now = _stronger(specific, general)
            if now != self._states[-1]:
                self._times.append(step.at)
                self._states.append(now)

    def at(self, time: datetime) -> ConsentStatus:
        return self._states[bisect_right(self._times, time)]

    def changes(self) -> list[ConsentStatus]:
        return self._states[1:]

    def given_after(self, time: datetime) -> ConsentStatus | None:
        later = self._states[bisect_right(self._times, time) + 1 :]
        return next((status for status in later if status.state == "given"), None)


def _next(now: ConsentStatus, new: ConsentStatus) -> ConsentStatus:
    """The state machine: only a decision changes a decision.

    - A question asked again, or closed without a choice, leaves the last decision as it is. After `given`: a dialog
      shown once more does not take consent back, and closing the dialog is what the tap on "Agree" itself does a
      moment later. After `refused` and `withdrawn`: the no stands until the user says otherwise; else an app could
      lift a refusal by asking again and acting before the answer.
    - The same state again keeps the line that made it so first.
    """
    if new.state == now.state or (now.state in DECISIONS and new.state not in DECISIONS):
        return now
    return new


def _stronger(specific: ConsentStatus, general: ConsentStatus) -> ConsentStatus:
    """What was said of this kind of data goes before what was said of all; a decision goes before an open question.

    A specific question that is open or was closed without a choice does not undo a general consent: rather miss than
    accuse.
    """
    if specific.state in DECISIONS or (specific != NOT_SHOWN and general.state not in DECISIONS):
        return specific
    return general
