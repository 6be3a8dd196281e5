"""Reads which window has the input focus from `dumpsys window`; pure."""

from __future__ import annotations

import re

_FOCUS = re.compile(r"\bmCurrentFocus=(?:null|Window\{\S+ (?:u\d+ )?([^\s}]+))")
_FOCUSED_APP = re.compile(r"\bmFocusedApp=.*?[ {]([\w.]+/[\w.$]+)")


def focused(said: str) -> tuple[str | None, str | None]:
    """Package and activity of the window with the input focus, from what `dumpsys window` says about each display.

    A window of an app without an activity's name (PopupWindow:5fa1) counts as the focused app's; a window of the system
    (NotificationShade, StatusBar) as nobody's.
    """
    there = next((match[1] for match in _FOCUS.finditer(said) if match[1]), "")
    if there.startswith(("PopupWindow", "AndroidPopup")) and (app := _FOCUSED_APP.search(said)):
        there = app[1]
    package, _, activity = there.partition("/")
    return (package, activity) if activity and re.fullmatch(r"[\w.]+", package) else (None, None)
