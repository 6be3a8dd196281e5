"""Setting up a checkout installs nothing of the system's unasked, and fetches nothing that is not pinned."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = ("sh", "dirname", "mkdir", "find", "head", "cat", "cksum", "printf")


@pytest.fixture
def machine(tmp_path):
    """A checkout, and a machine that has neither a Java compiler nor a C compiler; what apt was asked for is noted."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/setup", tmp_path / ".ci/setup")
    (tmp_path / "monitor/appwitness/devices/lab/java").mkdir(parents=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    for name, does in {"uv": "exit 0", "id": "echo $USER_ID", "apt-get": f'echo "$*" >> {tmp_path}/asked'}.items():
        (programs / name).write_text(f"#!{shutil.which('sh')}\n{does}\n")
        (programs / name).chmod(0o700)
    return tmp_path


@pytest.mark.parametrize(
    ("user", "environment", "installs"),
    [
        ("0", {}, False),
        ("0", {"APPWITNESS_SETUP": "no"}, False),
        ("0", {"APPWITNESS_SETUP": "yes"}, True),
        ("0", {"CI": "true"}, True),
        ("0", {"CI": "false"}, False),
        ("1000", {}, False),
        ("1000", {"APPWITNESS_SETUP": "yes"}, False),
    ],
)
def test_nothing_is_installed_by_apt_unasked(machine, user, environment, installs):
    done = subprocess.run(
        ["sh", ".ci/setup"],
        cwd=machine, env={"PATH": str(machine / "bin"), "USER_ID": user, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0  # there is nothing more of the checkout here
    assert (machine / "asked").exists() == installs
    if installs:
        assert "install -y --no-install-recommends default-jdk-headless" in (machine / "asked").read_text()
    else:
        assert "apt-get install -y --no-install-recommends default-jdk-headless" in done.stderr


def test_what_is_fetched_is_pinned():
    setup = (ROOT / ".ci/setup").read_text()
    fetches = [line for line in setup.replace("\\\n", " ").splitlines() if re.search(r"pip (install|sync)", line)]
    assert len(fetches) == 5
    assert all("--require-hashes" in line or "--no-deps" in line for line in fetches)
    assert re.search(r"npm ci --ignore-scripts", setup)
    for name in ("uv", "node", "zig", "dev"):
        pinned = (ROOT / f"requirements/{name}.txt").read_text().replace("\\\n", " ").splitlines()
        assert pinned
        assert all("==" in line and "--hash=sha256:" in line for line in pinned if not line.startswith("#")), name
