"""Reads an APK: manifest, permissions, components, signer, SDKs, trust; the only module that imports apkutils.

apkutils reads the ZIP file as leniently as Android does (packers forge its flags), and the binary XML. The tree is
built here, within limits, as an APK may be hostile. Resources are looked up one by one: apkutils' own table reader
reads the whole table, and knows neither sparse nor compact entries.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import mmap
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from appwitness.catalog import editions, yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.devices.android.app import apk_parts, signers
from appwitness.devices.android.app.apk_manifest import ANDROID, Component, implied, of_manifest
from appwitness.devices.android.app.apk_parts import ZIP_END_BYTES, ResourceTable, ZipEnd
from appwitness.devices.android.app.gadget_config import GadgetConfig
from appwitness.devices.android.app.signers import BLOCKS_SINCE, NEWEST, ApkSigner, Scheme
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.support.spoken import Spoken

MANIFEST = "AndroidManifest.xml"
MANIFEST_BYTES = 8 << 20
TABLE_BYTES = 128 << 20
DEX_BYTES = 128 << 20
ALL_DEX_BYTES, MOST_DEX, MOST_PACKAGES = 1 << 30, 200, 200_000
"""Limits for all dex files of one APK together: bytes, files, packages."""
MOST_FILES = 20
"""Maximum number of files of one kind, where an APK normally has one: signatures, configurations of Frida's gadget."""
XML_BYTES = 1 << 20
TEXT_CHARACTERS = 16 << 20
"""Maximum total length of the texts in one binary XML, in characters: one string may be used a million times."""
DEPTH = 100
DIRECTORY_BYTES = 16 << 20
"""Largest size of the ZIP file's central directory."""
_DEX = re.compile(r"classes\d*\.dex")
_LIBRARY = re.compile(r"lib/([^/]+)/[^/]+\.so")
_CONFIG = re.compile(r"lib/[^/]+/lib[^/]*\.config\.so")
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_BAG = re.compile(r"(META-INF/[^/]+)\.(RSA|DSA|EC)")
_REFERENCE = re.compile(r"@(?:android:)?([0-9A-Fa-f]{8})")


@dataclass(frozen=True)
class Apk:
    """One APK file: a whole app, or one of its splits."""

    path: Path
    size: int
    sha256: str
    package: str
    split: str | None = None
    """Name of the split; None for the base."""
    config_for: str | None = None
    """The split that it configures; empty: the base; None: it is not a configuration split."""
    version_name: str | None = None
    version_code: int | None = None
    min_sdk: int = 1
    target_sdk: int | None = None
    """As Android reads it: min_sdk if it is missing. None for a split."""
    permissions: tuple[str, ...] = ()
    """Permissions that it requests."""
    components: tuple[Component, ...] = ()
    debuggable: bool = False
    extract_native_libs: bool | None = None
    """None: not declared; native libraries are then extracted."""
    cleartext: bool | None = None
    """`usesCleartextTraffic`; None: not declared."""
    network_security: str | None = None
    """The reference to its network security configuration, as written in the manifest."""
    abis: tuple[str, ...] = ()
    """The ABIs of its native libraries."""
    marks: tuple[str, ...] = ()
    """What its native libraries reveal (catalog/devices/libraries.yml): gadget, wrapped, pairip, packed, flutter,
    ..."""
    gadget: GadgetConfig | None = None
    """Configuration of the Frida gadget in it; None: it has none."""
    signers: tuple[ApkSigner, ...] = ()
    """The signers that Android would accept, newest scheme first. Signatures are not verified."""

    def signer(self, api: int = 0) -> ApkSigner | None:
        """The signer that Android accepts at an API level (0: unknown, taken as the newest); None: it is not signed."""
        return signers.at(self.signers, api or NEWEST)

    def implied_permissions(self, api: int = 0) -> tuple[str, ...]:
        """Permissions that Android considers requested besides `permissions`, at an API level (0: the newest)."""
        return implied(self.permissions, self.target_sdk or self.min_sdk, api or NEWEST)

    @property
    def signed_by(self) -> Scheme | None:
        """The scheme of `signer` at the newest API level."""
        signer = self.signer()
        return signer.scheme if signer else None

    @property
    def certificate_sha256(self) -> str | None:
        """SHA-256 of the certificate of `signer` at the newest API level, in hex."""
        signer = self.signer()
        return signer.sha256 if signer else None

    @property
    def launcher(self) -> str | None:
        """Class of the activity that the launcher starts; the first if there are several."""
        return next((each.name for each in self.components if each.launcher and each.enabled), None)

    @property
    def processes(self) -> tuple[str, ...]:
        """Names of the processes that its components run in, the app's main one first."""
        named = dict.fromkeys([self.package, *(each.process for each in self.components)])
        return tuple(named)


@dataclass(frozen=True)
class Sdk:
    """A known recipient's code in an app."""

    name: str
    role: str
    prefix: str
    """The package prefix that it was recognised by."""


def read(path: Path) -> Apk:
    """Read the facts of one APK file. Raises DeviceFault: not an APK, damaged, or beyond the limits."""
    with _opened(path) as archive:
        names = archive.names
        manifest = archive.xml(MANIFEST, MANIFEST_BYTES)
        if manifest.tag != "manifest" or not _PACKAGE.fullmatch(manifest.get("package", "")):
            raise fault("apk-unreadable", path=path, said=Spoken("its manifest names no package"))
        return Apk(
            path=path,
            size=path.stat().st_size,
            sha256=digest(path),
            abis=tuple(sorted({found[1] for name in names if (found := _LIBRARY.fullmatch(name))})),
            marks=(marks := _marks(names)),
            gadget=_gadget(archive) if "gadget" in marks else None,
            signers=archive.signers(),
            **of_manifest(manifest, archive.resolved),
        )
    raise AssertionError


def network_security_xml(path: Path) -> Element | None:
    """The network security configuration of a base APK as a tree with its references resolved; None if it has none.

    Attributes have no namespace; `src` is `system`, `user`, or the path of a certificate inside the APK. Raises
    DeviceFault if the configuration that the manifest names cannot be read.
    """
    with _opened(path) as archive:
        application = archive.xml(MANIFEST, MANIFEST_BYTES).find("application")
        named = application.get(f"{ANDROID}networkSecurityConfig") if application is not None else None
        if named is None:
            return None
        file = archive.resolved(named)
        if file is None or file not in archive.names:
            raise fault(
                "apk-unreadable",
                path=path,
                said=Spoken("its network security configuration {named} is not in it", named=named),
            )
        root = archive.xml(file, XML_BYTES)
        for element in root.iter():
            for name, value in list(element.attrib.items()):
                del element.attrib[name]
                element.set(name.rpartition("}")[2], archive.resolved(value) or value)
        return root
    raise AssertionError


def code_packages(path: Path, left_out: list[str] | None = None) -> set[str]:
    """The packages of all classes in the APK's dex files, such as com.umeng.analytics.

    Dex files that are damaged or beyond the limits are skipped; their names are appended to `left_out`.
    """
    found: set[str] = set()
    room = ALL_DEX_BYTES
    with _opened(path) as archive:
        for number, name in enumerate(filter(_DEX.fullmatch, archive.names)):
            try:
                if number >= MOST_DEX or room <= 0 or len(found) > MOST_PACKAGES:
                    raise ValueError("beyond what is read of one APK")
                data = archive.data(name, DEX_BYTES)
                room -= len(data)
                found |= apk_parts.packages(data)
            except (ValueError, struct.error, IndexError, DeviceFault):
                if left_out is not None and len(left_out) < MOST_DEX:
                    left_out.append(name)
    return found


def sdks(packages: set[str]) -> tuple[Sdk, ...]:
    """The known recipients whose code is in these packages, by name (catalog/recipients.yml, `code`)."""
    below = {part for package in packages for part in _upwards(package)}
    return tuple(sorted((sdk for sdk in _known() if sdk.prefix in below), key=lambda sdk: (sdk.name, sdk.prefix)))


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Library(CatalogEntry):
    mark: str
    names: tuple[re.Pattern[str], ...]


class _Libraries(CatalogEntry):
    libraries: tuple[_Library, ...]


@functools.cache
def _libraries() -> tuple[_Library, ...]:
    return yaml_files.parse(yaml_files.HERE / "devices/libraries.yml", _Libraries).libraries


def _marks(names: list[str]) -> tuple[str, ...]:
    files = {name.rpartition("/")[2] for name in names if name.startswith("lib/")}
    return tuple(
        known.mark for known in _libraries() if any(name.fullmatch(file) for name in known.names for file in files)
    )


def _gadget(archive: _Archive) -> GadgetConfig | None:
    """The configuration of the gadget in an APK, or the defaults if the APK has no configuration file; None: it has
    files with such a name, but none holds a gadget's configuration."""
    named = _few([name for name in archive.names if _CONFIG.fullmatch(name)])
    found = (GadgetConfig.parse(archive.data(name, XML_BYTES)) for name in named)
    return next(filter(None, found), None if named else GadgetConfig())


def _few[T](files: list[T]) -> list[T]:
    if len(files) > MOST_FILES:
        raise ValueError(f"it has {len(files)} files where one is enough")
    return files


@functools.cache
def _known() -> tuple[Sdk, ...]:
    table: dict[str, Any] = yaml_files.tree(editions.file("recipients.yml"))
    entries = [*table["recipients"], *table.get("lab", ())]
    return tuple(Sdk(entry["name"], entry["role"], prefix) for entry in entries for prefix in entry.get("code", ()))


def _upwards(package: str) -> Iterator[str]:
    """The package and its parents: com.umeng.analytics, com.umeng, com."""
    while package:
        yield package
        package = package.rpartition(".")[0]


@contextmanager
def _opened(path: Path) -> Iterator[_Archive]:
    """Open an APK for reading; any error that its readers raise on damaged or hostile bytes becomes one fault."""
    try:
        end = apk_parts.zip_end(path)
        if end.length > DIRECTORY_BYTES:
            limit = DIRECTORY_BYTES >> 20
            raise fault("apk-too-large", path=path, what=Spoken("its list of files"), limit=limit, size=end.length)
        for name in ("apkutils", "axml"):  # else they print each oddity to the terminal
            logging.getLogger(name).setLevel(logging.CRITICAL)
        import apkutils  # takes 0.4 s

        with path.open("rb") as file, _without_comment(file, end) as content:
            opened = apkutils.APK.from_io(content)
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


def _without_comment(file: BinaryIO, end: ZipEnd) -> AbstractContextManager[Any]:
    """The file up to its end record: in the comment after that record, apkutils would accept anything that looks like
    another end record."""
    return mmap.mmap(file.fileno(), end.at + ZIP_END_BYTES, access=mmap.ACCESS_READ)


@dataclass
class _Archive:
    """An open APK."""

    path: Path
    zip: Any
    _strings: dict[int, str | None] = field(default_factory=dict)
    _table: ResourceTable | None = None

    @functools.cached_property
    def names(self) -> list[str]:
        return list(dict.fromkeys(self.zip.namelist()))

    def data(self, name: str, limit: int) -> bytes:
        """The content of one of its files. Unknown compression methods are read as stored, as Android does. Raises
        ValueError for bzip2 and LZMA, which Android does not read, and DeviceFault beyond `limit` bytes."""
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
        """A text, or the value of a reference in the table's default configuration; None if that is unknown."""
        for _ in range(8):
            found = _REFERENCE.fullmatch(value or "")
            if not found:
                return value
            if self._table is None:
                there = "resources.arsc" in self.names
                self._table = ResourceTable(self.data("resources.arsc", TABLE_BYTES) if there else b"")
            value = self._table.resource(int(found[1], 16))
        return None

    def signers(self) -> tuple[ApkSigner, ...]:
        """The signers of the signing block, and the signer of the v1 signature, which older devices use."""
        try:
            block = signers.of_block(self.path)
        except (ValueError, struct.error):  # a device that knows such blocks will not install it
            block, most = (), BLOCKS_SINCE - 1
        else:
            most = BLOCKS_SINCE - 1 if block else NEWEST
        names = {name.upper() for name in self.names}
        bags = _few([(name, found) for name in self.names if (found := _BAG.fullmatch(name.upper()))])
        for name, _ in sorted(
            bags, key=lambda bag: f"{bag[1][1]}.SF" not in names
        ):  # Android skips a bag without its .SF file
            with suppress(ValueError):
                if certificate := signers.of_bag(self.data(name, XML_BYTES)):
                    return (*block, ApkSigner("v1", certificate, 1, most))
        return block


def _tree(data: bytes) -> Element:
    """Parse binary XML to a tree. Attributes are named by their resource if they have one, as Android does."""
    from apkutils import axml

    parser = axml.AXMLParser(data, True)
    root: Element | None = None
    path: list[Element] = []
    bounded = _XmlTexts()
    while parser.is_valid() and next(parser) != axml.END_DOCUMENT:
        if parser.m_event == axml.START_TAG:
            named = {bounded(name): bounded(value) for name, value in _attributes(parser)}
            element = Element(bounded(parser.name), named)
            if path:
                path[-1].append(element)
            root = element if root is None else root
            path.append(element)
            if len(path) > DEPTH:
                raise ValueError("its XML is nested too deeply")
        elif parser.m_event == axml.END_TAG and path:
            path.pop()
        elif parser.m_event == axml.TEXT and path:
            _add_text(path[-1], bounded(parser.text))
        elif parser.m_event == -1:
            break
    if root is None or not parser.is_valid():
        raise ValueError("its XML is damaged")
    return root


class _XmlTexts:
    """Returns each text of one binary XML unchanged; raises ValueError once their total length is too great."""

    def __init__(self) -> None:
        self._left = TEXT_CHARACTERS

    def __call__(self, text: str) -> str:
        self._left -= len(text)
        if self._left < 0:
            raise ValueError("the texts of its XML are too long")
        return text


def _attributes(parser: Any) -> Iterator[tuple[str, str]]:
    """The attributes of the parser's current element: name, value."""
    from apkutils import axml
    from apkutils.axml.public import SYSTEM_RESOURCES

    known = SYSTEM_RESOURCES["attributes"]["inverse"]
    for index in range(parser.getAttributeCount()):
        number = parser.m_attributes[index * axml.ATTRIBUTE_LENGHT + axml.ATTRIBUTE_IX_NAME]
        resource = parser.m_resourceIDs[number] if number < len(parser.m_resourceIDs) else None
        if resource in known:
            name = ANDROID + known[resource]
        else:
            space = parser.getAttributeNamespace(index)
            name = f"{{{space}}}{parser.sb[number]}" if space else parser.sb[number]
        kind, value = parser.getAttributeValueType(index), parser.getAttributeValueData(index)
        yield name, axml.format_value(kind, value, lambda at: parser.sb[at])


def _add_text(element: Element, text: str) -> None:
    """Append a text to the content of an element."""
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text
