"""An APK says what it is; one that is hostile or damaged is refused in bounds, with what to do."""

from __future__ import annotations

import io
import random
import resource
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest

from appwitness.devices.android.app import apk
from appwitness.devices.android.app.apk_manifest import implied, of_manifest
from appwitness.devices.android.app.gadget_config import GadgetConfig
from appwitness.devices.android.faults import DeviceFault
from tests.adb.rig import make_apk
from tests.adb.rig.make_apk import SPACE, manifest
from tests.real_apks import real_apk

NSC = (
    '<network-security-config><base-config cleartextTrafficPermitted="true"><trust-anchors>'
    '<certificates src="system" /><certificates src="@7F010001" overridePins="true" /></trust-anchors></base-config>'
    '<domain-config><domain includeSubdomains="true">example.com</domain><pin-set expiration="2027-01-01">'
    '<pin digest="SHA-256">AAAA=</pin><pin digest="SHA-256">BBBB=</pin></pin-set></domain-config>'
    '<debug-overrides><trust-anchors><certificates src="user" /></trust-anchors></debug-overrides>'
    "</network-security-config>"
)


def test_a_real_app() -> None:
    found = apk.read(real_apk("ApiDemos"))

    assert (found.package, found.version_name, found.version_code) == ("io.appium.android.apis", "5.0.0", 25)
    assert (found.min_sdk, found.target_sdk, found.debuggable, found.abis) == (17, 33, True, ())
    assert found.launcher == "io.appium.android.apis.ApiDemos"
    assert found.processes == ("io.appium.android.apis", "io.appium.android.apis:remote")
    assert "android.permission.READ_CONTACTS" in found.permissions
    assert len(found.components) == 355
    assert sum(each.kind == "activity" for each in found.components) > 300
    assert found.signed_by == "v2"
    assert found.certificate_sha256 == "18e8534fed30cbf9959e4073e723e3395a3f92fd6b41756d5fbc788f280c1107"
    assert apk.network_security_xml(found.path) is None


def test_the_code_of_recipients_in_a_real_app() -> None:
    packages = apk.code_packages(real_apk("Settings"))

    assert {"io.appium.settings", "com.google.android.gms.location"} <= packages
    assert {sdk.name for sdk in apk.sdks(packages)} == {"Firebase", "Google"}
    assert apk.sdks({"com.umengineering.app", "com"}) == ()


def test_all_that_a_manifest_says(tmp_path: Path) -> None:
    root = manifest(
        permissions=["android.permission.CAMERA", "android.permission.CAMERA"],
        application={
            "debuggable": "true",
            "usesCleartextTraffic": "false",
            "extractNativeLibs": "false",
            "process": ":m",
        },
        body="""
          <activity-alias android:name=".Door" android:targetActivity=".Main" android:enabled="false"/>
          <service android:name="Push" android:process="com.other.name" android:isolatedProcess="true"/>
          <receiver android:name="org.lib.Boot" android:exported="false"/>
          <provider android:name=".P" android:authorities="a.b;c.d" android:process=":p"/>""",
    )
    root.set(f"{SPACE}versionCodeMajor", "2")
    SubElement(root, "uses-permission-sdk-23", {f"{SPACE}name": "android.permission.CALL_PHONE"})

    found = apk.read(make_apk.apk(tmp_path / "a.apk", root, abis=["x86", "arm64-v8a"]))

    assert found.version_code == 2 << 32 | 7
    assert found.permissions == ("android.permission.CAMERA", "android.permission.CALL_PHONE")
    assert (found.debuggable, found.cleartext, found.extract_native_libs) == (True, False, False)
    assert found.abis == ("arm64-v8a", "x86")
    named = {each.name.rpartition(".")[2]: each for each in found.components}
    assert {name: each.process for name, each in named.items()} == {
        "Main": "com.example.circle:m",
        "Door": "com.example.circle:m",
        "Push": "com.other.name",
        "Boot": "com.example.circle:m",
        "P": "com.example.circle:p",
    }
    assert (named["Door"].enabled, named["Push"].isolated) == (False, True)
    assert found.launcher == "com.example.circle.Main"


@pytest.mark.parametrize("form", ["dense", "sparse", "short", "compact"])
def test_network_security(tmp_path: Path, form: str) -> None:
    file = make_apk.apk(tmp_path / "a.apk", network_security=NSC, form=form)

    found = apk.network_security_xml(file)

    assert found is not None
    assert tostring(found, "unicode") == NSC.replace("@7F010001", "res/ca.pem")


def test_a_configuration_that_is_not_in_the_file(tmp_path: Path) -> None:
    file = make_apk.apk(tmp_path / "a.apk", application={"networkSecurityConfig": "@7F010009"})

    with pytest.raises(DeviceFault, match="network security configuration @7F010009 is not in it"):
        apk.network_security_xml(file)


def test_attributes_are_known_by_their_resource(tmp_path: Path) -> None:
    """Packers give attributes odd texts; Android goes by their numbers."""
    file = make_apk.apk(tmp_path / "a.apk")
    with zipfile.ZipFile(file) as archive:
        data = archive.read("AndroidManifest.xml")
    forged = data.replace("versionCode".encode("utf-16-le"), "permissions".encode("utf-16-le"))
    assert forged != data
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("AndroidManifest.xml", forged)

    assert apk.read(file).version_code == 7


@pytest.mark.parametrize("bits", [0x1, 0x20, 0x41])
def test_forged_flags_of_the_archive(tmp_path: Path, bits: int) -> None:
    """Files that say that they are encrypted and are not: Android installs such APKs."""
    file = make_apk.apk(tmp_path / "a.apk", signer=None)
    data = bytearray(file.read_bytes())
    at = data.index(b"PK\1\2")
    while data[at : at + 4] == b"PK\1\2":
        data[at + 8] |= bits
        at += 46 + sum(struct.unpack_from("<HHH", data, at + 28))
    file.write_bytes(data)

    assert apk.read(file).package == "com.example.circle"


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return path


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def deep() -> Element:
    root = manifest()
    inner = root
    for _ in range(500):
        inner = SubElement(inner, "a")
    return root


def repeated() -> bytes:
    """One long text that is named by very many attributes."""
    root = Element("manifest", {"package": "com.example.circle"})
    for _ in range(700):
        SubElement(root, "a", {f"k{number}": "x" * 30000 for number in range(20)})
    return make_apk.binary_xml(root)


def large(path: Path) -> Path:
    quick = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with quick as archive, archive.open("AndroidManifest.xml", "w") as file:
        for _ in range(400):
            file.write(bytes(1 << 20))
    return path


HOSTILE: list[tuple[str, Callable[[Path], Path], str]] = [
    ("nothing", lambda path: path, "apk-not-there"),
    ("empty", lambda path: written(path, b""), "apk-unreadable"),
    ("text", lambda path: written(path, b"<html>404</html>"), "apk-unreadable"),
    ("no manifest", lambda path: zipped(path, classes__dex=b"dex\n"), "apk-unreadable"),
    ("plain XML", lambda path: zipped(path, AndroidManifest__xml=b"<manifest package='a.b'/>"), "apk-unreadable"),
    ("another document", lambda path: make_apk.apk(path, Element("resources")), "apk-unreadable"),
    ("no package", lambda path: make_apk.apk(path, Element("manifest")), "apk-unreadable"),
    ("a package for a shell", lambda path: make_apk.apk(path, package="a.b; reboot"), "apk-unreadable"),
    ("nested deeply", lambda path: make_apk.apk(path, deep()), "apk-unreadable"),
    ("a text of 30 kB, 14000 times", lambda path: zipped(path, AndroidManifest__xml=repeated()), "apk-unreadable"),
    ("a manifest of 400 MB", large, "apk-too-large"),
]


@pytest.mark.parametrize(("make", "code"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_hostile_files(tmp_path: Path, make: Callable[[Path], Path], code: str) -> None:
    file = make(tmp_path / "hostile.apk")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(DeviceFault) as raised:
        apk.read(file)

    assert raised.value.code == code
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_a_list_of_files_without_end(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x", b"")
    data = bytearray(out.getvalue()[:-22] + bytes(apk.DIRECTORY_BYTES) + out.getvalue()[-22:])
    struct.pack_into("<I", data, len(data) - 10, apk.DIRECTORY_BYTES + 47)
    (tmp_path / "a.apk").write_bytes(data)

    with pytest.raises(DeviceFault) as raised:
        apk.read(tmp_path / "a.apk")
    assert raised.value.code == "apk-too-large"


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_damaged_files(tmp_path: Path, caplog: pytest.LogCaptureFixture, start: int) -> None:
    """Whatever is damaged, it is one error or facts, never another exception, and soon."""
    whole = make_apk.apk(tmp_path / "whole.apk", network_security=NSC, abis=["x86"]).read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    file = tmp_path / "a.apk"
    refused = []
    for seed in range(start, start + 100):
        chance = random.Random(seed)
        if seed % 4 == 0:
            file.write_bytes(mutated(chance, whole))
        elif seed % 4 == 1:
            file.write_bytes(whole[: chance.randrange(len(whole))])
        else:
            name = chance.choice(list(parts))
            with zipfile.ZipFile(file, "w") as archive:
                for each, data in parts.items():
                    archive.writestr(each, mutated(chance, data) if each == name else data)
        try:
            apk.read(file)
            apk.network_security_xml(file)
            apk.code_packages(file)
        except DeviceFault as error:
            refused.append(error.code)
    assert set(refused) <= {"apk-unreadable", "apk-too-large"}
    assert 20 < len(refused) < 100
    assert caplog.records == []


def mutated(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(out))
        out[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(out)


@pytest.mark.parametrize(
    ("libraries", "marks"),
    [
        (["libc++_shared.so"], ()),
        (["libflutter.so", "libapp.so"], ("flutter",)),
        (["libfrida-gadget.so"], ("gadget",)),
        (["libx.so", "libx.config.so", "wrap.sh"], ("gadget", "wrapped")),
        (["libpairipcore.so", "libjiagu_x86.so"], ("pairip", "packed")),
    ],
)
def test_what_native_libraries_tell(tmp_path: Path, libraries: list[str], marks: tuple[str, ...]) -> None:
    files = {f"lib/arm64-v8a/{name}": b"" for name in libraries}

    assert apk.read(make_apk.apk(tmp_path / "a.apk", files=files)).marks == marks


@pytest.mark.parametrize(
    ("files", "gadget"),
    [
        ({"libc++_shared.so": b""}, None),
        ({"libfrida-gadget.so": b""}, GadgetConfig()),
        ({"libx.config.so": b"no JSON"}, None),
        ({"libx.config.so": b'{"feature": true}'}, None),
        ({"libx.config.so": b'{"interaction": {"type": "script", "path": "x.js"}}'}, GadgetConfig("script")),
        ({"libx.config.so": b'{"interaction": {"type": "listen", "port": 99}}'}, GadgetConfig(endpoint="tcp:99")),
    ],
)
def test_the_gadget_in_a_package(tmp_path: Path, files: dict[str, bytes], gadget: GadgetConfig | None) -> None:
    named = {f"lib/arm64-v8a/{name}": data for name, data in files.items()}

    assert apk.read(make_apk.apk(tmp_path / "a.apk", files=named)).gadget == gadget


@pytest.mark.parametrize(
    ("least", "target", "expected"),
    [
        ("21", "33", (21, 33)),
        ("0x15", None, (21, 21)),
        ("Q", "Q", (29, 29)),
        ("Sv2", "Tiramisu", (32, 33)),
        ("21", "Baklava", (21, 36)),
        ("VanillaIceCream.d2f1a7", "VanillaIceCream.d2f1a7", (35, 35)),
        ("21", "ZebraCake", (21, 10000)),
        (None, None, (1, 1)),
    ],
)
def test_code_names_are_api_levels(least: str | None, target: str | None, expected: tuple[int, int]) -> None:
    root = manifest()
    uses = root.find("uses-sdk")
    assert uses is not None
    uses.attrib.clear()
    for name, value in (("minSdkVersion", least), ("targetSdkVersion", target)):
        if value:
            uses.set(SPACE + name, value)
    told = of_manifest(root, lambda value: value)
    assert (told["min_sdk"], told["target_sdk"]) == expected


@pytest.mark.parametrize(
    ("named", "target", "api", "expected"),
    [
        ([], 34, 36, []),
        ([], 32, 33, ["POST_NOTIFICATIONS"]),
        ([], 32, 32, []),
        ([], 3, 23, ["WRITE_EXTERNAL_STORAGE", "READ_PHONE_STATE", "READ_EXTERNAL_STORAGE"]),
        (["WRITE_EXTERNAL_STORAGE"], 34, 36, ["READ_EXTERNAL_STORAGE"]),
        (["READ_CONTACTS"], 15, 28, ["READ_CALL_LOG"]),
        (["READ_CONTACTS"], 16, 28, []),
        (["ACCESS_COARSE_LOCATION"], 28, 30, ["ACCESS_BACKGROUND_LOCATION"]),
        (["ACCESS_COARSE_LOCATION"], 28, 28, []),
        (["BLUETOOTH"], 30, 31, ["BLUETOOTH_SCAN", "BLUETOOTH_CONNECT", "BLUETOOTH_ADVERTISE"]),
        (["BLUETOOTH", "BLUETOOTH_SCAN"], 30, 31, ["BLUETOOTH_CONNECT", "BLUETOOTH_ADVERTISE"]),
    ],
)
def test_permissions_that_an_old_target_implies(named: list[str], target: int, api: int, expected: list[str]) -> None:
    found = implied([f"android.permission.{name}" for name in named], target, api)
    assert [name.removeprefix("android.permission.") for name in found] == expected
