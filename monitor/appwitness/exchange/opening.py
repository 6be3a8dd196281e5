"""Opens a foreign file: checks that it is an ordinary file, unpacks it, and decodes it to UTF-8."""

from __future__ import annotations

import codecs
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

CHUNK = 1 << 20
BLOCK = 1 << 16
"""Bytes that are unpacked at once: the amount lost where a compressed file is damaged."""
LARGEST = 16 << 30
"""Maximum number of bytes that a compressed file may unpack to."""
GZIP, ZLIB = b"\x1f\x8b", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class OpenedFile(NamedTuple):
    """A file to read."""

    path: Path
    """The file itself, or an unpacked copy of the same name."""
    damage: str | None = None
    """Why `path` holds only the beginning."""


def refuse_unless_ordinary(path: Path) -> None:
    """Raise UserError for anything but a regular file: opening a pipe may block forever, a device may never end."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UserError(
            Spoken("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror), "Name a file."
        ) from None
    if not stat.S_ISREG(mode):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a folder" if stat.S_ISDIR(mode) else "a device or socket"
        raise UserError(
            Spoken("{path} is {kind}, not a file.", path=path, kind=kind),
            "Save its output to a file, and import that.",
        )


@contextmanager
def opened(path: Path) -> Iterator[OpenedFile]:
    """The file ready to be read; if it had to be unpacked or recoded, a private copy that is deleted afterwards.
    Raises UserError if it is not a regular file or cannot be read, FileError if it unpacks to more than LARGEST."""
    refuse_unless_ordinary(path)
    try:
        with path.open("rb") as file:
            head = file.read(2)
    except OSError as error:
        raise UserError(
            Spoken("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            "Name a file that you may read.",
        ) from None
    if not (head == GZIP or head in ZLIB or head in UTF16):
        yield OpenedFile(path)
        return
    with tempfile.TemporaryDirectory(prefix="appwitness-") as folder:
        copy, damage = path, None
        if head not in UTF16:
            copy = Path(folder, path.name)
            with path.open("rb") as file, copy.open("wb") as out:
                damage = _unpack(path, file, out)
            with copy.open("rb") as file:
                head = file.read(2)
        if head in UTF16:
            recoded = Path(folder, "utf-8", path.name)
            recoded.parent.mkdir()
            with copy.open("rb") as file, recoded.open("wb") as out:
                damage = _recode(file, out, UTF16[head]) or damage
            copy = recoded
        yield OpenedFile(copy, damage)


def beginning(path: Path, size: int) -> bytes:
    """The first `size` bytes of a regular file, unpacked and recoded as by `opened`; empty if it is damaged."""
    with path.open("rb") as file:
        head = file.read(BLOCK)
    try:
        if head[:2] == GZIP or head[:2] in ZLIB:
            head = zlib.decompressobj(wbits=47).decompress(head, 2 * size + 2)
    except zlib.error:
        return b""
    if charset := UTF16.get(head[:2]):
        head = head[2:].decode(charset, "replace").encode("utf-8", "replace")
    return head[:size]


def _unpack(path: Path, file: BinaryIO, out: BinaryIO) -> str | None:
    """Unpack gzip (all members) or zlib; returns the damage that stopped it, if any."""
    unpacker, size = zlib.decompressobj(wbits=47), 0
    try:
        while True:
            if unpacker.eof:
                data = unpacker.unused_data or file.read(CHUNK)
                if not data.startswith(GZIP):
                    return None  # the end, or padding
                unpacker = zlib.decompressobj(wbits=47)
            else:
                data = unpacker.unconsumed_tail or file.read(CHUNK)
            piece = unpacker.decompress(data, BLOCK)
            if not data and not piece and not unpacker.eof:
                return "the compressed file is broken off"
            size += out.write(piece)
            if size > LARGEST:
                raise FileError(
                    path,
                    None,
                    Spoken("unpacks to more than {largest} GiB.", largest=LARGEST >> 30),
                    "Import it in pieces.",
                )
    except zlib.error as error:
        return f"the compressed file is damaged: {error}"


def _recode(file: BinaryIO, out: BinaryIO, charset: str) -> str | None:
    decoder = codecs.getincrementaldecoder(charset)("surrogatepass")
    file.seek(2)  # the byte order mark
    try:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            out.write(decoder.decode(chunk).encode("utf-8", "surrogatepass"))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return f"the text is broken off or damaged: {error.reason}"
    return None
