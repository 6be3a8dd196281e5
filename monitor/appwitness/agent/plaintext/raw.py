"""A connection without requests: a message ends when the server answers or the client pauses."""

from __future__ import annotations

from collections.abc import Callable

from appwitness.agent.plaintext.message import PlaintextMessage, WrittenPart

PAUSE_S = 0.2
"""A pause this long ends a message."""
BURST_BYTES = 1024 * 1024
"""A message is cut at this many bytes."""


class RawMessages:
    """Messages of one connection."""

    def __init__(self, clock: Callable[[], float], most: int) -> None:
        self._clock = clock
        self._most = most
        self._message: PlaintextMessage | None = None
        self._last = 0.0

    def out(self, part: WrittenPart) -> list[PlaintextMessage]:
        """The messages that these bytes complete."""
        now = self._clock()
        done = self.paused(now)
        self._last = now
        if self._message is None:
            self._message = PlaintextMessage(at=part.at, caller=part.caller, via="tcp")
        self._message.at = part.at
        self._message.add(part.data, self._most)
        return done + (self.ended() if self._message.size >= BURST_BYTES else [])

    def paused(self, now: float) -> list[PlaintextMessage]:
        """The message that a pause completed."""
        return self.ended() if now - self._last >= PAUSE_S else []

    def answered(self) -> list[PlaintextMessage]:
        """The message that an answer completed."""
        return self.ended()

    def ended(self) -> list[PlaintextMessage]:
        """The message, as it is."""
        message, self._message = self._message, None
        return [message] if message is not None else []
