"""Changes that a crash or an unplugged cable left on devices, and how they are undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from appwitness.api.device_kinds import journals
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.devices.android.control import Control
    from appwitness.devices.android.journal import Journal, JournalEntry

    type OpenChange = JournalEntry
    """A change that has not been undone yet: what it is, what was there before, and when it was made."""


@dataclass(frozen=True)
class UnreachableDevice:
    """A device that does not answer now, and its open changes."""

    name: str
    journal: Path
    """The journal file that lists them."""
    changes: tuple[OpenChange, ...]
    """In chronological order."""


@dataclass(frozen=True)
class TakenBack:
    """The result of undoing one device's changes."""

    changes: tuple[tuple[OpenChange, Literal["taken back", "gone with the restart", "stays"]], ...]
    """The latest first; empty: there was nothing to undo."""
    failures: tuple[UserError, ...]
    """Why some of them remain."""

    @property
    def complete(self) -> bool:
        """Whether no change remains."""
        return all(how != "stays" for _, how in self.changes)


@dataclass(frozen=True)
class ReachableDevice:
    """A device that answers."""

    control: Control

    @property
    def serial(self) -> str:
        """The serial that adb uses for it."""
        return self.control.shell.serial

    def take_back(self) -> TakenBack:
        """Undo the open changes, the latest first. Raises SetupError if another process has the device, or if it no
        longer answers."""
        from appwitness.devices.android.discovery import take_back

        journal = self.control.journal
        if not journal.open:
            return TakenBack((), ())
        with journal.held():
            entries = journal.open
            restarted = {entry.number for entry in entries if journal.gone_by_reboot(entry)}
            failures = take_back(self.control)
        still = {entry.number for entry in journal.open}

        def how(entry: OpenChange) -> Literal["taken back", "gone with the restart", "stays"]:
            if entry.number in still:
                return "stays"
            return "gone with the restart" if entry.number in restarted else "taken back"

        return TakenBack(tuple((entry, how(entry)) for entry in reversed(entries)), tuple(failures))


@dataclass(frozen=True)
class LeftChanges:
    """The devices whose changes can be undone, and those that cannot be reached now."""

    reachable: tuple[ReachableDevice, ...]
    unreachable: tuple[UnreachableDevice, ...]
    fault: UserError | None = None
    """Why the requested device cannot be reached; None: it can, or no device is connected and nothing is left to
    undo."""


def left_by_runs(name: str | None = None, *, everything: bool = False) -> LeftChanges:
    """The device with that name, or whose journal has it; None: the only device connected. With `everything`, all
    devices that answer, and those that do not answer and have open changes.

    Raises SetupError if adb does not answer, and for a journal that cannot be read.
    """
    from appwitness.devices.android import discovery
    from appwitness.devices.android.faults import DeviceFault
    from appwitness.devices.android.journal import journals as written

    left = {journal.path.stem: journal for journal in written(journals()) if journal.open}
    if everything:
        controls = discovery.controls(journals())
        for control in controls:
            left.pop(control.journal.path.stem, None)
        return LeftChanges(tuple(map(ReachableDevice, controls)), tuple(map(_unreachable, left.values())))
    try:
        control = discovery.control(discovery.choose(name), journals())
    except DeviceFault as error:
        return _without(name, left, error, nobody_there=error.code == "no-device")
    return LeftChanges((ReachableDevice(control),), ())


def _without(name: str | None, left: Mapping[str, Journal], fault: UserError, *, nobody_there: bool) -> LeftChanges:
    """What is left if no device answers to the name: a device whose journal has the name, else the open journals
    that match."""
    from appwitness.devices.android import adb, discovery

    if name is not None and not adb.ADDRESS.fullmatch(name):
        found = [control for control in discovery.controls(journals()) if control.journal.path.stem == name]
        if len(found) == 1:
            return LeftChanges((ReachableDevice(found[0]),), ())
    if nobody_there and not left:
        return LeftChanges((), ())
    meant = [journal for stem, journal in left.items() if name is None or name == stem or name in journal.names]
    return LeftChanges((), tuple(map(_unreachable, meant)), fault)


def _unreachable(journal: Journal) -> UnreachableDevice:
    return UnreachableDevice(journal.path.stem, journal.path, tuple(journal.open))
