"""The only module that imports Frida: devices, apps started or attached to, scripts in a process, and Frida's errors.

Frida's errors (ERRORS) are converted to FridaFault, with a code and a remedy (catalog/devices/frida.yml). Sources:
frida-core's linux-host-session.vala, HelperBackend.java, droidy-host-session.vala, injector.vala, gadget.vala.
"""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self, cast

from appwitness.agent import frida_leftovers
from appwitness.agent.target import Gadget, Target
from appwitness.agent.timeouts import within
from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.support.errors import SetupError, Unhookable, extra
from appwitness.support.spoken import Spoken

with extra("observe"):
    import frida

DETACH_S = 5.0
RESTORE_S = 20.0
"""How long to wait until all hooks are removed from an app that runs on; for the whole catalog it takes 0.2 s."""
POLL_S = 0.1
KEEPALIVE_S = 20
"""Interval of keep-alives to the server, in seconds; after one and a half intervals without one it drops the
session, so that a connection lost silently can be restored."""
CALL_S = 30.0
"""How long a process may take to answer: one that Android froze never answers."""
NO_ANSWER = "it gives no answer"
RESUME_S = 10.0
"""How long one attempt to reconnect may take."""
GADGET_S = 40.0
"""How long Frida's gadget may take to come up in an app and answer."""
GADGET = "re.frida.Gadget"
"""The name that a gadget gives its app; spawning that name keeps the gadget from resuming the app on attach."""
LATE_START = "it was started without Frida, which could not: what it did before the hooks came is not seen"
LOST = "connection-terminated"
"""Frida's reason when only the connection to the process is lost."""
ENDED = "process-terminated"
"""Frida's reason when the process ended."""
ERRORS: tuple[type[Exception], ...] = (
    frida.AddressInUseError,
    frida.ExecutableNotFoundError,
    frida.ExecutableNotSupportedError,
    frida.InvalidArgumentError,  # it ended while Frida was getting in
    frida.InvalidOperationError,
    frida.NotSupportedError,
    frida.PermissionDeniedError,
    frida.ProcessNotFoundError,
    frida.ProcessNotRespondingError,
    frida.ProtocolError,  # it ended while Frida was getting in
    frida.ServerNotRunningError,
    frida.TimedOutError,
    frida.TransportError,
    frida.OperationCancelledError,
    frida.RPCException,
)
"""All exceptions that Frida raises."""
UNREACHED = (frida.ServerNotRunningError, frida.TransportError, frida.ProtocolError)
"""The server itself is unreachable: nothing else can be tried through it."""
COMING_UP = (*UNREACHED, frida.TimedOutError)
"""Errors of a connection while the server starts: adb accepts the connection before anything listens, then drops it."""
VERSION: str = frida.__version__
_remotes: dict[str, tuple[str | None, Any]] = {}
"""Address -> token and device: Frida has one device for an address, and removing it ends its sessions."""


class KnownError(CatalogEntry):
    """A known error of Frida, recognised by its text, or by its class if the text is not specific."""

    code: str
    says: str = ""
    """A regular expression for its text; upper and lower case are the same."""
    raised: str = ""
    """Its class, without `Error`."""
    do: str


class _Known(CatalogEntry):
    errors: tuple[KnownError, ...]


class FridaFault(Unhookable):
    """A failure in Frida, with the code of the error."""

    def __init__(self, code: str, what: str, next_step: str) -> None:
        super().__init__(what, next_step)
        self.code = code


@functools.cache
def _devices() -> Any:
    """All devices; Frida starts looking for them at the first call."""
    manager = frida.get_device_manager()
    with frida_leftovers.contained():
        manager.get_local_device()
    return manager


@functools.cache
def known() -> tuple[KnownError, ...]:
    """The known errors; the first match counts. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "devices/frida.yml", _Known).errors


def fault(error: Exception, what: str) -> FridaFault:
    """Turn an error of Frida into a fault with a code and a remedy; `what`: what failed, as a sentence without its
    full stop."""
    said = str(error).strip().rstrip(".") or type(error).__name__
    name = type(error).__name__.removesuffix("Error")
    for entry in known():
        if (not entry.raised or entry.raised == name) and re.search(entry.says, said, re.IGNORECASE):
            return FridaFault(entry.code, Spoken("{what}: {said}.", what=what, said=said), entry.do)
    raise KeyError(f"devices/frida.yml has no entry for the rest ({name}: {said})")


@dataclass(frozen=True)
class StartedProcess:
    """A process to observe."""

    pid: int
    ours: bool
    """Whether appwitness started it, and ends it."""
    held: bool
    """Whether it is held before its first line."""
    late: str | None = None
    """Why it was already running when the agent attached, although it was to be started, in one sentence."""
    at: float = field(default_factory=time.monotonic)
    """When the process existed, on the monotonic clock."""


class FridaDevice:
    """One device as Frida reaches it."""

    def __init__(self, device: Any) -> None:
        self.raw = device
        """Frida's own object."""
        self._heard: Callable[[int, int, bytes], object] | None = None
        self._born: Callable[[Any], object] | None = None
        self._gadget: Gadget | None = None

    @classmethod
    def reach(cls, target: Target) -> Self:
        """The device of a target. Raises Frida's errors (ERRORS)."""
        if target.remote is not None:
            return cls.at(*target.remote)
        if target.frida_device == "local":
            return cls(_devices().get_local_device())
        return cls(_devices().get_device(target.frida_device, timeout=10))

    @classmethod
    def at(cls, address: str, token: str | None) -> Self:
        """The server at an address of this machine. The first request connects."""
        known, device = _remotes.get(address, (None, None))
        if device is None or known != token:
            manager = _devices()
            if device is not None:  # of an earlier server at this address
                manager.remove_remote_device(address)
            options = {"token": token} if token else {}
            device = manager.add_remote_device(address, keepalive_interval=KEEPALIVE_S, **options)
            _remotes[address] = token, device
        return cls(device)

    def listen(self, heard: Callable[[int, int, bytes], object]) -> None:
        """Call `heard` with the output of processes started here: pid, descriptor, bytes."""
        self._heard = heard
        self.raw.on("output", heard)

    def deaf(self) -> None:
        """Stop calling `heard`."""
        if self._heard is not None:
            self.raw.off("output", self._heard)
            self._heard = None

    def gate(self, born: Callable[[int, str], object]) -> None:
        """Hold each process that zygote forks from now on before its first code, and call `born` with its pid and
        name. Each must be resumed within 8 s. Raises Frida's errors."""
        self._born = lambda spawn: born(spawn.pid, spawn.identifier or "")
        self.raw.on("spawn-added", self._born)
        try:
            self.raw.enable_spawn_gating()
        except ERRORS:
            self.raw.off("spawn-added", self._born)
            self._born = None
            raise

    def ungate(self) -> None:
        """Stop holding new processes; held ones are resumed. Raises Frida's errors."""
        if self._born is not None:
            self.raw.off("spawn-added", self._born)
            self._born = None
            self.raw.disable_spawn_gating()

    def start(self, target: Target) -> StartedProcess:
        """Start the target's process and hold it; if Frida cannot, call the target's `otherwise`. A target with a pid
        runs already. Raises Frida's errors (ERRORS), SetupError if there is nothing to start, and the errors of
        `otherwise`."""
        if target.pid is not None:
            return StartedProcess(target.pid, ours=False, held=False)
        if target.argv is None:
            raise SetupError("There is nothing to start.", "Start the app, then observe it.")
        if target.gadget is not None:
            self._gadget = target.gadget
            return self._by_gadget(target, target.gadget)
        try:
            return StartedProcess(self._spawn(target, *target.argv), ours=True, held=True)
        except ERRORS as error:
            if target.otherwise is None or isinstance(error, UNREACHED):
                raise
            at = time.monotonic()
            late = f"{LATE_START} ({str(error).strip().rstrip('.')})"
            return StartedProcess(target.otherwise(), ours=True, held=False, late=late, at=at)

    def _by_gadget(self, target: Target, gadget: Gadget) -> StartedProcess:
        """Start the app with Frida's gadget in it, held if the gadget holds it. Raises Frida's errors."""
        at = time.monotonic()
        if gadget.start is not None:
            gadget.start()
            pid = self._take_over()
        else:
            assert target.argv is not None
            try:
                with _bounded(GADGET_S):
                    pid = self.raw.spawn(target.argv[0], gadget=gadget.file)
            except frida.ProcessNotRespondingError:
                raise frida.TimedOutError(f"the gadget was not in it after {GADGET_S:.0f} s") from None
        return StartedProcess(pid, ours=True, held=gadget.waits, late=gadget.late, at=at)

    def _take_over(self) -> int:
        """Wait for the gadget in the app's package; returns the pid of the app, which the gadget keeps holding."""
        end = time.monotonic() + GADGET_S
        while True:
            try:
                return cast(int, self.raw.spawn(GADGET))
            except COMING_UP as error:
                if time.monotonic() > end:
                    raise frida.TimedOutError(f"the gadget gave no answer within {GADGET_S:.0f} s: {error}") from None
            time.sleep(POLL_S)

    def let_run(self) -> None:
        """Have the gadget in a started app resume it, unobserved. Raises Frida's errors."""
        self.raw.resume(self._take_over())

    def _spawn(self, target: Target, program: str, *arguments: str) -> int:
        options: dict[str, Any] = {}
        if target.remote is None and target.frida_device == "local":
            options = {"argv": [program, *arguments], "env": dict(target.env), "cwd": target.cwd, "stdio": "pipe"}
        else:
            options = {"uid": target.user, "activity": target.activity}
        return cast(int, self.raw.spawn(program, **{key: value for key, value in options.items() if value}))

    def resume(self, pid: int) -> None:
        """Resume a held process. Raises Frida's errors."""
        self.raw.resume(pid)

    def kill(self, pid: int) -> None:
        """Kill a process, or resume it if that fails, so that none stays held. It may be gone already."""
        if self._gadget is not None:
            within(DETACH_S, self._gadget.end, (SetupError,))
            return

        def end() -> None:
            try:
                self.raw.kill(pid)
            except ERRORS:
                self.raw.resume(pid)

        within(DETACH_S, end, ERRORS)

    def running(self) -> dict[int, str]:
        """Pid -> name of each process."""
        return {process.pid: process.name for process in self.raw.enumerate_processes()}

    def lives(self, pid: int) -> bool:
        """Whether a process exists. Raises Frida's errors, also when the device does not answer in time."""
        with _bounded(RESUME_S):
            return pid in self.running()

    def may_be_of(self, pid: int, app: int) -> bool:
        """Whether a process runs as the same user as the app's process `app`, and is not one of its ancestors."""
        with suppress(*ERRORS):
            there = {each.pid: each.parameters for each in self.raw.enumerate_processes(scope="metadata")}
            if pid not in there or there[pid].get("user") != there.get(app, {}).get("user", ""):
                return False
            above: set[int] = set()
            while (parent := there.get(app, {}).get("ppid", 0)) not in above:
                above.add(parent)
                app = parent
            return pid not in above
        return False

    def enter(
        self,
        pid: int,
        code: str,
        *,
        heard: Callable[[Mapping[str, Any], bytes | None], object],
        logged: Callable[[], object],
        ended: Callable[[str, object | None], object],
        kept_s: int = 0,
    ) -> Script:
        """Attach to a process and create the agent's script in it, not yet loaded. Raises Frida's errors. `heard`
        receives the script's messages and their bytes, `logged` what it logs, `ended` why the process is no longer
        observed, with Frida's crash report if there is one. If only the connection is LOST, the script keeps running
        for `kept_s` seconds and keeps its messages: `Script.resume` reconnects."""
        with _bounded(CALL_S):
            session = self.raw.attach(pid, **({"persist_timeout": kept_s} if kept_s else {}))
        session.on("detached", ended)
        script = session.create_script(code, name="agent", runtime="qjs")
        script.on("message", heard)
        script.set_log_handler(lambda _level, _text: logged())
        return Script(self, session, script, pid, ended)


class Script:
    """The agent's script in one process."""

    def __init__(
        self, device: FridaDevice, session: Any, script: Any, pid: int, ended: Callable[[str, object | None], object]
    ) -> None:
        self._device = device
        self._ended = ended
        self._session = session
        self.raw = script
        """Frida's own object."""
        self._pid = pid

    def load(self) -> None:
        """Run it. Raises Frida's errors, also when the process does not answer in time."""
        with _bounded(CALL_S):
            self.raw.load()

    def call(self, name: str, *arguments: Any) -> Any:
        """Call one of its exported functions. Raises Frida's errors, also when the process does not answer in time."""
        given: list[Any] = []
        failed: list[Exception] = []

        def call() -> None:
            try:
                given.append(getattr(self.raw.exports_sync, name)(*arguments))
            except ERRORS as error:
                failed.append(error)

        within(CALL_S, call, ())
        if not given:
            raise failed[0] if failed else frida.ProcessNotRespondingError(NO_ANSWER)
        return given[0]

    def post(self, message: Mapping[str, Any]) -> None:
        """Send it a message; without effect if the process has ended."""
        with suppress(frida.InvalidOperationError):
            self.raw.post(message)

    def resume(self) -> None:
        """Reconnect after the connection was lost: the script sends all messages that it kept. Raises Frida's
        errors. Once only: Frida 17 reports nothing more of a resumed session, neither that its process ended nor
        that its connection is lost again, and does not resume it a second time. So a second session, without a
        script, is watched as well."""
        with _bounded(RESUME_S):
            self._session.resume()
            self._listened = self._device.raw.attach(self._pid)
            self._listened.on("detached", self._ended)

    def end(self) -> None:
        """Have it send everything that is pending, and kill the process."""
        within(DETACH_S, lambda: self.call("finish", False), ERRORS)
        self._device.kill(self._pid)

    def leave(self) -> None:
        """Have it send everything that is pending and remove its hooks; the process runs on."""
        within(RESTORE_S, lambda: self.call("finish", True), ERRORS)
        # The hooks are removed, but a thread may still be inside one: it returns through code that Frida would free.
        within(DETACH_S, self.raw.eternalize, ERRORS)
        within(DETACH_S, self._session.detach, ERRORS)


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Bound the time of Frida calls inside; a call that takes longer raises one of Frida's errors."""
    cancellable = frida.Cancellable()  # type: ignore[no-untyped-call]
    timer = threading.Timer(seconds, cancellable.cancel)
    timer.start()
    try:
        with cancellable:
            yield
    except frida.OperationCancelledError:
        raise frida.ProcessNotRespondingError(NO_ANSWER) from None
    finally:
        timer.cancel()


@contextmanager
def faults(what: str, failed: Callable[[FridaFault], SetupError]) -> Iterator[None]:
    """Turn Frida's errors inside into the error that `failed` makes; `what` is a sentence without its full stop."""
    try:
        yield
    except ERRORS as error:
        raise failed(fault(error, what)) from error


def answers(
    address: str, token: str | None, timeout_s: float = 15.0, check: Callable[[], object] = lambda: None
) -> Mapping[str, Any]:
    """Wait until the server at an address answers; returns what it reports of its system, if it can. An answer is a
    list of processes, not just an open port. `check` is called repeatedly while there is none, and may raise. Raises
    FridaFault: `frida-silent` when none came in time, `frida-jailed` when the server lacks root, and the codes of
    devices/frida.yml for errors that waiting does not mend."""
    end = time.monotonic() + timeout_s
    device = FridaDevice.at(address, token).raw
    while True:
        done: list[object] = []
        asked = threading.Thread(target=_ask, args=(device, done), daemon=True)
        asked.start()
        asked.join(max(0.1, end - time.monotonic()))
        if done and not isinstance(done[0], Exception):
            break
        error = done[0] if done else frida.TimedOutError("it does not answer")
        assert isinstance(error, Exception)
        late = time.monotonic() >= end
        if not isinstance(error, COMING_UP) or (late and isinstance(error, frida.ProtocolError)):
            raise fault(error, Spoken("frida-server does not answer as it should"))
        check()
        if late:
            raise fault(
                frida.TimedOutError("silent"),
                Spoken("frida-server gave no answer within {timeout} seconds", timeout=f"{timeout_s:.0f}"),
            )
        time.sleep(POLL_S)
    try:
        system: Mapping[str, Any] = device.query_system_parameters()
    except frida.NotSupportedError:  # a portal or a gadget
        return {}
    except ERRORS as error:
        raise fault(error, Spoken("frida-server does not answer as it should")) from error
    if system.get("access") != "full":
        raise fault(frida.PermissionDeniedError("jailed"), Spoken("frida-server runs without root"))
    return system


def _ask(device: Any, done: list[object]) -> None:
    try:
        done.append(device.enumerate_processes())
    except Exception as error:
        done.append(error)
