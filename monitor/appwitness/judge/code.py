"""Finds the code responsible for a stack: its innermost frame outside the platform, and the owner of that frame."""

from __future__ import annotations

from functools import lru_cache

from appwitness.events import Ref
from appwitness.events.stacks import Called, Frame, caller, owned
from appwitness.findings import Code
from appwitness.judge.recipients import RecipientTable


def foreign_frame(line: Called) -> Frame | None:
    """The app's own innermost frame, or that of another package in its process if the app has none on the stack."""
    return frame_of(line.stack, line.owners)


@lru_cache(maxsize=1 << 14)
def frame_of(stack: tuple[str, ...], owners: tuple[str | None, ...]) -> Frame | None:
    """The same as `foreign_frame` for a bare stack; cached, since thousands of lines have identical stacks."""
    return caller(list(owned(stack, owners)))


def method_of(line: Called) -> str | None:
    """The method of `foreign_frame`, without file and line: one method may open connections in several places."""
    frame = foreign_frame(line)
    return frame.method if frame else None


def owner_of(frame: Frame, known: RecipientTable | None) -> str | None:
    """Whose code a frame is: a known vendor's, or that of a package other than the app's; None if it is neither."""
    owner = known.of_frame(frame.text) if known else None
    return owner.name if owner else frame.package


def code_and_owner(
    known: RecipientTable | None, stack: tuple[str, ...], owners: tuple[str | None, ...]
) -> tuple[str, str | None] | None:
    """The code responsible for a stack, and its owner; None if the stack does not say."""
    frame = frame_of(stack, owners)
    return (frame.method, owner_of(frame, known)) if frame else None


def code_of(ref: Ref, line: Called, known: RecipientTable | None) -> Code | None:
    """The same as `code_and_owner` in the form that findings use; `ref`: the line that has the stack."""
    found = code_and_owner(known, line.stack, line.owners)
    return Code(code=found[0], owner=found[1], ref=ref) if found else None
