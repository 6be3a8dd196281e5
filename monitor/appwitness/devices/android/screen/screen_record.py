"""Records the screen: what it shows when it changes, questions while they are open, and gaps on the host's side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from appwitness.catalog.labels import GROUP
from appwitness.devices.android.screen import dialogs, hierarchy
from appwitness.devices.android.screen.dialogs import Dialog
from appwitness.devices.android.screen.hierarchy import SeenWindow
from appwitness.devices.android.screen.input import Hands
from appwitness.events import Consent, Event, Gap, Screen, Window

CHANGES_S = 2.0
"""Shortest interval between records of a changing screen; an appearing or disappearing question is recorded at once."""
STANDS_S = 5.0
"""Interval at which an open question is recorded again, to show that nobody has answered it."""

Why = Literal["consent", "finding", "plan", "operator", "change"]


@dataclass(frozen=True)
class Look:
    """What the screen showed at a moment, on the host's clock."""

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
    """When the screen last showed the same."""


class ScreenRecord:
    """Records the screen of one device while one app is observed. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        hands: Hands,
        app: str,
        record: Callable[[Event], object],
        put_body: Callable[[bytes], str | None],
        clock: Callable[[], float],
    ) -> None:
        self.app = app
        self.line = record
        self._hands = hands
        self._put_body = put_body
        self._clock = clock
        self._kept = _LastLook()
        self._looked: tuple[Window, ...] = ()
        self._told: object = None
        """The last question recorded."""

    @property
    def asks(self) -> bool:
        """Whether the last recorded look shows a consent dialog."""
        return self._kept.asks

    def anew(self) -> None:
        """Note that the app is started again: its questions count as new, even with the same words."""
        self._told = None

    def look(self, display: tuple[int, int] | None) -> Look | None:
        """What the screen shows; None: nothing that can be read. Raises DeviceFault."""
        at = datetime.now(UTC)
        xml = self._hands.dump()
        try:
            return Look(at, xml, dialogs.foremost(hierarchy.windows(hierarchy.parse(xml), display)))
        except hierarchy.BadTree:
            return None  # a screen in transition; a hostile one is never tapped

    def shot(self, why: Why, note: str | None = None) -> Screen:
        """Record what the screen shows now. Raises DeviceFault."""
        at = datetime.now(UTC)
        picture = self._hands.picture(fast=True)
        xml = self._hands.dump()
        return self.screen(xml, picture, (_package(xml, self.app), None), at=at, why=why, note=note)

    def watch(self, look: Look, dialog: Dialog | None, *, stands: bool, last: bool = False) -> None:
        """Record what the screen shows if it has changed, and an open question from time to time."""
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

    def _keep(self, look: Look, dialog: Dialog | None) -> None:
        """Record a look, with a picture if it has changed and a question is, or was until now, on the screen."""
        why: Why = "change"
        what = None
        if dialog is not None:
            why = "consent" if dialog.kind in ("consent", "permission") else "plan"
            name = dialog.group.name if dialog.group else dialog.platform.name if dialog.platform else ""
            what = f"{dialog.kind} dialog {name}".strip()
        changed = look.recorded != self._kept.windows
        picture = self._hands.picture() if changed and (dialog is not None or self._kept.asks) else b""
        since = self._kept.seen if changed else None
        self.screen(
            look.xml, picture, self._hands.focus(),
            at=look.at, why=why, note=what, what="look", windows=look.recorded, since=since,
        )  # fmt: skip
        self._kept = _LastLook(look.recorded, dialog is not None and dialog.kind == "consent", self._clock(), look.at)
        if dialog is None or dialog.seen.question == self._told:
            return
        self._told = dialog.seen.question
        if dialog.kind == "permission":
            self.permission(dialog, look.at)

    def permission(self, dialog: Dialog, at: datetime, granted: bool | None = None, name: str | None = None) -> None:
        """Record a permission dialog, or that the permission was granted or not.

        `name`: the permission; None if the dialog names only its group.
        """
        asked = granted is None
        group = f"{GROUP}{dialog.group.name}" if dialog.group else dialog.title
        self.line(
            Consent(
                at=at,
                app=self.app,
                signal="permission_prompt" if asked else "permission_result",
                status="requested" if asked else "given" if granted else "refused",
                scope="system_permission",
                by="app" if asked else "user",
                text=name or group,
                clock="host",
            )
        )

    def touched(self, at: datetime) -> None:
        """Note that the last recorded screen was shown until this moment."""
        self._kept.seen = at

    def screen(self, xml: bytes, picture: bytes, focus: tuple[str | None, str | None], **fields: Any) -> Screen:
        """Record a screen: its hierarchy, picture, and the package and activity that have the input focus."""
        package, activity = focus
        line = Screen(
            app=self.app, package=package, activity=activity, tree=self._put_body(xml),
            image=self._put_body(picture) if picture else None, by="host", **fields,
        )  # fmt: skip
        self.line(line)
        return line

    def gap(self, subject: str, detail: str) -> None:
        """Record that something could not be seen or done."""
        title = subject or "a dialog without a title"
        self.line(
            Gap(at=datetime.now(UTC), app=self.app, where="device", subject=title, why="not_observed", detail=detail)
        )


def _package(xml: bytes, app: str) -> str | None:
    """The package whose window a hierarchy shows: `app` if one of its windows is there, else the smallest window's;
    None if it cannot be read."""
    try:
        seen = hierarchy.windows(hierarchy.parse(xml))
    except hierarchy.BadTree:
        return None
    packages = [each.package for each in seen]
    return app if app in packages else packages[0] or None if packages else None
