"""Stores uploads on disk: appends whole lines to a file, and names bodies by their digest.

**What is on disk when.** All of this is done by the writer (writer.py), never by the proxy itself: a disk that hangs
must not stop any traffic. What the proxy has put into shared memory (ring.py) survives the proxy, and what is not yet
on disk survives the writer: a kill -9 of either loses nothing and writes nothing twice. A body is in place before its
line is written, and the line before the writer takes the next record. Killing both at once loses what had not been
written by then: usually the last few milliseconds, at most RING_BYTES. Syncing to disk (fsync) is done by the process
that stamps the recording, every few seconds and without blocking traffic (appwitness/recording): a power cut can lose
only what came after the last stamp.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from addons.disk.quota import Quota

try:
    import fcntl
except ImportError:  # Windows: no other process may write the same recording there
    fcntl = None  # type: ignore[assignment]

TAIL_BYTES = 4 * 1024 * 1024
"""How much of a file's end is searched for the last line written."""
_BLOCK = 1024 * 1024
_HOT = 128 * 1024
"""Bytes that are written and hashed at a time: few enough to stay in the processor's cache in between."""

Line = dict[str, Any]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def head(kind: str, at: str) -> Line:
    """The fields that every line begins with."""
    return {"v": 1, "kind": kind, "at": at, "app": None, "pid": None}


def gap_line(subject: str, why: str, detail: str, at: str, **more: object) -> Line:
    """The line for a gap of the proxy."""
    about = {"where": "proxy", "subject": subject, "why": why, "detail": detail, "until": None}
    return {**head("gap", at), **about, **more}


def time_of(seconds: float) -> str:
    """Seconds since 1970 in the time format of the contract."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def coded(line: Line) -> bytes:
    """A line as bytes, as in the file but without its newline."""
    return _encode(line).encode("utf-8", "replace")


def salted(line: Line) -> bytes:
    """Like `coded`, with a random salt, so that once the line is forgotten, nobody can confirm a guess at its content
    by its digest."""
    return coded({**line, "salt": os.urandom(16).hex()})


class Lines:
    """A file of the recording, to which whole lines are appended, also by other processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def append(self, line: bytes) -> None:
        """Write a line, given without its newline. Raises OSError when the disk refuses it; then nothing of it
        remains."""
        data = line + b"\n"
        with _locked(self.fd):
            end = os.fstat(self.fd).st_size
            if end and os.pread(self.fd, 1, end - 1) != b"\n":
                # A writer was killed, or the disk was full, in the middle of a line: it stays a separate line.
                data = b"\n" + data
            try:
                while data:
                    data = data[os.write(self.fd, data) :]
            except OSError:
                # The disk took only a part of the line: remove it. Nobody reads a line before its newline is written.
                with suppress(OSError):
                    os.ftruncate(self.fd, end)
                raise

    def rest(self, begin: bytes) -> bytes | None:
        """The rest of the last line that begins with `begin`; None when there is no such line or it is incomplete."""
        tail = max(TAIL_BYTES, 2 * len(begin))
        data = b"\n" + os.pread(self.fd, tail, max(0, os.fstat(self.fd).st_size - tail))
        at = data.rfind(b"\n" + begin) + 1 + len(begin)
        end = data.find(b"\n", at)
        return data[at:end] if at > len(begin) and end >= 0 else None

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)


@contextmanager
def _locked(fd: int) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


class Body:
    """The bytes of one upload; they are collected in a file `.<name>.part` and then become bodies/<sha256>."""

    def __init__(self, folder: str, name: str, quota: Quota | None = None) -> None:
        self.folder = folder
        self.quota = quota
        self.part = f"{folder}/.{name}.part"
        """The part file, whose name cannot be mistaken for a body's."""
        self.kept = 0
        """Number of bytes stored: the whole body, or its beginning."""
        self.problem = ""
        """Why only the beginning is stored."""
        self._hash = hashlib.sha256()
        self._fd = -1

    def add(self, at: int, data: memoryview) -> None:
        """Add bytes at this offset of the body. Never raises: what the disk does not take is noted in `problem`."""
        if self.problem:
            return
        if self.quota and (problem := self.quota.body(len(data))):
            self.problem = problem
            return
        try:
            if self._fd < 0 or at != self.kept:
                self._open(at)
            while data and not self.problem:
                # Only what the disk really took is hashed and counted, so that a partial body has the right name, too.
                written = os.write(self._fd, data[:_HOT])
                self._hash.update(data[:written])
                self.kept += written
                data = data[written:]
        except OSError as error:
            self.problem = str(error)

    def resume(self, size: int) -> None:
        """Continue with another writer's part file, which should have `size` bytes."""
        if self._fd < 0 and not self.problem:
            self.add(size, memoryview(b""))

    def _open(self, size: int) -> None:
        """Open the part file and keep its first `size` bytes, as another writer left them; with 0, begin anew."""
        # Plain system calls: with pathlib, this takes a tenth of the time of a small request.
        if self._fd < 0:
            self._fd = os.open(self.part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        os.ftruncate(self._fd, min(size, os.fstat(self._fd).st_size))
        os.lseek(self._fd, 0, os.SEEK_SET)
        self.kept, self._hash = 0, hashlib.sha256()
        while block := os.read(self._fd, _BLOCK):
            self._hash.update(block)
            self.kept += len(block)
        if self.kept < size:
            self.problem = "the disk did not take the rest"

    def place(self) -> str | None:
        """Put the part file in place as a body and return its sha256; None when there is nothing or it fails. Never
        raises.

        The part file stays until `close`: if the writer is killed before the line, the next one has all that it needs.
        """
        if not self.kept:
            return None
        digest = self._hash.hexdigest()
        place = f"{self.folder}/{digest}"
        try:
            if not os.access(place, os.F_OK):
                try:
                    os.link(self.part, place)
                except FileExistsError:
                    pass
                except OSError:  # a file system without hard links
                    os.replace(self.part, place)  # noqa: PTH105 as above
        except OSError as error:
            self.problem, self.kept = str(error), 0
            return None
        return digest

    def close(self) -> None:
        """Remove the part file: the body is in place, or there is none."""
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
            self._fd = -1
            with suppress(OSError):
                os.unlink(self.part)  # noqa: PTH108 as above


def store(folder: str, name: str, data: memoryview, quota: Quota | None = None) -> tuple[str | None, int, str]:
    """Store a whole body: returns its sha256, the bytes that the disk took, and the problem, if any. Never raises."""
    digest = hashlib.sha256(data).hexdigest()
    if os.access(f"{folder}/{digest}", os.F_OK):
        return digest, len(data), ""
    if quota and (refused := quota.body(len(data))):
        return None, 0, refused
    part, kept, problem = f"{folder}/.{name}.part", 0, ""
    try:
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            while kept < len(data):
                kept += os.write(fd, data[kept:])
        except OSError as error:
            problem, digest = str(error), hashlib.sha256(data[:kept]).hexdigest()
        finally:
            os.close(fd)
        if kept:
            os.replace(part, f"{folder}/{digest}")  # noqa: PTH105 as above
            return digest, kept, problem
    except OSError as error:
        problem = str(error)
    with suppress(OSError):
        os.unlink(part)  # noqa: PTH108 as above
    return None, 0, problem
