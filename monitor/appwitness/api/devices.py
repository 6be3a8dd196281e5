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
    """As `appwitness observe --device` takes it: `lab:circle`, a serial."""

    @property
    def kind(self) -> DeviceKind:
        """What kind of device it is."""
        return kind_of(self.name)

    @property
    def embedded(self) -> bool:
        """Whether it is part of appwitness: its apps are built in, it plays the user, and any number can run."""
        return self.kind.embedded

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for exclusive use of the device and keep it. An embedded one is never waited for."""
        if self.embedded:
            yield
            return
        with turn(journals(), self.name):
            yield

    @contextmanager
    def alone_now(self) -> Iterator[None]:
        """The same without waiting. Raises SetupError when another process has it, unless that has started this one."""
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
    """The device of the process `number` (from 0) of several: of the names with commas between, or of `any` that is
    ready, the first, the second ... and then the first again. Raises SetupError where there is none."""
    listed = [name.strip() for name in names.split(",")]
    if listed == ["any"]:
        from appwitness.devices.android import discovery

        listed = [each.serial for each in discovery.listed() if each.state == "ready"]
        listed = listed or [discovery.choose().serial]  # which says what is wrong
    return NamedDevice(listed[number % len(listed)])


def listed() -> list[ListedDevice]:
    """Every device that is there, Android devices first. Raises SetupError when adb does not answer."""
    return [each for kind in reversed(KINDS) for each in kind.listed()]


def embedded_ones() -> list[ListedDevice]:
    """The embedded devices, which are there whatever adb says."""
    return [each for kind in KINDS if kind.embedded for each in kind.listed()]


class Nobody:
    """No user: nothing is allowed that needs leave, and dialogs that are not understood are dismissed."""

    def may(self, _what: str, /) -> bool:
        """No."""
        return False

    def answer(self, _question: Question, /) -> None:
        """None."""


NOBODY = Nobody()


def name_of(wanted: Wanted) -> str:
    """A name for the folder of a recording: the app where it is named, else the device."""
    if wanted.package or wanted.apks:
        named = wanted.package or wanted.apks[0].stem
    elif NamedDevice(wanted.device).embedded:
        named = embedded.sample_app(wanted.device) or wanted.device
    else:
        named = wanted.device
    return re.sub(r"[^A-Za-z0-9._-]", "-", named)


def opened(wanted: Wanted, plan: PlanName, user: User = NOBODY) -> AbstractContextManager[observed.Device]:
    """The device, while the context lasts. Raises UserError when there is none, or it cannot be used."""
    return kind_of(wanted.device).open(wanted, plan, user)


# pairing with a phone over Wi-Fi, and connecting to it


def waiting() -> list[str]:
    """HOST:PORT of each phone that shows a pairing code now, as far as the network announces it."""
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
    """Pair with the phone that shows this address (HOST:PORT) and code; spaces in the code do not matter.

    The code is written nowhere. Raises UserError for an address or a code that cannot be one, and SetupError when the
    phone does not take it.
    """
    from appwitness.devices.android import adb

    check_address(address)
    code = code.replace(" ", "")
    if not (code.isascii() and code.isdigit()):
        raise UserError("The code must consist of digits.", "Type the six digits that the phone shows.")
    adb.pair(address, code)


def connect(address: str) -> str | None:
    """Connect to a phone that was paired at this address. Waits up to five seconds until the network announces it.

    Gives its serial; None: it is not announced, and has to be connected to by the port that its page shows.
    """
    from appwitness.devices.android.discovery import after_pairing

    return after_pairing(address)
