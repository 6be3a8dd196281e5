"""Setting up a checkout: what the system lacks is announced, asked for or printed; what is fetched is pinned."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import checkout

ROOT = Path(__file__).parent.parent
PROGRAMS = ("sh", "dirname", "mkdir", "find", "head", "cat", "cksum", "printf", "env", "tail", "grep")
JDK = "apt-get install -y --no-install-recommends default-jdk-headless"


@pytest.fixture
def machine(tmp_path):
    """A checkout, and a machine without a JDK and a C compiler; what apt was asked for is noted in `asked`."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/setup", tmp_path / ".ci/setup")
    (tmp_path / "monitor/appwitness/devices/lab/java").mkdir(parents=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    stand_ins = {
        "uv": "exit 0",
        "id": "echo $USER_ID",
        "apt-get": f'echo "apt-get $*" >> {tmp_path}/asked',
        "sudo": f'[ "$1" != -n ] || exit $NO_SUDO\necho "sudo $*" >> {tmp_path}/asked\nexec "$@"',
    }
    for name, does in stand_ins.items():
        (programs / name).write_text(f"#!{shutil.which('sh')}\n{does}\n")
        (programs / name).chmod(0o700)
    return tmp_path


def set_up(machine, environment, typed=None, parts=()):
    """Run .ci/setup; `typed` on a terminal, or without one. Returns its exit code, what it said, what apt was asked."""
    env = {"PATH": str(machine / "bin"), "USER_ID": "1000", "NO_SUDO": "1", **environment}
    command = ["sh", ".ci/setup", *parts]
    if typed is None:
        done = subprocess.run(
            command, cwd=machine, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        code, said = done.returncode, done.stderr
    else:
        ours, theirs = pty.openpty()
        with subprocess.Popen(command, cwd=machine, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            os.write(ours, f"{typed}\n".encode())
            read = b""
            with contextlib.suppress(OSError):  # EIO: nobody has the terminal any more
                while more := os.read(ours, 4096):
                    read += more
            os.close(ours)
        code, said = process.returncode, read.decode().replace("\r\n", "\n")
    asked = machine / "asked"
    return code, said, asked.read_text() if asked.exists() else ""


@pytest.mark.parametrize(
    ("environment", "typed", "installs"),
    [
        ({"USER_ID": "0"}, None, True),
        ({"USER_ID": "0", "APPWITNESS_SETUP": "no"}, None, False),
        ({"USER_ID": "0", "APPWITNESS_SETUP": "no"}, "y", False),
        ({"NO_SUDO": "0"}, None, True),
        ({"NO_SUDO": "0", "APPWITNESS_SETUP": "no"}, None, False),
        ({}, None, False),
        ({}, "y", True),
        ({}, "", True),
        ({}, "n", False),
        ({"APPWITNESS_SETUP": "yes"}, None, True),
        ({"CI": "true"}, None, True),
        ({"CI": "false"}, None, False),
    ],
)
def test_what_is_missing_is_installed_announced_or_printed(machine, environment, typed, installs):
    code, said, asked = set_up(machine, environment, typed)
    assert code != 0  # there is nothing more of the checkout here
    by = "" if environment.get("USER_ID") == "0" else "sudo "
    assert by + JDK in said
    assert (JDK in asked) == installs
    assert said.count("run `") == (typed is not None and "APPWITNESS_SETUP" not in environment)


def test_one_question_for_all_that_is_missing(machine):
    (machine / "bin/uv").unlink()
    _, said, asked = set_up(machine, {}, "n", ("rig", "browser", "gcc"))
    assert said.count("[Y/n]") == 1
    assert not asked
    for package in ("python3-pip", "default-jdk-headless", "gcc"):
        assert f" {package} " in said, package


def test_what_only_tests_need_stops_nobody(machine):
    lab = machine / "monitor/appwitness/devices/lab"
    (lab / "lab.jar").touch()
    _, said, _ = set_up(machine, {}, None, ("rig",))
    assert "The tests that need them are skipped." in said
    assert "installing the Python environment" in said


def test_another_system_is_told_what_to_install(machine):
    (machine / "bin/apt-get").unlink()
    code, said, _ = set_up(machine, {"USER_ID": "0"})
    assert code == 1
    assert "a JDK (to compile the lab device)" in said
    assert "default-jdk-headless" in said


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


def test_nothing_installs_a_name_that_is_not_ours():
    listed = (name for name in checkout.files() if (ROOT / name).is_file())
    texts = {name: (ROOT / name).read_text("utf-8", errors="replace") for name in listed}
    call = r"(?:pip3? install|uvx|uv tool install|pipx (?:install|run)) [^\n]*?"
    by_name = re.compile(call + r"\bappwitness(?:\[\w+\])?(?! @)(?=['\"\s`]|$)")
    del texts["tests/test_setup.py"]
    found = {name: hit[0] for name, text in texts.items() if (hit := by_name.search(text))}
    assert found == {"docs/reference.md": "pip install appwitness"}  # which says not to
    assert "**Do not `pip install appwitness`**" in texts["docs/reference.md"]


def test_a_placeholder_of_a_release_fits_no_file():
    placeholder = "#sha256=" + "0" * 64
    for name in ("docs/ci/action.yml", "docs/ci/gitlab.yml", "docs/ci.md"):
        addresses = re.findall(r"releases/download/[^\s\"|`]*", (ROOT / name).read_text())
        assert addresses, name
        assert all(address.endswith(placeholder) for address in addresses), name
    assert re.search(r"appwitness/docs/ci@0{40} #", (ROOT / "docs/ci/github-workflow.yml").read_text())
