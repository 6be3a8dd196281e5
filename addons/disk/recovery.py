"""Recovers what a killed proxy left in a recording: incomplete bodies, and bodies that no line refers to."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from addons.disk.storage import TAIL_BYTES

SLACK_S = 1.0
_PART = re.compile(r"\.(\d+)-(\d+)-\d+\.part\Z")


def beginnings(bodies: Path, ours: Callable[[int, int], bool]) -> Iterator[tuple[str, int, str]]:
    """Store each unfinished body under its digest; yields digest, size and a description.

    `ours` decides, by the proxy's process id and the channel number, whether to take a part file.
    """
    for entry in list(os.scandir(bodies)):
        part = _PART.match(entry.name)
        if part and entry.is_file(follow_symlinks=False) and ours(int(part[1]), int(part[2])):
            digest, size = _keep(Path(entry.path))
            if size:
                yield digest, size, "the beginning of a request that was being sent when the proxy was killed"


@dataclass
class Before:
    """The state of a recording at one moment; bodies that a killed proxy left are not older than the last line."""

    last_line: float
    """When the last upload's line was written (seconds since 1970)."""
    ends: dict[str, int]
    """File name -> its size."""


def before(recording: Path) -> Before:
    """The state of a recording now."""
    files = {path.name: path.stat() for path in recording.glob("*.jsonl")}
    last = files["uploads.jsonl"].st_mtime if "uploads.jsonl" in files else 0.0
    return Before(last, {name: stat.st_size for name, stat in files.items()})


def orphans(recording: Path, before: Before) -> Iterator[tuple[str, int, str]]:
    """Digest, size and a description of each body without a line: proxy and writer were killed after the body was
    stored and before its line was written."""
    bodies = os.scandir(recording / "bodies")
    kept = (one for one in bodies if len(one.name) == 64 and one.is_file(follow_symlinks=False))
    young = [one for one in kept if one.stat().st_ctime >= before.last_line - SLACK_S]
    tails = (_tail(path, before.ends.get(path.name, 0)) for path in recording.glob("*.jsonl")) if young else ()
    named = b"".join(tails)
    for one in young:
        if one.name.encode() not in named:
            yield one.name, one.stat().st_size, "of a request that had no answer when the proxy was killed"


def alive(pid: int) -> bool:
    """Whether there is a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


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


def _tail(path: Path, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, end - TAIL_BYTES))
        return file.read()
