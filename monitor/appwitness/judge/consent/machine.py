"""The state machine of consent: what one consent line says, and how it changes the state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from appwitness.catalog.labels import Labels, normal_label
from appwitness.events import Consent, DataType, Line, Ref
from appwitness.events.seen import Seen, number_of
from appwitness.findings import ConsentName

PERMISSION = "system_permission"
SEPARATE = frozenset({"sensitive_separate", "third_party_separate", "cross_border_separate", "minor_guardian"})
"""Scopes that require a separate question."""
ANSWERS = frozenset({"given", "refused", "basic_only", "withdrawn"})
_ACTS = frozenset({"given", "refused", "withdrawn"})
_SEEN = frozenset({"dialog", "tap", "permission_prompt", "permission_result", "operator"})
"""Signals of something that the user saw or did; all others are claims."""

STORED = frozenset({"preference", "iab_tcf", "iab_gpp"})
"""Signals of what the app keeps in its store."""
GESTURE = timedelta(milliseconds=300)
"""Lines with the same label this close together belong to one touch: Android takes two touches within this time for
one double tap."""
REDRAW = timedelta(seconds=1)
"""A question that is shown again within this time, without an answer in between, is the same one, redrawn."""

BACK = timedelta(minutes=5)
"""A question that went away and is shown again within this time was not answered: the user was reading its policy,
for example."""
OPENS = timedelta(seconds=5)
"""Within this time, what was touched to withdraw consent may ask for confirmation."""
ASKED_BACK = timedelta(minutes=5)
"""A touch within this time after the question whether to withdraw consent answers it."""
SEEN_ACT = timedelta(seconds=5)
"""If an act is seen within this time after a question went away, the question went away because of the act: the two may
be timed by different clocks."""

Clock = Literal["host", "device"]
Says = Literal[
    "requested",
    "again",
    "changed",
    "dismissed",
    "gone",
    "given",
    "refused",
    "basic_only",
    "withdrawn",
    "taking_back",
]
"""`again`: the question that had gone is back; `changed`: a question that says the policy has changed;
`taking_back`: the user was asked whether to withdraw consent, which changes nothing."""
Why = Literal[
    "ambiguous",
    "unticked",
    "pre_ticked",
    "ticked",
    "bundled",
    "basic",
    "options",
    "refuse",
    "later",
    "forced",
    "opened",
    "confirmed",
    "cancelled",
    "opt_out",
    "withdraw",
]
"""Why a line says something other than its status; with `forced`, its status holds, but under pressure. `opened`:
the touch only led to the question whether to withdraw consent; `opt_out`: it turns off one particular use of data."""


TAKING_BACK: frozenset[Why] = frozenset({"opened", "confirmed", "cancelled"})
"""Reasons of touches that are about withdrawing consent."""


class ConsentReading(NamedTuple):
    """One line that counts: what it says, and its time on the host's clock."""

    at: datetime
    line: int
    ref: Ref
    consent: Consent
    scope: str
    says: Says
    why: Why | None = None

    @property
    def data(self) -> tuple[DataType, ...] | None:
        """The data types that it is about; None: all of them."""
        return self.consent.data

    def covers(self, data: DataType | None) -> bool:
        """Whether it covers this data type; None: all types at once."""
        return self.consent.data is None or data in self.consent.data


def scope_of(consent: Consent) -> str:
    """The scope that a line is about; a line about a permission is never about consent."""
    return PERMISSION if consent.signal.startswith("permission_") else consent.scope


def by_operator(consent: Consent) -> bool:
    """Whether an operator noted it on the host."""
    return consent.by == "operator" or consent.signal == "operator"


def counts(consent: Consent) -> bool:
    """Whether it is an act of the user or something that was shown, not a mere claim by the app."""
    if by_operator(consent):
        return True
    if consent.signal not in _SEEN:
        return False
    if consent.status in _ACTS and scope_of(consent) != PERMISSION:
        return consent.by == "user"
    return True


def of_app(line: Line, package: str, controllers: Container[str] = ()) -> bool:
    """Whether the line is about this app. The system, and the programs through which it asks for permissions
    (catalog/consent.yml, `permission_controllers`), answer about permissions under their own names."""
    if line.app is None or line.app == package:
        return True
    return isinstance(line, Consent) and scope_of(line) == PERMISSION and line.app in controllers


def clock_of(consent: Consent) -> Clock:
    """The clock that its time was taken on."""
    return "host" if consent.on_host_clock else "device"


def was_there(consent: Consent) -> bool:
    """Whether the app's store held it before this run wrote to it. Recordings from before `at_start` existed say so in
    the agent's note, which no user can write."""
    if consent.at_start is not None:
        return consent.at_start
    return consent.note == "present at start" and consent.signal in STORED and consent.by == "app"


def in_file(ref: Ref) -> tuple[int, Ref]:
    """The sort key for lines in the order of their file."""
    return number_of(ref), ref


def read(seen: Seen[Consent], labels: Labels) -> ConsentReading:
    """What a line says on its own, regardless of other lines."""
    says, why = said(seen.event, labels)
    scope = _opt_out(seen.event, labels) or scope_of(seen.event)
    return ConsentReading(seen.at, seen.number, seen.ref, seen.event, scope, says, why)


def _opt_out(consent: Consent, labels: Labels) -> str | None:
    """The scope of a touch that turns off one particular use of data; such a touch says nothing about the policy as
    a whole. None for any other line."""
    label = consent.text or ""
    if consent.signal != "tap" or scope_of(consent) != "general_policy" or consent.status not in _ACTS:
        return None
    return labels.scope_of(label) if labels.opts_out(label) and labels.choice(label) != "agree" else None


def said(consent: Consent, labels: Labels) -> tuple[Says, Why | None]:
    """What a line says, and why if that differs from its status."""
    text = consent.text if consent.text and consent.signal in ("dialog", "tap", "operator") else ""
    if back := _back(consent, text, labels):
        return back
    match consent.status:
        case "requested" | "given" if _ticked_and_went_on(consent, text, labels):
            return "given", "ticked"
        case "requested" | "given" | "refused" if _touched(consent) and labels.choice(text) in ("later", "closing"):
            return "dismissed", "later"
        case "requested":
            return ("changed" if labels.says_changed(text) else "requested"), None
        case "given" | "refused" if labels.choice(text) == "basic":
            return "basic_only", "basic"
        case "given" if labels.choice(text) == "refuse":
            return "refused", "refuse"
        case "given" if labels.choice(text) == "ambiguous":
            return "requested", "ambiguous"
        case "given" if labels.opens_options(text):
            return "requested", "options"
        case "given" if consent.signal == "tap" and consent.ticked is False:
            return "requested", "unticked"
        case "given" if labels.forces(text):
            return "given", "forced"
        case status:
            return status, None


def _back(consent: Consent, text: str, labels: Labels) -> tuple[Says, Why | None] | None:
    """What it says about withdrawing consent or turning a use of data off; None: nothing."""
    if _opt_out(consent, labels):
        return ("withdrawn", None) if consent.status == "withdrawn" else ("refused", "opt_out")
    if consent.signal == "tap" and consent.status == "given" and labels.speaks_of_taking_back(text):
        return "withdrawn", "withdraw"
    if consent.signal == "tap" and consent.status == "withdrawn" and labels.cancels_taking_back(text):
        return "dismissed", "cancelled"
    if consent.signal == "dialog" and consent.status == "requested" and consent.ticked is None:
        return ("taking_back", None) if labels.asks_to_take_back(text) else None
    return None


def _touched(consent: Consent) -> bool:
    """Whether its text is the label that was touched; a dialog's text is its heading, unless the dialog was
    answered."""
    return consent.signal != "dialog" or consent.status != "requested"


def _ticked_and_went_on(consent: Consent, text: str, labels: Labels) -> bool:
    """Whether the user touched "Sign in" or the like while the box beside the text was ticked: the tick is the yes."""
    by_hand = consent.signal == "tap" and consent.by == "user" and consent.ticked is True
    return by_hand and labels.choice(text) == "ambiguous"


def in_context(readings: Sequence[ConsentReading], labels: Labels) -> list[ConsentReading]:
    """The readings, in order of time, revised by those beside and before them: one touch for several questions, a
    box that came up ticked, the act that made a question go away, and whether consent was withdrawn or the user was
    only asked whether to withdraw it."""
    readings = _answered_back(_opened(readings, labels), labels)
    together = _touched_together(readings, labels)
    acts = _acts(readings)
    boxes: dict[str, _Boxes] = defaultdict(_Boxes)
    gone: dict[str, ConsentReading] = {}
    """Scope -> the question that went away last."""
    found: list[ConsentReading] = []
    for reading in readings:
        scope = reading.scope
        boxes[scope].see(reading)
        if reading.says == "gone":
            since = boxes[scope].shown_at or reading.at
            if any(since <= at <= reading.at + SEEN_ACT for at in acts.get(scope, ())):
                continue
            gone[scope] = reading
        elif reading.says == "requested" and scope in gone and _is_back(reading, gone[scope]):
            reading = reading._replace(says="again")
        elif _agrees(reading) and scope in SEPARATE and reading.consent.ticked is not True and reading.ref in together:
            reading = reading._replace(says="requested", why="bundled")
        elif _agrees(reading) and boxes[scope].pre_ticked:
            reading = reading._replace(says="requested", why="pre_ticked")
        found.append(reading)
    return found


def _opened(readings: Sequence[ConsentReading], labels: Labels) -> list[ConsentReading]:
    """The readings, with each touch that only led to the question whether to withdraw consent marked as such."""
    found = list(readings)
    for number, reading in enumerate(found):
        if not _opens(reading, labels):
            continue
        for later in found[number + 1 :]:
            if later.at - reading.at > ASKED_BACK or (later.scope == reading.scope and _ends(later, labels)):
                break
            asks = later.says == "taking_back" and later.at - reading.at <= OPENS
            if later.scope == reading.scope and (asks or _cancels(later, labels)):
                found[number] = reading._replace(says="taking_back", why="opened")
                break
    return found


def _opens(reading: ConsentReading, labels: Labels) -> bool:
    """Whether it is a touch on what withdraws consent or turns a use of data off."""
    label = reading.consent.text or ""
    back = reading.says == "withdrawn" or (reading.says == "refused" and labels.opts_out(label))
    return back and reading.consent.signal == "tap" and (labels.withdraws(label) or labels.opts_out(label))


def _cancels(reading: ConsentReading, labels: Labels) -> bool:
    """Whether it leaves everything as it is: a touch on "Cancel", or closing the question whether to withdraw."""
    text = reading.consent.text or ""
    if reading.consent.signal == "tap":
        return reading.says in ("dismissed", "refused") and labels.says_cancel(text)
    return reading.says == "dismissed" and reading.consent.signal == "dialog" and labels.asks_to_take_back(text)


def _ends(reading: ConsentReading, labels: Labels) -> bool:
    """Whether an earlier touch has already had its effect: another question came up or was answered."""
    return not _cancels(reading, labels) and reading.says not in ("taking_back", "dismissed", "gone")


def _answered_back(readings: Sequence[ConsentReading], labels: Labels) -> list[ConsentReading]:
    """The readings, with each touch that answers the question whether to withdraw consent read as that answer."""
    asked: dict[str, datetime] = {}
    """Scope -> when that was asked, until it is answered."""
    found: list[ConsentReading] = []
    for reading in readings:
        scope, label = reading.scope, reading.consent.text or ""
        open_ = scope in asked and reading.at - asked[scope] <= ASKED_BACK
        if reading.says == "taking_back":
            asked[scope] = reading.at
        elif open_ and reading.consent.signal == "tap":
            if labels.cancels_taking_back(label):
                reading = reading._replace(says="dismissed", why="cancelled")
                del asked[scope]
            elif reading.says in ("given", "requested", "withdrawn") and labels.confirms_taking_back(label):
                reading = reading._replace(says="withdrawn", why="confirmed")
                del asked[scope]
        elif reading.says != "gone":
            asked.pop(scope, None)
        found.append(reading)
    return found


class _Boxes:
    """The question of one scope as last shown, and whether its box came up ticked."""

    def __init__(self) -> None:
        self.shown_at: datetime | None = None
        self.pre_ticked = False
        self._ticked: bool | None = None

    def see(self, reading: ConsentReading) -> None:
        """Take in another line of its scope."""
        line = reading.consent
        if line.signal == "dialog" and line.status == "requested":
            again = self.shown_at is not None and reading.at - self.shown_at < REDRAW
            if not line.ticked:
                self.pre_ticked = False
            elif not (again and self._ticked is False):
                self.pre_ticked = True
            self.shown_at, self._ticked = reading.at, line.ticked
        elif line.ticked is False:
            self.pre_ticked = False


def _acts(readings: Iterable[ConsentReading]) -> dict[str, list[datetime]]:
    """Scope -> when somebody was seen to answer its question, or to leave it without an answer. A touch that only
    opens the choices does not count: what is chosen there is a separate matter."""
    found: dict[str, list[datetime]] = {}
    for each in readings:
        by_hand = each.consent.by == "user" or by_operator(each.consent)
        if by_hand and each.says != "gone" and each.why != "options":
            found.setdefault(each.scope, []).append(each.at)
    return found


def _is_back(asked: ConsentReading, gone: ConsentReading) -> bool:
    """Whether it is the question that had gone away, by its heading."""
    heading = normal_label(gone.consent.text or "")
    same = heading != "" and normal_label(asked.consent.text or "") == heading
    return asked.consent.signal == "dialog" and same and asked.at - gone.at <= BACK


def _touched_together(readings: Sequence[ConsentReading], labels: Labels) -> set[Ref]:
    """Lines that say yes in a different scope from another line of the same touch; `readings` are in order of time."""
    found: set[Ref] = set()
    by_label: dict[str, dict[str, list[ConsentReading]]] = {}
    for reading in readings:
        label = reading.consent.text or ""
        if not _agrees(reading) or labels.keeps_choices(label):
            continue
        scopes = by_label.setdefault(normal_label(label), {})
        for scope, touches in scopes.items():
            recent = [each for each in touches if reading.at - each.at <= GESTURE]
            if scope != reading.scope and recent:
                found |= {reading.ref, *(each.ref for each in recent)}
            touches[:] = recent[-1:] if scope != reading.scope else recent
        scopes.setdefault(reading.scope, []).append(reading)
    return found


def _agrees(reading: ConsentReading) -> bool:
    return reading.consent.signal == "tap" and reading.says == "given"


def following(now: ConsentName, says: Says) -> ConsentName:
    """The table in the package's docstring: the state after a line, from the state before it."""
    match says:
        case "given" | "refused" | "basic_only" | "withdrawn":
            return says
        case "taking_back":
            return now
        case "gone":
            return now if now in ("given", "dismissed") else "unseen_answer"
        case "changed" if now == "given":
            return "expired"
        case "again" if now == "unseen_answer":
            return "requested"
        case _ if now in ANSWERS or now in ("expired", "unseen_answer"):
            return now
        case "changed" | "requested" | "again":
            return "requested"
        case "dismissed":
            return "dismissed"
