"""Where uploads are put on disk: whole lines appended to a file, bodies named by their digest.

**What is on disk when.** A line is with the operating system when `Lines.append` returns, its body before it: killing
the proxy loses neither. The disk itself is asked to confirm (fsync) by whoever stamps the recording, every few seconds
and never in the way of traffic (monitor/recording): a power cut can lose what came after the last stamp, only that.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: there, nobody else may write the same recording
    fcntl = None  # type: ignore[assignment]

SMALL = 64 * 1024
"""Bytes of a body that may be held in memory; a longer one goes to disk as it comes."""
BACKLOG = 1000
"""Lines kept for another try while the disk refuses them."""
BACKLOG_BYTES = 4 * 1024 * 1024
"""And how long all of them may be together."""

Line = dict[str, Any]

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
parts = itertools.count(1)


class Lines:
    """A file of the recording that whole lines are appended to, by other processes too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.backlog: deque[bytes] = deque()
        self.waiting = 0
        """Bytes in the backlog."""
        self.dropped = 0

    def append(self, line: Line) -> OSError | None:
        """Write a line, after those that could not be written before. Returns what was in the way, if anything."""
        data = (encode(line) + "\n").encode("utf-8", "replace")
        if not self.backlog:
            try:
                self._write(data)
            except OSError as error:
                self._keep(data)
                return error
            return None
        self._keep(data)
        return self.retry()

    def retry(self) -> OSError | None:
        """Write what waits, as far as the disk takes it. Returns what was in the way, if anything."""
        try:
            while self.backlog:
                self._write(self.backlog[0])
                self.waiting -= len(self.backlog.popleft())
        except OSError as error:
            return error
        return None

    def _keep(self, data: bytes) -> None:
        self.backlog.append(data)
        self.waiting += len(data)
        while len(self.backlog) > BACKLOG or (self.waiting > BACKLOG_BYTES and len(self.backlog) > 1):
            self.waiting -= len(self.backlog.popleft())
            self.dropped += 1

    def _write(self, data: bytes) -> None:
        with _locked(self.fd):
            end = os.fstat(self.fd).st_size
            if end and os.pread(self.fd, 1, end - 1) != b"\n":
                # A writer was killed, or the disk was full, in the middle of a line: it stays a line of its own.
                data = b"\n" + data
            try:
                while data:
                    data = data[os.write(self.fd, data) :]
            except OSError:
                # The disk took a part of it: take that back, nobody reads a line that has no end yet.
                with suppress(OSError):
                    os.ftruncate(self.fd, end)
                raise

    def close(self) -> None:
        """Let go of the file."""
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
    """The bytes of one upload, on their way to bodies/<sha256>."""

    def __init__(self, folder: str, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self.seen = 0
        """Bytes that passed."""
        self.kept = 0
        """Bytes of them that are, or will be, stored: all of them, or a beginning."""
        self.problem: str | None = None
        """Why only a beginning is stored."""
        self.digest: str | None = None
        self._memory = bytearray()
        self._hash = hashlib.sha256()
        self._part = ""
        self._fd = -1

    def add(self, data: bytes) -> None:
        """Take the next bytes. Never raises: mitmproxy would close the app's connection, and traffic must go on."""
        self.seen += len(data)
        if self.problem:
            return
        if self.kept + len(data) > self.limit:
            data = data[: self.limit - self.kept]
            self.problem = f"limit of {self.limit} bytes"
        try:
            if self._fd >= 0:
                self._spill(data)
            else:
                self._memory += data
                self.kept += len(data)
                if self.kept > SMALL:
                    self._open()
        except Exception as error:
            self.problem = str(error)

    def store(self) -> str | None:
        """Put what was taken into place and return its sha256; None when there is nothing. Never raises."""
        if self.digest is None and self.kept:
            try:
                self.digest = self._store()
            except Exception as error:
                self.problem = str(error)
            finally:
                self._memory.clear()
                self._discard()
            if self.digest is None:
                self.kept = 0
        elif self._fd >= 0:
            self._discard()  # the disk took nothing
        return self.digest

    def _store(self) -> str | None:
        if self._fd < 0:
            digest = hashlib.sha256(self._memory).hexdigest()
            if os.access(f"{self.folder}/{digest}", os.F_OK):
                return digest
            self._open()
        digest = self._hash.hexdigest()
        if not self.kept:
            return None
        place = f"{self.folder}/{digest}"
        if not os.access(place, os.F_OK):
            os.replace(self._part, place)  # noqa: PTH105 as below
            self._part = ""
        return digest

    def _open(self) -> None:
        """Move what is in memory to a file of its own, named so that nobody takes it for a body."""
        # Bare system calls here: with pathlib, this is a tenth of what the proxy does for a small request.
        part = f"{self.folder}/.{os.getpid()}-{next(parts)}.part"
        self._fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._part = part
        data, self._memory = self._memory, bytearray()
        self.kept = 0
        try:
            self._spill(data)
        except OSError as error:
            self.problem = str(error)

    def _spill(self, data: bytes | bytearray) -> None:
        view = memoryview(data)
        while view:
            # Only what the disk really took is hashed and counted, so that a beginning still has its right name.
            written = os.write(self._fd, view)
            self._hash.update(view[:written])
            self.kept += written
            view = view[written:]

    def _discard(self) -> None:
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
            self._fd = -1
        if self._part:
            with suppress(OSError):
                os.unlink(self._part)  # noqa: PTH108 as above
            self._part = ""
