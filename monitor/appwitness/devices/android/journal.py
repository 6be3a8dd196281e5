"""The journal of changes to a device: each is written to this machine's disk, with its undo, before it is made."""

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
"""Lines of scripts into which earlier versions pasted a name or a value that an app or the device had chosen."""


@dataclass(frozen=True)
class Undo:
    """How one change is taken back. It is safe to do where the change was never made, and to do twice."""

    by: By
    """`root` and `user` run a script on the device; `adb` is `unforward PORT`, `unreverse PORT` or `unroot`."""
    script: str
    lost_by_reboot: bool = False
    """A reboot alone takes the change back: mounts, routes, ports, processes."""


@dataclass(frozen=True)
class JournalEntry:
    """A change as the journal has it."""

    number: int
    at: str
    boot: str
    """The device's boot id when it was made."""
    run: str | None
    what: str
    """One phrase: `set global http_proxy`."""
    before: str | None
    """What was there."""
    undo: Undo


class Journal:
    """The changes of one device, by its hardware serial, not by the way it is connected.

    One line of JSON a change, synced before the change is made; one more when it is taken back. `boot` is the
    device's boot id (/proc/sys/kernel/random/boot_id).
    """

    def __init__(self, folder: Path, device: str, boot: str, run: str | None = None) -> None:
        self.path = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', device) or 'unnamed'}.jsonl"
        self.connected: str | None = None
        """adb's present name of the device; written with each change, to find the journal of a device that is gone."""
        self._boot = boot
        self._run = run
        private_files.folder(folder)
        self._open = self._read()
        self._next = self._last() + 1
        self.made: dict[int, tuple[JournalEntry, datetime | None]] = {}
        """The changes made through this object, by number, and when each was taken back."""

    @property
    def open(self) -> tuple[JournalEntry, ...]:
        """Changes that are not undone yet, in order of time."""
        return tuple(self._open)

    def before(self, what: str, undo: Undo, was: str | None = None) -> JournalEntry:
        """Write a change down; it is on the disk when this returns, and may then be made."""
        entry = JournalEntry(self._next, format_time(datetime.now(UTC)), self._boot, self._run, what, was, undo)
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
        """Undo the open changes that are newer than `since`, or among the numbers of `only`, the last first; those
        that fail stay open and are reported. What a reboot has undone is struck out."""
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
        """Keep other processes from this device meanwhile; ends by itself with the process, however that ends.

        Raises DeviceFault `device-in-use`.
        """
        fd = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise fault("device-in-use", device=self.path.stem) from None
            self._open = self._read()  # whoever had it may have changed or undone something
            self._next = max(self._next, self._last() + 1)
            yield
        finally:
            os.close(fd)

    @property
    def last(self) -> int:
        """Number of the newest change, for `since`."""
        return self._next - 1

    def gone_by_reboot(self, entry: JournalEntry) -> bool:
        """Whether the device's restart has taken the change back already."""
        return entry.undo.lost_by_reboot and entry.boot != self._boot

    @property
    def names(self) -> frozenset[str]:
        """What adb called the device when it was changed: serial, HOST:PORT."""
        return frozenset(line["connected"] for line in self._lines() if line.get("connected"))

    def _write(self, line: dict[str, Any]) -> None:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(fd).st_size
            cut = size > 0 and os.pread(fd, 1, size - 1) != b"\n"  # a crash of the machine in the middle of a line
            os.write(fd, b"\n" * cut + json.dumps(line, ensure_ascii=False).encode() + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)

    def _lines(self) -> list[dict[str, Any]]:
        """What was written; a line cut by a crash was of a change that was not made."""
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
    """A script of an earlier version, in which what was pasted is one word to the shell."""
    lines = []
    for line in script.split("\n"):
        found = next((found for each in _PASTED if (found := each.fullmatch(line))), None)
        lines.append(f"{found[1]}{shlex.quote(found[2])}{found[3]}" if found else line)
    return "\n".join(lines)


def journals(folder: Path) -> list[Journal]:
    """Those of all devices that this machine ever changed, by name. Raises DeviceFault `journal-unreadable`."""
    return [Journal(folder, path.stem, "") for path in sorted(folder.glob("*.jsonl"))]
