"""Sets the device's location: through an emulator's console, or by test providers from Android 12 on."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

from appwitness.devices.android.control import Control
from appwitness.devices.android.journal import Undo
from appwitness.devices.android.persona.content import ProviderRefused
from appwitness.devices.android.persona.operations import SHELL, Operation, as_shell
from appwitness.devices.android.persona.profile import PlannedPosition
from appwitness.events import Value
from appwitness.support.spoken import Spoken

TESTED_SINCE = 31
"""The first API level whose `cmd location` has test providers."""
PROVIDERS = ("gps", "network", "fused")
NEAR_DEGREES = 1e-4
"""How far an emulator's GPS may round a position, in degrees."""
_LAST = re.compile(r"Location\[\w+ (-?\d+[.,]\d+),\s*(-?\d+[.,]\d+)")


@dataclass
class KeptPlace:
    """A location that is sent to the device again and again: a fix only reaches apps that are listening at that
    moment."""

    control: Control
    place: PlannedPosition
    value: Value
    """The location as the device returned it, or, if the device did not, as it was set; `notes` then say so."""
    emulator: bool
    by: Callable[[str], str] = lambda script: script
    """Makes a script run as a user that may set the location."""
    notes: list[str] = field(default_factory=list)

    def tick(self) -> None:
        """Set the location again, about once a second. Raises ProviderRefused if the device no longer accepts it,
        DeviceFault."""
        if self.emulator:
            lat, lon = self.place.text.split(",")
            done = self.control.shell.adb.console("geo", "fix", lon, lat)  # longitude first
            if not done.ok:
                raise ProviderRefused(f"the emulator's console: {(done.out or done.err).strip()[:150]}")
            return
        done = self.control.shell.user(self.by("\n".join(location_commands(self.place))))
        if "Exception" in done.out + done.err or not done.ok:
            raise ProviderRefused(f"cmd location: {(done.err or done.out).strip()[:150]}")


def keep_place(control: Control, place: PlannedPosition, *, user: int = 0) -> KeptPlace:
    """Set the device's location. Raises ProviderRefused if it cannot be set, and DeviceFault.

    On an emulator, its own GPS is set; other devices get test providers, which apps can recognise (`Location.isMock`).
    """
    emulator = control.shell.serial.startswith("emulator-")
    if not emulator and control.facts.api < TESTED_SINCE:
        raise ProviderRefused(
            f"Android {control.facts.release} lets only an app chosen in Developer options set the place; from 12 on a"
            " command does"
        )
    of_user = f"--user {user} " if user else ""
    if control.shell.check(f"settings get {of_user}secure location_mode").strip() in ("0", "null"):
        control.put("secure", "location_mode", "3")
    kept = KeptPlace(control, place, Value(type="location", text=place.text), emulator)
    if not emulator:
        kept.by = as_shell(control)
        _provide(control, user, kept.by)
    kept.tick()
    said = control.shell.user("dumpsys location").out
    for found in _LAST.finditer(said):
        lat, lon = (float(text.replace(",", ".")) for text in found.groups())
        if abs(lat - place.latitude) < NEAR_DEGREES and abs(lon - place.longitude) < NEAR_DEGREES:
            kept.value = Value(type="location", text=f"{lat:.6f},{lon:.6f}")
            break
    else:
        kept.notes.append(
            Spoken("the device was given its location, but does not report it yet: nothing has asked for it")
        )
    kept.notes.append(
        Spoken("the emulator stays at this place after the run: it does not say where it was before")
        if emulator
        else Spoken("the place is of test providers: an app can tell that it is a mock")
    )
    return kept


def _provide(control: Control, user: int, by: Callable[[str], str]) -> None:
    """Replace the location providers by test providers. Raises ProviderRefused."""
    operation = Operation.ask(control, "android:mock_location", user, SHELL)
    command = "cmd location providers"
    remove = "\n".join(f"{command} remove-test-provider {name} >/dev/null 2>&1" for name in PROVIDERS)
    undo = operation.around(f"{by(remove)}\n{remove}\ntrue")
    control.journal.before("test providers of place", Undo("user", undo), operation.was)
    add = "\n".join(
        f"{command} add-test-provider {name} && {command} set-test-provider-enabled {name} true || exit 1"
        for name in PROVIDERS
    )
    done = control.shell.user(f"{operation.allow} || exit 1\n{by(add)}")
    if not done.ok or "Exception" in done.out + done.err:
        raise ProviderRefused(f"cmd location: {(done.err or done.out or 'no answer').strip()[:150]}")


def location_commands(place: PlannedPosition) -> list[str]:
    """The commands that make each test provider report the position."""
    return [
        f"cmd location providers set-test-provider-location {name} --location {shlex.quote(place.text)} --accuracy 5"
        for name in PROVIDERS
    ]
