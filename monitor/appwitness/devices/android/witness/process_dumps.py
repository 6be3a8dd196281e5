"""Parses Android's process dumps to records: running processes, how each ended, and the event log.

As in dumps.py, the formats come from AOSP's sources and from published dumps, not from a device of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from appwitness.devices.android.witness.dumps import (
    LONGEST_LINE,
    MOMENT,
    MOST_CHARACTERS,
    MOST_RECORDS,
    SANDBOX,
    DumpRecords,
    clock_of,
    lines,
    moment,
    user_id,
)


@dataclass(frozen=True)
class ProcessRecord:
    """A running process."""

    pid: int
    name: str
    isolated: bool = False


@dataclass(frozen=True)
class ExitRecord:
    """How one process ended."""

    at: datetime
    pid: int
    process: str
    reason: int
    """The reason's number in android.app.ApplicationExitInfo: 3 is low memory."""
    subreason: str | None = None
    status: int = 0
    """Exit code, or signal number."""
    description: str | None = None
    line: str = field(default="", compare=False)
    """As it was printed."""


@dataclass(frozen=True)
class LogEvent:
    """A line of the system's event log, or the first line of a native crash."""

    at: datetime
    tag: str
    pid: int
    """Pid of the process that it is about."""
    process: str
    detail: str
    uid: int | None = None
    line: str = field(default="", compare=False)
    """As it was printed."""


def processes(text: str, uid: int) -> DumpRecords[ProcessRecord]:
    """Parse `dumpsys activity processes`, Android 7 to 16: the app's processes, including isolated ones (u0a123i5)
    and those of its sandbox."""
    record = re.compile(r"\b(\d{1,9}):([^\s/{}]{1,200})/(u\d+a\d+|\w+)(i\d+)?\b")
    found: dict[int, ProcessRecord] = {}
    known = False
    for line in lines(text):
        for match in record.finditer(line):
            known = True
            if user_id(match[3]) in (uid, uid + SANDBOX) and len(found) < MOST_RECORDS:
                found[int(match[1])] = ProcessRecord(int(match[1]), match[2], match[4] is not None)
    kept = "\n".join(f"{each.pid}:{each.name}" for each in found.values())
    told = re.search(r"ProcessRecord|\bpid\b", text)
    return DumpRecords(tuple(found.values()), kept, int(not known and told is not None))


def exits(text: str, package: str, uid: int, zone: timedelta) -> DumpRecords[ExitRecord]:
    """Parse `dumpsys activity exit-info PKG`, Android 11 to 16; 11 and 12 print no subreason.

    ApplicationExitInfo #0:
      timestamp=2026-10-08 22:49:31.375 pid=8297 realUid=10197 packageUid=10197 definingUid=10197 user=0
      process=com.example reason=10 (USER REQUESTED) subreason=21 (FORCE STOP) status=0
      importance=100 pss=0.00 rss=0.00 description=stop com.example due to from pid 8396 state=empty trace=null
    """
    found: list[ExitRecord] = []
    kept: list[str] = []
    unknown = 0
    blocks = re.split(r"^\s*ApplicationExitInfo #\d+:?\s*$", text[:MOST_CHARACTERS], flags=re.MULTILINE)
    if len(blocks) == 1 and re.search(r"\breason=\d|ApplicationExitInfo", text):
        unknown += 1
    for block in blocks[1:]:
        said = " ".join(part.strip()[:LONGEST_LINE] for part in block.splitlines()[:24])
        fields = dict(re.findall(r"\b(pid|packageUid|process|status)=(\S+)", said))
        when = re.search(rf"timestamp=({MOMENT})", said)
        reason = re.search(r" reason=(\d{1,4}) ", said)
        at = moment(when[1], zone) if when else None
        numbers = [fields.get(name, "") for name in ("pid", "packageUid", "status")]
        if at is None or not reason or not all(re.fullmatch(r"-?\d{1,10}", number) for number in numbers):
            unknown += 1
            continue
        pid, of, status = map(int, numbers)
        if of != uid or len(found) >= MOST_RECORDS:
            continue
        sub = re.search(r" subreason=\d+ \((.+?)\) status", said)
        why = re.search(r" description=(.*?)(?: (?:state|trace)=|$)", said)
        named = sub[1] if sub and sub[1] != "UNKNOWN" else None
        description = why[1][:300] if why and why[1] != "null" else None
        found.append(
            ExitRecord(at, pid, fields.get("process", package), int(reason[1]), named, status, description, said)
        )
        kept.append(said)
    return DumpRecords(tuple(found), "\n".join(kept), unknown)


Reason = Literal[
    "exited",
    "signalled",
    "low_memory",
    "crash",
    "native_crash",
    "anr",
    "start_failed",
    "permission_changed",
    "resources",
    "force_stopped",
    "user_stopped",
    "dependency_died",
    "system",
    "frozen",
    "package_changed",
    "updated",
    "unknown",
]
"""exited: by itself; low_memory: the system needed its memory; force_stopped: somebody, possibly appwitness, stopped
or removed it; user_stopped: the Android user was stopped; frozen: it received a call while frozen."""
REASONS: dict[int, tuple[str, Reason]] = {
    1: ("EXIT_SELF", "exited"),
    2: ("SIGNALED", "signalled"),
    3: ("LOW_MEMORY", "low_memory"),
    4: ("CRASH", "crash"),
    5: ("CRASH_NATIVE", "native_crash"),
    6: ("ANR", "anr"),
    7: ("INITIALIZATION_FAILURE", "start_failed"),
    8: ("PERMISSION_CHANGE", "permission_changed"),
    9: ("EXCESSIVE_RESOURCE_USAGE", "resources"),
    10: ("USER_REQUESTED", "force_stopped"),
    11: ("USER_STOPPED", "user_stopped"),
    12: ("DEPENDENCY_DIED", "dependency_died"),
    13: ("OTHER", "system"),
    14: ("FREEZER", "frozen"),
    15: ("PACKAGE_STATE_CHANGE", "package_changed"),
    16: ("PACKAGE_UPDATED", "updated"),
}
"""Number in android.app.ApplicationExitInfo -> its name there without REASON_, and what it means."""
EVENTS = {
    "am_proc_start": (1, 3, 4),
    "am_proc_died": (1, 2, 3),
    "am_kill": (1, 2, 4),
    "am_crash": (0, 2, 4),
    "am_anr": (1, 2, 4),
}
"""Event -> the indexes of its fields with the pid and the process name, and of the first field of its description
(event-log-tags; the fields of am_crash come in a different order than declared there)."""


def log_command(api: int) -> str:
    """The command that prints the event log and native crashes, each line with its time: seconds since 1970 from
    Android 8 on, local time before."""
    return f"logcat -d -v {'epoch' if api >= 26 else 'threadtime'} -b events,crash"


def events(
    text: str, package: str, uid: int, *, year: int = 1970, zone: timedelta = timedelta()
) -> DumpRecords[LogEvent]:
    """Parse the output of `log_command`: the starts and ends of the app's processes. `year` and `zone` complete the
    times that Android 7 prints.

    1790448214.411  1409  2589 I am_kill : [0,1979,com.example,905,kill background,79208]
    1790448214.500  3503  3503 F DEBUG   : pid: 1979, tid: 1981, name: worker  >>> com.example <<<
    1790448214.600   390   390 I killinfo: [1979,10123,905,...]
    """
    line = re.compile(
        r"^\s*(\d{9,11}\.\d{3,6}|\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})\s+(?:\S+\s+)?\d+\s+\d+\s+[A-Z]\s+(\S+?)\s*: (.*)$"
    )
    found: list[LogEvent] = []
    kept: list[str] = []
    unknown = 0
    own: dict[int, str] = {}
    for raw in lines(text):
        match = line.match(raw)
        if not match:
            unknown += package in raw  # other lines are ignored
            continue
        at = moment(f"{year}-{match[1]}", zone) if " " in match[1] else clock_of(match[1])
        tag = match[2]
        event = _event(at, tag, match[3], own) if at is not None else None
        if event is None or len(found) >= MOST_RECORDS:
            continue
        started = tag == "am_proc_start" and event.uid in (uid, uid + SANDBOX)
        if not started and event.process.partition(":")[0] != package and event.pid not in own:
            continue
        own[event.pid] = event.process
        found.append(replace(event, line=raw.strip()))
        kept.append(raw)
    return DumpRecords(tuple(found), "\n".join(kept), unknown)


def _event(at: datetime, tag: str, said: str, own: dict[int, str]) -> LogEvent | None:
    if tag == "DEBUG":
        crash = re.search(r"pid: (\d{1,9}), .*>>> (\S+) <<<", said)
        return LogEvent(at, "native_crash", int(crash[1]), crash[2], said[:300]) if crash else None
    fields = said[1:-1].split(",") if said.startswith("[") and said.endswith("]") else []
    if tag == "killinfo" and fields and fields[0].isdecimal() and (pid := int(fields[0])) in own:
        return LogEvent(at, tag, pid, own[pid], said[:300])
    if tag not in EVENTS or len(fields) <= EVENTS[tag][2]:
        return None
    pid_at, name_at, rest = EVENTS[tag]
    number = fields[pid_at].strip()
    if not number.isdecimal() or len(number) > 9:
        return None
    uid = fields[2].strip() if tag == "am_proc_start" else ""
    detail = ",".join(fields[rest:]).strip()[:300]
    return LogEvent(at, tag, int(number), fields[name_at].strip(), detail, int(uid) if uid.isdecimal() else None)
