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
    """APKs of the app to install; it is removed afterwards."""
    package: str | None = None
    """Package of the app, if it is already on the device."""
    activity: str | None = None
    """The activity to start; None: the one that the launcher starts."""
    user: int | None = None
    """Android user; None: the current one."""
    clear_data: bool = False
    """Clear the data of an app that was already installed, before each start."""
    persona: Path | None = None
    """File with the persona to plant; None: generated for the run."""
    no_persona: bool = False
    """Plant nothing."""
    frida_server: Path | None = None
    """File of frida-server; None: from the cache, else downloaded."""
    frida_gadget: Path | None = None
    """File of the gadget, for a debuggable app on a device without root; None: from the cache, else downloaded."""
    grant: tuple[str, ...] = ()
    """Permissions to grant before each start; revoked afterwards."""
    revoke: tuple[str, ...] = ()
    """Permissions to revoke before each start; granted again afterwards."""
    attach: bool = False
    """Observe the running app instead of starting it."""
    allow: tuple[str, ...] = ()
    """Names of quirks (catalog/devices/quirks.yml) that are permitted, of those that need permission."""
    adb_root: bool = False
    """Allow `adb root` to restart adb on the device."""
    ask: bool = False
    """Ask the operator about dialogs that are not understood."""
    video: bool = False
    """Record a video around findings."""
    explore: int = 0
    """How many elements of the app to tap after its dialogs."""
    seed: int = 1
    """Random seed for choosing the elements to tap: with the same seed, the same screens get the same taps."""
    by_hand: bool = False
    """A person carries out the plan on the device; the screen is left alone."""
    hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Hosts whose addresses the user overrides for the proxy."""
    upstream_ca: Path | None = None
    """Certificate authorities (PEM) for the servers in `hosts`."""
