"""Which code a stack is of: the innermost that is not the platform's, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.events import Ref
from monitor.findings import Code
from monitor.judge.recipients import RecipientTable

_FRAMEWORK = (
    "android.", "androidx.", "com.android.", "com.google.android.gms.", "dalvik.", "java.", "javax.", "jdk.", "kotlin.",
    "kotlinx.", "libcore.", "okhttp3.", "okio.", "retrofit2.", "sun.",
)  # fmt: skip
"""Code that calls on behalf of others: never the one who wanted the data."""


def foreign_frame(stack: Sequence[str]) -> str | None:
    """The innermost frame that is not the framework's."""
    return next((frame for frame in stack if not frame.startswith(_FRAMEWORK)), None)


def method_of(stack: Sequence[str]) -> str | None:
    """The same without file and line: one method may open a connection in several of its lines."""
    frame = foreign_frame(stack)
    return frame.partition("(")[0] if frame else None


def code_of(ref: Ref, stack: Sequence[str], known: RecipientTable | None) -> Code | None:
    """The same as a finding names it, with the line that has the stack; None when the stack does not tell."""
    method = method_of(stack)
    if method is None:
        return None
    owner = known.of_frame(method) if known else None
    return Code(code=method, owner=owner.name if owner else None, ref=ref)
