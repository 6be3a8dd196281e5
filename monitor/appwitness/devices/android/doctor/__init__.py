"""Diagnoses what a device lacks for a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from appwitness.devices.android import discovery
from appwitness.devices.android.adb import Adb
from appwitness.devices.android.doctor.answers import AskedDevice, ask, of, texts
from appwitness.devices.android.doctor.checks import CHECKS, around
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.shell import Shell
from appwitness.devices.diagnosis import Diagnosis, Result

__all__ = ["CHECKS", "Diagnosis", "Result", "diagnose", "texts"]


def diagnose(name: str | None, folder: Path, wait_s: float = 0.0) -> Diagnosis:
    """Find the device and run every check; `folder` has the journals. Waits up to `wait_s` seconds for it to come up.

    If the device cannot be queried at all, the reason is the only result.
    """
    device: Adb | None = None
    end = time.monotonic() + wait_s
    try:
        device = discovery.poll(lambda: discovery.choose(name), wait_s)
        discovery.booted(Shell(device), max(0.0, end - time.monotonic()))
        asked = ask(discovery.control(device, folder))
    except DeviceFault as error:
        found = "root" if error.code.startswith("root-") else "started" if device is not None else "reached"
        return Diagnosis(device=device.serial if device else None, results=(*around(), of(error, found)))
    facts = asked.facts
    found_all = tuple(results(asked))
    asked.control.shell.close()
    return Diagnosis(
        device=device.serial,
        model=facts.model,
        release=facts.release,
        api=facts.api,
        kind=facts.kind,
        results=found_all,
    )


def results(asked: AskedDevice) -> Iterator[Result]:
    """The results of the checks, in order."""
    for asked.check, function in CHECKS.items():
        try:
            yield from function(asked)
        except DeviceFault as error:
            yield of(error, asked.check)
