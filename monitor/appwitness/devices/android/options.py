"""The user's options for a device: which device, which app, and which changes are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Wanted:
    """The user's choice of device and app."""

    device: str
    """`lab:circle`, or a serial or address that adb knows."""
    apks: tuple[Path, ...] = ()
    """The app to install; removed again afterwards."""
    package: str | None = None
    """The app, if it is on the device already."""
    activity: str | None = None
    """The activity to start; None: the launcher's."""
    user: int | None = None
    """Android user; None: the current one."""
    clear_data: bool = False
    """Clear the data of an app that was there before, ahead of each start."""
    persona: Path | None = None
    """File of what to plant; None: made up for the run."""
    no_persona: bool = False
    """Plant nothing."""
    frida_server: Path | None = None
    """The server's program; None: from the cache, else fetched."""
    frida_gadget: Path | None = None
    """The gadget for an app that can be debugged, where there is no root; None: from the cache, else fetched."""
    grant: tuple[str, ...] = ()
    """Permissions to grant before each start; taken back afterwards."""
    revoke: tuple[str, ...] = ()
    """Permissions to revoke before each start; granted again afterwards."""
    attach: bool = False
    """Observe the app as it runs already, instead of starting it."""
    allow: tuple[str, ...] = ()
    """Quirks (catalog/devices/quirks.yml) that are changed only with permission."""
    adb_root: bool = False
    """Let `adb root` restart the device's adb."""
    ask: bool = False
    """Ask the operator where a dialog is not understood."""
    video: bool = False
    """Keep a video around findings."""
    explore: int = 0
    """How many elements of the app are touched after its dialogs."""
    seed: int = 1
    """Which ones: the same number, the same touches on the same screens."""
    by_hand: bool = False
    """Somebody does at the device what the plan says; the screen is left alone."""
    hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Hosts whose addresses the user overrides for the proxy."""
    upstream_ca: Path | None = None
    """Authority (PEM) of such servers."""
