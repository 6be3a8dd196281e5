"""Detects a container, and which adb server it uses: that determines which devices are visible."""

from __future__ import annotations

import os
from pathlib import Path

from appwitness.devices.android import adb

VARIABLE = "container"
SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))
USB = Path("/dev/bus/usb")
PROCESSES = Path("/proc")


def inside() -> bool:
    """Docker and Podman leave a file, and our images say so in the environment, as Podman does."""
    return bool(os.environ.get(VARIABLE)) or any(each.exists() for each in SIGNS)


def server() -> str:
    """Whose adb server is asked, where it is, and which devices it has; it has been asked something before."""
    address = "{}:{}".format(*adb.server())
    if not adb.is_here():
        return f"the adb server of another machine, {address}: it sees that one's devices and opens ports there"
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
        except OSError:  # it has ended
            continue
    return False
