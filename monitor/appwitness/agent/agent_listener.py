"""Receives the messages of the agent in one process, which the app may have tampered with, and has them recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, assert_never

from appwitness.agent.agent_messages import (
    BodySent,
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
from appwitness.agent.device_clock import DeviceClock
from appwitness.agent.ending import Ending
from appwitness.agent.hooked import Hooked
from appwitness.agent.process_recorder import ProcessRecorder, Why
from appwitness.events import Probe

MOST_HELD = 1000
"""Maximum number of messages that are held."""
MOST_HELD_BYTES = 64 << 20
MOST_CHECKS = 1000
"""Maximum number of certificate checks that are reported."""

ChildTold = Callable[[int | None, str, str | None], object]
"""Called for each process that the agent reports as started: its pid, how, and the command line."""


@dataclass
class AgentState:
    """State that the agent in one process has reported."""

    hooked: Hooked
    placed: threading.Event = field(default_factory=threading.Event)
    """Set once the methods that must be hooked before the first line are hooked."""
    ready: threading.Event = field(default_factory=threading.Event)
    """Set once all hooks of the plan are live."""
    no_runtime: str | None = None
    """Why there is nothing to hook in the process."""
    install_ms: int | None = None
    """Milliseconds from the install command until all hooks of the plan were live; None: not live yet."""
    probe: Probe | None = None
    """The result of the agent's check of itself; None: not known yet."""
    ending: Ending = field(default_factory=Ending)


@dataclass
class Numbering:
    """Follows message numbers, so that messages lost with a connection are requested again."""

    last: int = 0
    returned: bool = False
    """Whether the next message is the first since the connection to the agent was lost."""

    def follow(self, number: int | None) -> tuple[int, int] | None:
        """Take the number of a message; returns the first and last number missing before it. The app may send any
        number, so missing numbers count only before the first message after the connection was lost."""
        if number is None:
            return None
        last, returned = self.last, self.returned
        self.last, self.returned = number, False
        return (last + 1, number - 1) if returned and number > last + 1 else None


class MessagesHeld:
    """Holds what came after lost messages until those have come again: a line may name a body that was lost."""

    def __init__(self) -> None:
        self._until: int | None = None
        """Number of the last lost message; None: none is expected."""
        self._held: list[tuple[Message, bytes]] = []
        self._size = 0

    def expect(self, until: int) -> None:
        """Hold what comes until the lost messages, up to this number, have come again."""
        self._until = until

    def take(self, message: Message, data: bytes) -> list[tuple[Message, bytes]]:
        """Take a message; returns those to be read now, in this order. `Lost` is sent after the last lost message."""
        if self._until is None:
            return [(message, data)]
        if isinstance(message, Lost | ExitMessage) or len(self._held) == MOST_HELD or self._size > MOST_HELD_BYTES:
            return [*self.release(), (message, data)]
        again = message.n is not None and message.n <= self._until
        if again or not isinstance(message, LinesSent | BodySent | PlainSent | FactsSent):
            return [(message, data)]
        self._held.append((message, data))
        self._size += len(data)
        return []

    def release(self) -> list[tuple[Message, bytes]]:
        """The messages that are still held; nothing is held from now on."""
        held, self._held = self._held, []
        self._until, self._size = None, 0
        return held


class Listener:
    """Receives the messages of one process. Frida calls `on_message` from its own thread; `post` sends the agent a
    message. `clock` and `unpinned` (bypassed certificate checks: `installed`, or `met` once the app used one) belong
    to the whole run."""

    def __init__(
        self,
        record: ProcessRecorder,
        hooked: Hooked,
        clock: DeviceClock,
        unpinned: dict[str, str],
        *,
        post: Callable[[Mapping[str, Any]], object],
        child: ChildTold,
    ) -> None:
        self.record = record
        self.state = AgentState(hooked)
        self.numbering = Numbering()
        self._held = MessagesHeld()
        self._clock = clock
        self._unpinned = unpinned
        self._post = post
        self._child = child

    def on_message(self, raw: Mapping[str, Any], data: bytes | None) -> None:
        """Take one message. Whatever the app has put into it, only this message can be lost, never the run."""
        with self._only_this():
            if raw.get("type") == "error":
                self.record.fault(str(raw.get("stack") or raw.get("description")))
            else:
                payload = message(raw.get("payload"))
                if (missing := self.numbering.follow(payload.n)) is not None:  # Frida may lose what was on its way
                    self._held.expect(missing[1])
                    self._post({"type": "again", "from": missing[0], "until": missing[1]})
                self._read(self._held.take(payload, data or b""))

    def close(self) -> None:
        """Read what is held, at the end of the run: what was lost does not come any more."""
        self._read(self._held.release())

    def _read(self, messages: Iterable[tuple[Message, bytes]]) -> None:
        for payload, data in messages:
            with self._only_this():
                self._on_payload(payload, data)

    @contextmanager
    def _only_this(self) -> Iterator[None]:
        """Refuse a message that cannot be read, and go on with the next."""
        try:
            yield
        except RefusedMessage as reason:
            self.record.refuse(str(reason))
        except Exception as error:
            self.record.refuse(f"a message that could not be read ({type(error).__name__})")

    def _on_payload(self, payload: Message, data: bytes) -> None:
        match payload:
            case BodySent():
                self.record.put_body(data)
            case PlainSent():
                self.record.plaintext(payload, data)
            case LinesSent():
                self.record.lines(data)
            case FactsSent():
                self.record.facts(payload.facts)
            case StatusesSent() | Placed() | ReadyMessage() | NoRuntime() | ClockTold() | Unpinned() | ProbeTold():
                self._on_state(payload)
            case ExitMessage():
                self.state.ending.told(payload.how, payload.inside)
                self._post({"type": "flushed"})
            case ChildStarted():
                self._child(payload.pid, payload.how, payload.line)
            case Lost():
                if payload.count:
                    what = f"{payload.count} of the agent's messages, of one line or more"
                    self.record.append([self.record.gap("detached", f"lost with the connection: {what}")])
            case Fault():
                self.record.fault(payload.detail)
            case other:
                assert_never(other)

    def _on_state(
        self, told: StatusesSent | Placed | ReadyMessage | NoRuntime | ClockTold | Unpinned | ProbeTold
    ) -> None:
        """Take a message on the agent's own state."""
        state = self.state
        match told:
            case StatusesSent():
                state.hooked.told(told.statuses)
            case Placed():
                state.placed.set()
            case ReadyMessage():
                state.install_ms = told.install_ms
                state.placed.set()
                state.ready.set()
            case NoRuntime():
                state.no_runtime = told.detail
            case ClockTold():
                self._clock.told(told.number, told.at)
            case Unpinned():
                known = told.check in self._unpinned or len(self._unpinned) >= MOST_CHECKS
                if not known or (told.state == "met" and told.check in self._unpinned):
                    self._unpinned[told.check] = told.state
            case ProbeTold():
                self._probed(told)
            case other:
                assert_never(other)

    def _probed(self, told: ProbeTold) -> None:
        """Take the result of the self-test. Only the first counts: later ones are not the agent's."""
        if self.state.probe is None:
            self.state.probe = probe = Probe(**told.model_dump(exclude={"type"}))
            if (what := probe.problem) is not None:
                why: Why = "hook_error" if probe.failed else "not_observed"
                self.record.append([self.record.gap(why, what, "the agent's check of itself")])
