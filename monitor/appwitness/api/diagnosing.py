"""Diagnoses whether a device can be observed, and exports what the device prints to an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.api.device_kinds import kind_of

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.devices.diagnosis import Diagnosis as Diagnosis


def diagnose(name: str | None = None, wait_s: float = 0.0) -> Diagnosis:
    """Find the device and run every check; nothing on it is changed.

    `name` is as `appwitness observe --device` takes it; None: the only Android device. Waits up to `wait_s` seconds for
    the device to come up.
    """
    return kind_of(name).diagnose(name, wait_s)


def with_hooks(diagnosis: Diagnosis, package: str, frida_server: Path | None = None) -> Diagnosis:
    """The diagnosis with one more result: whether hooks work in an app, which is started for the check and ended
    afterwards.

    On the lab device the app is its own. `frida_server`: the program to use; None: the release's. Raises SetupError if
    the device can no longer be reached.
    """
    name = str(diagnosis.device)
    result = kind_of(name).check_hooks(name, package, frida_server)
    return diagnosis.model_copy(update={"results": (*diagnosis.results, result)})


def export(diagnosis: Diagnosis, archive: Path) -> list[str]:
    """Write the diagnosis and the device's dumps to a ZIP archive, without personal data.

    Returns the names of the files in it. Raises UserError if there is no Android device or the archive cannot be
    written.
    """
    return kind_of(diagnosis.device).export(diagnosis, archive)
