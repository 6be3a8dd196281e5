"""What a device says of itself: version, build, processors, emulator or phone, and what matters for hooks and trust."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from appwitness.devices.android.shell import Shell

_PROPERTY = re.compile(r"^\[([^\]]+)\]: \[(.*)\]$")
_ASK = """getprop
echo; echo ---
cat /proc/sys/kernel/random/boot_id
echo; echo ---
getenforce 2>/dev/null
echo; echo ---
uname -r
echo; echo ---
getconf PAGE_SIZE 2>/dev/null
echo; echo ---
grep -o '/apex/com.android.\\(art\\|conscrypt\\|runtime\\)@[0-9]*' /proc/self/mountinfo 2>/dev/null | sort -u
"""
EMULATORS = re.compile(r"ranchu|goldfish|cutf_cvm|redroid|vbox86|sdk_gphone", re.IGNORECASE)
UPDATED_ART = re.compile(r"com\.android\.art@([3-8]\d)\d{7}")
"""The runtime as an update of Google's, whose version begins with its API level; others are of the device's Android."""
MODULES = "ls /data/adb/modules 2>/dev/null; ls -d /data/adb/lspd 2>/dev/null; true"


@dataclass(frozen=True)
class DeviceFacts:
    """Of one device, as it was when it was asked."""

    properties: dict[str, str]
    boot: str
    """Boot id: another one after each start of the device."""
    selinux: str | None
    kernel: str | None
    page_size: int | None
    apexes: tuple[str, ...]
    """Updatable parts with their versions: com.android.art@341411300."""
    modules: tuple[str, ...] = field(default=())
    """Magisk's modules and LSPosed, where root could look."""

    @property
    def serial(self) -> str:
        """The hardware's, however it is connected; empty where it has none."""
        return self.properties.get("ro.serialno") or self.properties.get("ro.boot.serialno", "")

    @property
    def api(self) -> int:
        """API level; 0 where the device does not say."""
        text = self.properties.get("ro.build.version.sdk", "")
        return int(text) if text.isdigit() else 0

    @property
    def art(self) -> int | None:
        """API level of its runtime (ART), which may be newer than Android; None where the device says neither."""
        updated = UPDATED_ART.search(" ".join(self.apexes))
        return int(updated[1]) if updated else self.api or None

    @property
    def release(self) -> str | None:
        """Android's version: 14."""
        return self.properties.get("ro.build.version.release") or None

    @property
    def model(self) -> str:
        """Maker and model."""
        maker, model = (self.properties.get(f"ro.product.{name}", "") for name in ("manufacturer", "model"))
        return f"{maker} {model}".strip() or "unknown"

    @property
    def abis(self) -> tuple[str, ...]:
        """Processor architectures that it runs, the preferred first."""
        said = self.properties.get("ro.product.cpu.abilist") or self.properties.get("ro.product.cpu.abi", "")
        return tuple(abi for abi in said.split(",") if abi)

    def process_abi(self, libraries: Collection[str]) -> str | None:
        """The architecture that the process of an app runs as, by that of the app's libraries: the one that is
        preferred where it has none, and the device's own where they are translated. None where it does not say."""
        taken = next((abi for abi in self.abis if abi in libraries), None)  # as Android takes it
        own = [abi for abi in self.abis if abi.startswith("x86") == self.abis[0].startswith("x86")]
        if taken is None or taken in own:
            return taken or next(iter(own), None)
        return next((abi for abi in own if ("64" in abi) == ("64" in taken)), own[0])

    @property
    def kind(self) -> Literal["emulator", "phone"]:
        """Whether it is an emulator, a container among them."""
        get = self.properties.get
        qemu = get("ro.kernel.qemu") == "1" or get("ro.boot.qemu") == "1"
        named = any(EMULATORS.search(get(name, "")) for name in ("ro.hardware", "ro.product.model", "ro.boot.hardware"))
        return "emulator" if qemu or named or get("ro.genymotion.version") else "phone"

    @property
    def translated(self) -> str | None:
        """The library that runs foreign machine code (libhoudini.so), where there is one: hooks do not see it."""
        bridge = self.properties.get("ro.dalvik.vm.native.bridge", "0")
        return None if bridge in ("", "0") else bridge

    @property
    def described(self) -> dict[str, str]:
        """For run.json: what matters for hooks and trust, as far as the device says it."""
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
    """Ask the device for all of it, in one go. Raises DeviceFault when it does not answer."""
    said = f"{shell.check(_ASK)}\n".split("\n---\n")
    listing, boot, selinux, kernel, page, apexes = (*said, *[""] * (6 - len(said)))
    return DeviceFacts(
        properties=properties(listing),
        boot=boot.strip() or "unknown",
        selinux=selinux.strip() or None,
        kernel=kernel.strip() or None,
        page_size=int(page) if page.strip().isdigit() else None,
        apexes=tuple(line.removeprefix("/apex/") for line in apexes.split()),
        modules=tuple(shell.root(MODULES).out.split()) if shell.rooted() else (),
    )


def properties(listing: str) -> dict[str, str]:
    """What `getprop` prints."""
    found = (_PROPERTY.match(line) for line in listing.splitlines())
    return {match[1]: match[2] for match in found if match}
