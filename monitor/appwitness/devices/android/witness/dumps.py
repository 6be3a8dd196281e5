"""Parses Android's own counters to records: AppOps, delivered locations, bytes by user ID.

The formats come from AOSP's sources (release named at each function) and from dumps that phone owners have published;
none was taken from a device of ours. Lines not understood are counted and are never an error, as vendors print more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

MOST_CHARACTERS = 8 << 20
MOST_RECORDS = 20_000
LONGEST_LINE = 2_000
"""Maximum number of characters of a line. Dumps are bounded because the app writes parts of them: attribution tags,
process names."""
PER_USER = 100_000
FIRST_APP = 10_000
SANDBOX = 10_000
"""How much higher the user ID of an app's SDK sandbox is than the app's (13+)."""

_DURATION = re.compile(r"^[+-]?(?:(\d{1,6})d)?(?:(\d{1,3})h)?(?:(\d{1,3})m)?(?:(\d{1,3})s)?(?:(\d{1,4})ms)?$")
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
_OP = r"[A-Z]\w*(?:\(\d+\))?"
"""FINE_LOCATION; a manufacturer's own op has only a number: MIUIOP(10033)."""
_FLAGS = r"(?:s|tpd?|upd?|unknown)"
_STATES = ("pers", "top", "fgsvcl", "fgsvc", "fg", "bg", "cch", "unknown")
_COLUMNS = {
    "uid": ("uid",),
    "package": ("packagename", "package", "pkg", "pkgname"),
    "op": ("opname", "op", "operation"),
    "tag": ("attributiontag", "attribution", "tag"),
    "state": ("uidstate", "state"),
    "flags": ("opflags", "flags"),
    "time": ("accesstime", "time", "timestamp"),
    "duration": ("duration",),
    "accesses": ("accesscounts", "accesscount"),
}
"""Column read from a table of app-ops -> its names in headers, reduced to lower-case letters."""
_NEEDED = frozenset({"uid", "package", "op", "time"})


@dataclass(frozen=True)
class DumpRecords[R]:
    """The records of one dump."""

    records: tuple[R, ...]
    text: str = ""
    """The lines that they were read from: the part of the dump to keep."""
    unknown: int = 0
    """Number of lines that are not understood."""


@dataclass(frozen=True)
class Use:
    """A use of an op that the system noted for the app."""

    op: str
    at: datetime
    """Its time in UTC, on the device's clock."""
    until: datetime | None = None
    """The end of the interval that starts at `at` and contains the use; None: `at` is exact to the millisecond or
    second."""
    tag: str | None = None
    state: str | None = None
    """State of the app: top, fgsvc, fg, bg, cch."""
    flag: str | None = None
    """Who caused the use: s: the app; tpd, upd: another package on its behalf."""
    proxy: str | None = None
    """That other package."""
    lasted: timedelta | None = None
    """How long it lasted, if it is over and the system measured it."""
    exact: bool = True
    """Whether `at` is the system's own time; if not, it was computed from how long ago the use was."""
    count: int = 1
    """How many uses in that interval the system counted together; at least this many."""
    line: str = field(default="", compare=False)
    """The text as printed."""


@dataclass(frozen=True)
class Delivered:
    """How many locations one provider has delivered to the app since the system started."""

    provider: str
    tag: str | None
    locations: int


@dataclass(frozen=True)
class Bytes:
    """The bytes of one user ID."""

    sent: int
    received: int


@dataclass
class _Uses:
    """The state while reading a dump of app-ops line by line."""

    records: list[Use] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unknown: int = 0

    def add(self, use: Use, raw: str) -> None:
        if len(self.records) < MOST_RECORDS:
            self.records.append(use)
            self.kept.append(raw)

    def all(self) -> DumpRecords[Use]:
        return DumpRecords(tuple(self.records), "\n".join(self.kept), self.unknown)


def duration(text: str) -> timedelta | None:
    """Parse the output of TimeUtils.formatDuration: +1h5m27s679ms, -12ms, 0."""
    if text in ("0", "+0", "-0"):
        return timedelta()
    found = _DURATION.match(text)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes, seconds, ms = (int(part or 0) for part in found.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=ms)
    return -span if text.startswith("-") else span


def moment(text: str, zone: timedelta) -> datetime | None:
    """Parse a local time of the device, 2021-01-11 16:01:05.086, in its time zone; returns UTC."""
    try:
        text = "".join(str(unicodedata.decimal(each, each)) for each in text)  # devices print their language's digits
        local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
        return local - zone
    except (ValueError, OverflowError):
        return None


def user_id(text: str) -> int | None:
    """Parse the output of UserHandle.formatUid: u0a123 is 10123, u10a5 is 1010005, u10s1000 is 1001000, 1000 is
    1000."""
    if text.isdecimal() and len(text) < 10:
        return int(text)
    found = re.match(r"^u(\d{1,4})([as])(\d{1,5})(?:i\d{1,5})?$", text)
    if not found:
        return None
    return int(found[1]) * PER_USER + (FIRST_APP if found[2] == "a" else 0) + int(found[3])


def app_ops_get(text: str, now: datetime) -> DumpRecords[Use]:
    """Parse `cmd appops get PKG`, Android 7 to 9, which prints how long ago the last use of each op was.

        FINE_LOCATION: allow; time=+25s67ms ago; rejectTime=+1m ago; duration=+10s

    A time before 2000 means no use: the system prints how long ago the time -1 was.
    """
    line = re.compile(rf"^(?:Uid mode: )?({_OP}): (\w+(?:=\d+)?)((?:; \w+=\S+(?: ago)?)*)( \(running\))?$")
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
        unknown += "; time=" in found[3] and span is None
        if span is None or len(uses) >= MOST_RECORDS:
            continue
        at = _minus(now, span)
        if at is not None and at.year >= 2000:
            uses.append(Use(found[1], at, exact=False, line=each.strip()))
            kept.append(each)
    return DumpRecords(tuple(uses), "\n".join(kept), unknown)


def app_ops(text: str, package: str, uid: int, zone: timedelta) -> DumpRecords[Use]:
    """Parse `dumpsys appops --package PKG`, Android 10 to 16: the last use of each op by app state and by cause.

        Uid u0a123:
          Package com.example:
            FINE_LOCATION (allow / switch COARSE_LOCATION=allow):
              map=[
                Access: [fg-s] 2021-01-11 16:01:05.086 (-1h5m27s679ms) duration=+5s proxy[uid=10070, pkg=a.b, ...]
                Reject: [cch-s]2021-01-11 15:02:12.835 (-2h4m19s930ms)
              ]

    Android 10 prints no brackets with tags. A manufacturer's own op (`MIUIOP(10033) (ask):`) is recognised by its name;
    lines below a header that is not an op's do not count as uses of the op before. Other packages with the same user ID
    are skipped. From 16 on a table of all packages may follow; it is skipped, as the history has the same uses.
    """
    header = re.compile(rf"^({_OP})(?: \(.*\))?:$")
    uses = _Uses()
    here: bool | None = False
    ours, op, tag = False, "", None
    for raw in lines(text):
        line = raw.strip()
        if line.startswith("Uid ") and line.endswith(":"):
            of = user_id(line[4:-1])
            here, ours = None if of is None else of == uid, False
        elif line.startswith("Package ") and line.endswith(":"):
            uses.unknown += here is None and line[8:-1] == package
            ours, op, tag = here is True and line[8:-1] == package, "", None
        elif line.startswith("---") or line.count("|") >= len(_NEEDED):
            ours = False
        elif not ours or not line:
            named = here is True and line.endswith(":") and package in re.split(r"[^\w.]+", line)
            uses.unknown += named or line.startswith("Unknown package")
        elif found := header.match(line):
            op, tag = found[1], None
            uses.kept.append(raw)
        elif line.endswith("=["):
            tag = None if line == "null=[" else line[:-2]
            uses.kept.append(raw)
        elif line == "]":
            tag = None
        elif line.startswith(("Access:", "Reject:")):
            _noted(uses, raw, op, tag, zone)
        elif not line.startswith(("Running start", "startNesting")) and not re.match(rf"^{_OP}: mode=", line):
            uses.unknown += 1
            op = "" if line.endswith(":") else op
    known = re.search(r"^\s*(?:Current AppOps Service state:|Uid \S+:|Unknown package)", text, re.MULTILINE)
    uses.unknown += not known and bool(text.strip())
    return uses.all()


def _noted(uses: _Uses, raw: str, op: str, tag: str | None, zone: timedelta) -> None:
    """Read a line about the last use; a rejected use does not count."""
    line = raw.strip()
    found = re.match(
        rf"^(Access|Reject): \[(\w+)-({_FLAGS}(?:\|{_FLAGS})*)\]\s*({MOMENT}) \(\S+\)"
        r"(?: duration=(\S+))?(?: proxy\[(.*)\])?(.*)$",
        line,
    )
    at = moment(found[4], zone) if found else None
    uses.unknown += not found or at is None or not op or bool(found[7].strip())
    if found and found[1] == "Access" and at is not None and op:
        proxy = re.search(r"pkg=([\w.]+)", found[6] or "")
        by, lasted = proxy[1] if proxy else None, duration(found[5] or "")
        uses.add(Use(op, at, None, tag, found[2], found[3], by, lasted, line=line), raw)


@dataclass(frozen=True)
class _OpsTable:
    """The columns of a table of app-ops, in the order of its header."""

    names: tuple[str, ...]
    """The columns' names as in _COLUMNS; columns that are not read have their names from the header."""

    @classmethod
    def of(cls, line: str) -> _OpsTable | None:
        """The table with this header, a line of words between bars; None: it is not a header."""
        cells = _cells(line)
        if len(cells) < 3 or not all(re.fullmatch(r"[A-Za-z][A-Za-z_ ]*", cell) for cell in cells):
            return None
        plain = [re.sub("[^a-z]", "", cell.lower()) for cell in cells]
        known = {said: name for name, said_all in _COLUMNS.items() for said in said_all}
        return cls(tuple(known.get(each, each) for each in plain))

    def read(
        self, line: str, package: str, uid: int, zone: timedelta, quantum: timedelta
    ) -> Use | Literal["unknown"] | None:
        """The use in a row; None: it is another app's, or there was no access. A bar may also occur in a tag or
        between flags: a row is read only if there is exactly one way to read it."""
        cells = _cells(line)
        more = len(cells) - len(self.names)
        ways = [cells] if not more else []
        for name in ("tag", "flags") if more > 0 else ():
            if name in self.names:
                at = self.names.index(name)
                ways.append([*cells[:at], "|".join(cells[at : at + more + 1]), *cells[at + more + 1 :]])
        rows = [row for way in ways if (row := dict(zip(self.names, way, strict=True))) and self._is_whole(row, zone)]
        if len(rows) != 1:
            return _unread(line, package)
        row = rows[0]
        if row["package"] != package or user_id(row["uid"]) != uid or row.get("accesses") == "0":
            return None
        start = _moment(row["time"], zone)
        assert start is not None
        tag = row.get("tag")
        return Use(
            row["op"],
            start,
            _minus(start, -quantum),
            None if tag in ("null", "") else tag,
            row.get("state"),
            row.get("flags"),
            count=int(row.get("accesses", "1")),
            line=line,
        )

    @staticmethod
    def _is_whole(row: Mapping[str, str], zone: timedelta) -> bool:
        return (
            row.keys() >= _NEEDED
            and user_id(row["uid"]) is not None
            and re.fullmatch(_OP, row["op"]) is not None
            and _moment(row["time"], zone) is not None
            and row.get("state", "top") in _STATES
            and re.fullmatch(rf"{_FLAGS}(?:\|{_FLAGS})*", row.get("flags", "s")) is not None
            and re.fullmatch(r"\d{1,9}", row.get("accesses", "1")) is not None
        )


def _unread(line: str, package: str) -> Literal["unknown"] | None:
    return "unknown" if package in _cells(line) else None


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _moment(text: str, zone: timedelta) -> datetime | None:
    """Parse a time in a table: local time, or milliseconds since 1970."""
    if re.fullmatch(r"\d{12,13}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return moment(text, zone)


def app_ops_history(text: str, package: str, uid: int, zone: timedelta, quantum: timedelta) -> DumpRecords[Use]:
    """Parse `dumpsys appops --history --include-discrete N --package PKG`, Android 12 to 16: each use of a few ops, its
    time rounded down to `quantum` (a minute, unless somebody set another); from 15 on with lines `Device:`.

        Discrete accesses:
          Uid: 10123
            Package: com.example
              FINE_LOCATION
                Attribution: map
                  Access [fg-s] at 2026-07-24 09:10:00.000 for 60000 milliseconds  attribution flags=9 with chainId=-1

    From 16 on it may be a table instead, with the columns in a different order in each release:

        UID|PACKAGE_NAME|DEVICE_ID|OP_NAME|ATTRIBUTION_TAG|UID_STATE|OP_FLAGS|ATTR_FLAGS|CHAIN_ID|ACCESS_TIME|DURATION
        10123|com.example|default:0|FINE_LOCATION|map|fg|s|9|-1|2026-07-24 09:10:00.000|60000
    """
    uses = _Uses()
    known = _read_tree(text, package, uid, zone, quantum, uses)
    known = _read_tables(text, package, uid, zone, quantum, uses) or known
    uses.unknown += not known and not uses.unknown and bool(text.strip())
    return uses.all()


def _read_tree(text: str, package: str, uid: int, zone: timedelta, quantum: timedelta, uses: _Uses) -> bool:
    """Read a history that is nested by user ID, package, op, tag and use; returns whether there is one."""
    known = False
    here: bool | None = False
    ours, op, tag = False, "", None
    for raw in lines(text):
        line = raw.strip()
        if line.startswith(("Discrete accesses:", "Unknown package")):
            known = True
            uses.unknown += line.startswith("Unknown")
        elif not known or not line or line.count("|") >= len(_NEEDED):
            continue
        elif line.startswith("Uid: "):
            of = user_id(line[5:])
            here, ours = None if of is None else of == uid, False
        elif line.startswith("Package: "):
            uses.unknown += here is None and line[9:] == package
            ours, op, tag = here is True and line[9:] == package, "", None
        elif not ours or line.startswith("Device: "):
            continue
        elif line.startswith("Attribution: "):
            tag = None if line[13:] == "null" else line[13:]
            uses.kept.append(raw)
        elif re.fullmatch(_OP, line):
            op, tag = line, None
            uses.kept.append(raw)
        elif line.startswith("Access"):
            _discrete(uses, raw, op, tag, zone, quantum)
        else:
            uses.unknown += 1
            op = ""
    return known


def _discrete(uses: _Uses, raw: str, op: str, tag: str | None, zone: timedelta, quantum: timedelta) -> None:
    """Read a line about one use, or about the uses within a minute."""
    line = raw.strip()
    found = re.match(
        rf"^Access \[(\w+)-({_FLAGS}(?:\|{_FLAGS})*)\] at ({MOMENT})(?: for -?\d+ milliseconds)?"
        r"(?:\s+attribution flags=\d+ with chainId=-?\d+)?(.*)$",
        line,
    )
    at = moment(found[3], zone) if found else None
    uses.unknown += not found or at is None or not op or bool(found[4].strip())
    if found and at is not None and op:
        uses.add(Use(op, at, _minus(at, -quantum), tag, found[1], found[2], line=line), raw)


def _read_tables(text: str, package: str, uid: int, zone: timedelta, quantum: timedelta, uses: _Uses) -> bool:
    """Read a history printed as tables, each with a header; returns whether there is one. Totals over longer
    intervals are skipped if there are single uses too."""
    known = aggregated = False
    totals = 0
    table: _OpsTable | None = None
    for raw in lines(text):
        line = raw.strip()
        if line.startswith("---"):
            aggregated, table = "Aggregated" in line, None
        elif "|" not in line:
            continue
        elif columns := _OpsTable.of(line):
            table, known = columns, known or not aggregated
        else:
            use = table.read(line, package, uid, zone, quantum) if table else _unread(line, package)
            if aggregated:
                totals += use is not None
            elif isinstance(use, Use):
                uses.add(use, raw)
            else:
                uses.unknown += use is not None
    uses.unknown += 0 if known else totals
    return known


def locations(text: str, package: str, uid: int) -> DumpRecords[Delivered]:
    """Parse `dumpsys location`, Android 12 to 16. Earlier versions print the requests, but no delivered locations.

    Historical Aggregate Location Provider Data:
      gps:
        10123/com.example[map]: min/max interval = 0s/1s, total/active/foreground duration = +5s/..., locations = 14
    """
    row = re.compile(r"^(\d+)/([\w.]+)(?:\[(.*)\])?: .*\blocations = (\d{1,12})$")
    found: list[Delivered] = []
    kept: list[str] = []
    unknown = 0
    there, inside, provider, depth = False, False, "", 0
    for raw in lines(text):
        line = raw.strip()
        if line.startswith("Historical Aggregate Location Provider Data"):
            there, inside, depth = True, True, _depth(raw)
        elif not inside or not line:
            continue
        elif re.fullmatch(r"[\w.-]+:", line):
            provider = line[:-1]
        elif match := row.match(line):
            if (int(match[1]), match[2]) == (uid, package) and len(found) < MOST_RECORDS:
                found.append(Delivered(provider, match[3], int(match[4])))
                kept.append(f"{provider}: {line}")
        elif package in line or line.startswith(f"{uid}/"):
            unknown += 1
        elif _depth(raw) <= depth and "interval = " not in line:
            inside = False  # the next section
    return DumpRecords(tuple(found), "\n".join(kept), unknown + int(not there and bool(text.strip())))


def network_bytes(text: str, uid: int) -> DumpRecords[Bytes]:
    """Parse `dumpsys netstats detail`, Android 7 to 16, after `dumpsys netstats --poll`: bytes over networks since the
    system started, without loopback. No record is returned if it prints nothing by user ID.

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
            # Greedy, as a network's name may look like these fields.
            match = re.search(r".*\buid=(-?\d+) set=(\w+) tag=(0x[0-9a-f]+)", line)
            unknown += not match
            ours = match is not None and int(match[1]) in (uid, uid + SANDBOX) and int(match[3], 16) == 0
            ours = ours and match is not None and not match[2].startswith("DBG")  # DBG: a VPN's bytes, counted twice
        elif ours and (match := re.search(r"\brb=(\d{1,15})\b.*\btb=(\d{1,15})\b", line)):
            received += int(match[1])
            sent += int(match[2])
            if len(kept) < MOST_RECORDS:
                kept.append(line)
        elif ours and re.match(r"(?:st|bucketStart)=", line):
            unknown += 1
        elif line.startswith(("mAppUidStatsMap", "mStatsMapA", "BPF map")):
            inside = False
    return _counted(text, there, Bytes(sent, received), kept, unknown)


def counted_by_kernel(text: str, uid: int) -> DumpRecords[Bytes]:
    """Parse `/proc/net/xt_qtaguid/stats`, Android 7 to 9, without loopback; tag 0x0 includes bytes of tagged sockets.

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
    return _counted(text, there, Bytes(sent, received), kept, unknown)


def counted_by_map(text: str, uid: int) -> DumpRecords[Bytes]:
    """Parse the table of bytes by user ID in `dumpsys netd trafficcontroller` (9 to 12), `dumpsys connectivity
    trafficcontroller` (13) and `dumpsys netstats` (14 to 16), including loopback.

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
    return _counted(text, there, Bytes(sent, received), kept, unknown)


def _counted(text: str, there: bool, count: Bytes, kept: list[str], unknown: int) -> DumpRecords[Bytes]:
    """The count as a record; no record if there is no such table, which then counts as not understood."""
    return DumpRecords((count,) if there else (), "\n".join(kept), unknown + int(not there and bool(text.strip())))


def zone_of(text: str) -> timedelta:
    """Parse the output of `date +%z`: +0530. Anything else counts as no offset."""
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text.strip())
    if not found:
        return timedelta()
    span = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -span if found[1] == "-" else span


def clock_of(text: str) -> datetime | None:
    """Parse the output of `date +%s.%N`; a device that does not know %N prints it literally."""
    found = re.match(r"^(\d{9,11})(?:\.(\d{1,9}))?", text.strip())
    if not found:
        return None
    micros = int((found[2] or "0").ljust(9, "0")[:6])
    return datetime.fromtimestamp(int(found[1]), UTC) + timedelta(microseconds=micros)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _minus(at: datetime, span: timedelta) -> datetime | None:
    try:
        return at - span
    except OverflowError:
        return None


def lines(text: str) -> Iterator[str]:
    """The lines of a dump, within the limits."""
    for line in text[:MOST_CHARACTERS].splitlines():
        yield line[:LONGEST_LINE]
