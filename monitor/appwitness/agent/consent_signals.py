"""Converts the agent's reports on permissions and on the app's own consent claims to lines of raw facts; pure.

Their meaning is judged later, by the catalog (judge/consent), like that of screens and touches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import Consent, Time

NESTED = timedelta(milliseconds=300)
"""A method that calls an overload of its own name does so within this time."""
MOST_CHARACTERS = 65_536
"""Maximum number of characters that are recorded of a value that an SDK was told, as in hooks/watch/stores.ts."""


@cache
def load(path: Path = yaml_files.HERE / "consent.yml") -> Labels:
    """The catalog's consent.yml, or another file of that shape. Raises FileError with the line."""
    return yaml_files.parse(path, Labels)


class _Told(BaseModel):
    """Fields of all facts (hooks/watch/consent.ts, stores.ts)."""

    model_config = ConfigDict(frozen=True)

    at: Time
    app: str | None = None
    pid: int | None = None
    boot_ms: int | None = None
    stack: tuple[str, ...] = ()


class PermissionsAsked(_Told):
    """The app asked for Android permissions."""

    fact: Literal["permissions_asked"]
    permissions: tuple[str, ...]


class PermissionsAnswered(_Told):
    """The user answered a permission request."""

    fact: Literal["permissions_answered"]
    permissions: tuple[str, ...]
    granted: tuple[bool, ...]


class SdkCalled(_Told):
    """The app called an SDK's consent API."""

    fact: Literal["sdk_call"]
    api: str
    value: str | None


class PreferenceSeen(_Told):
    """The app wrote a consent key, or already had it when this run opened its store (`present`)."""

    fact: Literal["preference"]
    key: str
    value: str
    present: bool


_Fact = Annotated[PermissionsAsked | PermissionsAnswered | SdkCalled | PreferenceSeen, Field(discriminator="fact")]
_FACTS: TypeAdapter[PermissionsAsked | PermissionsAnswered | SdkCalled | PreferenceSeen] = TypeAdapter(_Fact)


def plan() -> dict[str, Any]:
    """What to hook besides the screen, in the form that the agent expects (hooks/plan.ts)."""
    words = load()
    told = {"cls", "method", "argument", "key"}
    return {
        "sdk_calls": [call.model_dump(include=told) for call in words.sdk_calls],
        "stores": [store.model_dump() for store in words.stores],
        "keys": [preference.keys for preference in words.preferences],
    }


class Signals:
    """Turns facts into consent lines, in the order of arrival."""

    def __init__(self) -> None:
        self._asked_for: PermissionsAsked | None = None
        """The last permission request, until it is answered."""

    def feed(self, fact: Mapping[str, Any]) -> Sequence[Consent]:
        """The lines of one fact. Raises pydantic's ValidationError for an unknown kind of fact."""
        match told := _FACTS.validate_python(dict(fact)):
            case PermissionsAsked():
                return [] if self._asks_twice(told) else [_permission(told, name, None) for name in told.permissions]
            case PermissionsAnswered():
                self._asked_for = None
                pairs = zip(told.permissions, told.granted, strict=False)
                return [_permission(told, name, granted) for name, granted in pairs]
            case SdkCalled(api=api, value=str(value)):
                shown = value[:MOST_CHARACTERS]
                return [_line(told, signal="sdk_call", status="requested", by="app", text=api, value=shown)]
            case SdkCalled():
                return []
            case PreferenceSeen():
                text, at_start = f"{told.key}={told.value}", True if told.present else None
                return [_line(told, signal="preference", status="requested", by="app", text=text, at_start=at_start)]

    def _asks_twice(self, asked: PermissionsAsked) -> bool:
        """Whether it is the same call again: from Android 15 on, requestPermissions calls an overload of itself. The
        system takes only one request at a time."""
        last, self._asked_for = self._asked_for, asked
        same = last is not None and (last.pid, last.permissions) == (asked.pid, asked.permissions)
        return same and last is not None and abs(asked.at - last.at) < NESTED


def _permission(fact: PermissionsAsked | PermissionsAnswered, name: str, granted: bool | None) -> Consent:
    together = len(fact.permissions)
    return _line(
        fact,
        signal="permission_prompt" if granted is None else "permission_result",
        status="requested" if granted is None else "given" if granted else "refused",
        scope="system_permission",
        by="app" if granted is None else "user",
        text=name,
        note=f"one of {together} asked at once" if together > 1 else None,
    )


def _line(fact: _Told, **fields: Any) -> Consent:
    return Consent(
        clock="device", at=fact.at, boot_ms=fact.boot_ms, app=fact.app, pid=fact.pid, stack=fact.stack, **fields
    )
