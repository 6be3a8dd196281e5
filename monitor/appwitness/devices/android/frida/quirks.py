"""Workarounds that frida-server needs on certain Android versions or ROMs (catalog/devices/quirks.yml)."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Sequence

from pydantic import Field

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.devices.android.control import Control
from appwitness.devices.android.device_facts import DeviceFacts
from appwitness.support.spoken import Spoken


class Quirk(CatalogEntry):
    """A change that frida-server needs on some version or ROM."""

    name: str
    why: str
    api: tuple[int | None, int | None]
    properties: dict[str, str] = Field(default_factory=dict)
    """Property -> regular expression; all must match."""
    says: str | None = None
    """Pattern of the server's output before it failed; None: the quirk is applied before the first start."""
    asks: bool = False
    set: dict[str, str] = Field(default_factory=dict)
    do: str | None = None
    undo: str | None = None
    verify: str | None = None
    environment: bool = False
    """Whether to give the server zygote's environment."""

    def fits(self, facts: DeviceFacts) -> bool:
        """Whether the quirk applies to a device."""
        low, high = self.api
        if (low and facts.api < low) or (high and facts.api > high):
            return False
        return all(re.search(want, facts.properties.get(name, "")) for name, want in self.properties.items())


class _Quirks(CatalogEntry):
    quirks: tuple[Quirk, ...]


@functools.cache
def quirks() -> tuple[Quirk, ...]:
    """All quirks in the catalog. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "devices/quirks.yml", _Quirks).quirks


def wanted(facts: DeviceFacts, allowed: Sequence[str]) -> list[Quirk]:
    """A device's quirks that are applied before the first start; `allowed`: those that the user permitted."""
    return [one for one in quirks() if one.fits(facts) and one.says is None and (not one.asks or one.name in allowed)]


def cure(said: str, facts: DeviceFacts) -> Quirk | None:
    """The quirk that explains what a server printed."""
    return next((one for one in quirks() if one.says and re.search(one.says, said, re.I) and one.fits(facts)), None)


def apply(control: Control, quirk: Quirk) -> None:
    """Apply a quirk; if the device does not accept it, the run continues without it, and a note says so."""
    for key, value in quirk.set.items():
        was = control.shell.check(f"getprop {key}").strip()
        undo = shlex.join(["setprop", key, was])
        control.change(
            f"set property {key} ({quirk.name})", shlex.join(["setprop", key, value]), undo, root=True, was=was
        )
        if control.shell.check(f"getprop {key}").strip() != value:
            control.notes.append(
                Spoken("{name}: the device did not take {key} = {value}", name=quirk.name, key=key, value=value)
            )
            return
    if quirk.do is not None:
        control.change(quirk.name, quirk.do, quirk.undo or "true", root=True, lost_by_reboot=True)
        if quirk.verify is not None and not control.shell.root(quirk.verify).ok:
            control.notes.append(Spoken("{name}: the device did not take it", name=quirk.name))
            return
    control.notes.append(Spoken("{name}: {why}; changed for the run", name=quirk.name, why=quirk.why))
