"""What the agent sends, line by line, as events; what cannot be read becomes a gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from monitor.events import BadLine, Event, Gap, parse
from monitor.observe.consent_signals import Signals

SHOWN_TEXT = 300
"""Characters of a line that cannot be read that its gap shows."""


class Lines:
    """Those of one process; `unread` makes the gap for one, given what was wrong with it."""

    def __init__(self, signals: Signals, unread: Callable[[str], Gap]) -> None:
        self._signals = signals
        self._unread = unread

    def event(self, line: str) -> Event:
        """A line of the contract."""
        try:
            return parse(line)
        except BadLine as error:
            return self._unread(f"not a line of the contract: {error}: {line[:SHOWN_TEXT]}")

    def understood(self, fact: Mapping[str, Any]) -> Sequence[Event]:
        """What a fact means, such as a button that was touched."""
        try:
            return self._signals.feed(fact)
        except ValidationError as error:
            return [self._unread(f"not a fact that is known: {error.errors()[0]['msg']}: {fact}")]
