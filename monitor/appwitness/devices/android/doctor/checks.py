"""The checks before a run: each has a code, a sentence and a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from appwitness.catalog.tried import seen
from appwitness.devices.android import container, discovery, traffic, wakefulness
from appwitness.devices.android.app.gadget_config import USUAL_PORT
from appwitness.devices.android.doctor import reading
from appwitness.devices.android.doctor.answers import DUMP, AskedDevice, roms, texts
from appwitness.devices.android.frida.frida_release import BUILDS
from appwitness.devices.diagnosis import Result
from appwitness.support.spoken import AND, SEMICOLON, Spoken, listed

OLDEST, NEWEST = 24, 36
ROOM_MB = 150
"""Megabytes that frida-server needs in /data/local/tmp, unpacked and with its agents."""
CLOCK_S = 30
BATTERY_PERCENT = 15
Check = Callable[[AskedDevice], Iterable[Result]]
CHECKS: dict[str, Check] = {}
"""Name -> check, in the order shown. Other modules may register more checks, with texts in doctor.yml."""


def check(name: str) -> Callable[[Check], Check]:
    """Register a check under a name of doctor.yml."""

    def register(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return register


def around() -> Iterator[Result]:
    """In a container, a result that says which adb server is used; it needs no device."""
    if container.inside():
        message = Spoken(texts().checks["container"].ok, server=container.server())
        yield Result(check="container", level="ok", code=None, message=message, remedy=None)


@check("container")
def _around(_: AskedDevice) -> Iterator[Result]:
    yield from around()


@check("reached")
def _reached(asked: AskedDevice) -> Iterator[Result]:
    ways = {"usb": "USB", "emulator": Spoken("its console"), "network": Spoken("the network")}
    yield asked.ok(model=asked.facts.model, way=ways[discovery.way(asked.serial)])


@check("started")
def _started(asked: AskedDevice) -> Iterator[Result]:
    yield asked.ok()  # otherwise it could not have been queried


@check("screen")
def _screen(asked: AskedDevice) -> Iterator[Result]:
    policy = asked.lines("policy")
    if not wakefulness.is_locked(asked.said["policy"]):
        yield asked.ok()
    elif "secure=true" in policy:
        yield asked.fault("device-locked")
    elif "secure=false" not in policy:  # Android 14 and later do not say
        yield asked.warning("screen-locked")
    else:
        yield asked.ok()


@check("version")
def _version(asked: AskedDevice) -> Iterator[Result]:
    facts = asked.facts
    if facts.api < OLDEST:
        yield asked.fault("android-too-old", release=facts.release, api=facts.api, oldest=OLDEST)
    elif facts.api > NEWEST:
        yield asked.warning("android-newer", release=facts.release, api=facts.api, oldest=OLDEST, newest=NEWEST)
    elif facts.art not in seen():
        known = ", ".join(map(str, seen()))
        yield asked.warning("android-untried", release=facts.release, api=facts.api, art=facts.art, seen=known)
    else:
        patch = facts.properties.get("ro.build.version.security_patch") or Spoken("at an unknown date")
        yield asked.ok(release=facts.release, api=facts.api, patch=patch)


@check("architecture")
def _architecture(asked: AskedDevice) -> Iterator[Result]:
    facts = asked.facts
    if not BUILDS.keys() & set(facts.abis):
        yield asked.fault(
            "architecture-unsupported", abi=", ".join(facts.abis) or Spoken("none"), known=", ".join(sorted(BUILDS))
        )
    elif facts.translated:
        yield asked.warning("arm-translated", library=facts.translated)
    else:
        yield asked.ok(abi=", ".join(facts.abis))


@check("root")
def _root_found(asked: AskedDevice) -> Iterator[Result]:
    found = asked.control.shell.rooted()
    if found is None:
        yield asked.warning("adb-root-possible" if asked.facts.debuggable else "without-root")
    elif not found.global_mounts:
        yield asked.warning("root-in-own-namespace")
    else:
        way = found.way.replace("sh {file}", "").replace("'", "").strip() or Spoken("adb itself")
        yield asked.ok(way=way, flavour=Spoken(" ({name})", name=found.flavour) if found.flavour else "")


@check("selinux")
def _selinux(asked: AskedDevice) -> Iterator[Result]:
    yield asked.ok(mode=asked.facts.selinux.lower() if asked.facts.selinux else Spoken("not there"))


@check("modules")
def _modules(asked: AskedDevice) -> Iterator[Result]:
    there = [line.rsplit("/", 1)[-1] for line in asked.lines("modules")]
    disturbing = [name for name in there if any(part in name.lower() for part in texts().disturbing)]
    yield asked.warning("modules-disturb", modules=", ".join(disturbing)) if disturbing else asked.ok()


@check("storage")
def _storage(asked: AskedDevice) -> Iterator[Result]:
    numbers = re.findall(r"(?<=\s)\d+(?=\s)", asked.said["storage"])
    if len(numbers) < 3:
        return  # the device did not say
    free_mb = int(numbers[2]) // 1024
    if free_mb < ROOM_MB:
        yield asked.fault("storage-low", free_mb=free_mb, needed_mb=ROOM_MB)
    else:
        yield asked.ok(free_mb=f"{free_mb:,}")


@check("changes")
def _changes(asked: AskedDevice) -> Iterator[Result]:
    left = asked.control.journal.open
    yield asked.warning("changes-open", number=len(left), first=left[0].what) if left else asked.ok()


@check("proxy")
def _proxy(asked: AskedDevice) -> Iterator[Result]:
    proxy = asked.said["proxy"].strip()
    ours = any("http_proxy" in entry.what for entry in asked.control.journal.open)
    if proxy not in ("", "null", ":0") and not ours:
        yield asked.warning("proxy-left-over", proxy=proxy)
    elif not ours:
        yield asked.ok()


@check("dns")
def _dns(asked: AskedDevice) -> Iterator[Result]:
    mode, server = (*asked.lines("dns"), "", "")[:2]
    if mode == "hostname":
        yield asked.warning("dns-private", server=server)
    else:
        automatic = Spoken("automatic")
        yield asked.ok(mode={"null": automatic, "": automatic, "opportunistic": automatic}.get(mode, mode))


@check("vpn")
def _vpn(asked: AskedDevice) -> Iterator[Result]:
    traffic.no_other_vpn(asked.control)
    yield asked.ok()


@check("frida")
def _frida(asked: AskedDevice) -> Iterator[Result]:
    named = [line.split() for line in asked.lines("processes") if "frida" in line]
    port = any(line.split()[1].endswith(f":{USUAL_PORT:04X}") for line in asked.lines("listening"))
    if named:
        yield asked.warning("frida-other", where=named[0][-1])
    elif port:
        yield asked.warning("frida-other", where=Spoken("port {port}", port=USUAL_PORT))
    else:
        yield asked.ok()


@check("screens")
def _screens(asked: AskedDevice) -> Iterator[Result]:
    yield asked.warning("screen-read-by-other") if asked.lines("accessibility") else asked.ok()


@check("rom")
def _rom(asked: AskedDevice) -> Iterator[Result]:
    there = roms(asked.facts)
    refusing = [
        rom
        for rom in there
        if any(asked.facts.properties.get(name) != value for name, value in rom.needs.items())
        or (rom.probe and "INJECT_EVENTS" in asked.said["probe"])
    ]
    for rom in refusing:
        yield asked.warning("rom-refuses", rom=Spoken(rom.name), remedy=Spoken(rom.remedy))
    if not refusing:
        named = listed((Spoken(rom.name) for rom in there), AND)
        allows = (
            Spoken("{rom} lets adb do everything", rom=named) if there else Spoken("none that is known to restrict adb")
        )
        yield asked.ok(rom=allows)


@check("clock")
def _clock(asked: AskedDevice) -> Iterator[Result]:
    seconds = round(abs(asked.clock_s))
    if seconds > CLOCK_S:
        direction = Spoken("ahead of") if asked.clock_s > 0 else Spoken("behind")
        yield asked.warning("clock-differs", seconds=seconds, direction=direction)
    else:
        yield asked.ok(seconds=seconds)


@check("people")
def _people(asked: AskedDevice) -> Iterator[Result]:
    kinds = {"contacts": Spoken("contacts"), "accounts": Spoken("accounts")}
    counted = {kind: asked.said[name].strip() for name, kind in kinds.items()}
    there = [
        Spoken("{number} {what}", number=number, what=kind)
        for kind, number in counted.items()
        if number.isdigit() and int(number)
    ]
    yield asked.warning("personal-data-there", what=listed(there, AND)) if there else asked.ok()


@check("power")
def _power(asked: AskedDevice) -> Iterator[Result]:
    battery = dict(line.split(": ", 1) for line in asked.lines("battery") if ": " in line)
    powered = [name.split()[0] for name, value in battery.items() if name.endswith(" powered") and value == "true"]
    level = battery.get("level", "")
    if not powered and level.isdigit() and int(level) < BATTERY_PERCENT:
        yield asked.warning("battery-low", level=level)
    else:
        how = Spoken("charging ({way})", way=powered[0]) if powered else Spoken("on battery")
        yield asked.ok(power=Spoken("{how}, {level} %", how=how, level=level) if level else Spoken("no battery"))


@check("dumps")
def _dumps(asked: AskedDevice) -> Iterator[Result]:
    there = reading.asked(asked.facts.api)
    unread = reading.unread({name: asked.said.get(f"{DUMP}{name}", "") for name in there})
    if unread:
        yield asked.warning(
            "dumps-unread",
            what=listed((Spoken("{name}: {why}", name=each.name, why=each.why) for each in unread), SEMICOLON),
        )
    elif there:
        yield asked.ok(number=len(there))


@check("updated")
def _updated(asked: AskedDevice) -> Iterator[Result]:
    webview = re.search(r"\((?:name, version\): \()([\w.]+), ([^)]*)\)", asked.said["webview"])
    if "is null" in asked.said["webview"]:
        yield asked.warning("webview-none")
        return
    parts = [f"WebView {webview[1]} {webview[2]}"] if webview else []
    yield asked.ok(parts=", ".join((*parts, *asked.facts.apexes)) or Spoken("none named"))
