"""Whose code each frame of a stack is: as the agent reported, otherwise by the prefix of its class name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

Kind = Literal["app", "library", "package", "platform"]
"""Owners of code: app (the app or an SDK in it), a general library in it, another package in the app's process
(WebView, a module of Google Play services), the platform."""

PLATFORM = (
    "android.", "androidx.", "com.android.", "com.google.android.gms.", "dalvik.", "java.", "javax.", "jdk.", "kotlin.",
    "kotlinx.", "libcore.", "okhttp3.", "okio.", "retrofit2.", "sun.",
)  # fmt: skip
"""Prefixes of platform and general libraries, for stacks without owners (an import, an early recording)."""

LIBRARIES = (
    "android.arch.", "android.support.", "androidx.", "com.android.volley.", "com.google.android.gms.",
    "com.squareup.okhttp", "kotlin.", "kotlinx.", "okhttp3.", "okio.", "org.apache.http.", "org.bouncycastle.",
    "org.chromium.net.", "org.conscrypt.", "org.spongycastle.", "retrofit2.",
)  # fmt: skip
"""Code in the app that never wants the data itself: interface and language libraries, HTTP clients, TLS."""


class Called(Protocol):
    """A line that says where it came from."""

    @property
    def stack(self) -> tuple[str, ...]:
        """Frames, innermost first."""

    @property
    def owners(self) -> tuple[str | None, ...]:
        """Whose code each frame is; empty: nobody said."""


class Frame(NamedTuple):
    """One frame, and whose code it is."""

    text: str
    kind: Kind
    package: str | None
    """Another package that it is of."""

    @property
    def method(self) -> str:
        """The frame without file and line: one method may call from several of its lines."""
        return self.text.partition("(")[0]


def owned(stack: Sequence[str], owners: Sequence[str | None], by_name: tuple[str, ...] = PLATFORM) -> Iterator[Frame]:
    """The frames of a stack, innermost first; `by_name`: beginnings of the names that are not the app's own."""
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
    """The frame that wanted the data: the innermost one of the app; otherwise of another package that does not act
    for the app."""
    return next((each for kind in ("app", "package") for each in frames if each.kind == kind), None)
