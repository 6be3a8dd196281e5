"""Builds of frida-server and Frida's gadget on this machine: which one a device needs, and where to get it."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import tempfile
import urllib.request
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from appwitness.agent.frida_device import VERSION
from appwitness.catalog import editions, yaml_files
from appwitness.catalog.editions import Digest
from appwitness.catalog.entries import CatalogEntry
from appwitness.devices.android.device_facts import DeviceFacts
from appwitness.devices.android.faults import fault
from appwitness.events import OwnRequest
from appwitness.support import private_files
from appwitness.support.spoken import Spoken

BUILDS = {"arm64-v8a": "arm64", "armeabi-v7a": "arm", "armeabi": "arm", "x86_64": "x86_64", "x86": "x86"}
"""Android's name of an architecture -> Frida's."""
FLOOR = (17, 15, 5)
"""Older versions disturb zygote, or lack support for Android 10 and its process pool (USAP)."""
CACHE = Path("~/.appwitness/frida")
XZ = b"\xfd7zXZ\x00"
MOST_BYTES = 1 << 28


DOWNLOADS = "https://github.com/frida/frida/releases/download"
"""Base address of Frida's releases."""


class KnownBuilds(CatalogEntry):
    """catalog/devices/frida_builds.yml."""

    builds: dict[str, Digest]
    """File of a release -> its SHA-256, never as stated by the download site: the program runs as root."""


@dataclass(frozen=True)
class Build:
    """A frida-server or gadget on this machine."""

    name: str
    """Its name in the release: frida-server-17.26.2-android-arm64."""
    data: bytes = field(repr=False)
    """The unpacked program."""
    origin: str
    """`given`, `cache` or `download`."""
    file: str
    """Its path or address."""

    @property
    def requests(self) -> tuple[OwnRequest, ...]:
        """The network requests made to download it."""
        there = urlsplit(self.file).netloc if self.origin == "download" else ""
        return (OwnRequest(what="frida_build", to=there),) if there else ()

    @property
    def sha256(self) -> str:
        """SHA-256 of the unpacked program."""
        return hashlib.sha256(self.data).hexdigest()


def asset(facts: DeviceFacts, serial: str, gadget_for: Set[str] | None = None) -> str:
    """The name of the build for a device, in exactly the version of Frida used here. Raises DeviceFault
    `frida-server-no-build`.

    A 64-bit server also enters 32-bit apps; on a device that translates code, it is the build for the machine itself.
    `gadget_for`: the gadget's build instead, for an app with libraries for these ABIs; empty: an app without libraries,
    which runs as the device's ABI.
    """
    said = facts.properties.get("ro.product.cpu.abi", "")
    for abi in (said, *facts.abis):
        if abi in BUILDS and (not gadget_for or abi in gadget_for):
            program, ending = ("server", "") if gadget_for is None else ("gadget", ".so")
            return f"frida-{program}-{VERSION}-android-{BUILDS[abi]}{ending}"
    raise fault("frida-server-no-build", serial=serial, abis=", ".join(facts.abis) or said or "unknown")


def below_floor() -> str | None:
    """A warning if Frida on this machine is too old for devices; None if not."""
    have = tuple(int(part) for part in re.findall(r"\d+", VERSION)[:3])
    floor = ".".join(map(str, FLOOR))
    return None if have >= FLOOR else f"Frida {VERSION} is older than {floor}: starting apps may crash zygote"


def find(name: str, given: Path | None, cache: Path = CACHE, downloads: str = DOWNLOADS) -> Build:
    """The build with that name: the given file, else from the cache, else downloaded into the cache.

    A build that the user did not name must have the digest in the catalog. Raises DeviceFault:
    `frida-server-unreadable`, `frida-server-unknown`, `frida-server-missing`, `frida-server-digest`.
    """
    if given is not None:
        return Build(name, _unpacked(_read(given, name), given, name), "given", str(given))
    url = f"{downloads}/{VERSION}/{name}.xz"
    want = yaml_files.parse(editions.file("devices/frida_builds.yml"), KnownBuilds).builds.get(f"{name}.xz")
    if want is None:
        raise fault("frida-server-unknown", url=url, **_told(name))
    place = cache.expanduser() / f"{name}.xz"
    if place.is_file():
        data = _compared(_read(place, name), want, place, name)
        return Build(name, _unpacked(data, place, name), "cache", str(place))
    try:
        data = _fetch(url)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise fault("frida-server-missing", url=url, said=reason, place=place, **_told(name)) from None
    unpacked = _unpacked(_compared(data, want, url, name), url, name)
    private_files.folder(place.parent)
    fd, made = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(fd, "wb") as file_:
        file_.write(data)
    Path(made).replace(place)
    return Build(name, unpacked, "download", url)


def _compared(data: bytes, want: str, origin: object, name: str) -> bytes:
    if (have := hashlib.sha256(data).hexdigest()) != want:
        raise fault("frida-server-digest", file=origin, have=have, want=want, **_told(name))
    return data


def _told(name: str) -> dict[str, str]:
    """Fields for messages about a build: its file in the release, what it is, and the option that names one."""
    program = "gadget" if name.startswith("frida-gadget") else "server"
    variable = f"APPWITNESS_OBSERVE_FRIDA_{program.upper()}"
    return {"name": f"{name}.xz", "program": f"frida-{program}", "option": f"--frida-{program}", "variable": variable}


def _read(file: Path, name: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        said = error.strerror or str(error)
        raise fault("frida-server-unreadable", file=file, said=said, **_told(name)) from None


def _unpacked(data: bytes, file: object, name: str) -> bytes:
    if data.startswith(XZ):
        try:
            data = lzma.LZMADecompressor(memlimit=1 << 28).decompress(data, MOST_BYTES)
        except lzma.LZMAError as error:
            raise fault("frida-server-unreadable", file=file, said=error, **_told(name)) from None
    if not data.startswith((b"\x7fELF", b"#!")):
        raise fault("frida-server-unreadable", file=file, said=Spoken("it is not a program"), **_told(name))
    return data


def _fetch(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "appwitness"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 below DOWNLOADS
        data: bytes = answer.read(MOST_BYTES)
    return data
