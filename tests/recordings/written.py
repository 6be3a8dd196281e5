"""The recordings of the builder as folders: written once for each state of what makes them."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from pathlib import Path

from tests.recordings.builder import cases
from tests.recordings.builder.case import write

ROOT = Path(__file__).parents[2]
MADE_BY = (Path(__file__).parent / "builder", ROOT / "monitor/appwitness/events")
"""What decides the bytes of a recording, and whether its lines are valid."""


def written(cache: Path) -> Path:
    """The folder below `cache` that has a folder for each recording; it is made now if it is not there yet."""
    sources = sorted(path for folder in MADE_BY for path in folder.rglob("*.py"))
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    folder, unfinished = cache / digest[:16], cache / "unfinished"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            write(cases(), unfinished)
            unfinished.rename(folder)
    return folder


RECORDINGS = written(ROOT / ".setup/recordings")
