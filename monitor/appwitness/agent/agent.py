"""Brings the agent into the app with Frida, and its lines into the recording."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from appwitness.agent.agent_listener import Listener
from appwitness.agent.agent_plan import USUAL, AgentOptions, plan
from appwitness.agent.child_processes import Children, Followed, Means, Owned
from appwitness.agent.frida_device import ENDED, ERRORS, LOST, FridaDevice, FridaFault, Script, faults
from appwitness.agent.hooked import Hooked, HookStatus
from appwitness.agent.sources import Source
from appwitness.agent.spawn_gating import SpawnGate
from appwitness.agent.target import Gadget, Records, Target
from appwitness.agent.timeouts import AWAY_S, within
from appwitness.events import Event, Gap, Phase
from appwitness.support.errors import SetupError, Unhookable

__all__ = ["Agent", "AgentOptions", "agent_js", "bridge", "was_away"]

PLACED_S = 5.0
"""How long a process is held for the hooks that are needed before its first line; the agent itself gives up earlier."""
READY_S = 60.0
"""How long hooks may take to come up before the start is given up."""
DETACH_S = 5.0
HELD_S = 8.0
"""Android ends an app that has not come up 10 s after its start, including the time that it is held."""
SHOWN_TEXT = 300
"""Characters of what the app printed that a message shows."""
LONG_HELD = "it was held for {:.1f} s before its first line; Android ends an app that has not come up after 10"
NOT_PLACED = "it was let run before its hooks were in, which took longer than {:.0f} s: its first calls may be missing"
ALONE = "Frida's gadget is in the app's first process alone: what this one does is not seen"
CLOCK_WAIT_S = 2.0
TRUSTS_S = 10.0
BACK_TRY_S = 0.5
SERVER_S = 20.0
"""How long frida-server may give no answer while the device itself answers."""
AWAY = "it was lost for {:.0f} s: the screen, the system's own counts and what goes through adb were not seen meanwhile"
KEPT = "; the agent kept its lines and sent them then"


def agent_js() -> str:
    """The built agent. Raises SetupError when it has not been built."""
    path = Path(__file__).with_name("agent.js")
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise SetupError(f"The agent is not built ({path} is missing).", "Run `make setup`, or reinstall.") from None


def was_away(app: str, since: datetime, until: datetime, pid: int | None = None) -> Gap:
    """The gap for a time without a connection to the device; `pid`: a process in which an agent went on."""
    detail = AWAY.format((until - since).total_seconds()) + ("" if pid is None else KEPT)
    subject = "connection to the device"
    return Gap(
        at=since, until=until, app=app, pid=pid, where="device", subject=subject, why="not_observed", detail=detail
    )


def bridge() -> str | None:
    """What the Java bridge in the built agent is from: `frida-tools 14.13.0`, or a file's name and its sha256."""
    found = re.search(r"the Java bridge of ([\w.: -]+);", agent_js())
    return found[1] if found else None


class Agent(Listener):
    """The agent of one run, in one process, with one Frida session. A context manager: leaving it is `stop`."""

    def __init__(
        self,
        recording: Records,
        sources: Sequence[Source],
        app: str,
        options: AgentOptions = USUAL,
    ) -> None:
        hooked = Hooked(sources, options.api_level, partial=options.partial)
        super().__init__(recording, app, hooked, options.clock_offset_ms)
        self._plan = partial(plan, app, sources, options)
        self.times: dict[str, float] = {}
        """Seconds from the order to start until the process was there, entered, its script loaded, and resumed."""
        self._device: FridaDevice | None = None
        self._held = self._ends = False
        self._ended = threading.Event()
        self._kept_s = 0
        self._away_since: datetime | None = None
        self._is_child = self._in_time = False
        self._release: Callable[[int], bool] | None = None
        self._children: list[Agent] = []
        self._child = partial(Agent, recording, sources, app, options)
        self._owned: Owned | None = None
        self._gate: SpawnGate | None = None
        self._redirect: tuple[str, int] | None = None
        self._gadget: Gadget | None = None
        self._followed = Followed()
        self._stopping = False
        self._finished = False
        self._output: deque[bytes] = deque(maxlen=50)
        self.useless = False
        """No hook of it works: which of them were not installed is no news."""
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
    def ends(self) -> bool:
        """Whether the process is ended when the observation ends."""
        return self._ends

    @property
    def away(self) -> bool:
        """The connection to the process is lost at the moment, and being restored."""
        return self._away_since is not None

    @property
    def crashed(self) -> bool:
        """The process did not end by itself: a crash, a signal, an exit inside our own code."""
        return self._ending.crashed

    @property
    def culprit(self) -> str | None:
        """The source that was being read when the process ended, where its last moment told."""
        return self._ending.culprit

    def launch(self, target: Target) -> None:
        """Start the app, or attach to it, with the hooks in before its first line; returns once they are live.

        Raises SetupError, with what the app or Frida said, when that fails.
        """
        began = time.monotonic()
        with faults(f"{self.app} could not be started", self._not_up):
            self._device = FridaDevice.reach(target)
            self._device.listen(self._on_output)
            started = self._device.start(target)
        self._pid, self._held, self._ends = started.pid, started.held, started.ours
        self._owned, self._redirect, self._gadget = target.processes, target.redirect, target.gadget
        self._kept_s = int(AWAY_S) + 10 if target.remote is not None else 0
        self.times["started"] = started.at - began
        with faults(f"Frida could not get into {self.app}", self._not_up):
            try:
                self._enter(began, fresh=started.late is None)
            except BaseException:
                self._let_go()
                raise
        held = self.times["let run"] - self.times["started"]
        if started.held and started.late is None and held > HELD_S:
            self._record([self._gap("hook_error", LONG_HELD.format(held))])
        self._until_ready()
        if started.late is not None:
            ran = timedelta(seconds=time.monotonic() - started.at)
            self._missed(self.app, started.late, self._now() - ran)

    def adopt(self, device: FridaDevice, pid: int, *, ends: bool, release: Callable[[int], bool] | None = None) -> bool:
        """Hook a further process of the app, which runs already; `ends`: it is ended with the run.

        `release`: it is held, and this lets it run, and says whether it was held until then. Gives whether the hooks
        were there before its first code. Raises SetupError when that fails; it runs on then.
        """
        self._device, self._pid = device, pid
        self._is_child, self._ends, self._held, self._release = True, ends, release is not None, release
        try:
            with faults(f"Frida could not get into process {pid}", self._not_up):
                self._enter(time.monotonic())
        finally:
            if release is not None:
                release(pid)
        self._until_ready()
        return self._in_time

    def _enter(self, began: float, *, fresh: bool = True) -> None:
        """Bring the agent into the process, and let it run if it is held; `fresh`: it is held before its first line."""
        pid, device = cast(int, self._pid), cast(FridaDevice, self._device)
        means = Means(
            hook=self._hook_child,
            running=device.running,
            ours=lambda other: device.same_user(other, pid),
            missed=self._missed,
            lost=ERRORS,
            owned=self._owned,
        )
        self._processes = Children(self.app, pid, means, self._followed)
        self._script = device.enter(
            pid,
            agent_js(),
            heard=self._on_message,
            logged=lambda: self._refuse("a message that the agent does not send (log)"),
            ended=self._on_detached,
            kept_s=self._kept_s,
        )
        self.times["entered"] = time.monotonic() - began
        self._script.load()
        self.times["loaded"] = time.monotonic() - began
        if not self._is_child:  # before the app's first line: by it, the times of all lines are checked
            self.clock.measure()
            self.clock.wait(CLOCK_WAIT_S)
        self._script.call("install", self._plan(started=self._held and fresh, redirect=self._redirect))
        if self._held:
            self._until_placed(PLACED_S if fresh else READY_S)
        if self._owned is not None and not self._is_child and self._gadget is None:
            self._hold_others(device)
        if self._release is not None:
            self._in_time = self._release(pid)
        elif self._held:
            device.resume(pid)
        elif not self._is_child:  # a gadget or a portal may hold this process; else there is nothing to resume
            with suppress(*ERRORS):
                device.resume(pid)
        self.times["let run"] = time.monotonic() - began

    def _hold_others(self, device: FridaDevice) -> None:
        """From now on hook further processes of the app before their first code, where the device can do that."""
        processes = cast(Children, self._processes)
        gate = SpawnGate(device, cast(Owned, self._owned), processes.held, ERRORS)
        if gate.open():
            self._gate, processes.is_held = gate, gate.holds

    def _let_go(self) -> None:
        """End a process whose start failed, where we started it; else let it run."""
        pid, device = cast(int, self._pid), cast(FridaDevice, self._device)
        if self._gate is not None:
            self._gate.close()
        if self._ends:
            device.kill(pid)
        else:
            within(DETACH_S, lambda: device.resume(pid), ERRORS)

    def _hook_child(self, pid: int, held: bool) -> datetime | None:
        if self._gadget is not None:
            raise SetupError(ALONE, "Take a device with root.")
        began = self._now()
        child = self._child()
        child.unpinned, child.clock = self.unpinned, self.clock
        child._owned, child._followed, child._kept_s = self._owned, self._followed, self._kept_s
        child._redirect = self._redirect
        self._children.append(child)
        release = self._gate.release if held and self._gate is not None else None
        in_time = child.adopt(cast(FridaDevice, self._device), pid, ends=self._ends, release=release)
        return None if in_time else began

    def _missed(self, subject: str, detail: str, began: datetime | None = None) -> None:
        self._record([self._gap("process_not_instrumented", detail, subject, began)])

    def _until_ready(self) -> None:
        waited = 0.0
        while not self._ready.wait(0.02):
            waited += 0.02
            self._raise_failure()
            if self._no_runtime is not None:
                why = f"{self.app} has no Java runtime that can be hooked: {self._no_runtime}."
                raise self._not_up(why, Unhookable)
            if self._ended.is_set():
                raise self._not_up(f"{self.app} ended while it was being started.")
            if waited > READY_S:
                raise self._not_up(f"The hooks in {self.app} did not come up within {READY_S:.0f} seconds.", Unhookable)

    def _until_placed(self, most_s: float) -> None:
        """Hold the process until what must be hooked before its first line is hooked; Android gives one that is fresh
        little time, and one that waits for a debugger or a gadget as much as it takes."""
        end = time.monotonic() + most_s
        while not self._placed.wait(0.02):
            self._raise_failure()
            if self._ended.is_set() or self._no_runtime is not None:
                return
            if time.monotonic() > end:
                self._record([self._gap("install_failed", NOT_PLACED.format(most_s))])
                return

    def _not_up(self, why: FridaFault | str, kind: type[SetupError] = SetupError) -> SetupError:
        """The error, with what the app and the agent said."""
        said = b"".join(self._output).decode("utf-8", "replace").strip()
        details = [*self._faults[:1], *([f"It printed: {said[-SHOWN_TEXT:]}"] if said else [])]
        if isinstance(why, str):
            return kind(" ".join([why, *details]), "See that the app runs by itself, then try again.")
        return FridaFault(why.code, " ".join([why.what, *details]), why.next_step)

    def watch(self, on: bool) -> None:
        """See the app's calls, or let them all through as if there were no hooks; from when it returns."""
        cast(Script, self._script).call("watch", on)

    def trusts(self, leaf_pem: str, host: str) -> tuple[str, str]:
        """Whether the app's default check accepts a certificate (PEM, with those above it) for a host: trusted, pinned,
        refused or unknown, and what it threw. Asked in the app, without a network, unpinning left aside; not recorded.
        """
        said: list[dict[str, str]] = []
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
        if self._processes is not None and not self.away:
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
        if self._gate is not None:
            self._gate.close()
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
            if not self._is_child and self._ready.is_set() and not self.useless:
                self._record([self._gap(*gap) for gap in self._hooked.gaps()])
        if self._device is not None and not self._is_child:
            self._device.deaf()
        self._raise_failure()

    # What Frida tells, from a thread of its own.

    def _on_detached(self, reason: str, crash: object | None) -> None:
        if self._gadget is not None and self._stopping and reason == LOST:
            reason = ENDED  # a gadget is in the process itself: they end together, and Frida sees the connection alone
        may_be_back = (reason == LOST and self._kept_s) or (self._gadget is not None and reason in (LOST, ENDED))
        if may_be_back and not self._stopping and self._ready.is_set():
            threading.Thread(target=self._come_back, args=(self._now(),), name="come back", daemon=True).start()
        else:
            self._over(reason, crash)

    def _come_back(self, since: datetime) -> None:
        """Look for the lost process until it can be reached again, or until the time for that is over."""
        try:
            self._look_for_it(since)
        except BaseException as error:  # it is raised where the run is
            self._failure = self._failure or error
            self._ended.set()

    def _look_for_it(self, since: datetime) -> None:
        began, there_at = time.monotonic(), None
        script, device, pid = cast(Script, self._script), cast(FridaDevice, self._device), cast(int, self._pid)
        if self._gadget is not None:
            time.sleep(BACK_TRY_S)  # its process may be about to end
        while not self._stopping and time.monotonic() - began < AWAY_S:
            self._returned = True
            with suppress(*ERRORS):
                if not self._lives(device, pid):
                    self._ended_unseen(since)
                    return
                if not self._kept_s:
                    break
                script.resume()
                self._is_back(since)
                return
            self._away_since = since
            there_at = (there_at or time.monotonic()) if self._device_answers() else None
            if there_at is not None and time.monotonic() - there_at > SERVER_S:
                break  # not the cable: frida-server is gone
            time.sleep(BACK_TRY_S)
        self._over(LOST, None)

    def _lives(self, device: FridaDevice, pid: int) -> bool:
        """Whether the process is there. Raises what Frida raises, where nobody answers."""
        if self._gadget is None or self._owned is None:
            return device.lives(pid)
        try:
            return pid in self._owned()
        except SetupError:
            return True

    def _device_answers(self) -> bool:
        """Whether the device itself is there, where it can be asked without Frida."""
        try:
            return self._owned is not None and self._owned() is not None
        except SetupError:
            return False

    def _ended_unseen(self, since: datetime) -> None:
        """Note that the process ended; where its connection was lost before, what it did since is missing."""
        if self._away_since is not None and not self._ending.said:
            gap = self._gap(
                "detached", "it ended while its connection was lost: what it did since is missing", began=since
            )
            self._record([gap])
        self._over(ENDED, None)

    def _is_back(self, since: datetime) -> None:
        self._away_since = None
        self._kept_s = 0  # Script.resume: only once
        if self._is_child:
            return
        self._record([was_away(self.app, since, self._now(), self._pid)])
        if self._gate is not None and not self._stopping:  # the server released all when it was lost
            self._gate.close()
            self._hold_others(cast(FridaDevice, self._device))

    def _over(self, reason: str, crash: object | None) -> None:
        try:
            self._record(self._farewell(reason, crash))
        except BaseException as error:
            self._failure = self._failure or error
        finally:
            self._away_since = None
            self._ended.set()

    def _farewell(self, reason: str, crash: object | None) -> list[Event]:
        exited, missing = self._ending.lost(reason, crash, stopping=self._stopping)
        phase = Phase(at=self._now(), app=self.app, pid=self._pid, state="exited", text="killed")
        return [*([phase] if exited else []), *([self._gap("detached", missing)] if missing is not None else [])]

    def _on_output(self, pid: int, _fd: int, data: bytes) -> None:
        if pid == self._pid:
            self._output.append(data)
            self.on_output(data)
