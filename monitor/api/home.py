"""Where things are unless somebody says otherwise: what outlives a run, the index, new recordings."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Where appwitness keeps what outlives a run: the index and the proxy's certificate authority."""
    return Path(os.environ.get("APPWITNESS_HOME") or "~/.appwitness").expanduser()


def recordings() -> Path:
    """Where new recordings go."""
    return Path(os.environ.get("APPWITNESS_RECORDINGS") or "recordings")


def database(db: str | None) -> str | Path:
    """The index that is named: a URL or a file; None: the one in `home()`."""
    if db is None:
        return home() / "appwitness.sqlite"
    return db if "://" in db else Path(db)
