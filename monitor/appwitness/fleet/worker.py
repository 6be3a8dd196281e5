"""One device at work: records one run after another, each with `appwitness observe` in a separate process."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import Literal

from appwitness.devices.device_lock import HELD, turn_now
from appwitness.devices.embedded import KIND
from appwitness.fleet.commits import differs, run_of
from appwitness.fleet.objects import Objects
from appwitness.fleet.pools import meets
from appwitness.fleet.spool import Spool
from appwitness.store.fleet_tables import LeasedRun, Reason, Slot, Waiting
from appwitness.store.leases import ATTEMPTS
from appwitness.store.runs import Runs
from appwitness.support import escape
from appwitness.support.errors import DiskFullError, StoreError, UserError

log = logging.getLogger(__name__)
progress = logging.getLogger("appwitness.fleet.progress")
"""Logs a line when a run begins and one when it has been judged."""

LEASE_S = 60.0
"""Seconds without a heartbeat after which others may take over what a host has leased."""
BEAT_S = 10.0
"""Seconds between heartbeats: a host must miss several before it loses a lease."""
LOOK_S = 0.2
"""Seconds between checks for the end of the host or of a run."""
OBSERVED = frozenset((0, 1, 3))
"""Exit codes of `observe` for runs that were observed to the end."""
REASONS: Mapping[int, Reason] = {4: "setup", 2: "usage"}
"""Other exit codes of `observe` -> reason; all remaining codes are faults."""
IN_A_ROW = 3
"""After this many failed runs in a row, even a healthy device pauses: a host with a problem must not use up a
campaign."""
REST_S = 600.0
END_S = 60.0
"""Time for a run to end cleanly."""
LONGEST_S = 3600.0
"""Time limit of a run: an app that never ends would occupy the device forever."""
WORDS = 300
"""Maximum number of characters that are kept of a run's last output."""


@dataclass(frozen=True)
class FleetDevice:
    """A device as the fleet sees it."""

    serial: str
    """Its adb serial; `lab`, `lab2` ... for lab devices."""
    labels: Mapping[str, str] = field(default_factory=dict)
    absent: bool = False
    """Whether it was absent when the host started: no run begins before `doctor` passes."""

    @property
    def embedded(self) -> bool:
        """Whether it is a lab device, which has its apps built in."""
        return self.labels.get("kind") == KIND


def observe(run: LeasedRun, device: FleetDevice, folder: Path) -> list[str]:
    """The command line of `appwitness observe` for one run. It judges while recording, for the screenshots, into a
    temporary index."""
    said = [sys.executable, "-m", "appwitness", "observe", "--plan", run.plan, "--output", str(folder), "--quiet"]
    said += ["--campaign", run.campaign, "--db", "sqlite://", "--device", run.app if device.embedded else device.serial]
    if not device.embedded:
        said += [*(("--apk", run.apk) if run.apk else ("--app", run.app)), "--clear-data"]
    if run.persona:
        said += ["--persona", run.persona]
    for name, value in json.loads(run.options).items():
        said += [f"--{name.replace('_', '-')}", value]
    return said


def doctor(device: FleetDevice) -> str | None:
    """What is wrong with a device, as text; None when a run would work."""
    if device.embedded:
        return None
    command = [sys.executable, "-m", "appwitness", "doctor", "--device", device.serial, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    try:
        faults = [each["message"] for each in json.loads(done.stdout)["results"] if each["level"] == "fault"]
    except (ValueError, KeyError):
        return _words(done.stderr)
    return escape.terminal(" ".join(faults))[:WORDS]


class Stopped(Exception):
    """The host ends."""


@dataclass
class Host:
    """The state that a host's devices share."""

    name: str
    runs: Runs
    objects: Objects
    spool: Spool
    """Where recordings are made and wait for upload to `objects`."""
    turns: Path
    """The folder with a lock for each device of this machine."""
    stop: Event
    command: Callable[[LeasedRun, FleetDevice, Path], Sequence[str]] = observe
    """Returns the command that records a run on a device into a new folder."""
    check: Callable[[FleetDevice], str | None] = doctor
    check_s: float = 30.0
    """Seconds between checks of a device that is down."""
    idle_s: float = 0.5
    """Seconds between requests for a run when there is none."""
    campaign: str | None = None
    """The only campaign whose runs this host records; None: any."""
    lease_s: float = LEASE_S
    beat_s: float = BEAT_S
    waiting: Sequence[Waiting] = ()
    """The pools with waiting runs at the last heartbeat, in the order in which they are served."""

    def next_run(self, device: FleetDevice) -> LeasedRun | None:
        """Lease the next run that a device can record; None when there is none now."""
        able = (each for each in self.waiting if meets(device.labels, each.pool))
        return next(filter(None, (self.runs.take(each, self.name, device.serial, self.lease_s) for each in able)), None)

    def kept[T](self, what: Callable[[], T]) -> T:
        """Retry an operation until it no longer fails because of an unreachable store or a full disk. Raises Stopped
        when the host ends first."""
        wait_s = 0.5
        while True:
            try:
                return what()
            except (StoreError, DiskFullError, OSError) as error:
                log.warning("%s Trying again in %g s.", error, wait_s)
            if self.stop.wait(wait_s):
                raise Stopped
            wait_s = min(30.0, wait_s * 2)


class Worker:
    """Records runs on one device until the host ends."""

    def __init__(self, device: FleetDevice, host: Host) -> None:
        self.device = device
        self.state: Literal["ready", "down"] = "down" if device.absent else "ready"
        self.note: str | None = None
        self.run: LeasedRun | None = None
        self.rests = False
        """Whether a person has paused it."""
        self._host = host
        self._failed = 0
        self._again_at = 0.0

    def slot(self) -> Slot:
        """The device's state for the heartbeat."""
        run, state = self.run, self.state
        return Slot(
            self._host.name,
            self.device.serial,
            self.device.labels,
            "busy" if run else "paused" if self.rests else state,
            self.note,
            run.id if run else None,
            silent_s=0,
            paused=self.rests,
        )

    def work(self) -> None:
        """Record one run after another; returns when the host ends."""
        with suppress(Stopped):
            while not self._host.stop.is_set():
                try:
                    busy = self._turn()
                except Stopped:
                    raise
                except Exception as error:  # a fault of ours: the other devices go on, and the run's lease expires
                    log.exception("%s", self.device.serial)
                    self._rest(f"An internal error: {type(error).__name__}.", REST_S)
                    busy = False
                if not busy:
                    self._host.stop.wait(self._host.idle_s)

    def _turn(self) -> bool:
        """Record a run; False when there is none or the device cannot record one now."""
        if self.rests or not self._is_up():
            return False
        host = self._host
        with turn_now(host.turns, self.device.serial) as lock:
            self.note = "Another process has it." if lock is None else host.spool.full()
            if lock is None or self.note is not None:
                return False
            run = self.run = host.kept(lambda: host.next_run(self.device))
            if run is None:
                return False
            try:
                self._make(run, lock)
            finally:
                self.run = None
        return True

    def _is_up(self) -> bool:
        if self.state == "down" and time.monotonic() >= self._again_at:
            self.note = self._host.check(self.device)
            self._again_at = time.monotonic() + self._host.check_s
            if self.note is None:
                self.state = "ready"
        return self.state != "down"

    def _make(self, run: LeasedRun, lock: int) -> None:
        host, number = self._host, run.attempts
        if host.spool.adopt(run):
            return
        with suppress(StoreError, OSError):  # the store is unreachable; an earlier recording there would count later
            # look for a complete recording that the table of runs lacks: its host was killed, or the table was lost
            for earlier in range(1, max(run.attempts, ATTEMPTS) + 1):
                if host.objects.is_complete(name := f"{run.id}-a{earlier}"):
                    if self._is_of(run, name):
                        return
                    number = max(number, earlier + ATTEMPTS)  # the name is taken by another recording
        recording = f"{run.id}-a{number}"
        try:
            folder = host.spool.begin(recording)
        except UserError as error:
            self._failed_by(run, error)
            return
        progress.info("%s begins on %s.", escape.terminal(run.id), self.device.serial)
        code, words = self._observe(run, folder, lock)
        if code is None:
            host.spool.drop(recording)
            host.kept(partial(host.runs.released, run.lease))
        elif code in OBSERVED:
            self._failed = 0
            try:
                host.kept(partial(host.spool.add, recording, run, self.device.serial))  # waits while the disk is full
            except UserError as error:
                host.spool.drop(recording)
                self._failed_by(run, error)
        else:
            host.spool.drop(recording)
            reason = REASONS.get(code, "fault")
            log.warning("%s on %s: %s", run.id, self.device.serial, words)
            host.kept(partial(host.runs.failed, run.lease, reason, words, last=reason == "usage"))
            self._look_after(reason)

    def _is_of(self, run: LeasedRun, earlier: str) -> bool:
        """Count a stored recording as that of a run, if it matches; returns whether it does."""
        host = self._host
        committed = host.runs.committed(earlier)
        try:
            with host.objects.fetched(earlier) as packed:
                wrong = differs(packed, run, committed)
                device = committed.device if committed else run_of(packed).device.serial
        except StoreError:
            raise
        except (UserError, ValueError) as error:
            wrong, device = str(error), ""
        if wrong:
            log.warning("%s in %s is not counted as a recording of its run: %s.", earlier, host.objects.place, wrong)
            return False
        host.kept(partial(host.runs.recorded, run.id, earlier, device))
        return True

    def _failed_by(self, run: LeasedRun, error: UserError) -> None:
        """Report that a run failed because of this host, not because of the device."""
        log.warning("%s on %s: %s", run.id, self.device.serial, error)
        self._host.kept(partial(self._host.runs.failed, run.lease, "fault", str(error)))

    def _look_after(self, reason: Reason) -> None:
        """After a failed run, check whether the device can continue."""
        self._failed += 1
        if reason != "usage" and (fault := self._host.check(self.device)):
            self._rest(fault, self._host.check_s)
        elif self._failed % IN_A_ROW == 0:
            self._rest(f"{self._failed} runs in a row failed.", REST_S)

    def _rest(self, note: str, seconds: float) -> None:
        self.state, self.note, self._again_at = "down", note, time.monotonic() + seconds

    def _observe(self, run: LeasedRun, folder: Path, lock: int) -> tuple[int | None, str]:
        """The exit code of a run and its last output; the code is None if the run was stopped because the host
        ends."""
        said = folder.with_name(f"{folder.name}.log")
        try:
            with said.open("wb") as log_file:
                process = subprocess.Popen(
                    self._host.command(run, self.device, folder),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log_file,
                    env={**os.environ, HELD: self.device.serial},
                    start_new_session=True,  # Ctrl-C is handled by the host, which ends its runs
                    pass_fds=(lock,),  # if the host is killed, the device stays locked until the run has ended
                )
            if self._ends(process):
                return process.returncode, _words(said.read_text("utf-8", "replace")) or (
                    f"It ended with {process.returncode}."
                )
            return (None, "") if self._host.stop.is_set() else (70, f"The run did not end within {LONGEST_S:g} s.")
        finally:
            said.unlink(missing_ok=True)

    def _ends(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for a run to end; False if it was stopped because the host ends or the run took too long."""
        late = time.monotonic() + LONGEST_S
        while process.poll() is None and not self._host.stop.wait(LOOK_S) and time.monotonic() < late:
            pass
        if process.poll() is not None:
            return True
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return False


def _words(text: str) -> str:
    """The last lines of the output, joined into one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = next(
        (place for place in range(len(lines) - 1, -1, -1) if lines[place].startswith(("error:", "internal"))), -1
    )
    return escape.terminal(" ".join(lines[last:]).removeprefix("error: "))[:WORDS]
