"""The kinds of device and how each is opened, diagnosed and listed. A new kind is a class here and an entry in
KINDS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from appwitness.api.home import home
from appwitness.devices import embedded
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late: a lab device needs no adb, and a phone no Java
    from contextlib import AbstractContextManager

    from appwitness import devices as observed
    from appwitness.devices.android.options import Wanted
    from appwitness.devices.android.screen.input import Question
    from appwitness.devices.diagnosis import Diagnosis, Result
    from appwitness.observe.order import PlanName

NO_PROXY = 9
"""A port where no proxy listens: whatever an app sends while its hooks are checked goes nowhere."""


class User(Protocol):
    """A person who can be asked during a run."""

    def may(self, what: str, /) -> bool:
        """Whether the person allows it."""

    def answer(self, question: Question, /) -> str | None:
        """The label to tap in an unknown dialog; None: dismiss it."""


@dataclass(frozen=True)
class ListedDevice:
    """A connected device and what can be done with it, as texts for people; empty if it cannot be used."""

    name: str
    """The name that `appwitness observe --device` takes."""
    state: str
    """`ready`, `embedded`, `same as SERIAL`, or adb's state of a device that cannot be used."""
    model: str
    hooks: str
    """Which apps can be hooked."""
    trust: str
    """Which apps will trust the proxy."""
    traffic: str
    """How its traffic reaches the proxy."""
    screens: str
    """Whether screens are read and tapped."""


class DeviceKind(Protocol):
    """One kind of device."""

    embedded: bool
    """Whether it is part of appwitness: its apps are built in, it acts as the user, and any number can run at once."""

    def means(self, name: str, /) -> bool:
        """Whether a name means a device of this kind."""

    def open(self, wanted: Wanted, plan: PlanName, user: User, /) -> AbstractContextManager[observed.Device]:
        """The device, for the duration of the context. Raises UserError if there is none or it cannot be used."""

    def listed(self) -> list[ListedDevice]:
        """The connected devices."""

    def diagnose(self, name: str | None, wait_s: float, /) -> Diagnosis:
        """Diagnose what a device lacks for a run; waits up to `wait_s` seconds for it to come up. None: the only
        device."""

    def check_hooks(self, name: str, package: str, frida_server: Path | None, /) -> Result:
        """Check whether hooks work in an app, which is started for the check and ended afterwards. Raises
        SetupError."""

    def export(self, diagnosis: Diagnosis, archive: Path, /) -> list[str]:
        """Write the device's dumps to an archive, without personal data; returns the names of its files."""


class _Embedded:
    """The lab device: sample apps on a JVM on this machine."""

    embedded = True

    def means(self, name: str, /) -> bool:
        """Whether a name means a lab device: `lab:circle`."""
        return embedded.is_embedded(name)

    @contextmanager
    def open(self, wanted: Wanted, plan: PlanName, _user: User, /) -> Iterator[observed.Device]:
        """Makes a folder for each run, as several may run at once."""
        from appwitness.devices.lab.apps import named
        from appwitness.devices.lab.lab_device import LabDevice

        app = named(embedded.sample_app(wanted.device))
        cache = home() / "lab"
        cache.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(prefix="run-", dir=cache, ignore_cleanup_errors=True) as work,
            LabDevice(app.name, plan, Path(work), cache=cache) as device,
        ):
            yield device

    def listed(self) -> list[ListedDevice]:
        """One device for each sample app."""
        from appwitness.devices.lab.apps import APPS

        state, own, screens = Spoken("embedded"), Spoken("its app"), Spoken("played")
        return [
            ListedDevice(embedded.device_name(name), state, app.title, own, own, "regular", screens)
            for name, app in APPS.items()
        ]

    def diagnose(self, name: str | None, _wait_s: float, /) -> Diagnosis:
        """Diagnoses the device without starting it."""
        from appwitness.devices.lab.lab_doctor import diagnose_lab

        return diagnose_lab(name or "", embedded.sample_app(name or ""))

    def check_hooks(self, name: str, _package: str, _frida_server: Path | None, /) -> Result:
        """Checks hooks in its own app, whatever the package."""
        from appwitness.devices.lab.lab_device import LabDevice
        from appwitness.observe.hooks_check import checked

        with TemporaryDirectory() as folder, LabDevice(embedded.sample_app(name), "silent", Path(folder)) as device:
            device.prepare("127.0.0.1", NO_PROXY, device.upstream_ca)
            return checked(device.launch(), device.app.package, name, api_level=device.identity.api_level)

    def export(self, _diagnosis: Diagnosis, _archive: Path, /) -> list[str]:
        """Raises UserError: there is nothing to export."""
        raise nothing_to_export()


class _Android:
    """A phone or emulator that adb knows."""

    embedded = False

    def means(self, _name: str, /) -> bool:
        """Accepts every name that no other kind claims."""
        return True

    @contextmanager
    def open(self, wanted: Wanted, plan: PlanName, user: User, /) -> Iterator[observed.Device]:
        """Opens the device, with its journal in `journals()`."""
        from appwitness.devices.android.android_device import opened

        with opened(wanted, plan, home(), may=user.may, ask=user.answer) as phone:
            yield phone

    def listed(self) -> list[ListedDevice]:
        """Every device that adb knows; root is not requested on any."""
        from appwitness.devices.android.discovery import listed

        return [ListedDevice(each.serial, each.state, each.model, *each.can) for each in listed()]

    def diagnose(self, name: str | None, wait_s: float, /) -> Diagnosis:
        """Finds the device and runs every check."""
        from appwitness.devices.android.doctor import diagnose

        return diagnose(name, journals(), wait_s)

    def check_hooks(self, name: str, package: str, frida_server: Path | None, /) -> Result:
        """`frida_server`: the file to use instead of the release's."""
        from appwitness.devices.android import discovery
        from appwitness.observe.hooks_check import hooks_work

        control = discovery.control(discovery.choose(name), journals())
        return hooks_work(control, package, frida_server, cache=home() / "frida")

    def export(self, diagnosis: Diagnosis, archive: Path, /) -> list[str]:
        """Includes the codes of the diagnosis in the archive."""
        from appwitness.devices.android import adb
        from appwitness.devices.android.doctor import export
        from appwitness.devices.android.shell import Shell

        if diagnosis.device is None:
            raise nothing_to_export()
        return export.write(Shell(adb.connect(diagnosis.device)), archive, diagnosis)


EMBEDDED: DeviceKind = _Embedded()
ANDROID: DeviceKind = _Android()
KINDS = (EMBEDDED, ANDROID)
"""All kinds; the first one that accepts a name is used."""


def kind_of(name: str | None) -> DeviceKind:
    """The kind of device that a name means; None means the only Android device connected."""
    return ANDROID if name is None else next(kind for kind in KINDS if kind.means(name))


def journals() -> Path:
    """The folder for the journals of changes to devices."""
    return home() / "devices"


def nothing_to_export() -> UserError:
    """The error for an export without an Android device."""
    return UserError("There is no Android device to export from.", "Name one: --device (`appwitness devices`).")
