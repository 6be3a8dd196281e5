"""Who plays the user of a real device: sees what the screen asks, answers as the plan says, and records each look."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from monitor.events import Consent, Event, Gap, Phase, Screen
from monitor.observe.android import dialogs, hierarchy
from monitor.observe.android.dialogs import Decision, Dialog, Plan
from monitor.observe.android.hands import Ask, Explore, Hands, Permissions, Question
from monitor.observe.android.hierarchy import Button, Seen
from monitor.observe.consent_signals import Signals

MOST_TRIES = 3
"""How often one button is touched, or one question answered, before it is left alone."""
SETTLE_S = 1.5
"""So long a touch may take to change the screen."""
CALM_S = 2.0
"""Without a question for so long, the plan goes on: the way to where consent is taken back, the app's other screens."""
READ = "read from the screen's tree"
TOUCHED = "touched for the user by {}, as read from the screen's tree"
"""How a line is known that hooks need not have seen: of a web page, of Compose or Flutter they see no touch."""
MOST_WAY = 10
"""Touches on the way to where consent is taken back."""
CLOSES_S = 30.0
"""An app whose screen is gone so soon after a refusal closed it because of that."""
OPENED_AGAIN = "the app closed its screen after the refusal; it was opened once more"


@dataclass(frozen=True)
class _Look:
    """What was on the screen at a moment, on the host's clock."""

    at: datetime
    xml: bytes
    windows: tuple[Seen, ...]


@dataclass(frozen=True)
class _Pending:
    """A question about a permission that was answered; whether it was granted, the system tells when it is gone."""

    dialog: Dialog
    at: datetime
    given: bool
    before: Permissions


class Player:
    """Plays one plan with one app. `step` looks once, and does at most one thing."""

    def __init__(
        self,
        hands: Hands,
        app: str,
        plan: Plan,
        record: Callable[[Event], object],
        put_body: Callable[[bytes], str | None],
        *,
        ask: Ask | None = None,
        explore: Explore | None = None,
        way: tuple[str, ...] = (),
        display: tuple[int, int] | None = None,
        rests: Callable[[], bool] = lambda: True,
        runs: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rests`: whether the app does nothing more before it is answered; `runs`: whether a process of it lives."""
        self._hands = hands
        self.app = app
        self.plan = plan
        self._record = record
        self._put_body = put_body
        self._ask = ask
        self._explore = explore
        self._random = random.Random(explore.seed if explore else 0)  # noqa: S311 which button is touched next
        self._way = way
        self._display = display
        self._rests = rests
        self._runs = runs
        self.refused_at: float | None = None
        """When a question was last refused, by `clock`."""
        self._opened_again = False
        self._clock = clock
        self._signals = Signals()
        self._last: object = None
        """What the last look showed."""
        self._told: object = None
        """The question that is recorded already."""
        self._before: object = None
        """What the look before the last touch showed, which may take until then to change."""
        self._waits_until = 0.0
        self._busy_at = clock()
        self._touched: list[str] = []
        """Labels touched since there was a question last."""
        self._options = False
        self._tries: Counter[object] = Counter()
        self._left: set[object] = set()
        """Questions that are not touched any more."""
        self._pending: _Pending | None = None
        self._agreed = False
        self._back: list[str] | None = None
        """Labels touched on the way to where consent is taken back."""
        self._withdrawn = False
        self._taken: set[tuple[object, str]] = set()
        """Questions, and the labels there by which consent was taken back."""
        self._explored = 0
        self._away = False
        """Whether the last touch may have led out of the app."""
        self._number = 0

    @property
    def quiet(self) -> bool:
        """Whether nothing is left to do as far as can be seen."""
        return self._clock() - self._busy_at > CALM_S and not self._goes_on()

    def anew(self) -> None:
        """The app is started again: what it asks then is another question, though it reads the same."""
        self._told = None

    def step(self) -> None:
        """Look, and do what the plan wants. Raises DeviceFault."""
        look = self._look()
        if look is None:
            return
        dialog = next((found for seen in look.windows if (found := self._read(seen)) is not None), None)
        key = dialog.seen.signature if dialog else None
        if self._pending is not None and (dialog is None or key != self._pending.dialog.seen.signature):
            self._answered(self._pending)
        same, self._last = key == self._last, key
        if self._clock() < self._waits_until and key in (None, self._before):
            return
        if dialog is None:
            self._touched.clear()
            self._options = False
            self._calm(look)
        elif same:  # it stands still
            self._answer(dialog, look)

    def shot(self, why: Literal["finding", "operator", "plan", "consent"], note: str | None = None) -> Screen:
        """Record what is on the screen now. Raises DeviceFault."""
        at = datetime.now(UTC)
        picture = self._hands.picture(fast=True)
        xml = self._hands.dump()
        return self._screen(at, xml, picture, why, note, (_package(xml), None))

    def _read(self, seen: Seen) -> Dialog | None:
        if seen.package not in (self.app, "") and self._foreign(seen):
            return None
        return dialogs.read(seen, self.app, on_second_layer=self._options)

    def _foreign(self, seen: Seen) -> bool:
        """Another app's own window: the launcher, the browser. What asks for permissions speaks of ours."""
        found = dialogs.read(seen, self.app)
        return found is None or found.kind not in ("permission", "system")

    def _look(self) -> _Look | None:
        at = datetime.now(UTC)
        xml = self._hands.dump()
        try:
            return _Look(at, xml, dialogs.foremost(hierarchy.windows(hierarchy.parse(xml), self._display)))
        except hierarchy.BadTree:
            return None  # a screen between two others; a hostile one is never touched

    # questions

    def _answer(self, dialog: Dialog, look: _Look) -> None:
        self._busy_at = self._clock()
        key = dialog.seen.signature
        if dialog.seen.question != self._told:
            self._told = dialog.seen.question
            self._shown(dialog, look)
        if key in self._left or not self._rests():  # what it does meanwhile it does without an answer
            return
        decision = self._decide(dialog)
        if decision.act == "leave":
            self._left.add(key)
            return
        self._tries[key, decision.button and decision.button.label] += 1
        asked_again = decision.answer and self._tries["answered", dialog.title] >= MOST_TRIES
        if self._tries[key, decision.button and decision.button.label] > MOST_TRIES or asked_again:
            self._left.add(key)
            what = "it is asked again and again" if asked_again else "touches do not change it"
            self._gap(dialog.title, f"{what}; it is left as it is")
            return
        if decision.uncertain:
            decision = self._uncertain(dialog, look, decision)
        self._do(dialog, decision, look)

    def _decide(self, dialog: Dialog) -> Decision:
        if self._back is not None and dialog.kind in ("consent", "other"):
            return self._take_back(dialog)
        return dialogs.decide(dialog, self.plan, self._touched)

    def _take_back(self, dialog: Dialog) -> Decision:
        """On the way back: what withdraws, a confirmation of that, else as one who refuses."""
        done = [label for question, label in self._taken if question == dialog.seen.question]
        button = dialogs.way_back(dialog.seen, (*done, *self._touched), self._way)
        if button is not None and dialogs.withdraws(button.label):
            return Decision("tap", "it takes consent back", button, "withdrawn")
        if self._withdrawn and dialog.kind == "other":
            on = dialogs.confirms(dialog.seen)
            if on is not None:
                return Decision("tap", "it confirms that consent is taken back", on, "withdrawn")
            return Decision("leave", "consent is taken back")
        return dialogs.decide(dialog, "refuse", self._touched)

    def _shown(self, dialog: Dialog, look: _Look) -> None:
        why: Literal["consent", "plan"] = "consent" if dialog.kind in ("consent", "permission") else "plan"
        what = dialog.group.name if dialog.group else dialog.platform.name if dialog.platform else ""
        self._picture(look, why, f"{dialog.kind} dialog {what}".strip())
        if dialog.kind == "permission":
            self._permission(dialog, look.at, "permission_prompt", "requested", "app", None)
        elif dialog.kind == "consent":
            self._number += 1
            window = dialog.seen.small or dialog.platform is not None
            fact = {"fact": "dialog", "id": self._number} if window else {"fact": "screen"}
            self._feed({**fact, **dialog.seen.facts(look.at, self.app)})

    def _uncertain(self, dialog: Dialog, look: _Look, decision: Decision) -> Decision:
        labels = tuple(dict.fromkeys(each.label for each in (*dialog.seen.buttons, *dialog.seen.boxes) if each.label))
        if self._ask is not None:
            picture = self._hands.picture()
            said = self._ask(Question(dialog.kind, dialog.title, dialog.seen.texts, labels, decision.why, picture))
            button = next((each for each in (*dialog.seen.buttons, *dialog.seen.boxes) if each.label == said), None)
            if button is not None:
                return Decision("tap", "the operator chose it", button)
        self._gap(dialog.title, f"{decision.why}: it was dismissed by the back key")
        return decision

    def _do(self, dialog: Dialog, decision: Decision, look: _Look) -> None:
        button = decision.button
        before = self._hands.permissions(self.app) if dialog.kind == "permission" else {}
        told = f"touched {button.label!r} at {button.node.at[0]},{button.node.at[1]}" if button else "the back key"
        chosen = decision.why.startswith("the operator")
        self._picture(look, "operator" if chosen else "plan", f"{told}: {decision.why}")
        at = datetime.now(UTC)
        if button is None:
            self._hands.back()
        else:
            self._hands.tap(*button.node.at)
            if decision.answer is None:  # a step on the way; what answers may be touched once more
                self._touched.append(button.label)
        self._waits_until = self._clock() + SETTLE_S
        self._busy_at = self._clock()
        self._before, self._last = dialog.seen.signature, None
        if dialog.kind == "permission" and button is not None:
            self._pending = _Pending(dialog, at, dialogs.grants(button), before)
        elif button is not None and (dialog.kind == "consent" or dialogs.withdraws(button.label)):
            self._tapped(dialog, button, decision, at)
        if decision.answer:
            self._tries["answered", dialog.title] += 1
        if decision.answer == "refused":
            self.refused_at = self._clock()

    def _tapped(self, dialog: Dialog, button: Button, decision: Decision, at: datetime) -> None:
        self._options = self._options or not decision.answer
        node = button.node
        ticked = node.checked if node.checkable else None
        fact = {"fact": "tap", "label": button.label, "input": True, "ticked": ticked}
        touched = TOUCHED.format("the operator" if decision.why.startswith("the operator") else "the plan")
        lines = self._feed({**fact, **dialog.seen.facts(at, self.app)}, touched)
        if not lines and decision.answer == "refused":  # the choices were kept, and none was on
            line = Consent(
                at=at, app=self.app, signal="tap", status="refused", by="user", text=button.label,
                note=f"{decision.why}; {touched}", clock="host",
            )  # fmt: skip
            self._record(line)
        if any(line.status == "given" for line in lines):
            self._agreed = True
        if dialogs.withdraws(button.label):
            self._withdrawn = True
            self._taken.add((dialog.seen.question, button.label))

    def _feed(self, fact: Mapping[str, Any], how: str = READ) -> Sequence[Consent]:
        """Record what a fact says of consent, on this machine's clock, and `how` it is known."""
        lines = [
            line.model_copy(update={"clock": "host", "note": f"{line.note}; {how}" if line.note else how})
            for line in self._signals.feed(fact)
        ]
        for line in lines:
            self._record(line)
        return lines

    def _answered(self, pending: _Pending) -> None:
        """What became of a permission, by the system's own word where it changed, else by the button."""
        self._pending = None
        after = self._hands.permissions(self.app)
        changed = {name: state[0] for name, state in after.items() if pending.before.get(name) != state}
        status: Literal["given", "refused"]
        for name, granted in changed.items() or {None: pending.given}.items():
            status = "given" if granted else "refused"
            self._permission(pending.dialog, pending.at, "permission_result", status, "user", name)

    def _permission(
        self,
        dialog: Dialog,
        at: datetime,
        signal: Literal["permission_prompt", "permission_result"],
        status: Literal["requested", "given", "refused"],
        by: Literal["app", "user"],
        name: str | None,
    ) -> None:
        """`name` of the permission; None: the question names its group alone."""
        group = f"android.permission-group.{dialog.group.name}" if dialog.group else dialog.title
        data = dialogs.guarded(name) if name else dialog.data
        line = Consent(
            at=at, app=self.app, signal=signal, status=status, scope="system_permission", data=data, by=by,
            text=name or group, clock="host",
        )  # fmt: skip
        self._record(line)

    # what comes after the questions

    def _goes_on(self) -> bool:
        if self.plan == "withdraw" and self._agreed and not self._withdrawn and len(self._back or ()) < MOST_WAY:
            return True
        if self._explore is None or self.plan not in ("accept", "refuse"):
            return False
        return self._away or self._explored < self._explore.touches

    def _calm(self, look: _Look) -> None:
        if self._clock() - self._busy_at < CALM_S or self._closed_itself() or not self._goes_on():
            return
        if self.plan == "withdraw":
            self._go_back(look)
        else:
            self._wander(look)

    def _closed_itself(self) -> bool:
        """Open the app once more where it took its screen away after the refusal: does it ask again, and what does it
        do then? One whose process has ended is started again by the run."""
        if self.refused_at is None or self._opened_again or self._clock() - self.refused_at > CLOSES_S:
            return False
        if self._hands.focus()[0] in (None, self.app) or not self._runs():
            return False
        self._opened_again = True
        self._busy_at = self._clock()
        self.anew()
        self._record(Phase(at=datetime.now(UTC), app=self.app, state="mark", text=OPENED_AGAIN))
        self._hands.bring_back(self.app)
        return True

    def _go_back(self, look: _Look) -> None:
        if self._back is None:
            self._back = []
        for seen in look.windows:
            if seen.package != self.app:
                continue
            button = dialogs.way_back(seen, self._back, self._way)
            if button is not None:
                self._back.append(button.label)
                self._walk(seen, button, look, "on the way to where consent is taken back")
                return
        self._back += [""] * MOST_WAY
        self._gap("withdraw", "no way to where consent is taken back was found on its screens")

    def _walk(self, seen: Seen, button: Button, look: _Look, why: str) -> None:
        """Touch something that is no answer to a question; what withdraws consent is recorded as that."""
        kind: Literal["consent", "other"] = "consent" if dialogs.withdraws(button.label) else "other"
        self._do(Dialog(kind, seen, ""), Decision("tap", why, button), look)

    def _wander(self, look: _Look) -> None:
        """Touch something of the app; whatever leads out of it is gone back from."""
        package, _ = self._hands.focus()
        if package not in (None, self.app):
            self._hands.back()
            if self._hands.focus()[0] not in (None, self.app):
                self._hands.bring_back(self.app)
            self._busy_at = self._clock() - CALM_S
            return
        self._away = False
        if not self._goes_on():
            return
        self._explored += 1
        seen = next((seen for seen in look.windows if seen.package == self.app), None)
        choices = [each for each in (*seen.buttons, *seen.boxes) if dialogs.harmless(each.label)] if seen else []
        if seen is None or not choices:
            self._explored = self._explore.touches if self._explore else 0
            return
        self._busy_at = self._clock() - CALM_S  # no need to wait once more
        self._away = True
        self._walk(seen, self._random.choice(choices), look, "exploring")
        self._busy_at = self._clock() - CALM_S
        self._waits_until = self._clock() + SETTLE_S / 3

    # what is written down

    def _picture(self, look: _Look, why: Literal["consent", "plan", "operator"], note: str) -> None:
        self._screen(look.at, look.xml, self._hands.picture(), why, note, self._hands.focus())

    def _screen(
        self,
        at: datetime,
        xml: bytes,
        picture: bytes,
        why: Literal["consent", "finding", "plan", "operator"],
        note: str | None,
        focus: tuple[str | None, str | None],
    ) -> Screen:
        package, activity = focus
        line = Screen(
            at=at, app=self.app, package=package, activity=activity, tree=self._put_body(xml),
            image=self._put_body(picture) if picture else None, why=why, by="host", note=note,
        )  # fmt: skip
        self._record(line)
        return line

    def _gap(self, subject: str, detail: str) -> None:
        title = subject or "a dialog without a title"
        self._record(
            Gap(at=datetime.now(UTC), app=self.app, where="device", subject=title, why="not_observed", detail=detail)
        )


def _package(xml: bytes) -> str | None:
    """Whose window a hierarchy is of, where it can be read."""
    try:
        seen = hierarchy.windows(hierarchy.parse(xml))
    except hierarchy.BadTree:
        return None
    return seen[0].package or None if seen else None
