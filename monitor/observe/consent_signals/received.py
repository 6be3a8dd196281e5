"""The facts that the agent sends: permissions, claims of the app (hooks/watch/consent.ts, stores.ts)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from monitor.events import Time


class Told(BaseModel):
    """What all facts have."""

    model_config = ConfigDict(frozen=True)

    at: Time
    app: str | None = None
    pid: int | None = None
    boot_ms: int | None = None
    stack: tuple[str, ...] = ()


class PermissionsAsked(Told):
    """The app asked for Android permissions."""

    fact: Literal["permissions_asked"]
    permissions: tuple[str, ...]


class PermissionsAnswered(Told):
    """The user answered."""

    fact: Literal["permissions_answered"]
    permissions: tuple[str, ...]
    granted: tuple[bool, ...]


class SdkCalled(Told):
    """The app called an SDK's consent API."""

    fact: Literal["sdk_call"]
    api: str
    value: str | None


class PreferenceSeen(Told):
    """The app wrote a key that speaks of consent, or had it in its store when this run opened that (`present`)."""

    fact: Literal["preference"]
    key: str
    value: str
    present: bool


Fact = PermissionsAsked | PermissionsAnswered | SdkCalled | PreferenceSeen
FACTS: TypeAdapter[Fact] = TypeAdapter(Annotated[Fact, Field(discriminator="fact")])
