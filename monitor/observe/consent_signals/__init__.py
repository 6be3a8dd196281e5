"""What the agent tells of permissions and of the app's own claims of consent, as lines; pure.

Screens and touches come as lines of their own: what they say of consent is judged later (judge/consent/screens.py).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from monitor.events import Consent, ConsentState
from monitor.observe.consent_signals.received import (
    FACTS,
    PermissionsAnswered,
    PermissionsAsked,
    PreferenceSeen,
    SdkCalled,
    Told,
)
from monitor.observe.consent_signals.wording import ConsentWords, load

__all__ = ["Signals", "load"]


NESTED = timedelta(milliseconds=300)
"""A method that calls another one of its name does so within this time."""


class Signals:
    """Turns facts into consent lines, in the order in which they come."""

    def __init__(self, words: ConsentWords | None = None) -> None:
        self._words = words or load()
        self._sdk_calls = {f"{call.cls}.{call.method}": call for call in self._words.sdk_calls}
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
        """The lines of one fact. Raises pydantic's ValidationError when it is not one of those above."""
        match FACTS.validate_python(dict(fact)):
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
