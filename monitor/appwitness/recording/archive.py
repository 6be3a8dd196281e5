"""A recording as one file: a ZIP without compression, read like the folder that it unpacks to.

Nothing in an archive is trusted. Its members may only be files of a recording, each in its own byte range of the
archive, so unpacking never writes more bytes than the archive has. ZIP checksums are ignored: `verify` knows what was
stamped, and names the line or body that differs.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom, BufferedReader, FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, override
from weakref import WeakValueDictionary

from appwitness.events import FILES
from appwitness.recording import encryption, files
from appwitness.recording.seal import BODIES, RUN, SEAL, TOKENS
from appwitness.support import private_files
from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

MEMBERS = 100_000
"""Maximum number of members of an archive: its directory is held in memory."""
DIRECTORY_BYTES = MEMBERS * 220
CHUNK_BYTES = 1 << 20
NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}\Z")
_FOLDERS: tuple[list[str], ...] = ([], [BODIES], [TOKENS])
INSIDE, SUMS, MOMENTS = "recording", "SHA256SUMS", "moments"
"""Names in a bundle: the folder of the recording, the file beside it that lists the digests of all files, and the
folder that holds one folder for each finding."""
_LOCAL = struct.Struct("<4s22xHH")
"""A member's local header: its signature, and the lengths of the name and the extra field that follow."""


def names(folder: Path) -> Iterator[tuple[str, ...]]:
    """The files in a folder that belong to a recording, each as the parts of its path; other files are left out."""
    yield from ((name,) for name in (RUN, *FILES.values(), SEAL) if os.path.lexists(folder / name))
    for below in (BODIES, TOKENS):
        if os.path.lexists(folder / below):
            with files.folder(folder, below) as here:
                yield from ((below, name) for name in sorted(os.listdir(here)))  # noqa: PTH208 a folder that is open


class UnreadableNow(FileError):
    """The disk of an archive, or of its unpacked files, is full or unavailable: the archive itself may be intact."""


class Unpacked:
    """The private temporary folder that an archive is unpacked to; removed when its last user is gone."""

    def __init__(self, file: BufferedReader | BufferedRandom, place: Path, encrypted: bool) -> None:
        self.file = place
        self.name = place.url if isinstance(place, Fetched) else str(place)
        self.encrypted = encrypted
        self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        """SHA-256 of the archive, decrypted."""
        inside, members = _members(file)
        size = sum(length for _, _, length in members)
        self._temporary = private_files.Temporary()
        self._root = self._temporary.path
        if not files.has_room(self._root, size):
            hint = "Make room, or set TMPDIR."
            raise UnreadableNow(place, None, "does not fit on the disk for temporary files.", hint)
        self.path = self._root / inside
        """The folder of the recording."""
        private_files.folder(self.path / BODIES)
        for parts, start, length in members:
            to = self._root.joinpath(*parts)
            to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.seek(start)
            with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as copy:
                left = length
                while left and (block := file.read(min(left, CHUNK_BYTES))):
                    copy.write(block)
                    left -= len(block)

    @property
    def is_bundle(self) -> bool:
        """Whether the archive is a bundle: it has a list of digests, and other files beside the recording."""
        return (self._root / SUMS).is_file()

    def unlike_sums(self) -> list[str]:
        """The files of a bundle that differ from its list of digests, are not on it, or are missing."""
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
    """A downloaded archive; the index names it by its URL."""

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
    """The content of one file of a recording (run.json, seal.jsonl), read from its archive; empty when the archive
    has none. Raises FileError if `place` is not an archive of a recording."""
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


def digests(file: BinaryIO) -> dict[str, str]:
    """Name of each member of an archive -> its SHA-256. Raises BadZipFile if it is not an archive of a recording."""
    found = {}
    for parts, start, length in _members(file)[1]:
        file.seek(start)
        digest, left = hashlib.sha256(), length
        while left and (block := file.read(min(left, CHUNK_BYTES))):
            digest.update(block)
            left -= len(block)
        found["/".join(parts)] = digest.hexdigest()
    return found


def unpacked(place: Path) -> Unpacked:
    """An unpacked archive, shared by all its users. Raises FileNotFoundError, and FileError if it is not an archive
    of a recording."""
    held = place.stat()
    if not stat.S_ISREG(held.st_mode):
        raise files.NotAFile(place)
    key = (str(place), held.st_dev, held.st_ino, held.st_size, held.st_mtime_ns, held.st_ctime_ns)
    if (found := _held.get(key)) is None:
        _held[key] = found = _unpacked(place)
    return found


@contextmanager
def _readable(place: Path) -> Iterator[tuple[BufferedReader | BufferedRandom, bool]]:
    """The archive as an open file, decrypted if it is encrypted, and whether it was encrypted."""
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
        raise UnreadableNow(place, None, f"cannot be unpacked: {error.strerror}.", hint) from None


def _no_archive(place: Path, error: zipfile.BadZipFile) -> FileError:
    return FileError(
        place,
        None,
        Spoken("is not an archive of a recording: {error}.", error=error),
        "Get it again from whoever made it.",
    )


class BoundedFile(FileIO):
    """A file that limits how much of its directory is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes. Raises BadZipFile if that is more than a directory may have."""
        if size is None or size < 0:  # zipfile in CPython 3.12 and 3.13.0 reads all that is left for the directory
            size = max(0, os.fstat(self.fileno()).st_size - self.tell())
        if size > DIRECTORY_BYTES:
            raise zipfile.BadZipFile("it has too many members")
        return super().read(size)


def _members(file: BinaryIO) -> tuple[str, list[tuple[list[str], int, int]]]:
    """The folder of the recording; then path parts, offset of the first byte and size of each member. Raises
    BadZipFile."""
    try:
        with BoundedFile(os.dup(file.fileno()), "rb") as bounded, zipfile.ZipFile(bounded) as archive:
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
    of_finding = top == MOMENTS and len(parts) == 2
    beside = is_bundle and (not parts or of_finding) and not is_folder and top != inside
    belongs = top == inside and len(parts) <= 2 and parts[:-1] in _FOLDERS
    if not (belongs or beside) or not all(map(NAME.match, (top, *parts))):
        raise zipfile.BadZipFile(f"{name[:200]!r} is not in the folder of a recording")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not is_folder and (not (parts or beside) or info.flag_bits & 1 or kind not in (0, stat.S_IFREG)):
        raise zipfile.BadZipFile(f"{name!r} is encrypted, or no regular file")
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise zipfile.BadZipFile(f"{name!r} is compressed; unpack it, and pack the folder with `appwitness pack`")
    return [top, *parts]


def _start(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """The offset of a member's first content byte."""
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
