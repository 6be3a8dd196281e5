"""Receives what the agent in one process sends, which the app may have altered, and has it recorded."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, assert_never, cast

from appwitness.agent.agent_lines import AgentLines, Refusals
from appwitness.agent.agent_messages import (
    SLACK,
    BodySent,
    Channel,
    ChildStarted,
    ClockTold,
    ExitMessage,
    FactsSent,
    Fault,
    LinesSent,
    Lost,
    Message,
    NoRuntime,
    Placed,
    PlainSent,
    ProbeTold,
    ReadyMessage,
    RefusedMessage,
    StatusesSent,
    Unpinned,
    message,
)
from appwitness.agent.child_processes import Children
from appwitness.agent.consent_signals import Signals
from appwitness.agent.device_clock import DeviceClock
from appwitness.agent.ending import Ending
from appwitness.agent.frida_device import Script
from appwitness.agent.hooked import Hooked
from appwitness.agent.plaintext import Plaintext
from appwitness.agent.target import Records
from appwitness.events import Event, Gap, Probe

LONGEST_FAULT = 2000
MOST_FAULTS = 20
MOST_CHECKS = 1000
"""Checks of certificates that are told of."""

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


class Listener:
    """Of one process. Frida calls `_on_message` from a thread of its own."""

    def __init__(self, recording: Records, app: str, hooked: Hooked, clock_offset_ms: float) -> None:
        self.app = app
        self._recording = recording
        self._began = datetime.now(UTC)
        self._channel = Channel(app, lambda: self._pid, self._window)
        self._refusals = Refusals(self._gap)
        self._lines = AgentLines(Signals(), self._channel, self._refuse)
        self._offset = timedelta(milliseconds=clock_offset_ms)
        self._plaintext = Plaintext(app, self._put_body, time.monotonic)
        self.clock = DeviceClock(self._ask_time)
        """The device's clock, once the app is up."""
        self.unpinned: dict[str, str] = {}
        """Checks of certificates taken over: `installed`, or `met` when the app came to one."""
        self.probe: Probe | None = None
        """The result of the agent's check of itself; None: not known yet."""
        self._script: Script | None = None
        self._processes: Children | None = None
        self._pid: int | None = None
        self._hooked = hooked
        self._placed = threading.Event()
        self._ready = threading.Event()
        self._no_runtime: str | None = None
        """Why there is nothing to hook in the process."""
        self.install_ms: int | None = None
        """Milliseconds from the order to hook until all hooks of the plan were live; None: they are not yet."""
        self._ending = Ending()
        self._failure: BaseException | None = None
        self._faults: list[str] = []
        self._number = 0
        """Of the last message."""
        self._returned = False
        """The next message is the first since the connection to the agent was lost."""

    def _on_message(self, raw: Mapping[str, Any], data: bytes | None) -> None:
        """Take one message. Whatever the app has put into it, at most this message is lost, and never the run."""
        try:
            if raw.get("type") == "error":
                self._fault(str(raw.get("stack") or raw.get("description")))
            else:
                payload = message(raw.get("payload"))
                self._follow(payload.n)
                self._on_payload(payload, data or b"")
        except RefusedMessage as reason:
            self._refuse(str(reason))
        except Exception as error:
            self._refuse(f"a message that could not be read ({type(error).__name__})")

    def _follow(self, number: int | None) -> None:
        """Ask for what was on its way when the connection was cut: Frida may lose it. The app may number as it likes:
        but for the first message after the cut, a number means nothing."""
        if number is None:
            return
        last, returned = self._number, self._returned
        self._number, self._returned = number, False
        if returned and number > last + 1:
            cast(Script, self._script).post({"type": "again", "from": last + 1, "until": number - 1})

    def _on_payload(self, payload: Message, data: bytes) -> None:
        arrived = datetime.now(UTC)
        match payload:
            case BodySent():
                self._put_body(data)
            case PlainSent():
                self._sent(self._plaintext.feed(payload, data, self._pid), arrived)
            case LinesSent():
                self._record(self._lines.events(data, arrived))
            case FactsSent():
                self._record(self._lines.understood(payload.facts, arrived))
            case StatusesSent() | Placed() | ReadyMessage() | NoRuntime() | ClockTold() | Unpinned() | ProbeTold():
                self._on_state(payload)
            case ExitMessage():
                self._ending.told(payload.how, payload.inside)
                cast(Script, self._script).post({"type": "flushed"})
            case ChildStarted():
                cast(Children, self._processes).told(payload.pid, payload.how, payload.line)
            case Lost():
                if payload.count:
                    what = f"{payload.count} of the agent's messages, of one line or more"
                    self._record([self._gap("detached", f"lost with the connection: {what}")])
            case Fault():
                self._fault(payload.detail)
            case other:
                assert_never(other)

    def _on_state(
        self, told: StatusesSent | Placed | ReadyMessage | NoRuntime | ClockTold | Unpinned | ProbeTold
    ) -> None:
        """Take what the agent says of its own state."""
        match told:
            case StatusesSent():
                self._hooked.told(told.statuses)
            case Placed():
                self._placed.set()
            case ReadyMessage():
                self.install_ms = told.install_ms
                self._placed.set()
                self._ready.set()
            case NoRuntime():
                self._no_runtime = told.detail
            case ClockTold():
                self.clock.told(told.number, told.at)
            case Unpinned():
                known = told.check in self.unpinned or len(self.unpinned) >= MOST_CHECKS
                if not known or (told.state == "met" and told.check in self.unpinned):
                    self.unpinned[told.check] = told.state
            case ProbeTold():
                self._probed(told)
            case other:
                assert_never(other)

    def _probed(self, told: ProbeTold) -> None:
        """The first time counts: what comes later is not the agent's."""
        if self.probe is None:
            self.probe = Probe(**told.model_dump(exclude={"type"}))
            if (what := self.probe.problem) is not None:
                why: Why = "hook_error" if self.probe.failed else "not_observed"
                self._record([self._gap(why, what, "the agent's check of itself")])

    def _fault(self, detail: str) -> None:
        detail = detail[:LONGEST_FAULT].encode("utf-8", "replace").decode()
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(detail)
        self._refuse(detail, "hook_error")

    def _refuse(self, reason: str, why: Literal["refused", "hook_error"] = "refused") -> None:
        self._record(self._refusals.count(why, reason))

    def _sent(self, events: Sequence[Event], arrived: datetime | None = None) -> None:
        self._record(self._lines.seen(events, arrived or datetime.now(UTC)))

    def _put_body(self, data: bytes) -> str | None:
        """Store what a line may name from now on."""
        try:
            name = self._recording.put_body(data)
        except Exception as error:  # raised where the run is: a disk that is full is no fault of the message
            self._failure = self._failure or error
            return None
        if name is not None:
            self._channel.bodies.add(name)
        else:
            self._channel.unstored.add(hashlib.sha256(data).hexdigest())
        return name

    def _window(self) -> tuple[datetime, datetime]:
        """The earliest and the latest time that a line can have, on the device's clock."""
        readings = self.clock.readings
        offsets = [timedelta(milliseconds=one.offset_ms) for one in (*readings[:1], *readings[-2:])] or [self._offset]
        return self._began + min(offsets) - SLACK, datetime.now(UTC) + max(offsets[-2:]) + SLACK

    def _gap(self, why: Why, detail: str | None, subject: str = "agent", began: datetime | None = None) -> Gap:
        """Record a gap: of this moment, or one that began earlier and is over."""
        now = self._now()
        return Gap(
            at=began or now,
            app=self.app,
            pid=self._pid,
            where="hook",
            subject=subject,
            why=why,
            detail=detail,
            until=None if began is None else now,
        )

    def _record(self, events: Sequence[Event]) -> None:
        """Append lines; where that fails, it is raised where the run is: Frida would only print it."""
        try:
            if events:
                self._recording.append_all(events)
        except Exception as error:
            self._failure = self._failure or error

    def _now(self) -> datetime:
        """Now on the device's clock, as all lines of this producer are."""
        readings = self.clock.readings
        offset = timedelta(milliseconds=readings[-1].offset_ms) if readings else self._offset
        return datetime.now(UTC) + offset

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _ask_time(self, number: int) -> None:
        """Ask the agent what time it is; where the app has ended meanwhile there is no answer."""
        cast(Script, self._script).post({"type": "clock", "number": number})
