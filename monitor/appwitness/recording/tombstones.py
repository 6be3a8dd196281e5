"""Rewrites a file of a recording with tombstones in place of forgotten lines."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Collection, Iterable
from contextlib import suppress
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from appwitness.events import FILES, forgotten, tombstone
from appwitness.recording import files
from appwitness.recording.lines import CHUNK_BYTES, raw_lines
from appwitness.recording.seal import BODIES, FileStamp, sync_folder

_LEFT = re.compile(r"\.(?:run\.json|[a-z]+\.jsonl)\.\d+\.[0-9a-f]{8}\Z")
"""Temporary files that a killed writer left beside the files of a recording."""


class Holed(NamedTuple):
    """A file that is about to replace another."""

    name: str
    beside: str
    """Its temporary name."""
    stamp: FileStamp
    """The state of its whole lines."""
    forgotten: int
    """The number of lines forgotten in it."""

    def put(self, path: Path) -> None:
        """Move it into place."""
        with files.folder(path) as here:
            os.rename(self.beside, self.name, src_dir_fd=here, dst_dir_fd=here)


def holed(path: Path, kind: str, gone: Collection[int]) -> Holed:
    """Write a new copy of a file of lines beside it, with tombstones for the lines of these numbers; on disk when this
    returns.

    An unfinished last line among them is cut off: no stamp covers it.
    """
    name = FILES[kind]
    beside = f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    digest, size, lines, count, at = hashlib.sha256(), 0, 0, 0, 0
    with (
        files.reading(path, name) as source,
        files.reading(path, name) as again,
        FileIO(files.opened(path, beside, flags=os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file,
        BufferedWriter(file, CHUNK_BYTES) as into,
    ):
        for number, raw in enumerate(raw_lines(source, hashlib.sha256(), CHUNK_BYTES), 1):
            if number in gone and not raw.whole:
                break
            if number in gone and forgotten(raw.head) is None:
                pieces: Iterable[bytes] = (tombstone(kind, raw.sha256) + b"\n",)
                count += 1
            else:
                again.seek(at)
                pieces = _pieces(again, raw.size)
            at += raw.size
            lines += raw.whole
            for piece in pieces:
                into.write(piece)
                if raw.whole:
                    digest.update(piece)
                    size += len(piece)
        into.flush()
        os.fsync(into.fileno())
    return Holed(name, beside, FileStamp(lines=lines, bytes=size, sha256=digest.hexdigest()), count)


def remove(path: Path, bodies: Iterable[str]) -> None:
    """Remove files of bodies/, and temporary files that a killed writer left."""
    with suppress(FileNotFoundError), files.folder(path, BODIES) as here:
        for name in bodies:
            with suppress(FileNotFoundError, IsADirectoryError, PermissionError):
                os.unlink(name, dir_fd=here)
    with files.folder(path) as here:
        for name in filter(_LEFT.match, os.listdir(here)):  # noqa: PTH208 a folder that is open
            os.unlink(name, dir_fd=here)
    sync_folder(path, BODIES)
    sync_folder(path)


def _pieces(file: BinaryIO, size: int) -> Iterable[bytes]:
    while size and (piece := file.read(min(size, CHUNK_BYTES))):
        size -= len(piece)
        yield piece
