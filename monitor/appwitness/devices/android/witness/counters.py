"""Compares Android's own counters for the app before and after a run: a second witness that needs no hook.

Not tried on Android: formats and commands are AOSP's (dumps.py, process_dumps.py); output in another form is noted,
never guessed at. Nothing on the device is changed.
"""

from __future__ import annotations

import functools
import re
import secrets
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from appwitness.catalog import yaml_files
from appwitness.catalog.app_ops import AppOps
from appwitness.devices.android.control import Control
from appwitness.devices.android.witness import dumps, process_dumps
from appwitness.events import Blob, Witness, blob
from appwitness.support.spoken import Spoken

DUMP_S = 60.0
HISTORY = 1000
"""Maximum number of uses of one op to request from the system's history."""
QUANTUM = timedelta(minutes=1)
"""The system rounds the times in its history down to this, unless somebody set another value."""
SAME = timedelta(seconds=1)
"""Two uses closer together than this count as one if the system only tells how long ago the last use was."""
FAILED = ("Permission Denial", "Can't find service", "Unknown command", "Invalid parameter", "Error:")
MAY_BE_EMPTY = ("logcat",)
By = Literal["appops", "location", "netstats", "exit_info", "logcat", "processes"]


@dataclass
class _Counts:
    """The counters at one moment."""

    now: datetime
    """The moment, on the device's clock."""
    uses: dict[tuple[object, ...], dumps.Use] = field(default_factory=dict)
    places: dict[tuple[str, str | None], int] = field(default_factory=dict)
    places_text: str = ""
    sent: dict[str, dumps.Bytes] = field(default_factory=dict)
    """Counter -> bytes, the most trustworthy first: `networks`, `interfaces` (including loopback)."""
    sent_text: str = ""


@functools.cache
def app_ops() -> AppOps:
    """The app-ops of catalog/devices/appops.yml."""
    return yaml_files.parse(yaml_files.HERE / "devices/appops.yml", AppOps)


class Witnesses:
    """The system's counters for one app of one user during one run: call `before` the app starts, `poll` while it
    runs, `after` it has ended. `keep` stores bytes in the recording, for output that is too long for a line; `tell`
    receives what could not be read, as a sentence for a gap, which is also added to the control's notes."""

    def __init__(
        self,
        control: Control,
        package: str,
        uid: int,
        user: int = 0,
        *,
        keep: Callable[[bytes], object] = lambda _: None,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._control = control
        self._package = package
        self._uid = uid
        self._user = user
        self._keep = keep
        self._tell = tell
        self._mark = f"@{secrets.token_hex(6)}"
        self._first: _Counts | None = None
        self._seen: dict[tuple[object, ...], dumps.Use] = {}
        self._told: set[str] = set()

    def before(self) -> None:
        """Note the present counts: only what is counted later is recorded. Raises DeviceFault."""
        self._first = self._count(history=True)
        self._seen = dict(self._first.uses)

    def poll(self) -> list[Witness]:
        """The uses noted since the last call. If an op was used several times in between, the system reports only the
        last use, so call this often; each call costs one `dumpsys`. Raises DeviceFault."""
        said = self._ask(self._uses_script())
        now, zone = self._clock(said)
        return self._new_uses(now, self._uses(said, now, zone))

    def after(self) -> list[Witness]:
        """Everything else counted since `before`: the history of uses, delivered locations, bytes, processes and how
        they ended. Raises DeviceFault."""
        first = self._first
        if first is None:
            return []
        last = self._count(history=True)
        found = self._new_uses(last.now, last.uses)
        found += self._places(first, last)
        found += self._bytes(first, last)
        found += self._lives(first.now)
        return found

    @property
    def _api(self) -> int:
        return self._control.facts.api

    def _uses_script(self) -> dict[str, str]:
        package = shlex.quote(self._package)
        if self._api >= 29:
            return {"appops": _with_other_users(f"dumpsys appops --package {package}", "dumpsys appops")}
        return {"appops": f"cmd appops get --user {self._user} {package}"}

    def _count(self, *, history: bool) -> _Counts:
        package = shlex.quote(self._package)
        scripts = self._uses_script()
        if history and self._api >= 31:
            every = f"dumpsys appops --history --include-discrete {HISTORY}"
            scripts["history"] = _with_other_users(f"{every} --package {package}", every)
        if self._api >= 31:
            scripts["location"] = "dumpsys location"
        scripts["netstats"] = "dumpsys netstats --poll >/dev/null 2>&1; dumpsys netstats detail"
        if self._api < 29:
            scripts["kernel"] = "cat /proc/net/xt_qtaguid/stats"
        else:
            scripts["map"] = (
                "dumpsys netd trafficcontroller" if self._api < 33 else "dumpsys connectivity trafficcontroller"
            )
        said = self._ask(scripts)
        now, zone = self._clock(said)
        counts = _Counts(now, self._uses(said, now, zone))
        if self._understood("location", said):
            places = dumps.locations(said["location"], self._package, self._uid)
            counts.places = {(each.provider, each.tag): each.locations for each in self._records("location", places)}
            counts.places_text = places.text
        for name, what, read in (
            ("netstats", "networks", dumps.network_bytes),
            ("kernel", "networks", dumps.counted_by_kernel),
            ("netstats", "interfaces", dumps.counted_by_map),
            ("map", "interfaces", dumps.counted_by_map),
        ):
            if what in counts.sent:
                continue
            counted = read(said.get(name, ""), self._uid)
            if counted.records:
                counts.sent[what] = self._records(name, counted)[0]
                counts.sent_text = counts.sent_text or counted.text
        if not counts.sent:
            self._note("bytes by user id could not be read")
        return counts

    def _uses(self, said: dict[str, str], now: datetime, zone: timedelta) -> dict[tuple[object, ...], dumps.Use]:
        found: list[dumps.Use] = []
        if self._understood("appops", said):
            if self._api >= 29:
                found += self._records("appops", dumps.app_ops(said["appops"], self._package, self._uid, zone))
            else:
                found += self._records("appops", dumps.app_ops_get(said["appops"], now))
        if "history" in said and self._understood("history", said):
            history = dumps.app_ops_history(said["history"], self._package, self._uid, zone, QUANTUM)
            found += self._records("history", history)
        return {_key(use): use for use in found}

    def _new_uses(self, now: datetime, uses: dict[tuple[object, ...], dumps.Use]) -> list[Witness]:
        new = []
        for key, use in uses.items():
            known = self._seen.get(key)
            more = use.count - (known.count if known else 0)
            if more > 0 or (known is not None and not use.exact and use.at - known.at > SAME):
                others = {**self._seen, **uses}.values()
                untold = max(more, 1) - sum(_is_told_by(use, other) for other in others)
                if untold > 0:
                    new.append(self._use(now, replace(use, count=untold)))
                self._seen[key] = use
        return new

    def _use(self, now: datetime, use: dumps.Use) -> Witness:
        op = app_ops().of(use.op)
        foreign = use.flag in ("tpd", "upd")
        return self._witness(
            now,
            "appops",
            use.op,
            data=op.data[0] if op else None,
            count=use.count,
            since=use.at,
            until=use.until or use.at + (use.lasted or timedelta()),
            tag=use.tag,
            on_behalf=(use.proxy or "another package") if foreign else None,
            detail=f"{use.state}-{use.flag}" if use.state else None,
            raw=self._raw(use.line),
        )

    def _places(self, first: _Counts, last: _Counts) -> Iterable[Witness]:
        for (provider, tag), count in last.places.items():
            delivered = count - first.places.get((provider, tag), 0)
            if delivered > 0:
                yield self._witness(
                    last.now,
                    "location",
                    provider,
                    data="location",
                    count=delivered,
                    since=first.now,
                    until=last.now,
                    tag=tag,
                    raw=self._raw(f"{first.places_text}\n\n{last.places_text}"),
                )

    def _bytes(self, first: _Counts, last: _Counts) -> Iterable[Witness]:
        for what in ("networks", "interfaces"):
            if what in first.sent and what in last.sent:
                sent = last.sent[what].sent - first.sent[what].sent
                received = last.sent[what].received - first.sent[what].received
                if sent >= 0 and received >= 0:  # otherwise the system dropped counts meanwhile
                    yield self._witness(
                        last.now,
                        "netstats",
                        what,
                        size=sent,
                        received=received,
                        since=first.now,
                        until=last.now,
                        detail=f"user id {self._uid}",
                        raw=self._raw(f"{first.sent_text}\n\n{last.sent_text}"),
                    )
                    return

    def _lives(self, since: datetime) -> Iterable[Witness]:
        scripts = {"processes": "dumpsys activity processes"}
        if self._api >= 30:
            scripts["exits"] = f"dumpsys activity exit-info {shlex.quote(self._package)}"
        scripts["logcat"] = process_dumps.log_command(self._api)
        said = self._ask(scripts)
        now, zone = self._clock(said)
        understood = self._understood("processes", said)
        running = process_dumps.processes(said["processes"] if understood else "", self._uid)
        for process in self._records("processes", running):
            detail = "isolated" if process.isolated else None
            yield self._witness(now, "processes", process.name, pid=process.pid, count=1, detail=detail)
        if "exits" in said and self._understood("exits", said):
            exits = process_dumps.exits(said["exits"], self._package, self._uid, zone)
            for end in self._records("exits", exits):
                if end.at >= since:
                    known = process_dumps.REASONS.get(end.reason)
                    reason = known[0] if known is not None else f"reason {end.reason}"
                    detail = ", ".join(part for part in (end.process, end.subreason, end.description) if part)
                    yield self._witness(
                        now,
                        "exit_info",
                        reason,
                        pid=end.pid,
                        count=1,
                        since=end.at,
                        until=end.at,
                        detail=detail,
                        raw=self._raw(end.line),
                    )
        if self._understood("logcat", said):
            events = process_dumps.events(said["logcat"], self._package, self._uid, year=now.year, zone=zone)
            for event in self._records("logcat", events):
                if event.at >= since:
                    yield self._witness(
                        now,
                        "logcat",
                        event.tag,
                        pid=event.pid,
                        count=1,
                        since=event.at,
                        until=event.at,
                        detail=f"{event.process}: {event.detail}",
                        raw=self._raw(event.line),
                    )

    def _witness(self, now: datetime, by: By, subject: str, **fields: Any) -> Witness:
        return Witness(at=now, app=self._package, by=by, subject=subject, **fields)

    def _raw(self, text: str) -> Blob | None:
        if not text.strip():
            return None
        data = text.encode()
        kept = blob(data)
        if not hasattr(kept, "b64"):
            self._keep(data)
        return kept

    def _ask(self, scripts: dict[str, str]) -> dict[str, str]:
        """Run several commands at once; returns the output of each, and under `clock` the device's time before them."""
        script = ["date '+%s.%N %z'"]
        for name, command in scripts.items():
            script += [f"echo; echo {self._mark} {name}", f"( {command} ) 2>&1"]
        done = self._control.shell.user("\n".join(script), timeout_s=DUMP_S)
        parts = f"\n{done.out}".split(f"\n{self._mark} ")
        said = {"clock": parts[0]}
        for part in parts[1:]:
            name, _, text = part.partition("\n")
            said[name.strip()] = text
        return {name: said.get(name, "") for name in ("clock", *scripts)}

    def _clock(self, said: dict[str, str]) -> tuple[datetime, timedelta]:
        words = said["clock"].split()
        now = dumps.clock_of(words[0]) if words else None
        if now is None:
            self._note("the device did not say what time it is")
        if len(words) < 2 or not re.fullmatch(r"[+-]\d\d:?\d\d", words[1]):
            self._note("the device did not say its time zone: times of its own counts are taken for UTC")
        return now or datetime.now(UTC), dumps.zone_of(words[1]) if len(words) > 1 else timedelta()

    def _understood(self, name: str, said: dict[str, str]) -> bool:
        """Whether a command gave an answer; if it did not, that is noted once."""
        text = said.get(name)
        if text is None:
            return False
        head = text.lstrip()[:200]
        if head.startswith(FAILED) or not (head or name in MAY_BE_EMPTY):
            said_instead = head.splitlines()[0] if head else "nothing"
            self._note(f"the system's own count by {name} could not be read, it says: {said_instead}")
            return False
        return True

    def _records[R](self, name: str, read: dumps.DumpRecords[R]) -> tuple[R, ...]:
        """The records that were read; lines not understood are noted once."""
        if read.unknown:
            self._note(Spoken("some lines of the system's own count by {name} were not understood", name=name))
        return read.records

    def _note(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._control.notes.append(text)
            self._tell(text)


def _with_other_users(of_package: str, of_all: str) -> str:
    """A command that queries one package, or all packages if AppOps does not know that one: AppOps only finds packages
    of the device's first user."""
    return f"""said=$({of_package} 2>&1)
case $said in *"Unknown package"*) {of_all} ;; *) printf '%s\\n' "$said" ;; esac"""


def _is_told_by(use: dumps.Use, other: dumps.Use) -> bool:
    """Whether another use already stands for this one: a lasting use is noted again when the app enters or leaves
    the foreground, and the history repeats the last use of its minute."""
    if (use.op, use.tag, use.flag) != (other.op, other.tag, other.flag) or use == other or other.until is not None:
        return False
    if use.until is not None:
        return use.at <= other.at < use.until
    return other.lasted is not None and other.at < use.at <= other.at + other.lasted + SAME


def _key(use: dumps.Use) -> tuple[object, ...]:
    """What identifies a use: its time if the system tells it, else only the op."""
    if not use.exact:
        return (use.op,)
    return (use.op, use.at, use.until, use.tag, use.state, use.flag, use.proxy)
