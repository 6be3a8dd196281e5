"""The files of a checkout, as git lists them. A test that asks is skipped where there is no git, or no checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def need_git() -> None:
    """Skip where git is not installed, as on a bare machine."""
    if not shutil.which("git"):
        pytest.skip("no git here")


def files() -> list[str]:
    """Each path, from the root."""
    need_git()
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout: an archive of the files")
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
