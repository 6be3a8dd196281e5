"""Reads what Android prints of its own counts, as records: AppOps, places delivered, bytes by user id.

Formats are those of AOSP's sources (release named at each function) and of dumps that owners of phones have published;
none was taken from a device of ours. What is not understood is counted, and never an error: vendors print more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

MOST_CHARACTERS = 8 << 20
MOST_RECORDS = 20_000
LONGEST_LINE = 2_000
"""A dump is bounded, because the app writes some of it: attribution tags and process names."""
PER_USER = 100_000
FIRST_APP = 10_000
SANDBOX = 10_000
"""How much higher the user id of an app's SDK sandbox is than its own (13+)."""

_DURATION = re.compile(r"^[+-]?(?:(\d{1,6})d)?(?:(\d{1,3})h)?(?:(\d{1,3})m)?(?:(\d{1,3})s)?(?:(\d{1,4})ms)?$")
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"


@dataclass(frozen=True)
class DumpRecords[R]:
    """The records of one dump."""

    records: tuple[R, ...]
    text: str = ""
    """The lines that they were read from: what to keep of the dump."""
    unknown: int = 0
    """Lines there that are not understood."""


@dataclass(frozen=True)
class Use:
    """An op that the system noted for the app."""

    op: str
    at: datetime
    """UTC, by the device's clock."""
    until: datetime | None = None
    """The end of the span in which `at` is known; None: `at` is good to the millisecond or second."""
    tag: str | None = None
    state: str | None = None
    """Of the app: top, fgsvc, fg, bg, cch."""
    flag: str | None = None
    """Who asked: s the app; tpd, upd another package on its behalf."""
    proxy: str | None = None
    """That other package."""
    lasted: timedelta | None = None
    """How long, where it is over and the system measured it."""
    exact: bool = True
    """Whether `at` is the system's own time; else it was computed from how long ago that was."""
    line: str = field(default="", compare=False)
    """As it was printed."""


@dataclass(frozen=True)
class Delivered:
    """How many places one provider has delivered to the app since the system started."""

    provider: str
    tag: str | None
    locations: int


@dataclass(frozen=True)
class Bytes:
    """Of one user id."""

    sent: int
    received: int


def duration(text: str) -> timedelta | None:
    """What TimeUtils.formatDuration prints: +1h5m27s679ms, -12ms, 0."""
    if text in ("0", "+0", "-0"):
        return timedelta()
    found = _DURATION.match(text)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes, seconds, ms = (int(part or 0) for part in found.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=ms)
    return -span if text.startswith("-") else span


def moment(text: str, zone: timedelta) -> datetime | None:
    """A local time of the device, 2021-01-11 16:01:05.086, with the zone that it has."""
    try:
        local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
        return local - zone
    except (ValueError, OverflowError):
        return None


def user_id(text: str) -> int | None:
    """What UserHandle.formatUid prints: u0a123 is 10123, u10a5 is 1010005, 1000 is 1000."""
    if text.isdecimal() and len(text) < 10:
        return int(text)
    found = re.match(r"^u(\d{1,4})a(\d{1,5})(?:i\d{1,5})?$", text)
    return int(found[1]) * PER_USER + FIRST_APP + int(found[2]) if found else None


def app_ops_get(text: str, now: datetime) -> DumpRecords[Use]:
    """`cmd appops get PKG`, Android 7 to 9, which tell how long ago the last use of each op was.

        FINE_LOCATION: allow; time=+25s67ms ago; rejectTime=+1m ago; duration=+10s

    A time before 2000 is none: the system prints how long ago -1 was.
    """
    line = re.compile(r"^(?:Uid mode: )?([A-Z][A-Z0-9_]*): (\w+(?:=\d+)?)((?:; \w+=\S+(?: ago)?)*)( \(running\))?$")
    uses: list[Use] = []
    kept: list[str] = []
    unknown = 0
    for each in lines(text):
        found = line.match(each.strip())
        if not found:
            unknown += bool(each.strip()) and not each.startswith(("No operations", "Default mode"))
            continue
        ago = re.search(r"; time=(\S+) ago", found[3])
        span = duration(ago[1]) if ago else None
        if span is None or len(uses) >= MOST_RECORDS:
            continue
        at = _minus(now, span)
        if at is not None and at.year >= 2000:
            uses.append(Use(found[1], at, exact=False, line=each.strip()))
            kept.append(each)
    return DumpRecords(tuple(uses), "\n".join(kept), unknown)


def app_ops(text: str, package: str, uid: int, zone: timedelta) -> DumpRecords[Use]:
    """`dumpsys appops --package PKG`, Android 10 to 16: the last use of each op by state of the app and by who asked.

        Uid u0a123:
          Package com.example:
            FINE_LOCATION (allow / switch COARSE_LOCATION=allow):
              map=[
                Access: [fg-s] 2021-01-11 16:01:05.086 (-1h5m27s679ms) duration=+5s proxy[uid=10070, pkg=a.b, ...]
                Reject: [cch-s]2021-01-11 15:02:12.835 (-2h4m19s930ms)
              ]

    In 10 there are no braces with tags. What is printed of other packages of the same user id is passed over.
    """
    access = re.compile(
        rf"^(Access|Reject): \[([\w-]+)-(\w+)\]\s*({MOMENT}) \(\S+\)(?: duration=(\S+))?(?: proxy\[(.*)\])?$"
    )
    header = re.compile(r"^([A-Z][A-Z0-9_]+)(?: \(.*\))?:$")
    uses: list[Use] = []
    kept: list[str] = []
    unknown = 0
    here, ours, op, tag = False, False, "", None
    for raw in lines(text):
        line = raw.strip()
        if line.startswith("Uid ") and line.endswith(":"):
            here, ours = user_id(line[4:-1]) == uid, False
        elif line.startswith("Package ") and line.endswith(":"):
            ours = here and line[8:-1] == package
        elif not ours or not line:
            continue
        elif found := header.match(line):
            op, tag = found[1], None
            kept.append(raw)
        elif line.endswith("=["):
            tag = None if line == "null=[" else line[:-2]
            kept.append(raw)
        elif line == "]":
            tag = None
        elif found := access.match(line):
            at = moment(found[4], zone)
            proxy = re.search(r"pkg=([\w.]+)", found[6] or "")
            if found[1] == "Access" and at is not None and op and len(uses) < MOST_RECORDS:
                by, lasted = proxy[1] if proxy else None, duration(found[5] or "")
                uses.append(Use(op, at, None, tag, found[2], found[3], by, lasted, line=line))
                kept.append(raw)
        elif not line.startswith(("Running start", "startNesting")) and "mode=" not in line:
            unknown += 1
    return DumpRecords(tuple(uses), "\n".join(kept), unknown)


def app_ops_history(text: str, package: str, uid: int, zone: timedelta, quantum: timedelta) -> DumpRecords[Use]:
    """`dumpsys appops --history --include-discrete N --package PKG`, Android 12 to 16: each use of a few ops, its time
    rounded down to `quantum` (a minute, unless somebody set another); `Device:` stands there from 15.

        Discrete accesses:
          Uid: 10123
            Package: com.example
              FINE_LOCATION
                Attribution: map
                  Access [fg-s] at 2026-07-24 09:10:00.000 for 60000 milliseconds
    """
    access = re.compile(rf"^Access \[([\w-]+)-(\w+)\] at ({MOMENT})(?: for -?\d+ milliseconds)?$")
    uses: list[Use] = []
    kept: list[str] = []
    unknown = 0
    found_section, here, ours, op, tag = False, False, False, "", None
    for raw in lines(text):
        line = raw.strip()
        if line.startswith("Discrete accesses:"):
            found_section = True
        elif not found_section or not line:
            continue
        elif line.startswith("Uid: "):
            here, ours = user_id(line[5:]) == uid, False
        elif line.startswith("Package: "):
            ours = here and line[9:] == package
        elif not ours:
            continue
        elif line.startswith("Attribution: "):
            tag = None if line[13:] == "null" else line[13:]
            kept.append(raw)
        elif re.fullmatch(r"[A-Z][A-Z0-9_]+", line):
            op, tag = line, None
            kept.append(raw)
        elif match := access.match(line):
            at = moment(match[3], zone)
            if at is not None and op and len(uses) < MOST_RECORDS:
                uses.append(Use(op, at, _minus(at, -quantum), tag, match[1], match[2], line=line))
                kept.append(raw)
        elif not line.startswith("Device: "):
            unknown += 1
    return DumpRecords(tuple(uses), "\n".join(kept), unknown)


def locations(text: str, package: str, uid: int) -> DumpRecords[Delivered]:
    """`dumpsys location`, Android 12 to 16. Before that it tells who asked and not how much was delivered.

    Historical Aggregate Location Provider Data:
      gps:
        10123/com.example[map]: min/max interval = 0s/1s, total/active/foreground duration = +5s/..., locations = 14
    """
    row = re.compile(r"^(\d+)/([\w.]+)(?:\[(.*)\])?: .*\blocations = (\d{1,12})$")
    found: list[Delivered] = []
    kept: list[str] = []
    unknown = 0
    inside, provider = False, ""
    for raw in lines(text):
        line = raw.strip()
        if line.startswith("Historical Aggregate Location Provider Data:"):
            inside = True
        elif not inside or not line:
            continue
        elif re.fullmatch(r"[\w.-]+:", line):
            provider = line[:-1]
        elif match := row.match(line):
            if (int(match[1]), match[2]) == (uid, package) and len(found) < MOST_RECORDS:
                found.append(Delivered(provider, match[3], int(match[4])))
                kept.append(f"{provider}: {line}")
        elif "interval = " in line:
            unknown += package in line
        else:
            inside = False  # the next section
    return DumpRecords(tuple(found), "\n".join(kept), unknown)


def network_bytes(text: str, uid: int) -> DumpRecords[Bytes]:
    """`dumpsys netstats detail`, Android 7 to 16, after `dumpsys netstats --poll`: bytes over networks since the
    system started, without loopback. None is read where it prints nothing by user id.

        UID stats:
          ident=[{type=1, ...}] uid=10123 set=DEFAULT tag=0x0
            NetworkStatsHistory: bucketDuration=7200
              st=1600000000 rb=123 rp=1 tb=456 tp=2 op=0
    """
    sent = received = unknown = 0
    kept: list[str] = []
    inside, there, ours = False, False, False
    for raw in lines(text):
        line = raw.strip()
        if re.fullmatch(r"[A-Za-z]+(?: [A-Za-z]+)* stats:", line):
            inside, ours = line == "UID stats:", False
            there = there or inside
        elif not inside:
            continue
        elif line.startswith("ident="):
            match = re.search(r"\buid=(-?\d+) set=\w+ tag=(0x[0-9a-f]+)", line)
            unknown += not match
            ours = match is not None and int(match[1]) in (uid, uid + SANDBOX) and int(match[2], 16) == 0
        elif ours and (match := re.search(r"\brb=(\d{1,15})\b.*\btb=(\d{1,15})\b", line)):
            received += int(match[1])
            sent += int(match[2])
            if len(kept) < MOST_RECORDS:
                kept.append(line)
        elif line.startswith(("mAppUidStatsMap", "mStatsMapA", "BPF map")):
            inside = False
    return DumpRecords((Bytes(sent, received),) if there else (), "\n".join(kept), unknown)


def counted_by_kernel(text: str, uid: int) -> DumpRecords[Bytes]:
    """`/proc/net/xt_qtaguid/stats`, Android 7 to 9, without loopback; what sockets tagged is in tag 0x0 too.

    idx iface acct_tag_hex uid_tag_int cnt_set rx_bytes rx_packets tx_bytes tx_packets ...
    """
    sent = received = unknown = 0
    there, kept = False, []
    for line in lines(text):
        parts = line.split()
        if parts[:2] == ["idx", "iface"]:
            there = True
        elif there and len(parts) >= 9 and all(part.isdecimal() and len(part) < 16 for part in (parts[3], *parts[5:9])):
            if parts[1] != "lo" and int(parts[3]) in (uid, uid + SANDBOX) and parts[2] == "0x0":
                received += int(parts[5])
                sent += int(parts[7])
                kept.append(line)
        elif there:
            unknown += bool(parts)
    return DumpRecords((Bytes(sent, received),) if there else (), "\n".join(kept), unknown)


def counted_by_map(text: str, uid: int) -> DumpRecords[Bytes]:
    """The table of bytes by user id that `dumpsys netd trafficcontroller` (9 to 12), `dumpsys connectivity
    trafficcontroller` (13) and `dumpsys netstats` (14 to 16) print, loopback included.

    mAppUidStatsMap:
      uid rxBytes rxPackets txBytes txPackets
      10123 1234 5 678 9
    """
    sent = received = unknown = 0
    there, kept = False, []
    for line in lines(text):
        parts = line.split()
        if parts[:2] == ["uid", "rxBytes"]:
            there = True
        elif there and len(parts) == 5 and all(part.isdecimal() and len(part) < 16 for part in parts):
            if int(parts[0]) in (uid, uid + SANDBOX):
                received += int(parts[1])
                sent += int(parts[3])
                kept.append(line)
        elif there and parts:
            break
    return DumpRecords((Bytes(sent, received),) if there else (), "\n".join(kept), unknown)


def zone_of(text: str) -> timedelta:
    """What `date +%z` prints: +0530. No offset where it prints nothing of the kind."""
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text.strip())
    if not found:
        return timedelta()
    span = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -span if found[1] == "-" else span


def clock_of(text: str) -> datetime | None:
    """What `date +%s.%N` prints; a device that knows no %N prints it as it is."""
    found = re.match(r"^(\d{9,11})(?:\.(\d{1,9}))?", text.strip())
    if not found:
        return None
    micros = int((found[2] or "0").ljust(9, "0")[:6])
    return datetime.fromtimestamp(int(found[1]), UTC) + timedelta(microseconds=micros)


def _minus(at: datetime, span: timedelta) -> datetime | None:
    try:
        return at - span
    except OverflowError:
        return None


def lines(text: str) -> Iterator[str]:
    """The lines of a dump, as far as it is read."""
    for line in text[:MOST_CHARACTERS].splitlines():
        yield line[:LONGEST_LINE]
