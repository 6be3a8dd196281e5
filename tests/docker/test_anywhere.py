"""A gate as a container runs it: nobody's uid, an empty environment, a read-only root, one folder to write into."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docker.compose import ROOT
from tests.recordings.written import RECORDINGS

PROGRAM = Path(sys.executable).with_name("appwitness")
UID = 54321
"""Of nobody in /etc/passwd."""
WORLD = """
set -eu
mount --bind / "$1"
mount -o remount,bind,ro "$1"
mount -t tmpfs -o mode=1777 tmpfs "$1/mnt"
umask 077
exec chroot --userspec={uid}:{uid} "$@"
"""


def _unavailable() -> str:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "needs root on Linux, to make the root of files read-only"
    if not all(map(shutil.which, ("unshare", "chroot", "mount"))):
        return "needs unshare, chroot and mount"
    if not _everybody_may_read(PROGRAM) or not _everybody_may_read(ROOT):
        return "nobody else may read this checkout or its environment"
    return ""


def _everybody_may_read(path: Path) -> bool:
    there = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in there.parents)


UNAVAILABLE = _unavailable()
pytestmark = pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)


def contained(root: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command there; /mnt, which is empty, can be written to."""
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", WORLD.format(uid=UID), "sh", root, *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_gate_needs_no_user_no_environment_and_one_folder(tmp_path):
    done = contained(
        tmp_path,
        PROGRAM,
        "gate",
        RECORDINGS / "sent-before-consent",
        "--format",
        "json",
        APPWITNESS_HOME="/mnt/home",
        PATH=os.environ["PATH"],
    )

    assert done.returncode == 1, done.stderr
    assert "sent-before-consent" in json.dumps(json.loads(done.stdout))


def test_an_index_in_memory_needs_no_folder_at_all(tmp_path):
    done = contained(tmp_path, PROGRAM, "gate", RECORDINGS / "sent-before-consent", APPWITNESS_DB="sqlite://")

    assert done.returncode == 1, done.stderr


def test_the_root_of_files_is_read_only_there(tmp_path):
    assert contained(tmp_path, "/bin/sh", "-c", "id -u; touch /mnt/x && ! touch /tmp/x").stdout == f"{UID}\n"
