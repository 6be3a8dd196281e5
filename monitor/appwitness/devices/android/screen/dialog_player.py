"""Who plays the user of a real device: sees what the screen asks, answers as the plan says, and records each look."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from appwitness.catalog.labels import GROUP
from appwitness.devices.android.screen import dialogs, hierarchy
from appwitness.devices.android.screen.dialogs import Decision, Dialog
from appwitness.devices.android.screen.hierarchy import Button, SeenWindow
from appwitness.devices.android.screen.input import Hands, Permissions, Play, Question
from appwitness.events import Consent, Event, Gap, Phase, Screen, Touch, Window

MOST_TRIES = 3
"""How often one button is touched, or one question answered, before it is left alone."""
SETTLE_S = 1.5
"""How long a touch may take to change the screen."""
CALM_S = 2.0
"""After this long without a question, the plan goes on: to where consent is taken back, to the app's other screens."""
CHANGES_S = 2.0
"""A changing screen is recorded at most this often; at once when a question comes up or goes."""
STANDS_S = 5.0
"""A question that is still open is recorded again after this long, to show that nobody has answered it."""
MOST_WAY = 10
"""Touches on the way to where consent is taken back."""
CLOSES_S = 30.0
"""An app whose screen goes within this time after a refusal is taken to have closed it because of that."""
OPENED_AGAIN = "the app closed its screen after the refusal; it was opened once more"

Why = Literal["consent", "finding", "plan", "operator", "change"]


@dataclass(frozen=True)
class _Look:
    """What was on the screen at a moment, on the host's clock."""

    at: datetime
    xml: bytes
    windows: tuple[SeenWindow, ...]

    @property
    def recorded(self) -> tuple[Window, ...]:
        """Its windows, as they are recorded."""
        return tuple(seen.window for seen in self.windows)


@dataclass
class _LastLook:
    """What the last recorded look showed."""

    windows: tuple[Window, ...] = ()
    asks: bool = False
    since: float = float("-inf")
    """When it was recorded, by the player's clock."""
    seen: datetime | None = None
    """When that was last on the screen."""


@dataclass(frozen=True)
class _Pending:
    """An answered question about a permission; the system says whether it was granted once the question is gone."""

    dialog: Dialog
    at: datetime
    given: bool
    before: Permissions


class Player:
    """Plays one plan with one app. `step` looks once, and does at most one thing."""

    def __init__(
        self,
        hands: Hands,
        play: Play,
        record: Callable[[Event], object],
        put_body: Callable[[bytes], str | None],
        display: tuple[int, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hands = hands
        self._play = play
        self.app = play.app
        self.plan = play.plan
        self._record = record
        self._put_body = put_body
        self._random = random.Random(play.explore.seed if play.explore else 0)  # noqa: S311 what is touched next
        self._display = display
        self.refused_at: float | None = None
        """When a question was last refused, by `clock`."""
        self._opened_again = False
        self._clock = clock
        self._kept = _LastLook()
        self._looked: tuple[Window, ...] = ()
        self._last: object = None
        """What the last look showed."""
        self._told: object = None
        """The question that was recorded last."""
        self._before: object = None
        """What the look before the last touch showed, which may take until then to change."""
        self._waits_until = 0.0
        self._busy_at = clock()
        self._touched: list[str] = []
        """Labels touched since there was a question last."""
        self._options = False
        self._tries: Counter[object] = Counter()
        self._left: set[object] = set()
        """Questions that are left alone from now on."""
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

    @property
    def quiet(self) -> bool:
        """Whether nothing is left to do as far as can be seen."""
        return self._clock() - self._busy_at > CALM_S and not self._goes_on()

    def anew(self) -> None:
        """The app is started again: its questions count as new, even with the same words."""
        self._told = None

    def step(self) -> None:
        """Look, and do what the plan wants. Raises DeviceFault."""
        look = self._look()
        if look is None:
            return
        dialog = self._asked(look)
        key = dialog.seen.signature if dialog else None
        if self._pending is not None and (dialog is None or key != self._pending.dialog.seen.signature):
            self._answered(self._pending)
        same, self._last = key == self._last, key
        self._watch(look, dialog, stands=same)
        if self._clock() < self._waits_until and key in (None, self._before):
            return
        if dialog is None:
            self._touched.clear()
            self._options = False
            self._calm(look)
        elif same:  # it stands still
            self._answer(dialog, look)

    def end(self) -> None:
        """Nobody looks any more: whether a question still stands is recorded a last time. Raises DeviceFault."""
        look = self._look() if self._kept.asks else None
        if look is not None:
            self._watch(look, self._asked(look), stands=True, last=True)

    def shot(self, why: Why, note: str | None = None) -> Screen:
        """Record what is on the screen now. Raises DeviceFault."""
        at = datetime.now(UTC)
        picture = self._hands.picture(fast=True)
        xml = self._hands.dump()
        return self._screen(xml, picture, (_package(xml, self.app), None), at=at, why=why, note=note)

    def _asked(self, look: _Look) -> Dialog | None:
        return next((found for seen in look.windows if (found := self._read(seen)) is not None), None)

    def _read(self, seen: SeenWindow) -> Dialog | None:
        found = dialogs.read(seen, on_second_layer=self._options)
        foreign = seen.package not in (self.app, "")  # the launcher, the browser; what asks for permissions is of ours
        return None if found and foreign and found.kind not in ("permission", "system") else found

    def _look(self) -> _Look | None:
        at = datetime.now(UTC)
        xml = self._hands.dump()
        try:
            return _Look(at, xml, dialogs.foremost(hierarchy.windows(hierarchy.parse(xml), self._display)))
        except hierarchy.BadTree:
            return None  # a screen between two others; a hostile one is never touched

    def _watch(self, look: _Look, dialog: Dialog | None, *, stands: bool, last: bool = False) -> None:
        """Record what is on the screen where it has changed, and a question that stands now and then."""
        now, kept = look.recorded, self._kept
        still, self._looked = now == self._looked, now
        waited = self._clock() - kept.since
        if now == kept.windows:
            kept.seen = look.at
            due = kept.asks and (last or waited >= STANDS_S)
        elif dialog is not None and dialog.seen.question != self._told:
            due = stands
        else:
            due = last or (still and (kept.asks or waited >= CHANGES_S)) or waited >= 2 * CHANGES_S
        if due:
            self._keep(look, dialog)

    def _keep(self, look: _Look, dialog: Dialog | None) -> None:
        """Record a look: with a picture where a question is on the screen, or was until now."""
        why: Why = "change"
        what = None
        if dialog is not None:
            why = "consent" if dialog.kind in ("consent", "permission") else "plan"
            name = dialog.group.name if dialog.group else dialog.platform.name if dialog.platform else ""
            what = f"{dialog.kind} dialog {name}".strip()
        changed = look.recorded != self._kept.windows
        picture = self._hands.picture() if changed and (dialog is not None or self._kept.asks) else b""
        since = self._kept.seen if changed else None
        self._screen(
            look.xml, picture, self._hands.focus(),
            at=look.at, why=why, note=what, what="look", windows=look.recorded, since=since,
        )  # fmt: skip
        self._kept = _LastLook(look.recorded, dialog is not None and dialog.kind == "consent", self._clock(), look.at)
        if dialog is None or dialog.seen.question == self._told:
            return
        self._told = dialog.seen.question
        if dialog.kind == "permission":
            self._permission(dialog, look.at, "permission_prompt", "requested", "app", None)

    # questions

    def _answer(self, dialog: Dialog, look: _Look) -> None:
        self._busy_at = self._clock()
        key = dialog.seen.signature
        if key in self._left or not self._play.rests():  # what it does meanwhile it does without an answer
            return
        decision = self._decide(dialog)
        if decision.act == "leave":
            self._left.add(key)
            if dialog.kind == "system" and self.plan == "silent":
                self._gap(dialog.title, "it lies over the app, and the plan touches nothing")
            return
        self._tries[key, decision.button and decision.button.label] += 1
        asked_again = decision.answer and self._tries["answered", dialog.title] >= MOST_TRIES
        if self._tries[key, decision.button and decision.button.label] > MOST_TRIES or asked_again:
            self._left.add(key)
            what = "it is asked again and again" if asked_again else "touches do not change it"
            self._gap(dialog.title, f"{what}; it is left as it is")
            return
        if decision.uncertain:
            decision = self._uncertain(dialog, decision)
        self._do(dialog, decision, look)

    def _decide(self, dialog: Dialog) -> Decision:
        if self._back is not None and dialog.kind in ("consent", "other"):
            return self._take_back(dialog)
        return dialogs.decide(dialog, self.plan, self._touched)

    def _take_back(self, dialog: Dialog) -> Decision:
        """On the way back: what withdraws, a confirmation of that, else as one who refuses."""
        done = [label for question, label in self._taken if question == dialog.seen.question]
        button = dialogs.way_back(dialog.seen, (*done, *self._touched), self._play.way)
        if button is not None and dialogs.withdraws(button.label):
            return Decision("tap", "it takes consent back", button, "withdrawn")
        if self._withdrawn and dialog.kind == "other":
            on = dialogs.confirms(dialog.seen)
            if on is not None:
                return Decision("tap", "it confirms that consent is taken back", on, "withdrawn")
            return Decision("leave", "consent is taken back")
        return dialogs.decide(dialog, "refuse", self._touched)

    def _uncertain(self, dialog: Dialog, decision: Decision) -> Decision:
        labels = tuple(dict.fromkeys(each.label for each in (*dialog.seen.buttons, *dialog.seen.boxes) if each.label))
        if self._play.ask is not None:
            picture = self._hands.picture()
            said = self._play.ask(Question(dialog.kind, dialog.title, dialog.seen.texts, labels, decision.why, picture))
            button = next((each for each in (*dialog.seen.buttons, *dialog.seen.boxes) if each.label == said), None)
            if button is not None:
                return Decision("tap", "the operator chose it", button)
        self._gap(dialog.title, f"{decision.why}: it was dismissed by the back key")
        return decision

    def _do(self, dialog: Dialog, decision: Decision, look: _Look) -> None:
        """Touch what was decided on, and record that with what was there."""
        button = decision.button
        before = self._hands.permissions(self.app) if dialog.kind == "permission" else {}
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
            if decision.answer is None:  # a step on the way; what answers may be touched once more
                self._touched.append(button.label)
        windows = (dialog.seen.window,)
        self._screen(look.xml, picture, focus, at=at, why=by, note=f"{told}: {decision.why}", windows=windows, **what)
        self._kept.seen = at
        self._waits_until = self._clock() + SETTLE_S
        self._busy_at = self._clock()
        self._before, self._last = dialog.seen.signature, None
        if button is not None:
            self._has_touched(dialog, button, decision, _Pending(dialog, at, dialogs.grants(button), before))

    def _has_touched(self, dialog: Dialog, button: Button, decision: Decision, pending: _Pending) -> None:
        """What follows for the plan from a touch."""
        if dialog.kind == "permission":
            self._pending = pending
        elif dialog.kind == "consent":
            self._options = self._options or not decision.answer
            self._agreed = self._agreed or decision.answer == "given"
        if dialog.kind != "permission" and dialogs.withdraws(button.label):
            self._withdrawn = True
            self._taken.add((dialog.seen.question, button.label))
        if decision.answer:
            self._tries["answered", dialog.title] += 1
        if decision.answer == "refused":
            self.refused_at = self._clock()

    def _answered(self, pending: _Pending) -> None:
        """Whether a permission was granted: by the system's own state where that changed, else by the button."""
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
        group = f"{GROUP}{dialog.group.name}" if dialog.group else dialog.title
        line = Consent(
            at=at, app=self.app, signal=signal, status=status, scope="system_permission", by=by, text=name or group,
            clock="host",
        )  # fmt: skip
        self._record(line)

    # what comes after the questions

    def _goes_on(self) -> bool:
        if self.plan == "withdraw" and self._agreed and not self._withdrawn and len(self._back or ()) < MOST_WAY:
            return True
        if self._play.explore is None or self.plan not in ("accept", "refuse"):
            return False
        return self._away or self._explored < self._play.explore.touches

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
        if self._hands.focus()[0] in (None, self.app) or not self._play.runs():
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
            button = dialogs.way_back(seen, self._back, self._play.way)
            if button is not None:
                self._back.append(button.label)
                self._walk(seen, button, look, "on the way to where consent is taken back")
                return
        self._back += [""] * MOST_WAY
        self._gap("withdraw", "no way to where consent is taken back was found on its screens")

    def _walk(self, seen: SeenWindow, button: Button, look: _Look, why: str) -> None:
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
            self._explored = self._play.explore.touches if self._play.explore else 0
            return
        self._busy_at = self._clock() - CALM_S  # no need to wait once more
        self._away = True
        self._walk(seen, self._random.choice(choices), look, "exploring")
        self._busy_at = self._clock() - CALM_S
        self._waits_until = self._clock() + SETTLE_S / 3

    # what is written down

    def _screen(self, xml: bytes, picture: bytes, focus: tuple[str | None, str | None], **fields: Any) -> Screen:
        package, activity = focus
        line = Screen(
            app=self.app, package=package, activity=activity, tree=self._put_body(xml),
            image=self._put_body(picture) if picture else None, by="host", **fields,
        )  # fmt: skip
        self._record(line)
        return line

    def _gap(self, subject: str, detail: str) -> None:
        title = subject or "a dialog without a title"
        self._record(
            Gap(at=datetime.now(UTC), app=self.app, where="device", subject=title, why="not_observed", detail=detail)
        )


def _package(xml: bytes, app: str) -> str | None:
    """Whose window a hierarchy is of, where it can be read: the app's, where one of several is."""
    try:
        seen = hierarchy.windows(hierarchy.parse(xml))
    except hierarchy.BadTree:
        return None
    packages = [each.package for each in seen]
    return app if app in packages else packages[0] or None if packages else None
