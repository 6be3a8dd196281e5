"""The only module that imports Frida: devices, apps started or attached to, scripts in a process, and Frida's errors.

Frida's errors (ERRORS) are made to a FridaFault, each with a code and a remedy (catalog/devices/frida.yml). Sources:
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
"""How long is waited until all hooks are out of an app that runs on; for the whole catalog it takes 0.2 s."""
POLL_S = 0.1
KEEPALIVE_S = 20
"""How often a server is told that we are still there; after one and a half times that it gives us up, so that we can
come back when a connection was lost without a word."""
CALL_S = 30.0
"""How long a process may take to answer: one that Android froze gives no answer at all."""
NO_ANSWER = "it gives no answer"
RESUME_S = 10.0
"""How long one try to come back may take."""
GADGET_S = 40.0
"""How long an app may take until Frida's gadget is in it and answers."""
GADGET = "re.frida.Gadget"
"""What a gadget calls the app that it is in; to spawn that keeps it from letting the app run when it is entered."""
LATE_START = "it was started without Frida, which could not: what it did before the hooks came is not seen"
LOST = "connection-terminated"
"""Why a process is no longer observed, where only the connection to it is lost."""
ENDED = "process-terminated"
"""And where it ended."""
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
"""All that Frida raises."""
UNREACHED = (frida.ServerNotRunningError, frida.TransportError, frida.ProtocolError)
"""The server itself is not there: nothing else is to be tried by it."""
COMING_UP = (*UNREACHED, frida.TimedOutError)
"""What a connection meets while the server comes up: adb takes it before there is anybody, and lets it fall."""
VERSION: str = frida.__version__
_remotes: dict[str, tuple[str | None, Any]] = {}
"""Address -> token and device: Frida has one device for an address, and removing it ends its sessions."""


class KnownError(CatalogEntry):
    """An error of Frida's that is known: by its text, or by its class where the text says nothing."""

    code: str
    says: str = ""
    """A regular expression for its text, in any case."""
    raised: str = ""
    """Its class, without `Error`."""
    do: str


class _Known(CatalogEntry):
    errors: tuple[KnownError, ...]


class FridaFault(Unhookable):
    """What Frida could not do, with the code of the error."""

    def __init__(self, code: str, what: str, next_step: str) -> None:
        super().__init__(what, next_step)
        self.code = code


@functools.cache
def _devices() -> Any:
    """All devices; Frida starts to look for them when it is first asked for one."""
    manager = frida.get_device_manager()
    with frida_leftovers.contained():
        manager.get_local_device()
    return manager


@functools.cache
def known() -> tuple[KnownError, ...]:
    """The errors that are known, the first that fits counts. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "devices/frida.yml", _Known).errors


def fault(error: Exception, what: str) -> FridaFault:
    """An error of Frida's as one with a code and a remedy; `what` is a sentence without its end: what was tried."""
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
    """We started it, and end it."""
    held: bool
    """It waits before its first line."""
    late: str | None = None
    """Why it already ran when it was entered, though it was to be started, in one sentence."""
    at: float = field(default_factory=time.monotonic)
    """When it was there, on the monotonic clock."""


class FridaDevice:
    """One device as Frida reaches it."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._heard: Callable[[int, int, bytes], object] | None = None
        self._born: Callable[[Any], object] | None = None
        self._gadget: Gadget | None = None

    @classmethod
    def reach(cls, target: Target) -> Self:
        """The device of a target. Raises what Frida raises (ERRORS)."""
        if target.remote is not None:
            return cls.at(*target.remote)
        if target.frida_device == "local":
            return cls(_devices().get_local_device())
        return cls(_devices().get_device(target.frida_device, timeout=10))

    @classmethod
    def at(cls, address: str, token: str | None) -> Self:
        """The server that listens at an address of this machine. A connection is made with the first question."""
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
        """Be called with what processes print that were started here: pid, descriptor, text."""
        self._heard = heard
        self._device.on("output", heard)

    def deaf(self) -> None:
        """No longer."""
        if self._heard is not None:
            self._device.off("output", self._heard)
            self._heard = None

    def gate(self, born: Callable[[int, str], object]) -> None:
        """Hold each process that zygote makes from now on before its first code, and be told of it: number and name.

        Each has to be resumed within 8 s. Raises what Frida raises.
        """
        self._born = lambda spawn: born(spawn.pid, spawn.identifier or "")
        self._device.on("spawn-added", self._born)
        try:
            self._device.enable_spawn_gating()
        except ERRORS:
            self._device.off("spawn-added", self._born)
            self._born = None
            raise

    def ungate(self) -> None:
        """No longer; what is held runs. Raises what Frida raises."""
        if self._born is not None:
            self._device.off("spawn-added", self._born)
            self._born = None
            self._device.disable_spawn_gating()

    def start(self, target: Target) -> StartedProcess:
        """Start what the target names, held; where Frida cannot, in the target's other way; or take what runs.

        Raises what Frida raises (ERRORS), SetupError where there is nothing to start, and what `otherwise` raises.
        """
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
        """The app with Frida's gadget in it, held where the gadget holds it. Raises what Frida raises."""
        at = time.monotonic()
        if gadget.start is not None:
            gadget.start()
            pid = self._take_over()
        else:
            assert target.argv is not None
            try:
                with _bounded(GADGET_S):
                    pid = self._device.spawn(target.argv[0], gadget=gadget.file)
            except frida.ProcessNotRespondingError:
                raise frida.TimedOutError(f"the gadget was not in it after {GADGET_S:.0f} s") from None
        return StartedProcess(pid, ours=True, held=gadget.waits, late=gadget.late, at=at)

    def _take_over(self) -> int:
        """Wait for the gadget that is in the app's package; gives the app's process, which it goes on to hold."""
        end = time.monotonic() + GADGET_S
        while True:
            try:
                return cast(int, self._device.spawn(GADGET))
            except COMING_UP as error:
                if time.monotonic() > end:
                    raise frida.TimedOutError(f"the gadget gave no answer within {GADGET_S:.0f} s: {error}") from None
            time.sleep(POLL_S)

    def let_run(self) -> None:
        """Have the gadget in an app that was started let it run, unobserved. Raises what Frida raises."""
        self._device.resume(self._take_over())

    def _spawn(self, target: Target, program: str, *arguments: str) -> int:
        options: dict[str, Any] = {}
        if target.remote is None and target.frida_device == "local":
            options = {"argv": [program, *arguments], "env": dict(target.env), "cwd": target.cwd, "stdio": "pipe"}
        else:
            options = {"uid": target.user, "activity": target.activity}
        return cast(int, self._device.spawn(program, **{key: value for key, value in options.items() if value}))

    def resume(self, pid: int) -> None:
        """Let a held process run. Raises what Frida raises."""
        self._device.resume(pid)

    def kill(self, pid: int) -> None:
        """End a process, or where that cannot be done let it run: none stays held. It may be gone."""
        if self._gadget is not None:
            within(DETACH_S, self._gadget.end, (SetupError,))
            return

        def end() -> None:
            try:
                self._device.kill(pid)
            except ERRORS:
                self._device.resume(pid)

        within(DETACH_S, end, ERRORS)

    def running(self) -> dict[int, str]:
        """The name of each process by its number."""
        return {process.pid: process.name for process in self._device.enumerate_processes()}

    def lives(self, pid: int) -> bool:
        """Whether a process is there. Raises what Frida raises, where the device gives no answer in time too."""
        with _bounded(RESUME_S):
            return pid in self.running()

    def may_be_of(self, pid: int, app: int) -> bool:
        """Whether a process runs as the user of the app's process `app`, and is none of those that started it."""
        with suppress(*ERRORS):
            there = {each.pid: each.parameters for each in self._device.enumerate_processes(scope="metadata")}
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
        """Attach to a process and make our script in it, to be loaded. Raises what Frida raises.

        `heard` takes messages of the script and their bytes, `logged` is told of what it writes to a log, `ended`
        why the process is no longer observed, with Frida's crash report where it has one. Where only the way to the
        process is LOST, the script goes on for `kept_s` seconds and keeps what it says: `Script.resume` comes back.
        """
        with _bounded(CALL_S):
            session = self._device.attach(pid, **({"persist_timeout": kept_s} if kept_s else {}))
        session.on("detached", ended)
        script = session.create_script(code, name="agent", runtime="qjs")
        script.on("message", heard)
        script.set_log_handler(lambda _level, _text: logged())
        return Script(self, session, script, pid, ended)


class Script:
    """Our script in one process."""

    def __init__(
        self, device: FridaDevice, session: Any, script: Any, pid: int, ended: Callable[[str, object | None], object]
    ) -> None:
        self._device = device
        self._ended = ended
        self._session = session
        self._script = script
        self._pid = pid

    def load(self) -> None:
        """Run it. Raises what Frida raises, where the process gives no answer in time too."""
        with _bounded(CALL_S):
            self._script.load()

    def call(self, name: str, *arguments: Any) -> Any:
        """Call one of its functions. Raises what Frida raises, where the process gives no answer in time too."""
        given: list[Any] = []
        failed: list[Exception] = []

        def call() -> None:
            try:
                given.append(getattr(self._script.exports_sync, name)(*arguments))
            except ERRORS as error:
                failed.append(error)

        within(CALL_S, call, ())
        if not given:
            raise failed[0] if failed else frida.ProcessNotRespondingError(NO_ANSWER)
        return given[0]

    def post(self, message: Mapping[str, Any]) -> None:
        """Send it a message; where the process has ended meanwhile nobody hears it."""
        with suppress(frida.InvalidOperationError):
            self._script.post(message)

    def resume(self) -> None:
        """Come back to it after its connection was lost: it sends all that it kept. Raises what Frida raises.

        Once: Frida 17 says nothing more of a session that came back, neither that its process ended nor that its way
        is lost again, and does not take it up again then. So a second session, without a script, is listened to.
        """
        with _bounded(RESUME_S):
            self._session.resume()
            self._listened = self._device._device.attach(self._pid)
            self._listened.on("detached", self._ended)

    def end(self) -> None:
        """Have it say all it knows, and end the process."""
        within(DETACH_S, lambda: self.call("finish", False), ERRORS)
        self._device.kill(self._pid)

    def leave(self) -> None:
        """Have it say all it knows and take its hooks out; the process runs on."""
        within(RESTORE_S, lambda: self.call("finish", True), ERRORS)
        # The hooks are out; a thread may still be inside one, and comes back through what Frida would free.
        within(DETACH_S, self._script.eternalize, ERRORS)
        within(DETACH_S, self._session.detach, ERRORS)


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """What is asked of Frida inside ends after so long, with an error of Frida's: that it gives no answer."""
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
    """What Frida raises inside, as the error that `failed` makes of it; `what` is a sentence without its end."""
    try:
        yield
    except ERRORS as error:
        raise failed(fault(error, what)) from error


def answers(
    address: str, token: str | None, timeout_s: float = 15.0, check: Callable[[], object] = lambda: None
) -> Mapping[str, Any]:
    """Wait until the server at an address answers; gives what it says of its system, where it can.

    An answer is a list of processes, not an open port. `check` is called again and again while there is none, and may
    raise. Raises FridaFault: `frida-silent` when none came in time,
    `frida-jailed` when the server has not the rights of root, and what devices/frida.yml has for errors that waiting
    does not mend.
    """
    end = time.monotonic() + timeout_s
    device = FridaDevice.at(address, token)._device
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
        raise fault(frida.PermissionDeniedError("jailed"), Spoken("frida-server runs without the rights of root"))
    return system


def _ask(device: Any, done: list[object]) -> None:
    try:
        done.append(device.enumerate_processes())
    except Exception as error:
        done.append(error)
