"""Packs a recording into one file: a ZIP without compression, encrypted if wanted."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from appwitness.recording import encryption, files
from appwitness.recording.archive import CHUNK_BYTES, MEMBERS, NAME, digests, names
from appwitness.recording.folder import Recording
from appwitness.recording.seal import BODIES, TOKENS
from appwitness.support import private_files
from appwitness.support.errors import DiskFullError, UserError
from appwitness.support.spoken import Spoken

TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every member: when it was packed is of no interest."""


@contextmanager
def created(output: Path) -> Iterator[BinaryIO]:
    """A new private file that gets its name once it is complete and on disk.

    Raises DiskFullError when the disk is full, and UserError when such a file exists already or cannot be written.
    """
    hidden = output.parent / f".{output.name}.{secrets.token_hex(4)}.part"
    try:
        fd = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "w+b") as file:
                yield file
                file.flush()
                os.fsync(fd)
            os.link(hidden, output)
        finally:
            hidden.unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                Spoken("{output} cannot be made: {strerror}.", output=output, strerror=error.strerror),
                "Make room on its disk.",
            ) from None
        raise UserError(
            Spoken("{output} cannot be made: {strerror}.", output=output, strerror=error.strerror), "Name a new file."
        ) from None


def add(archive: zipfile.ZipFile, name: str, source: BinaryIO) -> str:
    """Add a member; returns its SHA-256."""
    info = zipfile.ZipInfo(name, TIME)
    info.external_attr = 0o100600 << 16
    digest = hashlib.sha256()
    with archive.open(info, "w", force_zip64=True) as file:
        while block := source.read(CHUNK_BYTES):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def write(place: Path, output: Path, recipients: Sequence[str] = ()) -> None:
    """Pack a recording into a new archive, whose members unpack to a folder with the archive's name.

    With `recipients`, encrypt it for each of them. The archive is read back, as its recipients would read it, before it
    gets its name. Raises UserError when the archive exists already, cannot be written or reads back differently, for an
    invalid recipient, and while the run is going on; raises FileError for a file of the recording that is not a regular
    one.
    """
    recording = Recording.open(place)
    if recording.going_on:
        raise UserError(Spoken("{place} is being recorded.", place=place), "Pack it when the run has ended.")
    inside = folder_in(output)
    members = [parts for parts in names(recording.path) if all(map(NAME.match, parts))]
    if len(members) > MEMBERS:
        raise UserError(
            Spoken("{place} has more than {members:,} files.", place=place, members=MEMBERS), "Keep it as a folder."
        )
    with created(output) as file:
        if not recipients:
            made = pack_members(recording.path, members, inside, file)
            see_that_it_holds(file, made, output)
            return
        own = encryption.Passing()
        with tempfile.TemporaryFile(dir=private_files.roomy()) as plain:  # a ZIP is not written sequentially
            made = pack_members(recording.path, members, inside, plain)
            plain.seek(0)
            encryption.encrypt(plain, file, recipients, own)
        _from_disk(file)
        with own.decrypted(file, output) as plain:
            see_that_it_holds(plain, made, output)


def bare(name: str) -> str:
    """The name of an archive without its suffixes, .zip and .age."""
    return name.removesuffix(".age").removesuffix(".zip")


def folder_in(output: Path) -> str:
    """The folder that a new archive unpacks to. Raises UserError if the archive's name cannot name a folder."""
    inside = bare(output.name)
    if not NAME.match(inside):
        raise UserError(
            Spoken("{name!r} is not 1 to 100 letters, digits, dots, hyphens and underscores.", name=output.name),
            "Name another file.",
        )
    return inside


def pack_members(folder: Path, members: Sequence[tuple[str, ...]], inside: str, into: BinaryIO) -> dict[str, str]:
    """Pack the members; returns their names in the archive -> SHA-256 of the packed bytes."""
    made = {}
    with zipfile.ZipFile(into, "w") as archive:
        for parts in members:
            name = "/".join((inside, *parts))
            with files.reading(folder, *parts) as source:
                made[name] = add(archive, name, source)
    return made


def see_that_it_holds(file: BinaryIO, made: Mapping[str, str], output: Path) -> None:
    """Read an archive back. Raises UserError if its content differs from what was put into it."""
    _from_disk(file)
    try:
        held = digests(file)
    except zipfile.BadZipFile as error:
        raise UserError(
            Spoken("{output} cannot be read back: {error}.", output=output, error=error),
            "Check the disk, and try again.",
        ) from None
    if held != made:
        raise UserError(
            Spoken("{output} differs from what was written to it.", output=output), "Check the disk, and try again."
        )


def _from_disk(file: BinaryIO) -> None:
    """Drop cached pages, on systems that can, so that later reads come from the disk."""
    file.flush()
    os.fsync(file.fileno())
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    file.seek(0)


def remove(place: Path) -> list[str]:
    """Remove a recording that was packed: its archive, or its files that are in the new archive, and their folder.
    Returns the names of files that stay because they do not belong to it."""
    if place.is_file():
        place.unlink()
        return []
    for parts in names(place):
        if all(map(NAME.match, parts)):
            place.joinpath(*parts).unlink()
    for folder in (place / BODIES, place / TOKENS, place):
        with suppress(OSError):
            folder.rmdir()
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if not path.is_dir())


def write_again(folder: Path, output: Path) -> None:
    """Pack the folder that an archive was unpacked to, and replace the archive with the result. Raises as `write`
    does."""
    with tempfile.TemporaryDirectory(prefix=f".{output.stem}.", dir=output.parent) as beside:
        write(folder, Path(beside) / output.name)
        (Path(beside) / output.name).replace(output)
