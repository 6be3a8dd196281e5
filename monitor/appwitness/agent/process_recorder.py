"""Records what is seen of one process: lines that its channel may carry, bodies, and gaps."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from appwitness.agent.agent_lines import AgentLines, Refusals
from appwitness.agent.agent_messages import SLACK, Channel, PlainSent
from appwitness.agent.consent_signals import Signals
from appwitness.agent.device_clock import DeviceClock
from appwitness.agent.plaintext import Plaintext
from appwitness.agent.target import Records
from appwitness.events import Event, Gap

LONGEST_FAULT = 2000
MOST_FAULTS = 20

Why = Literal[
    "class_absent",
    "method_absent",
    "install_failed",
    "hook_error",
    "process_not_instrumented",
    "detached",
    "not_observed",
    "refused",
]


class ProcessRecorder:
    """Records the process `pid` of an app. `offset_ms`: offset of the device's clock, until it is measured."""

    def __init__(self, records: Records, app: str, pid: int, clock: DeviceClock, offset_ms: float = 0) -> None:
        self.app = app
        self.pid = pid
        self.faults: list[str] = []
        """The faults that the agent reported of itself."""
        self._records = records
        self._clock = clock
        self._offset = timedelta(milliseconds=offset_ms)
        self._began = datetime.now(UTC)
        self._channel = Channel(app, pid, self._window)
        self._refusals = Refusals(self.gap)
        self._lines = AgentLines(Signals(), self._channel, self.refuse)
        self._plaintext = Plaintext(app, self.put_body, time.monotonic)
        self._failure: BaseException | None = None

    def lines(self, text: bytes) -> None:
        """Record lines of the recording format. Raises RefusedMessage for too many."""
        self.append(self._lines.events(text, datetime.now(UTC)))

    def facts(self, facts: Sequence[Any]) -> None:
        """Record consent signals."""
        self.append(self._lines.understood(facts, datetime.now(UTC)))

    def plaintext(self, message: PlainSent, data: bytes) -> None:
        """Take plaintext seen at a TLS library. Raises RefusedMessage if there are too many connections."""
        self._sent(self._plaintext.feed(message, data, self.pid))

    def answers_due(self) -> None:
        """Record the requests that have waited for an answer long enough."""
        self._sent(self._plaintext.due(self.pid))

    def close(self) -> None:
        """Record what is pending, at the end of the run."""
        self._sent(self._plaintext.close(self.pid))
        self.append(list(self._refusals.rest()))

    def fault(self, detail: str) -> None:
        """Record a fault in the agent itself."""
        detail = detail[:LONGEST_FAULT].encode("utf-8", "replace").decode()
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(detail)
        self.refuse(detail, "hook_error")

    def refuse(self, reason: str, why: Literal["refused", "hook_error"] = "refused") -> None:
        """Count an item that is not recorded; the first of its kind becomes a gap."""
        self.append(self._refusals.count(why, reason))

    def put_body(self, data: bytes) -> str | None:
        """Store a body that lines may refer to from now on; returns its sha256, or None if it is not stored."""
        try:
            name = self._records.put_body(data)
        except Exception as error:  # raised again on the run's own thread: a full disk is not the message's fault
            self.fails(error)
            return None
        if name is not None:
            self._channel.bodies.add(name)
        else:
            self._channel.unstored.add(hashlib.sha256(data).hexdigest())
        return name

    def gap(self, why: Why, detail: str | None, subject: str = "agent", began: datetime | None = None) -> Gap:
        """A gap at this moment, or one that began earlier and is over; it is not recorded yet."""
        now = self.now()
        return Gap(
            at=began or now,
            app=self.app,
            pid=self.pid,
            where="hook",
            subject=subject,
            why=why,
            detail=detail,
            until=None if began is None else now,
        )

    def append(self, events: Sequence[Event]) -> None:
        """Append lines; an error is kept for the run's own thread, since Frida would only print it."""
        try:
            if events:
                self._records.append_all(events)
        except Exception as error:
            self.fails(error)

    def now(self) -> datetime:
        """The current time on the device's clock, which all lines of this producer use."""
        readings = self._clock.readings
        offset = timedelta(milliseconds=readings[-1].offset_ms) if readings else self._offset
        return datetime.now(UTC) + offset

    def fails(self, error: BaseException) -> None:
        """Keep the first error of another thread, for `raise_failure`."""
        self._failure = self._failure or error

    def raise_failure(self) -> None:
        """Raise the error that another thread kept, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _sent(self, events: Sequence[Event]) -> None:
        self.append(self._lines.seen(events, datetime.now(UTC)))

    def _window(self) -> tuple[datetime, datetime]:
        """The earliest and the latest time that a line may have, on the device's clock."""
        readings = self._clock.readings
        offsets = [timedelta(milliseconds=one.offset_ms) for one in (*readings[:1], *readings[-2:])] or [self._offset]
        return self._began + min(offsets) - SLACK, datetime.now(UTC) + max(offsets[-2:]) + SLACK
