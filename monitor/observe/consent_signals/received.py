"""The facts that the agent sends: screens, taps, permissions, claims of the app (hooks/watch/consent.ts, stores.ts)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from monitor.events import Check, Time, Window


class Told(BaseModel):
    """What all facts have."""

    model_config = ConfigDict(frozen=True)

    at: Time
    app: str | None = None
    pid: int | None = None
    boot_ms: int | None = None
    stack: tuple[str, ...] = ()


class Screen(Told):
    """What can be read on a window."""

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def window(self) -> Window:
        """The same, as it is recorded."""
        return Window(texts=self.texts, labels=self.labels, checks=self.checks)


class DialogShown(Screen):
    """A dialog came up."""

    fact: Literal["dialog"]
    id: int


class ScreenShown(Screen):
    """An activity came to the front: many apps ask on a full screen of theirs."""

    fact: Literal["screen"]


class DialogClosed(Told):
    """A dialog went away: `cancel` is the back key or a touch beside it."""

    fact: Literal["closed"]
    id: int
    how: Literal["dismiss", "cancel"]


class Tapped(Screen):
    """A view was clicked; `input` when a finger or a key did it. Texts and labels are those of its window."""

    fact: Literal["tap"]
    label: str
    input: bool
    ticked: bool | None = Field(default=None, description="of a box or switch: as it was before the click")


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


Fact = (
    DialogShown
    | ScreenShown
    | DialogClosed
    | Tapped
    | PermissionsAsked
    | PermissionsAnswered
    | SdkCalled
    | PreferenceSeen
)
FACTS: TypeAdapter[Fact] = TypeAdapter(Annotated[Fact, Field(discriminator="fact")])
