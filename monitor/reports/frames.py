"""What a call stack says: which frames are the framework's, and which code of the app or of an SDK made the call."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

FRAMEWORK = (
    "android.",
    "androidx.",
    "com.android.",
    "com.google.android.gms.",
    "com.squareup.okhttp",
    "dalvik.",
    "java.",
    "javax.",
    "jdk.",
    "kotlin.",
    "kotlinx.",
    "libcore.",
    "okhttp3.",
    "okio.",
    "org.apache.http.",
    "org.chromium.net.",
    "retrofit2.",
    "sun.",
)
"""Beginnings of names that say nothing about who wanted the data: platform, language, general HTTP clients."""

_FRAME = re.compile(r"^(?P<name>[^(]+)\((?P<place>[^)]*)\)?$")


class Frame(NamedTuple):
    """One line of a stack."""

    text: str
    name: str
    """`package.Class.method`."""
    place: str
    """`File.java:12`, or empty."""
    own: bool
    """Code of the app or of an SDK in it, not the framework's."""


def frames(stack: Sequence[str]) -> list[Frame]:
    """A stack as frames, innermost first."""
    out = []
    for text in stack:
        found = _FRAME.match(text.strip())
        name, place = (found["name"], found["place"]) if found else (text.strip(), "")
        place = "" if place == "Unknown Source" else place
        out.append(Frame(text, name, place, own=not name.startswith(FRAMEWORK)))
    return out


def folded(of: Sequence[Frame], longest: int = 6) -> list[tuple[bool, list[Frame]]]:
    """Pieces of a stack, each with whether it may be folded away: the middle of a long run of framework frames."""
    pieces: list[tuple[bool, list[Frame]]] = []
    for own, run in itertools.groupby(of, key=lambda frame: frame.own):
        frames_ = list(run)
        if own or len(frames_) <= longest:
            pieces.append((False, frames_))
        else:
            pieces += [(False, frames_[:2]), (True, frames_[2:-1]), (False, frames_[-1:])]
    return pieces


def caller(stack: Sequence[str]) -> Frame | None:
    """The innermost frame that is not the framework's: the code that asked for the data or sent it."""
    return next((frame for frame in frames(stack) if frame.own), None)
