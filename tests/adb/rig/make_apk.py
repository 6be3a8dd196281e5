"""Makes small APKs for tests: a binary manifest, resources, native libraries and dex in name, and a signing block.

Nothing in them runs; the signature is not verified by anybody here, its certificate is a real one.
"""

from __future__ import annotations

import functools
import hashlib
import struct
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, fromstring

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ANDROID = "http://schemas.android.com/apk/res/android"
SPACE = f"{{{ANDROID}}}"
IDS = {
    "theme": 0x01010000, "label": 0x01010001, "name": 0x01010003, "permission": 0x01010006, "enabled": 0x0101000E,
    "debuggable": 0x0101000F, "exported": 0x01010010, "process": 0x01010011, "authorities": 0x01010018,
    "targetActivity": 0x01010202, "minSdkVersion": 0x0101020C, "versionCode": 0x0101021B, "versionName": 0x0101021C,
    "targetSdkVersion": 0x01010270, "testOnly": 0x01010272, "isolatedProcess": 0x010103A9,
    "extractNativeLibs": 0x010104EA, "usesCleartextTraffic": 0x010104EC, "networkSecurityConfig": 0x01010527,
    "isSplitRequired": 0x01010591, "isFeatureSplit": 0x0101055B, "versionCodeMajor": 0x01010576,
}  # fmt: skip
NONE = 0xFFFFFFFF
NSC = 0x7F010000


def chunk(kind: int, header: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<HHI", kind, 8 + len(header), 8 + len(header) + len(body)) + header + body


def pool(strings: Sequence[str], *, utf8: bool = False) -> bytes:
    offsets, data = b"", b""
    for each in strings:
        offsets += struct.pack("<I", len(data))
        if utf8:
            raw = each.encode()
            data += bytes([*_short(len(each)), *_short(len(raw))]) + raw + b"\0"
        else:
            raw = each.encode("utf-16-le")
            data += struct.pack("<H", len(raw) // 2) + raw + b"\0\0"
    data += b"\0" * (-len(data) % 4)
    start = 28 + len(offsets)
    return chunk(1, struct.pack("<IIIII", len(strings), 0, 0x100 if utf8 else 0, start, 0), offsets + data)


def _short(length: int) -> tuple[int, ...]:
    return (length,) if length < 0x80 else (0x80 | length >> 8, length & 0xFF)


def binary_xml(root: Element) -> bytes:
    """As aapt2 compiles it. Values: `true`, `false`, digits, `@7F010000`, else text."""
    attributes = sorted(
        {key.rpartition("}")[2] for each in root.iter() for key in each.attrib if key.startswith(SPACE)}
    )
    with_ids = [name for name in attributes if name in IDS]
    strings: list[str] = list(with_ids)

    def at(text: str) -> int:
        if text not in strings[len(with_ids) :]:
            strings.append(text)
        return strings.index(text, len(with_ids))

    def value(text: str) -> tuple[int, int, int]:
        if text in ("true", "false"):
            return NONE, 18, NONE if text == "true" else 0
        if text.startswith("@") and len(text) == 9:
            return NONE, 1, int(text[1:], 16)
        if text.isdigit() and len(text) < 10:
            return NONE, 16, int(text)
        return at(text), 3, at(text)

    def node(kind: int, body: bytes) -> bytes:
        return chunk(kind, struct.pack("<II", 1, NONE), body)

    def walk(element: Element) -> bytes:
        rows = []
        for key, text in element.attrib.items():
            name = key.rpartition("}")[2]
            number = with_ids.index(name) if key.startswith(SPACE) and name in with_ids else at(name)
            raw, kind, data = value(text)
            where = at(ANDROID) if key.startswith(SPACE) else NONE
            rows.append((number, struct.pack("<IIIHBBI", where, number, raw, 8, 0, kind, data)))
        listed = b"".join(row for _, row in sorted(rows))
        tag = at(element.tag)
        out = node(0x102, struct.pack("<IIHHHHHH", NONE, tag, 20, 20, len(rows), 0, 0, 0) + listed)
        if element.text and element.text.strip():
            out += node(0x104, struct.pack("<IHBBI", at(element.text.strip()), 8, 0, 0, 0))
        out += b"".join(map(walk, element))
        return out + node(0x103, struct.pack("<II", NONE, tag))

    space = struct.pack("<II", at("android"), at(ANDROID))
    nodes = node(0x100, space) + walk(root) + node(0x101, space)
    ids = chunk(0x180, b"", struct.pack(f"<{len(with_ids)}I", *(IDS[name] for name in with_ids)))
    return chunk(3, b"", pool(strings) + ids + nodes)


def table(files: Sequence[str], *, form: str = "dense") -> bytes:
    """resources.arsc: resource 0x7F01NNNN is the file of that number. `form`: dense, sparse, short or compact."""
    entries, offsets = b"", []
    for number in range(len(files)):
        offsets.append(len(entries))
        if form == "compact":
            entries += struct.pack("<HHI", 0, 8 | 3 << 8, number)
        else:
            entries += struct.pack("<HHIHBBI", 8, 0, 0, 8, 0, 3, number)
    flags = {"sparse": 1, "short": 2}.get(form, 0)
    match form:
        case "sparse":
            listed = b"".join(struct.pack("<HH", number, offset // 4) for number, offset in enumerate(offsets))
        case "short":
            listed = b"".join(struct.pack("<H", offset // 4) for offset in offsets)
            listed += b"\0" * (-len(listed) % 4)
        case _:
            listed = struct.pack(f"<{len(offsets)}I", *offsets)
    config = struct.pack("<I", 64) + bytes(60)
    types = b""
    for language in (b"de", b"\0\0"):  # the default is not the first
        mine = config[:8] + language + config[10:]
        start = 8 + 12 + len(mine) + len(listed)
        types += chunk(0x201, struct.pack("<BBHII", 1, flags, 0, len(offsets), start) + mine, listed + entries)
    names, keys = pool(["xml"]), pool(["file"])
    header = struct.pack("<I256sIIIII", 0x7F, "app".encode("utf-16-le"), 288, 1, 288 + len(names), 1, 0)
    package = chunk(0x200, header, names + keys + types)
    return chunk(2, struct.pack("<I", 1), pool(files, utf8=True) + package)


def dex(packages: Sequence[str]) -> bytes:
    """A dex file as far as its list of classes: one class in each package."""
    names = [f"L{each.replace('.', '/')}/Main;".encode() for each in packages]
    count = len(names)
    strings, types, classes = 0x70, 0x70 + 4 * count, 0x70 + 8 * count
    at = classes + 32 * count
    offsets, data = b"", b""
    for name in names:
        offsets += struct.pack("<I", at + len(data))
        data += bytes([len(name)]) + name + b"\0"
    head = b"dex\n035\0" + bytes(0x30) + struct.pack("<IIII", count, strings, count, types)
    head += bytes(0x60 - len(head)) + struct.pack("<II", count, classes)
    head += bytes(0x70 - len(head))
    listed = b"".join(struct.pack("<I", number) + bytes(28) for number in range(count))
    return head + offsets + struct.pack(f"<{count}I", *range(count)) + listed + data


@functools.cache
def certificate(signer: str) -> bytes:
    """DER of a certificate for a name; the same in one process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, signer)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=9999))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def fingerprint(signer: str) -> str:
    return hashlib.sha256(certificate(signer)).hexdigest()


def _prefixed(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def signed(data: bytes, signer: str, scheme: int = 0x7109871A) -> bytes:
    """With a signing block before the list of files."""
    at = data.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", data, at + 16)
    inner = _prefixed(b"") + _prefixed(_prefixed(certificate(signer))) + _prefixed(b"")
    part = _prefixed(_prefixed(_prefixed(inner) + _prefixed(b"") + _prefixed(b"")))
    pairs = struct.pack("<QI", 4 + len(part), scheme) + part
    size = len(pairs) + 24
    block = struct.pack("<Q", size) + pairs + struct.pack("<Q", size) + b"APK Sig Block 42"
    moved = bytearray(data[:start] + block + data[start:])
    struct.pack_into("<I", moved, at + len(block) + 16, start + len(block))
    return bytes(moved)


def manifest(
    package: str = "com.example.circle",
    *,
    version: int = 7,
    split: str | None = None,
    config_for: str | None = None,
    target: int = 34,
    least: int = 24,
    permissions: Sequence[str] = (),
    activity: str | None = ".Main",
    application: dict[str, str] | None = None,
    body: str = "",
) -> Element:
    root = Element("manifest", {"package": package, f"{SPACE}versionCode": str(version)})
    if split:
        root.set("split", split)
        if config_for is not None:
            root.set("configForSplit", config_for)
    else:
        root.set(f"{SPACE}versionName", f"{version}.0-beta")
        SubElement(root, "uses-sdk", {f"{SPACE}minSdkVersion": str(least), f"{SPACE}targetSdkVersion": str(target)})
    for name in permissions:
        SubElement(root, "uses-permission", {f"{SPACE}name": name})
    given = {f"{SPACE}{key}": value for key, value in (application or {}).items()}
    node = SubElement(root, "application", given)
    if activity and not split:
        main = SubElement(node, "activity", {f"{SPACE}name": activity, f"{SPACE}exported": "true"})
        filter_ = SubElement(main, "intent-filter")
        SubElement(filter_, "action", {f"{SPACE}name": "android.intent.action.MAIN"})
        SubElement(filter_, "category", {f"{SPACE}name": "android.intent.category.LAUNCHER"})
    if body:
        node.extend(fromstring(f'<x xmlns:android="{ANDROID}">{body}</x>'))
    return root


def apk(
    path: Path,
    root: Element | None = None,
    *,
    signer: str | None = "circle",
    abis: Sequence[str] = (),
    code: Sequence[str] = ("com.example.circle",),
    network_security: str | None = None,
    form: str = "dense",
    scheme: int = 0x7109871A,
    files: dict[str, bytes] | None = None,
    **of_manifest: object,
) -> Path:
    """An APK at `path`. `network_security`: XML text of a configuration, put where the table says."""
    if network_security is not None:
        of_manifest["application"] = {"networkSecurityConfig": f"@{NSC:08X}"}
    root = manifest(**of_manifest) if root is None else root  # type: ignore[arg-type]
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("AndroidManifest.xml", binary_xml(root))
        if code:
            archive.writestr("classes.dex", dex(code))
        for abi in abis:
            archive.writestr(f"lib/{abi}/libx.so", b"\x7fELF")
        if network_security is not None:
            archive.writestr("res/a.xml", binary_xml(fromstring(network_security)))
            archive.writestr("resources.arsc", table(["res/a.xml", "res/ca.pem"], form=form))
        for name, data in (files or {}).items():
            archive.writestr(name, data)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(signed(out.getvalue(), signer, scheme) if signer else out.getvalue())
    return path
