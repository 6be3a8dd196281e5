"""Restores what a device drops during a run: connection, ports, CA certificate, location; keeps its screen on."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from appwitness.devices.android import wakefulness
from appwitness.devices.android.adb import connect, disconnect
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.persona.content import ProviderRefused
from appwitness.devices.android.persona.place import KeptPlace
from appwitness.devices.android.processes import Processes
from appwitness.devices.android.traffic import TrafficRoute, certificate_store

CHECK_S = 5.0
"""Interval at which the app's new processes and the screen are checked."""
REACH_S = 3.0
"""Time limit for one attempt to reconnect."""

Tell = Callable[[Literal["device", "proxy"], str, str], None]
"""Receives what could not be maintained: where, what, and why."""


@dataclass
class Upkeep:
    """Maintains the device's state during one run."""

    control: Control
    route: TrafficRoute
    processes: Processes
    place: KeptPlace | None
    tell: Tell
    keeps_screen_on: bool = True
    _checked: set[int] = field(default_factory=set)
    """Processes of the app that were checked for the proxy's CA."""
    _check_at: float = 0.0
    _look_at: float = 0.0

    def step(self) -> None:
        """Check and restore everything once. Raises DeviceFault if the device does not answer."""
        self.control.renew()
        for what in self.route.renew():
            self.tell("device", "adb reverse", what)
        self.mend()
        self._check_trust()
        self._keep_screen_on()
        if self.place is not None:
            try:
                self.place.tick()
            except ProviderRefused as error:
                self.tell("device", "place", f"the device took it no longer: {error}")
                self.place = None

    def reach(self, error: DeviceFault) -> None:
        """Reconnect to a lost device that has a network address; its ports are restored once it is back."""
        serial = self.control.shell.serial
        with suppress(DeviceFault):
            if error.code == "adb-timeout":
                disconnect(serial)
            connect(serial, REACH_S)

    def mend(self) -> None:
        """Restore the proxy's CA if a restart of zygote removed it."""
        if self.control.shell.rooted():
            for what in certificate_store.mend(self.control):
                self.tell("device", "authorities", what)

    def _check_trust(self) -> None:
        """Check each process of the app once: a process without the CA will refuse the proxy."""
        if self.control.shell.rooted() is None or time.monotonic() < self._check_at:
            return
        self._check_at = time.monotonic() + CHECK_S
        for pid, name in self.processes().items():
            if pid not in self._checked:
                self._checked.add(pid)
                if not certificate_store.holds(self.control, pid):
                    self.tell("proxy", "authorities", f"process {pid} ({name}) has not the proxy's: it will refuse it")

    def _keep_screen_on(self) -> None:
        """Switch the screen on again if it went off: an app behind a dark screen is paused, and asks nothing."""
        if not self.keeps_screen_on or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + CHECK_S
        what = wakefulness.switch_on_again(self.control.shell)
        if what is not None:
            self.tell("device", "screen", what)
            self.keeps_screen_on = what == wakefulness.ON_AGAIN
