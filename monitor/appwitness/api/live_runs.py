"""Runs that a page or an assistant starts, follows and stops: each in its own process, one per device at a time."""

from __future__ import annotations

import json
import math
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from appwitness.api.home import recordings
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that importing only a name from here takes no time
    from appwitness.api.devices import NamedDevice

LivePlan = Literal["accept", "refuse", "silent", "withdraw"]
LiveState = Literal["waiting", "starting", "recording", "stopping", "ended", "stopped", "failed"]
MODES = ("auto", "regular", "redirect", "wireguard", "transparent")
"""The traffic modes to choose from."""
PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)+")
MOST_RUNS = 8
"""Maximum number of runs at a time."""
KEPT_RUNS = 100
"""Maximum number of finished runs that stay listed."""
KEPT_EVENTS = 5000
"""Maximum number of events kept of a run; earlier ones are only counted."""
LINES_OF_FAULT = 12
"""Number of last lines kept of a failed process's error output."""
END_S = 60.0
"""Time limit for ending a run: the device is restored, and the recording stamped."""
FOUND = (0, 1, 3)
"""Exit codes of a completed run: clean, findings, gaps."""


@dataclass(frozen=True)
class RunRequest:
    """What to observe."""

    device: str = "lab:circle"
    """The device, as `appwitness observe --device` takes it."""
    plan: LivePlan = "silent"
    app: str | None = None
    """Package of an app that is on the device."""
    apks: tuple[Path, ...] = ()
    """APKs of an app to install instead."""
    mode: str = "auto"
    """The traffic mode, one of MODES."""
    seconds: float | None = None
    """Seconds after which to end the run; None: when the app ends or somebody stops the run."""
    by_hand: bool = False
    """Whether a person carries out the plan on the device."""
    clear_data: bool = False
    """Whether to clear the data of an app that was already installed, so that it starts as if new."""

    @property
    def target(self) -> NamedDevice:
        """The device by name."""
        from appwitness.api.devices import NamedDevice

        return NamedDevice(self.device)

    def check(self) -> None:
        """Raise UserError for options that cannot be combined."""
        if not self.device.strip():
            raise UserError("No device is named.", "Choose one from the list.")
        if self.plan not in get_args(LivePlan):
            raise UserError(
                Spoken("There is no plan {plan}.", plan=self.plan),
                Spoken("Choose from {liveplan}.", liveplan=", ".join(get_args(LivePlan))),
            )
        if self.mode not in MODES:
            raise UserError(
                Spoken("There is no mode {mode}.", mode=self.mode),
                Spoken("Choose from {modes}.", modes=", ".join(MODES)),
            )
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise UserError(
                Spoken("{seconds} is not a length of time.", seconds=self.seconds), "Write seconds: 30 or 2.5."
            )
        if self.app is not None and not PACKAGE.fullmatch(self.app):
            raise UserError(
                Spoken("{app!r} is not the name of a package.", app=self.app), "Write its package: com.example.shop."
            )
        if self.target.embedded:
            if self.app or self.apks or self.by_hand or self.clear_data:
                raise UserError(
                    Spoken("{device} has its app built in, and plays the user itself.", device=self.device),
                    "Choose the device and a plan.",
                )
        elif bool(self.app) == bool(self.apks):
            raise UserError(
                Spoken("Which app should be observed on {device}?", device=self.device),
                "Choose an installed app, or an APK to install.",
            )

    def words(self, output: Path, judged_by: Sequence[str]) -> list[str]:
        """The command line of the process."""
        said = [f"--device={self.device}", f"--plan={self.plan}", f"--mode={self.mode}", f"--output={output}"]
        said += [f"--app={self.app}"] if self.app else []
        said += [f"--apk={apk}" for apk in self.apks]
        said += [f"--seconds={self.seconds:g}"] if self.seconds is not None else []
        said += ["--by-hand"] if self.by_hand else []
        said += ["--clear-data"] if self.clear_data else []
        return [sys.executable, "-P", "-m", "appwitness", "observe", "--json", *said, *judged_by]


class LiveEvent(NamedTuple):
    """An event of a run."""

    number: int
    """Its number, from 1, in order of arrival."""
    what: Mapping[str, Any]
    """The event as `appwitness observe --json` writes it: `event` names its kind; it contains no values."""


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run, with its events since a cursor."""

    id: str
    request: RunRequest
    recording: Path
    """The recording's folder; it exists once the device is open."""
    state: LiveState
    phase: str
    """The current step, as an English clause; empty before the first step."""
    started: datetime
    seconds: float
    """How many seconds the process has been running, or ran."""
    reads: int
    uploads: int
    consents: int
    gaps: int
    findings: tuple[Mapping[str, Any], ...]
    """Findings since the cursor, each as `appwitness observe --json` writes it."""
    events: tuple[LiveEvent, ...]
    """Events since the cursor."""
    left_out: int
    """Number of events since the cursor that are no longer kept."""
    cursor: int
    """The cursor for the next call."""
    exit_code: int | None
    """The exit code of the process; None while it runs."""
    problem: str
    """The error message of the process; empty if it did not fail."""

    @property
    def over(self) -> bool:
        """Whether the process has ended."""
        return self.state in ("ended", "stopped", "failed")


@dataclass
class _LiveRun:
    id: str
    request: RunRequest
    recording: Path
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    process: subprocess.Popen[str] | None = None
    state: LiveState = "waiting"
    phase: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    events: deque[LiveEvent] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    findings: list[LiveEvent] = field(default_factory=list)
    number: int = 0
    problem: str = ""
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    over: threading.Event = field(default_factory=threading.Event)


class LiveRuns:
    """The runs that one program starts; they end with the program: see `close`.

    `judged_by` are command-line arguments for judging the runs, such as `--db URL`. All methods may be called from any
    thread.
    """

    def __init__(self, judged_by: Sequence[str] = ()) -> None:
        self._judged_by = tuple(judged_by)
        self._runs: dict[str, _LiveRun] = {}
        self._lock = threading.RLock()
        self._closing = False
        self.changes = 0
        """A counter that grows whenever a run changes."""

    def __enter__(self) -> LiveRuns:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, request: RunRequest) -> RunProgress:
        """Start a run; it is in progress when this returns. Raises UserError for options that cannot be combined, if
        the device already has a run, and if there are already MOST_RUNS."""
        return self.start_each([request])[0]

    def start_each(self, requests: Sequence[RunRequest]) -> list[RunProgress]:
        """Start runs one after another, each when the previous one has ended; returns at once. Raises as `start`
        does."""
        for each in requests:
            each.check()
        with self._lock:
            if self._closing:
                raise UserError("The server is shutting down.", "Start the run when it is up again.")
            going_on = [run for run in self._runs.values() if not run.over.is_set()]
            for each in requests:
                if busy := next((run for run in going_on if run.request.device == each.device), None):
                    raise UserError(
                        Spoken("{device} has a run already: {id}.", device=each.device, id=busy.id),
                        "Stop it, or wait until it ends.",
                    )
            if len(going_on) + len(requests) > MOST_RUNS:
                raise UserError(
                    Spoken("{going_on} runs are in progress.", going_on=len(going_on)),
                    "Stop one, or wait until one ends.",
                )
            made = [self._new(each) for each in requests]
            threading.Thread(target=self._go_through, args=(made,), name="runs", daemon=True).start()
            return [self.status(run.id) for run in made]

    def list(self) -> list[RunProgress]:
        """All known runs, the newest first, without their events."""
        with self._lock:
            return [self._told(run, run.number) for run in reversed(self._runs.values())]

    def status(self, run: str, cursor: int = 0) -> RunProgress:
        """The progress of a run, with its events since `cursor`. Raises UserError if there is no such run."""
        with self._lock:
            return self._told(self._of(run), cursor)

    def stop(self, run: str) -> RunProgress:
        """End a run as Ctrl-C does: everything is shut down in order, and the recording is stamped to its end.

        Returns at once; `wait` waits for the end. A run that has ended stays as it is. Raises as `status` does.
        """
        with self._lock:
            found = self._of(run)
            if found.state == "waiting":
                self._end(found, "stopped")
            elif not found.over.is_set() and found.state != "stopping":
                self._change(found, "stopping")
                if found.process is not None:
                    with suppress(ProcessLookupError):
                        found.process.send_signal(signal.SIGTERM)  # a process started with a shell's `&` ignores SIGINT
            return self._told(found, found.number)

    def wait(self, run: str, timeout_s: float | None = None) -> RunProgress:
        """Wait until a run has ended. Raises UserError if there is no such run, TimeoutError if it has not ended in
        time."""
        with self._lock:
            found = self._of(run)
        if not found.over.wait(timeout_s):
            raise TimeoutError(f"{run} has not ended within {timeout_s:g} s.")
        return self.status(run)

    def close(self, timeout_s: float = END_S) -> Sequence[RunProgress]:
        """Stop all runs, and wait up to `timeout_s` seconds for them to end; returns those that have not ended.
        These still come to their end: a run whose output nobody reads any more stops by itself."""
        with self._lock:
            self._closing = True
            going_on = [run for run in self._runs.values() if not run.over.is_set()]
        for run in going_on:
            self.stop(run.id)
        until = time.monotonic() + timeout_s
        return [self.status(run.id) for run in going_on if not run.over.wait(max(0.0, until - time.monotonic()))]

    # private
    def _new(self, request: RunRequest) -> _LiveRun:
        from appwitness.api.devices import Wanted, name_of

        named = name_of(Wanted(request.device, package=request.app, apks=request.apks))
        now = datetime.now(UTC)
        number = secrets.token_hex(3)
        folder = recordings().absolute() / f"{now:%Y%m%dT%H%M%S}-{named[:60]}-{request.plan}-{number}"
        run = self._runs[number] = _LiveRun(number, request, folder)
        over = [each for each in self._runs.values() if each.over.is_set()]
        for each in over[: len(over) - KEPT_RUNS] if len(over) > KEPT_RUNS else ():
            del self._runs[each.id]
        self.changes += 1
        return run

    def _of(self, run: str) -> _LiveRun:
        if run not in self._runs:
            raise UserError(
                Spoken("There is no run {run} here.", run=run), "The list has the runs that were started here."
            )
        return self._runs[run]

    def _go_through(self, runs: Sequence[_LiveRun]) -> None:
        for run in runs:
            with self._lock:
                process = self._spawned(run) if run.state == "waiting" else None
            if process is not None:
                self._watch(run, process)

    def _spawned(self, run: _LiveRun) -> subprocess.Popen[str] | None:
        run.began, run.started = time.monotonic(), datetime.now(UTC)
        try:
            run.process = subprocess.Popen(
                run.request.words(run.recording, self._judged_by),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # no Ctrl-C from the server's terminal: `close` stops it
            )
        except OSError as error:
            run.problem = f"The run cannot be started: {error.strerror}."
            self._end(run, "failed")
            return None
        self._change(run, "starting")
        return run.process

    def _watch(self, run: _LiveRun, process: subprocess.Popen[str]) -> None:
        said: deque[str] = deque(maxlen=LINES_OF_FAULT)
        assert process.stdout
        assert process.stderr
        listener = threading.Thread(target=said.extend, args=(_lines(process.stderr),), daemon=True)
        listener.start()
        for line in _lines(process.stdout):
            with suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict):
                    self._take(run, told)
        code = process.wait()
        listener.join(END_S)
        process.stdout.close()
        process.stderr.close()
        with self._lock:
            stopped = run.state == "stopping"
            if code in FOUND and run.recording.exists():
                self._end(run, "stopped" if stopped else "ended")
            else:
                if not stopped:
                    ended = (
                        f"The run ended with exit code {code}" if code >= 0 else f"The run was killed (signal {-code})"
                    )
                    run.problem = " ".join(line.strip() for line in said if line.strip()) or f"{ended}."
                self._end(run, "stopped" if stopped else "failed")

    def _take(self, run: _LiveRun, told: Mapping[str, Any]) -> None:
        with self._lock:
            run.number += 1
            kind = str(told.get("event"))
            run.counts[kind] += 1
            event = LiveEvent(run.number, told)
            run.events.append(event)
            if kind == "finding":
                run.findings.append(event)
            elif kind == "stage":
                run.phase = str(told.get("what", ""))
                if run.state == "starting":
                    run.state = "recording"
            self.changes += 1

    def _change(self, run: _LiveRun, state: LiveState) -> None:
        run.state = state
        self.changes += 1

    def _end(self, run: _LiveRun, state: LiveState) -> None:
        run.ended = time.monotonic()
        self._change(run, state)
        run.over.set()

    def _told(self, run: _LiveRun, cursor: int) -> RunProgress:
        new = tuple(event for event in run.events if event.number > cursor)
        return RunProgress(
            id=run.id,
            request=run.request,
            recording=run.recording,
            state=run.state,
            phase=run.phase,
            started=run.started,
            seconds=(run.ended or time.monotonic()) - run.began,
            reads=run.counts["read"],
            uploads=run.counts["upload"],
            consents=run.counts["consent"],
            gaps=run.counts["gap"],
            findings=tuple(event.what for event in run.findings if event.number > cursor),
            events=new,
            left_out=max(0, run.number - max(cursor, 0) - len(new)),
            cursor=run.number,
            exit_code=run.process.returncode if run.process else None,
            problem=run.problem,
        )


def _lines(stream: IO[str]) -> Iterator[str]:
    with suppress(ValueError, OSError):  # closed meanwhile
        yield from stream
