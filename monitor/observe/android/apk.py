"""What an APK says of itself, and the only door to apkutils: manifest, permissions, components, signer, SDKs, trust.

apkutils reads the ZIP file as leniently as Android does (packers forge its flags) and the binary XML; the tree is built
here, within bounds: an APK may be hostile. Resources are looked up one by one: its reader of resource tables reads all,
and knows neither sparse nor compact entries.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree.ElementTree import Element

from pydantic import BaseModel, ConfigDict

from monitor import catalog
from monitor.observe.android import apk_parts
from monitor.observe.android.faults import DeviceFault, fault

ANDROID = "{http://schemas.android.com/apk/res/android}"
MANIFEST = "AndroidManifest.xml"
MANIFEST_BYTES = 8 << 20
TABLE_BYTES = 128 << 20
DEX_BYTES = 128 << 20
XML_BYTES = 1 << 20
TEXT_CHARACTERS = 16 << 20
"""All texts of one binary XML together: the same string may be named a million times."""
DEPTH = 100
DIRECTORY_BYTES = 64 << 20
"""The ZIP file's own list of its files."""
Kind = Literal["activity", "activity-alias", "service", "receiver", "provider"]
KINDS: tuple[Kind, ...] = ("activity", "activity-alias", "service", "receiver", "provider")
_DEX = re.compile(r"classes\d*\.dex")
_LIBRARY = re.compile(r"lib/([^/]+)/[^/]+\.so")
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_REFERENCE = re.compile(r"@(?:android:)?([0-9A-Fa-f]{8})")


@dataclass(frozen=True)
class Component:
    """An activity, service, receiver or provider."""

    kind: Kind
    name: str
    """Of its class, in full."""
    process: str
    """In full: com.example:push."""
    enabled: bool = True
    exported: bool | None = None
    launcher: bool = False
    """It stands in the launcher: MAIN and LAUNCHER in one filter."""
    isolated: bool = False
    """A service in a process of a uid of its own."""
    authorities: tuple[str, ...] = ()
    """Of a provider."""


@dataclass(frozen=True)
class Apk:
    """One APK file: a whole app, or a split of one."""

    path: Path
    size: int
    sha256: str
    package: str
    split: str | None = None
    """Name of the split; None for the base."""
    config_for: str | None = None
    """The split that it is a configuration of; empty for one of the base's, None for no configuration split."""
    version_name: str | None = None
    version_code: int | None = None
    min_sdk: int = 1
    target_sdk: int | None = None
    """As Android takes it: what is missing is min_sdk. None for a split."""
    permissions: tuple[str, ...] = ()
    """Those that it asks for."""
    components: tuple[Component, ...] = ()
    debuggable: bool = False
    test_only: bool = False
    extract_native_libs: bool | None = None
    """None: not said, which means that libraries are taken out of it."""
    cleartext: bool | None = None
    """`usesCleartextTraffic`; None: not said."""
    network_security: str | None = None
    """The reference to its network security configuration, as the manifest has it."""
    needs_splits: bool = False
    """It says that it does not run without its splits."""
    abis: tuple[str, ...] = ()
    """Those that it has native libraries for."""
    marks: tuple[str, ...] = ()
    """What its native libraries tell (catalog/devices/libraries.yml): gadget, wrapped, pairip, packed, flutter, ..."""
    certificate_sha256: str | None = None
    """Of the signer's certificate; None where there is none."""
    signed_by: Literal["v3", "v2", "v1"] | None = None
    """The newest scheme that it is signed by: its certificate is the one given. Signatures are not verified."""

    @property
    def launcher(self) -> str | None:
        """Class of the activity that the launcher starts; the first, where there are several."""
        return next((each.name for each in self.components if each.launcher and each.enabled), None)

    @property
    def processes(self) -> tuple[str, ...]:
        """Names of the processes that its components run in, the app's own first."""
        named = dict.fromkeys([self.package, *(each.process for each in self.components)])
        return tuple(named)


@dataclass(frozen=True)
class Sdk:
    """A known recipient's code in an app."""

    name: str
    role: str
    prefix: str
    """The package prefix that it was known by."""


def read(path: Path) -> Apk:
    """The facts of one APK file. Raises DeviceFault: not an APK, damaged, or beyond what is read."""
    with _opened(path) as archive:
        names = archive.names
        manifest = archive.xml(MANIFEST, MANIFEST_BYTES)
        if manifest.tag != "manifest" or not _PACKAGE.fullmatch(manifest.get("package", "")):
            raise fault("apk-unreadable", path=path, said="its manifest names no package")
        signed = archive.signed()
        return Apk(
            path=path,
            size=path.stat().st_size,
            sha256=digest(path),
            abis=tuple(sorted({found[1] for name in names if (found := _LIBRARY.fullmatch(name))})),
            marks=_marks(names),
            certificate_sha256=signed[1] if signed else None,
            signed_by=signed[0] if signed else None,
            **_of_manifest(manifest, archive),
        )
    raise AssertionError


def network_security_xml(path: Path) -> Element | None:
    """The network security configuration of a base APK as a tree, its references resolved; None where it has none.

    Attributes bear no namespace; `src` is `system`, `user`, or the path of a certificate inside the APK. Raises
    DeviceFault where the configuration that the manifest names cannot be read.
    """
    with _opened(path) as archive:
        application = archive.xml(MANIFEST, MANIFEST_BYTES).find("application")
        named = application.get(f"{ANDROID}networkSecurityConfig") if application is not None else None
        if named is None:
            return None
        file = archive.resolved(named)
        if file is None or file not in archive.names:
            raise fault("apk-unreadable", path=path, said=f"its network security configuration {named} is not in it")
        root = archive.xml(file, XML_BYTES)
        for element in root.iter():
            for name, value in list(element.attrib.items()):
                del element.attrib[name]
                element.set(name.rpartition("}")[2], archive.resolved(value) or value)
        return root
    raise AssertionError


def code_packages(path: Path) -> set[str]:
    """The packages of all classes in the APK's dex files: com.umeng.analytics. Dex files beyond bounds are left out."""
    found: set[str] = set()
    with _opened(path) as archive:
        for name in archive.names:
            if _DEX.fullmatch(name):
                with suppress(ValueError, struct.error, IndexError):
                    found |= apk_parts.packages(archive.data(name, DEX_BYTES))
    return found


def sdks(packages: set[str]) -> tuple[Sdk, ...]:
    """The known recipients whose code is among these packages, in order of name (catalog/recipients.yml, `code`)."""
    below = {part for package in packages for part in _upwards(package)}
    return tuple(sorted((sdk for sdk in _known() if sdk.prefix in below), key=lambda sdk: (sdk.name, sdk.prefix)))


def digest(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Library(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    mark: str
    names: tuple[re.Pattern[str], ...]


class _Libraries(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    libraries: tuple[_Library, ...]


@functools.cache
def _libraries() -> tuple[_Library, ...]:
    (path,) = catalog.files("devices/libraries.yml")
    return catalog.parse(path, _Libraries).libraries


def _marks(names: list[str]) -> tuple[str, ...]:
    files = {name.rpartition("/")[2] for name in names if name.startswith("lib/")}
    return tuple(
        known.mark for known in _libraries() if any(name.fullmatch(file) for name in known.names for file in files)
    )


@functools.cache
def _known() -> tuple[Sdk, ...]:
    (path,) = catalog.files("recipients.yml")
    table: dict[str, Any] = catalog.tree(path)
    entries = [*table["recipients"], *table.get("lab", ())]
    return tuple(Sdk(entry["name"], entry["role"], prefix) for entry in entries for prefix in entry.get("code", ()))


def _upwards(package: str) -> Iterator[str]:
    """com.umeng.analytics, com.umeng, com."""
    while package:
        yield package
        package = package.rpartition(".")[0]


@contextmanager
def _opened(path: Path) -> Iterator[_Archive]:
    """The APK for reading; whatever its readers raise on damaged or hostile bytes is one fault."""
    try:
        if (size := apk_parts.directory_bytes(path)) > DIRECTORY_BYTES:
            raise fault("apk-too-large", path=path, what="its list of files", limit=DIRECTORY_BYTES >> 20, size=size)
        for name in ("apkutils", "axml"):  # they tell the terminal of each oddity
            logging.getLogger(name).setLevel(logging.CRITICAL)
        import apkutils  # it takes 0.4 s

        opened = apkutils.APK.from_file(str(path))
        try:
            yield _Archive(path, opened.afile)
        finally:
            opened.close()
    except DeviceFault:
        raise
    except FileNotFoundError:
        raise fault("apk-not-there", path=path) from None
    except Exception as error:
        said = str(error).rstrip(".") or type(error).__name__
        raise fault("apk-unreadable", path=path, said=said[:200]) from error


@dataclass
class _Archive:
    """An open APK."""

    path: Path
    zip: Any
    _strings: dict[int, str | None] = field(default_factory=dict)
    _table: bytes | None = None

    @functools.cached_property
    def names(self) -> list[str]:
        return list(dict.fromkeys(self.zip.namelist()))

    def data(self, name: str, limit: int) -> bytes:
        """One of its files, whole. Android knows stored and deflated ones; others it takes as stored."""
        info = self.zip.getinfo(name)
        if info.compress_type in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            raise ValueError(f"{name} is compressed in a way that Android does not read")
        with self.zip.open(info) as file:
            data = bytes(file.read(limit + 1))
        if len(data) > limit:
            raise fault("apk-too-large", path=self.path, what=name, limit=limit >> 20, size=info.file_size)
        return data

    def xml(self, name: str, limit: int) -> Element:
        if name not in self.names:
            raise ValueError(f"it has no {name}")
        return _tree(self.data(name, limit))

    def resolved(self, value: str | None) -> str | None:
        """A text, or what a reference leads to in the table's default configuration; None where that is not known."""
        for _ in range(8):
            found = _REFERENCE.fullmatch(value or "")
            if not found:
                return value
            if self._table is None:
                self._table = self.data("resources.arsc", TABLE_BYTES) if "resources.arsc" in self.names else b""
            value = apk_parts.resource(self._table, int(found[1], 16))
        return None

    def signed(self) -> tuple[Literal["v3", "v2", "v1"], str] | None:
        """The newest scheme and the sha256 of the signer's certificate."""
        with suppress(ValueError, struct.error):
            if found := apk_parts.block_certificate(self.path):
                return found[0], hashlib.sha256(found[1]).hexdigest()
        from apkutils.cert import Certificate

        for name in self.names:
            if re.fullmatch(r"META-INF/[^/]+\.(RSA|DSA|EC)", name, re.IGNORECASE):
                with suppress(Exception):
                    for _, fingerprint in Certificate(self.data(name, XML_BYTES), "sha256").get():
                        return "v1", str(fingerprint)
        return None


def _tree(data: bytes) -> Element:
    """The tree of binary XML. Attributes are named by their resource where they have one, as Android does it."""
    from apkutils import axml
    from apkutils.axml.public import SYSTEM_RESOURCES

    known = SYSTEM_RESOURCES["attributes"]["inverse"]
    parser = axml.AXMLParser(data, True)
    root: Element | None = None
    path: list[Element] = []
    left = TEXT_CHARACTERS

    def bounded(text: str) -> str:
        nonlocal left
        left -= len(text)
        if left < 0:
            raise ValueError("the texts of its XML are too long")
        return text

    def attributes() -> Iterator[tuple[str, str]]:
        for index in range(parser.getAttributeCount()):
            place = index * axml.ATTRIBUTE_LENGHT
            number = parser.m_attributes[place + axml.ATTRIBUTE_IX_NAME]
            resource = parser.m_resourceIDs[number] if number < len(parser.m_resourceIDs) else None
            if resource in known:
                name = ANDROID + known[resource]
            else:
                space = parser.getAttributeNamespace(index)
                name = f"{{{space}}}{parser.sb[number]}" if space else parser.sb[number]
            kind, value = parser.getAttributeValueType(index), parser.getAttributeValueData(index)
            yield bounded(name), bounded(axml.format_value(kind, value, lambda at: parser.sb[at]))

    while parser.is_valid() and next(parser) != axml.END_DOCUMENT:
        if parser.m_event == axml.START_TAG:
            element = Element(bounded(parser.name), dict(attributes()))
            if path:
                path[-1].append(element)
            elif root is None:
                root = element
            path.append(element)
            if len(path) > DEPTH:
                raise ValueError("its XML is nested too deeply")
        elif parser.m_event == axml.END_TAG and path:
            path.pop()
        elif parser.m_event == axml.TEXT and path:
            text = bounded(parser.text)
            last = path[-1][-1] if len(path[-1]) else None
            if last is None:
                path[-1].text = (path[-1].text or "") + text
            else:
                last.tail = (last.tail or "") + text
        elif parser.m_event == -1:
            break
    if root is None or not parser.is_valid():
        raise ValueError("its XML is damaged")
    return root


def _of_manifest(manifest: Element, archive: _Archive) -> dict[str, Any]:
    package = manifest.get("package", "")

    def text(element: Element | None, name: str) -> str | None:
        return archive.resolved(element.get(ANDROID + name)) if element is not None else None

    def number(element: Element | None, name: str) -> int | None:
        said = text(element, name)
        with suppress(ValueError):
            return int(said, 0) if said else None
        return None

    def flag(element: Element | None, name: str) -> bool | None:
        said = text(element, name)
        return None if said is None else said in ("true", "1", "-1")

    application = manifest.find("application")
    uses = manifest.find("uses-sdk")
    split = manifest.get("split")
    code, major = number(manifest, "versionCode"), number(manifest, "versionCodeMajor")
    least = number(uses, "minSdkVersion") or 1
    uses_permission = [*manifest.findall("uses-permission"), *manifest.findall("uses-permission-sdk-23")]
    asked = [each.get(f"{ANDROID}name") for each in uses_permission]
    required = flag(manifest, "isSplitRequired") or flag(application, "isSplitRequired")
    return {
        "package": package,
        "split": split,
        "config_for": manifest.get("configForSplit", "") if split and _is_config(split) else None,
        "version_name": text(manifest, "versionName"),
        "version_code": None if code is None else (major or 0) << 32 | code & 0xFFFFFFFF,
        "min_sdk": least,
        "target_sdk": None if split else number(uses, "targetSdkVersion") or least,
        "permissions": tuple(dict.fromkeys(name for name in asked if name)),
        "components": tuple(_components(package, application, text, flag)) if application is not None else (),
        "debuggable": flag(application, "debuggable") or False,
        "test_only": flag(application, "testOnly") or False,
        "extract_native_libs": flag(application, "extractNativeLibs"),
        "cleartext": flag(application, "usesCleartextTraffic"),
        "network_security": application.get(f"{ANDROID}networkSecurityConfig") if application is not None else None,
        "needs_splits": bool(required or text(manifest, "requiredSplitTypes")),
    }


def _is_config(split: str) -> bool:
    return split.startswith("config.") or ".config." in split


def _components(package: str, application: Element, text: Any, flag: Any) -> Iterator[Component]:
    own = _process(package, text(application, "process"), package)
    classes = {
        _full(package, text(each, "name") or ""): _process(package, text(each, "process"), own)
        for each in application.findall("activity")
    }
    for kind in KINDS:
        for each in application.findall(kind):
            if not (named := text(each, "name")):
                continue
            process = _process(package, text(each, "process"), own)
            if kind == "activity-alias":
                process = classes.get(_full(package, text(each, "targetActivity") or ""), own)
            yield Component(
                kind=kind,
                name=_full(package, named),
                process=process,
                enabled=flag(each, "enabled") is not False,
                exported=flag(each, "exported"),
                launcher=kind.startswith("activity") and any(map(_launches, each.findall("intent-filter"))),
                isolated=kind == "service" and flag(each, "isolatedProcess") is True,
                authorities=tuple((text(each, "authorities") or "").split(";")) if kind == "provider" else (),
            )


def _launches(filter_: Element) -> bool:
    actions = {each.get(f"{ANDROID}name") for each in filter_.findall("action")}
    categories = {each.get(f"{ANDROID}name") for each in filter_.findall("category")}
    return "android.intent.action.MAIN" in actions and "android.intent.category.LAUNCHER" in categories


def _full(package: str, name: str) -> str:
    if name.startswith("."):
        return package + name
    return name if "." in name else f"{package}.{name}"


def _process(package: str, said: str | None, otherwise: str) -> str:
    if not said:
        return otherwise
    return package + said if said.startswith(":") else said
