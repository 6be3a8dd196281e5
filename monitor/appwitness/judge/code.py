"""Finds the code responsible for a stack: its innermost frame outside the platform, and the owner of that frame."""

from __future__ import annotations

from functools import lru_cache

from appwitness.events import Ref
from appwitness.events.stacks import Called, Frame, caller, owned
from appwitness.findings import Code
from appwitness.judge.recipients import RecipientTable


def foreign_frame(line: Called) -> Frame | None:
    """The innermost frame of the app; of another package in its process, where none of the app's own is there."""
    return frame_of(line.stack, line.owners)


@lru_cache(maxsize=1 << 14)
def frame_of(stack: tuple[str, ...], owners: tuple[str | None, ...]) -> Frame | None:
    """The same of a stack, which thousands of lines have alike."""
    return caller(list(owned(stack, owners)))


def method_of(line: Called) -> str | None:
    """The same without file and line: one method may open a connection in several of its lines."""
    frame = foreign_frame(line)
    return frame.method if frame else None


def owner_of(frame: Frame, known: RecipientTable | None) -> str | None:
    """Whose code a frame is: a known maker's, or another package's than the app."""
    owner = known.of_frame(frame.text) if known else None
    return owner.name if owner else frame.package


def code_and_owner(
    known: RecipientTable | None, stack: tuple[str, ...], owners: tuple[str | None, ...]
) -> tuple[str, str | None] | None:
    """The code of a stack, and whose it is; None when the stack does not tell."""
    frame = frame_of(stack, owners)
    return (frame.method, owner_of(frame, known)) if frame else None


def code_of(ref: Ref, line: Called, known: RecipientTable | None) -> Code | None:
    """The same as a finding names it, with the line that has the stack."""
    found = code_and_owner(known, line.stack, line.owners)
    return Code(code=found[0], owner=found[1], ref=ref) if found else None
