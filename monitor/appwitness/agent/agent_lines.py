"""Converts the agent's messages to events; messages that its channel may not carry are counted and reported in a
gap."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from appwitness.agent.agent_messages import LONGEST_LINE, Channel, RefusedMessage, Window, bounded, is_small
from appwitness.agent.consent_signals import Signals
from appwitness.events import BadLine, Event, Gap, parse

MOST_REASONS = 200
"""Maximum number of distinct reasons that are reported and counted; all others count as one more."""
REST = "other reasons"
MOST_LINES = 10_000
"""Maximum number of lines in one message."""

Why = Literal["refused", "hook_error"]


class AgentLines:
    """The lines of one process that its channel accepts; `refuse` is called with the reason for each line that is
    not recorded."""

    def __init__(self, signals: Signals, channel: Channel, refuse: Callable[[str], object]) -> None:
        self._signals = signals
        self._channel = channel
        self._refuse = refuse

    def events(self, text: bytes, arrived: datetime) -> list[Event]:
        """The events in lines that arrived at a time on the host's clock. Raises RefusedMessage for too many."""
        lines = text.split(b"\n", MOST_LINES)
        if len(lines) > MOST_LINES:
            raise RefusedMessage("a message with too many lines")
        small = is_small(text)
        return self._each(
            lines, lambda line, window: [self._checked(_parsed(line), arrived, window, small=small or is_small(line))]
        )

    def understood(self, facts: Sequence[Any], arrived: datetime) -> list[Event]:
        """The events for the facts that the agent reported, such as a permission request."""
        return self._each(
            facts, lambda fact, window: [self._checked(event, arrived, window) for event in self._meant(fact)]
        )

    def seen(self, events: Sequence[Event], arrived: datetime) -> list[Event]:
        """Accept uploads assembled from plaintext."""
        vias = ("http", "websocket", "tcp")
        return self._each(events, lambda event, window: [self._checked(event, arrived, window, vias=vias)])

    def _each(self, items: Sequence[Any], take: Callable[[Any, Window], list[Event]]) -> list[Event]:
        """The events of each item; an invalid item is refused without affecting the others."""
        events: list[Event] = []
        window = self._channel.window()
        for item in items:
            try:
                events += take(item, window)
            except RefusedMessage as reason:
                self._refuse(str(reason))
            except Exception as error:
                self._refuse(f"something that could not be read ({type(error).__name__})")
        return events

    def _meant(self, fact: Any) -> Sequence[Event]:
        bounded(fact)
        try:
            return self._signals.feed(fact)
        except (ValidationError, TypeError):
            raise RefusedMessage("not a fact that is known") from None

    def _checked(self, event: Event, arrived: datetime, window: Window, **how: Any) -> Event:
        """The event as it is recorded. Raises RefusedMessage."""
        stored = self._channel.as_stored(event)
        self._channel.check(stored, window, **how)
        return stored.model_copy(update={"arrived": arrived})


def _parsed(line: bytes) -> Event:
    if len(line) > LONGEST_LINE:
        raise RefusedMessage("a line with too much in it")
    try:
        return parse(line)
    except BadLine:
        raise RefusedMessage("not a line of the contract") from None


class Refusals:
    """Counts refused items by reason: the first of each is reported at once, the total at the end."""

    def __init__(self, gap: Callable[[Why, str], Gap]) -> None:
        self._gap = gap
        self._counts: Counter[tuple[Why, str]] = Counter()
        self._lock = threading.Lock()

    def count(self, why: Why, reason: str) -> list[Gap]:
        """Count one more for this reason; returns the gap if it is the first."""
        with self._lock:
            if (why, reason) not in self._counts and len(self._counts) >= MOST_REASONS:
                reason = REST
            self._counts[why, reason] += 1
            first = self._counts[why, reason] == 1
        return [self._gap(why, reason)] if first else []

    def rest(self) -> Iterator[Gap]:
        """The gaps at the end of the run: the total for each reason that occurred more than once."""
        for (why, reason), count in self._counts.items():
            if count > 1:
                yield self._gap(why, f"{reason}: {count} in all")
