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
    """A change that was not taken back yet: what it is, what was there before, and when it was made."""


@dataclass(frozen=True)
class UnreachableDevice:
    """A device that does not answer now, with what is open on it."""

    name: str
    journal: Path
    """The file where it is written down."""
    changes: tuple[OpenChange, ...]
    """In order of time."""


@dataclass(frozen=True)
class TakenBack:
    """What became of the changes of one device."""

    changes: tuple[tuple[OpenChange, Literal["taken back", "gone with the restart", "stays"]], ...]
    """The last one first; none: there was nothing to take back."""
    failures: tuple[UserError, ...]
    """Why some of them stay."""

    @property
    def complete(self) -> bool:
        """Nothing stays."""
        return all(how != "stays" for _, how in self.changes)


@dataclass(frozen=True)
class ReachableDevice:
    """A device that answers."""

    control: Control

    @property
    def serial(self) -> str:
        """As adb names it."""
        return self.control.shell.serial

    def take_back(self) -> TakenBack:
        """Undo what is open, the last change first. Raises SetupError when another process has the device, or when it
        does not answer any more."""
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
    """Where something may be taken back, and where it cannot be now."""

    reachable: tuple[ReachableDevice, ...]
    unreachable: tuple[UnreachableDevice, ...]
    fault: UserError | None = None
    """Why the device that was meant cannot be reached; None: it can, or nothing is left and no device is there."""


def left_by_runs(name: str | None = None, *, everything: bool = False) -> LeftChanges:
    """The device of that name, or whose journal has it; None: the only one that is there. With `everything` all of
    them: those that answer, and those that do not and have something open.

    Raises SetupError when adb does not answer, and for a journal that cannot be read.
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
    """Where no device answers to the name: one whose journal has it, else what is open."""
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
