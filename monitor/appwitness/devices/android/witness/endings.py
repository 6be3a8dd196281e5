"""Determines why a process of the app ended: from ApplicationExitInfo (Android 11 and later), before that from the
event log.

Not tried on Android: see process_dumps.py for the origin of the formats.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appwitness.devices.android.control import Control
from appwitness.devices.android.witness.dumps import clock_of, zone_of
from appwitness.devices.android.witness.process_dumps import (
    REASONS,
    ExitRecord,
    LogEvent,
    Reason,
    events,
    exits,
    log_command,
)

OURS: frozenset[Reason] = frozenset({"crash", "native_crash", "anr", "start_failed", "unknown"})
"""Reasons of ends that our own hooks may have caused, including unknown reasons."""
FAULTS = frozenset({4, 5, 6, 7, 8, 11, 31})
"""Linux signals that a process gets for its own faults (SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS);
any other signal was sent by somebody."""
MEMORY = ("MEMORY PRESSURE", "TOO MANY CACHED PROCS", "TOO MANY EMPTY PROCS", "TRIM EMPTY", "LARGE CACHED")
"""Subreasons of the reason OTHER that mean a kill for lack of memory."""
KILLS: tuple[tuple[str, Reason], ...] = (
    ("permission", "permission_changed"),
    ("anr", "anr"),
    ("user request after error", "anr"),
    ("crash", "crash"),
    ("start timeout", "start_failed"),
    ("error during init", "start_failed"),
    ("excessive", "resources"),
    ("empty", "low_memory"),
    ("cached", "low_memory"),
    ("trim", "low_memory"),
    ("low memory", "low_memory"),
    ("lmk", "low_memory"),
    ("isolated not needed", "system"),
    ("depends on provider", "dependency_died"),
    ("remove task", "force_stopped"),
    ("kill background", "force_stopped"),
)
"""Part of the reason of am_kill -> what it means; the first that matches counts."""
WAIT_S = 3.0
"""How long to wait for the system to record the end of a process."""
TURN_S = 0.3
SOON = timedelta(seconds=10)
"""Lines of the event log within this time of each other may be about the same end."""


@dataclass(frozen=True)
class End:
    """How one process ended."""

    reason: Reason
    detail: str
    """The system's own description."""
    at: datetime | None = None
    """Its time on the device's clock; None if unknown."""
    pid: int | None = None
    process: str | None = None
    signal: int | None = None
    """The signal, if the reason is `signalled`."""


def is_ours(ended: End | None) -> bool:
    """Whether our own hooks may be to blame for the end (None: unknown, so they may). No hook is to blame if the
    process was killed for memory, stopped by somebody, updated, lost a permission, or exited by itself."""
    if ended is None:
        return True
    if ended.reason == "signalled":
        return ended.signal in FAULTS
    return ended.reason in OURS


class Endings:
    """How the processes of one app ended, for one user."""

    def __init__(self, control: Control, package: str, uid: int) -> None:
        self._control = control
        self._package = package
        self._uid = uid

    def of(self, pid: int, *, wait_s: float = WAIT_S) -> End | None:
        """How the process with that pid ended; waits up to `wait_s` seconds for the system to record it.

        None if the system does not say. As pids are reused, the latest process with it counts. Raises DeviceFault.
        """
        until = time.monotonic() + wait_s
        while True:
            found = [each for each in self.since(None) if each.pid == pid]
            if found or time.monotonic() >= until:
                return found[-1] if found else None
            time.sleep(TURN_S)

    def since(self, moment: datetime | None) -> list[End]:
        """All ends known to the system since a moment of the device's clock, in order; None: all. Raises
        DeviceFault."""
        api = self._control.facts.api
        record = f"dumpsys activity exit-info {shlex.quote(self._package)}" if api >= 30 else "true"
        script = f"date '+%s.%N %z'; {record}; echo; echo ---; {log_command(api)} 2>&1"
        said = self._control.shell.user(script).out
        clock, _, rest = said.partition("\n")
        recorded, _, log = rest.partition("\n---\n")
        words = clock.split()
        now = clock_of(words[0]) if words else None
        zone = zone_of(words[1]) if len(words) > 1 else timedelta()
        logged = events(log, self._package, self._uid, year=(now or datetime.now(UTC)).year, zone=zone).records
        by_system = [end_of(each) for each in exits(recorded, self._package, self._uid, zone).records]
        ends = merged(by_system, from_log(logged))
        return [each for each in ends if moment is None or each.at is None or each.at >= moment]


def merged(recorded: Iterable[End], logged: Iterable[End]) -> list[End]:
    """The ends as the system recorded them and, for ends that it did not record, as the event log has them."""
    known = list(recorded)
    more = [each for each in logged if not any(_is_same(each, other) for other in known)]
    return sorted([*known, *more], key=lambda each: each.at or datetime.max.replace(tzinfo=UTC))


def from_log(lines: Iterable[LogEvent]) -> list[End]:
    """The ends in the event log: a process that died, with what was logged about it shortly before."""
    before: dict[int, list[LogEvent]] = {}
    found: list[End] = []
    for line in lines:
        if line.tag == "am_proc_start":
            before[line.pid] = []
        elif line.tag == "am_proc_died":
            said = [each for each in before.pop(line.pid, []) if line.at - each.at <= SOON]
            found.append(_logged(line, said))
        else:
            before.setdefault(line.pid, []).append(line)
            if line.tag == "am_kill":  # the system does not always log the death of what it kills
                found.append(_logged(line, before[line.pid]))
    once: dict[int, End] = {}
    ends = []
    for each in found:
        last = once.get(each.pid or 0)
        if last is not None and last.at and each.at and each.at - last.at <= SOON:
            continue
        once[each.pid or 0] = each
        ends.append(each)
    return ends


def _logged(line: LogEvent, said: Iterable[LogEvent]) -> End:
    reason: Reason = "unknown"
    detail = "it died, and the event log does not say why"
    for each in said:
        match each.tag:
            case "native_crash":
                reason, detail = "native_crash", each.detail
            case "am_crash":
                native = each.detail.startswith("Native crash")
                if reason != "native_crash":
                    reason, detail = ("native_crash" if native else "crash"), each.detail
            case "am_anr":
                if reason == "unknown":
                    reason, detail = "anr", each.detail
            case "killinfo":
                reason, detail = "low_memory", "killed by lmkd"
            case "am_kill" if reason == "unknown":
                reason, detail = killed(each.detail, each.process), each.detail
            case _:
                pass
    return End(reason, detail, line.at, line.pid, line.process)


def killed(why: str, process: str) -> Reason:
    """What the reason text of am_kill means; it differs between versions."""
    text = why.lower()
    package = process.partition(":")[0].lower()
    if text.startswith(f"stop {package}"):
        return "updated" if any(word in text for word in ("replac", "installpackage", "update")) else "force_stopped"
    return next((reason for words, reason in KILLS if words in text), "system")


def end_of(end: ExitRecord) -> End:
    """The end of a process, as the system recorded it."""
    reason: Reason = REASONS[end.reason][1] if end.reason in REASONS else "unknown"
    said = [end.subreason, end.description]
    if reason == "system" and end.subreason in MEMORY:
        reason = "low_memory"
    if reason == "force_stopped" and end.description and "installPackage" in end.description:
        reason = "updated"
    if reason == "signalled":
        said.insert(0, f"signal {end.status}")
    elif reason == "exited":
        said.insert(0, f"exit code {end.status}")
    detail = ", ".join(part for part in said if part)
    number = end.status if reason == "signalled" else None
    return End(reason, detail or f"reason {end.reason}", end.at, end.pid, end.process, number)


def _is_same(one: End, other: End) -> bool:
    return one.pid == other.pid and one.at is not None and other.at is not None and abs(one.at - other.at) <= SOON
