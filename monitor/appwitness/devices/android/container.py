"""Detects a container, and which adb server it uses, which decides what devices are visible."""

from __future__ import annotations

import os
from pathlib import Path

from appwitness.devices.android import adb

VARIABLE = "container"
SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))
USB = Path("/dev/bus/usb")
PROCESSES = Path("/proc")


def inside() -> bool:
    """Whether this process runs in a container: Docker and Podman create a file; Podman and our images set a
    variable."""
    return bool(os.environ.get(VARIABLE)) or any(each.exists() for each in SIGNS)


def server() -> str:
    """A sentence on which adb server is used and which devices it has. Call it only after a first adb query."""
    address = "{}:{}".format(*adb.server())
    if not adb.is_here():
        return f"the adb server of another machine, {address}: it sees that machine's devices and opens ports on it"
    if not _runs_adb():
        return f"the host's adb server, {address}: it sees the host's devices"
    if USB.is_dir():
        return f"its own adb server, {address}: it sees the devices of {USB}, and those named by HOST:PORT"
    return f"its own adb server, {address}: it sees devices named by HOST:PORT"


def _runs_adb() -> bool:
    """Whether a process of this container is adb."""
    for each in PROCESSES.glob("[0-9]*/comm"):
        try:
            if each.read_text() == "adb\n":
                return True
        except OSError:  # the process has ended
            continue
    return False
