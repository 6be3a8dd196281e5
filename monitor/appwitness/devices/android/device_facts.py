"""Facts about a device: Android version, build, processors, emulator or phone, and what matters for hooks and trust."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from appwitness.devices.android.shell import Shell

_PROPERTY = re.compile(r"^\[([^\]\n]+)\]: \[(.*?)\]$(?=\n\[|\n*\Z)", re.MULTILINE | re.DOTALL)
"""A property in `getprop` output; its value may have several lines."""
_MARK = "=== appwitness asks: "
BOOT = "cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat 2>/dev/null"
"""Prints the kernel's boot ID, which a container shares with its host, and the start time of the first process."""
UNKNOWN_BOOT = "unknown"
SYSTEM_SERVER = "pidof system_server"
"""Prints the process of Android's services; a crash of zygote ends it, and Android restarts without the device."""
_ASKS = {
    "properties": "getprop",
    "boot": BOOT,
    "system_server": SYSTEM_SERVER,
    "selinux": "getenforce 2>/dev/null",
    "kernel": "uname -r",
    "page": "getconf PAGE_SIZE 2>/dev/null",
    "apexes": """grep -oE '/apex/com[.]android[.](art|conscrypt|runtime)@[0-9]*' /proc/self/mountinfo | sort -u""",
}
EMULATORS = re.compile(r"ranchu|goldfish|cutf_cvm|redroid|vbox86|sdk_gphone", re.IGNORECASE)
CONTAINER_TICKS = 60 * 100
"""If the first process started this much later than the kernel, in hundredths of a second, it is in a container."""
CODE_NAMES = {
    "KitKat": 19,
    "L": 21,
    "LMP": 21,
    "M": 23,
    "MNC": 23,
    "N": 24,
    "NYC": 24,
    "NMR1": 25,
    "O": 26,
    "OMR1": 27,
    "P": 28,
    "Q": 29,
    "R": 30,
    "S": 31,
    "Sv2": 32,
    "Tiramisu": 33,
    "UpsideDownCake": 34,
    "VanillaIceCream": 35,
    "Baklava": 36,
    "CinnamonBun": 37,
}
TO_COME = 10_000
"""android.os.Build.VERSION_CODES.CUR_DEVELOPMENT."""
UPDATED_ART = re.compile(r"com\.android\.art@([3-8]\d)\d{7}")
"""A runtime updated by Google, whose version begins with its API level; any other runtime has the API level of the
device's Android."""
MODULES = "ls /data/adb/modules 2>/dev/null; ls -d /data/adb/lspd 2>/dev/null; true"


@dataclass(frozen=True)
class DeviceFacts:
    """The facts of one device at the time of the query."""

    properties: dict[str, str]
    boot: str
    """Boot ID, which changes whenever the device starts."""
    selinux: str | None
    kernel: str | None
    page_size: int | None
    apexes: tuple[str, ...]
    """Updatable system parts (APEX) with their versions: com.android.art@341411300."""
    modules: tuple[str, ...] = field(default=())
    """Magisk's modules and LSPosed; empty without root."""
    system_server: str = ""
    """Its process ID; empty if it could not be seen."""

    @property
    def serial(self) -> str:
        """The hardware's serial, independent of the connection; empty if it has none."""
        return self.properties.get("ro.serialno") or self.properties.get("ro.boot.serialno", "")

    @property
    def api(self) -> int:
        """API level; 0 if the device does not say."""
        get = self.properties.get
        return api_level(get("ro.build.version.sdk", "")) or api_level(get("ro.build.version.codename", "")) or 0

    @property
    def art(self) -> int | None:
        """API level of its runtime (ART), which may be newer than Android's; None if unknown."""
        updated = UPDATED_ART.search(" ".join(self.apexes))
        return int(updated[1]) if updated else self.api or None

    @property
    def release(self) -> str | None:
        """Android's version: 14."""
        return self.properties.get("ro.build.version.release") or None

    @property
    def model(self) -> str:
        """Manufacturer and model."""
        maker, model = (self.properties.get(f"ro.product.{name}", "") for name in ("manufacturer", "model"))
        return f"{maker} {model}".strip() or "unknown"

    @property
    def abis(self) -> tuple[str, ...]:
        """The ABIs that it runs, the preferred one first."""
        said = self.properties.get("ro.product.cpu.abilist") or self.properties.get("ro.product.cpu.abi", "")
        return tuple(abi for abi in said.split(",") if abi)

    def process_abi(self, libraries: Collection[str]) -> str | None:
        """The ABI that an app's process runs as, given the ABIs of the app's libraries: the device's preferred one if
        the app has no libraries, and one of the processor's own if the libraries are translated. None if the device
        does not name its ABIs."""
        taken = next((abi for abi in self.abis if abi in libraries), None)  # as Android chooses it
        own = [abi for abi in self.abis if abi.startswith("x86") == self.abis[0].startswith("x86")]
        if taken is None or taken in own:
            return taken or next(iter(own), None)
        return next((abi for abi in own if ("64" in abi) == ("64" in taken)), own[0])

    @property
    def kind(self) -> Literal["emulator", "phone"]:
        """Whether it is an emulator or a phone; a container counts as an emulator."""
        get = self.properties.get
        qemu = get("ro.kernel.qemu") == "1" or get("ro.boot.qemu") == "1"
        named = any(EMULATORS.search(get(name, "")) for name in ("ro.hardware", "ro.product.model", "ro.boot.hardware"))
        return "emulator" if qemu or named or get("ro.genymotion.version") else "phone"

    @property
    def translated(self) -> str | None:
        """The library that runs code for another architecture (libhoudini.so), if any: hooks do not see that code."""
        bridge = self.properties.get("ro.dalvik.vm.native.bridge", "0")
        return None if bridge in ("", "0") else bridge

    @property
    def described(self) -> dict[str, str]:
        """Facts for run.json that matter for hooks and trust, as far as the device reports them."""
        get = self.properties.get
        told = {
            "fingerprint": get("ro.build.fingerprint"),
            "security_patch": get("ro.build.version.security_patch"),
            "build_type": get("ro.build.type"),
            "verified_boot": get("ro.boot.verifiedbootstate"),
            "abis": ",".join(self.abis),
            "native_bridge": self.translated,
            "selinux": self.selinux,
            "kernel": self.kernel,
            "page_size": str(self.page_size) if self.page_size else None,
            "apexes": ",".join(self.apexes),
            "modules": ",".join(self.modules),
            "locale": get("persist.sys.locale") or get("ro.product.locale"),
            "time_zone": get("persist.sys.timezone"),
        }
        return {name: text for name, text in told.items() if text}

    @property
    def debuggable(self) -> bool:
        """Whether the build lets every app be debugged."""
        return self.properties.get("ro.debuggable") == "1"


def ask(shell: Shell) -> DeviceFacts:
    """Query all facts at once. Raises DeviceFault if the device does not answer."""
    script = "\n".join(f"echo; echo '{_MARK}{name}'\n{command}" for name, command in _ASKS.items())
    parts = f"\n{shell.check(f'{script}\ntrue')}".split(f"\n{_MARK}")
    said = dict.fromkeys(_ASKS, "") | dict(part.partition("\n")[::2] for part in parts[1:])
    page = said["page"].strip()
    return DeviceFacts(
        properties=properties(said["properties"]),
        boot=boot_of(said["boot"]),
        selinux=said["selinux"].strip() or None,
        kernel=said["kernel"].strip() or None,
        page_size=int(page) if page.isdigit() else None,
        apexes=tuple(line.removeprefix("/apex/") for line in said["apexes"].split()),
        modules=tuple(shell.root(MODULES).out.split()) if shell.rooted() else (),
        system_server=said["system_server"].strip(),
    )


def boot_of(said: str) -> str:
    """One ID from the output of BOOT; a container gets a new one each time it starts."""
    boot, _, first = said.strip().partition("\n")
    fields = first.rpartition(")")[2].split()  # proc(5): the third field follows the name
    started = int(fields[19]) if len(fields) > 19 and fields[19].isdigit() else 0
    if not boot or started < CONTAINER_TICKS:
        return boot or UNKNOWN_BOOT
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{boot} {started}"))


def properties(listing: str) -> dict[str, str]:
    """Parse the output of `getprop`."""
    return {match[1]: match[2] for match in _PROPERTY.finditer(listing.replace("\r\n", "\n"))}


def api_level(text: str) -> int | None:
    """The API level that a manifest or device gives as a number or a code name (Baklava; S.FINGERPRINT).

    An unknown code name counts as a future version, as devices treat it. None: the text is neither.
    """
    with suppress(ValueError):
        return int(text, 0)
    name = text.strip().partition(".")[0]
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) or name == "REL":
        return None
    return CODE_NAMES.get(name, TO_COME)
