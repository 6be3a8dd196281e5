"""Brings the agent into the app with Frida, and its lines into the recording."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial as partial_of
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self, assert_never, cast

from monitor.errors import SetupError
from monitor.events import Event, Gap, Phase
from monitor.observe.agent_lines import Lines, Refusals
from monitor.observe.agent_messages import (
    SLACK,
    BodySent,
    Channel,
    ChildStarted,
    ClockTold,
    Exit,
    FactsSent,
    Fault,
    LinesSent,
    Message,
    PlainSent,
    Ready,
    Refused,
    StatusesSent,
    Unpinned,
    message,
)
from monitor.observe.agent_plan import plan
from monitor.observe.child_processes import Children, Followed, Owned
from monitor.observe.clock import DeviceClock
from monitor.observe.consent_signals import Signals
from monitor.observe.device import Target
from monitor.observe.ending import Ending
from monitor.observe.frida_device import ERRORS, FridaDevice, Script, faults
from monitor.observe.hooked import Hooked, HookStatus
from monitor.observe.patience import within
from monitor.observe.plaintext import Plaintext
from monitor.observe.sources import Source

READY_S = 60.0
"""How long hooks may take to come up before the start is given up."""
DETACH_S = 5.0
FOLD_MS = 1000
HELD_S = 8.0
"""Android ends an app that has not come up 10 s after its start, the time included that it is held."""
SHOWN_TEXT = 300
"""Characters of what the app printed that a message shows."""
LONGEST_FAULT = 2000
MOST_FAULTS = 20
LATE_START = "it was started without Frida, which could not: what it did before the hooks came is not seen"
MOST_CHECKS = 1000
"""Checks of certificates that are told of."""
CLOCK_WAIT_S = 2.0
TRUSTS_S = 10.0

Why = Literal[
    "class_absent",
    "method_absent",
    "install_failed",
    "hook_error",
    "process_not_instrumented",
    "detached",
    "refused",
]


class Records(Protocol):
    """Where lines go: a Recording."""

    def append_all(self, events: Sequence[Event], /) -> object:
        """Append events, each to the file of its kind."""

    def put_body(self, data: bytes, /) -> str | None:
        """Store bytes that lines name by their sha256; that, or None when they are not stored."""


def agent_js() -> str:
    """The built agent. Raises SetupError when it has not been built."""
    path = Path(__file__).with_name("agent.js")
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise SetupError(f"The agent is not built ({path} is missing).", "Run `make setup`, or reinstall.") from None


class Agent:
    """The agent of one run, in one process, with one Frida session. A context manager: leaving it is `stop`."""

    def __init__(
        self,
        recording: Records,
        sources: Sequence[Source],
        app: str,
        *,
        api_level: int | None = None,
        partial: bool = False,
        clock_offset_ms: float = 0,
        signals: Signals | None = None,
        stack: bool = True,
        fold_ms: int = FOLD_MS,
        proxy_key: str | None = None,
        unpin: bool = False,
    ) -> None:
        """`api_level`: that of the device's Android; `partial`: the device has but a part of Android's classes.

        `proxy_key`: identifier of the key of the proxy's authority (`trust.key_of`): what the proxy decrypts is not
        recorded at the TLS library as well. `unpin`: make the app accept the proxy's certificate.
        """
        self.app = app
        self._recording = recording
        signals = signals or Signals()
        options: dict[str, Any] = {"stack": stack, "fold_ms": fold_ms, "proxy_key": proxy_key, "unpin": unpin}
        self._began = datetime.now(UTC)
        self._channel = Channel(app, lambda: self._pid, self._window)
        self._refusals = Refusals(self._gap)
        self._lines = Lines(signals, self._channel, self._refuse)
        self._plan = partial_of(plan, app, sources, signals, **options)
        self._offset = timedelta(milliseconds=clock_offset_ms)
        self._plaintext = Plaintext(app, self._put_body, time.monotonic)
        self.clock = DeviceClock(self._ask_time)
        """The device's clock, once the app is up."""
        self.unpinned: dict[str, str] = {}
        """Checks of certificates taken over: `installed`, or `met` when the app came to one."""
        self.times: dict[str, float] = {}
        """Seconds from the order to start until the process was there, entered, its script loaded, and let run."""
        self._device: FridaDevice | None = None
        self._script: Script | None = None
        self._pid: int | None = None
        self._spawned = self._ends = False
        self._hooked = Hooked(sources, api_level, partial=partial)
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._ending = Ending()
        self._is_child = False
        self._children: list[Agent] = []
        self._child = partial_of(
            Agent,
            recording,
            sources,
            app,
            api_level=api_level,
            partial=partial,
            clock_offset_ms=clock_offset_ms,
            **options,
        )
        self._processes: Children | None = None
        self._owned: Owned | None = None
        self._followed = Followed()
        self._stopping = False
        self._finished = False
        self._failure: BaseException | None = None
        self._faults: list[str] = []
        self._output: deque[bytes] = deque(maxlen=50)
        self.on_output: Callable[[bytes], object] = lambda _: None
        """Called with what a process that we started prints; replace it to see that."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The observed process."""
        return self._pid

    @property
    def crashed(self) -> bool:
        """The process ended otherwise than by its own will: a crash, a signal, an exit inside our own code."""
        return self._ending.crashed

    @property
    def culprit(self) -> str | None:
        """The source in whose reading the process ended, as far as its last moment told."""
        return self._ending.culprit

    def launch(self, target: Target) -> None:
        """Start the app, or attach to it, with the hooks in before its first line; returns once they are live.

        Raises SetupError, with what the app or Frida said, when that fails.
        """
        began = time.monotonic()
        with faults(self.app, self._not_up):
            self._device = FridaDevice.reach(target)
            self._device.listen(self._on_output)
            started = self._device.start(target)
            self._pid, self._spawned, self._ends = started.pid, started.ours, started.ours
            self._owned = target.processes
            self.times["started"] = started.at - began
            try:
                self._enter(began)
            except BaseException:
                self._let_go()
                raise
        if started.late is not None:
            self._missed(self.app, f"{LATE_START} ({started.late})", self._now() - timedelta(seconds=self._ran(began)))
        elif started.held and self._ran(began) > HELD_S:
            held = f"it was held for {self._ran(began):.1f} s before its first line; Android ends an app after 10"
            self._record([self._gap("hook_error", held)])
        self._until_ready()

    def adopt(self, device: FridaDevice, pid: int, *, ends: bool) -> None:
        """Hook a further process of the app, which runs already; `ends`: it is ended with the run.

        Raises SetupError when that fails.
        """
        self._device, self._pid = device, pid
        self._is_child, self._ends = True, ends
        with faults(f"process {pid}", self._not_up):
            self._enter(time.monotonic())
        self._until_ready()

    def _enter(self, began: float) -> None:
        """Bring the agent into the process, and let it run if it is held."""
        pid, device = cast(int, self._pid), cast(FridaDevice, self._device)
        self._processes = Children(
            self.app,
            pid,
            hook=self._hook_child,
            running=device.running,
            owned=self._owned,
            ours=lambda other: device.same_user(other, pid),
            missed=self._missed,
            followed=self._followed,
            lost=ERRORS,
        )
        self._script = device.enter(
            pid,
            agent_js(),
            heard=self._on_message,
            logged=lambda: self._refuse("a message that the agent does not send (log)"),
            ended=self._on_detached,
        )
        self.times["entered"] = time.monotonic() - began
        self._script.load()
        self.times["loaded"] = time.monotonic() - began
        if not self._is_child:  # before the app's first line: by it, the times of all lines are checked
            self.clock.measure()
            self.clock.wait(CLOCK_WAIT_S)
        self._script.call("install", self._plan(started=self._spawned))
        if self._spawned:
            device.resume(pid)
        elif not self._is_child:  # a gadget or a portal may hold what we attached to; else there is nothing to resume
            with suppress(*ERRORS):
                device.resume(pid)
        self.times["let run"] = time.monotonic() - began

    def _ran(self, began: float) -> float:
        """Seconds from when the process was there until it was let run, or its hooks were in."""
        return self.times["let run"] - self.times["started"]

    def _let_go(self) -> None:
        """Of a process whose start failed: ended where it is ours, else let run."""
        pid, device = cast(int, self._pid), cast(FridaDevice, self._device)
        if self._ends:
            device.kill(pid)
        else:
            within(DETACH_S, lambda: device.resume(pid), ERRORS)

    def _hook_child(self, pid: int) -> datetime:
        began = self._now()
        child = self._child()
        child.unpinned, child.clock = self.unpinned, self.clock
        child._owned, child._followed = self._owned, self._followed
        self._children.append(child)
        child.adopt(cast(FridaDevice, self._device), pid, ends=self._ends)
        return began

    def _missed(self, subject: str, detail: str, began: datetime | None = None) -> None:
        self._record([self._gap("process_not_instrumented", detail, subject, began)])

    def _until_ready(self) -> None:
        waited = 0.0
        while not self._ready.wait(0.02):
            waited += 0.02
            self._raise_failure()
            if self._ended.is_set():
                raise self._not_up(f"{self.app} ended while it was being started.")
            if waited > READY_S:
                raise self._not_up(f"The hooks in {self.app} did not come up within {READY_S:.0f} seconds.")

    def _not_up(self, what: str, next_step: str = "See that the app runs by itself, then try again.") -> SetupError:
        said = b"".join(self._output).decode("utf-8", "replace").strip()
        details = [*self._faults[:1], *([f"It printed: {said[-SHOWN_TEXT:]}"] if said else [])]
        return SetupError(" ".join([what, *details]), next_step)

    def watch(self, on: bool) -> None:
        """See the app's calls, or let them all through as if there were no hooks; from when it returns."""
        cast(Script, self._script).call("watch", on)

    def trusts(self, leaf_pem: str, host: str) -> tuple[str, str]:
        """Whether the app's default check accepts a certificate (PEM, with those above it) for a host: trusted, pinned,
        refused or unknown, and what it threw. Asked in the app, without a network, unpinning left aside; not recorded.
        """
        said: list[Mapping[str, str]] = []
        script = cast(Script, self._script)
        within(TRUSTS_S, lambda: said.append(script.call("trusts", leaf_pem, host)), ERRORS)
        return (said[0]["answer"], said[0]["said"]) if said else ("unknown", "the app gave no answer")

    def statuses(self) -> list[HookStatus]:
        """How far the hook of each source is, in the order of the sources."""
        return self._hooked.statuses()

    def wait(self, timeout_s: float | None) -> bool:
        """True when the process has ended or Frida lost it, False after `timeout_s` (None: never).

        Raises what went wrong while lines were being recorded, such as a full disk.
        """
        ended = self._ended.wait(timeout_s)
        for one in (self, *self._children):
            one._sent(one._plaintext.due(one._pid))
        if self._processes is not None:
            self._processes.look()
        self._raise_failure()
        return ended

    def stop(self) -> None:
        """End observing: what the agent still holds is recorded, and what was never hooked becomes gaps.

        A process that we started is ended with it; another runs on unobserved.
        """
        if self._finished:
            return
        self._finished = True
        self._stopping = True
        if self._processes is not None:
            self._processes.close()
        for child in self._children:
            child.stop()
        if self._script is not None and not self._ended.is_set():
            if self._ends:
                self._script.end()
                self._ended.wait(DETACH_S)
            else:
                self._script.leave()
        if self._script is not None:
            self._sent(self._plaintext.close(self._pid))
            self._record(list(self._refusals.rest()))
            if not self._is_child:
                self._record([self._gap(*gap) for gap in self._hooked.gaps()])
        if self._device is not None and not self._is_child:
            self._device.deaf()
        self._raise_failure()

    # What comes from the app. Frida calls these from a thread of its own.

    def _on_message(self, raw: Mapping[str, Any], data: bytes | None) -> None:
        """One message: whatever the app has made of it, it costs no more than itself, and never the run."""
        try:
            if raw.get("type") == "error":
                self._fault(str(raw.get("stack") or raw.get("description")))
            else:
                self._on_payload(message(raw.get("payload")), data or b"")
        except Refused as reason:
            self._refuse(str(reason))
        except Exception as error:
            self._refuse(f"a message that could not be read ({type(error).__name__})")

    def _on_payload(self, payload: Message, data: bytes) -> None:
        arrived = datetime.now(UTC)
        match payload:
            case BodySent():
                self._put_body(data)
            case PlainSent():
                self._sent(self._plaintext.feed(payload, data, self._pid), arrived)
            case LinesSent():
                self._record(self._lines.events(payload.lines, arrived))
            case FactsSent():
                self._record(self._lines.understood(payload.facts, arrived))
            case StatusesSent():
                self._hooked.told(payload.statuses)
            case Ready():
                self._ready.set()
            case ClockTold():
                self.clock.told(payload.number, payload.at)
            case Unpinned():
                known = payload.check in self.unpinned or len(self.unpinned) >= MOST_CHECKS
                if not known or (payload.state == "met" and payload.check in self.unpinned):
                    self.unpinned[payload.check] = payload.state
            case Exit():
                self._ending.told(payload.how, payload.inside)
                cast(Script, self._script).post({"type": "flushed"})
            case ChildStarted():
                cast(Children, self._processes).told(payload.pid, payload.how, payload.line)
            case Fault():
                self._fault(payload.detail)
            case other:
                assert_never(other)

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
        """One of now, or one that began at a time and is over."""
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

    def _on_detached(self, reason: str, crash: object | None) -> None:
        try:
            self._record(self._farewell(reason, crash))
        except BaseException as error:
            self._failure = self._failure or error
        finally:
            self._ended.set()

    def _farewell(self, reason: str, crash: object | None) -> list[Event]:
        exited, missing = self._ending.lost(reason, crash, stopping=self._stopping)
        phase = Phase(at=self._now(), app=self.app, pid=self._pid, state="exited", text="killed")
        return [*([phase] if exited else []), *([self._gap("detached", missing)] if missing is not None else [])]

    def _on_output(self, pid: int, _fd: int, data: bytes) -> None:
        if pid == self._pid:
            self._output.append(data)
            self.on_output(data)

    def _ask_time(self, number: int) -> None:
        """Ask the agent what time it is; where the app has ended meanwhile there is no answer."""
        cast(Script, self._script).post({"type": "clock", "number": number})

    def _now(self) -> datetime:
        """Now on the device's clock, as all lines of this producer are."""
        readings = self.clock.readings
        offset = timedelta(milliseconds=readings[-1].offset_ms) if readings else self._offset
        return datetime.now(UTC) + offset

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
