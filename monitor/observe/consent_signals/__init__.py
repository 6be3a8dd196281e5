"""Decides what a dialog, a tap or an answered permission says of consent; pure, by catalog/consent.yml."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from monitor.events import Consent, ConsentState, Scope
from monitor.labels import LONGEST_LABEL, Choice, Phrases, normal, normal_label
from monitor.observe.consent_signals.received import (
    FACTS,
    Check,
    DialogClosed,
    DialogShown,
    PermissionsAnswered,
    PermissionsAsked,
    PreferenceSeen,
    Screen,
    ScreenShown,
    SdkCalled,
    Tapped,
    Told,
)
from monitor.observe.consent_signals.wording import ConsentWords, load

__all__ = ["Signals", "load", "normal_label"]


NESTED = timedelta(milliseconds=300)
"""A method that calls another one of its name does so within this time."""


@dataclass
class _Open:
    """A consent dialog on the screen."""

    scopes: tuple[Scope, ...]
    title: str
    decided: bool = False


class Signals:
    """Turns facts into consent events, in the order in which they come."""

    def __init__(self, words: ConsentWords | None = None) -> None:
        self._words = words or load()
        self._by_choices = Phrases.all(self._words.choices)
        self._withdraw = Phrases.all(self._words.withdraw)
        self._changed = Phrases.all(self._words.changed)
        self._titles = Phrases.all(self._words.titles)
        self._policy = Phrases.all(self._words.policy)
        self._keywords = Phrases.all(self._words.keywords)
        self._checkboxes = Phrases.all(self._words.checkboxes)
        self._scopes = [(entry.scope, Phrases.of(entry.phrases)) for entry in self._words.scopes]
        self._sdk_calls = {f"{call.cls}.{call.method}": call for call in self._words.sdk_calls}
        self._open: dict[int, _Open] = {}
        self._screens: set[str] = set()
        """Headings of the full screens that have asked: coming back to one is no new question."""
        self._asked_for: PermissionsAsked | None = None
        """The last question about permissions, until it is answered."""

    def plan(self) -> dict[str, Any]:
        """What to hook besides the screen, as the agent takes it (hooks/plan.ts)."""
        told = {"cls", "method", "argument", "key"}
        return {
            "sdk_calls": [call.model_dump(include=told) for call in self._words.sdk_calls],
            "stores": [store.model_dump() for store in self._words.stores],
            "keys": [preference.keys for preference in self._words.preferences],
        }

    def feed(self, fact: Mapping[str, Any]) -> Sequence[Consent]:
        """What one fact says. Raises pydantic's ValidationError when it is not one of those above."""
        match FACTS.validate_python(dict(fact)):
            case DialogShown() as shown:
                return self._dialog(shown)
            case ScreenShown() as shown:
                return self._screen(shown)
            case DialogClosed() as closed:
                return self._closed(closed)
            case Tapped() as tap:
                return self._tap(tap)
            case PermissionsAsked() as asked if self._asks_twice(asked):
                return []
            case PermissionsAsked() as asked:
                return [self._permission(asked, name, None) for name in asked.permissions]
            case PermissionsAnswered() as answered:
                self._asked_for = None
                pairs = zip(answered.permissions, answered.granted, strict=False)
                return [self._permission(answered, name, granted) for name, granted in pairs]
            case SdkCalled() as called:
                return self._sdk(called)
            case PreferenceSeen() as seen:
                return self._preference(seen)

    def choice(self, label: str) -> Choice | None:
        """What a label chooses: the whole label first, then a phrase in it; a no is looked for before a yes."""
        return self._words.choice(label)

    def asks(self, screen: Screen) -> str | None:
        """The heading of a screen that asks for consent and can be answered there, or None."""
        if not (self._answers(screen) or any(self._asks(check) for check in screen.checks)):
            return None
        return self._title(screen)

    def _dialog(self, shown: DialogShown) -> list[Consent]:
        title = self._title(shown)
        if title is None:
            return []
        events = self._asked(shown, title)
        self._open[shown.id] = _Open(tuple(event.scope for event in events), title)
        return events

    def _screen(self, shown: ScreenShown) -> list[Consent]:
        """A full screen asks only when it can be answered there: a list of settings names policies too."""
        title = self.asks(shown)
        if title is None or title in self._screens:
            return []
        self._screens.add(title)
        return self._asked(shown, title)

    def _asked(self, shown: Screen, title: str) -> list[Consent]:
        """The line of the dialog as a whole, and one for each choice of its own that it offers."""
        boxes = [check for check in shown.checks if self._asks(check)]
        ticked = any(check.checked for check in boxes) if boxes else None
        scope = self._scope(shown, title)
        text = self._heading(shown, title)
        events = [_consent(shown, signal="dialog", status="requested", scope=scope, by="app", text=text, ticked=ticked)]
        for scope, check in self._offered(shown).items():
            events.append(
                _consent(
                    shown, signal="dialog", status="requested", scope=scope, by="app", text=check.text,
                    ticked=check.checked,
                )
            )  # fmt: skip
        return events

    def _heading(self, screen: Screen, title: str) -> str:
        """The title; with the phrase by which the text says that the policy changed, when the title does not."""
        if self._changed.inside(normal(title)):
            return title
        phrase = next((found for text in screen.texts if (found := self._changed.first(normal(text)))), None)
        return title if phrase is None else f"{title}: {phrase}"

    def _title(self, screen: Screen) -> str | None:
        """The heading of a screen that asks for consent, or None when it does not."""
        headings = [text for text in screen.texts if 0 < len(normal(text)) <= LONGEST_LABEL]
        if any(self._withdraw.inside(normal(text)) for text in headings) or self._takes_back(screen):
            return None
        for text in headings:
            if self._titles.inside(normal(text)):
                return text
        about = any(self._keywords.inside(normal(text)) for text in (*screen.texts, *screen.labels))
        if about and self._answers(screen):
            return headings[0] if headings else next(iter(screen.texts), "")[:LONGEST_LABEL]
        return None

    def _takes_back(self, screen: Screen) -> bool:
        """Settings, or the question whether consent is to be taken back: a button for that, and none for a yes."""
        back = [label for label in screen.labels if self._withdraw.whole(normal_label(label))]
        return bool(back) and not any(self.choice(label) == "agree" for label in screen.labels if label not in back)

    def _answers(self, screen: Screen) -> bool:
        return bool({self.choice(label) for label in screen.labels} & {"agree", "refuse", "basic", "later"})

    def _scope(self, screen: Screen, title: str) -> Scope:
        """What the title says; else what the text says, unless it is about the policy as a whole, which names all."""
        own = self._scope_of(title)
        if own is not None:
            return own
        text = normal(" ".join((*screen.texts, *(check.text for check in screen.checks if self._asks(check)))))
        if self._policy.inside(text):
            return "general_policy"
        return self._scope_of(text) or "general_policy"

    def _scope_of(self, text: str) -> Scope | None:
        return next((scope for scope, phrases in self._scopes if phrases.inside(normal(text))), None)

    def _offered(self, screen: Screen) -> dict[Scope, Check]:
        """The choices of their own that a dialog offers beside its buttons: a box or switch for one scope."""
        offered: dict[Scope, Check] = {}
        for check in screen.checks:
            scope = self._scope_of(check.text)
            if scope is not None and not self._asks(check):
                offered.setdefault(scope, check)
        return offered

    def _closed(self, closed: DialogClosed) -> list[Consent]:
        dialog = self._open.pop(closed.id, None)
        if dialog is None or dialog.decided:
            return []
        by: Literal["user", "app"] = "user" if closed.how == "cancel" else "app"
        return [
            _consent(closed, signal="dialog", status="dismissed", scope=scope, by=by, text=dialog.title)
            for scope in dialog.scopes
        ]

    def _tap(self, tap: Tapped) -> list[Consent]:
        text = normal_label(tap.label)
        if text and self._withdraw.whole(text):
            return [self._tapped(tap, "withdrawn", self._scope_of(tap.label) or "general_policy")]
        title = self._title(tap)
        if title is None:
            return self._switched(tap)
        if tap.ticked is not None:
            return []
        status, note = self._answer(tap, text)
        if status is None:
            return []
        boxes = [check for check in tap.checks if self._asks(check)]
        events = [
            self._tapped(
                tap, status, self._scope(tap, title), note, all(box.checked for box in boxes) if boxes else None
            )
        ]
        if status != "requested":
            events += self._chosen(tap, text, status)
            for dialog in self._open.values():
                dialog.decided = dialog.decided or dialog.title == title
        return events

    def _answer(self, tap: Tapped, text: str) -> tuple[ConsentState | None, str | None]:
        """What a tap in a consent dialog says of the dialog as a whole, and why."""
        unticked = [check.text for check in tap.checks if not check.checked and self._asks(check)]
        offered = self._offered(tap)
        if offered and self._by_choices.whole(text):
            taken = sum(check.checked for check in offered.values())
            return ("given" if taken else "refused"), f"{taken} of {len(offered)} choices ticked"
        match self.choice(tap.label):
            case "agree" if unticked:
                return "requested", f"the box beside {unticked[0]!r} was not ticked"
            case "agree":
                return "given", None
            case "refuse":
                return "refused", None
            case "basic":
                return "refused", "basic function only"
            case "later" | "closing":
                return "dismissed", "put off or closed without an answer"
            case "ambiguous":
                return "requested", "not a clear yes or no"
            case None:
                return None, None

    def _chosen(self, tap: Tapped, text: str, status: ConsentState) -> list[Consent]:
        """What the tap says of each choice of its own: all of them by one button, else as it was ticked."""
        if status == "dismissed":
            return [self._tapped(tap, "dismissed", scope, check.text) for scope, check in self._offered(tap).items()]
        everything = status == "given" and self._words.agrees_to_everything(tap.label)
        chosen = status == "given" or self._by_choices.whole(text)
        events: list[Consent] = []
        for scope, check in self._offered(tap).items():
            taken = everything or (chosen and check.checked)
            ticked = None if everything else check.checked
            events.append(self._tapped(tap, "given" if taken else "refused", scope, check.text, ticked))
        return events

    def _switched(self, tap: Tapped) -> list[Consent]:
        """A switch of the settings that is about one scope: on is a yes to it, off takes it back."""
        scope = None if tap.ticked is None else self._scope_of(tap.label)
        if scope is None:
            return []
        return [self._tapped(tap, "withdrawn" if tap.ticked else "given", scope)]

    def _tapped(
        self, tap: Tapped, status: ConsentState, scope: Scope, note: str | None = None, ticked: bool | None = None
    ) -> Consent:
        by: Literal["user", "app"] = "user" if tap.input else "app"
        return _consent(tap, signal="tap", status=status, scope=scope, by=by, text=tap.label, note=note, ticked=ticked)

    def _asks(self, check: Check) -> bool:
        return self._checkboxes.inside(normal(check.text))

    def _permission(self, fact: PermissionsAsked | PermissionsAnswered, name: str, granted: bool | None) -> Consent:
        data = self._words.permissions.get(name)
        together = len(fact.permissions)
        return _consent(
            fact,
            signal="permission_prompt" if granted is None else "permission_result",
            status="requested" if granted is None else "given" if granted else "refused",
            scope="system_permission",
            by="app" if granted is None else "user",
            text=name,
            data=data,
            note=f"one of {together} asked at once" if together > 1 else None,
        )

    def _asks_twice(self, asked: PermissionsAsked) -> bool:
        """Whether it is the same call once more: from Android 15 on, requestPermissions calls another of its name. The
        system takes but one question at a time."""
        last, self._asked_for = self._asked_for, asked
        same = last is not None and (last.pid, last.permissions) == (asked.pid, asked.permissions)
        return same and last is not None and abs(asked.at - last.at) < NESTED

    def _sdk(self, called: SdkCalled) -> list[Consent]:
        call = self._sdk_calls.get(called.api)
        status = "requested" if call is None or called.value is None else call.status(called.value)
        if call is None or status == "requested":
            return []
        return [_consent(called, signal="sdk_call", status=status, scope=call.scope, by="app", text=called.api)]

    def _preference(self, seen: PreferenceSeen) -> list[Consent]:
        entry = next((one for one in self._words.preferences if re.search(one.keys, seen.key, re.IGNORECASE)), None)
        if entry is None:
            return []
        status = _tcf_status(seen.value) if entry.form == "tcf" else entry.status(seen.value)
        return [
            _consent(
                seen,
                signal=entry.signal,
                status=status,
                scope=entry.scope,
                by="app",
                text=f"{seen.key}={seen.value}",
                at_start=True if seen.present else None,
            )
        ]


PURPOSES_AT, PURPOSES = 152, 24
"""Where the purposes that the user agreed to stand in the core of a TC string of version 2, in bits."""


def _tcf_status(text: str) -> ConsentState:
    """given when a TC string names a purpose that was agreed to, refused when none, requested when unreadable."""
    core = text.partition(".")[0]
    try:
        data = base64.urlsafe_b64decode(core + "=" * (-len(core) % 4))
    except ValueError:
        return "requested"
    if len(data) * 8 < PURPOSES_AT + PURPOSES or data[0] >> 2 != 2:
        return "requested"
    purposes = int.from_bytes(data[PURPOSES_AT // 8 : (PURPOSES_AT + PURPOSES) // 8])
    return "given" if purposes else "refused"


def _consent(fact: Told, **fields: Any) -> Consent:
    return Consent(
        clock="device", at=fact.at, boot_ms=fact.boot_ms, app=fact.app, pid=fact.pid, stack=fact.stack, **fields
    )
