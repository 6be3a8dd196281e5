"""Equal parts of lines as one object: an app says the same time and again, and a long run has a million lines."""

from __future__ import annotations

from typing import Any

import msgspec

from appwitness.events import Access, Connection, Event, Upload

PARTS: dict[type, tuple[str, ...]] = {
    Access: ("app", "pid", "source", "target", "data", "values", "stack", "owners", "thread"),
    Connection: ("app", "pid", "remote", "host", "stack", "owners", "thread"),
    Upload: ("app", "pid", "method", "host", "headers", "type", "server", "tls", "stack", "owners"),
}
"""Kind of line -> fields that many lines have alike. What differs from line to line is not worth the look."""


class SharedParts:
    """Remembers the parts of lines that it was given, for as long as these lines are kept."""

    def __init__(self) -> None:
        self._known: dict[object, Any] = {}

    def of[E: Event](self, event: E) -> E:
        """The same line, its parts those of an earlier line where they are equal."""
        for name in PARTS.get(type(event), ()):
            part = getattr(event, name)
            if part is None or part == ():
                continue
            known = self._known.get(part)
            if known is None:
                known = self._known[part] = self._inside(part)
            if known is not part:
                # nobody else has the line yet, and it stays equal to what it was
                msgspec.structs.force_setattr(event, name, known)
        return event

    def _inside(self, part: Any) -> Any:
        """A part that is new, with the texts in it shared: two stacks have most of their frames in common."""
        if isinstance(part, tuple) and all(isinstance(each, str) for each in part):
            return tuple(self._known.setdefault(each, each) for each in part)
        return part
