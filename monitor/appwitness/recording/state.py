"""Digests of a recording's content at a moment, to check whether it has changed since it was read."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from appwitness.recording.lines import CHUNK_BYTES, MAX_LINE_BYTES, Position, _skip
from appwitness.recording.seal import BODIES, RUN

NOTHING = ""
"""The digest of zero lines."""


def chained(before: str, raw: bytes, size: int) -> str:
    """The digest of the previous lines plus one more: `raw` without its newline, `size` bytes in the file."""
    return hashlib.sha256(f"{before} {size} ".encode() + raw).hexdigest()


def prefix_digest(path: Path, until: Position) -> str | None:
    """The digest of a file's lines up to a position, as `chained` computes it; None when no line ends there."""
    digest, offset = NOTHING, 0
    if until.offset == 0:
        return digest
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(fd, "rb", buffering=CHUNK_BYTES) as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        while offset < until.offset and (raw := file.readline(MAX_LINE_BYTES)):
            whole = raw.endswith(b"\n")
            size = len(raw) + (_skip(file) if len(raw) == MAX_LINE_BYTES and not whole else 0)
            digest = chained(digest, raw.removesuffix(b"\n"), size)
            offset += size
    return digest if offset == until.offset else None


def run_digest(folder: Path) -> str:
    """The digest of run.json; empty when it cannot be read."""
    try:
        return hashlib.sha256((folder / RUN).read_bytes()).hexdigest()
    except OSError:
        return ""


def bodies_digest(folder: Path) -> str:
    """A digest of the bodies' names and change times; no body is read.

    Replacing or changing a body updates its ctime, which nobody can set.
    """
    digest = hashlib.sha256()
    try:
        entries = sorted(os.scandir(folder / BODIES), key=lambda entry: entry.name)
    except OSError:
        entries = []
    for entry in entries:
        try:
            held = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        now = (entry.name, held.st_ino, held.st_mode, held.st_size, held.st_mtime_ns, held.st_ctime_ns)
        digest.update(f"{now}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
