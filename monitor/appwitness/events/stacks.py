"""Whose code each frame of a stack is: as the agent reported, otherwise by the prefix of its class name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

Kind = Literal["app", "library", "package", "platform"]
"""Owners of code: the app (or an SDK in it), a general library in it, another package in the app's process (WebView,
a module of Google Play services), or the platform."""

PLATFORM = (
    "android.", "androidx.", "com.android.", "com.google.android.gms.", "dalvik.", "java.", "javax.", "jdk.", "kotlin.",
    "kotlinx.", "libcore.", "okhttp3.", "okio.", "retrofit2.", "sun.",
)  # fmt: skip
"""Name prefixes of the platform and of general libraries, for stacks without owners (an import, an early recording)."""

LIBRARIES = (
    "android.arch.", "android.support.", "androidx.", "com.android.volley.", "com.google.android.gms.",
    "com.squareup.okhttp", "kotlin.", "kotlinx.", "okhttp3.", "okio.", "org.apache.http.", "org.bouncycastle.",
    "org.chromium.net.", "org.conscrypt.", "org.spongycastle.", "retrofit2.",
)  # fmt: skip
"""Name prefixes of libraries in the app that never want the data themselves: interface and language libraries, HTTP
clients, TLS."""


class Called(Protocol):
    """A line with the stack of the call."""

    @property
    def stack(self) -> tuple[str, ...]:
        """Frames, innermost first."""

    @property
    def owners(self) -> tuple[str | None, ...]:
        """The owner of each frame's code; empty when they were not recorded."""


class Frame(NamedTuple):
    """One frame and the owner of its code."""

    text: str
    kind: Kind
    package: str | None
    """The other package that the code belongs to; None for other kinds."""

    @property
    def method(self) -> str:
        """The frame without file and line: the same method may make calls on several lines."""
        return self.text.partition("(")[0]


def owned(stack: Sequence[str], owners: Sequence[str | None], by_name: tuple[str, ...] = PLATFORM) -> Iterator[Frame]:
    """The frames of a stack, innermost first; `by_name`: name prefixes that are not the app's, for frames without an
    owner."""
    for number, text in enumerate(stack):
        owner = owners[number] if number < len(owners) else None
        match owner:
            case None:
                yield Frame(text, "platform" if text.startswith(by_name) else "app", None)
            case "platform":
                yield Frame(text, "platform", None)
            case "app":
                yield Frame(text, "library" if text.startswith(LIBRARIES) else "app", None)
            case package:
                yield Frame(text, "package", package)


def caller(frames: Sequence[Frame]) -> Frame | None:
    """The frame that wanted the data: the app's innermost one; if there is none, the innermost of another package."""
    return next((each for kind in ("app", "package") for each in frames if each.kind == kind), None)
