"""Queries a device with one script as adb's user and one as root, and holds its answers.

Not tried on Android: all dumps read here.
"""

from __future__ import annotations

import functools
import re
import time
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.devices.android.control import Control
from appwitness.devices.android.device_facts import DeviceFacts
from appwitness.devices.android.doctor import reading
from appwitness.devices.android.faults import DeviceFault, FaultEntry, fault
from appwitness.devices.diagnosis import Result
from appwitness.support.spoken import Spoken

DUMP = "dump_"
"""Prefix of the names of answers that are dumps of reading.py."""
ROOT_ASKS = {
    "modules": "for m in /data/adb/modules/*/; do [ -e ${m}disable ] || basename $m; done; ls -d /data/adb/lspd",
}
ASKS = {
    "storage": "df -k /data/local/tmp | tail -n 1",
    "proxy": "settings get global http_proxy",
    "dns": "settings get global private_dns_mode; settings get global private_dns_specifier",
    "listening": "cat /proc/net/tcp /proc/net/tcp6 | grep ' 0A '",
    "processes": "ps -A || ps",
    "accessibility": "dumpsys accessibility | grep 'Ui Automation\\['",
    "policy": "dumpsys window policy",
    "battery": "dumpsys battery",
    "webview": "dumpsys webviewupdate | grep 'Current WebView package'",
    "accounts": "dumpsys account | grep -c 'Account {name='",
    "contacts": "content query --uri content://com.android.contacts/raw_contacts --projection _id | grep -c '^Row:'",
    "clock": "date +%s",
}
"""Queries of the script that runs as adb's user: name -> commands; their stderr is dropped."""


class Rom(CatalogEntry):
    """A vendor's Android, which denies adb some actions until the user allows them on the device."""

    name: str
    when: tuple[str, ...] = Field(description="properties, one of which this Android has")
    needs: dict[str, str] = Field(default_factory=dict, description="properties and the values that allow all")
    probe: bool = Field(default=False, description="nothing says it: send a key that does nothing")
    remedy: str = Field(alias="do")


class CheckText(CatalogEntry):
    """The texts of one check of the doctor."""

    asks: str
    ok: str = Field(description="what is said when all is well")


class DoctorTexts(CatalogEntry):
    """catalog/devices/doctor.yml."""

    checks: dict[str, CheckText]
    warnings: dict[str, FaultEntry]
    roms: tuple[Rom, ...]
    disturbing: tuple[str, ...] = Field(description="parts of names of modules that change how apps start")


@functools.cache
def texts() -> DoctorTexts:
    """The texts of doctor.yml. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "devices/doctor.yml", DoctorTexts)


@dataclass
class AskedDevice:
    """A device and its answers."""

    control: Control
    said: dict[str, str]
    """Its answers by their names in ASKS and ROOT_ASKS; empty if the device printed nothing."""
    clock_s: float
    """How many seconds its clock is ahead of this machine's."""
    check: str = ""
    """Name of the check being run."""

    @property
    def serial(self) -> str:
        """Its adb serial."""
        return self.control.shell.serial

    @property
    def facts(self) -> DeviceFacts:
        """The device's facts."""
        return self.control.facts

    def lines(self, name: str) -> list[str]:
        """The lines of an answer, without empty ones."""
        return [line.strip() for line in self.said.get(name, "").splitlines() if line.strip()]

    def ok(self, **fields: object) -> Result:
        """The result `ok`."""
        message = Spoken(texts().checks[self.check].ok, **fields)
        return Result(check=self.check, level="ok", code=None, message=message, remedy=None)

    def warning(self, code: str, **fields: object) -> Result:
        """The result `warning`: a run would see less; the texts of its code are in doctor.yml."""
        entry = texts().warnings[code]
        fields = {"serial": self.serial, **fields}
        what, remedy = Spoken(entry.what, **fields), Spoken(entry.next_step, **fields)
        return Result(check=self.check, level="warning", code=code, message=what, remedy=remedy)

    def fault(self, code: str, **fields: object) -> Result:
        """The result `fault`: a run would fail; the texts of its code are in faults.yml."""
        return of(fault(code, serial=self.serial, **fields), self.check)


def of(error: DeviceFault, name: str) -> Result:
    """A fault as a result."""
    return Result(check=name, level="fault", code=error.code, message=error.what, remedy=error.next_step)


def ask(control: Control) -> AskedDevice:
    """Run the scripts on a device. Raises DeviceFault."""
    script = ASKS | {f"{DUMP}{name}": command for name, command in reading.asked(control.facts.api).items()}
    if any(rom.probe for rom in roms(control.facts)):
        script["probe"] = "input keyevent KEYCODE_UNKNOWN 2>&1"
    before = time.time()
    said = _sections(control.shell.check(_script(script)))
    after = time.time()
    there = said["clock"].strip()
    clock_s = int(there) + 0.5 - (before + after) / 2 if there.isdigit() else 0.0
    with_root: dict[str, str] = {}
    if _root(control) is not None:
        with_root = _sections(control.shell.check(_script(ROOT_ASKS), root=True))
    return AskedDevice(control, {**said, **with_root}, clock_s)


def _root(control: Control) -> Any:
    try:
        return control.shell.rooted()
    except DeviceFault:
        return None


def _script(asks: dict[str, str]) -> str:
    lines = (f"echo; echo '=== {name}'; {{ {commands}; }} 2>/dev/null" for name, commands in asks.items())
    return "\n".join((*lines, "true"))


def _sections(said: str) -> dict[str, str]:
    parts = re.split(r"^=== (\w+)$", said, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def roms(facts: DeviceFacts) -> list[Rom]:
    """The vendor variants of Android that match this device."""
    return [rom for rom in texts().roms if any(facts.properties.get(name) for name in rom.when)]
