"""Identifies this build of appwitness: its version and commit."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
COMMIT = PACKAGE / "commit.txt"
"""Written into wheels by hatch_build.py."""


def version() -> str:
    """The version of the package, such as 0.1.0."""
    return importlib.metadata.version("appwitness")


def commit() -> str | None:
    """The commit that this build was made from, in the format of `of_checkout`; None when it is unknown."""
    checkout = PACKAGE.parent.parent
    if not (checkout / ".git").exists():
        return COMMIT.read_text("ascii").strip() or None if COMMIT.is_file() else None
    return of_checkout(checkout)


def of_checkout(checkout: Path) -> str | None:
    """The commit of a checkout, followed by `-dirty` if files were changed; None without a checkout or git."""
    if not (checkout / ".git").exists():
        return None
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        told = subprocess.run(describe, cwd=checkout, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None
