"""Resolves a device name to an app of the lab device or to a device that adb knows; pairs devices over Wi-Fi."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appwitness.api.device_kinds import KINDS, DeviceKind, ListedDevice, User, journals, kind_of
from appwitness.devices import embedded
from appwitness.devices.android.options import Wanted as Wanted
from appwitness.devices.device_lock import HELD, turn, turn_now
from appwitness.support.errors import SetupError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late: a lab device needs no adb, and a phone no Java
    from appwitness import devices as observed
    from appwitness.devices.android.screen.input import Question as Question
    from appwitness.observe.order import PlanName


@dataclass(frozen=True)
class NamedDevice:
    """A device by name."""

    name: str
    """The name that `appwitness observe --device` takes: `lab:circle`, a serial."""

    @property
    def kind(self) -> DeviceKind:
        """What kind of device it is."""
        return kind_of(self.name)

    @property
    def embedded(self) -> bool:
        """Whether it is part of appwitness: its apps are built in, it acts as the user, and any number can run at
        once."""
        return self.kind.embedded

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for exclusive use of the device, and keep it for the context. An embedded device needs no waiting."""
        if self.embedded:
            yield
            return
        with turn(journals(), self.name):
            yield

    @contextmanager
    def alone_now(self) -> Iterator[None]:
        """The same without waiting. Raises SetupError if another process has the device, unless that process started
        this one."""
        if self.embedded or os.environ.get(HELD) == self.name:
            yield
            return
        with turn_now(journals(), self.name) as lock:
            if lock is None:
                raise SetupError(
                    Spoken("{name} is in use by another process: a run, a test, or a host of a fleet.", name=self.name),
                    "Wait until it has ended, or let the device rest: appwitness fleet pause SERIAL.",
                )
            yield


def chosen(names: str, number: int = 0) -> NamedDevice:
    """The device for process `number` (from 0) of several: `names`, separated by commas, are assigned in turn; `any`
    stands for all ready devices. Raises SetupError if there is none."""
    listed = [name.strip() for name in names.split(",")]
    if listed == ["any"]:
        from appwitness.devices.android import discovery

        listed = [each.serial for each in discovery.listed() if each.state == "ready"]
        listed = listed or [discovery.choose().serial]  # raises with the reason
    return NamedDevice(listed[number % len(listed)])


def listed() -> list[ListedDevice]:
    """Every connected device, Android devices first. Raises SetupError if adb does not answer."""
    return [each for kind in reversed(KINDS) for each in kind.listed()]


def embedded_ones() -> list[ListedDevice]:
    """The embedded devices, which exist whatever adb says."""
    return [each for kind in KINDS if kind.embedded for each in kind.listed()]


class Nobody:
    """Stands in when there is no user: no permission is given, and unknown dialogs are dismissed."""

    def may(self, _what: str, /) -> bool:
        """No."""
        return False

    def answer(self, _question: Question, /) -> None:
        """None."""


NOBODY = Nobody()


def name_of(wanted: Wanted) -> str:
    """A name for a recording's folder: the app if it is given, else the device."""
    if wanted.package or wanted.apks:
        named = wanted.package or wanted.apks[0].stem
    elif NamedDevice(wanted.device).embedded:
        named = embedded.sample_app(wanted.device) or wanted.device
    else:
        named = wanted.device
    return re.sub(r"[^A-Za-z0-9._-]", "-", named)


def opened(wanted: Wanted, plan: PlanName, user: User = NOBODY) -> AbstractContextManager[observed.Device]:
    """The device, for the duration of the context. Raises UserError if there is none or it cannot be used."""
    return kind_of(wanted.device).open(wanted, plan, user)


# pairing with a phone over Wi-Fi, and connecting to it


def waiting() -> list[str]:
    """HOST:PORT of each phone that is showing a pairing code, as far as the network announces it."""
    from appwitness.devices.android import adb

    return [each.address for each in adb.announced() if each.kind == adb.TLS_PAIRING]


def check_address(address: str) -> None:
    """Raise UserError for an address that is not HOST:PORT."""
    from appwitness.devices.android import adb

    if not adb.ADDRESS.fullmatch(address):
        raise UserError(
            Spoken("{address!r} is not an address.", address=address),
            "Write it as the phone shows it: 192.168.1.20:37123.",
        )


def pair(address: str, code: str) -> None:
    """Pair with the phone that shows this address (HOST:PORT) and code; spaces in the code are ignored.

    The code is not stored anywhere. Raises UserError for an invalid address or code, and SetupError if the phone
    rejects it.
    """
    from appwitness.devices.android import adb

    check_address(address)
    code = code.replace(" ", "")
    if not (code.isascii() and code.isdigit()):
        raise UserError("The code must consist of digits.", "Type the six digits that the phone shows.")
    adb.pair(address, code)


def connect(address: str) -> str | None:
    """Connect to a phone that was paired at this address, waiting up to five seconds until the network announces it.

    Returns its serial; None if it is not announced and must be connected to by the port that its settings page shows.
    """
    from appwitness.devices.android.discovery import after_pairing

    return after_pairing(address)
