"""Where things are unless somebody says otherwise: what outlives a run, the index, new recordings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from monitor.recording.signing import Signer


def home() -> Path:
    """Where appwitness keeps what outlives a run: the index, the proxy's certificate authority, the operator's key."""
    return Path(os.environ.get("APPWITNESS_HOME") or "~/.appwitness").expanduser()


def recordings() -> Path:
    """Where new recordings go."""
    return Path(os.environ.get("APPWITNESS_RECORDINGS") or "recordings")


def database(db: str | None) -> str | Path:
    """The index that is named: a URL or a file; None: the one in `home()`."""
    if db is None:
        return home() / "appwitness.sqlite"
    return db if "://" in db else Path(db)


def key_file() -> Path:
    """The operator's key, which signs the stamps of recordings."""
    return home() / "key"


def signer() -> Signer | None:
    """Who signs: the operator's key; None: there is none. Raises FileError for a file that is no key."""
    from monitor.recording.signing import load

    return load(key_file()) if key_file().exists() else None
