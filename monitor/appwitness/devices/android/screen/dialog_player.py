"""Acts as the user of a real device: reads the screen, answers questions as the plan says, and records both."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from appwitness.devices.android.screen import dialogs
from appwitness.devices.android.screen.dialogs import Decision, Dialog
from appwitness.devices.android.screen.hierarchy import Button, SeenWindow
from appwitness.devices.android.screen.input import Hands, Permissions, Play, Question
from appwitness.devices.android.screen.screen_record import Look, ScreenRecord, Why
from appwitness.events import Event, Phase, Screen, Touch

MOST_TRIES = 3
"""Maximum number of times that one button is tapped, or one question answered, before it is left alone."""
SETTLE_S = 1.5
"""Time limit for a tap to change the screen."""
CALM_S = 2.0
"""After this many seconds without a question, the plan continues: to where consent is withdrawn, or to the app's
other screens."""
MOST_WAY = 10
"""Maximum number of taps on the way to where consent is withdrawn."""
CLOSES_S = 30.0
"""If an app's screen disappears within this time after a refusal, the app counts as having closed it because of the
refusal."""
OPENED_AGAIN = "the app closed its screen after the refusal; it was opened once more"


@dataclass(frozen=True)
class _Pending:
    """An answered permission dialog; the system says whether the permission was granted once the dialog is gone."""

    dialog: Dialog
    at: datetime
    given: bool
    before: Permissions


@dataclass
class _Asked:
    """The questions on the screen, and what was done about them."""

    touched: list[str] = field(default_factory=list)
    """Labels tapped since the screen last showed no question."""
    options: bool = False
    """Whether the options of a consent dialog were opened."""
    tries: Counter[object] = field(default_factory=Counter)
    left: set[object] = field(default_factory=set)
    """Questions that are no longer answered or dismissed."""
    pending: _Pending | None = None


@dataclass
class _Progress:
    """The progress of the plan."""

    agreed: bool = False
    refused_at: float | None = None
    """When a question was last refused, by the player's clock."""
    opened_again: bool = False
    back: list[str] | None = None
    """Labels tapped on the way to where consent is withdrawn."""
    withdrawn: bool = False
    taken: set[tuple[object, str]] = field(default_factory=set)
    """Pairs of a question and a label in it that withdrew consent."""
    explored: int = 0
    away: bool = False
    """Whether the last tap may have led out of the app."""


@dataclass
class _Pace:
    """When the player acts next, by its clock."""

    busy_at: float
    """When there was last something to do."""
    waits_until: float = 0.0
    """Until when to wait for a tap to change the screen."""
    before: object = None
    """What the look before the last tap showed."""
    last: object = None
    """What the last look showed."""


class Player:
    """Carries out one plan with one app. `step` looks once, and does at most one thing."""

    def __init__(
        self,
        hands: Hands,
        play: Play,
        record: Callable[[Event], object],
        put_body: Callable[[bytes], str | None],
        display: tuple[int, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plan = play.plan
        self._hands = hands
        self._play = play
        self._app = play.app
        self._display = display
        self._clock = clock
        self._random = random.Random(play.explore.seed if play.explore else 0)  # noqa: S311 chooses what to tap next
        self._record = ScreenRecord(hands, play.app, record, put_body, clock)
        self._asked = _Asked()
        self._progress = _Progress()
        self._pace = _Pace(busy_at=clock())

    @property
    def refused_s(self) -> float | None:
        """Seconds since a question was last refused; None: none was."""
        at = self._progress.refused_at
        return None if at is None else self._clock() - at

    def look_on(self) -> None:
        """Stop tapping, but continue recording."""
        self.plan = "free"

    @property
    def quiet(self) -> bool:
        """Whether nothing is left to do, as far as can be seen."""
        return self._clock() - self._pace.busy_at > CALM_S and not self._goes_on()

    def anew(self) -> None:
        """Note that the app is started again: its questions count as new, even with the same words."""
        self._record.anew()

    def shot(self, why: Why, note: str | None = None) -> Screen:
        """Record what the screen shows now. Raises DeviceFault."""
        return self._record.shot(why, note)

    def step(self) -> None:
        """Read the screen and take the plan's next step. Raises DeviceFault."""
        look = self._record.look(self._display)
        if look is None:
            return
        dialog = self._question(look)
        key = dialog.seen.signature if dialog else None
        if self._asked.pending is not None and (dialog is None or key != self._asked.pending.dialog.seen.signature):
            self._answered(self._asked.pending)
        same, self._pace.last = key == self._pace.last, key
        self._record.watch(look, dialog, stands=same)
        if self._clock() < self._pace.waits_until and key in (None, self._pace.before):
            return
        if dialog is None:
            self._asked.touched.clear()
            self._asked.options = False
            self._calm(look)
        elif same:  # the dialog stands still
            self._answer(dialog, look)

    def end(self) -> None:
        """Record whether a question is still open, for the last time: the screen is not read again. Raises
        DeviceFault."""
        look = self._record.look(self._display) if self._record.asks else None
        if look is not None:
            self._record.watch(look, self._question(look), stands=True, last=True)

    def _question(self, look: Look) -> Dialog | None:
        return next((found for seen in look.windows if (found := self._read(seen)) is not None), None)

    def _read(self, seen: SeenWindow) -> Dialog | None:
        found = dialogs.read(seen, on_second_layer=self._asked.options)
        foreign = seen.package not in (self._app, "")  # launcher, browser; permission dialogs count
        return None if found and foreign and found.kind not in ("permission", "system") else found

    # questions

    def _answer(self, dialog: Dialog, look: Look) -> None:
        self._pace.busy_at = self._clock()
        key = dialog.seen.signature
        if key in self._asked.left or not self._play.rests():  # until idle, the app acts without an answer
            return
        decision = self._decide(dialog)
        if decision.act == "leave":
            self._asked.left.add(key)
            if dialog.kind == "system" and self.plan == "silent":
                self._record.gap(dialog.title, "it lies over the app, and the plan touches nothing")
            return
        self._asked.tries[key, decision.button and decision.button.label] += 1
        asked_again = decision.answer and self._asked.tries["answered", dialog.title] >= MOST_TRIES
        if self._asked.tries[key, decision.button and decision.button.label] > MOST_TRIES or asked_again:
            self._asked.left.add(key)
            what = "it is asked again and again" if asked_again else "touches do not change it"
            self._record.gap(dialog.title, f"{what}; it is left as it is")
            return
        if decision.uncertain:
            decision = self._uncertain(dialog, decision)
        self._do(dialog, decision, look)

    def _decide(self, dialog: Dialog) -> Decision:
        if self._progress.back is not None and dialog.kind in ("consent", "other"):
            return self._take_back(dialog)
        return dialogs.decide(dialog, self.plan, self._asked.touched)

    def _take_back(self, dialog: Dialog) -> Decision:
        """The decision on the way to withdrawal: tap what withdraws consent, then what confirms that, else refuse."""
        done = [label for question, label in self._progress.taken if question == dialog.seen.question]
        button = dialogs.way_back(dialog.seen, (*done, *self._asked.touched), self._play.way)
        if button is not None and dialogs.withdraws(button.label):
            return Decision("tap", "it takes consent back", button, "withdrawn")
        if self._progress.withdrawn and dialog.kind == "other":
            on = dialogs.confirms(dialog.seen)
            if on is not None:
                return Decision("tap", "it confirms that consent is taken back", on, "withdrawn")
            return Decision("leave", "consent is taken back")
        return dialogs.decide(dialog, "refuse", self._asked.touched)

    def _uncertain(self, dialog: Dialog, decision: Decision) -> Decision:
        labels = tuple(dict.fromkeys(each.label for each in (*dialog.seen.buttons, *dialog.seen.boxes) if each.label))
        if self._play.ask is not None:
            picture = self._hands.picture()
            said = self._play.ask(Question(dialog.kind, dialog.title, dialog.seen.texts, labels, decision.why, picture))
            button = next((each for each in (*dialog.seen.buttons, *dialog.seen.boxes) if each.label == said), None)
            if button is not None:
                return Decision("tap", "the operator chose it", button)
        self._record.gap(dialog.title, f"{decision.why}: it was dismissed by the back key")
        return decision

    def _do(self, dialog: Dialog, decision: Decision, look: Look) -> None:
        """Carry out a decision, and record it with what the screen showed."""
        button = decision.button
        before = self._hands.permissions(self._app) if dialog.kind == "permission" else {}
        picture, focus = self._hands.picture(), self._hands.focus()
        by: Literal["operator", "plan"] = "operator" if decision.why.startswith("the operator") else "plan"
        what: dict[str, Any] = {"what": "cancel"}
        told = "the back key"
        at = datetime.now(UTC)
        if button is None:
            self._hands.back()
        else:
            node = button.node
            self._hands.tap(*node.at)
            told = f"touched {button.label!r} at {node.at[0]},{node.at[1]}"
            ticked = node.checked if node.checkable else None
            touch = Touch(label=button.label, id=node.id or None, ticked=ticked, by=by)
            what = {"what": "touch", "touched": touch}
            if decision.answer is None:  # a step on the way; an answer may be tapped again
                self._asked.touched.append(button.label)
        windows = (dialog.seen.window,)
        self._record.screen(
            look.xml, picture, focus, at=at, why=by, note=f"{told}: {decision.why}", windows=windows, **what
        )
        self._record.touched(at)
        self._pace.waits_until = self._clock() + SETTLE_S
        self._pace.busy_at = self._clock()
        self._pace.before, self._pace.last = dialog.seen.signature, None
        if button is not None:
            self._has_touched(dialog, button, decision, _Pending(dialog, at, dialogs.grants(button), before))

    def _has_touched(self, dialog: Dialog, button: Button, decision: Decision, pending: _Pending) -> None:
        """Update the plan's progress after a tap."""
        if dialog.kind == "permission":
            self._asked.pending = pending
        elif dialog.kind == "consent":
            self._asked.options = self._asked.options or not decision.answer
            self._progress.agreed = self._progress.agreed or decision.answer == "given"
        if dialog.kind != "permission" and dialogs.withdraws(button.label):
            self._progress.withdrawn = True
            self._progress.taken.add((dialog.seen.question, button.label))
        if decision.answer:
            self._asked.tries["answered", dialog.title] += 1
        if decision.answer == "refused":
            self._progress.refused_at = self._clock()

    def _answered(self, pending: _Pending) -> None:
        """Record whether a permission was granted: from the system's own state if that changed, else from the tapped
        button."""
        self._asked.pending = None
        after = self._hands.permissions(self._app)
        changed = {name: state[0] for name, state in after.items() if pending.before.get(name) != state}
        for name, granted in changed.items() or {None: pending.given}.items():
            self._record.permission(pending.dialog, pending.at, granted, name)

    def _goes_on(self) -> bool:
        done = self._progress
        if self.plan == "withdraw" and done.agreed and not done.withdrawn and len(done.back or ()) < MOST_WAY:
            return True
        if self._play.explore is None or self.plan not in ("accept", "refuse"):
            return False
        return done.away or done.explored < self._play.explore.touches

    def _calm(self, look: Look) -> None:
        if self._clock() - self._pace.busy_at < CALM_S or self._closed_itself() or not self._goes_on():
            return
        if self.plan == "withdraw":
            self._go_back(look)
        else:
            self._wander(look)

    def _closed_itself(self) -> bool:
        """Open the app once more if it closed its screen after the refusal, to see whether it asks again and what it
        does then; returns whether it was opened. The run itself restarts an app whose process has ended."""
        if self._progress.opened_again or self.refused_s is None or self.refused_s > CLOSES_S:
            return False
        if self._hands.focus()[0] in (None, self._app) or not self._play.runs():
            return False
        self._progress.opened_again = True
        self._pace.busy_at = self._clock()
        self.anew()
        self._record.line(Phase(at=datetime.now(UTC), app=self._app, state="mark", text=OPENED_AGAIN))
        self._hands.bring_back(self._app)
        return True

    def _go_back(self, look: Look) -> None:
        if self._progress.back is None:
            self._progress.back = []
        for seen in look.windows:
            if seen.package != self._app:
                continue
            button = dialogs.way_back(seen, self._progress.back, self._play.way)
            if button is not None:
                self._progress.back.append(button.label)
                self._walk(seen, button, look, "on the way to where consent is taken back")
                return
        self._progress.back += [""] * MOST_WAY
        self._record.gap("withdraw", "no way to where consent is taken back was found on its screens")

    def _walk(self, seen: SeenWindow, button: Button, look: Look, why: str) -> None:
        """Tap something that is not an answer to a question; a tap that withdraws consent is recorded as such."""
        kind: Literal["consent", "other"] = "consent" if dialogs.withdraws(button.label) else "other"
        self._do(Dialog(kind, seen, ""), Decision("tap", why, button), look)

    def _wander(self, look: Look) -> None:
        """Tap something in the app; if a tap led out of it, go back."""
        package, _ = self._hands.focus()
        if package not in (None, self._app):
            self._hands.back()
            if self._hands.focus()[0] not in (None, self._app):
                self._hands.bring_back(self._app)
            self._pace.busy_at = self._clock() - CALM_S
            return
        self._progress.away = False
        if not self._goes_on():
            return
        self._progress.explored += 1
        seen = next((seen for seen in look.windows if seen.package == self._app), None)
        choices = [each for each in (*seen.buttons, *seen.boxes) if dialogs.harmless(each.label)] if seen else []
        if seen is None or not choices:
            self._progress.explored = self._play.explore.touches if self._play.explore else 0
            return
        self._pace.busy_at = self._clock() - CALM_S  # no need to wait again
        self._progress.away = True
        self._walk(seen, self._random.choice(choices), look, "exploring")
        self._pace.busy_at = self._clock() - CALM_S
        self._pace.waits_until = self._clock() + SETTLE_S / 3
