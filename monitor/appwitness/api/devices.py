"""The device that a name means: an app of the lab device, or one that adb knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from appwitness.api.home import home
from appwitness.devices.android.options import Wanted
from appwitness.devices.device_lock import turn
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late: a lab device needs no adb, and a phone no Java
    from appwitness import devices as observed
    from appwitness.devices.android.screen.input import Question
    from appwitness.observe.order import PlanName


@dataclass(frozen=True)
class Device:
    """A device by name."""

    name: str
    """As `appwitness observe --device` takes it: `lab:circle`, a serial."""

    @property
    def lab(self) -> bool:
        """It is the embedded device."""
        return self.name.partition(":")[0] == "lab"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process has it, and keep it for this one meanwhile. Of a lab device there are enough."""
        if self.lab:
            yield
            return
        with turn(home() / "devices", self.name):
            yield


def chosen(names: str, number: int = 0) -> Device:
    """The device of the process `number` (from 0) of several: of the names with commas between, or of `any` that is
    ready, the first, the second ... and then the first again. Raises SetupError where there is none."""
    listed = [name.strip() for name in names.split(",")]
    if listed == ["any"]:
        from appwitness.devices.android import discovery

        listed = [each.serial for each in discovery.listed() if each.state == "ready"]
        listed = listed or [discovery.choose().serial]  # which says what is wrong
    return Device(listed[number % len(listed)])


class User(Protocol):
    """Whoever can be asked while a run goes on."""

    def may(self, what: str, /) -> bool:
        """Whether he allows it."""

    def answer(self, question: Question, /) -> str | None:
        """The label to touch of a dialog that nothing is known of; None: dismiss it."""


class Nobody:
    """No user: nothing is allowed that needs leave, and dialogs that are not understood are dismissed."""

    def may(self, _what: str, /) -> bool:
        """No."""
        return False

    def answer(self, _question: Question, /) -> None:
        """None."""


NOBODY = Nobody()


def is_lab(wanted: Wanted) -> bool:
    """Whether the embedded device is meant."""
    return Device(wanted.device).lab


def name_of(wanted: Wanted) -> str:
    """For the folder of a recording: the app where it is named, else the device."""
    named = wanted.package or (wanted.apks[0].stem if wanted.apks else wanted.device.removeprefix("lab:"))
    return re.sub(r"[^A-Za-z0-9._-]", "-", named)


@contextmanager
def opened(wanted: Wanted, plan: PlanName, user: User = NOBODY) -> Iterator[observed.Device]:
    """The device, while the context lasts. Raises UserError when there is none, or it cannot be used."""
    if is_lab(wanted):
        from appwitness.devices.lab.lab_device import APPS, LabDevice

        name = wanted.device.partition(":")[2]
        if name not in APPS:
            raise UserError(f"The lab device has no app {name!r}.", f"It has {', '.join(sorted(APPS))}.")
        cache = home() / "lab"
        cache.mkdir(parents=True, exist_ok=True)
        # A folder of its own: several may run at once.
        with (
            TemporaryDirectory(prefix="run-", dir=cache, ignore_cleanup_errors=True) as work,
            LabDevice(name, plan, Path(work), cache=cache) as device,
        ):
            yield device
        return
    from appwitness.devices.android.android_device import opened as android

    with android(wanted, plan, home(), may=user.may, ask=user.answer) as phone:
        yield phone
