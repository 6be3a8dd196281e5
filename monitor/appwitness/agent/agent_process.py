"""The agent in one process of the app: injects it, waits for it, reconnects when the connection is lost, and ends
it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appwitness.agent.agent_listener import Listener
from appwitness.agent.child_processes import Children, Owned
from appwitness.agent.frida_device import ENDED, ERRORS, LOST, FridaDevice, Script
from appwitness.agent.process_recorder import ProcessRecorder
from appwitness.agent.timeouts import AWAY_S
from appwitness.events import Gap, Phase
from appwitness.support.errors import SetupError, Unhookable
from appwitness.support.spoken import Spoken

READY_S = 60.0
"""How long hooks may take to become live before the start is abandoned."""
DETACH_S = 5.0
NOT_PLACED = "it was let run before its hooks were in, which took longer than {:.0f} s: its first calls may be missing"
BACK_TRY_S = 0.5
SERVER_S = 20.0
"""How long frida-server may stay silent while the device itself answers."""
ENDED_AWAY = "it ended while its connection was lost, and how was not seen: what it did since is missing"
NOT_BACK = "its connection was lost and did not come back: what it did since is missing"
AWAY = "it was lost for {:.0f} s: the screen, the system's own counts and what goes through adb were not seen meanwhile"
LOST_AGAIN = "its connection was lost again, and Frida restores one only once: what it did since is missing"
KEPT = "; the agent kept its lines and sent them then"
UNSEEN = "unseen"
"""Text of an `exited` phase of a process whose end nobody saw."""


def was_away(app: str, since: datetime, until: datetime, pid: int | None = None) -> Gap:
    """The gap for the time that the device was unreachable; `pid`: the process whose agent kept running, if any."""
    detail = AWAY.format((until - since).total_seconds()) + ("" if pid is None else KEPT)
    subject = "connection to the device"
    return Gap(
        at=since, until=until, app=app, pid=pid, where="device", subject=subject, why="not_observed", detail=detail
    )


@dataclass(frozen=True)
class EnteredProcess:
    """A process that an agent is loaded into, and how."""

    device: FridaDevice
    pid: int
    ends: bool
    """Whether it is ended when the observation ends."""
    kept_s: int = 0
    """Seconds that the agent keeps running after the connection is lost."""
    owned: Owned | None = None
    """The app's processes, if the device knows them."""
    by_gadget: bool = False
    """Whether it contains Frida's gadget."""


class AgentProcess:
    """The agent in one process: `attach`, `load` and `install`, in this order; `stop` at the end. `children`:
    processes that it starts. `back`: only of the app's first process, which records how long the device was away; it is
    called when a lost connection is restored."""

    def __init__(
        self,
        process: EnteredProcess,
        record: ProcessRecorder,
        listener: Listener,
        children: Children,
        *,
        back: Callable[[], object] | None = None,
    ) -> None:
        self.process = process
        self.record = record
        self.listener = listener
        self.children = children
        self.away_since: datetime | None = None
        """Since when the connection has been lost, while it is being restored."""
        self._back = back
        self._script: Script | None = None
        self._ended = threading.Event()
        self._lost = "unknown"
        """The reason, in Frida's words."""
        self.lost = False
        """Whether Frida lost the process for good, and nobody saw whether it ended."""
        self._looking: threading.Thread | None = None
        self._stopping = False
        self._hooked = False
        """Whether the agent watches how the process ends."""
        self._may_resume = process.kept_s > 0

    @property
    def pid(self) -> int:
        """Its pid."""
        return self.process.pid

    @property
    def script(self) -> Script:
        """The agent's script, which `attach` creates."""
        assert self._script is not None
        return self._script

    def attach(self, code: str) -> None:
        """Attach and create the agent's script. Raises Frida's errors."""
        self._script = self.process.device.enter(
            self.pid,
            code,
            heard=self.listener.on_message,
            logged=lambda: self.record.refuse("a message that the agent does not send (log)"),
            ended=self._on_detached,
            kept_s=self.process.kept_s,
        )

    def install(self, plan: Mapping[str, Any], held_s: float | None) -> None:
        """Have the agent install a plan's hooks. `held_s`: the process is held, for at most this long, until the
        methods needed before its first line are hooked. Raises Frida's errors."""
        self.script.call("install", plan)
        self._hooked = True
        if held_s is not None:
            self._until_placed(held_s)

    def until_ready(self, not_up: Callable[[str, type[SetupError]], SetupError]) -> None:
        """Wait until all hooks are live. If that fails, raises the error that `not_up` makes from the reason."""
        app, state, waited = self.record.app, self.listener.state, 0.0
        while not state.ready.wait(0.02):
            waited += 0.02
            self.record.raise_failure()
            if state.no_runtime is not None:
                raise not_up(
                    Spoken(
                        "{app} has no Java runtime that can be hooked: {problem}.", app=app, problem=state.no_runtime
                    ),
                    Unhookable,
                )
            if self._ended.is_set():
                raise not_up(self._gone(), SetupError)
            if waited > READY_S:
                raise not_up(
                    Spoken("The hooks in {app} did not come up within {ready:.0f} seconds.", app=app, ready=READY_S),
                    Unhookable,
                )

    def _gone(self) -> str:
        """The message for a process that was lost before its hooks were live; it counts as ended only if Frida says
        so."""
        app, reason = self.record.app, self._lost
        if reason == ENDED:
            return Spoken("{app} ended before its hooks were live.", app=app)
        return Spoken(
            "Frida lost {app} before its hooks were live ({reason}). Whether {app} has ended was not seen.",
            app=app,
            reason=reason,
        )

    def _until_placed(self, most_s: float) -> None:
        """Hold the process until the methods needed before its first line are hooked. Android allows a new process
        little time, but any amount if the process waits for a debugger or a gadget."""
        state, end = self.listener.state, time.monotonic() + most_s
        while not state.placed.wait(0.02):
            self.record.raise_failure()
            if self._ended.is_set() or state.no_runtime is not None:
                return
            if time.monotonic() > end:
                self.record.append([self.record.gap("install_failed", NOT_PLACED.format(most_s))])
                return

    def wait(self, timeout_s: float | None) -> bool:
        """True when the process has ended or Frida lost it, False after `timeout_s` (None: never)."""
        return self._ended.wait(timeout_s)

    def closing(self) -> None:
        """The observation is about to end: no lost connection is restored, and no further process entered."""
        self._stopping = True
        self.children.close()

    def stop(self) -> bool:
        """Stop observing the process and record what the agent still holds. The process ends, or runs on unobserved.

        Returns False if no agent was ever attached.
        """
        if self._script is None:
            return False
        if self._looking is not None:
            self._looking.join(DETACH_S)
        if not self._ended.is_set():
            if self.process.ends:
                self._script.end()
                self._ended.wait(DETACH_S)
            else:
                self._script.leave()
        self.listener.close()
        self.record.close()
        return True

    # Called by Frida, on a thread of its own.

    def _on_detached(self, reason: str, crash: object | None) -> None:
        by_gadget = self.process.by_gadget
        if by_gadget and self._stopping and reason == LOST:
            reason = ENDED  # a gadget ends together with its process, and Frida sees only the lost connection
        may_be_back = (reason == LOST and self._may_resume) or (by_gadget and reason in (LOST, ENDED))
        since = self.record.now()
        live = not self._stopping and self.listener.state.ready.is_set()
        if may_be_back and live:
            self._looking = threading.Thread(target=self._come_back, args=(since,), name="come back", daemon=True)
            self._looking.start()
        elif reason == LOST and live and self.process.kept_s:
            self._not_back(since, LOST_AGAIN)
        else:
            self._over(reason, crash)

    def _come_back(self, since: datetime) -> None:
        """Look for the lost process until it can be reached again, or until the time for that is over."""
        try:
            self._look_for_it(since)
        except BaseException as error:  # raised again on the run's own thread
            self.record.fails(error)
            self._ended.set()

    def _look_for_it(self, since: datetime) -> None:
        began, there_at, unreachable = time.monotonic(), None, False
        if self.process.by_gadget:
            time.sleep(BACK_TRY_S)  # its process may be about to end
        while not self._stopping and time.monotonic() - began < AWAY_S:
            self.listener.numbering.returned = True
            with suppress(*ERRORS):
                if not self._lives():
                    self._ended_away(since, unreachable)
                    return
                if not self._may_resume:
                    break
                self.script.resume()
                self._may_resume = False  # Script.resume: only once
                self._note_away(since, self.pid)
                self.away_since = None
                if self._back is not None:
                    self._back()
                return
            self.away_since = since
            answers = self._device_answers()
            unreachable = unreachable or not answers
            there_at = (there_at or time.monotonic()) if answers else None
            if there_at is not None and time.monotonic() - there_at > SERVER_S:
                break  # not the cable: frida-server is gone
            time.sleep(BACK_TRY_S)
        if unreachable:
            self._note_away(since)
        self._not_back(since, NOT_BACK)

    def _lives(self) -> bool:
        """Whether the process still exists. Raises Frida's errors if the device does not answer."""
        if not self.process.by_gadget or self.process.owned is None:
            return self.process.device.lives(self.pid)
        try:
            return self.pid in self.process.owned()
        except SetupError:
            return True

    def _device_answers(self) -> bool:
        """Whether the device answers a request that does not involve Frida; False if there is no such request."""
        try:
            return self.process.owned is not None and self.process.owned() is not None
        except SetupError:
            return False

    def _note_away(self, since: datetime, pid: int | None = None) -> None:
        """Record that the device was unreachable until now; `pid`: its agent kept running meanwhile."""
        if self._back is not None:
            self.record.append([was_away(self.record.app, since, self.record.now(), pid)])

    def _ended_away(self, since: datetime, unreachable: bool) -> None:
        """Record that the process ended after its connection was lost; a gadget's is lost because its process ends."""
        if self.listener.state.ending.said or (self.process.by_gadget and self.away_since is None):
            self._over(ENDED, None)
            return
        exited = Phase(at=self.record.now(), app=self.record.app, pid=self.pid, state="exited", text=UNSEEN)
        self.record.append([exited, self.record.gap("detached", ENDED_AWAY, began=since)])
        if unreachable:
            self._note_away(since)
        self._closed(ENDED)

    def _not_back(self, since: datetime, detail: str) -> None:
        """Record that the process is lost for good."""
        self.record.append([self.record.gap("detached", detail, began=since)])
        self.lost = not self._stopping
        self._closed(LOST)

    def _over(self, reason: str, crash: object | None) -> None:
        try:
            killed, missing = self.listener.state.ending.lost(
                reason, crash, stopping=self._stopping, hooked=self._hooked
            )
            if killed:
                now = self.record.now()
                self.record.append([Phase(at=now, app=self.record.app, pid=self.pid, state="exited", text="killed")])
            if missing is not None:
                self.record.append([self.record.gap("detached", missing)])
            self.lost = reason == LOST and not self._stopping
        finally:
            self._closed(reason)

    def _closed(self, reason: str) -> None:
        """The process is no longer observed."""
        self.away_since = None
        self._lost = reason
        self._ended.set()
