"""The journal of changes to a device: each change is written to this machine's disk, with its undo, before it is
made."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.events import format_time
from appwitness.support import private_files

By = Literal["root", "user", "adb"]
_PASTED = (
    re.compile(r"(pm (?:grant|revoke) --user \d+ [\w.]+ )(.*?)((?: >/dev/null 2>&1)?)"),
    re.compile(r"(setprop [\w.-]+ )'(.*)'()"),
)
"""Script lines into which earlier versions pasted a name or value chosen by an app or the device."""


@dataclass(frozen=True)
class Undo:
    """How one change is undone. It is safe to run if the change was never made, and to run twice."""

    by: By
    """`root` and `user` run a script on the device; `adb` is `unforward PORT`, `unreverse PORT` or `unroot`."""
    script: str
    lost_by_reboot: bool = False
    """Whether a reboot alone undoes the change: mounts, routes, ports, processes."""


@dataclass(frozen=True)
class JournalEntry:
    """A change as recorded in the journal."""

    number: int
    at: str
    boot: str
    """The device's boot ID when the change was made."""
    run: str | None
    what: str
    """The change in a phrase: `set global http_proxy`."""
    before: str | None
    """The value before the change."""
    undo: Undo


class Journal:
    """The changes made to one device, filed by its hardware serial, however it is connected.

    One line of JSON for each change, synced to disk before the change is made; one more when it is undone. `boot` is
    the device's boot ID (/proc/sys/kernel/random/boot_id).
    """

    def __init__(self, folder: Path, device: str, boot: str, run: str | None = None) -> None:
        self.path = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', device) or 'unnamed'}.jsonl"
        self.connected: str | None = None
        """adb's current name for the device; written with each change, so that the journal of an absent device can
        be found."""
        self.boot = boot
        """The device's present boot ID."""
        self._run = run
        private_files.folder(folder)
        self._open = self._read()
        self._next = self._last() + 1
        self.made: dict[int, tuple[JournalEntry, datetime | None]] = {}
        """The changes made through this object, by number, and when each was undone."""

    @property
    def open(self) -> tuple[JournalEntry, ...]:
        """Changes that are not undone yet, in chronological order."""
        return tuple(self._open)

    def before(self, what: str, undo: Undo, was: str | None = None) -> JournalEntry:
        """Record a change; it is on disk when this returns, and may then be made."""
        entry = JournalEntry(self._next, format_time(datetime.now(UTC)), self.boot, self._run, what, was, undo)
        self._next += 1
        self._write({"change": asdict(entry), "connected": self.connected, "quoted": True})
        self._open.append(entry)
        self.made[entry.number] = (entry, None)
        return entry

    def undone(self, entry: JournalEntry) -> None:
        """Record that a change is undone."""
        now = datetime.now(UTC)
        self._write({"undone": entry.number, "at": format_time(now)})
        self._open.remove(entry)
        if entry.number in self.made:
            self.made[entry.number] = (entry, now)

    def undo_all(
        self, do: Callable[[Undo], None], *, since: int = 0, only: Container[int] | None = None
    ) -> list[DeviceFault]:
        """Undo the open changes newer than `since`, or only those numbered in `only`, the latest first; returns the
        errors of those that failed and stay open. Changes that a reboot has undone are marked as undone."""
        failed = []
        for entry in reversed(self.open):
            if entry.number <= since or (only is not None and entry.number not in only):
                continue
            if not self.gone_by_reboot(entry):
                try:
                    do(entry.undo)
                except DeviceFault as error:
                    failed.append(error)
                    continue
            self.undone(entry)
        return failed

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the device against other processes for the context; the lock ends with the process, however that ends.

        Raises DeviceFault `device-in-use`.
        """
        fd = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise fault("device-in-use", device=self.path.stem) from None
            self._open = self._read()  # the last holder may have changed or undone something
            self._next = max(self._next, self._last() + 1)
            yield
        finally:
            os.close(fd)

    @property
    def last(self) -> int:
        """Number of the latest change, for `since`."""
        return self._next - 1

    def gone_by_reboot(self, entry: JournalEntry) -> bool:
        """Whether a restart of the device has already undone the change."""
        return entry.undo.lost_by_reboot and entry.boot != self.boot

    @property
    def names(self) -> frozenset[str]:
        """The names that adb had for the device when it was changed: serial, HOST:PORT."""
        return frozenset(line["connected"] for line in self._lines() if line.get("connected"))

    def _write(self, line: dict[str, Any]) -> None:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(fd).st_size
            cut = size > 0 and os.pread(fd, 1, size - 1) != b"\n"  # the machine crashed in the middle of a line
            os.write(fd, b"\n" * cut + json.dumps(line, ensure_ascii=False).encode() + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)

    def _lines(self) -> list[dict[str, Any]]:
        """The journal's lines; a line cut short by a crash is dropped, as its change was not made."""
        lines = []
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise fault("journal-unreadable", path=self.path, said=error) from None
        for line in text.splitlines():
            with suppress(ValueError):
                lines.append(json.loads(line))
        return lines

    def _read(self) -> list[JournalEntry]:
        there: dict[int, JournalEntry] = {}
        for line in self._lines():
            if change := line.get("change"):
                undo = Undo(**change["undo"])
                if not line.get("quoted"):
                    undo = replace(undo, script=_quoted(undo.script))
                entry = JournalEntry(**{**change, "undo": undo})
                there[entry.number] = entry
            else:
                there.pop(line.get("undone", 0), None)
        return list(there.values())

    def _last(self) -> int:
        return max((line["change"]["number"] for line in self._lines() if "change" in line), default=0)


def _quoted(script: str) -> str:
    """Quote whatever an earlier version pasted into a script, so that it is one word to the shell."""
    lines = []
    for line in script.split("\n"):
        found = next((found for each in _PASTED if (found := each.fullmatch(line))), None)
        lines.append(f"{found[1]}{shlex.quote(found[2])}{found[3]}" if found else line)
    return "\n".join(lines)


def journals(folder: Path) -> list[Journal]:
    """The journals of all devices that this machine ever changed, by name. Raises DeviceFault `journal-unreadable`."""
    return [Journal(folder, path.stem, "") for path in sorted(folder.glob("*.jsonl"))]
