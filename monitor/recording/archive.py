"""A recording as one file, a ZIP whose members are stored as they are; read as the folder that it unpacks to.

Nothing in an archive is trusted: its members are those of a recording, each a run of bytes of its own in the file, so
what is unpacked is never more than what was given. Checksums of the ZIP are not asked: `verify` knows what was stamped,
and names the line or body that differs.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedRandom, BufferedReader, FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, override
from weakref import WeakValueDictionary

from monitor import private
from monitor.errors import FileError, UserError
from monitor.events import FILES
from monitor.recording import encryption, files
from monitor.recording.quota import FREE_BYTES
from monitor.recording.seal import BODIES, RUN, SEAL, TOKENS

TIME = (1980, 1, 1, 0, 0, 0)
"""Of every member: when it was packed says nothing."""
MEMBERS = 100_000
"""An archive with more of them is not read: its directory is held in memory."""
DIRECTORY_BYTES = MEMBERS * 220
CHUNK_BYTES = 1 << 20
_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}\Z")
_FOLDERS: tuple[list[str], ...] = ([], [BODIES], [TOKENS])
INSIDE, SUMS = "recording", "SHA256SUMS"
"""Of a bundle: the folder of the recording, and the file beside it that lists the digests of all files."""
_LOCAL = struct.Struct("<4s22xHH")
"""Of a member's own header: its signature, and the lengths of the name and the extra field that follow."""


def names(folder: Path) -> Iterator[tuple[str, ...]]:
    """The files in a folder that belong to a recording, and no others, as parts of their paths."""
    yield from ((name,) for name in (RUN, *FILES.values(), SEAL) if os.path.lexists(folder / name))
    for below in (BODIES, TOKENS):
        if os.path.lexists(folder / below):
            with files.folder(folder, below) as here:
                yield from ((below, name) for name in sorted(os.listdir(here)))  # noqa: PTH208 a folder that is open


@contextmanager
def created(output: Path) -> Iterator[BinaryIO]:
    """A new file for its owner alone, which has its name once it is whole and on disk.

    Raises UserError when there is such a file already, and when it cannot be written.
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
        raise UserError(f"{output} cannot be made: {error.strerror}.", "Name a new file.") from None


def add(archive: zipfile.ZipFile, name: str, source: BinaryIO) -> str:
    """Add a member; its SHA-256."""
    info = zipfile.ZipInfo(name, TIME)
    info.external_attr = 0o100600 << 16
    digest = hashlib.sha256()
    with archive.open(info, "w", force_zip64=True) as file:
        while block := source.read(CHUNK_BYTES):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def write(place: Path, output: Path, recipients: Sequence[str] = ()) -> None:
    """Pack a recording into a new archive, whose members unpack to a folder named as the archive is.

    With `recipients` it is encrypted for each of them. Raises UserError when the archive is there already or cannot be
    written, for a recipient that is none, while the run is going on, and FileError for a file of the recording that is
    no regular one.
    """
    from monitor.recording.folder import Recording

    recording = Recording.open(place)
    if recording.going_on:
        raise UserError(f"{place} is being recorded.", "Pack it when the run has ended.")
    inside = folder_in(output)
    members = [parts for parts in names(recording.path) if all(map(_NAME.match, parts))]
    if len(members) > MEMBERS:
        raise UserError(f"{place} has more than {MEMBERS:,} files.", "Keep it as a folder.")
    with created(output) as file:
        if not recipients:
            _pack(recording.path, members, inside, file)
            return
        with tempfile.TemporaryFile(dir=private.roomy()) as plain:  # a ZIP is not written from end to end
            _pack(recording.path, members, inside, plain)
            plain.seek(0)
            encryption.encrypt(plain, file, recipients)


def bare(name: str) -> str:
    """The name of an archive without what says that it is one."""
    return name.removesuffix(".age").removesuffix(".zip")


def folder_in(output: Path) -> str:
    """The folder that a new archive unpacks to. Raises UserError for a name of which none can be made."""
    inside = bare(output.name)
    if not _NAME.match(inside):
        raise UserError(f"{output.name!r} has other than letters, digits, dots and hyphens.", "Name another file.")
    return inside


def _pack(folder: Path, members: Sequence[tuple[str, ...]], inside: str, into: BinaryIO) -> None:
    with zipfile.ZipFile(into, "w") as archive:
        for parts in members:
            with files.reading(folder, *parts) as source:
                add(archive, "/".join((inside, *parts)), source)


def remove(place: Path) -> list[str]:
    """Remove a recording that was packed: its archive, or its files and their folder; the names of files that stay,
    since they do not belong to it."""
    if place.is_file():
        place.unlink()
        return []
    for parts in names(place):
        place.joinpath(*parts).unlink()
    for folder in (place / BODIES, place / TOKENS, place):
        with suppress(OSError):
            folder.rmdir()
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if not path.is_dir())


def write_again(folder: Path, output: Path) -> None:
    """Pack the folder that an archive was unpacked to, and put that in the archive's place. Raises as `write` does."""
    with tempfile.TemporaryDirectory(prefix=f".{output.stem}.", dir=output.parent) as beside:
        write(folder, Path(beside) / output.name)
        (Path(beside) / output.name).replace(output)


class Unpacked:
    """The folder that an archive unpacks to: private, among temporary files, gone with the last that holds it."""

    def __init__(self, file: BufferedReader | BufferedRandom, place: Path, encrypted: bool) -> None:
        self.file = place
        self.name = place.url if isinstance(place, Fetched) else str(place)
        self.encrypted = encrypted
        self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        """Of the archive, decrypted."""
        inside, members = _members(file)
        size = sum(length for _, _, length in members)
        self._temporary = private.Temporary()
        self._root = self._temporary.path
        disk = os.statvfs(self._root)
        if disk.f_bavail * disk.f_frsize - size < FREE_BYTES:
            raise FileError(place, None, "does not fit on the disk for temporary files.", "Make room, or set TMPDIR.")
        self.path = self._root / inside
        """The folder of the recording."""
        private.folder(self.path / BODIES)
        for parts, start, length in members:
            to = self._root.joinpath(*parts)
            to.parent.mkdir(mode=0o700, exist_ok=True)
            file.seek(start)
            with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as copy:
                left = length
                while left and (block := file.read(min(left, CHUNK_BYTES))):
                    copy.write(block)
                    left -= len(block)

    @property
    def is_bundle(self) -> bool:
        """Whether there are other files beside the recording, and a list of digests."""
        return (self._root / SUMS).is_file()

    def unlike_sums(self) -> list[str]:
        """The files of a bundle that are not what its list says, those that it does not list and that are not there."""
        with files.reading(self._root, SUMS) as file:
            rows = file.read(DIRECTORY_BYTES).decode("utf-8", "replace").splitlines()
        listed = {name: digest for digest, _, name in (row.partition("  ") for row in rows)}
        there = {}
        for path in self._root.rglob("*"):
            if path.is_file() and path.name != SUMS:
                with path.open("rb") as file:
                    there[path.relative_to(self._root).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
        return sorted(name for name in listed.keys() | there.keys() if listed.get(name) != there.get(name))


class Fetched(Path):
    """An archive that was fetched from elsewhere, which the index names by its address."""

    def __init__(self, path: Path, url: str) -> None:
        super().__init__(path)
        self.url = url

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return Fetched, (Path(self), self.url)

    @override
    def with_segments(self, *parts: str | os.PathLike[str]) -> Path:  # type: ignore[override]
        return Path(*parts)


def member(place: Path, name: str) -> bytes:
    """A file of a recording out of its archive: run.json, seal.jsonl. Raises FileError for what is no archive."""
    try:
        with place.open("rb") as file:
            inside, members = _members(file)
            for parts, start, length in members:
                if parts == [inside, name]:
                    file.seek(start)
                    return file.read(length)
    except zipfile.BadZipFile as error:
        raise _no_archive(place, error) from None
    return b""


def unpacked(place: Path) -> Unpacked:
    """An archive, unpacked; while somebody holds it, it is not unpacked again.

    Raises FileNotFoundError, and FileError for what is no archive of a recording.
    """
    held = place.stat()
    if not stat.S_ISREG(held.st_mode):
        raise files.NotAFile(place)
    key = (str(place), held.st_dev, held.st_ino, held.st_size, held.st_mtime_ns, held.st_ctime_ns)
    if (found := _held.get(key)) is None:
        _held[key] = found = _unpacked(place)
    return found


@contextmanager
def _readable(place: Path) -> Iterator[tuple[BufferedReader | BufferedRandom, bool]]:
    """An archive as it is, decrypted where it is encrypted, and whether that is so."""
    with place.open("rb") as file:
        if not encryption.is_encrypted(place):
            yield file, False
            return
        with encryption.decrypted(file, place) as plain:
            yield plain, True


_held: WeakValueDictionary[tuple[str | int, ...], Unpacked] = WeakValueDictionary()


def _unpacked(place: Path) -> Unpacked:
    try:
        with _readable(place) as (file, encrypted):
            return Unpacked(file, place, encrypted)
    except zipfile.BadZipFile as error:
        raise _no_archive(place, error) from None
    except OSError as error:
        hint = "See that it can be read, and that there is room."
        raise FileError(place, None, f"cannot be unpacked: {error.strerror}.", hint) from None


def _no_archive(place: Path, error: zipfile.BadZipFile) -> FileError:
    return FileError(place, None, f"is no archive of a recording: {error}.", "Get it again from whoever made it.")


class _Bounded(FileIO):
    """A file of whose directory no more is read than an archive of a recording has."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= DIRECTORY_BYTES:
            raise zipfile.BadZipFile("it has too many members")
        return super().read(size)


def _members(file: BinaryIO) -> tuple[str, list[tuple[list[str], int, int]]]:
    """The folder of the recording, and of each member parts of its path, first byte and size. Raises BadZipFile."""
    try:
        with _Bounded(os.dup(file.fileno()), "rb") as bounded, zipfile.ZipFile(bounded) as archive:
            infos, end = archive.infolist(), archive.start_dir
    except (NotImplementedError, UnicodeDecodeError, struct.error, ValueError) as error:
        raise zipfile.BadZipFile(str(error)) from None
    if not 0 < len(infos) <= MEMBERS:
        raise zipfile.BadZipFile(f"it has {len(infos):,} members")
    is_bundle = any(info.orig_filename == SUMS for info in infos)
    inside = INSIDE if is_bundle else infos[0].orig_filename.partition("/")[0]
    members = []
    ranges = [(end, end)]
    seen: set[str] = set()
    for info in infos:
        parts = _parts(info, inside, is_bundle)
        name = "/".join(parts).casefold()
        if name in seen:
            raise zipfile.BadZipFile(f"{name!r} is there twice")
        seen.add(name)
        if not info.orig_filename.endswith("/"):
            start = _start(file, info)
            ranges.append((info.header_offset, start + info.file_size))
            members.append((parts, start, info.file_size))
    if any(stop > begin for (_, stop), (begin, _) in pairwise(sorted(ranges))):
        raise zipfile.BadZipFile("its members overlap")
    if f"{inside}/{RUN}".casefold() not in seen:
        raise zipfile.BadZipFile(f"it has no {RUN}")
    return inside, members


def _parts(info: zipfile.ZipInfo, inside: str, is_bundle: bool) -> list[str]:
    name = info.orig_filename
    top, *parts = name.removesuffix("/").split("/")
    is_folder = name.endswith("/")
    beside = is_bundle and not parts and not is_folder and top != inside
    belongs = top == inside and len(parts) <= 2 and parts[:-1] in _FOLDERS
    if not (belongs or beside) or not all(map(_NAME.match, (top, *parts))):
        raise zipfile.BadZipFile(f"{name[:200]!r} is not in the folder of a recording")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not is_folder and (not (parts or beside) or info.flag_bits & 1 or kind not in (0, stat.S_IFREG)):
        raise zipfile.BadZipFile(f"{name!r} is encrypted, or no regular file")
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise zipfile.BadZipFile(f"{name!r} is compressed; unpack it, and pack the folder with `appwitness pack`")
    return [top, *parts]


def _start(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """The first byte of what a member holds."""
    file.seek(max(0, info.header_offset))
    head = file.read(_LOCAL.size)
    if info.header_offset < 0 or len(head) < _LOCAL.size or head[:4] != b"PK\3\4":
        raise zipfile.BadZipFile(f"{info.orig_filename!r} is not where its directory says")
    long: int
    more: int
    _, long, more = _LOCAL.unpack(head)
    if file.read(long) != info.orig_filename.encode():
        raise zipfile.BadZipFile(f"{info.orig_filename!r} has another name in its own header")
    return info.header_offset + _LOCAL.size + long + more
