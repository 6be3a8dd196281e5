"""The wheels of a release: the same bytes wherever they are built, with a library for the platform in their name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parent.parent
ZIG = ROOT / ".setup/zig"
NATIVE = "appwitness/match/native/libsearch.so"
MAC = {"arm64": 0x0100000C, "64": 0x01000007}
MACHINES = {0x3E: "x86_64", 0xB7: "aarch64"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ZIG.exists(), reason="no Clang of Zig here: `.ci/setup zig` fetches it"),
]


def source_tree(folder: Path) -> Path:
    """A copy of what is committed or would be, without anything that was built."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".setup").mkdir()
    (folder / ".setup/zig").symlink_to(ZIG)
    return folder


def build(tree: Path, targets: list[str]) -> list[Path]:
    code = "import pathlib, sys, hatch_build as h; h.build_wheels(h.ROOT, pathlib.Path('dist'), sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, *targets], cwd=tree, check=True)
    return sorted((tree / "dist").iterdir())


def test_two_builds_in_two_folders_are_the_same_wheel(tmp_path):
    target = ["x86_64-linux-gnu.2.17"]
    (one,), (other,) = (build(source_tree(tmp_path / name), target) for name in ("here", "there and deeper/than that"))
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.nightly
def test_each_wheel_holds_a_library_for_its_platform(tmp_path):
    wheels = build(source_tree(tmp_path / "tree"), list(hatch_build.TARGETS))
    assert len(wheels) == len(hatch_build.TARGETS)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            library = archive.read(NATIVE)
            (tags,) = [name for name in archive.namelist() if name.endswith(".dist-info/WHEEL")]
            platform = wheel.stem.split("-none-")[1]
            assert f"Tag: py3-none-{platform}" in archive.read(tags).decode().splitlines()
        if platform.startswith("macosx"):
            assert library[:4] == b"\xcf\xfa\xed\xfe", platform
            assert int.from_bytes(library[4:8], "little") == (0x0100000C if "arm64" in platform else 0x01000007), (
                platform
            )
        else:
            assert library[:4] == b"\x7fELF", platform
            assert platform.endswith(MACHINES[int.from_bytes(library[18:20], "little")])
            assert (b"GLIBC_" in library) == platform.startswith("manylinux"), platform
