"""Files dropped on a page: held until the user says what they are, then imported as a recording."""

from __future__ import annotations

import re
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from appwitness.api.exchanging import import_, origin
from appwitness.api.home import recordings
from appwitness.recording.files import has_room
from appwitness.support import private_files
from appwitness.support.errors import DiskFullError, UserError
from appwitness.support.spoken import Spoken

DropKind = Literal["har", "flows", "hooks", "pcap", "keys", "recording", "app"]
"""The kinds of file: a capture in a format of `import`, its key log, an archived recording, an app to install."""
LARGEST_DROP = 4 << 30
"""Largest file, in bytes."""
MOST_FILES = 12
"""Maximum number of files of one run."""
MOST_DROPS = 20
"""Maximum number of drops that are held; a new one replaces the oldest."""
APPS = (".apk", ".apks", ".apkm", ".xapk")
ZIP = b"PK\x03\x04"
AGE = b"age-encryption.org/"
_KEY_LOG = re.compile(
    rb"(?:\s*(?:#[^\n]*)?\n)*(?:CLIENT|SERVER|EXPORTER|EARLY)_[A-Z_0-9]+ [0-9a-fA-F]{32,} [0-9a-fA-F]{32,}"
)
_SHOWN = re.compile(r"[^\w .()+-]")


class DroppedFile(NamedTuple):
    """A file as it was dropped."""

    name: str
    """The name given by its owner; it is shown, and never part of a path."""
    path: Path
    size: int
    kind: DropKind


@dataclass
class Drop:
    """Files that belong to one run, waiting to be imported."""

    id: str
    folder: private_files.Temporary
    files: list[DroppedFile] = field(default_factory=list)

    def of(self, *kinds: DropKind) -> list[DroppedFile]:
        """The files of some kinds."""
        return [each for each in self.files if each.kind in kinds]


class Inbox:
    """Dropped files that are not imported yet; they are deleted when the program ends. Methods may be called from
    any thread."""

    def __init__(self, largest: int = LARGEST_DROP) -> None:
        self.largest = largest
        self.drops: dict[str, Drop] = {}
        self._lock = threading.RLock()

    def of(self, id_: str) -> Drop:
        """The drop with an ID. Raises UserError when there is none."""
        with self._lock:
            if id_ not in self.drops:
                raise UserError("These files are no longer here.", "Drop them again.")
            return self.drops[id_]

    @contextmanager
    def receiving(self, id_: str, name: str, size: int | None) -> Iterator[Arrival]:
        """Receive a file piece by piece into a drop; an empty `id_` begins a new drop.

        `size` is what the sender declares. Raises UserError for a file that is too large or of none of the kinds;
        nothing of it is kept then.
        """
        if size is not None and size > self.largest:
            raise too_large(self.largest)
        with self._lock:
            drop = self.of(id_) if id_ else self._new()
        if len(drop.files) >= MOST_FILES:
            raise UserError(
                Spoken("A run has at most {most_files} files here.", most_files=MOST_FILES),
                "Import more on the command line.",
            )
        if not has_room(drop.folder.path, size or 0):
            raise DiskFullError("There is no room for the file.", "Make room, or set TMPDIR.")
        ending = next((each for each in APPS if name.lower().endswith(each)), "")
        path = drop.folder.path / f"{len(drop.files) + 1}-{secrets.token_hex(4)}{ending}"
        try:
            with private_files.writing(path) as file:
                arrival = Arrival(drop.id, file, self.largest)
                yield arrival
            kind = kind_of(path, bool(ending))
        except BaseException:
            path.unlink(missing_ok=True)
            if not drop.files:
                self.remove(drop.id)
            raise
        shown = _SHOWN.sub("_", name)[-120:] or "file"
        with self._lock:
            drop.files.append(DroppedFile(shown, path, arrival.size, kind))

    def remove(self, id_: str) -> None:
        """Forget a drop, and remove its files."""
        with self._lock:
            drop = self.drops.pop(id_, None)
        if drop:
            with drop.folder:
                pass

    def take_in(self, id_: str, app: str, values: Sequence[str]) -> Path:
        """Make a recording of a drop; returns its folder or archive. The drop is removed.

        `app`: package of the captured app, or the name of a website. `values` are those to look for, such as
        `phone_number=+8613800138000`. Raises UserError as `appwitness.api.exchanging` does; the drop is kept then.
        """
        drop = self.of(id_)
        captures = drop.of("har", "flows", "hooks", "pcap")
        keys = drop.of("keys")
        if len(archives := drop.of("recording")) == 1 and len(drop.files) == 1:
            made = _moved(archives[0].path)
        elif not captures or len(captures) + len(keys) != len(drop.files) or len(keys) > 1:
            raise UserError(
                "These files do not belong to one run: drop an archive by itself, and captures with at most one key "
                "log.",
                "Drop them again, those of a run together.",
            )
        else:
            known = origin(
                app,
                values,
                keys=keys[0].path if keys else None,
                names={each.path.name: each.name for each in captures},
            )
            made = import_([each.path for each in captures], known, output=_new_place("import"))[0]
        self.remove(id_)
        return made

    def _new(self) -> Drop:
        while len(self.drops) >= MOST_DROPS:
            self.remove(next(iter(self.drops)))
        id_ = secrets.token_hex(8)
        drop = self.drops[id_] = Drop(id_, private_files.Temporary())
        return drop


@dataclass
class Arrival:
    """A file that is being received."""

    drop: str
    """The id of the drop that it belongs to."""
    file: BinaryIO
    largest: int
    size: int = 0

    def write(self, piece: bytes) -> None:
        """Write the next bytes. Raises UserError if the file becomes too large."""
        self.size += len(piece)
        if self.size > self.largest:
            raise too_large(self.largest)
        self.file.write(piece)


def too_large(largest: int) -> UserError:
    """The error for a file with more bytes than this."""
    return UserError(
        Spoken("The file is larger than {largest:.3g} GiB.", largest=largest / (1 << 30)),
        "Import it on the command line: appwitness import.",
    )


def kind_of(path: Path, is_app: bool = False) -> DropKind:
    """The kind of a file, by its first bytes. Raises UserError if it cannot be imported."""
    from appwitness.exchange import format_of
    from appwitness.exchange.opening import beginning

    head = beginning(path, 4096)
    if head.startswith(ZIP):
        return "app" if is_app else "recording"
    if is_app:
        raise UserError("The file has the name of an app, but is not one.", "Drop an APK, .apks, .apkm or .xapk.")
    if head.startswith(AGE):
        raise UserError(
            "The recording is encrypted, and the index stores values in plain text.",
            "Judge it on the command line, in memory: appwitness report FILE.",
        )
    if _KEY_LOG.match(head):
        return "keys"
    found = format_of(head)
    if found is None:
        raise UserError(
            "The file is neither HAR, nor a mitmproxy flow file, nor a packet capture with its key log, nor JSON of "
            "hooks, nor a recording, a bundle or an app.",
            "Drop another, or convert it: docs/hook-logs.md.",
        )
    return found


def _new_place(what: str, ending: str = "") -> Path:
    folder = recordings().absolute()
    private_files.folder(folder)
    return folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{what}-{secrets.token_hex(3)}{ending}"


def _moved(archive: Path) -> Path:
    """Move an archive into the folder of recordings; returns its new path. Raises UserError if it is not a
    recording."""
    from appwitness.recording import Recording

    into = _new_place("dropped", ".zip")
    shutil.move(archive, into)
    try:
        Recording.open(into)
    except BaseException:
        shutil.move(into, archive)
        raise
    return into
