"""Brings the agent into the app with Frida, and its lines into the recording."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self, cast

import frida
from pydantic import BaseModel, ConfigDict, ValidationError

from monitor.errors import SetupError
from monitor.events import BadLine, Event, Gap, Phase, parse
from monitor.observe import trust
from monitor.observe.children import Children
from monitor.observe.clock import DeviceClock
from monitor.observe.consent_signals import Signals
from monitor.observe.device import Target
from monitor.observe.exits import load as load_exits
from monitor.observe.native import load as load_native
from monitor.observe.plaintext import Plaintext
from monitor.observe.sources import Source
from monitor.observe.transforms import load as load_transforms

READY_S = 60.0
"""How long hooks may take to come up before the start is given up."""
DETACH_S = 5.0
FLUSH_MS = 50
FOLD_MS = 1000
CRASHES = ("abort", "kill 6")
"""Ways of ending that are not the app's own will, as the agent names them."""
LOST = (
    frida.InvalidOperationError,
    frida.NotSupportedError,
    frida.PermissionDeniedError,
    frida.ProcessNotFoundError,
    frida.ProcessNotRespondingError,
    frida.TransportError,
)
"""What Frida raises of a process that is gone or cannot be entered."""
SHOWN_TEXT = 300
"""Characters of a line that cannot be read, or of what the app printed, that a message or a gap shows."""

State = Literal["installed", "class_absent", "overload_absent", "failed", "waiting"]
Why = Literal[
    "class_absent",
    "method_absent",
    "install_failed",
    "hook_error",
    "process_not_instrumented",
    "detached",
    "protocol_unsupported",
]
_ABSENT: Mapping[State, Why] = {
    "waiting": "class_absent",
    "class_absent": "class_absent",
    "overload_absent": "method_absent",
}


class HookStatus(BaseModel):
    """How far the hook of one source is."""

    model_config = ConfigDict(frozen=True)

    source: str
    cls: str
    method: str
    state: State
    detail: str | None = None


class Records(Protocol):
    """Where lines go: a Recording."""

    def append_all(self, events: Sequence[Event], /) -> object:
        """Append events, each to the file of its kind."""

    def put_body(self, data: bytes, /) -> object:
        """Store bytes that lines name by their sha256."""


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
        self._api_level = api_level
        self._partial = partial
        self._recording = recording
        self._sources = sources
        self._signals = signals or Signals()
        self._transforms = load_transforms()
        self._native = load_native()
        self._exits = load_exits()
        self._offset = timedelta(milliseconds=clock_offset_ms)
        self._options = {"stack": stack, "flush_ms": FLUSH_MS, "fold_ms": fold_ms}
        self._tls = trust.libraries().plan(proxy_key)
        self._unpinning = trust.checks().plan() if unpin else trust.NO_CHECKS
        self._plaintext = Plaintext(app, self._put_body, time.monotonic)
        self.clock = DeviceClock(self._ask_time)
        """The device's clock, once the app is up."""
        self.unpinned: dict[str, str] = {}
        """Checks of certificates taken over: `installed`, or `met` when the app came to one."""
        self._device: Any = None
        self._session: Any = None
        self._script: Any = None
        self._pid: int | None = None
        self._spawned = False
        self._statuses: dict[tuple[str, str, str], HookStatus] = {}
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._said_exit = False
        self._crashed = False
        self._culprit: str | None = None
        self._is_child = False
        self._children: list[Agent] = []
        self._child: Callable[[], Agent] = lambda: Agent(
            recording,
            sources,
            app,
            api_level=api_level,
            partial=partial,
            clock_offset_ms=clock_offset_ms,
            stack=stack,
            fold_ms=fold_ms,
            proxy_key=proxy_key,
            unpin=unpin,
        )
        self._gated: Children | None = None
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
        return self._crashed

    @property
    def culprit(self) -> str | None:
        """The source in whose reading the process ended, as far as its last moment told."""
        return self._culprit

    def launch(self, target: Target) -> None:
        """Start the app, or attach to it, with the hooks in before its first line; returns once they are live.

        Raises SetupError, with what the app or Frida said, when that fails.
        """
        try:
            self._device = (
                frida.get_local_device() if target.frida_device == "local" else frida.get_device(target.frida_device)
            )
            self._device.on("output", self._on_output)
            self._pid = target.pid or self._spawn(target)
            self._enter(target.argv[0] if target.argv else None)
        except (frida.InvalidArgumentError, frida.InvalidOperationError, frida.TransportError) as error:
            raise self._not_up(f"Frida could not get into {self.app}: {error}.") from error
        except (frida.ProcessNotFoundError, frida.ExecutableNotFoundError, frida.ServerNotRunningError) as error:
            raise self._not_up(f"{self.app} could not be started: {error}.") from error
        except (frida.NotSupportedError, frida.PermissionDeniedError, frida.ProcessNotRespondingError) as error:
            raise self._not_up(f"Frida could not get into {self.app}: {error}.") from error
        self._until_ready()

    def adopt(self, device: Any, pid: int, program: str) -> None:
        """Hook a process that the app started and that Frida holds. Raises SetupError when that fails."""
        self._device, self._pid = device, pid
        self._spawned = self._is_child = True
        try:
            self._enter(program)
        except LOST as error:
            raise self._not_up(f"Frida could not get into process {pid}: {error}.") from error
        self._until_ready()

    def _enter(self, program: str | None) -> None:
        """Bring the agent into the process, and let it run if it is held."""
        pid = cast(int, self._pid)
        self._session = self._device.attach(pid)
        self._session.on("detached", self._on_detached)
        self._gated = Children(self._device, pid, program, hook=self._hook_child, missed=self._missed, lost=LOST)
        self._gated.hold(self._session)
        self._script = self._session.create_script(agent_js(), name="agent", runtime="qjs")
        self._script.on("message", self._on_message)
        self._script.load()
        self._script.exports_sync.install(self._plan())
        if self._spawned:
            self._device.resume(pid)

    def _hook_child(self, pid: int, program: str) -> None:
        child = self._child()
        child.unpinned, child.clock = self.unpinned, self.clock
        self._children.append(child)
        child.adopt(self._device, pid, program)

    def _missed(self, subject: str, detail: str) -> None:
        self._record([self._gap("process_not_instrumented", detail, subject=subject)])

    def _spawn(self, target: Target) -> int:
        if target.argv is None:
            raise SetupError(f"There is nothing to start for {self.app}.", "Start the app, then observe it.")
        program, *arguments = target.argv
        options: dict[str, Any] = {}
        if target.frida_device == "local":
            options = {"argv": [program, *arguments], "env": dict(target.env), "cwd": target.cwd, "stdio": "pipe"}
        self._spawned = True
        return cast(int, self._device.spawn(program, **{key: value for key, value in options.items() if value}))

    def _plan(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "started": self._spawned,
            "sources": [source.plan() for source in self._sources],
            **self._signals.plan(),
            "transforms": self._transforms.plan(),
            "native": self._native.plan(),
            "exits": self._exits.plan(),
            "tls": self._tls,
            "unpinning": self._unpinning,
            **self._options,
        }

    def _until_ready(self) -> None:
        waited = 0.0
        while not self._ready.wait(0.02):
            waited += 0.02
            self._raise_failure()
            if self._ended.is_set():
                raise self._not_up(f"{self.app} ended while it was being started.")
            if waited > READY_S:
                raise self._not_up(f"The hooks in {self.app} did not come up within {READY_S:.0f} seconds.")

    def _not_up(self, what: str) -> SetupError:
        said = b"".join(self._output).decode("utf-8", "replace").strip()
        details = [*self._faults[:1], *([f"It printed: {said[-SHOWN_TEXT:]}"] if said else [])]
        return SetupError(" ".join([what, *details]), "See that the app runs by itself, then try again.")

    def watch(self, on: bool) -> None:
        """See the app's calls, or let them all through as if there were no hooks; from when it returns."""
        self._script.exports_sync.watch(on)

    def statuses(self) -> list[HookStatus]:
        """How far the hook of each source is, in the order of the sources."""
        known = dict(self._statuses)
        return [
            known.get(
                _key(source),
                HookStatus(source=source.name, cls=source.cls, method=source.method, state="waiting"),
            )
            for source in self._sources
        ]

    def wait(self, timeout_s: float | None) -> bool:
        """True when the process has ended or Frida lost it, False after `timeout_s` (None: never).

        Raises what went wrong while lines were being recorded, such as a full disk.
        """
        ended = self._ended.wait(timeout_s)
        for one in (self, *self._children):
            self._record(one._plaintext.due(one._pid))
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
        if self._gated is not None:
            self._gated.close()
        for child in self._children:
            child.stop()
        if self._script is not None and not self._ended.is_set():
            _within(DETACH_S, self._script.exports_sync.finish)
            if self._spawned:
                _within(DETACH_S, lambda: self._device.kill(self._pid))
                self._ended.wait(DETACH_S)
            else:
                # Taking hooks out of a running process can crash it: they stay, and let everything through.
                _within(DETACH_S, self._script.eternalize)
                _within(DETACH_S, self._session.detach)
        elif self._spawned and self._script is None and self._pid is not None:
            _within(DETACH_S, lambda: self._device.kill(self._pid))
        if self._script is not None:
            self._record(self._plaintext.close(self._pid))
            if not self._is_child:
                self._record(self._absent())
        if self._device is not None and not self._is_child:
            self._device.off("output", self._on_output)
        self._raise_failure()

    def _absent(self) -> list[Event]:
        """What was never hooked and should be there: a gap each, or one for all where the device has a part of Android.

        What this release of Android does not have, and what says itself that it may be missing, is no gap.
        """
        wanted = {_key(source) for source in self._sources if source.on(self._api_level) and not source.optional}
        missing = [status for status in self.statuses() if status.state in _ABSENT and _of(status) in wanted]
        failed = [self._missing(status) for status in self.statuses() if status.state == "failed"]
        if not self._partial or not missing:
            return [*map(self._missing, missing), *failed]
        detail = f"{len(missing)} of {len(self._sources)} sources: this device does not have them; run.json says which"
        return [self._gap("class_absent", detail, subject="sources"), *failed]

    def _missing(self, status: HookStatus) -> Gap:
        detail = status.detail or (f"{status.cls} never came" if status.state == "waiting" else None)
        return self._gap(_ABSENT.get(status.state, "install_failed"), detail, subject=status.source)

    # What comes from the app. Frida calls these from a thread of its own.

    def _on_message(self, message: Mapping[str, Any], data: bytes | None) -> None:
        try:
            if message["type"] == "error":
                self._fault(str(message.get("stack") or message.get("description")))
            elif message["payload"]["type"] == "body":
                self._recording.put_body(data or b"")
            elif message["payload"]["type"] == "plain":
                self._record(self._plaintext.feed(message["payload"], data or b"", self._pid))
            else:
                self._on_payload(message["payload"])
        except BaseException as error:  # Frida would only print it; it is raised where the run is
            self._failure = self._failure or error

    def _on_payload(self, payload: Mapping[str, Any]) -> None:
        match payload["type"]:
            case "lines":
                self._record([event for line in payload["lines"] for event in (self._parse(line),)])
            case "facts":
                self._record([event for fact in payload["facts"] for event in self._understand(fact)])
            case "statuses":
                for item in payload["statuses"]:
                    status = HookStatus.model_validate(item)
                    self._statuses[status.source, status.cls, status.method] = status
            case "ready":
                self._ready.set()
            case "clock":
                self.clock.told(payload["number"], payload["at"])
            case "unpinned":
                if payload["state"] == "met" or payload["check"] not in self.unpinned:
                    self.unpinned[payload["check"]] = payload["state"]
            case "exit":
                self._said_exit = True
                self._culprit = payload["inside"]
                self._crashed = self._culprit is not None or payload["how"] in CRASHES
                self._script.post({"type": "flushed"})
            case "fault":
                self._fault(payload["detail"])
            case other:
                self._fault(f"the agent sent {other!r}, which is not known here")

    def _parse(self, line: str) -> Event:
        try:
            return parse(line)
        except BadLine as error:
            return self._gap("protocol_unsupported", f"not a line of the contract: {error}: {line[:SHOWN_TEXT]}")

    def _understand(self, fact: Mapping[str, Any]) -> Sequence[Event]:
        try:
            return self._signals.feed(fact)
        except ValidationError as error:
            return [self._gap("protocol_unsupported", f"not a fact that is known: {error.errors()[0]['msg']}: {fact}")]

    def _fault(self, detail: str) -> None:
        self._faults.append(detail)
        self._record([self._gap("hook_error", detail)])

    def _gap(self, why: Why, detail: str | None, subject: str = "agent") -> Gap:
        return Gap(at=self._now(), app=self.app, pid=self._pid, where="hook", subject=subject, why=why, detail=detail)

    def _record(self, events: Sequence[Event]) -> None:
        if events:
            self._recording.append_all(events)

    def _on_detached(self, reason: str, crash: object | None) -> None:
        try:
            self._record(self._farewell(reason, crash))
        except BaseException as error:
            self._failure = self._failure or error
        finally:
            self._ended.set()

    def _farewell(self, reason: str, crash: object | None) -> list[Event]:
        if reason == "application-requested":
            return []
        self._crashed |= reason == "process-terminated" and not self._said_exit and not self._stopping
        if reason != "process-terminated" or crash is not None:
            return [self._gap("detached", f"{reason}: {crash}" if crash is not None else reason)]
        if self._said_exit:
            return []
        exited = Phase(at=self._now(), app=self.app, pid=self._pid, state="exited", text="killed")
        if self._stopping:
            return [exited]
        return [exited, self._gap("detached", "the process was killed; its last 50 ms may be missing")]

    def _on_output(self, pid: int, _fd: int, data: bytes) -> None:
        if pid == self._pid:
            self._output.append(data)
            self.on_output(data)

    def _put_body(self, data: bytes) -> None:
        self._recording.put_body(data)

    def _ask_time(self, number: int) -> None:
        """Ask the agent what time it is; where the app has ended meanwhile there is no answer."""
        with suppress(frida.InvalidOperationError):
            self._script.post({"type": "clock", "number": number})

    def _now(self) -> datetime:
        """Now on the device's clock, as all lines of this producer are."""
        readings = self.clock.readings
        offset = timedelta(milliseconds=readings[-1].offset_ms) if readings else self._offset
        return datetime.now(UTC) + offset

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


def _key(source: Source) -> tuple[str, str, str]:
    return (source.name, source.cls, source.method)


def _of(status: HookStatus) -> tuple[str, str, str]:
    return (status.source, status.cls, status.method)


def _within(seconds: float, work: Callable[[], object]) -> None:
    """Do it, but do not wait for it for ever, and never mind when the process is gone meanwhile."""

    def quietly() -> None:
        try:
            work()
        except (
            frida.InvalidOperationError,
            frida.ProcessNotFoundError,
            frida.TransportError,
            frida.core.RPCException,
        ):
            return

    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    thread.join(seconds)
