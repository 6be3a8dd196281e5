"""Injects the agent into the app with Frida and writes its lines to the recording."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from appwitness.agent.agent_listener import AgentState, Listener
from appwitness.agent.agent_plan import USUAL, AgentOptions, plan
from appwitness.agent.agent_process import DETACH_S, READY_S, AgentProcess, EnteredProcess
from appwitness.agent.child_processes import Children, Followed, Means
from appwitness.agent.device_clock import DeviceClock
from appwitness.agent.frida_device import ERRORS, FridaDevice, FridaFault, StartedProcess, faults
from appwitness.agent.hooked import Hooked, HookStatus
from appwitness.agent.process_recorder import ProcessRecorder
from appwitness.agent.sources import Source
from appwitness.agent.spawn_gating import SpawnGate
from appwitness.agent.target import Records, Target
from appwitness.agent.timeouts import AWAY_S, within
from appwitness.events import ClockReading, Probe
from appwitness.support.errors import SetupError
from appwitness.support.spoken import SPACE, Spoken, listed

__all__ = ["Agent", "AgentOptions", "agent_js", "bridge"]

PLACED_S = 5.0
"""How long a process is held until the hooks it needs before its first line are in; the agent itself gives up
earlier."""
HELD_S = 8.0
"""Android kills an app that has not come up 10 s after its start; the time that it is held counts."""
SHOWN_TEXT = 300
"""Maximum number of characters of the app's output in a message."""
LONG_HELD = "it was held for {:.1f} s before its first line; Android ends an app that has not come up after 10"
ALONE = Spoken("Frida's gadget is in the app's first process alone: what this one does is not seen.")
CLOCK_WAIT_S = 2.0
TRUSTS_S = 10.0
ENDS_S = 1.0
"""How long a process that could not be hooked may take to end, if it is just about to."""


def agent_js() -> str:
    """The built agent. Raises SetupError when it has not been built."""
    path = Path(__file__).with_name("agent.js")
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise SetupError(
            Spoken("The agent is not built ({path} is missing).", path=path), "Run `make setup`, or reinstall."
        ) from None


def bridge() -> str | None:
    """The origin of the Java bridge in the built agent: `frida-tools 14.13.0`, or a file's name and its sha256."""
    found = re.search(r"the Java bridge of ([\w.: -]+);", agent_js())
    return found[1] if found else None


def _not_up(why: FridaFault | str, details: Sequence[str], kind: type[SetupError] = SetupError) -> SetupError:
    """The error for a failed start, with the output of the app and the agent."""
    if isinstance(why, str):
        return kind(listed([why, *details], SPACE), "Check that the app runs without appwitness, then try again.")
    return FridaFault(why.code, listed([why.what, *details], SPACE), why.next_step)


def _ended(device: FridaDevice, pid: int) -> bool:
    """Whether a process that could not be hooked has ended, or is just about to; False if the device does not say."""
    end = time.monotonic() + ENDS_S
    with suppress(*ERRORS):
        while device.lives(pid):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True
    return False


@dataclass(frozen=True)
class _Watched:
    """What is watched in which app, and who records it: the same for all processes of a run."""

    records: Records
    sources: Sequence[Source]
    app: str
    options: AgentOptions

    def hooked(self) -> Hooked:
        """The hooks of one process, all in unknown state."""
        return Hooked(self.sources, self.options.api_level, partial=self.options.partial)

    def plan(self, target: Target, *, started: bool) -> dict[str, Any]:
        """The plan for the agent; `started`: appwitness starts the process."""
        return plan(self.app, self.sources, self.options, started=started, redirect=target.redirect)


@dataclass
class _Entered:
    """The app's first process, and those that were hooked since."""

    target: Target
    first: AgentProcess
    further: list[AgentProcess] = field(default_factory=list)
    gate: SpawnGate | None = None


class Agent:
    """The agent of one run, in all processes of the app. A context manager: leaving it calls `stop`. `on_output`
    receives the output of a process that appwitness started. `readings`: measurements of the device's clock by an
    earlier agent of the run."""

    def __init__(
        self,
        recording: Records,
        sources: Sequence[Source],
        app: str,
        options: AgentOptions = USUAL,
        *,
        on_output: Callable[[bytes], object] = lambda _: None,
        readings: Sequence[ClockReading] = (),
    ) -> None:
        self.app = app
        self.clock = DeviceClock(self._ask_time, readings=readings)
        """The device's clock, once the app is up."""
        self.unpinned: dict[str, str] = {}
        """Certificate checks that are bypassed: `installed`, or `met` once the app used one."""
        self.times: dict[str, float] = {}
        """Seconds from the start command until the process existed, was entered, had its script loaded, and was
        resumed."""
        self._watched = _Watched(recording, sources, app, options)
        self._device: FridaDevice | None = None
        self._entered: _Entered | None = None
        self._followed = Followed()
        self._on_output = on_output
        self._output: deque[bytes] = deque(maxlen=50)
        self._finished = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def processes(self) -> tuple[AgentProcess, ...]:
        """The processes with an agent in them, the app's first one first."""
        return (self._entered.first, *self._entered.further) if self._entered is not None else ()

    @property
    def _state(self) -> AgentState | None:
        """State that the agent in the app's first process has reported."""
        return self._entered.first.listener.state if self._entered is not None else None

    @property
    def pid(self) -> int | None:
        """The app's first process."""
        return self._entered.first.pid if self._entered is not None else None

    @property
    def ends(self) -> bool:
        """Whether the process is ended when the observation ends."""
        return self._entered is not None and self._entered.first.process.ends

    @property
    def away(self) -> bool:
        """Whether the connection to the process is lost at the moment and being restored."""
        return self._entered is not None and self._entered.first.away_since is not None

    @property
    def lost(self) -> bool:
        """Whether Frida lost the app's first process for good, and nobody saw whether it ended."""
        return self._entered is not None and self._entered.first.lost

    @property
    def crashed(self) -> bool:
        """Whether the process ended by a crash, a signal, or an exit inside appwitness's own code."""
        return self._state is not None and self._state.ending.crashed

    @property
    def culprit(self) -> str | None:
        """The source being read when the process ended, if its last message named one."""
        return self._state.ending.culprit if self._state is not None else None

    @property
    def probe(self) -> Probe | None:
        """The result of the agent's check of itself; None: not known yet."""
        return self._state.probe if self._state is not None else None

    @property
    def install_ms(self) -> int | None:
        """Milliseconds from the install command until all hooks of the plan were live; None: not live yet."""
        return self._state.install_ms if self._state is not None else None

    @property
    def useless(self) -> bool:
        """Whether none of the hooks work: the agent saw no call of its own self-test."""
        return self.probe is not None and self.probe.failed and self.probe.seen == 0

    def launch(self, target: Target) -> None:
        """Start the app or attach to it, and hook it before its first line; returns once the hooks are live. Raises
        SetupError, with the output of the app or Frida, if that fails."""
        began = time.monotonic()
        with faults(Spoken("{app} could not be started", app=self.app), lambda fault: _not_up(fault, self._details())):
            self._device = device = FridaDevice.reach(target)
            device.listen(self._heard)
            started = device.start(target)
        self.times["started"] = started.at - began
        process = EnteredProcess(
            device,
            started.pid,
            ends=started.ours,
            kept_s=int(AWAY_S) + 10 if target.remote is not None else 0,
            owned=target.processes,
            by_gadget=target.gadget is not None,
        )
        first = self._agent_in(process, self._is_back)
        self._entered = entered = _Entered(target, first)
        with faults(
            Spoken("Frida could not get into {app}", app=self.app), lambda fault: _not_up(fault, self._details())
        ):
            try:
                self._enter(entered, started, began)
            except BaseException:
                self._let_go(entered)
                raise
        held = self.times["let run"] - self.times["started"]
        if started.held and started.late is None and held > HELD_S:
            first.record.append([first.record.gap("hook_error", LONG_HELD.format(held))])
        first.until_ready(lambda why, kind: _not_up(why, self._details(), kind))
        if started.late is not None:
            ran = timedelta(seconds=time.monotonic() - started.at)
            self._missed(first, self.app, started.late, first.record.now() - ran)

    def _details(self) -> list[str]:
        """The output of the app and the agent, for the error of a failed start."""
        printed = b"".join(self._output).decode("utf-8", "replace").strip()
        told = self._entered.first.record.faults[:1] if self._entered is not None else []
        return [*told, *([f"It printed: {printed[-SHOWN_TEXT:]}"] if printed else [])]

    def _agent_in(self, process: EnteredProcess, back: Callable[[], object] | None = None) -> AgentProcess:
        """A new agent for a process, not yet attached."""
        agent: AgentProcess
        watched, device, pid = self._watched, process.device, process.pid
        record = ProcessRecorder(watched.records, self.app, pid, self.clock, watched.options.clock_offset_ms)
        means = Means(
            hook=self._hook_further,
            running=device.running,
            ours=lambda other: process.by_gadget or device.may_be_of(other, pid),  # a gadget's device has no other
            ended=lambda other: not process.by_gadget and _ended(device, other),
            missed=lambda subject, why, began=None: self._missed(agent, subject, why, began),
            lost=ERRORS,
            owned=process.owned,
        )
        children = Children(self.app, pid, means, self._followed)

        def post(said: Mapping[str, Any]) -> None:
            agent.script.post(said)

        listener = Listener(record, watched.hooked(), self.clock, self.unpinned, post=post, child=children.told)
        agent = AgentProcess(process, record, listener, children, back=back)
        return agent

    def _enter(self, entered: _Entered, started: StartedProcess, began: float) -> None:
        """Load the agent into the app's first process, and resume the process if it is held."""
        first, target, fresh = entered.first, entered.target, started.late is None
        first.attach(agent_js())
        self.times["entered"] = time.monotonic() - began
        first.script.load()
        self.times["loaded"] = time.monotonic() - began
        self.clock.measure()  # before the app's first line: this reading is used to check the times of all lines
        self.clock.wait(CLOCK_WAIT_S)
        held_s = (PLACED_S if fresh else READY_S) if started.held else None
        first.install(self._watched.plan(target, started=started.held and fresh), held_s)
        if target.gadget is None:
            self._hold_others(entered)
        # A gadget or a portal may still hold a process that we do not; otherwise there is nothing to resume.
        with nullcontext() if started.held else suppress(*ERRORS):
            first.process.device.resume(first.pid)
        self.times["let run"] = time.monotonic() - began

    def _hold_others(self, entered: _Entered) -> None:
        """From now on, hook further processes of the app before their first code, on devices that can hold them."""
        process, children = entered.first.process, entered.first.children
        if process.owned is None:
            return
        gate = SpawnGate(process.device, process.owned, children.held, ERRORS)
        if gate.open():
            entered.gate, children.is_held = gate, gate.holds

    def _let_go(self, entered: _Entered) -> None:
        """End the process after a failed start if appwitness started it; otherwise let it run."""
        process = entered.first.process
        if entered.gate is not None:
            entered.gate.close()
        if process.ends:
            process.device.kill(process.pid)
        else:
            within(DETACH_S, lambda: process.device.resume(process.pid), ERRORS)

    def _hook_further(self, pid: int, held: bool) -> datetime | None:
        """Hook a further process of the app, held or running; returns since when calls may have been missed, or
        None. Raises SetupError if that fails, and the process then runs on."""
        assert self._entered is not None
        entered, first = self._entered, self._entered.first
        if first.process.by_gadget:
            raise SetupError(ALONE, "Use a device with root.")
        began = first.record.now()
        agent = self._agent_in(replace(first.process, pid=pid))
        entered.further.append(agent)
        release = entered.gate.release if held and entered.gate is not None else None
        in_time = False
        told = agent.record.faults
        try:
            with faults(
                Spoken("Frida could not get into process {pid}", pid=pid), lambda fault: _not_up(fault, told[:1])
            ):
                agent.attach(agent_js())
                agent.script.load()
                plan = self._watched.plan(entered.target, started=release is not None)
                agent.install(plan, PLACED_S if release is not None else None)
                in_time = release is not None and release(pid)
        finally:
            if release is not None:
                release(pid)
        agent.until_ready(lambda why, kind: _not_up(why, told[:1], kind))
        return None if in_time else began

    def _missed(self, agent: AgentProcess, subject: str, detail: str, began: datetime | None = None) -> None:
        agent.record.append([agent.record.gap("process_not_instrumented", detail, subject, began)])

    def watch(self, on: bool) -> None:
        """Switch the hooks on or off; takes effect when it returns."""
        self.processes[0].script.call("watch", on)

    def trusts(self, leaf_pem: str, host: str) -> tuple[str, str]:
        """Whether the app's default trust check accepts a certificate (PEM, with its issuers) for a host: trusted,
        pinned, refused or unknown, and the exception. The check runs inside the app, without network access and with
        unpinning suspended, and is not recorded."""
        said: list[dict[str, str]] = []
        script = self.processes[0].script
        within(TRUSTS_S, lambda: said.append(script.call("trusts", leaf_pem, host)), ERRORS)
        return (said[0]["answer"], said[0]["said"]) if said else ("unknown", "the app gave no answer")

    def statuses(self) -> list[HookStatus]:
        """State of each source's hook, in the order of the sources."""
        return (self._state.hooked if self._state is not None else self._watched.hooked()).statuses()

    def wait(self, timeout_s: float | None) -> bool:
        """True when the process has ended or Frida lost it, False after `timeout_s` (None: wait forever). Raises any
        error that occurred while lines were being recorded, such as a full disk."""
        if self._entered is None:
            return False
        ended = self._entered.first.wait(timeout_s)
        for one in self.processes:
            one.record.answers_due()
        if not self.away:
            self._entered.first.children.look()
        self._raise_failure()
        return ended

    def stop(self) -> None:
        """Stop observing: the agent's pending lines are recorded, and what was never hooked becomes gaps. A process
        that appwitness started is ended too; any other runs on unobserved."""
        if self._finished:
            return
        self._finished = True
        if self._entered is not None:
            self._stop(self._entered)
        if self._device is not None:
            self._device.deaf()
        self._raise_failure()

    def _stop(self, entered: _Entered) -> None:
        if entered.gate is not None:
            entered.gate.close()
        first = entered.first
        first.closing()
        for one in entered.further:  # grows while processes are still being entered
            one.closing()
        for one in entered.further:
            one.stop()
        if first.stop() and first.listener.state.ready.is_set() and not self.useless:
            first.record.append([first.record.gap(*gap) for gap in first.listener.state.hooked.gaps()])

    def _raise_failure(self) -> None:
        for one in self.processes:
            one.record.raise_failure()

    def _is_back(self) -> None:
        """Called when the app's first process is reachable again."""
        assert self._entered is not None
        if self._entered.gate is not None and not self._finished:  # a lost server releases all held processes
            self._entered.gate.close()
            self._hold_others(self._entered)

    def _ask_time(self, number: int) -> None:
        """Ask the agent for its time; an app that has ended gives no answer."""
        self.processes[0].script.post({"type": "clock", "number": number})

    def _heard(self, pid: int, _fd: int, data: bytes) -> None:
        if pid == self.pid:
            self._output.append(data)
            self._on_output(data)
