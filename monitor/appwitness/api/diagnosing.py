"""Diagnoses whether a device can be observed, and exports what the device prints to an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.api.device_kinds import kind_of

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.devices.diagnosis import Diagnosis as Diagnosis


def diagnose(name: str | None = None, wait_s: float = 0.0) -> Diagnosis:
    """Find the device and run every check; changes nothing on it.

    `name` is as `appwitness observe --device` takes it; None: the only Android device. Waits up to `wait_s` seconds
    until it has started.
    """
    return kind_of(name).diagnose(name, wait_s)


def with_hooks(diagnosis: Diagnosis, package: str, frida_server: Path | None = None) -> Diagnosis:
    """The diagnosis with one more result: whether hooks work in an app, which is started for it and ended again.

    On the lab device it is its own app. `frida_server`: the program to take; None: the release's. Raises SetupError
    when the device cannot be reached any more.
    """
    name = str(diagnosis.device)
    result = kind_of(name).check_hooks(name, package, frida_server)
    return diagnosis.model_copy(update={"results": (*diagnosis.results, result)})


def export(diagnosis: Diagnosis, archive: Path) -> list[str]:
    """Write the diagnosis and what the device says of itself to a ZIP archive, without personal data.

    Gives the names of the files in it. Raises UserError where there is no Android device, and where the archive cannot
    be written.
    """
    return kind_of(diagnosis.device).export(diagnosis, archive)
