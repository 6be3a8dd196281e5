"""What the player needs: a device's screen, a person to ask, and how far to explore."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from appwitness.devices.android.screen.dialogs import Plan

Permissions = Mapping[str, tuple[bool, str]]
"""Permission -> granted, and the flags that say who decided."""


class Hands(Protocol):
    """Reads the screen of one device, and taps it."""

    def dump(self) -> bytes:
        """The hierarchy of the screen, as XML. Raises DeviceFault."""

    def picture(self, *, fast: bool = False) -> bytes:
        """The screen as PNG; with `fast`, as JPEG if that is faster. Raises DeviceFault."""

    def tap(self, x: int, y: int) -> None:
        """Tap at a position, in pixels. Raises DeviceFault."""

    def back(self) -> None:
        """Press the back key. Raises DeviceFault."""

    def focus(self) -> tuple[str | None, str | None]:
        """Package and activity that have the input focus. Raises DeviceFault."""

    def bring_back(self, app: str) -> None:
        """Bring an app to the front again. Raises DeviceFault."""

    def permissions(self, app: str) -> Permissions:
        """An app's permissions, as the system has them; empty if it does not say. Raises DeviceFault."""


@dataclass(frozen=True)
class Question:
    """A dialog that a person must answer."""

    kind: str
    title: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    why: str
    """Why the decision is uncertain."""
    picture: bytes


Ask = Callable[[Question], str | None]
"""Asks a person; returns one of the question's labels to tap, or None to dismiss the dialog."""


@dataclass(frozen=True)
class Play:
    """A plan, and how it is carried out with one app."""

    app: str
    plan: Plan
    user: int = 0
    """The Android user for whom the app runs."""
    ask: Ask | None = None
    """Asks a person about dialogs that are not understood."""
    way: tuple[str, ...] = ()
    """Labels that lead to where this app lets users withdraw consent."""
    explore: Explore | None = None
    """What to tap once all questions are answered."""
    rests: Callable[[], bool] = lambda: True
    """Whether the app is idle with a question open; only then is the question answered."""
    runs: Callable[[], bool] = lambda: False
    """Whether a process of the app exists."""


@dataclass(frozen=True)
class Explore:
    """What to tap when nothing is left to answer: at most `touches` elements of the app, chosen by the seed."""

    touches: int
    seed: int = 1
