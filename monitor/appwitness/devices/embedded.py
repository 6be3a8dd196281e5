"""The names of the embedded lab device; no other module knows them.

`lab:circle` is the lab device with its sample app circle; the hosts of a fleet call theirs `lab`, `lab2` ...
"""

from __future__ import annotations

import re

KIND = "lab"
"""The name of this kind of device in device identities and fleet labels."""
_HOSTED = re.compile(rf"{KIND}\d*")


def is_embedded(device: str) -> bool:
    """Whether a device name, as `appwitness observe --device` takes it, means the lab device."""
    return device.partition(":")[0] == KIND


def device_name(app: str) -> str:
    """The name of the lab device with a sample app: `lab:circle` for `circle`."""
    return f"{KIND}:{app}"


def sample_app(device: str) -> str:
    """The sample app in a lab device's name: `circle` for `lab:circle`; empty if there is none."""
    return device.partition(":")[2]


def is_hosted(serial: str) -> bool:
    """Whether this serial means a lab device on a fleet's host: `lab`, `lab2` ..."""
    return bool(_HOSTED.fullmatch(serial))
