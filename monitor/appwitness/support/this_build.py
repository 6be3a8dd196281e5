"""Identifies this build of appwitness: its version and commit."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
COMMIT = PACKAGE / "commit.txt"
"""In a wheel; hatch_build.py writes it."""


def version() -> str:
    """The version of the package, such as 0.1.0."""
    return importlib.metadata.version("appwitness")


def commit() -> str | None:
    """The commit that this was made from, as `of_checkout` has it; None where nobody can say."""
    checkout = PACKAGE.parent.parent
    if not (checkout / ".git").exists():
        return COMMIT.read_text("ascii").strip() or None if COMMIT.is_file() else None
    return of_checkout(checkout)


def of_checkout(checkout: Path) -> str | None:
    """The commit of a checkout, with `-dirty` where files differ from it; None where there is none, or no git."""
    if not (checkout / ".git").exists():
        return None
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        told = subprocess.run(describe, cwd=checkout, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None
