"""The files of one app: an APK, its splits in a folder or list, or an archive; and which of them a device needs.

Archives are those that stores and tools make: .apks (bundletool, SAI), .apkm (APKMirror), .xapk (APKPure, with
expansions). Only known files are extracted from them, under new names, into a temporary folder.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import Element

from appwitness.devices.android.app import apk, apk_parts
from appwitness.devices.android.app.apk import Apk, Sdk
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.support.spoken import Spoken

ARCHIVES = (".apks", ".apkm", ".xapk", ".zip")
MEMBER_BYTES = 4 << 30
RATIO = 200
"""Largest compression ratio accepted for an APK or expansion."""
MEMBERS = 1000
UNSAID = 0xFFFFFFFF
"""Placeholder for a length that is stored in another record."""
DENSITIES = {"ldpi": 120, "mdpi": 160, "tvdpi": 213, "hdpi": 240, "xhdpi": 320, "xxhdpi": 480, "xxxhdpi": 640}
ABIS = ("armeabi", "armeabi_v7a", "arm64_v8a", "x86", "x86_64", "mips", "mips64", "riscv64")
_OBB = re.compile(r"Android/obb/([\w.]+)/((?:main|patch)\.\d+\.([\w.]+)\.obb)")


@dataclass(frozen=True)
class App:
    """One app: its base APK and its splits, all with the same package, version and signer."""

    base: Apk
    splits: tuple[Apk, ...] = ()
    expansions: tuple[tuple[Path, str], ...] = ()
    """Files and their names in Android/obb/PACKAGE."""
    variants: tuple[Apk, ...] = ()
    """Further base APKs, for other versions of Android."""

    @property
    def apks(self) -> tuple[Apk, ...]:
        """All its APKs, the base first."""
        return (self.base, *self.splits)

    @property
    def abis(self) -> frozenset[str]:
        """The ABIs that it has native libraries for; empty: it has no native libraries."""
        return frozenset(abi for each in self.apks for abi in each.abis)

    def for_device(self, abis: Sequence[str], density: int = 0, api: int = 0) -> App:
        """The part of the app that a device needs: one split for each set of ABIs and densities, as stores deliver it.

        `density` 0: unknown, all are kept. Raises DeviceFault if no split is for one of the device's ABIs.
        """
        fitting = [each for each in (self.base, *self.variants) if not api or each.min_sdk <= api] or [self.base]
        base = max(fitting, key=lambda each: each.min_sdk)
        kept = []
        for split in _newest(self.splits, api):
            value = _value(split)
            if value in ABIS:
                rivals = {_value(each) for each in self.splits if each.config_for == split.config_for}
                best = next((each for abi in abis if (each := abi.replace("-", "_")) in rivals), None)
                if best is None:
                    has = ", ".join(sorted(name for name in rivals if name in ABIS))
                    raise fault("app-wrong-abi", package=self.base.package, has=has, device=", ".join(abis))
                if value != best:
                    continue
            if value in DENSITIES and density:
                rivals = {_value(each) for each in self.splits if each.config_for == split.config_for}
                sizes = sorted(DENSITIES[name] for name in rivals if name in DENSITIES)
                if DENSITIES[value] != next((size for size in sizes if size >= density), sizes[-1]):
                    continue
            kept.append(split)
        return replace(self, base=base, splits=tuple(kept), variants=())


@dataclass(frozen=True)
class CodeFacts:
    """Facts read from an app's files before a run."""

    sdks: tuple[Sdk, ...]
    network_security: Element | None
    """Its network security configuration as a tree; None: it has none."""
    damaged: str | None = None
    """Why a configuration that it names could not be read."""
    unread: tuple[str, ...] = ()
    """Dex files that could not be read, so the code in them is unknown."""


def code_facts(app: App) -> CodeFacts:
    """Known recipients' code in the app, and its network security configuration. Raises DeviceFault."""
    packages: set[str] = set()
    unread: list[str] = []
    for each in app.apks:
        packages |= apk.code_packages(each.path, unread)
    try:
        return CodeFacts(apk.sdks(packages), apk.network_security_xml(app.base.path), unread=tuple(unread))
    except DeviceFault as error:
        return CodeFacts(apk.sdks(packages), None, error.what, tuple(unread))


@contextmanager
def opened(*paths: Path) -> Iterator[App]:
    """Open the app in a file, a folder or a list of APKs; files from an archive exist while the context lasts.

    Raises DeviceFault: not there, an app bundle, encrypted, damaged, beyond the limits, or not one app.
    """
    with tempfile.TemporaryDirectory(prefix="appwitness-") as folder:
        files: list[Path] = []
        expansions: list[tuple[Path, str]] = []
        for path in paths:
            if path.is_dir():
                files += sorted(path.glob("*.apk"))
                if not files:
                    raise fault("app-no-apks", path=path)
            elif not path.is_file():
                raise fault("apk-not-there", path=path)
            elif path.suffix.lower() == ".aab":
                raise fault("app-bundle", path=path)
            elif path.suffix.lower() in ARCHIVES:
                taken, beside = _unpacked(path, Path(folder))
                files += taken
                expansions += beside
            else:
                files.append(path)
        yield _app(files, tuple(expansions))


def _app(files: list[Path], expansions: tuple[tuple[Path, str], ...]) -> App:
    apks = [apk.read(file) for file in files]
    first = apks[0]
    for each in apks:
        if each.package != first.package or each.version_code != first.version_code:
            said = [f"{one.package} {one.version_code}" for one in (first, each)]
            raise fault("app-mixed", path=each.path.name, one=said[0], other=said[1])
        if each.certificate_sha256 != first.certificate_sha256:
            raise fault("app-mixed-signers", path=each.path.name, package=first.package)
    bases = [each for each in apks if each.split is None]
    if not bases:
        raise fault("app-no-base", package=first.package, splits=", ".join(each.split or "" for each in apks))
    base, *variants = bases
    for _, name in expansions:
        found = re.fullmatch(r"(?:main|patch)\.\d+\.([\w.]+)\.obb", name)
        if not found or found[1] != base.package:
            raise fault("app-mixed", path=name, one=base.package, other=found[1] if found else name)
    if len(bases) > 1 and not any(each.split for each in apks):
        raise fault("app-several", package=first.package, count=len(bases))
    return App(base, tuple(each for each in apks if each.split is not None), expansions, tuple(variants))


def _newest(splits: tuple[Apk, ...], api: int) -> list[Apk]:
    """One split for each name: if an archive has variants for several Android versions, the newest that fits."""
    best: dict[str, Apk] = {}
    for each in splits:
        name = each.split or ""
        fits = not api or each.min_sdk <= api
        there = best.get(name)
        if fits and (there is None or each.min_sdk > there.min_sdk):
            best[name] = each
    return list(best.values())


def _value(split: Apk) -> str:
    """What a configuration split is for: arm64_v8a, xxhdpi, en; empty for a feature split."""
    return (split.split or "").rpartition("config.")[2] if split.config_for is not None else ""


def _unpacked(path: Path, folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    try:
        with suppress(ValueError):  # not a ZIP file: reported below
            if apk.DIRECTORY_BYTES < (length := apk_parts.zip_end(path).length) < UNSAID:
                raise fault(
                    "apk-too-large",
                    path=path,
                    what=Spoken("its list of files"),
                    limit=apk.DIRECTORY_BYTES >> 20,
                    size=length,
                )
        with zipfile.ZipFile(path) as archive:
            return _taken(path, archive, folder)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        if path.suffix.lower() == ".apkm" and not zipfile.is_zipfile(path):
            raise fault("app-encrypted", path=path) from None
        raise fault("app-damaged", path=path, said=str(error).rstrip(".") or type(error).__name__) from error


def _taken(path: Path, archive: zipfile.ZipFile, folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.flag_bits & 1 for info in infos):
        raise fault("app-encrypted", path=path)
    if "BundleConfig.pb" in archive.namelist():
        raise fault("app-bundle", path=path)
    apks = [info for info in infos if info.filename.lower().endswith(".apk")]
    made = [info for info in apks if info.filename.startswith("splits/")]
    alone = [info for info in apks if "/" not in info.filename.strip("/")]
    chosen = made or alone or apks
    named = [info for info in infos if info.filename.lower().endswith(".obb")]
    places = _places(archive) if named else {}
    obbs = [(info, name) for info in named if (name := _obb(places.get(info.filename, info.filename)))]
    wanted = [*chosen, *(info for info, _ in obbs)]
    if not chosen:
        raise fault("app-no-apks", path=path)
    total = sum(info.file_size for info in wanted)
    if len(wanted) > MEMBERS or total > shutil.disk_usage(folder).free or any(map(_bomb, wanted)):
        raise fault("app-too-large", path=path, count=len(wanted), size=total >> 20)
    base = len(list(folder.iterdir()))
    out = []
    for number, info in enumerate(wanted):
        out.append(folder / f"{base + number:04}{Path(info.filename).suffix.lower()}")
        with archive.open(info) as source, out[-1].open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    names = [name for _, name in obbs]
    return out[: len(chosen)], list(zip(out[len(chosen) :], names, strict=True))


def _bomb(info: zipfile.ZipInfo) -> bool:
    return info.file_size > min(MEMBER_BYTES, RATIO * info.compress_size + (1 << 20))


def _places(archive: zipfile.ZipFile) -> dict[str, str]:
    """File in an .xapk -> its path on a device, from the archive's manifest."""
    places = {}
    with suppress(KeyError, ValueError, TypeError, AttributeError, RecursionError):
        listing = archive.getinfo("manifest.json")
        if listing.file_size < 1 << 20:
            for each in json.loads(archive.read(listing)).get("expansions", ()):
                places[str(each["file"])] = str(each["install_path"])
    return places


def _obb(place: str) -> str | None:
    """The file name of an expansion in Android/obb; None if the path is not one."""
    found = _OBB.fullmatch(place)
    return found[2] if found and found[1] == found[3] else None
