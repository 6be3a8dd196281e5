"""Interprets a call stack: which frames belong to the framework, and which code of the app or an SDK made the call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from appwitness.events import stacks

FRAMEWORK = (*stacks.PLATFORM, "com.squareup.okhttp", "org.apache.http.", "org.chromium.net.")
"""For a stack without known owners: prefixes of names that say nothing about who wanted the data."""

_FRAME = re.compile(r"^(?P<name>[^(]+)\((?P<place>[^)]*)\)?$")


class StackLine(NamedTuple):
    """One line of a stack."""

    text: str
    name: str
    """`package.Class.method`."""
    place: str
    """`File.java:12`, or empty."""
    own: bool
    """Whether it is code of the app or of an SDK in it, not of the framework."""
    package: str | None = None
    """The other package in the app's process that it belongs to: WebView, a module of Google Play services."""


def frames(stack: Sequence[str], owners: Sequence[str | None] = ()) -> list[StackLine]:
    """A stack as frames, innermost first; `owners` as recorded in the line."""
    out = []
    for text, kind, package in stacks.owned([text.strip() for text in stack], owners, FRAMEWORK):
        found = _FRAME.match(text)
        name, place = (found["name"], found["place"]) if found else (text, "")
        place = "" if place == "Unknown Source" else place
        out.append(StackLine(text, name, place, own=kind == "app", package=package))
    return out


def caller(stack: Sequence[str], owners: Sequence[str | None] = ()) -> StackLine | None:
    """The code that requested or sent the data: the app's innermost frame, otherwise that of another package in its
    process."""
    found = frames(stack, owners)
    return next((frame for frame in found if frame.own), next((frame for frame in found if frame.package), None))
