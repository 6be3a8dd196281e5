"""The names of the embedded lab device; no other module knows them.

`lab:circle` is the lab device with its sample app circle; the hosts of a fleet call theirs `lab`, `lab2` ...
"""

from __future__ import annotations

import re

KIND = "lab"
"""The kind of device, as identities of devices and labels of a fleet have it."""
_HOSTED = re.compile(rf"{KIND}\d*")


def is_embedded(device: str) -> bool:
    """Whether the name of a device, as `appwitness observe --device` takes it, means the lab device."""
    return device.partition(":")[0] == KIND


def device_name(app: str) -> str:
    """The name of the lab device with a sample app: `lab:circle` for `circle`."""
    return f"{KIND}:{app}"


def sample_app(device: str) -> str:
    """The sample app that a name of the lab device means: `circle` for `lab:circle`; empty where it names none."""
    return device.partition(":")[2]


def is_hosted(serial: str) -> bool:
    """Whether a host of a fleet means a lab device by this serial: `lab`, `lab2` ..."""
    return bool(_HOSTED.fullmatch(serial))
