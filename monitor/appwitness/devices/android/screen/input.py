"""What the player of a plan needs: a device's screen, a person to ask, and how far to explore."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from appwitness.devices.android.screen.dialogs import Plan

Permissions = Mapping[str, tuple[bool, str]]
"""Permission -> granted, and the flags that say who decided."""


class Hands(Protocol):
    """The screen of one device: what is on it, and touches."""

    def dump(self) -> bytes:
        """The hierarchy of the window on top, XML. Raises DeviceFault."""

    def picture(self, *, fast: bool = False) -> bytes:
        """The screen as PNG, or as JPEG where that is faster. Raises DeviceFault."""

    def tap(self, x: int, y: int) -> None:
        """Tap there. Raises DeviceFault."""

    def back(self) -> None:
        """Press the back key. Raises DeviceFault."""

    def focus(self) -> tuple[str | None, str | None]:
        """Package and activity that have the input. Raises DeviceFault."""

    def bring_back(self, app: str) -> None:
        """Bring an app to the front again. Raises DeviceFault."""

    def permissions(self, app: str) -> Permissions:
        """What an app may, as the system has it; empty where it does not say. Raises DeviceFault."""


@dataclass(frozen=True)
class Question:
    """A dialog that a person must answer."""

    kind: str
    title: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    why: str
    """Why it is uncertain."""
    picture: bytes


Ask = Callable[[Question], str | None]
"""Asks a person: the label to touch, one of the question's, or None to dismiss the dialog."""


@dataclass(frozen=True)
class Play:
    """A plan, and how it is played with one app."""

    app: str
    plan: Plan
    user: int = 0
    """The device's user whose app it is."""
    ask: Ask | None = None
    """Asked about dialogs that nothing is known of."""
    way: tuple[str, ...] = ()
    """Labels that lead to where this app takes consent back."""
    explore: Explore | None = None
    """What is touched when all is answered."""
    rests: Callable[[], bool] = lambda: True
    """Whether the app has come to rest with the question open; only then is it answered."""
    runs: Callable[[], bool] = lambda: False
    """Whether a process of the app is there."""


@dataclass(frozen=True)
class Explore:
    """What is touched when nothing is left to answer: at most this many elements of the app, drawn by the seed."""

    touches: int
    seed: int = 1
