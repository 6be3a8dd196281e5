"""Shares equal parts of lines as one object: an app repeats itself, and a long run has a million lines."""

from __future__ import annotations

from typing import Any

import msgspec

from appwitness.events import Access, Connection, Event, Upload

PARTS: dict[type, tuple[str, ...]] = {
    Access: ("app", "pid", "source", "target", "data", "values", "stack", "owners", "thread"),
    Connection: ("app", "pid", "remote", "host", "stack", "owners", "thread"),
    Upload: ("app", "pid", "method", "url", "host", "headers", "type", "client", "server", "tls", "stack", "owners"),
}
"""Kind of line -> fields whose values many lines share. Others differ too often for sharing to pay."""


class SharedParts:
    """Remembers the parts of lines that it has seen; to be kept only as long as these lines are."""

    def __init__(self) -> None:
        self._known: dict[object, Any] = {}

    def of[E: Event](self, event: E) -> E:
        """The same line, with each part replaced by the equal part of an earlier line, if any."""
        for name in PARTS.get(type(event), ()):
            part = getattr(event, name)
            if part is None or part == ():
                continue
            known = self._known.get(part)
            if known is None:
                known = self._known[part] = self._inside(part)
            if known is not part:
                # nothing else refers to the line yet, and it stays equal
                msgspec.structs.force_setattr(event, name, known)
        return event

    def _inside(self, part: Any) -> Any:
        """A new part whose elements are shared with earlier parts: two stacks have most of their frames in common, and
        two uploads most of their headers."""
        if isinstance(part, tuple) and all(isinstance(each, str | tuple) for each in part):
            return tuple(self._known.setdefault(each, each) for each in part)
        return part
