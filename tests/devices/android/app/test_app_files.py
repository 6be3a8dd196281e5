"""The files of one app, however they are packed; what does not belong together, or is hostile, is refused."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android.app import apk, app_files
from appwitness.devices.android.faults import DeviceFault
from tests.adb.rig import make_apk

NAME = "com.example.circle"


def split(path: Path, name: str, **options: Any) -> Path:
    config = "" if name.startswith("config.") else None
    return make_apk.apk(path, split=name, config_for=options.pop("config_for", config), **options)


def archive(path: Path, **files: Path | bytes) -> Path:
    """`__` in a name is a slash, `_` stays."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.read_bytes()
            into.writestr(name.replace("__", "/").replace("DOT", "."), data)
    return path


def named(*paths: Path) -> tuple[str, list[str]]:
    with app_files.opened(*paths) as app:
        assert all(each.path.is_file() for each in app.apks)
        return app.base.package, sorted(each.split or "" for each in app.splits)


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "parts"
    return {
        "base": make_apk.apk(folder / "base.apk"),
        "arm": split(folder / "arm.apk", "config.arm64_v8a", abis=["arm64-v8a"]),
        "de": split(folder / "de.apk", "config.de"),
    }


def test_one_file_a_list_and_a_folder(parts: dict[str, Path]) -> None:
    assert named(parts["base"]) == (NAME, [])
    assert named(parts["de"], parts["base"]) == (NAME, ["config.de"])
    assert named(parts["base"].parent) == (NAME, ["config.arm64_v8a", "config.de"])


@pytest.mark.parametrize("suffix", ["apks", "apkm", "xapk", "APKS", "zip"])
def test_archives(tmp_path: Path, parts: dict[str, Path], suffix: str) -> None:
    file = archive(tmp_path / f"app.{suffix}", infoDOTjson=b"{}", baseDOTapk=parts["base"], deDOTapk=parts["de"])

    assert named(file) == (NAME, ["config.de"])


def test_an_archive_of_bundletool(tmp_path: Path, parts: dict[str, Path]) -> None:
    newer = make_apk.apk(tmp_path / "newer.apk", least=30)
    file = archive(
        tmp_path / "app.apks",
        tocDOTpb=b"\x0a",
        **{
            "splits__base-masterDOTapk": parts["base"],
            "splits__base-master_2DOTapk": newer,
            "splits__base-deDOTapk": parts["de"],
            "standalones__standalone-x86DOTapk": parts["base"],
        },
    )

    with app_files.opened(file) as app:
        assert [app.for_device(["x86_64"], 0, api).base.min_sdk for api in (24, 29, 30, 36)] == [24, 24, 30, 30]
        assert [each.split for each in app.for_device(["x86_64"], 0, 36).splits] == ["config.de"]


@pytest.mark.parametrize("listed", [True, False])
def test_expansions(tmp_path: Path, parts: dict[str, Path], listed: bool) -> None:
    place = f"Android/obb/{NAME}/main.7.{NAME}.obb"
    manifest = {"expansions": [{"file": "main.obb", "install_location": "EXTERNAL_STORAGE", "install_path": place}]}
    inside = "main.obb" if listed else place
    files = {"base.apk": parts["base"].read_bytes(), "manifest.json": json.dumps(manifest).encode(), inside: b"obb"}
    with zipfile.ZipFile(tmp_path / "a.xapk", "w") as into:
        for name, data in files.items():
            into.writestr(name, data)

    with app_files.opened(tmp_path / "a.xapk") as app:
        ((file, name),) = app.expansions
        assert (file.read_bytes(), name) == (b"obb", f"main.7.{NAME}.obb")


@pytest.mark.parametrize(
    "place",
    [
        "../../x.obb",
        f"Android/obb/{NAME}/../../../main.7.{NAME}.obb",
        "/etc/main.7.a.b.obb",
        "Android/obb/a.b/main.7.c.d.obb",
    ],
)
def test_an_expansion_that_would_lie_elsewhere_is_left_out(tmp_path: Path, parts: dict[str, Path], place: str) -> None:
    listing = json.dumps({"expansions": [{"file": "x.obb", "install_path": place}]}).encode()
    file = archive(tmp_path / "a.xapk", baseDOTapk=parts["base"], manifestDOTjson=listing, xDOTobb=b"obb")

    with app_files.opened(file) as app:
        assert app.expansions == ()


def test_nothing_is_written_outside(tmp_path: Path, parts: dict[str, Path]) -> None:
    before = sorted(tmp_path.parent.rglob("*"))
    with zipfile.ZipFile(tmp_path / "a.xapk", "w") as into:
        into.write(parts["base"], "../../../../../../tmp/evil/base.apk")
        into.write(parts["de"], "/tmp/evil/de.apk")

    assert named(tmp_path / "a.xapk") == (NAME, ["config.de"])

    assert [path for path in sorted(tmp_path.parent.rglob("*")) if path not in before] == [tmp_path / "a.xapk"]
    assert not Path("/tmp/evil").exists()


def bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as into, into.open("base.apk", "w") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
    return path


def encrypted(path: Path) -> Path:
    archive(path, baseDOTapk=b"PK\3\4 not really")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    return path


def cut(path: Path, parts: dict[str, Path]) -> Path:
    archive(path, baseDOTapk=parts["base"])
    path.write_bytes(path.read_bytes()[:-40])
    return path


def broken(path: Path, parts: dict[str, Path]) -> Path:
    archive(path, baseDOTapk=parts["base"])
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 42, 1 << 20)
    path.write_bytes(data)
    return path


def endless(path: Path) -> Path:
    """Its list of files is longer than any."""
    data = bytearray(archive(path, aDOTapk=b"").read_bytes())
    data[-22:-22] = bytes(apk.DIRECTORY_BYTES)
    struct.pack_into("<I", data, len(data) - 10, apk.DIRECTORY_BYTES + 47)
    path.write_bytes(data)
    return path


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


Make = Callable[[Path, dict[str, Path]], list[Path]]
REFUSED: list[tuple[str, Make, str]] = [
    ("not there", lambda at, _: [at / "x.apk"], "apk-not-there"),
    ("an empty folder", lambda at, _: [at], "app-no-apks"),
    ("a bundle", lambda at, _: [written(at / "a.aab", b"PK")], "app-bundle"),
    ("a bundle by another name", lambda at, _: [archive(at / "a.zip", BundleConfigDOTpb=b"")], "app-bundle"),
    ("an archive of nothing", lambda at, _: [archive(at / "a.apks", xDOTtxt=b"")], "app-no-apks"),
    ("only splits", lambda _, parts: [parts["de"], parts["arm"]], "app-no-base"),
    ("two apps", lambda at, parts: [parts["base"], make_apk.apk(at / "b.apk", package="com.other.app")], "app-mixed"),
    ("two versions", lambda at, parts: [parts["base"], split(at / "b.apk", "config.fr", version=8)], "app-mixed"),
    (
        "two signers",
        lambda at, parts: [parts["base"], split(at / "b.apk", "config.fr", signer="other")],
        "app-mixed-signers",
    ),
    ("two whole apps", lambda at, parts: [parts["base"], make_apk.apk(at / "b.apk", least=30)], "app-several"),
    ("an old .apkm", lambda at, _: [written(at / "a.apkm", b"\x01\x02" * 99)], "app-encrypted"),
    ("a password", lambda at, _: [encrypted(at / "a.xapk")], "app-encrypted"),
    ("truncated", lambda at, parts: [cut(at / "a.xapk", parts)], "app-damaged"),
    ("damaged", lambda at, parts: [broken(at / "a.apks", parts)], "app-damaged"),
    ("a list of files without end", lambda at, _: [endless(at / "a.xapk")], "apk-too-large"),
    ("a bomb", lambda at, _: [bomb(at / "a.apks")], "app-too-large"),
    (
        "an expansion of another app",
        lambda at, parts: [
            parts["base"],
            archive(at / "a.xapk", xDOTapk=parts["de"], Android__obb__aDOTb__mainDOT1DOTaDOTbDOTobb=b""),
        ],
        "app-mixed",
    ),
]


@pytest.mark.parametrize(("make", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(tmp_path: Path, parts: dict[str, Path], make: Make, code: str) -> None:
    folder = tmp_path / "given"
    folder.mkdir()

    with pytest.raises(DeviceFault) as raised:
        named(*make(folder, parts))

    assert raised.value.code == code


@pytest.mark.parametrize(
    ("abis", "density", "kept"),
    [
        (["arm64-v8a", "armeabi-v7a", "armeabi"], 440, ["arm64_v8a", "de", "xxhdpi"]),
        (["armeabi-v7a", "armeabi"], 320, ["armeabi_v7a", "de", "xhdpi"]),
        (["x86_64", "arm64-v8a"], 700, ["arm64_v8a", "de", "xxhdpi"]),
        (["arm64-v8a"], 100, ["arm64_v8a", "de", "xhdpi"]),
        (["arm64-v8a"], 0, ["arm64_v8a", "de", "xhdpi", "xxhdpi"]),
        (["x86"], 440, "app-wrong-abi"),
    ],
)
def test_for_a_device(tmp_path: Path, abis: list[str], density: int, kept: list[str] | str) -> None:
    files = [make_apk.apk(tmp_path / "base.apk")]
    for name in ("arm64_v8a", "armeabi_v7a", "xhdpi", "xxhdpi", "de"):
        files.append(split(tmp_path / f"{name}.apk", f"config.{name}"))
    with app_files.opened(*files) as app:
        if isinstance(kept, str):
            with pytest.raises(DeviceFault) as raised:
                app.for_device(abis, density)
            assert raised.value.code == kept
        else:
            found = sorted((each.split or "").removeprefix("config.") for each in app.for_device(abis, density).splits)
            assert found == kept


def test_what_is_looked_up_before_a_run(tmp_path: Path) -> None:
    configured = '<network-security-config><base-config cleartextTrafficPermitted="true"/></network-security-config>'
    base = make_apk.apk(tmp_path / "a.apk", network_security=configured, code=["com.umeng.analytics", NAME])
    feature = split(tmp_path / "b.apk", "maps", code=["com.amap.api.maps"])
    with app_files.opened(base, feature) as app:
        facts = app_files.code_facts(app)

    assert [sdk.prefix for sdk in facts.sdks] == ["com.umeng", "com.amap.api"]
    assert facts.network_security is not None
    assert facts.network_security.find("base-config") is not None
    with app_files.opened(make_apk.apk(tmp_path / "c.apk", application={"networkSecurityConfig": "@7F010000"})) as app:
        assert "is not in it" in str(app_files.code_facts(app).damaged)
