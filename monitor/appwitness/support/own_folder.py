"""Where appwitness keeps what outlives a run."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder of the index, the proxy's certificate authority, the operator's key, and catalog updates."""
    return Path(os.environ.get("APPWITNESS_HOME") or "~/.appwitness").expanduser()
