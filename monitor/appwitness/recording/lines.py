"""A file of whole lines that several processes append to at once, and that can be read while it grows."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from appwitness.events import FILES, BadLine, Event, Ref, forgotten, parse
from appwitness.events.seen import Seen, host_time
from appwitness.recording import files
from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 64 << 20
"""Maximum number of bytes of a line that are held in memory; a longer line counts as one that does not parse."""


class Position(msgspec.Struct, frozen=True, gc=False):
    """A position in a file: lines and bytes read."""

    line: int = 0
    offset: int = 0


START = Position()


class ReadLine(msgspec.Struct, frozen=True, gc=False):
    """One raw line of a recording's file, parsed on each access."""

    kind: str
    """The kind of event that the file should hold."""
    raw: bytes
    """The line without its newline; only the beginning of a line that is too long."""
    size: int
    """Bytes of the line in the file, including its newline."""
    position: Position
    """The position after this line."""

    @property
    def ref(self) -> Ref:
        """The line's ref."""
        return f"{FILES[self.kind]}:{self.position.line}"

    @property
    def event(self) -> Event | None:
        """The event of the line; None when the line does not fit the contract or belongs in another file: see
        `error`."""
        try:
            return self._parsed()
        except BadLine:
            return None

    @property
    def forgotten(self) -> bool:
        """Whether the line is the tombstone of a forgotten line."""
        return forgotten(self.raw) is not None

    @property
    def error(self) -> str | None:
        """What is wrong with the line, in one sentence; None when there is an event."""
        try:
            self._parsed()
        except BadLine as error:
            return f"unfinished, its writer was stopped: {error}" if self.size == len(self.raw) else str(error)
        return None

    def seen(self, offset_ms: float | None) -> Seen[Event] | None:
        """The event with its time on the host's clock; `offset_ms` as for `see`."""
        if (event := self.event) is None:
            return None
        return Seen(self.ref, self.position.line, host_time(event, offset_ms), event)

    def _parsed(self) -> Event:
        if self.size > MAX_LINE_BYTES:
            raise BadLine(f"longer than {MAX_LINE_BYTES >> 20} MiB")
        event = parse(self.raw)
        if event.kind != self.kind:
            raise BadLine(f"kind: {event.kind} does not belong in {FILES[self.kind]}")
        return event


class Appender:
    """Appends whole lines to one file, alongside other processes and threads that do the same.

    The lock (flock) protects the line number, and the repair of an unfinished line that a killed writer left; each line
    itself is one O_APPEND write. Lock and file belong to this process: after a fork, make another Appender.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = files.opened(path.parent, path.name, flags=os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self._mutex = threading.RLock()
        self._depth = 0
        self._known = START
        """How far the lines of the file have been counted."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other writers out of the file. May be nested."""
        with self._mutex:
            if self._depth == 0:
                self._lock()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _lock(self) -> None:
        """Lock the file that has the name now: the opened one may have been replaced since because lines were
        forgotten."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            while not os.path.samestat(os.lstat(self.path), os.fstat(self._fd)):
                now = files.opened(self.path.parent, self.path.name, flags=os.O_RDWR | os.O_APPEND)
                os.close(self._fd)
                self._fd, self._known = now, START
                fcntl.flock(self._fd, fcntl.LOCK_EX)

    def append(self, lines: Sequence[bytes]) -> int:
        """Append lines (without newline); returns the number of the first. By then the operating system has all of
        them.

        Raises FileError when they could not be written as a whole. None of them then counts as written, though some may
        be in the file, where they stay.
        """
        data = b"\n".join((*lines, b""))
        with self.locked():
            count, torn = self._count()
            if torn:
                data = b"\n" + data
                count += 1
            try:
                self._write(data)
            except OSError as error:
                raise FileError(
                    self.path,
                    None,
                    Spoken("could not be written: {strerror}.", strerror=error.strerror),
                    "Make room and start the run again.",
                ) from error
            end = os.lseek(self._fd, 0, os.SEEK_END)
            self._known = Position(count + len(lines), end)
            return count + 1

    def sync(self) -> None:
        """Return once the disk has confirmed everything that was appended."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Close the file."""
        with self._mutex:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def _count(self) -> tuple[int, bool]:
        """The number of newlines in the file, and whether bytes follow the last one; only new bytes are read."""
        size = os.fstat(self._fd).st_size
        line, offset = self._known.line, self._known.offset
        if size < offset:
            line, offset = 0, 0
        while offset < size:
            chunk = os.pread(self._fd, min(CHUNK_BYTES, size - offset), offset)
            if not chunk:
                break
            line += chunk.count(b"\n")
            offset += len(chunk)
        self._known = Position(line, offset)
        return line, offset > 0 and os.pread(self._fd, 1, offset - 1) != b"\n"


def read_lines(
    path: Path, kind: str, after: Position = START, *, until: int | None = None, finished: bool = False
) -> Iterator[ReadLine]:
    """The lines after a position in the file of one kind.

    A last line without newline is still being written: it is not read, unless the recording is `finished`. Lines that
    begin at or after the byte `until` are left for later. A missing file has no lines.
    """
    try:
        file = files.reading(path.parent, path.name, buffering=CHUNK_BYTES)
    except FileNotFoundError:
        return
    with file:
        position = _resume(file, after)
        if position is None:
            return
        file.seek(position.offset)
        while until is None or position.offset < until:
            raw = file.readline(MAX_LINE_BYTES)
            size = len(raw) + (_skip(file) if len(raw) == MAX_LINE_BYTES and raw[-1:] != b"\n" else 0)
            whole = size > len(raw) or raw.endswith(b"\n")
            if not raw or not (whole or finished):
                return
            position = Position(position.line + 1, position.offset + size)
            yield ReadLine(kind, raw.removesuffix(b"\n"), size, position)


@dataclass(frozen=True, slots=True)
class RawLine:
    """One line as bytes, for callers that only need digests."""

    head: bytes
    """The line with its newline; only the beginning of a line that is too long."""
    size: int
    sha256: str
    whole: bool
    """Whether it ends with a newline."""


def raw_lines(file: BinaryIO, running: Digest, most: int = MAX_LINE_BYTES) -> Iterator[RawLine]:
    """Lines with their digests; all bytes also update `running`. At most `most` bytes of a line are held in memory."""
    while head := file.readline(most):
        digest = hashlib.sha256(head)
        running.update(head)
        size, last = len(head), head[-1:]
        while last != b"\n" and (more := file.readline(CHUNK_BYTES)):
            digest.update(more)
            running.update(more)
            size, last = size + len(more), more[-1:]
        yield RawLine(head, size, digest.hexdigest(), last == b"\n")


def _resume(file: BinaryIO, after: Position) -> Position | None:
    """The position to continue from; None when there is nothing new. A position after an unfinished line of a
    finished recording becomes the beginning of that line as soon as more is appended, so that the line keeps its
    number."""
    if after.offset == 0:
        return START
    size = os.fstat(file.fileno()).st_size
    if size <= after.offset:
        return None
    file.seek(after.offset - 1)
    if file.read(1) == b"\n":
        return after
    start = after.offset
    while start:
        step = min(4096, start)
        file.seek(start - step)
        newline = file.read(step).rfind(b"\n")
        if newline >= 0:
            return Position(after.line - 1, start - step + newline + 1)
        start -= step
    return Position(after.line - 1, 0)


def _skip(file: BinaryIO) -> int:
    """Skip the rest of a line that is too long; returns the number of bytes skipped."""
    size = 0
    while chunk := file.readline(CHUNK_BYTES):
        size += len(chunk)
        if chunk.endswith(b"\n"):
            break
    return size
