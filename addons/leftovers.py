"""What a proxy that was killed left in a recording: bodies that no line names, beginnings of bodies."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TAIL_BYTES = 4 * 1024 * 1024
"""How much of the lines is looked at: what was written last names the bodies that were stored last."""
SLACK_S = 1.0
_PART = re.compile(r"\.(\d+)-\d+\.part\Z")


def leftovers(recording: Path) -> Iterator[tuple[str, int, str]]:
    """Digest and size of each body that no line names, and what it is. Beginnings are put in place as bodies."""
    bodies = recording / "bodies"
    found = list(os.scandir(bodies))
    for entry in found:
        part = _PART.match(entry.name)
        if part and not _alive(int(part[1])):
            digest, size = _keep(Path(entry.path))
            if size:
                yield digest, size, "the beginning of a request that was being sent when the proxy was killed"
    # A body is stored just before its line is written; one without a line is younger than the last line.
    with suppress(FileNotFoundError):
        last = (recording / "uploads.jsonl").stat().st_mtime - SLACK_S
        young = [entry for entry in found if len(entry.name) == 64 and entry.stat().st_ctime >= last]
        named = b"".join(_tail(path) for path in recording.glob("*.jsonl")) if young else b""
        for entry in young:
            if entry.name.encode() not in named:
                yield entry.name, entry.stat().st_size, "of a request that had no answer when the proxy was killed"


def _keep(part: Path) -> tuple[str, int]:
    size = part.stat().st_size
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    place = part.with_name(digest)
    if size and not place.exists():
        part.replace(place)
    else:
        part.unlink()
    return digest, size


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
