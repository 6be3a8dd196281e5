"""What a device lacks for a run: each check asks one question, and answers with a code, a sentence and a remedy.

The device is asked by one script, and as root by a second one. Not tried on Android: every dump that is read here.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor import catalog
from monitor.observe.android import finding, traffic
from monitor.observe.android.adb import Adb
from monitor.observe.android.control import Control
from monitor.observe.android.facts import Facts
from monitor.observe.android.faults import FIELD, DeviceFault, Entry, fault
from monitor.observe.android.shell import Shell

Level = Literal["ok", "warning", "fault"]
OLDEST, NEWEST = 24, 36
ABIS = {"arm64-v8a", "armeabi-v7a", "armeabi", "x86_64", "x86"}
"""Processor architectures that there is a frida-server for."""
ROOM_MB = 150
"""What frida-server needs in /data/local/tmp, unpacked and with its agents."""
CLOCK_S = 30
BATTERY_PERCENT = 15
FRIDA_PORT = 27042
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
    "power": "dumpsys power | grep mWakefulness=",
    "policy": "dumpsys window policy",
    "battery": "dumpsys battery",
    "webview": "dumpsys webviewupdate | grep 'Current WebView package'",
    "accounts": "dumpsys account | grep -c 'Account {name='",
    "contacts": "content query --uri content://com.android.contacts/raw_contacts --projection _id | grep -c '^Row:'",
    "clock": "date +%s",
}
"""What is asked in one script: name -> commands; what they say on stderr is left out."""


class Rom(BaseModel):
    """What a maker's Android refuses to adb until somebody allows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    when: tuple[str, ...] = Field(description="properties, one of which this Android has")
    needs: dict[str, str] = Field(default_factory=dict, description="properties and the values that allow all")
    probe: bool = Field(default=False, description="nothing says it: send a key that does nothing")
    remedy: str = Field(alias="do")


class CheckText(BaseModel):
    """A question of the doctor's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asks: str
    ok: str = Field(description="what is said when all is well")


class Texts(BaseModel):
    """catalog/devices/doctor.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checks: dict[str, CheckText]
    warnings: dict[str, Entry]
    roms: tuple[Rom, ...]
    disturbing: tuple[str, ...] = Field(description="parts of names of modules that change how apps start")


@functools.cache
def texts() -> Texts:
    """Raises FileError with file and line."""
    (path,) = catalog.files("devices/doctor.yml")
    return catalog.parse(path, Texts)


class Result(BaseModel):
    """What one check found."""

    model_config = ConfigDict(frozen=True)

    check: str = Field(description="the check's name: a key of `checks` in catalog/devices/doctor.yml")
    level: Level = Field(description="fault: a run would fail; warning: it would see less, or say less")
    code: str | None = Field(description="of what is wrong, the same in every version; null when nothing is")
    message: str
    remedy: str | None


class Diagnosis(BaseModel):
    """What `appwitness doctor --json` prints; fields are added, never renamed."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    device: str | None = Field(description="serial as adb has it; null when none was found")
    model: str | None = None
    release: str | None = None
    api: int | None = None
    kind: Literal["emulator", "phone", "lab"] | None = None
    results: tuple[Result, ...]

    @property
    def worst(self) -> Level:
        """The gravest level among its results."""
        levels: tuple[Level, ...] = ("fault", "warning", "ok")
        return next(level for level in levels if any(result.level == level for result in self.results))


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `appwitness doctor --json`."""
    tree = Diagnosis.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **tree}


@dataclass
class Asked:
    """A device, and what it answered."""

    control: Control
    said: dict[str, str]
    """By the names of ASKS and ROOT_ASKS; empty where the device said nothing."""
    clock_s: float
    """How far its clock is ahead of this machine's."""
    check: str = ""
    """The one that asks just now."""

    @property
    def serial(self) -> str:
        """As adb has it."""
        return self.control.shell.serial

    @property
    def facts(self) -> Facts:
        """What it says of itself."""
        return self.control.facts

    def lines(self, name: str) -> list[str]:
        """An answer by lines, without empty ones."""
        return [line.strip() for line in self.said.get(name, "").splitlines() if line.strip()]

    def ok(self, **fields: object) -> Result:
        """All is well."""
        message = _filled(texts().checks[self.check].ok, fields)
        return Result(check=self.check, level="ok", code=None, message=message, remedy=None)

    def warning(self, code: str, **fields: object) -> Result:
        """A run would see less; the code's texts stand in doctor.yml."""
        entry = texts().warnings[code]
        fields = {"serial": self.serial, **fields}
        what, remedy = _filled(entry.what, fields), _filled(entry.next_step, fields)
        return Result(check=self.check, level="warning", code=code, message=what, remedy=remedy)

    def fault(self, code: str, **fields: object) -> Result:
        """A run would fail; the code's texts stand in faults.yml."""
        return of(fault(code, serial=self.serial, **fields), self.check)


Check = Callable[[Asked], Iterable[Result]]
CHECKS: dict[str, Check] = {}
"""Name -> check, in the order in which they are shown. Parts that know more add theirs, with texts in doctor.yml."""


def check(name: str) -> Callable[[Check], Check]:
    """Register a check under a name of doctor.yml."""

    def register(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return register


def of(error: DeviceFault, name: str) -> Result:
    """A fault as a result."""
    return Result(check=name, level="fault", code=error.code, message=error.what, remedy=error.next_step)


def diagnose(name: str | None, folder: Path, wait_s: float = 0.0) -> Diagnosis:
    """Find the device and ask every check; `folder` has the journals. Waits `wait_s` seconds until it has started.

    What keeps the device from being asked at all is the one result then.
    """
    device: Adb | None = None
    end = time.monotonic() + wait_s
    try:
        device = finding.poll(lambda: finding.choose(name), wait_s)
        finding.booted(Shell(device), max(0.0, end - time.monotonic()))
        asked = ask(finding.control(device, folder))
    except DeviceFault as error:
        found = "root" if error.code.startswith("root-") else "started" if device is not None else "reached"
        return Diagnosis(device=device.serial if device else None, results=(of(error, found),))
    facts = asked.facts
    return Diagnosis(
        device=device.serial,
        model=facts.model,
        release=facts.release,
        api=facts.api,
        kind=facts.kind,
        results=tuple(results(asked)),
    )


def results(asked: Asked) -> Iterator[Result]:
    """What each check found, in order."""
    for asked.check, function in CHECKS.items():
        try:
            yield from function(asked)
        except DeviceFault as error:
            yield of(error, asked.check)


def ask(control: Control) -> Asked:
    """Run the scripts. Raises DeviceFault."""
    script = dict(ASKS)
    if any(rom.probe for rom in _roms(control.facts)):
        script["probe"] = "input keyevent KEYCODE_UNKNOWN 2>&1"
    before = time.time()
    said = _sections(control.shell.check(_script(script)))
    after = time.time()
    there = said["clock"].strip()
    clock_s = int(there) + 0.5 - (before + after) / 2 if there.isdigit() else 0.0
    with_root: dict[str, str] = {}
    if _root(control) is not None:
        with_root = _sections(control.shell.check(_script(ROOT_ASKS), root=True))
    return Asked(control, {**said, **with_root}, clock_s)


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


def _filled(text: str, fields: dict[str, object]) -> str:
    return FIELD.sub(lambda found: str(fields[found[1]]), text)


def _roms(facts: Facts) -> list[Rom]:
    return [rom for rom in texts().roms if any(facts.properties.get(name) for name in rom.when)]


@check("reached")
def _reached(asked: Asked) -> Iterator[Result]:
    ways = {"usb": "USB", "emulator": "its console", "network": "the network"}
    yield asked.ok(model=asked.facts.model, way=ways[finding.way(asked.serial)])


@check("started")
def _started(asked: Asked) -> Iterator[Result]:
    yield asked.ok()  # else it would not have been asked


@check("screen")
def _screen(asked: Asked) -> Iterator[Result]:
    policy = asked.lines("policy")
    if not finding.is_locked(asked.said["policy"]):
        yield asked.ok()
    elif "secure=true" in policy:
        yield asked.fault("device-locked")
    elif "secure=false" not in policy:  # 14 and later do not say
        yield asked.warning("screen-locked")
    else:
        yield asked.ok()


@check("version")
def _version(asked: Asked) -> Iterator[Result]:
    facts = asked.facts
    if facts.api < OLDEST:
        yield asked.fault("android-too-old", release=facts.release, api=facts.api, oldest=OLDEST)
    elif facts.api > NEWEST:
        yield asked.warning("android-newer", release=facts.release, api=facts.api, oldest=OLDEST, newest=NEWEST)
    else:
        patch = facts.properties.get("ro.build.version.security_patch") or "at an unknown date"
        yield asked.ok(release=facts.release, api=facts.api, patch=patch)


@check("architecture")
def _architecture(asked: Asked) -> Iterator[Result]:
    facts = asked.facts
    if not set(facts.abis) & ABIS:
        yield asked.fault(
            "architecture-unsupported", abi=", ".join(facts.abis) or "none", known=", ".join(sorted(ABIS))
        )
    elif facts.translated:
        yield asked.warning("arm-translated", library=facts.translated)
    else:
        yield asked.ok(abi=", ".join(facts.abis))


@check("root")
def _root_found(asked: Asked) -> Iterator[Result]:
    found = asked.control.shell.rooted()
    if found is None:
        yield asked.warning("adb-root-possible" if asked.facts.debuggable else "without-root")
    elif not found.global_mounts:
        yield asked.warning("root-in-own-namespace")
    else:
        way = found.way.replace("sh {file}", "").replace("'", "").strip() or "adb itself"
        yield asked.ok(way=way, flavour=f" ({found.flavour})" if found.flavour else "")


@check("selinux")
def _selinux(asked: Asked) -> Iterator[Result]:
    yield asked.ok(mode=(asked.facts.selinux or "not there").lower())


@check("modules")
def _modules(asked: Asked) -> Iterator[Result]:
    there = [line.rsplit("/", 1)[-1] for line in asked.lines("modules")]
    disturbing = [name for name in there if any(part in name.lower() for part in texts().disturbing)]
    yield asked.warning("modules-disturb", modules=", ".join(disturbing)) if disturbing else asked.ok()


@check("storage")
def _storage(asked: Asked) -> Iterator[Result]:
    numbers = re.findall(r"(?<=\s)\d+(?=\s)", asked.said["storage"])
    if len(numbers) < 3:
        return  # it did not say
    free_mb = int(numbers[2]) // 1024
    if free_mb < ROOM_MB:
        yield asked.fault("storage-low", free_mb=free_mb, needed_mb=ROOM_MB)
    else:
        yield asked.ok(free_mb=f"{free_mb:,}")


@check("changes")
def _changes(asked: Asked) -> Iterator[Result]:
    left = asked.control.journal.open
    yield asked.warning("changes-open", number=len(left), first=left[0].what) if left else asked.ok()


@check("proxy")
def _proxy(asked: Asked) -> Iterator[Result]:
    proxy = asked.said["proxy"].strip()
    ours = any("http_proxy" in entry.what for entry in asked.control.journal.open)
    if proxy not in ("", "null", ":0") and not ours:
        yield asked.warning("proxy-left-over", proxy=proxy)
    elif not ours:
        yield asked.ok()


@check("dns")
def _dns(asked: Asked) -> Iterator[Result]:
    mode, server = (*asked.lines("dns"), "", "")[:2]
    if mode == "hostname":
        yield asked.warning("dns-private", server=server)
    else:
        yield asked.ok(mode={"null": "automatic", "": "automatic", "opportunistic": "automatic"}.get(mode, mode))


@check("vpn")
def _vpn(asked: Asked) -> Iterator[Result]:
    traffic.no_other_vpn(asked.control)
    yield asked.ok()


@check("frida")
def _frida(asked: Asked) -> Iterator[Result]:
    named = [line.split() for line in asked.lines("processes") if "frida" in line]
    port = any(line.split()[1].endswith(f":{FRIDA_PORT:04X}") for line in asked.lines("listening"))
    if named:
        yield asked.warning("frida-other", where=named[0][-1])
    elif port:
        yield asked.warning("frida-other", where=f"port {FRIDA_PORT}")
    else:
        yield asked.ok()


@check("screens")
def _screens(asked: Asked) -> Iterator[Result]:
    yield asked.warning("screen-read-by-other") if asked.lines("accessibility") else asked.ok()


@check("rom")
def _rom(asked: Asked) -> Iterator[Result]:
    there = _roms(asked.facts)
    refusing = [
        rom
        for rom in there
        if any(asked.facts.properties.get(name) != value for name, value in rom.needs.items())
        or (rom.probe and "INJECT_EVENTS" in asked.said["probe"])
    ]
    for rom in refusing:
        yield asked.warning("rom-refuses", rom=rom.name, remedy=rom.remedy)
    if not refusing:
        named = " and ".join(rom.name for rom in there)
        yield asked.ok(rom=f"{named} lets adb do all" if there else "none that is known to refuse")


@check("clock")
def _clock(asked: Asked) -> Iterator[Result]:
    seconds = round(abs(asked.clock_s))
    if seconds > CLOCK_S:
        yield asked.warning("clock-differs", seconds=seconds, direction="ahead of" if asked.clock_s > 0 else "behind")
    else:
        yield asked.ok(seconds=seconds)


@check("people")
def _people(asked: Asked) -> Iterator[Result]:
    counted = {name: asked.said[name].strip() for name in ("contacts", "accounts")}
    there = [f"{number} {name}" for name, number in counted.items() if number.isdigit() and int(number)]
    yield asked.warning("personal-data-there", what=" and ".join(there)) if there else asked.ok()


@check("power")
def _power(asked: Asked) -> Iterator[Result]:
    battery = dict(line.split(": ", 1) for line in asked.lines("battery") if ": " in line)
    powered = [name.split()[0] for name, value in battery.items() if name.endswith(" powered") and value == "true"]
    level = battery.get("level", "")
    if not powered and level.isdigit() and int(level) < BATTERY_PERCENT:
        yield asked.warning("battery-low", level=level)
    else:
        charging = f"charging ({powered[0]})" if powered else "on battery"
        yield asked.ok(power=f"{charging}, {level} %" if level else "no battery")


@check("updated")
def _updated(asked: Asked) -> Iterator[Result]:
    webview = re.search(r"\((?:name, version\): \()([\w.]+), ([^)]*)\)", asked.said["webview"])
    if "is null" in asked.said["webview"]:
        yield asked.warning("webview-none")
        return
    parts = [f"WebView {webview[1]} {webview[2]}"] if webview else []
    yield asked.ok(parts=", ".join((*parts, *asked.facts.apexes)) or "none named")
