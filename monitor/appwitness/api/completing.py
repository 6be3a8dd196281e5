"""Shell completion: devices, apps, rules and codes, each with a description."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from appwitness.api import reference
from appwitness.api.devices import NamedDevice
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.devices import embedded
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late: no rule needs adb
    from appwitness.devices.android.adb import AdbDevice

SERVER_S = 0.5
ANSWER_S = 2.0
"""Time limit for a device to list its apps: nobody waits longer after pressing Tab."""


def devices() -> Iterable[tuple[str, str]]:
    """The names that --device takes: the devices that adb lists, without contacting them, and the lab device's
    sample apps."""
    yield from ((each.serial, each.state) for each in _listed())
    for name, title in sample_apps():
        yield embedded.device_name(name), title


def _listed() -> list[AdbDevice]:
    """The devices that adb lists, if its server runs; completion does not start one."""
    with suppress(OSError, UserError):  # no adb server runs, or adb is not installed
        from appwitness.devices.android import adb

        with socket.create_connection(adb.server(), SERVER_S):
            return adb.devices()
    return []


def sample_apps() -> Iterable[tuple[str, str]]:
    """The apps of the lab device."""
    from appwitness.devices.lab.apps import APPS

    return [(name, app.title) for name, app in APPS.items()]


def packages(device: str | None) -> Iterable[tuple[str, str]]:
    """Packages that the user of a device has installed; None: of the only device connected. Raises UserError."""
    ready = [each.serial for each in _listed() if each.state == "device"]
    if not ready or (device is not None and NamedDevice(device).embedded):
        return
    from appwitness.devices.android import adb, discovery

    if device is None and len(ready) == 1:
        device = ready[0]
    serial = device if device in ready else discovery.choose(device).serial
    said = adb.connect(serial, ANSWER_S).shell("pm list packages -3", timeout_s=ANSWER_S)
    for line in sorted(said.out.splitlines()):
        if line.startswith("package:"):
            yield line.removeprefix("package:").strip(), ""


def rules() -> Iterable[tuple[str, str]]:
    """The rules, by name."""
    return [(each.id, each.title["en"]) for each in reference.rules()]


def data_types() -> Iterable[tuple[str, str]]:
    """Codes of data types."""
    return [(each.code, each.en) for each in reference.data_types()]


def app_types() -> Iterable[tuple[str, str]]:
    """App types, by number."""
    return [(str(each.number), each.en) for each in reference.app_types()]


def finding_types() -> Iterable[tuple[str, str]]:
    """Codes of finding types, F01 to F28."""
    return [(kind.id, kind.en) for kind in knowledge().laws.kinds]


def laws() -> Iterable[tuple[str, str]]:
    """Codes of jurisdictions."""
    return [(place.code, place.en) for place in knowledge().laws.places]


def sources() -> Iterable[tuple[str, str]]:
    """Names of hooked APIs."""
    from appwitness.api.hooked_apis import hooked_apis

    return [(api, data) for data, api, _ in hooked_apis()]


def checklists() -> Iterable[tuple[str, str]]:
    """Checklists of the catalog."""
    from appwitness.api.checklists import checklists as listed

    return [(each.id, each.title["en"]) for each in listed(knowledge())]
