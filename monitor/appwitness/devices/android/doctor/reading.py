"""Tries a run's parsers on a device's dumps, and names the dumps whose format is unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from appwitness.devices.android.app.package_dump import PackageDump
from appwitness.devices.android.device_facts import properties
from appwitness.devices.android.screen.focus import focused
from appwitness.devices.android.wakefulness import LOCKED
from appwitness.devices.android.witness import dumps, process_dumps
from appwitness.devices.android.witness.counters import FAILED, QUANTUM
from appwitness.support.spoken import Spoken

LEAST_API = 24
MOST_ASKED = 3000
"""Maximum number of lines of one dump to query: a whole dump would take a phone several seconds."""
MOST_LINES = 900
"""Maximum number of lines of one dump that are tried one by one to find those not understood."""
MOST_APPS = 40
NO_ZONE = timedelta()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Subject = tuple[str, int]
"""Package and user ID."""


@dataclass(frozen=True)
class ReadDump:
    """A dump that a run reads."""

    command: str
    unknown: Callable[[str], int]
    """Returns how many of its lines are not understood, whichever app they concern."""
    since: int = LEAST_API
    until: int = 10_000
    """The first and last API level that has it."""


@dataclass(frozen=True)
class Unread:
    """A dump that is not understood, or only partly."""

    name: str
    why: str
    lines: tuple[str, ...] = ()
    """The lines that are not understood."""


def _of_each(
    subjects: Callable[[str], Iterable[Subject]], read: Callable[[str, str, int], Any]
) -> Callable[[str], int]:
    """A function that counts unknown lines: it reads a dump once for each app in it, and returns the highest count."""

    def unknown(text: str) -> int:
        there = list(dict.fromkeys(subjects(text)))[:MOST_APPS] or [("com.android.shell", 2000)]
        return max(int(read(text, package, uid).unknown) for package, uid in there)

    return unknown


def _in_tree(text: str) -> Iterable[Subject]:
    uid = None
    for line in map(str.strip, text.splitlines()):
        if found := re.match(r"Uid:? (\S+?):?$", line):
            uid = dumps.user_id(found[1])
        elif (found := re.match(r"Package:? (\S+?):?$", line)) and uid is not None:
            yield found[1], uid
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        named = [cell for cell in cells if re.fullmatch(r"[A-Za-z]\w*(\.\w+)+", cell)]
        if len(cells) > 2 and named:
            yield from ((named[0], int(cell)) for cell in cells if re.fullmatch(r"\d{4,9}", cell))


def _found(pattern: str) -> Callable[[str], Iterable[Subject]]:
    """A function that finds the apps in a dump. `pattern` has the groups `uid` and, if packages matter, `package`."""
    sought = re.compile(pattern)

    def subjects(text: str) -> Iterable[Subject]:
        for match in sought.finditer(text):
            named = match.groupdict()
            uid = dumps.user_id(named["uid"])
            if uid is not None:
                yield named.get("package") or "-", uid

    return subjects


def _has(*signs: str) -> Callable[[str], int]:
    """A function that returns 1 for a dump that has none of the signs that its parser looks for, else 0."""
    return lambda text: int(not any(sign in text for sign in signs))


def _bytes(text: str) -> int:
    unknown = _of_each(_found(r"\buid=(?P<uid>\d+) set="), lambda text, _, uid: dumps.network_bytes(text, uid))(text)
    read = dumps.network_bytes(text, 0).records or dumps.counted_by_map(text, 0).records
    return unknown or int(not read)


def _focus(text: str) -> int:
    """0 if the focus is understood: the window is an activity's, has only a name, or there is none."""
    known = r"mCurrentFocus=(?:null|Window\{\S+ (?:u\d+ )?[^/{}]+\})"
    return int(focused(text) == (None, None) and not re.search(known, text))


def _permissions(text: str) -> int:
    users = re.findall(r"^\s+User (\d{1,4}):", text, re.MULTILINE)
    dump = PackageDump.of(text, "com.android.shell")
    return int(not any(dump.runtime(int(user)) for user in users))


DUMPS: dict[str, ReadDump] = {
    "properties": ReadDump("getprop", lambda text: int("ro.build.version.sdk" not in properties(text))),
    "window": ReadDump("dumpsys window | grep -E 'mCurrentFocus|mFocusedApp'", _focus),
    "policy": ReadDump("dumpsys window policy", _has(*LOCKED, "showing=false", "mShowingLockscreen=false")),
    "power": ReadDump("dumpsys power | grep mWakefulness=", _has("mWakefulness=")),
    "package": ReadDump("dumpsys package com.android.shell", _permissions),
    "appops_get": ReadDump(
        "cmd appops get com.android.shell", lambda text: dumps.app_ops_get(text, NOW).unknown, until=28
    ),
    "appops": ReadDump(
        "dumpsys appops",
        _of_each(_in_tree, lambda text, package, uid: dumps.app_ops(text, package, uid, NO_ZONE)),
        since=29,
    ),
    "history": ReadDump(
        "dumpsys appops --history --include-discrete 5",
        _of_each(_in_tree, lambda text, package, uid: dumps.app_ops_history(text, package, uid, NO_ZONE, QUANTUM)),
        since=31,
    ),
    "location": ReadDump(
        "dumpsys location",
        _of_each(_found(r"\b(?P<uid>\d{4,9})/(?P<package>[\w.]+)"), dumps.locations),
        since=31,
    ),
    "netstats": ReadDump("dumpsys netstats detail", _bytes),
    "processes": ReadDump(
        "dumpsys activity processes",
        _of_each(_found(r"/(?P<uid>u\d+a\d+)"), lambda text, _, uid: process_dumps.processes(text, uid)),
    ),
    "exits": ReadDump(
        "dumpsys activity exit-info",
        _of_each(
            _found(r"packageUid=(?P<uid>\d+)"),
            lambda text, package, uid: process_dumps.exits(text, package, uid, NO_ZONE),
        ),
        since=30,
    ),
}  # fmt: skip
"""Name -> dump, for all dumps that the doctor queries and an export contains."""


def asked(api: int) -> dict[str, str]:
    """Name -> command for each dump at an API level, limited to its first lines."""
    return {
        name: f"{dump.command} | head -n {MOST_ASKED}"
        for name, dump in DUMPS.items()
        if dump.since <= api <= dump.until
    }


def unread(said: Mapping[str, str], *, lines: bool = False) -> list[Unread]:
    """The dumps whose form is unknown, by their names in DUMPS. `lines`: also find which lines, by trying each one."""
    found = []
    for name, text in said.items():
        head = text.strip()[:200]
        if name not in DUMPS:
            continue
        if not head or head.startswith(FAILED):
            first = head.splitlines()[0] if head else Spoken("nothing")
            found.append(Unread(name, Spoken("it says: {first}", first=first)))
        elif count := DUMPS[name].unknown(text):
            which = _which(DUMPS[name], text, count) if lines else ()
            found.append(
                Unread(
                    name,
                    Spoken("some of its lines have no known format") if which else Spoken("its format is not known"),
                    which,
                )
            )
    return found


def _which(dump: ReadDump, text: str, count: int) -> tuple[str, ...]:
    """The lines that are not understood even without the lines indented below them."""
    all_of_it = text.splitlines()
    found = []
    for at, line in enumerate(all_of_it[:MOST_LINES]):
        if not line.strip() or dump.unknown("\n".join(all_of_it[:at] + all_of_it[at + 1 :])) >= count:
            continue
        end = next((n for n in range(at + 1, len(all_of_it)) if _depth(all_of_it[n]) <= _depth(line)), len(all_of_it))
        before, after = all_of_it[:at], all_of_it[end:]
        if dump.unknown("\n".join([*before, line, *after])) > dump.unknown("\n".join([*before, *after])):
            found.append(line.strip())
    return tuple(found)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
