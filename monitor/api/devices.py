"""The device that a name means: an app of the lab device, or one that adb knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from monitor.api.home import home
from monitor.errors import UserError
from monitor.observe.android.wanted import Wanted

if TYPE_CHECKING:  # imported late: a lab device needs no adb, and a phone no Java
    from monitor.observe.android.hands import Question
    from monitor.observe.device import Device
    from monitor.observe.order import PlanName


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
    return wanted.device.partition(":")[0] == "lab"


def name_of(wanted: Wanted) -> str:
    """For the folder of a recording: the app where it is named, else the device."""
    named = wanted.package or (wanted.apks[0].stem if wanted.apks else wanted.device.removeprefix("lab:"))
    return re.sub(r"[^A-Za-z0-9._-]", "-", named)


@contextmanager
def opened(wanted: Wanted, plan: PlanName, user: User = NOBODY) -> Iterator[Device]:
    """The device, while the context lasts. Raises UserError when there is none, or it cannot be used."""
    if is_lab(wanted):
        from monitor.lab.device import APPS, LabDevice

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
    from monitor.observe.android.device import opened as android

    with android(wanted, plan, home(), may=user.may, ask=user.answer) as phone:
        yield phone
