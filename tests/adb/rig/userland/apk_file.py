"""What the stand-in installer reads of an APK, by a reader of its own: the product's may be wrong."""

import hashlib
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

NAMES = {
    0x01010003: "name", 0x0101000F: "debuggable", 0x01010011: "process", 0x01010018: "authorities",
    0x0101020C: "minSdkVersion", 0x0101021B: "versionCode", 0x0101021C: "versionName", 0x01010270: "targetSdkVersion",
    0x01010272: "testOnly", 0x01010591: "isSplitRequired",
}  # fmt: skip


def read(path):
    """A dict of what counts for installing; raises ValueError, KeyError, BadZipFile."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        elements = list(_elements(archive.read("AndroidManifest.xml")))
    (tag, manifest), *rest = elements
    if tag != "manifest":
        raise ValueError("no manifest")
    uses: dict[str, Any] = next((each for name, each in rest if name == "uses-sdk"), {})
    application: dict[str, Any] = next((each for name, each in rest if name == "application"), {})
    least = int(uses.get("minSdkVersion", 1))
    return {
        "package": manifest["package"],
        "split": manifest.get("split"),
        "version_code": int(manifest.get("versionCode", 0)),
        "version_name": manifest.get("versionName"),
        "min_sdk": least,
        "target_sdk": int(uses.get("targetSdkVersion", least)),
        "requested": [each["name"] for name, each in rest if name == "uses-permission"],
        "debuggable": bool(application.get("debuggable", 0)),
        "test_only": bool(application.get("testOnly", 0)),
        "needs_splits": bool(manifest.get("isSplitRequired", 0) or application.get("isSplitRequired", 0)),
        "authorities": [each["authorities"] for name, each in rest if name == "provider" and "authorities" in each],
        "launchers": list(_launchers(manifest["package"], rest)),
        "abis": sorted({found[1] for name in names if (found := re.match(r"lib/([^/]+)/.*\.so$", name))}),
        "signer": _signer(path, names),
    }


def _launchers(package, elements):
    activity = None
    filter_: set[str] = set()
    for name, each in [*elements, ("activity", {"name": ""})]:
        if name in ("activity", "activity-alias", "service", "receiver", "provider", "intent-filter"):
            if activity and {"android.intent.action.MAIN", "android.intent.category.LAUNCHER"} <= filter_:
                yield activity if "." in activity[1:] and activity[0] != "." else package + "." + activity.lstrip(".")
                activity = None
            filter_ = set()
            if name.startswith("activity"):
                activity = each.get("name")
            elif name != "intent-filter":
                activity = None
        elif name in ("action", "category"):
            filter_.add(each.get("name"))


def _signer(path, names):
    """sha256 of the certificate in the signing block, else of the whole v1 signature."""
    data = Path(path).read_bytes()
    end = data.rfind(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", data, end + 16)
    if data[start - 16 : start] == b"APK Sig Block 42":
        (size,) = struct.unpack_from("<Q", data, start - 24)
        at, stop = start - size, start - 24
        while at < stop:
            length, number = struct.unpack_from("<QI", data, at)
            if number in (0x7109871A, 0xF05368C0):
                place = at + 12 + 12  # lengths of the signers, the signer and its signed data
                (digests,) = struct.unpack_from("<I", data, place)
                place += 4 + digests + 4
                (certificate,) = struct.unpack_from("<I", data, place)
                return hashlib.sha256(data[place + 4 : place + 4 + certificate]).hexdigest()
            at += 8 + length
    for name in names:
        if re.match(r"META-INF/.*\.(RSA|DSA|EC)$", name):
            with zipfile.ZipFile(path) as archive:
                return hashlib.sha256(archive.read(name)).hexdigest()
    return None


def _elements(data):
    kind, header, _ = struct.unpack_from("<HHI", data)
    if kind != 3:
        raise ValueError("not binary XML")
    at = header
    strings: list[str] = []
    ids: tuple[int, ...] = ()
    while at + 8 <= len(data):
        kind, header, size = struct.unpack_from("<HHI", data, at)
        if size < 8:
            raise ValueError("a chunk without size")
        if kind == 1:
            strings = list(_strings(data, at))
        elif kind == 0x180:
            ids = struct.unpack_from(f"<{(size - header) // 4}I", data, at + header)
        elif kind == 0x102:
            name, start, width, count = struct.unpack_from("<IHHH", data, at + 20)
            found = {}
            for number in range(count):
                _, key, _, _, _, type_, value = struct.unpack_from("<IIIHBBI", data, at + 16 + start + number * width)
                named = NAMES.get(ids[key]) if key < len(ids) else None
                found[named or strings[key]] = strings[value] if type_ == 3 else value
            yield strings[name], found
        at += size


def _strings(data, at):
    header, _, count, _, flags, start = struct.unpack_from("<HIIIII", data, at + 2)
    for number in range(count):
        (offset,) = struct.unpack_from("<I", data, at + header + 4 * number)
        place = at + start + offset
        if flags & 0x100:
            place += 2 if data[place] & 0x80 else 1
            long = data[place] & 0x80
            length = (data[place] & 0x7F) << 8 | data[place + 1] if long else data[place]
            place += 2 if long else 1
            yield data[place : place + length].decode()
        else:
            (length,) = struct.unpack_from("<H", data, place)
            yield data[place + 2 : place + 2 + 2 * length].decode("utf-16-le")
